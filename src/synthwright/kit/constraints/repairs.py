"""Rows that break a comparison, mended: values change places, then are moved to the nearest that holds.

Columns that rules order (`low <= open`, `open <= high`) are mended together. Where two of them stand the wrong way
round their values change places, so that what was drawn stays drawn; what then still breaks a rule, because a value is
given or because of a number written in the rule, is moved no farther than it must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Compare, Literal, Name, Node, Parsed, Sum, names_in
from synthwright.core.rule_types import instant, type_of, type_of_field
from synthwright.core.schema import ORDERED, Field, Table, canonical
from synthwright.core.values import from_numbers, nulls, numbers
from synthwright.kit.coding.rulers import from_integers, integers, is_whole
from synthwright.kit.constraints.compiled import ahead_of
from synthwright.kit.constraints.conjuncts import conjuncts
from synthwright.kit.constraints.derived import solved
from synthwright.kit.constraints.expressions import computed, evaluated, on_lattice
from synthwright.kit.constraints.pairing import Edge, edges_of

_ENDS = np.iinfo(np.int64)


@dataclass(frozen=True)
class Order:
    """Columns of one type that rules order; no column stands below itself."""

    columns: list[str]
    """From what stands below to what stands above."""
    edges: list[Edge]


def orders(rules: Iterable[Parsed], spec: Table) -> list[Order]:
    """Return the groups of columns that rules order and that can be mended together."""
    edges = [e for parsed in rules for e in edges_of(parsed, spec) if _alike(spec.fields[e.low], spec.fields[e.high])]
    out = []
    while edges:
        mine, rest = [edges[0]], edges[1:]
        while more := [e for e in rest if {e.low, e.high} & {c for m in mine for c in (m.low, m.high)}]:
            mine += more
            rest = [e for e in rest if e not in more]
        edges = rest
        columns = _sorted(mine)
        if columns:
            out.append(Order(columns, mine))
    return out


def _alike(one: Field, other: Field) -> bool:
    """Return whether two columns have the same possible values."""
    return canonical(one) == canonical(other) and one.step == other.step


def _sorted(edges: list[Edge]) -> list[str]:
    """Return columns from below to above; nothing where the rules run in a circle."""
    left = list(dict.fromkeys(c for e in edges for c in (e.low, e.high)))
    out: list[str] = []
    while left:
        ready = [c for c in left if not any(e.high == c and e.low in left for e in edges)]
        if not ready:
            return []
        out += ready
        left = [c for c in left if c not in ready]
    return out


def mend_order(held: pa.Table, order: Order, spec: Table, free: Mapping[str, np.ndarray]) -> dict[str, pa.Array]:
    """Return the columns of an order so that they hold it wherever their fixed values allow.

    Args:
        held: the rows to mend.
        order: the columns.
        spec: the table.
        free: booleans for each column: where it may be changed.
    """
    codec = Codec(spec.fields[order.columns[0]])
    missing = {c: nulls(held.column(c)) for c in order.columns}
    values = {c: codec.read(held.column(c)) for c in order.columns}
    for _ in range(len(order.columns) ** 2):
        if not any(_swapped(edge, values, missing, free) for edge in order.edges):
            break
    low, high = codec.ends(held.num_rows, order.columns)
    for c in order.columns:
        fixed = ~free[c] & ~missing[c]
        low[c][fixed] = high[c][fixed] = values[c][fixed]
    for edge in _along(order):
        both = ~(missing[edge.low] | missing[edge.high])
        above = codec.up(low[edge.low]) if edge.strict else low[edge.low]
        low[edge.high] = np.where(both, np.maximum(low[edge.high], above), low[edge.high])
    for edge in reversed(_along(order)):
        both = ~(missing[edge.low] | missing[edge.high])
        below = codec.down(high[edge.high]) if edge.strict else high[edge.high]
        high[edge.low] = np.where(both, np.minimum(high[edge.low], below), high[edge.low])
    for c in order.columns:
        inside = np.minimum(np.maximum(values[c], low[c]), high[c])
        values[c] = np.where(free[c], inside, values[c])
        for edge in (e for e in order.edges if e.high == c):
            both = ~(missing[edge.low] | missing[c]) & free[c]
            above = codec.up(values[edge.low]) if edge.strict else values[edge.low]
            values[c] = np.where(both, np.minimum(np.maximum(values[c], above), high[c]), values[c])
    return {c: codec.write(values[c], missing[c], spec.fields[c]) for c in order.columns}


def _along(order: Order) -> list[Edge]:
    place = {c: i for i, c in enumerate(order.columns)}
    return sorted(order.edges, key=lambda e: (place[e.high], place[e.low]))


def _swapped(edge: Edge, values: dict[str, np.ndarray], missing: Mapping[str, np.ndarray],
             free: Mapping[str, np.ndarray]) -> bool:  # fmt: skip
    """Let the values of two columns change places where they stand the wrong way round; return whether any did."""
    low, high = values[edge.low], values[edge.high]
    wrong = (low > high) & free[edge.low] & free[edge.high] & ~missing[edge.low] & ~missing[edge.high]
    if not wrong.any():
        return False
    values[edge.low], values[edge.high] = np.where(wrong, high, low), np.where(wrong, low, high)
    return True


class Codec:
    """Columns of one type as arrays that compare exactly: whole numbers where they are whole, else floats.

    Args:
        spec: the field of one of them.
    """

    def __init__(self, spec: Field) -> None:
        self.spec = spec
        self.whole = is_whole(spec) and canonical(spec) != pa.uint64()
        kind = canonical(spec)
        scale = 10**kind.scale if pa.types.is_decimal(kind) and kind.scale > 0 else 1
        self.step = max(1, round((spec.step or 0) * scale)) if self.whole else (spec.step or 0.0)

    def read(self, column: pa.ChunkedArray) -> np.ndarray:
        """Return a column as an array; what stands for missing values does not matter."""
        if not self.whole:
            return np.nan_to_num(numbers(column), nan=0.0, posinf=np.inf, neginf=-np.inf)
        whole = column.combine_chunks()
        plain = whole.fill_null(from_integers(np.zeros(1, dtype=np.int64), self.spec)[0])
        return integers(plain)

    def ends(self, rows: int, columns: list[str]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return arrays below and above every value."""
        if self.whole:
            return {c: np.full(rows, _ENDS.min) for c in columns}, {c: np.full(rows, _ENDS.max) for c in columns}
        return {c: np.full(rows, -np.inf) for c in columns}, {c: np.full(rows, np.inf) for c in columns}

    def up(self, values: np.ndarray) -> np.ndarray:
        """Return the next possible values."""
        if self.whole:
            return np.minimum(values, _ENDS.max - self.step) + np.int64(self.step)
        return on_lattice(values + self.step, self.step) if self.step else np.nextafter(values, np.inf)

    def down(self, values: np.ndarray) -> np.ndarray:
        """Return the possible values before."""
        if self.whole:
            return np.maximum(values, _ENDS.min + self.step) - np.int64(self.step)
        return on_lattice(values - self.step, self.step) if self.step else np.nextafter(values, -np.inf)

    def write(self, values: np.ndarray, missing: np.ndarray, spec: Field) -> pa.Array:
        """Return an array as a column."""
        if not self.whole:
            return from_numbers(values, missing, spec)
        held = from_integers(values, spec)
        return pa.compute.if_else(pa.array(missing), pa.scalar(None, held.type), held)


