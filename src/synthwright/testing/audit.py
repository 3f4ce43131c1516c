"""Audits a private generator: how much its releases tell of one row, at least, held against what it says they may.

Real rows are measured many times, with one row more and without it, or with all rows of one unit and without them.
Whoever tells the two apart better than the budget allows has found a fault. What tells them apart is learned from one
half of the releases and tested on the other, so the lower bound holds with 95 % confidence. That it stays below the
claim proves nothing; that it exceeds it proves a fault.

- For any mechanism: a test with these error rates exists only where epsilon is at least
  ln((true positives − delta) / false positives) (Kairouz, Oh and Viswanath 2015), by Clopper-Pearson intervals.
- For mechanisms of Gaussian noise that is far too weak: error rates near one half are common, and measured well. They
  bound the mu of Gaussian differential privacy (Nasr et al. 2023, arXiv 2302.07956), which gives epsilon at a delta
  (Balle and Wang 2018, theorem 8).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.private import PrivateGenerator
from synthwright.core.spend import Release, Spend
from synthwright.kit.private.entities import bounded

CONFIDENCE = 0.95
_WIDE = 400
"""Numbers of a release from which each is weighed by itself, without what they have in common."""


class Audited(NamedTuple):
    """What an audit found."""

    claim: float
    """The epsilon that the releases say they spent, at most."""
    lower: float
    """The epsilon that they spent at least, with 95 % confidence."""

    @property
    def caught(self) -> bool:
        """Whether more was told than was said."""
        return self.lower > self.claim


class _Half(NamedTuple):
    """How high releases without the row and with it score."""

    without: np.ndarray
    having: np.ndarray

    def turned(self) -> _Half:
        """Return the same question asked the other way round."""
        return _Half(-self.having, -self.without)


def audit(
    maker: PrivateGenerator, neighbours: tuple[Dataset, Dataset], part: Part, *, budget: Spend, times: int,
    gaussian: bool = False,
) -> Audited:  # fmt: skip
    """Measure neighbours many times each, and return how well they are told apart.

    Args:
        maker: the generator.
        neighbours: real rows; and the same with one unit more (a row, or all rows of one), which is as unlike them as
            can be. Of each unit as many rows as the budget says are drawn anew for each measurement, as a run does.
        part: the columns to measure.
        budget: what each measurement may spend.
        times: how often each is measured; some hundreds find a gross fault, some thousands a factor of two.
        gaussian: whether all noise is Gaussian, and nothing is chosen in another way: the bound is then far tighter,
            and wrong for any other mechanism.
    """
    table = neighbours[0].schema.split(part.produce[0])[0]
    pairs = [[maker.measure(bounded(d, table, budget), part, budget=budget, ctx=Context()) for d in neighbours]
             for _ in range(times)]  # fmt: skip
    half = times // 2
    scorer = _Scorer.of([p[0] for p in pairs[:half]], [p[1] for p in pairs[:half]])
    learned, tested = (_Half(*(np.array([scorer.score(p[k]) for p in some]) for k in (0, 1)))
                       for some in (pairs[:half], pairs[half:]))  # fmt: skip
    spends = [r.spend for p in pairs for r in p]
    delta = max(s.delta for s in spends)
    found = (gaussian_bound if gaussian else bound)(learned, tested, delta)
    return Audited(max(s.epsilon for s in spends), found)


@dataclass(frozen=True)
class _Scorer:
    """What was learned of how releases with the row differ: of the words in them, and of the numbers."""

    odds: dict[str, float]
    """Of every wording of a release how much likelier it is with the row, as a logarithm."""
    plain: str
    """The most frequent wording; numbers count where a release has it."""
    middle: np.ndarray
    weights: np.ndarray

    @staticmethod
    def of(without: Sequence[Release], having: Sequence[Release]) -> _Scorer:
        seen = [Counter(map(_wording, some)) for some in (without, having)]
        every = Counter(seen[0] + seen[1])
        odds = {w: math.log((seen[1][w] + 0.5) / (seen[0][w] + 0.5)) for w in every}
        plain = max(sorted(every), key=every.__getitem__)
        sides = [np.stack([_numbers(r) for r in some if _wording(r) == plain] or [np.zeros(0)])
                 for some in (without, having)]  # fmt: skip
        if sides[0].shape[1] != sides[1].shape[1] or not sides[0].size or not sides[1].size:
            return _Scorer(odds, plain, np.zeros(0), np.zeros(0))
        means = [s.mean(axis=0) for s in sides]
        apart = np.concatenate([s - m for s, m in zip(sides, means, strict=True)])
        if apart.shape[1] > _WIDE:
            spread = apart.var(axis=0)
            weights = np.divide(means[1] - means[0], spread, out=np.zeros_like(spread), where=spread > 0)
        else:
            weights = np.linalg.lstsq(apart.T @ apart / len(apart), means[1] - means[0], rcond=1e-9)[0]
        return _Scorer(odds, plain, (means[0] + means[1]) / 2, weights)

    def score(self, release: Release) -> float:
        """Return a number that is the higher the likelier the row is there."""
        wording = _wording(release)
        told = self.odds.get(wording, 0.0)
        if wording == self.plain and len(self.weights):
            told += float(self.weights @ (_numbers(release) - self.middle))
        return told


def _wording(release: Release) -> str:
    """Return everything in a release that is no number: names, values of a domain, shapes."""

    def bare(what: Any) -> Any:
        if isinstance(what, dict):
            return {k: bare(v) for k, v in what.items()}
        if isinstance(what, list | tuple):
            return [bare(v) for v in what]
        return 0 if isinstance(what, int | float) and not isinstance(what, bool) else what

    shapes = {n: [list(a.shape), str(a.dtype)] for n, a in release.arrays.items()}
    return json.dumps([bare(release.head), shapes], sort_keys=True)


def _numbers(release: Release) -> np.ndarray:
    """Return every number in a release."""

    def found(what: Any) -> list[float]:
        if isinstance(what, dict):
            return [n for k in sorted(what) for n in found(what[k])]
        if isinstance(what, list | tuple):
            return [n for v in what for n in found(v)]
        return [float(what)] if isinstance(what, int | float) and not isinstance(what, bool) else []

    arrays = [a.astype(np.float64).ravel() for _, a in sorted(release.arrays.items()) if a.dtype.kind in "iufb"]
    return np.nan_to_num(np.concatenate([np.array(found(dict(release.head))), *arrays]), posinf=1e300, neginf=-1e300)


# ------------------------------------------------------------------------------------------------------------- bounds
def bound(learned: _Half, tested: _Half, delta: float) -> float:
    """Return the least epsilon of any mechanism with these error rates; 0 where they are those of chance.

    Args:
        learned: scores by which the threshold is chosen.
        tested: scores that were not looked at before.
        delta: the delta of the claim.
    """
    best, chosen = -math.inf, (tested, 0.0)
    for one, other in ((learned, tested), (learned.turned(), tested.turned())):
        for at in np.unique(np.quantile(np.concatenate(one), np.linspace(0, 1, 101))):
            value = _epsilon(one, at, delta)
            if value > best:
                best, chosen = value, (other, float(at))
    return max(0.0, _epsilon(chosen[0], chosen[1], delta))


def _epsilon(half: _Half, at: float, delta: float) -> float:
    false, hit = _rates(half, at)
    return math.log((hit - delta) / false) if hit > delta else -math.inf


def _rates(half: _Half, at: float) -> tuple[float, float]:
    """Return the rates of whoever takes every score of `at` or more for one with the row."""
    return rates(int((half.without >= at).sum()), int((half.having >= at).sum()),
                 (len(half.without), len(half.having)))  # fmt: skip


def rates(wrong: int, hits: int, times: tuple[int, int]) -> tuple[float, float]:
    """Return the highest rate of false positives and the least one of true ones, with 95 % confidence for both.

    Args:
        wrong: false positives.
        hits: true positives.
        times: releases without the row, and with it.
    """
    from scipy.stats import beta

    error = (1 - CONFIDENCE) / 2
    false = float(beta.ppf(1 - error, wrong + 1, times[0] - wrong)) if wrong < times[0] else 1.0
    hit = float(beta.ppf(error, hits, times[1] - hits + 1)) if hits else 0.0
    return false, hit


def gaussian_bound(learned: _Half, tested: _Half, delta: float) -> float:
    """Return the least epsilon at delta of a mechanism of Gaussian noise with these error rates; 0: those of chance."""
    every = np.unique(np.quantile(np.concatenate(learned), np.linspace(0, 1, 101)))
    at = max(every, key=lambda t: float((learned.having >= t).mean() - (learned.without >= t).mean()))
    false, hit = _rates(tested, float(at))
    return gaussian_epsilon(hit, false, delta)


def gaussian_epsilon(hit: float, false: float, delta: float) -> float:
    """Return the least epsilon at delta of Gaussian noise with these rates of true and false positives."""
    from scipy.stats import norm

    return epsilon_of(float(norm.ppf(hit) - norm.ppf(false)), delta) if hit > false else 0.0


def epsilon_of(mu: float, delta: float) -> float:
    """Return the least epsilon of mu-Gaussian differential privacy at a delta (Balle and Wang 2018, theorem 8)."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    def excess(epsilon: float) -> float:
        first = norm.logcdf(mu / 2 - epsilon / mu)
        second = epsilon + norm.logcdf(-mu / 2 - epsilon / mu)
        return float(np.exp(first) - np.exp(second)) - delta

    if mu <= 0 or excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high))
