"""What the start of a specification says of tables and their columns, held against the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthwright.core import rules
from synthwright.core.cells import wrong_cells
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Schema
from synthwright.core.spec import Start


def wrong_start(start: Start, schema: Schema) -> Iterator[tuple[Place, str]]:
    """Yield what the cells and the conditions of a start cannot mean: where in it, and a sentence."""
    for place, message in wrong_cells(start.cells, schema):
        yield ("cells", *place), message
    for where, message in wrong_conditions(start.where, schema):
        yield ("where", *where), message
    for table in (t for t in start.where if t in start.beside):
        yield ("where", table, "#key"), f"new rows of {table!r} are asked for: conditions are for real rows"


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
