"""A column told by points: every bin of every column before it has some, and a row's points are added up.

Fitted by ridge regression on bins, in a few coarse groups of each column (optimal scaling; Gifi 1990, Nonlinear
multivariate analysis). Where many columns tell a little each, as the answers of a questionnaire do, this takes far
fewer rows than trees, which spend a split on each of them.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.additive import Scores
from synthwright.kit.learning.splits import Features

COARSE, COMMON = 8, 16
"""Groups of an ordered column, and labels of another one, that have points of their own."""
PENALTIES = (3.0, 30.0, 300.0)
"""How many rows stand against points; what tells rows best that were not learned from is taken."""
NULL = 255
"""The bin of no value."""


def fitted(features: Features, answers: np.ndarray, parts: list[np.ndarray]) -> tuple[list[Scores], np.ndarray]:
    """Return for each part of the rows the points that all others give, and the axis of the answers that they tell.

    Args:
        features: of all rows.
        answers: float64, all rows × answers: one for a column with an order, one for each label of another. Of labels
            the axis is told along which the columns before tell them apart most.
        parts: the rows of each part; two at least.
    """
    groups = _groups(features, np.concatenate(parts))
    hot = [_hot(groups, features.bins[:, rows]) for rows in parts]
    real = [answers[rows] for rows in parts]
    sums = [_Sums.of(x, y) for x, y in zip(hot, real, strict=True)]
    rest = [reduce(_Sums.plus, sums[:k] + sums[k + 1 :]) for k in range(len(sums))]
    best, models = np.inf, []
    for penalty in PENALTIES:
        tried = [each.solved(penalty) for each in rest]
        missed = sum(float(((y - x @ w - at) ** 2).sum()) for x, y, (w, at) in zip(hot, real, tried, strict=True))
        if missed < best:
            best, models = missed, tried
    said = np.concatenate([x @ w + at for x, (w, at) in zip(hot, models, strict=True)])
    axis = np.linalg.svd(said - said.mean(axis=0), full_matrices=False)[2][0]
    return [Scores(_points(groups, weights @ axis, float(at @ axis))) for weights, at in models], axis


class _Sums(NamedTuple):
    """What a regression needs to know of some rows."""

    rows: float
    hot: np.ndarray
    answers: np.ndarray
    squares: np.ndarray
    products: np.ndarray

    @staticmethod
    def of(hot: np.ndarray, answers: np.ndarray) -> _Sums:
        """Return them for rows that are in these groups and have these answers."""
        return _Sums(len(hot), hot.sum(axis=0), answers.sum(axis=0), hot.T @ hot, hot.T @ answers)

    def plus(self, other: _Sums) -> _Sums:
        """Return those of these rows and others."""
        return _Sums(self.rows + other.rows, self.hot + other.hot, self.answers + other.answers,
                     self.squares + other.squares, self.products + other.products)  # fmt: skip

    def solved(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the weight of each group (groups × answers), and where all start."""
        squares = self.squares - np.outer(self.hot, self.hot) / self.rows
        products = self.products - np.outer(self.hot, self.answers) / self.rows
        weights = np.linalg.solve(squares + penalty * np.eye(len(squares)), products)
        return weights, (self.answers - self.hot @ weights) / self.rows


def _groups(features: Features, rows: np.ndarray) -> np.ndarray:
    """Return the group of each bin (int64, columns × 256), numbered through; -1 for bins that no row has."""
    found = np.full((len(features.bins), 256), -1, dtype=np.int64)
    first = 0
    for k, (bins, nominal) in enumerate(zip(features.bins, features.nominal, strict=True)):
        counts = np.bincount(bins[rows], minlength=256)
        there = np.flatnonzero(counts[:NULL])
        if nominal:
            place = np.empty(len(there), dtype=np.int64)
            place[np.argsort(-counts[there], kind="stable")] = np.arange(len(there))
            place = np.minimum(place, COMMON)
        elif len(there) > COARSE:
            upto = np.cumsum(counts[there]) - counts[there] / 2
            place = np.unique((upto / counts[there].sum() * COARSE).astype(np.int64), return_inverse=True)[1]
        else:
            place = np.arange(len(there))
        found[k, there] = first + place
        first += int(place.max()) + 1 if len(there) else 0
        if counts[NULL]:
            found[k, NULL] = first
            first += 1
    return found


def _hot(groups: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return 1 for each group that a row is in (float64, rows × groups)."""
    found = np.zeros((bins.shape[1], int(groups.max()) + 1))
    for k, mine in enumerate(bins):
        at = groups[k, mine]
        rows = np.flatnonzero(at >= 0)
        found[rows, at[rows]] = 1.0
    return found


def _points(groups: np.ndarray, weights: np.ndarray, start: float) -> np.ndarray:
    """Return the points of each bin: those of its group; all rows start from the first column's."""
    found = np.where(groups >= 0, weights[np.maximum(groups, 0)], 0.0)
    found[0] += start
    return found.astype(np.float32)
