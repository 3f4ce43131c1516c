"""Relations with parts of dates, distances, growth, parts that are missing, and names that tell an order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.check_digits import checked
from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.expressions import holds

RNG = np.random.default_rng(12)
ROWS = 400
DAY = pd.Series(pd.Timestamp("2018-01-01") + pd.to_timedelta(RNG.integers(0, 1800, ROWS), unit="D"))
AT = pd.Series(pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 10**7, ROWS), unit="s"))
A, B = RNG.integers(100, 999, ROWS), RNG.integers(100, 999, ROWS)
PART = np.where(RNG.random(ROWS) < 0.2, np.nan, A)
LONG = RNG.normal(50, 9, ROWS)
BORN = pd.Series(pd.Timestamp("1930-01-01") + pd.to_timedelta(RNG.integers(0, 20_000, ROWS), unit="D"))
DIED = (BORN + pd.to_timedelta(RNG.integers(5_000, 20_000, ROWS), unit="D")).where(RNG.random(ROWS) < 0.2)
FOUND: dict[str, dict[str, Any]] = {
    "month(day) -> season": {"day": DAY, "season": np.array(["cold", "mild", "hot", "wet"])[DAY.dt.month % 12 // 3]},
    "weekday(day) -> off": {"day": DAY, "off": DAY.dt.day_of_week >= 5},
    "hour(at) -> shift": {"at": AT, "shift": np.where(AT.dt.hour < 6, "night", np.where(AT.dt.hour < 14, "a", "b"))},
    "hour == hour(at)": {"at": AT, "hour": AT.dt.hour},
    "number == weekday(day)": {"day": DAY, "number": DAY.dt.day_of_week + 1},
    "number == weekday(day) - 1": {"day": DAY, "number": DAY.dt.day_of_week},
    "apart == abs(a - b)": {"a": A, "b": B, "apart": np.abs(A - B)},
    "change == 100 * (b - a) / a": {"a": A, "b": B, "change": ((B - A) / A * 100).round(1)},
    "speed == a / b": {"a": A, "b": B, "speed": A / B},
    "t == part + b": {"part": PART, "b": B, "t": PART + B},
    "short == 1 * long": {"long": LONG, "short": LONG.round()},
    "born <= died": {"born": BORN.dt.date, "died": DIED.dt.date},
}


def rules(**columns: Any) -> list[str]:
    """Return the rules that are found, having checked that they hold in every row."""
    held = {"t": pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)}
    schema = infer(held).schema
    data = Dataset.of(held, schema)
    found = [r.rule for r in schema.tables["t"].rules]
    assert all(holds(data.tables["t"], rule, schema.tables["t"]).all() for rule in found)
    return found


@pytest.mark.parametrize("rule", list(FOUND))
def test_what_holds_in_every_row_is_found(rule: str) -> None:
    """Beside a column that has nothing to do with it."""
    found = rules(**FOUND[rule], other=RNG.normal(size=ROWS))
    assert rule in [r.replace("b + part", "part + b") for r in found], found


@pytest.mark.parametrize("rule", list(FOUND))
def test_one_row_that_breaks_it_is_enough(rule: str) -> None:
    """What does not hold in a single row is no rule."""
    columns = {n: pd.Series(v).copy() for n, v in FOUND[rule].items()}
    last = columns[list(columns)[-1]]
    first = int(np.flatnonzero(last.notna())[0])
    if rule == "born <= died":
        last.iloc[first] = BORN.min().date() - dt.timedelta(days=1)
    elif last.dtype.kind in "OU" or str(last.dtype) == "str":
        last[0], last[1] = last[1], last[0]
        last[:40] = last[:40].to_numpy()[::-1]
    else:
        last.iloc[first] = not last.iloc[0] if last.dtype == bool else last.iloc[first] + 3
    assert rule not in rules(**columns, other=RNG.normal(size=ROWS))


def test_parts_are_of_dates_alone() -> None:
    """Rules say what they cannot mean."""
    table = Table(fields={"a": Field(kind=Kind.NUMBER), "d": Field(kind=Kind.DATE), "c": Field(kind=Kind.CATEGORY)})
    assert not faults(parse("weekday(d) -> c"), table)
    assert "`month()` of a date" in faults(parse("month(a) -> c"), table)[0]
    assert "of a date with a time" in faults(parse("hour(d) -> c"), table)[0]
    assert "of a date with a time" in faults(parse("minute(d) > 3"), table)[0]
    with pytest.raises(ValueError, match="one column, like `month"):
        parse("month(d, c) -> a")


def test_check_digits_are_told_from_digits() -> None:
    """Both sorts; not where one is wrong in ten, nor where there are few."""
    body = [f"{k:012}" for k in RNG.choice(10**12, 60, replace=False)]
    goods = [b + str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(b)) % 10) for b in body]
    assert checked(pa.array(goods))
    assert checked(pa.array([int("1" + g[1:]) for g in goods])) is False
    assert not checked(pa.array(goods[:20]))
    assert not checked(pa.array([b + "0" for b in body]))
    assert not checked(pa.array([g[:-1] + str((int(g[-1]) + (i % 10 == 0)) % 10) for i, g in enumerate(goods)]))
