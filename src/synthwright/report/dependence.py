"""How strongly columns depend on each other, for the heat maps: one measure, Cramér's V, for all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.dataset import Dataset
from synthwright.core.schema import DISCRETE, ORDERED
from synthwright.core.values import Column, numbers
from synthwright.kit.measuring.stats import binned, quantiles, shared_codes
from synthwright.report.counts import thin

ROWS = 20_000
"""Rows that are looked at."""
MOST_COLUMNS = 30
"""Columns of a heat map: more cannot be read."""
_GROUPS = 8
"""Groups of a column, besides missing values and rare labels."""


class Dependence(NamedTuple):
    """The strength of every pair, 0 (independent) to 1 (one decides the other)."""

    columns: tuple[str, ...]
    real: np.ndarray | None
    synthetic: np.ndarray


def depend(table: str, columns: Sequence[str], real: Dataset | None, synthetic: Dataset) -> Dependence | None:
    """Return how strongly the first `MOST_COLUMNS` of these columns of a table depend on each other.

    Ordered columns are cut at quantiles of the real values, labels grouped to the most frequent ones. None where fewer
    than two columns can be compared.
    """
    fields = synthetic.schema.tables[table].fields
    sides = [d.tables[table] for d in (real, synthetic) if d is not None and d.tables[table].num_rows]
    if not sides or len(sides) < (1 if real is None else 2):
        return None
    chosen = [c for c in columns if not fields[c].anew and fields[c].kind in (ORDERED | DISCRETE)
              and all(c in s.column_names for s in sides)][:MOST_COLUMNS]  # fmt: skip
    chosen = [c for c in fields if c in set(chosen)]
    if len(chosen) < 2:
        return None
    codes = [_grouped([thin(s.column(c), ROWS) for s in sides], ordered=fields[c].kind in ORDERED) for c in chosen]
    matrices = [_strengths([(held[i], size) for held, size in codes]) for i in range(len(sides))]
    return Dependence(tuple(chosen), matrices[0] if real is not None else None, matrices[-1])


def _grouped(sides: list[Column], *, ordered: bool) -> tuple[list[np.ndarray], int]:
    """Return a column of each side as codes of the same few groups, and how many groups there are."""
    if ordered:
        values = [numbers(s) for s in sides]
        edges = quantiles(values[0], np.arange(1, _GROUPS) / _GROUPS)
        return [binned(v, edges) for v in values], len(edges) + 2
    codes, size = shared_codes(sides)
    counts = np.bincount(codes[0], minlength=size)
    counts[-1] = 0  # the code of nulls, which keep a group of their own
    often = np.argsort(-counts, kind="stable")[:_GROUPS]
    group = np.full(size, len(often))
    group[often] = np.arange(len(often))
    group[-1] = len(often) + 1
    return [group[c] for c in codes], len(often) + 2


def _strengths(columns: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return Cramér's V of all pairs, corrected for its bias.

    Reference: Bergsma, A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42 (2013).
    """
    starts = np.cumsum([0, *(size for _, size in columns)])
    rows = len(columns[0][0])
    hot = np.zeros((rows, starts[-1]), dtype=np.float32)
    for start, (codes, _) in zip(starts, columns, strict=False):
        hot[np.arange(rows), start + codes] = 1.0
    together = (hot.T @ hot).astype(np.float64)
    out = np.eye(len(columns))
    for i in range(len(columns)):
        for j in range(i):
            out[i, j] = out[j, i] = _cramer(together[starts[i] : starts[i + 1], starts[j] : starts[j + 1]], rows)
    return out


def _cramer(table: np.ndarray, rows: int) -> float:
    left, right = table.sum(axis=1), table.sum(axis=0)
    table, left, right = table[left > 0][:, right > 0], left[left > 0], right[right > 0]
    many, most = table.shape
    if min(many, most) < 2 or rows < 2:
        return 0.0
    expected = np.outer(left, right) / rows
    phi = float(((table - expected) ** 2 / expected).sum()) / rows
    phi = max(0.0, phi - (many - 1) * (most - 1) / (rows - 1))
    least = min(k - (k - 1) ** 2 / (rows - 1) for k in (many, most)) - 1
    return float(min(1.0, np.sqrt(phi / least))) if least > 0 else 0.0
