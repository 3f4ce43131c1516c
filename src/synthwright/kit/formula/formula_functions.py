"""The functions of formulas on numbers and texts, and those that choose; dates are `kit.formula.formula_days`'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from synthwright.core.rule_nodes import Apply
from synthwright.kit.formula import formula_days as days
from synthwright.kit.formula.formula_compiled import NAMED, STEPS, Compiler, called
from synthwright.kit.formula.formula_values import (
    LONG,
    MOST,
    Value,
    constant,
    fits,
    folded,
    fraction,
    misfit,
    multiplied,
    nothing,
    rounded,
    text,
    whole,
)

if TYPE_CHECKING:
    import polars as pl

DIGITS = 15
"""The most digits that numbers are rounded to, before or behind the point."""
WIDEST = 1_000
"""The most characters that a text is filled up to."""
_LETTERS: dict[str, str] = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t",
    "ə": "a",
    **dict(zip("абвгдезиклмнопрстуфыэіґ", "abvgdeziklmnoprstufyeig", strict=True)),
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya", "є": "ye", "ђ": "dj",
    "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ъ": "", "ь": "",
    **dict(zip("αβγδεζηικλμνξοπρσςτυω", "avgdeziiklmnxoprsstyo", strict=True)),
    "θ": "th", "φ": "f", "χ": "ch", "ψ": "ps",
}  # fmt: skip
"""Small letters without a Latin base letter, as they are written in plain Latin."""


def applied(compiler: Compiler, node: Apply) -> Value:
    """Return what a function gives for the values it is applied to."""
    args = [compiler.value(a) for a in node.arguments]
    for arg in args:
        if arg.type == "months" and node.function not in ("if", "case", "coalesce"):
            misfit(f"months in `{node.function}()`", "`months(3)` beside a date, like `opened + months(3)`", node.at)
    made = _APPLIED[node.function](compiler, args, node)
    return made if made.plain else replace(made, said=None, name=f"`{node.function}()`")


# ------------------------------------------------------------------------------------------------------- what chooses
def _if(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the value of the first condition that is true, or else the last value."""
    import polars as pl

    otherwise = args[-1]
    conditions = [compiler.truth(c, f"in `{node.function}()`", node.at) for c in args[:-1:2]]
    values, form = compiler.alike([*args[1:-1:2], otherwise], "are results", node.at)
    if form.type == "nothing":
        return nothing()
    out = values[-1]
    for i, (condition, value) in enumerate(zip(conditions[::-1], values[-2::-1], strict=True), 1):
        out = pl.when(condition).then(value).otherwise(out)
        out = compiler.hold(out) if i % STEPS == 0 else out
    return replace(form, expr=out)


