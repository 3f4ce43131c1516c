"""The rows of one table held to its rules: derived, exchanged, mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Parsed
from synthwright.core.schema import Table
from synthwright.core.values import nulls, numbers
from synthwright.kit.conjuncts import conjuncts
from synthwright.kit.derived import Formula, Lookup, Step
from synthwright.kit.expressions import holds
from synthwright.kit.gaps import Gap
from synthwright.kit.pairing import Column, Edge, edges_of, matched, paired
from synthwright.kit.repairs import mend_move, mend_order, moves, orders

_MENDINGS = 4
"""How often mending is tried: one rule's mending may break another."""

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

    @property
    def left_out(self) -> frozenset[str]:
        """The columns that the generator does not make."""
        return frozenset(s.target for s in self.steps if s.whole)

    @property
    def loose(self) -> frozenset[str]:
        """The columns that may be changed to keep a rule: made, and not derived from others."""
        return frozenset(self.produce) - {s.target for s in self.steps}

    @property
    def across(self) -> bool:
        """Whether a rule concerns several rows at once."""
        return any(p.form == "unique" for p in self.rules)

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
        if parsed.form != "dependency":
            out |= ~holds(held, parsed, spec)
    for lookup in (*(s for s in rules.steps if isinstance(s, Lookup)), *rules.checks):
        out |= lookup.broken(held)
    return out


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


def exchanged(held: pa.Table, rules: TableRules, spec: Table, free: Free, rng: np.random.Generator) -> pa.Table:
    """Return a table in which rows have exchanged values so that more of them keep the rules."""
    edges = [e for p in rules.rules for e in edges_of(p, spec) if {e.low, e.high} <= rules.loose]
    if edges:
        held = _in_order(held, edges, free, rng)
    for lookup in rules.checks:
        source = lookup.sources[0]
        if len(lookup.sources) == 1 and source in rules.loose and not spec.fields[source].anew:
            held = _in_agreement(held, lookup, free[source])
    return restored(held, rules.steps, spec, free)


def _in_order(held: pa.Table, edges: list[Edge], free: Free, rng: np.random.Generator) -> pa.Table:
    columns = {}
    for name in dict.fromkeys(c for e in edges for c in (e.low, e.high)):
        missing = nulls(held.column(name))
        columns[name] = Column(np.where(missing, 0.0, numbers(held.column(name))), missing, free[name])
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


def mended(held: pa.Table, rules: TableRules, spec: Table, free: Free) -> pa.Table:
    """Return rows that break a rule with values moved until they hold, as far as that can be."""
    nothing = np.zeros(held.num_rows, dtype=bool)
    loose = {c: free[c] if c in rules.loose else nothing for c in held.column_names}
    for _ in range(_MENDINGS):
        for order in orders(rules.rules, spec):
            for column, values in mend_order(held, order, spec, loose).items():
                held = held.set_column(held.column_names.index(column), column, values)
        formulas = {s.target: s.node for s in rules.steps if isinstance(s, Formula)}
        for move in moves(rules.rules, spec, formulas):
            if loose[move.column].any():
                values = mend_move(held, move, spec, loose[move.column])
                held = held.set_column(held.column_names.index(move.column), move.column, values)
        held = restored(held, rules.steps, spec, free)
        if not broken(held, rules, spec).any():
            break
    return held


def spliced(held: pa.Table, columns: Iterable[str], trial: pa.Table, rows: np.ndarray, good: np.ndarray) -> pa.Table:
    """Return a table whose `rows` have the columns of `trial`, as long as `rows`, where `good` is true."""
    at = np.arange(held.num_rows)
    at[rows[good]] = held.num_rows + np.flatnonzero(good)
    for name in columns:
        now = held.column(name)
        both = pa.chunked_array([*now.chunks, *trial.column(name).chunks], now.type)
        held = held.set_column(held.column_names.index(name), name, both.take(pa.array(at)))
    return held
