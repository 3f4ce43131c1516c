"""Instants are as often as their rhythm says: hours, days, seasons, holidays, campaigns, growth, opening hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, SCHEMA, made, refused, seen, start, wrong

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.generators.instant import Instant
from synthwright.testing import check_generator

ROWS = 20_000
SEEDS = (1, 2, 3)
POWER = 1e-9
"""What a test must give for a law that was not declared."""
DAY = 86_400 * 10**6
HOUR = DAY // 24
MONTHS_2024 = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
FREE_2024 = ["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-05-09", "2024-05-20", "2024-10-03",
             "2024-12-25", "2024-12-26"]  # fmt: skip
"""The holidays of all Germany, from its law books."""

Clock = Callable[[np.ndarray], np.ndarray]


def ticks(table: pa.Table, column: str) -> np.ndarray:
    """Return instants as microseconds since 1970, or days as days."""
    held = table.column(column).combine_chunks()
    return np.asarray(held.cast(pa.int32() if pa.types.is_date32(held.type) else pa.int64())).astype(np.int64)


def hour(at: np.ndarray) -> np.ndarray:
    """Return the hour of the day."""
    return at // HOUR % 24


def weekday(at: np.ndarray) -> np.ndarray:
    """Return the day of the week, from Monday."""
    return (at // DAY + 3) % 7


def month(at: np.ndarray) -> np.ndarray:
    """Return the month, from January."""
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(int) % 12


def year(at: np.ndarray) -> np.ndarray:
    """Return the year since 2021."""
    return at.astype("datetime64[us]").astype("datetime64[Y]").astype(int) - 51


def free(at: np.ndarray) -> np.ndarray:
    """Return 1 on holidays."""
    return np.isin(at // DAY, np.array(FREE_2024, dtype="datetime64[D]").astype(int)).astype(int)


def busy(at: np.ndarray) -> np.ndarray:
    """Return 1 in the week of the campaign."""
    days = at.astype("datetime64[us]").astype("datetime64[D]")
    return ((days >= np.datetime64("2024-11-25")) & (days <= np.datetime64("2024-12-02"))).astype(int)


def of_hours(hours: dict[int, float]) -> np.ndarray:
    """Return weights of 24 hours, 1 where nothing else is said."""
    return np.array([hours.get(h, 1.0) for h in range(24)])


WEEKS = ("2024-01-01", "2024-12-29")
"""Fifty-two whole weeks."""
YEAR = ("2024-01-01", "2024-12-31")
LAWS: dict[str, tuple[dict[str, Any], tuple[str, str], Clock, np.ndarray, np.ndarray]] = {
    "hours": ({"hours": {"8-18": 5, "18-23": 2}}, WEEKS, hour,
              of_hours({**dict.fromkeys(range(8, 18), 5), **dict.fromkeys(range(18, 23), 2)}), np.ones(24)),
    "no nights": ({"hours": {"22-6": 0, "12": 1.5}}, WEEKS, hour,
                  of_hours({**dict.fromkeys((22, 23, *range(6)), 0), 12: 1.5}), np.ones(24)),
    "weekdays": ({"weekdays": {"sat": 0.5, "sun": 0.1}}, WEEKS, weekday, np.array([1, 1, 1, 1, 1, 0.5, 0.1]),
                 np.ones(7)),
    "months": ({"months": {"nov-dec": 2, "jul": 0.5}}, YEAR, month,
               MONTHS_2024 * np.array([1, 1, 1, 1, 1, 1, 0.5, 1, 1, 1, 2, 2]), MONTHS_2024),
    "holidays": ({"holidays": "DE"}, YEAR, free, np.array([357, 9 * 0.2]), np.array([357, 9])),
    "no holidays": ({"holidays": {"country": "DE", "factor": 3}}, YEAR, free, np.array([357, 27]), np.array([357, 9])),
    "campaigns": ({"campaigns": [{"from": "2024-11-25", "to": "2024-12-02", "factor": 3}]}, YEAR, busy,
                  np.array([358, 24]), np.array([358, 8])),
    "growth": ({"growth": 0.5}, ("2021-01-01", "2024-12-31"), year, 1.5 ** np.arange(4) * [365, 365, 365, 366],
               np.ones(4)),
    "opening": ({"opening": {"mon-fri": "09:00-18:00", "sat": "10:30-14:00"}}, WEEKS, weekday,
                np.array([9, 9, 9, 9, 9, 3.5, 0]), np.ones(7)),
    "opening by the hour": ({"opening": {"mon-fri": "09:00-18:00", "sat": "10:30-14:00"}}, WEEKS, hour,
                            np.array([*[0] * 9, 5, 5.5, 6, 6, 6, 5, 5, 5, 5, *[0] * 6]), np.ones(24)),
    "both": ({"hours": {"12": 3}, "opening": {"mon": "11-13", "tue": "12-15"}}, WEEKS, hour,
             np.array([*[0] * 11, 1, 6, 1, 1, *[0] * 9]), np.ones(24)),
}  # fmt: skip
"""A rhythm, the span, what is counted, what was declared, and what another rhythm would have."""


def fits(counts: np.ndarray, weights: np.ndarray) -> float:
    """Return how likely counts that far from weights are; 0 where something impossible happened."""
    if counts[weights == 0].any():
        return 0.0
    kept = weights > 0
    return float(stats.chisquare(counts[kept], counts.sum() * weights[kept] / weights.sum()).pvalue)


def test_contract() -> None:
    """All that holds for every generator holds."""
    check_generator(Instant(between=("2020-01-01", "2021-06-30"), rhythm={"hours": {"8-18": 5}, "holidays": "DE"}))


@pytest.mark.parametrize("law", LAWS)
def test_as_often_as_declared(law: str) -> None:
    """Shares are those that were declared, over several seeds, and not those of no rhythm."""
    rhythm, between, label, weights, others = LAWS[law]
    counts = np.zeros(len(weights), dtype=int)
    for seed in SEEDS:
        at = ticks(made(Instant(between=between, rhythm=rhythm), "moment", start(ROWS), seed=seed), "moment")
        found = np.bincount(label(at), minlength=len(weights))
        assert fits(found, weights) > LEVEL
        counts += found
    assert fits(counts, weights) > LEVEL
    assert fits(counts, others) < POWER


def test_even_inside() -> None:
    """Inside an hour, and over a span without a rhythm, every instant is as likely."""
    at = ticks(made(Instant(between=YEAR, rhythm={"hours": {"8-18": 5}}), "moment", start(ROWS)), "moment")
    assert stats.kstest(at % HOUR / HOUR, "uniform").pvalue > LEVEL
    plain = ticks(made(Instant(between=YEAR), "moment", start(ROWS)), "moment")
    low, high = np.array(["2024-01-01", "2025-01-01"], dtype="datetime64[us]").astype(int)
    assert stats.kstest((plain - low) / (high - low), "uniform").pvalue > LEVEL
    assert len(np.unique(plain)) > 0.999 * ROWS


def test_days() -> None:
    """In a column of days both ends may be drawn, each as its day of the week is."""
    rule = Instant(between=("2024-05-06", "2024-05-12"), rhythm={"weekdays": {"sun": 3}})
    found = ticks(made(rule, "day", start(ROWS)), "day")
    counts = np.bincount(found - found.min(), minlength=7)
    assert found.min() == np.datetime64("2024-05-06", "D").astype(int)
    assert fits(counts, np.array([1, 1, 1, 1, 1, 1, 3])) > LEVEL
    shops = Instant(between=("2024-05-06", "2024-05-12"), rhythm={"opening": {"mon": "9-12", "sat": "9-18"}})
    found = ticks(made(shops, "day", start(ROWS)), "day")
    assert fits(np.bincount(weekday(found * DAY), minlength=7), np.array([3, 0, 0, 0, 0, 9, 0])) > LEVEL


def test_times_of_day() -> None:
    """Times of day know hours and opening hours; without a span they are of the whole day."""
    found = ticks(made(Instant(rhythm={"hours": {"8-18": 5}}), "clock", start(ROWS)), "clock")
    assert fits(np.bincount(hour(found), minlength=24), of_hours(dict.fromkeys(range(8, 18), 5))) > LEVEL
    rule = Instant(between=("09:30", "17:00"), every="30min", rhythm={"opening": {"mon-fri": "09:00-12:00, 13-17"}})
    found = ticks(made(rule, "clock", start(ROWS)), "clock")
    slots = np.array([*range(19, 24), *range(26, 34)])
    assert np.array_equal(np.unique(found), slots * (HOUR // 2))
    assert fits(np.bincount(found // (HOUR // 2)), np.isin(np.arange(34), slots).astype(float)) > LEVEL


@pytest.mark.parametrize(("column", "zone", "there"), [("zoned", None, "Europe/Paris"),
                                                       ("zoned", "America/New_York", "America/New_York"),
                                                       ("moment", "America/New_York", "America/New_York")])  # fmt: skip
def test_clocks_of_a_place(column: str, zone: str | None, there: str) -> None:
    """Hours are those of the column's zone, or of the one that is named; a column without one then holds UTC."""
    rule = Instant(between=YEAR, rhythm={"hours": {"9-17": 1, "else": 0}, "zone": zone})
    held = made(rule, column, start(ROWS)).column(column).combine_chunks()
    unit = held.type.unit
    at = pa.compute.local_timestamp(held.cast(pa.timestamp(unit)).cast(pa.timestamp(unit, there)))
    at = np.asarray(at.cast(pa.timestamp("us"), safe=False).cast(pa.int64()))
    assert fits(np.bincount(hour(at), minlength=24), of_hours({h: 9 <= h < 17 for h in range(24)})) > LEVEL
    assert fits(np.bincount(month(at), minlength=12), MONTHS_2024) > LEVEL
    assert set(year(at).tolist()) == {3}


