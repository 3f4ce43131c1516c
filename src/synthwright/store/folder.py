"""A store in a folder: every artefact is a folder that exists whole or not at all."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from synthwright.core.errors import StoreError
from synthwright.core.hashes import of_folder

_HASHES = ".hashes.json"
_COUNT = itertools.count()
_NO_ROOM = {errno.ENOSPC: "no space left", errno.EDQUOT: "the quota is used up", errno.EFBIG: "the file is too large"}
_NO_FOLDER = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT,
              errno.ENAMETOOLONG, errno.ELOOP}  # fmt: skip


@contextmanager
def said_plainly(folder: Path) -> Iterator[None]:
    """Turn what an operating system says of a full disk or a folder without rights into a StoreError."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreError(
                str(folder),
                "writing",
                wanted="room on the disk",
                got=_NO_ROOM[error.errno],
                remedy="free some space and run the same command again: finished steps are kept",
            ) from None
        if error.errno in _NO_FOLDER:
            raise StoreError(
                str(folder),
                "writing",
                wanted="a folder that can be written",
                got=os.strerror(error.errno).lower(),
                remedy="choose another folder with --out",
            ) from None
        raise


def synced(path: Path) -> None:
    """Wait until the disk holds a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class FolderStore:
    """Folders below `at`, named `step/fingerprint`; private to the user, because they hold real rows."""

    at: Path
    _checked: set[str] = field(default_factory=set, repr=False, compare=False)

    @staticmethod
    def open(at: Path) -> FolderStore:
        """Make the folder if it is not there, and clear what killed runs left half-written."""
        with said_plainly(at):
            at.mkdir(parents=True, exist_ok=True, mode=0o700)
            (at / "unfinished").mkdir(exist_ok=True, mode=0o700)
        for left in (at / "unfinished").iterdir():
            if not _alive(left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        return FolderStore(at)

    def get(self, key: str) -> Path | None:
        """Return the folder under this key, or None.

        A folder that is not what was put there (a byte changed, a file gone) is removed: the step is done again.
        """
        at = self.at / key
        if not at.is_dir():
            return None
        if key not in self._checked:
            if of_folder(at, apart=_HASHES) != _written(at):
                with said_plainly(self.at):
                    shutil.rmtree(at)
                return None
            self._checked.add(key)
        return at

    def put(self, key: str, write: Callable[[Path], None]) -> Path:
        """Let `write` fill an empty folder, then give it its place under `key` in one rename; return that place.

        Where another process was quicker its folder stays: both hold the same bytes. Nothing waits for the disk: what a
        power failure leaves half-written does not match its hashes, and is made again (`get`).
        """
        at = self.at / key
        unfinished = self.at / "unfinished" / f"{os.getpid()}-{next(_COUNT)}"
        with said_plainly(self.at):
            try:
                unfinished.mkdir(parents=True, mode=0o700)
                write(unfinished)
                (unfinished / _HASHES).write_text(json.dumps(of_folder(unfinished, apart=_HASHES)), encoding="utf-8")
                at.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                try:
                    unfinished.rename(at)
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not at.is_dir():
                        raise
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return at


def _written(folder: Path) -> object:
    try:
        return json.loads((folder / _HASHES).read_bytes())
    except (OSError, ValueError):
        return None


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
