"""What the metrics of use share: one target, rows to learn from, rows to test on, and how predictions are judged.

The value comes from trees that learned from synthetic rows, the reference from trees that learned from training rows;
both predict held-out rows. Where there are fewer synthetic than training rows, the reference learns from as many
training rows, drawn at random. Without held-out rows, training rows test what synthetic rows taught, and the reference
learns from one random half of them and is tested on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import DISCRETE, Field, Kind
from synthwright.core.values import Column, numbers
from synthwright.kit.learning.boosting import Boosted, boost, encode
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.stats import Estimate, auc, from_influence, midranks, shared_codes
from synthwright.metrics.comparing import MOST_CELLS, MOST_ROWS, draw, modelled, without

NUMBERED = "classes are numbered by how many real rows have them, the most frequent first"
"""What a score about classes tells people."""
PREDICTED = "{:,} random rows were predicted"
"""What a score tells people that does not predict all rows that test."""
FEWEST = 10
"""Rows to learn from, or to test on, below which nothing is measured; and rows of a class that counts by itself."""
CLASSES = 20
"""Distinct whole numbers up to which a target is classes, and classes that are told apart; the rarer are one."""
_GROUPS = 4
"""Groups of the training rows that are learned from one by one, to see how far models stray."""
_GROUP_ROWS = 3_000
"""Rows of such a group at most."""
_MANY = 6_000
"""Rows below which they are dealt into groups twice: what four models tell of their variance is little."""
_SMALL_GROUP = 200
"""Rows of a group below which halves, dealt anew each time, take the place of quarters: too few rows teach nothing."""


class Task(NamedTuple):
    """What is learned from what: all rows in one matrix, and positions in it."""

    table: str
    note: str
    values: np.ndarray
    columns: tuple[str, ...]
    """The names of the columns of `values`."""
    discrete: tuple[int, ...]
    target: np.ndarray
    """Codes of classes, or ranks among training rows; NaN where null."""
    classes: int
    """0 for a regression."""
    places: tuple[int, ...]
    """The place of each class among all by how many real rows have it, from 1."""
    synthetic: np.ndarray
    """Learned from for the value."""
    test: np.ndarray
    """Tested on for the value."""
    train: np.ndarray
    """The training rows that may teach: all, or one half where the other tests."""
    second: np.ndarray
    """Learned from for the reference: as many training rows as there are synthetic ones, at most."""
    unseen: np.ndarray
    """Tested on for the reference."""
    held: bool
    """Whether there are held-out rows: `test` and `unseen` are the same rows then."""

    @property
    def rows(self) -> int:
        """How many rows the smallest part has."""
        return min(len(self.synthetic), len(self.test), len(self.second), len(self.unseen))

    def with_columns(self, columns: np.ndarray) -> Task:
        """Return the task with only these of its columns, by position, to learn from."""
        discrete = tuple(np.flatnonzero(np.isin(columns, self.discrete)).tolist())
        names = tuple(self.columns[c] for c in columns)
        return self._replace(values=self.values[:, columns], columns=names, discrete=discrete)

    def noted(self, *more: str) -> str:
        """Return the note with what else people must know."""
        return "; ".join(n for n in (self.note, *more) if n)

    def by_frequency(self, classes: Sequence[int]) -> list[int]:
        """Return classes by how many real rows have them."""
        return sorted(classes, key=lambda c: self.places[c])

    def name(self, kind: int) -> str:
        """Return how a score calls a class: by its place, never by its label."""
        return f"class {self.places[kind]}"


class Judged(NamedTuple):
    """How good predictions are: as a whole, and for each class that has rows enough where there are more than two."""

    values: np.ndarray
    """The whole, then each class."""
    influences: np.ndarray
    """Of each tested row (a column each) on each of the values."""
    classes: tuple[int, ...] = ()

    def of(self, classes: Sequence[int]) -> Judged:
        """Return the whole and these classes; one that has too few rows counts as the whole."""
        at = [0, *(1 + self.classes.index(c) if c in self.classes else 0 for c in classes)]
        return Judged(self.values[at], self.influences[at], tuple(classes))

    def estimates(self, bounds: tuple[float, float]) -> list[Estimate]:
        """Return the values with their intervals."""
        return [from_influence(float(v), i).within(bounds) for v, i in zip(self.values, self.influences, strict=True)]


class Learned(NamedTuple):
    """What trees learned of a target."""

    trees: Boosted
    classes: int
    lacking: np.ndarray
    """Booleans: the classes that no row had that was learned from."""

    def says(self, values: np.ndarray) -> np.ndarray:
        """Return the predicted numbers, or what each class (a column each) is likely to."""
        said = self.trees.predict(values)
        return spread(said, self.lacking) if self.classes else said

    def used(self, most: int) -> np.ndarray:
        """Return the positions of the columns that the trees look at; so many at most, those that gain most."""
        if self.trees.trees is None:
            return np.zeros(0, dtype=np.int64)
        gains = np.asarray(self.trees.trees.feature_importance("gain"))
        return np.argsort(-gains, kind="stable")[: min(most, np.count_nonzero(gains > 0))]


def spread(said: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    """Return likelihoods with a column for each class, also where there are two; 0 for those that were lacking."""
    said = np.stack([1 - said, said], axis=1) if said.ndim == 1 else said.copy()
    said[:, lacking] = 0.0
    return said


def task_of(metric: Metric, case: Case, ctx: Context, most: int = MOST_ROWS) -> Task | list[Score]:
    """Return what is to be learned, or the score that says why nothing can be.

    Args:
        metric: whose scores they are.
        case: what is measured.
        ctx: decides which rows are drawn.
        most: rows of each sample that are looked at.
    """
    if case.train is None:
        return without(metric, "there are no real rows to test on")
    if case.target is None:
        return without(
            metric, "no target is named (a specification says `evaluate: {target: …}`, the command line `--target`)"
        )
    if case.target not in case.schema.columns:
        return without(metric, "the target is no column of the schema", "failed")
    fields = _fields(metric, case, case.train, *case.schema.split(case.target))
    if isinstance(fields, list):
        return fields
    task = _prepared(case, ctx, fields, min(most, max(1_000, MOST_CELLS // len(fields))))
    if task.rows < FEWEST:
        return without(metric, f"too few rows with a target: {task.rows}, of at least {FEWEST} that are needed")
    if not (_varies(task.target[task.test]) and _varies(task.target[task.unseen])):
        return without(metric, "the target does not vary among the rows that test")
    return task


def _fields(metric: Metric, case: Case, train: Dataset, table: str, target: str) -> dict[str, Field] | list[Score]:
    """Return the target and the columns that predict it, or the score that says why there are none."""
    known = modelled(case.schema.tables[table].fields)
    if target not in known:
        return without(metric, "the target is made anew, not modelled from real values")
    real, made = _types(train, table), _types(case.synthetic, table)
    held = real if case.holdout is None else _types(case.holdout, table)
    fields = {c: f for c, f in known.items() if c in real and held.get(c) == real[c]}
    absent = [c for c in fields if made.get(c) != real[c]]
    if absent:
        problem = f"the synthetic table lacks {len(absent)} columns, first {absent[0]!r}, or holds them in another type"
        return without(metric, problem, "failed")
    if target not in fields:
        return without(metric, "the real rows have no target", "failed")
    if len(fields) < 2:
        return without(metric, "no other modelled column could predict the target")
    if not case.synthetic.rows(table):
        return without(metric, "the synthetic table has no rows", "failed")
    return fields


def _types(data: Dataset, table: str) -> dict[str, pa.DataType]:
    return {f.name: f.type for f in data.tables[table].schema}


def _varies(values: np.ndarray) -> bool:
    return bool((values != values[0]).any())


def _prepared(case: Case, ctx: Context, fields: dict[str, Field], most: int) -> Task:
    table, target = case.schema.split(case.target or "")
    held = [d.tables[table] for d in (case.synthetic, case.train, case.holdout) if d is not None]
    cut = [draw(t.select(list(fields)), most, ctx.at("rows", i)) for i, t in enumerate(held)]
    sampled = any(t.num_rows > most for t in held)
    others = {c: f for c, f in fields.items() if c != target}
    known = encode(cut, others)
    real = np.arange(sum(t.num_rows for t in cut)) >= cut[0].num_rows
    coded, classes = _target([t.column(target) for t in cut], fields[target], real)
    parts = np.split(np.arange(len(real)), np.cumsum([t.num_rows for t in cut])[:-1])
    share = len(parts[0]) / max(len(parts[1]), 1)
    parts = [*(p[~np.isnan(coded[p])] for p in parts), np.arange(0)][:3]
    synthetic, train, unseen = parts
    test = unseen
    if not len(unseen):  # no held-out rows: training rows test, and the reference splits them
        test, mixed = train, ctx.at("halves").rng.permutation(train)
        train, unseen = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
    many, second = min(len(train), round(share * len(parts[1]))), train
    if many < len(train):
        second = np.sort(ctx.at("second").rng.choice(train, size=many, replace=False))
    note = f"measured on a random sample: {most:,} rows of larger tables" if sampled else ""
    places = _places(coded[real & ~np.isnan(coded)], classes)
    return Task(table, note, np.concatenate(known.values), tuple(others), known.discrete, coded, classes, places,
                synthetic, test, train, second, unseen, test is unseen)  # fmt: skip


def _target(columns: list[Column], field: Field, real: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the target of all rows as classes or ranks (NaN where null), and how many classes there are."""
    if field.kind in DISCRETE:
        codes, size = shared_codes(columns)
        values = np.concatenate(codes).astype(np.float64)
        values[values == size - 1] = np.nan
        return _classes(values, real)
    values = np.concatenate([numbers(c) for c in columns])
    known = values[real & ~np.isnan(values)]
    if field.kind is Kind.INTEGER and len(np.unique(known)) <= CLASSES:
        return _classes(values, real)
    return midranks(values, np.sort(known)), 0


