"""What every file source makes sure of: names that are unique, flat columns, and files that fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute

from synthwright.core.errors import InputError

_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def checked(table: pa.Table, owner: str) -> pa.Table:
    """Return a table that was read, its extension types as what they are stored as; valid to the last byte.

    Raises:
        InputError: no columns, a name twice, a nested column, or values that are not what their type says.
    """
    flat_names(table.schema, owner)
    try:
        table.validate(full=True)
    except pa.ArrowException:  # its message holds values
        raise InputError(owner, "the file", wanted="values of the types it declares", got="damaged ones",
                         remedy="write or fetch the file again") from None  # fmt: skip
    return plain(table)


def flat_names(schema: pa.Schema, owner: str) -> None:
    """Refuse a schema without columns, with a name twice or with a nested column."""
    if not schema.names:
        raise InputError(owner, "the table", wanted="at least one column", got="none")
    unique_names(schema.names, owner)
    for field in schema:
        if pa.types.is_nested(storage(field.type)):
            raise nested(owner, field.name)


def written_out(column: pa.ChunkedArray | pa.Array) -> int:
    """Return how many bytes values take when each is written out where it stands: labels and views share them."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return sum(_written_out(chunk) for chunk in chunks)


def _written_out(chunk: pa.Array) -> int:
    kind = chunk.type
    if isinstance(kind, pa.BaseExtensionType):
        return _written_out(chunk.storage)
    if pa.types.is_dictionary(kind):
        lengths = _lengths(chunk.dictionary)
        return 0 if lengths is None else pa.compute.sum(lengths.take(chunk.indices)).as_py() or 0
    lengths = _lengths(chunk) if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) else None
    return int(chunk.nbytes) if lengths is None else pa.compute.sum(lengths).as_py() or 0


def _lengths(values: pa.Array) -> pa.Array | None:
    """Return the bytes of each value as int64; nothing for values of a fixed width, which nobody shares."""
    kind = values.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        views = np.frombuffer(values.buffers()[1] or b"", dtype=np.int32).reshape(-1, 4)  # its length comes first
        return pa.array(views[values.offset : values.offset + len(values), 0].astype(np.int64))
    if any(is_text(kind) for is_text in _TEXTS):
        return pa.compute.binary_length(values).cast(pa.int64())
    return None


def nested(owner: str, name: str) -> InputError:
    """Return the error for a column of lists, structs or maps."""
    return InputError(owner, f"column {name!r}", wanted="single values", got="lists or objects (a nested column)",
                      remedy="make it columns or a table of its own, or leave it out")  # fmt: skip


def storage(kind: pa.DataType) -> pa.DataType:
    """Return the type that values of an extension type are stored as; any other type as it is."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def plain(table: pa.Table) -> pa.Table:
    """Return a table without extension types, runs and the metadata of other libraries."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        held = column
        if isinstance(held.type, pa.BaseExtensionType):
            held = pa.chunked_array([c.storage for c in held.chunks], type=held.type.storage_type)
        if pa.types.is_run_end_encoded(held.type):
            held = pa.chunked_array([pa.compute.run_end_decode(c) for c in held.chunks], type=held.type.value_type)
        columns[name] = held
    return pa.table(columns)


def unique_names(names: Sequence[str], owner: str) -> None:
    """Refuse a name that several columns have."""
    seen: set[str] = set()
    twice = next((n for n in names if n in seen or seen.add(n)), None)  # type: ignore[func-returns-value]
    if twice is None:
        return
    where = ", ".join(str(i + 1) for i, n in enumerate(names) if n == twice)
    if twice == "":
        raise InputError(owner, "the header", wanted="a name for every column", got=f"none at columns {where}",
                         remedy="name them, or remove them where they are empty")  # fmt: skip
    raise InputError(owner, f"column name {twice!r}", wanted="unique column names", got=f"it at columns {where}",
                     remedy="rename or remove all but one")  # fmt: skip


def joined(tables: Mapping[Path, pa.Table]) -> pa.Table:
    """Return the rows of several files one below the other, in the first one's order of columns.

    Raises:
        InputError: a file lacks a column or has one more, or a column's types do not go together.
    """
    (first, table), *others = tables.items()
    for path, other in others:
        lacking = [c for c in table.column_names if c not in set(other.column_names)]
        more = [c for c in other.column_names if c not in set(table.column_names)]
        if lacking or more:
            got = f"no column {lacking[0]!r}" if lacking else f"column {more[0]!r} too"
            remedy = "files of one table have the same columns; for a table each, name their folder"
            raise InputError(path.name, "the columns", wanted=f"those of {first.name}", got=got, remedy=remedy)
    if not others:
        return table
    rest = [other.select(table.column_names) for _, other in others]
    return pa.table({c: _below([table, *rest], c, first.name) for c in table.column_names})


def _below(tables: list[pa.Table], column: str, owner: str) -> pa.ChunkedArray:
    parts = [t.select([column]) for t in tables]
    try:
        return pa.concat_tables(parts, promote_options="permissive").column(0)
    except pa.ArrowException:
        kinds = ", ".join(sorted({str(p.schema.types[0]) for p in parts}))
        raise InputError(owner, f"column {column!r}", wanted="types that go together in all files",
                         got=kinds) from None  # fmt: skip