class Move(NamedTuple):
    """A comparison that holds once a column takes the value that makes both sides equal, or the next one."""

    column: str
    node: Compare
    equal: Node
    """What the column must be for both sides to be equal."""


def moves(rules: Iterable[Parsed], spec: Table, formulas: Mapping[str, Node]) -> list[Move]:
    """Return the comparisons that are mended by moving one column, `price <= 100` or `total >= net + tax`.

    Args:
        rules: the rules.
        spec: the table.
        formulas: derived columns and what they are computed from: a bound on these is mended by moving those.
    """
    out = []
    for parsed in rules:
        for node in conjuncts(parsed):
            if isinstance(node, Compare) and node.sign != "!=":
                out += _moves(node, spec)
                inner = Compare(node.sign, _inserted(node.left, formulas), _inserted(node.right, formulas))
                if inner != node:
                    out += _moves(inner, spec)
    return list(dict.fromkeys(out))


def _moves(node: Compare, spec: Table) -> list[Move]:
    bare = [s.name for s in (node.left, node.right) if isinstance(s, Name)]
    out = []
    for column in dict.fromkeys((*bare, *names_in(node))):
        equal = solved(node, column)
        if equal is not None and _movable(column, node, equal, spec):
            out.append(Move(column, node, equal))
    return out


