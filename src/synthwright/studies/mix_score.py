"""How good predictions are, and how sure that is: paired bootstrap over the rows that test and the seeds that learned.

Every model of a study predicts the same rows, so each draw weighs the rows once, for all models; the difference of two
models is taken within the draw. Weights are Poisson with mean one (Oza and Russell, Online bagging and boosting,
AISTATS 2001), which is the ordinary bootstrap without counting to the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from synthwright.core.context import Context

DRAWS = 500
"""Draws of the bootstrap: the ends of a 95 % interval have a dozen beyond them on each side."""
_CELLS = 10_000_000
"""Weights that are held at once."""
_EVEN = 0.5
"""What a model says of a row from which on it is commonly taken for a positive one."""
ENDS = (2.5, 97.5)


class Truth(NamedTuple):
    """What is true of the rows that test."""

    values: np.ndarray
    """1 and 0 for positive rows and others, codes of classes, or numbers."""
    fold: np.ndarray
    """The fold that each row was tested in: scores are means over folds, for models of two folds do not compare."""
    classes: int
    """2; more; or 0 for numbers."""
    judged: tuple[int, ...] = ()
    """Of more than two classes, those that have rows enough to be judged."""

    @property
    def folds(self) -> list[np.ndarray]:
        """The positions of each fold's rows."""
        return [np.flatnonzero(self.fold == f) for f in np.unique(self.fold)]


class Scored(NamedTuple):
    """What predictions came to: one value, and one for each draw and seed."""

    values: np.ndarray
    """One for each seed."""
    drawn: np.ndarray
    """Seeds × draws."""


