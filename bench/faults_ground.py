"""What the faults of `faults.py` and `faults_rows.py` have in common: how strong they are, and which cells they hit."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from faults_other import Rng, Split, any_of, coded, replaced, some, values

FEW, PART, MANY = (0.01, 0.05, 0.2), (0.2, 0.5, 1.0), (0.05, 0.2, 1.0)
"""Shares of the rows, at the three strengths."""
SIZE = (0.1, 0.3, 1.0)
"""In standard deviations, at the three strengths."""
Made: TypeAlias = "pa.Table | None"
"""What a fault returns: nothing where a table cannot have it."""


def chosen(split: Split, share: float, rng: Rng) -> np.ndarray:
    """Return a share of the rows as booleans."""
    return np.isin(np.arange(split.rows), some(split.rows, share, rng))


def exchanged(split: Split, pairs: list[tuple[str, str]], share: float, rng: Rng) -> Made:
    """Return the second sample with two columns of one type exchanged in a share of the rows where they differ."""
    pair = any_of([p for p in pairs if split.second[p[0]].type == split.second[p[1]].type], rng)
    if pair is None:
        return None
    one, other = (split.second[n] for n in pair)
    differ = np.flatnonzero(values(split.second, pair[0]) != values(split.second, pair[1]))
    rows = pa.array(np.isin(np.arange(split.rows), some(differ, share, rng)))
    return replaced(
        replaced(split.second, pair[0], pc.if_else(rows, other, one)), pair[1], pc.if_else(rows, one, other)
    )


def spelled(split: Split) -> list[str]:
    """Return the columns whose labels are text."""
    return [n for n in split.named("label") if isinstance(coded(split.second, n)[1][0], str)]
