"""Where real rows lie: balls around them that reach to their nearest neighbours, and which other rows are inside.

The distance is that of `kit.measuring.neighbours`. Everything is computed in blocks, so that memory stays small.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field
from synthwright.kit.measuring.neighbours import Points, _distances, points

_CELLS = 400_000
"""Distances computed at once: what a core's cache holds."""
_WORK = 3_000_000_000
"""Column distances that are computed: a table of more columns is looked at on fewer rows."""
CROWD = 40
"""Rows in a ball from which on it does not matter which they are: that a random half has none of them is as unlikely
as so many heads in a row."""


class Inside(NamedTuple):
    """Which rows of two samples, one after the other, lie in which balls."""

    balls: np.ndarray
    """int64: how many balls hold each row."""
    rows: np.ndarray
    """int64, 2 × balls: how many rows of each sample a ball holds."""
    ball: np.ndarray
    """int64, with `row` a list of pairs: the rows of every ball that holds fewer than `CROWD`."""
    row: np.ndarray

    def exchanged(self, first: int, times: int, rng: np.random.Generator) -> float:
        """Return the standard deviation of the difference in reached balls if rows changed samples at random.

        A ball is reached by a sample of which it holds a row; the difference is of shares of balls.

        Args:
            first: how many rows the first sample has.
            times: how often the rows are dealt anew.
            rng: deals them.
        """
        chosen = np.arange(len(self.balls)) < first
        apart = np.empty(times)
        for i in range(times):
            mine = rng.permutation(chosen)[self.row]
            sides = (np.bincount(self.ball[own], minlength=self.rows.shape[1]) > 0 for own in (mine, ~mine))
            one, other = (side.sum() for side in sides)
            apart[i] = (one - other) / max(self.rows.shape[1], 1)
        return math.sqrt(float(np.mean(apart**2)))


def most_rows(columns: int, wanted: int) -> int:
    """Return how many rows of each of three samples can be looked at, no more than are wanted."""
    return max(100, min(wanted, math.isqrt(_WORK // (3 * max(columns, 1)))))


def around(real: pa.Table, samples: tuple[pa.Table, pa.Table], fields: dict[str, Field], neighbours: int) -> Inside:
    """Return which rows of two samples lie in balls around real rows that reach to a nearest other real row.

    Distances are as the real rows see them: ranks are among these alone, so that both samples are treated alike.

    Args:
        real: rows that are the centres.
        samples: two tables with the same columns.
        fields: the columns that count; at least one.
        neighbours: 1 for balls that reach to the nearest other row, 2 for the second nearest, …
    """
    centres, *others = points([real, *samples], fields, among=(0,))
    ordered, discrete = (np.concatenate([o[i] for o in others], axis=1) for i in range(2))
    both = Points(ordered, discrete, centres.gaps)
    return inside(centres, radii(centres, neighbours), both, others[0].rows)


def radii(rows: Points, count: int) -> np.ndarray:
    """Return each row's distance (0 to 1) to its nearest other row, its second nearest, …; float32.

    Args:
        rows: at least one; where there are too few others, the farthest row is taken.
        count: 1 for the nearest.
    """
    out = np.empty(rows.rows, dtype=np.float32)
    place = min(count, rows.rows - 1)  # the row itself is at distance 0, before the others
    for block in _blocks(rows.rows, rows.rows):
        out[block] = np.partition(_distances(rows, rows, block), place, axis=1)[:, place]
    return out


def inside(centres: Points, reach: np.ndarray, others: Points, first: int) -> Inside:
    """Return which rows lie in balls around centres; on the edge is inside.

    Args:
        centres: what the balls are around.
        reach: each ball's radius; see `radii`.
        others: the rows of two samples, one after the other; made by the same call of `points`.
        first: how many of them are of the first sample.
    """
    balls = np.zeros(others.rows, dtype=np.int64)
    rows = np.empty((2, centres.rows), dtype=np.int64)
    pairs = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    for block in _blocks(centres.rows, others.rows):
        held = _distances(centres, others, block) <= reach[block, None]
        balls += held.sum(axis=0)
        rows[:, block] = held[:, :first].sum(axis=1), held[:, first:].sum(axis=1)
        few = np.flatnonzero(rows[:, block].sum(axis=0) < CROWD)
        ball, row = np.nonzero(held[few])
        pairs.append((block.start + few[ball], row))
    ball, row = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return Inside(balls, rows, ball, row)


def _blocks(rows: int, among: int) -> list[slice]:
    step = max(1, _CELLS // max(among, 1))
    return [slice(begin, min(begin + step, rows)) for begin in range(0, rows, step)]
