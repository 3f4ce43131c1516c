"""What metrics count with: distances between samples, 95 % intervals, and rounding to what a sample can tell.

Intervals of distances come from the delete-a-group jackknife: every sample's rows are dealt into `GROUPS` groups at
random, the distance is computed without each group in turn, and the spread of these replicates gives the standard
error. It costs one count per column, holds for any number of columns that share their groups (so that the error of a
mean over columns is right, however they depend on each other), and is a little wide for samples of fewer than `GROUPS`
rows. Reference: Kott, The delete-a-group jackknife, Journal of Official Statistics 17 (2001).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.values import Column, labels, numbers

GROUPS = 20
"""Groups of the jackknife."""
_STUDENT = 2.093
"""The 97.5 % point of Student's t with GROUPS - 1 degrees of freedom."""
_NORMAL = 1.959964
"""The 97.5 % point of the normal distribution."""


class Estimate(NamedTuple):
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """The standard error that the interval stands for, taken as that of a normal distribution."""
        return (self.high - self.low) / (2 * _NORMAL)

    def within(self, bounds: tuple[float, float]) -> Estimate:
        """Return the estimate with value and interval clipped to what the number can be."""
        value, low, high = (min(max(x, bounds[0]), bounds[1]) for x in self)
        return Estimate(value, low, high)

    def rounded(self, digits: int) -> Estimate:
        """Return the estimate with so many decimals."""
        value, low, high = (round(x, digits) + 0.0 for x in self)  # adding 0.0 turns -0.0 into 0.0
        return Estimate(value, low, high)


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of values and of the ends of their intervals: right where they move together, wide otherwise."""
    value, low, high = np.mean(np.array(estimates, dtype=np.float64), axis=0).tolist()
    return Estimate(value, low, high)


def deal(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random group (0 … GROUPS - 1) for each row, all groups as equal in size as can be; int64."""
    return rng.permutation(rows).astype(np.int64) % GROUPS


def jackknife(value: float, replicates: np.ndarray) -> Estimate:
    """Return a value with the 95 % interval that its delete-a-group replicates (one per group) give."""
    error = math.sqrt((GROUPS - 1) / GROUPS * float(np.sum((replicates - replicates.mean()) ** 2)))
    return Estimate(value, value - _STUDENT * error, value + _STUDENT * error)


def from_influence(value: float, influence: np.ndarray) -> Estimate:
    """Return a value with the 95 % interval that its rows' influences (their sum is near 0) give."""
    error = math.sqrt(float(np.sum(influence**2)))
    return Estimate(value, value - _NORMAL * error, value + _NORMAL * error)


def wilson(count: float, rows: int) -> Estimate:
    """Return a share with its 95 % interval, right near 0 and 1 too; `rows` is at least 1.

    Reference: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share, z2 = count / rows, _NORMAL**2 / rows
    centre = (share + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
    return Estimate(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))


def decimals(rows: int, *, share: bool = False) -> int:
    """Return how many decimals a sample of so many rows can tell.

    One beyond its sampling error, which is about 1 / sqrt(rows); of a share of rows as many as show a single row, so
    that no fault is rounded away.
    """
    if share:
        return min(12, math.ceil(math.log10(max(rows, 1))) + 1)
    return min(6, max(2, 1 + math.ceil(math.log10(max(rows, 1)) / 2)))


def total_variation(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return half the summed absolute difference of shares, over the last axis: 0 where equal, 1 where disjoint."""
    return np.asarray(np.abs(left - right).sum(axis=-1) / 2)


