"""Orders between days and instants are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.infer import infer

RNG = np.random.default_rng(3)
ROWS = 300
DAY = pd.Series(RNG.choice(pd.date_range("2018-01-01", "2023-12-31").to_numpy(), ROWS)).astype("datetime64[us]")


def later(most: float, least: float = 0) -> pd.Series:
    """Return instants after the days, at least and at most so many days."""
    return DAY + pd.to_timedelta(RNG.integers(int(least * 86_400), int(most * 86_400), ROWS), unit="s")


def rules(**columns: pd.Series) -> list[str]:
    """Return the rules that are found between a day and other columns."""
    held = pa.Table.from_pandas(pd.DataFrame({"day": DAY.dt.date, **columns}), preserve_index=False)
    return [r.rule for r in infer({"t": held}).schema.tables["t"].rules]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "America/New_York", "+05:30"])
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_the_day_of_an_instant_is_said_to_be_that(zone: str | None, unit: str) -> None:
    """A day begins on the clocks of the instant's zone; that it lies between its midnights is not said too."""
    at = later(1).dt.as_unit("ns" if unit == "ns" else "us")
    at = at.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") if zone else at
    assert rules(at=at) == ["day == date(at)"]


def test_what_comes_after_a_day_is_found_and_nothing_more() -> None:
    """A later instant stands above the day, with nulls too; one that lies on both sides has no order."""
    shipped = later(400).where(RNG.random(ROWS) < 0.8)
    assert rules(shipped=shipped) == ["day <= shipped"]
    assert rules(opened=later(0, -400)) == ["opened < day + 1"]
    assert rules(any=later(30, -30)) == []


def test_what_never_overlaps_is_no_order() -> None:
    """Instants that are years away from every day say nothing about rows."""
    assert rules(at=later(1) + pd.Timedelta(days=9000)) == []
