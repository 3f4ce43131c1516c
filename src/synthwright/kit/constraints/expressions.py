"""Rules on data: which rows hold them, and what a formula gives; compiled to polars.

Whole numbers, decimals and the numbers written in a rule are exact: they are counted in units of a power of ten, 128
bits wide. Where floats are computed with, equality allows a relative error of 1e-9; where the columns keep to a lattice
(field `step`), or a decimal column stands against a finer number, two values are equal if they round to the same.
"""

from __future__ import annotations

import functools
import operator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.core.rule_nodes import Node, Parsed, names_in
from synthwright.core.rule_types import faults
from synthwright.core.rules import parse, unknown_columns
from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.core.values import from_numbers, part_of
from synthwright.kit.constraints.compiled import Compiler, a_day, ahead_of, at_most, ticks_of_time
from synthwright.kit.constraints.compiled_values import Value
from synthwright.kit.rows import rank_in_group, row_hashes

if TYPE_CHECKING:
    import polars as pl


def holds(held: pa.Table, rule: Parsed | str, spec: Table) -> np.ndarray:
    """Return booleans: in which rows of a table a rule holds.

    A row breaks a condition where it is false; a dependency where its value is not the most common one of its group
    (the first of those in a tie); `unique` where an earlier row has the same values. Missing values break nothing.

    Raises:
        InputError: the rule is none, or names columns that the table lacks, or means nothing for their kinds.
    """
    parsed = understood(rule, spec)
    absent = [c for c in parsed.columns if c not in held.column_names]
    if absent:
        raise InputError(f"rule {parsed.text!r}", f"column {absent[0]!r}", wanted="a column of the data", got="none")
    if parsed.form == "dependency":
        held = with_part(held, parsed.left[0], parsed.part) if parsed.part else held
        return functools.reduce(operator.and_, (follows(held, parsed.left, c) for c in parsed.right))
    if parsed.form == "unique":
        return _first(held, parsed.left)
    assert parsed.tree is not None  # noqa: S101  a row rule has one
    return evaluated(held, parsed.tree, spec).fill_null(value=True).to_numpy()


def understood(rule: Parsed | str, spec: Table) -> Parsed:
    """Return a rule parsed and checked against a table; an InputError where it does not fit."""
    try:
        parsed = parse(rule) if isinstance(rule, str) else rule
    except ValueError as error:
        raise InputError("rules", str(error)) from None
    for name, near in unknown_columns(parsed, spec):
        raise InputError(f"rule {parsed.text!r}", f"column {name!r}", wanted="a column of the table",
                         got="none of that name", remedy=f"did you mean {near!r}?" if near else "")  # fmt: skip
    if wrong := faults(parsed, spec):
        raise InputError("rules", wrong[0])
    return parsed


def evaluated(held: pa.Table, node: Node, spec: Table) -> pl.Series:
    """Return what a condition gives for every row, null where it cannot be told."""
    frame, names = _frame(held, node)
    return frame.with_columns(Compiler(spec, frame.schema, names).value(node).expr.alias("out"))["out"]


def follows(held: pa.Table, left: tuple[str, ...], right: str) -> np.ndarray:
    """Return booleans: which rows have the most common value of `right` among the rows with the same `left`."""
    rows = np.flatnonzero(present(held, (*left, right)))
    group = row_hashes(held, left)[rows]
    pairs = row_hashes(held, (*left, right))[rows]
    _, first, pair, count = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -count, group[first]))  # group by group, the most common pair first
    best = np.zeros(len(first), dtype=bool)
    best[order[np.unique(group[first][order], return_index=True)[1]]] = True
    out = np.ones(held.num_rows, dtype=bool)
    out[rows] = best[pair]
    return out


