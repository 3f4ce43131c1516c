"""Columns that follow from two others together, and from none of them alone: the price from article and size."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.relation_lookup import determined
from synthwright.core.rules import quoted

EXPECTED = 30.0
"""Rows that would break the relation, at least, if the column followed from one of the two alone, as well as it can."""
GROUP = 5.0
"""Rows that share both determining values, on average."""
SHARED, RARE = 3, 0.02
"""Rows that a pair needs to be kept; the share of rows, at most, whose pair has fewer: what they have is guessed."""
MOST = 24
"""Columns of each sort that are tried."""


class _Found(NamedTuple):
    """A column that follows from two others."""

    target: str
    by: tuple[str, str]
    rows: int
    filled: float
    """The share of the pairs that there might be which there are."""


def paired(columns: Columns, names: list[str], targets: list[str]) -> list[Relation]:
    """Return which columns follow from two others; where each of three does, the last.

    Args:
        columns: the table.
        names: discrete columns that may determine.
        targets: discrete columns that follow from no one column.
    """
    most = columns.rows / GROUP
    sizes = {n: len(np.unique(columns.sampled_codes(n))) for n in dict.fromkeys(names + targets)}
    lefts = [n for n in names if 2 <= sizes[n] <= most / 2][:MOST]
    rights = [n for n in targets if sizes[n] > 1][:MOST]
    pairs = [(a, b) for a, b in combinations(lefts, 2) if sizes[a] * sizes[b] <= most]
    if not pairs or not rights:
        return []
    both = [_both(columns.sampled_codes(a), columns.sampled_codes(b)) for a, b in pairs]
    sample = np.stack([*both, *(columns.sampled_codes(n) for n in rights)], axis=1)
    able = [(pairs[i], rights[j - len(pairs)]) for i, j in determined(sample, len(pairs))]
    found = [f for by, target in able if target not in by and (f := _proved(columns, by, target)) is not None]
    order = {n: i for i, n in enumerate(columns.spec.fields)}
    out: dict[str, _Found] = {}
    for one in sorted(found, key=lambda f: (-round(f.filled, 3), -order[f.target], *map(order.get, f.by))):
        if one.target not in out and not any(one.target in f.by or f.target in one.by for f in out.values()):
            out[one.target] = one
    said = sorted(out.values(), key=lambda f: order[f.target])
    return [Relation(f"({', '.join(map(quoted, f.by))}) -> {quoted(f.target)}", f.target, f.by, f.rows) for f in said]


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return a code for each pair of codes; -1 where one is missing."""
    return np.where((one < 0) | (other < 0), -1, one * (int(other.max(initial=0)) + 1) + other)


def _proved(columns: Columns, by: tuple[str, str], target: str) -> _Found | None:
    """Return the relation if it holds in all rows, and one column alone, or chance, would break it in many."""
    one, other, label = (columns.codes(n) for n in (*by, target))
    keep = (one >= 0) & (other >= 0) & (label >= 0)
    one, other, label = one[keep], other[keep], label[keep]
    pair = _both(one, other)
    _, first, which, rows = np.unique(pair, return_index=True, return_inverse=True, return_counts=True)
    if not len(label) or not np.array_equal(label[first][which], label):
        return None
    if len(rows) * GROUP > len(label) or rows[rows < SHARED].sum() > RARE * len(label):
        return None
    if any(_broken(alone[first], rows, alone, label) < EXPECTED for alone in (one, other)):
        return None
    filled = len(rows) / (len(np.unique(one)) * len(np.unique(other)))
    return _Found(target, by, len(label), filled)


def _broken(of: np.ndarray, rows: np.ndarray, alone: np.ndarray, label: np.ndarray) -> float:
    """Return how many rows would differ from the first of their pair, if one of the two columns said all there is.

    Args:
        of: for each pair, its value of that column.
        rows: how many rows each pair has.
        alone: that column.
        label: the column that follows.
    """
    differ = np.zeros(int(alone.max()) + 1)
    for value in np.unique(alone):
        differ[value] = unlike(label[alone == value])
    return float(((rows - 1) * differ[of]).sum())
