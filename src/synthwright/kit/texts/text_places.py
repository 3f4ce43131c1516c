"""Rulings that curators of texts make over all rows at once, kept by row number; and columns beside the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.texts.text_rulings import place


class RuledTable(NamedTuple):
    """What was found about the rows of a table."""

    numbers: np.ndarray
    """The rows' numbers, sorted."""
    drop: np.ndarray
    score: np.ndarray

    @staticmethod
    def of(numbers: np.ndarray, drop: np.ndarray, score: np.ndarray) -> RuledTable:
        """Return what was found about rows in any order."""
        order = np.argsort(numbers, kind="stable")
        return RuledTable(numbers[order], drop[order], score[order])


@dataclass(frozen=True)
class RuledRows(Judge):
    """Knows what was found about every row; holds nothing else of them."""

    reason: str
    tables: Mapping[str, RuledTable]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that was looked at; rows that were not there stay."""
        out = []
        for table, found in self.tables.items():
            row = data.row_numbers(table)
            at = np.minimum(np.searchsorted(found.numbers, row), max(0, len(found.numbers) - 1))
            known = found.numbers[at] == row if len(found.numbers) else np.zeros(len(row), dtype=bool)
            drop, score = np.zeros(len(row), dtype=bool), np.zeros(len(row))
            drop[known], score[known] = found.drop[at[known]], found.score[at[known]]
            out.append(Verdict.of(table, drop, self.reason, score))
        return out


def any_column_faults(owner: str, column: str, schema: Schema) -> list[str]:
    """Return what is wrong with a column that a parameter names, of whatever kind."""
    if place(column, schema)[0]:
        return []
    near = get_close_matches(column, schema.columns, n=1)
    return [f"{owner}: there is no column {column!r}" + (f": did you mean {near[0]!r}?" if near else "")]
