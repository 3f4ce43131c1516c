"""Parquet: typed columns, as their writer declared them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, seekable
from synthwright.sources.columns import checked, flat_names, storage, written_out
from synthwright.sources.places import FileSource

_ARROW = b"ARROW:schema"
_TEXTS = {
    t.id for t in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view(), pa.binary_view())
}
_BATCH, _FEWEST, _MOST = 2**30, 16, 65_536
"""Bytes of a batch of text, were each value as long as the file allows, and the least and the most rows of one."""


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

    size = file.seek(0, 2)
    file.seek(0)
    opened = parquet.ParquetFile(file)
    said, written = opened.metadata, opened.schema_arrow
    groups = [said.row_group(i) for i in range(said.num_row_groups)]
    packed = min(size, sum(g.column(c).total_compressed_size for g in groups for c in range(g.num_columns)))
    rows = max(said.num_rows, sum(g.num_rows for g in groups))
    _refuse_bomb(path, packed, sum(g.total_byte_size for g in groups), rows * said.num_columns)
    flat_names(written, path.name)
    room = _Room(path, packed)
    room.take(rows * sum(storage(f.type).byte_width for f in written if pa.types.is_fixed_size_binary(storage(f.type))))
    texts = [f.name for f in written if storage(f.type).id in _TEXTS]
    delta = {said.schema.column(c).path for g in groups for c in range(g.num_columns)
             if any(e.startswith("DELTA_") for e in g.column(c).encodings)}  # fmt: skip
    slow = [name for name in texts if name in delta]
    rest = [name for name in written.names if name not in set(slow)]
    # text stays as its distinct values while it is read: a small file can name a long one very often
    opened = parquet.ParquetFile(file, page_checksum_verification=True, read_dictionary=sorted({*texts} - {*slow}))
    table = opened.read(columns=rest).select(rest) if slow else opened.read()
    for column in table.columns:
        room.take(written_out(column) if pa.types.is_dictionary(column.type) else 0)
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name in slow:
        columns[name] = _in_batches(opened, name, max(g.total_byte_size for g in groups), room)
    table = pa.table({f.name: _plain(columns[f.name], f.type) for f in written})
    return _as_written(table, (said.metadata or {}).get(_ARROW))


class _Room:
    """Counts the bytes of values written out, and refuses more than such a file may have."""

    def __init__(self, path: Path, packed: int) -> None:
        self.path, self.packed, self.count = path, packed, 0

    def take(self, size: int) -> None:
        self.count += size
        if LIMITS.too_long(self.packed, self.count):
            _refuse(self.path)


def _in_batches(opened: Any, name: str, longest: int, room: _Room) -> pa.ChunkedArray:
    """Return a column whose encoding cannot be kept while it is read, in batches that stay small."""
    rows = max(_FEWEST, min(_MOST, _BATCH // max(longest, 1)))
    chunks, kind = [], None
    for batch in opened.iter_batches(batch_size=rows, columns=[name]):
        column = batch.column(batch.schema.names.index(name))
        room.take(column.nbytes)
        chunks.append(column)
        kind = column.type
    return pa.chunked_array(chunks, kind or pa.string())


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return text that was kept as distinct values for reading only in the type it has."""
    kept = pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(kind)
    return column.cast(column.type.value_type).cast(kind) if kept else column


def _refuse_bomb(path: Path, packed: int, unpacked: int, cells: int) -> None:
    if LIMITS.exceeded(packed, unpacked) or LIMITS.too_many(packed, cells) or min(packed, unpacked, cells) < 0:
        _refuse(path)


def _refuse(path: Path) -> NoReturn:
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
