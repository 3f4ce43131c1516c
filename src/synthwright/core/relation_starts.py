"""Dates that say the week, the month or the quarter of another one: `2024-03` beside `31.03.2024`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthwright.core.relation_columns import DAY, Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

MOST = 20
"""Columns of dates that are looked at."""
LEAST = 10
"""Rows in which an unrelated column would differ, at least."""


def _week(days: np.ndarray) -> np.ndarray:
    return np.asarray(days - (days + 3) % 7)  # the first of January 1970 was a Thursday


def _month(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _quarter(days: np.ndarray) -> np.ndarray:
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (months - months % 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


STARTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "month_start": _month,
    "week_start": _week,
    "quarter_start": _quarter,
}
"""The first day of what a day is in, both in days since 1970, by the function of rules."""


def starts(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the dates that are the first day of the week, month or quarter of another one, in every row.

    Args:
        columns: the table.
        names: the ordered columns that follow from no others.
    """
    days = {n: found for n in names if (found := _in_days(columns, n)) is not None}
    many = {n: len(np.unique(d)) for n, d in days.items()}
    out: list[Relation] = []
    for name in sorted(list(days)[:MOST], key=lambda n: many[n]):
        present = ~np.isnan(days[name])
        if present.sum() * unlike(days[name][present]) < LEAST or not _midnights(columns, name):
            continue
        for source in sorted((s for s in days if many[s] > many[name]), key=lambda s: -many[s]):
            if not np.array_equal(present, ~np.isnan(days[source])):
                continue
            own, other = days[name][present].astype(np.int64), days[source][present].astype(np.int64)
            said = next((f for f, start in STARTS.items() if np.array_equal(start(other), own)), None)
            if said is not None:
                rule = f"{quoted(name)} == {said}({quoted(source)})"
                out.append(Relation(rule, name, (source,), int(present.sum())))
                break
    return out


def _midnights(columns: Columns, name: str) -> bool:
    """Return whether the values of a column are days: dates, or instants at midnight alone."""
    if columns.spec.fields[name].kind is Kind.DATE:
        return True
    values = columns.numbers(name)
    return not np.any(values[~np.isnan(values)] % DAY[columns.held.column(name).type.unit])


def _in_days(columns: Columns, name: str) -> np.ndarray | None:
    """Return a column of dates, or of instants without a zone, in days since 1970, NaN where there is no value.

    Instants that are no midnights count as the day that they are in.
    """
    kind, held = columns.spec.fields[name].kind, columns.held.column(name)
    if kind is Kind.DATE:
        return columns.numbers(name)
    if kind is Kind.DATETIME and held.type.tz is None:
        return np.floor(columns.numbers(name) / DAY[held.type.unit])
    return None
