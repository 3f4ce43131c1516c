"""Dates that lie whole months after others: the end of a policy, of a term, of a warranty."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from synthwright.core.relation_columns import DAY, Columns
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

MOST = 12
"""Columns of dates, and of numbers, that are looked at."""
LEAST = 20
"""Rows that hold it, at least."""


def months(columns: Columns, names: list[str], every: list[str]) -> list[Relation]:
    """Return the dates that lie so many months after another, or a day less: always as many, or as a column says.

    Lengths in days differ from row to row: those that do not are lines. A later column is said to follow from an
    earlier one. Instants are taken by their own clocks where they have no zone; those in zones are passed over.

    Args:
        columns: the table.
        names: the columns that follow from no others.
        every: these, and those that do: others may follow from them.
    """
    fields = columns.spec.fields
    dates = [n for n in every if _is_date(columns, n)][:MOST]
    numbers = [n for n in every if fields[n].kind is Kind.INTEGER][:MOST]
    out: dict[str, Relation] = {}
    for late, early in permutations(dates, 2):
        able = late in names and late not in out and columns.family(late) == columns.family(early)
        if not able or _reaches(out, early, late):
            continue
        for said in _said(columns, late, early, numbers):
            rows = _rows(columns, late, early, said)
            if rows:
                less = f" - {said[1]}" if said[1] else ""
                count = f"{said[2]} * {quoted(said[0])}" if said[2] != 1 else quoted(said[0])
                count = plain(float(said[2])) if not said[0] else count
                rule = f"{quoted(late)} == {quoted(early)} + months({count}){less}"
                out[late] = Relation(rule, late, (early, *([said[0]] if said[0] else [])), rows)
                break
    return list(out.values())


Said = tuple[str, int, int]
"""The column that says how many (nothing: always as many), days less, and months, or times what the column says."""


def _said(columns: Columns, late: str, early: str, numbers: list[str]) -> list[Said]:
    """Return how many months may lie between two columns, as the sampled rows have it."""
    end, start = columns.sampled(late), columns.sampled(early)
    there = ~(np.isnan(end) | np.isnan(start))
    if there.sum() < min(LEAST, len(there)) or len(np.unique((end - start)[there])) < 2:
        return []
    unit = _unit(columns, late)
    out: list[Said] = []
    for less in (0, 1):
        apart = _months(end[there] + less * unit, unit) - _months(start[there], unit)
        if apart.min() > 0 and np.ptp(apart) == 0:
            out.append(("", less, int(apart[0])))
        for name in numbers if apart.min() >= 0 and np.ptp(apart) else ():
            count = columns.sampled(name)[there]
            out += [(name, less, times) for times in (1, 12) if np.array_equal(count * times, apart)]
    return out


def _rows(columns: Columns, late: str, early: str, said: Said) -> int:
    """Return in how many rows a column lies so many months after another, if in all that have both; else 0."""
    name, less, times = said
    for at in (columns.at, np.arange(columns.rows)):
        end, start = columns.numbers_at(late, at), columns.numbers_at(early, at)
        count = np.full(len(at), float(times)) if not name else columns.numbers_at(name, at) * times
        there = ~np.isnan(end)
        if there.sum() < LEAST or np.isnan(start[there]).any() or np.isnan(count[there]).any():
            return 0
        unit = _unit(columns, late)
        if not np.array_equal(_later(start[there], count[there], unit) - less * unit, end[there]):
            return 0
    return int(there.sum())


def _later(start: np.ndarray, count: np.ndarray, unit: float) -> np.ndarray:
    """Return moments so many months later, at the same time of the same day, or of the month's last."""
    days = np.floor(start / unit)
    month = _months(start, unit) + count.astype(np.int64)
    first = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    length = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - first
    begun = _months(start, unit).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    day = np.minimum(days.astype(np.int64) - begun, length - 1)
    return np.asarray((first + day) * unit + (start - days * unit))


def _months(moments: np.ndarray, unit: float) -> np.ndarray:
    """Return in which months, counted since 1970, moments lie."""
    days = np.floor(moments / unit).astype(np.int64)
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def _unit(columns: Columns, name: str) -> float:
    return float(DAY[columns.held.column(name).type.unit]) if _is_instant(columns, name) else 1.0


def _is_instant(columns: Columns, name: str) -> bool:
    return columns.spec.fields[name].kind is Kind.DATETIME


def _is_date(columns: Columns, name: str) -> bool:
    plain_ = _is_instant(columns, name) and columns.held.column(name).type.tz is None
    return columns.exact(name) and (plain_ or columns.spec.fields[name].kind is Kind.DATE)


def _reaches(out: dict[str, Relation], begin: str, target: str) -> bool:
    """Return whether a column follows from the target."""
    while begin in out:
        begin = out[begin].others[0]
        if begin == target:
            return True
    return False
