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


@dataclass(frozen=True)
class Fitted:
    """A distribution over all columns: a table of rows for each clique of a tree."""

    tree: Junction
    potentials: Mapping[Clique, np.ndarray]
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
    cliques = sorted({m.clique for m in measured})
    homes = {c: tree.home(c) for c in cliques}
    old = start.potentials if start is not None else {}
    held = {c: old[c] if c in old else np.zeros(tree.shape(c)) for c in cliques}
    tables, told = _told(tree, held, homes, total)
    wrong, slope = _wrong(told, measured)
    step, past = 2.0 / (_steepest(tree, measured, homes) * max(total, 1.0)), []
    for _ in range(steps):
        for _ in range(TRIES):
            tried = {c: p - step * slope[c] for c, p in held.items()}
            new, heard = _told(tree, tried, homes, total)
            left, uphill = _wrong(heard, measured)
            hoped = sum(float((g * (told[c] - heard[c])).sum()) for c, g in slope.items())
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


def _told(
    tree: Junction, held: Mapping[Clique, np.ndarray], homes: Mapping[Clique, int], total: float
) -> tuple[list[np.ndarray], dict[Clique, np.ndarray]]:
    """Return the tables that follow from potentials, and the marginals of the cliques that were measured."""
    potentials = [np.zeros(tree.shape(c)) for c in tree.cliques]
    for c, potential in held.items():
        potentials[homes[c]] += spread(potential, c, tree.cliques[homes[c]])
    tables = tree.beliefs(potentials, total)
    return tables, {c: summed(tables[home], tree.cliques[home], c) for c, home in homes.items()}


def _wrong(told: Mapping[Clique, np.ndarray], measured: Sequence[Measured]) -> tuple[float, dict[Clique, np.ndarray]]:
    """Return by how much marginals differ from the noisy ones, squared and weighed, and how that changes with each."""
    wrong, slope = 0.0, {c: np.zeros(t.shape) for c, t in told.items()}
    for m in measured:
        off = (told[m.clique] - m.table) / m.sigma
        wrong += 0.5 * float((off * off).sum())
        slope[m.clique] += off / m.sigma
    return wrong, slope


def _steepest(tree: Junction, measured: Sequence[Measured], homes: Mapping[Clique, int]) -> float:
    """Return how steep it can get: how far the first step may go follows from it."""
    steep = np.zeros(len(tree.cliques))
    for m in measured:
        home = homes[m.clique]
        steep[home] += tree.size(tree.cliques[home]) / tree.size(m.clique) / float(np.min(m.sigma)) ** 2
    return max(float(steep.max()), 1e-12)
