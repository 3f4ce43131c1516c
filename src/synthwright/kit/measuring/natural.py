"""What is natural: how many rows of a second real sample would count, and how many more may by chance alone.

Two kinds of real rows tell: held-out rows, which meet the training rows as a second real sample does, and training rows
that are left out one at a time and meet the others. The first are exact. The second are as right in the mean, but they
count in pairs (two rows that are alike point at each other), so that each tells less than a held-out row. Where the two
contradict each other, the held-out rows alone are believed: then rows of one training table belong together (several of
one person), or were thinned out, and a second sample is what the held-out rows are. References: Good, The population
frequencies of species, Biometrika 40 (1953); Robbins, Estimating the total probability of the unobserved outcomes,
Annals of Mathematical Statistics 39 (1968).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.kit.measuring.chance import LEVEL

PAIRED = 0.5
"""What a training row that is left out tells, in held-out rows."""
_CONTRADICT = 3.3
"""Standard errors that held-out and left-out rows may differ by: one time in a thousand they differ more by chance."""


_COMPARED = (0.5, 0.25, 0.1, 0.05, 0.02)
"""Shares of rows above the values at which held-out and left-out rows are compared."""


class Seen(NamedTuple):
    """How many of so many real rows count; what left-out training rows tell is weighed already."""

    hits: float
    rows: float


NOTHING = Seen(0.0, 0.0)
"""No real rows were looked at."""


class Verdict(NamedTuple):
    """A count of rows beside what is natural."""

    counted: int
    """Rows that count."""
    rows: int
    """Rows that were looked at; at least 1."""
    reference: float
    """The share that is natural."""
    most: int
    """Rows that may count by chance alone."""
    visible: float
    """The share of copied rows from which on copies are refused, if each of them counts."""

    @property
    def chance(self) -> float:
        """By how much the share may exceed the reference by chance alone: half a row is added for rounding."""
        return max(0.0, (self.most + 0.5) / self.rows - self.reference)


def most(hits: int, trials: int, among: int, parts: int = 1) -> int:
    """Return how many of `among` rows may count by chance where `hits` of `trials` rows of the same population do.

    The test is Fisher's, exact; the answer is the largest count that it does not refuse.

    Args:
        hits: real rows that count.
        trials: real rows; none allow everything.
        among: rows that are judged.
        parts: how many counts this is the worst of.
    """
    from scipy.stats import hypergeom

    fine, refused = 0, among + 1
    while refused - fine > 1:
        count = (fine + refused) // 2
        odd = hypergeom.sf(count - 1, trials + among, hits + count, among) <= LEVEL / max(parts, 1)
        fine, refused = (fine, count) if odd else (count, refused)
    return fine


def told(held: Seen, left: Seen) -> Seen:
    """Return what held-out and left-out rows tell together, or the held-out ones alone where the two contradict."""
    return held if _differ(held, left) else Seen(held.hits + left.hits, held.rows + left.rows)


def _differ(one: Seen, other: Seen) -> bool:
    """Return whether two shares differ by more than chance: where either has no rows, they do not."""
    hits, rows = one.hits + other.hits, one.rows + other.rows
    if not one.rows or not other.rows or not 0 < hits < rows:
        return False
    error = math.sqrt(hits / rows * (1 - hits / rows) * (1 / one.rows + 1 / other.rows))
    return abs(one.hits / one.rows - other.hits / other.rows) > _CONTRADICT * error


def repeated(hashes: np.ndarray) -> Seen:
    """Return how many training rows have a twin among the others: what a fresh row of the same table would have.

    They are weighed by how much they tell: twins that come in pairs make the share less certain (Esty, A normal limit
    law for a nonparametric estimator of the coverage of a random sample, Annals of Statistics 11, 1983).

    Args:
        hashes: equal where rows are.
    """
    counts = np.unique(hashes, return_counts=True)[1]
    rows, met = len(hashes), float(counts[counts > 1].sum())
    spread = met * (1 - met / rows) if rows else 0.0
    spoiled = max(1 / PAIRED, 1 + 2 * float((counts == 2).sum()) / spread if spread else 0.0)
    return Seen(met / spoiled, rows / spoiled)


def judged(count: int, rows: int, real: Seen, parts: int = 1, least: float = 0.0) -> Verdict:
    """Return a count of rows beside what is natural.

    Args:
        count: rows that count.
        rows: rows that were looked at; at least 1.
        real: real rows that count.
        parts: how many counts this is the worst of.
        least: the reference is at least this share.
    """
    trials = int(real.rows)
    share = max(min(real.hits / real.rows, 1.0) if real.rows else 0.0, least)
    hits = min(trials, math.ceil(share * trials - 1e-9))
    may = max(most(hits, trials, rows, parts), math.floor(share * rows))
    return Verdict(count, rows, share, may, min(1.0, max(0.0, (may + 1) / rows - share)))


def beyond(mine: np.ndarray, held: np.ndarray, left: np.ndarray, levels: Sequence[float], parts: int = 1) -> Verdict:
    """Return how many rows lie above a threshold that few real rows lie above, beside how many would naturally.

    Several thresholds are tried, and the one that speaks most against the rows is told; the level is shared among them.
    A threshold is a real row's value, and at least 0; rows above it count, the row itself does not: so the test is
    exact although the threshold is drawn from the same real rows.

    Args:
        mine: one number for each row that is judged, larger where it is more suspicious; at least one.
        held: the same of held-out rows.
        left: the same of training rows that are left out; `PAIRED` held-out rows each.
        levels: the shares of real rows above the thresholds.
        parts: how many such verdicts are made.
    """
    real, weights = _weighed(held, left)
    if any(_differ(*_split(real > _threshold(real, weights, share), weights, len(held))) for share in _COMPARED):
        real, weights = _weighed(held, left[:0])
    found = []
    for level in levels:
        limit = _threshold(real, weights, level)
        seen = Seen(float(weights[real > limit].sum()), float(weights.sum()))
        among = parts * len(levels) * (2 if len(held) else 1)  # with or without left-out rows: both ways may err
        found.append(judged(int((mine > limit).sum()), len(mine), seen, among))
    return strongest(found)


def _weighed(held: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all real rows' numbers, held-out rows first, with how much each row tells."""
    return np.concatenate([held, left]), np.repeat([1.0, PAIRED], [len(held), len(left)])


def _split(above: np.ndarray, weights: np.ndarray, held: int) -> tuple[Seen, Seen]:
    """Return how many held-out rows, the first so many, and how many left-out rows are above."""
    sides = (slice(0, held), slice(held, None))
    one, other = (Seen(float(weights[s][above[s]].sum()), float(weights[s].sum())) for s in sides)
    return one, other


def strongest(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict that speaks most against the rows; what any of them would see is visible."""
    found = max(verdicts, key=lambda v: (v.counted - v.most) / v.rows)
    return found._replace(visible=min(v.visible for v in verdicts))


def _threshold(real: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Return the real row's value that a share `level` of the real rows lie above, at most; at least 0."""
    if not len(real):
        return 0.0
    order = np.argsort(-real, kind="stable")
    above = np.cumsum(weights[order])
    at = min(int(np.searchsorted(above, level * above[-1] + 1e-9, side="right")), len(real) - 1)
    return max(0.0, float(real[order[at]]))
