"""The log of answers: what language models said, a line for each answer, kept whatever becomes of the run.

A line is JSON, and begins with its key and a checksum of the rest::

    {"sha256": "…", "crc32": "…", "text": "I lost my card.", "finish": "stop", …}

It is handed to the operating system in one write before anything else happens to the answer: a killed process loses
nothing, a power failure the last second. Several runs may share a log: who writes holds its lock, and first reads what
the others wrote.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import struct
import time
from binascii import unhexlify
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from zlib import crc32

from synthwright.core.errors import StoreError
from synthwright.store.folder import said_plainly

FOLDER = "replies"
_FILE = "answers.jsonl"
_OPENING, _MIDDLE, _CLOSING = b'{"sha256": "', b'", "crc32": "', b'", '
_HEAD = struct.Struct(f"{len(_OPENING)}s64s{len(_MIDDLE)}s8s{len(_CLOSING)}s")
"""How every line begins: the key in 64 hexadecimal digits, and the checksum of key and rest in 8."""
_PIECE = 4 << 20
"""Bytes that are read at once."""
_LINE = 4096
"""Bytes of a line that are read at first; most lines are shorter."""
_SYNC = 1.0
"""Seconds between two requests that the disk itself holds what was written."""


class Replies:
    """The answers in a store, by the SHA-256 of what was asked. The first answer under a key stays."""

    def __init__(self, at: Path, descriptor: int) -> None:
        self.at = at
        self._descriptor = descriptor
        self._places: dict[bytes, int] = {}
        self._end = self._lines = 0  # bytes and lines that have been read, or were written here
        self._syncing: Future[None] | None = None
        self._synced = time.monotonic()
        self._aside = ThreadPoolExecutor(1, "replies")  # the disk is waited for beside the run, not in it

    @staticmethod
    def open(store: Path) -> Replies:
        """Return the log of a store's folder, made if there is none; a half line that a killed run left is cut off.

        Raises:
            StoreError: a line is damaged, a link stands where the log belongs, or nothing can be written.
        """
        folder = store / FOLDER
        at = folder / _FILE
        with said_plainly(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path, right in ((folder, stat.S_ISDIR), (at, stat.S_ISREG)):
                if os.path.lexists(path) and not right(path.lstat().st_mode):
                    raise _altered(path, "a link, or something else,", "move it away")
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            found = Replies(at, os.open(at, flags, 0o600))
        try:
            # Most is read before the others have to wait; what cannot be read yet may be half a line of theirs.
            found._read_on(os.fstat(found._descriptor).st_size, locked=False)
            found._catch_up()
        except BaseException:
            found.close()
            raise
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    def close(self) -> None:
        """Wait until the disk holds what was written, and close the log."""
        if self._descriptor < 0:
            return
        self._aside.shutdown()
        try:
            with said_plainly(self.at):
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what was answered under a key (64 hexadecimal digits), or None."""
        digest = bytes.fromhex(key)
        place = self._places.get(digest)
        if place is None and os.fstat(self._descriptor).st_size != self._end:
            self._catch_up()
            place = self._places.get(digest)
        return None if place is None else self._value(digest, place)

    def put(self, key: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Remember an answer; return the one that stays: another run may have been quicker.

        Args:
            key: 64 hexadecimal digits.
            value: JSON, with at least one entry; no key, no header.
        """
        digest, name = bytes.fromhex(key), key.encode()
        body = json.dumps(value).encode()[1:]
        line = b"%b%b%b%08x%b%b\n" % (_OPENING, name, _MIDDLE, crc32(body, crc32(name)), _CLOSING, body)
        with said_plainly(self.at):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                self._read_others()
                place = self._places.get(digest)
                if place is None:
                    self._append(line)
                    self._places[digest] = self._end
                    self._end += len(line)
                    self._lines += 1
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._sync()
        return value if place is None else self._value(digest, place)

    def _append(self, line: bytes) -> None:
        """Write a line behind the others, whole or not at all."""
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):  # a disk that is nearly full takes a part, and then says why
                written += os.write(self._descriptor, line[written:])
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise

    def _sync(self) -> None:
        now = time.monotonic()
        if now - self._synced < _SYNC or (self._syncing is not None and not self._syncing.done()):
            return
        if self._syncing is not None:
            self._syncing.result()  # a disk that fails is told
        self._synced = now
        self._syncing = self._aside.submit(os.fsync, self._descriptor)

    def _catch_up(self) -> None:
        with said_plainly(self.at):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                self._read_others()
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _read_others(self) -> None:
        """Read what others wrote since; the lock is held. Half a line at the end is of somebody who was killed."""
        held = os.fstat(self._descriptor)
        if held.st_size < self._end or not held.st_nlink:
            raise _altered(self.at, "one that somebody cut off or removed", "run again: what it still holds is kept")
        if held.st_size > self._end:
            self._read_on(held.st_size, locked=True)
            if self._end < held.st_size:
                os.ftruncate(self._descriptor, self._end)

    def _read_on(self, end: int, *, locked: bool) -> None:
        """Note where the answers up to a byte are; stop at the last line where it is none."""
        rest, at = b"", self._end
        while at < end and (piece := os.pread(self._descriptor, min(_PIECE, end - at), at)):
            at += len(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                key = _key_of(line)
                if key is None:
                    if locked and self._end + len(line) + 1 < end:
                        raise _altered(f"{self.at}:{self._lines + 1}", "a damaged line",
                                       "delete the line: its answer alone is asked again")  # fmt: skip
                    return
                self._places.setdefault(key, self._end)
                self._end += len(line) + 1
                self._lines += 1

    def _value(self, digest: bytes, place: int) -> dict[str, Any]:
        line = os.pread(self._descriptor, _LINE, place)
        while b"\n" not in line:
            more = os.pread(self._descriptor, max(_PIECE, len(line)), place + len(line))
            if not more:
                break
            line += more
        line = line[: line.find(b"\n")]
        if _key_of(line) != digest:
            raise _altered(self.at, "one that was changed while it was open", "run again")
        said = json.loads(line)
        return {word: held for word, held in said.items() if word not in ("sha256", "crc32")}


def _key_of(line: bytes) -> bytes | None:
    """Return the key of a line, or None where the line is not what was written."""
    try:
        opening, name, middle, checksum, closing = _HEAD.unpack_from(line)
        if (opening, middle, closing) == (_OPENING, _MIDDLE, _CLOSING) and crc32(
            line[_HEAD.size :], crc32(name)
        ) == int(checksum, 16):
            return unhexlify(name)
    except (ValueError, struct.error):  # too short, or other digits
        return None
    return None


def _altered(at: Path | str, got: str, remedy: str) -> StoreError:
    return StoreError(str(at), "the log of answers", wanted="the log as it was written", got=got, remedy=remedy)
