"""Models as files."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synthwright.core.errors import StoreError
from synthwright.kit.learning import artefacts


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


def _forged(folder: Path, name: str, content: bytes) -> Path:
    """Put other content into a saved model, with hashes that say it belongs there."""
    (folder / name).write_bytes(content)
    hashes = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in ("model.json", "arrays.npz")}
    (folder / "hashes.json").write_text(json.dumps(hashes))
    return folder


def _archive(name: str, content: bytes, packing: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def _array(header: str, data: bytes = b"") -> bytes:
    said = f"{header}\n".encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said + data


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", "ü".encode(), b'{"a":' * 100_000, b"\x00\xff"])
def test_a_head_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """A head that was replaced together with its hash is refused by name, whatever it holds."""
    with pytest.raises(StoreError, match=r"model\.json.*fit the model again"):
        artefacts.load(_forged(_saved(tmp_path / "m"), "model.json", content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        _archive("one.npy", b""),
        _archive("one.npy", b"no array"),
        _archive("one.txt", b"no array"),
        _archive("one.npy", _npy(np.array([{}], dtype=object))),
        _archive("one.npy", _npy(np.zeros(3))[:-1]),
        _archive("one.npy", _npy(np.zeros(3)), zipfile.ZIP_DEFLATED),
        _archive("one.npy", _array("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,)}")),
        _archive("one.npy", _array("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", bytes(8))),
        _archive("one.npy", _array("{'descr': 'nope', 'fortran_order': False, 'shape': (1,)}")),
        _archive("one.npy", _array("{" * 5000)),
        _archive("one.npy", _npy(np.zeros(3))).replace(b"NUMPY", b"NUMPX"),
        _archive("one.npy", _npy(np.zeros(3)))[:-30],
    ],
)
def test_arrays_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    """Arrays that were replaced together with their hash are refused by name, whatever they are."""
    with pytest.raises(StoreError, match=r"arrays\.npz.*fit the model again"):
        artefacts.load(_forged(_saved(tmp_path / "m"), "arrays.npz", content))


def test_a_packed_member_is_not_read(tmp_path: Path) -> None:
    """A member that would unfold into very much is refused before any of it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("more.npy", "w") as member:
        for _ in range(300):
            member.write(bytes(2**20))
    folder = _forged(_saved(tmp_path / "m"), "arrays.npz", out.getvalue())
    tracemalloc.start()
    with pytest.raises(StoreError, match=r"arrays\.npz"):
        artefacts.load(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3)), np.asfortranarray(np.eye(3)), np.array(1.5), np.zeros((0, 4), int)]
)
def test_shapes_come_back(tmp_path: Path, array: np.ndarray) -> None:
    """Arrays come back as they were, and can be written to."""
    artefacts.save(tmp_path, {}, {"one": array})
    found = artefacts.load(tmp_path)[1]["one"]
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape, found.flags.writeable) == (array.dtype, np.atleast_1d(array).shape, True)


def test_objects_are_refused(tmp_path: Path) -> None:
    """Arrays of objects would need pickle: they are neither written nor read."""
    with pytest.raises(ValueError, match="allow_pickle"):
        artefacts.save(tmp_path, {}, {"objects": np.array([{}], dtype=object)})
