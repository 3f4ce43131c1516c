"""Excel: one workbook for each part of a table, one sheet in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError
from synthwright.kit.files import created, split_name
from synthwright.sinks.parts import Part, PartSink
from synthwright.sinks.spelling import doubles, flat, is_text, spelled
from synthwright.sinks.workbook import FORMATS, write_workbook

_ROWS, _COLUMNS, _TEXT = 1_048_575, 16_384, 32_767
"""What a sheet holds below its header, and what a cell holds of text."""
_BATCH = 16_384
_EXACT = 2**53
_DIGITS = 15
"""Digits of a decimal that a number of Excel's holds."""
_DAYS = (-25_508, 2_932_896)
"""The first of March 1900, before which Excel counts days wrongly, and the last day of 9999; days since 1970."""
_EPOCH = 25_569
"""The day 1970-01-01 in Excel's count."""
_DAY, _INSTANT, _TIME, _SPAN, _LITERAL = range(1, len(FORMATS))
_ESCAPED = "_x[0-9A-Fa-f]{4}_|[\\x00-\\x08\\x0b-\\x1f\ufffe\uffff]|^[\\t\\n ]|[\\t\\n ]$"
_RISKY = "^[=+\\-@]"


class Excel(PartSink):
    """Write Excel workbooks: one sheet each, names of columns in the first row; nothing in them is a formula.

    Numbers, truth values, dates, times and durations are Excel's own where it holds them exactly; a column that it does
    not (instants with zones or below a millisecond, integers beyond 2^53, long decimals, infinities) is text.
    """

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx",)

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        _write(split_name(path)[0], table, path, metadata)

    def write_part(self, part: Part, path: Path, metadata: dict[str, str]) -> None:
        _write(part.name, part.rows, path, metadata)


