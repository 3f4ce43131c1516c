"""Columns that say the day of an instant or its time of that day, and the days from one instant's to another's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation, varies
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import midnights, nulls

MOST = 12
"""Columns of instants that are looked at."""


def clocks(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the columns that are the day or the time of an instant, or whole days between the days of two.

    Days are those of the instant's own zone. The instant is there wherever what follows from it is.
    """
    fields = columns.spec.fields
    kinds = {n: fields[n].kind for n in names}
    instants = [n for n in names if kinds[n] is Kind.DATETIME][:MOST]
    out: dict[str, Relation] = {}
    for instant in instants:
        for name in names:
            function = {Kind.DATE: "date", Kind.DATETIME: "date", Kind.TIME: "time"}.get(kinds[name])
            if function is None or name == instant or name in out:
                continue
            rows = _says(columns, name, instant, function)
            if rows:
                out[name] = Relation(f"{quoted(name)} == {function}({quoted(instant)})", name, (instant,), rows)
    days = [n for n in names if kinds[n] is Kind.DATE and n not in out][:MOST]
    whole = (n for n in names if kinds[n] is Kind.INTEGER or (kinds[n] is Kind.NUMBER and fields[n].step == 1))
    counts = [n for n in whole if varies(columns.sampled_codes(n), columns.rows)]
    first = [n for n in instants if n not in out]
    for late, early in permutations([*first, *days], 2) if counts else ():
        if Kind.DATETIME in (kinds[late], kinds[early]):
            out |= {r.column: r for r in _between(columns, late, early, [n for n in counts if n not in out])}
    return list(out.values())


def _says(columns: Columns, name: str, instant: str, function: str) -> int:
    """Return in how many rows a column is what a function gives of an instant, if in all; else 0."""
    for at in (columns.at, None):
        said, moment = _taken(columns, name, at), _taken(columns, instant, at)
        if at is not None and not varies(columns.sampled_codes(name), columns.rows):
            return 0
        made = _time(moment, said.type, columns.spec.fields[name].step) if function == "time" else _day(moment)
        if pa.types.is_timestamp(said.type):
            if said.type.tz != moment.type.tz:
                return 0
            made = midnights(made, said.type)
        there = ~nulls(said)
        same = pc.equal(said, made.cast(said.type, safe=False))
        if not there.any() or not pc.all(pc.fill_null(same.filter(pa.array(there)), fill_value=False)).as_py():
            return 0
    return int(there.sum())


def _between(columns: Columns, late: str, early: str, counts: list[str]) -> Iterator[Relation]:
    """Yield the columns that count the days from the day of one column to that of another."""
    sample = _apart(columns, late, early, columns.at)
    for name in counts:
        if not _same(columns.sampled(name), sample):
            continue
        values = columns.numbers(name)
        if _same(values, _apart(columns, late, early, None)):
            said = [f"date({quoted(n)})" if columns.spec.fields[n].kind is Kind.DATETIME else quoted(n)
                    for n in (late, early)]  # fmt: skip
            rows = int(np.sum(~np.isnan(values)))
            yield Relation(f"{quoted(name)} == {said[0]} - {said[1]}", name, (late, early), rows)
            return


def _apart(columns: Columns, late: str, early: str, at: np.ndarray | None) -> np.ndarray:
    """Return the whole days from one column to the other; NaN where one is missing."""
    one, other = (_day(_taken(columns, n, at)).cast(pa.int32()).cast(pa.float64()) for n in (late, early))
    return np.asarray(pc.fill_null(pc.subtract(one, other), float("nan")).to_numpy())


def _same(values: np.ndarray, wanted: np.ndarray) -> bool:
    """Return whether a column has these values wherever it has one."""
    there = ~np.isnan(values)
    return bool(there.any() and np.array_equal(values[there], wanted[there]))


def _taken(columns: Columns, name: str, at: np.ndarray | None) -> pa.ChunkedArray:
    column = columns.held.column(name)
    return column if at is None else column.take(pa.array(at))


def _local(moment: pa.ChunkedArray) -> pa.ChunkedArray:
    return moment if getattr(moment.type, "tz", None) is None else pc.local_timestamp(moment)


def _day(moment: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return days, or the days of instants on the clocks of their zone."""
    if not pa.types.is_timestamp(moment.type):
        return moment
    return pc.floor_temporal(_local(moment), unit="day").cast(pa.date32())


def _time(moment: pa.ChunkedArray, kind: pa.DataType, step: float | None) -> pa.ChunkedArray:
    """Return the times of instants on the clocks of their zone, as the last ones on a lattice that are not later."""
    local = _local(moment)
    ticks = local.cast(pa.time64("ns" if local.type.unit == "ns" else "us")).cast(kind, safe=False).cast(pa.int64())
    step = int(step or 1)
    return pc.multiply(pc.divide(ticks, step), step).cast(kind)
