"""How the parts of one table run over given rows."""

from __future__ import annotations

from typing import NamedTuple

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.plan import PlannedPart
from synthwright.kit.constraints.keeping import Keeper
from synthwright.kit.verdicts import merged

Fitted = tuple[PlannedPart, Keeper, Model]
_SHOWN = 3
"""Columns that a message names."""


class Made(NamedTuple):
    """One completed piece: rows, rulings on rows that failed, and how often rules made a row be drawn again."""

    data: Dataset
    problems: list[Verdict]
    redrawn: int
    repaired: int


def complete(fitted: list[Fitted], given: Dataset, table: str, ctx: Context) -> Made:
    """Run the parts of one table over given rows, in order."""
    problems: list[Verdict] = []
    redrawn = repaired = 0
    data = given
    for part, keeper, model in fitted:
        sees = {*part.part.given}
        if part.part.mode != "make" or part.generator.abilities.given == "any":
            sees |= {*part.part.produce}  # what is there already: to be filled, replaced, or set and conditioned on
        names = [c for c in data.columns(table) if f"{table}.{c}" in sees]
        try:
            kept = keeper.sample(model, data.select(table, names), ctx.at(part.name))
        except SampleError as error:
            if error.owner != part.generator.name:
                raise
            raise _told(error, part) from None
        made = kept.sample.data.tables[table]
        produced = [c.removeprefix(f"{table}.") for c in part.part.produce]
        data = data.with_columns(table, {c: made.column(c) for c in produced})
        problems += kept.sample.problems
        redrawn, repaired = redrawn + kept.redrawn, repaired + kept.repaired
    return Made(data, merged(problems), redrawn, repaired)


def _told(error: SampleError, part: PlannedPart) -> SampleError:
    """Return what a generator could not make, with the columns that it was to make."""
    made, more = ", ".join(part.part.produce[:_SHOWN]), " …" if len(part.part.produce) > _SHOWN else ""
    return SampleError(
        f"{error.owner} ({made}{more})", error.thing, wanted=error.wanted, got=error.got, remedy=error.remedy
    )
