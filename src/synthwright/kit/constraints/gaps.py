"""Columns that stand close above others, modelled by their distance: an end by how long after its start it is.

Two columns that nearly agree, such as the start and the end of a visit, can be modelled each for itself only with an
error larger than what lies between them. So the generator is given the distance in place of the upper column, as a
number that is never negative, and the order holds in every row by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Parsed
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.core.values import midnights, nulls
from synthwright.kit.coding.calendars import Calendar, calendar_of
from synthwright.kit.constraints.pairing import Edge, edges_of
from synthwright.kit.constraints.repairs import Codec, Order, orders

TIGHT = 0.25
"""Where distances spread over no more than this share of what the column itself spreads over, they are modelled."""
TIED = 0.1
"""Where so many rows have no distance, which is more than chance makes, distances are modelled too: they keep that."""
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
    calendar: Calendar | None = None
    """On which days and at which times it may stand; what falls between them stands on the next."""
    counted: bool = False
    """Whether the others stand on the same days and times, so that a distance is how many of them lie between."""

    def hidden(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the distances, as a column of the field that `field` returns."""
        codec = Codec(spec.fields[self.target])
        base, missing = self.base(held, codec)
        missing |= nulls(held.column(self.target))
        apart = np.where(missing, 0, self.read(held.column(self.target), codec) - base)
        return Codec(self.field(spec)).write(apart, missing, self.field(spec))

    def shown(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the column from its distances: never below its bases, not on them where the order is strict."""
        codec, distance = Codec(spec.fields[self.target]), Codec(self.field(spec))
        base, missing = self.base(held, codec)
        missing |= nulls(held.column(self.target))
        apart = np.maximum(distance.read(held.column(self.target)), 0)
        above = base + 1 if self.counted else codec.up(base)
        made = self.moved(np.maximum(base + apart, above if self.strict else base))
        return codec.write(np.where(missing, 0, made), missing, spec.fields[self.target])

    def read(self, column: pa.ChunkedArray, codec: Codec) -> np.ndarray:
        """Return a column as distances are measured in it: as the codec reads it, or as the calendar counts it."""
        kind = canonical(codec.spec)
        days = pa.types.is_date32(column.type) and pa.types.is_timestamp(kind)
        values = codec.read(midnights(column, kind) if days else column)
        return self.calendar.count(values)[0] if self.counted and self.calendar is not None else values

    def base(self, held: pa.Table, codec: Codec) -> tuple[np.ndarray, np.ndarray]:
        """Return the greatest of the bases that are there, and where none is."""
        out, missing = self.read(held.column(self.bases[0]), codec), nulls(held.column(self.bases[0]))
        for name in self.bases[1:]:
            values, absent = self.read(held.column(name), codec), nulls(held.column(name))
            larger = ~absent & (missing | (values > out))
            out, missing = np.where(larger, values, out), missing & absent
        return out, missing

    def moved(self, values: np.ndarray) -> np.ndarray:
        """Return what was read as values of the column, each moved to the next that there may be."""
        if self.calendar is None:
            return values
        return self.calendar.moment(values) if self.counted else self.calendar.next(values)

    def field(self, spec: Table) -> Field:
        """Return what a distance is: days between dates, durations between instants, else a number like the column."""
        field, kind = spec.fields[self.target], canonical(spec.fields[self.target])
        if self.counted:
            return Field(kind=Kind.INTEGER)
        if field.kind is Kind.DATE:
            return Field(kind=Kind.INTEGER, step=field.step or 1)
        if field.kind in (Kind.DATETIME, Kind.TIME):
            return Field(kind=Kind.DURATION, type=f"duration[{kind.unit}]", step=field.step)
        return Field(kind=field.kind, type=str(kind), step=field.step)


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
            gap = _gap(order, target, held, spec) if target in able else None
            if gap is not None and _close(held, gap, spec, rng):
                out.append(gap)
    for edge in _from_days(rules, spec):
        if edge.high in able - {g.target for g in out}:
            gap = Gap(
                edge.high,
                (edge.low,),
                edge.strict,
                calendar_of(spec.fields[edge.high], _distinct(held, edge.high, spec)),
            )
            if _close(held, gap, spec, rng):
                out.append(gap)
    return _bases_first(out)


def _from_days(rules: Iterable[Parsed], spec: Table) -> list[Edge]:
    """Return the orders in which a day stands below an instant."""
    return [e for parsed in rules for e in edges_of(parsed, spec)
            if (spec.fields[e.low].kind, spec.fields[e.high].kind) == (Kind.DATE, Kind.DATETIME)]  # fmt: skip


def _bases_first(gaps: list[Gap]) -> list[Gap]:
    """Return gaps so that whatever one is measured from is restored before it."""
    out: list[Gap] = []
    while left := [g for g in gaps if g not in out]:
        waiting = {g.target for g in left}
        out += [g for g in left if not waiting & set(g.bases)] or left
    return out


def _gap(order: Order, target: str, held: pa.Table, spec: Table) -> Gap | None:
    below = [e for e in order.edges if e.high == target]
    if not below:
        return None
    field, lows = spec.fields[target], tuple(e.low for e in below)
    calendar = calendar_of(field, _distinct(held, target, spec))
    bases = [calendar_of(spec.fields[c], _distinct(held, c, spec)) for c in lows] if calendar is not None else []
    counted = calendar is not None and all(c == calendar for c in bases)
    return Gap(target, lows, any(e.strict for e in below), calendar, counted)


def _distinct(held: pa.Table, column: str, spec: Table) -> np.ndarray:
    """Return the different values of a column of days or instants, ascending; none of others."""
    if spec.fields[column].kind not in (Kind.DATE, Kind.DATETIME):
        return np.zeros(0, dtype=np.int64)
    return np.unique(Codec(spec.fields[column]).read(held.column(column))[~nulls(held.column(column))])


def gap_of(said: Mapping[str, Any]) -> Gap:
    """Rebuild a gap from what `dataclasses.asdict` made of it."""
    calendar = None if said["calendar"] is None else Calendar.of_json(said["calendar"])
    return Gap(said["target"], tuple(said["bases"]), said["strict"], calendar, said["counted"])


def _close(held: pa.Table, gap: Gap, spec: Table, rng: np.random.Generator) -> bool:
    """Return whether distances are small beside the column's spread, and say all that there is to its values."""
    codec = Codec(spec.fields[gap.target])
    base, missing = gap.base(held, codec)
    absent = nulls(held.column(gap.target))
    values = gap.read(held.column(gap.target), codec)
    if np.any(missing & ~absent) or int(np.sum(~absent)) < LEAST:
        return False
    base, values = base[~absent], values[~absent]
    ends = np.abs(np.stack([base, values]).astype(np.float64))
    if not np.all(ends < _FARTHEST if codec.whole else np.isfinite(ends)) or np.any(values < base):
        return False
    apart = values - base
    spread = np.subtract(*np.quantile(values.astype(np.float64), [0.95, 0.05]))
    tight = spread > 0 and np.subtract(*np.quantile(apart.astype(np.float64), [0.95, 0.05])) <= TIGHT * spread
    shuffled = gap.moved(base + rng.permutation(apart))
    close = bool(tight) or _tied(apart, base, rng)
    return close and _different(shuffled, codec) <= OWN * _different(gap.moved(values), codec)


def _tied(apart: np.ndarray, base: np.ndarray, rng: np.random.Generator) -> bool:
    """Return whether many values are equal to their base, and more than are equal to that of another row."""
    same = float(np.mean(apart == 0))
    by_chance = float(np.mean(base + apart == rng.permutation(base)))
    return TIED <= same < 1 and same > 3 * by_chance


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
