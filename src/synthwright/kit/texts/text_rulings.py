"""Curators of texts: which columns they look at, and rulings on each text by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, canonical
from synthwright.core.values import Column

LONG = 30
"""Characters that the labels of a category have on average, from which they are texts."""
_TOLD = 8


class Ruling(NamedTuple):
    """What is said of the texts of one column."""

    code: np.ndarray
    """For each text the number of the reason why it goes, from 1; 0 where it stays."""
    score: np.ndarray
    """What that was told by."""


class TextCurator(Curator, ABC):
    """A curator that looks at columns of text."""

    columns: tuple[str, ...] = Setting(default=(), examples=[["review.text"]])
    """The columns it looks at, as `table.column`; nothing: every column of text that is no personal data, and
    categories whose labels are as long as texts."""

    def faults(self, schema: Schema) -> list[str]:
        return [f for c in self.columns for f in column_faults("columns", c, schema)]

    def looked_at(self, data: Dataset, *, labels: bool = True) -> dict[str, tuple[str, ...]]:
        """Return the columns that are looked at, by table, of those that are there.

        Args:
            data: the rows.
            labels: whether long labels of categories are texts, too, where no columns were named.
        """
        named = [place(c, data.schema) for c in self.columns]
        found = {}
        for table, held in data.tables.items():
            fields = data.schema.tables[table].fields
            mine = tuple(c for c in data.columns(table) if holds_text(fields[c]) and (
                (table, c) in named if named else _is_text(fields[c], held.column(c), labels=labels)))  # fmt: skip
            if mine:
                found[table] = mine
        return found


class ByText(TextCurator, ABC):
    """A curator that rules on each text by itself."""

    @abstractmethod
    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        """Return what is said of texts; nulls stay.

        Args:
            texts: a column of large_string.
            data: the rows that they are in.
            table: the table that they are in.
        """

    def idle(self) -> bool:
        """Return whether the parameters ask for nothing."""
        return False

    def spoken(self, data: Dataset, table: str) -> list[str]:
        """Return all texts of each row that are looked at, one below the other."""
        held = data.tables[table]
        texts = [held.column(c).cast(pa.large_string()) for c in self.looked_at(data).get(table, ())]
        if not texts:
            return [""] * held.num_rows
        line = pa.scalar("\n", pa.large_string())
        joined: list[str] = pc.binary_join_element_wise(*texts, line, null_handling="skip").to_pylist()
        return joined

    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE) -> Judge:
        return TextJudge(self, {} if self.idle() else self.looked_at(data), tuple(type(self).reasons))


@dataclass(frozen=True)
class TextJudge(Judge):
    """Rules on rows by each of their texts; the first text that is told decides."""

    curator: ByText
    columns: Mapping[str, tuple[str, ...]]
    reasons: tuple[str, ...]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that has texts."""
        found = []
        for table, names in self.columns.items():
            said = [self._ruled(data, table, c) for c in names]
            found.append(together(table, said, self.reasons))
        return found

    def _ruled(self, data: Dataset, table: str, column: str) -> Ruling:
        texts = data.tables[table].column(column).cast(pa.large_string())
        if not len(texts):
            return Ruling(np.zeros(0, dtype=np.int8), np.zeros(0))
        code, score = self.curator.rule(texts, data, table)
        there = texts.is_valid().to_numpy()
        return Ruling(np.where(there, code, 0), np.where(there, score, 0.0))


def together(table: str, said: list[Ruling], reasons: tuple[str, ...]) -> Verdict:
    """Return one ruling for a table: that of the first column that says a row goes, else the greatest score."""
    code, score = said[0]
    for one in said[1:]:
        first = (code == 0) & (one.code != 0)
        score = np.where(first, one.score, np.where(code == 0, np.maximum(score, one.score), score))
        code = np.where(first, one.code, code)
    names = pa.array([None, *reasons], pa.string())
    return Verdict(table, code == 0, names.take(pa.array(code.astype(np.int64))), np.asarray(score, dtype=np.float64))


def place(column: str, schema: Schema) -> tuple[str, str]:
    """Return table and column that a name means: `table.column`, or the column's alone where there is one table."""
    try:
        return schema.split(column)
    except KeyError:
        alone = len(schema.tables) == 1 and column in schema.tables[schema.only].fields
        return (schema.only if alone else "", column)


def column_faults(owner: str, column: str, schema: Schema) -> list[str]:
    """Return what is wrong with a column of text that a parameter names."""
    table, name = place(column, schema)
    if not table:
        near = get_close_matches(column, schema.columns, n=1)
        said = [c for t, spec in schema.tables.items() for c, f in spec.fields.items() if f.kind is Kind.TEXT]
        hint = f"did you mean {near[0]!r}?" if near else f"columns of text are {', '.join(said[:_TOLD]) or 'none'}"
        return [f"{owner}: there is no column {column!r}: {hint}"]
    field = schema.tables[table].fields[name]
    return [] if holds_text(field) else [f"{owner}: {column!r} is of kind {field.kind.value!r}, which is no text"]


def holds_text(field: Field) -> bool:
    """Return whether the values of a field are text inside the house."""
    return canonical(field) == pa.large_string() and field.kind not in (Kind.KEY, Kind.REFERENCE)


def _is_text(field: Field, column: Column, *, labels: bool) -> bool:
    if field.sensitive is not None:
        return False
    if field.kind is Kind.TEXT:
        return True
    if not (labels and field.kind is Kind.CATEGORY and len(column)):
        return False
    mean = pc.mean(pc.utf8_length(column.cast(pa.large_string()))).as_py()
    return mean is not None and mean >= LONG
