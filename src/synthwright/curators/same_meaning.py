"""The curator that drops texts which say what an earlier one says, in other words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.values import labels
from synthwright.kit.texts.text_encoders import WORDS, encoded
from synthwright.kit.texts.text_places import RuledRows, RuledTable, any_column_faults
from synthwright.kit.texts.text_rulings import TextCurator, place
from synthwright.kit.texts.text_similar import Vectors, said_before
from synthwright.kit.texts.text_vectors import joined

SAME = "same-meaning"
_ENOUGH = {WORDS: 0.75}
_ENOUGH_BY_MODEL = 0.92


class SameMeaning(TextCurator):
    """Drops rows whose texts say what those of an earlier row say: the first one stays.

    By words, texts are alike that share words, pairs of words and pieces of words, rare ones counting more. That sees
    other word orders, endings and polite beginnings. It does not see other words for the same (`buy a movie`, `purchase
    a film`), and cannot tell texts that differ in one word which changes all (`with` and `without`, another number). An
    embedding model sees more of both. Several columns of a table count as one text. The score is the similarity.
    """

    name: ClassVar[str] = "same-meaning"
    reasons: ClassVar[dict[str, str]] = {
        SAME: "The texts of the row say what those of an earlier row say, in nearly the same or in other words.",
    }

    by: str = Setting(default=WORDS, min_length=1)
    """What tells how alike texts are: `words`, or an embedding model that the specification names."""
    similarity: float | None = Setting(default=None, gt=0, le=1)
    """How alike texts must be, as the cosine of their vectors; nothing: 0.75 by words, 0.92 by a model, whose scale is
    its own."""
    within: str = ""
    """Only rows that agree in this column are compared (`table.column`, for example the label); nothing: all."""

    def asks(self) -> tuple[str, ...]:
        return () if self.by == WORDS else (self.by,)

    def faults(self, schema: Schema) -> list[str]:
        return super().faults(schema) + (any_column_faults("within", self.within, schema) if self.within else [])

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> RuledRows:
        """Find the rows that say what earlier ones say; rows of earlier waves come first.

        Raises:
            FitError: there are no language models to embed with.
        """
        threshold = self.similarity or _ENOUGH.get(self.by, _ENOUGH_BY_MODEL)
        ruled = {}
        for table, columns in self.looked_at(data).items():
            held, number = data.tables[table], data.row_numbers(table)
            earlier = np.arange(len(number)) < settled.get(table, 0)
            order = np.lexsort((number, ~earlier))
            texts = joined(held, columns).take(pa.array(order))
            there = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
            score = np.zeros(len(number))
            if len(there):
                said = texts.take(pa.array(there))
                vectors = encoded(said, self.by, threshold, f"curator '{self.name}'", ctx)
                group = self._groups(data, table)[order[there]]
                score[order[there]] = _by_group(vectors, earlier[order[there]], group, threshold)
            ruled[table] = RuledTable.of(number, score > 0, score)
        return RuledRows((SAME,), ruled)

    def _groups(self, data: Dataset, table: str) -> np.ndarray:
        """Return the group of each row; rows without a value are one."""
        where, name = place(self.within, data.schema) if self.within else ("", "")
        if where != table or name not in data.columns(table):
            return np.zeros(data.rows(table), dtype=np.int64)
        return labels(data.tables[table].column(name))[0]


def _by_group(vectors: Vectors, stay: np.ndarray, group: np.ndarray, threshold: float) -> np.ndarray:
    out = np.zeros(len(group))
    order = np.argsort(group, kind="stable")
    for which in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        out[which] = said_before(vectors, which, stay, threshold)
    return out
