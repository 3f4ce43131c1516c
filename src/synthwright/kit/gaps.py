"""Columns that stand close above others, modelled by their distance: an end by how long after its start it is.

Two columns that nearly agree, such as the start and the end of a visit, can be modelled each for itself only with an
error larger than what lies between them. So the generator is given the distance in place of the upper column, as a
number that is never negative, and the order holds in every row by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Parsed
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.core.values import nulls
from synthwright.kit.repairs import Codec, Order, orders

TIGHT = 0.25
"""Where distances spread over no more than this share of what the column itself spreads over, they are modelled."""
OWN = 1.5
"""A column that would have so many times more different values after a shuffle of distances has a grid of its own."""
LEAST = 20
"""Rows without which nothing is judged."""
_FARTHEST = 2**61


@dataclass(frozen=True)
class Gap:
    """A column that is made as its distance above the greatest of others."""

    target: str
    bases: tuple[str, ...]
    strict: bool
    """Whether it is never equal to them."""

    def hidden(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the distances, as a column of the field that `field` returns."""
        codec = Codec(spec.fields[self.target])
        base, missing = _base(held, self.bases, codec)
        missing |= nulls(held.column(self.target))
        apart = np.where(missing, 0, codec.read(held.column(self.target)) - base)
        return Codec(self.field(spec)).write(apart, missing, self.field(spec))

    def shown(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the column from its distances: never below its bases, not on them where the order is strict."""
        codec, distance = Codec(spec.fields[self.target]), Codec(self.field(spec))
        base, missing = _base(held, self.bases, codec)
        missing |= nulls(held.column(self.target))
        apart = np.maximum(distance.read(held.column(self.target)), 0)
        least = codec.up(base) if self.strict else base
        made = np.maximum(base + apart, least)
        return codec.write(np.where(missing, base, made), missing, spec.fields[self.target])

    def field(self, spec: Table) -> Field:
        """Return what a distance is: days between dates, durations between instants, else a number like the column."""
        field, kind = spec.fields[self.target], canonical(spec.fields[self.target])
        if field.kind is Kind.DATE:
            return Field(kind=Kind.INTEGER, step=field.step or 1)
        if field.kind in (Kind.DATETIME, Kind.TIME):
            return Field(kind=Kind.DURATION, type=f"duration[{kind.unit}]", step=field.step)
        return Field(kind=field.kind, type=str(kind), step=field.step)


def _base(held: pa.Table, bases: tuple[str, ...], codec: Codec) -> tuple[np.ndarray, np.ndarray]:
    """Return the greatest of the bases that are there, and where none is."""
    out, missing = codec.read(held.column(bases[0])), nulls(held.column(bases[0]))
    for name in bases[1:]:
        values, absent = codec.read(held.column(name)), nulls(held.column(name))
        larger = ~absent & (missing | (values > out))
        out, missing = np.where(larger, values, out), missing & absent
    return out, missing


def find_gaps(
    held: pa.Table, rules: Iterable[Parsed], spec: Table, able: set[str], rng: np.random.Generator
) -> list[Gap]:
    """Return the columns to be made as distances, in the order to restore them.

    Args:
        held: the real rows.
        rules: the rules of the table.
        spec: the table.
        able: the columns that may be made so; what they stand above may be any.
        rng: shuffles distances, to see whether a column keeps to a grid of its own.
    """
    out = []
    for order in orders(rules, spec):
        for target in order.columns:
            gap = _gap(order, target)
            if gap is not None and target in able and _close(held, gap, spec, rng):
                out.append(gap)
    return out


def _gap(order: Order, target: str) -> Gap | None:
    below = [e for e in order.edges if e.high == target]
    return Gap(target, tuple(e.low for e in below), any(e.strict for e in below)) if below else None


def _close(held: pa.Table, gap: Gap, spec: Table, rng: np.random.Generator) -> bool:
    """Return whether distances are small beside the column's spread, and say all that there is to its values."""
    codec = Codec(spec.fields[gap.target])
    base, missing = _base(held, gap.bases, codec)
    absent = nulls(held.column(gap.target))
    values = codec.read(held.column(gap.target))
    if np.any(missing & ~absent) or int(np.sum(~absent)) < LEAST:
        return False
    base, values = base[~absent], values[~absent]
    ends = np.abs(np.stack([base, values]).astype(np.float64))
    if not np.all(ends < _FARTHEST if codec.whole else np.isfinite(ends)) or np.any(values < base):
        return False
    apart = values - base
    spread = np.subtract(*np.quantile(values.astype(np.float64), [0.95, 0.05]))
    tight = spread > 0 and np.subtract(*np.quantile(apart.astype(np.float64), [0.95, 0.05])) <= TIGHT * spread
    return bool(tight) and _different(base + rng.permutation(apart), codec) <= OWN * _different(values, codec)


def _different(values: np.ndarray, codec: Codec) -> int:
    return len(np.unique(values if codec.whole else np.round(values, 9)))


def hide(held: pa.Table, gaps: Iterable[Gap], spec: Table) -> pa.Table:
    """Return a table with distances in place of the columns, where both are there."""
    out = held
    for gap in gaps:
        if {gap.target, *gap.bases} <= set(held.column_names):
            out = out.set_column(out.column_names.index(gap.target), gap.target, gap.hidden(held, spec))
    return out


def show(held: pa.Table, gaps: Iterable[Gap], spec: Table) -> pa.Table:
    """Return a table with the columns in place of their distances."""
    for gap in gaps:
        held = held.set_column(held.column_names.index(gap.target), gap.target, gap.shown(held, spec))
    return held


def schema_with(schema: Schema, gaps: Mapping[str, tuple[Gap, ...]]) -> Schema:
    """Return a schema in which distances stand for columns, without the rules of their tables."""
    tables = dict(schema.tables)
    for table, mine in gaps.items():
        if mine:
            spec = tables[table]
            fields = spec.fields | {g.target: g.field(spec) for g in mine}
            tables[table] = Table(fields=fields, key=spec.key)
    return Schema(tables=tables)
