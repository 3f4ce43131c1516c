"""The store: folders that exist whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthwright.core.errors import StoreError
from synthwright.store.folder import FolderStore, said_plainly


def _writing(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "x").write_text(text)

    return write


def test_put_and_get(tmp_path: Path) -> None:
    """What was put is found under its key, and nothing else is."""
    store = FolderStore.open(tmp_path / "s")
    at = store.put("fit/abc", _writing("1"))
    assert store.get("fit/abc") == at
    assert (at / "x").read_text() == "1"
    assert store.get("fit/abd") is None


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Where writing fails there is no folder, not even an unfinished one."""
    store = FolderStore.open(tmp_path / "s")

    def write(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        store.put("fit/abc", write)
    assert store.get("fit/abc") is None
    assert list((tmp_path / "s" / "unfinished").iterdir()) == []


def test_the_first_one_stays(tmp_path: Path) -> None:
    """Two processes that make the same step do not disturb each other: the first folder stays."""
    store = FolderStore.open(tmp_path / "s")
    store.put("k/1", _writing("first"))
    at = store.put("k/1", _writing("second"))
    assert (at / "x").read_text() == "first"


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    """A disk without room is a StoreError with a remedy."""
    store = FolderStore.open(tmp_path / "s")

    def write(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="room on the disk"):
        store.put("k/1", write)


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.EISDIR])
def test_a_folder_that_cannot_be_is_said_plainly(code: int, tmp_path: Path) -> None:
    """What an operating system says of a place like `/proc/x` is a StoreError that names it."""
    with (
        pytest.raises(StoreError, match=r"s: writing: wanted a folder that can be written"),
        said_plainly(tmp_path / "s"),
    ):
        raise OSError(code, os.strerror(code))


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    """Half-written folders of processes that are gone disappear at the next start; those of living ones stay."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    store = FolderStore.open(tmp_path / "s")
    left = tmp_path / "s" / "unfinished" / f"{int(gone.stdout)}-0"
    mine = tmp_path / "s" / "unfinished" / f"{os.getpid()}-999"
    left.mkdir()
    mine.mkdir()
    FolderStore.open(store.at)
    assert not left.exists()
    assert mine.exists()


def test_only_the_user_may_look(tmp_path: Path) -> None:
    """The store holds real rows: nobody else may read it."""
    store = FolderStore.open(tmp_path / "s")
    at = store.put("k/1", _writing("1"))
    assert store.at.stat().st_mode & 0o077 == 0
    assert at.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("fault", ["changed", "gone", "more", "hashes"])
def test_what_was_altered_is_made_again(tmp_path: Path, fault: str) -> None:
    """A byte that changed, a file that is gone or came, and lost hashes make the step count as not done."""
    at = FolderStore.open(tmp_path / "s").put("k/1", _writing("first"))
    match fault:
        case "changed":
            (at / "x").write_text("other")
        case "gone":
            (at / "x").unlink()
        case "more":
            (at / "y").write_text("new")
        case _:
            (at / ".hashes.json").unlink()
    store = FolderStore.open(tmp_path / "s")
    assert store.get("k/1") is None
    assert (store.put("k/1", _writing("first")) / "x").read_text() == "first"
    assert store.get("k/1") == at
