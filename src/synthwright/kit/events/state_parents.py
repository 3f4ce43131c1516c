"""What formulas of state machines may look at: the parents' columns, and what the machine knows of the moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.kit.events.state_clock import DAY, Clock
from synthwright.kit.formula.formulas import condition, numbers, read
from synthwright.kit.lookups import flat
from synthwright.kit.ruled import Ask, hops

KNOWN = ("at", "entered", "visits", "since")
"""What a machine knows: when the state was entered, which one in a row it is, how often it was entered, and how many
days after the machine began."""


def known_fields(at: Field) -> dict[str, Field]:
    """Return what a machine knows as fields of the parent."""
    whole = Field(kind=Kind.INTEGER)
    return dict(zip(KNOWN, (Field(kind=at.kind, type=at.type), whole, whole, Field(kind=Kind.NUMBER)), strict=True))


def widened(schema: Schema, parent: str, at: Field) -> Schema:
    """Return a schema in which the parent has what a machine knows beside its own columns."""
    table = schema.tables[parent]
    wider = table.model_copy(update={"fields": {**table.fields, **known_fields(at)}})
    return schema.model_copy(update={"tables": {**schema.tables, parent: wider}})


@dataclass(frozen=True)
class Moment:
    """Some parents, all in one state at one step."""

    who: np.ndarray
    """Which parents, by position."""
    at: np.ndarray
    """When each entered the state, in microseconds."""
    begun: np.ndarray
    """When each machine began, in microseconds."""
    entered: int
    """How many states each entered so far."""
    visits: np.ndarray | int = 0
    """How often each entered this one."""

    def some(self, rows: np.ndarray) -> Moment:
        """Return some of them, by position."""
        visits = self.visits[rows] if isinstance(self.visits, np.ndarray) else self.visits
        return Moment(self.who[rows], self.at[rows], self.begun[rows], self.entered, visits)


class Parents:
    """The parents of a run, and what formulas give for them.

    A formula that needs nothing but the parent's columns is computed once for all of them.

    Args:
        ask: the parents.
        paths: every column and path that formulas name, but for what the machine knows.
        clock: of the column that instants are written into.
    """

    def __init__(self, ask: Ask, paths: Sequence[str], clock: Clock) -> None:
        self.rows, self._ask, self._clock = ask.rows, ask, clock
        schema = ask.given.schema
        self._columns = {p: flat(ask.column(p)) for p in paths}
        ends = {p: hops(schema, ask.table, p)[-1] for p in paths}
        fields = {p: schema.tables[h.table].fields[h.column] for p, h in ends.items()}
        table = Table.model_construct(fields={**known_fields(clock.field), **fields})
        self._schema = Schema.model_construct(tables={ask.table: table})
        self._numbers: dict[str, np.ndarray] = {}
        self._truths: dict[str, np.ndarray] = {}

    def numbers(self, said: str, moment: Moment) -> np.ndarray:
        """Return what a formula gives for the parents of a moment: float64, NaN where it gives nothing."""
        formula = read(said)
        if not _moving(formula.paths):
            if said not in self._numbers:
                self._numbers[said] = numbers(formula, self._asked(self._columns, formula.paths))
            return self._numbers[said][moment.who]
        return numbers(formula, self._at(moment, formula.paths))

    def holds(self, said: str, moment: Moment) -> np.ndarray:
        """Return where a condition is true for the parents of a moment."""
        formula = read(said)
        if not _moving(formula.paths):
            if said not in self._truths:
                self._truths[said] = condition(formula, self._asked(self._columns, formula.paths))
            return self._truths[said][moment.who]
        return condition(formula, self._at(moment, formula.paths))

    def _at(self, moment: Moment, paths: Collection[str]) -> Ask:
        """Return the parents of a moment with what the machine knows of it."""
        who = pa.array(moment.who)
        columns: dict[str, pa.Array] = {p: self._columns[p].take(who) for p in paths if p not in KNOWN}
        rows = len(who)
        if "at" in paths:
            columns["at"] = self._clock.values(moment.at)
        if "entered" in paths:
            columns["entered"] = pa.array(np.full(rows, moment.entered))
        if "visits" in paths:
            columns["visits"] = pa.array(np.broadcast_to(np.asarray(moment.visits, dtype=np.int64), rows))
        if "since" in paths:
            columns["since"] = pa.array((moment.at - moment.begun) / DAY)
        return self._asked(columns, paths, rows)

    def _asked(self, columns: Mapping[str, pa.Array], paths: Collection[str], rows: int | None = None) -> Ask:
        rows = self.rows if rows is None else rows
        table = pa.table({ROW: pa.array(np.arange(rows)), **{p: columns[p] for p in paths}})
        return Ask(Dataset(self._schema, {self._ask.table: table}), self._ask.table, (), self._ask.ctx)


def _moving(paths: Collection[str]) -> bool:
    """Return whether a formula names what changes from moment to moment."""
    return any(p in KNOWN for p in paths)
