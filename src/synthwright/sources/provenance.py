"""Where rows come from: whether a file says, or a release beside it says, that they were made and not observed.

Learning from what an earlier run made degrades with every round; it is refused unless it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.kit.files import SYNTHETIC, SYNTHETIC_BASE, opened, seekable, split_name
from synthwright.sources import arrow, parquet

MANIFEST = "manifest.json"
_LEVELS = 3
"""How many folders up a release's manifest may lie: `data/<table>/part-00000.csv`."""
_LARGEST = 64 * 2**20
_UNREADABLE = (InputError, pa.ArrowException, OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile,
               zlib.error)  # fmt: skip


def synthetic_origin(files: list[Path]) -> Path | None:
    """Return the first of these files whose rows are synthetic, by its own word or a manifest's; None if none is."""
    return next((path for path in files if _says_so(path) or _listed(path)), None)


def _says_so(path: Path) -> bool:
    """Return whether a file carries the mark of synthetic rows; a file that cannot be read says nothing."""
    ending = split_name(path)[1]
    with contextlib.suppress(*_UNREADABLE):
        if ending in parquet.Parquet.suffixes:
            with seekable(path) as file:
                return parquet.metadata(file).get(SYNTHETIC.encode()) == b"true"
        if ending in arrow.Arrow.suffixes:
            with seekable(path) as file:
                return arrow.metadata(file).get(SYNTHETIC.encode()) == b"true"
        if ending in (".xlsx", ".xlsm"):
            with zipfile.ZipFile(path) as book, book.open("docProps/core.xml") as file:
                return f"{SYNTHETIC}=true".encode() in file.read(2**16)
        with opened(path) as file:
            head = file.read(72)
            return head[:16] == b"SQLite format 3\0" and int.from_bytes(head[68:72]) == SYNTHETIC_BASE
    return False


def _listed(path: Path) -> bool:
    """Return whether a release's manifest, beside the file or above it, names the file."""
    folder = path.parent
    for _ in range(_LEVELS):
        manifest = folder / MANIFEST
        if manifest.is_file() and manifest.stat().st_size <= _LARGEST:
            said = _read(manifest)
            if isinstance(said, dict) and "synthwright" in said:
                return path.relative_to(folder).as_posix() in set(_words(said))
        folder = folder.parent
    return False


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _words(said: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys too."""
    left = [said]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (str(k) for k in value)
            left.extend(v for k, v in value.items() if k != "inputs")  # what it was made from is no part of it
        elif isinstance(value, list):
            left.extend(value)
