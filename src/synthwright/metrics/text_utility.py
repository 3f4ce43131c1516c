"""Whether a classifier of texts that learned from synthetic rows is right about real ones."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Schema
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.groups import Silence
from synthwright.kit.measuring.stats import Estimate, wilson
from synthwright.kit.texts.labelled import Labelled, labelled, text_faults
from synthwright.kit.texts.text_classifier import TextClassifier
from synthwright.metrics.comparing import Finding, scores, without
from synthwright.metrics.predicting import NUMBERED, strays, widened

_DRAWS = 1_000
"""Bootstrap samples of held-out rows."""
_BLOCK = 100
"""Samples that are drawn at once: bounds the memory."""
F1 = "macro F1"
LESS, BOTH, GAIN = "synthetic less real", "both", "both less real"
_WORSE, _BETTER, _ALIKE = "worse than real rows alone", "better than real rows alone", "no difference beyond chance"


class Judged(NamedTuple):
    """How right predictions are, and how right they would be for other held-out rows."""

    values: np.ndarray
    """The share that is right, macro F1, and the recall of each class; NaN for classes that no held-out row has."""
    drawn: np.ndarray
    """The same for each bootstrap sample, a row each."""

    def less(self, other: Judged) -> list[Estimate]:
        """Return by how much it is better than another, in the first two, with 95 % intervals: paired."""
        return _bootstrapped(self.values[:2] - other.values[:2], self.drawn[:, :2] - other.drawn[:, :2])


class TextUtility(Metric):
    """How many held-out texts a classifier labels rightly that learned from synthetic texts: 1 all of them.

    Three classifiers learn the target from the text columns of its table: from synthetic rows, from as many training
    rows at most (the reference), and from both together; all label the same held-out rows. Each is a logistic
    regression over hashed words, pairs of words and runs of characters, weighted by how few of the texts that it
    learned from have them. The whole is the share that is right; `macro F1` is the mean over classes; `class 1`, the
    most frequent, and so on is the share of its held-out rows that is found. `synthetic less real` and `both less real`
    are differences; of `both`, the reference learned from all training rows. Of many labels all but the 99 most
    frequent are one class. Rows without text or label are left out; of more than 1,500 to 8,000, by the number of
    labels, a random sample is read.

    The interval is for other held-out rows: of shares Wilson's, of F1 and differences that of the paired bootstrap
    (Koehn, Statistical significance tests for machine translation evaluation, EMNLP 2004). Chance is that of another
    sample of held-out rows, and of rows to learn from, told from classifiers that learned from parts of the training
    rows. Without held-out rows nothing is measured, for synthetic rows have seen the others. Reference: Esteban, Hyland
    and Rätsch, Real-valued (medical) time series generation with recurrent conditional GANs, arXiv:1706.02633 (2017).
    """

    name: ClassVar[str] = "text-utility"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    not_shown: ClassVar[str] = (
        "It asks one plain classifier that knows no language beforehand; a pretrained one may gain less, or more."
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
        if not len(task.holdout):
            return without(self, "there are no held-out rows, and synthetic rows have seen all others")
        truth = task.label[task.holdout]
        seen = {"synthetic": task.synthetic, "real": task.second, "all real": task.train}
        seen["both"] = np.concatenate([task.train, task.synthetic])
        if len(task.second) == len(task.train):
            seen.pop("all real")
        said = {name: _labelled(task, rows) for name, rows in seen.items()}
        found = {name: _judged(labels, truth, task.classes, ctx.at("draws")) for name, labels in said.items()}
        found.setdefault("all real", found["real"])
        learning = strays(task, ctx.at("strays"), lambda rows, _: _values(_labelled(task, rows), truth, task.classes))
        whole, f1, *each = _learned(task, truth, found, learning)
        first, *parts = scores(self, {task.table: whole}, each, len(truth))
        others = [f1, *_added(task, truth, found)]
        return [first, *(scores(self, {o.about: o}, [], len(truth))[0]._replace(about=o.about) for o in others), *parts]


def _labelled(task: Labelled, rows: np.ndarray) -> np.ndarray:
    """Return the labels of the held-out texts as a classifier says that learned from some rows."""
    learned = TextClassifier.of(task.counts[rows], task.label[rows], task.classes)
    return np.asarray(learned.says(task.counts[task.holdout]).argmax(axis=1))


# ------------------------------------------------------------------------------------------------------------- judging
def _values(said: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Return the share that is right, macro F1, and the recall of each class."""
    return _measured(*_sums(np.ones((1, len(truth))), said, truth, classes))[0]


