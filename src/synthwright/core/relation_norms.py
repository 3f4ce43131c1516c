"""Columns that are the length of what others are the sides of: a distance, a magnitude, apparent power."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import CLOSE, Relation
from synthwright.core.rules import quoted

MOST = 12
"""Columns among which sides are looked for."""
FEW = 64
"""Rows on which all are tried."""
LEAST = 20
"""Rows that hold it, at least, and rows that would not if a side had another row's value."""


def norms(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the columns that are the root of the sum of the squares of two or three others, in every row.

    Names are columns none of which is a line of another.
    """
    able = [n for n in names if columns.family(n) == "number" and columns.exact(n)][:MOST]
    few = slice(None, None, max(1, len(columns.at) // FEW))
    tried = {n: columns.sampled(n)[few] for n in able}
    out: list[Relation] = []
    for target in able:
        if not (tried[target] >= 0).any() or (tried[target] < 0).any():
            continue
        others = [n for n in able if n != target and n not in {r.column for r in out}]
        for sides in (*combinations(others, 2), *combinations(others, 3)):
            if not _long(columns, target, tried[target], [tried[s] for s in sides]):
                continue
            rows = _proved(columns, target, sides)
            if rows:
                said = " + ".join(f"{quoted(s)} * {quoted(s)}" for s in sides)
                out.append(Relation(f"{quoted(target)} == sqrt({said})", target, sides, rows))
                break
    return out


def _long(columns: Columns, target: str, values: np.ndarray, sides: list[np.ndarray]) -> bool:
    """Return whether values are the length of what the sides span, wherever all are there."""
    wrong = _wrong(columns, target, values, sides)
    return bool(not wrong.any() and np.sum(~np.isnan(values)) >= min(LEAST, len(values)))


def _wrong(columns: Columns, target: str, values: np.ndarray, sides: list[np.ndarray]) -> np.ndarray:
    """Return in which rows they are not, but for rounding; NaN in one alone is wrong too."""
    with np.errstate(all="ignore"):
        made = np.sqrt(np.sum(np.square(sides), axis=0))
        off = np.abs(values - made) > columns.rounding(target) * (1 + 1e-9) + CLOSE * made
    return np.asarray(off | (np.isnan(values) != np.isnan(made)))


def _proved(columns: Columns, target: str, sides: tuple[str, ...]) -> int:
    """Return in how many rows it holds, if it does in all and would not with other rows' sides; else 0."""
    values, held = columns.numbers(target), [columns.numbers(s) for s in sides]
    if not _long(columns, target, values, held):
        return 0
    other = np.roll(np.arange(len(values)), 1 + len(values) // 3)
    for i in range(len(held)):
        strange = [v[other] if i == j else v for j, v in enumerate(held)]
        if int(_wrong(columns, target, values, strange).sum()) < LEAST:
            return 0
    return int(np.sum(~np.isnan(values)))
