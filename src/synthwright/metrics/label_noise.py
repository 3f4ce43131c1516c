"""How many synthetic texts have the wrong label, as far as texts and labels of real rows tell."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Schema
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.groups import Silence
from synthwright.kit.measuring.stats import GROUPS, deal, jackknife
from synthwright.kit.texts.labelled import Labelled, labelled, text_faults
from synthwright.kit.texts.text_labels import Classifier, Space, cross_fitted, folds_of, probable, scales_of
from synthwright.kit.texts.text_noise import noise
from synthwright.metrics.comparing import Finding, scores, without
from synthwright.metrics.predicting import NUMBERED, widened

THEMSELVES = "among themselves"


class LabelNoise(Metric):
    """The estimated share of synthetic texts whose label is wrong: 0 none.

    Confident learning: classifiers that learned from the training rows say how likely each label is for each synthetic
    text; where another label than the stated one is at least as likely as for texts that state it, the stated one
    counts as wrong. The reference is the same for held-out rows, by the same classifiers; without any, for training
    rows, told by classifiers of other training rows (five folds). It is above 0: real rows have wrong labels, and the
    fewer of them there are to learn from, the more good texts look wrong. `class 1`, the most frequent, and so on is
    the share of the texts that state it. `among themselves` is told from the synthetic rows alone, in five folds,
    beside as many training rows: it sees labels that contradict each other, not what all rows of a label have wrong.
    Rows with a label that no training row has are left out. Interval and chance are for other rows (jackknife).
    Reference: Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 70
    (2021), arXiv:1911.00068.
    """

    name: ClassVar[str] = "label-noise"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It is an estimate by the words of texts: real rows that were varied look right, whatever their label."
    )

    columns: tuple[str, ...] = Setting(default=(), examples=[["message.text"]])
    """The columns of text, as `table.column`; nothing: every column of text in the target's table that holds no
    personal data."""

    def faults(self, schema: Schema) -> list[str]:
        return super().faults(schema) + text_faults(self.columns, schema)

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        task = labelled(case, ctx, self.columns)
        if isinstance(task, Silence):
            return without(self, *task)
        known = np.bincount(task.label[task.train], minlength=task.classes) > 0
        made, unseen = (rows[known[task.label[rows]]] for rows in (task.synthetic, task.holdout))
        if not len(made):
            return without(self, "no synthetic row has a label that a training row has", "failed")
        reader = _Reader.of(task, task.train, ctx.at("real"))
        value = _noise(task, made, reader.says(task.counts[made]), ctx)
        likely = reader.says(task.counts[unseen]) if len(unseen) else reader.own
        second = _noise(task, unseen if len(unseen) else task.train, likely, ctx)
        whole, *each = _findings(task, value, second)
        lost = len(task.synthetic) - len(made)
        strange = f"{lost:,} synthetic rows have labels that no training row has" if lost else ""
        whole = whole._replace(note="; ".join(n for n in (task.note, strange, NUMBERED) if n))
        first, *parts = scores(self, {task.table: whole}, each, task.rows)
        return [first, self._among(task, made, ctx), *parts]

    def _among(self, task: Labelled, made: np.ndarray, ctx: Context) -> Score:
        """Return the share that the synthetic rows tell of each other, beside that of training rows."""
        value, second = (_noise(task, rows, _Reader.of(task, rows, ctx.at("among")).own, ctx)[:, 0]
                         for rows in (made, task.second))  # fmt: skip
        return scores(self, {"": _finding("", value, second, 1)}, [], task.rows)[0]._replace(about=THEMSELVES)


class _Reader(NamedTuple):
    """Classifiers that learned from some rows."""

    space: Space
    told: Classifier
    scales: tuple[float, float]
    own: np.ndarray
    """How likely each class is for the rows that were learned from, told from others of them."""

    @staticmethod
    def of(task: Labelled, rows: np.ndarray, ctx: Context) -> _Reader:
        counts, label = task.counts[rows], task.label[rows]
        space = Space.of(counts, ctx.at("axes").rng)
        weighted, vectors = space.read(counts)
        fold = folds_of(label, np.arange(len(rows)), int(ctx.at("folds").rng.integers(2**63)))
        opinions = cross_fitted(weighted, vectors, label, task.classes, fold)
        scales = scales_of(opinions, label)
        told = Classifier.of(weighted, vectors, label, task.classes)
        return _Reader(space, told, scales, probable(opinions, scales))

    def says(self, counts: Any) -> np.ndarray:
        """Return how likely each class is for other texts."""
        return probable(self.told.says(*self.space.read(counts)), self.scales)


def _noise(task: Labelled, rows: np.ndarray, likely: np.ndarray, ctx: Context) -> np.ndarray:
    return noise(likely, task.label[rows], deal(len(rows), ctx.at("groups").rng))


def _findings(task: Labelled, value: np.ndarray, second: np.ndarray) -> list[Finding]:
    """Return what was found of the whole, and of each class that synthetic rows state."""
    told = [c for c in task.by_frequency() if not np.isnan(value[0, 1 + c])]
    names, parts = ["", *map(task.name, told)], [1] + [len(told)] * len(told)
    at = [0, *(1 + c for c in told)]
    return [_finding(n, value[:, i], second[:, i], p) for n, i, p in zip(names, at, parts, strict=True)]


def _finding(about: str, value: np.ndarray, second: np.ndarray, parts: int) -> Finding:
    """Return a score from a share with its replicates, and from that of the reference."""
    if np.isnan(second[0]):
        return Finding(about, jackknife(float(value[0]), _whole(value)), None)
    made, other = (jackknife(float(side[0]), _whole(side)) for side in (value, second))
    error = float(np.hypot(made.error, other.error) * widened(GROUPS - 1))
    return Finding(about, made, other.value, chance=allowance(error, parts))


def _whole(side: np.ndarray) -> np.ndarray:
    """Return the replicates; where a group had all texts of a class, the share of all."""
    return np.where(np.isnan(side[1:]), side[0], side[1:])
