"""Text files as UTF-8, whatever they are encoded in: told by a byte order mark, tried as UTF-8, guessed only then.

A stated encoding is kept to, and refused where the bytes contradict it: text that is read wrongly is worse than none.
"""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.kit.files import Unpacked

BLOCK = SHORT = 2**22
"""Bytes read at once; a file of fewer is short."""
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp932", "gb18030", "big5", "euc_kr", "cp1253", "cp1254"]
"""Encodings that real tables have; a guess among all there are is mostly a wrong one."""
_LATIN = {"cp1250", "cp1252", "cp1254"}
_SAMPLE = 2**16


class WrongEncodingError(Exception):
    """The bytes are not of the encoding; raised while reading, never seen outside. `at`: around which byte."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Encoding(NamedTuple):
    """How a file's text is encoded."""

    name: str
    mark: int = 0
    """Bytes of the byte order mark, passed over."""
    sure: bool = False
    """Whether the file or the reader says so; else UTF-8 is tried."""


class Utf8(io.RawIOBase):
    """The text of a file as UTF-8 without a byte order mark.

    Reading raises `WrongEncodingError` where the bytes are not of the encoding, and an InputError at a NUL byte.
    """

    def __init__(self, path: Path, encoding: Encoding, skip: int = 0, *, start: bytes = b"", end: bytes = b"") -> None:
        """Open a file, replace the first `skip` bytes of its UTF-8 form, and append a last line of its own.

        Args:
            path: the file.
            encoding: how it is encoded.
            skip: how many bytes are passed over.
            start: what is read instead of them.
            end: the line put below the last.
        """
        super().__init__()
        self._path = path
        self._stream = Unpacked(path)
        self._same = encoding.name == "utf-8"
        self._decoder = codecs.getincrementaldecoder(encoding.name)()
        self._raw = len(self._stream.read(encoding.mark))
        self._lines = 0
        self._ready = b""
        self._end = end
        self._last = b"\n"
        self._over = False
        while skip > 0:
            passed = self.read(min(skip, BLOCK))
            if not passed:
                break
            skip -= len(passed)
        if not self._ready:
            self._last = b"\n"
        self._ready = start + self._ready

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; everything that is left where it is negative."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        blocks: list[bytes] = []
        while size > 0:
            while not self._ready and not self._over:
                self._ready = self._next(max(size, 2**16))
            if not self._ready:
                break
            blocks.append(self._ready[:size])
            self._ready = self._ready[size:]
            size -= len(blocks[-1])
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; return how many bytes were put there."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file; once is enough."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _next(self, size: int) -> bytes:
        """Return the next bytes of the text; at its end the last line, and then nothing more."""
        block = self._stream.read(min(size, BLOCK))
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeError:
            raise WrongEncodingError(self._raw) from None
        self._raw += len(block)
        if not block:
            self._over = True
            tail = b"" if self._same else text.encode("utf-8", "replace")
            if not self._end:
                return tail
            last = (tail or self._last)[-1:]
            return tail + (b"" if last in b"\r\n" else b"\n") + self._end
        out = block if self._same else text.encode("utf-8", "replace")
        if b"\0" in out:
            self._refuse_nul(out)
        self._lines += out.count(b"\n")
        self._last = out or self._last
        return out

    def _refuse_nul(self, block: bytes) -> None:
        line = self._lines + block[: block.index(b"\0")].count(b"\n") + 1
        remedy = "if the file is UTF-16, say encoding: utf-16-le; else it is damaged or no text"
        raise InputError(self._path.name, f"line {line:,}", wanted="text", got="a NUL byte", remedy=remedy)


