"""Combinations that occur once are found where chance would have repeated them, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from synthwright.core.infer import infer

RNG = np.random.default_rng(4)


def rules(frame: pd.DataFrame) -> list[str]:
    """Return the rules that are found."""
    return [r.rule for r in infer({"t": pa.Table.from_pandas(frame, preserve_index=False)}).schema.tables["t"].rules]


def test_pairs_and_triples() -> None:
    """The smallest sets are said, of two columns or three, and nothing that holds them."""
    every = RNG.choice(200 * 60, 2_000, replace=False)
    pairs = pd.DataFrame({"p": [f"P{k // 60}" for k in every], "d": every % 60, "v": RNG.integers(0, 9, 2_000)})
    assert rules(pairs) == ["unique(p, d)"]
    cells = [(a, b, c) for a in "abcdef" for b in range(10) for c in (10, 20, 50, 100, 200)]
    assert rules(pd.DataFrame(cells, columns=["s", "t", "dose"])) == ["unique(s, t, dose)"]


def test_what_chance_may_leave_apart_is_not_said() -> None:
    """Columns that differ in nearly all rows say nothing; nor does one pair that occurs twice."""
    rows = 1_000
    frame = pd.DataFrame({"a": RNG.choice(list("abc"), rows), "x": np.round(RNG.normal(50, 10, rows), 3),
                          "y": RNG.normal(size=rows)})  # fmt: skip
    assert rules(frame) == []
    pairs = pd.DataFrame([(s, w) for s in range(20) for w in range(30)], columns=["s", "w"])
    assert rules(pd.concat([pairs, pairs.iloc[[7]]])) == []


def test_a_row_that_lacks_a_value_does_not_count() -> None:
    """Missing values repeat freely."""
    pairs = pd.DataFrame([(s, w) for s in range(20) for w in range(30)], columns=["s", "w"]).astype("Int64")
    empty = pd.DataFrame({"s": pd.array([1] * 40, "Int64"), "w": pd.array([None] * 40, "Int64")})
    assert "unique(s, w)" in rules(pd.concat([pairs, empty]))


def test_days_of_which_each_occurs_once() -> None:
    """One row a day, or an hour; not where one day comes twice, nor instants that chance keeps apart."""
    days = pd.Series(pd.date_range("2024-01-01", periods=300))
    load = RNG.normal(size=300)
    assert rules(pd.DataFrame({"day": days, "load": load})) == ["unique(day)"]
    assert rules(pd.DataFrame({"day": days.where(days.index != 5, days[6]), "load": load})) == []
    hours = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.choice(500, 300, replace=False), unit="h")
    assert rules(pd.DataFrame({"at": hours, "load": load})) == ["unique(at)"]
    months = pd.date_range("2010-01-31", periods=90, freq="ME")
    assert rules(pd.DataFrame({"month": months, "load": load[:90]})) == ["unique(month)"]
    assert "unique(year)" in rules(pd.DataFrame({"year": np.arange(1950, 2020), "load": load[:70]}))
    chance = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.choice(10**7, 300, replace=False), unit="s")
    assert rules(pd.DataFrame({"at": chance, "load": load})) == []
    one = pd.Timestamp("2024-03-05") + pd.to_timedelta(RNG.choice(86_400, 100, replace=False), unit="s")
    assert rules(pd.DataFrame({"at": one, "v": load[:100]})) == []
