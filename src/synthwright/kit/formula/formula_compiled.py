"""The nodes of a formula as polars expressions over one frame: see `kit.formula.formulas` for the language.

What is used twice becomes a column of the frame first, so that an expression never grows beyond the formula's text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from synthwright.core.rule_nodes import (
    Aggregate,
    Among,
    Apply,
    Compare,
    Either,
    Every,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Nothing,
    Product,
    Sum,
)
from synthwright.core.rule_tokens import shown
from synthwright.kit.constraints.compiled import ahead_of
from synthwright.kit.formula.formula_values import (
    DAYS,
    LONG,
    ROWS,
    Type,
    Value,
    added,
    constant,
    divided,
    fraction,
    misfit,
    multiplied,
    nothing,
    remainder,
    together,
    whole,
)

if TYPE_CHECKING:
    import polars as pl

STEPS = 32
"""Terms, factors or conditions in a row, after which what was computed becomes a column."""
NAMED: dict[Type, str] = {
    "number": "a number", "text": "text", "boolean": "true or false", "date": "a date", "datetime": "an instant",
    "time": "a time of day", "duration": "a length of time", "months": "a number of months", "bytes": "bytes",
    "nothing": "null",
}  # fmt: skip
_RIGHT: dict[Type, str] = {
    "number": "numbers without quotes, like `age >= 18`",
    "text": 'text in quotes, like `sex == "F"`',
    "date": 'dates as year-month-day in quotes, like `born < "2000-12-31"`',
}


class Source(Protocol):
    """Where the columns of a formula come from."""

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        ...

    def column(self, path: str) -> pa.ChunkedArray | pa.Array:
        """Return the values that a path leads to, one per row."""
        ...

    def aggregate(self, node: Aggregate) -> pa.ChunkedArray | pa.Array:
        """Return one value per row from the rows that point to it."""
        ...


class Compiler:
    """Compiles the nodes of one formula for the rows of a source.

    Raises:
        MisfitError: by its methods: what the formula says cannot be meant for these columns.
    """

    def __init__(self, source: Source) -> None:
        import numpy as np
        import polars as pl

        self.source = source
        self.frame = pl.DataFrame({ROWS: np.zeros(source.rows)})
        self.columns: dict[str, Value] = {}
        self.known: dict[int, Value] = {}

    # ------------------------------------------------------------------------------------------------- the frame
    def result(self, value: Value) -> pl.Series:
        """Return what a value is in every row."""
        return self.frame.with_columns(value.expr.alias("out"))["out"]

    def once(self, value: Value) -> Value:
        """Return a value that may be used several times at no cost: a column of the frame."""
        import polars as pl

        if value.plain:
            return value
        name = f"c{len(self.frame.columns)}"
        self.frame = self.frame.with_columns(value.expr.alias(name))
        return replace(value, expr=pl.col(name), plain=True)

    def hold(self, expr: pl.Expr) -> pl.Expr:
        """Return an expression that may be used several times at no cost."""
        return self.once(Value(expr, "nothing")).expr

    def column(self, path: str) -> Value:
        """Return a column that a path leads to, as a column of the frame."""
        if path not in self.columns:
            self.columns[path] = replace(self._joined(self.source.column(path)), name=f"`{path}`")
        return self.columns[path]

    def _joined(self, values: pa.ChunkedArray | pa.Array) -> Value:
        import polars as pl

        held = pl.Series(f"c{len(self.frame.columns)}", narrow(values))
        if held.dtype.is_float():
            held = held.cast(pl.Float64)
            held = held.fill_nan(None) if held.is_nan().any() else held
        if isinstance(held.dtype, pl.Decimal | pl.Duration):
            held = held.to_physical()
        made = typed(values.type, held)
        if made.exact:
            held = held.cast(pl.Int64 if made.most <= LONG else pl.Int128)
        self.frame = self.frame.hstack([held])
        return made

    # ------------------------------------------------------------------------------------------------- the nodes
    def value(self, node: Node) -> Value:
        """Return a compiled node."""
        if id(node) in self.known:  # the middle of a chain of comparisons
            self.known[id(node)] = self.once(self.known[id(node)])
            return self.known[id(node)]
        self.known[id(node)] = self._value(node)
        return self.known[id(node)]

    def _value(self, node: Node) -> Value:
        match node:
            case Name():
                return self.column(node.name)
            case Literal():
                return constant(node.value)
            case Nothing():
                return nothing()
            case Sum():
                return self._sum(node)
            case Product():
                return self._product(node)
            case Aggregate():
                made = self._joined(self.source.aggregate(node))
                return replace(made, name=f"`{node.function}()`")
            case Apply():
                from synthwright.kit.formula.formula_functions import applied

                return applied(self, node)
        return Value(self._condition(node), "boolean")

    def _condition(self, node: Node) -> pl.Expr:
        match node:
            case Compare():
                return self.compared(node.sign, self.value(node.left), self.value(node.right))
            case Among():
                return self._among(self.value(node.argument), [constant(v.value) for v in node.values])
            case Missing():
                return self.value(node.argument).expr.is_null()
            case Not():
                return ~self.truth(self.value(node.argument), "beside `not`")
            case Every() | Either():
                word = "and" if isinstance(node, Every) else "or"
                parts = [self.truth(self.value(part), f"beside `{word}`") for part in node.parts]
                return self.fold(parts, lambda a, b: a & b if word == "and" else a | b)
        raise TypeError(type(node).__name__)

    def fold(self, parts: list[pl.Expr], join: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
        """Return parts joined from left to right, some at a time."""
        out = parts[0]
        for i, part in enumerate(parts[1:], 1):
            out = join(out, part)
            if i % STEPS == 0:
                out = self.hold(out)
        return out

    def truth(self, value: Value, where: str, at: int | None = None) -> pl.Expr:
        """Return a condition; a MisfitError where a value is none."""
        import polars as pl

        if value.type == "nothing":
            return pl.lit(None, dtype=pl.Boolean)
        if value.type != "boolean":
            misfit(f"{called(value)} {where} is {NAMED[value.type]}", "a condition, like `a > 0`", at)
        return value.expr

    def number(self, value: Value, where: str, at: int | None = None) -> Value:
        """Return a number (lengths of time are days, true is 1); a MisfitError where a value is none."""
        import polars as pl

        match value.type:
            case "number":
                return value
            case "boolean":
                return whole(value.expr, 1)
            case "duration":
                return fraction(value.floats())
            case "nothing":
                return Value(pl.lit(None, dtype=pl.Int64), "number", 0, 0)
        return misfit(f"{called(value)} {where} is {NAMED[value.type]}", "a number there", at)

    def _product(self, node: Product) -> Value:
        values = [self.value(factor) for _, factor in node.factors]
        signs = [sign for sign, _ in node.factors]
        times = [1 if s == "*" else -1 for s, v in zip(signs, values, strict=True) if v.type == "duration"]
        out = self.number(values[0], f"before `{signs[1]}`")
        for i, (sign, value) in enumerate(zip(signs[1:], values[1:], strict=True), 1):
            by = self.number(value, f"after `{sign}`")
            if sign == "*":
                out = multiplied(out, by)
            else:
                out = (divided if sign == "/" else remainder)(out, self.once(by))
            out = self.once(out) if i % STEPS == 0 else out
        if sum(times) not in (0, 1) or (times and "%" in signs):
            misfit("lengths of time are multiplied by one another", "a length of time times a number")
        if sum(times) != 1:
            return out
        from synthwright.kit.formula.formula_days import lasting

        return lasting(out)

    def _sum(self, node: Sum) -> Value:
        from synthwright.kit.formula.formula_days import moved
        from synthwright.kit.formula.formula_functions import joined

        terms = [(sign, self.value(term)) for sign, term in node.terms]
        types = {v.type for _, v in terms}
        if "text" in types and all(sign > 0 for sign, _ in terms):
            return joined(self, [v for _, v in terms])
        if types & {*DAYS, "duration", "time", "months"}:
            return moved(self, terms)
        sign, out = terms[0][0], self.number(terms[0][1], "in a sum")
        out = out if sign > 0 else added(constant(Decimal(0)), out, -1)
        for i, (sign, term) in enumerate(terms[1:], 1):
            out = added(out, self.number(term, f"after `{'+' if sign > 0 else '-'}`"), sign)
            out = self.once(out) if i % STEPS == 0 else out
        return out

    # ------------------------------------------------------------------------------------------------ comparisons
    def compared(self, sign: str, left: Value, right: Value, at: int | None = None) -> pl.Expr:
        """Return where a comparison holds; null where one of the two is."""
        import operator

        import polars as pl

        if "nothing" in (left.type, right.type):
            return pl.lit(None, dtype=pl.Boolean)
        (one, other), form = self.alike([left, right], "are compared", at)
        if form.type == "bytes" and sign not in ("==", "!="):
            misfit(f"{called(left)} has no order", "`==` or `!=`", at)
        compare = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
                   ">=": operator.ge}[sign]  # fmt: skip
        out: pl.Expr = compare(one, other)
        return out

    def _among(self, among: Value, values: list[Value]) -> pl.Expr:
        import polars as pl

        if among.type == "nothing":
            return pl.lit(None, dtype=pl.Boolean)
        (one, *rest), _ = self.alike([among, *values], "are compared")
        listed = pl.select(v.alias(str(i)) for i, v in enumerate(rest)).get_columns()
        return self.hold(one).is_in(pl.concat(listed).implode())

    def alike(self, values: list[Value], verb: str, at: int | None = None) -> tuple[list[pl.Expr], Value]:
        """Return values in one form, and a value that says which; a MisfitError where they cannot have one."""
        import polars as pl

        from synthwright.kit.formula.formula_days import instants, spelled

        some = [v for v in values if v.type != "nothing"]
        if not some:
            return [v.expr for v in values], nothing()
        beside = next((v for v in some if v.type in (*DAYS, "time")), None)
        if beside is not None:
            some = [spelled(v, beside, at) for v in some]
        types = {v.type for v in some}
        mixed = len(types) > 1 or "number" in types or len({v.unit for v in some}) > 1
        if types <= {"number", "boolean", "duration"} and mixed:
            exprs, form = together([self.number(v, "", at) for v in some])
        elif types <= set(DAYS):
            some = instants(some) if "datetime" in types else some
            exprs, form = [v.expr for v in some], some[0]
        elif len(types) == 1:
            exprs, form = [v.expr for v in some], some[0]
        else:
            other = next(v for v in some if v.type != some[0].type)
            misfit(f"{called(some[0])}, {NAMED[some[0].type]}, and {called(other)}, {NAMED[other.type]}, {verb}",
                   _RIGHT.get(some[0].type, "values of one kind"), at)  # fmt: skip
        form = replace(form, said=None, plain=False, name="")
        each = iter(exprs)
        return [pl.lit(None) if v.type == "nothing" else next(each) for v in values], form


def called(value: Value) -> str:
    """Return what a message calls a value."""
    if value.said is not None:
        return shown(str(value.said))
    return value.name or ("a condition" if value.type == "boolean" else "a computed value")


def narrow(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return a column in a type that polars knows: no decimals of 256 bits or negative scale, no offsets as zones."""
    kind = values.type
    if pa.types.is_timestamp(kind) and ahead_of(kind.tz) is not None:
        return values.cast(pa.timestamp(kind.unit, "UTC"))
    if pa.types.is_dictionary(kind):
        return values.cast(kind.value_type)
    if pa.types.is_decimal(kind) and (kind.bit_width > 128 or kind.scale < 0):
        return values.cast(pa.float64())
    return values


