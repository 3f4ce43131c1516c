"""Files, safely: packed ones with limits while they are read, new ones whole or not at all, names that are safe.

Whether a file is packed (gzip, zstd) is told by its first bytes, not by its name; whether it is written packed, by
the ending of its name.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import os
import re
import secrets
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pyarrow as pa

from synthwright.core.errors import InputError, StoreError
from synthwright.store.folder import synced

SYNTHETIC = "synthwright.synthetic"
"""The key of a file's metadata whose value "true" says that its rows were made, not observed."""
GENERATION = "synthwright.generation"
"""The key beside it that says how many generations of made rows lie between these and real ones; absent: 1."""
SYNTHETIC_BASE = int.from_bytes(b"SynW")
"""The application number in the head of an SQLite file whose rows were made."""
UNFINISHED = ".unfinished-"
"""How the name of a file begins that is still being written; the process number follows."""
PACKED = {".gz": "gzip", ".zst": "zstd"}
"""Endings of packed files."""


class Limits(NamedTuple):
    """What a file may unfold into before it is refused."""

    unpacked: int = 16 * 2**30
    """Bytes of one file once unpacked."""
    ratio: int = 200
    """How many times its size a file may unpack into …"""
    ratio_from: int = 100_000_000
    """… once it has unpacked into this many bytes."""
    cells: int = 4_000_000_000
    """Rows times columns that a file may declare."""
    density: int = 100
    """How many cells a byte of a file may hold: constant columns take next to nothing …"""
    density_from: int = 50_000_000
    """… once it declares this many."""
    decoded_from: int = 500_000_000
    """Bytes that values may take once what is stored once and named often is written out; `ratio` from there."""
    files: int = 10_000
    """Files that one folder or pattern may stand for."""
    members: int = 10_000
    """Members of an archive (a workbook is one)."""
    record: int = 256 * 2**20
    """Bytes of one record of a text file."""

    def exceeded(self, packed: int, unpacked: int) -> bool:
        """Return whether `packed` bytes may not unfold into `unpacked`."""
        return unpacked > self.unpacked or unpacked > max(self.ratio_from, self.ratio * packed)

    def too_many(self, packed: int, cells: int) -> bool:
        """Return whether `packed` bytes may not declare so many cells."""
        return cells > self.cells or cells > max(self.density_from, self.density * packed)

    def too_long(self, packed: int, decoded: int) -> bool:
        """Return whether the values of `packed` bytes may not take so many bytes when they are written out."""
        return decoded > self.unpacked or decoded > max(self.decoded_from, self.ratio * packed)


LIMITS = Limits()


class Unpacked(io.RawIOBase):
    """The bytes of a file, unpacked while they are read, and refused once they are too many.

    Reading raises an InputError where the packed data is damaged, ends early or exceeds `LIMITS`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file = opened(path)
        self._size = os.fstat(self._file.fileno()).st_size
        self._packing = packing(self._file.peek(4)[:4])
        self._count = 0
        if path.suffix.lower() in PACKED and self._packing is None and self._size:
            self._file.close()
            raise InputError(path.name, "the file", wanted=f"{PACKED[path.suffix.lower()]} data, as its ending says",
                             got="something else", remedy="rename it after what it holds")  # fmt: skip
        self._stream: IO[bytes] | pa.NativeFile = self._file
        if self._packing == "gzip":
            self._stream = gzip.GzipFile(fileobj=self._file, mode="rb")
        elif self._packing == "zstd":
            self._stream = pa.CompressedInputStream(pa.PythonFile(self._file, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most `size` bytes; everything that is left where it is negative."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(2**24), b""))
        try:
            block = bytes(self._stream.read(min(size, 2**24)))
        except (OSError, EOFError, zlib.error, pa.ArrowException):
            raise InputError(self._path.name, "the file", wanted=f"{self._packing or 'readable'} data",
                             got="data that is damaged or ends early",
                             remedy="fetch or pack the file again") from None  # fmt: skip
        self._count += len(block)
        if self._packing and LIMITS.exceeded(self._size, self._count):
            raise InputError(self._path.name, "the packed file", got="a size that only a bomb has",
                             wanted=f"at most {LIMITS.unpacked:,} bytes and {LIMITS.ratio} times its size unpacked",
                             remedy="if it is meant, unpack it and name the unpacked file")  # fmt: skip
        return block

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes were put there."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file; once is enough."""
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()


