"""The output folder: one run at a time, and nobody's files are removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthwright.core.errors import StoreError
from synthwright.store.out import Out


def _settled(out: Out, text: str = "1") -> None:
    staged = out.stage()
    (staged / "data").mkdir()
    (staged / "data" / "x").write_text(text)
    (staged / "manifest.json").write_text(text)
    (staged / "internal" / "report.json").write_text(text)
    out.settle(staged)


def test_a_run_takes_an_empty_folder_and_its_own(tmp_path: Path) -> None:
    """The same fingerprint may come back; what it left is replaced."""
    for text in ("1", "2"):
        with Out.open(tmp_path / "o") as out:
            out.claim("f", force=False)
            _settled(out, text)
    assert (tmp_path / "o" / "data" / "x").read_text() == "2"
    assert (tmp_path / "o" / "internal" / "report.json").read_text() == "2"


def test_another_run_is_refused_without_force(tmp_path: Path) -> None:
    """Another fingerprint is refused; with force its artefacts go, and files that are not ours stay."""
    with Out.open(tmp_path / "o") as out:
        out.claim("f", force=False)
        _settled(out)
    (tmp_path / "o" / "thesis.txt").write_text("mine")
    with Out.open(tmp_path / "o") as out:
        with pytest.raises(StoreError, match="another run's release"):
            out.claim("g", force=False)
        out.claim("g", force=True)
    assert not (tmp_path / "o" / "data").exists()
    assert (tmp_path / "o" / "thesis.txt").read_text() == "mine"


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder with somebody's files is not taken by accident."""
    (tmp_path / "thesis.txt").write_text("mine")
    with Out.open(tmp_path) as out, pytest.raises(StoreError, match="files that are no release"):
        out.claim("f", force=False)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run in the same folder is told of the first."""
    with Out.open(tmp_path / "o"), pytest.raises(StoreError, match="one run at a time"), Out.open(tmp_path / "o"):
        pass


def test_a_file_in_its_place(tmp_path: Path) -> None:
    """A file where the folder should be is said to be one."""
    (tmp_path / "o").write_text("x")
    with pytest.raises(StoreError, match="wanted a folder, got a file"):
        Out.open(tmp_path / "o")


def test_a_refused_run_leaves_no_data(tmp_path: Path) -> None:
    """What an earlier run released goes when the next one has nothing to release."""
    with Out.open(tmp_path / "o") as out:
        out.claim("f", force=False)
        _settled(out)
        staged = out.stage()
        (staged / "internal" / "report.json").write_text("refused")
        out.settle(staged)
    assert not (tmp_path / "o" / "data").exists()
    assert not (tmp_path / "o" / "manifest.json").exists()
    assert (tmp_path / "o" / "internal" / "report.json").read_text() == "refused"


def _stopped(at: Path, *, claimed: bool) -> None:
    with Out.open(at) as out:
        (at / ".store" / "unfinished").mkdir(parents=True)
        if claimed:
            out.claim("f", force=False)
        raise StoreError(str(at), "the source", wanted="a file", got="none")


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    """Folders that were made for it are gone again, those that were there or hold something are not."""
    (tmp_path / "there").mkdir()
    for at, claimed in ((tmp_path / "out" / "shop", False), (tmp_path / "there", False), (tmp_path / "begun", True)):
        with pytest.raises(StoreError, match="the source"):
            _stopped(at, claimed=claimed)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "there").is_dir()
    assert (tmp_path / "begun" / ".run.json").is_file()
