"""Whether what is learned from synthetic rows holds for real ones: train on synthetic, test on real."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import DISCRETE, Field, Kind
from synthwright.core.values import Column, numbers
from synthwright.kit.boosting import boost, encode
from synthwright.kit.stats import Estimate, auc, from_influence, midranks, shared_codes
from synthwright.metrics.comparing import MOST_CELLS, MOST_ROWS, Finding, draw, modelled, scores, without

_FEWEST = 10
"""Rows to learn from, or to test on, below which nothing is measured; and rows of a class that counts by itself."""
_CLASSES = 20
"""Distinct whole numbers up to which a target is classes, and classes that are told apart; the rarer are one."""


class Tstr(Metric):
    """How well boosted trees trained on synthetic rows predict the target of held-out rows: 1 perfectly.

    A category, a boolean, or whole numbers of at most 20 distinct values are classified: the area under the curve, each
    class against the rest, the mean over classes with at least ten held-out rows (0.5 is guessing; a class that
    synthetic rows lack counts as guessed). Other targets are a regression: the share of variance explained (R², not
    below 0) of the target's rank among real rows, so that scale and outliers have no weight. All modelled columns
    predict; rows without a target are left out. The reference trains on the training rows. The interval is for other
    held-out rows. Without held-out rows, training rows test synthetic ones, and the reference trains on one half of
    them and tests on the other.
    """

    name: ClassVar[str] = "tstr"
    group: ClassVar[Literal["utility"]] = "utility"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It asks one question of one kind of model: other targets and uses may fare worse."

    rounds: int = Setting(default=200, ge=1, le=1_000)
    """Boosting rounds at most; training stops sooner where they gain nothing."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to test on")
        if case.target is None:
            return without(
                self, "no target is named (a specification says `evaluate: {target: …}`, the command line `--target`)"
            )
        if case.target not in case.schema.columns:
            return without(self, "the target is no column of the schema", "failed")
        table, target = case.schema.split(case.target)
        known = modelled(case.schema.tables[table].fields)
        if target not in known:
            return without(self, "the target is made anew, not modelled from real values")
        present, made = set(case.train.columns(table)), set(case.synthetic.columns(table))
        fields = {c: f for c, f in known.items() if c in present}
        lacking = [c for c in fields if c not in made]
        if lacking:
            return without(self, f"the synthetic table lacks {len(lacking)} columns, first {lacking[0]!r}", "failed")
        if len(fields) < 2:
            return without(self, "no other modelled column could predict the target")
        if not case.synthetic.rows(table):
            return without(self, "the synthetic table has no rows", "failed")
        return self._measure(_prepare(case, ctx, table, target, fields), ctx)

    def _measure(self, task: _Task, ctx: Context) -> list[Score]:
        rows = min(len(task.test), len(task.train), len(task.unseen))
        if rows < _FEWEST:
            return without(self, f"too few rows with a target: {rows}, of at least {_FEWEST} that are needed")
        estimate = self._learn(task, task.synthetic, task.test, ctx)
        if estimate is None:
            return without(self, "the target does not vary among the rows that test")
        second = self._learn(task, task.train, task.unseen, ctx)
        reference = None if second is None else second.within(self.bounds).value
        return scores(self, {task.table: Finding("", estimate, reference, task.note)}, [], rows)

    def _learn(self, task: _Task, learn: np.ndarray, test: np.ndarray, ctx: Context) -> Estimate | None:
        """Return how well trees from some of the task's rows predict others; None where the target does not vary."""
        rounds = self.rounds if task.classes <= 2 else max(min(self.rounds, 30), 2 * self.rounds // task.classes)
        trees = boost(task.values[learn], task.target[learn], ctx.at("boost"),
                      discrete=task.discrete, classes=task.classes, rounds=rounds)  # fmt: skip
        said, truth = trees.predict(task.values[test]), task.target[test]
        if not task.classes:
            return _explained(said, truth)
        said = np.stack([1 - said, said], axis=1) if said.ndim == 1 else said
        said[:, np.bincount(task.target[learn].astype(np.int64), minlength=task.classes) == 0] = 0.0  # never seen
        return _told_apart(said, truth, task.classes)


class _Task(NamedTuple):
    """What is learned from what: all rows in one matrix, and positions in it."""

    table: str
    note: str
    values: np.ndarray
    discrete: tuple[int, ...]
    target: np.ndarray
    """Codes of classes, or ranks among training rows."""
    classes: int
    """0 for a regression."""
    synthetic: np.ndarray
    """Learned from for the value."""
    test: np.ndarray
    """Tested on for the value."""
    train: np.ndarray
    """Learned from for the reference."""
    unseen: np.ndarray
    """Tested on for the reference."""


def _prepare(case: Case, ctx: Context, table: str, target: str, fields: dict[str, Field]) -> _Task:
    held = [d.tables[table] for d in (case.synthetic, case.train, case.holdout) if d is not None]
    most = min(MOST_ROWS, max(1_000, MOST_CELLS // len(fields)))
    cut = [draw(t.select(list(fields)), most, ctx.at("rows", i)) for i, t in enumerate(held)]
    sampled = any(t.num_rows > most for t in held)
    known = encode(cut, {c: f for c, f in fields.items() if c != target})
    real = np.arange(sum(t.num_rows for t in cut)) >= cut[0].num_rows
    coded, classes = _target([t.column(target) for t in cut], fields[target], real)
    parts = np.split(np.arange(len(real)), np.cumsum([t.num_rows for t in cut])[:-1])
    synthetic, train, unseen = (p[~np.isnan(coded[p])] for p in [*parts, np.arange(0)][:3])
    test = unseen
    if not len(unseen):  # no held-out rows: training rows test, and the reference splits them
        test, mixed = train, ctx.at("halves").rng.permutation(train)
        train, unseen = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
    note = f"measured on a random sample: {most:,} rows of larger tables" if sampled else ""
    values = np.concatenate(known.values)
    return _Task(table, note, values, known.discrete, coded, classes, synthetic, test, train, unseen)


def _target(columns: list[Column], field: Field, real: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the target of all rows as classes or ranks (NaN where null), and how many classes there are."""
    if field.kind in DISCRETE:
        codes, size = shared_codes(columns)
        values = np.concatenate(codes).astype(np.float64)
        values[values == size - 1] = np.nan
        return _classes(values, real)
    values = np.concatenate([numbers(c) for c in columns])
    known = values[real & ~np.isnan(values)]
    if field.kind is Kind.INTEGER and len(np.unique(known)) <= _CLASSES:
        return _classes(values, real)
    return midranks(values, np.sort(known)), 0


def _classes(values: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, int]:
    """Return values as classes by how frequent they are in real rows; what is rare or not real is one last class."""
    present = ~np.isnan(values)
    distinct, counts = np.unique(values[real & present], return_counts=True)
    most = _CLASSES if len(distinct) <= _CLASSES else _CLASSES - 1
    kept = np.sort(distinct[np.argsort(-counts, kind="stable")[:most]])
    place = np.searchsorted(kept, values)
    found = present & (np.append(kept, np.nan)[np.minimum(place, len(kept))] == values)
    codes = np.where(found, place, len(kept)).astype(np.float64)
    codes[~present] = np.nan
    return codes, max(len(kept) + int((present & ~found).any()), 2)


def _told_apart(said: np.ndarray, truth: np.ndarray, classes: int) -> Estimate | None:
    """Return the mean area under the curve, each class against the rest; None where only one class occurs."""
    counts = np.bincount(truth.astype(np.int64), minlength=classes)
    enough = [c for c in range(classes) if min(counts[c], len(truth) - counts[c]) >= _FEWEST]
    some = enough or [c for c in range(classes) if 0 < counts[c] < len(truth)]
    if not some:
        return None
    areas, influences = zip(*(auc(said[:, c], truth == c) for c in some), strict=True)
    return from_influence(float(np.mean(areas)), np.mean(influences, axis=0))


def _explained(said: np.ndarray, truth: np.ndarray) -> Estimate | None:
    """Return the share of variance explained; None where there is no variance."""
    errors, spread = (truth - said) ** 2, (truth - truth.mean()) ** 2
    total = float(spread.sum())
    if total <= 0:
        return None
    left = float(errors.sum()) / total
    return from_influence(1 - left, (errors - left * spread) / total)
