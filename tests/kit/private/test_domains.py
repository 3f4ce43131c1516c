"""Cells come from the specification or are paid for; tails, spikes and missing values keep their rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.spend import Spend
from synthwright.core.values import numbers
from synthwright.kit.private.accounting import Purse
from synthwright.kit.private.cells import Bins, Words
from synthwright.kit.private.domains import Known, Want, misfits, settled

pytest.importorskip("opendp")

WHOLE = Field(kind=Kind.INTEGER)
REAL = Field(kind=Kind.NUMBER, nulls=False)
DAY = Field(kind=Kind.DATE)
WORD = Field(kind=Kind.CATEGORY)


def _column(field: Field, values: object) -> pa.Array:
    return pa.array(values, canonical(field))


def _cells(field: Field, rows: object, epsilon: float = 5.0, bins: int = 32, **known: object) -> Bins | Words:
    want = Want("x", field, Known.model_validate(known))
    purse = Purse(budget=Spend(epsilon, 1e-6), named=int(want.labelled), owner="test")
    return settled([want], {"x": _column(field, rows)}, rho=purse.plannable, bins=bins, purse=purse)[0]


def _masses(axis: Bins | Words, field: Field, values: object) -> np.ndarray:
    return np.bincount(axis.encode(_column(field, values)), minlength=axis.size)


def test_declared_values_do_not_depend_on_rows() -> None:
    """A value that is not among those that are said counts as another, and the cells stay as they were."""
    one = _cells(WORD, ["a", "b"] * 50, values=["a", "b", "c"])
    two = _cells(WORD, ["a", "secret"] * 50, values=["a", "b", "c"])
    assert one == two
    assert one.size == 5  # three, others, none
    assert _masses(two, WORD, ["a", "secret", None]).tolist() == [1, 0, 0, 1, 1]
    assert two.decode(np.array([0, 2, 4]), np.zeros(3)).to_pylist() == ["a", "c", None]


def test_declared_ends_are_open() -> None:
    """A value beyond what is said counts in the last bin, and no bin reaches further for it."""
    axis = _cells(WHOLE, [*range(100)] * 5 + [10**12], between=[0, 99], bins=10)
    assert isinstance(axis, Bins)
    assert (axis.low[0], axis.high[-1]) == (0, 99)
    assert _masses(axis, WHOLE, [10**12, -5, None]).tolist() == [1, *[0] * (axis.size - 3), 1, 1]


def test_few_values_have_a_bin_each_for_nothing() -> None:
    """Where a range has no more values than bins, no budget is spent on it."""
    purse = Purse(budget=Spend(1.0, 1e-6), owner="test")
    want = Want("x", WHOLE, Known(between=(1, 16)))
    axis = settled([want], {"x": _column(WHOLE, [1, 2])}, rho=purse.plannable, bins=32, purse=purse)[0]
    assert axis.size == 17
    assert purse.left == purse.plannable


def test_values_of_numbers_are_points() -> None:
    """Numbers whose values are said come out as these; what lies between counts as the nearest."""
    axis = _cells(REAL, [0.5], values=[0.5, 2.5, 10])
    assert _masses(axis, REAL, [0.4, 1.6, 99.0]).tolist() == [1, 1, 1]
    assert axis.decode(np.arange(3), np.full(3, 0.7)).to_pylist() == [0.5, 2.5, 10.0]


def test_spikes_have_a_bin_of_their_own() -> None:
    """A value that most rows share is not blurred into its neighbours, though the range is wide."""
    values = np.where(np.arange(20_000) % 10 == 0, np.arange(20_000) * 5, 0)
    axis = _cells(WHOLE, values, between=[0, 99_999])
    assert isinstance(axis, Bins)
    assert (axis.low[0], axis.high[0]) == (0, 0)
    assert axis.size < 130


def test_heavy_tails_keep_their_rows() -> None:
    """Without a range, numbers over ten powers of ten keep their quantiles, the largest ones too."""
    values = np.exp(np.random.default_rng(0).normal(0, 4, 20_000))
    axis = _cells(REAL, values)
    masses = _masses(axis, REAL, values)
    rows = np.repeat(np.arange(axis.size), masses)
    made = numbers(axis.decode(rows, np.random.default_rng(1).random(len(rows))))
    for share in (0.1, 0.5, 0.9, 0.99, 0.999):
        assert np.log(np.quantile(made, share)) == pytest.approx(np.log(np.quantile(values, share)), abs=0.5)


def test_one_extreme_row_does_not_move_bins() -> None:
    """Bins found with noise end where many rows are, whatever a single one holds."""
    values = [*range(50)] * 40
    ends = [_cells(WHOLE, [*values, *more]).high[-1] for more in ([], [10**15])]  # type: ignore[union-attr]
    assert max(ends) < 200


def test_dates_are_found() -> None:
    """Dates without a range keep the weeks they lie in."""
    first = dt.date(2021, 3, 1)
    values = [first + dt.timedelta(days=i % 60) for i in range(3_000)]
    axis = _cells(DAY, values)
    rows = np.repeat(np.arange(axis.size), _masses(axis, DAY, values))
    made = numbers(axis.decode(rows, np.random.default_rng(1).random(len(rows))))
    real = numbers(_column(DAY, values))
    assert abs(np.quantile(made, 0.1) - np.quantile(real, 0.1)) < 10
    assert abs(np.quantile(made, 0.9) - np.quantile(real, 0.9)) < 10


def test_times_of_day_need_no_range() -> None:
    """A day has an end that nobody has to look up."""
    assert Want("x", Field(kind=Kind.TIME), Known()).ends == (0.0, 86_400e6 - 1)


def test_labels_that_are_found_are_those_of_many() -> None:
    """Labels that nobody declares are found by their noisy counts; rare ones become the cell of others."""
    values = ["often"] * 900 + ["also"] * 600 + ["once"]
    axis = _cells(WORD, values)
    assert isinstance(axis, Words)
    assert axis.labels == ("also", "often")
    assert _masses(axis, WORD, values).tolist() == [600, 900, 1, 0]


@pytest.mark.parametrize(("field", "known"), [
    (WORD, {}), (WORD, {"between": ["a", "b"]}), (WHOLE, {"between": [5, 1]}), (WHOLE, {"between": ["x", 1]}),
    (WHOLE, {"values": []}), (WHOLE, {"values": [1, 1]}), (WHOLE, {"values": [1], "between": [1, 2]}),
])  # fmt: skip
def test_domains_that_cannot_be(field: Field, known: dict[str, object]) -> None:
    """What is said of a column must fit its kind."""
    assert misfits(Known.model_validate(known), field)


@pytest.mark.parametrize(
    ("field", "rows"),
    [
        (DAY, [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
        (Field(kind=Kind.NUMBER, type="decimal128(9, 2)"), [Decimal("9999999.99"), Decimal("-9999999.99")]),
        (Field(kind=Kind.NUMBER, type="decimal128(38, 2)"), [Decimal(10) ** 30, Decimal(-1)]),
    ],
)
def test_bins_end_where_a_type_ends(field: Field, rows: list[object]) -> None:
    """No day after the year 9999 and no number of too many digits can be made, whatever the powers of two."""
    axis = _cells(field, rows * 300)
    cells = np.arange(axis.filled).repeat(3)
    made = axis.decode(cells, np.tile([0.0, 0.5, 1.0], axis.filled))
    assert made.null_count == 0
    assert all(v is not None for v in made.to_pylist())
    assert len(np.unique(axis.encode(_column(field, rows)))) == 2
