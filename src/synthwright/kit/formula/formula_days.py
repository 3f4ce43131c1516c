"""Dates, instants and lengths of time in formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from synthwright.core.rule_nodes import Apply
from synthwright.core.rule_tokens import shown
from synthwright.core.rule_types import instant
from synthwright.kit.constraints.compiled import a_day
from synthwright.kit.formula.formula_values import (
    DAYS,
    LONG,
    Value,
    added,
    constant,
    each,
    fraction,
    misfit,
    multiplied,
    rounded,
    whole,
)

if TYPE_CHECKING:
    import polars as pl

    from synthwright.kit.formula.formula_compiled import Compiler

FIRST, LAST = -719_162, 2_932_896
"""The days of the years 1 and 9999, counted from 1970: what is outside is null."""
_SPELLED = {"date": "2024-12-31", "datetime": "2024-12-31 23:59:59", "time": "23:59:59"}
_LENGTHS = {"hours": 24, "minutes": 24 * 60, "seconds": 24 * 60 * 60}
_ONE_DATE = "one date and what is added to it, or one date less another"


# ------------------------------------------------------------------------------------------------ forms of instants
def spelled(value: Value, beside: Value, at: int | None = None) -> Value:
    """Return a text written in the formula as the date, instant or time of day it stands for beside such a value."""
    import polars as pl

    if value.type != "text" or not isinstance(value.said, str) or beside.type not in _SPELLED:
        return value
    try:
        said = instant(value.said, beside.type)
    except ValueError:
        misfit(f"{shown(value.said)} is no {beside.type}", f'it like "{_SPELLED[beside.type]}"', at)
    if isinstance(said, datetime):
        said = _there(said, beside)
        return replace(beside, expr=pl.lit(said, dtype=pl.Datetime(beside.unit, beside.zone)), said=None, plain=True)
    return Value(pl.lit(said), beside.type, plain=True)


def _there(said: datetime, beside: Value) -> datetime:
    """Return an instant in the time zone of another; one without a zone is read on the other's clock."""
    if beside.zone is None:
        return said if said.tzinfo is None else said.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    local = timezone(timedelta(minutes=beside.ahead)) if beside.ahead else ZoneInfo(beside.zone)
    return (said.replace(tzinfo=local) if said.tzinfo is None else said).astimezone(ZoneInfo(beside.zone))


def instants(values: Sequence[Value]) -> list[Value]:
    """Return dates and instants as instants of one unit and one time zone; a date is its midnight there."""
    moments = [v for v in values if v.type == "datetime"]
    unit: Literal["us", "ns"] = "ns" if any(v.unit == "ns" for v in moments) else "us"
    first = moments[0] if moments else Value(values[0].expr, "datetime")
    same = all((v.zone, v.ahead) == (first.zone, first.ahead) for v in moments)
    return [_instant(v, unit, first, same=same) for v in values]


def _instant(value: Value, unit: Literal["us", "ns"], first: Value, *, same: bool) -> Value:
    expr = midnight(value.expr, unit, first) if value.type == "date" else value.expr.dt.cast_time_unit(unit)
    zone = first.zone if value.type == "date" else value.zone
    if same:
        return replace(first, expr=expr, unit=unit, said=None, plain=False)
    expr = expr.dt.replace_time_zone("UTC") if zone is None else expr.dt.convert_time_zone("UTC")
    return Value(expr, "datetime", unit=unit, zone="UTC")


def midnight(day: pl.Expr, unit: Literal["us", "ns"], like: Value) -> pl.Expr:
    """Return the instants at which days begin on the clock of an instant."""
    import polars as pl

    return _back(day.cast(pl.Datetime(unit)), like)


def _back(local: pl.Expr, like: Value) -> pl.Expr:
    """Return the instants at which the clock of another instant shows these times."""
    import polars as pl

    if like.zone is None:
        return local
    if like.ahead:
        local -= pl.duration(minutes=like.ahead)
    return local.dt.replace_time_zone(like.zone, ambiguous="earliest", non_existent="null")


