"""Nearest rows: distances between rows of mixed columns, in blocks, so that memory stays small.

The distance is Gower's, with ranks in the place of ranges: the mean over columns of 0 or 1 for labels, and of the
difference in rank, as a share of the reference rows, for values with an order. So an outlier changes nothing, and no
column has to have a range. Null is at distance 0 from null and 1 from everything else. References: Gower, A general
coefficient of similarity, Biometrics 27 (1971); Podani, Extending Gower's general coefficient to ordinal characters,
Taxon 48 (1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import numbers
from synthwright.kit.measuring.stats import midranks, shared_codes

_ABSENT = 4.0
"""Stands for null among ranks: farther than 1 from all, and distances stop at 1."""
_CELLS = 400_000
"""Distances computed at once: what a core's cache holds."""


class Points(NamedTuple):
    """Rows of one table as coordinates; columns are rows of the matrices, so that one column lies together."""

    ordered: np.ndarray
    """float32, columns × rows: ranks from 0 to 1."""
    discrete: np.ndarray
    """int32, columns × rows: labels."""
    gaps: np.ndarray
    """Booleans: which ordered columns have nulls in any of the tables."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.ordered.shape[1])

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.ordered) + len(self.discrete)


def points(tables: Sequence[pa.Table], fields: Mapping[str, Field], among: Sequence[int]) -> list[Points]:
    """Return several tables as coordinates that can be compared.

    Args:
        tables: with the columns of `fields`, in one type.
        fields: what the columns are; at least one.
        among: positions of the tables whose rows the ranks count.
    """
    ordered = [c for c, f in fields.items() if f.kind in ORDERED]
    rest = [c for c in fields if c not in set(ordered)]
    ranks = [np.empty((len(ordered), t.num_rows), dtype=np.float32) for t in tables]
    labels = [np.empty((len(rest), t.num_rows), dtype=np.int32) for t in tables]
    gaps = np.zeros(len(ordered), dtype=bool)
    for i, name in enumerate(ordered):
        values = [numbers(t.column(name)) for t in tables]
        scale = np.concatenate([values[a] for a in among])
        scale = np.sort(scale[~np.isnan(scale)])
        for held, v in zip(ranks, values, strict=True):
            held[i] = np.nan_to_num(midranks(v, scale), nan=_ABSENT)
        gaps[i] = any(bool(np.isnan(v).any()) for v in values)
    for i, name in enumerate(rest):
        for coded, codes in zip(labels, shared_codes([t.column(name) for t in tables])[0], strict=True):
            coded[i] = codes
    return [Points(r, d, gaps) for r, d in zip(ranks, labels, strict=True)]


def nearest(rows: Points, among: Points, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances (0 to 1) and positions of each row's nearest rows in `among`, the nearest first.

    Memory stays at a few megabytes; time is rows × rows × columns, about two nanoseconds for ten columns. Of equally
    near rows, the first is taken.

    Args:
        rows: whose neighbours are wanted.
        among: where they are looked for; made by the same call of `points`.
        count: how many; `among` must have as many rows.

    Returns:
        float32 and int64, both rows × count.
    """
    count = min(count, among.rows)
    distances = np.empty((rows.rows, count), dtype=np.float32)
    positions = np.empty((rows.rows, count), dtype=np.int64)
    step = max(1, _CELLS // max(among.rows, 1))
    for begin in range(0, rows.rows, step):
        block = slice(begin, min(begin + step, rows.rows))
        found = _distances(rows, among, block)
        near = found.argmin(axis=1)[:, None] if count == 1 else np.argsort(found, axis=1, kind="stable")[:, :count]
        positions[block] = near
        distances[block] = np.take_along_axis(found, near, axis=1)
    return distances, positions


def _distances(rows: Points, among: Points, block: slice) -> np.ndarray:
    """Return the distances of a block of rows to all of `among`; equal rows add up to equal distances."""
    shape = (block.stop - block.start, among.rows)
    total, part = np.zeros(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    for mine, others, gap in zip(rows.ordered[:, block], among.ordered, rows.gaps, strict=True):
        np.subtract(mine[:, None], others[None, :], out=part)
        np.abs(part, out=part)
        if gap:
            np.minimum(part, 1.0, out=part)
        total += part
    if len(rows.discrete):
        differ, unlike = np.zeros(shape, dtype=np.uint16), np.empty(shape, dtype=bool)
        for codes, known in zip(rows.discrete[:, block], among.discrete, strict=True):
            np.not_equal(codes[:, None], known[None, :], out=unlike)
            differ += unlike
        total += differ
    return np.divide(total, np.float32(max(rows.columns, 1)), out=total)
