"""Whether likelihoods that a model learned from synthetic rows are true of real ones."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.stats import GROUPS, binned, deal, jackknife, quantiles
from synthwright.metrics.comparing import Finding, scores
from synthwright.metrics.predicting import NUMBERED, Task, learned, strays, task_of, tested_on, widened

_ROWS = 10_000
"""Rows of each sample that are looked at."""
_ROUNDS = 200
"""Boosting rounds at most."""
_TESTED = 5_000
"""Rows that models of groups are tested on, at most."""
_BINS = 10
_BIN_ROWS = 25
"""Rows that a bin should have for each class."""


class Calibration(Metric):
    """How far what trees trained on synthetic rows expect is from what held-out rows show: 0 nowhere.

    Held-out rows are sorted by the predicted likelihood of a class into up to ten bins of equally many; in each, the
    mean likelihood is held against the share of rows that have the class, and the absolute differences are averaged
    (the expected calibration error). Of more than two classes the errors of all are added and halved: the share of
    likelihood that is misplaced; each has a score of its own, by number, the most frequent first. For other targets,
    the mean predicted rank among real rows is held against the mean true rank. The trees, the target, the reference
    (trees trained on training rows) and what happens without held-out rows are those of `tstr`. Even a perfect model
    has an error above 0 on few rows: the reference has it too. The interval is the jackknife's, for other held-out
    rows. Chance is the jackknife's error of the difference of value and reference, and the error from the rows that
    were learned from, from models of a quarter of the training rows each. References: Naeini, Cooper and
    Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI (2015); Kull and others, Beyond
    temperature scaling, NeurIPS (2019).
    """

    name: ClassVar[str] = "calibration"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "A model that expects the same of every row can be calibrated, and tells nothing apart."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx, _ROWS)
        if not isinstance(task, Task):
            return task
        groups = deal(len(task.target), ctx.at("groups").rng)
        value = _errors(task, task.synthetic, task.test, groups, ctx.at("boost"))
        second = _errors(task, task.second, task.unseen, groups, ctx.at("boost"))
        some = tested_on(task, _TESTED, ctx.at("some"))
        learning = strays(task, ctx.at("strays"), lambda rows, at: _errors(task, rows, some, groups, at)[0, 0])
        testing = jackknife(0.0, value[1:, 0] - second[1:, 0]).error * float(widened(GROUPS - 1))
        classes = task.by_frequency(range(value.shape[1] - 1))
        whole, *others = (
            Finding(name, jackknife(float(value[0, i]), value[1:, i]), float(second[0, i]))
            for name, i in [("", 0), *((task.name(c), 1 + c) for c in classes)]
        )
        note = task.noted(NUMBERED if others else "")
        whole = whole._replace(note=note, chance=allowance(float(np.hypot(testing, learning))))
        return scores(self, {task.table: whole}, others, task.rows)


def _errors(task: Task, learn: np.ndarray, test: np.ndarray, groups: np.ndarray, ctx: Context) -> np.ndarray:
    """Return the calibration error of trees that learned from some rows, and its replicates without each group.

    A row each; the first column is about the whole, the others about each class where there are more than two.
    """
    said = learned(task, learn, ctx, _ROUNDS).says(task.values[test])
    truth, bins = task.target[test], int(np.clip(len(test) // (_BIN_ROWS * max(task.classes, 2)), 2, _BINS))
    if not task.classes:
        return _error(said, truth, groups[test], bins)[:, None]
    kinds = range(task.classes) if task.classes > 2 else [1]
    each = np.stack([_error(said[:, c], truth == c, groups[test], bins) for c in kinds], axis=1)
    return np.hstack([each.sum(axis=1, keepdims=True) / 2, each]) if task.classes > 2 else each


def _error(said: np.ndarray, truth: np.ndarray, groups: np.ndarray, bins: int) -> np.ndarray:
    """Return how far predictions are from the truth on average over bins, and after it the replicates."""
    edges = quantiles(said, np.arange(1, bins) / bins)
    size = len(edges) + 2
    off = np.bincount(groups * size + binned(said, edges), weights=said - truth, minlength=GROUPS * size)
    rows = np.bincount(groups, minlength=GROUPS)
    sums = np.vstack([np.zeros(size), off.reshape(GROUPS, size)])
    left = len(said) - np.append(0, rows)
    return np.asarray(np.abs(off.reshape(GROUPS, size).sum(axis=0) - sums).sum(axis=1) / np.maximum(left, 1))