def test_each_row_has_its_own_span() -> None:
    """Ends may be formulas and paths; inside its span each row's instant is as the rhythm has it."""
    given = start(ROWS, seen(ROWS))
    rule = Instant(between=("born", "born + age"), rhythm={"weekdays": {"sat-sun": 0}})
    assert rule.looks_at(SCHEMA, "t") == ("t.born", "t.age")
    table = made(rule, "day", given)
    born, age = ticks(table, "born"), np.asarray(table.column("age"))
    missing = np.asarray(table.column("day").is_null())
    weekend = np.array([all((b + i + 3) % 7 > 4 for i in range(a + 1)) for b, a in zip(born, age, strict=True)])
    assert np.array_equal(missing, weekend)
    assert missing.any()
    day = np.asarray(table.column("day").combine_chunks().cast(pa.int32()).fill_null(0)).astype(np.int64)[~missing]
    assert ((day >= born[~missing]) & (day <= (born + age)[~missing])).all()
    assert (weekday(day * DAY) < 5).all()
    long = age[~missing] > 20
    place = (day - born[~missing])[long] / (age[~missing][long] + 1)
    assert (
        stats.kstest(place + np.random.Generator(np.random.Philox(1)).random(long.sum()) / 60, "uniform").pvalue > 1e-3
    )
    path = made(Instant(between=("shop.opened", "2024-12-31")), "moment", given)
    opened = np.array([0, 20_000, 10_000])[np.asarray(path.column("shop")) - 1]
    end = np.datetime64("2025-01-01", "D").astype(int)
    share = (ticks(path, "moment") / DAY - opened) / (end - opened)
    assert stats.kstest(share, "uniform").pvalue > LEVEL
    assert share.max() < 1