def _judged(said: np.ndarray, truth: np.ndarray, classes: int, ctx: Context) -> Judged:
    """Return how right labels are; the same context gives the same bootstrap samples."""
    rng, rows, drawn = ctx.rng, len(truth), []
    for _ in range(_DRAWS // _BLOCK):
        weights = rng.multinomial(rows, np.full(rows, 1 / rows), size=_BLOCK).astype(np.float32)
        drawn.append(_measured(*_sums(weights, said, truth, classes)))
    return Judged(_values(said, truth, classes), np.vstack(drawn))


def _sums(weights: np.ndarray, said: np.ndarray, truth: np.ndarray, classes: int) -> tuple[np.ndarray, ...]:
    """Return for each sample and class how many are rightly said to be it, how many are it, how many are said to be."""
    of = [np.eye(classes, dtype=weights.dtype)[codes] for codes in (truth, said)]
    return tuple(weights @ which for which in (of[0] * (said == truth)[:, None], *of))


def _measured(right: np.ndarray, true: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Return the share that is right, macro F1 over the classes that rows have, and the recall of each class."""
    held = true > 0
    recall = np.divide(right, true, out=np.full(right.shape, np.nan), where=held)
    f1 = np.divide(2 * right, true + named, out=np.zeros(right.shape), where=held)
    share = right.sum(axis=1) / true.sum(axis=1)
    return np.column_stack([share, f1.sum(axis=1) / held.sum(axis=1), recall])


def _bootstrapped(values: np.ndarray, drawn: np.ndarray) -> list[Estimate]:
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    ends = zip(values.tolist(), low.tolist(), high.tolist(), strict=True)
    return [Estimate(v, min(a, v), max(b, v)) for v, a, b in ends]


# ------------------------------------------------------------------------------------------------------------ findings
def _learned(task: Labelled, truth: np.ndarray, found: dict[str, Judged], learning: np.ndarray) -> list[Finding]:
    """Return what synthetic rows teach: the whole, macro F1 and each class."""
    value, second = found["synthetic"], found["real"]
    rows = np.append([len(truth)] * 2, np.bincount(truth, minlength=task.classes))
    testing = _deviations(value.drawn - second.drawn) * widened(np.maximum(rows - 1, 1))
    error = np.hypot(testing, np.nan_to_num(learning))
    told = [c for c in task.by_frequency() if rows[2 + c]]
    strange = f"{task.strange:,} synthetic rows have labels that no real row has" if task.strange else ""
    about = f"{len(task.synthetic):,} synthetic and {len(task.second):,} real rows were learned from"
    note = "; ".join(n for n in (task.note, about, strange, NUMBERED) if n)

    def finding(about: str, at: int, estimate: Estimate, parts: int) -> Finding:
        return Finding(about, estimate, float(second.values[at]), chance=allowance(float(error[at]), parts))

    whole = finding("", 0, _share(value, 0, len(truth)), 1)._replace(note=note)
    f1 = finding(F1, 1, _bootstrapped(value.values[1:2], value.drawn[:, 1:2])[0], 1)
    each = [finding(task.name(c), 2 + c, _share(value, 2 + c, int(rows[2 + c])), len(told))
            for c in told]  # fmt: skip
    return [whole, f1, *each]


def _share(judged: Judged, at: int, rows: int) -> Estimate:
    """Return a share of so many rows with its interval."""
    return wilson(float(judged.values[at]) * rows, rows)


def _deviations(drawn: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column; 0 where there is nothing."""
    known = ~np.isnan(drawn)
    rows = np.maximum(known.sum(axis=0), 1)
    off = np.where(known, drawn - np.where(known, drawn, 0.0).sum(axis=0) / rows, 0.0)
    return np.asarray(np.sqrt((off**2).sum(axis=0) / rows))


def _added(task: Labelled, truth: np.ndarray, found: dict[str, Judged]) -> list[Finding]:
    """Return what both teach together, and the differences."""
    both, alone = found["both"], found["all real"]
    rows = np.bincount(truth, minlength=task.classes)
    made = []
    for name, (one, other) in {LESS: (found["synthetic"], found["real"]), GAIN: (both, alone)}.items():
        for about, estimate in zip(("", f": {F1}"), one.less(other), strict=True):
            note = _WORSE if estimate.high < 0 else _BETTER if estimate.low > 0 else _ALIKE
            made.append(Finding(name + about, estimate, 0.0, note))
    share = _share(both, 0, len(truth))
    f1 = _bootstrapped(both.values[1:2], both.drawn[:, 1:2])[0]
    made += [Finding(BOTH, share, float(alone.values[0])), Finding(f"{BOTH}: {F1}", f1, float(alone.values[1]))]
    made += [Finding(f"{BOTH}: {task.name(c)}", _share(both, 2 + c, int(rows[c])),
                     float(alone.values[2 + c])) for c in task.by_frequency() if rows[c]]  # fmt: skip
    return made
