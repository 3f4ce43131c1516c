"""Rows as 64-bit numbers."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.kit.rows import in_set, rank_in_group, row_hashes, value_hashes

VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=30).map(lambda v: pa.array(v, pa.large_string())),
    st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=30).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.one_of(st.none(), st.floats(width=16)), max_size=30).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=30).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(st.one_of(st.none(), st.decimals(-9, 9, places=2)), max_size=30).map(
        lambda v: pa.array(v, pa.decimal128(12, 2))
    ),
    st.lists(st.one_of(st.none(), st.dates()), max_size=30).map(lambda v: pa.array(v, pa.date32())),
)


def plain(column: pa.Array) -> list[object]:
    """Return values that are equal in Python where the hashes must be equal."""
    held = [v + 0.0 if isinstance(v, float) else v for v in column.to_pylist()]
    return [None if isinstance(v, float) and math.isnan(v) else v for v in held]


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_hashes_are_equal_where_values_are(column: pa.Array) -> None:
    """Two values have the same hash exactly where they are equal; null and NaN are one value."""
    hashes = value_hashes(column)
    twin = plain(column)
    assert [[a == b for b in hashes] for a in hashes] == [[a == b for b in twin] for a in twin]


@given(VALUES, st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_chunks_slices_and_dictionaries_do_not_count(column: pa.Array, cut: int) -> None:
    """A column hashes the same whole, in chunks, as a slice, and as a dictionary."""
    hashes = value_hashes(column)
    chunked = pa.chunked_array([column.slice(0, cut), column.slice(cut)])
    assert np.array_equal(value_hashes(chunked), hashes)
    assert np.array_equal(value_hashes(column.slice(cut)), hashes[cut:])
    assert np.array_equal(value_hashes(column.dictionary_encode()), hashes)
    pieces = pa.chunked_array([column.slice(0, cut).dictionary_encode(), column.slice(cut).dictionary_encode()])
    assert np.array_equal(value_hashes(pieces), hashes)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([time(1, 2), None, time(1, 2)], pa.time64("us")),
        pa.array([datetime(2020, 1, 1, tzinfo=UTC), None, datetime(2020, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
        pa.array([timedelta(1), None, timedelta(1)], pa.duration("us")),
        pa.array([date(2020, 1, 1), None, date(2020, 1, 1)], pa.date32()),
        pa.array([b"\x00", None, b"\x00"], pa.large_binary()),
        pa.array([b"ab", None, b"ab"], pa.binary(2)),
        pa.array([2**64 - 1, None, 2**64 - 1], pa.uint64()),
        pa.array([Decimal(-7), None, Decimal(-7)], pa.decimal256(60, 0)),
        pa.array([Decimal(-7), None, Decimal(-7)], pa.decimal32(6, 0)),
        pa.array(["a", None, "a"], pa.string_view()),
    ],
)
def test_every_type_has_hashes(column: pa.Array) -> None:
    """Every flat type is hashed, and a null differs from a value."""
    first, missing, again = value_hashes(column)
    assert first == again != missing


def test_decimals_of_different_width_agree() -> None:
    """A decimal hashes by its digits, not by the width of its type."""
    values = [Decimal("-1.50"), Decimal("2.25"), None]
    narrow, wide = (value_hashes(pa.array(values, t)) for t in (pa.decimal128(12, 2), pa.decimal256(50, 2)))
    assert np.array_equal(narrow, wide)


def test_all_null_empty_and_nested_columns() -> None:
    """Columns of nulls and empty columns have hashes; nested ones are refused."""
    assert len(set(value_hashes(pa.nulls(3)).tolist())) == 1
    assert len(value_hashes(pa.array([], pa.large_string()))) == 0
    assert len(value_hashes(pa.chunked_array([], pa.large_string()))) == 0
    with pytest.raises(TypeError, match="nested"):
        value_hashes(pa.array([[1]], pa.list_(pa.int64())))


def test_rows_differ_by_the_place_of_their_values() -> None:
    """Rows are compared column by column: swapping two columns gives another row, and no columns means all equal."""
    held = pa.table({"a": ["x", "y", "x"], "b": ["y", "x", "y"]})
    one, two, three = row_hashes(held, ["a", "b"])
    assert one == three != two
    assert len(set(row_hashes(held, []).tolist())) == 1
    assert not np.array_equal(row_hashes(held, ["a", "b"]), row_hashes(held, ["b", "a"]))


def test_many_different_rows_do_not_collide() -> None:
    """A million different rows of small whole numbers and short texts have a million hashes."""
    i = np.arange(1_000_000)
    held = pa.table({"a": i % 1000, "b": i // 1000, "c": pa.array((i % 7).astype(str))})
    assert len(np.unique(row_hashes(held, ["a", "b", "c"]))) == len(i)
    text = pa.array(i.astype(str))
    assert len(np.unique(value_hashes(text))) == len(i)


def test_long_texts_are_hashed_in_blocks() -> None:
    """Texts longer than a block hash as they do alone."""
    long = "z" * 5_000_000
    together = value_hashes(pa.array(["a", long, "b" * 3_000_000, "c"], pa.large_string()))
    assert together[1] == value_hashes(pa.array([long], pa.large_string()))[0]
    assert together[3] == value_hashes(pa.array(["c"], pa.large_string()))[0]


def test_hashes_are_the_same_in_every_process() -> None:
    """Another process with another hash seed gives the same numbers, and they are these."""
    code = (
        "import pyarrow as pa; from synthwright.kit.rows import row_hashes;"
        "print(row_hashes(pa.table({'a':[1,None],'b':['é','']}),['a','b']).tolist())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(row_hashes(pa.table({"a": [1, None], "b": ["é", ""]}), ["a", "b"]).tolist())
    assert said.strip() == "[11712950759186816702, 17817408161232386362]"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=40))
def test_rank_counts_equal_rows_before(pairs: list[tuple[int, int]]) -> None:
    """The rank of a row is how many rows with its hash come first by order, ties by position."""
    hashes, order = (np.array([p[i] for p in pairs], dtype=np.uint64) for i in (0, 1))
    twin = [sum(h == g and (o, j) < (p, i) for j, (h, o) in enumerate(pairs)) for i, (g, p) in enumerate(pairs)]
    assert rank_in_group(hashes, order).tolist() == twin


def test_in_set_finds_known_hashes() -> None:
    """Hashes that occur among the known ones are found."""
    assert in_set(np.array([1, 2], dtype=np.uint64), np.array([2], dtype=np.uint64)).tolist() == [False, True]
