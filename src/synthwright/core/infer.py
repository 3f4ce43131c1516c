"""A schema from data: kinds, keys, references, forms, lattices and rules, and what of it was guessed and why.

The schema may be released: it holds no value of a real row, no least or greatest value and no list of labels but those
of ordered categories that at least three rows share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from synthwright.core.casting import as_text
from synthwright.core.door import admit_table, flat, without_nan
from synthwright.core.errors import InputError
from synthwright.core.guess import Column, Guess, guess_column
from synthwright.core.links import Link, keys_of, links_of
from synthwright.core.personal import plain_name
from synthwright.core.schema import ROW, Field, Kind, Schema, Table


class Note(NamedTuple):
    """What was guessed about a column (or, where `column` is empty, about a table), and why."""

    table: str
    column: str
    guess: str
    why: str


class Inferred(NamedTuple):
    """A schema, and what in it was guessed."""

    schema: Schema
    notes: tuple[Note, ...] = ()


def infer(tables: Mapping[str, pa.Table], *, text: bool = False, typed: bool = False) -> Inferred:
    """Return the schema that these tables suggest, and what was guessed and why.

    Args:
        tables: tables in any dialect of Arrow, by name.
        text: whether cells were spelled as text in a file: a few words then mean null, and plain numbers and ISO dates
            become types of their own.
        typed: whether such a file tells text from numbers and truth values: text that spells one is then text outside.

    Raises:
        InputError: no rows, no columns, a nested column, or one that is called `#row`.
    """
    if not tables:
        raise InputError("the data", "its tables", wanted="at least one table", got="none")
    for name, table in tables.items():
        _refuse(name, table, alone=len(tables) == 1 or not any(t.num_rows for t in tables.values()))
    columns = {name: _columns(name, table, text=text, typed=typed) for name, table in tables.items()}
    guesses = {name: {c: guess_column(column) for c, column in own.items()} for name, own in columns.items()}
    named = {name: keys_of(name, own) for name, own in guesses.items()}
    links = links_of(columns, {name: found[0] for name, found in named.items() if found})
    made = {name: _table(name, own, named[name], links) for name, own in guesses.items()}
    schema = _with_rules(Schema(tables={name: table for name, (table, _) in made.items()}), tables, text=text)
    return Inferred(schema, tuple(note for _, notes in made.values() for note in notes))


def _refuse(name: str, table: pa.Table, *, alone: bool) -> None:
    owner = f"table {name!r}"
    if not table.num_columns:
        raise InputError(owner, "the table", wanted="at least one column", got="none")
    if alone and not table.num_rows:
        raise InputError(
            owner, "the table", wanted="rows", got="none", remedy="there is nothing to learn from an empty table"
        )
    if ROW in table.column_names:
        raise InputError(owner, f"column {ROW!r}", wanted="another name", got="the one that is used for row numbers",
                         remedy="rename the column")  # fmt: skip


def _columns(name: str, table: pa.Table, *, text: bool, typed: bool) -> dict[str, Column]:
    beside = frozenset(map(plain_name, table.column_names))
    found = {c: _column(table.column(c), name, c) for c in table.column_names}
    return {
        c: one._replace(text=text, typed=typed, beside=beside, nan=one.nan and not text) for c, one in found.items()
    }


def _column(held: pa.ChunkedArray, table: str, name: str) -> Column:
    kind, order = held.type, ()
    whole = flat(held, table, name, nan=True)
    values = without_nan(whole)
    if pa.types.is_dictionary(kind) and kind.ordered and held.num_chunks and not pa.types.is_null(kind.value_type):
        order = tuple(as_text(_plain(held.unify_dictionaries().chunk(0).dictionary)).to_pylist())
    elif isinstance(kind, pa.BaseExtensionType) and str(kind) not in (str(pa.uuid()), str(pa.bool8()), str(pa.json_())):
        kind = kind.storage_type
    elif pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
    return Column(name, kind, values, order=order, nan=values is not whole)


def _plain(values: Any) -> Any:
    return values.cast(pa.large_string()) if pa.types.is_string_view(values.type) else values


def _table(name: str, guesses: Mapping[str, Guess], keys: list[str], links: list[Link]) -> tuple[Table, list[Note]]:
    """Return one table of the schema and what was guessed about it."""
    fields: dict[str, Field] = {}
    notes: list[Note] = []
    pointing = {link.column: link for link in links if link.table == name}
    for column, guess in guesses.items():
        field, said, why = guess.field, guess.said, guess.why
        if link := pointing.get(column):
            said, why = f"points to {link.parent}.{link.key}", "it is called so, and every value occurs there"
            field = Field(kind=Kind.REFERENCE, type=field.type, nulls=field.nulls, to=f"{link.parent}.{link.key}",
                          unique=bool(guess.identity))  # fmt: skip
        elif column in keys:
            said, why = "a key, made anew", _why_key(guess)
            field = Field(kind=Kind.KEY, type=field.type, nulls=False, unique=True)
        fields[column] = field
        if said:
            notes.append(Note(name, column, said, why))
    key = next((c for c in keys if c not in pointing), None)
    return Table(fields=fields, key=key), notes


def _why_key(guess: Guess) -> str:
    looks = {3: "it is called so", 2: "they number the rows, or are built like codes"}.get(
        guess.identity, "it is called a number"
    )
    return f"no value is missing or occurs twice, and {looks}"


def _with_rules(schema: Schema, tables: Mapping[str, pa.Table], *, text: bool) -> Schema:
    """Return the schema with the relations between columns that hold in every row."""
    from synthwright.core.dataset import Dataset  # a dataset infers its schema itself
    from synthwright.core.relations import find

    data = Dataset(
        schema, {name: admit_table(tables[name], name, table, text=text) for name, table in schema.tables.items()}
    )
    found = find(data)
    made = {
        name: table.model_copy(update={"rules": tuple(found.get(name, ()))}) for name, table in schema.tables.items()
    }
    return schema.model_copy(update={"tables": made})
