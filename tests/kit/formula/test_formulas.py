"""What formulas in rules give."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from synthwright.core.rule_nodes import Compare
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.expressions import computed, on_lattice


def formula(columns: dict[str, Any], fields: dict[str, Field], rule: str, target: Field) -> list[Any]:
    """Return what the right side of a comparison gives for a field."""
    tree = parse(rule).tree
    assert isinstance(tree, Compare)
    return computed(pa.table(columns), tree.right, Table(fields=fields), target).to_pylist()


def test_formulas_give_columns_of_the_fields_type() -> None:
    """A formula gives integers, decimals, floats on their lattice, dates, instants, durations and texts."""
    fields = {"i": Field(kind=Kind.INTEGER), "f": Field(kind=Kind.NUMBER), "d": Field(kind=Kind.DATE),
              "m": Field(kind=Kind.NUMBER, type="decimal128(10, 2)"), "t": Field(kind=Kind.DATETIME),
              "l": Field(kind=Kind.DURATION), "s": Field(kind=Kind.CATEGORY)}  # fmt: skip
    columns = {
        "i": [3, None], "f": [0.1, 0.7], "d": pa.array([date(2020, 1, 1), None]),
        "m": pa.array([Decimal("10.07"), Decimal("-0.01")], pa.decimal128(10, 2)),
        "t": pa.array([datetime(2020, 1, 1, 6), None], pa.timestamp("us")),
        "l": pa.array([timedelta(hours=6), None], pa.duration("us")), "s": pa.array(["x", None], pa.large_string()),
    }  # fmt: skip
    assert formula(columns, fields, "i == 2 * i + 1", fields["i"]) == [7, None]
    assert formula(columns, fields, "i == f * 10", fields["i"]) == [1, 7]
    assert formula(columns, fields, "f == f + 0.2", Field(kind=Kind.NUMBER, step=0.1)) == [0.3, 0.9]
    assert formula(columns, fields, "m == 0.5 * m", fields["m"]) == [Decimal("5.04"), Decimal("-0.01")]
    assert formula(columns, fields, "m == m * 1e9", fields["m"]) == [None, Decimal("-10000000.00")]
    assert formula(columns, fields, "m == i", fields["m"]) == [Decimal("3.00"), None]
    assert formula(columns, fields, "f == m", fields["f"]) == [10.07, -0.01]
    assert formula(columns, fields, "d == d + 31", fields["d"]) == [date(2020, 2, 1), None]
    assert formula(columns, fields, "t == t + l", fields["t"]) == [datetime(2020, 1, 1, 12), None]
    assert formula(columns, fields, "l == t - d", fields["l"]) == [timedelta(hours=6), None]
    assert formula(columns, fields, "t == d", fields["t"]) == [datetime(2020, 1, 1), None]
    assert formula(columns, fields, "s == s", fields["s"]) == ["x", None]
    assert formula(columns, fields, "i == year(d)", fields["i"]) == [2020, None]


@given(st.lists(st.floats(-1e6, 1e6), max_size=20), st.sampled_from([0.01, 0.1, 1.0, 0.25, 50.0, 0.001]))
def test_a_lattice_rounds_to_its_nearest_multiple(values: list[float], step: float) -> None:
    """Numbers on a lattice are multiples of the step, at most half a step away, and stay when rounded again."""
    rounded = on_lattice(np.array(values), step)
    assert np.all(np.abs(rounded - np.array(values)) <= step / 2 * (1 + 1e-6))
    assert np.array_equal(on_lattice(rounded, step), rounded)
    assert np.allclose(rounded / step, np.rint(rounded / step), rtol=0, atol=1e-6)


def test_no_step_leaves_numbers_alone() -> None:
    """Without a lattice numbers stay as they are."""
    values = np.array([0.123])
    assert on_lattice(values, None) is values
