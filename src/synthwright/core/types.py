"""Arrow types as words and back, so that a schema file can say what a column is outside."""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa

_SIMPLE = {
    str(t): t
    for t in (
        *(pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
        *(pa.duration(u) for u in ("s", "ms", "us", "ns")),
        *(pa.uuid(), pa.bool8(), pa.json_()),
    )
}
_SIMPLE |= {
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date": pa.date32(),
}  # as people write
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=([^\]]+))?\]")
_FIXED = re.compile(r"fixed_size_binary\[(\d+)\]")
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>")


@cache
def is_zone(name: str) -> bool:
    """Return whether a name is that of a time zone, or an offset from UTC."""
    if re.fullmatch(r"[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]", name):
        return True
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a name that is none, a path, a folder
        return False
    return True


def parse_type(said: str) -> pa.DataType:
    """Return the Arrow type that `str(type)` prints as `said`, or people call so; a ValueError for anything else."""
    if said in _SIMPLE:
        return _SIMPLE[said]
    if found := _DECIMAL.fullmatch(said):
        make = {"32": pa.decimal32, "64": pa.decimal64, "128": pa.decimal128, "256": pa.decimal256}[found[1]]
        return make(int(found[2]), int(found[3]))
    if found := _TIMESTAMP.fullmatch(said):
        if found[2] and not is_zone(found[2]):
            raise ValueError(f"{said!r} names no time zone: 'Europe/Warsaw', 'UTC', '+05:30' …")
        return pa.timestamp(found[1], tz=found[2])
    if found := _FIXED.fullmatch(said):
        return pa.binary(int(found[1]))
    if found := _DICTIONARY.fullmatch(said):
        return pa.dictionary(_SIMPLE[found[2]], parse_type(found[1]), ordered=found[3] == "1")
    raise ValueError(f"{said!r} is no Arrow type that a column can have: 'int32', 'timestamp[us, tz=UTC]', 'string' …")


def zone_of(form: str) -> str | None:
    """Return the place whose clocks a form of instants shows with their offset (see `core.moments`), if it does."""
    found = re.search(r"%:?[zZ]\{([^{}]*)\}", form)
    return found[1] if found else None