def kolmogorov_smirnov(left: np.ndarray, right: np.ndarray) -> float:
    """Return the largest difference between two samples' shares of values up to any point; NaN counts as null.

    Nulls are a mass of their own: they are counted once below and once above all values, and the larger difference is
    taken. So a difference in the share of nulls alone is the distance, and 1 means that nothing is shared.
    """
    rows, values, empty = [], [], []
    for side in (left, right):
        present = np.sort(side[~np.isnan(side)])
        rows.append(max(len(side), 1))
        values.append(present)
        empty.append((len(side) - len(present)) / max(len(side), 1))
    at = np.concatenate(values)
    shares = [np.searchsorted(v, at, side="right") / n for v, n in zip(values, rows, strict=True)]
    return float(farthest(shares[0] - shares[1], empty[0] - empty[1]))


def farthest(difference: np.ndarray, nulls: np.ndarray | float) -> np.ndarray:
    """Return the largest absolute difference of cumulated shares, nulls below and above, over the last axis."""
    nulls = np.asarray(nulls)
    spread = np.concatenate([difference, difference + nulls[..., None], nulls[..., None]], axis=-1)
    return np.asarray(np.abs(spread).max(axis=-1))


def shared_codes(columns: Sequence[Column]) -> tuple[list[np.ndarray], int]:
    """Return columns of one type as codes that are equal where labels are, and how many codes there are.

    Null is a label like any other: the last code.
    """
    chunks = [c for column in columns for c in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])]
    codes, distinct = labels(pa.chunked_array(chunks, columns[0].type))
    size = len(distinct) + 1
    codes = np.where(codes < 0, size - 1, codes)
    ends = np.cumsum([len(c) for c in columns])[:-1]
    return list(np.split(codes, ends)), size


def coarse(real: Column, other: Column, bins: int, *, ordered: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Return two columns of one type in few codes, which the real one decides, and how many codes there are.

    Values with an order: bins that hold equally many real rows, as far as ties allow. Labels: the most frequent real
    ones each have a code, and all others share the next. Null is the last code.
    """
    if ordered:
        one, two = numbers(real), numbers(other)
        edges = quantiles(one, np.arange(1, bins) / bins)
        return binned(one, edges), binned(two, edges), len(edges) + 2
    (one, two), size = shared_codes([real, other])
    counts = np.bincount(one, minlength=size)[:-1]
    place = np.full(size, bins, dtype=np.int64)
    frequent = np.argsort(-counts, kind="stable")[:bins]
    place[frequent] = np.arange(len(frequent))
    place[-1] = bins + 1
    return place[one], place[two], bins + 2


def quantiles(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the distinct values at these shares of the sorted sample: never between two values; NaN is left out."""
    present = np.sort(values[~np.isnan(values)])
    if not len(present):
        return np.zeros(0)
    position = np.clip(np.ceil(at * len(present)).astype(np.int64) - 1, 0, len(present) - 1)
    return np.unique(present[position])


def binned(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin of every value: up to and with edge 0, …, beyond the last edge; NaN has a last bin of its own."""
    codes = np.searchsorted(edges, values, side="left").astype(np.int64)
    codes[np.isnan(values)] = len(edges) + 1
    return codes


def midranks(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return where values stand in a sorted sample, as a share: the middle of those equal; NaN stays NaN."""
    below = np.searchsorted(among, values, side="left") + np.searchsorted(among, values, side="right")
    return np.where(np.isnan(values), np.nan, below / (2 * max(len(among), 1)))


def auc(scores: np.ndarray, positive: np.ndarray) -> tuple[float, np.ndarray]:
    """Return how often a positive row scores above a negative one (ties half), and each row's influence on it.

    Both classes must occur. The influences are the structural components of DeLong, DeLong and Clarke-Pearson,
    Comparing the areas under correlated ROC curves, Biometrics 44 (1988); see `from_influence`.
    """
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])
    won = midranks(scores[positive], below)
    value = float(won.mean())
    influence = np.empty(len(scores))
    lost = 1.0 - midranks(scores[~positive], above)
    for where, shares in ((positive, won), (~positive, lost)):  # one row less, as in a sample's variance
        influence[where] = (shares - value) / math.sqrt(len(shares) * max(len(shares) - 1, 1))
    return value, influence
