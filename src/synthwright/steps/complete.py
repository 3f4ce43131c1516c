"""How the parts of one table run over given rows."""

from __future__ import annotations

from typing import NamedTuple

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.plan import PlannedPart
from synthwright.kit.keeping import Keeper
from synthwright.kit.verdicts import merged

Fitted = tuple[PlannedPart, Keeper, Model]


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
        kept = keeper.sample(model, data.select(table, names), ctx.at(part.name))
        made = kept.sample.data.tables[table]
        produced = [c.removeprefix(f"{table}.") for c in part.part.produce]
        data = data.with_columns(table, {c: made.column(c) for c in produced})
        problems += kept.sample.problems
        redrawn, repaired = redrawn + kept.redrawn, repaired + kept.repaired
    return Made(data, merged(problems), redrawn, repaired)
