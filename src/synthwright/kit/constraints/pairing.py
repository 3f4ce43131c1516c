"""Ordered columns paired anew: rows exchange values of one column until the order holds, so that no column changes.

Drawing again only what breaks an order would favour rows in which it is easily kept, and bend every column that
takes part. Here a row that breaks `low <= high` gives its value of one of the two columns to another row and takes
that row's, the nearest that mends it, if fewer orders are broken afterwards in both together. Each column keeps its
values exactly, missing ones where they are; how columns depend on each other changes only in rows that took part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.rule_nodes import Compare, Name, Parsed
from synthwright.core.schema import ORDERED, Kind, Table, canonical
from synthwright.kit.constraints.conjuncts import conjuncts

ROUNDS = 160
"""How often partners are sought; each time a little farther away."""
_FARTHER = 1.07


class Edge(NamedTuple):
    """`low` may not be greater than `high`, nor equal to it where `strict`."""

    low: str
    high: str
    strict: bool


def edges_of(parsed: Parsed, spec: Table) -> list[Edge]:
    """Return the orders between two columns of one kind, or a day and an instant, that a rule asks for."""
    out = []
    for node in conjuncts(parsed):
        if isinstance(node, Compare) and isinstance(node.left, Name) and isinstance(node.right, Name):
            left, right = node.left.name, node.right.name
            if node.sign in ("<", "<=", ">", ">=") and left != right and _comparable(spec, left, right):
                low, high = (left, right) if node.sign in ("<", "<=") else (right, left)
                out.append(Edge(low, high, node.sign in ("<", ">")))
    return out


def _comparable(spec: Table, one: str, other: str) -> bool:
    fields = spec.fields[one], spec.fields[other]
    if all(f.kind in (Kind.INTEGER, Kind.NUMBER) for f in fields):
        return True
    if {f.kind for f in fields} == {Kind.DATE, Kind.DATETIME}:
        return True
    return fields[0].kind in ORDERED and canonical(fields[0]) == canonical(fields[1])


class Column:
    """One column while its values change hands."""

    def __init__(self, values: np.ndarray, missing: np.ndarray, free: np.ndarray) -> None:
        self.values = values.copy()
        self.missing = missing
        self.loose = free & ~missing
        self.source = np.arange(len(values))
        """The row that each value came from."""
        rows = np.flatnonzero(self.loose)
        self.holder = rows[np.argsort(values[rows], kind="stable")]
        """The rows by the rank of what they hold."""
        self.sorted = values[self.holder]
        self.rank = np.full(len(values), -1)
        self.rank[self.holder] = np.arange(len(self.holder))

    def swap(self, rows: np.ndarray, others: np.ndarray) -> None:
        """Let rows exchange what they hold."""
        for held in (self.values, self.source, self.rank):
            held[rows], held[others] = held[others], held[rows]
        self.holder[self.rank[rows]], self.holder[self.rank[others]] = rows, others


def paired(columns: Mapping[str, Column], edges: Sequence[Edge], rng: np.random.Generator) -> None:
    """Let rows exchange values, in place, until every order holds or nobody finds a partner any more."""
    touching = {c: [e for e in edges if c in (e.low, e.high)] for c in columns}
    for i in range(ROUNDS):
        any_broken = False
        for edge in edges:
            rows = np.flatnonzero(broken(columns, edge))
            any_broken |= bool(len(rows))
            upper = rng.random(len(rows)) < 0.5  # drawn for every row, so that the stream stays in step
            upper = np.where(columns[edge.low].loose[rows], upper, True) & columns[edge.high].loose[rows]
            far = np.floor(rng.exponential(_FARTHER**i, len(rows))).astype(np.int64)
            for name, mine in ((edge.high, upper), (edge.low, ~upper)):
                _exchange(columns, touching[name], edge, name, rows[mine], far[mine])
        if not any_broken:
            return


def broken(columns: Mapping[str, Column], edge: Edge, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return booleans: where an order does not hold."""
    low, high = columns[edge.low], columns[edge.high]
    wrong = low.values[rows] >= high.values[rows] if edge.strict else low.values[rows] > high.values[rows]
    return np.asarray(wrong & ~low.missing[rows] & ~high.missing[rows])


def _exchange(columns: Mapping[str, Column], edges: Iterable[Edge], edge: Edge, name: str, rows: np.ndarray,
              far: np.ndarray) -> None:  # fmt: skip
    """Let rows that break an order exchange their value of one column with a row that holds one that mends it."""
    column = columns[name]
    loose = column.loose[rows]
    rows, far = rows[loose], far[loose]
    if name == edge.high:
        bound = columns[edge.low].values[rows]
        rank = np.searchsorted(column.sorted, bound, side="right" if edge.strict else "left") + far
    else:
        bound = columns[edge.high].values[rows]
        rank = np.searchsorted(column.sorted, bound, side="left" if edge.strict else "right") - 1 - far
    inside = (rank >= 0) & (rank < len(column.sorted))
    rows = rows[inside]
    others = column.holder[rank[inside]]
    first = np.zeros(len(rows), dtype=bool)
    first[np.unique(others, return_index=True)[1]] = True
    taking = np.zeros(len(column.values), dtype=bool)
    taking[rows] = True
    first &= ~taking[others]
    rows, others = rows[first], others[first]
    if not len(rows):
        return
    before = _count(columns, edges, rows) + _count(columns, edges, others)
    column.swap(rows, others)
    after = _count(columns, edges, rows) + _count(columns, edges, others)
    worse = after >= before
    column.swap(rows[worse], others[worse])


def matched(own: np.ndarray, needed: np.ndarray) -> np.ndarray:
    """Return from which row each row takes its value, so that as many as can be have the label they need.

    Every value is taken once. Where nobody has what a row needs it takes what is left over.

    Args:
        own: the label that belongs to each row's value.
        needed: the label that each row needs.
    """
    giving, taking = np.argsort(own, kind="stable"), np.argsort(needed, kind="stable")
    own, needed = own[giving], needed[taking]
    place = np.arange(len(own)) - np.searchsorted(own, own)  # the how-manieth of its label
    at = np.searchsorted(needed, own) + place
    good = (at < len(needed)) & (np.append(needed, -1)[np.minimum(at, len(needed))] == own)
    source = np.full(len(own), -1)
    source[taking[at[good]]] = giving[good]
    source[np.sort(taking[~np.isin(np.arange(len(own)), at[good])])] = np.sort(giving[~good])
    return source


def _count(columns: Mapping[str, Column], edges: Iterable[Edge], rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum([broken(columns, e, rows) for e in edges], axis=0, dtype=np.int64))