class Span(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class Draws(NamedTuple):
    """The draws of a study: weights of rows come in blocks, the same for whoever asks."""

    ctx: Context
    rows: int
    many: int

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield weights (rows × some draws)."""
        size = max(1, min(self.many, _CELLS // max(self.rows, 1)))
        rng = self.ctx.at("rows").rng
        for begin in range(0, self.many, size):
            yield rng.poisson(1.0, (self.rows, min(size, self.many - begin))).astype(np.uint8)

    def seeds(self, many: int) -> np.ndarray:
        """Return how often each of `many` seeds is taken in each draw (seeds × draws), as shares."""
        picked = self.ctx.at("seeds").rng.multinomial(many, np.full(many, 1 / many), self.many)
        return np.asarray(picked.T / many)


def scored(said: np.ndarray, truth: Truth, draws: Draws) -> Scored:
    """Return average precision, its mean over classes, or the share of variance explained, by kind of truth.

    Args:
        said: predictions, seeds × rows (× classes).
        truth: what is true.
        draws: the draws.
    """
    once = np.ones((len(truth.values), 1), dtype=np.uint8)
    values = np.array([_whole(one, truth, once)[0] for one in said])
    blocks = [np.stack([_whole(one, truth, weights) for one in said]) for weights in draws.blocks()]
    return Scored(values, np.concatenate(blocks, axis=1))


def _whole(said: np.ndarray, truth: Truth, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the folds' scores, for each draw."""
    found = []
    for rows in truth.folds:
        mine, true, weighed = said[rows], truth.values[rows], weights[rows]
        if not truth.classes:
            found.append(explained(mine, true, weighed))
        elif truth.classes == 2:
            found.append(precision(mine, true == 1, weighed))
        else:
            found.append(np.mean([precision(mine[:, c], true == c, weighed) for c in truth.judged], axis=0))
    return np.asarray(np.mean(found, axis=0))


class Curve(NamedTuple):
    """Where a ranking stands at each score that a positive row has, from the top: weights so far, for each draw."""

    hits: np.ndarray
    """Of positive rows."""
    seen: np.ndarray
    """Of all rows."""

    @staticmethod
    def of(said: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> Curve:
        """Rank rows, those of equal score together; rows below the last positive one change nothing and are left out.

        Args:
            said: a score for each row.
            positive: which rows are.
            weights: rows × draws.
        """
        order = np.argsort(-said, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(said[order]) != 0, True))
        runs = np.searchsorted(ends, np.flatnonzero(positive[order]))
        ends = ends[np.unique(runs)]
        starts = np.concatenate([[0], ends[:-1] + 1])
        order = order[: ends[-1] + 1]
        seen = np.add.reduceat(weights[order], starts, axis=0, dtype=np.int64)
        hits = np.add.reduceat(weights[order] * positive[order, None], starts, axis=0, dtype=np.int64)
        return Curve(hits.cumsum(axis=0), seen.cumsum(axis=0))

    @property
    def precisions(self) -> np.ndarray:
        """How many of the rows so far are positive."""
        return np.asarray(self.hits / np.maximum(self.seen, 1))


def precision(said: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the average precision for each draw; 0 where a draw has no positive row, which is next to never."""
    if not positive.any():
        return np.zeros(weights.shape[1])
    curve = Curve.of(said, positive, weights)
    steps = np.diff(curve.hits, axis=0, prepend=0)
    return np.asarray((steps * curve.precisions).sum(axis=0) / np.maximum(curve.hits[-1], 1))


def matched(said: np.ndarray, truth: Truth, least: float, draws: Draws) -> Scored:
    """Return the largest share of positive rows that is found with at least this precision, read off the curve."""

    def whole(one: np.ndarray, weights: np.ndarray) -> np.ndarray:
        found = []
        for rows in truth.folds:
            curve = Curve.of(one[rows], truth.values[rows] == 1, weights[rows])
            reached = np.where(curve.precisions >= least, curve.hits, 0).max(axis=0)
            found.append(reached / np.maximum(curve.hits[-1], 1))
        return np.asarray(np.mean(found, axis=0))

    once = np.ones((len(truth.values), 1), dtype=np.uint8)
    values = np.array([whole(one, once)[0] for one in said])
    return Scored(values, np.concatenate([np.stack([whole(o, w) for o in said]) for w in draws.blocks()], axis=1))


def caught(said: np.ndarray, truth: Truth, threshold: float, draws: Draws) -> tuple[Scored, Scored]:
    """Return the share of positive rows above a threshold, and the share of rows above it that are positive."""
    positive = truth.values == 1
    once = np.ones((len(positive), 1), dtype=np.uint8)

    def both(weights: np.ndarray) -> np.ndarray:
        every = np.maximum(weights[positive].sum(axis=0, dtype=np.int64), 1)
        above = [weights[one >= threshold].sum(axis=0, dtype=np.int64) for one in said]
        hits = [weights[(one >= threshold) & positive].sum(axis=0, dtype=np.int64) for one in said]
        return np.array([[h / every, h / np.maximum(a, 1)] for h, a in zip(hits, above, strict=True)])

    values, drawn = both(once)[:, :, 0], np.concatenate([both(w) for w in draws.blocks()], axis=2)
    return Scored(values[:, 0], drawn[:, 0]), Scored(values[:, 1], drawn[:, 1])


def explained(said: np.ndarray, true: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of variance explained for each draw; below 0 where the mean would do better."""
    centred = true - true.mean()  # squares of large numbers would leave no digits for their differences
    moments = np.stack([(true - said) ** 2, centred, centred**2]) @ weights.astype(np.float64)
    many = np.maximum(weights.sum(axis=0, dtype=np.int64), 1)
    spread = moments[2] - moments[1] ** 2 / many
    return np.asarray(1 - np.divide(moments[0], spread, out=np.ones_like(spread), where=spread > 0))


def tuned(said: np.ndarray, truth: Truth) -> float:
    """Return the threshold between two scores above which recall and precision are best together (by their F1)."""
    positive = truth.values == 1
    curve = Curve.of(said, positive, np.ones((len(said), 1), dtype=np.uint8))
    f1 = 2 * curve.hits[:, 0] / (curve.seen[:, 0] + positive.sum())
    levels = np.unique(said[positive])[::-1]
    last = levels[int(np.argmax(f1))]
    below = said[said < last]
    return float((last + below.max()) / 2) if len(below) else float(last)


def usual(said: np.ndarray, truth: Truth) -> float:
    """Return the threshold that goes without saying: a half, or where nothing reaches that, the tuned one."""
    return _EVEN if bool((said >= _EVEN).any()) else tuned(said, truth)


def at_threshold(said: np.ndarray, truth: Truth, threshold: float) -> tuple[float, float]:
    """Return recall and precision above a threshold, the mean over seeds."""
    positive = truth.values == 1
    pairs = [((one >= threshold) & positive, one >= threshold) for one in said]
    recall = float(np.mean([h.sum() / max(positive.sum(), 1) for h, _ in pairs]))
    return recall, float(np.mean([h.sum() / max(a.sum(), 1) for h, a in pairs]))


def span(one: Scored, draws: Draws, other: Scored | None = None) -> Span:
    """Return a score, or how much it is above another's, with its interval over draws of rows and seeds."""
    values, drawn = one.values, one.drawn
    if other is not None:
        values, drawn = values - other.values, drawn - other.drawn
    ends = np.percentile((drawn * draws.seeds(len(values))).sum(axis=0), ENDS)
    return Span(float(values.mean()), float(ends[0]), float(ends[1]))
