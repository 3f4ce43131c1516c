"""Generators that follow rules alone: they look at no real row, and make whole columns at once.

A rule says what it wants made in `draw`, for as many rows as it is asked for; what such generators share (which rows
are asked for, what is known of them, casting, saving) is here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple, Self, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Place, Sample, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import DISCRETE, ORDERED, Field, Kind, Schema, Table, canonical
from synthwright.core.values import from_numbers, nulls
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, names_of, table_of
from synthwright.kit.lookups import flat, gathered
from synthwright.kit.room import BEYOND, beyond, drawn, refuse
from synthwright.kit.sampling.dice import Dice, secret

_TOLD = 30
"""Columns that are named where none of them is near to what was written."""
Column: TypeAlias = "pa.Array | pa.ChunkedArray | np.ndarray"
"""What a rule may make a column of: numpy numbers (NaN is null), or Arrow values."""


@dataclass(frozen=True)
class Ask:
    """What a rule is asked for: some rows of one table, and what is known of them.

    The randomness of a shard depends on its number and the column's place in the specification, on nothing else.
    """

    given: Dataset
    table: str
    produce: tuple[str, ...]
    """The columns to make, in the order of the specification."""
    ctx: Context
    needed: np.ndarray | None = None
    """Booleans: the rows whose values are used, for rules to which each value has its price; nothing: all."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.given.rows(self.table)

    @property
    def spec(self) -> Table:
        """The table's declaration."""
        return self.given.schema.tables[self.table]

    @property
    def rng(self) -> np.random.Generator:
        """The stream of randomness of these rows."""
        return self.ctx.rng

    @cached_property
    def numbers(self) -> np.ndarray:
        """The number of each row, int64: unique over the whole run."""
        return self.given.row_numbers(self.table)

    def field(self, name: str) -> Field:
        """Return the declaration of a column of the table."""
        return self.spec.fields[name]

    def dice(self, *place: str | int) -> Dice:
        """Return dice that follow from the row's number and the seed: the same whatever rows are asked for with it."""
        said = secret("ruled", self.ctx.seed, self.table, *map(str, place))
        return Dice(self.numbers.astype(np.uint64), said)

    def column(self, path: str) -> pa.ChunkedArray:
        """Return what is known of these rows: a column, or a column of the row that a reference points to.

        Args:
            path: a column (`age`), or references and a column (`card.limit`, `card.customer.birth_date`).

        Raises:
            SampleError: it is not there yet, or leads nowhere.
        """
        return followed(self.given, self.table, path)


class Drawn(NamedTuple):
    """What a rule made where it may fail in some rows: columns, and rulings on the rows that failed."""

    columns: Mapping[str, Column]
    problems: tuple[Verdict, ...] = ()


def followed(given: Dataset, table: str, path: str) -> pa.ChunkedArray:
    """Return a column of a table, or of the rows that its references lead to; see `Ask.column`."""
    steps = hops(given.schema, table, path)
    name, *onward = steps
    held = given.tables[table]
    if name.column not in held.column_names:
        raise SampleError(f"table {table!r}", f"column {name.column!r}", wanted="a column that is made before",
                          got="none", remedy="name it in `given` of the part")  # fmt: skip
    values = held.column(name.column)
    for before, step in zip(steps, onward, strict=False):
        parent = given.tables.get(step.table)
        key = given.schema.split(cast(str, given.schema.tables[before.table].fields[before.column].to))[1]
        if parent is None or not {key, step.column} <= set(parent.column_names):
            raise SampleError(f"table {before.table!r}", f"path {path!r}", wanted=f"rows of {step.table!r}",
                              got="none that are made before")  # fmt: skip
        values = gathered(parent.column(key), parent.column(step.column), flat(values))
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


