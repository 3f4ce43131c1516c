"""Numbers that count the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import Kind, Schema, canonical
from synthwright.core.values import labels
from synthwright.kit.formula.stated import lost
from synthwright.kit.ruled import Ask, Column, Ruled

_TEXT = pa.large_string


class Counter(Ruled):
    """Counts the rows, with or without text before the number: 1, 2, 3; `INV-00001`, `INV-00002`.

    Numbers follow from the row's place in the whole run, so no two rows share one; where rows are dropped, theirs are
    missing. With `per`, rows are counted anew for each value of a column::

        {make: [line.position], use: counter, with: {per: order_id}}

    That is right for tables whose rows are children of that column (`start: {children: …}`): they are made together.
    In other tables rows are made a shard at a time, and each time counted anew.
    """

    name: ClassVar[str] = "counter"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.KEY, Kind.INTEGER, Kind.NUMBER, Kind.TEXT}), given="declared", learns=False, random=False
    )

    start: int = Setting(default=1, ge=-(2**53), le=2**53)
    """The first number."""
    step: int = Setting(default=1, ge=-(10**8), le=10**8)
    """What is added from row to row; not 0."""
    prefix: str = ""
    """What stands before the number: `INV-`. Only in columns of text."""
    width: int = Setting(default=0, ge=0, le=40)
    """How many digits there are at least, with leading zeros. Only in columns of text."""
    per: str | None = Setting(default=None, examples=["a"])
    """The column whose rows with equal values are counted from the start, each by itself; or a path."""

    @field_validator("step")
    @classmethod
    def _onwards(cls, said: int) -> int:
        if said == 0:
            raise ValueError("wanted a step other than 0: every row would get the same number")
        return said

    def paths(self) -> Sequence[str]:
        return () if self.per is None else (self.per,)

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # the path is told with its place
        found += [(("per",), said) for path in self.paths() for said in lost(path, schema, table, produce)]
        for c in produce:
            field = schema.tables[table].fields[c]
            if canonical(field) != _TEXT():
                found += [((word,), f"column {c!r} holds numbers, no text before or zeros in front of them")
                          for word, said in (("prefix", self.prefix), ("width", self.width)) if said]  # fmt: skip
            if self.per is not None and (field.unique or field.kind is Kind.KEY):
                found.append((("per",), f"column {c!r} must differ in every row, and is counted anew for each value"))
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        numbers = self.start + self.step * (ask.numbers if self.per is None else _within(ask.column(self.per)))
        return {c: self._told(numbers) if canonical(ask.field(c)) == _TEXT() else numbers for c in ask.produce}

    def _told(self, numbers: np.ndarray) -> pa.Array:
        digits = pa.array(np.abs(numbers)).cast(_TEXT())
        digits = pc.utf8_lpad(digits, self.width, "0") if self.width else digits
        sign = pc.if_else(pa.array(numbers < 0), pa.scalar(f"{self.prefix}-", _TEXT()), pa.scalar(self.prefix, _TEXT()))
        return pc.binary_join_element_wise(sign, digits, pa.scalar("", _TEXT()))


def _within(column: pa.ChunkedArray) -> np.ndarray:
    """Return for each row how many rows before it have the same value."""
    codes, distinct = labels(column)
    codes = np.where(codes < 0, len(distinct), codes)
    order = np.argsort(codes, kind="stable")
    begins = np.cumsum(np.bincount(codes, minlength=len(distinct) + 1))
    found = np.empty(len(codes), dtype=np.int64)
    found[order] = np.arange(len(codes)) - np.append(0, begins)[codes[order]]
    return found
