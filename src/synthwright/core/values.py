"""Columns as numpy arrays and back: the one place that knows how ordered kinds become numbers.

Dates count days since 1970, instants and durations their own unit (microseconds or nanoseconds), times of day the
same; decimals become floats; booleans 0 and 1. Nulls and NaN are NaN.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Field, canonical

Column: TypeAlias = pa.ChunkedArray | pa.Array
_EXACT = 2.0**53
_DAY = 86_400 * 10**6
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # of the years 1 and 9999


def numbers(column: Column) -> np.ndarray:
    """Return an ordered or boolean column as float64, NaN where there is no value; a TypeError for other types."""
    kind = column.type
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(kind):
        column = column.cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
              or pa.types.is_boolean(kind)):  # fmt: skip
        raise TypeError(f"a column of type {kind} has no numbers")
    as_float = pc.cast(column, pa.float64(), safe=False)
    return np.asarray(pc.fill_null(as_float, float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64) \
        if isinstance(as_float, pa.Array) else np.asarray(pc.fill_null(as_float, float("nan")).to_numpy())  # fmt: skip


def part_of(column: Column, part: str) -> Column:
    """Return a part of dates or instants, on the clocks of their zone: `year` … `minute`, `week` (of ISO), `weekday`.

    Monday is the first weekday.
    """
    if part == "weekday":
        return pc.day_of_week(column, count_from_zero=False)
    return getattr(pc, {"week": "iso_week"}.get(part, part))(column)


def midnights(days: Column, kind: pa.DataType) -> Column:
    """Return the instants, of a type, at which days begin on the clocks of its zone."""
    begin = days.cast(pa.timestamp(kind.unit))
    if kind.tz is None:
        return begin
    return pc.assume_timezone(begin, kind.tz, ambiguous="earliest", nonexistent="latest")


def nulls(column: Column) -> np.ndarray:
    """Return booleans: true where there is no value (null or NaN)."""
    missing = column.is_null(nan_is_null=True)
    return np.asarray(missing.to_numpy(zero_copy_only=False) if isinstance(missing, pa.Array) else missing.to_numpy())


def from_numbers(values: np.ndarray, missing: np.ndarray | None, field: Field) -> pa.Array:
    """Return numbers as a column of the field's canonical type: on the field's lattice, clipped to the type's ends.

    Days and instants stay within the years 1 to 9999, times within a day.

    Args:
        values: float64 or integers, one per row; NaN means null too.
        missing: booleans, true where the value is null; None: none.
        field: an ordered or boolean field.
    """
    kind = canonical(field)
    absent = np.zeros(len(values), dtype=bool) if missing is None else missing.copy()
    if values.dtype.kind == "f":
        absent |= np.isnan(values)
    values = np.where(absent, np.zeros((), values.dtype), values)
    if pa.types.is_boolean(kind):
        return pa.array(values >= 0.5, mask=absent)
    if field.step is not None:
        values = on_lattice(values, field.step)
    if pa.types.is_floating(kind):
        return pa.array(values.astype(np.float64), mask=absent)
    if pa.types.is_decimal(kind):
        return _decimals(values.astype(np.float64), absent, kind)
    whole = _whole(values, np.uint64 if kind == pa.uint64() else np.int64)
    if pa.types.is_temporal(kind):
        whole = np.clip(whole, *time_ends(kind))
    if pa.types.is_date32(kind):
        whole = whole.astype(np.int32)
    made = pa.array(whole, mask=absent)
    return made if made.type == kind else made.cast(kind)


def on_lattice(values: np.ndarray, step: float) -> np.ndarray:
    """Return numbers moved to the nearest multiple of a step, as the decimal it is: 0.3, not 0.30000000000000004.

    Integers stay integers, and what is too large for a float to have neighbours a step away stays as it is.
    """
    if values.dtype.kind in "iu":
        if step != int(step) or step < 2:
            return values
        size = values.dtype.type(step)
        below = values // size * size
        return np.where(
            values - below > size // 2, below + size, below
        )  # next to the type's end: the multiple below it
    with np.errstate(invalid="ignore", over="ignore"):
        count = np.rint(values / step)
        decimals = max(0, -int(Decimal(repr(step)).normalize().as_tuple().exponent))
        moved = np.round(count * step, decimals)
    return np.where(np.isfinite(values) & (np.abs(count) < _EXACT), moved, values)


def time_ends(kind: pa.DataType) -> tuple[int, int]:
    """Return the least and the greatest count that a type of time can have and everybody can read."""
    if pa.types.is_date32(kind):
        return _FIRST_DAY, _LAST_DAY
    per_day = _DAY * (1000 if kind.unit == "ns" else 1)
    if pa.types.is_time(kind):
        return 0, per_day - 1
    if pa.types.is_timestamp(kind) and kind.unit != "ns":
        return _FIRST_DAY * per_day, (_LAST_DAY + 1) * per_day - 1
    return -(2**63) + 1, 2**63 - 1  # the least is no number of its own in numpy: NaT


def _whole(values: np.ndarray, width: Any) -> np.ndarray:
    """Round to integers of 64 bits; what is beyond their ends becomes the ends."""
    ends = np.iinfo(width)
    if values.dtype.kind in "iu":
        given = np.iinfo(values.dtype)
        return np.clip(values, max(given.min, ends.min), min(given.max, ends.max)).astype(width)
    top = 2.0**64 if width is np.uint64 else 2.0**63
    rounded = np.rint(values)
    out = np.clip(rounded, float(ends.min), np.nextafter(top, 0)).astype(width)
    return np.where(rounded >= top, width(ends.max), out)


def _decimals(values: np.ndarray, absent: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Round to decimals; exact through Python's own where floats have fewer digits than the type."""
    scale = max(kind.scale, 0)
    most = (10.0 ** min(kind.precision, 300) - 1) / 10.0**kind.scale
    bounded = np.clip(values, -most, most)
    if kind.scale >= 0 and (np.abs(bounded) * 10.0**scale < _EXACT).all():
        units = pa.array(np.rint(bounded * 10.0**scale).astype(np.int64), mask=absent)
        return _scaled(units, kind)
    limit = Decimal(10**kind.precision - 1).scaleb(-kind.scale)
    quantum = Decimal(1).scaleb(-kind.scale)
    with localcontext(prec=kind.precision + 2):
        exact = [None if a else min(max(Decimal(float(v)).quantize(quantum), -limit), limit)
                 for v, a in zip(bounded, absent, strict=True)]  # fmt: skip
    return pa.array(exact, type=kind)


def _scaled(units: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return whole units of the last digit as decimals."""
    text = units.cast(pa.large_string())
    if kind.scale == 0:
        return text.cast(kind)
    digits = pc.utf8_lpad(pc.utf8_ltrim(text, "-"), kind.scale + 1, "0")
    empty, point = pa.scalar("", text.type), pa.scalar(".", text.type)
    sign = pc.if_else(pc.less(units, 0), "-", "").cast(text.type)
    whole, rest = pc.utf8_slice_codeunits(digits, 0, -kind.scale), pc.utf8_slice_codeunits(digits, -kind.scale)
    return pc.binary_join_element_wise(sign, whole, point, rest, empty).cast(kind)


def labels(column: Column) -> tuple[np.ndarray, pa.Array]:
    """Return a column as codes and the distinct values they stand for, in order of first appearance; nulls are -1."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    coded = whole.dictionary_encode()
    codes = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return np.asarray(codes, dtype=np.int64), coded.dictionary
