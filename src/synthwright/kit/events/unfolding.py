"""Processes that follow rules alone: what those that make rows for every row of another table share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Place, Process, Unfolded
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Field, Schema
from synthwright.kit.foreseen import doubts
from synthwright.kit.ruled import Ask, Column, hops, reached


class Unfolding(Process):
    """A process whose parameters name columns of the parents, and formulas of them."""

    def paths(self) -> Sequence[str]:
        """Return the columns and paths, from the parents on, that its parameters name."""
        return ()

    def looks_at(self, schema: Schema, parent: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(h) for path in self.paths() for h in reached(schema, parent, path)))

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        """Return what its parameters cannot mean: paths that lead nowhere, columns that are none of the table's."""
        found: list[tuple[Place, str]] = []
        for path in self.paths():
            try:
                hops(schema, parent, path)
            except SampleError as error:
                found.append(((), str(error)))
        return found

    def foreseen(self, schema: Schema, table: str, parent: str, known: Known) -> list[Foreseen]:
        return list(doubts(known, schema, lambda _: parent))

    @abstractmethod
    def arise(self, ask: Ask, fields: Mapping[str, Field]) -> tuple[np.ndarray, Mapping[str, Column]]:
        """Return the rows that come to be for the parents that are asked for: whose, and the columns it fills.

        `ask.rows` parents are there; `whose` are positions among them, int64, in any order: rows of one parent keep
        the order they are in. `fields` are the columns of the table whose rows they are.
        """

    def unfold(self, given: Dataset, table: str, parent: str, ctx: Context) -> Unfolded:
        ask = Ask(given, parent, (), ctx)
        if not ask.rows:
            return Unfolded(np.zeros(0, dtype=np.int64), {c: np.zeros(0) for c in self.makes()})
        whose, columns = self.arise(ask, given.schema.tables[table].fields)
        if len(whose) > 1 and (np.diff(whose) < 0).any():
            order = np.argsort(whose, kind="stable")
            whose, columns = whose[order], {c: v.take(order) for c, v in columns.items()}
        return Unfolded(whose.astype(np.int64, copy=False), columns)
