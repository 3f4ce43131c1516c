"""One value per row from the rows of another table that point to it: `sum(order.total)`, `count(visit by host)`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import SampleError
from synthwright.core.rule_nodes import Aggregate
from synthwright.core.schema import Schema, canonical
from synthwright.kit.formula.formula_values import misfit
from synthwright.kit.ruled import hops

_EXACT = 2.0**53


class Link(NamedTuple):
    """How the rows of another table point to those of a table."""

    child: str
    reference: str
    """The column of the other table that points."""
    key: str
    """The column of the table that it points to."""


def link(schema: Schema, table: str, node: Aggregate) -> Link:
    """Return how the rows that an aggregate is of point to a table; a MisfitError where they do not, or in two ways."""
    at = node.at
    if node.table not in schema.tables:
        near = get_close_matches(node.table, list(schema.tables), n=1)
        misfit(f"no table is called `{node.table}`", f"`{near[0]}`" if near else _tables(schema, table), at)
    pointing = {c: f.to for c, f in schema.tables[node.table].fields.items() if f.to and schema.split(f.to)[0] == table}
    if not pointing:
        misfit(f"no column of `{node.table}` points to `{table}`", _tables(schema, table), at)
    if node.by is None and len(pointing) > 1:
        either = " or ".join(f"`{node.function}({_of(node)} by {c})`" for c in pointing)
        misfit(f"several columns of `{node.table}` point to `{table}`", either, at)
    reference = node.by or next(iter(pointing))
    if reference not in pointing:
        misfit(f"`{node.table}.{reference}` does not point to `{table}`",
               " or ".join(f"`by {c}`" for c in pointing), at)  # fmt: skip
    return Link(node.table, reference, schema.split(pointing[reference])[1])


def _of(node: Aggregate) -> str:
    return f"{node.table}.{node.column}" if node.column else node.table


def _tables(schema: Schema, table: str) -> str:
    able = [t for t, spec in schema.tables.items()
            if any(f.to and schema.split(f.to)[0] == table for f in spec.fields.values())]  # fmt: skip
    said = ", ".join(f"`{t}`" for t in able)
    return f"one of the tables that point to `{table}`: {said}" if able else f"nothing: no table points to `{table}`"


def type_of(schema: Schema, node: Aggregate) -> pa.DataType:
    """Return what type an aggregate gives; a MisfitError where its function cannot be of such a column."""
    if node.function == "count":
        return pa.int64()
    last = hops(schema, node.table, node.column)[-1]
    kind = canonical(schema.tables[last.table].fields[last.column])
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if node.function in ("sum", "mean"):
        if not (is_number or pa.types.is_boolean(kind) or pa.types.is_duration(kind)):
            misfit(f"`{node.function}()` of `{_of(node)}`, which is no number", "`count()`, `min()` or `max()` of it",
                   node.at)  # fmt: skip
        if pa.types.is_duration(kind):
            return kind
        return _total(kind) if node.function == "sum" else pa.float64()
    if node.function in ("min", "max") and pa.types.is_large_binary(kind):
        misfit(f"`{node.function}()` of `{_of(node)}`, which has no order", "`first()` or `last()` of it", node.at)
    return kind


def _total(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind):
        return pa.decimal128(38, kind.scale)
    return pa.float64() if pa.types.is_floating(kind) else pa.int64()


class Rows(NamedTuple):
    """The rows of another table that count, as arrays of one length."""

    parent: np.ndarray
    """To which row each of them points, by position."""
    values: pa.Array | None
    """The values that are aggregated, none of them null; nothing: the rows themselves."""


def pointing(keys: pa.ChunkedArray, references: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows point to a row that is there, and to which, both by position."""
    places = pc.index_in(references, value_set=keys)
    there = np.flatnonzero(places.is_valid().to_numpy())
    return there, pc.drop_null(places).to_numpy().astype(np.int64)


