"""What lies around rows: the nearest of others, and how dense these are. Compiled: import it only where it is used."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.kernels import kernel
from synthwright.kit.learning.threads import side_by_side
from synthwright.kit.measuring.neighbours import Points

_TILE, _BLOCK = 64, 512
"""Rows and other rows that are compared at a time: what a core's nearest cache holds."""
_TASK = 1024
"""Rows that a thread takes at a time."""


class Near(NamedTuple):
    """What lies around each row."""

    nearest: np.ndarray
    """float32, rows × count: the smallest distances (0 to 1), ascending."""
    density: np.ndarray
    """float64: the sum of `(1 - distance / reach) ** 8` over the rows within reach."""


class _Search(NamedTuple):
    """Which rows are looked at, and how: distances are sums over columns."""

    begin: int
    end: int
    reach: float
    itself: bool
    """Whether row i of the others is row i itself, which is left out."""


def near(rows: Points, among: Points, count: int, reach: float, *, itself: bool = False) -> Near:
    """Return the distances to the nearest rows of `among`, and how dense these lie around each row.

    The distance is Gower's: the mean over columns of 0 or 1 for labels, and of the difference of coordinates, at most
    1, for values with an order. Memory is a few numbers for each row; time is rows × rows × columns, about two
    nanoseconds for fifteen columns.

    Args:
        rows: the rows that are looked around.
        among: the rows that are looked for; made by the same call of `scaled`; at least `count` besides the row itself.
        count: how many nearest rows; at least 1.
        reach: the distance from which on a row adds nothing to the density; more than 0.
        itself: whether `among` are the same rows in the same order; a row is then no neighbour of its own.
    """
    columns = max(rows.columns, 1)
    found = Near(np.full((rows.rows, count), columns, dtype=np.float32), np.zeros(rows.rows))
    searches = [_Search(i, min(i + _TASK, rows.rows), reach * columns, itself) for i in range(0, rows.rows, _TASK)]
    side_by_side(lambda search: _look(rows, among, search, found), searches)
    return Near(found.nearest / np.float32(columns), found.density)


@kernel
def _measure(rows: Points, among: Points, row: int, begin: int, total: np.ndarray) -> None:
    """Fill `total` with the distances of a row to as many others, from the one at `begin` on."""
    one = np.float32(1)
    total[:] = 0
    for c in range(among.ordered.shape[0]):
        mine, others = rows.ordered[c, row], among.ordered[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] += min(abs(mine - others[j]), one)
    for c in range(among.discrete.shape[0]):
        label, labels = rows.discrete[c, row], among.discrete[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] += np.float32(label != labels[j])


@kernel
def _weigh(distances: np.ndarray, reach: float, dense: np.ndarray) -> None:
    """Add to every place what the row at this place adds to the density."""
    zero, one, scale = np.float32(0), np.float32(1), np.float32(1 / reach)
    for j in range(len(distances)):
        weight = max(one - distances[j] * scale, zero)
        weight *= weight
        weight *= weight
        dense[j] += weight * weight


@kernel
def _keep(distances: np.ndarray, best: np.ndarray) -> None:
    """Sort distances into the smallest so far."""
    last = len(best) - 1
    limit = best[last]
    for j in range(len(distances)):
        if distances[j] < limit:
            at = last
            while at > 0 and best[at - 1] > distances[j]:
                best[at] = best[at - 1]
                at -= 1
            best[at] = distances[j]
            limit = best[last]


@kernel
def _look(rows: Points, among: Points, search: _Search, found: Near) -> None:
    """Find what lies around the rows of a search."""
    others = among.ordered.shape[1]
    total, dense = np.empty(_BLOCK, np.float32), np.empty((_TILE, _BLOCK), np.float32)
    for first in range(search.begin, search.end, _TILE):
        last = min(first + _TILE, search.end)
        dense[:] = 0
        for begin in range(0, others, _BLOCK):
            distances = total[: min(_BLOCK, others - begin)]
            for i in range(first, last):
                _measure(rows, among, i, begin, distances)
                if search.itself and begin <= i < begin + len(distances):
                    distances[i - begin] = np.float32(np.inf)
                _weigh(distances, search.reach, dense[i - first])
                _keep(distances, found.nearest[i])
        for i in range(first, last):
            found.density[i] = dense[i - first].sum()
