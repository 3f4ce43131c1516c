"""Whether synthetic rows beside the real ones make a better model than the real ones alone."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.metrics.comparing import Finding, scores, without
from synthwright.metrics.predicting import NUMBERED, Judged, Task, judged, learned, task_of

_ROWS = 20_000
"""Rows of each sample that are looked at."""
_ROUNDS = 200
"""Boosting rounds at most."""
_WORSE = "real rows alone predict better"
_BETTER = "synthetic rows beside the real ones predict better"
_ALIKE = "no difference beyond chance"


class Augmentation(Metric):
    """By how much synthetic rows beside the training rows help boosted trees predict held-out rows: 0 not at all.

    The score of trees trained on training and synthetic rows together, less that of trees trained on the training rows
    alone; the score is that of `tstr`: the area under the curve, or the share of variance explained. More than two
    classes have a difference each, by number, the most frequent first. Both are tested on the same held-out rows, and
    the interval is that of a difference between the two on such rows (DeLong's components), not between other trees.
    Without held-out rows nothing is measured, for synthetic rows have seen the others. The reference is 0: nothing
    gained, nothing lost; a second real sample would gain something.
    """

    name: ClassVar[str] = "augmentation"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    not_shown: ClassVar[str] = "It asks one question of one kind of model; others may gain or lose from the same rows."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx, _ROWS)
        if not isinstance(task, Task):
            return task
        if not task.held:
            return without(self, "there are no held-out rows, and synthetic rows have seen all others")
        both = _tested(task, np.concatenate([task.train, task.synthetic]), ctx)
        alone = _tested(task, task.train, ctx)
        gained = Judged(both.values - alone.values, both.influences - alone.influences, both.classes)
        told = task.by_frequency(both.classes)
        whole, *others = (
            Finding(name, e, 0.0, _WORSE if e.high < 0 else _BETTER if e.low > 0 else _ALIKE)
            for name, e in zip(["", *map(task.name, told)], gained.of(told).estimates(self.bounds), strict=True)
        )
        whole = whole._replace(note=task.noted(whole.note, NUMBERED if others else ""))
        return scores(self, {task.table: whole}, others, task.rows)


def _tested(task: Task, rows: np.ndarray, ctx: Context) -> Judged:
    said = learned(task, rows, ctx.at("boost"), _ROUNDS).says(task.values[task.test])
    return judged(said, task.target[task.test], task.classes)
