"""So many rows for each row of another table, by a number or a formula, and only where a condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Place
from synthwright.core.foresight import Rows
from synthwright.core.schema import Field, Schema
from synthwright.kit.events.unfolding import Unfolding
from synthwright.kit.formula.amounts import Amount, Readable, amount, named, steady
from synthwright.kit.formula.formulas import condition, read
from synthwright.kit.formula.stated import wrong_amount, wrong_condition
from synthwright.kit.ruled import Ask, Column


class Each(Unfolding):
    """Makes so many rows for each row of the other table: a number, or a formula of its columns.

    ::

        start:
          children:
            prescription: {of: prescription.visit, use: each, with: {where: "diagnosis != 'none'", count: 2}}

    A formula's value is rounded; below 0, or without a value, there are no rows.
    """

    name: ClassVar[str] = "each"

    count: Amount = 1.0
    """How many rows: a number, or a formula of the parent's columns and what its references lead to."""
    where: Readable | None = Setting(default=None, examples=["state == 'ill'"])
    """A condition on the parent: where it does not hold, or cannot be told, there are no rows."""

    @field_validator("count")
    @classmethod
    def _some(cls, said: float | str) -> float | str:
        if not isinstance(said, str) and not 0 <= said <= 10**9:
            raise ValueError("wanted a number of rows, 0 or more")
        return said

    def paths(self) -> Sequence[str]:
        return named([self.count, self.where])

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        found: list[tuple[Place, str]] = [(("count",), said) for said in wrong_amount(self.count, schema, parent, ())]
        if self.where is not None:
            found += [(("where",), said) for said in wrong_condition(self.where, schema, parent, ())]
        return found

    def arising(self, parents: Rows) -> Rows:
        each = steady(self.count)
        if each is None:
            return Rows()
        each = max(int(np.floor(each + 0.5)), 0)
        most = None if parents.most is None else parents.most * each
        if self.where is not None:
            return Rows(0, most)
        return Rows(parents.least * each, most, None if parents.about is None else parents.about * each)

    def arise(self, ask: Ask, fields: Mapping[str, Field]) -> tuple[np.ndarray, Mapping[str, Column]]:
        said = np.broadcast_to(np.nan_to_num(amount(ask, self.count)), ask.rows)
        counts = np.maximum(np.floor(said + 0.5), 0).astype(np.int64)
        if self.where is not None:
            counts = np.where(condition(read(self.where), ask), counts, 0)
        return np.repeat(np.arange(ask.rows), counts), {}
