"""What a compiled formula gives: in its own type, as floats, as booleans, or as a column of a field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import from_numbers, midnights
from synthwright.kit.constraints.compiled import a_day, ahead_of
from synthwright.kit.formula.formula_compiled import NAMED, Compiler, called
from synthwright.kit.formula.formula_days import clock, lasting, spelled
from synthwright.kit.formula.formula_functions import as_text
from synthwright.kit.formula.formula_values import LONG, Type, Value, each, misfit, rounded, text
from synthwright.kit.ruled import Column

if TYPE_CHECKING:
    import polars as pl

_FITTING: dict[Kind, tuple[Type, ...]] = {
    Kind.INTEGER: ("number", "boolean", "duration"),
    Kind.NUMBER: ("number", "boolean", "duration"),
    Kind.BOOLEAN: ("boolean",),
    Kind.DATE: ("date", "datetime"),
    Kind.DATETIME: ("datetime", "date"),
    Kind.TIME: ("time",),
    Kind.DURATION: ("duration", "number"),
    Kind.BYTES: ("bytes", "text"),
}
_TEXTS: tuple[Type, ...] = ("text", "number", "boolean", "date", "datetime", "time")
_RIGHT: dict[Kind, str] = {
    Kind.BOOLEAN: "a condition, like `age >= 18`",
    Kind.DATE: "a date, like `opened + 30` or `date(2024, 12, 31)`",
    Kind.DATETIME: "an instant, like `opened_at + hours(2)` or `day + minutes(90)`",
    Kind.TIME: 'a time of day, like `if(early, "08:00", opens)`',
    Kind.DURATION: "a length of time, like `minutes(90)`, or a number of days",
    Kind.BYTES: "text",
}


def native(compiler: Compiler, made: Value) -> pa.Array:
    """Return what a formula gives in the type that it has by itself."""
    if made.type == "number":
        if made.exact and made.decimal:
            return _decimals(compiler, made)
        if made.exact and not made.scale:
            held = compiler.result(made)
            small = made.most <= LONG or max(abs(int(held.min() or 0)), abs(int(held.max() or 0))) <= LONG  # type: ignore[arg-type]
            return _arrow(held.cast(_long())) if small else _decimals(compiler, made)
        numbers = floats(compiler, made)
        return pa.array(numbers, from_pandas=True)
    if made.type == "nothing":
        return pa.nulls(compiler.source.rows)
    if made.type == "months":
        misfit("it gives months", "`months(3)` beside a date")
    held = _arrow(compiler.result(made))
    if made.type == "duration":
        return held.cast(pa.duration(made.unit))
    return held.cast(pa.time64("us")) if made.type == "time" else held


def _long() -> type[pl.Int64]:
    import polars as pl

    return pl.Int64


def _arrow(held: pl.Series) -> pa.Array:
    values = held.rechunk().to_arrow()
    return values.cast(pa.large_string()) if pa.types.is_string_view(values.type) else values


def _decimals(compiler: Compiler, made: Value) -> pa.Array:
    """Return exact numbers as decimals."""
    import polars as pl

    units = compiler.result(replace(made, expr=made.units(made.scale or 0, wide=True).cast(pl.Decimal(38, 0))))
    held = units.rechunk().to_arrow().cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(38, made.scale or 0), len(held), held.buffers(), held.null_count,
                                 held.offset)  # fmt: skip


def floats(compiler: Compiler, made: Value) -> np.ndarray:
    """Return numbers as float64, NaN where there is none or it is too large."""
    import polars as pl

    match made.type:
        case "nothing":
            return np.full(compiler.source.rows, np.nan)
        case "date":
            expr = made.expr.to_physical().cast(pl.Float64)
        case "datetime":
            expr = made.expr.to_physical().cast(pl.Float64) / each(a_day(made.unit))
        case "boolean":
            expr = made.expr.cast(pl.Float64)
        case _:
            expr = made.floats()
    out = compiler.result(replace(made, expr=expr)).to_numpy()
    infinite = np.isinf(out)
    return np.where(infinite, np.nan, out) if infinite.any() else np.asarray(out, dtype=np.float64)


def booleans(compiler: Compiler, made: Value) -> np.ndarray:
    """Return where a condition is true."""
    if made.type == "nothing":
        return np.zeros(compiler.source.rows, dtype=bool)
    return compiler.result(made).fill_null(value=False).to_numpy()


def for_field(compiler: Compiler, made: Value, field: Field, *, strict: bool = False) -> Column:
    """Return what a formula gives as `kit.ruled.as_field` can make a column of a field from it.

    Args:
        compiler: of the formula.
        made: what it gives.
        field: the column.
        strict: whether a value of another type is a MisfitError; else numbers are counted as `core.values` does.
    """
    target = canonical(field)
    if made.type == "nothing":
        return pa.nulls(compiler.source.rows, target)
    if isinstance(made.said, str) and pa.types.is_temporal(target):
        made = spelled(made, _beside(target))
    whole = pa.types.is_integer(target) and field.kind in (Kind.KEY, Kind.REFERENCE)
    fitting = ("number",) if whole else _FITTING.get(field.kind, _TEXTS)
    if strict and made.type not in fitting:
        right = "a whole number" if whole else _RIGHT.get(field.kind, "a number" if made.type == "text" else "text")
        misfit(f"{called(made)} is {NAMED[made.type]}, and the column is of kind {field.kind.value}", right)
    if pa.types.is_large_string(target) or (pa.types.is_large_binary(target) and made.type != "bytes"):
        return native(compiler, text(as_text(compiler, made)))
    if made.type in ("number", "boolean", "duration") and not pa.types.is_temporal(target):
        out = _numbers(compiler, compiler.number(made, "") if target != pa.bool_() else made, target)
        as_whole = Field(kind=Kind.INTEGER, type=field.type)  # keys are no numbers to as_field
        return from_numbers(out, None, as_whole) if whole and isinstance(out, np.ndarray) else out
    return _temporal(compiler, made, target)


def _beside(target: pa.DataType) -> Value:
    """Return what an instant of a column's type looks like."""
    import polars as pl

    kinds: dict[str, Type] = {"date32[day]": "date", "time64[us]": "time", "time64[ns]": "time"}
    kind = kinds.get(str(target), "datetime")
    if not pa.types.is_timestamp(target):
        return Value(pl.lit(None), kind if not pa.types.is_duration(target) else "duration")
    ahead = ahead_of(target.tz)
    zone = target.tz if ahead is None else "UTC"
    return Value(pl.lit(None), "datetime", unit=target.unit, zone=zone, ahead=ahead or 0)


