"""Columns that add up the rows before: running totals, balances, the number of a row within its group.

They are no relation of one row: other rows say what they are. The generator `running` makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.dataset import Dataset
from synthwright.core.relation_columns import Columns, turned
from synthwright.core.rules import parse, quoted
from synthwright.core.schema import ORDERED, Kind, Rule, Table
from synthwright.core.spec import PartUse

MOST_ROWS = 200_000
"""Rows of a table in which they are looked for, at most."""
MOST, SEEN = 12, 100
"""Columns of each sort that are tried; columns among which those that name groups are looked for."""
LEAST = 20
"""Rows that follow another one of their group, and that would break the relation with another row's amount."""
_FIRST = 64
_CLEAR = 4.0
"""Standard errors from which on a dependence is believed."""
_FAR = 100
"""How many times as many rows of a group as there were the type of their number must have room for."""
_PLAIN = re.compile(r"[A-Za-z_]\w*")
"""Names that are no formula of their own."""


class Running(NamedTuple):
    """How a column adds up."""

    column: str
    of: str | None
    """The column whose values are added; nothing: rows are counted."""
    per: str | None
    """The column whose rows with equal values are added; nothing: all."""
    order: str | None
    """The column that says which row comes first; nothing: as they stand."""
    opening: float = 0.0
    before: str | None = None
    """The column that says what there was before the row."""
    rising: bool = False
    """Whether nothing that is added is below zero, nor what there was at first."""
    alone: bool = True
    """Whether the column may be made last: no other column goes by it, it stays in its range, its type has room."""

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters of the generator `running`."""
        said = {"of": self.of, "per": self.per, "order": self.order, "from": self.opening or None,
                "before": self.before}  # fmt: skip
        return {word: value for word, value in said.items() if value is not None}

    def by_construction(self, rule: Rule) -> bool:
        """Return whether a rule of the column holds anyhow: its numbers are unique, no part is more than the whole."""
        if rule.rule.startswith("unique("):
            return self.of is None
        lower = [quoted(c) for c in (self.of, self.before) if c is not None]
        if rule.rule in {f"{c} <= {quoted(self.column)}" for c in lower}:
            return self.rising
        return self.before is not None and set(map(str, (self.of, self.before, self.column))) == _named(rule)


def running(dataset: Dataset) -> dict[str, list[Running]]:
    """Return for each table the columns that add up others, and that no rule says something else about.

    A balance that rises and falls is not made last by itself: it would leave its range, and what goes by it would not
    follow. Its part is told, and whoever writes the specification decides.
    """
    out = {}
    for table, held in dataset.tables.items():
        rules = dataset.schema.tables[table].rules
        found = [r for r in running_in(held, dataset.schema.tables[table])
                 if all(r.column not in _named(rule) or r.by_construction(rule) for rule in rules)]  # fmt: skip
        if found:
            out[table] = found
    return out


def parts_of(dataset: Dataset, given: Sequence[str] = (), *, told: bool = False) -> list[PartUse]:
    """Return the parts that make the columns that add up others, but for those that are given.

    Args:
        dataset: the tables.
        given: the columns that are there.
        told: whether those count too that are better made beside the others.
    """
    return [PartUse(make=tuple(f"{table}.{c}" for c in (one.column, one.before) if c is not None), use="running",
                    settings=one.settings)
            for table, found in running(dataset).items() for one in found
            if (told or one.alone) and not {f"{table}.{one.column}", f"{table}.{one.before}"} & {*given}]  # fmt: skip


def rising(dataset: Dataset) -> list[tuple[str, str]]:
    """Return the columns that never fall from one row to the next in time, and the column that says when.

    Meters and versions; made rows know nothing of each other. Left out are columns that a rule keeps with the time, and
    those that `running` makes.
    """
    made = {c for part in parts_of(dataset, told=True) for c in part.make}
    out: dict[str, str] = {}
    for table, held in dataset.tables.items():
        spec, columns = dataset.schema.tables[table], Columns.of(held, dataset.schema.tables[table])
        able = [c for c in columns.ordered() if columns.family(c) == "number" and columns.exact(c)]
        tied = [_named(rule) for rule in spec.rules]
        for per, order, rows in _walks(columns) if 2 * LEAST <= columns.rows <= MOST_ROWS else ():
            if order is None or spec.fields[order].kind not in (Kind.DATE, Kind.DATETIME):
                continue
            codes = columns.codes(per)[rows] if per is not None else np.zeros(len(rows), dtype=np.int64)
            same = np.diff(codes) == 0
            for target in (c for c in able if c != per and not any({c, order} <= names for names in tied)):
                step = np.diff(columns.numbers(target)[rows])[same]
                if (step >= 0).all() and (step > 0).sum() >= LEAST and f"{table}.{target}" not in made:
                    out.setdefault(f"{table}.{target}", order)
    return list(out.items())


def _named(rule: Rule) -> set[str]:
    return {*parse(rule.rule).columns}


def running_in(held: pa.Table, spec: Table) -> list[Running]:
    """Return the columns of a table that add up other columns, or count rows."""
    columns = Columns.of(held, spec)
    if not 2 * LEAST <= columns.rows <= MOST_ROWS:
        return []
    number = (n for n in columns.ordered() if columns.family(n) == "number")
    able = [*islice((n for n in number if columns.exact(n) and columns.varies(n)), MOST)]
    out: list[Running] = []
    for per, order, rows in _walks(columns):
        before = len(out)
        codes = columns.codes(per)[rows] if per is not None else np.zeros(len(rows), dtype=np.int64)
        begins = np.diff(codes, prepend=codes[0] - 1) != 0
        if (~begins).sum() < LEAST or {per, order} & {r.column for r in out}:
            continue
        taken = {per, order} | {c for r in out for c in (r.of, r.per, r.order)}
        free = [n for n in able if n not in taken | {r.column for r in out} and not np.isnan(columns.numbers(n)).any()]
        parts = [n for n in able if n not in {per, order}]
        for target in free:
            found = None if target in {r.of for r in out} else _summed(columns, target, parts, rows, begins)
            if found is not None and _PLAIN.fullmatch(str(found.of)):
                out.append(found._replace(per=per, order=order))
        made = {r.column for r in out} | {per, order}
        for target in (n for n in free if n not in made and n not in {r.of for r in out}) if per is not None else ():
            found = _counted(columns, target, rows, begins)
            if found is not None and not _tells(columns, target, rows, begins, made):
                out.append(found._replace(per=per, order=order))
        others = {per, order} | {c for r in out for c in (r.column, r.of, r.before)}
        for i in range(before, len(out)):
            out[i] = out[i]._replace(alone=_alone(columns, out[i], rows, begins, others))
    return out


def _alone(columns: Columns, one: Running, rows: np.ndarray, begins: np.ndarray, others: set[str | None]) -> bool:
    """Return whether a column may be made last, after all others."""
    kind = columns.spec.fields[one.column].type
    if one.of is None:
        narrow = {"int8": 127, "uint8": 255, "int16": 32_767, "uint16": 65_535}
        return _FAR * columns.numbers(one.column).max() <= narrow.get(kind or "", np.inf)
    steady = one.rising and not one.opening and kind in (None, "int64", "double")
    return steady and not _tells(columns, one.column, rows, begins, others)


def _walks(columns: Columns) -> Iterator[tuple[str | None, str | None, np.ndarray]]:
    """Yield groups and orders that rows may be added in, and the rows so: by time, by a number, or as they stand."""
    fields = columns.spec.fields
    names = [n for n in columns.held.column_names if n in fields and fields[n].kind is not Kind.KEY]
    groups = [*islice((n for n in names[:SEEN] if _groups(columns, n)), MOST)]
    times = [n for n in names if fields[n].kind in (Kind.DATE, Kind.DATETIME) and not columns.held.column(n).null_count]
    places = [n for n in names if fields[n].kind is Kind.INTEGER and not columns.held.column(n).null_count]
    for order in (*times[:3], *places[:3], None):
        when = columns.numbers(order) if order is not None else np.zeros(columns.rows)
        steps = len(np.unique(when)) if order in places else columns.rows
        for per in (*groups, None):
            if per is not None and per == order:
                continue
            of = columns.codes(per) if per is not None else np.zeros(columns.rows, dtype=np.int64)
            if len(of) and np.bincount(of).max() > steps:
                continue  # some rows of a group have one place
            rows = np.lexsort((when, of))
            if order in places and not np.all((np.diff(when[rows]) != 0) | (np.diff(of[rows]) != 0)):
                continue  # a number that says which row comes first says it of all of them
            yield per, order, rows


def _groups(columns: Columns, name: str) -> bool:
    """Return whether a column names groups of several rows."""
    codes = columns.codes(name)
    kinds = (Kind.CATEGORY, Kind.REFERENCE, Kind.INTEGER, Kind.TEXT, Kind.BOOLEAN)
    if columns.spec.fields[name].kind not in kinds or not len(codes) or codes.min() < 0:
        return False
    return 2 <= len(np.unique(codes)) <= len(codes) / 2


def _counted(columns: Columns, target: str, rows: np.ndarray, begins: np.ndarray) -> Running | None:
    """Return the target as the number of the row within its group, from 1; not where all groups are as large.

    These are all pairs of two columns, each of which would number the rows of the other.
    """
    own = columns.numbers(target)[rows]
    if len(np.unique(np.diff(np.flatnonzero(np.append(begins, True))))) == 1:
        return None
    since = np.arange(len(own)) - np.maximum.accumulate(np.where(begins, np.arange(len(own)), 0))
    return Running(target, None, None, None) if np.array_equal(own, since + 1.0) else None


def _tells(columns: Columns, target: str, rows: np.ndarray, begins: np.ndarray, made: set[str | None]) -> bool:
    """Return whether other columns depend on the number of a row: what is counted alone would lose that."""
    group = np.cumsum(begins) - 1
    own = _centred(columns.numbers(target)[rows], group)
    for name in [n for n in columns.held.column_names if n in columns.spec.fields and n not in made | {target}][:SEEN]:
        field = columns.spec.fields[name]
        if field.anew:
            continue
        if field.kind in ORDERED:
            other = columns.numbers(name)[rows]
            there = ~np.isnan(other)
            one, other = own[there], _centred(np.argsort(np.argsort(other[there])).astype(np.float64), group[there])
            size = float(np.sqrt(np.sum(one**2) * np.sum(other**2)))
            if size and abs(float(one @ other)) / size * np.sqrt(len(one)) > _CLEAR:
                return True
        else:
            codes = columns.codes(name)[rows] + 1
            counts = np.maximum(np.bincount(codes), 1)
            between = float(np.sum(np.bincount(codes, own) ** 2 / counts)) / max(float(np.sum(own**2)), 1e-300)
            if len(counts) < len(own) / 5 and between * len(own) > len(counts) + _CLEAR * np.sqrt(2 * len(counts)):
                return True
    return False


def _centred(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return values less the mean of their group."""
    return values - (np.bincount(group, values) / np.maximum(np.bincount(group), 1))[group]


