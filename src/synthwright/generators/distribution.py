"""Numbers, dates and lengths of time from a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import ORDERED, Schema
from synthwright.kit.formula.stated import formulas
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.sampling.distributions import Shape


class Distribution(Shape, Ruled):
    """Draws numbers, dates, times or lengths of time from a distribution.

    One family is said by its name; each of its parameters is a number, or a formula of the row's other columns::

        {make: [person.weight], use: distribution, with: {normal: {mean: 20 + 0.5 * age, sd: 10}, between: [0, 200]}}

    In columns of time ISO texts (`2024-02-29`, `09:30`, `PT90S`) and formulas of other columns of time are parameters
    too; plain numbers are days there, since 1970 for dates and instants. Nothing said: normal with mean 0 and standard
    deviation 1. In columns of whole numbers, days, or with a step, values are rounded; `between` then
    means what was rounded, and `uniform` makes every multiple from end to end as likely.
    """

    name: ClassVar[str] = "distribution"
    abilities: ClassVar[Abilities] = Abilities(kinds=ORDERED, given="declared", learns=False)

    def paths(self) -> Sequence[str]:
        return formulas(self.quantities)

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        if self.empty:
            found.append(((), "say a distribution: normal, lognormal, uniform … (`synthwright explain distribution`)"))
        for name in produce:
            field = schema.tables[table].fields[name]
            found += [(place, f"{name}: {said}") for place, said in self.misfits(field, schema, table, produce)]
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {c: self.sampled(ask, ask.field(c), ask.ctx.at(c).rng) for c in ask.produce}
