"""Forms of moments: names of weekdays, days of no year, offsets that follow the seasons, and years behind the time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.forms import check, exact, parse, recognise, spell
from synthwright.core.schema import Field, Kind, canonical

RNG = np.random.default_rng(5)
ROWS = 300
DAYS = pd.Timestamp("2023-03-01") + pd.to_timedelta(RNG.integers(0, 500, ROWS), "D")
INSTANTS = DAYS.where(DAYS.strftime("%m-%d") != "02-29", DAYS[0]) + pd.to_timedelta(RNG.integers(0, 86_400, ROWS), "s")
COMMON = DAYS[DAYS.strftime("%m-%d") != "02-29"]


def _array(words: object) -> pa.Array:
    return pa.array(pd.unique(pd.Series(words)), pa.large_string())


@pytest.mark.parametrize(
    "form",
    [
        "%a, %d %b %Y",
        "%A, %B %-d, %Y",
        "%A %-d %B %Y",
        "%a %Y-%m-%d",
        "%Y-%m-%d (%a)",
        "%d.%m.%Y, %A",
        "%a. %-d.%-m.%y",
    ],
)
def test_weekdays_are_those_of_the_day(form: str) -> None:
    """Names of weekdays are read, and written as those of the day; a wrong one is no such date."""
    found = recognise(_array(DAYS.strftime(form)))
    assert found is not None
    assert (found.kind, found.form) == (Kind.DATE, form)
    wrong = pa.array([DAYS[0].strftime(form.replace("%A", "Noday").replace("%a", "Nod"))], pa.large_string())
    assert parse(wrong, form, Kind.DATE).null_count == 1
    other = (DAYS[0] + pd.Timedelta(1, "D")).strftime("%A")
    mixed = DAYS[0].strftime(form.replace("%A", other).replace("%a", other[:3]))
    assert parse(pa.array([mixed], pa.large_string()), form, Kind.DATE).null_count == 1


@pytest.mark.parametrize(
    "form",
    [
        *("%a, %d %b %Y %H:%M:%S +0000", "%a, %d %b %Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y", "%A, %-d %B %Y at %H:%M"),
        *("%a %b %d %H:%M:%S UTC %Y", "%d/%b/%Y:%H:%M:%S +0000", "%b %-d %Y %I:%M %p", "%b %e %H:%M:%S"),
    ],
)
def test_instants_of_mails_and_logs(form: str) -> None:
    """Instants come back as mails, logs and `date` write them."""
    found = recognise(_array(INSTANTS.strftime(form)))
    assert found is not None
    assert (found.kind, found.form) == (Kind.DATETIME, form)


@pytest.mark.parametrize("form", ["%-m/%-d", "%m/%d", "%d.%m.", "%b %d", "%d-%b", "%-d %B", "%B %-d", "--%m-%d"])
def test_days_of_no_year(form: str) -> None:
    """Days without a year are days of one; only where there is a 29th of February one may be made."""
    words = _array(COMMON.strftime(form))
    found = recognise(words)
    assert found is not None
    assert (found.kind, found.form) == (Kind.DATE, form)
    leap = pd.Timestamp("2024-02-29").strftime(form)
    found = recognise(pa.concat_arrays([words, pa.array([leap], pa.large_string())]))
    assert found is not None
    assert found.form == f"{form}%L"
    every = pa.array(np.arange(366), pa.int32()).cast(pa.date32())
    assert spell(every, form, Kind.DATE).to_pylist() == [d.strftime(form) for d in every.to_pylist()]
    assert parse(pa.array([leap], pa.large_string()), form, Kind.DATE).null_count == 1


@pytest.mark.parametrize(
    "words",
    [
        [f"{a}/{b}" for a in range(1, 11) for b in (5, 8, 10)],  # marks
        [f"{m:02d}/{y}" for m in range(1, 13) for y in range(24, 32)],  # when cards expire
        [f"7/{d}" for d in range(1, 32)],
    ],
    ids=["marks", "cards", "one month"],
)
def test_other_pairs_of_numbers_are_no_days(words: list[str]) -> None:
    """What does not go through the days of several months is no day of no year."""
    assert recognise(_array(words)) is None


def test_months_of_years_stay_such() -> None:
    """`Jul-24` is a month of a year, unless there are as many as a month has days."""
    found = recognise(_array(pd.date_range("2015-01-01", "2025-01-01", freq="MS").strftime("%b-%y")))
    assert found is not None
    assert found.form == "%b-%y"


@pytest.mark.parametrize(
    ("zone", "token"), [("Europe/Berlin", ":z"), ("America/New_York", "z"), ("Europe/London", ":Z")]
)
def test_offsets_follow_the_seasons(zone: str, token: str) -> None:
    """Offsets that differ by season are those of a place, whose clocks are shown."""
    at = INSTANTS.tz_localize("UTC").tz_convert(zone)
    words = [i.isoformat() if ":" in token else i.strftime("%Y-%m-%dT%H:%M:%S%z") for i in at]
    words = [w.replace("+00:00", "Z") for w in words] if token == ":Z" else words
    found = recognise(_array(words))
    assert found is not None
    assert (found.kind, found.form) == (Kind.DATETIME, f"%Y-%m-%dT%H:%M:%S%{token}{{{zone}}}")
    check(found.form, found.kind)
    assert canonical(Field(kind=Kind.DATETIME, type="string", form=found.form)) == pa.timestamp("us", zone)
    assert parse(_array(words), found.form, found.kind).type == pa.timestamp("us", zone)


def test_a_place_must_exist() -> None:
    """A form that names no place of the list of zones is refused."""
    with pytest.raises(ValueError, match="Nowhere"):
        check("%Y-%m-%dT%H:%M:%S%:z{Nowhere}", Kind.DATETIME)


def test_offsets_of_several_places_are_no_form() -> None:
    """Offsets that no place has together are none of a form: nothing would say which one is written."""
    words = [
        f"{i:%Y-%m-%dT%H:%M:%S}{o}" for i, o in zip(INSTANTS, RNG.choice(["Z", "+09:00", "-05:00"], ROWS), strict=True)
    ]
    assert recognise(_array(words)) is None
    assert not exact(_array(words), "%Y-%m-%dT%H:%M:%SZ", Kind.DATETIME)
