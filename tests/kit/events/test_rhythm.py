"""Rhythms: what is written, how much happens when, and the way back; against a plain count, minute by minute."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.errors import SampleError
from synthwright.kit.events.rhythm import Rhythm, ends
from synthwright.kit.events.rhythm_clock import even, known_zone, pieces, shown, when
from synthwright.kit.events.rhythm_intensity import Intensity, Ladder
from synthwright.kit.events.rhythm_words import DAY, MINUTE, length, moment, time_of_day

HOUR = 60 * MINUTE
RICH = {
    "hours": {"8-18": 5, "18-23": 2, "23-2": 0.5, "else": 0.25},
    "weekdays": {"sat-sun": 0.4},
    "opening": {"mon-fri": "07:45-12:10, 13:00-18:30", "sat": "22:00-02:30", "sun": ["00:00-24:00"]},
    "holidays": {"country": "DE", "factor": 0.5},
    "campaigns": [{"from": "2024-03-29", "to": "2024-03-30 12:20", "factor": 3}],
}
FREE = {date(2024, 3, 29), date(2024, 4, 1)}
"""Good Friday and Easter Monday."""


def plain_rate(clock: datetime) -> float:
    """Return how much `RICH` has at a time that the clock shows, but for a factor that is the same for all times."""
    day, minute = clock.weekday(), clock.hour * 60 + clock.minute
    if day < 5:
        inside = 465 <= minute < 730 or 780 <= minute < 1110
    else:
        inside = day == 6 or minute >= 1320
    hour = 5 if 8 <= clock.hour < 18 else 2 if 18 <= clock.hour < 23 else 0.5 if clock.hour in (23, 0, 1) else 0.25
    rate = hour * (0.4 if day > 4 else 1) * inside
    if clock.date() in FREE:
        rate *= 0.5
    return rate * (3 if datetime(2024, 3, 29) <= clock < datetime(2024, 3, 30, 12, 20) else 1)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+05:30"])
def test_against_a_plain_count(zone: str | None) -> None:
    """Over Easter, when the clocks go forward, each ten minutes have as much as counting minutes says."""
    rhythm = Rhythm.model_validate(RICH)
    low, high = ends("2024-03-27", "2024-04-02", zone)
    found = rhythm.intensity(low, high, zone)
    minutes = np.arange(low, high, MINUTE)
    utc = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(m)) for m in minutes]
    there = {None: UTC, "Europe/Berlin": ZoneInfo("Europe/Berlin")}.get(zone, ZoneInfo("Asia/Kolkata"))
    plain = np.array([plain_rate(t.astimezone(there).replace(tzinfo=None)) for t in utc])
    week = [datetime(2024, 5, 6) + timedelta(minutes=i) for i in range(7 * 1440)]  # without holidays and campaigns
    plain /= 1440 * np.mean([plain_rate(t) for t in week])
    starts = minutes[::10]
    got = found.mass(starts, np.minimum(starts + 10 * MINUTE, high))
    np.testing.assert_allclose(got, np.add.reduceat(plain, np.arange(0, len(plain), 10)), rtol=1e-9, atol=1e-9)
    assert np.array_equal(found.open(minutes), plain > 0)
    assert found.total == pytest.approx(plain.sum())


def test_way_back() -> None:
    """The instant before which there is so much is found again, exactly where something can happen."""
    low, high = ends("2024-03-27", "2024-04-02", "Europe/Berlin")
    found = Rhythm.model_validate(RICH).intensity(low, high, "Europe/Berlin")
    amounts = np.sort(Context(seed=3).rng.random(5_000)) * found.total
    at = found.instants(amounts)
    assert found.open(at).all()
    assert (np.diff(at) >= 0).all()
    np.testing.assert_allclose(found.before(at), amounts, atol=1e-9)
    borders = found.instants(np.array([0.0, found.total, found.total * 2]))
    assert low <= borders[0] < borders[1] == borders[2] < high
    assert found.open(np.array([low - 1, high])).tolist() == [False, False]
    assert found.mass(np.array([low - DAY, high]), np.array([high + DAY, low])).tolist() == [found.total, 0]


def test_ladder_finds_what_searching_finds() -> None:
    """Steps of very different heights, and numbers right on them."""
    rng = Context(seed=1).rng
    for steps in (np.cumsum(rng.exponential(1, 400)), np.cumsum(np.exp(rng.normal(0, 6, 3_000))), np.array([3.0, 4.0]),
                  np.array([-7, 0, 10**15, 10**15 + 1, 2 * 10**15])):  # fmt: skip
        numbers = np.concatenate([rng.uniform(steps[0], steps[-1], 2_000).astype(steps.dtype), steps[:-1]])
        wanted = np.searchsorted(steps, numbers, side="right") - 1
        assert np.array_equal(Ladder(steps).find(numbers), wanted)


def test_mean_days() -> None:
    """An ordinary week has seven mean days, 400 years have as many as the calendar, whatever the weights."""
    rhythm = Rhythm.model_validate({k: v for k, v in RICH.items() if k not in ("holidays", "campaigns")})
    assert rhythm.intensity(*ends("2024-05-06", "2024-05-12", None), None).total == pytest.approx(7)
    season = Rhythm.model_validate({"months": {"nov-jan": 3, "jul": 0.1}})
    assert season.intensity(*ends("2001-01-01", "2400-12-31", None), None).total == pytest.approx(146_097)
    low, high = ends("2024-03-31", "2024-03-31", "Europe/Berlin")
    assert (high - low) / HOUR == 23
    assert Rhythm().intensity(low, high, "Europe/Berlin").total == pytest.approx(23 / 24)


def test_growth() -> None:
    """A year later there is as much more as was said, from the beginning or from when it counts."""
    low, high = ends("2022-01-01", "2024-12-31", None)
    year = round(365.2425 * DAY)
    for growth, since, level in ((0.3, None, 1), (0.3, "2021-01-01", 1.3), (-0.5, None, 1)):
        found = Rhythm(growth=growth, since=since).intensity(low, high, None)
        one, two = found.mass(np.array([low, low + year]), np.array([low + DAY, low + year + DAY]))
        assert one == pytest.approx(level, abs=2e-3)
        assert two / one == pytest.approx(1 + growth, abs=2e-3)
    with pytest.raises(SampleError, match="growth"):
        Rhythm(growth=1000).intensity(*ends("1700-01-01", "2024-12-31", None), None)


def test_regions_have_their_own_holidays() -> None:
    """Epiphany is free in Bavaria, and not in Berlin; years are looked up across their ends."""
    span = ends("2023-12-31", "2024-01-07", None)
    day = np.array([ends("2024-01-06", "2024-01-06", None)])
    for country, mass in (("DE-BY", 0), ("DE-BE", 1), ("DE", 1)):
        rhythm = Rhythm.model_validate(
            {"holidays": {"country": country[:2], "region": country[3:] or None, "factor": 0}}
        )
        found = rhythm.intensity(*span, None)
        assert found.mass(day[:, 0], day[:, 1])[0] == mass
        assert found.total == 6 + mass  # New Year is free
    assert Rhythm.model_validate({"holidays": "DE-BY"}).holidays == Rhythm.model_validate(
        {"holidays": {"country": "DE", "region": "BY"}}).holidays  # fmt: skip


def test_what_is_written_otherwise_means_the_same() -> None:
    """Names in full, numbers, lists; and everything survives a trip through JSON."""
    one = Rhythm.model_validate({"weekdays": {"mon-fri": 2, "saturday": 3, "else": 0}, "months": {"dec-jan": 2},
                                 "hours": {"22-6": 0, "6": 4}, "opening": {"mon": "9-12,13:30-24"}})  # fmt: skip
    two = Rhythm.model_validate({
        "weekdays": [2, 2, 2, 2, 2, 3, 0], "months": [2, *[1] * 10, 2], "hours": [*[0] * 6, 4, *[1] * 15, 0, 0],
        "opening": {"mon": ["9-12", "13:30-24"]},
    })  # fmt: skip
    assert one == two == Rhythm.model_validate_json(one.model_dump_json(by_alias=True))
    assert Rhythm.model_validate(RICH) == Rhythm.model_validate_json(Rhythm.model_validate(RICH).model_dump_json())
    assert one.edges == (0, 540, 720, 810)
    assert [length(s) for s in ("15min", "PT15M", "900 s", "P1DT1S", "1d", "1us")] == [
        900_000_000, 900_000_000, 900_000_000, DAY + 10**6, DAY, 1]  # fmt: skip
    assert [time_of_day(s) for s in ("08:30", "24:00", "00:00:01.5", "25:00", "noon")] == [
        510 * MINUTE, DAY, 1_500_000, None, None]  # fmt: skip
    assert moment("2024-01-01T10:00+02:00") == (1_704_096_000_000_000, False, True)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"hours": {"8-18": -1}}, "wanted a weight for '8-18', 0 or more, got -1"),
        ({"hours": {"8-18": 1, "17": 2}}, "hour 17 is said twice"),
        ({"hours": {"7-25": 1}}, "'25' is no hour"),
        ({"hours": {"8-8": 1}}, "it ends where it begins"),
        ({"hours": [1, 2]}, "wanted a weight for each of 24 hours, got 2"),
        ({"hours": [0] * 24}, "wanted a weight above 0, got none"),
        ({"weekdays": {"man": 1}}, "'man' is no day of the week"),
        ({"weekdays": [1] * 6}, "each of 7 days of the week, got 6"),
        ({"months": {"jam": 1}}, "'jam' is no month"),
        ({"months": [1] * 11 + [-1]}, "greater than or equal to 0"),
        ({"opening": {"mon": "18"}}, "'18' are no opening hours"),
        ({"opening": {"mon": "9:75-18:00"}}, "no opening hours"),
        ({"opening": {"mon": "9-9"}}, "ends where it begins"),
        ({"opening": {}}, "it is never open"),
        ({"opening": {"mon": "9-10", "mon-tue": "9-10"}}, "monday is said twice"),
        ({"opening": {"mon": "9-10"}, "weekdays": {"mon": 0}}, "nothing can ever happen"),
        ({"opening": {"mon": "9-10"}, "hours": {"9": 0}}, "nothing can ever happen"),
        ({"holidays": "QQ"}, "the holidays of 'QQ' are not known"),
        ({"holidays": "de"}, "did you mean 'DE'?"),
        ({"holidays": "DE-BT"}, "there are BB, BE, BW, BY"),
        ({"holidays": "DE-by"}, "did you mean 'BY'?"),
        ({"holidays": {"country": "DE", "factor": -1}}, "greater than or equal to 0"),
        ({"campaigns": [{"from": "2024-02-30", "to": "2024-03-01", "factor": 2}]}, "'2024-02-30' is no date"),
        ({"campaigns": [{"from": "2024-03-02", "to": "2024-03-01", "factor": 2}]}, "an end after the beginning"),
        ({"campaigns": [{"from": "2024-03-02", "to": "2024-03-03"}]}, "Field required"),
        ({"growth": -1}, "greater than -1"),
        ({"since": "2024-01-01"}, "say 'growth' too"),
        ({"growth": 0.1, "since": "soon"}, "wanted a date or an instant"),
        ({"zone": "Berlin"}, "did you mean 'Europe/Berlin'?"),
        ({"tempo": 1}, "not permitted"),
    ],
)
def test_refused(said: dict[str, Any], wrong: str) -> None:
    """What makes no rhythm is told before anything runs."""
    with pytest.raises(ValidationError) as caught:
        Rhythm.model_validate(said)
    assert wrong in str(caught.value)


def test_clocks() -> None:
    """Changes of the clocks are found to the second, and steps of a day begin at midnight there."""
    low, high = ends("2024-01-01", "2024-12-31", "Europe/Berlin")
    changes = [datetime(1970, 1, 1) + timedelta(microseconds=p[1]) for p in pieces(low, high, "Europe/Berlin")]
    assert changes[:2] == [datetime(2024, 3, 31, 1), datetime(2024, 10, 27, 1)]
    assert [p[2] // HOUR for p in pieces(low, high, "Europe/Berlin")] == [1, 2, 1]
    assert pieces(low, high, "-03:30") == [(low, high, -210 * MINUTE)]
    at = low + Context(seed=2).rng.integers(0, high - low, 2_000)
    at = np.append(at, when(np.array([moment("2024-03-31 12:00").at, moment("2024-10-27 12:00").at]), "Europe/Berlin"))
    for up in (False, True):
        midnight = even(at, DAY, "Europe/Berlin", up=up)
        assert (shown(midnight, "Europe/Berlin") % DAY == 0).all()
        assert (np.abs(midnight - at) < 25 * HOUR).all()
        assert ((midnight >= at) if up else (midnight <= at)).all()
    assert known_zone("+02:00") == "+02:00"


def test_too_long_a_span() -> None:
    """A span that cannot be cut into hours is refused."""
    with pytest.raises(SampleError, match="some hundred years"):
        Rhythm.model_validate({"hours": {"8": 2, "10": 3, "12": 4, "14": 5}}).intensity(
            *ends("0001-01-01", "9999-12-31", None), None)  # fmt: skip
    assert Rhythm().intensity(*ends("0001-01-01", "9999-12-31", None), None).total == pytest.approx(3_652_059)


def test_holidays_are_loaded_late() -> None:
    """Who names no holidays does not load them."""
    code = "import synthwright.generators.instant as i, sys; i.Instant(); assert 'holidays' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rare_cells_are_found() -> None:
    """Cells with next to nothing beside ones with very much: none is lost, none is met twice as often."""
    masses = np.array([1e-9, 0, 1, 0, 1e-6, 0])
    found = Intensity(np.arange(7) * HOUR, masses)
    at = found.instants(np.array([0.0, 0.5e-9, 1.5e-9, 0.5, 1 + 1e-9 + 0.5e-6]))
    assert (at // HOUR).tolist() == [0, 0, 2, 2, 4]
