"""Whole numbers that are the full years from one day to another: the age at a visit."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import part_of

MOST = 10
"""Columns of days between which full years are looked for."""
LEAST = 20
"""Rows in which an unrelated column would differ, at least."""


def ages(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the whole numbers that are the full years between two days, in every row."""
    fields = columns.spec.fields
    days = [n for n in names if fields[n].kind in (Kind.DATE, Kind.DATETIME)][:MOST]
    whole = [n for n in names if columns.family(n) == "number" and _whole(columns.sampled(n))]
    out: list[Relation] = []
    for late, early in permutations(days, 2) if whole else ():
        apart = _years(columns, late, early, columns.at)
        for name in whole:
            if name in {r.column for r in out} or not _same(columns.sampled(name), apart):
                continue
            values = columns.numbers(name)
            if _same(values, _years(columns, late, early, np.arange(columns.rows))) and _varies(values):
                out.append(Relation(_said(name, late, early), name, (late, early), int(np.sum(~np.isnan(values)))))
    return out


def _whole(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    return bool(len(present) >= LEAST and np.ptp(present) and (present == np.rint(present)).all())


def _years(columns: Columns, late: str, early: str, at: np.ndarray) -> np.ndarray:
    """Return the full years between two days, NaN where one of them is missing."""
    one, other = (columns.held.column(n).take(pa.array(at)) for n in (late, early))
    found = []
    for column in (one, other):
        year, month, day = (pc.cast(part_of(column, p), pa.float64()) for p in ("year", "month", "day"))
        found.append([np.asarray(pc.fill_null(v, float("nan")).to_numpy()) for v in (year, month, day)])
    (y, m, d), (v, n, e) = found
    return np.asarray(y - v - (100 * m + d < 100 * n + e))


def _same(values: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.array_equal(values, wanted, equal_nan=True))


def _varies(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    return len(present) * unlike(present) >= LEAST


def _said(name: str, late: str, early: str) -> str:
    one, other = quoted(late), quoted(early)
    before = f"100 * month({one}) + day({one}) < 100 * month({other}) + day({other})"
    return f"{quoted(name)} == year({one}) - year({other}) - ({before})"
