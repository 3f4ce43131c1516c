"""The rows of one table held to its rules: derived, exchanged, mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Parsed
from synthwright.core.schema import ORDERED, Kind, Table, canonical
from synthwright.core.values import midnights, nulls, numbers
from synthwright.kit.constraints.compiled import a_day
from synthwright.kit.constraints.conjuncts import conjuncts
from synthwright.kit.constraints.derived import Formula, Lookup, Step
from synthwright.kit.constraints.expressions import holds
from synthwright.kit.constraints.gaps import Gap
from synthwright.kit.constraints.grains import Grain
from synthwright.kit.constraints.onces import once
from synthwright.kit.constraints.pairing import Column, Edge, edges_of, matched, paired
from synthwright.kit.constraints.ranges import Range, beyond
from synthwright.kit.constraints.repairs import mend_move, mend_order, moves, orders
from synthwright.kit.constraints.rhythms import Rhythm
from synthwright.kit.constraints.spreading import crowded, spread

_MENDINGS = 4
"""How often mending is tried: one rule's mending may break another."""

_FEW, _SLOWER = 0.001, 0.95
"""Exchanging ends where so small a share of the rows is left, or where a round leaves as much as this."""
_EXCHANGES = 24
"""How often rows with a column beyond its ends look for another row to exchange a value with."""

Free = Mapping[str, np.ndarray]
"""For each column that is made booleans: in which rows it may be changed."""


