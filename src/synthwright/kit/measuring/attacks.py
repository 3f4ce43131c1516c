"""What attackers count with: coordinates, the rows an attack catches, and its luck.

An attack gives every real row a score, larger where the row looks more like one that was trained on. How well it tells
members (rows that were trained on) from others is the area under its curve, and the share of members it catches while
it takes few others for members. Where the attacked data know nothing of the members, every way to deal the members
among the rows is as likely as any other: this gives what luck alone may do, whatever the scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import LEVEL, allowance
from synthwright.kit.measuring.neighbours import Points
from synthwright.kit.measuring.stats import Estimate, auc, shared_codes

_ABSENT, _FARTHEST = 4e6, 1e6
"""Stands for null among coordinates, and the greatest of the others: null is farther than 1 from all of them."""
_TRIMMED = (0.01, 0.99)
"""The quantiles beyond which values do not count for the scale of a column."""


def scaled(tables: Sequence[pa.Table], fields: Mapping[str, Field]) -> list[Points]:
    """Return several tables as coordinates, on the scale of the first.

    Ordered columns are counted in two standard deviations, without the outermost hundredths of the values. Unlike
    ranks, this keeps a value that was moved a little near to itself where many values are equal.

    Args:
        tables: with the columns of `fields`, in one type.
        fields: what the columns are; at least one.
    """
    ordered = [c for c, f in fields.items() if f.kind in ORDERED]
    rest = [c for c in fields if c not in set(ordered)]
    numeric = [np.empty((len(ordered), t.num_rows), dtype=np.float32) for t in tables]
    labels = [np.empty((len(rest), t.num_rows), dtype=np.int32) for t in tables]
    gaps = np.zeros(len(ordered), dtype=bool)
    for i, name in enumerate(ordered):
        values = [numbers(t.column(name)) for t in tables]
        middle, scale = _scale(values[0])
        gaps[i] = any(bool(np.isnan(v).any()) for v in values)
        for held, v in zip(numeric, values, strict=True):
            with np.errstate(over="ignore", invalid="ignore"):
                places = np.clip((v - middle) / scale, -_FARTHEST, _FARTHEST)
            held[i] = np.nan_to_num(places, nan=_ABSENT)
    for i, name in enumerate(rest):
        for coded, codes in zip(labels, shared_codes([t.column(name) for t in tables])[0], strict=True):
            coded[i] = codes
    return [Points(n, d, gaps) for n, d in zip(numeric, labels, strict=True)]


def _scale(values: np.ndarray) -> tuple[float, float]:
    """Return the median of values, and two standard deviations of those that are not outermost; of all where 0."""
    present = values[np.isfinite(values)]
    if not len(present):
        return 0.0, 1.0
    least, middle, most = np.quantile(present, (_TRIMMED[0], 0.5, _TRIMMED[1]), method="nearest")
    with np.errstate(over="ignore", invalid="ignore"):
        spreads = [2 * float(np.std(v - middle)) for v in (np.clip(present, least, most), present)]
    return float(middle), next((s for s in spreads if 0 < s < math.inf), 1.0)


# --------------------------------------------------------------------------------------------------- how much it tells
class Told(NamedTuple):
    """How well an attack tells members from others."""

    estimate: Estimate
    reference: float
    """What an attack is expected to reach that knows nothing."""
    chance: float
    """How much more it reaches by luck alone, in one of 20,000 cases."""


def area(scores: np.ndarray, members: np.ndarray, among: int = 1) -> Told:
    """Return how often a member scores above another row, ties half: the area under the attack's curve.

    The interval is Wilson's with as many rows as give the standard error of DeLong et al. (Biometrics 44, 1988): at
    least as many as the smaller side has (Birnbaum and Klose, Bounds for the variance of the Mann-Whitney statistic,
    Annals of Mathematical Statistics 28, 1957). Luck is that of the Mann-Whitney statistic without ties, which ties
    only lessen (Lehmann, Nonparametrics, 1975).

    Args:
        scores: one number per row.
        members: booleans; both sides have rows.
        among: how many attacks this is the strongest of: interval and luck are those of the strongest (Bonferroni).
    """
    value, influence = auc(scores, members)
    one, two = int(members.sum()), int((~members).sum())
    spread = value * (1 - value)
    rows = float(min(one, two))
    if spread > 0:
        rows = max(rows, spread / max(float(np.sum(influence**2)), 1e-12))
    luck = allowance(math.sqrt((one + two + 1) / (12 * one * two)), among)
    return Told(_share(value, rows, among), 0.5, min(luck, 0.5))


def caught(rate: float, scores: np.ndarray, members: np.ndarray, among: int = 1) -> Told:
    """Return the share of members above the threshold that at most a share `rate` of the others are above.

    Of rows that tie with the threshold, as many count as would on average if ties were broken at random. An attack that
    knows nothing catches `(k + 1) / (others + 1)` of the members, k being the others that may be above. Luck is exact:
    c members stand above the (k + 1)-th other where the c + k topmost rows hold at least c members (the negative
    hypergeometric distribution). The interval is Wilson's for the members above the thresholds that the true one may
    be: those that as many others are above as a binomial distribution gives.

    Args:
        rate: the share of others that may be taken for members.
        scores: one number per row.
        members: booleans; both sides have rows.
        among: how many attacks this is the strongest of: interval and luck are those of the strongest (Bonferroni).
    """
    from scipy.stats import binom

    one, two = int(members.sum()), int((~members).sum())
    allowed = int(rate * two + 1e-9)
    mine, others = np.sort(scores[members]), np.sort(scores[~members])
    value = _above(mine, others, allowed) / one
    wrong = 0.025 / max(among, 1)
    fewest, most = (int(binom.ppf(p, two, rate)) for p in (wrong, 1 - wrong))
    low = _above(mine, others, fewest - 1) / one if fewest else 0.0
    high = _above(mine, others, most) / one
    interval = Estimate(value, min(_share(low, one, among).low, value), max(_share(high, one, among).high, value))
    reference = (allowed + 1) / (two + 1)
    return Told(interval, reference, max(0.0, _lucky(one, two, allowed, LEVEL / max(among, 1)) / one - reference))


def _above(mine: np.ndarray, others: np.ndarray, allowed: int) -> float:
    """Return how many of mine stand above all but so many of the others (both sorted), ties broken on average."""
    if allowed >= len(others):
        return float(len(mine))
    threshold = others[len(others) - 1 - allowed]
    sides = [(np.searchsorted(v, threshold, "left"), np.searchsorted(v, threshold, "right")) for v in (mine, others)]
    (below, upto), (first, beyond) = sides
    left = allowed - (len(others) - beyond)  # others that tie and may still be above
    return float(len(mine) - upto + (upto - below) * (left + 1) / (beyond - first + 1))


@lru_cache(maxsize=256)
def _lucky(members: int, others: int, allowed: int, level: float) -> int:
    """Return the largest number of members that luck puts above all but `allowed` others more often than the level."""
    from scipy.stats import hypergeom

    least, most = 0, members + 1  # at least `least` is no surprise; `most` is one, or impossible
    while most - least > 1:
        count = (least + most) // 2
        surprise = hypergeom.sf(count - 1, members + others, members, count + allowed) <= level
        least, most = (least, count) if surprise else (count, most)
    return least


def _share(share: float, rows: float, among: int) -> Estimate:
    """Return Wilson's interval of a share, so wide that those of so many attacks all hold at once, 95 times of 100."""
    from scipy.special import ndtri

    square = float(ndtri(1 - 0.025 / max(among, 1))) ** 2 / rows
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return Estimate(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))
