"""More unusual tables: columns on some days only, and columns that depend on one another. See `unusual`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from unusual import RNG, Check, N, _normal, _nulled, _pandas, _with, within


def _calendar_cases() -> dict[str, Any]:
    """Days and times that are not all that there are."""
    days = pd.date_range("2012-01-01", "2023-12-31")
    business, firsts, lasts = days[days.day_of_week < 5], days[days.day == 1], days[days.is_month_end]

    def some(among: pd.DatetimeIndex) -> pd.Series:
        return pd.Series(RNG.choice(among.to_numpy(), N).astype("datetime64[us]"))

    def every(wanted: Callable[[pd.Series], pd.Series]) -> Check:
        def check(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
            return bool(wanted(pd.to_datetime(made.drop_null().to_pandas()).dt).all())

        return check

    def opened(s: Any) -> pd.Series:
        return (s.day_of_week < 5) & (s.hour >= 9) & (s.hour < 17)

    open_hours = some(business) + pd.to_timedelta(RNG.integers(9 * 3600, 17 * 3600, N), unit="s")
    return {
        "business days": _pandas(pd.Series(some(business).dt.date, dtype=object), [every(lambda s: s.day_of_week < 5)]),
        "business days with nulls": _with(
            pa.array(_nulled(some(business).dt.date.tolist()), pa.date32()), [every(lambda s: s.day_of_week < 5)]
        ),
        "first of the month": _with(pa.array(some(firsts).dt.date), [every(lambda s: s.day == 1)]),
        "month ends": _with(pa.array(some(lasts).dt.date), [every(lambda s: s.is_month_end)]),
        "opening hours": _pandas(open_hours, [every(opened)]),
        "opening hours in a zone": _pandas(open_hours.dt.tz_localize("America/New_York"), [every(opened)]),
        "midnights in a zone": _pandas(
            some(days).dt.tz_localize("Europe/Berlin"), [every(lambda s: (s.hour == 0) & (s.minute == 0))]
        ),
    }


def _rows(frame: pd.DataFrame, rule: Callable[[pd.DataFrame], Any], *columns: str) -> Any:
    """Return a table and checks: of every row, of the range of some columns."""

    def check(_: Any, made: pa.Table) -> bool:
        return bool(np.all(rule(made.to_pandas())))

    return frame, {"": [check], **{c: [within] for c in columns}}


def _row_cases() -> dict[str, Any]:
    """Columns that depend on one another."""
    a = RNG.integers(0, 60, N)
    b = (RNG.random(N) * (101 - a)).astype(int)
    rest = pd.DataFrame({"a": a, "b": b, "c": 100 - a - b, "x": _normal()})
    items, price = RNG.integers(1, 30, N), RNG.gamma(3, 9, N).round(2)
    rate = RNG.choice([0.07, 0.19], N)
    start = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(RNG.integers(0, 10**7, N), unit="s"))
    seconds = RNG.integers(10, 10_000, N)
    visit = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(seconds, unit="s"), "took": seconds})
    bought = pd.DataFrame({"items": items, "price": price, "total": (items * price).round(2)})
    taxed = pd.DataFrame({"net": price, "rate": rate, "gross": (price * (1 + rate)).round(2)})
    aged = pd.DataFrame({"age": a, "group": np.array(["child", "adult", "old"])[np.digitize(a, [18, 50])]})
    day = start.dt.normalize()
    return {
        "what is left of a hundred": _rows(rest, lambda d: d.a + d.b + d.c == 100, "a", "b", "c"),
        "a price times items": _rows(bought, lambda d: np.abs(d["items"] * d.price - d.total) < 0.0051, "total"),
        "a rate of tax": _rows(taxed, lambda d: np.abs(d.net * (1 + d.rate) - d.gross) < 0.0051, "gross"),
        "seconds between instants": _rows(visit, lambda d: (d.end - d.start).dt.total_seconds() == d.took, "took"),
        "an age group": _rows(
            aged, lambda d: np.array(["child", "adult", "old"])[np.digitize(d.age, [18, 50])] == d.group
        ),
        "an instant and its day": _rows(
            pd.DataFrame({"day": day.dt.date, "at": start}), lambda d: pd.to_datetime(d.day) == d["at"].dt.normalize()
        ),
        "one of three": _rows(
            pd.DataFrame({"x": _normal(), **{f"is_{i}": a % 3 == i for i in range(3)}}),
            lambda d: d[["is_0", "is_1", "is_2"]].sum(axis=1) == 1,
        ),
        "months as numbers": _rows(
            pd.DataFrame({"month": 201_001 + a // 12 * 100 + a % 12, "x": _normal()}),
            lambda d: (d.month % 100).between(1, 12),
            "month",
        ),
        "hours beyond a day": _rows(
            pd.DataFrame({"took": [f"{h:02d}:{m:02d}:{s:02d}" for h, m, s in RNG.integers(0, 60, (N, 3))], "x": price}),
            lambda d: d.took.str.fullmatch(r"\d\d:[0-5]\d:[0-5]\d"),
        ),
    }


MORE: dict[str, Any] = {**_calendar_cases(), **_row_cases()}
"""Tables that must work: a frame, and what must be true of each column that is made."""
