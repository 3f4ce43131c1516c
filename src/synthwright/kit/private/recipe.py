"""What generators share that measure marginals under a privacy budget."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Model, Part, Place
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.private import PrivateGenerator
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.core.values import Column
from synthwright.kit.coding.codecs import CODEABLE
from synthwright.kit.learning.completion import names_of, table_of
from synthwright.kit.private.domains import Known, misfits
from synthwright.kit.private.entities import refuse_unbounded
from synthwright.kit.private.model import PrivateModel, learned
from synthwright.kit.private.release import Order, measured, rehearsed, wanted

if TYPE_CHECKING:
    from synthwright.kit.private.release import Sheet


class Marginal(PrivateGenerator):
    """A recipe that measures noisy marginals of cells, and draws rows that agree with them."""

    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, private=True)
    entities: ClassVar[bool] = True
    approximate: ClassVar[bool] = True
    model: ClassVar[type[Model]] = PrivateModel

    domain: dict[str, Known] = Setting(default={}, examples=[{"a": {"between": [0, 1]}}])
    """What is known of columns without looking at real rows: `age: {between: [0, 120]}`, `sex: {values: [F, M]}`.
    What is not said is measured within the budget."""
    bins: int = Setting(default=32, ge=2, le=1_024)
    """About how many bins a column of numbers or dates has; more are finer, and each holds more noise."""
    share: float = Setting(default=0.1, gt=0, lt=1)
    """The share of the budget with which the cells of columns are found, where they are not all known."""

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found: list[tuple[Place, str]] = []
        for name, known in self.domain.items():
            if name not in produce:
                found.append((("domain", name), f"{name!r} is no column that this part makes"))
                continue
            for place, said in misfits(known, schema.tables[table].fields[name]):
                found.append((("domain", name, place) if place else ("domain", name), said))
        return found

    @abstractmethod
    def method(self, sheet: Sheet) -> None:
        """Measure columns and marginals until the budget is spent."""

    def rehearse(self, schema: Schema, part: Part, *, budget: Spend, ctx: Context) -> Spend:
        return rehearsed(*self._ordered(Dataset.empty(schema), part), budget, ctx).most()

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        refuse_unbounded(data, table_of(data, part, self.name), budget, self.name)
        return measured(*self._ordered(data, part), budget, ctx)

    def _ordered(self, data: Dataset, part: Part) -> tuple[Order, dict[str, Column]]:
        """Return what is to be measured, and the columns."""
        table = table_of(data, part, self.name)
        names, fields = names_of(data, part.produce, table), data.schema.tables[table].fields
        held = data.tables[table]
        for name in names:
            if fields[name].kind not in CODEABLE or name not in held.column_names:
                raise FitError(self.name, f"column {name!r}", wanted=f"one of the kinds {', '.join(sorted(CODEABLE))}",
                               got=f"kind {fields[name].kind.value!r}", remedy="give it to another one")  # fmt: skip
        for place, said in self.misused(data.schema, table, tuple(names)):
            raise FitError(self.name, ".".join(map(str, place)), wanted=said.removeprefix("wanted "))
        order = Order(self.name, wanted(self.name, names, fields, self.domain), self.bins, self.share, self.method)
        return order, {n: held.column(n) for n in names}

    def learned(self, release: Release, part: Part, schema: Schema, ctx: Context) -> PrivateModel:
        return learned(release, schema.split(part.produce[0])[0], part.mode)
