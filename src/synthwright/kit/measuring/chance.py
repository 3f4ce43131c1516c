"""What chance alone may do to a score: how far a second real sample strays from what another one scores.

A release is held against many scores at once, so each may stray far: `LEVEL` is what one score may exceed, and with
the twenty or so default gates, one honest sample in a thousand is refused (Bonferroni; the same as one bound on the
largest of all standardised scores). Where a score is the worst of several parts, the level is shared among these too.
"""

from __future__ import annotations

import math

LEVEL = 5e-5
"""How often a second real sample may exceed the allowance of one score."""


def allowance(error: float, parts: int = 1) -> float:
    """Return how far a score with this standard error strays by chance alone, where it is the worst of some parts."""
    from scipy.special import ndtri

    return float(-ndtri(LEVEL / max(parts, 1)) * error)


def excess(hits: int, trials: int, among: int, parts: int = 1) -> float:
    """Return by how much the share of hits among `among` rows may exceed `hits / trials` by chance alone.

    Both are samples of one population. The test is exact (Fisher's): the allowance ends before the first count that
    would be too many, given the total, so that rare hits, where a normal distribution would mislead, are right too.

    Args:
        hits: rows of the second real sample that count.
        trials: rows of the second real sample; at least 1.
        among: rows that are judged; at least 1.
        parts: how many scores this is the worst of.
    """
    from scipy.stats import hypergeom

    fine, refused = hits * among // trials, among + 1
    while refused - fine > 1:  # the more, the less likely: the first that is too many is found by halving
        count = (fine + refused) // 2
        odd = hypergeom.sf(count - 1, trials + among, hits + count, among) <= LEVEL / max(parts, 1)
        fine, refused = (fine, count) if odd else (count, refused)
    return max(0.0, fine / among - hits / trials)


def difference(errors: tuple[float, float], parts: int = 1) -> float:
    """Return the allowance of a score whose value and reference have these standard errors, apart from each other."""
    return allowance(math.hypot(*errors), parts)