def clock(value: Value) -> pl.Expr:
    """Return what the clock of its own time zone shows at an instant; a date as it is."""
    import polars as pl

    expr = value.expr + pl.duration(minutes=value.ahead) if value.ahead else value.expr
    return expr.dt.replace_time_zone(None) if value.zone is not None else expr


def lasting(days: Value, unit: Literal["us", "ns"] = "us") -> Value:
    """Return a number of days as a length of time."""
    import polars as pl

    if days.exact and not days.scale and days.most * a_day(unit) < LONG:
        return Value(days.units(0, wide=False) * pl.lit(int(a_day(unit)), dtype=pl.Int64), "duration", unit=unit)
    ticks = (days.floats() * a_day(unit)).round()
    return Value(ticks.cast(pl.Int64, strict=False), "duration", unit=unit)


# -------------------------------------------------------------------------------------------------------------- sums
def moved(compiler: Compiler, terms: list[tuple[int, Value]]) -> Value:
    """Return a sum in which there are dates, instants or lengths of time."""
    beside = next((v for _, v in terms if v.type in DAYS), None)
    if beside is not None:
        terms = [(sign, spelled(v, beside)) for sign, v in terms]
    days = [(sign, v) for sign, v in terms if v.type in DAYS]
    months = [(sign, v) for sign, v in terms if v.type == "months"]
    lengths = [(sign, _length(v)) for sign, v in terms if v.type in ("duration", "time")]
    others = [(sign, v) for sign, v in terms if v.type not in (*DAYS, "months", "duration", "time")]
    numbers = [(sign, compiler.number(v, f"{'beside' if days else 'after'} a date or length of time"))
               for sign, v in others]  # fmt: skip
    total = sum(sign for sign, _ in days)
    if len(days) > 2 or total not in (0, 1) or (months and total != 1):
        what = "months are added to no date" if months and not days else "these dates cannot be added"
        misfit(what, _ONE_DATE)
    if not days:
        return _long(compiler, lengths, numbers)
    if total == 0:
        return _difference(compiler, days, [*numbers, *((s, fraction(v.floats())) for s, v in lengths)])
    if len(days) == 2:
        misfit("two dates are added", _ONE_DATE)
    base = _in_months(compiler, days[0][1], months) if months else days[0][1]
    return _later(compiler, base, numbers, lengths)


def _length(value: Value) -> Value:
    """Return a time of day as the length of time since midnight."""
    import polars as pl

    if value.type == "duration":
        return value
    return Value(value.expr.cast(pl.Duration("us")).to_physical(), "duration")


def _total(compiler: Compiler, numbers: list[tuple[int, Value]]) -> Value:
    out = constant(Decimal(0))
    for i, (sign, value) in enumerate(numbers, 1):
        out = added(out, value, sign) if i > 1 or sign < 0 else value
        out = compiler.once(out) if i % 32 == 0 else out
    return out


def _ticks(lengths: list[tuple[int, Value]], numbers: Value | None, unit: Literal["us", "ns"]) -> pl.Expr:
    """Return lengths of time and a number of days as ticks."""
    import polars as pl

    out = pl.lit(0, dtype=pl.Int64) if numbers is None else lasting(numbers, unit).expr
    for sign, value in lengths:
        ticks = value.expr * 1000 if unit == "ns" and value.unit == "us" else value.expr
        out = out + ticks if sign > 0 else out - ticks
    return out


def _long(compiler: Compiler, lengths: list[tuple[int, Value]], numbers: list[tuple[int, Value]]) -> Value:
    unit: Literal["us", "ns"] = "ns" if any(v.unit == "ns" for _, v in lengths) else "us"
    return Value(_ticks(lengths, _total(compiler, numbers) if numbers else None, unit), "duration", unit=unit)


def _difference(compiler: Compiler, days: list[tuple[int, Value]], numbers: list[tuple[int, Value]]) -> Value:
    import polars as pl

    (_, later), (_, earlier) = sorted(days, key=lambda d: -d[0])
    if later.type == earlier.type == "date":
        count = later.expr.to_physical().cast(pl.Int64) - earlier.expr.to_physical().cast(pl.Int64)
        between = whole(count, LAST - FIRST)
    else:
        one, other = instants([later, earlier])
        ticks = one.expr.to_physical() - other.expr.to_physical()
        between = fraction(ticks.cast(pl.Float64) / each(a_day(one.unit)))
    return _total(compiler, [(1, between), *numbers])


