"""What stands in a saved model: opened the safe way, so that a file which needs pickle is an error."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synthwright.testing.contract import broken

PLAIN = frozenset({".json", ".npz", ".npy", ".safetensors"})
"""Endings of files that a model may be saved in."""


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def stored_numbers(folder: Path) -> np.ndarray:
    """Return every number that stands in the files of a model, as float64."""
    found = [np.zeros(0)]
    for value in _leaves(folder):
        if isinstance(value, np.ndarray) and value.dtype.kind in "iufM":
            found.append(value.astype(np.int64 if value.dtype.kind == "M" else value.dtype).ravel().astype(np.float64))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(np.array([float(value)]))
        elif isinstance(value, str):
            found.append(np.array([n for n in [_number(value)] if n is not None]))
    return np.concatenate(found)


def stored_texts(folder: Path) -> list[str]:
    """Return every text that stands in the files of a model, and raw files that are neither JSON nor arrays as text."""
    found = []
    for value in _leaves(folder):
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "US":
            found += [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value.ravel().tolist()]
        elif isinstance(value, np.ndarray) and value.dtype == np.uint8:  # bytes of text, end to end
            found.append(value.tobytes().decode("utf-8", "replace"))
        elif isinstance(value, bytes):
            found.append(value.decode("utf-8", "replace"))
    return found


def _leaves(folder: Path) -> Iterator[Any]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix not in PLAIN:
            broken(f"files that end in {', '.join(sorted(PLAIN))}", path.name)
        if path.suffix == ".json":
            yield from _values(json.loads(path.read_bytes()))
        elif path.suffix == ".safetensors":
            yield path.read_bytes()
        else:
            yield from _arrays(path)


def _arrays(path: Path) -> Iterator[np.ndarray]:
    try:
        opened = np.load(path, allow_pickle=False)
        yield from [opened] if isinstance(opened, np.ndarray) else [opened[name] for name in opened.files]
    except ValueError as error:
        broken("arrays without objects", f"{path.name}: {error}")


def _values(said: Any) -> Iterator[Any]:
    if isinstance(said, dict):
        for key, value in said.items():
            yield key
            yield from _values(value)
    elif isinstance(said, list):
        for value in said:
            yield from _values(value)
    else:
        yield said


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
