"""In which types formulas give their results, and how these become columns."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from tests.kit.formula.formulas_for_tests import ASK, BERLIN, FIELDS, ROWS, SCHEMA

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.formula.formula_functions import _APPLIED
from synthwright.kit.formula.formula_parser import FUNCTIONS
from synthwright.kit.formula.formulas import column, condition, faults, numbers, read, value
from synthwright.kit.ruled import as_field


def test_every_function_has_a_value() -> None:
    """What the grammar knows is what can be computed."""
    assert set(_APPLIED) == {*FUNCTIONS, "between", "^"}


def test_types_are_native() -> None:
    """Whole numbers are int64, decimals decimals, everything else float64; text is large_string."""
    types = {"q * 2": pa.int64(), "q * 0.5": pa.float64(), "x * q": pa.float64(), "q / 2": pa.float64(),
             "net * q": pa.decimal128(38, 2), "name": pa.large_string(), "day": pa.date32(), "q > 1": pa.bool_(),
             "at + 1": pa.timestamp("us"), "took": pa.duration("us"), "clock": pa.time64("us"),
             "q * 9223372036854775807": pa.decimal128(38, 0)}  # fmt: skip
    assert {text: value(read(text), ASK).type for text in types} == types


def test_numbers_are_floats_and_conditions_booleans() -> None:
    """`numbers` has NaN where there is no value, `condition` false."""
    got = numbers(read("q + 1"), ASK)
    assert got.dtype == np.float64
    assert [None if np.isnan(g) else g for g in got] == [None if w.q is None else w.q + 1 for w in ROWS]
    assert numbers(read("hours(36)"), ASK)[0] == 1.5
    assert numbers(read('date("1970-01-03")'), ASK)[0] == 2
    assert np.isnan(numbers(read("null"), ASK)).all()
    assert condition(read("q > 0"), ASK).tolist() == [w.q is not None and w.q > 0 for w in ROWS]
    assert not condition(read("null"), ASK).any()
    with pytest.raises(SampleError, match="wanted a number, got text"):
        numbers(read("name"), ASK)
    with pytest.raises(SampleError, match="wanted true or false, got a number"):
        condition(read("q"), ASK)


@pytest.mark.parametrize(("text", "field", "wanted"), [
    ("12.5", Field(kind=Kind.INTEGER), 13),
    ("-0.5", Field(kind=Kind.INTEGER), -1),
    ("1 / 3", Field(kind=Kind.NUMBER, type="decimal128(10, 2)"), Decimal("0.33")),
    ("0.125", Field(kind=Kind.NUMBER, type="decimal128(10, 2)"), Decimal("0.13")),
    ("12345678901234567.89 * 1", Field(kind=Kind.NUMBER, type="decimal128(20, 2)"), Decimal("12345678901234567.89")),
    ("7 / 2", Field(kind=Kind.NUMBER, step=0.25), 3.5),
    ("1 > 0", Field(kind=Kind.BOOLEAN), True),
    ("1 > 0", Field(kind=Kind.CATEGORY), "true"),
    ("2.50", Field(kind=Kind.TEXT), "2.50"),
    ('"2024-02-29"', Field(kind=Kind.DATE), date(2024, 2, 29)),
    ('datetime("2024-02-29 23:00")', Field(kind=Kind.DATE), date(2024, 2, 29)),
    ('"2024-02-29"', Field(kind=Kind.DATETIME), datetime(2024, 2, 29)),
    ('date("2024-07-01")', FIELDS["seen"], datetime(2024, 7, 1, tzinfo=BERLIN)),
    ('"2024-07-01 12:00"', FIELDS["seen"], datetime(2024, 7, 1, 12, tzinfo=BERLIN)),
    ('date("2024-07-01")', FIELDS["far"], datetime(2024, 6, 30, 18, 30, tzinfo=ZoneInfo("UTC"))),
    ('"09:30"', Field(kind=Kind.TIME), time(9, 30)),
    ("1.5", Field(kind=Kind.DURATION), timedelta(days=1.5)),
    ("minutes(90)", Field(kind=Kind.DURATION), timedelta(minutes=90)),
    ("41 + 1", Field(kind=Kind.KEY, type="int64"), 42),
    ('"K" + 7', Field(kind=Kind.KEY), "K7"),
    ('"ab"', Field(kind=Kind.BYTES), b"ab"),
    ("null", Field(kind=Kind.DATE), None),
])  # fmt: skip
def test_results_become_columns(text: str, field: Field, wanted: Any) -> None:
    """A result becomes a value of the column's kind, rounded to what it can hold."""
    formula = read(text)
    assert faults(formula, SCHEMA, "t", field) == []
    got = as_field(column(formula, ASK, field), field, "test", "c")
    assert got.type == canonical(field)
    assert got.to_pylist() == [wanted] * len(ROWS)