@dataclass(frozen=True)
class TableRules:
    """How the rules of one table are kept while some of its columns are made."""

    produce: tuple[str, ...]
    rules: tuple[Parsed, ...]
    steps: tuple[Step, ...]
    """What derives columns, in the order to take them."""
    checks: tuple[Lookup, ...]
    """What else belongs to what."""
    gaps: tuple[Gap, ...]
    """What the generator makes as a distance."""
    ranges: tuple[Range, ...] = ()
    """Between which ends computed columns lie, where that can be had."""
    seen: frozenset[str] = frozenset()
    """The rules that were only seen to hold: of these, none stands against more rows than there are combinations."""
    grains: tuple[Grain, ...] = ()
    """How round numbers are, where another column decides it."""
    rhythms: tuple[Rhythm, ...] = ()
    """What the generator makes in parts."""
    fixed: frozenset[str] = frozenset()
    """The columns that were given or set for the rows at hand."""

    @property
    def left_out(self) -> frozenset[str]:
        """The columns that the generator does not make."""
        return frozenset(s.target for s in self.steps if s.whole)

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns that the generator makes beside those of the table."""
        return tuple(c for r in self.rhythms for c in (r.clock, r.weekday) if c)

    @property
    def loose(self) -> frozenset[str]:
        """The columns that may be changed to keep a rule: made, and not derived from others."""
        return frozenset(self.produce) - {s.target for s in self.steps}

    @property
    def across(self) -> bool:
        """Whether a rule concerns several rows at once."""
        return any(p.form == "unique" for p in self.rules)

    def with_fixed(self, free: Free) -> TableRules:
        """Return the rules for rows in which these columns may be changed."""
        given = {c for p in self.rules for c in p.columns if c not in free or not free[c].any()}
        return replace(self, fixed=frozenset(given))

    def without_orders(self, spec: Table) -> TableRules:
        """Return what is left when exchanging and mending see to orders between loose columns."""

        def seen_to(parsed: Parsed) -> bool:
            edges = edges_of(parsed, spec)
            every = len(edges) == len(conjuncts(parsed)) and parsed.form == "row"
            return every and all({e.low, e.high} <= self.loose for e in edges)

        return replace(self, rules=tuple(p for p in self.rules if not seen_to(p)))


def broken(held: pa.Table, rules: TableRules, spec: Table) -> np.ndarray:
    """Return booleans: which rows break a rule."""
    out = np.zeros(held.num_rows, dtype=bool)
    for parsed in rules.rules:
        if parsed.form == "unique":
            out |= crowded(held, parsed, rules.fixed, even=parsed.text in rules.seen)
        elif parsed.form == "row":
            out |= ~holds(held, parsed, spec)
    for lookup in (*(s for s in rules.steps if isinstance(s, Lookup)), *rules.checks):
        out |= lookup.broken(held)
    return out


def wanting(held: pa.Table, rules: TableRules, spec: Table) -> np.ndarray:
    """Return booleans: which rows break a rule, or have a computed column beyond its ends."""
    return broken(held, rules, spec) | beyond(held, rules.ranges, spec)


def restored(held: pa.Table, steps: Iterable[Step], spec: Table, free: Free) -> pa.Table:
    """Return a table with its derived columns computed; of others, values that are there are replaced."""
    for step in steps:
        values = step.values(held, spec)
        if step.target not in held.column_names:
            held = held.append_column(step.target, values)
            continue
        if not step.whole:
            now = held.column(step.target).combine_chunks()
            take = ~nulls(now) & ~nulls(values) & free[step.target]
            values = pa.compute.if_else(pa.array(take), values, now)
        held = held.set_column(held.column_names.index(step.target), step.target, values)
    return held


def shortened(held: pa.Table, grains: Iterable[Grain], spec: Table, free: Free) -> pa.Table:
    """Return a table with numbers as round as another column says."""
    for grain in grains:
        if {grain.target, grain.by} <= {*held.column_names}:
            values = grain.rounded(held, spec, free[grain.target])
            held = held.set_column(held.column_names.index(grain.target), grain.target, values)
    return held


def exchanged(held: pa.Table, rules: TableRules, spec: Table, free: Free, rng: np.random.Generator) -> pa.Table:
    """Return a table in which rows have exchanged values so that more of them keep the rules."""
    edges = [e for p in rules.rules for e in edges_of(p, spec) if {e.low, e.high} <= rules.loose]
    if edges:
        tied = {c for g in rules.gaps for c in (g.target, *g.bases)}  # their distances last as long as can be
        if tied and not {c for e in edges for c in (e.low, e.high)} <= tied:
            rest = {c: f & (c not in tied) for c, f in free.items()}
            held = _in_order(held, edges, spec, rest, rng)
        held = _in_order(held, edges, spec, free, rng)
    for lookup in rules.checks:
        source = lookup.sources[0]
        if len(lookup.sources) == 1 and source in rules.loose and not spec.fields[source].anew:
            held = _in_agreement(held, lookup, free[source])
    held = restored(held, rules.steps, spec, free)
    return _within(held, rules, spec, free, rng) if rules.ranges else held


def _in_order(held: pa.Table, edges: list[Edge], spec: Table, free: Free, rng: np.random.Generator) -> pa.Table:
    columns = {}
    clocks = {c: canonical(spec.fields[e.high if c == e.low else e.low]) for e in edges for c in (e.low, e.high)
              if {spec.fields[n].kind for n in (e.low, e.high)} == {Kind.DATE, Kind.DATETIME}}  # fmt: skip
    for name in dict.fromkeys(c for e in edges for c in (e.low, e.high)):
        values = held.column(name)
        missing = nulls(values)
        if name in clocks and pa.types.is_timestamp(clocks[name]):  # a day beside instants: when it begins there
            values = midnights(values, clocks[name])
        per_day = a_day(values.type.unit) if clocks and pa.types.is_timestamp(values.type) else 1
        columns[name] = Column(np.where(missing, 0.0, numbers(values)) / per_day, missing, free[name])
    paired(columns, edges, rng)
    for name, column in columns.items():
        taken = held.column(name).take(pa.array(column.source))
        held = held.set_column(held.column_names.index(name), name, taken)
    return held


def _in_agreement(held: pa.Table, lookup: Lookup, free: np.ndarray) -> pa.Table:
    """Let rows whose value belongs to another label than theirs exchange it for one that belongs to theirs."""
    rows = np.flatnonzero(lookup.broken(held) & free)
    if len(rows) < 2:
        return held
    source, target = lookup.sources[0], lookup.target
    own, _ = lookup.find(held.take(pa.array(rows)))
    there = held.column(target).combine_chunks().take(pa.array(rows))
    needed = pa.compute.index_in(there, value_set=lookup.labels).fill_null(-2).to_numpy(zero_copy_only=False)
    at = np.arange(held.num_rows)
    at[rows] = rows[matched(own, needed)]
    taken = held.column(source).take(pa.array(at))
    return held.set_column(held.column_names.index(source), source, taken)


def _within(held: pa.Table, rules: TableRules, spec: Table, free: Free, rng: np.random.Generator) -> pa.Table:
    """Let rows with a computed column beyond its ends exchange what it is computed from, where that helps.

    A few rows may be left, for others to draw again.
    """
    for one in rules.ranges:
        columns = _sources(one.target, rules, spec)
        before = held.num_rows + 1
        for _ in range(_EXCHANGES if columns else 0):
            wrong = beyond(held, [one], spec)
            left = int(wrong.sum())
            if left <= _FEW * held.num_rows or left > _SLOWER * before:
                break
            before = left
            for name in columns:
                able = free[name] & ~nulls(held.column(name))
                mine = rng.permutation(np.flatnonzero(wrong & able))
                others = rng.permutation(np.flatnonzero(~wrong & able))[: len(mine)]
                held = _traded(held, name, (mine[: len(others)], others), rules, spec, free)
    return held


def _sources(target: str, rules: TableRules, spec: Table) -> list[str]:
    """Return the columns that may be changed and that a column is computed from."""
    formulas = {s.target: s.sources for s in rules.steps if isinstance(s, Formula)}
    found: dict[str, None] = {}
    waiting = [target] if target in formulas else []
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += formulas.get(name, ())
    return sorted(c for c in found if c in rules.loose and spec.fields[c].kind in ORDERED and not spec.fields[c].anew)


def _traded(held: pa.Table, name: str, pairs: tuple[np.ndarray, np.ndarray], rules: TableRules, spec: Table,
            free: Free) -> pa.Table:  # fmt: skip
    """Let pairs of rows exchange their values of a column where fewer faults are left."""
    mine, others = pairs
    if not len(mine):
        return held
    rows, place = np.concatenate([mine, others]), np.arange(2 * len(mine))
    before = held.take(pa.array(rows))
    swapped = before.column(name).take(pa.array(np.roll(place, len(mine))))
    trial = before.set_column(before.column_names.index(name), name, swapped)
    trial = restored(trial, rules.steps, spec, {c: f[rows] for c, f in free.items()})
    faults = [(broken(t, rules, spec) * 1 + beyond(t, rules.ranges, spec)).reshape(2, -1).sum(axis=0)
              for t in (before, trial)]  # fmt: skip
    return spliced(held, rules.produce, trial, rows, np.tile(faults[1] < faults[0], 2))


def mended(held: pa.Table, rules: TableRules, spec: Table, free: Free) -> pa.Table:
    """Return rows that break a rule with values moved until they hold, as far as that can be."""
    nothing = np.zeros(held.num_rows, dtype=bool)
    loose = {c: free[c] if c in rules.loose else nothing for c in held.column_names}
    for _ in range(_MENDINGS):
        for order in orders(rules.rules, spec):
            for column, values in mend_order(held, order, spec, loose).items():
                held = held.set_column(held.column_names.index(column), column, values)
        formulas = {s.target: s.node for s in rules.steps if isinstance(s, Formula)}
        bounds = (r.parsed for r in rules.ranges)
        for move in moves((*rules.rules, *bounds), spec, formulas):
            if loose[move.column].any():
                values = mend_move(held, move, spec, loose[move.column])
                held = held.set_column(held.column_names.index(move.column), move.column, values)
        held = restored(held, rules.steps, spec, free)
        if not wanting(held, rules, spec).any():
            break
    return held


def apart(held: pa.Table, rules: TableRules, spec: Table, free: Free, rng: np.random.Generator) -> pa.Table:
    """Return a table in which rows that repeat what must be unique have other values, where no other rule breaks."""
    able = {c: free[c] for c in rules.loose if not spec.fields[c].anew}
    for parsed in rules.rules:
        if parsed.form != "unique" or not crowded(held, parsed, rules.fixed, even=parsed.text in rules.seen).any():
            continue
        if len(parsed.left) == 1:
            trial = once(held, parsed.left[0], able, spec)
        else:
            trial = spread(held, parsed, able, rng, even=parsed.text in rules.seen)
        trial = restored(trial, rules.steps, spec, free)
        others = replace(rules, rules=tuple(p for p in rules.rules if p.form != "unique"))
        good = broken(held, others, spec) | ~wanting(trial, others, spec)
        held = spliced(held, rules.produce, trial, np.arange(held.num_rows), good)
    return held


def repeating(held: pa.Table, rules: TableRules, first: int) -> np.ndarray:
    """Return booleans: which rows from `first` on repeat what must be unique of any before them."""
    out = np.zeros(held.num_rows, dtype=bool)
    for parsed in rules.rules:
        if parsed.form == "unique":
            out |= crowded(held, parsed, rules.fixed, even=parsed.text in rules.seen)
    return out[first:]


def spliced(held: pa.Table, columns: Iterable[str], trial: pa.Table, rows: np.ndarray, good: np.ndarray) -> pa.Table:
    """Return a table whose `rows` have the columns of `trial`, as long as `rows`, where `good` is true."""
    at = np.arange(held.num_rows)
    at[rows[good]] = held.num_rows + np.flatnonzero(good)
    for name in columns:
        now = held.column(name)
        both = pa.chunked_array([*now.chunks, *trial.column(name).chunks], now.type)
        held = held.set_column(held.column_names.index(name), name, both.take(pa.array(at)))
    return held
