"""Values of a formula while it is compiled: a polars expression, and what is known about it.

Whole numbers, decimals and the numbers written in a formula are exact: whole units of a power of ten, 64 bits wide, or
128 where they may need it. All other numbers are floats.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NoReturn

from synthwright.kit.constraints.compiled import a_day

if TYPE_CHECKING:
    import polars as pl

Type = Literal[
    "number", "text", "boolean", "date", "datetime", "time", "duration", "months", "bytes", "nothing"
]  # fmt: skip
"""What a value is. Lengths of time count as numbers of days wherever a number is wanted; `months` can only be added to
a date; `nothing` is `null`, which fits everywhere."""
Said = Decimal | str | bool
"""A constant of a formula."""
DAYS = ("date", "datetime")

ROWS = "rows"
"""The column of the frame that is 0.0 in every row."""
LONG = 2**63 - 1
"""The greatest number of units that 64 bits hold."""
MOST = 10**37
"""The greatest number of units that is computed with exactly."""
FINEST = 30
"""Digits behind the point that are computed with exactly."""


class MisfitError(ValueError):
    """Something in a formula that cannot be meant: what is wrong, what would be right, and where."""

    def __init__(self, wrong: str, right: str, at: int | None = None) -> None:
        super().__init__(wrong, right, at)
        self.wrong, self.right, self.at = wrong, right, at


def misfit(wrong: str, right: str, at: int | None = None) -> NoReturn:
    """Raise a MisfitError."""
    raise MisfitError(wrong, right, at)


@dataclass(frozen=True, slots=True)
class Value:
    """A compiled part of a formula."""

    expr: pl.Expr
    """Numbers: floats, or whole units; lengths of time: ticks of `unit`; months: whole numbers."""
    type: Type
    scale: int | None = None
    """The number is the expression's units / 10**scale; nothing: it is a float."""
    most: int = 0
    """The greatest number of units, whatever the sign."""
    decimal: bool = False
    """Whether a decimal column is in it, so that it is given as a decimal."""
    said: Said | None = None
    """What is written in the formula itself, where it is a constant."""
    unit: Literal["us", "ns"] = "us"
    """Of instants and lengths of time."""
    zone: str | None = None
    """The time zone of instants."""
    ahead: int = 0
    """Minutes that an instant's clock is ahead of UTC, where its column has an offset in place of a zone."""
    plain: bool = False
    """Whether it is a bare column of the frame, or a constant: using it twice costs nothing."""
    name: str = ""
    """What messages call it, where it has a name."""

    @property
    def exact(self) -> bool:
        """Whether it is an exact number."""
        return self.scale is not None

    def floats(self) -> pl.Expr:
        """Return a number as a float; lengths of time as days."""
        import polars as pl

        if self.type == "duration":
            return self.expr.cast(pl.Float64) / each(a_day(self.unit))
        if isinstance(self.said, Decimal):
            return pl.lit(float(self.said))
        if self.scale is None:
            return self.expr
        return self.expr.cast(pl.Float64) / each(10.0**self.scale) if self.scale else self.expr.cast(pl.Float64)

    def greatest(self, scale: int) -> int:
        """Return the greatest number of units of 10**-scale."""
        return int(max(self.most, 1) * 10 ** (scale - (self.scale or 0)))

    def units(self, scale: int, *, wide: bool) -> pl.Expr:
        """Return an exact number in units of 10**-scale, in 128 bits or 64."""
        import polars as pl

        kind = pl.Int128 if wide else pl.Int64
        if isinstance(self.said, Decimal):
            return pl.lit(int(self.said.scaleb(scale)), dtype=kind)
        finer = scale - (self.scale or 0)
        expr = self.expr.cast(pl.Int128) if wide and self.most <= LONG else self.expr
        return expr * pl.lit(10**finer, dtype=kind) if finer else expr


def each(number: float) -> pl.Expr:
    """Return a number to divide by: by a bare one, polars multiplies with its reciprocal, and 3 / 10 is not 0.3."""
    import polars as pl

    return pl.col(ROWS) + number


def whole(expr: pl.Expr, most: int = LONG) -> Value:
    """Return whole numbers."""
    import polars as pl

    return Value(expr.cast(pl.Int64), "number", 0, most)


def fraction(expr: pl.Expr) -> Value:
    """Return floats."""
    return Value(expr, "number")


def text(expr: pl.Expr) -> Value:
    """Return texts."""
    return Value(expr, "text")


def constant(said: Said) -> Value:
    """Return what is written in the formula itself."""
    import polars as pl

    if isinstance(said, bool):
        return Value(pl.lit(said), "boolean", said=said, plain=True)
    if isinstance(said, str):
        return Value(pl.lit(said), "text", said=said, plain=True)
    scale = max(0, -int(said.as_tuple().exponent))
    units = int(said.scaleb(scale))
    if abs(units) > MOST or scale > FINEST:
        return Value(pl.lit(float(said)), "number", said=said, plain=True)
    kind = pl.Int64 if abs(units) <= LONG else pl.Int128
    return Value(pl.lit(units, dtype=kind), "number", scale, abs(units), said=said, plain=True)


