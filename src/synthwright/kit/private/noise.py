"""Every noisy number and every private choice: drawn by OpenDP from the operating system, never from a seed.

Two tables are neighbours where one has one unit more: a row, or at most so many rows as `purse.rows` says. Each row
falls into one cell of a table of counts, so that neighbours differ by that many in one cell at worst, however many
cells there are. All here is zero-concentrated differential privacy (Bun and Steinke 2016, arXiv 1605.02065), and what
each measurement costs, which is as the square of that number, is what OpenDP's own map says of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np

from synthwright.core.errors import FitError
from synthwright.kit.private.accounting import Purse

UNITS = 1_024
"""Parts of one that scores are rounded to: whole numbers have no holes that tell of rows (Mironov 2012)."""
FARTHEST = 2**40
"""The largest score, in either direction."""


@cache
def library() -> Any:
    """Return OpenDP, which is an extra.

    Raises:
        FitError: it is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise FitError("privacy", f"the package {error.name}", wanted="it installed", got="nothing",
                       remedy="It is an extra:\n  pip install 'synthwright[privacy]'") from None  # fmt: skip
    dp.enable_features("contrib")
    return dp


def noisy(counts: np.ndarray, *, rho: float, purse: Purse) -> tuple[np.ndarray, float]:
    """Return counts of rows with discrete Gaussian noise (Canonne et al. 2020), and its standard deviation.

    All rows of one unit may fall into the same cell: it changes by as many as count.

    Args:
        counts: how many rows fall into each cell; every row into one.
        rho: what it may cost.
        purse: who pays.
    """
    measurement, sigma = _gaussian(rho=rho / purse.rows**2)
    purse.pay(measurement.map(purse.rows))
    if purse.rehearsing:
        return np.zeros(counts.size, dtype=np.int64), sigma
    return np.array(measurement(counts.astype(np.int64).ravel().tolist()), dtype=np.int64), sigma


def chosen(scores: np.ndarray, *, sensitivity: int, rho: float, purse: Purse) -> int:
    """Return the place of a score that is likely among the highest: the exponential mechanism (McSherry and Talwar).

    Args:
        scores: of each candidate.
        sensitivity: by how much one row changes a score, at most; those of a unit add up.
        rho: what it may cost.
        purse: who pays.
    """
    steps = purse.rows * sensitivity * UNITS + 1  # rounding may add a step
    measurement = _highest(steps=steps, rho=rho)
    purse.pay(measurement.map(steps))
    if purse.rehearsing:
        return 0
    whole = np.rint(np.clip(scores, -FARTHEST, FARTHEST) * UNITS).astype(np.int64)
    return int(measurement(whole.tolist()))


def frequent(counts: Mapping[str, int], *, rho: float, delta: float, purse: Purse) -> dict[str, int]:
    """Return the labels that so many rows have that naming them tells of no single one, with noisy counts.

    Noise is added to the count of every label that there is, and those below a threshold are left out: a label that
    only one row has is named with a chance of at most `delta` (Rogers 2023, arXiv 2309.09170). Rows of one unit may
    have a label each, or all the same: as many labels may change as rows count, each by as many.

    Args:
        counts: how many rows have each label; every row has one.
        rho: what it may cost.
        delta: the chance that a label of a single unit is named.
        purse: who pays.
    """
    dp, rows = library(), purse.rows
    _, sigma = _gaussian(rho=rho / rows**2)
    space = (dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i64")),
             dp.l02inf_distance(dp.absolute_distance(T="i64")))  # fmt: skip
    make = partial(dp.m.make_gaussian_threshold, *space, scale=sigma)
    low, high = rows, rows + math.ceil(sigma * (math.sqrt(2 * math.log(rows / delta)) + 10))
    while high - low > 1:  # the lowest threshold that keeps the chance
        middle = (low + high) // 2
        low, high = (low, middle) if make(threshold=middle).map((rows, rows, rows))[1] <= delta else (middle, high)
    measurement = make(threshold=high)
    cost, chance = measurement.map((rows, rows, rows))
    purse.pay(cost, delta=chance)
    if purse.rehearsing or not counts:
        return {}
    return dict(measurement(dict(counts)))


@lru_cache(256)
def _highest(*, steps: int, rho: float) -> Any:
    """Return the choice of the highest score that costs at most rho, where one row changes scores by so many steps."""
    dp = library()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    make = partial(dp.m.make_noisy_max, *space, dp.zero_concentrated_divergence())
    return make(scale=_fitting(lambda s: make(scale=s), steps, rho))


@lru_cache(256)
def _gaussian(*, rho: float) -> tuple[Any, float]:
    """Return the measurement of counts that costs at most rho, and the standard deviation of its noise."""
    dp = library()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="i64")
    scale = _fitting(lambda s: dp.m.make_gaussian(*space, scale=s), 1, rho)
    return dp.m.make_gaussian(*space, scale=scale), scale


def _fitting(make: Any, steps: int, rho: float) -> float:
    """Return the least noise, but for rounding, with which a measurement costs at most rho."""
    if not 0 < rho < math.inf:
        raise FitError("privacy", "a measurement", wanted="a budget for it", got="none",
                       remedy="raise epsilon, or make fewer columns")  # fmt: skip
    scale = steps / math.sqrt(2 * rho)
    while make(scale).map(steps) > rho:
        scale *= 1 + 1e-12
    return scale
