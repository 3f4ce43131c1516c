"""The output folder: one run at a time, one run's artefacts, never anybody else's files removed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from synthwright.core.errors import StoreError
from synthwright.store.folder import said_plainly

RELEASED = ("data", "README.md", "croissant.json", "spec.lock.yaml", "manifest.json")
INTERNAL = "internal"
_OURS = (*RELEASED, INTERNAL)
_MARK = ".run.json"
_LOCK = ".lock"
UNTOUCHED = frozenset({_LOCK, _MARK})
"""What a folder holds that was opened and claimed, and in which nothing came to be."""
_QUIET = {".store", _MARK, _MARK + ".new", _LOCK, ".unfinished"}


@dataclass
class Out:
    """An output folder that this process has locked."""

    at: Path
    _lock: IO[str] | None = None
    _made: tuple[Path, ...] = ()
    """The folders that were not there before, the outermost first."""

    @staticmethod
    def open(at: Path) -> Out:
        """Return the folder, made if it is not there; lock it by entering it."""
        if at.exists() and not at.is_dir():
            raise StoreError(str(at), "the output", wanted="a folder", got="a file", remedy="choose another --out")
        made = tuple(p for p in (*reversed(at.parents), at) if not p.exists())
        with said_plainly(at):
            at.mkdir(parents=True, exist_ok=True)
        return Out(at, _made=made)

    def __enter__(self) -> Self:
        with said_plainly(self.at):
            self._lock = (self.at / _LOCK).open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StoreError(str(self.at), "the folder", wanted="one run at a time", got="another run in it",
                             remedy="wait for it, or choose another --out") from None  # fmt: skip
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if self._lock is None:
            return
        if failed is not None and self.at in self._made and not self._came_to_be():
            shutil.rmtree(self.at, ignore_errors=True)
            for folder in reversed(self._made[:-1]):
                with contextlib.suppress(OSError):  # somebody else is in it
                    folder.rmdir()
        self._lock.close()

    def _came_to_be(self) -> bool:
        """Return whether there is anything in the folder but what says that it was opened."""
        return any(p.name != _LOCK for p in self.at.rglob("*") if not p.is_dir() or p.is_symlink())

    def claim(self, fingerprint: str, *, force: bool) -> None:
        """Take the folder for a run; refuse one that holds another run or anybody's files, unless forced.

        With `force` the artefacts of the other run are removed; files that are not ours stay.
        """
        mark = self.at / _MARK
        here = [p.name for p in self.at.iterdir() if p.name not in _QUIET]
        owner = _owner(mark)
        if owner != fingerprint and here and not force:
            got = "another run's release" if owner else f"files that are no release ({len(here)})"
            raise StoreError(str(self.at), "the folder", wanted="an empty folder, or this run's own", got=got,
                             remedy="choose another --out, or --force to replace what the other run left")  # fmt: skip
        if owner != fingerprint:
            self.clear()
            with said_plainly(self.at):
                _write(mark, json.dumps({"fingerprint": fingerprint}))

    def clear(self) -> None:
        """Remove what a run leaves here; the manifest first, so that nothing half-removed looks whole."""
        for name in reversed(_OURS):
            path = self.at / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.exists() or path.is_symlink():
                path.unlink()

    def stage(self) -> Path:
        """Return an empty folder beside the final places, on the same disk."""
        at = self.at / ".unfinished"
        with said_plainly(self.at):
            shutil.rmtree(at, ignore_errors=True)
            at.mkdir(mode=0o700)
            (at / INTERNAL).mkdir(mode=0o700)
        return at

    def settle(self, staged: Path) -> None:
        """Put what is in a staged folder in its place: what is older goes first, the manifest comes last."""
        with said_plainly(self.at):
            for file in staged.rglob("*"):
                if file.is_file():
                    with file.open("rb") as held:
                        os.fsync(held.fileno())
            self.clear()
            for name in (INTERNAL, *RELEASED):
                if (staged / name).exists():
                    (staged / name).rename(self.at / name)
            shutil.rmtree(staged, ignore_errors=True)


def _owner(mark: Path) -> str | None:
    try:
        said = json.loads(mark.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return said.get("fingerprint") if isinstance(said, dict) else None


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
