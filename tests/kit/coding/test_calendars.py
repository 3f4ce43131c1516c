"""Columns on some days and at some times only are measured by counting those."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.kit.coding.calendars import Calendar, calendar_of
from synthwright.kit.coding.codecs import codec_of, observe, settle
from synthwright.kit.coding.rulers import Ruler, integers, ruler_for
from synthwright.kit.constraints.gaps import Gap, gap_of

RNG = np.random.default_rng(5)
DAYS = pd.date_range("2012-01-01", "2023-12-31")
BUSINESS = pd.bdate_range("2012-01-01", "2023-12-31")
DATE = Field(kind=Kind.DATE)


def instants(unit: str, zone: str | None = None) -> Field:
    """Return a field of instants."""
    return Field(kind=Kind.DATETIME, type=f"timestamp[{unit}{f', tz={zone}' if zone else ''}]")


def some(days: pd.DatetimeIndex, low: float = 0, high: float = 0, *, size: int = 500, grain: int = 10**6) -> pd.Series:
    """Return some of these days, at times between hours of the day, whole in so many microseconds."""
    hour = 3_600 * 10**6 // grain
    times = RNG.integers(int(low * hour), max(int(high * hour), int(low * hour) + 1), size) * grain
    return pd.Series(RNG.choice(days.to_numpy(), size).astype("datetime64[us]")) + pd.Series(
        pd.to_timedelta(times * 1000)
    )


def column(values: pd.Series, field: Field) -> pa.Array:
    """Return values as a column of a field, taken for what clocks in its zone show."""
    kind = canonical(field)
    if field.kind is Kind.DATETIME and kind.tz:
        values = values.dt.tz_localize(kind.tz, ambiguous=True, nonexistent="shift_forward")
    return pa.Array.from_pandas(values).cast(kind)


def made(values: pa.Array, field: Field, rows: int = 1000) -> pd.Series:
    """Return values drawn from the codec of a column after saving and loading it."""
    codec = codec_of(*settle(field, observe(values), RNG).to_json())
    cells = np.flatnonzero(codec.shares)
    drawn = codec.decode(RNG.choice(cells, rows, p=codec.shares[cells]), RNG.random(rows))
    found = pd.Series(drawn.to_pandas())
    return pd.to_datetime(found) if field.kind is Kind.DATE else found


def at(values: pd.Series) -> pd.Series:
    """Return the hour of day, with a fraction."""
    return values.dt.hour + values.dt.minute / 60 + values.dt.second / 3600


KEPT: dict[str, tuple[pd.Series, Field, Any]] = {
    "business days": (some(BUSINESS), DATE, lambda s: s.dt.day_of_week < 5),
    "business days at midnight": (some(BUSINESS), instants("us"), lambda s: (s.dt.day_of_week < 5) & (at(s) == 0)),
    "no Sundays": (some(DAYS[DAYS.day_of_week < 6]), DATE, lambda s: s.dt.day_of_week < 6),
    "first of the month": (some(DAYS[DAYS.day == 1]), DATE, lambda s: s.dt.day == 1),
    "month ends": (some(DAYS[DAYS.is_month_end]), DATE, lambda s: s.dt.is_month_end),
    "quarter ends": (
        some(pd.date_range("1900-01-01", "2023-12-31", freq="QE")),
        DATE,
        lambda s: s.dt.is_quarter_end,
    ),
    "twice a month": (
        some(DAYS[(DAYS.day == 15) | DAYS.is_month_end]),
        DATE,
        lambda s: (s.dt.day == 15) | s.dt.is_month_end,
    ),
    "opening hours": (some(BUSINESS, 9, 17), instants("ns"), lambda s: (s.dt.day_of_week < 5) & at(s).between(9, 17)),
    "opening hours in a zone": (
        some(DAYS, 8.5, 15, grain=1),
        instants("us", "America/New_York"),
        lambda s: at(s).between(8.5, 15),
    ),
    "a pause at noon": (
        pd.concat([some(DAYS, 8, 12, grain=60 * 10**6), some(DAYS, 13, 18, grain=60 * 10**6)]),
        instants("us"),
        lambda s: at(s).between(8, 12) | at(s).between(13, 18),
    ),
    "at night": (
        pd.concat([some(DAYS, 22, 24), some(DAYS, 0, 6)]),
        instants("us"),
        lambda s: (at(s) >= 22) | (at(s) <= 6),
    ),
    "midnights in a zone": (some(DAYS), instants("us", "Europe/Berlin"), lambda s: at(s) == 0),
    "midnights at an offset": (
        some(BUSINESS),
        instants("ns", "+05:30"),
        lambda s: (s.dt.day_of_week < 5) & (at(s) == 0),
    ),
    "three times a day": (
        pd.concat([some(DAYS, h, h) for h in (8, 12, 20)]),
        instants("us"),
        lambda s: at(s).isin([8, 12, 20]),
    ),
}


@pytest.mark.parametrize("name", list(KEPT))
def test_only_days_and_times_that_there_are_come_back(name: str) -> None:
    """Whatever is drawn stands on a day and at a time of the calendar, all over the years."""
    values, field, wanted = KEPT[name]
    held = column(values, field)
    found = made(held, field)
    assert wanted(found).all(), found[~wanted(found)].head().tolist()
    assert found.nunique() > 60
    assert found.dt.year.nunique() > 8


@pytest.mark.parametrize("name", list(KEPT))
def test_counting_is_undone_exactly(name: str) -> None:
    """Numbers of a calendar become the instants they were, in order, and survive being written down."""
    values, field, _ = KEPT[name]
    held = integers(pa.array(column(values, field).unique()).sort())
    calendar = calendar_of(field, held)
    assert calendar is not None
    assert Calendar.of_json(asdict(calendar)) == calendar
    number, good = calendar.count(held)
    assert good.all()
    assert (np.diff(number) > 0).all()
    assert (calendar.moment(number) == held).all()
    every = np.arange(number.min(), number.min() + 2000)
    assert (calendar.count(calendar.moment(every))[0] == every).all()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (some(DAYS), DATE),
        (some(DAYS[:25]), DATE),
        (some(DAYS, 0, 24), instants("us")),
        (some(DAYS, 0, 24), instants("ns", "Europe/Paris")),
        (some(DAYS, size=12), instants("us", "Europe/Berlin")),
        (pd.Series(pd.to_datetime(["2020-01-06", "2020-01-07"])), DATE),
    ],
)
def test_what_may_be_chance_is_no_calendar(values: pd.Series, field: Field) -> None:
    """Days and times that occur all over, or of which too few are known, are measured as they are."""
    held = integers(pa.array(column(values, field).unique()).sort())
    assert calendar_of(field, held) is None


def test_few_exceptions_do_not_open_a_day() -> None:
    """A Saturday or two among business days are not made more of, and are no fault."""
    values = pd.concat([some(BUSINESS), some(DAYS[DAYS.day_of_week == 5], size=4)])
    assert (made(column(values, DATE), DATE).dt.day_of_week < 5).all()


def test_a_midnight_that_a_zone_skipped_is_the_moment_after() -> None:
    """Where clocks go forward at midnight the day begins an hour later: no other day does."""
    field = instants("us", "America/Sao_Paulo")
    found = made(column(some(DAYS), field), field)
    assert (at(found) == 0).mean() > 0.99


def test_hours_do_not_open_when_a_single_row_says() -> None:
    """Hours that begin at no round time begin at a mean of several values: nobody's own."""
    values = some(DAYS, 9.03, 17.03, size=5000)
    calendar = calendar_of(instants("us"), integers(pa.array(column(values, instants("us")).unique()).sort()))
    assert calendar is not None
    times = np.sort(((values - values.dt.normalize()) / pd.Timedelta(seconds=1)).to_numpy())
    assert times[0] < calendar.opens[0] < times[20]
    assert times[-20] < calendar.closes[0] < times[-1] + 1


