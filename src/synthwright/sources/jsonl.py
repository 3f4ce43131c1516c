"""JSON Lines: one object per line; also a JSON array of objects."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError
from synthwright.sources.columns import checked, nested
from synthwright.sources.encodings import Encoding, Utf8, WrongEncodingError, encoding_of, for_arrow, wrong_encoding
from synthwright.sources.json_rows import read_array, read_lines
from synthwright.sources.places import FileSource

_BLOCK = 2**24
_DEEP = 500
"""Brackets within brackets that are left to Python's parser, which minds its stack; Arrow's does not."""
_PLAIN = {pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string()}


class Jsonl(FileSource):
    """Read JSON Lines (one object per line) and JSON arrays of objects; a field that a row lacks is a null.

    Numbers, truth values and text stay what they are; a field that mixes them becomes text, unless its texts only say
    that there is no value. Nested values are refused.
    """

    name: ClassVar[str] = "jsonl"
    text: ClassVar[bool] = True
    typed: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")

    def table(self, path: Path) -> pa.Table:
        encoding = encoding_of(path, None)
        try:
            with Utf8(path, encoding) as stream:
                first = stream.read(2**16).lstrip()[:1]
            if not first:
                raise InputError(path.name, "the file", wanted="an object per line", got="an empty file")
            if first == b"[":
                return checked(read_array(path, encoding), path.name)
            table = _fast(path, encoding)
            return checked(read_lines(path, encoding) if table is None else table, path.name)
        except WrongEncodingError:
            raise wrong_encoding(path, encoding.name, "bytes that are none", "utf-8 when writing the file") from None


class _DeepError(Exception):
    """Brackets are nested more deeply than a table's."""


class _Flat(io.RawIOBase):
    """A stream that refuses to hand on what is nested deeply."""

    def __init__(self, stream: Utf8) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most `size` bytes."""
        block = self._stream.read(size)
        if _deep(block):
            raise _DeepError
        return block


def _deep(block: bytes) -> bool:
    if block.count(b"[") <= _DEEP and block.count(b"{") <= block.count(b"\n") + _DEEP:
        return False
    signs = np.frombuffer(block, np.uint8)
    steps = ((signs == ord("[")) | (signs == ord("{"))).astype(np.int8)
    steps -= (signs == ord("]")) | (signs == ord("}"))
    depth = np.cumsum(steps, dtype=np.int32)
    return bool((depth - np.minimum.accumulate(depth)).max() > _DEEP)


def _fast(path: Path, encoding: Encoding) -> pa.Table | None:
    """Return the table that Arrow's reader finds; None where it may be wrong, and every line must be looked at.

    Its messages hold values, and it takes text that looks like an instant for one.
    """
    try:
        table = _parsed(path, encoding, ())
        names = table.column_names
        instants = [c for c in names if pa.types.is_temporal(table.schema.field(c).type)]
        if instants:
            table = _parsed(path, encoding, instants).select(names)
        table.validate(full=True)
    except (pa.ArrowException, UnicodeError, KeyError, _DeepError):
        return None
    for name, column in zip(names, table.columns, strict=True):
        if pa.types.is_nested(column.type):
            raise nested(path.name, name)
        if column.type not in _PLAIN or (column.type == pa.float64() and _beyond(column)):
            return None
    return table if names else None


def _parsed(path: Path, encoding: Encoding, text: Sequence[str]) -> pa.Table:
    from pyarrow import json

    parse = json.ParseOptions(explicit_schema=pa.schema([(c, pa.string()) for c in text]) if text else None)
    with Utf8(path, encoding) as stream:
        return json.read_json(for_arrow(_Flat(stream)), json.ReadOptions(block_size=_BLOCK), parse)


def _beyond(column: pa.ChunkedArray) -> bool:
    """Return whether numbers are so large that they may be integers which a float cannot hold."""
    top = pc.max(pc.abs(column)).as_py()
    return top is not None and top >= 2.0**53
