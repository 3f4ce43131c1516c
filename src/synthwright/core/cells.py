"""Cells: which combinations of values are wanted, and how many rows of each."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import product
from typing import Any, NamedTuple

from pydantic import Field as Setting
from pydantic import field_validator, model_validator

from synthwright.core.schema import Frozen, Kind, Schema, Table

MOST = 100_000
"""Cells of one table."""
Plain = str | int | float | bool


class Some(Frozen):
    """Some cells, and how many rows."""

    where: dict[str, Plain] = Setting(default_factory=dict)
    """Which cells: columns and their values; a column left out: every value."""
    rows: int = Setting(ge=0, le=10**8)
    """How many rows: of each such cell in a quota, in all of them together for an edge case."""


class Cell(NamedTuple):
    """One combination of values."""

    values: dict[str, Plain]
    rows: int
    case: str = ""
    """The edge case it is of."""

    def __str__(self) -> str:
        said = ", ".join(f"{c}={v}" for c, v in self.values.items())
        return f"{self.case} ({said})" if self.case else said


class Cells(Frozen):
    """Which combinations of values a table is to have, and how many rows of each that stay."""

    by: dict[str, tuple[Plain, ...]] = Setting(min_length=1)
    """The columns and the values of each; an empty list, or only the columns' names: the `labels` of the schema."""
    rows: int = Setting(default=1, ge=0, le=10**8)
    """Rows of each cell."""
    quotas: tuple[Some, ...] = ()
    """Other numbers of rows for some cells; of several that fit a cell, the last counts."""
    cases: dict[str, Some] = Setting(default_factory=dict)
    """Edge cases by name: further rows, dealt out over the cells that they fit."""
    case: str | None = None
    """The column that holds the name of the edge case, and is empty elsewhere."""

    @field_validator("by", mode="before")
    @classmethod
    def _names_alone(cls, said: Any) -> Any:
        return dict.fromkeys(said, ()) if isinstance(said, list) else said

    @model_validator(mode="after")
    def _told_apart(self) -> Cells:
        if self.cases and self.case is None:
            raise ValueError("say with 'case' which column holds the name of the edge case")
        for where in (s.where for s in (*self.quotas, *self.cases.values())):
            for column in where:
                if column not in self.by:
                    raise ValueError(f"'where' names {column!r}, which is not among the columns of 'by'")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values the cells say."""
        return (*self.by, *((self.case,) if self.case else ()))

    def faults(self, table: Table) -> list[str]:
        """Return what the cells cannot mean for a table, a sentence each."""
        found = []
        for column, values in self.by.items():
            known = _known(table, column)
            if not values and not known:
                found.append(f"the schema has no labels for {column!r}: list its values, as in {column}: [a, b]")
            elif values and known:
                found += [f"{v!r} is no label that the schema has for {column!r}"
                          for v in values if not _is_in(v, known)]  # fmt: skip
            if len(set(map(str, values))) < len(values):
                found.append(f"a value of {column!r} is said twice")
        if found:
            return found
        for some in (*self.quotas, *self.cases.values()):
            for column, value in some.where.items():
                if not _is_in(value, self.values(column, table)):
                    found.append(f"no cell has {column} {value!r}")
        many = 1
        for column in self.by:
            many *= len(self.values(column, table))
        return [*found, *([f"there would be {many:,} cells, and {MOST:,} are the most"] if many > MOST else [])]

    def values(self, column: str, table: Table) -> tuple[Plain, ...]:
        """Return the values of a column."""
        return self.by[column] or _known(table, column)

    def every(self, table: Table) -> list[Cell]:
        """Return the cells in their order, then those of edge cases; some may have no rows."""
        found = []
        for combination in product(*(self.values(c, table) for c in self.by)):
            values = dict(zip(self.by, combination, strict=True))
            fitting = [q.rows for q in self.quotas if _fits(q, values)]
            found.append(Cell(values, fitting[-1] if fitting else self.rows))
        ordinary = [c.values for c in found]
        for name, some in self.cases.items():
            fit = [v for v in ordinary if _fits(some, v)]
            each, more = divmod(some.rows, max(len(fit), 1))
            found += [Cell(v, each + (i < more), name) for i, v in enumerate(fit)]
        return found


def wrong_cells(said: Mapping[str, Cells], schema: Schema) -> list[tuple[tuple[str, ...], str]]:
    """Return what the cells of a specification cannot mean: where in them, and a sentence."""
    found: list[tuple[tuple[str, ...], str]] = []
    for table, cells in said.items():
        spec = schema.tables.get(table)
        if spec is None:
            there = ", ".join(map(repr, schema.tables))
            found.append(((table, "#key"), f"no table is called {table!r}: there are {there}"))
            continue
        unknown = [c for c in cells.columns if c not in spec.fields]
        for column in unknown:
            near = get_close_matches(column, spec.fields, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f": there are {', '.join(map(repr, spec.fields))}"
            found.append(((table, "by"), f"table {table!r} has no column {column!r}{hint}"))
        found += [((table,), message) for message in (() if unknown else cells.faults(spec))]
    return found


def _fits(some: Some, values: dict[str, Plain]) -> bool:
    return all(_is_in(v, (values[c],)) for c, v in some.where.items())


def _known(table: Table, column: str) -> tuple[Plain, ...]:
    field = table.fields[column]
    return (True, False) if field.kind is Kind.BOOLEAN else field.labels


def _is_in(value: Plain, values: tuple[Plain, ...]) -> bool:
    return str(value).casefold() in {str(v).casefold() for v in values}
