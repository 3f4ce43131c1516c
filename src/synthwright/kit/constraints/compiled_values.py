"""What nodes of rules are compiled to: an expression of polars, and what is known about its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from synthwright.core.rule_types import Type

if TYPE_CHECKING:
    import polars as pl

_NEARLY, _FAR = 1e-9, 2.0**62
_STARTS = {"week_start": "1w", "month_start": "1mo", "quarter_start": "1q"}


class Value(NamedTuple):
    """A compiled node: a polars expression and what is known about its numbers."""

    expr: pl.Expr
    type: Type
    scale: int | None = None
    """The number is the expression's whole number / 10**scale; nothing: a float."""
    digits: int = 0
    """Decimal digits that the whole number may have."""
    size: pl.Expr | None = None
    """How large the numbers were that it was computed from; nothing: as large as it is."""
    column: bool = False
    """Whether it is a bare column."""
    fixed: bool = False
    """Whether it is written in the rule."""
    step: float | None = None
    """The lattice: of the column, or the finest of those it was computed from."""
    ahead: int = 0
    """Minutes that an instant's clock is ahead of UTC, where its column has an offset in place of a zone."""

    def floats(self) -> pl.Expr:
        """Return the number as a float."""
        import polars as pl

        if self.scale is None:
            return self.expr
        return self.expr.cast(pl.Float64) / 10.0**self.scale if self.scale else self.expr.cast(pl.Float64)

    def scaled(self, scale: int) -> pl.Expr:
        """Return an exact number in finer units."""
        import polars as pl

        finer = scale - (self.scale or 0)
        return self.expr * pl.lit(10**finer, dtype=pl.Int128) if finer else self.expr

    def magnitude(self) -> pl.Expr:
        """Return how large the numbers were."""
        return self.floats().abs() if self.size is None else self.size


def of_clock(clock: pl.Expr, function: str) -> Value | None:
    """Return the day or the time of day that a clock shows, or the first day of its week, month or quarter."""
    if function == "time":
        return Value(clock.dt.time(), "time")
    if function in _STARTS:
        return Value(clock.dt.date().dt.truncate(_STARTS[function]), "date")
    return Value(clock.dt.date(), "date") if function == "date" else None


def months_later(days: list[tuple[int, Value]], months: list[tuple[int, Value]]) -> list[tuple[int, Value]]:
    """Return days and instants, the first that is added by so many months later: the same day, or the month's last."""
    import polars as pl

    at = next((i for i, (sign, _) in enumerate(days) if sign == 1), None)
    if at is None or not months:
        return days
    value = days[at][1]
    ahead = pl.duration(minutes=value.ahead)
    expr = value.expr + ahead if value.ahead else value.expr
    for sign, number in months:
        expr = expr.dt.offset_by(pl.concat_str((number.expr * sign).cast(pl.String), pl.lit("mo")))
    expr = expr - ahead if value.ahead else expr
    return [*days[:at], (1, value._replace(expr=expr, column=False)), *days[at + 1 :]]


def whole_of(number: pl.Expr, function: str) -> pl.Expr:
    """Return the whole number below or above; the nearest where only the error of floats is between."""
    import polars as pl

    near, other = number.round(), number.floor() if function == "floor" else number.ceil()
    close = (number - near).abs() <= _NEARLY * pl.max_horizontal(near.abs(), pl.lit(1.0))
    return pl.when(number.is_finite() & (number.abs() < _FAR)).then(pl.when(close).then(near).otherwise(other))