def _classes(values: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, int]:
    """Return values as classes by how frequent they are in real rows; what is rare or not real is one last class."""
    present = ~np.isnan(values)
    distinct, counts = np.unique(values[real & present], return_counts=True)
    most = CLASSES if len(distinct) <= CLASSES else CLASSES - 1
    kept = np.sort(distinct[np.argsort(-counts, kind="stable")[:most]])
    place = np.searchsorted(kept, values)
    found = present & (np.append(kept, np.nan)[np.minimum(place, len(kept))] == values)
    codes = np.where(found, place, len(kept)).astype(np.float64)
    codes[~present] = np.nan
    return codes, max(len(kept) + int((present & ~found).any()), 2)


def _places(real: np.ndarray, classes: int) -> tuple[int, ...]:
    """Return the place of each class by how many real rows have it, from 1."""
    order = np.argsort(-np.bincount(real.astype(np.int64), minlength=classes), kind="stable")
    return tuple((np.argsort(order) + 1).tolist()) if classes else ()


def learned(task: Task, rows: np.ndarray, ctx: Context, rounds: int) -> Learned:
    """Return what boosted trees learn of the target from some rows; with many classes, in fewer rounds."""
    few = rounds if task.classes <= 2 else max(min(rounds, 30), 2 * rounds // task.classes)
    trees = boost(task.values[rows], task.target[rows], ctx,
                  discrete=task.discrete, classes=task.classes, rounds=few)  # fmt: skip
    return Learned(trees, task.classes, lacking(task, rows))


def lacking(task: Task, rows: np.ndarray) -> np.ndarray:
    """Return which classes none of some rows has."""
    if not task.classes:
        return np.zeros(0, dtype=bool)
    return np.bincount(task.target[rows].astype(np.int64), minlength=task.classes) == 0


def judged(said: np.ndarray, truth: np.ndarray, classes: int) -> Judged:
    """Return how good predictions of a truth are that varies, as it does among a task's rows that test.

    Classes: the area under the curve, each against the rest, the mean over classes with rows enough. Numbers: the share
    of variance that is explained, below 0 where the mean would do better.
    """
    return _told_apart(said, truth, classes) if classes else _explained(said, truth)


def _told_apart(said: np.ndarray, truth: np.ndarray, classes: int) -> Judged:
    counts = np.bincount(truth.astype(np.int64), minlength=classes)
    enough = [c for c in range(classes) if min(counts[c], len(truth) - counts[c]) >= FEWEST]
    some = enough or [c for c in range(classes) if 0 < counts[c] < len(truth)]
    areas, influences = zip(*(auc(said[:, c], truth == c) for c in some), strict=True)
    whole = Judged(np.mean(areas, keepdims=True), np.mean(influences, axis=0, keepdims=True))
    if classes <= 2:
        return whole
    return Judged(np.append(whole.values, areas), np.vstack([whole.influences, *influences]), tuple(some))


def _explained(said: np.ndarray, truth: np.ndarray) -> Judged:
    errors, deviations = (truth - said) ** 2, (truth - truth.mean()) ** 2
    total = deviations.sum()
    left = errors.sum() / total
    return Judged(np.array([1 - left]), ((left * deviations - errors) / total)[None, :])


def paired(task: Task, value: Judged, second: Judged) -> np.ndarray:
    """Return the standard errors, as far as tested rows cause them, of the differences of values and references."""
    moves = np.zeros((len(value.values), len(task.target)))
    moves[:, task.test] += value.influences
    moves[:, task.unseen] -= second.influences
    truth = (task.target[task.test] if task.classes else np.zeros(len(task.test))).astype(np.int64)
    return errors_of(moves[:, task.test], truth)


def errors_of(influences: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the standard errors of values on which tested rows (a column each) have these influences.

    Few rows of a class tell their own error badly: it is widened by the degrees of freedom that the classes' rows have
    together (Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bulletin 2,
    1946).
    """
    rows = np.bincount(truth)
    each = np.stack([np.bincount(truth, weights=m**2, minlength=len(rows)) for m in influences])
    total, freedom = each.sum(axis=1), (each**2 / np.maximum(rows - 1, 1)).sum(axis=1)
    freedom = np.divide(total**2, freedom, out=np.full(len(total), np.inf), where=freedom > 0)
    return np.asarray(np.sqrt(total) * widened(freedom))


def widened(freedom: np.ndarray | float) -> np.ndarray:
    """Return by how much Student's distribution with so many degrees of freedom is wider than the normal one."""
    from scipy.special import ndtri, stdtrit

    return np.asarray(stdtrit(np.clip(freedom, 1, 1e6), 1 - LEVEL) / ndtri(1 - LEVEL))


class Taught(Protocol):
    """What has rows that teach the reference."""

    @property
    def second(self) -> np.ndarray:
        """Positions of the rows."""


def strays(task: Taught, ctx: Context, scored: Callable[[np.ndarray, Context], np.ndarray]) -> np.ndarray:
    """Return the standard errors of the differences of two models that learned from samples of one population.

    The rows that teach the reference are dealt into four groups (twice, where they are few), a model learns from each,
    and the variance of their scores is divided by the ratio of the rows: with more rows it falls at least so fast.
    Where that leaves next to no rows they are dealt into halves, four times: models of a dozen rows learn nothing, and
    so do not differ. That all are tested on the same rows counts in here, and again where the error that comes of the
    tested rows is added: the sum errs on the safe side.

    Args:
        task: what is learned.
        ctx: decides how rows are dealt.
        scored: gives the scores of a model that learns from some rows.
    """
    rows = len(task.second)
    times, parts = (2 if rows < _MANY else 1, _GROUPS) if rows >= _GROUPS * _SMALL_GROUP else (_GROUPS, 2)
    spreads, size = [], min(rows // parts, _GROUP_ROWS)
    for i in range(times):
        mixed = ctx.at("deal", i).rng.permutation(task.second)
        found = [scored(mixed[g * size : (g + 1) * size], ctx.at("group", i, g)) for g in range(parts)]
        spreads.append(np.var(found, axis=0, ddof=1))
    return np.asarray(np.sqrt(2 * np.mean(spreads, axis=0) * size / rows))


def tested_on(task: Task, most: int, ctx: Context) -> np.ndarray:
    """Return the rows that test what training rows taught, so many at most."""
    if len(task.unseen) <= most:
        return task.unseen
    chosen = np.sort(ctx.rng.choice(task.unseen, size=most, replace=False))
    return chosen if _varies(task.target[chosen]) else task.unseen