def _numbers(compiler: Compiler, made: Value, target: pa.DataType) -> Column:
    """Return numbers for a column of numbers: exact ones exactly, halves away from zero."""
    if target == pa.bool_():
        return native(compiler, made if made.type == "boolean" else Value(made.expr != 0, "boolean"))
    if made.exact and (pa.types.is_decimal(target) or pa.types.is_integer(target)):
        scale = target.scale if pa.types.is_decimal(target) else 0
        near = rounded(compiler.once(made), scale)
        if pa.types.is_integer(target) and near.most <= LONG:
            return native(compiler, replace(near, decimal=False))
        try:
            return native(compiler, replace(near, decimal=True)).cast(target)
        except pa.ArrowInvalid:
            pass  # some are too large: the nearest that fits is as_field's business
    return floats(compiler, made)


def _temporal(compiler: Compiler, made: Value, target: pa.DataType) -> Column:
    """Return dates, instants, times of day and lengths of time for a column of these."""
    if pa.types.is_duration(target) and made.type == "number":
        return native(compiler, lasting(made, target.unit))
    if made.type in ("number", "boolean"):
        return floats(compiler, made)
    if pa.types.is_date(target) and made.type == "datetime":
        return native(compiler, Value(clock(made).dt.date(), "date"))
    if pa.types.is_timestamp(target) and made.type == "date":
        like = _beside(target)
        if like.ahead:
            from synthwright.kit.formula.formula_days import midnight

            return native(compiler, replace(like, expr=midnight(made.expr, like.unit, like)))
        return midnights(native(compiler, made), target)
    return native(compiler, made)
