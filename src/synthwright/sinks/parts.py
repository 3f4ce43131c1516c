"""How every sink lays out a release: a folder for each table, in it parts of at most a million rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, NamedTuple

import pyarrow as pa

from synthwright.core.contracts import Sink
from synthwright.core.dataset import Dataset
from synthwright.core.door import spell_table
from synthwright.core.schema import Table
from synthwright.kit.files import folder_names

ROWS = 1_000_000
"""Rows of a part."""


class Part(NamedTuple):
    """Rows of a table, with what is known of it."""

    name: str
    rows: pa.Table
    spec: Table


class PartSink(Sink):
    """A sink that writes a table as `<table>/part-00000`, `part-00001`, …; an empty table as one part without rows."""

    rows: ClassVar[int | None] = ROWS
    """Rows of a part; None: all of them."""
    together: ClassVar[int] = 1
    """How many parts are written at once; more than one where writing leaves Python alone."""

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        specs = data.schema.tables
        tables = {t: spell_table(rows, t, specs[t], self.spells) for t, rows in data.to_arrow_tables().items()}
        places = folder_names(tables)
        waiting: list[tuple[Part, Path]] = []
        for name, table in tables.items():
            size = self.rows or max(table.num_rows, 1)
            for number in range(max(1, -(-table.num_rows // size))):
                path = folder / places[name] / f"part-{number:05d}{self.suffixes[0]}"
                part = Part(name, table.slice(number * size, size), specs[name])
                waiting.append((part, path))
        with ThreadPoolExecutor(self.together) as threads:
            list(threads.map(lambda one: self.write_part(one[0], one[1], metadata), waiting))
        return [path for _, path in waiting]

    def write_part(self, part: Part, path: Path, metadata: dict[str, str]) -> None:
        """Write one part of a table whose schema is known."""
        self.write_file(part.rows, path, metadata)


class Together(PartSink):
    """A sink one of whose files may hold several tables."""

    @abstractmethod
    def write_tables(self, tables: Sequence[Part], path: Path, metadata: dict[str, str]) -> None:
        """Write tables (as they look outside) into one file, under their names."""


def whole(table: pa.Table) -> pa.Table:
    """Return a table whose values lie together: how it came in pieces must not show in what is written."""
    return table.unify_dictionaries().combine_chunks()
