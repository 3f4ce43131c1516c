"""Days and instants that occur once do so in made rows, near to where they were."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.onces import once

DAY = Table(fields={"day": Field(kind=Kind.DATE)})
ROWS = 500


def days(*numbers: int | None) -> pa.Table:
    """Return days by their number since 1970."""
    return pa.table({"day": pa.array(numbers, pa.int32()).view(pa.date32())})


def numbers(held: pa.Table) -> list[int | None]:
    """Return days as their number since 1970."""
    found: list[int | None] = held.column("day").cast(pa.int32()).to_pylist()
    return found


def test_who_repeats_moves_to_what_is_free() -> None:
    """The first stays; what is missing stays missing; the same day of the week is preferred, else the nearest."""
    free = {"day": np.ones(9, dtype=bool)}
    held = days(0, 1, 1, 2, 3, None, 3, 9, 5)
    found = numbers(once(held, "day", free, DAY))
    assert found[:2] == [0, 1]
    assert found[5] is None
    assert found[2] == 8  # a week after the first
    assert len({*found}) == len(found)
    assert max(n for n in found if n is not None) == 9


def test_what_was_set_stays_and_days_go_on() -> None:
    """A row that may not move is the one that keeps the day; with more rows than days there are days after the last."""
    free = {"day": np.array([True, False, True, True])}
    found = numbers(once(days(4, 4, 5, 5), "day", free, DAY))
    assert found[1] == 4
    assert sorted(n for n in found if n is not None) == [4, 5, 6, 7]
    assert numbers(once(days(4, 4, 5, 5), "day", {}, DAY)) == [4, 4, 5, 5]


@pytest.mark.parametrize("freq", ["D", "h", "B"])
def test_a_series_has_each_of_its_days_once(freq: str) -> None:
    """Every day, every hour, every working day; what follows the hour still does; twice as many rows go on."""
    rng = np.random.default_rng(1)
    at = pd.date_range("2024-01-01", periods=ROWS, freq=freq)
    load = at.hour * 2.0 + np.arange(ROWS) / 100 + rng.normal(0, 1, ROWS)
    model = sw.fit(pd.DataFrame({"at": at, "load": load}), seed=1)
    fake = model.sample(ROWS, seed=2)
    assert fake["at"].is_unique
    assert set(fake["at"]) <= set(pd.date_range(at[0], periods=ROWS + 20, freq=freq))
    assert model.sample(2 * ROWS, seed=2)["at"].is_unique
    if freq == "h":
        assert np.corrcoef(fake["at"].dt.hour, fake["load"])[0, 1] > 0.9
        assert len(model.sample(30, set={"at": "2024-01-05 10:00:00"}, seed=3)) == 30
    other = pd.DataFrame({"at": rng.choice(np.asarray(at), ROWS), "load": load})
    assert not sw.fit(other, "marginals", seed=1).sample(ROWS, seed=2)["at"].is_unique


def test_days_do_not_go_on_for_ever() -> None:
    """Where there are many times more rows than days, days are repeated; nothing leaves its type or wraps around."""
    months = pd.DataFrame({"month": pd.date_range("2000-01-01", periods=240, freq="MS").astype("datetime64[ns]"),
                           "load": np.random.default_rng(2).normal(size=240)})  # fmt: skip
    made = sw.fit(months, seed=1).sample(5_000, seed=2)["month"]
    assert made.min() >= pd.Timestamp("1999-01-01")
    assert made.max() <= pd.Timestamp("2100-01-01")
    bibs = pd.DataFrame(
        {
            "bib": np.random.default_rng(3).permutation(120)[:100].astype(np.int8),
            "time": np.random.default_rng(2).normal(size=100),
        }
    )
    many = sw.fit(bibs, seed=1).sample(1_000, seed=2)["bib"]
    assert (many == 127).mean() < 0.05
    assert many.min() >= 0
