"""Columns of which no two rows share all values: every day once, every store once in each week."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pyarrow as pa

from synthwright.core.relation_columns import DAY, Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

EXPECTED = 30.0
"""Pairs of rows that would share all values if the columns had nothing to do with each other, at least."""
MOST = ((2, 60), (3, 16), (4, 10))
"""How many columns are combined, and among how many of them: those that repeat most."""
REPEATED = 12.0
"""Pairs of rows that would share a single value by chance, at least."""
_COUNTED = (Kind.DATE, Kind.DATETIME, Kind.INTEGER)
ALONE = 20_000
"""Rows of a table in which days or instants that occur once are looked for, at most: all are made together."""
FIRST = 256
"""Rows on which all combinations are tried."""


def unique_together(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the smallest sets of columns whose values together occur once at most.

    None of the columns differs in all rows by itself, and by chance many rows would have been alike. A row in which
    one of the values is missing does not count.
    """
    ties = {n: _ties(columns.sampled_codes(n)) for n in names}
    repeating = sorted((n for n in names if ties[n] > 0), key=lambda n: -ties[n])
    found: list[frozenset[str]] = []
    out: list[Relation] = []
    for together in _sets(repeating):
        if any(known <= set(together) for known in found):
            continue
        if _expected(columns.rows, [ties[n] for n in together]) < EXPECTED:
            continue
        rows = _differ(columns, together)
        if rows and _expected(rows, [ties[n] for n in together]) >= EXPECTED:
            found.append(frozenset(together))
            said = sorted(together, key=names.index)
            out.append(Relation(f"unique({', '.join(map(quoted, said))})", said[-1], tuple(said[:-1]), rows))
    return out


def unique_alone(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the columns of days, instants or whole numbers that differ in all rows, where by chance some would not."""
    out: list[Relation] = []
    for name in names:
        if columns.spec.fields[name].kind not in _COUNTED or columns.rows > ALONE or not columns.exact(name):
            continue
        values = np.sort(columns.numbers(name))
        values = values[~np.isnan(values)]
        apart = np.diff(values)
        if len(values) < 2 or not apart.all():
            continue
        step = int(np.gcd.reduce(apart.astype(np.int64)))
        if columns.spec.fields[name].kind is not Kind.INTEGER:
            step = max(step, _in_months(columns, name))
        places = (values[-1] - values[0]) / step + 1
        if len(values) * (len(values) - 1) / 2 / places >= REPEATED:
            out.append(Relation(f"unique({quoted(name)})", name, (), len(values)))
    return out


def _in_months(columns: Columns, name: str) -> int:
    """Return how long the shortest month is where each has one row, on the same of its days or on the last; else 0."""
    held = columns.held.column(name).drop_null()
    days = np.asarray(held.cast(pa.date32(), safe=False).cast(pa.int32())).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    if len(np.unique(months)) < len(months):
        return 0
    last = (months + 1).astype("datetime64[D]") - days == np.timedelta64(1, "D")
    same = np.ptp((days - months.astype("datetime64[D]")).astype(np.int64)) == 0
    return 28 * DAY.get(getattr(held.type, "unit", ""), 1) if same or last.all() else 0


def _sets(names: list[str]) -> Iterator[tuple[str, ...]]:
    for size, among in MOST:
        yield from combinations(names[:among], size)


def _ties(codes: np.ndarray) -> float:
    """Return how likely two rows share the value of a column; 0: none in the sample do."""
    counts = np.bincount(codes[codes >= 0]).astype(np.float64)
    rows = counts.sum()
    return float((counts * (counts - 1)).sum() / (rows * (rows - 1))) if rows > 1 else 0.0


def _expected(rows: int, ties: list[float]) -> float:
    """Return how many pairs of rows would be alike by chance."""
    return rows * (rows - 1) / 2 * float(np.prod(ties))


def _differ(columns: Columns, together: tuple[str, ...]) -> int:
    """Return how many rows have all values, if no two of them share all; else 0."""
    held = [columns.sampled_codes(n) for n in together]
    if not (_once([c[:FIRST] for c in held]) and _once(held)):
        return 0
    whole = [columns.codes(n) for n in together]
    return int(np.logical_and.reduce([c >= 0 for c in whole]).sum()) if _once(whole) else 0


def _once(held: list[np.ndarray]) -> bool:
    there = np.logical_and.reduce([c >= 0 for c in held])
    place = np.zeros(int(there.sum()), dtype=np.int64)
    for codes in held:
        _, place = np.unique(place * (int(codes.max(initial=0)) + 1) + codes[there], return_inverse=True)
    return len(place) == int(place.max(initial=-1)) + 1
