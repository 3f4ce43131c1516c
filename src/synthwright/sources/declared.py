"""Values of SQLite as columns: the declared type decides where every value keeps to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC|DEC|NUMBER|DECIMAL_TEXT)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_WORDS: tuple[tuple[str, str], ...] = (
    ("BOOL", "bool"),
    ("DATETIME", "datetime"),
    ("TIMESTAMP", "datetime"),
    ("DATE", "date"),
    ("TIME", "time"),
)


def column_of(values: Sequence[Any], declared: str) -> pa.Array:
    """Return the values of a column in the type that its declaration means, or else in the one they have."""
    said = declared.upper()
    known = [v for v in values if v is not None]
    if (found := _DECIMAL.search(said)) and (
        fitting := _decimals(values, int(found[1]), int(found[2] or 0))
    ) is not None:
        return fitting
    word = next((means for part, means in _WORDS if part in said), None)
    if word is not None and (fitting := _AS[word](values, known)) is not None:
        return fitting
    kinds = {type(v) for v in known}
    if not kinds:
        return pa.nulls(len(values), _empty(said, word))
    if kinds == {int}:
        floats = any(part in said for part in ("REAL", "FLOA", "DOUB"))
        return pa.array(values, pa.float64() if floats else pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {bytes}:
        return pa.array(values, pa.large_binary())
    if kinds == {str}:
        return pa.array(values, pa.large_string())
    return pa.array([_spelled(v) for v in values], pa.large_string())


def _empty(said: str, word: str | None) -> pa.DataType:
    """Return the type of a column without a value."""
    if word is not None:
        return {"bool": pa.bool_(), "date": pa.date32(), "datetime": pa.timestamp("us"), "time": pa.time64("us")}[word]
    if "INT" in said:
        return pa.int64()
    if any(part in said for part in ("CHAR", "CLOB", "TEXT")):
        return pa.large_string()
    return pa.float64() if any(part in said for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")) else pa.null()


def _spelled(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _decimals(values: Sequence[Any], precision: int, scale: int) -> pa.Array | None:
    if not 0 < precision <= 76 or scale > precision or any(isinstance(v, bytes) for v in values):
        return None
    make = pa.decimal128 if precision <= 38 else pa.decimal256
    try:
        exact = [None if v is None else Decimal(str(v)) for v in values]
        return pa.array(exact, make(precision, scale))
    except (ArithmeticError, ValueError, pa.ArrowException):  # more digits than are declared
        return None


def _booleans(values: Sequence[Any], known: Sequence[Any]) -> pa.Array | None:
    if not known or any(type(v) is not int or v not in (0, 1) for v in known):
        return None
    return pa.array([None if v is None else v == 1 for v in values], pa.bool_())


def _dates(values: Sequence[Any], known: Sequence[Any]) -> pa.Array | None:
    return _parsed(values, known, r"\d{4}-\d\d-\d\d", pa.date32())


def _times(values: Sequence[Any], known: Sequence[Any]) -> pa.Array | None:
    return _parsed(values, known, r"\d\d:\d\d:\d\d(\.\d{1,6})?", pa.time64("us"))


def _instants(values: Sequence[Any], known: Sequence[Any]) -> pa.Array | None:
    plain = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,N})?)?)?"
    for digits, unit in (("6", "us"), ("9", "ns")):
        for zone, kind in (("", pa.timestamp(unit)), (r"(Z|[+-]\d\d:?\d\d)", pa.timestamp(unit, "UTC"))):
            found = _parsed(values, known, plain.replace("N", digits) + zone, kind)
            if found is not None:
                return found
    return None


def _parsed(values: Sequence[Any], known: Sequence[Any], form: str, kind: pa.DataType) -> pa.Array | None:
    if not known or any(not isinstance(v, str) for v in known):
        return None
    text = pa.array(values, pa.string())
    if not pc.all(pc.match_substring_regex(text, f"^{form}$")).as_py():
        return None
    try:
        if pa.types.is_time(kind):
            return pa.array([None if v is None else dt.time.fromisoformat(v) for v in values], kind)
        return text.cast(kind)
    except (pa.ArrowException, ValueError):  # the 30th of February
        return None


_AS: dict[str, Callable[[Sequence[Any], Sequence[Any]], pa.Array | None]] = {
    "bool": _booleans,
    "date": _dates,
    "datetime": _instants,
    "time": _times,
}
