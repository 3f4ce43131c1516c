"""Values that must be there, or must be missing, because a rule says so of the row they stand in.

A row that must lose its value gives it to a row that must gain one, so that a column keeps its values and its share of
missing ones; what no row can give is taken from another row once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import (
    Call,
    Compare,
    Either,
    Every,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Parsed,
    Product,
    Sum,
    names_in,
    walk,
)
from synthwright.core.schema import Kind, Table
from synthwright.core.values import nulls
from synthwright.kit.constraints.conjuncts import conjuncts
from synthwright.kit.constraints.derived import Formula, Step
from synthwright.kit.constraints.expressions import evaluated


class Need(NamedTuple):
    """A column, and the conditions that decide in which rows it has a value."""

    target: str
    nodes: tuple[Node, ...]

    @property
    def sources(self) -> frozenset[str]:
        """The other columns that the conditions name."""
        return frozenset(c for node in self.nodes for c in names_in(node)) - {self.target}


def needs(rules: Iterable[Parsed], spec: Table, produce: Iterable[str], steps: Iterable[Step]) -> list[Need]:
    """Return which columns that are made must have values where, in the order to see to them.

    Of the columns that a condition could be met by, the first it names is taken, unless that one depends on the others
    or is bound already.

    Args:
        rules: the rules of the table.
        spec: the table.
        produce: the columns that are made; no other is ever changed.
        steps: how columns follow from others: those left to them altogether are not changed either.
    """
    steps = tuple(steps)
    able = {c for c in produce if spec.fields[c].nulls and spec.fields[c].kind is not Kind.KEY}
    able -= {s.target for s in steps if s.whole}
    above = {s.target: set(s.sources) for s in steps}
    computed = {s.target: s for s in steps if isinstance(s, Formula) and s.whole and _adds(s.node)}
    nodes = [_without(n, computed) for parsed in rules for n in conjuncts(parsed) if _candidates(n)]
    found = [(n, c) for n in nodes if (c := [c for c in _candidates(n) if c in able])]
    chosen: dict[str, list[Node]] = {}
    bound: set[str] = set()
    for node, candidates in sorted(found, key=lambda pair: not isinstance(pair[0], Compare)):
        for target in sorted(candidates, key=lambda c: c in bound):
            others = set(names_in(node)) - {target}
            if not _reached(others, above, target):
                chosen.setdefault(target, []).append(node)
                above.setdefault(target, set()).update(others)
                bound |= {target} if isinstance(node, Compare) else set()
                break
    return _in_order([Need(target, tuple(nodes)) for target, nodes in chosen.items()], above)


def released(steps: Iterable[Step], rules: Iterable[Parsed]) -> list[Step]:
    """Return the steps; those that cannot say by themselves where values must be missing are no longer whole."""
    asked = [(set(_candidates(n)), set(names_in(n))) for parsed in rules for n in conjuncts(parsed) if _candidates(n)]
    out = []
    for step in steps:
        adds = isinstance(step, Formula) and _adds(step.node)
        bound = any(step.target in mine and not names <= {step.target, *step.sources} for mine, names in asked)
        out.append(replace(step, whole=False) if step.whole and bound and not adds else step)
    return out


def _adds(node: Node) -> bool:
    """Return whether a formula gives nothing exactly where one of its columns is missing."""
    return all(isinstance(n, Name | Literal | Sum | Call) or (isinstance(n, Product) and "/" not in dict(n.factors))
               for n in walk(node))  # fmt: skip


def _without(node: Node, computed: Mapping[str, Formula]) -> Node:
    """Return a condition that asks for the columns which others are computed from, in place of those."""
    for name, formula in computed.items():
        if name in _candidates(node):
            parts = tuple(Missing(Name(c)) for c in formula.sources)
            node = _with(node, name, parts[0] if len(parts) == 1 else Either(parts))
            return _without(node, {n: f for n, f in computed.items() if n != name})
    return node


def _candidates(node: Node) -> list[str]:
    """Return the columns of which a condition only says whether they have a value."""
    asked = [n.argument.name for n in walk(node) if isinstance(n, Missing) and isinstance(n.argument, Name)]
    named = [n.name for n in walk(node) if isinstance(n, Name)]
    return [c for c in dict.fromkeys(asked) if named.count(c) == asked.count(c)] if len(set(named)) > 1 else []


def _reached(begin: Iterable[str], above: Mapping[str, set[str]], target: str) -> bool:
    """Return whether one of these columns depends on the target."""
    waiting, seen = list(begin), set()
    while waiting:
        column = waiting.pop()
        if column == target:
            return True
        if column not in seen:
            seen.add(column)
            waiting += above.get(column, ())
    return False


def _in_order(left: list[Need], above: Mapping[str, set[str]]) -> list[Need]:
    out: list[Need] = []
    while left:
        targets = {n.target for n in left}
        ready = [n for n in left if not any(_reached(above[n.target], above, t) for t in targets - {n.target})]
        out += ready
        left = [n for n in left if n not in ready]
    return out


def valued(need: Need) -> set[str]:
    """Return the columns whose values matter to the conditions, not only whether they have one."""
    return {c for node in need.nodes for c in set(names_in(node)) - set(_candidates(node))}


def met_by(held: pa.Table, need: Need, spec: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return in which rows a column must be missing, and in which it must have a value; never both."""
    absent, there = np.zeros(held.num_rows, dtype=bool), np.zeros(held.num_rows, dtype=bool)
    for node in need.nodes:
        absent |= _breaks(held, _with(node, need.target, Literal(value=False)), spec)
        there |= _breaks(held, _with(node, need.target, Literal(value=True)), spec)
    both = absent & there
    return absent & ~both, there & ~both


