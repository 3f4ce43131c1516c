"""SQLite: keys, references and types are declared."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import pyarrow as pa

from synthwright.core.errors import InputError, StoreError
from synthwright.kit.files import GENERATION, SYNTHETIC, SYNTHETIC_BASE, replacing, split_name
from synthwright.sinks.parts import Part, Together
from synthwright.sinks.spelling import doubles, flat, is_binary, spelled

_BATCH = 65_536
_EXACT = 15
"""Digits of a decimal that a float holds exactly, which SQLite would make of it."""


class Sqlite(Together):
    """Write SQLite databases, in a release one for each table; keys, references, types and missing nulls are declared.

    Dates, times and instants are ISO 8601 text in columns declared `DATE`, `TIME` and `DATETIME`; decimals of more than
    15 digits, unsigned 64-bit integers, and durations are text.
    """

    name: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (".sqlite", ".sqlite3", ".db")
    rows: ClassVar[int | None] = None

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        _write([_Held(split_name(path)[0], table, {})], path, metadata)

    def write_part(self, part: Part, path: Path, metadata: dict[str, str]) -> None:
        _write([_Held(part.name, part.rows, _said(part, {}))], path, metadata)

    def write_tables(self, tables: Sequence[Part], path: Path, metadata: dict[str, str]) -> None:
        keys = {p.name: p.spec.key for p in tables if p.spec.key is not None}
        _write([_Held(p.name, p.rows, _said(p, keys)) for p in tables], path, metadata)


class _Held(NamedTuple):
    """A table to write, and what is declared of its columns beside their types."""

    name: str
    rows: pa.Table
    said: dict[str, str]


def _said(part: Part, keys: dict[str, str]) -> dict[str, str]:
    """Return what is declared of the columns of a table; references only to keys of tables that stand beside it."""
    said = {c: "NOT NULL" for c, field in part.spec.fields.items() if not field.nulls}
    for column, field in part.spec.fields.items():
        table, _, key = (field.to or "").rpartition(".")
        if keys.get(table) == key:
            said[column] = f"{said.get(column, '')} REFERENCES {_quoted(table)} ({_quoted(key)})".strip()
    if part.spec.key is not None:
        said[part.spec.key] = "NOT NULL PRIMARY KEY"
    return said


def _write(tables: Sequence[_Held], path: Path, metadata: dict[str, str]) -> None:
    """Write tables into a new database."""
    _refuse_alike([t.name for t in tables], path, "table")
    with replacing(path) as unfinished, contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as base:
        try:
            base.execute("PRAGMA journal_mode = OFF")
            base.execute("PRAGMA synchronous = OFF")
            if metadata.get(SYNTHETIC) == "true":
                base.execute(f"PRAGMA application_id = {SYNTHETIC_BASE}")
                base.execute(f"PRAGMA user_version = {int(metadata.get(GENERATION, '0'))}")
            for table in tables:
                _fill(base, table, path)
        except sqlite3.Error as error:  # a full disk among others; the message holds no values, but may hold paths
            raise StoreError(path.name, "the file", wanted="to write it", got=type(error).__name__,
                             remedy="make room, or name another place with --out") from None  # fmt: skip


def _fill(base: sqlite3.Connection, table: _Held, path: Path) -> None:
    """Write one table into an open database."""
    flats = {c: flat(table.rows.column(c)) for c in table.rows.column_names}
    columns = {c: _stored(held) for c, held in flats.items()}
    _refuse_alike(list(columns), path, "column")
    declared = ", ".join(
        f"{_quoted(c)} {_declared(held.type)} {table.said.get(c, '') if not held.null_count else ''}".rstrip()
        for c, held in flats.items()
    )
    places = ", ".join("?" * len(columns))
    try:
        base.execute("BEGIN")
        base.execute(f"CREATE TABLE {_quoted(table.name)} ({declared})")
        for start in range(0, table.rows.num_rows, _BATCH):
            rows = zip(*(c.slice(start, _BATCH).to_pylist() for c in columns.values()), strict=True)
            base.executemany(f"INSERT INTO {_quoted(table.name)} VALUES ({places})", rows)  # noqa: S608  quoted
        base.execute("COMMIT")
    except sqlite3.IntegrityError:
        raise InputError(table.name, "the rows", wanted="a key that is unique", got="one that repeats") from None


def _refuse_alike(names: list[str], path: Path, what: str) -> None:
    """Refuse names that SQLite, which looks at ASCII letters without case, cannot tell apart."""
    folded = [n.translate(_LOWER) for n in names]
    alike = next((n for n, f in zip(names, folded, strict=True) if folded.count(f) > 1), None)
    if alike is not None:
        raise InputError(path.name, f"{what} {alike!r}", got="another that differs in case only",
                         wanted="names that SQLite can tell apart", remedy="write Parquet, or rename it")  # fmt: skip


_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _declared(kind: pa.DataType) -> str:
    """Return the type that a column is declared with, whose affinity leaves its values as they are."""
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "TEXT" if kind == pa.uint64() else "INTEGER"
    if pa.types.is_floating(kind):
        return "REAL"
    if pa.types.is_decimal(kind):
        word = "DECIMAL" if kind.precision <= _EXACT else "DECIMAL_TEXT"
        return f"{word}({kind.precision}, {kind.scale})" if kind.scale >= 0 else "TEXT"
    if pa.types.is_date(kind):
        return "DATE"
    if pa.types.is_timestamp(kind):
        return "DATETIME"
    if pa.types.is_time(kind):
        return "TIME"
    return "BLOB" if is_binary(kind) else "TEXT"


def _stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of the values that SQLite stores."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return doubles(column)
    if (pa.types.is_integer(kind) and kind != pa.uint64()) or is_binary(kind):
        return column
    return spelled(column)
