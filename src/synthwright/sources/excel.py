"""Excel workbooks: each sheet a table, its first row the names of the columns."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.forms import NULLS
from synthwright.kit.files import seekable
from synthwright.sources.columns import checked, joined, unique_names
from synthwright.sources.places import PathSource, table_files
from synthwright.sources.workbook import no_workbook, refuse_bomb


class Excel(PathSource):
    """Read Excel workbooks: every sheet that is not empty is a table; its first row names the columns.

    Numbers, dates, times and truth values come typed, whole numbers as integers; where all numbers of a column are kept
    as text they are made as text again. Empty cells and errors (`#N/A`) are nulls. A column that mixes types becomes
    text, but for numbers of which some are kept as text, or `n/a`. A workbook of one sheet gives a table named like the
    file.
    """

    name: ClassVar[str] = "excel"
    text: ClassVar[bool] = True
    typed: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    sheet: str | None = Setting(default=None, min_length=1)
    """The sheet to read; nothing: every sheet that is not empty."""

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        parts: dict[str, dict[Path, pa.Table]] = {}
        places = table_files(self.path, self.suffixes, ctx)
        for name, paths in places.items():
            for path in paths:
                sheets = _sheets(path, self.sheet)
                for sheet, table in sheets.items():
                    named = name if len(sheets) == 1 else sheet if len(places) == 1 else f"{name}.{sheet}"
                    parts.setdefault(named, {})[path] = table
        return {name: joined(tables) for name, tables in parts.items()}


def _sheets(path: Path, wanted: str | None) -> dict[str, pa.Table]:
    """Return the tables of a workbook by sheet."""
    import python_calamine as calamine

    with seekable(path) as file, _without_panic(path):
        refuse_bomb(file, path)
        try:
            book = calamine.CalamineWorkbook.from_filelike(file)
            names = [s.name for s in book.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
            if wanted is not None and wanted not in names:
                raise InputError(path.name, f"sheet {wanted!r}", got="none of that name",
                                 wanted=f"one of {', '.join(map(repr, names[:20]))}")  # fmt: skip
            rows = {n: book.get_sheet_by_name(n).to_python() for n in ([wanted] if wanted else names)}
        except (calamine.CalamineError, calamine.PasswordError, calamine.XmlError, calamine.ZipError, OSError,
                ValueError, TypeError, OverflowError, MemoryError, AttributeError):  # fmt: skip
            raise no_workbook(path) from None
    tables = {n: _table(held, f"{path.name}: {n}") for n, held in rows.items() if held}
    if not tables:
        raise InputError(path.name, "the workbook", wanted="a sheet with a header and rows", got="empty sheets")
    return tables


@contextlib.contextmanager
def _without_panic(path: Path) -> Iterator[None]:
    """Turn a panic of the reader, whose Rust raises what no `except Exception` sees, into an error of ours."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise no_workbook(path) from None
        raise


def _table(rows: Sequence[Sequence[Any]], owner: str) -> pa.Table:
    names = ["" if c is None else _spelled(c) for c in rows[0]]
    columns = [list(c) for c in zip(*rows[1:], strict=True)] or [[] for _ in names]
    kept = [i for i, (name, held) in enumerate(zip(names, columns, strict=True)) if name or not _blank(held)]
    names = [names[i] for i in kept]
    unique_names(names, owner)
    return checked(pa.table([_column(columns[i]) for i in kept], names=names), owner)


def _blank(values: Sequence[Any]) -> bool:
    return all(v is None or v == "" for v in values)


def _column(cells: list[Any]) -> pa.Array:
    """Return cells as a column: of one type where they have one, else of text."""
    values = [None if isinstance(c, str) and not c else c for c in cells]
    kinds = {type(v) for v in values} - {type(None)}
    if str in kinds and kinds & {float, int} and kinds <= {float, int, str}:
        values = _mixed(values)
        kinds = {type(v) for v in values} - {type(None)}
    if kinds <= {float, int} and kinds:
        return _numbers(values)
    if kinds == {dt.date}:
        return pa.array(values, pa.date32())
    if kinds <= {dt.date, dt.datetime} and kinds:
        days = (dt.datetime(v.year, v.month, v.day) if type(v) is dt.date else v for v in values)
        return pa.array(list(days), pa.timestamp("us"))
    simple = {bool: pa.bool_(), dt.time: pa.time64("us"), dt.timedelta: pa.duration("us"), str: pa.string()}
    if len(kinds) == 1 and (kind := simple.get(next(iter(kinds)))) is not None:
        return pa.array(values, kind)
    if not kinds:
        return pa.nulls(len(values))
    return pa.array([None if v is None else _spelled(v) for v in values], pa.string())


def _mixed(values: list[Any]) -> list[Any]:
    """Return numbers where all text among them spells one plainly, or says that there is none; else cells as they are.

    Codes with leading zeros spell no number.
    """
    said = {v for v in values if isinstance(v, str)}
    known: dict[str, float | None] = {}
    for word in said:
        if word.strip().lower() in NULLS:
            known[word] = None
        elif (number := _number(word)) is not None and _spelled(number) == word:
            known[word] = number
    return [known[v] if isinstance(v, str) else v for v in values] if len(known) == len(said) else values


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _numbers(values: Sequence[float | None]) -> pa.Array:
    """Return numbers, as integers where all are whole and small enough to be exact."""
    column = pa.array(values, pa.float64())
    whole = all(v is None or (v == int(v) and abs(v) < 2**53) for v in values)
    return column.cast(pa.int64()) if whole else column


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
