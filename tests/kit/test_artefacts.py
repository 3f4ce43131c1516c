"""Models as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthwright.core.errors import StoreError
from synthwright.kit import artefacts


def _saved(folder: Path) -> Path:
    folder.mkdir()
    artefacts.save(folder, {"b": 1, "a": "ü"}, {"one": np.arange(3.0), "0.two": np.eye(2)})
    return folder


def test_comes_back(tmp_path: Path) -> None:
    """What was saved is loaded, and arrays are shared out by their place."""
    head, arrays = artefacts.load(_saved(tmp_path / "m"))
    assert head == {"a": "ü", "b": 1}
    assert arrays["one"].tolist() == [0, 1, 2]
    assert [(n, list(held)) for n, held in artefacts.parts(["x"], arrays)] == [("x", ["two"])]


def test_same_bytes(tmp_path: Path) -> None:
    """The same model is the same bytes, whatever the clock says."""
    one, two = _saved(tmp_path / "one"), _saved(tmp_path / "two")
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}


@pytest.mark.parametrize("name", ["model.json", "arrays.npz", "hashes.json"])
def test_altered_is_refused(tmp_path: Path, name: str) -> None:
    """A file that was altered, or is gone, is refused by name."""
    folder = _saved(tmp_path / "m")
    path = folder / name
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(StoreError):
        artefacts.load(folder)
    path.unlink()
    with pytest.raises(StoreError, match=name):
        artefacts.load(folder)


def test_objects_are_refused(tmp_path: Path) -> None:
    """Arrays of objects would need pickle: they are neither written nor read."""
    with pytest.raises(ValueError, match="allow_pickle"):
        artefacts.save(tmp_path, {}, {"objects": np.array([{}], dtype=object)})
