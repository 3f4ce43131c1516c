"""From noisy marginals to the distribution that fits them best: a graphical model, by mirror descent.

After McKenna, Sheldon and Miklau (2019), Graphical-model based estimation and inference for differential privacy,
arXiv 1901.09136: of all distributions whose cliques are those that were measured, the one whose marginals are nearest
to the noisy ones. It looks at nothing but noisy numbers and costs nothing. Plain numpy, in one thread's order: the same
numbers give the same model everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthwright.kit.private.junctions import Clique, Junction, junction, spread, summed

Coarse = tuple[np.ndarray, ...]
"""Of each axis of a table: which joined cell each of its cells is in."""
Key = tuple[Clique, tuple[int, ...]]
"""A clique, and the shape of its table: the one of all cells, or of joined ones."""
GROW, SHRINK, TRIES = 1.25, 0.5, 25
"""By how much a step grows when it helped and shrinks when it did not, and how often it shrinks."""
PATIENCE, GAIN = 10, 1e-4
"""It stops when so many steps together gained no more than this share of what is wrong."""


class Measured(NamedTuple):
    """A noisy marginal."""

    clique: Clique
    table: np.ndarray
    """float64, in rows."""
    sigma: np.ndarray
    """The standard deviation of its noise; one number, or one for each cell."""
    coarse: Coarse | None = None
    """Where cells were joined before they were counted: which of the table each is in."""

    @property
    def key(self) -> Key:
        """What it measures: what is measured twice has the same potential."""
        return self.clique, self.table.shape


@dataclass(frozen=True)
class Fitted:
    """A distribution over all columns: a table of rows for each clique of a tree."""

    tree: Junction
    potentials: Mapping[Key, np.ndarray]
    """Of each clique that was measured: what it adds to the logarithm of the table."""
    tables: list[np.ndarray]
    total: float

    def marginal(self, clique: Clique) -> np.ndarray:
        """Return the table of some columns of one clique of the tree."""
        home = self.tree.home(clique)
        return summed(self.tables[home], self.tree.cliques[home], clique)


def total_of(measured: Sequence[Measured]) -> float:
    """Return the number of rows that noisy marginals tell together, each weighed by how sure it is."""
    sums = np.array([m.table.sum() for m in measured])
    sure = np.array([1 / np.broadcast_to(m.sigma**2, m.table.shape).sum() for m in measured])
    return float((sums * sure).sum() / sure.sum())


def fitted(
    sizes: Sequence[int], measured: Sequence[Measured], total: float, *, steps: int, start: Fitted | None = None
) -> Fitted:
    """Return the distribution that fits noisy marginals best.

    Args:
        sizes: how many cells each column has.
        measured: the marginals.
        total: how many rows there are.
        steps: how often it is improved, at most.
        start: where to begin: what fitted fewer of the marginals.
    """
    tree = junction(sizes, [m.clique for m in measured])
    joins = {m.key: m.coarse for m in sorted(measured, key=lambda m: m.key)}
    homes = {k: tree.home(k[0]) for k in joins}
    old = start.potentials if start is not None else {}
    held = {k: old[k] if k in old else np.zeros(k[1]) for k in joins}
    net = Net(tree, joins, homes, total)
    tables, told = net.told(held)
    wrong, slope = _wrong(told, measured)
    step, past = 2.0 / (_steepest(tree, measured, homes) * max(total, 1.0)), []
    for _ in range(steps):
        for _ in range(TRIES):
            tried = {k: p - step * slope[k] for k, p in held.items()}
            new, heard = net.told(tried)
            left, uphill = _wrong(heard, measured)
            hoped = sum(float((g * (told[k] - heard[k])).sum()) for k, g in slope.items())
            if wrong - left >= 0.5 * hoped:
                break
            step *= SHRINK
        else:
            break
        held, tables, told, slope = tried, new, heard, uphill
        past.append(wrong)
        wrong, step = left, step * GROW
        if len(past) > PATIENCE and past[-PATIENCE] - wrong <= GAIN * max(wrong, 1.0):
            break
    return Fitted(tree, held, tables, total)


class Net(NamedTuple):
    """Where in a tree each measured clique lies."""

    tree: Junction
    joins: Mapping[Key, Coarse | None]
    homes: Mapping[Key, int]
    total: float

    def told(self, held: Mapping[Key, np.ndarray]) -> tuple[list[np.ndarray], dict[Key, np.ndarray]]:
        """Return the tables that follow from potentials, and the marginals of the cliques that were measured."""
        cliques = self.tree.cliques
        potentials = [np.zeros(self.tree.shape(c)) for c in cliques]
        for key, potential in held.items():
            join, home = self.joins[key], self.homes[key]
            fine = potential if join is None else potential[np.ix_(*join)]
            potentials[home] += spread(fine, key[0], cliques[home])
        tables = self.tree.beliefs(potentials, self.total)
        out = {}
        for key, home in self.homes.items():
            join, whole = self.joins[key], summed(tables[home], cliques[home], key[0])
            out[key] = whole if join is None else coarsely(whole, join)
        return tables, out


def coarsely(table: np.ndarray, join: Coarse) -> np.ndarray:
    """Return a table with cells joined along every axis."""
    for axis, of in enumerate(join):
        order = np.argsort(of, kind="stable")
        begins = np.searchsorted(of[order], np.arange(int(of.max()) + 1))
        table = np.add.reduceat(table.take(order, axis=axis), begins, axis=axis)
    return table


def _wrong(told: Mapping[Key, np.ndarray], measured: Sequence[Measured]) -> tuple[float, dict[Key, np.ndarray]]:
    """Return by how much marginals differ from the noisy ones, squared and weighed, and how that changes with each."""
    wrong, slope = 0.0, {c: np.zeros(t.shape) for c, t in told.items()}
    for m in measured:
        off = (told[m.key] - m.table) / m.sigma
        wrong += 0.5 * float((off * off).sum())
        slope[m.key] += off / m.sigma
    return wrong, slope


def _steepest(tree: Junction, measured: Sequence[Measured], homes: Mapping[Key, int]) -> float:
    """Return how steep it can get: how far the first step may go follows from it."""
    steep = np.zeros(len(tree.cliques))
    for m in measured:
        home = homes[m.key]
        steep[home] += tree.size(tree.cliques[home]) / m.table.size / float(np.min(m.sigma)) ** 2
    return max(float(steep.max()), 1e-12)