def _summed(columns: Columns, target: str, names: list[str], rows: np.ndarray, begins: np.ndarray) -> Running | None:
    """Return the target as the sum of another column so far."""
    own = columns.numbers(target)[rows]
    change = np.diff(own, prepend=0.0)
    steps = ~begins
    room = columns.rounding(target) * 1e-3 + 1e-9 * np.abs(own).max()
    for name in (n for n in names if n != target):
        amounts = columns.numbers(name)[rows]
        first = np.flatnonzero(steps)[:_FIRST]
        if np.isnan(amounts).any() or np.any(np.abs(change[first] - amounts[first]) > room):
            continue
        if np.any(np.abs(change - amounts)[steps] > room):
            continue
        other = turned(amounts)
        opened = (own - amounts)[begins]
        if (np.abs(change - other)[steps] > room).sum() < LEAST or (len(opened) > 1 and np.abs(opened).max() > room):
            continue
        opening = 0.0 if np.abs(opened).max() <= room else float(f"{opened[0]:.0e}")  # nobody's: one digit of it
        before = next(
            (b for b in names if b not in (name, target) and _says(columns, b, rows, own - amounts, room)), None
        )
        return Running(target, name, None, None, opening, before, bool(amounts.min() >= 0 and opening >= 0))
    return None


def _says(columns: Columns, name: str, rows: np.ndarray, wanted: np.ndarray, room: float) -> bool:
    return bool(np.all(np.abs(columns.numbers(name)[rows] - wanted) <= room))
