"""Dates, instants and times of day in a span, with the rhythm of hours, weeks, seasons, holidays and campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import Kind, Schema
from synthwright.kit.events.rhythm_timed import Timed
from synthwright.kit.ruled import Ask, Column, Ruled


class Instant(Timed, Ruled):
    """Draws dates, instants or times of day in a span, more often when more happens.

    ::

        make: [payment.at]
        use: instant
        with:
          between: [card.opened_at, 2024-12-31]
          rhythm: {hours: {8-18: 5, 18-23: 2}, weekdays: {sun: 0.3}, holidays: DE-BY, growth: 0.2}
          every: 1s

    Each row's instant lies in its own span, where it is as likely as the rhythm says. A row whose span has no ends, or
    in whose span nothing can happen (it ends before it begins, it is closed), gets no value; where the column must have
    one, that is an error which says how many rows it is.
    """

    name: ClassVar[str] = "instant"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.DATE, Kind.DATETIME, Kind.TIME}), given="declared", learns=False
    )

    def paths(self) -> Sequence[str]:
        return self.spanned()

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        for name in produce:
            field = schema.tables[table].fields[name]
            found += [(place, f"{name}: {said}") for place, said in self.misfits(field, schema, table, produce)]
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {c: self._drawn(ask, c) for c in ask.produce}

    def _drawn(self, ask: Ask, name: str) -> Column:
        field, rng = ask.field(name), ask.ctx.at(name).rng
        window = self.window(ask, field)
        empty = np.broadcast_to(window.mass <= 0, ask.rows)
        missing = empty if empty.any() else None
        if missing is not None and not field.nulls:
            raise SampleError(self.name, f"column {name!r}", wanted="a span in which something can happen in every row",
                              got=f"none in {int(empty.sum()):,} of {ask.rows:,} rows",
                              remedy="bound the formulas under 'between', or let the column have nulls")  # fmt: skip
        return self.told(window.at(rng.random(ask.rows)), field, missing)