def _coalesce(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    import polars as pl

    values, form = compiler.alike(args, "are alternatives", node.at)
    return nothing() if form.type == "nothing" else replace(form, expr=pl.coalesce(values))


def _extreme(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the least or the greatest of some values, null where one of them is."""
    import polars as pl

    values, form = compiler.alike(args, "are compared", node.at)
    if form.type == "nothing" or any(a.type == "nothing" for a in args):
        return nothing()
    if form.type == "bytes":
        misfit(f"{called(args[0])} has no order", "numbers, dates or texts there", node.at)
    held = [compiler.hold(v) for v in values]
    least = (pl.min_horizontal if node.function == "min" else pl.max_horizontal)(held)
    return replace(form, expr=pl.when(pl.all_horizontal([v.is_not_null() for v in held])).then(least))


def _between(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    among = compiler.once(args[0])
    ends = [compiler.compared(s, among, e, node.at) for s, e in zip((">=", "<="), args[1:], strict=True)]
    return Value(folded(ends), "boolean")


# ------------------------------------------------------------------------------------------------------------ numbers
def _digits(value: Value, node: Apply, least: int, most: int) -> int:
    said = value.said
    if not isinstance(said, Decimal) or said != int(said) or not least <= said <= most:
        misfit(f"{called(value)} in `{node.function}()`", f"a whole number from {least} to {most} there", node.at)
    return int(said)


def _round(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    digits = _digits(args[1], node, -DIGITS, DIGITS) if len(args) > 1 else 0
    number = compiler.number(args[0], "in `round()`", node.at)
    return rounded(compiler.once(number) if number.exact else number, digits)


def _floor(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    import polars as pl

    number = compiler.number(args[0], f"in `{node.function}()`", node.at)
    if number.scale is None:
        return fraction(number.expr.floor() if node.function == "floor" else number.expr.ceil())
    if not number.scale:
        return replace(number, said=None, plain=False)
    wide, sign = number.most > LONG, 1 if node.function == "floor" else -1
    unit = pl.lit(10**number.scale, dtype=pl.Int128 if wide else pl.Int64)
    expr = number.units(number.scale, wide=wide) * sign // unit * sign
    most = number.most // 10**number.scale + 1
    return fits(Value(expr, "number", 0, most))


def _abs(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    number = compiler.number(args[0], "in `abs()`", node.at)
    return replace(number, expr=number.expr.abs(), said=None, plain=False)


def _function(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return a root, power of e, logarithm or wave; null where there is none."""
    number = compiler.number(args[0], f"in `{node.function}()`", node.at).floats()
    return _finite(compiler, getattr(number, node.function)())


def _finite(compiler: Compiler, expr: pl.Expr) -> Value:
    import polars as pl

    held = compiler.hold(expr)
    return fraction(pl.when(held.is_finite()).then(held))


def _power(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    base, by = (compiler.number(a, "beside `^`", node.at) for a in args)
    times = int(by.said) if isinstance(by.said, Decimal) and by.said in (2, 3, 4) else 0
    if times and base.exact and max(base.most, 1) ** times <= MOST:
        out = base = compiler.once(base)
        for _ in range(times - 1):
            out = multiplied(out, base)
        return out
    return _finite(compiler, base.floats() ** by.floats())


def _number(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    import polars as pl

    if args[0].type == "text":
        return _finite(compiler, args[0].expr.str.strip_chars().cast(pl.Float64, strict=False))
    return compiler.number(args[0], "in `number()`", node.at)


# -------------------------------------------------------------------------------------------------------------- texts
def as_text(compiler: Compiler, value: Value, at: int | None = None) -> pl.Expr:
    """Return a value as text: numbers without needless zeros, dates and instants as year-month-day."""
    import polars as pl

    match value.type:
        case "text":
            return value.expr
        case "nothing":
            return pl.lit(None, dtype=pl.String)
        case "boolean" | "date":
            return value.expr.cast(pl.String)
        case "datetime":
            return days.clock(value).dt.to_string("%Y-%m-%d %H:%M:%S")
        case "time":
            return value.expr.dt.to_string("%H:%M:%S")
        case "number" | "duration":
            return _written(compiler, value)
    return misfit(f"{called(value)} is {NAMED[value.type]}", "texts, numbers and dates there", at)


def _written(compiler: Compiler, value: Value) -> pl.Expr:
    import polars as pl

    if isinstance(value.said, Decimal):
        return pl.lit(f"{value.said:f}")
    if value.exact and (not value.scale or value.decimal):
        return _spelled(compiler, value)
    floats = compiler.hold(value.floats())
    short = (floats.abs() < 1e15) & (floats == floats.floor())
    return pl.when(short).then(floats.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(floats.cast(pl.String))


def _spelled(compiler: Compiler, value: Value) -> pl.Expr:
    """Return an exact number with every digit of its scale behind the point."""
    import polars as pl

    if not value.scale:
        return value.expr.cast(pl.String)
    held = compiler.hold(value.expr)
    unit = pl.lit(10**value.scale, dtype=pl.Int128 if value.most > LONG else pl.Int64)
    front, behind = held.abs() // unit, held.abs() % unit
    sign = pl.when(held < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    parts = [sign, front.cast(pl.String), pl.lit("."), behind.cast(pl.String).str.zfill(value.scale)]
    return pl.when(held.is_not_null()).then(pl.concat_str(parts))


def _format(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return a number as text with so many digits behind the point."""
    digits = _digits(args[1], node, 0, DIGITS) if len(args) > 1 else 0
    number = compiler.number(args[0], "in `format()`", node.at)
    number = rounded(compiler.once(number) if number.exact else number, digits)
    if not number.exact:
        import polars as pl

        units = (number.expr * 10.0**digits).round().cast(pl.Int64, strict=False)
        return text(_spelled(compiler, Value(units, "number", digits, LONG)))
    most = number.greatest(digits)
    if most > MOST:
        misfit("a number that is too large for `format()`", "fewer digits", node.at)
    return text(_spelled(compiler, Value(number.units(digits, wide=most > LONG), "number", digits, most)))


def joined(compiler: Compiler, values: list[Value], at: int | None = None) -> Value:
    """Return texts put one behind the other, null where one of them is."""
    import polars as pl

    return text(pl.concat_str([as_text(compiler, v, at) for v in values]))


def _concat(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    return joined(compiler, args, node.at)


def _text(compiler: Compiler, value: Value, node: Apply) -> pl.Expr:
    if value.type in ("boolean", "bytes"):
        misfit(f"{called(value)} in `{node.function}()` is {NAMED[value.type]}", "text there", node.at)
    return as_text(compiler, value, node.at)


def _cased(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    expr = _text(compiler, args[0], node)
    match node.function:
        case "lower":
            return text(expr.str.to_lowercase())
        case "upper":
            return text(expr.str.to_uppercase())
        case "trim":
            return text(expr.str.strip_chars())
    return text(_by_distinct(compiler.hold(expr), lambda held: held.str.to_titlecase()))


def _length(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    if args[0].type == "bytes":
        return whole(args[0].expr.bin.size(), 2**31)
    return whole(_text(compiler, args[0], node).str.len_chars(), 2**31)


def _count(compiler: Compiler, value: Value, node: Apply, least: int = 0, most: int = WIDEST) -> pl.Expr:
    """Return a number of characters, at least `least`."""
    import polars as pl

    if isinstance(value.said, Decimal):
        return pl.lit(_digits(value, node, least, max(most, LONG)))
    counted = rounded(compiler.number(value, f"in `{node.function}()`", node.at), 0)
    return counted.floats().cast(pl.Int64, strict=False).clip(least, most)


def _cut(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return the first or last characters, or those from a place (1: the first) on."""
    expr = compiler.hold(_text(compiler, args[0], node))  # of a constant polars makes one row
    if node.function == "left":
        return text(expr.str.head(_count(compiler, args[1], node, most=LONG)))
    if node.function == "right":
        return text(expr.str.tail(_count(compiler, args[1], node, most=LONG)))
    start = _count(compiler, args[1], node, 1, LONG) - 1
    many = _count(compiler, args[2], node, most=LONG) if len(args) > 2 else None
    return text(expr.str.slice(start, many))


def _replace(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    if not isinstance(args[1].said, str) or not args[1].said:
        misfit(f"{called(args[1])} in `replace()`", 'a text in quotes, like `replace(phone, " ", "")`', node.at)
    import polars as pl

    among, into = (compiler.hold(_text(compiler, v, node)) for v in (args[0], args[2]))
    replaced = among.str.replace_all(args[1].said, into, literal=True)
    return text(pl.when(into.is_not_null()).then(replaced))


def _pad(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    sign = args[2] if len(args) > 2 else constant(" ")
    said = str(sign.said) if sign.said is not None else ""
    if len(said) != 1:
        misfit(f"{called(sign)} in `pad()`", 'one character in quotes, like `pad(line, 4, "0")`', node.at)
    if isinstance(args[1].said, Decimal):
        _digits(args[1], node, 0, WIDEST)
    return text(compiler.hold(_text(compiler, args[0], node)).str.pad_start(_count(compiler, args[1], node), said))


def _slug(compiler: Compiler, args: list[Value], node: Apply) -> Value:
    """Return a text in small plain letters and digits, with one sign for all else; null where nothing is left."""
    between = args[1].said if len(args) > 1 else "-"
    if not isinstance(between, str) or len(between) > 1 or between.isalnum():
        misfit("the second value of `slug()`", 'one sign in quotes, like `slug(name, ".")`', node.at)

    def plain(held: pl.Series) -> pl.Series:
        import polars as pl

        folded = held.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}", "")
        folded = pl.select(pl.lit(folded).str.replace_many(_LETTERS)).to_series()
        folded = folded.str.replace_all(r"['’`]", "").str.replace_all("[^a-z0-9]+", between.replace("$", "$$"))
        folded = folded.str.strip_chars(between) if between else folded
        return folded.set(folded.str.len_bytes() == 0, None)

    return text(_by_distinct(compiler.hold(_text(compiler, args[0], node)), plain))


def _by_distinct(expr: pl.Expr, change: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """Return texts changed; where few differ, each of them once."""
    import polars as pl

    def changed(held: pl.Series) -> pl.Series:
        coded = held.to_arrow().dictionary_encode()
        if len(coded.dictionary) * 2 > len(held):
            return change(held)
        distinct = change(pl.Series(held.name, coded.dictionary, dtype=pl.String))
        return pl.Series(held.name, distinct.to_arrow().take(coded.indices))

    return expr.cast(pl.String).map_batches(changed, return_dtype=pl.String)


_APPLIED: dict[str, Callable[[Compiler, list[Value], Apply], Value]] = {
    "if": _if, "case": _if, "coalesce": _coalesce, "min": _extreme, "max": _extreme, "between": _between,
    "round": _round, "floor": _floor, "ceil": _floor, "abs": _abs, "sqrt": _function, "exp": _function,
    "log": _function, "sin": _function, "cos": _function, "^": _power, "number": _number, "format": _format,
    "concat": _concat, "lower": _cased, "upper": _cased, "title": _cased, "trim": _cased, "slug": _slug,
    "length": _length, "left": _cut, "right": _cut, "substring": _cut, "replace": _replace, "pad": _pad,
    "year": days.part_of, "month": days.part_of, "day": days.part_of, "weekday": days.part_of, "hour": days.part_of,
    "minute": days.part_of, "second": days.part_of, "date": days.to_date, "datetime": days.to_datetime,
    "days": days.length_of, "hours": days.length_of, "minutes": days.length_of, "seconds": days.length_of,
    "months": days.length_of, "age": days.age,
}  # fmt: skip
"""What gives the value of every function, and of `^` and `between`."""
