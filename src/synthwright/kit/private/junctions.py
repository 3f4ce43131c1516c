"""Cliques of columns as a tree, along which beliefs about all of them agree (Lauritzen and Spiegelhalter 1988)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Clique = tuple[int, ...]
"""Columns by number, ascending."""
_TINY = 1e-300


@dataclass(frozen=True)
class Junction:
    """Maximal cliques, each behind its parent, and what each shares with it."""

    sizes: tuple[int, ...]
    """How many cells each column has."""
    cliques: tuple[Clique, ...]
    parent: tuple[int, ...]
    """The parent of each clique, by place; -1 for the first."""

    @cached_property
    def cells(self) -> int:
        """How many cells all cliques have together."""
        return sum(self.size(c) for c in self.cliques)

    @cached_property
    def shared(self) -> tuple[Clique, ...]:
        """What each clique shares with its parent."""
        return tuple(() if p < 0 else tuple(sorted({*c} & {*self.cliques[p]}))
                     for c, p in zip(self.cliques, self.parent, strict=True))  # fmt: skip

    def size(self, clique: Iterable[int]) -> int:
        """Return how many cells a clique has."""
        return math.prod(self.sizes[v] for v in clique)

    def shape(self, clique: Clique) -> tuple[int, ...]:
        """Return the shape of a clique's table."""
        return tuple(self.sizes[v] for v in clique)

    def home(self, clique: Clique) -> int:
        """Return the place of the smallest clique that holds another; a ValueError if none does."""
        able = [i for i, c in enumerate(self.cliques) if {*clique} <= {*c}]
        return min(able, key=lambda i: self.size(self.cliques[i]))

    def beliefs(self, potentials: Sequence[np.ndarray], total: float) -> list[np.ndarray]:
        """Return what each clique's table must be, in rows, that all have these potentials (logarithms)."""
        held = list(potentials)
        up: list[np.ndarray] = [np.zeros(())] * len(held)
        for i in range(len(held) - 1, 0, -1):
            up[i] = _log_sum(held[i], _beyond(self.cliques[i], self.shared[i]))
            p = self.parent[i]
            held[p] = held[p] + spread(up[i], self.shared[i], self.cliques[p])
        out: list[np.ndarray] = []
        for i, table in enumerate(held):
            if not i:
                whole = np.exp(table - table.max())
                out.append(whole * (total / whole.sum()))
                continue
            p, shared = self.parent[i], self.shared[i]
            down = np.log(np.maximum(summed(out[p], self.cliques[p], shared), _TINY)) - up[i]
            out.append(np.exp(table + spread(down, shared, self.cliques[i])))
        return out


def junction(sizes: Sequence[int], cliques: Iterable[Clique]) -> Junction:
    """Return a tree whose cliques hold all of these, and every column."""
    near: list[set[int]] = [{v} for v in range(len(sizes))]
    for clique in cliques:
        for v in clique:
            near[v] |= set(clique)
    left, made = set(range(len(sizes))), []
    while left:
        v = min(left, key=lambda v: (math.prod(sizes[w] for w in near[v]), v))
        made.append(frozenset(near[v]))
        for w in near[v] - {v}:
            near[w] = (near[w] | near[v]) - {v}
        left.remove(v)
    most = sorted({tuple(sorted(c)) for c in made if not any(c < other for other in made)})
    return _joined(tuple(sizes), most)


def _joined(sizes: tuple[int, ...], cliques: list[Clique]) -> Junction:
    """Return cliques as a tree in which neighbours share as much as they can (Prim)."""
    best = dict.fromkeys(range(1, len(cliques)), (-1, 0))
    order, parent, last = [0], {0: -1}, 0
    while best:
        for i in best:
            shares = len({*cliques[i]} & {*cliques[last]})
            if shares > best[i][1] or best[i][0] < 0:
                best[i] = last, shares
        last = max(best, key=lambda i: (best[i][1], -i))
        parent[last] = order.index(best.pop(last)[0])
        order.append(last)
    return Junction(sizes, tuple(cliques[i] for i in order), tuple(parent[i] for i in order))


def summed(table: np.ndarray, clique: Clique, wanted: Clique) -> np.ndarray:
    """Return the table of some columns of a clique."""
    beyond = _beyond(clique, wanted)
    return table.sum(axis=beyond) if beyond else table


def _beyond(clique: Clique, kept: Clique) -> tuple[int, ...]:
    return tuple(i for i, v in enumerate(clique) if v not in kept)


def spread(table: np.ndarray, kept: Clique, clique: Clique) -> np.ndarray:
    """Return the table of some columns of a clique as one that fits the clique's by broadcasting."""
    shape = iter(table.shape)
    return table.reshape([next(shape) if v in kept else 1 for v in clique])


def _log_sum(table: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    if not axes:
        return table
    most = table.max(axis=axes, keepdims=True)
    return np.log(np.exp(table - most).sum(axis=axes)) + most.squeeze(axis=axes)
