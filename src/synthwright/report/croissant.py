"""`croissant.json`: the release as MLCommons Croissant, which data set search and machine learning tools read.

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html, version 1.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from synthwright.core.hashes import sha256
from synthwright.core.schema import Field, Kind, Schema
from synthwright.core.types import parse_type
from synthwright.report.released import media_type, table_files, write_whole

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the format prescribes, word for word."""
_TYPES = {
    Kind.INTEGER: "sc:Integer",
    Kind.NUMBER: "sc:Float",
    Kind.BOOLEAN: "sc:Boolean",
    Kind.DATE: "sc:Date",
    Kind.TIME: "sc:Time",
    Kind.DATETIME: "sc:DateTime",
}


def write_croissant(folder: Path, schema: Schema, *, name: str, description: str) -> None:
    """Write `croissant.json` into a release folder whose `data/` is complete; the same release gives the same bytes.

    Args:
        folder: the release.
        schema: what its tables are.
        name: what it is called.
        description: a sentence or two; plain text.

    Raises:
        StoreError: a table has no file, or the file cannot be written.
    """
    files = table_files(folder, schema)
    said: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": name,
        "description": description,
        "keywords": ["synthetic data"],
        "distribution": [part for table in schema.tables for part in _distribution(folder, table, files[table])],
        "recordSet": [_records(schema, table, files[table]) for table in schema.tables],
    }
    write_whole(folder / "croissant.json", json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def _distribution(folder: Path, table: str, files: list[str]) -> list[dict[str, Any]]:
    """Return the files of a table, and where there are several the set of them."""
    parts: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": quote(file),
            "name": file,
            "contentUrl": file,
            "contentSize": f"{(folder / file).stat().st_size} B",
            "encodingFormat": media_type(file),
            "sha256": sha256(folder / file),
        }
        for file in files
    ]
    if len(files) == 1:
        return parts
    together = {
        "@type": "cr:FileSet",
        "@id": _source(table, files),
        "name": f"all files of {table}",
        "encodingFormat": media_type(files[0]),
        "includes": f"{files[0].rpartition('/')[0]}/*",
    }
    return [*parts, together]


def _source(table: str, files: list[str]) -> str:
    return quote(files[0]) if len(files) == 1 else f"files-of-{quote(table, safe='')}"


def _records(schema: Schema, table: str, files: list[str]) -> dict[str, Any]:
    spec = schema.tables[table]
    kept = {"@type": "cr:RecordSet", "@id": quote(table, safe=""), "name": table}
    key = {"key": {"@id": _identity(table, spec.key)}} if spec.key is not None else {}
    fields = [_field(schema, table, column, field, files) for column, field in spec.fields.items()]
    return {**kept, **key, "field": fields}


def _identity(table: str, column: str) -> str:
    return f"{quote(table, safe='')}/{quote(column, safe='')}"


def _field(schema: Schema, table: str, column: str, field: Field, files: list[str]) -> dict[str, Any]:
    kind = {"fileObject" if len(files) == 1 else "fileSet": {"@id": _source(table, files)}}
    said: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": _identity(table, column),
        "name": column,
        "description": f"{field.kind.value}{', made anew' if field.anew else ''}",
        "dataType": data_type(field),
        "source": {**kind, "extract": {"column": column}},
    }
    if field.to is not None:
        said["references"] = {"field": {"@id": _identity(*schema.split(field.to))}}
    return said


def data_type(field: Field) -> str:
    """Return the Croissant data type of a field, as its values are spelled outside."""
    outside = parse_type(field.type) if field.type else None
    if outside is not None and pa.types.is_dictionary(outside):
        outside = outside.value_type
    if field.form is not None or (outside is not None and _is_text(outside)):
        return "sc:Text"
    if field.kind in (Kind.KEY, Kind.REFERENCE) and outside is not None and pa.types.is_integer(outside):
        return "sc:Integer"
    return _TYPES.get(field.kind, "sc:Text")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