def test_a_date_between_business_days_lies_half_way() -> None:
    """Values that the calendar does not know have positions between those that it does."""
    held = column(some(BUSINESS), DATE).unique().sort()
    ruler = ruler_for(DATE, held)
    friday, saturday, monday = ruler.positions(pa.array([date(2022, 7, 1), date(2022, 7, 2), date(2022, 7, 4)]))
    assert (saturday - friday, monday - saturday) == (0.5, 0.5)


def test_distances_are_counted_in_the_same_days() -> None:
    """Two business days later is two business days later, whatever lies between; written down and read again too."""
    calendar = Calendar(1, None, monthly=False, days=(0, 1, 2, 3, 4))
    spec = Table(fields={"a": DATE, "b": DATE})
    held = pa.table({"a": [date(2022, 7, 1), date(2022, 7, 5), None], "b": [date(2022, 7, 5), date(2022, 7, 7), None]})
    gap = Gap("b", ("a",), strict=False, calendar=calendar, counted=True)
    assert gap_of(asdict(gap)) == gap
    hidden = gap.hidden(held, spec)
    assert hidden.to_pylist() == [2, 2, None]
    assert gap.shown(held.set_column(1, "b", hidden), spec).to_pylist() == held.column("b").to_pylist()
    moved = Gap("b", ("a",), strict=False, calendar=calendar)
    apart = held.set_column(1, "b", pa.array([1, 2, None]))
    assert moved.shown(apart, spec).to_pylist() == [date(2022, 7, 4), date(2022, 7, 7), None]


@pytest.mark.parametrize(("step", "wider", "rest"), [(0.05, 0.25, 0.1), (0.1, 3.0, -0.7), (0.5, 1.5, 0.0)])
def test_floats_on_a_lattice_that_misses_zero_stay_on_it(step: float, wider: float, rest: float) -> None:
    """0.1, 0.35, 0.6 and so on: the lattice has an offset, and values come back as they would be typed."""
    field = Field(kind=Kind.NUMBER, step=step)
    known = np.round(RNG.choice(np.arange(-3000, 3000), 400, replace=False) * wider + rest, 2)
    codec = codec_of(*settle(field, observe(pa.array(known)), RNG).to_json())
    found = codec.decode(RNG.integers(0, codec.size, 1000), RNG.random(1000)).to_numpy()
    at_steps = (found - rest) / wider
    assert np.allclose(at_steps, np.rint(at_steps), atol=1e-6)
    assert (np.round(found, 2) == found).all()
    ruler = ruler_for(field, pa.array(np.sort(known)))
    assert Ruler.of_json(ruler.to_json()) == ruler
