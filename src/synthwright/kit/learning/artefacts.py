"""Models as files: JSON, arrays, weights; the same bytes for the same model, with hashes that loading verifies."""

from __future__ import annotations

import json
import math
import struct
import tokenize
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from synthwright.core.errors import StoreError
from synthwright.core.hashes import sha256

HEAD, ARRAYS, WEIGHTS, HASHES = "model.json", "arrays.npz", "weights.safetensors", "hashes.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(
    folder: Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray] | None = None,
) -> None:  # fmt: skip
    """Write `model.json`, `arrays.npz` and `hashes.json` into an existing folder, byte for byte repeatable.

    Args:
        folder: where to; it must exist.
        head: what JSON can hold, without infinities; the order of keys does not count.
        arrays: numeric arrays by name.
        weights: of networks, by name, into `weights.safetensors`; nothing: there is no such file.
    """
    said = json.dumps(head, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    (folder / HEAD).write_text(said + "\n", encoding="ascii")
    with zipfile.ZipFile(folder / ARRAYS, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)  # a fixed date: the same bytes tomorrow
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
    if weights is not None:
        from safetensors.numpy import save_file  # of the extra `neural`, which whoever has weights has

        save_file({n: np.ascontiguousarray(weights[n]) for n in sorted(weights)}, folder / WEIGHTS)
    names = (HEAD, ARRAYS) if weights is None else (HEAD, ARRAYS, WEIGHTS)
    hashes = {name: sha256(folder / name) for name in names}
    (folder / HASHES).write_text(json.dumps(hashes, sort_keys=True) + "\n", encoding="ascii")


def load(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what `save` wrote.

    Raises:
        StoreError: a file is missing, was altered since it was written, or holds what `save` does not write.
    """
    hashes = _read_hashes(folder)
    for name in (HEAD, ARRAYS):
        _verify(folder, name, hashes)
    return _read_head(folder), _read_arrays(folder)


def load_weights(folder: Path) -> dict[str, np.ndarray]:
    """Return the weights that `save` wrote.

    Raises:
        StoreError: as `load` does.
    """
    _verify(folder, WEIGHTS, _read_hashes(folder))
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(folder / WEIGHTS))
    except (SafetensorError, OSError, ValueError, KeyError, MemoryError):
        raise _foreign(folder, WEIGHTS) from None


def _verify(folder: Path, name: str, hashes: Mapping[str, str]) -> None:
    """Raise a StoreError unless a file is there and as it was saved."""
    path = folder / name
    if not path.is_file() or path.is_symlink():
        raise StoreError(folder.name, name, wanted="a plain file", got="none", remedy="fit the model again")
    if hashes.get(name) != sha256(path):
        raise StoreError(folder.name, name, wanted="the file that was saved", got="one that was altered",
                         remedy="fit the model again")  # fmt: skip


def _read_head(folder: Path) -> dict[str, Any]:
    try:
        head = json.loads((folder / HEAD).read_text(encoding="ascii"))
    except (OSError, ValueError, RecursionError, MemoryError):
        head = None
    if not isinstance(head, dict):
        raise _foreign(folder, HEAD)
    return head


def _read_arrays(folder: Path) -> dict[str, np.ndarray]:
    arrays = {}
    try:
        with zipfile.ZipFile(folder / ARRAYS) as archive:
            for entry in archive.infolist():
                name = entry.filename.removesuffix(".npy")
                packed = entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size
                if packed or name == entry.filename or name in arrays:  # what is not packed is no larger than the file
                    raise _foreign(folder, ARRAYS)
                with archive.open(entry) as held:
                    arrays[name] = _read_array(held, entry.file_size)
    except (OSError, EOFError, ValueError, TypeError, ArithmeticError, MemoryError, RecursionError, SyntaxError,
            NotImplementedError, RuntimeError, struct.error, zipfile.BadZipFile, tokenize.TokenError):  # fmt: skip
        raise _foreign(folder, ARRAYS) from None  # what zipfile and NumPy raise for damaged ones
    return arrays


def _read_array(held: IO[bytes], size: int) -> np.ndarray:
    """Return an array of as many bytes as its file has; a ValueError for one that says it has more."""
    if np.lib.format.read_magic(held) != (1, 0):
        raise ValueError("not a version that save writes")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(held)
    if kind.hasobject or math.prod(shape) * kind.itemsize != size - held.tell():
        raise ValueError("an array of another size than its file")
    values = np.frombuffer(bytearray(held.read()), dtype=kind)
    return values.reshape(shape, order="F" if by_column else "C")


def _foreign(folder: Path, name: str) -> StoreError:
    return StoreError(folder.name, name, wanted="what Synthwright saved", got="something else, or damaged data",
                      remedy="fit the model again")  # fmt: skip


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
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StoreError(folder.name, HASHES, wanted="the hashes of a model", got="none that can be read",
                         remedy="name a folder that a model was saved into")  # fmt: skip
    return found