def _inserted(node: Node, formulas: Mapping[str, Node]) -> Node:
    """Return a node with derived columns replaced by their formulas; only sums are looked into."""
    if isinstance(node, Name):
        return formulas.get(node.name, node)
    if not isinstance(node, Sum):
        return node
    terms: list[tuple[int, Node]] = []
    for sign, term in node.terms:
        inner = _inserted(term, formulas)
        terms += [(sign * s, t) for s, t in inner.terms] if isinstance(inner, Sum) else [(sign, inner)]
    return Sum(tuple(terms))


def _movable(column: str, node: Compare, equal: Node, spec: Table) -> bool:
    kind = type_of(Name(column), spec)
    if node.sign != "==" and spec.fields[column].kind not in ORDERED:
        return False
    if isinstance(equal, Literal) and isinstance(equal.value, str):
        return kind in ("text", "date", "datetime", "time")
    return type_of(equal, spec) == kind or {type_of(equal, spec), kind} == {"date", "datetime"}


def mend_move(held: pa.Table, move: Move, spec: Table, free: np.ndarray) -> pa.Array:
    """Return a column moved to where its comparison holds, in the rows where it does not and may be changed."""
    now = held.column(move.column).combine_chunks()
    wrong = ~evaluated(held, move.node, spec).fill_null(value=True).to_numpy() & free
    if not wrong.any():
        return now
    mended = pa.compute.if_else(pa.array(wrong), _equal(held, move, spec), now)
    if move.node.sign == "==" or spec.fields[move.column].kind not in ORDERED:
        return mended
    codec = Codec(spec.fields[move.column])
    at, missing = codec.read(pa.chunked_array([mended])), nulls(mended)
    for beside in (codec.up(at), codec.down(at)):  # rounded to the lattice the wrong way, or to be more than equal
        trial = held.set_column(held.column_names.index(move.column), move.column, mended)
        wrong &= ~evaluated(trial, move.node, spec).fill_null(value=True).to_numpy()
        if not wrong.any():
            break
        moved = codec.write(beside, missing, spec.fields[move.column])
        mended = pa.compute.if_else(pa.array(wrong), moved, mended)
    return mended


def _equal(held: pa.Table, move: Move, spec: Table) -> pa.Array | pa.Scalar:
    field, other = spec.fields[move.column], move.equal
    kind = type_of_field(field)
    if not isinstance(other, Literal) or not isinstance(other.value, str) or kind == "text":
        return computed(held, other, spec, field)
    said, target = instant(other.value, kind), canonical(field)
    if isinstance(said, datetime):
        ahead = ahead_of(target.tz)
        zone = ZoneInfo(target.tz or "UTC") if ahead is None else timezone(timedelta(minutes=ahead))
        said = said.replace(tzinfo=zone) if said.tzinfo is None else said.astimezone(zone)
        said = said if target.tz else said.replace(tzinfo=None)
    return pa.scalar(said, target)
