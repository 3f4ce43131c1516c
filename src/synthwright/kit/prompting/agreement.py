"""How far raters agree beyond chance: Cohen's kappa, Krippendorff's alpha, their intervals, and where scores are cut.

References: Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960);
Cohen, Weighted kappa, Psychological Bulletin 70 (1968); Krippendorff, Computing Krippendorff's alpha-reliability
(2011); Youden, Index for rating diagnostic tests, Cancer 3 (1950). Intervals are percentiles of bootstrap samples of
what was rated: whoever ruled on the same row is drawn with it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from synthwright.kit.measuring.stats import Estimate

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
By = Literal["kappa", "youden"]
REPLICATES = 2_000
"""Bootstrap samples of an interval."""
FOLDS = 5
"""Parts of the ratings for cross-fitting."""
_BLOCK = 250
"""Bootstrap samples that are held at once."""
_ENDS = (2.5, 97.5)


# ----------------------------------------------------------------------------------------------------------- kappa
def cohen_kappa(one: np.ndarray, other: np.ndarray, *, weights: Weights = "none") -> float:
    """Return Cohen's kappa of two raters; NaN where chance alone leaves nothing to disagree about.

    Args:
        one: what the first rater said of each row, as numbers.
        other: what the second one said.
        weights: how a disagreement counts: each the same, by the distance of the values, or by its square.
    """
    table, values = _crossed(one, other)
    return float(_kappas(table[None], _apart(values, weights))[0])


def kappa_estimate(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator, *, weights: Weights = "none"
) -> Estimate:
    """Return Cohen's kappa with its 95 % interval; see `cohen_kappa`."""
    table, values = _crossed(one, other)
    apart, rows = _apart(values, weights), int(table.sum())
    if not rows:
        return Estimate(np.nan, np.nan, np.nan)
    drawn = rng.multinomial(rows, (table / rows).ravel(), REPLICATES).reshape(-1, *table.shape)
    return _estimate(float(_kappas(table[None], apart)[0]), _kappas(drawn, apart))


