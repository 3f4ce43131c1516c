"""Casts between what a column is outside and the one type it has inside; what does not fit becomes null on the way in.

Everything here works on whole Arrow arrays: a value that does not fit is null in the answer, and the door says where.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.forms import PAIRS
from synthwright.core.lengths import parse_lengths
from synthwright.core.moments import parse_clock, parse_instants
from synthwright.core.numerals import TEXT

_TRUE = [yes for yes, _ in PAIRS]
_FALSE = sorted({no for _, no in PAIRS})
_WHOLE = r"^[+-]?[0-9]{1,18}$"
_REAL = r"^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity))$"
_EXACT = 2.0**53
_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_binary(kind: pa.DataType) -> bool:
    """Return whether a type holds bytes."""
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or \
        pa.types.is_fixed_size_binary(kind)  # fmt: skip


def as_text(column: pa.Array) -> pa.Array:
    """Return any column as text that `from_text` reads back exactly: instants in UTC, lengths of time as counts."""
    if pa.types.is_duration(column.type):
        column = column.cast(pa.int64())
    elif pa.types.is_timestamp(column.type) and column.type.tz:  # old offsets have seconds, which no spelling shows
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column.cast(TEXT)


def from_text(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Read plainly spelled text (digits, ISO dates, true and false); null where it does not fit."""
    if is_text(target) or is_binary(target):
        return narrowed(column.cast(TEXT), target)
    trimmed = pc.utf8_trim_whitespace(column.cast(TEXT))
    if pa.types.is_integer(target):
        return cast_values(_integers(trimmed), target) if target != pa.uint64() else _exactly(trimmed, target, int)
    if pa.types.is_floating(target):
        return narrowed(_only(trimmed, _REAL).cast(pa.float64()), target)
    if pa.types.is_decimal(target):
        return _exactly(_only(trimmed, _REAL), target, Decimal)
    if pa.types.is_boolean(target):
        word = pc.utf8_lower(trimmed)
        # no Arrow array at the top of a module: pyarrow imports pandas, where it is installed, to make one from a list
        yes = pc.is_in(word, pa.array(_TRUE, TEXT))
        known = pc.or_(yes, pc.is_in(word, pa.array(_FALSE, TEXT)))
        return pc.if_else(known, yes, pa.scalar(None, pa.bool_()))
    if pa.types.is_duration(target):
        counts = _only(trimmed, _WHOLE).cast(pa.int64()).cast(target)
        return pc.coalesce(counts, cast_values(parse_lengths(trimmed), target))
    if pa.types.is_time(target):
        return cast_values(parse_clock(trimmed), target)
    zoned, unit = getattr(target, "tz", None) is not None, getattr(target, "unit", "us")
    return cast_values(parse_instants(trimmed, zoned=zoned, unit=unit), target)


def _only(strings: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(strings, pattern), strings, pa.scalar(None, TEXT))


def _integers(strings: pa.Array) -> pa.Array:
    """Read whole numbers, also where they are written as 39.0 or have more digits than fit surely."""
    short = pc.utf8_ltrim(_only(strings, _WHOLE), "+").cast(pa.int64())
    rest = pc.if_else(short.is_valid(), pa.scalar(None, TEXT), _only(strings, _REAL))
    if rest.null_count == len(rest):
        return short
    digits = _only(rest, r"^[+-]?[0-9]+$")
    floats = pc.if_else(digits.is_valid(), pa.scalar(None, TEXT), rest).cast(pa.float64())
    return pc.coalesce(short, _exactly(digits, pa.int64(), int), cast_values(floats, pa.int64()))