def _write(name: str, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
    if table.num_rows > _ROWS or table.num_columns > _COLUMNS:
        got = f"{table.num_rows:,} × {table.num_columns:,}"
        raise InputError(path.name, "the table", wanted=f"at most {_ROWS:,} rows and {_COLUMNS:,} columns", got=got,
                         remedy="write Parquet or CSV")  # fmt: skip
    columns = [_column(table.column(c), c, path) for c in table.column_names]
    held = pa.table(columns, names=[str(i) for i in range(len(columns))])
    names = pa.table([pa.array([c or None], pa.large_string()) for c in table.column_names], names=held.column_names)
    extent = f"A1:{_letters(max(held.num_columns, 1))}{held.num_rows + 1}"
    with created(path) as file:
        write_workbook(file, name, _rows(names, held), extent, metadata)


def _column(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """Return a column as Excel's own values where it holds every one exactly, else as text."""
    held = flat(column)
    if pa.types.is_decimal(held.type) and held.type.precision <= _DIGITS:
        held = held.cast(pa.float64())
    if not _exact(held):
        held = spelled(held)
    if is_text(held.type):
        held = held.cast(pa.large_string())
        longest = pc.max(pc.utf8_length(held)).as_py() or 0
        if longest > _TEXT:
            raise InputError(path.name, f"column {name!r}", wanted=f"texts of at most {_TEXT:,} characters",
                             got=f"{longest:,}", remedy="write Parquet, CSV or JSONL")  # fmt: skip
    return held


def _exact(column: pa.ChunkedArray) -> bool:
    """Return whether Excel has values of this kind, and holds every one of these exactly."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return True
    if pa.types.is_floating(kind):
        return not pc.any(pc.is_inf(column)).as_py()
    if pa.types.is_integer(kind):
        return _between(column, -_EXACT, _EXACT)
    if pa.types.is_date(kind):
        return _between(column.cast(pa.int32()), *_DAYS)
    if kind in (pa.timestamp("s"), pa.timestamp("ms")):
        per = _ticks(kind)
        return _between(column.cast(pa.int64()), _DAYS[0] * per, (_DAYS[1] + 1) * per - 1)
    if kind in (pa.duration("s"), pa.duration("ms")):
        return _between(column.cast(pa.int64()), 0, 10**12)
    return kind in (pa.time32("s"), pa.time32("ms"))


def _between(column: pa.ChunkedArray, low: int, high: int) -> bool:
    ends = pc.min_max(column).as_py()
    return ends["min"] is None or (ends["min"] >= low and ends["max"] <= high)


def _ticks(kind: pa.DataType) -> int:
    """Return how many units of a type make a day."""
    return 86_400 if kind.unit == "s" else 86_400_000


def _rows(names: pa.Table, table: pa.Table) -> Iterator[bytes]:
    """Yield the rows of a sheet as XML: the header, then the table in pieces."""
    yield _piece(names, 1, 0)
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        filled |= np.asarray(column.is_valid())
    last = int(np.flatnonzero(filled)[-1]) + 1 if filled.any() else 0
    for start in range(0, table.num_rows, _BATCH):
        yield _piece(table.slice(start, _BATCH), start + 2, last - start)


def _piece(table: pa.Table, first: int, last: int) -> bytes:
    """Return rows as XML, numbered from `first`; those from position `last` on hold nothing, and say so.

    Readers do not see rows at the end without a value: their first cell is the error #N/A.
    """
    numbers = pa.array(np.arange(first, first + table.num_rows)).cast(pa.large_string())
    cells = [_cells(column.combine_chunks(), _letters(i + 1), numbers) for i, column in enumerate(table.columns)]
    if last < table.num_rows and first > 1:
        absent = pa.array(np.arange(table.num_rows) >= last)
        cells[0] = pc.if_else(absent, _join('<c r="A', numbers, '" t="e"><v>#N/A</v></c>'), cells[0])
    rows = _join('<row r="', numbers, '">', *cells, "</row>")
    return b"".join(v.as_buffer() for v in rows.cast(pa.large_binary()))


def _cells(column: pa.Array | pa.ChunkedArray, letters: str, numbers: pa.Array) -> pa.Array:
    """Return a column's cells as XML, nothing where there is no value."""
    held = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    kind = held.type
    if pa.types.is_null(kind):
        return pa.array([""] * len(held), pa.large_string())
    start = _join(f'<c r="{letters}', numbers, '"')
    if is_text(kind):
        style = pc.if_else(pc.match_substring_regex(held, _RISKY), f' s="{_LITERAL}"', "").cast(pa.large_string())
        made = _join(start, style, ' t="inlineStr"><is><t xml:space="preserve">', _escaped(held), "</t></is></c>")
    elif pa.types.is_boolean(kind):
        made = _join(start, ' t="b"><v>', held.cast(pa.int8()).cast(pa.large_string()), "</v></c>")
    else:
        values, style = _number(held)
        made = _join(start, f' s="{style}"><v>' if style else "><v>", values.cast(pa.large_string()), "</v></c>")
    return pc.fill_null(made, "")


def _number(column: pa.Array) -> tuple[pa.Array, int]:
    """Return a column as the numbers that Excel keeps, and their style: days for dates, parts of days for times."""
    kind = column.type
    if pa.types.is_date(kind):
        return pc.add(column.cast(pa.int32()), _EPOCH), _DAY
    if pa.types.is_temporal(kind):
        whole = column.cast(pa.int32() if pa.types.is_time(kind) else pa.int64()).cast(pa.float64(), safe=False)
        days = pc.divide(whole, float(_ticks(kind)))
        if pa.types.is_timestamp(kind):
            return pc.add(days, float(_EPOCH)), _INSTANT
        return days, _TIME if pa.types.is_time(kind) else _SPAN
    if pa.types.is_floating(kind):
        return doubles(pa.chunked_array([column])).combine_chunks(), 0
    return column, 0


def _escaped(text: pa.Array) -> pa.Array:
    """Return text as XML holds it, with the characters that XML or Excel would change spelled `_x000D_`."""
    for character, said in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = pc.replace_substring(text, character, said)
    odd = pc.match_substring_regex(text, _ESCAPED)
    if not pc.any(odd).as_py():
        return text
    changed = [_ODD.sub(_escape, v) for v in text.filter(odd).to_pylist()]
    return pc.replace_with_mask(text, pc.fill_null(odd, False), pa.array(changed, pa.large_string()))


_ODD = re.compile(_ESCAPED)


def _escape(found: re.Match[str]) -> str:
    held = found[0]
    return f"_x005F{held}" if len(held) > 1 else f"_x{ord(held):04X}_"


def _join(*pieces: pa.Array | str) -> pa.Array:
    texts = [pa.scalar(p, pa.large_string()) if isinstance(p, str) else p for p in pieces]
    return pc.binary_join_element_wise(*texts, pa.scalar("", pa.large_string()))


def _letters(number: int) -> str:
    """Return the letters of a column: A, B, …, Z, AA, …."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
