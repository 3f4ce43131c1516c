"""Instants in parts, where other columns go by the hour of the day or the day of the week.

A column of instants is cut into cells that are longer than a day where it is long: of the hour nothing is left in them.
So the generator is given the day, the time of day and, where that tells too, the day of the week as columns of their
own, and the instant is put together again from what it makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.core.values import nulls
from synthwright.kit.constraints.repairs import Codec
from synthwright.kit.events.rhythm_clock import shown, when

LEARN = 20_000
"""Rows from which is told what goes by the hour or the day, at most, evenly spread."""
SURE = 1e-6
"""How unlikely it must be that a table without any rhythm shows one, for all of its columns together."""
FIVE = 5
"""Rows of a cell that the test of independence wants."""
DAYS, WEEKS = 7, 5
"""Days and weeks without which nothing is a rhythm."""
HOURS = 24
_WEEK, _MONDAY = 7, 3
"""The first of January 1970 was a Thursday: so many days after a Monday."""


@dataclass(frozen=True)
class Rhythm:
    """A column of days or instants that is made in parts: the day or week in its place, the others beside it."""

    target: str
    clock: str
    """What the column of the times of day is called; nothing: there is none."""
    weekday: str
    """What the column of the days of the week is called; nothing: there is none."""

    def fields(self, spec: Table) -> dict[str, Field]:
        """Return what the parts are, by name."""
        field, unit = spec.fields[self.target], _unit(spec.fields[self.target])
        first = Field(kind=Kind.INTEGER if self.weekday else Kind.DATE, nulls=field.nulls)
        found = {self.target: first}
        if self.clock:
            found[self.clock] = Field(kind=Kind.TIME, type=f"time64[{unit}]", nulls=False)
        if self.weekday:
            found[self.weekday] = Field(kind=Kind.CATEGORY, nulls=False)
        return found

    def apart(self, held: pa.Table, spec: Table) -> dict[str, pa.Array]:
        """Return the parts of the column, by name; beside a missing one stand parts of other rows, that say nothing."""
        parts, missing = split(held.column(self.target), spec.fields[self.target])
        first = parts.week if self.weekday else parts.day
        fields = self.fields(spec)
        out = {self.target: Codec(fields[self.target]).write(first, missing, fields[self.target])}
        if self.clock:
            times = _dealt(parts.time, missing)
            out[self.clock] = Codec(fields[self.clock]).write(times, np.zeros(len(times), bool), fields[self.clock])
        if self.weekday:
            out[self.weekday] = pa.array(_dealt(parts.weekday, missing).astype(np.str_), pa.large_string())
        return out

    def together(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the column from its parts."""
        field, fields = spec.fields[self.target], self.fields(spec)
        first = held.column(self.target)
        missing = nulls(first)
        days = np.where(missing, 0, Codec(fields[self.target]).read(first))
        if self.weekday:
            label = held.column(self.weekday).combine_chunks().cast(pa.int64())
            days = days * _WEEK + np.asarray(label.fill_null(0)) - _MONDAY
        if field.kind is Kind.DATE:
            return Codec(field).write(days, missing, field)
        times = Codec(fields[self.clock]).read(held.column(self.clock))
        clock = days * _a_day(field) + times
        return Codec(field).write(when(clock, canonical(field).tz, _unit(field)), missing, field)


class Parts(NamedTuple):
    """Days or instants in parts, int64; of missing ones anything."""

    day: np.ndarray
    """Since 1970, as clocks there show it."""
    week: np.ndarray
    """Since the one that held the first of January 1970."""
    weekday: np.ndarray
    """0: Monday."""
    time: np.ndarray
    """Since midnight, in the unit of the column."""


def split(column: pa.ChunkedArray, field: Field) -> tuple[Parts, np.ndarray]:
    """Return a column in parts, and where it has no value."""
    values = Codec(field).read(column)
    if field.kind is Kind.DATE:
        day, time = values, np.zeros_like(values)
    else:
        day, time = np.divmod(shown(values, canonical(field).tz, _unit(field)), _a_day(field))
    week, weekday = np.divmod(day + _MONDAY, _WEEK)
    return Parts(day, week, weekday, time), nulls(column)


