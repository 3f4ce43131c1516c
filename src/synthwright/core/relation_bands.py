"""Labels that follow from the band an ordered value lies in: the age group from the age."""

from __future__ import annotations

import numpy as np

from synthwright.core.bands import bands_of
from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted

EXPECTED = 40.0
"""How often an unrelated label would change along the values, at least."""
MOST = 40
"""Columns of each sort that are compared."""


def banded(columns: Columns, ordered: list[str], labels: list[str]) -> list[Relation]:
    """Return which labels follow from the band that an ordered value lies in, each from one column.

    Args:
        columns: the table.
        ordered: the columns that may determine.
        labels: the columns that may follow.
    """
    out = []
    for label in labels[:MOST]:
        sampled = columns.sampled_codes(label)
        if len(np.unique(sampled[sampled >= 0])) < 2:
            continue
        for name in ordered[:MOST]:
            rows = _holds(columns, name, label) if name != label else 0
            if rows:
                out.append(Relation(f"{quoted(name)} -> {quoted(label)}", label, (name,), rows))
                break
    return out


def _holds(columns: Columns, name: str, label: str) -> int:
    """Return in how many rows both have values, if the labels are bands of the values in all; else 0."""
    sample = _bound(columns.sampled(name), columns.sampled_codes(label), columns.rows / max(len(columns.at), 1))
    return _bound(columns.numbers(name), columns.codes(label), 1.0) if sample else 0


def _bound(values: np.ndarray, codes: np.ndarray, times: float) -> int:
    """Return how many rows have both, if labels are bands and would not be by chance in so many times the rows."""
    there = ~np.isnan(values) & (codes >= 0)
    values, codes = values[there], codes[there]
    rows = len(values)
    if not rows:
        return 0
    return rows if times * rows * unlike(codes) >= EXPECTED and bands_of(values, codes) is not None else 0
