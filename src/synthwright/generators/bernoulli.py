"""Yes or no, with a probability that may follow other columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import DISCRETE, Field, Kind, Schema
from synthwright.kit.formula.amounts import Amount, amount, named
from synthwright.kit.formula.stated import Said, spelled, unfit, wrong_amount
from synthwright.kit.formula.weights import labelled
from synthwright.kit.ruled import Ask, Column, Ruled


class Bernoulli(Ruled):
    """Says yes with a probability, a number or a formula of the row's other columns.

    ::

        {make: [patient.diabetes], use: bernoulli, with: {probability: "if(age < 40, 0.01, 0.002 * (age - 35))"}}

    Columns of truth values get true and false, numbers 1 and 0, labels `true` and `false`, unless `values` says others.
    A formula's value below 0 counts as 0, above 1 as 1; where it has none, the row gets none.
    """

    name: ClassVar[str] = "bernoulli"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=DISCRETE | {Kind.INTEGER, Kind.NUMBER}, given="declared", learns=False
    )

    probability: Amount = 0.5
    """How likely yes is, from 0 to 1."""
    values: tuple[Said, Said] | None = Setting(default=None, examples=[["0", "1"]])
    """What stands for no, and what for yes: `[healthy, ill]`."""

    @field_validator("probability")
    @classmethod
    def _a_share(cls, said: float | str) -> float | str:
        if not isinstance(said, str) and not 0 <= said <= 1:
            raise ValueError("wanted a probability, from 0 to 1")
        return said

    def paths(self) -> Sequence[str]:
        return named([self.probability])

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their place
        found += [(("probability",), said) for said in wrong_amount(self.probability, schema, table, produce)]
        for c in produce if self.values is not None else ():
            field, values = schema.tables[table].fields[c], self.values or ()
            found += [(("values", i), f"column {c!r} cannot hold {values[i]!r}: it is of kind {field.kind.value!r}")
                      for i in unfit(values, field)]  # fmt: skip
        return found

    def gives(self, column: str, field: Field) -> tuple[str | None, ...]:
        if self.values is not None:
            return tuple(map(spelled, self.values))
        return ("false", "true") if field.kind in DISCRETE else ("0", "1")

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        chance = amount(ask, self.probability)
        missing = np.isnan(chance)
        return {c: self._drawn(chance, missing, ask, c) for c in ask.produce}

    def _drawn(self, chance: float | np.ndarray, missing: np.ndarray, ask: Ask, column: str) -> Column:
        yes = ask.ctx.at(column).rng.random(ask.rows) < chance
        if self.values is None and not missing.any():
            return yes
        values = pa.array(yes) if self.values is None else labelled(self.values, yes.astype(np.int8), ask.field(column))
        if self.values is None and ask.field(column).kind in (Kind.INTEGER, Kind.NUMBER):
            values = values.cast(pa.int8())
        gone = pa.array(np.broadcast_to(missing, ask.rows))
        return pc.if_else(gone, pa.scalar(None, values.type), values)