class _Begun(io.RawIOBase):
    """A stream of which the first bytes have been read."""

    def __init__(self, first: bytes, stream: io.RawIOBase) -> None:
        super().__init__()
        self._first, self._stream = first, stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most `size` bytes; everything that is left where it is negative."""
        if size is None or size < 0:
            size = len(self._first)
            return self.read(size) + (self._stream.read(-1) or b"")
        first, self._first = self._first[:size], self._first[size:]
        return first or self._stream.read(size) or b""


def for_arrow(stream: io.RawIOBase) -> pa.NativeFile:
    """Return a stream as Arrow reads it; a short one is read here and now.

    Arrow reads in threads of its own. One that asks Python for more bytes when the program has ended, as it soon does
    with an error about a short file, brings it down (`terminate called without an active exception`).
    """
    first = stream.read(SHORT) or b""
    return pa.BufferReader(first) if len(first) < SHORT else pa.PythonFile(_Begun(first, stream), mode="r")


def encoding_of(path: Path, stated: str | None) -> Encoding:
    """Return how a file is encoded: as stated, as its byte order mark says, or else perhaps UTF-8.

    Raises:
        InputError: the file contradicts what is stated.
    """
    with Unpacked(path) as stream:
        first = stream.read(4)
    if first == b"PK\x03\x04":
        raise InputError(path.name, "the file", wanted="text", got="a zip archive", remedy="unpack it first")
    mark = next((m for m in _MARKS if first.startswith(m)), b"")
    if stated is None:
        return Encoding(_MARKS[mark], len(mark), sure=True) if mark else Encoding("utf-8")
    name = codecs.lookup(stated).name
    if name == "utf-8-sig":
        name = "utf-8"
    if mark and (name == _MARKS[mark] or _MARKS[mark].startswith(name + "-")):
        return Encoding(_MARKS[mark], len(mark), sure=True)
    if mark:
        raise wrong_encoding(path, stated, f"the byte order mark of {_MARKS[mark]}", _MARKS[mark])
    if name != "utf-8":
        _refuse_utf8(path, stated, wide=name.startswith(("utf-16", "utf-32")))
    return Encoding(name, 0, sure=True)


def wrong_encoding(path: Path, stated: str, got: str, right: str | None) -> InputError:
    """Return the error for text that is not encoded as stated."""
    remedy = f"say encoding: {right}" if right else "say what it is with encoding:, such as cp1252 or utf-16"
    return InputError(path.name, "the text", wanted=f"text in {stated}", got=got, remedy=remedy)


def first_fault(path: Path, encoding: Encoding) -> int | None:
    """Return around which byte a file is not of an encoding; nothing where it is all through."""
    with Utf8(path, encoding) as text:
        try:
            while text.read(BLOCK):
                pass
        except WrongEncodingError as fault:
            return fault.at
    return None


def guessed_encoding(path: Path, at: int) -> Encoding:
    """Return the encoding that the text around a byte suggests, for a file that is not UTF-8.

    Raises:
        InputError: none is likely.
    """
    sample = _sample(path, at)
    names = [] if b"\0" in sample else _likely(sample)
    if not names:
        raise wrong_encoding(path, "UTF-8, or another encoding that can be recognised", "bytes of neither", None)
    return Encoding("cp1252" if "cp1252" in names else names[0])


def _likely(sample: bytes) -> list[str]:
    """Return the encodings that suit a sample best, and equally well."""
    from charset_normalizer import from_bytes

    found = list(from_bytes(sample, cp_isolation=_GUESSED, enable_fallback=False))
    if _western(sample):  # single accents between plain letters: no alphabet of its own
        found = [m for m in found if m.encoding in _LATIN]
        if not found:
            return ["cp1252"]
    if not found:
        return []
    best = max(m.coherence for m in found if m.chaos == found[0].chaos)
    tied = [m for m in found if m.chaos == found[0].chaos and m.coherence == best]
    return [codecs.lookup(n).name for m in tied for n in (m.encoding, *m.could_be_from_charset)]


def _western(sample: bytes) -> bool:
    """Return whether bytes beyond ASCII stand alone, as they do in languages of Latin letters, and suit cp1252."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return bool(runs) and sum(map(len, runs)) < 1.5 * len(runs)


def _sample(path: Path, at: int) -> bytes:
    """Return the telling lines around a byte and after it."""
    sample = b""
    with Unpacked(path) as stream:
        passed = 0
        while passed < at and (block := stream.read(min(BLOCK, at - passed))):
            passed += len(block)
        if at:  # the rest of a line may begin within a character
            block = stream.read(BLOCK)
            sample = _telling(block.partition(b"\n")[2] or block)
        while len(sample) < _SAMPLE and (block := stream.read(BLOCK)):
            sample += _telling(block)
    return sample[:_SAMPLE].rpartition(b"\n")[0] or sample[:_SAMPLE]


def _telling(block: bytes) -> bytes:
    """Return the lines of a block that hold more than ASCII: the only ones that tell encodings apart."""
    return b"".join(line for line in block.splitlines(keepends=True) if not line.isascii())


def _refuse_utf8(path: Path, stated: str, *, wide: bool) -> None:
    """Refuse a file that is valid UTF-8 though something else was stated, where that makes a difference."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    told = False
    with Unpacked(path) as stream:
        while True:
            block = stream.read(BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                return
            if b"\0" in block:
                return
            told = told or wide or not block.isascii()
            if not block:
                break
    if told:
        raise wrong_encoding(path, stated, "bytes that are UTF-8", "utf-8")
