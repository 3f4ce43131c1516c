"""The rows of episodes: what is known of them, gathered for them alone, and the words by which formulas speak of them.

A path through references is followed for these rows only, so that it costs the same however many rows the other table
has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.kit.events.episodes import Ground, Laid
from synthwright.kit.lookups import gathered, picked
from synthwright.kit.ruled import Ask, hops, reached

STEP, LENGTH, START = "episode.step", "episode.length", "episode.start"
FIRST = "episode.first."
OF_ROW, OF_EPISODE = ("row.u", "row.v", "row.w"), ("episode.u", "episode.v", "episode.w")
"""Random numbers from 0 to 1: of each row, and of each episode."""
WORDS = ("episode.", "row.")
"""What all words begin with."""


# --------------------------------------------------------------------------------------------------------- the words
def worded(schema: Schema, table: str, order: str | None) -> Schema:
    """Return a schema in which a table has the words of episodes as columns besides its own."""
    fields = schema.tables[table].fields
    words = dict.fromkeys((*OF_ROW, *OF_EPISODE), Field(kind=Kind.NUMBER, nulls=False))
    words |= dict.fromkeys((STEP, LENGTH), Field(kind=Kind.INTEGER, nulls=False))
    words |= {START: fields[order]} if order in fields else {}
    words |= {FIRST + name: one for name, one in fields.items()}
    return _with_fields(schema, table, {**fields, **words})


def _with_fields(schema: Schema, table: str, fields: Mapping[str, Field]) -> Schema:
    """Return a schema with other fields of a table, unchecked: they may be called what no column is."""
    spec = Table.model_construct(fields=dict(fields), key=None, rules=(), notes=())
    return Schema.model_construct(tables={**schema.tables, table: spec})


def behind(schema: Schema, table: str, order: str | None, paths: Iterable[str]) -> list[str]:
    """Return the columns of the schema, as `table.column`, that paths and words are taken from."""
    words = worded(schema, table, order)
    found = (str(hop) for path in paths for hop in reached(words, table, path))
    return real(schema, table, order, found)


def real(schema: Schema, table: str, order: str | None, columns: Iterable[str]) -> list[str]:
    """Return columns, as `table.column`, with those that stand behind words in place of the words."""
    out: dict[str, None] = {}
    for column in columns:
        name = column.removeprefix(f"{table}.")
        if not column.startswith(f"{table}.") or name in schema.tables[table].fields:
            out[column] = None
        elif name == START and order is not None:
            out[f"{table}.{order}"] = None
        elif name.startswith(FIRST):
            out[f"{table}.{name.removeprefix(FIRST)}"] = None
    return list(out)


# ---------------------------------------------------------------------------------------------------------- the rows
@dataclass(frozen=True)
class Acted:
    """The rows of the episodes of one pattern, one episode after another."""

    pattern: str
    rows: np.ndarray
    """Which rows they are."""
    whose: np.ndarray
    """Which episode each belongs to, from 0 on."""
    step: np.ndarray
    """Where in its episode each is, from 0 on."""
    lengths: np.ndarray
    """How many rows each episode has."""

    @staticmethod
    def of(pattern: str, ground: Ground, laid: Laid) -> Acted:
        """Return the rows that episodes take."""
        whose = np.repeat(np.arange(len(laid.lengths)), laid.lengths)
        return Acted(pattern, ground.rows(laid.places), whose, laid.steps, laid.lengths)

    @property
    def first(self) -> np.ndarray:
        """The first row of each row's episode."""
        return self.rows[self.step == 0][self.whose]


