"""Rulings that curators make over all rows at once, kept by row number; and columns beside the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.texts.text_rulings import place


class RuledTable(NamedTuple):
    """What was found about the rows of a table."""

    numbers: np.ndarray
    """The rows' numbers, sorted."""
    code: np.ndarray
    """Which of the reasons each row goes for, from 1; 0 where it stays."""
    score: np.ndarray

    @staticmethod
    def of(numbers: np.ndarray, code: np.ndarray, score: np.ndarray) -> RuledTable:
        """Return what was found about rows in any order; `code` may say just whether a row goes."""
        order = np.argsort(numbers, kind="stable")
        return RuledTable(numbers[order], code[order].astype(np.int64), score[order])

    def at(self, rows: np.ndarray, *, unseen: tuple[int, float] = (0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
        """Return the code and the score of each of these row numbers; `unseen` for rows that were not there."""
        code, score = np.full(len(rows), unseen[0]), np.full(len(rows), unseen[1])
        if len(self.numbers):
            place = np.minimum(np.searchsorted(self.numbers, rows), len(self.numbers) - 1)
            known = self.numbers[place] == rows
            code[known], score[known] = self.code[place[known]], self.score[place[known]]
        return code, score


@dataclass(frozen=True)
class RuledRows(Judge):
    """Knows what was found about every row; holds nothing else of them."""

    reasons: tuple[str, ...]
    tables: Mapping[str, RuledTable]
    unseen: str = ""
    """For which reason rows go that were not there; nothing: they stay."""
    told: tuple[str, ...] = ()

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that was looked at."""
        codes = (None, *self.reasons)
        out = []
        for table, found in self.tables.items():
            unseen = (codes.index(self.unseen), np.nan) if self.unseen else (0, 0.0)
            code, score = found.at(data.row_numbers(table), unseen=unseen)
            out.append(Verdict(table, code == 0, pa.array(codes, pa.string()).take(pa.array(code)), score))
        return out

    def notes(self) -> tuple[str, ...]:
        return self.told


def any_column_faults(owner: str, column: str, schema: Schema) -> list[str]:
    """Return what is wrong with a column that a parameter names, of whatever kind."""
    if place(column, schema)[0]:
        return []
    near = get_close_matches(column, schema.columns, n=1)
    return [f"{owner}: there is no column {column!r}" + (f": did you mean {near[0]!r}?" if near else "")]
