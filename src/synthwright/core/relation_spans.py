"""Numbers that say how long it is from one instant, or one time of day, to another: in seconds, minutes, hours."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

MOST = 12
"""Columns of instants and of times of day between which spans are looked for."""
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNITS = (86_400, 1_440, 24, 86_400_000)
"""Seconds, minutes, hours, milliseconds of a day. Days are parts of dates: see `core.relation_equal`."""
FEW = 64
"""Rows on which all columns are tried."""
LEAST = 20
"""Rows in which an unrelated column would differ, at least."""


def spans(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the numbers that are the time between two instants, or times of day, in every row."""
    kinds = columns.spec.fields
    instants = [n for n in names if kinds[n].kind in (Kind.DATETIME, Kind.TIME) and columns.exact(n)][:MOST]
    numbers = [n for n in names if columns.family(n) == "number"][: 5 * MOST]
    out: list[Relation] = []
    for late, early in permutations(instants, 2):
        if not numbers or columns.family(late) != columns.family(early):
            continue
        sample, whole = None, None
        for name in (n for n in numbers if n not in {r.column for r in out}):
            for unit in UNITS:
                sample = _apart(columns, late, early, columns.at) if sample is None else sample
                few = slice(None, None, max(1, len(sample) // FEW))
                if not all(
                    _same(columns, name, columns.sampled(name)[s], sample[s] * unit) for s in (few, slice(None))
                ):
                    continue
                whole = _apart(columns, late, early, None) if whole is None else whole
                values = columns.numbers(name)
                if _same(columns, name, values, whole * unit) and _differs(values):
                    rule = f"{quoted(name)} == {unit} * ({quoted(late)} - {quoted(early)})"
                    out.append(Relation(rule, name, (late, early), int(np.sum(~np.isnan(values)))))
                    break
    return out


def _apart(columns: Columns, late: str, early: str, at: np.ndarray | None) -> np.ndarray:
    """Return the time from one instant to the other, in days."""
    one, other = (columns.numbers(n) if at is None else columns.numbers_at(n, at) for n in (late, early))
    return (one - other) / (86_400 * _TICKS[columns.held.column(late).type.unit])


def _same(columns: Columns, name: str, values: np.ndarray, wanted: np.ndarray) -> bool:
    """Return whether a column holds these values, but for rounding, and is missing where they are."""
    there = ~np.isnan(values)
    if not there.any() or not np.array_equal(there, ~np.isnan(wanted)):
        return False
    room = columns.rounding(name) * (1 + 1e-9) + 1e-9 * np.abs(wanted[there])
    return bool(np.all(np.abs(values[there] - wanted[there]) <= room))


def _differs(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    return len(present) * unlike(present) >= LEAST
