"""Values that are chosen before sampling: one value, balanced, in shares, or between two ends; exactly as asked."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.schema import DISCRETE, ORDERED, Field, canonical
from synthwright.core.spec import Between, SetTo, Shares
from synthwright.core.values import from_numbers, numbers

RARE = 3
"""A value that fewer rows share is not balanced for: it would point at people."""


def frequent(column: pa.ChunkedArray) -> pa.Array:
    """Return the values that enough rows share, in order: what `balanced` balances."""
    counted = pc.value_counts(column.drop_null())
    values = counted.filter(pc.greater_equal(counted.field("counts"), RARE)).field("values")
    return values.take(pc.array_sort_indices(values))


def chosen(
    how: SetTo, field: Field, rows: int, labels: pa.Array | None, ctx: Context, column: str
) -> pa.Array:  # fmt: skip
    """Return a column of `rows` values as `set:` asks, in an order of chance.

    Args:
        how: what is asked.
        field: the column's field.
        rows: how many values.
        labels: what `frequent` says of the real column; None: there are no real rows.
        ctx: the randomness.
        column: `table.column`, for messages.

    Raises:
        InputError: a value that the field cannot hold, or `balanced` without real rows.
    """
    if isinstance(how, Shares):
        weights = np.array(list(how.shares.values()), dtype=np.float64)
        if weights.sum() <= 0:
            raise InputError(
                "start", f"set {column}", wanted="shares of which one is above zero", got="none above zero"
            )
        return _dealt([_label(v, field, labels, column) for v in how.shares], weights, rows, ctx)
    if isinstance(how, Between):
        return _between(how, field, rows, ctx, column)
    if how == "balanced":
        if labels is None:
            raise InputError("start", f"set {column}", wanted="real rows, whose values are balanced", got="none",
                             remedy="say {shares: {a: 1, b: 1}} instead")  # fmt: skip
        if not len(labels):
            raise InputError("start", f"set {column}", wanted=f"values that {RARE} rows share", got="none")
        return _dealt([labels[i] for i in range(len(labels))], np.ones(len(labels)), rows, ctx)
    one = _label(how, field, labels, column)
    return pa.concat_arrays([pa.array([], canonical(field)), pa.repeat(one, rows)])


def _label(value: Any, field: Field, labels: pa.Array | None, column: str) -> pa.Scalar:
    """Return a value, which in a column of labels must be one that real rows have."""
    found = value_of(value, field, column)
    if field.kind in DISCRETE and labels is not None and found.is_valid and not pc.is_in(found, labels).as_py():
        known = [str(v) for v in labels.to_pylist()]
        near = get_close_matches(str(value), known, n=1, cutoff=0.5)
        shown = ", ".join(map(repr, known[:10])) + (" …" if len(known) > 10 else "")
        raise InputError("start", f"set {column}", wanted=f"a label that {RARE} real rows share", got=repr(value),
                         remedy=f"did you mean {near[0]!r}?" if near else f"there are {shown}")  # fmt: skip
    return found


def value_of(value: Any, field: Field, column: str) -> pa.Scalar:
    """Return a value as a scalar of the field's canonical type."""
    kind = canonical(field)
    if value is None and field.nulls:
        return pa.scalar(None, kind)
    if isinstance(value, bool) and pa.types.is_large_string(kind):
        value = str(value).lower()
    for tried in () if value is None else (value, str(value)):
        try:
            return pa.scalar(tried).cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            continue
    if field.form is not None and value is not None:
        from synthwright.core.forms import parse

        try:
            parsed = parse(pa.chunked_array([pa.array([str(value)], pa.large_string())]), field.form, field.kind)
            if parsed[0].is_valid:
                return parsed[0].cast(kind)
        except (pa.ArrowException, ValueError, InputError):
            pass
    raise InputError("start", f"set {column}", wanted=f"a value of kind {field.kind.value}", got=repr(value))


def _dealt(values: list[pa.Scalar], weights: np.ndarray, rows: int, ctx: Context) -> pa.Array:
    """Deal values out by largest remainder, so that the counts are as near to the shares as whole rows can be."""
    exact = weights / weights.sum() * rows
    counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: rows - int(counts.sum())]] += 1
    which = ctx.rng.permutation(np.repeat(np.arange(len(values)), counts))
    return pa.array([v.as_py() for v in values], values[0].type).take(pa.array(which))


def _between(how: Between, field: Field, rows: int, ctx: Context, column: str) -> pa.Array:
    if field.kind not in ORDERED:
        raise InputError("start", f"set {column}", wanted="a kind with an order for 'between'", got=field.kind.value)
    low, high = (
        float(numbers(pa.array([value_of(v, field, column).as_py()], canonical(field)))[0]) for v in how.between
    )
    if not low <= high:
        raise InputError("start", f"set {column}", wanted="'between: [least, greatest]'", got="ends in the wrong order")
    drawn = low + ctx.rng.random(rows) * (high - low)
    step = field.step or (None if pa.types.is_floating(canonical(field)) else 1.0)
    if step is not None:  # whole steps inside the two ends
        first, last = np.ceil(low / step), np.floor(high / step)
        if first > last:
            raise InputError(
                "start", f"set {column}", wanted=f"ends with a multiple of {step} between them", got="none"
            )
        drawn = np.minimum(first + np.floor(ctx.at("lattice").rng.random(rows) * (last - first + 1)), last) * step
    return from_numbers(drawn, None, field)
