"""Files that were damaged in any way: read or refused, never a traceback, never a value in a message."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import SynthwrightError
from synthwright.core.registry import find
from synthwright.sinks.choose import for_path as sink_for
from synthwright.sources.choose import endings, for_path
from synthwright.sources.provenance import synthetic_origin

SECRET = "canary"
ENDINGS = ("csv", "jsonl", "parquet", "arrow", "sqlite", "xlsx", "csv.gz", "jsonl.zst")


def table() -> pa.Table:
    """Return a table of several types that compresses little."""
    rng = np.random.default_rng(7)
    return pa.table(
        {
            "text": [f"{SECRET}{n} ü,\"'" for n in rng.integers(0, 10**9, 300)],
            "number": rng.normal(size=300),
            "whole": rng.integers(0, 9, 300),
            "when": pa.array(rng.integers(0, 10**15, 300), pa.timestamp("us")),
            "label": pa.array(rng.choice(["a", "b"], 300)).dictionary_encode(),
        }
    )


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return content that is cut, garbled, shortened or repeated somewhere."""
    held = bytearray(content)
    at, size = int(rng.integers(len(held))), int(rng.integers(1, 200))
    how = rng.integers(5)
    if how == 0:
        return bytes(held[:at])
    if how == 1:
        del held[at : at + size]
    elif how == 2:
        held[at:at] = held[at : at + size]
    elif how == 3:
        held[at : at + size] = rng.bytes(size)
    else:
        for place in rng.integers(0, len(held), 5):
            held[place] = rng.integers(256)
    return bytes(held)


def attempt(folder: Path, name: str) -> None:
    """Read a file; whatever is wrong with it may only be said in our own words."""
    try:
        tables = for_path(name).tables(Context(root=folder))
        for read in tables.values():
            read.validate(full=True)
    except SynthwrightError as error:
        assert SECRET not in str(error)  # noqa: PT017  it need not be raised
    synthetic_origin([folder / name])


@pytest.mark.parametrize("ending", ENDINGS)
def test_damaged_files(tmp_path: Path, ending: str) -> None:
    """Every format: a hundred files damaged by chance."""
    path = tmp_path / f"x.{ending}"
    sink_for(path).write_file(table(), path, {})
    content = path.read_bytes()
    rng = np.random.default_rng(11)
    for _ in range(100):
        path.write_bytes(damaged(content, rng))
        attempt(tmp_path, path.name)


def test_damaged_workbooks(tmp_path: Path) -> None:
    """Workbooks whose archive is whole, and a member is not."""
    path = tmp_path / "x.xlsx"
    sink_for(path).write_file(table().slice(0, 20), path, {})
    with zipfile.ZipFile(path) as archive:
        members = {i.filename: archive.read(i) for i in archive.infolist()}
    rng = np.random.default_rng(13)
    for _ in range(150):
        name = str(rng.choice(list(members)))
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, damaged(content, rng) if member == name else content)
        path.write_bytes(made.getvalue())
        attempt(tmp_path, path.name)


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_of_another_kind(tmp_path: Path, ending: str) -> None:
    """Every format read as every other: refused, or for text read as text."""
    path = tmp_path / f"x.{ending}"
    sink_for(path).write_file(table().slice(0, 12), path, {})
    for kind in sorted(set(endings().values())):
        source = find("sources", kind).model_validate({"path": path.name})
        try:
            source.tables(Context(root=tmp_path))  # type: ignore[attr-defined]
        except SynthwrightError as error:
            assert SECRET not in str(error)  # noqa: PT017  it need not be raised