def _later(
    compiler: Compiler, base: Value, numbers: list[tuple[int, Value]], lengths: list[tuple[int, Value]]
) -> Value:
    """Return a date or an instant so many days and lengths of time later; a date and hours are an instant."""
    import polars as pl

    by = _total(compiler, numbers) if numbers else None
    if base.type == "date" and not lengths:
        if by is None:
            return base
        count = by.units(0, wide=False) if by.exact and not by.scale and by.most < LAST - FIRST else \
            by.floats().round().cast(pl.Int64, strict=False)  # fmt: skip
        day = compiler.hold(base.expr.to_physical().cast(pl.Int64) + count)
        return Value(_within(day, 1).cast(pl.Int32).cast(pl.Date), "date")
    if base.type == "date":
        by = by if by is None else rounded(by, 0)
        base = Value(midnight(base.expr, "us", Value(base.expr, "datetime")), "datetime")
    ticks = compiler.hold(base.expr.to_physical() + _ticks(lengths, by, base.unit))
    inside = _within(ticks, int(a_day(base.unit))) if base.unit == "us" else ticks
    return replace(base, expr=inside.cast(pl.Datetime(base.unit, base.zone)), said=None, plain=False, name="")


def _within(ticks: pl.Expr, a_day: int) -> pl.Expr:
    """Return ticks that are used twice, null outside the years 1 to 9999."""
    import polars as pl

    return pl.when(ticks.is_between(FIRST * a_day, (LAST + 1) * a_day - 1)).then(ticks)


# ------------------------------------------------------------------------------------------------------ the calendar
def _begins(compiler: Compiler, months: pl.Expr) -> pl.Expr:
    """Return the day, counted from 1970, at which each month begins; months are counted from the year 0."""
    import numpy as np
    import polars as pl

    def look_up(held: pl.Series) -> pl.Series:
        since = held.fill_null(0).to_numpy().astype(np.int64) - 1970 * 12
        return pl.Series(held.name, since.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))

    return compiler.hold(months).map_batches(look_up, return_dtype=pl.Int64)


def _in_months(compiler: Compiler, base: Value, months: list[tuple[int, Value]]) -> Value:
    """Return a date or an instant so many months later: the same day, or the last one of a shorter month."""
    import polars as pl

    local = compiler.hold(clock(base))
    by = sum((sign * v.expr for sign, v in months), start=pl.lit(0, dtype=pl.Int64))
    count = local.dt.year().cast(pl.Int64) * 12 + local.dt.month().cast(pl.Int64) - 1 + by
    count = compiler.hold(count)
    month = compiler.hold(pl.when(count.is_between(12, 10_000 * 12 - 1)).then(count))
    begin, end = compiler.hold(_begins(compiler, month)), _begins(compiler, month + 1)
    day = pl.min_horizontal(begin + local.dt.day().cast(pl.Int64), end) - 1
    made = pl.when(month.is_not_null()).then(day).cast(pl.Int32).cast(pl.Date)
    if base.type == "date":
        return Value(made, "date")
    since = local.to_physical() - local.dt.date().cast(pl.Datetime(base.unit)).to_physical()
    shown_there = (made.cast(pl.Datetime(base.unit)).to_physical() + since).cast(pl.Datetime(base.unit))
    return replace(base, expr=_back(shown_there, base), said=None, plain=False, name="")


def _calendar(compiler: Compiler, parts: list[Value], node: Apply) -> Value:
    """Return the date of a year, a month and a day; null where the calendar has none."""
    import polars as pl

    year, month, day = (
        compiler.hold(rounded(compiler.number(v, "in `date()`", node.at), 0).floats().cast(pl.Int64, strict=False))
        for v in parts
    )
    real = year.is_between(1, 9999) & month.is_between(1, 12) & (day >= 1)
    count = compiler.hold(pl.when(real).then(year * 12 + month - 1))
    begin = compiler.hold(_begins(compiler, count))
    last = _begins(compiler, count + 1)
    made = pl.when(count.is_not_null() & (begin + day <= last)).then(begin + day - 1)
    return Value(made.cast(pl.Int32).cast(pl.Date), "date")


