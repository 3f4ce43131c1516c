"""SQLite: one database for each table, its key and its types declared."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from synthwright.core.errors import InputError, StoreError
from synthwright.kit.files import GENERATION, SYNTHETIC, SYNTHETIC_BASE, replacing, split_name
from synthwright.sinks.parts import Part, PartSink
from synthwright.sinks.spelling import doubles, flat, is_binary, spelled

_BATCH = 65_536
_EXACT = 15
"""Digits of a decimal that a float holds exactly, which SQLite would make of it."""


class Sqlite(PartSink):
    """Write SQLite databases, one for each table; key, types and missing nulls are declared.

    Dates, times and instants are ISO 8601 text in columns declared `DATE`, `TIME` and `DATETIME`; decimals of more than
    15 digits, unsigned 64-bit integers, and durations are text.
    """

    name: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (".sqlite", ".sqlite3", ".db")
    rows: ClassVar[int | None] = None

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        _write(split_name(path)[0], table, path, metadata, {})

    def write_part(self, part: Part, path: Path, metadata: dict[str, str]) -> None:
        said = {c: "NOT NULL" for c, field in part.spec.fields.items() if not field.nulls}
        if part.spec.key is not None:
            said[part.spec.key] = "NOT NULL PRIMARY KEY"
        _write(part.name, part.rows, path, metadata, said)


def _write(name: str, table: pa.Table, path: Path, metadata: dict[str, str], said: dict[str, str]) -> None:
    """Write one table into a new database; `said` holds what is declared of columns beside their types."""
    flats = {c: flat(table.column(c)) for c in table.column_names}
    columns = {c: _stored(held) for c, held in flats.items()}
    _refuse_alike(list(columns), path)
    declared = ", ".join(
        f"{_quoted(c)} {_declared(held.type)} {said.get(c, '') if not held.null_count else ''}".rstrip()
        for c, held in flats.items()
    )
    places = ", ".join("?" * len(columns))
    with replacing(path) as unfinished, contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as base:
        try:
            base.execute("PRAGMA journal_mode = OFF")
            base.execute("PRAGMA synchronous = OFF")
            if metadata.get(SYNTHETIC) == "true":
                base.execute(f"PRAGMA application_id = {SYNTHETIC_BASE}")
                base.execute(f"PRAGMA user_version = {int(metadata.get(GENERATION, '0'))}")
            base.execute("BEGIN")
            base.execute(f"CREATE TABLE {_quoted(name)} ({declared})")
            for start in range(0, table.num_rows, _BATCH):
                rows = zip(*(c.slice(start, _BATCH).to_pylist() for c in columns.values()), strict=True)
                base.executemany(f"INSERT INTO {_quoted(name)} VALUES ({places})", rows)  # noqa: S608  quoted
            base.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise InputError(name, "the rows", wanted="a key that is unique", got="one that repeats") from None
        except sqlite3.Error as error:  # a full disk among others; the message holds no values, but may hold paths
            raise StoreError(path.name, "the file", wanted="to write it", got=type(error).__name__,
                             remedy="make room, or name another place with --out") from None  # fmt: skip


def _refuse_alike(names: list[str], path: Path) -> None:
    """Refuse names that SQLite, which looks at ASCII letters without case, cannot tell apart."""
    folded = [n.translate(_LOWER) for n in names]
    alike = next((n for n, f in zip(names, folded, strict=True) if folded.count(f) > 1), None)
    if alike is not None:
        raise InputError(path.name, f"column {alike!r}", got="another that differs in case only",
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
