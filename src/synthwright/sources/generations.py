"""How many generations rows in memory are away from real ones: read with their mark, and still known by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.files import GENERATION, SYNTHETIC
from synthwright.sources.choose import folder_of, for_path
from synthwright.sources.provenance import generation_of, of_metadata


def as_read(at: Path, schema: Schema | None, settings: Mapping[str, Any]) -> Dataset:
    """Read a path by the source that suits it; rows of files that say they are synthetic carry the mark on."""
    source, ctx = for_path(str(at), **settings), Context(root=folder_of(at))
    data, made = source.read(ctx, schema), generation_of(source.files(ctx))
    if not made:
        return data
    said = {SYNTHETIC: "true", GENERATION: str(made)}
    return Dataset(data.schema, {t: held.replace_schema_metadata(said) for t, held in data.tables.items()})


def generation_in(schemas: Iterable[pa.Schema]) -> int:
    """Return the generation of the newest of some tables, by the mark in their metadata; 0: none has one."""
    return max((of_metadata(schema.metadata or {}) for schema in schemas), default=0)