def opened(path: Path) -> io.BufferedReader:
    """Open a file for reading; an InputError where it is absent, unreadable or no plain file."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(path.name, "the path", wanted="a plain file", got="something else")
        return path.open("rb")
    except OSError as error:
        raise InputError(path.name, "the file", wanted="a readable file", got=_why(error)) from None


def packing(first: bytes) -> str | None:
    """Return how a file with these first four bytes is packed: `gzip`, `zstd` or not at all."""
    return "gzip" if first[:2] == b"\x1f\x8b" else "zstd" if first[:4] == b"\x28\xb5\x2f\xfd" else None


@contextlib.contextmanager
def seekable(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that must be read here and there: itself, or where it is packed its unpacked bytes in memory."""
    with opened(path) as file:
        if packing(file.peek(4)[:4]) is None and path.suffix.lower() not in PACKED:
            yield file
            return
    with Unpacked(path) as stream:
        yield io.BytesIO(stream.read())


def split_name(path: Path) -> tuple[str, str]:
    """Return a file's stem and its ending in lower case, without the ending of a packing: `a.CSV.gz`: `a`, `.csv`."""
    name = path.name
    if path.suffix.lower() in PACKED:
        name = name[: -len(path.suffix)]
    ending = Path(name).suffix
    return name[: len(name) - len(ending)], ending.lower()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends well the file takes its place at once, else nothing is left.

    Raises:
        StoreError: the disk is full, the folder cannot be written, …
    """
    unfinished = path.with_name(f"{UNFINISHED}{os.getpid()}-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        synced(unfinished)
        unfinished.replace(path)
        synced(path.parent)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "name another place with --out")
        raise StoreError(path.name, "the file", wanted="to write it", got=_why(error), remedy=remedy) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def created(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file as `replacing` does, packed where its name ends so; the same content gives the same bytes."""
    with replacing(path) as unfinished, unfinished.open("xb") as file:
        how = PACKED.get(path.suffix.lower())
        if how == "gzip":
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as stream:
                yield cast(IO[bytes], stream)
        elif how == "zstd":
            with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as stream:
                yield stream
                stream.flush()
        else:
            yield file


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left unfinished anywhere below a folder."""
    for left in sorted(folder.rglob(f"{UNFINISHED}*")):
        process = left.name.removeprefix(UNFINISHED).partition("-")[0]
        if process.isdigit() and not _alive(int(process)):
            left.unlink(missing_ok=True)


def folder_names(names: Iterable[str]) -> dict[str, str]:
    """Return for each name one that a file or folder may have anywhere, no two alike even where case does not count.

    A name that is safe stays as it is; any other is cleaned, cut, and told apart by a digest of the name.
    """
    cleaned = {name: _clean(name) for name in names}
    folded = Counter(_folded(name) for name, safe in cleaned.items() if safe == name)
    out = {}
    for name, clean in cleaned.items():
        safe = clean
        if safe != name or folded[_folded(name)] > 1:
            safe = f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        out[name] = safe
    return out


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _clean(name: str) -> str:
    """Return a name without what some file system minds; at most 80 bytes where it was too long for any of them."""
    safe = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]+', "_", name).strip(" .") or "table"
    if re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", safe):
        safe = f"{safe}_"
    if len(safe.encode()) <= 180:
        return safe
    return safe.encode()[:80].decode(errors="ignore").strip(" .")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


_SAID = {
    errno.ENOSPC: "a full disk",
    errno.EDQUOT: "a quota that is used up",
    errno.EFBIG: "a file larger than is allowed here",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "a file system that is read-only",
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "a file where a folder was wanted",
    errno.EEXIST: "a file where a folder was wanted",
    errno.EISDIR: "a folder where a file was wanted",
    errno.ENAMETOOLONG: "a name that is too long",
}
_REMEDIES = {
    errno.ENOSPC: "make room, or name another place with --out",
    errno.EACCES: "give yourself the right to write there, or name another place with --out",
}


def _why(error: OSError) -> str:
    said = os.strerror(error.errno).lower() if error.errno else "an error of the file system"
    return _SAID.get(error.errno or 0, said)
