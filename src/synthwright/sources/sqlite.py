"""SQLite: the tables of a database file, in the types they are declared with."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, opened, packing
from synthwright.sources.columns import checked, joined
from synthwright.sources.declared import column_of
from synthwright.sources.places import PathSource

_CELL = 100_000_000
"""Bytes of one value: what a generated column can be made to return is bounded by it."""
_ROWS = 65_536


class Sqlite(PathSource):
    """Read the tables of SQLite databases, without views and internal tables; declared types decide.

    `DATE`, `DATETIME`, `TIME`, `BOOLEAN` and `DECIMAL(p, s)` count where every value of the column is one; a column
    whose values do not keep to its declaration becomes text.
    """

    name: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (".sqlite", ".sqlite3", ".db", ".db3")
    table: str | None = Setting(default=None, min_length=1)
    """The table to read; nothing: every table."""

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        parts: dict[str, dict[Path, pa.Table]] = {}
        for path in self.files(ctx):
            for name, table in self._of_file(path).items():
                parts.setdefault(name, {})[path] = table
        return {name: joined(tables) for name, tables in parts.items()}

    def _of_file(self, path: Path) -> dict[str, pa.Table]:
        with connected(path) as base:
            try:
                names = _names(base)
                if self.table is not None and self.table not in names:
                    raise InputError(path.name, f"table {self.table!r}", wanted=f"one of {', '.join(names[:20])}",
                                     got="no table of that name")  # fmt: skip
                if not names:
                    raise InputError(path.name, "the database", wanted="at least one table", got="none")
                wanted = names if self.table is None else [self.table]
                return {name: checked(_read(base, name, path.name), f"{path.name}: {name}") for name in wanted}
            except (sqlite3.Error, OverflowError, MemoryError):  # the messages hold values
                raise _damaged(path) from None


@contextlib.contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading only; an InputError where it is none, is damaged or is being written."""
    with opened(path) as file:
        first = file.peek(16)[:16]
    if packing(first) is not None:
        raise InputError(path.name, "the file", wanted="an SQLite database", got="a packed file", remedy="unpack it")
    if first != b"SQLite format 3\0":
        raise _damaged(path)
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise InputError(path.name, "the database", wanted="one that nobody is writing", got="one with an open log",
                         remedy="close the program that uses it, or run: PRAGMA wal_checkpoint(TRUNCATE)")  # fmt: skip
    base = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _CELL)
        base.execute("PRAGMA trusted_schema = OFF")
        base.execute("PRAGMA cell_size_check = ON")
        if base.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _damaged(path)
        yield base
    except sqlite3.Error:
        raise _damaged(path) from None
    finally:
        base.close()


def _damaged(path: Path) -> InputError:
    return InputError(path.name, "the file", wanted="an SQLite database", got="a damaged file, or one of another kind",
                      remedy="fetch or write it again")  # fmt: skip


def _names(base: sqlite3.Connection) -> list[str]:
    rows = base.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall()
    virtual = [n for n, said in rows if said is None or said.upper().startswith("CREATE VIRTUAL")]
    shadows = tuple(f"{n}_" for n in virtual)
    return [n for n, _ in rows if not n.startswith(("sqlite_", *shadows)) and n not in virtual]


def _read(base: sqlite3.Connection, name: str, owner: str) -> pa.Table:
    said = base.execute("SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden <> 1", (name,)).fetchall()
    quoted = '"' + name.replace('"', '""') + '"'
    count = base.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0]  # noqa: S608  a quoted identifier
    if count * max(len(said), 1) > LIMITS.cells:
        raise InputError(owner, f"table {name!r}", wanted=f"at most {LIMITS.cells:,} cells", got="more")
    columns = ", ".join('"' + c.replace('"', '""') + '"' for c, _ in said)
    cursor = base.execute(f"SELECT {columns} FROM {quoted}")  # noqa: S608  quoted identifiers
    held: list[list[object]] = [[] for _ in said]
    while rows := cursor.fetchmany(_ROWS):
        for values, more in zip(held, zip(*rows, strict=True), strict=True):
            values.extend(more)
    return pa.table([column_of(values, kind) for values, (_, kind) in zip(held, said, strict=True)],
                    names=[c for c, _ in said])  # fmt: skip
