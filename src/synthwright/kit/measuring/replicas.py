"""The same rows counted again and again, at once: for intervals, and for what chance alone does to a distance.

Three samples are dealt into groups at random: held-out rows, and the rows of two others, synthetic and real, that are
held against them. Everything is counted by group, so that any choice of groups is a sum. Leaving out one group at a
time gives the interval (the delete-a-group jackknife: Kott, Journal of Official Statistics 17, 2001). Exchanging groups
between the two others gives the null of permutation: if synthetic rows were a second real sample, it would not matter
which of the two a group belongs to (Pitman, Significance tests which may be applied to samples from any populations,
Supplement to the Journal of the Royal Statistical Society 4, 1937).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synthwright.kit.measuring.stats import (
    GROUPS,
    Estimate,
    binned,
    deal,
    farthest,
    jackknife,
    kolmogorov_smirnov,
    quantiles,
    total_variation,
)

EXCHANGES = 100
"""How often groups are exchanged: the standard error of the null is then known to a fourteenth of itself."""
_FINE = 256
"""Points at which replicates of the Kolmogorov-Smirnov distance are taken; the distance itself is exact."""
_SETTLED = 2 + GROUPS

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of two arrays of shares (the last axis), the distances."""


class Replicas(NamedTuple):
    """How the rows of three samples are dealt, and which groups count in which replicate.

    A statistic has an array of replicates: with all synthetic rows (the value), with all rows of the second real sample
    (the reference), without each group of held-out and synthetic rows in turn, and then with random halves of the
    groups of both, and with the other halves.
    """

    real: np.ndarray
    """int64: the group of every held-out row, 0 … GROUPS - 1."""
    other: np.ndarray
    """int64: the group of every other row: synthetic rows first, then (GROUPS and up) those of the second sample."""
    synthetic: int
    """How many of the other rows are synthetic."""
    chosen: np.ndarray
    """Replicates × 2 GROUPS, 0 or 1: which groups of the other rows count."""

    def counted(self, real: np.ndarray, other: np.ndarray, size: int, distance: Distance) -> np.ndarray:
        """Return the replicates of a distance between the shares of codes 0 … size - 1."""
        mine = _by_group(real, self.real, GROUPS, size)
        theirs = _shares(self.chosen @ _by_group(other, self.other, 2 * GROUPS, size))
        whole = mine.sum(axis=0)
        found = distance(_shares(whole[None, :]), theirs)
        found[2:_SETTLED] = distance(_shares(whole - mine), theirs[2:_SETTLED])
        return found

    def ordered(self, real: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the replicates of the Kolmogorov-Smirnov distance of numbers, NaN being null."""
        edges = quantiles(np.concatenate([real, other]), np.arange(1, _FINE) / _FINE)
        found = self.counted(binned(real, edges), binned(other, edges), len(edges) + 2, _steps)
        exact = [kolmogorov_smirnov(real, o) for o in (other[: self.synthetic], other[self.synthetic :])]
        found[2:_SETTLED] += exact[0] - found[0]
        found[:2] = exact
        return found

    def labelled(self, real: np.ndarray, other: np.ndarray, size: int) -> np.ndarray:
        """Return the replicates of the total variation distance of codes 0 … size - 1."""
        return self.counted(real, other, size, total_variation)

    def correlated(self, real: tuple[np.ndarray, np.ndarray], apart: tuple[np.ndarray, np.ndarray],
                   pooled: tuple[np.ndarray, np.ndarray]) -> np.ndarray:  # fmt: skip
        """Return the replicates of half the difference between two columns' rank correlations.

        Args:
            real: ranks of both columns among held-out rows, NaN where null.
            apart: ranks among the synthetic rows, then those among the rows of the second sample.
            pooled: ranks among all these other rows, for the exchanges: they do not know which row is whose.
        """
        mine = _moments(*real, self.real, GROUPS)
        theirs = [_moments(*ranks, self.other, 2 * GROUPS) for ranks in (apart, pooled)]
        whole = mine.sum(axis=1, keepdims=True)
        own = _correlation(whole), _correlation(whole - mine)
        found = np.abs(own[0] - _correlation(theirs[1] @ self.chosen.T)) / 2
        early = _correlation(theirs[0] @ self.chosen[:_SETTLED].T)
        found[:2] = np.abs(own[0] - early[:2]) / 2
        found[2:_SETTLED] = np.abs(own[1] - early[2:]) / 2
        return np.asarray(found)


class Told(NamedTuple):
    """What replicates say."""

    estimate: Estimate
    reference: float
    error: float
    """The standard error of value less reference, were the synthetic rows a second real sample."""


def dealt(real: int, synthetic: int, second: int, rng: np.random.Generator) -> Replicas:
    """Deal the rows of three samples into groups, and choose which groups are exchanged."""
    chosen = np.zeros((_SETTLED + 2 * EXCHANGES, 2 * GROUPS))
    chosen[0, :GROUPS] = chosen[1, GROUPS:] = 1.0
    chosen[2:_SETTLED, :GROUPS] = 1.0 - np.eye(GROUPS)
    # as many groups of both in each half: where the two differ, the halves are still alike, and the null stays narrow
    halves = np.hstack([rng.permuted(np.tile(np.arange(GROUPS) % 2.0, (EXCHANGES, 1)), axis=1) for _ in range(2)])
    chosen[_SETTLED:] = np.vstack([halves, 1.0 - halves])
    groups = [deal(rows, rng) for rows in (real, synthetic, second)]
    return Replicas(groups[0], np.concatenate([groups[1], groups[2] + GROUPS]), synthetic, chosen)


def nothing() -> np.ndarray:
    """Return the replicates of what is always 0."""
    return np.zeros(_SETTLED + 2 * EXCHANGES)


def told(found: np.ndarray) -> Told:
    """Return what the replicates of a statistic say."""
    apart = found[_SETTLED : _SETTLED + EXCHANGES] - found[_SETTLED + EXCHANGES :]
    error = math.sqrt(float(np.mean(apart**2)))
    return Told(jackknife(float(found[0]), found[2:_SETTLED]), float(found[1]), error)


def _by_group(codes: np.ndarray, groups: np.ndarray, count: int, size: int) -> np.ndarray:
    counts = np.bincount(groups * size + codes, minlength=count * size)
    return counts.reshape(count, size).astype(np.float64)


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0))


def _steps(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Kolmogorov-Smirnov distances of shares of bins, the last bin being null."""
    difference = left - right
    return farthest(difference[..., :-1].cumsum(axis=-1), difference[..., -1])


def _moments(left: np.ndarray, right: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Return the sums by group of what a correlation needs, where both ranks are known."""
    both = ~(np.isnan(left) | np.isnan(right))
    x, y, g = left[both] - 0.5, right[both] - 0.5, groups[both]
    return np.stack([np.bincount(g, weights=w, minlength=count) for w in (np.ones(len(x)), x, y, x * x, y * y, x * y)])


def _correlation(sums: np.ndarray) -> np.ndarray:
    """Return correlations from sums; 0 where a column does not vary."""
    count, sx, sy, sxx, syy, sxy = sums
    count = np.maximum(count, 1.0)
    covariance = sxy / count - (sx / count) * (sy / count)
    spread = np.maximum(sxx / count - (sx / count) ** 2, 0.0) * np.maximum(syy / count - (sy / count) ** 2, 0.0)
    flat = spread <= 1e-18  # rounding leaves this much of the spread of a constant
    return np.clip(np.where(flat, 0.0, covariance / np.sqrt(np.where(flat, 1.0, spread))), -1.0, 1.0)
