"""Whether a model learns from synthetic rows which columns matter."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.stats import GROUPS, deal, jackknife
from synthwright.metrics.comparing import Finding, label, scores, without
from synthwright.metrics.predicting import PREDICTED, Task, judged, learned, task_of, tested_on

_ROWS = 5_000
"""Rows of each sample that are looked at."""
_ROUNDS = (50, 10)
"""Boosting rounds at most: of up to two classes, and of more."""
_SPLITS = 2
"""How often the columns are dealt into two halves, each with trees of its own."""
_TESTED = 1_000
"""Held-out rows that are predicted with each column shuffled, at most; fewer are shuffled several times."""
_NOTHING = "trees trained on synthetic rows predict no better than a guess"
_USED = 30
"""Columns of one model that are shuffled, at most: the others of a wide table gain it less."""


class Importance(Metric):
    """How much of a column's importance for predicting the target is the same for synthetic and real rows: 1 all of it.

    The importance of a column is the loss of boosted trees on held-out rows when that column is shuffled among these:
    the growth of the squared error of the likelihoods (Brier's score), or of the rank of a target that is no class. It
    is the sum over five models: one sees all columns, the others random halves of them, so that columns that say the
    same do not hide behind each other, one here and the other there. Importances below 0 count as 0, and those of all
    columns are made to add up to 1. The score is what the importances of trees trained on synthetic rows share with
    those of trees trained on training rows: the sum of the smaller ones; 0 where trees trained on synthetic rows
    predict no better than a guess. A score about a column is 1 less the difference of its two importances. The
    reference is the same for two halves of the training rows, which know less than all of them and so agree a little
    less. The target, and what happens without held-out rows, are those of `tstr`. The interval is the jackknife's, for
    other held-out rows. References: Breiman, Random forests, Machine Learning 45 (2001); Fisher, Rudin and Dominici,
    All models are wrong, but many are useful, JMLR 20 (2019).
    """

    name: ClassVar[str] = "importance"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "That a column matters is compared, not how; columns that say the same share what they matter as chance has it."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx, _ROWS)
        if not isinstance(task, Task):
            return task
        probe = Probe.of(task, ctx)
        halves = np.array_split(ctx.at("parts").rng.permutation(task.second), 2)
        if not probe.found(task.second, ctx.at("boost", 0)):
            return without(self, "nothing predicts the target of real rows beyond chance")
        mine, theirs = (_shares(probe.gains(rows, ctx.at("boost"))) for rows in (task.synthetic, task.second))
        something = probe.found(task.synthetic, ctx.at("boost", 0))
        mine = mine * something  # where nothing is told, what is important is noise
        one, other = (_shares(probe.gains(half, ctx.at("half", i)))[0] for i, half in enumerate(halves))
        same = np.minimum(mine, theirs).sum(axis=1)
        note = task.noted("" if something else _NOTHING, probe.note)
        whole = Finding("", jackknife(float(same[0]), same[1:]), float(np.minimum(one, other).sum()), note)
        near, second = 1 - np.abs(mine - theirs), 1 - np.abs(one - other)
        parts = [
            Finding(label(task.table, c), jackknife(float(near[0, i]), near[1:, i]), float(second[i]))
            for i, c in enumerate(task.columns)
        ]
        return scores(self, {task.table: whole}, parts, min(len(probe.test), task.rows))


class Probe(NamedTuple):
    """How importance is measured: the same way for every sample that is learned from."""

    task: Task
    test: np.ndarray
    shuffles: list[np.ndarray]
    """Orders of the rows that test."""
    groups: np.ndarray
    """The jackknife's group of each row that tests."""
    seen: list[np.ndarray]
    """The columns that each model sees: once all of them, then halves, so that none can hide behind another."""

    @staticmethod
    def of(task: Task, ctx: Context) -> Probe:
        """Return how to measure importance in a task."""
        test = tested_on(task, _TESTED, ctx.at("some"))
        shuffles = [ctx.at("shuffle", i).rng.permutation(len(test)) for i in range(max(1, _TESTED // len(test)))]
        every = np.arange(len(task.columns))
        mixed = ctx.at("columns").rng.permutation(every)
        sides = [mixed >> i & 1 == bit for i in range(_SPLITS) for bit in (0, 1)]
        seen = [every, *(every[side] for side in sides if 0 < side.sum() < len(every))]
        return Probe(task, test, shuffles, deal(len(test), ctx.at("groups").rng), seen)

    @property
    def note(self) -> str:
        """How many rows are predicted, for people; nothing where all are."""
        return PREDICTED.format(len(self.test)) if len(self.test) < len(self.task.unseen) else ""

    def found(self, rows: np.ndarray, ctx: Context) -> bool:
        """Return whether trees that learned from some rows predict better than a guess."""
        model = learned(self.task, rows, ctx, _ROUNDS[self.task.classes > 2])
        said, truth = model.says(self.task.values[self.test]), self.task.target[self.test]
        return judged(said, truth, self.task.classes).estimates((-1, 1))[0].low > (0.5 if self.task.classes else 0)

    def gains(self, rows: np.ndarray, ctx: Context) -> np.ndarray:
        """Return how much the loss of models that learned from some rows grows when each column is shuffled.

        The second row and those below it are the same without each of the jackknife's groups in turn.
        """
        sums = np.zeros((GROUPS, len(self.task.columns)))
        truth, rounds = self.task.target[self.test], _ROUNDS[self.task.classes > 2]
        for i, columns in enumerate(self.seen):
            few = self.task.with_columns(columns)
            model, values = learned(few, rows, ctx.at(i), rounds), few.values[self.test]
            plain = _losses(model.says(values), truth)
            for place in model.used(_USED):
                for order in self.shuffles:
                    spoiled = values.copy()
                    spoiled[:, place] = values[order, place]
                    grown = _losses(model.says(spoiled), truth) - plain
                    sums[:, columns[place]] += np.bincount(self.groups, weights=grown, minlength=GROUPS)
        left = len(self.test) - np.append(0, np.bincount(self.groups, minlength=GROUPS))
        total = sums.sum(axis=0)
        return np.asarray(np.vstack([total, total - sums]) / np.maximum(left, 1)[:, None])


def _losses(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the squared error of each row: of its number, or of the likelihoods of all classes."""
    if said.ndim == 1:
        return np.asarray((said - truth) ** 2)
    own = said[np.arange(len(truth)), truth.astype(np.int64)]
    return np.asarray((said**2).sum(axis=1) - 2 * own + 1)


def _shares(gains: np.ndarray) -> np.ndarray:
    """Return importances that add up to 1 in each row, or to 0 where no column matters."""
    known = np.maximum(gains, 0.0)
    total = known.sum(axis=1, keepdims=True)
    return np.divide(known, total, out=np.zeros_like(known), where=total > 0)
