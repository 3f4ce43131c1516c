"""Rows as cells, how many rows each combination of cells has, and cells that too few rows have joined into one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthwright.kit.private.inference import Measured
from synthwright.kit.private.junctions import Clique

LIGHT = 3.0
"""Standard deviations of noise below which a cell is joined with others (McKenna et al. 2021)."""


@dataclass(frozen=True)
class Coded:
    """Real rows: the cell of each in every column."""

    cells: np.ndarray
    """int32, columns × rows."""
    sizes: tuple[int, ...]

    def counts(self, clique: Clique) -> np.ndarray:
        """Return how many rows each combination of cells has."""
        shape = tuple(self.sizes[v] for v in clique)
        at = np.zeros(self.cells.shape[1], dtype=np.int64)
        for v in clique:
            at = at * self.sizes[v] + self.cells[v]
        return np.bincount(at, minlength=math.prod(shape)).reshape(shape)

    def size(self, clique: Clique) -> int:
        """Return how many combinations of cells there are."""
        return math.prod(self.sizes[v] for v in clique)

    def joined(self, groups: list[Groups]) -> Coded:
        """Return the rows in groups of cells."""
        return Coded(np.stack([g.of[c] for g, c in zip(groups, self.cells, strict=True)]),
                     tuple(g.size for g in groups))  # fmt: skip


def blocks(held: np.ndarray, many: int, *, ordered: bool) -> np.ndarray:
    """Return about so many blocks of cells that hold about as much each: which one each cell is in.

    Args:
        held: how many rows each cell holds, noisy.
        many: how many blocks there are to be, about.
        ordered: neighbours are joined; otherwise the lightest cells, and the others stay alone.
    """
    held = np.maximum(held, 0.0)
    if not ordered:
        rank = np.empty(len(held), dtype=np.int64)
        rank[np.argsort(-held, kind="stable")] = np.arange(len(held))
        return np.minimum(rank, many - 1)
    share, of, full = held.sum() / many, np.zeros(len(held), dtype=np.int64), 0.0
    for i in range(1, len(held)):
        full += held[i - 1]
        new = full + held[i] / 2 > share or held[i] > share
        of[i] = of[i - 1] + new
        full = 0.0 if new else full
    return of


class Groups(NamedTuple):
    """Which cells of a column count as one: those that hold little but noise, in the last group."""

    of: np.ndarray
    """int32: the group of each cell."""
    size: int

    @staticmethod
    def by(noisy: np.ndarray, sigma: float) -> Groups:
        """Return the groups that follow from noisy counts."""
        light = noisy < LIGHT * sigma
        if light.sum() < 2:
            return Groups(np.arange(len(noisy), dtype=np.int32), len(noisy))
        first = int((~light).sum())
        return Groups(np.where(light, first, np.cumsum(~light) - 1).astype(np.int32), first + 1)

    def measured(self, column: int, noisy: np.ndarray, sigma: float) -> Measured:
        """Return noisy counts of cells as those of groups."""
        many = np.bincount(self.of, minlength=self.size)
        return Measured((column,), np.bincount(self.of, noisy, self.size), sigma * np.sqrt(many))
