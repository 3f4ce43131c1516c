"""The nodes of a rule as polars expressions, with what is known about their numbers: see `expressions`."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from synthwright.core.rule_nodes import (
    Among,
    Apply,
    Call,
    Compare,
    Every,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Product,
    Sum,
    parts_of,
)
from synthwright.core.rule_types import instant, type_of_field
from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.kit.constraints.compiled_values import Value, months_later, of_clock, whole_of

if TYPE_CHECKING:
    import polars as pl

TOLERANCE = 1e-9
"""The relative error that equality of computed floats allows."""
DIGITS = 37
"""Decimal digits that a 128-bit number surely holds; computations that need more are made with floats."""
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Compiler:
    """Compiles the nodes of rules about one table.

    Args:
        spec: the table.
        held: the polars types of the columns, under their names in the frame.
        names: the frame's name of every column.
    """

    def __init__(self, spec: Table, held: pl.Schema, names: dict[str, str]) -> None:
        self.spec = spec
        self.held = held
        self.names = names

    def value(self, node: Node) -> Value:
        """Return a compiled node."""
        match node:
            case Name():
                return self._name(node.name)
            case Literal():
                return _literal(node.value)
            case Call():
                return self._call(node)
            case Apply():
                return self._extreme(node)
            case Sum():
                return self._sum(node)
            case Product():
                return self._product(node)
        return Value(self._condition(node), "boolean")

    def _condition(self, node: Node) -> pl.Expr:
        match node:
            case Compare():
                return self._compare(node.sign, self.value(node.left), self.value(node.right))
            case Among():
                among = self.value(node.argument)
                found = [self._compare("==", among, _literal(v.value)) for v in node.values]
                return functools.reduce(operator.or_, found)
            case Missing():
                return self.value(node.argument).expr.is_null()
            case Not():
                return ~self.value(node.argument).expr
        parts = [self.value(part).expr for part in parts_of(node)]
        return functools.reduce(operator.and_ if isinstance(node, Every) else operator.or_, parts)

    def _name(self, name: str) -> Value:
        import polars as pl

        expr, dtype = pl.col(self.names[name]), self.held[self.names[name]]
        field = self.spec.fields[name]
        kind = type_of_field(field)
        if kind == "datetime":
            return Value(expr, kind, column=True, ahead=ahead_of(canonical(field).tz) or 0)
        if kind == "time":
            return Value(expr, kind, column=True, step=ticks_of_time(field))
        if kind != "number":
            return Value(expr, kind, column=True)
        if isinstance(dtype, pl.Duration):
            return Value(expr.to_physical().cast(pl.Float64) / a_day(dtype.time_unit), kind, column=True)
        if isinstance(dtype, pl.Decimal):
            return Value(expr.to_physical().cast(pl.Int128), kind, dtype.scale, dtype.precision or 38, column=True,
                         step=10.0**-dtype.scale)  # fmt: skip
        if dtype.is_integer():
            return Value(expr.cast(pl.Int128), kind, 0, 20, column=True, step=1.0)
        step = field.step if field.kind is Kind.NUMBER else None
        return Value(expr.cast(pl.Float64).fill_nan(None), kind, column=True, step=step)

    def _call(self, node: Call) -> Value:
        import polars as pl

        inner = self.value(node.argument)
        match node.function:
            case "abs":
                return inner._replace(expr=inner.expr.abs(), column=False)
            case "floor" | "ceil":
                count = whole_of(inner.floats(), node.function)
            case "sqrt" | "exp" | "log" | "log10":
                number = inner.floats()
                made = number.log(10.0) if node.function == "log10" else getattr(number, node.function)()
                return Value(pl.when(made.is_finite()).then(made), "number")
            case "months":
                return Value(inner.floats().round().cast(pl.Int64, strict=False), "months")
            case "length":
                text = inner.type == "text"
                count = inner.expr.str.len_chars() if text else inner.expr.bin.size()
            case _:
                clock = inner.expr + pl.duration(minutes=inner.ahead) if inner.ahead else inner.expr
                found = of_clock(clock, node.function)
                if found is not None:
                    return found
                count = getattr(clock.dt, node.function)()
        return Value(count.cast(pl.Int128), "number", 0, 20)

    def _extreme(self, node: Apply) -> Value:
        """Return the greatest or the least of several numbers, of those that are there."""
        import polars as pl

        values = [_number(self.value(argument)) for argument in node.arguments]
        pick = pl.max_horizontal if node.function == "max" else pl.min_horizontal
        step = functools.reduce(_finest, [v.step for v in values if not v.fixed] or [None])
        scale = max((v.scale for v in values if v.scale is not None), default=0)
        digits = max(v.digits + scale - (v.scale or 0) for v in values)
        if all(v.scale is not None for v in values) and digits <= DIGITS:
            return Value(pick(*(v.scaled(scale) for v in values)), "number", scale, digits, step=step)
        return Value(pick(*(v.floats() for v in values)), "number", step=step)

    def _product(self, node: Product) -> Value:
        import polars as pl

        out = _number(self.value(node.factors[0][1]))
        for sign, factor in node.factors[1:]:
            by = _number(self.value(factor))
            step = _finer(out, by)
            if sign == "*" and out.scale is not None and by.scale is not None and out.digits + by.digits <= DIGITS:
                out = Value(out.expr * by.expr, "number", out.scale + by.scale, out.digits + by.digits, step=step)
            elif sign == "*":
                size = out.magnitude() * by.magnitude()
                out = Value((out.floats() * by.floats()).fill_nan(None), "number", size=size, step=step)
            else:
                under = pl.when(by.floats() != 0).then(by.floats())
                size = out.magnitude() / under.abs()
                out = Value((out.floats() / under).fill_nan(None), "number", size=size, step=step)
        return out

    def _sum(self, node: Sum) -> Value:
        terms = [(sign, self.value(term)) for sign, term in node.terms]
        days = [(sign, v) for sign, v in terms if v.type in ("date", "datetime", "time")]
        numbers = [(sign, _number(v)) for sign, v in terms if v.type not in ("date", "datetime", "time", "months")]
        days = months_later(days, [(sign, v) for sign, v in terms if v.type == "months"])
        if not days:
            return _added(numbers)
        total = sum(sign for sign, _ in days)
        return self._difference(days, numbers) if total == 0 else self._moved(days, numbers)

    def _difference(self, days: list[tuple[int, Value]], numbers: list[tuple[int, Value]]) -> Value:
        import polars as pl

        unit, _ = self._clock(days)
        count = functools.reduce(operator.add, (sign * self._ticks(v, unit) for sign, v in days))
        if unit is None:
            return _added([(1, Value(count.cast(pl.Int128), "number", 0, 11, step=1.0)), *numbers])
        return _added([(1, Value(count.cast(pl.Float64) / a_day(unit), "number")), *numbers])

    def _moved(self, days: list[tuple[int, Value]], numbers: list[tuple[int, Value]]) -> Value:
        import polars as pl

        unit, zone = self._clock(days)
        ticks = functools.reduce(operator.add, (sign * self._ticks(v, unit) for sign, v in days))
        by = _added(numbers).floats() if numbers else pl.lit(0.0)
        ticks = ticks + (by * (1 if unit is None else a_day(unit))).round().cast(pl.Int64, strict=False)
        if unit is None:
            return Value(ticks.cast(pl.Int32, strict=False).cast(pl.Date), "date")
        return Value(ticks.cast(pl.Datetime(unit, zone)), "datetime", ahead=max((v.ahead for _, v in days), key=abs))

    def _clock(self, days: list[tuple[int, Value]]) -> tuple[Any, str | None]:
        """Return the finest unit (nothing: days) and the time zone among dates and instants."""
        import polars as pl

        units, zones = set(), set()
        for _, value in days:
            dtype = self._dtype(value)
            if isinstance(dtype, pl.Datetime | pl.Time):
                units.add(getattr(dtype, "time_unit", "ns"))
                zones.add(getattr(dtype, "time_zone", None))
        unit = next((u for u in ("ns", "us", "ms") if u in units), None)
        return unit, next((z for z in sorted(z or "" for z in zones) if z), None)

    def _dtype(self, value: Value) -> pl.DataType:
        import polars as pl

        return pl.DataFrame(schema=self.held).select(value.expr.alias("out")).schema["out"]

    def _ticks(self, value: Value, unit: Any) -> pl.Expr:
        import polars as pl

        if unit is None or value.type == "time":
            return value.expr.to_physical().cast(pl.Int64)
        return value.expr.cast(pl.Datetime(unit)).to_physical() if value.type == "date" else \
            value.expr.dt.cast_time_unit(unit).to_physical()  # fmt: skip

    def _compare(self, sign: str, left: Value, right: Value) -> pl.Expr:
        left, right = self._spelled(left, right), self._spelled(right, left)
        if {left.type, right.type} == {"date", "datetime"}:
            left, right = self._instants(left, right)
        elif left.type == right.type == "datetime":
            left, right = self._together(left, right)
        elif left.type == right.type == "time" and sign in ("==", "!=") and left.column != right.column:
            step = left.step or right.step or 1.0
            left, right = (v._replace(expr=at_most(v.expr, step)) for v in (left, right))
        if left.type != right.type or left.type == "number":
            return _compared(sign, _number(left), _number(right))
        return _COMPARE[sign](left.expr, right.expr)

    def _spelled(self, value: Value, beside: Value) -> Value:
        """Return a text written in the rule as the date, instant or time of day it stands for beside such a column."""
        import polars as pl

        if not (value.fixed and value.type == "text" and beside.type in ("date", "datetime", "time")):
            return value
        text = pl.select(value.expr).item()
        said = instant(text, beside.type)
        dtype = self._dtype(beside)
        if isinstance(dtype, pl.Datetime) and isinstance(said, datetime):
            zone = dtype.time_zone
            if zone is not None:
                local = timezone(timedelta(minutes=beside.ahead)) if beside.ahead else ZoneInfo(zone)
                said = (said.replace(tzinfo=local) if said.tzinfo is None else said).astimezone(ZoneInfo(zone))
            elif said.tzinfo is not None:
                said = said.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
        return Value(pl.lit(said, dtype=dtype), beside.type)

    def _instants(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Return a date and an instant as two instants: a date is its midnight, in the other's time zone."""
        import polars as pl

        beside = left if left.type == "datetime" else right
        dtype = self._dtype(beside)
        assert isinstance(dtype, pl.Datetime)  # noqa: S101  that is what the type says
        out = []
        for value in (left, right):
            if value.type == "date":
                midnight = value.expr.cast(pl.Datetime(dtype.time_unit))
                if dtype.time_zone is not None:
                    midnight = midnight.dt.replace_time_zone(dtype.time_zone, ambiguous="earliest", non_existent="null")
                midnight = midnight - pl.duration(minutes=beside.ahead) if beside.ahead else midnight
                out.append(Value(midnight, "datetime"))
            else:
                out.append(value)
        return out[0], out[1]

    def _together(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Return two instants in one time zone; what has none is taken to be UTC."""
        zones = [getattr(self._dtype(v), "time_zone", None) for v in (left, right)]
        if zones[0] == zones[1]:
            return left, right
        one, other = (
            v._replace(expr=v.expr.dt.replace_time_zone("UTC") if zone is None else v.expr.dt.convert_time_zone("UTC"))
            for v, zone in zip((left, right), zones, strict=True)
        )
        return one, other


def ticks_of_time(field: Field) -> float | None:
    """Return the lattice of a column of times of day in nanoseconds; nothing: it keeps to none."""
    return None if not field.step else field.step * {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}[canonical(field).unit]


def at_most(time: pl.Expr, step: float) -> pl.Expr:
    """Return times of day as the last ones on a lattice (of nanoseconds) that are not later: 12:05 for 12:05:59."""
    import polars as pl

    return (time.to_physical() // int(step) * int(step)).cast(pl.Time)


def ahead_of(zone: str | None) -> int | None:
    """Return how many minutes an offset such as `+05:30` is ahead of UTC; nothing: it is the name of a zone."""
    found = _OFFSET.fullmatch(zone or "")
    if found is None:
        return None
    return (-1 if found[1] == "-" else 1) * (int(found[2]) * 60 + int(found[3]))


def _literal(value: Any) -> Value:
    import polars as pl

    if isinstance(value, bool):
        return Value(pl.lit(value), "boolean", fixed=True)
    if isinstance(value, str):
        return Value(pl.lit(value), "text", fixed=True)
    scale = max(0, -int(value.as_tuple().exponent))
    whole = int(value.scaleb(scale))
    if len(str(abs(whole))) > DIGITS:
        return Value(pl.lit(float(value)), "number", fixed=True)
    return Value(pl.lit(whole, dtype=pl.Int128), "number", scale, len(str(abs(whole))), fixed=True)


def _number(value: Value) -> Value:
    import polars as pl

    if value.type != "boolean":
        return value
    return Value(value.expr.cast(pl.Int128), "number", 0, 1)


def _added(terms: list[tuple[int, Value]]) -> Value:
    steps = [v.step for _, v in terms if not v.fixed]
    step = functools.reduce(_finest, steps) if steps else None
    scale = max((v.scale for _, v in terms if v.scale is not None), default=0)
    digits = max((v.digits + scale - (v.scale or 0) for _, v in terms), default=0) + len(str(len(terms)))
    if all(v.scale is not None for _, v in terms) and digits <= DIGITS:
        whole = functools.reduce(operator.add, (v.scaled(scale) * sign for sign, v in terms))
        return Value(whole, "number", scale, digits, step=step)
    total = functools.reduce(operator.add, (v.floats() * sign for sign, v in terms))
    size = functools.reduce(operator.add, (v.magnitude() for _, v in terms))
    return Value(total.fill_nan(None), "number", size=size, step=step)


def _compared(sign: str, left: Value, right: Value) -> pl.Expr:
    plain = (left.column or left.fixed) and (right.column or right.fixed)
    if left.scale is not None and right.scale is not None:
        scale = max(left.scale, right.scale)
        if max(v.digits + scale - (v.scale or 0) for v in (left, right)) <= DIGITS + 1:
            one, other = left.scaled(scale), right.scaled(scale)
            coarse = min((v.scale or 0 for v in (left, right) if v.column), default=scale)
            if plain or sign not in ("==", "!=") or coarse in (0, scale):
                return _COMPARE[sign](one, other)
            same = (one - other).abs() * 2 <= 10 ** (scale - coarse)
            return same if sign == "==" else ~same
    one, other = left.floats(), right.floats()
    return _COMPARE[sign](one, other) if plain else _nearly(sign, left, right)


def _nearly(sign: str, left: Value, right: Value) -> pl.Expr:
    """Compare floats, some of them computed: equality up to rounding, and an order that agrees with it."""
    import polars as pl

    one, other = left.floats(), right.floats()
    size = left.magnitude() + right.magnitude()
    error = (size * TOLERANCE).clip(upper_bound=1e300)
    step = next((v.step for v in (left, right) if v.column and v.step is not None), _finer(left, right))
    if step is not None:
        rounding = (size * 1e-15).clip(upper_bound=1e300) + step * (0.5 + TOLERANCE)
        error = rounding if sign in ("==", "!=") else pl.min_horizontal(error, pl.lit(step * 0.499))
    same = (one == other) | ((one - other).abs() <= error)
    match sign:
        case "==":
            return same
        case "!=":
            return ~same
        case "<=" | ">=":
            return _COMPARE[sign](one, other) | same
        case _:
            return _COMPARE[sign](one, other) & ~same


def _finest(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)


def _finer(left: Value, right: Value) -> float | None:
    if left.fixed or right.fixed:
        return right.step if left.fixed else left.step
    return _finest(left.step, right.step)


def a_day(unit: str) -> float:
    """Return how many units of time a day has."""
    return 86_400.0 * {"ms": 1e3, "us": 1e6, "ns": 1e9}[unit]
