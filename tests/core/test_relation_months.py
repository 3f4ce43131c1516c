"""Dates that lie whole months after others are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.kit.constraints.expressions import holds

RNG = np.random.default_rng(8)
ROWS = 400
START = pd.Series(pd.Timestamp("2019-01-01") + pd.to_timedelta(RNG.integers(0, 1_500, ROWS), unit="D"))
TERM = RNG.choice([1, 3, 12, 24], ROWS)
LATER = pd.Series([s + pd.DateOffset(months=int(t)) for s, t in zip(START, TERM, strict=True)])
YEAR = START + pd.DateOffset(years=1) - pd.Timedelta(days=1)


def rules(**columns: Any) -> list[str]:
    """Return the rules that are found, without orders, having checked that they hold in every row."""
    held = {"t": pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)}
    schema = infer(held).schema
    data = Dataset.of(held, schema)
    found = [r.rule for r in schema.tables["t"].rules]
    assert all(holds(data.tables["t"], rule, schema.tables["t"]).all() for rule in found)
    return [r for r in found if "<" not in r]


@pytest.mark.parametrize("clock", [0, 3_725])
def test_a_year_less_a_day(clock: int) -> None:
    """A leap day on the way, or at the beginning, makes no difference; nor does a time of day."""
    off = pd.Timedelta(seconds=clock)
    assert rules(start=START + off, end=YEAR + off) == ["end == start + months(12) - 1"]
    assert rules(end=YEAR.dt.date, start=START.dt.date) == ["end == start + months(12) - 1"]


def test_as_many_months_as_a_column_says() -> None:
    """The last day of a month stands for those that it does not have; missing where there is no end."""
    due = LATER.dt.date.where(RNG.random(ROWS) < 0.8)
    assert "due == start + months(term)" in rules(start=START.dt.date, term=TERM, due=due)
    years = RNG.integers(1, 6, ROWS)
    end = [s + pd.DateOffset(years=int(y)) - pd.Timedelta(days=1) for s, y in zip(START, years, strict=True)]
    assert "end == start + months(12 * years) - 1" in rules(start=START, years=years, end=end)


def test_one_row_that_differs_ends_it() -> None:
    """What holds in all rows but one is no relation."""
    end = YEAR.copy()
    end[5] += pd.Timedelta(days=1)
    due = LATER.copy()
    due[7] += pd.Timedelta(days=1)
    assert not [r for r in rules(start=START, term=TERM, end=end, due=due) if "months" in r]