def test_every() -> None:
    """Instants are rounded down to a step of the clock, never out of the span; both ends count."""
    rule = Instant(between=("2024-05-06 10:07", "2024-05-06 12:00"), every="15min")
    found = ticks(made(rule, "moment", start(ROWS)), "moment")
    slots = np.datetime64("2024-05-06T10:15", "us").astype(int) + np.arange(8) * 15 * (HOUR // 60)
    assert np.array_equal(np.unique(found), slots)
    assert fits(np.bincount((found - slots[0]) // (HOUR // 4)), np.ones(8)) > LEVEL
    daily = made(Instant(between=YEAR, every="1d"), "zoned", start(ROWS)).column("zoned").combine_chunks()
    local = np.asarray(pa.compute.local_timestamp(daily).cast(pa.int64()))
    assert (local % (DAY * 1000) == 0).all()
    assert len(np.unique(local)) == 366


def test_where_nothing_can_happen() -> None:
    """Rows without a span, or with one that is closed, get nothing; a column that must have values says so."""
    given = start(4, {"born": pa.array([0, None, 2, 3], pa.int32()).cast(pa.date32()), "age": pa.array([1, 1, -1, 0])})
    found = made(Instant(between=("born", "born + age")), "moment", given).column("moment").is_null().to_pylist()
    assert found == [False, True, True, False]
    fields = SCHEMA.tables["t"].fields
    strict = SCHEMA.tables["t"].model_copy(
        update={"fields": {**fields, "moment": fields["moment"].model_copy(update={"nulls": False})}})  # fmt: skip
    schema = SCHEMA.model_copy(update={"tables": {**SCHEMA.tables, "t": strict}})
    model = Instant(between=("born", "born + age")).fit(Dataset.empty(schema), Part(("t.moment",)), Context())
    with pytest.raises(SampleError, match="none in 2 of 4 rows"):
        model.sample(Dataset(schema, given.tables), Context())


def test_same_bytes() -> None:
    """The same seed gives the same instants."""
    rule = Instant(between=YEAR, rhythm={"hours": {"8-18": 5}, "holidays": "DE-BY"}, every="1s")
    assert [str(v) for v in made(rule, "moment", start(3), seed=7).column("moment").to_pylist()] == [
        "2024-08-27 22:01:55", "2024-07-02 17:41:28", "2024-01-21 17:56:24"]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "column", "where"),
    [
        ({"between": ("births", "2024-12-31")}, "day", "between.0: day: formula 'births'"),
        ({"between": ("age", "2024-12-31")}, "day", "between.0: day: formula 'age' gives a number"),
        ({"between": ("day", "2024-12-31")}, "day", "between.0: day: 'day' is a column that it makes itself"),
        ({"between": ("09:00", "18:00")}, "day", "between.0: day: '09:00' is a time of day"),
        ({"between": YEAR}, "clock", "between.0: clock: '2024-01-01' is no time of day"),
        ({"rhythm": {"hours": {"8": 2}}}, "day", "rhythm.hours: day: a column of kind 'date' shows nothing of it"),
        ({"rhythm": {"months": {"dec": 2}}}, "clock", "rhythm.months: clock: a column of kind 'time'"),
        ({"every": "1h"}, "day", "every: day: a column of days has no step of 1h"),
        ({"every": "2h", "rhythm": {"hours": {"8": 2}}}, "moment",
         "every: moment: steps of 2h show nothing of the hours"),
        ({"every": "1h", "rhythm": {"opening": {"mon": "9:30-12"}}}, "moment",
         "every: moment: it opens or closes at 09:30"),
        ({"rhythm": {"holidays": "DE"}, "between": ("1950-01-01", "2000-01-01")}, "day",
         "rhythm.holidays: day: the holidays of DE are known for the years 1991 to"),
        ({"rhythm": {"opening": {"mon": "9-12"}}, "between": ("2024-05-07", "2024-05-12")}, "moment",
         "rhythm: moment: nothing can happen from 2024-05-07 to 2024-05-12"),
        ({"between": ("0001-01-01", "9999-12-31"), "rhythm": {"hours": {"8": 2, "12": 3}}}, "moment",
         "between: moment: the span is too long"),
        ({"between": ("0001-01-01", "2024-12-31")}, "zoned", "between: zoned: nanoseconds"),
    ],
)  # fmt: skip
def test_misused(said: dict[str, Any], column: str, where: str) -> None:
    """What makes no sense for a column is told with its place, before anything runs."""
    assert wrong(Instant(**said), column)[0].startswith(where)


def test_refused(tmp_path: Path) -> None:
    """What is no span, step or rhythm is refused, with its place in the file."""
    for bad in ({"between": ("2024-02-01", "2024-01-01")}, {"between": ("2024-02-30", "2024-03-01")},
                {"between": ("18:00", "09:00")}, {"between": ("2024-01-01",)}, {"between": ("a +", "2024-01-01")},
                {"every": "7min"}, {"every": "fast"}, {"every": "0s"}):  # fmt: skip
        with pytest.raises(ValidationError):
            Instant.model_validate(bad)
    part = "make: [t.moment]\nuse: instant\nwith: {rhythm: {weekdays: {mo: 2}}}"
    assert refused(tmp_path, part)[0].startswith(
        "weekdays: {mo: 2}}} ← instant.rhythm.weekdays: 'mo' is no day of the week: wanted mon … sun"
    )
    part = "make: [t.moment]\nuse: instant\nwith: {between: [born, dies]}"
    assert refused(tmp_path, part)[0].startswith("dies]} ← instant: moment: formula 'dies'")
