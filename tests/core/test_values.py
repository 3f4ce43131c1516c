"""Columns become numbers and come back, on their lattice and inside the ends of their type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import from_numbers, labels, nulls, numbers, on_lattice

KINDS = [
    Field(kind=Kind.INTEGER),
    Field(kind=Kind.INTEGER, type="uint64"),
    Field(kind=Kind.NUMBER),
    Field(kind=Kind.NUMBER, type="decimal128(12, 2)"),
    Field(kind=Kind.NUMBER, type="decimal32(9, 2)"),
    Field(kind=Kind.NUMBER, type="decimal256(60, 2)"),
    Field(kind=Kind.BOOLEAN),
    Field(kind=Kind.DATE),
    Field(kind=Kind.TIME),
    Field(kind=Kind.TIME, type="time64[ns]"),
    Field(kind=Kind.DATETIME),
    Field(kind=Kind.DATETIME, type="timestamp[ns, tz=UTC]"),
    Field(kind=Kind.DURATION),
]


@pytest.mark.parametrize("field", KINDS, ids=str)
@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.integers(0, 80_000), max_size=20))
def test_numbers_come_back(field: Field, values: list[int]) -> None:
    """A column made of numbers has the canonical type, and gives the same numbers again."""
    if field.kind is Kind.BOOLEAN:
        values = [v % 2 for v in values]
    given_numbers = np.array([*values, 0], dtype=np.float64)
    missing = np.arange(len(given_numbers)) == len(values)
    column = from_numbers(given_numbers, missing, field)
    assert column.type == canonical(field)
    assert nulls(column).tolist() == missing.tolist()
    back = numbers(column)
    assert np.isnan(back[-1])
    assert back[:-1].tolist() == values


def test_nan_is_null() -> None:
    """NaN has no value, in floats and in every other type."""
    assert from_numbers(np.array([np.nan, 1.5]), None, Field(kind=Kind.NUMBER)).to_pylist() == [None, 1.5]
    assert from_numbers(np.array([np.nan, 1.5]), None, Field(kind=Kind.INTEGER)).to_pylist() == [None, 2]
    assert nulls(pa.array([float("nan"), None, 0.0])).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        (Field(kind=Kind.INTEGER), -(2**63), 2**63 - 1),
        (Field(kind=Kind.INTEGER, type="uint64"), 0, 2**64 - 1),
        (Field(kind=Kind.NUMBER, type="decimal128(5, 2)"), Decimal("-999.99"), Decimal("999.99")),
        (Field(kind=Kind.NUMBER, type="decimal128(5, -2)"), Decimal("-9.9999E+6"), Decimal("9.9999E+6")),
        (Field(kind=Kind.DATE), dt.date(1, 1, 1), dt.date(9999, 12, 31)),
        (Field(kind=Kind.TIME), dt.time(0), dt.time(23, 59, 59, 999_999)),
        (Field(kind=Kind.DATETIME), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_what_is_beyond_the_ends_becomes_the_ends(field: Field, low: object, high: object) -> None:
    """Absurd numbers, infinite ones too, become the least and the greatest value that everybody can read."""
    made = from_numbers(np.array([-np.inf, -1e300, 1e300, np.inf]), None, field)
    assert made.to_pylist() == [low, low, high, high]


def test_integers_keep_all_their_digits() -> None:
    """Whole numbers beyond the exact range of floats stay what they are."""
    big = np.array([2**62 + 1, -(2**63), 2**63 - 1])
    assert from_numbers(big, None, Field(kind=Kind.INTEGER)).to_pylist() == big.tolist()
    unsigned = np.array([2**64 - 1, 0], dtype=np.uint64)
    assert from_numbers(unsigned, None, Field(kind=Kind.INTEGER, type="uint64")).to_pylist() == [2**64 - 1, 0]
    assert from_numbers(unsigned, None, Field(kind=Kind.INTEGER)).to_pylist() == [2**63 - 1, 0]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20),
    step=st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 50]),
)
def test_values_are_moved_to_the_lattice(values: list[float], step: float) -> None:
    """Every value is the decimal nearest to a multiple of the step, at most half a step away, and stays there."""
    moved = on_lattice(np.array(values), step)
    unit = Decimal(str(step))
    assert all(Decimal(repr(float(m))) % unit == 0 for m in moved)
    assert (np.abs(moved - np.array(values)) <= step * 0.5001).all()
    assert (on_lattice(moved, step) == moved).all()


def test_lattice_of_whole_numbers() -> None:
    """Integers are moved to multiples without becoming floats, and past the type's end there is no multiple."""
    assert on_lattice(np.array([-7, -8, 7, 8]), 5.0).tolist() == [-5, -10, 5, 10]
    assert on_lattice(np.array([2**63 - 1]), 50.0).tolist() == [2**63 - 1 - 7]
    assert on_lattice(np.array([np.inf, 1e300, 0.3]), 0.25).tolist() == [np.inf, 1e300, 0.25]


def test_labels_are_counted_in_order_of_appearance() -> None:
    """Codes stand for distinct values in order of first appearance; nulls are -1, whatever the chunks."""
    column = pa.chunked_array([["b", None], ["a", "b"]], pa.large_string())
    codes, words = labels(column)
    assert codes.tolist() == [0, -1, 1, 0]
    assert words.to_pylist() == ["b", "a"]
    assert labels(pa.chunked_array([], pa.large_string()))[0].tolist() == []


def test_text_has_no_numbers() -> None:
    """Columns without an order are refused."""
    with pytest.raises(TypeError, match="large_string"):
        numbers(pa.array(["a"], pa.large_string()))
