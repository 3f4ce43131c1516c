"""A small release is written as JSON Lines without polars, and as polars would write it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from synthwright.sinks import jsonl
from synthwright.sinks.json_lines import lines, speaks
from synthwright.sinks.jsonl import Jsonl

SIGNS = [
    *map(chr, range(32)),
    '"',
    "\\",
    "/",
    "\x7f",
    "\x85",
    "\u2028",
    "ß",
    "漢",
    chr(0x1F600),
    "a",
    " ",
    "\ufeff",
    "</script>",
]


def table(rows: int = 400) -> pa.Table:
    """Return texts of everything that needs escaping, numbers, truth values and nulls, in several chunks."""
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(SIGNS, rng.integers(0, 12))) if rng.random() < 0.8 else None for _ in range(rows)]
    held = pa.table({
        'a "quoted"\n name': pa.array(texts, pa.large_string()),
        "unsigned": pa.array([2**64 - 1, None] * (rows // 2), pa.uint64()),
        "small": pa.array([-5, 7] * (rows // 2), pa.int8()),
        "truth": pa.array([True, None, False, True] * (rows // 4)),
        "none": pa.array([None] * rows, pa.large_string()),
        "plain": pa.array(["so"] * rows, pa.large_string()),
    })  # fmt: skip
    return pa.concat_tables([held.slice(0, 7), held.slice(7, 0), held.slice(7)])


@pytest.mark.parametrize("begin", [0, 5, 399, 400])
def test_lines_are_those_of_polars(begin: int) -> None:
    """Every byte is what polars writes: quotes, control characters, nulls, slices, chunks, names."""
    held = table().slice(begin)
    assert speaks(held)
    said = b"".join(map(bytes, lines(held)))
    assert said == pl.DataFrame(pl.from_arrow(held)).write_ndjson().encode()


def test_floats_are_left_to_polars() -> None:
    """Floats are spelled by polars alone: a table with one is not written here."""
    assert not speaks(pa.table({"x": [0.5]}))


def test_file_is_the_same_either_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a table is small decides nothing about the bytes."""
    Jsonl().write_file(table(), tmp_path / "small.jsonl", {})
    monkeypatch.setattr(jsonl, "_BATCH", 150)
    Jsonl().write_file(table(), tmp_path / "large.jsonl", {})
    assert (tmp_path / "small.jsonl").read_bytes() == (tmp_path / "large.jsonl").read_bytes()


def test_small_release_loads_no_polars(tmp_path: Path) -> None:
    """Text, whole numbers and dates are written without loading polars, which takes half a second and 33 MB."""
    code = (
        "import sys, datetime, pathlib, pyarrow as pa\n"
        "from synthwright.sinks.jsonl import Jsonl\n"
        "held = pa.table({'a': ['x'], 'n': [1], 'day': [datetime.date(2024, 2, 29)]})\n"
        f"Jsonl().write_file(held, pathlib.Path({str(tmp_path / 'x.jsonl')!r}), {{}})\n"
        "print('polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    assert (tmp_path / "x.jsonl").read_text() == '{"a":"x","n":1,"day":"2024-02-29"}\n'