def typed(kind: pa.DataType, held: pl.Series) -> Value:
    """Return a column of the frame as what its Arrow type says it is."""
    import polars as pl

    is_a, expr, dtype = pa.types, pl.col(held.name), held.dtype
    if is_a.is_integer(kind) or is_a.is_decimal(kind):
        exact = is_a.is_integer(kind) or dtype.is_integer()
        most = max(abs(int(held.min() or 0)), abs(int(held.max() or 0))) if exact else 0  # type: ignore[arg-type]
        scale = kind.scale if is_a.is_decimal(kind) and exact else 0 if exact else None
        return Value(expr, "number", scale, most, decimal=is_a.is_decimal(kind), plain=True)
    if is_a.is_timestamp(kind):
        zone = getattr(dtype, "time_zone", None)
        return Value(
            expr,
            "datetime",
            unit="ns" if kind.unit == "ns" else "us",
            zone=zone,
            ahead=ahead_of(kind.tz) or 0,
            plain=True,
        )
    if is_a.is_duration(kind):
        return Value(expr, "duration", unit="ns" if kind.unit == "ns" else "us", plain=True)
    others: list[tuple[Callable[[pa.DataType], bool], Type]] = [
        (is_a.is_floating, "number"), (is_a.is_boolean, "boolean"), (is_a.is_date, "date"), (is_a.is_time, "time"),
        (is_a.is_binary, "bytes"), (is_a.is_large_binary, "bytes"), (is_a.is_null, "nothing"),
    ]  # fmt: skip
    return Value(expr, next((t for is_it, t in others if is_it(kind)), "text"), plain=True)
