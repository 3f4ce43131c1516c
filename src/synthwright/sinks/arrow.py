"""Arrow: the columns as they lie in memory; what Feather version 2 is."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from synthwright.kit.files import created
from synthwright.sinks.parts import PartSink, whole

_BATCH = 65_536
"""Rows of a record batch."""


class Arrow(PartSink):
    """Write Arrow files (Feather version 2); where the rows come from stands in the schema's metadata."""

    name: ClassVar[str] = "arrow"
    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    compression: Literal["lz4", "zstd", "none"] = "lz4"
    """How buffers are compressed."""

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        held = _compact(whole(table)).replace_schema_metadata(dict(sorted(metadata.items())))
        options = pa.ipc.IpcWriteOptions(compression=None if self.compression == "none" else self.compression)
        with created(path) as file, pa.ipc.new_file(file, held.schema, options=options) as writer:
            writer.write_table(held, max_chunksize=_BATCH)


def _compact(table: pa.Table) -> pa.Table:
    """Return a table whose views lie in one piece: how they lie would show in the file."""
    columns = table.columns
    for i, column in enumerate(columns):
        whole_type = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(column.type)
        if whole_type is not None:
            columns[i] = column.cast(whole_type).cast(column.type)
    return pa.table(columns, names=table.column_names)