def of_rows(keys: pa.ChunkedArray, references: pa.ChunkedArray, values: pa.ChunkedArray | None,
            counted: np.ndarray | None) -> Rows:  # fmt: skip
    """Return the rows that count: they point to a row that is there, the condition holds, and there is a value."""
    there, parent = pointing(keys, references)
    if counted is not None:
        kept = counted[there]
        there, parent = there[kept], parent[kept]
    if values is None:
        return Rows(parent, None)
    taken = pa.chunked_array([values.take(pa.array(there))]) if isinstance(values, pa.Array) else \
        values.take(pa.array(there))  # fmt: skip
    present = ~taken.is_null(nan_is_null=True).to_numpy()
    held = taken.filter(pa.array(present)).combine_chunks()
    whole = pa.concat_arrays(held.chunks) if isinstance(held, pa.ChunkedArray) else held
    return Rows(parent[present], whole)


def aggregated(function: str, rows: Rows, size: int, kind: pa.DataType) -> pa.Array:
    """Return one value for each of `size` rows: sums and counts of none are 0, everything else of none is null."""
    count = np.bincount(rows.parent, minlength=size)
    if function == "count" or rows.values is None:
        return pa.array(count.astype(np.int64))
    if function in ("first", "last"):
        place = np.full(size, -1, dtype=np.int64)
        order = slice(None, None, -1 if function == "first" else 1)
        place[rows.parent[order]] = np.arange(len(rows.parent))[order]  # of several, the last one assigned stays
        return rows.values.take(pa.array(place, mask=place < 0))
    if function in ("min", "max"):
        return _extreme(function, rows, size)
    return _sum(function, rows, count, kind)


def _sum(function: str, rows: Rows, count: np.ndarray, kind: pa.DataType) -> pa.Array:
    assert rows.values is not None  # noqa: S101  rows themselves are only counted
    values, size = rows.values, len(count)
    if pa.types.is_duration(values.type):
        values = values.cast(pa.int64())
    if pa.types.is_decimal(values.type) and function == "sum":
        return _decimals(rows, size, kind)
    floats = np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    total = np.bincount(rows.parent, weights=floats, minlength=size)
    if function == "mean":
        mean = np.divide(total, count, out=np.zeros(size), where=count > 0)
        if pa.types.is_duration(kind):
            return pa.array(np.rint(mean).astype(np.int64), mask=count == 0).cast(kind)
        return pa.array(mean, mask=count == 0)
    if pa.types.is_floating(kind):
        return pa.array(total)
    if np.abs(floats).sum() < _EXACT:  # floats add whole numbers exactly as far as that
        units = total.astype(np.int64)
    else:
        units = np.zeros(size, dtype=np.int64)
        np.add.at(units, rows.parent, values.cast(pa.int64()).to_numpy(zero_copy_only=False))
    return pa.array(units).cast(kind)


def _decimals(rows: Rows, size: int, kind: pa.DataType) -> pa.Array:
    """Return exact sums of decimals, counted in their last digit."""
    import polars as pl

    frame = pl.DataFrame({"at": rows.parent, "value": pl.Series(rows.values.cast(kind))})  # type: ignore[union-attr]
    total = frame.group_by("at").agg(pl.col("value").sum())
    place = np.full(size, -1, dtype=np.int64)
    place[total["at"].to_numpy()] = np.arange(len(total))
    made = total["value"].to_arrow().cast(kind).take(pa.array(place, mask=place < 0))
    return pc.fill_null(made, pa.scalar(0, pa.int64()).cast(pa.decimal128(38, 0)).cast(kind))


def _extreme(function: str, rows: Rows, size: int) -> pa.Array:
    import polars as pl

    assert rows.values is not None  # noqa: S101  rows themselves are only counted
    values = rows.values
    frame = pl.DataFrame({"at": rows.parent, "value": pl.Series(values)})
    column = pl.col("value")
    found = frame.group_by("at").agg(column.min() if function == "min" else column.max())
    place = np.full(size, -1, dtype=np.int64)
    place[found["at"].to_numpy()] = np.arange(len(found))
    return found["value"].to_arrow().cast(values.type).take(pa.array(place, mask=place < 0))


def not_made(table: str, column: str, function: str) -> SampleError:
    """Return the error that says that rows of another table are not made yet."""
    return SampleError(f"`{function}()` of {table!r}", f"column '{table}.{column}'",
                       wanted="a table that is made before", got="none",
                       remedy="a part that sums up another table's rows is made after that table")  # fmt: skip
