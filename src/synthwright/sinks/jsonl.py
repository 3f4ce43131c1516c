"""JSON Lines: one object per row."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from synthwright.core.schema import Kind
from synthwright.kit.files import created
from synthwright.sinks.json_lines import lines, speaks
from synthwright.sinks.parts import PartSink
from synthwright.sinks.spelling import json_able

_BATCH = 65_536


class Jsonl(PartSink):
    """Write JSON Lines: numbers, truth values and text as JSON has them, every null written out.

    Dates and instants are ISO 8601 text, or spelled by the schema's form, durations `PT90.5S`, decimals text with all
    their digits, bytes base64. NaN is null; a column that holds an infinity, which JSON has no word for, is text.
    """

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    spells: ClassVar[frozenset[Kind]] = frozenset({Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION})

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        held = pa.table([json_able(c) for c in table.columns], names=table.column_names)
        small = held.num_columns > 0 and held.num_rows <= _BATCH and speaks(held)
        with created(path) as file:
            if small:
                file.writelines(lines(held))
                return
            import polars as pl

            for start in range(0, held.num_rows, _BATCH):
                frame = pl.DataFrame(pl.from_arrow(held.slice(start, _BATCH)))
                file.write(frame.write_ndjson().encode())
