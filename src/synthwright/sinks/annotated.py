"""What sinks of texts with spans share: which tables have both, and how the others are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.kit.files import created, folder_names
from synthwright.kit.texts.spans import Spans, read
from synthwright.sinks.jsonl import Jsonl
from synthwright.sinks.spelling import is_text

BATCH = 16_384
"""Rows that are looked at together."""


class Batch(NamedTuple):
    """Some rows of a table, with the spans of their texts."""

    rows: pa.Table
    text: pa.ChunkedArray
    spans: Spans
    labels: tuple[str, ...]
    """What the codes of the spans mean; the same in all batches of a table."""


class Annotated(Jsonl):
    """A sink of texts and their spans; tables without these two columns are written as JSON Lines."""

    ending: ClassVar[str] = ".jsonl"
    """How the parts of a table with texts and spans end."""

    text: str = "text"
    """The column of texts."""
    spans: str = "spans"
    """The column of spans, `[{"start": 5, "end": 12, "label": "PERSON"}]` for each text."""

    def faults(self, schema: Schema) -> list[str]:
        if any({self.text, self.spans} <= set(table.fields) for table in schema.tables.values()):
            return []
        said = f"no table has texts in a column {self.text!r} and their spans in {self.spans!r}"
        return [f"{self.name}: {said}: say which columns they are, `with: {{text: …, spans: …}}`"]

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        tables = data.to_arrow_tables()
        places = folder_names(tables)
        written = []
        for name, table in tables.items():
            ending = self.ending if self.marked(table) else ".jsonl"
            size = self.rows or max(table.num_rows, 1)
            for number in range(max(1, -(-table.num_rows // size))):
                path = folder / places[name] / f"part-{number:05d}{ending}"
                self.write_file(table.slice(number * size, size), path, metadata)
                written.append(path)
        return written

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        if not self.marked(table):
            super().write_file(table, path, metadata)
            return
        batches = list(self._batches(table, path))  # what is wrong with a span is told before anything is written
        with created(path) as file:
            self.write_texts(batches, file, metadata)

    def marked(self, table: pa.Table) -> bool:
        """Return whether a table has texts and spans."""
        return all(c in table.column_names and _textual(table.schema.field(c).type) for c in (self.text, self.spans))

    def write_texts(self, batches: list[Batch], file: IO[bytes], metadata: dict[str, str]) -> None:
        """Write the texts of a table with their spans."""
        raise NotImplementedError

    def _batches(self, table: pa.Table, path: Path) -> Iterator[Batch]:
        """Yield the rows of a table with their spans, sorted."""
        spans, labels = read(_plain(table.column(self.spans)), path.name)
        held = spans.sorted()
        text = _plain(table.column(self.text))
        lengths = np.asarray(pc.fill_null(pc.utf8_length(text), 0))
        beyond = int((held.end > lengths[held.row]).sum())
        if beyond:
            raise InputError(path.name, f"column {self.spans!r}", wanted=f"spans inside the texts of {self.text!r}",
                             got=f"{beyond:,} that end behind them")  # fmt: skip
        for low in range(0, table.num_rows, BATCH):
            begin, end = held.row.searchsorted([low, low + BATCH])
            some = held.some(np.arange(begin, end))
            yield Batch(table.slice(low, BATCH), text.slice(low, BATCH), some._replace(row=some.row - low), labels)


def _textual(kind: pa.DataType) -> bool:
    return is_text(kind.value_type if pa.types.is_dictionary(kind) else kind)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.large_string())
