"""The manifest: whatever changes in a release, `verify` sees it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthwright.core.errors import StoreError
from synthwright.core.plan import Plan
from synthwright.report.manifest import installed, unchecked, verify, write_manifest
from synthwright.report.report import Report
from synthwright.testing import toys

Edit = Callable[[Path], object]


@pytest.fixture
def release(make_release: Callable[..., Path], make_plan: Callable[..., Plan]) -> Path:
    """Return a whole release of two tables."""
    data = toys.two_tables()
    return make_release(data, make_plan(data), parts=2)


def put(folder: Path, name: str) -> None:
    """Put an empty file somewhere in a release."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def rewrite(folder: Path, old: str, new: str) -> None:
    """Change words of a manifest."""
    path = folder / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def forge(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest and give it the digest that fits: it is no signature."""
    path = folder / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    del said["digest"]
    plain = json.dumps(said, sort_keys=True, separators=(",", ":"))
    said["digest"] = hashlib.sha256(plain.encode()).hexdigest()
    path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def files(folder: Path) -> list[Path]:
    """Return every file of a release."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "quarantine")


def test_a_whole_release_holds(release: Path) -> None:
    """Nothing differs in a release as it was written; it tells inputs, versions, seed, gates and notes."""
    assert verify(release) == []
    said = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert said["seed"] == 7
    assert said["inputs"] == {"things.csv": "0" * 64}
    assert said["versions"] == installed()
    assert {"python", "numpy", "pyarrow"} <= set(said["versions"])
    assert [g["passed"] for g in said["gates"]] == [True] * 4
    assert said["notes"] == ["cells were defused"]
    assert len(said["files"]) == 4 + 3 + 5


def test_any_changed_byte_is_seen(release: Path) -> None:
    """One changed bit at the beginning, in the middle or at the end of any file is a difference that names it."""
    for path in files(release):
        whole = path.read_bytes()
        for at in (0, len(whole) // 2, len(whole) - 1):
            flip(path, at)
            found = verify(release)
            assert any(path.relative_to(release).as_posix() in d for d in found), (path, at)
            path.write_bytes(whole)
    assert verify(release) == []


def test_any_missing_file_is_seen(release: Path) -> None:
    """A file that is gone is a difference, the report too."""
    for path in files(release):
        path.rename(path.with_name("elsewhere"))
        name = path.relative_to(release).as_posix()
        assert f"{name} is missing" in verify(release)
        path.with_name("elsewhere").rename(path)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f: put(f, "data/extra.parquet"), "data/extra.parquet is a file that the manifest does not name"),
        (lambda f: put(f, "data/deep/.hidden"), "data/deep/.hidden is a file that the manifest does not name"),
        (lambda f: put(f, "internal/real.csv"), "internal/real.csv is a file that the manifest does not name"),
        (lambda f: put(f, "internal/quarantine/other.parquet"), "internal/quarantine/other.parquet is a file that"),
        (lambda f: put(f, "notes.txt"), "notes.txt is a file that the manifest does not name"),
        (lambda f: put(f, ".secret/deep/x"), ".secret/deep/x is a file that the manifest does not name"),
        (lambda f: (f / "internal" / "link").symlink_to(f), "internal/link is a file that the manifest does not name"),
        (lambda f: rewrite(f, "internal/quarantine/parent", "data/customer"), "not in the form of a manifest"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json is no JSON"),
        (lambda f: (f / "manifest.json").write_text("[" * 100_000), "manifest.json is no JSON"),
        (lambda f: (f / "manifest.json").write_text('{"files": {}}'), "not in the form of a manifest"),
        (lambda f: put(f, "data/a\nb\x1b[2K"), "data/a\\nb\\x1b[2K is a file that the manifest does not name"),
        (lambda f: rewrite(f, "}\n", "}\n "), "manifest.json was edited"),
        (lambda f: rewrite(f, '"seed": 7', '"seed": 8'), "manifest.json was edited"),
        (lambda f: rewrite(f, '"digest"', '"digest" '), "manifest.json was edited"),
    ],
)  # fmt: skip
def test_other_edits_are_seen(release: Path, edit: Edit, said: str) -> None:
    """Extra files under data, and edits of the manifest down to a blank, are differences."""
    edit(release)
    assert any(said in d for d in verify(release))


def test_what_runs_keep_is_no_part_of_a_release(release: Path) -> None:
    """The store, the mark and the lock of a run, and what a run that was stopped left, are not looked at."""
    for name in (".store/fit/x", ".run.json", ".lock", ".unfinished/internal/report.json"):
        put(release, name)
    assert verify(release) == []


