"""Parquet, the default: typed, compressed, and it says inside that its rows were made."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from synthwright.kit.files import created
from synthwright.sinks.parts import PartSink, whole

_GROUP = 131_072
"""Rows of a row group."""


class Parquet(PartSink):
    """Write Parquet files; where the rows come from stands in the file's metadata."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    compression: Literal["zstd", "snappy", "gzip", "none"] = "zstd"
    """How columns are compressed."""

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        from pyarrow import parquet

        held = whole(table).replace_schema_metadata(dict(sorted(metadata.items())))
        with created(path) as file:
            parquet.write_table(held, file, row_group_size=_GROUP, compression=self.compression,
                                write_page_checksum=True)  # fmt: skip
