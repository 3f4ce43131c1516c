"""Orders between days and instants are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.kit.constraints.keeping_for_tests import DATE, ROWS, check, dataset, kept

from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.measuring.stats import kolmogorov_smirnov

RNG = np.random.default_rng(4)
DAY = pd.Series(RNG.choice(pd.date_range("2018-01-01", "2023-12-31").to_numpy(), ROWS)).astype("datetime64[us]")


def instants(most: float, zone: str | None) -> tuple[Field, pa.Array]:
    """Return instants that lie at most so many days after the days began."""
    at = DAY + pd.to_timedelta(RNG.integers(0, int(most * 86_400), ROWS), unit="s")
    at = at.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") if zone else at
    field = Field(kind=Kind.DATETIME, type=f"timestamp[us{f', tz={zone}' if zone else ''}]")
    return field, pa.Array.from_pandas(at).cast(canonical(field))


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+05:30"])
def test_an_instant_of_the_day_is_made_as_its_time(zone: str | None) -> None:
    """Instants stay on their day in every row, and no row is lost."""
    data = dataset({"day": (DATE, DAY.dt.date), "at": instants(0.9, zone)}, "day <= at", "at < day + 1")
    keeper, found = kept(data)
    assert [g.target for g in keeper.tables["t"].gaps] == ["at"]
    check(data, found)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_instants_long_after_a_day_are_exchanged(zone: str | None) -> None:
    """Where distances are long, instants change rows until the order holds: both columns stay as they were drawn."""
    data = dataset({"day": (DATE, DAY.dt.date), "at": instants(900, zone)}, "day <= at")
    keeper, found = kept(data)
    assert not keeper.tables["t"].gaps
    made = check(data, found)
    for name in ("day", "at"):
        one, other = (t.column(name).cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
                      for t in (made, data.tables["t"]))  # fmt: skip
        assert kolmogorov_smirnov(one, other) < 0.12


def test_what_stands_on_a_distance_is_restored_in_order() -> None:
    """A day that is itself a distance above another day is there before the instant that stands above it."""
    due = DAY + pd.to_timedelta(RNG.integers(0, 20, ROWS), unit="D")
    at = due + pd.to_timedelta(RNG.integers(0, 86_400, ROWS), unit="s")
    columns = {
        "at": (Field(kind=Kind.DATETIME), pa.Array.from_pandas(at)),
        "due": (DATE, due.dt.date),
        "day": (DATE, DAY.dt.date),
    }
    data = dataset(columns, "due <= at", "day <= due")
    keeper, found = kept(data)
    assert [g.target for g in keeper.tables["t"].gaps] == ["due", "at"]
    check(data, found)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+05:30"])
def test_what_an_instant_says_is_computed(zone: str | None) -> None:
    """Its day, its midnight, its time to the minute, and the nights to another one hold in every row."""
    begin, end = instants(900, zone), instants(900, zone)
    at, out = (pd.Series(c.to_pandas()) for _, c in (begin, end))
    columns = {
        "at": begin, "out": end, "on": (DATE, at.dt.date),
        "night": (begin[0], pa.Array.from_pandas(at.dt.normalize()).cast(canonical(begin[0]))),
        "clock": (Field(kind=Kind.TIME, step=60_000_000), pa.array(at.dt.floor("min").dt.time, pa.time64("us"))),
        "nights": (Field(kind=Kind.INTEGER), [(o - a).days for o, a in zip(out.dt.date, at.dt.date, strict=True)]),
    }  # fmt: skip
    rules = ("on == date(at)", "night == date(at)", "clock == time(at)", "nights == date(out) - date(at)")
    keeper, found = kept(dataset(columns, *rules))
    assert {s.target for s in keeper.tables["t"].steps} == {"on", "night", "clock", "nights"}
    made = check(dataset(columns, *rules), found).column("clock").cast(pa.int64()).to_numpy()
    assert not np.any(made % 60_000_000)


def test_what_is_there_now_and_then_equals_its_source_where_it_is() -> None:
    """A day of death is kept to the day of discharge; as many have one as before."""
    left = DAY.dt.date
    died = left.where(RNG.random(ROWS) < 0.2)
    data = dataset({"left": (DATE, left), "died": (DATE, [None if pd.isna(d) else d for d in died])}, "died == left")
    made = check(data, kept(data)[1])
    assert abs(made.column("died").null_count - int(died.isna().sum())) < 60


def test_ends_lie_whole_months_after_beginnings() -> None:
    """A year less a day, and as many months as another column says, in every row."""
    term = RNG.choice([1, 3, 12, 24], ROWS)
    due = [a + pd.DateOffset(months=int(t)) for a, t in zip(DAY, term, strict=True)]
    end = DAY + pd.DateOffset(years=1) - pd.Timedelta(days=1)
    columns = {"start": (DATE, DAY.dt.date), "end": (DATE, end.dt.date), "term": (Field(kind=Kind.INTEGER), term),
               "due": (DATE, [d.date() for d in due])}  # fmt: skip
    data = dataset(columns, "end == start + months(12) - 1", "due == start + months(term)")
    keeper, found = kept(data)
    assert {s.target for s in keeper.tables["t"].steps} == {"end", "due"}
    check(data, found)
