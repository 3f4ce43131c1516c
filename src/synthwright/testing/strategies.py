"""Schemas and datasets for hypothesis to draw from; hypothesis is needed only by who calls these.

::

    @given(st.data())
    def test_anything(draw):
        data = draw.draw(datasets(draw.draw(schemas())))
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table, canonical

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

KINDS = tuple(k for k in Kind if k is not Kind.REFERENCE)
"""What a schema of one table may hold."""


def fields(kinds: tuple[Kind, ...] = KINDS) -> SearchStrategy[Field]:
    """Return a strategy for fields of some kinds."""
    from hypothesis import strategies as st

    types: dict[Kind, list[str | None]] = {
        Kind.INTEGER: [None, "int8", "uint64", "int64"],
        Kind.NUMBER: [None, "float", "decimal128(10, 2)"],
        Kind.CATEGORY: [None, "string", "dictionary<values=string, indices=int32, ordered=0>"],
        Kind.DATETIME: [None, "timestamp[ns]", "timestamp[us, tz=UTC]"],
        Kind.KEY: [None, "int64"],
    }

    def field(kind: Kind) -> SearchStrategy[Field]:
        outside = st.sampled_from(types.get(kind, [None]))
        if kind is Kind.KEY:
            return st.builds(
                Field, kind=st.just(kind), type=outside, nulls=st.just(value=False), unique=st.just(value=True)
            )
        return st.builds(Field, kind=st.just(kind), type=outside, nulls=st.booleans())

    return st.sampled_from(kinds).flatmap(field)


def schemas(kinds: tuple[Kind, ...] = KINDS, most: int = 5) -> SearchStrategy[Schema]:
    """Return a strategy for schemas of one table with one to `most` columns, named as people name them."""
    from hypothesis import strategies as st

    names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(lambda n: n != ROW)
    tables = st.dictionaries(names, fields(kinds), min_size=1, max_size=most).map(lambda f: Table(fields=f))
    return st.dictionaries(st.just("data"), tables, min_size=1, max_size=1).map(lambda t: Schema(tables=t))


def datasets(schema: Schema, least: int = 0, most: int = 30) -> SearchStrategy[Dataset]:
    """Return a strategy for datasets of a schema of one table, with `least` to `most` rows."""
    from hypothesis import strategies as st

    def build(rows: int) -> SearchStrategy[Dataset]:
        name = schema.only
        held = {c: _columns(f, rows) for c, f in schema.tables[name].fields.items()}
        return st.fixed_dictionaries(held).map(lambda columns: Dataset(schema, {name: pa.table(columns)}))

    return st.integers(least, most).flatmap(build)


def _columns(field: Field, rows: int) -> SearchStrategy[pa.Array]:
    from hypothesis import strategies as st

    kind = canonical(field)
    values = _values(field, kind)
    lists = st.lists(st.none() | values if field.nulls else values, min_size=rows, max_size=rows,
                     unique=field.unique and not field.nulls)  # fmt: skip
    if pa.types.is_temporal(kind):
        width = pa.int32() if pa.types.is_date32(kind) else pa.int64()
        return lists.map(lambda v: pa.array(v, width).cast(kind))
    return lists.map(lambda v: pa.array(v, kind))


def _values(field: Field, kind: pa.DataType) -> SearchStrategy[Any]:
    """Return a strategy for single values; instants, days and lengths of time as the numbers that Arrow stores."""
    from hypothesis import strategies as st

    text = st.text(st.characters(codec="utf-8"), max_size=12)
    labels = st.sampled_from(["", "a", "b", "ß", "long label"])
    day = int(timedelta(days=1).total_seconds()) * (10**9 if "ns" in str(kind) else 10**6)
    by_kind: dict[Kind, Callable[[], SearchStrategy[Any]]] = {
        Kind.INTEGER: lambda: st.integers(*_ends(field, kind)),
        Kind.NUMBER: lambda: _numbers(kind),
        Kind.BOOLEAN: st.booleans,
        Kind.CATEGORY: lambda: labels,
        Kind.DATE: lambda: st.integers(-100_000, 100_000),
        Kind.TIME: lambda: st.integers(0, day - 1),
        Kind.DATETIME: lambda: st.integers(-50_000 * day, 50_000 * day),
        Kind.DURATION: lambda: st.integers(-50_000 * day, 50_000 * day),
        Kind.BYTES: lambda: st.binary(max_size=8),
    }
    if field.kind is Kind.KEY and pa.types.is_integer(kind):
        return st.integers(0, 10**9)
    return by_kind.get(field.kind, lambda: text)()


def _ends(field: Field, kind: pa.DataType) -> tuple[int, int]:
    bits = {"int8": 7, "uint64": 64}.get(field.type or "", 63)
    return (0 if kind == pa.uint64() else -(2**bits), 2**bits - 1)


def _numbers(kind: pa.DataType) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    if pa.types.is_decimal(kind):
        most = 10**kind.precision - 1
        return st.integers(-most, most).map(lambda v: Decimal(v).scaleb(-kind.scale))
    return st.floats(allow_nan=False, width=32)
