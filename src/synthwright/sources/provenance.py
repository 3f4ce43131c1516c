"""Where rows come from: whether a file says, or what lies beside it says, that they were made and not observed.

Learning from what an earlier run made degrades with every round (`synthwright collapse` shows how much); it is refused
unless it is asked for. A file says it in its metadata; for one that has none, the manifest of the release around it
does, or a marker beside it, `NAME.synthetic`. What is copied without either cannot be known.
"""

from __future__ import annotations

import contextlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthwright import __version__
from synthwright.core.errors import InputError
from synthwright.kit.files import GENERATION, SYNTHETIC, SYNTHETIC_BASE, created, opened, seekable, split_name
from synthwright.sources import arrow, parquet

MANIFEST = "manifest.json"
MARKER = ".synthetic"
"""What is added to a file's name for that of the marker beside it."""
_WORD = "generation"
_LEVELS = 3
"""How many folders up a release's manifest may lie: `data/<table>/part-00000.csv`."""
_LARGEST = 64 * 2**20
_UNREADABLE = (InputError, pa.ArrowException, OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile,
               zlib.error)  # fmt: skip


def synthetic_origin(files: list[Path]) -> Path | None:
    """Return the first of these files whose rows are synthetic, by its own word or a manifest's; None if none is."""
    return next((path for path in files if _generation(path)), None)


def refuse_synthetic(files: list[Path], thing: str, remedy: str) -> None:
    """Refuse files that say that their rows are synthetic.

    Raises:
        InputError: the first such file, with what to do.
    """
    origin = synthetic_origin(files)
    if origin is not None:
        raise InputError(origin.name, thing, wanted="real rows", got="rows that say they are synthetic",
                         remedy=remedy)  # fmt: skip


def generation_of(files: list[Path]) -> int:
    """Return how many generations of made rows the newest of these files is away from real rows; 0: none says so."""
    return max((_generation(path) for path in files), default=0)


def mark_beside(path: Path, generation: int = 1) -> Path:
    """Write the marker beside a file whose format has no place for it; return the marker."""
    marker = path.with_name(path.name + MARKER)
    said = {"synthwright": __version__, "synthetic": True, _WORD: generation, "file": path.name}
    with created(marker) as file:
        file.write((json.dumps(said, indent=1) + "\n").encode())
    return marker


def _generation(path: Path) -> int:
    return _said(path) or _marked(path) or _listed(path)


def _said(path: Path) -> int:
    """Return the generation that a file says itself; 0 where it says nothing, or cannot be read."""
    ending = split_name(path)[1]
    with contextlib.suppress(*_UNREADABLE):
        if ending in parquet.Parquet.suffixes:
            with seekable(path) as file:
                return of_metadata(parquet.metadata(file))
        if ending in arrow.Arrow.suffixes:
            with seekable(path) as file:
                return of_metadata(arrow.metadata(file))
        if ending in (".xlsx", ".xlsm"):
            with zipfile.ZipFile(path) as book, book.open("docProps/core.xml") as file:
                words = re.findall(rb"(synthwright\.\w+)=([^;<]*)", file.read(2**16))
                return of_metadata(dict(words))
        with opened(path) as file:
            head = file.read(72)
            if head[:16] == b"SQLite format 3\0" and int.from_bytes(head[68:72]) == SYNTHETIC_BASE:
                return _number(int.from_bytes(head[60:64]))
    return 0


def of_metadata(metadata: Mapping[bytes, bytes]) -> int:
    """Return the generation that metadata says; 0 without the mark."""
    if metadata.get(SYNTHETIC.encode()) != b"true":
        return 0
    said = metadata.get(GENERATION.encode(), b"")
    return _number(int(said)) if said.isdigit() and len(said) < 9 else 1


def _number(said: Any) -> int:
    """Return a generation; what is none is the first."""
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else 1


def _marked(path: Path) -> int:
    """Return the generation that the marker beside a file says; 0 where there is none."""
    marker = path.with_name(path.name + MARKER)
    if not marker.is_file() or marker.stat().st_size > _LARGEST:
        return 0
    said = _read(marker)
    return _number(said.get(_WORD)) if isinstance(said, dict) and said.get("synthetic") is True else 0


def _listed(path: Path) -> int:
    """Return the generation that a release's manifest, beside the file or above it, says of it; 0: none names it."""
    folder = path.parent
    for _ in range(_LEVELS):
        manifest = folder / MANIFEST
        if manifest.is_file() and manifest.stat().st_size <= _LARGEST:
            said = _read(manifest)
            if isinstance(said, dict) and "synthwright" in said:
                named = path.relative_to(folder).as_posix() in set(_words(said))
                return _number(said.get(_WORD)) if named else 0
        folder = folder.parent
    return 0


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
