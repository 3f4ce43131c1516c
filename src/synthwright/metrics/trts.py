"""Whether synthetic rows answer as real ones do: train on real, test on synthetic."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.stats import auc, from_influence
from synthwright.metrics.comparing import Finding, scores, without
from synthwright.metrics.predicting import FEWEST, NUMBERED, Task, errors_of, learned, task_of

_TESTED = 20_000
"""Rows of each side that are predicted, at most."""


class Trts(Metric):
    """How well boosted trees trained on training rows predict the target of synthetic rows: 1 perfectly, 0.5 guessing.

    The area under the curve, each class against the rest, the mean over the classes of which synthetic and real rows
    have ten at least and ten that are not; of more than two, each has a score, by number, the most frequent first.
    Another target is told apart by the median of the real rows. Target and columns are those of `tstr`. The reference
    tests the same trees on held-out rows (without any, they learn from one half of the training rows and are tested on
    the other). What trees learned of the real rows in one place is asked of every synthetic row, so labels that are
    mixed up show sooner than in `tstr`, whose trees must first learn from them. The interval, and chance, are for other
    rows to test on (DeLong): the trees are the same. Reference: Esteban, Hyland and Rätsch, Real-valued (medical) time
    series generation with recurrent conditional GANs, arXiv:1706.02633 (2017).
    """

    name: ClassVar[str] = "trts"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "Synthetic rows that repeat one plain case are predicted best, and teach nothing else."

    rounds: int = Setting(default=200, ge=1, le=1_000)
    """Boosting rounds at most; training stops sooner where they gain nothing."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = task_of(self, case, ctx)
        if not isinstance(task, Task):
            return task
        if len(task.synthetic) < FEWEST:  # tested on here, not learned from
            return scores(self, {task.table: _guessed("")}, [], task.rows)
        trees = learned(task, task.second, ctx.at("boost"), self.rounds)
        places = [_some(r, ctx.at("some", i)) for i, r in enumerate((task.synthetic, task.unseen))]
        said, truth = [trees.says(task.values[p]) for p in places], [task.target[p] for p in places]
        kinds = range(task.classes) if task.classes > 2 else [1]
        if not task.classes:
            kinds, said = [1], [np.stack([-s, s], axis=1) for s in said]
            truth = [(t > 0.5).astype(np.float64) for t in truth]  # ranks among real rows: above their median
        made, real = ([k for k in kinds if min((t == k).sum(), (t != k).sum()) >= FEWEST] for t in truth)
        if not real:
            return without(self, f"too few rows test: {FEWEST} of each answer are needed")
        enough = [k for k in real if k in made]
        note = task.noted(NUMBERED if len(kinds) > 1 else "")
        if not enough:
            return scores(self, {task.table: _guessed(note)}, [], task.rows)
        value, second = (_areas(s, t, enough) for s, t in zip(said, truth, strict=True))
        whole = _found("", [v.mean(axis=0) for v in value], [v.mean(axis=0) for v in second], truth, 1)
        told = task.by_frequency(enough) if len(kinds) > 1 else []
        at = {k: i for i, k in enumerate(enough)}
        parts = [_found(task.name(k), [v[at[k]] for v in value], [v[at[k]] for v in second], truth, len(told))
                 for k in told]  # fmt: skip
        return scores(self, {task.table: whole._replace(note=note)}, parts, task.rows)


def _some(rows: np.ndarray, ctx: Context) -> np.ndarray:
    """Return so many of the rows to test on, at most."""
    return rows if len(rows) <= _TESTED else np.sort(ctx.rng.choice(rows, size=_TESTED, replace=False))


def _guessed(note: str) -> Finding:
    """Return what rows are worth that have one answer, or next to none: guessing."""
    why = "the synthetic rows have next to no two answers that could be told apart"
    return Finding("", from_influence(0.5, np.zeros(1)), 1.0, "; ".join(n for n in (note, why) if n), 0.0)


def _areas(said: np.ndarray, truth: np.ndarray, kinds: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the area of each class against the rest, and every row's influence on each."""
    found = [auc(said[:, k], truth == k) for k in kinds]
    return np.array([area for area, _ in found]), np.stack([influence for _, influence in found])


def _found(about: str, value: list[np.ndarray], second: list[np.ndarray], truth: list[np.ndarray],
           parts: int) -> Finding:  # fmt: skip
    errors = [
        errors_of(side[1][None, :], t.astype(np.int64))[0] for side, t in zip((value, second), truth, strict=True)
    ]
    return Finding(about, from_influence(float(value[0]), value[1]), float(second[0]),
                   chance=allowance(float(np.hypot(*errors)), parts))  # fmt: skip
