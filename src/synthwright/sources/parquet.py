"""Parquet: typed columns, as their writer declared them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import IO, Any, ClassVar

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, seekable
from synthwright.sources.columns import checked
from synthwright.sources.places import FileSource

_ARROW = b"ARROW:schema"


class Parquet(FileSource):
    """Read Parquet files; columns have the types that the files declare."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq", ".parq")

    def table(self, path: Path) -> pa.Table:
        with seekable(path) as file:
            try:
                table = _read(file, path)
            except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError, OverflowError):
                raise InputError(path.name, "the file", wanted="Parquet", got="a damaged file, or one of another kind",
                                 remedy="write or fetch it again, or say by use: what it is") from None  # fmt: skip
        return checked(table, path.name)


def metadata(file: IO[bytes]) -> dict[bytes, bytes]:
    """Return the keys and values that a Parquet file carries."""
    from pyarrow import parquet

    return dict(parquet.ParquetFile(file).metadata.metadata or {})


def _read(file: IO[bytes], path: Path) -> pa.Table:
    from pyarrow import parquet

    opened = parquet.ParquetFile(file, page_checksum_verification=True)
    said = opened.metadata
    groups = [said.row_group(i) for i in range(said.num_row_groups)]
    packed = sum(g.column(c).total_compressed_size for g in groups for c in range(g.num_columns))
    _refuse_bomb(path, packed, sum(g.total_byte_size for g in groups), said.num_rows * said.num_columns)
    table = opened.read()
    if said.num_columns == 0:
        return table
    return _as_written(table, (said.metadata or {}).get(_ARROW))


def _refuse_bomb(path: Path, packed: int, unpacked: int, cells: int) -> None:
    if LIMITS.exceeded(packed, unpacked) or cells > LIMITS.cells or min(packed, unpacked, cells) < 0:
        raise InputError(path.name, "the file", wanted=f"at most {LIMITS.cells:,} cells and {LIMITS.unpacked:,} bytes",
                         got="more, or a size that only a bomb has",
                         remedy="make it several files, or take fewer rows")  # fmt: skip


def _as_written(table: pa.Table, schema: bytes | None) -> pa.Table:
    """Return the columns in the Arrow types they were written from, where Parquet has none of the kind."""
    if schema is None:
        return table
    try:
        written = pa.ipc.read_schema(pa.BufferReader(base64.b64decode(schema)))
    except (pa.ArrowException, ValueError, OSError):
        return table
    if written.names != table.column_names:
        return table
    columns = [_restored(c, kind) for c, kind in zip(table.columns, written.types, strict=True)]
    return pa.table(columns, names=table.column_names)


def _restored(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Cast a column to the type it had, where every value fits; otherwise leave it."""
    if column.type == kind or pa.types.is_nested(kind):
        return column
    try:
        if pa.types.is_dictionary(column.type) and pa.types.is_dictionary(kind):
            return pa.chunked_array([_recoded(c, kind) for c in column.chunks], type=kind)
        if pa.types.is_dictionary(kind):
            return column.cast(kind.value_type).dictionary_encode().cast(kind)
        return column.cast(kind)
    except pa.ArrowException:
        return column


def _recoded(column: Any, kind: pa.DataType) -> Any:
    codes, values = column.indices.cast(kind.index_type), column.dictionary.cast(kind.value_type)
    return pa.DictionaryArray.from_arrays(codes, values, ordered=kind.ordered)
