"""What rules compute stays between the ends of what it stands for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.kit.constraints.keeping_for_tests import (
    CENTS,
    DATE,
    INTEGER,
    MONEY,
    NUMBER,
    RNG,
    ROWS,
    START,
    Fields,
    check,
    dataset,
)
from tests.kit.constraints.keeping_for_tests import kept as keep

from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.kit.constraints.keeping import Keeper
from synthwright.kit.constraints.ranges import beyond, learn_ranges

INSTANT = Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Berlin]")
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def same_stream() -> None:
    """Let every test begin with the same randomness, whatever ran before."""
    RNG.bit_generator.state = START


def shares() -> Fields:
    """Return three parts of a hundred."""
    a = RNG.integers(0, 60, ROWS)
    b = (RNG.random(ROWS) * (101 - a)).astype(int)
    return {"a": (INTEGER, a), "b": (INTEGER, b), "c": (INTEGER, 100 - a - b)}


def test_what_is_left_of_a_whole_is_not_less_than_nothing() -> None:
    """Parts that generators make each for itself are exchanged until the rest lies where it may, and stay as drawn."""
    columns = shares()
    data = dataset(columns, "a + b + c == 100")
    keeper, found = keep(data)
    (ends,) = keeper.tables["t"].ranges
    made = check(data, found)
    values = made.column(ends.target).to_numpy()
    assert values.min() >= 0
    assert values.max() <= columns[ends.target][1].max()
    for name in {"a", "b", "c"} - {ends.target}:
        one, other = made.column(name).to_numpy(), columns[name][1]
        assert abs(one.mean() - other.mean()) < 3
        assert one.min() >= other.min()
        assert one.max() <= other.max()


def test_a_distance_does_not_lead_beyond_the_last_day() -> None:
    """An end made as its distance from the start stays within the year."""
    start = RNG.integers(0, 360, ROWS)
    end = np.minimum(start + RNG.integers(0, 30, ROWS), 365)
    days = [[date(2024, 1, 1) + timedelta(days=int(d)) for d in column] for column in (start, end)]
    data = dataset({"start": (DATE, days[0]), "end": (DATE, days[1])}, "start <= end")
    keeper, found = keep(data)
    assert [g.target for g in keeper.tables["t"].gaps] == ["end"]
    assert max(check(data, found).column("end").to_pylist()) <= date(2024, 12, 31)


def test_what_was_given_may_lie_outside() -> None:
    """Where given parts leave no choice the rest is what it must be: no row is lost, and the rule holds."""
    data = dataset(shares(), "a + b + c == 100")
    start = data.select("t", ["a"]).with_columns("t", {"a": pa.array(np.full(ROWS, 400))})
    _, found = keep(data, start, given=("t.a",))
    made = check(data, found)
    assert made.column("a").unique().to_pylist() == [400]


@pytest.mark.parametrize(
    ("field", "make"),
    [
        (INTEGER, int),
        (NUMBER, lambda v: v / 7),
        (CENTS, lambda v: round(v / 100, 2)),
        (MONEY, lambda v: Decimal(int(v)) / 100),
        (DATE, lambda v: date(2024, 1, 1) + timedelta(days=int(v))),
        (INSTANT, lambda v: EPOCH + timedelta(microseconds=int(v) * 1001)),
    ],
)
def test_an_end_of_one_row_is_nobodys_value(field: Field, make: Any) -> None:
    """The outermost values are blurred: an end is a mean of three rows, inside them and on the lattice."""
    numbers = np.append(RNG.integers(100, 200, ROWS), [3, 20, 41, 903, 850, 811])
    column = pa.chunked_array([pa.array([make(v) for v in numbers], canonical(field))])
    spec, held = Table(fields={"c": field}), pa.table({"c": column})
    (ends,) = learn_ranges(held, ["c"], spec)
    outside = beyond(held, [ends], spec)
    assert sorted(numbers[outside].tolist()) in ([3, 20, 903], [3, 20, 850, 903], [3, 850, 903])
    shared = pa.table({"c": pa.chunked_array([pa.array([make(v) for v in [3, 3, 3, *numbers]], canonical(field))])})
    within = ~beyond(shared, learn_ranges(shared, ["c"], spec), spec)
    assert within[:3].all()


def test_ends_outlive_saving(tmp_path: Path) -> None:
    """A keeper that is read again knows the same ends."""
    keeper, _ = keep(dataset(shares(), "a + b + c == 100"))
    assert keeper.tables["t"].ranges
    keeper.save(tmp_path)
    assert Keeper.load(tmp_path).tables["t"].ranges == keeper.tables["t"].ranges


def test_ends_that_no_rule_can_write_are_left_out() -> None:
    """Numbers as small as 1e-60 have no ends of their own; those beside them have."""
    values = np.exp(50 * np.random.default_rng(2).normal(size=300))
    held = pa.table({"tiny": values, "plain": np.arange(300.0)})
    spec = Table(fields={n: Field(kind=Kind.NUMBER) for n in held.column_names})
    found = learn_ranges(held, held.column_names, spec)
    assert [one.target for one in found] == ["plain"]
    assert not beyond(held, found, spec)[10:-10].any()
