"""Models as files: JSON and arrays, the same bytes for the same model, with hashes that loading verifies."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synthwright.core.errors import StoreError

HEAD, ARRAYS, HASHES = "model.json", "arrays.npz", "hashes.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(folder: Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write `model.json`, `arrays.npz` and `hashes.json` into an existing folder, byte for byte repeatable.

    Args:
        folder: where to; it must exist.
        head: what JSON can hold, without infinities; the order of keys does not count.
        arrays: numeric arrays by name.
    """
    said = json.dumps(head, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    (folder / HEAD).write_text(said + "\n", encoding="ascii")
    with zipfile.ZipFile(folder / ARRAYS, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)  # a fixed date: the same bytes tomorrow
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
    hashes = {name: _sha256(folder / name) for name in (HEAD, ARRAYS)}
    (folder / HASHES).write_text(json.dumps(hashes, sort_keys=True) + "\n", encoding="ascii")


def load(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what `save` wrote.

    Raises:
        StoreError: a file is missing, or was altered since it was written.
    """
    hashes = _read_hashes(folder)
    for name in (HEAD, ARRAYS):
        path = folder / name
        if not path.is_file() or path.is_symlink():
            raise StoreError(folder.name, name, wanted="a plain file", got="none", remedy="fit the model again")
        if hashes.get(name) != _sha256(path):
            raise StoreError(folder.name, name, wanted="the file that was saved", got="one that was altered",
                             remedy="fit the model again")  # fmt: skip
    head = json.loads((folder / HEAD).read_text(encoding="ascii"))
    with np.load(folder / ARRAYS, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    return head, arrays


def parts(names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield each name with the arrays that were saved as `<its place>.<array>`."""
    held: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        place, _, rest = key.partition(".")
        held.setdefault(place, {})[rest] = array
    for i, name in enumerate(names):
        yield name, held.get(str(i), {})


def _read_hashes(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / HASHES).read_text(encoding="ascii"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise StoreError(folder.name, HASHES, wanted="the hashes of a model", got="none that can be read",
                         remedy="name a folder that a model was saved into")  # fmt: skip
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest()
