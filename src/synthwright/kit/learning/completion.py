"""What generators share around learning: what they refuse, and how made columns join what was given."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import ROW, Kind
from synthwright.kit.coding.codecs import Codec, observe, settle
from synthwright.kit.coding.rulers import tidy

FEWEST = 10
"""Rows below which nothing is learned: too few people to hide among."""


def table_of(data: Dataset, part: Part, owner: str) -> str:
    """Return the one table that a part produces columns of; a FitError if there are several or none."""
    tables = sorted({data.schema.split(c)[0] for c in part.produce})
    if len(tables) != 1:
        raise FitError(owner, "the part", wanted="columns of one table to make", got=f"columns of {len(tables)}",
                       remedy="give each table a part of its own")  # fmt: skip
    return tables[0]


def names_of(data: Dataset, columns: tuple[str, ...], table: str) -> list[str]:
    """Return the names of those `table.column` that are in a table."""
    split = (data.schema.split(c) for c in columns)
    return [name for where, name in split if where == table]


def looked_at(data: Dataset, part: Part, table: str, able: frozenset[Kind]) -> list[str]:
    """Return the names of the columns that a part may look at and that are there, of kinds a generator can use."""
    fields, held = data.schema.tables[table].fields, data.tables[table]
    there = {*held.column_names} - {*names_of(data, part.produce, table)}
    return [n for n in names_of(data, part.given, table) if n in there and fields[n].kind in able]


def refuse_unfit(data: Dataset, table: str, produce: list[str], owner: str, able: frozenset[Kind]) -> None:
    """Raise a FitError for what must not or cannot be learned from.

    Refused are fewer than ten rows, rows that are all alike, a column that is absent, and kinds that the generator
    cannot make.
    """
    held = data.tables[table]
    if held.num_rows < FEWEST:
        raise FitError(owner, f"table {table!r}", wanted=f"at least {FEWEST} rows", got=f"{held.num_rows}",
                       remedy="fewer cannot be learned from without showing them")  # fmt: skip
    there = {*held.column_names}
    for name in produce:
        kind = data.schema.tables[table].fields[name].kind
        if kind not in able:
            raise FitError(owner, f"column {name!r}", wanted=f"one of the kinds {', '.join(sorted(able))}",
                           got=f"kind {kind.value!r}", remedy="give it to another generator")  # fmt: skip
        if name not in there:
            raise FitError(owner, f"column {name!r}", wanted="a column of that name in the data", got="none")
    names = [n for n in held.column_names if n != ROW]
    if names and all(_alike(held.column(n)) for n in names):
        raise FitError(owner, f"table {table!r}", wanted="rows that differ", got="rows that are all alike",
                       remedy="whatever would be made of them is the real row")  # fmt: skip


def settled(data: Dataset, table: str, name: str, ctx: Context, protect: int) -> Codec:
    """Return the codec of a column; a FitError where no value may be kept and none may be missing."""
    field, column = data.schema.tables[table].fields[name], data.tables[table].column(name)
    codec = settle(field, observe(column, nan=field.nan), ctx.rng, protect=protect)
    if not codec.size and not field.nulls and len(column):
        raise FitError("protect", f"column {name!r}", wanted=f"values in at least {protect} rows, or null allowed",
                       got="fewer", remedy="lower `protect`, or allow nulls in the schema")  # fmt: skip
    return codec


def completed(given: Dataset, table: str, made: Mapping[str, pa.Array], mode: str) -> Dataset:
    """Return given rows with the made columns.

    In mode `make`, a column that is there already was set and stays; in mode `fill`, only its nulls are replaced; in
    mode `replace`, all of it.
    """
    held = given.tables[table]
    there, columns = {*held.column_names}, dict[str, pa.Array]()
    for name, values in made.items():
        if name not in there or mode == "replace":
            columns[name] = values
        elif mode == "fill":
            present = held.column(name)
            columns[name] = pc.if_else(present.is_null(nan_is_null=True), values, present)
    return given.with_columns(table, columns)


def _alike(column: pa.ChunkedArray) -> bool:
    """Return whether all values of a column are equal, null and NaN being one value."""
    if column.null_count == len(column):
        return True
    some = tidy(column.slice(0, 1000))
    if len(some.unique()) > 1:
        return False
    return len(tidy(column).unique()) <= 1
