"""What lies in a release folder: which files are a table's, their formats, their hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synthwright.core.errors import StoreError
from synthwright.core.schema import Schema
from synthwright.kit.files import folder_names, replacing

DATA = "data"
"""The folder of the released rows, one folder in it for each table."""
FORMATS = {
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonlines",
    ".conll": "text/plain",
    ".ndjson": "application/x-ndjson",
    ".arrow": "application/vnd.apache.arrow.file",
    ".feather": "application/vnd.apache.arrow.file",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".sqlite": "application/vnd.sqlite3",
    ".gz": "application/gzip",
    ".zst": "application/zstd",
}
"""Endings of released files and their media types."""


def table_files(folder: Path, schema: Schema) -> dict[str, list[str]]:
    """Return each table's files, `data/<table>/part-00000.parquet` …, as paths inside the release folder.

    Raises:
        StoreError: a table has no file.
    """
    places = folder_names(schema.tables)
    found = {}
    for table in schema.tables:
        at = folder / DATA / places[table]
        files = sorted(f"{DATA}/{places[table]}/{p.name}" for p in at.iterdir() if p.is_file()) if at.is_dir() else []
        if not files:
            raise StoreError(str(folder), f"table {table!r}", wanted=f"its rows in {DATA}/{places[table]}",
                             got="no file")  # fmt: skip
        found[table] = files
    return found


def media_type(name: str) -> str:
    """Return the media type of a released file, told by its ending."""
    return FORMATS.get(Path(name).suffix.lower(), "application/octet-stream")


def write_forms(folder: Path, name: str, said: Any, markdown: str, html: str) -> list[Path]:
    """Write what a study found as `NAME.json`, `NAME.md` and `NAME.html` into a folder; return them."""
    found = json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    texts = {f"{name}.json": found, f"{name}.md": markdown, f"{name}.html": html}
    for file, text in texts.items():
        write_whole(folder / file, text)
    return [folder / file for file in texts]


def write_whole(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all; a StoreError where that cannot be done."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
