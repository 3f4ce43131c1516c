"""State machines: states, transitions with weights, delays and conditions, for every row of another table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, BeforeValidator
from pydantic import Field as Setting

from synthwright.core.contracts import Place
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.events.state_clock import LAST, NEVER, Clock
from synthwright.kit.events.state_faults import (
    not_written,
    wrong_condition,
    wrong_formulas,
    wrong_labels,
    wrong_moment,
    wrong_states,
    wrong_writes,
)
from synthwright.kit.events.state_machines import Machine, Moment, in_order
from synthwright.kit.events.state_parents import KNOWN, Parents
from synthwright.kit.events.state_steps import Entered, Walk
from synthwright.kit.events.unfolding import Unfolding
from synthwright.kit.formula.amounts import named
from synthwright.kit.formula.formulas import condition, read
from synthwright.kit.formula.stated import Said, formulas, spelled
from synthwright.kit.formula.weights import labelled
from synthwright.kit.ruled import Ask, Column


def _several(said: Any) -> Any:
    return () if said is None else (said,) if isinstance(said, str) else said


class States(Unfolding):
    """Lets every row of the other table go through states, and makes a row for each state that is entered.

    ::

        event:
          of: event.patient
          use: states
          with:
            until: ["2025-01-01", died_on]
            machines:
              asthma:
                begins: birth_date + 365 * onset_age
                when: onset_age < 18
                first: onset
                states:
                  onset: {then: visit, after: {exponential: 30}}
                  visit: {then: {visit: 0.9, well: 0.1}, after: {normal: [90, 20]}, writes: {code: J45}}
                  well: {}

    Each machine runs by itself, for all parents at once; the rows of a parent are in order of time, then of names.
    In a state, the next one is chosen by the weights of the ways whose conditions hold, and is entered when the delay
    is over. Formulas of weights, conditions and delays see the parent's columns, what its references lead to, and of
    the moment when the state is entered: `at`, the instant; `entered`, how many states the machine has entered;
    `visits`, how often this one; `since`, the days since the machine began. In `first` no state is entered yet, and
    `at` is the beginning. A weight below 0 or without a value counts as 0; where no way is open, the machine ends. A
    delay is at least 0: of a normal distribution the part above 0 is drawn from; one without a value never ends.
    """

    name: ClassVar[str] = "states"

    state: str = "state"
    """The column that holds the state's name."""
    at: str = "at"
    """The column of dates or instants that holds when the state is entered."""
    module: str | None = None
    """A column that holds the machine's name."""
    position: str | None = None
    """A column of whole numbers that counts the rows of each parent from 1, in order of time."""
    until: Annotated[tuple[Moment, ...], BeforeValidator(_several, json_schema_input_type=str | list[str] | None)] = (
        Setting(default=(), examples=["2025-01-01"])
    )
    """The end of time: ISO dates or instants, or formulas of the parent such as `died_on`. Of several, the earliest
    that has a value; a date is its midnight, and in a column of dates its whole day. What comes later does not
    happen."""
    most: int | None = Setting(default=None, ge=1, le=10**6, examples=[10])
    """How many states a parent may enter in each machine: what comes later does not happen. Nothing: 1,000, and where
    one would enter more the run stops and says so."""
    machines: Annotated[dict[str, Machine], AfterValidator(in_order)] = Setting(
        default={}, examples=[{"a": {"begins": "2024-01-01", "first": "b", "states": {"b": {}}}}]
    )
    """The machines by name; at the same instant, rows are in the order of these names."""

    # -------------------------------------------------------------------------------------------- what it is about
    @property
    def written(self) -> tuple[str, ...]:
        """The columns that states write."""
        states = (state for machine in self.machines.values() for state in machine.states.values())
        return tuple(dict.fromkeys(column for state in states for column in state.writes))

    @property
    def _own(self) -> dict[str, str]:
        """The columns that it fills itself, by the parameter that names them."""
        said = {"state": self.state, "at": self.at, "module": self.module, "position": self.position}
        return {word: column for word, column in said.items() if column is not None}

    def makes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._own.values(), *self.written)))

    def _seen(self) -> tuple[str, ...]:
        """Return the columns and paths that formulas of the states name."""
        every = named([formula for machine in self.machines.values() for _, formula in machine.formulas])
        return tuple(path for path in every if path not in KNOWN)

    def paths(self) -> Sequence[str]:
        begins = formulas([*self.until, *(m.begins for m in self.machines.values())])
        runs = named([machine.when for machine in self.machines.values()])
        return (*begins, *runs, *self._seen())

    # --------------------------------------------------------------------------------------- before anything runs
    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        states = [(name, state) for m in self.machines.values() for name, state in m.states.items() if not state.silent]
        if column == self.state:
            return tuple(dict.fromkeys(name for name, _ in states))
        if column == self.module:
            return tuple(self.machines)
        if column in self.written:
            return tuple(dict.fromkeys(spelled(state.writes.get(column)) for _, state in states))
        return None

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        if not self.machines:
            return [(("machines",), "say a machine: {begins: …, first: …, states: {…}}")]
        return [*self._wrong_columns(schema, table), *self._wrong_ends(schema, table, parent),
                *self._wrong_machines(schema, table, parent)]  # fmt: skip

    def _wrong_columns(self, schema: Schema, table: str) -> Iterator[tuple[Place, str]]:
        fields = schema.tables[table].fields
        own = list(self._own.items())
        for i, (word, column) in enumerate(own):
            twice = next((other for other, c in own[:i] if c == column), None)
            if twice is not None:
                yield (word,), f"column {column!r} is {twice!r} already"
        at, position = fields.get(self.at), fields.get(self.position or "")
        if at is not None and at.kind not in (Kind.DATE, Kind.DATETIME):
            yield ("at",), f"column {self.at!r} is of kind {at.kind.value!r}: wanted dates or instants"
        if position is not None and position.kind is not Kind.INTEGER:
            yield ("position",), f"column {self.position!r} is of kind {position.kind.value!r}: wanted whole numbers"
        states = [name for m in self.machines.values() for name, state in m.states.items() if not state.silent]
        yield from ((("state",), said) for said in wrong_labels(states, self.state, fields.get(self.state)))
        if self.module is not None:
            found = wrong_labels(self.machines, self.module, fields.get(self.module))
            yield from ((("module",), said) for said in found)

    def _wrong_ends(self, schema: Schema, table: str, parent: str) -> Iterator[tuple[Place, str]]:
        """Yield what `until`, `begins` and `when` cannot mean."""
        clock = Clock(self._at(schema, table))
        for i, said in enumerate(self.until):
            yield from ((("until", i), wrong) for wrong in wrong_moment(said, clock, schema, parent))
        for name, machine in self.machines.items():
            for wrong in wrong_moment(machine.begins, clock, schema, parent):
                yield ("machines", name, "begins"), wrong
            if machine.when is not None:
                for wrong in wrong_condition(machine.when, schema, parent):
                    yield ("machines", name, "when"), wrong
            begin, ends = clock.fixed(machine.begins), [clock.fixed(said) for said in self.until]
            for said, end in zip(self.until, ends, strict=True):
                if begin is not None and end is not None and clock.end(np.array([end]))[0] < begin:
                    yield ("machines", name, "begins"), f"{machine.begins!r} is later than {said!r}, the end in `until`"

    def _wrong_machines(self, schema: Schema, table: str, parent: str) -> Iterator[tuple[Place, str]]:
        fields, written = schema.tables[table].fields, self.written
        endless = not self.until and self.most is None
        for name, machine in self.machines.items():
            found = [*wrong_states(machine, endless=endless),
                     *wrong_formulas(machine, schema, parent, self._at(schema, table)),
                     *wrong_writes(machine, fields, tuple(self._own.values())),
                     *not_written(machine, written, fields)]  # fmt: skip
            yield from ((("machines", name, *place), said) for place, said in found)

    def _at(self, schema: Schema, table: str) -> Field:
        """Return the column of instants; another one where there is none, which is told elsewhere."""
        found = schema.tables[table].fields.get(self.at)
        return found if found is not None and found.kind in (Kind.DATE, Kind.DATETIME) else Field(kind=Kind.DATETIME)

    # -------------------------------------------------------------------------------------------------- the rows
    def arise(self, ask: Ask, fields: Mapping[str, Field]) -> tuple[np.ndarray, Mapping[str, Column]]:
        clock = Clock(fields[self.at])
        parents, end = Parents(ask, self._seen(), clock), self._end(ask, clock)
        found: list[Entered] = []
        for name, machine in self.machines.items():
            begin = clock.moments(machine.begins, ask)
            if machine.when is not None:
                begin = np.where(condition(read(machine.when), ask), begin, NEVER)
            found.append(Walk(name, machine, parents, self.most).run(begin, end, ask.ctx.at(name).rng))
        return self._told(found, fields, clock)

    def _end(self, ask: Ask, clock: Clock) -> np.ndarray:
        """Return the last moment of each parent."""
        ends = [clock.moments(said, ask) for said in self.until]
        return clock.end(np.minimum.reduce([np.full(ask.rows, LAST), *ends]))

    def _told(
        self, found: Sequence[Entered], fields: Mapping[str, Field], clock: Clock
    ) -> tuple[np.ndarray, Mapping[str, Column]]:
        """Return the states that were entered as rows: by parent, time, machine and step."""
        sizes = [len(machine.states) for machine in self.machines.values()]
        firsts = np.cumsum([0, *sizes])
        who = np.concatenate([np.zeros(0, np.int32), *(one.who for one in found)])
        at = np.concatenate([np.zeros(0, np.int64), *(one.at for one in found)])
        code = np.concatenate([np.zeros(0, np.int32), *(one.state + firsts[i] for i, one in enumerate(found))])
        order = _by(who, at if len(found) > 1 else None)
        who, at, code = who[order].astype(np.int64), at[order], code[order].astype(np.int32)
        states = [(name, state) for machine in self.machines.values() for name, state in machine.states.items()]
        columns: dict[str, Any] = {
            self.state: labelled([name for name, _ in states], code, fields[self.state]), self.at: clock.shown(at),
        }  # fmt: skip
        if self.module is not None:
            machine = np.repeat(np.arange(len(sizes)), sizes)[code]
            columns[self.module] = labelled(list(self.machines), machine, fields[self.module])
        if self.position is not None:
            columns[self.position] = _positions(who)
        for column in self.written:
            values: list[Said] = [state.writes.get(column) for _, state in states]
            columns[column] = labelled(values, code, fields[column])
        return who, columns


def _by(who: np.ndarray, at: np.ndarray | None) -> np.ndarray:
    """Return the order of rows by parent, and within by time; without times the order that they are in is by time."""
    narrow = who.astype(np.uint16) if len(who) and who.max() < 2**16 else who  # short integers are sorted by radix
    if at is None:
        return np.argsort(narrow, kind="stable")
    order = np.argsort(at, kind="stable")
    return order[np.argsort(narrow[order], kind="stable")]


def _positions(who: np.ndarray) -> np.ndarray:
    """Return 1, 2, 3 … for the rows of each parent, which stand together."""
    rows = np.arange(len(who))
    first = np.concatenate([[True], who[1:] != who[:-1]]) if len(who) else np.zeros(0, dtype=bool)
    return rows - np.maximum.accumulate(np.where(first, rows, 0)) + 1
