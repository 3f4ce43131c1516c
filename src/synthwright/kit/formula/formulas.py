"""The language of formulas: what derived columns, and parameters that follow other columns, are computed by.

It is the language of rules (`core.rules`) and more::

    price * quantity                                 + - * / % ^, comparisons, and, or, not, in, between, is null
    round(net * if(country == "DE", 1.19, 1.2), 2)   numbers, conditionals
    lower(slug(first) + "." + slug(last)) + "@x.org" texts
    age(card.customer.birth_date, opened_on)         dates; paths through references
    opening + sum(payment.amount by payer)           the rows of another table that point here

Formulas are compiled to polars expressions; nothing is ever evaluated as code. Where a value is missing there is no
result, as in SQL; so it is where there is none: a division by 0, the root of -1. Whole numbers, decimals and the
numbers written in a formula are exact; everything else is a float. `docs/formulas.md` has every function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from synthwright.core.errors import SampleError
from synthwright.core.rule_nodes import Aggregate, Name, Node, walk
from synthwright.core.rule_tokens import shown
from synthwright.core.schema import Field, Schema, canonical
from synthwright.kit.formula import formula_children as below
from synthwright.kit.formula import formula_given as given_by
from synthwright.kit.formula.formula_compiled import NAMED, Compiler, Source
from synthwright.kit.formula.formula_parser import FormulaParser
from synthwright.kit.formula.formula_values import MisfitError, Type, Value
from synthwright.kit.ruled import Ask, Column, Hop, followed, hops

if TYPE_CHECKING:
    from synthwright.core.dataset import Dataset


@dataclass(frozen=True)
class Formula:
    """A formula that was understood."""

    text: str
    paths: tuple[str, ...]
    """The columns and paths that it names, each once, in order of appearance."""
    aggregates: tuple[Aggregate, ...] = field(repr=False)
    """What it takes from the rows of other tables that point to the row at hand."""
    tree: Node = field(repr=False)
    places: tuple[int, ...] = field(default=(), repr=False)
    """Where each of `paths` stands in the text at first."""

    @property
    def children(self) -> tuple[str, ...]:
        """The columns of other tables that it takes values from, as they are written; see `children` for all."""
        return tuple(dict.fromkeys(f"{a.table}.{a.column}" if a.column else a.table for a in self.aggregates))


@lru_cache(maxsize=4096)
def read(text: str) -> Formula:
    """Return what a formula says.

    Raises:
        ValueError: it is none; the message shows what is wrong, where, and what would be right.
    """
    parser = FormulaParser(text)
    tree = parser.formula()
    named = dict(reversed(parser.named))
    paths = tuple(dict.fromkeys(name for name, _ in parser.named))
    return Formula(text, paths, tuple(parser.aggregates), tree, tuple(named[p] for p in paths))


# ---------------------------------------------------------------------------------------------- what it gives for rows
def value(formula: Formula, ask: Ask) -> pa.Array:
    """Return what a formula gives for every row, in the type that it has by itself.

    Numbers are int64 where they are whole, decimals where a decimal column is in them, and else float64.

    Raises:
        SampleError: a column or the rows of another table are not made yet, or the formula does not fit them.
    """
    compiler, made = _compiled(formula, ask)
    return given_by.native(compiler, made)


def numbers(formula: Formula, ask: Ask) -> np.ndarray:
    """Return what a formula gives as float64, NaN where it gives nothing; true is 1.

    Lengths of time are days, dates and instants days since 1970.

    Raises:
        SampleError: as `value` does, and where the formula gives no number.
    """
    compiler, made = _compiled(formula, ask)
    return given_by.floats(compiler, _wanted(formula, made, ("number", "boolean", "duration", "date", "datetime")))


def condition(formula: Formula, ask: Ask) -> np.ndarray:
    """Return booleans: in which rows a condition is true; where it cannot be told it is not.

    Raises:
        SampleError: as `value` does, and where the formula is no condition.
    """
    compiler, made = _compiled(formula, ask)
    return given_by.booleans(compiler, _wanted(formula, made, ("boolean",)))


def column(formula: Formula, ask: Ask, field: Field) -> Column:
    """Return what a formula gives for every row, as `kit.ruled.as_field` can make a column of a field from it."""
    compiler, made = _compiled(formula, ask)
    try:
        return given_by.for_field(compiler, made, field)
    except MisfitError as error:
        raise _said(formula, error) from None


# ------------------------------------------------------------------------------------------------ before anything runs
def faults(formula: Formula, schema: Schema, table: str, field: Field | None = None, *,
           wanted: Type | None = None) -> list[str]:  # fmt: skip
    """Return what a formula cannot mean for the rows of a table, a sentence each.

    Args:
        formula: what was read.
        schema: of all tables.
        table: whose rows it is computed for.
        field: the column that it is to make, if any.
        wanted: what it must give, if anything: `number`, `boolean` …
    """
    unknown = [_unknown(formula, schema, table, p, at) for p, at in zip(formula.paths, formula.places, strict=True)]
    unknown += [_unknown(formula, schema, a.table, n, a.at) for a in formula.aggregates if a.table in schema.tables
                for n in _inside(a)]  # fmt: skip
    if found := [said for said in unknown if said]:
        return found
    try:
        compiler = Compiler(_Declared(schema, table))
        made = compiler.value(formula.tree)
        if wanted is not None and made.type not in (wanted, "nothing"):
            return [_sentence(formula, f"it gives {NAMED[made.type]}", f"a formula that gives {NAMED[wanted]}", None)]
        if field is not None:
            given_by.for_field(compiler, made, field, strict=True)
        elif made.type == "months":
            return [_sentence(formula, "it gives months", "`months(3)` beside a date", None)]
    except MisfitError as error:
        return [_sentence(formula, error.wrong, error.right, error.at)]
    return []


def type_of(formula: Formula, schema: Schema, table: str) -> Type | None:
    """Return what a formula gives for the rows of a table; None where it has faults."""
    if faults(formula, schema, table):
        return None
    return Compiler(_Declared(schema, table)).value(formula.tree).type


def children(formula: Formula, schema: Schema, table: str) -> tuple[str, ...]:
    """Return every `table.column` that must be there before values are taken from the rows of other tables.

    Among them are the references by which these rows point here, and the key that they point to.
    """
    out: dict[str, None] = {}
    for node in formula.aggregates:
        try:
            link = below.link(schema, table, node)
        except MisfitError:
            continue  # `faults` says so
        out |= dict.fromkeys((f"{link.child}.{link.reference}", f"{table}.{link.key}"))
        for name in _inside(node):
            out |= dict.fromkeys(map(str, _hops(schema, node.table, name)))
        nested = [n for n in walk(node.where) if isinstance(n, Aggregate)] if node.where is not None else []
        for inner in nested:
            out |= dict.fromkeys(children(Formula("", (), (inner,), inner), schema, node.table))
    return tuple(out)


def _inside(node: Aggregate) -> tuple[str, ...]:
    """Return the columns and paths of the other table that an aggregate names."""
    where = [n.name for n in walk(node.where) if isinstance(n, Name)] if node.where is not None else []
    return tuple(dict.fromkeys([*([node.column] if node.column else []), *where]))


def _hops(schema: Schema, table: str, path: str) -> list[Hop]:
    try:
        steps = hops(schema, table, path)
    except SampleError:
        return []
    keys = [schema.split(cast(str, schema.tables[s.table].fields[s.column].to)) for s in steps[:-1]]
    return [*steps, *(Hop(*key) for key in keys)]


def _unknown(formula: Formula, schema: Schema, table: str, path: str, at: int) -> str | None:
    try:
        hops(schema, table, path)
    except SampleError as error:
        owner = error.owner if error.owner != f"table {table!r}" else ""
        where = f"`{path}` is no column of {error.owner}" if not owner else f"`{path}` leads to no column of {owner}"
        return f"formula {shown(formula.text)} at character {at + 1}: {where}: {error.remedy}"
    return None


def _sentence(formula: Formula, wrong: str, right: str, at: int | None) -> str:
    place = "" if at is None else f" at character {at + 1}"
    return f"formula {shown(formula.text)}{place}: {wrong}: write {right}"


# -------------------------------------------------------------------------------------------------- where columns are
@dataclass(frozen=True)
class _Held:
    """The rows of a table that are there."""

    given: Dataset
    table: str

    @property
    def rows(self) -> int:
        return self.given.rows(self.table)

    def column(self, path: str) -> pa.ChunkedArray:
        return followed(self.given, self.table, path)

    def aggregate(self, node: Aggregate) -> pa.Array:
        schema = self.given.schema
        link = below.link(schema, self.table, node)
        child, own = self.given.tables.get(link.child), self.given.tables[self.table]
        if child is None or link.reference not in child.column_names:
            raise below.not_made(link.child, link.reference, node.function)
        if link.key not in own.column_names:
            raise below.not_made(self.table, link.key, node.function)
        there = _Held(self.given, link.child)
        values = there.column(node.column) if node.column else None
        counted = None
        if node.where is not None:
            compiler = Compiler(there)
            made = compiler.value(node.where)
            counted = given_by.booleans(compiler, Value(compiler.truth(made, "behind `where`", node.at), "boolean"))
        rows = below.of_rows(own.column(link.key), child.column(link.reference), values, counted)
        return below.aggregated(node.function, rows, self.rows, below.type_of(schema, node))


@dataclass(frozen=True)
class _Declared:
    """A table of a schema, without rows."""

    schema: Schema
    table: str
    rows: int = 0

    def column(self, path: str) -> pa.Array:
        last = hops(self.schema, self.table, path)[-1]
        return pa.array([], canonical(self.schema.tables[last.table].fields[last.column]))

    def aggregate(self, node: Aggregate) -> pa.Array:
        below.link(self.schema, self.table, node)
        if node.where is not None:
            compiler = Compiler(_Declared(self.schema, node.table))
            compiler.truth(compiler.value(node.where), "behind `where`", node.at)
        return pa.array([], below.type_of(self.schema, node))


def _compiled(formula: Formula, ask: Ask) -> tuple[Compiler, Value]:
    source: Source = _Held(ask.given, ask.table)
    compiler = Compiler(source)
    try:
        return compiler, compiler.value(formula.tree)
    except MisfitError as error:
        raise _said(formula, error) from None


def _wanted(formula: Formula, made: Value, types: tuple[Type, ...]) -> Value:
    if made.type not in (*types, "nothing"):
        raise SampleError(f"formula {shown(formula.text)}", "its result", wanted=NAMED[types[0]],
                          got=NAMED[made.type])  # fmt: skip
    return made


def _said(formula: Formula, error: MisfitError) -> SampleError:
    return SampleError("formulas", _sentence(formula, error.wrong, error.right, error.at))