def _crossed(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each pair of values was said, and the values."""
    values, codes = np.unique(np.concatenate([one, other]).astype(np.float64), return_inverse=True)
    size = len(values)
    pairs = codes[: len(one)] * size + codes[len(one) :]
    return np.bincount(pairs, minlength=size * size).reshape(size, size), values


def _apart(values: np.ndarray, weights: Weights) -> np.ndarray:
    """Return how much a disagreement between each two values counts."""
    distance = np.abs(values[:, None] - values[None])
    return {"none": (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}[weights]


def _kappas(tables: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return kappa of each table of counts."""
    rows = tables.sum(axis=(1, 2))
    seen = (tables * apart).sum(axis=(1, 2)) * rows
    by_chance = np.einsum("bi,bj,ij->b", tables.sum(axis=2), tables.sum(axis=1), apart)
    return 1 - np.divide(seen, by_chance, out=np.full(len(tables), np.nan), where=by_chance > 0)


# ----------------------------------------------------------------------------------------------------------- alpha
def krippendorff_alpha(ratings: np.ndarray, *, level: Level = "nominal") -> float:
    """Return Krippendorff's alpha; NaN where no row was rated twice, or all ratings are the same.

    Args:
        ratings: a row for each thing that was rated, a column for each rater, NaN where one said nothing.
        level: what distances mean: other is other (nominal), ranks (ordinal), or differences (interval).
    """
    counts, values = _counted(ratings)
    return float(_alphas(_coincident(counts).sum(axis=0)[None], values, level)[0])


def alpha_estimate(ratings: np.ndarray, rng: np.random.Generator, *, level: Level = "nominal") -> Estimate:
    """Return Krippendorff's alpha with its 95 % interval; see `krippendorff_alpha`."""
    counts, values = _counted(ratings)
    kinds, times = np.unique(counts, axis=0, return_counts=True)  # rows that were rated alike are drawn together
    pairs, rows = _coincident(kinds), int(times.sum())
    if not rows or not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    found = _alphas(np.tensordot(times, pairs, 1)[None], values, level)
    replicates = [_alphas(np.tensordot(rng.multinomial(rows, times / rows, _BLOCK), pairs, 1), values, level)
                  for _ in range(0, REPLICATES, _BLOCK)]  # fmt: skip
    return _estimate(float(found[0]), np.concatenate(replicates))


def _counted(ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each value was said of each row that was rated at least twice, and the values."""
    said = np.asarray(ratings, dtype=np.float64)
    said = said[(~np.isnan(said)).sum(axis=1) > 1]
    values = np.unique(said[~np.isnan(said)])
    return (said[:, :, None] == values).sum(axis=1), values


def _coincident(counts: np.ndarray) -> np.ndarray:
    """Return for each row how often its pairs of ratings say each two values."""
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    return np.asarray(pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None])


def _alphas(pairs: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """Return alpha of each matrix of coincidences."""
    each = pairs.sum(axis=2)
    far = _distances(each, values, level)
    seen = (pairs * far).sum(axis=(1, 2)) * (each.sum(axis=1) - 1)
    by_chance = np.einsum("bi,bj,bij->b", each, each, far)
    return 1 - np.divide(seen, by_chance, out=np.full(len(pairs), np.nan), where=by_chance > 0)


def _distances(each: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """Return the squared distance between each two values, for each matrix: ranks depend on how often each was said."""
    if level == "ordinal":
        middle = np.cumsum(each, axis=1) - each / 2  # the mean rank of the ratings that say a value
        return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)
    far = _apart(values, "none" if level == "nominal" else "quadratic")
    return np.broadcast_to(far, (len(each), *far.shape))


def _estimate(value: float, replicates: np.ndarray) -> Estimate:
    """Return a value with the percentiles of its replicates; those that cannot be told are left out."""
    known = replicates[~np.isnan(replicates)]
    if np.isnan(value) or not len(known):
        return Estimate(np.nan, np.nan, np.nan)
    low, high = np.percentile(known, _ENDS).tolist()
    return Estimate(value, low, high)


# ------------------------------------------------------------------------------------------------------ thresholds
def best_threshold(scores: np.ndarray, keep: np.ndarray, candidates: np.ndarray, by: By, near: float) -> float:
    """Return the least score to stay by which scores agree best with rulings.

    Args:
        scores: what each row was given; NaN never stays.
        keep: whether people kept it.
        candidates: the thresholds that may be chosen.
        by: what agreement is: kappa, or Youden's index (the share of kept rows that stay, less that of the others).
        near: of several that agree as well the nearest to this one is taken, then the higher.
    """
    stays = scores[None] >= np.asarray(candidates, dtype=np.float64)[:, None]
    table = np.stack([(stays == a) & (keep == b) for a in (False, True) for b in (False, True)]).sum(axis=2)
    counts = table.T.reshape(-1, 2, 2)
    if by == "kappa":
        value = np.nan_to_num(_kappas(counts, 1 - np.eye(2)), nan=-1.0)
    else:
        value = (counts[:, 1] / np.maximum(counts.sum(axis=1), 1)) @ np.array([-1.0, 1.0])
    best = np.flatnonzero(value >= value.max() - 1e-12)
    return float(min((candidates[i] for i in best), key=lambda c: (abs(c - near), -c)))


def cross_fitted(
    scores: np.ndarray, keep: np.ndarray, candidates: np.ndarray, by: By, near: float, rng: np.random.Generator
) -> np.ndarray:
    """Return which rows stay, each by a threshold that was fitted without it: agreement with them is honest.

    Rows are dealt into folds at random, those that people kept and those that they dropped each for itself.
    """
    order = rng.permutation(len(scores))
    order = order[np.argsort(keep[order], kind="stable")]
    fold = np.empty(len(scores), dtype=np.int64)
    fold[order] = np.arange(len(scores)) % FOLDS
    stays = np.zeros(len(scores), dtype=bool)
    for i in range(FOLDS):
        out = fold == i
        stays[out] = scores[out] >= best_threshold(scores[~out], keep[~out], candidates, by, near)
    return stays