class Scene:
    """The rows of all episodes, one pattern after another, and what formulas see of them.

    Args:
        ask: all rows.
        order: the column by which rows of an entity are ordered, if any.
        acted: the rows of each pattern.
    """

    def __init__(self, ask: Ask, order: str | None, acted: Sequence[Acted]) -> None:
        self.ask, self.order, self.acted = ask, order, acted
        self.schema = worded(ask.given.schema, ask.table, order)
        self.rows = np.concatenate([a.rows for a in acted]) if acted else np.zeros(0, dtype=np.int64)
        self._ends = np.cumsum([0, *(len(a.rows) for a in acted)])
        self._known: dict[str, pa.Array] = {}

    def asked(self, which: int, paths: Iterable[str], *, once: bool = False) -> Ask:
        """Return the rows of one pattern with what some paths lead to, each under the path's own name.

        Args:
            which: the place of the pattern.
            paths: columns, paths and words.
            once: whether only the first row of each episode is meant.
        """
        low, high = self._ends[which], self._ends[which + 1]
        columns = {p: self.column(p).slice(low, high - low) for p in dict.fromkeys(paths)}
        columns[ROW] = pa.array(self.ask.numbers[self.rows[low:high]])
        if once:
            firsts = pa.array(np.flatnonzero(self.acted[which].step == 0))
            columns = {p: values.take(firsts) for p, values in columns.items()}
        return _of(self.ask, self.schema, columns)

    def column(self, path: str) -> pa.Array:
        """Return what a column, path or word is in all rows of episodes.

        Raises:
            SampleError: it is not there yet.
        """
        if path not in self._known:
            self._known[path] = _led(self.ask, self.schema, path, self._own)
        return self._known[path]

    def _own(self, name: str) -> pa.Array:
        """Return a column of the table, or a word."""
        if name in OF_ROW:
            return self._joined([self._uniform(a, name, len(a.rows)) for a in self.acted])
        if name in OF_EPISODE:
            return self._joined([self._uniform(a, name, len(a.lengths))[a.whose] for a in self.acted])
        if name == STEP:
            return self._joined([a.step for a in self.acted])
        if name == LENGTH:
            return self._joined([a.lengths[a.whose] for a in self.acted])
        if name == START and self.order is not None:
            return _held(self.ask, self.order, self._firsts())
        if name.startswith(FIRST):
            return _held(self.ask, name.removeprefix(FIRST), self._firsts())
        return _held(self.ask, name, self.rows)

    def _firsts(self) -> np.ndarray:
        """Return the first row of each row's episode."""
        return np.concatenate([a.first for a in self.acted])

    def _uniform(self, acted: Acted, word: str, many: int) -> np.ndarray:
        """Return random numbers, the same whatever other words are used."""
        return self.ask.ctx.at(acted.pattern, word).rng.random(many)

    @staticmethod
    def _joined(parts: Sequence[np.ndarray]) -> pa.Array:
        return pa.array(np.concatenate(parts))


def seen(ask: Ask, rows: np.ndarray, paths: Iterable[str]) -> Ask:
    """Return some of the rows with what some paths lead to, each under the path's own name."""

    def own(name: str) -> pa.Array:
        return _held(ask, name, rows)

    columns = {p: _led(ask, ask.given.schema, p, own) for p in dict.fromkeys(paths)}
    return _of(ask, ask.given.schema, {**columns, ROW: pa.array(ask.numbers[rows])})


def _of(ask: Ask, schema: Schema, columns: Mapping[str, pa.Array]) -> Ask:
    """Return an ask for rows that have these columns, named by paths."""
    fields = dict(schema.tables[ask.table].fields)
    for path in columns:
        if path not in fields and path != ROW:
            last = hops(schema, ask.table, path)[-1]
            fields[path] = schema.tables[last.table].fields[last.column]
    tables = {**ask.given.tables, ask.table: pa.table(dict(columns))}
    return replace(ask, given=Dataset(_with_fields(schema, ask.table, fields), tables), produce=())


def _led(ask: Ask, schema: Schema, path: str, own: Callable[[str], pa.Array]) -> pa.Array:
    """Return what a path leads to from some rows, whose own columns are given by a function."""
    steps = hops(schema, ask.table, path)
    values = own(steps[0].column)
    for before, step in pairwise(steps):
        key = schema.split(cast(str, schema.tables[before.table].fields[before.column].to))[1]
        parent = ask.given.tables.get(step.table)
        if parent is None or not {key, step.column} <= set(parent.column_names):
            raise _absent(ask, f"path {path!r}")
        values = gathered(parent.column(key), parent.column(step.column), values)
    return values


def _held(ask: Ask, name: str, rows: np.ndarray) -> pa.Array:
    held = ask.given.tables[ask.table]
    if name not in held.column_names:
        raise _absent(ask, f"column {name!r}")
    return picked(held.column(name), rows)


def _absent(ask: Ask, thing: str) -> SampleError:
    return SampleError(f"table {ask.table!r}", thing, wanted="a column that is made before", got="none",
                       remedy="name what it is made from in `given` of the part")  # fmt: skip


# ------------------------------------------------------------------------------------------------------- written back
def replaced(values: pa.Array, rows: np.ndarray, others: pa.Array) -> pa.Array:
    """Return values with others in some rows; all others stay as they are, bit for bit."""
    if not len(rows):
        return values
    if pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type):
        at = np.arange(len(values))
        at[rows] = len(values) + np.arange(len(rows))
        return pa.concat_arrays([values, others]).take(pa.array(at))
    mask = np.zeros(len(values), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(values, pa.array(mask), others.take(pa.array(np.argsort(rows))))
