"""Datasets as files of the store: the schema as JSON, each table as one Arrow file.

Files are not compressed: they are mapped into memory, so that a slice of a table costs what it holds, and processes
share what they read.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema


def save_dataset(data: Dataset, folder: Path) -> None:
    """Write a dataset into a folder, which is made; files are numbered, because table names may be anything."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.json").write_text(data.schema.model_dump_json(by_alias=True), encoding="utf-8")
    for i, table in enumerate(data.schema.tables):
        feather.write_feather(
            data.tables[table].replace_schema_metadata(None), folder / f"{i}.arrow", compression="uncompressed"
        )


def load_dataset(folder: Path) -> Dataset:
    """Read a dataset that `save_dataset` wrote."""
    schema = _schema((folder / "schema.json").read_bytes())
    tables = {t: _read(folder / f"{i}.arrow") for i, t in enumerate(schema.tables)}
    return Dataset(schema, tables)


@lru_cache(maxsize=16)
def _schema(said: bytes) -> Schema:
    return Schema.model_validate_json(said)


def _read(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def write_json(path: Path, what: object) -> None:
    """Write JSON as people can read it."""
    path.write_text(json.dumps(what, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