# --------------------------------------------------------------------------------------------------------- functions
def _dated(value: Value, node: Apply, *, times: bool = False) -> Value:
    """Return a date or an instant; a text written in the formula is read as one."""
    wanted = (*DAYS, "time") if times else DAYS
    if value.type == "nothing":
        return _empty("datetime")
    if isinstance(value.said, str):
        value = _read(value.said, node)
    if value.type not in wanted:
        misfit(f"`{node.function}()` of what is no date", f"`{node.function}()` of a date or an instant", node.at)
    return value


def _empty(kind: Literal["date", "datetime"]) -> Value:
    import polars as pl

    dtype = pl.Date if kind == "date" else pl.Datetime("us")
    return Value(pl.lit(None, dtype=dtype), kind, plain=True)


def _read(said: str, node: Apply) -> Value:
    import polars as pl

    for kind in ("date", "datetime"):
        try:
            found = instant(said, kind)
        except ValueError:
            continue
        if isinstance(found, datetime) and found.tzinfo is not None:
            found = found.astimezone(ZoneInfo("UTC"))
        zone = "UTC" if isinstance(found, datetime) and found.tzinfo is not None else None
        return Value(pl.lit(found), "date" if kind == "date" else "datetime", zone=zone, plain=True)
    return misfit(f"{shown(said)} is no date", f'it like "{_SPELLED["date"]}"', node.at)


def part_of(_compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the year, month, day, weekday (1: Monday), hour, minute or second that the clock shows."""
    of_clock = node.function in ("hour", "minute", "second")
    value = _dated(args[0], node, times=of_clock)
    if value.type == "date" and of_clock:
        misfit(f"`{node.function}()` of a date", f"`{node.function}()` of an instant", node.at)
    shown_there = value.expr if value.type == "time" else clock(value)
    return whole(getattr(shown_there.dt, node.function)(), 9999)


def to_date(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the date of an instant, of a text, or of year, month and day."""
    import polars as pl

    if len(args) == 3:
        return _calendar(compiler, args, node)
    if len(args) == 2:
        misfit("two values in `date()`", "`date(2024, 12, 31)`, or `date()` of an instant", node.at)
    if args[0].type == "text" and args[0].said is None:
        return Value(args[0].expr.str.to_date("%Y-%m-%d", strict=False), "date")
    value = _dated(args[0], node)
    return value if value.type == "date" else Value(clock(value).dt.date().cast(pl.Date), "date")


def to_datetime(_compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the instant that a text spells, or at which a date begins."""
    if args[0].type == "text" and args[0].said is None:
        plain = args[0].expr.str.replace("T", " ", literal=True)
        return Value(plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"), "datetime")
    value = _dated(args[0], node)
    return value if value.type == "datetime" else instants([value])[0]


def length_of(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return so many days (a number), hours, minutes, seconds or months."""
    import polars as pl

    count = compiler.number(args[0], f"in `{node.function}()`", node.at)
    if node.function == "days":
        return replace(count, said=None, name="")
    if node.function == "months":
        by = rounded(count, 0)
        return Value(by.units(0, wide=False) if by.exact and by.most <= LONG else
                     by.floats().cast(pl.Int64, strict=False), "months")  # fmt: skip
    ticks = int(a_day("us")) // _LENGTHS[node.function]
    exact = multiplied(count, constant(Decimal(ticks)))
    if exact.exact and not exact.scale and exact.most <= LONG:
        return Value(exact.expr, "duration")
    return Value((count.floats() * ticks).round().cast(pl.Int64, strict=False), "duration")


def age(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return how many years are completed between a birth and a day."""
    import polars as pl

    born, at = (compiler.hold(clock(_dated(v, node))) for v in args)
    counts = [d.dt.year().cast(pl.Int64) * 10_000 + d.dt.month().cast(pl.Int64) * 100 + d.dt.day() for d in (born, at)]
    return whole((counts[1] - counts[0]) // 10_000, 9999)