def _breaks(held: pa.Table, node: Node, spec: Table) -> np.ndarray:
    return np.broadcast_to(~evaluated(held, node, spec).fill_null(value=True).to_numpy(), held.num_rows)


def _with(node: Node, column: str, answer: Node) -> Node:
    """Return a condition with an answer in place of the question whether a column is missing."""

    def inner(part: Node) -> Node:
        return _with(part, column, answer)

    match node:
        case Missing(argument=Name(name=name)) if name == column:
            return answer
        case Every() | Either():
            return replace(node, parts=tuple(map(inner, node.parts)))
        case Not() | Missing():
            return replace(node, argument=inner(node.argument))
        case Compare():
            return replace(node, left=inner(node.left), right=inner(node.right))
        case _:
            return node


def unmet(held: pa.Table, wanted: Iterable[Need], spec: Table) -> dict[str, np.ndarray]:
    """Return for each column in which rows it is missing, or has a value, against a rule."""
    out = {}
    for need in wanted:
        absent, there = met_by(held, need, spec)
        missing = nulls(held.column(need.target))
        out[need.target] = (absent & ~missing) | (there & missing)
    return out


def settled(
    held: pa.Table, wanted: Iterable[Need], spec: Table, free: Callable[[str], np.ndarray], rng: np.random.Generator
) -> pa.Table:
    """Return a table whose columns have values where they must and none where they must not.

    Args:
        held: the rows.
        wanted: the columns, in order; those whose conditions name columns that are not there are passed over.
        spec: the table.
        free: returns for a column in which rows it may be changed.
        rng: decides who gives to whom.
    """
    present = set(held.column_names)
    for need in wanted:
        if not {need.target, *need.sources} <= present:
            continue
        absent, there = met_by(held, need, spec)
        column = held.column(need.target)
        missing, loose = nulls(column), free(need.target)
        loses, gains = absent & ~missing & loose, there & missing & loose
        if loses.any() or gains.any():
            optional = loose & ~absent & ~there
            able = np.stack([optional & missing, optional & ~missing, ~missing & ~loses & loose])
            if spec.fields[need.target].unique:
                able[2] = False
            at, gone = _handed(loses, gains, able, rng)
            now = column.take(pa.array(at, mask=gone))
            held = held.set_column(held.column_names.index(need.target), need.target, now)
    return held


def _handed(
    loses: np.ndarray, gains: np.ndarray, able: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return from which row each row takes its value, and which rows have none afterwards that had one.

    Args:
        loses: rows whose value must go.
        gains: rows that must get one.
        able: three rows of booleans: who may take what is left over, who may give what is wanting, and from whom it
            may else be taken twice.
        rng: decides who gives to whom.
    """
    at, gone = np.arange(len(loses)), loses.copy()
    giving, taking = rng.permutation(np.flatnonzero(loses)), rng.permutation(np.flatnonzero(gains))
    over = len(giving) - len(taking)
    if over > 0:
        taking = np.append(taking, rng.permutation(np.flatnonzero(able[0]))[:over])
    elif over < 0:
        more = rng.permutation(np.flatnonzero(able[1]))[:-over]
        gone[more] = True
        giving = np.append(giving, more)
    both = min(len(giving), len(taking))
    at[taking[:both]] = giving[:both]
    others = np.flatnonzero(able[2])
    if both < len(taking) and len(others):
        left = len(taking) - both
        at[taking[both:]] = np.resize(rng.permutation(others), left)
    return at, gone