def nothing() -> Value:
    """Return the missing value."""
    import polars as pl

    return Value(pl.lit(None), "nothing", plain=True)


def together(values: list[Value]) -> tuple[list[pl.Expr], Value]:
    """Return numbers in one form, exact if all of them are, and a value that says which form."""
    import polars as pl

    if all(v.exact for v in values):
        scale = max(v.scale or 0 for v in values)
        most = max(v.greatest(scale) for v in values)
        if most <= MOST:
            form = Value(pl.lit(None), "number", scale, most, decimal=any(v.decimal for v in values))
            return [v.units(scale, wide=most > LONG) for v in values], form
    return [v.floats() for v in values], Value(pl.lit(None), "number")


def added(one: Value, other: Value, sign: int = 1) -> Value:
    """Return the sum of two numbers, or their difference."""
    if one.exact and other.exact:
        scale = max(one.scale or 0, other.scale or 0)
        most = one.greatest(scale) + other.greatest(scale)
        if most <= MOST:
            left, right = (v.units(scale, wide=most > LONG) for v in (one, other))
            expr = left + right if sign > 0 else left - right
            return Value(expr, "number", scale, most, decimal=one.decimal or other.decimal)
    return fraction(one.floats() + other.floats() if sign > 0 else one.floats() - other.floats())


def multiplied(one: Value, other: Value) -> Value:
    """Return the product of two numbers."""
    if one.exact and other.exact:
        scale, most = (one.scale or 0) + (other.scale or 0), max(one.most, 1) * max(other.most, 1)
        if most <= MOST and scale <= FINEST:
            left, right = (v.units(v.scale or 0, wide=most > LONG) for v in (one, other))
            return Value(left * right, "number", scale, most, decimal=one.decimal or other.decimal)
    return fraction(one.floats() * other.floats())


def divided(one: Value, by: Value) -> Value:
    """Return a quotient; nothing where it is divided by 0. The divisor is used twice."""
    import polars as pl

    if isinstance(by.said, Decimal) and not by.said:
        return fraction(pl.lit(None, dtype=pl.Float64))
    scale = max(one.scale or 0, by.scale or 0)
    alike = one.exact and by.exact and max(one.greatest(scale), by.greatest(scale)) <= MOST
    if alike:  # in the same units: rounded once, not thrice
        left, right = (v.units(scale, wide=v.greatest(scale) > LONG).cast(pl.Float64) for v in (one, by))
    else:
        left, right = one.floats(), by.floats()
    if isinstance(by.said, Decimal):
        return fraction(left / each(float(by.said.scaleb(scale) if alike else by.said)))
    return fraction(left / pl.when(by.expr != 0).then(right))


def remainder(one: Value, by: Value) -> Value:
    """Return what a division leaves over, with the divisor's sign; nothing where it is divided by 0."""
    import polars as pl

    if one.exact and by.exact:
        scale = max(one.scale or 0, by.scale or 0)
        most = max(one.greatest(scale), by.greatest(scale))
        if most <= MOST:
            left, right = (v.units(scale, wide=most > LONG) for v in (one, by))
            under = right if isinstance(by.said, Decimal) and by.said else pl.when(right != 0).then(right)
            return Value(left % under, "number", scale, most, decimal=one.decimal or by.decimal)
    return fraction(one.floats() % pl.when(by.expr != 0).then(by.floats()))


def rounded(value: Value, digits: int) -> Value:
    """Return a number with so many digits behind the point, halves away from zero; exact numbers are used twice."""
    import polars as pl

    if value.scale is None:
        if digits >= 0:
            return fraction(value.expr.round(digits, mode="half_away_from_zero"))
        unit = 10.0**-digits
        return fraction((value.expr / each(unit)).round(0, mode="half_away_from_zero") * unit)
    if digits >= value.scale:
        return value
    coarser = value.scale - digits
    if coarser >= FINEST + 7:  # nothing is left of it
        return replace(value, expr=value.expr * 0, scale=0, most=0, decimal=False, said=None, plain=False)
    wide = value.most + 10**coarser > LONG
    kind = pl.Int128 if wide else pl.Int64
    units = value.units(value.scale, wide=wide)
    expr = (units.abs() + pl.lit(10**coarser // 2, dtype=kind)) // pl.lit(10**coarser, dtype=kind) * units.sign()
    made = Value(expr, "number", max(digits, 0), value.most // 10**coarser + 1, decimal=value.decimal and digits > 0)
    if digits >= 0:
        return fits(made)
    return multiplied(fits(made), constant(Decimal(10**-digits)))


def fits(value: Value) -> Value:
    """Return an exact number in 64 bits where its greatest fits these."""
    import polars as pl

    return replace(value, expr=value.expr.cast(pl.Int64)) if value.most <= LONG else value


def folded(values: list[pl.Expr]) -> pl.Expr:
    """Return conditions that must all hold."""
    return functools.reduce(lambda a, b: a & b, values)
