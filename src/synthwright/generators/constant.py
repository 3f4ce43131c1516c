"""The same value in every row."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import ClassVar

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.formula.stated import Said, spelled, stated, unfit
from synthwright.kit.ruled import Ask, Column, Ruled


class Constant(Ruled):
    """Gives every row the same value: one for all columns, or one for each.

    ::

        {make: [order.status, order.version], use: constant, with: {values: {status: new, version: 1}}}

    Values are written as they look: `12.50`, `true`, `2024-02-29`, `09:30:00`; nothing (`null`) is no value.
    """

    name: ClassVar[str] = "constant"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset(Kind) - {Kind.KEY, Kind.REFERENCE}, given="declared", learns=False, random=False
    )

    value: Said = Setting(default=None, examples=["x"])
    """The value of the columns that `values` does not name."""
    values: dict[str, Said] = Setting(default={}, examples=[{"a": "x"}])
    """The value of each column, by its name."""

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = super().misused(schema, table, produce)
        for name in self.values:
            if name not in produce:
                near = get_close_matches(name, produce, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it makes {', '.join(map(repr, produce))}"
                found.append((("values", name), f"{name!r} is no column that it makes: {hint}"))
        for c in produce:
            said, field = self.values.get(c, self.value), schema.tables[table].fields[c]
            if unfit([said], field):
                place: Place = ("values", c) if c in self.values else ("value",)
                what = "no value (`nulls: false` in the schema)" if said is None else repr(said)
                found.append((place, f"column {c!r} cannot hold {what}: it is of kind {field.kind.value!r}"))
        return found

    def gives(self, column: str, field: Field) -> tuple[str | None, ...]:
        return (spelled(self.values.get(column, self.value)),)

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {c: pa.repeat(stated([self.values.get(c, self.value)], ask.field(c))[0], ask.rows) for c in ask.produce}
