"""Whether kinds of models rank the same when they learn from synthetic rows as when they learn from real ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.stats import Estimate, decimals, midranks
from synthwright.metrics.comparing import Finding, scores, without
from synthwright.metrics.predicting import PREDICTED, Task, judged, lacking, learned, spread, task_of, tested_on

_ROWS = 5_000
"""Rows of each sample that are looked at."""
_TESTED = 2_000
"""Held-out rows that are predicted, at most."""
_NEAR_ROWS = 2_000
"""Rows among which nearest rows are looked for."""
_NEAR = 15
"""Nearest rows whose mean is the prediction."""
_ROUNDS = 100
"""Boosting rounds at most."""
_LABELS = 20
"""Labels of a column that the linear model tells apart."""
_WIDEST = 400
"""Columns of numbers and labels that the linear model has, at most."""
_BEYOND = 1.96
"""Standard errors by which two kinds of models must differ to be told apart."""
_DRAWS = 400
"""Bootstrap samples of held-out rows."""


class Ranked(NamedTuple):
    """How good each kind of model is on the rows that test."""

    values: np.ndarray
    influences: np.ndarray
    """Kinds × rows."""


class ModelRanking(Metric):
    """How far the order of five kinds of models, each trained on synthetic rows, is that of real rows: 1 is the same.

    The kinds: a constant, a linear model (ridge regression on ranks and labels), the mean of the 15 nearest rows, one
    tree, and boosted trees. All predict the same held-out rows and are scored as in `tstr`. Two kinds that differ by
    more than 1.96 standard errors (DeLong's) when trained on training rows are told apart; the score is the share of
    such pairs that have the same order when trained on synthetic rows; those that these do not tell apart count half.
    A score about a kind is the same for its pairs.
    The reference trains on two halves of the training rows, each once in the place of the real and of the synthetic
    rows; the mean is taken. The interval is for other held-out rows (bootstrap). Reference: Jordon, Yoon and van der
    Schaar, Measuring the quality of synthetic data for use in competitions, arXiv:1806.11345 (2018).
    """

    name: ClassVar[str] = "model-ranking"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It compares five plain kinds of models with fixed settings, on one target."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx, _ROWS)
        if not isinstance(task, Task):
            return task
        test = tested_on(task, _TESTED, ctx.at("some"))
        halves = np.array_split(ctx.at("halves").rng.permutation(task.second), 2)
        real, other, *parts = (
            _ranked(task, rows, test, ctx.at("learn", i))
            for i, rows in enumerate((task.second, task.synthetic, *halves))
        )
        pairs = _apart(real)
        if not len(pairs):
            return without(self, "no two kinds of models differ beyond chance when trained on real rows")
        weights = ctx.at("bootstrap").rng.poisson(1.0, (_DRAWS, len(test))) - 1.0
        digits = decimals(len(test))
        found = []
        for kind, name in enumerate(["", *KINDS]):
            own = _of(pairs, kind)
            if not len(own):
                continue
            note = task.noted(PREDICTED.format(len(test)) if len(test) < len(task.unseen) else "") if not kind else (
                f"scores {real.values[kind - 1]:.{digits}f} from training rows, "
                f"{other.values[kind - 1]:.{digits}f} from synthetic rows"
            )  # fmt: skip
            found.append(Finding(name, _agreement(own, other, weights), _reference(parts, kind), note))
        return scores(self, {task.table: found[0]}, found[1:], task.rows)


def _apart(by: Ranked) -> np.ndarray:
    """Return the pairs of kinds that differ beyond chance, the better one first."""
    pairs = np.array(list(combinations(range(len(by.values)), 2)))
    gaps, errors = _gaps(by, pairs)
    turned = np.where(gaps[:, None] < 0, pairs[:, ::-1], pairs)
    return np.asarray(turned[np.abs(gaps) > _BEYOND * errors])


def _gaps(by: Ranked, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the first of each pair is better, and the standard errors."""
    moves = by.influences[pairs[:, 0]] - by.influences[pairs[:, 1]]
    return by.values[pairs[:, 0]] - by.values[pairs[:, 1]], np.sqrt((moves**2).sum(axis=1))


def _agreement(pairs: np.ndarray, by: Ranked, weights: np.ndarray) -> Estimate:
    """Return the share of pairs in the same order, with the interval that bootstrap samples give."""
    gaps, errors = _gaps(by, pairs)
    drawn = gaps + weights @ (by.influences[pairs[:, 0]] - by.influences[pairs[:, 1]]).T
    same, *others = (np.where(np.abs(g) > _BEYOND * errors, g > 0, 0.5).mean(axis=-1) for g in (gaps, drawn))
    low, high = np.quantile(others[0], [0.025, 0.975]).tolist()
    return Estimate(float(same), min(low, float(same)), max(high, float(same)))


def _of(pairs: np.ndarray, kind: int) -> np.ndarray:
    """Return the pairs of one kind, counted from 1; 0 means all."""
    return pairs[(pairs == kind - 1).any(axis=1)] if kind else pairs


def _reference(halves: list[Ranked], kind: int) -> float | None:
    """Return how far two halves of the training rows agree on one kind, or on all."""
    none = np.zeros((1, halves[0].influences.shape[1]))
    told = [(_of(_apart(by), kind), other) for by, other in (halves, halves[::-1])]
    found = [_agreement(pairs, other, none).value for pairs, other in told if len(pairs)]
    return float(np.mean(found)) if found else None


# ------------------------------------------------------------------------------------------------- kinds of models
def _ranked(task: Task, rows: np.ndarray, test: np.ndarray, ctx: Context) -> Ranked:
    """Return how well each kind of model predicts rows when it learned from others."""
    found = [judged(learn(task, rows, test, ctx.at(name)), task.target[test], task.classes)
             for name, learn in KINDS.items()]  # fmt: skip
    return Ranked(np.array([j.values[0] for j in found]), np.stack([j.influences[0] for j in found]))


def _answers(task: Task, rows: np.ndarray) -> np.ndarray:
    """Return what is to be learned of some rows: a column of 0 and 1 for each class, or one of numbers."""
    target = task.target[rows]
    return (target[:, None] == np.arange(task.classes)).astype(np.float64) if task.classes else target[:, None]


def _said(task: Task, rows: np.ndarray, answers: np.ndarray) -> np.ndarray:
    return spread(answers, lacking(task, rows)) if task.classes else answers[:, 0]


def _constant(task: Task, rows: np.ndarray, test: np.ndarray, _: Context) -> np.ndarray:
    return _said(task, rows, np.repeat(_answers(task, rows).mean(axis=0, keepdims=True), len(test), axis=0))


def _linear(task: Task, rows: np.ndarray, test: np.ndarray, _: Context) -> np.ndarray:
    known, asked = _design(task, rows, test)
    answers = _answers(task, rows)
    middle, level = known.mean(axis=0), answers.mean(axis=0)
    known = known - middle
    found = np.linalg.solve(known.T @ known + np.eye(known.shape[1]), known.T @ (answers - level))
    return _said(task, rows, (asked - middle) @ found + level)


def _design(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two sets of rows as numbers: ranks among the first set, whether null, and whether a frequent label."""
    most = max(1, min(_LABELS, _WIDEST // max(len(task.columns), 1)))
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for i in range(len(task.columns)):
        known, asked = task.values[rows, i], task.values[test, i]
        if i in task.discrete:
            labels, counts = np.unique(known[~np.isnan(known)], return_counts=True)
            often = labels[np.argsort(-counts, kind="stable")[:most]]
            made = [(side[:, None] == often).astype(np.float64) for side in (known, asked)]
        else:
            among = np.sort(known[~np.isnan(known)])
            made = [np.stack([np.nan_to_num(midranks(side, among), nan=0.5), np.isnan(side)], axis=1)
                    for side in (known, asked)]  # fmt: skip
        for side, columns in zip(sides, made, strict=True):
            side.append(columns)
    return np.hstack(sides[0]), np.hstack(sides[1])


def _nearest(task: Task, rows: np.ndarray, test: np.ndarray, ctx: Context) -> np.ndarray:
    some = rows if len(rows) <= _NEAR_ROWS else ctx.rng.choice(rows, _NEAR_ROWS, replace=False)
    known, asked = _design(task, some, test)
    far = (known**2).sum(axis=1) - 2 * (asked @ known.T)  # less what is the same for all of a row's neighbours
    count = min(_NEAR, len(some))
    near = np.argpartition(np.round(far, 6), count - 1, axis=1)[:, :count]
    return _said(task, some, _answers(task, some)[near].mean(axis=1))


def _tree(task: Task, rows: np.ndarray, test: np.ndarray, ctx: Context) -> np.ndarray:
    tree = learned(task, rows, ctx, 1)
    said = tree.says(task.values[test])
    if task.classes:
        return said
    own, target = tree.says(task.values[rows]), task.target[rows]  # one step of boosting is short: go all the way
    wide = float(own.var())
    return target.mean() + (said - own.mean()) * (float(np.mean((own - own.mean()) * target)) / wide if wide else 0)


def _boosted(task: Task, rows: np.ndarray, test: np.ndarray, ctx: Context) -> np.ndarray:
    return learned(task, rows, ctx, _ROUNDS).says(task.values[test])


KINDS: dict[str, Callable[[Task, np.ndarray, np.ndarray, Context], np.ndarray]] = {
    "constant": _constant,
    "linear model": _linear,
    "nearest rows": _nearest,
    "one tree": _tree,
    "boosted trees": _boosted,
}
"""The kinds of models: each learns from some rows of a task and predicts others."""
