"""Parquet, the default: typed, compressed, and it says inside that its rows were made."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from synthwright.kit.files import created
from synthwright.sinks.parts import PartSink, whole

_GROUP = 131_072
"""Rows of a row group."""
_LOOKED_AT, _FEW = 20_000, 2_000
"""A column with fewer values than `_FEW` among its first rows is written by a dictionary: smaller, and quicker read."""


class Parquet(PartSink):
    """Write Parquet files; where the rows come from stands in the file's metadata."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    together: ClassVar[int] = 2
    compression: Literal["zstd", "snappy", "gzip", "none"] = "zstd"
    """How columns are compressed."""

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        from pyarrow import parquet

        held = whole(table).replace_schema_metadata(dict(sorted(metadata.items())))
        few = [c for c in held.column_names if _repeats(held.column(c))]
        with created(path) as file:
            parquet.write_table(held, file, row_group_size=_GROUP, compression=self.compression,
                                write_page_checksum=True, use_dictionary=few)  # fmt: skip


def _repeats(column: pa.ChunkedArray) -> bool:
    """Return whether the beginning of a column has few values."""
    if pa.types.is_dictionary(column.type):
        return True
    return len(column.slice(0, _LOOKED_AT).unique()) < min(_FEW, max(column.length() // 2, 2))
