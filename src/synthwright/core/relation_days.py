"""Orders between days and instants: what was ordered on a day is shipped at an instant of it or later."""

from __future__ import annotations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.relation_order import RELATED, RELATED_SHARE, chances
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind, canonical
from synthwright.core.values import midnights, numbers

MOST = 20
"""Columns of each sort that are compared."""


def days_and_instants(columns: Columns, names: list[str]) -> list[Relation]:
    """Return which days no instant lies before (`ordered <= shipped`), and which none lies after (`opened < due + 1`).

    Only where that would often be otherwise if the columns had nothing to do with each other.
    """
    fields = columns.spec.fields
    days = [n for n in names if fields[n].kind is Kind.DATE][:MOST]
    instants = [n for n in names if fields[n].kind is Kind.DATETIME][:MOST]
    out = []
    for day in days:
        for instant in instants:
            out += [f for f in (_after(columns, day, instant), _until(columns, day, instant)) if f is not None]
    return out


def _after(columns: Columns, day: str, instant: str) -> Relation | None:
    rows = _never(columns, day, instant, late=False)
    return Relation(f"{quoted(day)} <= {quoted(instant)}", instant, (day,), rows) if rows else None


def _until(columns: Columns, day: str, instant: str) -> Relation | None:
    rows = _never(columns, day, instant, late=True)
    return Relation(f"{quoted(instant)} < {quoted(day)} + 1", instant, (day,), rows) if rows else None


def _never(columns: Columns, day: str, instant: str, *, late: bool) -> int:
    """Return in how many rows both are there, if in none the instant lies before the day (or after it); else 0."""
    for at in (columns.at, None):
        begin, moment = _both(columns, day, instant, at)
        low, high = (moment, begin + 1) if late else (begin, moment)
        if np.any(low >= high if late else low > high):
            return 0
        if at is not None:
            chance, share = chances(np.stack([low, high]), np.array([0]), np.array([1]))
            if chance[0] < RELATED_SHARE or chance[0] * share[0] * columns.rows < RELATED:
                return 0
    return int(np.sum(~np.isnan(begin) & ~np.isnan(moment)))


def _both(columns: Columns, day: str, instant: str, at: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the beginning of the day and the instant in some rows, both in days."""
    held = columns.held.select([day, instant])
    held = held if at is None else held.take(at)
    kind = canonical(columns.spec.fields[instant])
    a_day = 86_400 * (10**9 if kind.unit == "ns" else 10**6)
    return numbers(midnights(held.column(day), kind)) / a_day, numbers(held.column(instant)) / a_day
