"""The curators that drop texts whose label other texts contradict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE
from synthwright.core.dataset import Dataset
from synthwright.core.schema import DISCRETE, Kind, Schema
from synthwright.kit.texts.text_labels import Classifier, Space, cross_fitted, doubted, folds_of, probable, scales_of
from synthwright.kit.texts.text_places import RuledRows, RuledTable, any_column_faults
from synthwright.kit.texts.text_rulings import TextCurator, place
from synthwright.kit.texts.text_vectors import counted, joined

OFF = "off-label"
MOST = 1000
"""Labels that a column may have; with more it is no label."""


class _Rows(NamedTuple):
    """Rows that have a text and a label."""

    at: np.ndarray
    """Which rows of the table they are."""
    texts: pa.Array
    label: pa.Array
    numbers: np.ndarray


class OffLabel(TextCurator):
    """Drops rows whose text says another label than their label column.

    Each text is read by classifiers that were trained on other synthetic rows (five folds; as in confident learning,
    Northcutt, Jiang and Chuang, JAIR 70, 2021). A row goes where another label is much more probable than the stated
    one. That sees labels which differ by their words; it does not see errors that most rows of a label share (a writer
    that misunderstands a label), and takes some good texts for wrong that are unlike the others of their label. The
    score is the stated label's share beside the most probable other one: from 0, contradicted, to 1.
    """

    name: ClassVar[str] = "off-label"
    reasons: ClassVar[dict[str, str]] = {
        OFF: "The text of the row says another label than the one that is stated.",
    }

    label: str = ""
    """The column with the label, as `table.column`; nothing: the one category or boolean that stands beside a text."""
    odds: float = Setting(default=9, gt=0)
    """How sure to be: how many times as probable another label must be as the stated one, times the number of other
    labels. Greater values drop less; 9 is right where one label in ten is wrong."""
    least: int = Setting(default=5, ge=2)
    """Rows that a label must have for its rows to be ruled on."""

    def faults(self, schema: Schema) -> list[str]:
        found = super().faults(schema)
        if self.label:
            return found + any_column_faults("label", self.label, schema)
        if not any(_labels_of(schema, t) for t in schema.tables):
            found.append("label: no table has a column of text beside one category: name the column with the label")
        return found

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> RuledRows:
        """Read every text by what others say, and find those that are contradicted."""
        ruled = {}
        for table, columns in self.looked_at(data, labels=False).items():
            label = self._label(data, table)
            texts = tuple(c for c in columns if c != label)
            if label is None or not texts:
                continue
            mine = _rows(data, table, texts, label)
            real = self._learned_from(evidence, table, texts, label)
            drop, score = np.zeros(data.rows(table), dtype=bool), np.ones(data.rows(table))
            if len(mine.at):
                at = ctx.at(table)
                drop[mine.at], score[mine.at] = self._by_real(mine, real, at) if real else self._by_others(mine, at)
            drop[: settled.get(table, 0)] = False
            ruled[table] = RuledTable.of(data.row_numbers(table), drop, score)
        return RuledRows((OFF,), ruled)

    def _learned_from(
        self, evidence: Dataset | None, table: str, texts: tuple[str, ...], label: str
    ) -> _Rows | None:  # fmt: skip
        """Return the real rows that are learned from; nothing: the synthetic ones themselves."""
        return None

    def _label(self, data: Dataset, table: str) -> str | None:
        """Return the column with the label of a table, if it is known and there."""
        if self.label:
            where, name = place(self.label, data.schema)
            return name if where == table and name in data.columns(table) else None
        found = _labels_of(data.schema, table)
        return found if found in data.columns(table) else None

    def _by_others(self, mine: _Rows, ctx: Context) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows go, and scores, by what the other synthetic rows say."""
        coded = mine.label.dictionary_encode()
        code, labels = coded.indices.to_numpy().astype(np.int64), len(coded.dictionary)
        often = np.bincount(code, minlength=labels)
        if not 2 <= (often >= self.least).sum() <= labels <= MOST:
            return _nothing(len(code))
        counts = counted(mine.texts)
        weighted, vectors = Space.of(counts, ctx.at("axes").rng).read(counts)
        fold = folds_of(code, mine.numbers, int(ctx.at("folds").rng.integers(2**63)))
        opinions = cross_fitted(weighted, vectors, code, labels, fold)
        drop, score = doubted(probable(opinions, scales_of(opinions, code)), code, self.odds)
        return drop & (often >= self.least)[code], score

    def _by_real(self, mine: _Rows, real: _Rows, ctx: Context) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows go, and scores, by what real rows say; labels that no real row has are not ruled on."""
        coded = real.label.dictionary_encode()
        known, labels = coded.indices.to_numpy().astype(np.int64), len(coded.dictionary)
        often = np.bincount(known, minlength=labels)
        if not 2 <= (often >= self.least).sum() <= labels <= MOST:
            return _nothing(len(mine.at))
        counts = counted(real.texts)
        space = Space.of(counts, ctx.at("axes").rng)
        weighted, vectors = space.read(counts)
        fold = folds_of(known, real.numbers, int(ctx.at("folds").rng.integers(2**63)))
        scales = scales_of(cross_fitted(weighted, vectors, known, labels, fold), known)
        told = Classifier.of(weighted, vectors, known, labels)
        drop, score = _nothing(len(mine.at))
        code = pc.fill_null(pc.index_in(mine.label, coded.dictionary), -1).to_numpy(zero_copy_only=False)
        some = np.flatnonzero((code >= 0) & (often >= self.least)[code])
        if len(some):
            opinions = told.says(*space.read(counted(mine.texts.take(pa.array(some)))))
            drop[some], score[some] = doubted(probable(opinions, scales), code[some].astype(np.int64), self.odds)
        return drop, score


class OffLabelReal(OffLabel):
    """Drops rows whose text says another label than their label column, by what real rows say.

    As `off-label`, but trained on the real training rows: also errors that most synthetic rows of a label share are
    seen. Labels that too few real rows have are not ruled on; without real rows the synthetic ones tell.
    """

    name: ClassVar[str] = "off-label-real"
    reads_real: ClassVar[bool] = True

    def _learned_from(
        self, evidence: Dataset | None, table: str, texts: tuple[str, ...], label: str
    ) -> _Rows | None:  # fmt: skip
        if evidence is None or not all(evidence.has(f"{table}.{c}") for c in (*texts, label)):
            return None
        found = _rows(evidence, table, texts, label)
        return found if len(found.at) else None


def _rows(data: Dataset, table: str, texts: tuple[str, ...], label: str) -> _Rows:
    held = data.tables[table]
    whole, said = joined(held, texts), pc.cast(held.column(label), pa.large_string()).combine_chunks()
    at = np.flatnonzero(pc.and_(whole.is_valid(), said.is_valid()).to_numpy(zero_copy_only=False))
    which = pa.array(at)
    return _Rows(at, whole.take(which), said.take(which), data.row_numbers(table)[at])


def _labels_of(schema: Schema, table: str) -> str | None:
    """Return the one column of a table that can be a label beside a text."""
    spec = schema.tables[table]
    if not any(f.kind is Kind.TEXT and f.sensitive is None for f in spec.fields.values()):
        return None
    found = [n for n, f in spec.fields.items() if f.kind in DISCRETE and f.sensitive is None]
    return found[0] if len(found) == 1 else None


def _nothing(rows: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(rows, dtype=bool), np.ones(rows)
