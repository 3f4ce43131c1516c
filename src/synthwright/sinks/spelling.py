"""Values as text, one way for every format that has no type for them.

Dates and instants are ISO 8601 (`2024-02-29`, `2024-02-29 13:05:00.250+01:00`) with as many decimals of a second as the
column needs, durations ISO 8601 in seconds (`PT90.5S`), truth values `true` and `false`, decimals with every digit of
their scale, bytes base64. NaN is no value, and becomes null.
"""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_UNITS = ("s", "ms", "us", "ns")


def flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without a dictionary, its NaN as nulls and its moments in the coarsest unit that holds them."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.type == pa.float16():
        column = column.cast(pa.float32())
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column.cast(_coarsest(column))


def spelled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column that `flat` returned as text."""
    kind = column.type
    if pa.types.is_duration(kind):
        return _durations(column)
    if pa.types.is_timestamp(kind):
        text = column.cast(pa.string())
        return text if kind.tz is None else pc.replace_substring_regex(text, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    if is_binary(kind):
        return pa.chunked_array([[None if v is None else base64.b64encode(v).decode() for v in column.to_pylist()]],
                                pa.large_string())  # fmt: skip
    return column.cast(pa.large_string())


def json_able(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as JSON has its values: numbers and truth values as they are, anything else spelled."""
    held = flat(column)
    if pa.types.is_floating(held.type):
        return spelled(held) if pc.any(pc.is_inf(held)).as_py() else held
    return held if pa.types.is_integer(held.type) or pa.types.is_boolean(held.type) else spelled(held)


def doubles(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return floats of any width as the doubles that are spelled alike: 0.1 stays 0.1."""
    return column if column.type == pa.float64() else column.cast(pa.string()).cast(pa.float64())


def is_binary(kind: pa.DataType) -> bool:
    """Return whether a type holds bytes."""
    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
                                       pa.types.is_fixed_size_binary))  # fmt: skip


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _coarsest(column: pa.ChunkedArray) -> pa.DataType:
    """Return the type of a column with the coarsest unit that loses nothing; other types as they are."""
    kind = column.type
    if pa.types.is_date64(kind):
        return pa.date32()
    if not (pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind)):
        return kind
    ticks = pc.fill_null(column.cast(pa.int32() if kind in (pa.time32("s"), pa.time32("ms")) else pa.int64()), 0)
    values = np.asarray(ticks)
    per = 1000 ** _UNITS.index(kind.unit)
    unit = next(u for i, u in enumerate(_UNITS) if not np.any(values % max(per // 1000**i, 1)))
    if pa.types.is_timestamp(kind):
        return pa.timestamp(unit, kind.tz)
    if pa.types.is_duration(kind):
        return pa.duration(unit)
    return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)


def _durations(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spell durations as ISO 8601 does, in seconds: `PT90.5S`, `-PT1S`."""
    ticks = column.cast(pa.int64())
    per = 1000 ** _UNITS.index(column.type.unit)
    size = pc.abs(ticks)
    whole = pc.divide(size, per)
    rest = pc.subtract(size, pc.multiply(whole, per))
    said = whole.cast(pa.string())
    if per > 1:
        digits = pc.utf8_lpad(rest.cast(pa.string()), width=len(str(per)) - 1, padding="0")
        said = pc.binary_join_element_wise(said, digits, ".")
    sign = pc.if_else(pc.less(ticks, 0), "-PT", "PT")
    return pc.binary_join_element_wise(sign, said, "S", "").cast(pa.large_string())
