"""Days and times of instants, and days between days, are found."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.infer import infer

RNG = np.random.default_rng(5)
ROWS = 300
AT = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(RNG.integers(0, 500 * 86_400, ROWS), unit="s")).astype(
    "datetime64[us]"
)


def rules(**columns: object) -> list[str]:
    """Return the rules that are found, without orders."""
    held = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
    found = [r.rule for r in infer({"t": held}).schema.tables["t"].rules]
    return [r for r in found if "<" not in r]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+05:30"])
def test_day_time_and_midnight_follow_from_an_instant(zone: str | None) -> None:
    """They are those of the clocks of its zone."""
    at = AT.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") if zone else AT
    found = rules(at=at, on=at.dt.date, clock=at.dt.time, night=at.dt.normalize())
    assert found == ["on == date(at)", "clock == time(at)", "night == date(at)"]


def test_a_time_to_the_minute_is_the_last_one_that_is_not_later() -> None:
    """12:05 belongs to 12:05:59; rounded to the nearest minute it is no such column."""
    clock = AT.dt.floor("min").dt.time
    assert rules(at=AT, clock=clock) == ["clock == time(at)"]
    assert rules(at=AT, clock=AT.dt.round("min").dt.time) == []


def test_nights_are_days_between_days() -> None:
    """Between two instants, and between an instant and a day; missing where one is."""
    out = AT + pd.to_timedelta(RNG.integers(3_600, 9 * 86_400, ROWS), unit="s")
    nights = (out.dt.normalize() - AT.dt.normalize()).dt.days.where(RNG.random(ROWS) < 0.8)
    assert "nights == date(out) - date(at)" in rules(at=AT, out=out, nights=nights)
    due = (out.dt.normalize() + pd.to_timedelta(RNG.integers(0, 30, ROWS), unit="D")).dt.date
    wait = [(d - a.date()).days for d, a in zip(due, AT, strict=True)]
    assert "wait == due - date(at)" in rules(at=AT, due=due, wait=wait)


def test_one_row_of_another_day_ends_it() -> None:
    """What holds in all rows but one is no relation."""
    on = AT.dt.date.copy()
    on[17] += dt.timedelta(days=1)
    clock = AT.dt.time.copy()
    clock[33] = dt.time(1, 2, 3)
    assert rules(at=AT, on=on, clock=clock) == []
