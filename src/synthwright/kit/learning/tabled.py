"""The distribution of one column given a few parents: ever finer tables, each cell held by a coarser one.

A *level* cuts every cell of the table before it by the groups of one parent. A cell that too few rows fall into is not
kept: its rows stay in the cell around it. So the table is fine where there are rows enough, and what is known of fewer
parents, or of coarser groups of them, stands in elsewhere (back-off; Jelinek and Mercer 1980, Katz 1987). What a cell
holds is smoothed toward the cell around it, which counts for some rows (a Dirichlet prior; MacKay and Peto 1995, A
hierarchical Dirichlet language model).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Correction
from synthwright.kit.learning.draws import Line, held
from synthwright.kit.learning.splits import BINS
from synthwright.kit.learning.trees import Forest, blank

PRIOR = 0.5
"""Rows that the shares of the whole column count for, where conditions are weighed."""


class Level(NamedTuple):
    """One cut of all cells."""

    parent: int
    """The column, by position in the table's order."""
    groups: np.ndarray
    """int16, one for each bin of the parent; -1: such rows stay where they are."""

    @property
    def size(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1


@dataclass(frozen=True)
class Tabled:
    """How one column follows from its parents."""

    correction: ClassVar[Correction | None] = None

    parents: np.ndarray
    """int64, one for each level: the column that cuts, by position in the table's order."""
    groups: np.ndarray
    """int16, levels × bins: the group of each bin of the parent."""
    keys: np.ndarray
    """int64, ascending: the cell around each cell but the first, times `BINS` + 1, plus the group."""
    start: np.ndarray
    """int64: where the codes of each cell begin."""
    stop: np.ndarray
    """int64: where they end."""
    held: np.ndarray
    """uint32: the codes, by cell; in ascending order where a cell is not cut further."""
    weight: float
    """Rows that the cell around a cell counts for."""

    @cached_property
    def around(self) -> np.ndarray:
        """The cell around each cell; the first is around itself."""
        return np.append(0, self.keys // (BINS + 1))

    @cached_property
    def _inner(self) -> np.ndarray:
        """Which cells hold others."""
        inner = np.zeros(len(self.start), dtype=bool)
        inner[self.around[1:]] = True
        return inner

    @cached_property
    def _forest(self) -> Forest:
        """The cells as nodes, as drawing wants them."""
        tree = blank(len(self.start))._replace(start=self.start, stop=self.stop)
        return Forest(tree._replace(feature=np.where(self._inner, 0, -1).astype(np.int16)), np.zeros(1, np.int32),
                      self.held)  # fmt: skip

    def features(self, bins: np.ndarray, nominal: np.ndarray) -> np.ndarray:
        """Return the finest cell (int32) that each row falls into."""
        cell = np.zeros(bins.shape[1], dtype=np.int64)
        live = np.arange(bins.shape[1])
        for parent, groups in zip(self.parents, self.groups, strict=True):
            group = groups[bins[parent, live]].astype(np.int64)
            wanted = cell[live] * (BINS + 1) + group
            at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            found = (group >= 0) & (self.keys[at] == wanted)
            live = live[found]
            cell[live] = at[found] + 1
        return cell.astype(np.int32)

    def draw(
        self, column: Coded, features: np.ndarray, others: np.ndarray, rng: np.random.Generator, size: int
    ) -> np.ndarray:
        """Return a place (uint32) for every row: of its cell, or as seldom as smoothing wants of one around it."""
        cell = features.astype(np.int64)
        live = np.flatnonzero(cell)
        while len(live):
            rows = (self.stop - self.start)[cell[live]]
            live = live[rng.random(len(live)) * (rows + self.weight) < self.weight]
            cell[live] = self.around[cell[live]]
            live = live[cell[live] > 0]
        order, seed = rng.permutation(len(cell)), rng.integers(2**63, dtype=np.uint64)
        return held(self._forest, Line(*column.line), cell.astype(np.int32), order, seed)

    def likelihood(self, column: Coded, features: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return how likely the places of the rows are, given the columns before."""
        group = column.groups[places].astype(np.int64)
        known = np.flatnonzero(group >= 0)
        found = np.ones(len(group))
        group, cell = group[known], features[known].astype(np.int64)
        keys, counts, width = self._counted(column)
        path = [cell]
        while path[-1].any():
            path.append(self.around[path[-1]])
        share = column.group_shares[group]
        for k, at in enumerate(reversed(path)):  # the first cell counts again where paths are shorter: no matter
            wanted = at * width + group
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            count = np.where(keys[place] == wanted, counts[place], 0)
            rows, weight = (self.stop - self.start)[at], self.weight if k else PRIOR
            share = (count + weight * share) / np.maximum(rows + weight, 1e-300)
        found[known] = share
        return found

    def _counted(self, column: Coded) -> tuple[np.ndarray, np.ndarray, int]:
        """Return how many codes of each group each cell holds: keys (cell times width plus group), counts, width."""
        width = int(column.groups.max()) + 2
        sizes = self.stop - self.start
        cells = np.repeat(np.arange(len(sizes)), sizes)
        at = np.arange(len(cells)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(self.start, sizes)
        keys, counts = np.unique(cells * width + column.groups[self.held[at]], return_counts=True)
        return keys, counts, width

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name: `of_arrays` makes the same from them."""
        names = ("parents", "groups", "keys", "start", "stop", "held")
        return {**{n: getattr(self, n) for n in names}, "weight": np.array([self.weight])}

    @staticmethod
    def of_arrays(held: dict[str, np.ndarray]) -> Tabled:
        """Rebuild it."""
        return Tabled(held["parents"], held["groups"], held["keys"], held["start"], held["stop"], held["held"],
                      float(held["weight"][0]))  # fmt: skip

    def is_sound(self, position: int, places: int) -> bool:
        """Return whether what was read from a file can be drawn from, at a position of the table's order."""
        cells = len(self.start)
        return bool(
            cells
            and len(self.stop) == len(self.keys) + 1 == cells
            and self.groups.shape == (len(self.parents), BINS)
            and ((self.parents >= 0) & (self.parents < position)).all()
            and ((self.groups >= -1) & (self.groups <= BINS)).all()
            and (np.diff(self.keys) > 0).all()
            and ((self.keys >= 0) & (self.around[1:] < np.arange(1, cells))).all()
            and ((self.start >= 0) & (self.start < self.stop) & (self.stop <= len(self.held))).all()
            and (self.held < places).all()
            and 0 <= self.weight < np.inf
        )


def filled(levels: list[Level], bins: np.ndarray, places: np.ndarray, least: int, weight: float) -> Tabled:
    """Return tables that hold the places of all rows; cells of fewer rows than `least` are not kept.

    Args:
        levels: how cells are cut.
        bins: uint8, columns × rows.
        places: of the column itself, one per row.
        least: the fewest rows of a cell.
        weight: rows that the cell around a cell counts for.
    """
    rows, first = len(places), 0
    path = np.zeros((len(levels) + 1, rows), dtype=np.int64)
    cell, live, keys = np.zeros(rows, dtype=np.int64), np.arange(rows), [np.zeros(0, np.int64)]
    for k, level in enumerate(levels):
        group = level.groups[bins[level.parent, live]].astype(np.int64)
        live, group = live[group >= 0], group[group >= 0]
        every, at, count = np.unique(cell[live] * (BINS + 1) + group, return_inverse=True, return_counts=True)
        kept = count >= least
        number = first + np.cumsum(kept)
        live, at = live[kept[at]], at[kept[at]]
        cell[live] = path[k + 1, live] = number[at]
        first += int(kept.sum())
        keys.append(every[kept])
    order = np.lexsort((places, *path[::-1]))
    start, stop = np.zeros(first + 1, np.int64), np.full(first + 1, rows, np.int64)
    for cells in path[1:]:
        mine = cells[order]
        begin = np.flatnonzero(np.diff(mine, prepend=-1))
        start[mine[begin]], stop[mine[begin]] = begin, np.append(begin[1:], rows)
    start[0], stop[0] = 0, rows
    groups = np.array([level.groups for level in levels], np.int16).reshape(-1, BINS)
    parents = np.array([level.parent for level in levels], np.int64)
    return Tabled(parents, groups, np.concatenate(keys), start, stop, places[order].astype(np.uint32), weight)