def find_rhythms(held: pa.Table, spec: Table, able: Iterable[str]) -> list[Rhythm]:
    """Return which columns are to be made in parts.

    Args:
        held: the real rows, with what other columns are made as.
        spec: the table, as those rows are.
        able: the columns that may be made so.
    """
    moments = [c for c in able if spec.fields[c].kind in (Kind.DATE, Kind.DATETIME)]
    if not moments:
        return []
    rows = np.unique(np.linspace(0, held.num_rows - 1, min(held.num_rows, LEARN)).astype(np.int64))
    some = held.take(pa.array(rows))
    others = {c: _coded(some.column(c)) for c in held.column_names if c in spec.fields and not spec.fields[c].anew}
    taken, out = set(spec.fields), []
    for name in moments:
        parts, missing = split(some.column(name), spec.fields[name])
        there, beside = ~missing, [codes for c, codes in others.items() if c != name]
        timed = spec.fields[name].kind is Kind.DATETIME
        hourly = timed and _hourly(parts, there, beside, _a_day(spec.fields[name]) // HOURS)
        weekly = _weekly(parts, there, beside)
        if hourly or weekly:
            out.append(Rhythm(name, _free(f"{name} (time)", taken) if timed else "",
                              _free(f"{name} (weekday)", taken) if weekly else ""))  # fmt: skip
    return out


def schema_in_parts(schema: Schema, rhythms: Mapping[str, tuple[Rhythm, ...]]) -> Schema:
    """Return a schema in which parts stand for columns, without the rules of their tables."""
    tables = dict(schema.tables)
    for table, mine in rhythms.items():
        if mine:
            spec = tables[table]
            fields = dict(spec.fields)
            for rhythm in mine:
                fields.update(rhythm.fields(spec))
            tables[table] = Table(fields=fields, key=spec.key)
    return Schema(tables=tables)


def parted(held: pa.Table, rhythms: Iterable[Rhythm], spec: Table) -> pa.Table:
    """Return a table with the parts in place of the columns, where these are there."""
    for rhythm in rhythms:
        if rhythm.target not in held.column_names:
            continue
        for name, values in rhythm.apart(held, spec).items():
            at = held.column_names.index(name) if name in held.column_names else -1
            held = held.append_column(name, values) if at < 0 else held.set_column(at, name, values)
    return held


def joined(held: pa.Table, rhythms: Iterable[Rhythm], spec: Table) -> pa.Table:
    """Return a table with the columns in place of their parts."""
    for rhythm in rhythms:
        whole = rhythm.together(held, spec)
        held = held.set_column(held.column_names.index(rhythm.target), rhythm.target, whole)
        held = held.drop_columns([c for c in (rhythm.clock, rhythm.weekday) if c])
    return held


def rhythm_of(said: Mapping[str, Any]) -> Rhythm:
    """Rebuild what `dataclasses.asdict` made of it."""
    return Rhythm(said["target"], said["clock"], said["weekday"])


def _hourly(parts: Parts, there: np.ndarray, others: list[np.ndarray], hour: int) -> bool:
    """Return whether the time of day tells about other columns, or some hours are far more frequent than others."""
    if len(np.unique(parts.day[there])) < DAYS or len(np.unique(parts.time[there])) < 2:
        return False
    if any(_tells(_cut(parts.time, there), codes, there, len(others)) for codes in others):
        return True
    counts = np.bincount(parts.time[there] // hour, minlength=HOURS)
    open_ = counts[np.flatnonzero(counts)][1:-1]  # the first and the last may be open but in part
    mean = float(open_.mean()) if len(open_) > 1 else 0.0
    return mean >= FIVE and _chance(float(((open_ - mean) ** 2).sum()) / mean, len(open_) - 1) < SURE


def _weekly(parts: Parts, there: np.ndarray, others: list[np.ndarray]) -> bool:
    """Return whether the day of the week tells about other columns."""
    if len(np.unique(parts.week[there])) < WEEKS or len(np.unique(parts.weekday[there])) < 2:
        return False
    return any(_tells(parts.weekday, codes, there, len(others)) for codes in others)


def _tells(label: np.ndarray, codes: np.ndarray, there: np.ndarray, many: int) -> bool:
    """Return whether a label tells about the codes of another column: the chi-squared test of independence."""
    table = np.zeros((int(label.max()) + 1, int(codes.max()) + 1))
    np.add.at(table, (label[there], codes[there]), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1)[:, None] * table.sum(axis=0) / max(table.sum(), 1)
    if min(table.shape) < 2 or np.mean(expected) < FIVE:
        return False
    each = (table - expected) ** 2 / np.maximum(expected, FIVE)
    return _chance(float(each.sum()), (table.shape[0] - 1) * (table.shape[1] - 1)) < SURE / max(many, 1)


def _chance(stat: float, freedom: int) -> float:
    """Return how likely chance alone gives a sum of squares as large as this."""
    from scipy.special import chdtrc

    return float(chdtrc(freedom, stat))


def _coded(column: pa.ChunkedArray, parts: int = 6) -> np.ndarray:
    """Return each value of a column as one of a few numbers: by its rank, or its place among the most frequent."""
    whole = column.combine_chunks().dictionary_encode()
    codes = np.asarray(whole.indices.fill_null(len(whole.dictionary)))
    if len(whole.dictionary) <= parts:
        return codes
    if pa.types.is_large_string(whole.dictionary.type) or pa.types.is_large_binary(whole.dictionary.type):
        rank = np.argsort(np.argsort(-np.bincount(codes, minlength=len(whole.dictionary) + 1), kind="stable"))
        return np.minimum(rank[codes], parts)
    order = np.asarray(pa.compute.rank(whole.dictionary, tiebreaker="first")).astype(np.int64)
    return _cut(np.append(order, 0)[codes], codes < len(whole.dictionary), parts)


def _cut(values: np.ndarray, there: np.ndarray, parts: int = 6) -> np.ndarray:
    """Return for each value one of a few numbers, cut where equally many lie; the last where there is no value."""
    if not there.any():
        return np.full(len(values), parts)
    edges = np.unique(np.quantile(values[there], np.linspace(0, 1, parts + 1)[1:-1]))
    return np.where(there, np.searchsorted(edges, values), parts)


def _dealt(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return values, those that are missing dealt from those that are there."""
    if not missing.any():
        return values
    there = values[~missing] if not missing.all() else np.zeros(1, np.int64)
    out = values.copy()
    out[missing] = np.resize(there, int(missing.sum()))
    return out


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no column has, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _a_day(field: Field) -> int:
    return 86_400 * (10**9 if _unit(field) == "ns" else 10**6)


def _unit(field: Field) -> Any:
    return "us" if field.kind is Kind.DATE else canonical(field).unit
