"""What formulas give for dates, instants and lengths of time, against plain Python row by row."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pyarrow as pa
import pytest
from tests.kit.formula.formulas_for_tests import BERLIN, FIELDS, Expected, agrees

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema, Table, canonical
from synthwright.kit.formula.formulas import read, value
from synthwright.kit.ruled import Ask


def months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a shorter month."""
    count = day.year * 12 + day.month - 1 + months
    for last in range(day.day, 27, -1):
        try:
            return date(count // 12, count % 12 + 1, last)
        except ValueError:
            continue
    return date(count // 12, count % 12 + 1, day.day)


def completed_years(born: date, at: date) -> int:
    """Return how many birthdays there were after the first."""
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


@pytest.mark.parametrize(("text", "expected"), [
    ("year(born) * 10000 + month(born) * 100 + day(born)", lambda w: int(w.born.strftime("%Y%m%d"))),
    ("weekday(born)", lambda w: w.born.isoweekday()),
    ("hour(at) * 3600 + minute(at) * 60 + second(at)", lambda w: w.at.hour * 3600 + w.at.minute * 60 + w.at.second),
    ("hour(seen) + 100 * day(seen)", lambda w: w.seen.hour + 100 * w.seen.day),
    ("hour(far)", lambda w: (w.far + timedelta(minutes=330)).hour),
    ("date(far)", lambda w: (w.far + timedelta(minutes=330)).date()),
    ("minute(clock)", lambda w: w.clock.minute),
    ("born + 3", lambda w: w.born + timedelta(days=3)),
    ("born + q", lambda w: w.born + timedelta(days=w.q)),
    ("q + born - 2", lambda w: w.born + timedelta(days=w.q - 2)),
    ("day - born", lambda w: (w.day - w.born).days),
    ('"2024-12-31" - born', lambda w: (date(2024, 12, 31) - w.born).days),
    ("at - day", lambda w: (w.at - datetime.combine(w.day, time())) / timedelta(days=1)),
    ("at + 0.5", lambda w: w.at + timedelta(hours=12)),
    ("at + hours(r) - minutes(90) + seconds(1.5)", lambda w: w.at + timedelta(hours=w.r, minutes=-90, seconds=1.5)),
    ("day + hours(9)", lambda w: datetime.combine(w.day, time(9))),
    ("day + clock", lambda w: datetime.combine(w.day, w.clock)),
    ("at + took", lambda w: w.at + w.took),
    ("took + hours(1) + 1", lambda w: w.took + timedelta(hours=25)),
    ("hours(2) * q", lambda w: timedelta(hours=2 * w.q)),
    ("took / hours(1)", lambda w: w.took / timedelta(hours=1)),
    ("date(year(born), r + 1, 30)", lambda w: date(w.born.year, w.r + 1, 30) if w.r != 1 else None),
    ("date(q, 1, 1)", lambda w: date(w.q, 1, 1) if w.q > 0 else None),
    ("date(at)", lambda w: w.at.date()),
    ("date(concat(day))", lambda w: w.day),
    ("datetime(day)", lambda w: datetime.combine(w.day, time())),
    ("datetime(concat(at))", lambda w: w.at),
    ("born + months(r)", lambda w: months_later(w.born, w.r)),
    ("born - months(13) + 1", lambda w: months_later(w.born, -13) + timedelta(days=1)),
    ("at + months(1)", lambda w: datetime.combine(months_later(w.at.date(), 1), w.at.time())),
    ("age(born, day)", lambda w: completed_years(w.born, w.day)),
    ('age(born, "2024-02-28")', lambda w: completed_years(w.born, date(2024, 2, 28))),
    ("min(born, day)", lambda w: min(w.born, w.day)),
])  # fmt: skip
def test_dates(text: str, expected: Expected) -> None:
    """Dates, instants and lengths of time give what Python's give."""
    agrees(text, expected)


def test_instants_stay_in_their_zone() -> None:
    """Months are added on the clock, hours in time: over the night when summer time begins."""
    field = FIELDS["seen"]
    held = pa.table({"seen": pa.array([datetime(2024, 3, 30, 2, 30, tzinfo=BERLIN)], canonical(field))})
    ask = Ask(Dataset(Schema(tables={"t": Table(fields={"seen": field})}), {"t": held}), "t", (), Context(seed=1))
    assert value(read("seen + hours(24)"), ask).to_pylist() == [datetime(2024, 3, 31, 3, 30, tzinfo=BERLIN)]
    assert value(read("seen + months(1)"), ask).to_pylist() == [datetime(2024, 4, 30, 2, 30, tzinfo=BERLIN)]
    assert value(read('seen - "2024-03-30 00:00"'), ask).to_pylist() == [pytest.approx(2.5 / 24)]
