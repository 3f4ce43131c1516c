"""The grid that an ordered column's values lie on: cents, multiples of 50, whole hours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

_SAMPLE = 2_000
_EVIDENCE = 20.0
"""Bits: a grid is believed where values off it would have been met by chance but once in a million columns."""
_MOST_DECIMALS = 12
_CELLS = 1e9
"""A grid with more cells than this between the smallest and the largest values is no finer than plain numbers."""
_BITS = {"halffloat": 10, "float": 22}
"""Binary digits of floats narrower than 64 bits: beyond them, every value looks round."""
_SMALL, _LEAST, _MOST = 1e-6, 1e-290, 1e308
"""Numbers all of which are smaller have too few decimals to be told by them; between the others steps are found."""
_FAR_DIGITS, _NOISE = 8, 8 * 2.0**-53
"""Digits that very large or small numbers may have, and how far, for their size, computing moves them off."""
_SECOND = 1_000_000
_NICE = (
    *(7 * 86_400 * _SECOND, 86_400 * _SECOND, 43_200 * _SECOND, 21_600 * _SECOND, 3_600 * _SECOND, 1_800 * _SECOND),
    *(900 * _SECOND, 600 * _SECOND, 300 * _SECOND, 60 * _SECOND, 30 * _SECOND, 15 * _SECOND, 10 * _SECOND, 5 * _SECOND),
    *(_SECOND, 500_000, 250_000, 100_000, 10_000, 1_000, 100, 10, 1),
)
"""Steps of time that people use, in microseconds, the longest first."""


def step_of(column: Any, outside: pa.DataType) -> float | None:
    """Return the largest step that every value is a multiple of, in the column's own unit, or None.

    None also stands for the finest grid that the type has: 1 for integers, a day for dates, a microsecond.

    Args:
        column: a flat column (see `core.door.flat`) of an ordered type.
        outside: its type outside; floats of 32 bits are round where they were in 32 bits.
    """
    column = column.drop_null()
    kind = column.type
    if pa.types.is_integer(kind):
        return _whole_step(column.to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _real_step(np.asarray(column.cast(pa.float64())), outside)
    if pa.types.is_date32(kind):
        return _whole_step(column.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64))
    if pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    return _time_step(column.cast(pa.int64()).to_numpy(zero_copy_only=False), kind.unit)


def _distinct(values: np.ndarray) -> int:
    """Return how many values other than 0 differ, as far as a part of them shows."""
    some = np.unique(values[:: max(1, len(values) // _SAMPLE)])
    return int((some != 0).sum())


def _common(values: np.ndarray) -> int:
    """Return the greatest common divisor."""
    some = int(np.gcd.reduce(values[:: max(1, len(values) // _SAMPLE)]))
    return abs(some) if some in (0, 1) else abs(int(np.gcd.reduce(values)))


def _believed(divisor: float, values: np.ndarray) -> bool:
    return divisor > 1 and _distinct(values) * np.log2(divisor) >= _EVIDENCE and _distinct(values) > 1


def _whole_step(values: np.ndarray) -> float | None:
    if len(values) < 2:
        return None
    divisor = _common(values)
    return float(divisor) if divisor < 2**53 and _believed(divisor, values) else None


def _time_step(values: np.ndarray, unit: str) -> float | None:
    """Return the longest usual step of time that divides all, in the column's unit as it is inside (ns or us)."""
    if len(values) < 2:
        return None
    divisor = _common(values)
    scale = {"s": _SECOND, "ms": 1000, "us": 1, "ns": 1}[unit]
    finest = 1000 if unit == "ns" else 1
    for step in _NICE:
        if divisor and divisor * scale % (step * finest) == 0 and _believed(step * finest / scale, values):
            return float(step * finest)
    return None


def _real_step(values: np.ndarray, outside: pa.DataType) -> float | None:
    values = values[np.isfinite(values)]
    if len(values) < 2 or (values == values[0]).all():
        return None
    limit = 2.0 ** _BITS.get(str(outside), 50)
    some = values[:: max(1, len(values) // _SAMPLE)]
    narrow = outside.to_pandas_dtype() if str(outside) in _BITS else np.float64
    for decimals in range(_MOST_DECIMALS + 1):
        if not _round(some, decimals, limit, narrow):
            continue
        if _round(values, decimals, limit, narrow):
            return _decimal_step(values, decimals, limit)
    top = float(np.abs(values).max())
    return None if _SMALL < top < 2.0**50 or str(outside) in _BITS else _far_step(values, top)


def _far_step(values: np.ndarray, top: float) -> float | None:
    """Return the step of numbers that are too large, or too small, for decimals: multiples of 1e20, of 3e-15."""
    if not _LEAST < top < _MOST:
        return None
    last = int(np.floor(np.log10(top)))
    for exponent in range(last, last - _FAR_DIGITS, -1):
        units = values / 10.0**exponent
        near = np.rint(units)
        if np.all(np.abs(units - near) <= _NOISE * np.abs(units)):
            whole = near.astype(np.int64)
            divisor = _common(whole)
            step = Decimal(divisor if _believed(divisor, whole) else 1).scaleb(exponent)
            return float(step)
    return None


def _round(values: np.ndarray, decimals: int, limit: float, narrow: Any) -> bool:
    """Return whether all values have at most that many decimals, but for a few too large to have any."""
    with np.errstate(over="ignore"):
        small = np.abs(values) * 10.0**decimals < limit
    if (~small).sum() > max(1, 0.01 * len(values)):
        return False
    some = values[small]
    return bool((np.round(some, decimals).astype(narrow) == some.astype(narrow)).all()) and bool((some != 0).any())


def _decimal_step(values: np.ndarray, decimals: int, limit: float) -> float | None:
    with np.errstate(over="ignore"):
        small = values[np.abs(values) * 10.0**decimals < limit]
    units = np.rint(small * 10.0**decimals).astype(np.int64)
    divisor = _common(units)
    coarse = divisor if len(small) == len(values) and _believed(divisor, units) else 1
    step = float(Decimal(coarse).scaleb(-decimals))
    low, high = np.quantile(small[:: max(1, len(small) // _SAMPLE)], (0.05, 0.95))
    return step if high - low < step * _CELLS else None
