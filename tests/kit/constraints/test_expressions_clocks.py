"""Rules about days and times of instants, and about months that are added to dates."""

from __future__ import annotations

from datetime import date, datetime, time

import pyarrow as pa
from tests.kit.constraints.test_expressions import check

from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Table


def test_the_day_and_the_time_of_an_instant() -> None:
    """They are those of the clocks of its zone; a column of times to the minute holds the last minute."""
    fields = {"t": Field(kind=Kind.DATETIME), "z": Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Berlin]"),
              "o": Field(kind=Kind.DATETIME, type="timestamp[us, tz=+05:30]"), "d": Field(kind=Kind.DATE),
              "c": Field(kind=Kind.TIME), "m": Field(kind=Kind.TIME, step=60_000_000)}  # fmt: skip
    late = [datetime(2019, 12, 31, 23, 30, 15), datetime(2020, 1, 1, 12), None]
    columns = {
        "t": pa.array(late, pa.timestamp("us")),
        "z": pa.array(late, pa.timestamp("us", "Europe/Berlin")),
        "o": pa.array(late, pa.timestamp("us", "+05:30")),
        "d": pa.array([date(2020, 1, 1), date(2020, 1, 1), date(2020, 1, 1)]),
        "c": pa.array([time(23, 30, 15), time(12), time(1)], pa.time64("us")),
        "m": pa.array([time(23, 30), time(12, 1), time(1)], pa.time64("us")),
    }
    assert check(columns, fields, "d == date(t)") == [False, True, True]
    assert check(columns, fields, "d == date(z)") == [True, True, True]
    assert check(columns, fields, "d == date(o)") == [True, True, True]
    assert check(columns, fields, "date(z) - date(t) == 1") == [True, False, True]
    assert check(columns, fields, "c == time(t)") == [True, True, True]
    assert check(columns, fields, "time(z) >= '12:00'") == [False, True, True]
    assert check(columns, fields, "m == time(t)") == [True, False, True]
    assert check(columns, fields, "m < time(t)") == [True, False, True]


def test_months_are_added_to_dates() -> None:
    """The same day of another month, or its last one, on the clocks of a zone; days are counted after months."""
    fields = {"d": Field(kind=Kind.DATE), "e": Field(kind=Kind.DATE), "n": Field(kind=Kind.INTEGER),
              "z": Field(kind=Kind.DATETIME, type="timestamp[us, tz=+05:30]")}  # fmt: skip
    columns = {
        "d": pa.array([date(2020, 2, 29), date(2020, 1, 31), date(2020, 1, 1)]),
        "e": pa.array([date(2021, 2, 27), date(2021, 1, 30), None]),
        "n": pa.array([12, 1, 3]),
        "z": pa.array([datetime(2020, 1, 30, 20), datetime(2020, 1, 30, 1), None], pa.timestamp("us", "+05:30")),
    }
    assert check(columns, fields, "e == d + months(12) - 1") == [True, True, True]
    assert check(columns, fields, "d + months(n) == '2020-02-29'") == [False, True, False]
    assert check(columns, fields, "e - months(12) == d") == [False, False, True]
    assert check(columns, fields, "day(z + months(1)) == 29") == [True, True, True]
    assert check(columns, fields, "z + months(1) == '2020-02-29 01:30+05:30'") == [True, False, True]
    for rule in ("n + months(1) == 2", "months(n) == 2"):
        assert faults(parse(rule), Table(fields=fields))
