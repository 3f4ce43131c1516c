"""Columns of which no two rows share all values: every store once in each week, every seat once in each show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted

EXPECTED = 30.0
"""Pairs of rows that would share all values if the columns had nothing to do with each other, at least."""
MOST = ((2, 60), (3, 16), (4, 10))
"""How many columns are combined, and among how many of them: those that repeat most."""
FIRST = 256
"""Rows on which all combinations are tried."""


def unique_together(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the smallest sets of columns whose values together occur once at most.

    None of the columns differs in all rows by itself, and by chance many rows would have been alike. A row in which
    one of the values is missing does not count.
    """
    ties = {n: _ties(columns.sampled_codes(n)) for n in names}
    repeating = sorted((n for n in names if ties[n] > 0), key=lambda n: -ties[n])
    found: list[frozenset[str]] = []
    out: list[Relation] = []
    for together in _sets(repeating):
        if any(known <= set(together) for known in found):
            continue
        if _expected(columns.rows, [ties[n] for n in together]) < EXPECTED:
            continue
        rows = _differ(columns, together)
        if rows and _expected(rows, [ties[n] for n in together]) >= EXPECTED:
            found.append(frozenset(together))
            said = sorted(together, key=names.index)
            out.append(Relation(f"unique({', '.join(map(quoted, said))})", said[-1], tuple(said[:-1]), rows))
    return out


def _sets(names: list[str]) -> Iterator[tuple[str, ...]]:
    for size, among in MOST:
        yield from combinations(names[:among], size)


def _ties(codes: np.ndarray) -> float:
    """Return how likely two rows share the value of a column; 0: none in the sample do."""
    counts = np.bincount(codes[codes >= 0]).astype(np.float64)
    rows = counts.sum()
    return float((counts * (counts - 1)).sum() / (rows * (rows - 1))) if rows > 1 else 0.0


def _expected(rows: int, ties: list[float]) -> float:
    """Return how many pairs of rows would be alike by chance."""
    return rows * (rows - 1) / 2 * float(np.prod(ties))


def _differ(columns: Columns, together: tuple[str, ...]) -> int:
    """Return how many rows have all values, if no two of them share all; else 0."""
    held = [columns.sampled_codes(n) for n in together]
    if not (_once([c[:FIRST] for c in held]) and _once(held)):
        return 0
    whole = [columns.codes(n) for n in together]
    return int(np.logical_and.reduce([c >= 0 for c in whole]).sum()) if _once(whole) else 0


def _once(held: list[np.ndarray]) -> bool:
    there = np.logical_and.reduce([c >= 0 for c in held])
    place = np.zeros(int(there.sum()), dtype=np.int64)
    for codes in held:
        _, place = np.unique(place * (int(codes.max(initial=0)) + 1) + codes[there], return_inverse=True)
    return len(place) == int(place.max(initial=-1)) + 1