def present(held: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    """Return booleans: which rows have a value in all of these columns."""
    out = np.ones(held.num_rows, dtype=bool)
    for name in columns:
        out &= ~held.column(name).is_null(nan_is_null=True).to_numpy()
    return out


def with_part(held: pa.Table, column: str, part: str) -> pa.Table:
    """Return a table with a part of a date in place of the date: its month, its weekday, its hour."""
    return held.set_column(held.column_names.index(column), column, part_of(held.column(column), part))


def _first(held: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    rank = rank_in_group(row_hashes(held, columns), np.arange(held.num_rows))
    return (rank == 0) | ~present(held, columns)


def computed(held: pa.Table, node: Node, spec: Table, field: Field) -> pa.Array:
    """Return what a formula gives for every row, as a column of a field: of its canonical type, on its lattice.

    The node's values must be of the field's kind: numbers for a number, days for a date.
    """
    import polars as pl

    frame, names = _frame(held, node)
    found = Compiler(spec, frame.schema, names).value(node)
    target = canonical(field)
    if found.type == "number":
        if found.scale is not None and (pa.types.is_decimal(target) or field.kind is Kind.INTEGER):
            return _exact(frame, found, target)
        values = frame.with_columns(found.floats().alias("out"))["out"].fill_null(float("nan")).to_numpy()
        if field.kind is Kind.DURATION:
            values = values * a_day(target.unit)
        return from_numbers(on_lattice(values, field.step), None, field)
    expr = found.expr
    if found.type == "date" and field.kind is Kind.DATETIME:
        ahead = ahead_of(target.tz)
        zone = target.tz if ahead is None else "UTC"
        expr = expr.cast(pl.Datetime(target.unit)).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        expr = expr - pl.duration(minutes=ahead) if ahead else expr
    if found.type == "time" and (step := ticks_of_time(field)):
        expr = at_most(expr, step)
    made = frame.with_columns(expr.alias("out"))["out"].to_arrow()
    return made.cast(target, safe=False)


def on_lattice(values: np.ndarray, step: float | None) -> np.ndarray:
    """Return numbers rounded to multiples of a step, as the floats that a person would have typed."""
    if step is None or step <= 0:
        return values
    lattice = Fraction(repr(step))  # one division, rounded once: 3 * 0.1 is 0.3
    steps = np.rint(values * lattice.denominator / lattice.numerator)
    return np.asarray(steps * lattice.numerator / lattice.denominator)


def _exact(frame: pl.DataFrame, found: Value, target: pa.DataType) -> pa.Array:
    """Return exact numbers as integers or decimals, rounded half away from zero; null where they do not fit."""
    import polars as pl

    finer = (found.scale or 0) - (target.scale if pa.types.is_decimal(target) else 0)
    if finer <= 0:
        whole = found.expr * pl.lit(10**-finer, dtype=pl.Int128)
    else:
        half = pl.lit(10**finer // 2, dtype=pl.Int128)
        whole = (found.expr.abs() + half) // pl.lit(10**finer, dtype=pl.Int128) * found.expr.sign()
    if not pa.types.is_decimal(target):
        kind = pl.UInt64 if target == pa.uint64() else pl.Int64
        return frame.with_columns(whole.cast(kind, strict=False).alias("out"))["out"].to_arrow()
    most = 10 ** min(target.precision, 38)
    fits = pl.when(whole.abs() < pl.lit(most, dtype=pl.Int128)).then(whole)
    held = frame.with_columns(fits.cast(pl.Decimal(38, 0)).alias("out"))["out"].to_arrow()
    return pa.Array.from_buffers(pa.decimal128(38, target.scale), len(held), held.buffers(), held.null_count,
                                 held.offset).cast(target)  # fmt: skip


def _frame(held: pa.Table, node: Node) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return the columns a node needs as a polars frame, under names that mean nothing to polars."""
    import polars as pl

    needed = names_in(node)
    names = {c: f"c{i}" for i, c in enumerate(needed)}
    columns = {names[c]: _narrow(held.column(c)) for c in needed}
    if not columns:  # a frame without columns would forget how many rows it has
        columns = {"c": pa.nulls(held.num_rows, pa.bool_())}
    frame = pl.from_arrow(pa.table(columns))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  from_arrow of a table is a frame
    return frame, names


def _narrow(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a type that polars knows: no decimals of 256 bits or negative scale, no offsets as zones."""
    kind = column.type
    if pa.types.is_timestamp(kind) and ahead_of(kind.tz) is not None:
        return column.cast(pa.timestamp(kind.unit, "UTC"))
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if not pa.types.is_decimal(kind) or (kind.bit_width <= 128 and kind.scale >= 0):
        return column
    try:
        return column.cast(pa.decimal128(38, max(kind.scale, 0)))
    except pa.ArrowInvalid:
        return column.cast(pa.float64())