def test_quarantine_is_named_and_not_vouched_for(release: Path) -> None:
    """Its files may be there, changed or gone: no hash of rows that went leaves the house. A link there is strange."""
    held = release / "internal" / "quarantine" / "parent.parquet"
    said = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert said["quarantine"] == ["internal/quarantine/parent.parquet"]
    assert "internal/quarantine/parent.parquet" not in said["files"]
    assert "quarantine" in unchecked(release)[0]
    held.write_bytes(b"other rows")
    assert verify(release) == []
    held.unlink()
    assert verify(release) == []
    assert unchecked(release) == []
    held.symlink_to(release / "README.md")
    assert "internal/quarantine/parent.parquet is a file that the manifest does not name" in verify(release)


def test_links_are_no_files(release: Path) -> None:
    """A file replaced by a link to the same bytes is a difference, and so is a folder."""
    part = next((release / "data").rglob("*.parquet"))
    part.rename(release / "moved.parquet")
    part.symlink_to(release / "moved.parquet")
    assert any("is a link" in d for d in verify(release))
    part.unlink()
    (release / "moved.parquet").rename(part)
    assert verify(release) == []
    (release / "data").rename(release / "else")
    (release / "data").symlink_to(release / "else")
    assert any("behind" in d for d in verify(release))
    (release / "data").unlink()
    (release / "else").rename(release / "data")
    (release / "manifest.json").rename(release.parent / "manifest")
    (release / "manifest.json").symlink_to(release.parent / "manifest")
    assert verify(release) == ["manifest.json is a link"]


def test_a_manifest_cannot_point_outside(release: Path, tmp_path: Path) -> None:
    """A manifest that names files elsewhere is answered without opening them."""
    path = release / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["files"]["data/../../secret"] = {"sha256": "0" * 64, "bytes": 1}
    said["files"][str(tmp_path / "secret")] = {"sha256": "0" * 64, "bytes": 1}
    path.write_text(json.dumps(said), encoding="utf-8")
    assert sum("no file of a release" in d for d in verify(release)) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data/" + "x" * 300, "cannot be read: file name too long"),
        ("data/\0", "which no file can be called"),
        ("data/\ud800", "which no file can be called"),
    ],
    ids=["long", "null", "half"],
)
def test_names_that_no_file_has_are_told(release: Path, name: str, said: str) -> None:
    """A manifest that was forged whole, digest and all, and names what no file can be called, is answered."""
    forge(release, lambda manifest: manifest["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))
    (difference,) = verify(release)
    assert said in difference
    assert difference.isprintable()


def test_a_forged_manifest_is_in_the_form_of_one(release: Path) -> None:
    """Numbers that JSON does not have are an edit; a manifest without data vouches for no release."""
    forge(release, lambda manifest: manifest.update(seed=float("nan")))
    assert verify(release) == ["manifest.json was edited"]
    shutil.rmtree(release / "data")
    forge(release, lambda manifest: manifest.update(
        seed=7, files={n: e for n, e in manifest["files"].items() if not n.startswith("data/")}))  # fmt: skip
    assert verify(release) == ["manifest.json does not list any data"]


def test_what_is_unlisted_is_missed(release: Path) -> None:
    """A manifest without the report does not vouch for a release."""
    path = release / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    del said["files"]["internal/report.json"]
    path.write_text(json.dumps(said), encoding="utf-8")
    assert "manifest.json does not list internal/report.json" in verify(release)


def test_a_release_may_leave_its_inside_at_home(release: Path, tmp_path: Path) -> None:
    """A copy without `internal/` holds, with a note; one whose report alone was deleted does not."""
    copy = tmp_path / "copy"
    shutil.copytree(release, copy, ignore=shutil.ignore_patterns("internal"))
    assert verify(copy) == []
    assert "internal/ is not here" in unchecked(copy)[0]
    (copy / "internal").mkdir()
    assert "internal/report.json is missing" in verify(copy)


def test_a_folder_that_is_no_release_is_told(tmp_path: Path) -> None:
    """Without a manifest there is one difference."""
    assert verify(tmp_path) == ["manifest.json is missing"]


@pytest.mark.parametrize("gone", ["README.md", "croissant.json", "spec.lock.yaml", "internal/report.json", "data"])
def test_nothing_half_written_is_vouched_for(release: Path, gone: str, make_report: Callable[..., Report]) -> None:
    """There is no manifest for a release that lacks something."""
    if gone == "data":
        shutil.rmtree(release / gone)
    else:
        (release / gone).unlink()
    with pytest.raises(StoreError, match="plain files"):
        write_manifest(release, make_report(), inputs={}, seed=7)
