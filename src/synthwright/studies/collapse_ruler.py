"""The ruler of a collapse: every measure of a generation, and what a second real sample of as many rows measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.schema import DISCRETE, ORDERED, Field, Kind
from synthwright.core.values import labels, numbers
from synthwright.kit.learning.boosting import boost, encode
from synthwright.kit.measuring.stats import auc, midranks
from synthwright.kit.texts.text_classifier import TextClassifier
from synthwright.kit.texts.text_vectors import counted, joined
from synthwright.metrics.comparing import modelled
from synthwright.metrics.predicting import judged
from synthwright.report.collapsed import LIKENESS, UTILITY, Chance
from synthwright.studies.collapse_table import Coded, TableRuler
from synthwright.studies.collapse_text import TextRuler

_HALVES = 100
"""Times the real rows are cut into two samples at random."""
_MODELS = 4
"""Times for the utility, which learns each time."""
_ROUNDS = 60
_LABELS = 20
"""Labels that are predicted, the most frequent; rows with others are left out."""
_TEXTS = 2_000
"""Texts of each side that are told apart."""


class Read(NamedTuple):
    """Rows as they are measured."""

    coded: Coded
    words: Any
    """Of texts; None where there are none."""


class Ruler:
    """Measures generations of one table against real rows that none of them learns from.

    Args:
        judge: these rows.
        fields: the table's columns.
        target: the column to predict; None: no utility.
        texts: the columns of text.
        ctx: draws what is drawn.
    """

    def __init__(
        self, judge: pa.Table, fields: Mapping[str, Field], target: str | None, texts: Sequence[str], ctx: Context
    ) -> None:
        self._judge, self._texts, self._ctx = judge, tuple(texts), ctx
        self._fields = {c: f for c, f in modelled(fields).items() if c in judge.column_names}
        self._table = TableRuler(judge, fields, ctx.at("table"))
        self._words = TextRuler(judge, texts, ctx.at("texts")) if texts else None
        self._target = _Target.of(judge, target, self._fields) if target in self._fields else None

    def read(self, table: pa.Table) -> Read:
        """Return rows as they are measured."""
        return Read(self._table.read(table), None if self._words is None else self._words.read(table))

    def measure(self, held: Read, rows: np.ndarray | None = None) -> dict[str, float]:
        """Return what rows (or some of them) measure, by name, without what a model must be learned for."""
        coded = held.coded if rows is None else held.coded.taken(rows)
        found = self._table.measure(coded)
        if self._words is not None:
            found |= self._words.measure(held.words if rows is None else held.words.taken(rows))
        return found

    def all_of(self, table: pa.Table) -> dict[str, float]:
        """Return every measure of some rows."""
        found = self.measure(self.read(table)) | {LIKENESS: self.likeness(table)[0]}
        use = self.utility(table)
        return found if use is None else found | {UTILITY: use}

    def chance(self, first: pa.Table, second: pa.Table) -> dict[str, Chance]:
        """Return what a second real sample measures, from two real samples of one size, cut anew and anew."""
        whole, many = pa.concat_tables([first, second]), first.num_rows
        held, rng = self.read(whole), self._ctx.at("halves").rng
        found: list[tuple[dict[str, float], dict[str, float]]] = []
        for _ in range(_HALVES):
            order = rng.permutation(whole.num_rows)
            found.append((self.measure(held, order[:many]), self.measure(held, order[many:])))
        out = {m: _chance([(a[m], b[m]) for a, b in found]) for m in found[0][0]}
        out[LIKENESS] = Chance(reference=1.0, error=float(np.sqrt(2) * self.likeness(first)[1]))
        if self._target is not None:
            pairs = []
            for _ in range(_MODELS):
                order = rng.permutation(whole.num_rows)
                sides = [self.utility(whole.take(pa.array(o))) for o in (order[:many], order[many:])]
                pairs.append((sides[0] or 0.0, sides[1] or 0.0))
            out[UTILITY] = _chance(pairs)
        return out

    def likeness(self, table: pa.Table) -> tuple[float, float]:
        """Return how badly rows are told from real ones (1 not at all, 0 always), and its standard error.

        One half of both is told apart by what was learned from the other, and the other way round.
        """
        sides = [table, self._judge]
        said, truth, fold = self._told(sides) if self._texts else self._told_rows(sides)
        found = [auc(said[fold == k], truth[fold == k] == 1) for k in (0, 1)]
        area = float(np.mean([a for a, _ in found]))
        error = float(np.sqrt(sum((i**2).sum() for _, i in found))) / 2
        return min(1.0, 2 * (1 - area)), 2 * error

    def _told_rows(self, sides: list[pa.Table]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how much each row is taken for a made one by trees, whether it is one, and its half."""
        held = encode([s.select(list(self._fields)) for s in sides], self._fields)
        values, truth = np.concatenate(held.values), np.repeat([1.0, 0.0], [len(v) for v in held.values])
        fold = self._folds([len(v) for v in held.values])
        said = np.zeros(len(truth))
        for k in (0, 1):
            learned = boost(values[fold != k], truth[fold != k], self._ctx.at("likeness", k), discrete=held.discrete,
                            classes=2, rounds=_ROUNDS)  # fmt: skip
            said[fold == k] = learned.predict(values[fold == k])
        return said, truth, fold

    def _told(self, sides: list[pa.Table]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the same for texts, by a classifier of words."""
        cut = [self._some(s, i) for i, s in enumerate(sides)]
        held = counted(pa.chunked_array([c for s in cut for c in self._text(s).chunks]))
        truth = np.repeat([1, 0], [s.num_rows for s in cut])
        fold = self._folds([s.num_rows for s in cut])
        said = np.zeros(len(truth))
        for k in (0, 1):
            learned = TextClassifier.of(held[fold != k], truth[fold != k], 2)
            logits = learned.says(held[fold == k])
            said[fold == k] = logits[:, 1] - logits[:, 0]
        return said, truth, fold

    def _folds(self, many: list[int]) -> np.ndarray:
        rng = self._ctx.at("folds").rng
        return np.concatenate([rng.permutation(n) % 2 for n in many])

    def _some(self, table: pa.Table, side: int) -> pa.Table:
        rows = np.sort(self._ctx.at("texts", side).rng.permutation(table.num_rows)[:_TEXTS])
        return table.take(pa.array(rows))

    def _text(self, table: pa.Table) -> pa.ChunkedArray:
        return pa.chunked_array([joined(table, self._texts)])

    def utility(self, table: pa.Table) -> float | None:
        """Return how well models that learned from rows predict the target of those that judge; None without target.

        Labels: the mean area under the curve (of texts: the share that is right); numbers: the share of variance.
        """
        if self._target is None:
            return None
        goal = self._target
        mine, truth = goal.codes(table.column(goal.name)), goal.codes(self._judge.column(goal.name))
        known, seen = np.flatnonzero(~np.isnan(mine)), np.flatnonzero(~np.isnan(truth))
        if len(known) < 2 or len(np.unique(truth[seen])) < 2:
            return None
        if self._texts and goal.classes:
            learned = TextClassifier.of(counted(self._text(table))[known], mine[known].astype(np.int64), goal.classes)
            said = learned.says(counted(self._text(self._judge))[seen]).argmax(axis=1)
            return float((said == truth[seen]).mean())
        others = {c: f for c, f in self._fields.items() if c != goal.name}
        if not others:
            return None
        held = encode([t.select(list(others)) for t in (table, self._judge)], others)
        learned_rows = boost(held.values[0][known], mine[known], self._ctx.at("utility"), discrete=held.discrete,
                             classes=goal.classes, rounds=_ROUNDS)  # fmt: skip
        said = learned_rows.predict(held.values[1][seen])
        if goal.classes == 2:
            said = np.column_stack([1 - said, said])
        return float(judged(said, truth[seen], goal.classes).values[0])


class _Target(NamedTuple):
    """What is predicted."""

    name: str
    known: Any
    """The labels, or the sorted numbers, of the rows that judge."""
    classes: int
    """0: numbers."""

    @staticmethod
    def of(judge: pa.Table, name: str | None, fields: Mapping[str, Field]) -> _Target | None:
        """Return a column as a target; labels are those of the rows that judge."""
        if name is None:
            return None
        field, column = fields[name], judge.column(name)
        codes, known = labels(column)
        if field.kind in DISCRETE or (field.kind is Kind.INTEGER and len(known) <= _LABELS):
            often = np.bincount(codes[codes >= 0], minlength=len(known))
            kept = np.sort(np.argsort(-often, kind="stable")[:_LABELS])
            return _Target(name, known.take(pa.array(kept)), max(len(kept), 2))
        held = numbers(column) if field.kind in ORDERED else np.zeros(0)
        return _Target(name, np.sort(held[~np.isnan(held)]), 0)

    def codes(self, column: pa.ChunkedArray) -> np.ndarray:
        """Return classes, or where numbers lie among those of the rows that judge; NaN where neither."""
        if not self.classes:
            return midranks(numbers(column), self.known)
        mine, other = labels(column)
        there = pc.index_in(other.cast(self.known.type), value_set=self.known)
        place = pc.fill_null(there, -1).to_numpy(zero_copy_only=False).astype(np.float64)
        found = np.append(place, -1.0)[mine]
        return np.where(found < 0, np.nan, found)


def _chance(pairs: Sequence[tuple[float, float]]) -> Chance:
    """Return the mean of all samples, and how far two of them differ."""
    held = np.array(pairs)
    return Chance(reference=float(held.mean()), error=float(np.sqrt(np.mean((held[:, 0] - held[:, 1]) ** 2))))
