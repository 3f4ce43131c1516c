"""What leaves miss of how a column goes with those before it: within a leaf, rows lean up or down.

A leaf gives all of its rows the same distribution, so that what is left of a dependence within leaves is lost: many
weak ones, and the rest of strong ones. Ridge regression tells where in its leaf a row stands from the columns before,
both without their means in the leaf, of rows that the leaf's tree was not grown on. The rows that share out a leaf's
distribution do so in the order of what is told and chance: the leaf's distribution stays just as it is. Who has no
value is left to chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.additive import Scores, added
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.splits import Features
from synthwright.kit.learning.sums import MANY, Ridge, weighted

FEW, MOST, CELLS = 200, 10_000, 1_000_000
"""Rows from which on it is learned; rows, and rows × what is weighted, that it is learned from at most."""
SMALLEST = 4
"""Rows of a leaf, at least: of fewer, one says little of where the others stand."""
TELLS = 0.002
"""The share of the variance within leaves that must be told, of rows that it was not learned from."""
FULL = 0.9
"""The share of that variance that is believed to be told, at most: chance has the rest."""
_OUT = 1e-9
"""The share beyond the outermost places."""


class Within(NamedTuple):
    """Rows, and in which leaf each is: leaf by leaf, numbered through, none of them small."""

    rows: np.ndarray
    leaf: np.ndarray
    size: np.ndarray
    """How many rows each leaf has."""

    @staticmethod
    def of(rows: np.ndarray, leaf: np.ndarray) -> Within:
        """Return the rows of the leaves that have enough of them."""
        _, leaf, size = np.unique(leaf, return_inverse=True, return_counts=True)
        some = np.flatnonzero(size[leaf] >= SMALLEST)
        some = some[np.argsort(leaf[some], kind="stable")]
        _, leaf, size = np.unique(leaf[some], return_inverse=True, return_counts=True)
        return Within(rows[some], leaf, size)

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Return values of the rows less the mean of their leaf."""
        found: np.ndarray = values - (np.bincount(self.leaf, values, len(self.size)) / self.size)[self.leaf]
        return found

    def stand(self, places: np.ndarray) -> np.ndarray:
        """Return the normal number behind where each row's place stands among those of its leaf.

        Rows that share a place have the mean of the numbers that theirs may be.
        """
        from scipy.special import ndtri

        order = np.lexsort((places, self.leaf))
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (np.diff(places[order]) != 0) | (np.diff(self.leaf[order]) != 0)
        first = np.flatnonzero(begins)
        alike, leaf = np.diff(np.append(first, len(order))), self.leaf[order[first]]
        low = (first - (np.cumsum(self.size) - self.size)[leaf]) / self.size[leaf]
        share = alike / self.size[leaf]
        heights = [np.exp(-(ndtri(np.clip(at, _OUT, 1 - _OUT)) ** 2) / 2) for at in (low, low + share)]
        stand = np.empty(len(order))
        stand[order] = np.repeat((heights[0] - heights[1]) / np.sqrt(2 * np.pi) / share, alike)
        return stand


def leaning(
    column: Coded, places: np.ndarray, features: Features, parts: Sequence[tuple[np.ndarray, np.ndarray]],
    rng: np.random.Generator,
) -> Scores | None:  # fmt: skip
    """Return the points by which rows lean up within their leaf; nothing where leaves miss next to nothing.

    Args:
        column: what is made; only one with an order leans, or with two labels of which none is missing.
        places: of it, one for each row.
        features: what its trees split on.
        parts: rows, and the leaf of each of them in a tree that was not grown on them.
        rng: chooses leaves where there are more rows than are learned from.
    """
    rows = np.concatenate([mine for mine, _ in parts])
    ends = np.cumsum([0, *(int(leaf.max()) + 1 for _, leaf in parts)])
    leaf = np.concatenate([leaf.astype(np.int64) + end for (_, leaf), end in zip(parts, ends[:-1], strict=True)])
    there = places[rows] < column.size
    if there.sum() < FEW or not (column.ordered or (column.size == 2 and there.all())):
        return None
    rows, leaf = rows[there], leaf[there]
    bent = len(features.bins) < MANY
    tables = [weighted(mine, ordered=not label, bent=bent)
              for mine, label in zip(features.bins, features.nominal, strict=True)]  # fmt: skip
    ends_of = np.cumsum([table.shape[1] for table in tables])
    some = np.argsort(rng.permutation(ends[-1])[leaf], kind="stable")[: min(MOST, CELLS // int(ends_of[-1]))]
    within = Within.of(rows[some], leaf[some])
    if len(within.rows) < FEW:
        return None
    stand = within.stand(places[within.rows])
    shown = [table[mine[within.rows]] for table, mine in zip(tables, features.bins, strict=True)]
    matrix = np.concatenate(shown, axis=1)
    for k in range(matrix.shape[1]):
        matrix[:, k] = within.centred(matrix[:, k])
    variance, ridge = float((stand**2).mean()), Ridge.of(matrix)
    if ridge is None or variance <= 0:
        return None
    fit = ridge.fitted(stand)
    if fit.missed > (1 - max(TELLS, SMALLEST / len(within.rows))) * variance:
        return None
    slope = float(fit.told @ stand) / max(float(fit.told @ fit.told), 1e-12)  # of rows that it was not learned from
    weights = min(max(slope, 0.0), 1.0) * fit.weights / variance  # of the number behind, part of which is shared
    weights /= np.sqrt(1 - min(float((matrix @ weights).var()), FULL))
    points = [table @ weights[end - table.shape[1] : end] for table, end in zip(tables, ends_of, strict=True)]
    return Scores(np.array(points, dtype=np.float32))


def lined_up(lean: Scores | None, bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the orders (row numbers) in which rows share out the distribution of their leaf, the lowest value first.

    Args:
        lean: the points by which they lean; nothing: chance alone.
        bins: uint8, features × rows.
        rng: the randomness.

    Returns:
        int64, orders × rows: one by chance; or one by the lean, and one by chance, which says who has no value.
    """
    rows = bins.shape[1]
    chance = rng.permutation(rows)
    if lean is None:
        return chance[None]
    return np.stack([np.argsort(added(lean.points, bins) + rng.normal(size=rows), kind="stable"), chance])