def _exactly(strings: pa.Array, target: pa.DataType, read: Callable[[str], Any]) -> pa.Array:
    """Read numbers that need all their digits; slow only for what Arrow refuses, and then once per distinct value."""
    try:
        return pc.utf8_ltrim(strings, "+").cast(target)
    except pa.ArrowInvalid:
        coded = strings.dictionary_encode()
    values = []
    for said in coded.dictionary.to_pylist():
        try:
            value = pa.scalar(read(said), target)
        except (pa.ArrowInvalid, InvalidOperation, ValueError, OverflowError):
            value = pa.scalar(None, target)
        values.append(value.as_py())
    return pa.array(values, target).take(coded.indices)


def cast_values(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast between types that are no text; null where a value does not fit: a fraction, too large, another sort."""
    source = column.type
    if source == target:
        return column
    if pa.types.is_null(source):
        return pa.nulls(len(column), target)
    if _numeric(source) and _numeric(target):
        return _number(column, target)
    if pa.types.is_temporal(source) and pa.types.is_temporal(target):
        return _moment(column, target)
    if is_binary(source) and is_binary(target):
        return narrowed(column, target)
    return pa.nulls(len(column), target)


def _numeric(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def _number(column: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_floating(target):
        return column.cast(target, safe=False)
    if pa.types.is_decimal(target) and pa.types.is_decimal(column.type):
        return _exactly(column.cast(TEXT), target, Decimal)
    size = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0))
    if pa.types.is_boolean(target):
        return _where((size == 0) | (size == 1), column).cast(pa.float64(), safe=False).cast(pa.bool_())
    if pa.types.is_decimal(target):
        limit = 10.0 ** (target.precision - max(target.scale, 0))
        kept = _where(np.abs(size) < limit, column)
        whole = pa.types.is_integer(column.type)
        return _exactly(kept.cast(TEXT), target, Decimal) if whole else kept.cast(target, safe=False)
    if pa.types.is_integer(column.type):
        return _whole(column, target)
    ends = np.iinfo(target.to_pandas_dtype())
    inside = (size >= float(ends.min)) & (size < float(ends.max) + 1)
    return _where(inside & (size == np.rint(size)), column).cast(target, safe=False)


def _whole(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast integers; null beyond the ends of the target."""
    low, high = pc.min_max(column).as_py().values()
    ends = np.iinfo(target.to_pandas_dtype())
    if low is None or (low >= ends.min and high <= ends.max):
        return column.cast(target)
    given = np.iinfo(column.type.to_pandas_dtype())
    inside = pc.and_(pc.greater_equal(column, pa.scalar(max(int(ends.min), int(given.min)), column.type)),
                     pc.less_equal(column, pa.scalar(min(int(ends.max), int(given.max)), column.type)))  # fmt: skip
    return pc.if_else(inside, column, pa.scalar(None, column.type)).cast(target)


def _where(keep: np.ndarray, column: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(keep), column, pa.scalar(None, column.type))


def _moment(column: pa.Array, target: pa.DataType) -> pa.Array:
    source = column.type
    sorts = (pa.types.is_time, pa.types.is_duration)
    if any(sort(source) != sort(target) for sort in sorts):
        return pa.nulls(len(column), target)
    if any(sort(source) for sort in sorts):
        return _rescaled(column, source.unit, target.unit).cast(_count(target)).cast(target)
    if pa.types.is_date(source):
        if pa.types.is_date(target):
            return column.cast(target)
        days = column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        return _zoned(_rescaled(pc.multiply(days, _DAY), "s", target.unit).cast(pa.timestamp(target.unit)), target)
    if pa.types.is_date(target):
        local = pc.local_timestamp(column) if source.tz else column
        midnight = pc.equal(pc.floor_temporal(local, unit="day"), local)
        return pc.if_else(midnight, local.cast(pa.date32(), safe=False), pa.scalar(None, pa.date32())).cast(target)
    if bool(source.tz) == bool(target.tz):
        return _rescaled(column, source.unit, target.unit).cast(target)
    plain = pc.local_timestamp(column) if source.tz else column
    return _zoned(_rescaled(plain, source.unit, target.unit).cast(pa.timestamp(target.unit)), target)


def _zoned(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Return local times as instants of the target's zone; times that clocks skip or repeat are the earlier ones."""
    if not target.tz:
        return column
    return pc.assume_timezone(column, target.tz, ambiguous="earliest", nonexistent="earliest").cast(target)


def _count(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_time32(kind) else pa.int64()


def _rescaled(column: pa.Array, source: str, target: str) -> pa.Array:
    """Return counts of one unit of time as int64 counts of another: rounded down, null where they would overflow."""
    if pa.types.is_time32(column.type):
        column = column.cast(pa.int32())
    number = column.cast(pa.int64())
    up, down = _PER_SECOND[target] // _PER_SECOND[source], _PER_SECOND[source] // _PER_SECOND[target]
    if up > 1:
        limit = (2**63 - 1) // up
        inside = pc.and_(pc.less_equal(number, limit), pc.greater_equal(number, -limit))
        return pc.multiply(pc.if_else(inside, number, pa.scalar(None, pa.int64())), up)
    if down > 1:
        counts = pc.fill_null(number, 0).to_numpy(zero_copy_only=False) // down
        return pc.if_else(number.is_valid(), pa.array(counts), pa.scalar(None, pa.int64()))
    return number


def narrowed(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast values made inside to the type outside: what is beyond its ends becomes its ends."""
    source = column.type
    if source == target:
        return column
    if pa.types.is_null(target) or pa.types.is_null(source):
        return pa.nulls(len(column), target)
    if isinstance(target, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(target, narrowed(column, target.storage_type))
    if is_text(source) and not is_text(target) and not is_binary(target):
        return from_text(column, target)
    if pa.types.is_fixed_size_binary(target):
        return _sized(column.cast(pa.large_binary()), target)
    if is_text(target) or is_binary(target):
        return (as_text(column) if is_text(target) and not is_text(source) else column).cast(target)
    if pa.types.is_integer(target) and _numeric(source):
        return _clipped(column, target)
    if pa.types.is_floating(target) and target != pa.float64():
        most = float(np.finfo(target.to_pandas_dtype()).max)
        wide = column.cast(pa.float64(), safe=False)
        bounded = pc.max_element_wise(pc.min_element_wise(wide, most, skip_nulls=False), -most, skip_nulls=False)
        return pc.if_else(pc.is_finite(wide), bounded, wide).cast(target, safe=False)
    if pa.types.is_timestamp(source) and pa.types.is_date(target):
        return _moment(pc.floor_temporal(column, unit="day"), target)
    return cast_values(column, target)


def _clipped(column: pa.Array, target: pa.DataType) -> pa.Array:
    ends = np.iinfo(target.to_pandas_dtype())
    if pa.types.is_boolean(column.type):
        return column.cast(target)
    if pa.types.is_integer(column.type):
        given = np.iinfo(column.type.to_pandas_dtype())
        low, high = max(int(ends.min), int(given.min)), min(int(ends.max), int(given.max))
        bounded = pc.min_element_wise(pc.max_element_wise(column, pa.scalar(low, column.type), skip_nulls=False),
                                      pa.scalar(high, column.type), skip_nulls=False)  # fmt: skip
        return bounded.cast(target)
    size = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0))
    most = float(ends.max) if ends.bits < 64 else np.nextafter(float(ends.max), 0)  # 2**63 - 1 is no float
    whole = np.rint(np.clip(np.nan_to_num(size), float(ends.min), most))
    return pa.array(whole.astype(target.to_pandas_dtype()), mask=column.is_null().to_numpy(zero_copy_only=False))


def _sized(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Cut bytes, or fill them up with zeros, to a fixed length."""
    width = target.byte_width
    padded = pc.binary_join_element_wise(
        column, pa.scalar(bytes(width), pa.large_binary()), pa.scalar(b"", pa.large_binary())
    )
    return pc.binary_slice(padded, 0, width).cast(target)