@dataclass(frozen=True)
class Hop:
    """One step of a path: a column of a table."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def hops(schema: Schema, table: str, path: str) -> tuple[Hop, ...]:
    """Return the columns that a path names one after the other: references, and at last the column that is meant.

    A column whose own name is the path is meant before any reference.

    Raises:
        SampleError: it names no column, or goes on behind one that is no reference.
    """
    fields = schema.tables[table].fields
    if path in fields:
        return (Hop(table, path),)
    links = [c for c, f in fields.items() if f.to is not None and path.startswith(c + ".")]
    for link in sorted(links, key=len, reverse=True):
        parent, _ = schema.split(cast(str, fields[link].to))
        return (Hop(table, link), *hops(schema, parent, path[len(link) + 1 :]))
    raise SampleError(f"table {table!r}", f"path {path!r}", wanted="a column, or references and a column",
                      got="a name that is neither", remedy=_near(path, fields))  # fmt: skip


def _near(path: str, fields: Mapping[str, Field]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(path, fields, n=1) or get_close_matches(path.partition(".")[0], fields, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(fields) - _TOLD} more" if len(fields) > _TOLD else ""
    return f"there are {', '.join(map(repr, list(fields)[:_TOLD]))}{more}"


class Ruled(Generator):
    """A generator that follows a rule: it learns nothing, and says in `draw` what it makes."""

    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(Kind), given="declared", learns=False)
    model: ClassVar[type[Model]]

    nulls: float | str = Setting(default=0.0)
    """The share of rows that get no value, from 0 to 1: a number, or a formula of the row's other columns, such as
    `if(age < 18, 0.9, 0.05)`. Each column is left out by itself; where the formula has no value, none is left out."""

    @field_validator("nulls")
    @classmethod
    def _share_of_rows(cls, said: float | str) -> float | str:
        from synthwright.kit.formula.formulas import read  # late: formulas look at rows by what is defined here

        if isinstance(said, str):
            read(said)
        elif not 0 <= said <= 1:
            raise ValueError("wanted a share of the rows, from 0 to 1")
        return said

    @abstractmethod
    def draw(self, ask: Ask) -> Mapping[str, Column] | Drawn:
        """Return a column for every name in `ask.produce`, each with `ask.rows` values; what failed is ruled on."""

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        """Return every `table.column` that its parameters name, of this and other tables; they are made before."""
        every = (*self.paths(), *_named(self.nulls))
        return tuple(dict.fromkeys(str(h) for path in every for h in reached(schema, table, path)))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what its parameters cannot mean: paths that lead nowhere, or to the columns that it makes."""
        found: list[tuple[Place, str]] = []
        for path in self.paths():
            try:
                first = hops(schema, table, path)[0].column
            except SampleError as error:
                found.append(((), str(error)))
                continue
            if first in produce:
                found.append(((), f"{path!r} is a column that it makes itself"))
        return [*found, *self._wrong_nulls(schema, table, produce)]

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        found = self.gives(column, schema.tables[table].fields[column])
        return found if found is None or self.nulls == 0 else (*found, None)

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        """Return the values that it may give a column, `nulls` apart; None where they are not known."""
        return None

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        from synthwright.kit.foreseen import doubts, overwritten

        found = list(doubts(known, schema, lambda place: self.concerns(place, schema, table, produce)))
        paid = self.asks() and self.scope(schema, table, produce) == "row"  # what is asked for costs, and is then lost
        return [*found, *(overwritten(known, schema, table, produce) if paid else ())]

    def concerns(self, place: Place, schema: Schema, table: str, produce: tuple[str, ...]) -> str:
        """Return the table whose rows a condition at a place of the parameters is about."""
        return table

    def _wrong_nulls(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what the share of rows without a value cannot mean."""
        from synthwright.kit.formula.stated import wrong_amount

        found: list[tuple[Place, str]] = [(("nulls",), s) for s in wrong_amount(self.nulls, schema, table, produce)]
        full = [c for c in produce if self.nulls != 0 and not schema.tables[table].fields[c].nulls]
        found += [(("nulls",), f"column {c!r} must have a value in every row (`nulls: false` in the schema)")
                  for c in full]  # fmt: skip
        return found

    def paths(self) -> Sequence[str]:
        """Return the columns and paths that its parameters name."""
        return ()

    def fit(self, data: Dataset, part: Part, ctx: Context) -> Model:
        table = table_of(data, part, self.name)
        return RuledModel(self, table, tuple(names_of(data, part.produce, table)), part.mode)


def _named(said: float | str) -> tuple[str, ...]:
    """Return the columns and paths that a number or formula names."""
    from synthwright.kit.formula.formulas import read

    return read(said).paths if isinstance(said, str) else ()


def reached(schema: Schema, table: str, path: str) -> list[Hop]:
    """Return the columns of a path and the keys it is followed by; none where it leads nowhere (`misused` says so)."""
    try:
        steps = hops(schema, table, path)
    except SampleError:
        return []
    keys = [schema.split(cast(str, schema.tables[s.table].fields[s.column].to)) for s in steps[:-1]]
    return [*steps, *(Hop(*key) for key in keys)]


@dataclass(frozen=True)
class RuledModel(Model):
    """A rule and the columns that it makes."""

    rule: Ruled
    table: str
    produce: tuple[str, ...]
    mode: str

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        there = set(given.columns(self.table)) if self.mode == "make" else set()
        wanted = tuple(c for c in self.produce if c not in there)
        if not wanted:
            return Sample(given)
        ask = Ask(given, self.table, wanted, ctx.at(self.rule.name, *wanted[:1]))
        left = self._left_out(ask) if self.rule.nulls != 0 and ask.rows else {}
        ask = replace(ask, needed=self._needed(ask, left)) if self.rule.asks() else ask
        found = self.drawn(ask) if ask.rows else {c: np.zeros(0) for c in wanted}
        made, ruled = found if isinstance(found, Drawn) else (found, ())
        fields = given.schema.tables[self.table].fields
        columns = {c: as_field(made[c], fields[c], self.rule.name, c, ruled_on=True) for c in wanted}
        wrong = [w for c in wanted if (w := beyond(made[c], fields[c])) is not None]
        columns |= {c: pc.if_else(pa.array(gone), pa.scalar(None, columns[c].type), columns[c])
                    for c, gone in left.items()}  # fmt: skip
        beside = [Verdict.of(self.table, np.logical_or.reduce(wrong), BEYOND)] if wrong else []
        return Sample(completed(given, self.table, columns, self.mode), (*ruled, *beside))

    def drawn(self, ask: Ask) -> Mapping[str, Column] | Drawn:
        """Return what the rule makes; a model that holds more than its rule hands it over."""
        return self.rule.draw(ask)

    def _left_out(self, ask: Ask) -> dict[str, np.ndarray]:
        """Return which rows of each column get no value; a stream of its own leaves the values alone."""
        from synthwright.kit.formula.formulas import numbers, read

        said, rng = self.rule.nulls, ask.ctx.at("nulls").rng
        rate = numbers(read(said), ask) if isinstance(said, str) else said
        return {c: rng.random(ask.rows) < rate for c in ask.produce}

    def _needed(self, ask: Ask, left: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the rows in which some value that is made is used: not where all are there, or left out."""
        held, needed = ask.given.tables[self.table], np.ones(ask.rows, dtype=bool)
        if self.mode == "fill" and set(ask.produce) <= set(held.column_names):
            needed = np.logical_or.reduce([nulls(held.column(c)) for c in ask.produce])
        return needed & ~np.logical_and.reduce(list(left.values())) if left else needed

    def save(self, folder: Path) -> None:
        head = {"rule": self.rule.name, "with": self.rule.model_dump(mode="json", by_alias=True), "table": self.table,
                "produce": list(self.produce), "mode": self.mode}  # fmt: skip
        artefacts.save(folder, head, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, _ = artefacts.load(folder)
        rule = registry.find("generators", head["rule"]).model_validate(head["with"])
        return cls(cast(Ruled, rule), head["table"], tuple(head["produce"]), head["mode"])


Ruled.model = RuledModel


def as_field(values: Column, field: Field, owner: str, column: str, *, ruled_on: bool = False) -> pa.Array:
    """Return made values as a column of a field: of its canonical type, numbers on its lattice.

    Numbers that the column has no room for are refused; floats become the nearest that fit where the rows that hold
    them are `ruled_on`.

    Raises:
        SampleError: values of this type make no such column, or one of them does not fit.
    """
    kind = canonical(field)
    if not (ruled_on and drawn(values)):
        refuse(values, field, owner, column)
    if isinstance(values, np.ndarray):
        if not len(values):
            return pa.array([], kind)
        if field.kind in ORDERED | {Kind.BOOLEAN} and values.dtype.kind in "fiub":
            return from_numbers(values.astype(np.int8) if values.dtype.kind == "b" else values, None, field)
        values = pa.array(values, from_pandas=True)
    whole = flat(values)
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    if whole.type == kind:
        return whole
    try:
        if field.kind in ORDERED and (pa.types.is_floating(whole.type) or pa.types.is_decimal(whole.type)):
            return from_numbers(whole.cast(pa.float64()).to_numpy(zero_copy_only=False), None, field)
        if field.kind in DISCRETE | {Kind.TEXT, Kind.KEY, Kind.REFERENCE} and pa.types.is_boolean(whole.type):
            return pc.if_else(whole, "true", "false").cast(kind)
        return whole.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SampleError(owner, f"column {column!r}", wanted=f"values of kind {field.kind.value!r}",
                          got=f"{whole.type}: {str(error).splitlines()[0][:100]}",
                          remedy="declare the column as what the rule makes") from None  # fmt: skip
