"""Rows as lines of JSON by Arrow alone: what a small release needs, without loading polars (half a second, 33 MB)."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_CONTROLS = 32
"""Characters below this one must be escaped in JSON; quotes and backslashes must, too."""


def speaks(table: pa.Table) -> bool:
    """Return whether all columns, as `json_able` returns them, can be written so: text, integers and truth values."""
    return all(_plain(c.type) or pa.types.is_large_string(c.type) for c in table.columns)


def lines(table: pa.Table) -> list[pa.Buffer]:
    """Return rows as lines of JSON, one line a row: the bytes that polars writes.

    Args:
        table: columns for which `speaks` is true; at least one.
    """
    parts = []
    for i, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        parts.append(_text(("," if i else "{") + json.dumps(name, ensure_ascii=False) + ":"))
        said = column.cast(pa.large_string()) if _plain(column.type) else _quoted(column)
        parts.append(pc.fill_null(said, "null"))
    said = pc.binary_join_element_wise(*parts, _text("}\n"), _text(""))
    return [_bytes(chunk) for chunk in said.chunks if len(chunk)]


def _plain(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_boolean(kind)


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as JSON has them, nulls as nulls."""
    held = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    for sign in _controls(held):
        held = pc.replace_substring(held, sign, json.dumps(sign)[1:-1])
    return pc.binary_join_element_wise(_text('"'), held, _text('"'), _text(""))


def _controls(column: pa.ChunkedArray) -> list[str]:
    """Return the control characters that texts hold."""
    found = np.zeros(_CONTROLS, dtype=bool)
    for chunk in column.chunks:
        if len(chunk):
            said = np.frombuffer(_bytes(chunk), dtype=np.uint8)
            found[said[said < _CONTROLS]] = True
    return [chr(i) for i in np.flatnonzero(found)]


def _bytes(chunk: pa.LargeStringArray) -> pa.Buffer:
    """Return the texts of an array, one after another."""
    _, bounds, held = chunk.buffers()
    ends = np.frombuffer(bounds, dtype=np.int64)[[chunk.offset, chunk.offset + len(chunk)]]
    return held.slice(ends[0], ends[1] - ends[0]) if held is not None else pa.py_buffer(b"")


def _text(said: str) -> pa.Scalar:
    return pa.scalar(said, pa.large_string())
