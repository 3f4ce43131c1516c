"""Whether what is learned from synthetic rows holds for real ones: train on synthetic, test on real."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.metrics.comparing import Finding, scores
from synthwright.metrics.predicting import (
    NUMBERED,
    Judged,
    Task,
    judged,
    learned,
    paired,
    strays,
    task_of,
    tested_on,
)

_TESTED = 5_000
"""Rows that models of groups are tested on, at most."""


class Tstr(Metric):
    """How well boosted trees trained on synthetic rows predict the target of held-out rows: 1 perfectly.

    A category, a boolean, or whole numbers of at most 20 distinct values are classified: the area under the curve, each
    class against the rest, the mean over classes with at least ten held-out rows (0.5 is guessing; a class that
    synthetic rows lack counts as guessed). More than two classes have a score each, by number, the most frequent first.
    Other targets are a regression: the share of variance explained (R², not below 0) of the target's rank among real
    rows, so that scale and outliers have no weight. All modelled columns predict; rows without a target are left out.
    The reference trains on the training rows, on as many as there are synthetic rows at most. The interval is for other
    held-out rows. Chance is how far two models stray whose rows are two samples of one population: the held-out rows
    are the same for both, so the error of the difference comes from what each row adds to it (DeLong's components); the
    error from the rows that were learned from comes from models of a quarter of the training rows each. Without
    held-out rows, training rows test synthetic ones, and the reference trains on one half of them and tests on the
    other. Reference: Esteban, Hyland and Rätsch, Real-valued (medical) time series generation with recurrent
    conditional GANs, arXiv:1706.02633 (2017).
    """

    name: ClassVar[str] = "tstr"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It asks one question of one kind of model: other targets and uses may fare worse."

    rounds: int = Setting(default=200, ge=1, le=1_000)
    """Boosting rounds at most; training stops sooner where they gain nothing."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx)
        if not isinstance(task, Task):
            return task
        value = self._tested(task, task.synthetic, task.test, ctx.at("boost"))
        second = self._tested(task, task.second, task.unseen, ctx.at("boost"))
        told = task.by_frequency([c for c in value.classes if c in second.classes])
        value, second = value.of(told), second.of(told)
        some = tested_on(task, _TESTED, ctx.at("some"))
        learning = strays(task, ctx.at("strays"), lambda rows, at: self._tested(task, rows, some, at).of(told).values)
        errors = np.hypot(paired(task, value, second), learning)
        parts = [1] + [len(told)] * len(told)
        whole, *others = (
            Finding(name, estimate, max(float(reference), 0.0), chance=allowance(float(error), among))
            for name, estimate, reference, error, among in zip(
                ["", *(task.name(c) for c in told)], value.estimates(self.bounds), second.values, errors, parts,
                strict=True)
        )  # fmt: skip
        whole = whole._replace(note=task.noted(NUMBERED if told else ""))
        return scores(self, {task.table: whole}, others, task.rows)

    def _tested(self, task: Task, learn: np.ndarray, test: np.ndarray, ctx: Context) -> Judged:
        """Return how well trees from some of the task's rows predict others."""
        said = learned(task, learn, ctx, self.rounds).says(task.values[test])
        return judged(said, task.target[test], task.classes)
