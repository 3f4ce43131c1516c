"""What a specification says of tables and their columns outside its parts, held against the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from synthwright.core import rules
from synthwright.core.cells import wrong_cells
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Kind, Schema
from synthwright.core.spec import Spec


def misnamed(spec: Spec, schema: Schema) -> Iterator[tuple[Place, str]]:
    """Yield what cells, conditions and the watch over variety cannot mean: where in a specification, and a sentence."""
    start = spec.start
    for place, message in wrong_cells(start.cells, schema):
        yield ("start", "cells", *place), message
    for where, message in wrong_conditions(start.where, schema):
        yield ("start", "where", *where), message
    for table in (t for t in start.where if t in start.beside):
        yield ("start", "where", table, "#key"), f"new rows of {table!r} are asked for: conditions are for real rows"
    for at, message in wrong_diversity(spec.diversity.columns, schema):
        yield ("diversity", "columns", *at), message


def wrong_diversity(columns: Sequence[str], schema: Schema) -> Iterator[tuple[Place, str]]:
    """Yield which of the columns whose variety is watched are none of text: where among them, and a sentence."""
    texts = [c for c in schema.columns if schema.field(c).kind is Kind.TEXT]
    for i, column in enumerate(columns):
        if column not in texts:
            near = get_close_matches(column, texts, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(texts[:8]) or 'none'}"
            yield (i,), f"no column of text is called {column!r}: {hint}"


def wrong_conditions(where: Mapping[str, str], schema: Schema) -> Iterator[tuple[Place, str]]:
    """Yield what conditions on the rows of tables cannot mean: the table, and a sentence."""
    for table, text in where.items():
        spec = schema.tables.get(table)
        if spec is None:
            yield (table, "#key"), f"no table is called {table!r}: there are {', '.join(map(repr, schema.tables))}"
            continue
        parsed = rules.parse(text)
        unknown = rules.unknown_columns(parsed, spec)
        for column, near in unknown:
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(map(repr, spec.fields))}"
            yield (table,), f"condition {text!r}: table {table!r} has no column {column!r}: {hint}"
        if not unknown:
            yield from (((table,), m.replace("rule ", "condition ", 1)) for m in rules.faults(parsed, spec))
