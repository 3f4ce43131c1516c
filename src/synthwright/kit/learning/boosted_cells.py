"""The distribution of one column given the columns made before it: boosted trees that predict a probability per cell.

The column is cut in stages: into a few coarse cells, each of those into finer ones, and these again. One boosted
classifier predicts the coarse cell from the columns before; another the finer one, from the same and the cell that it
is in, and so on. Each stops when rows that were set aside gain no more. Within the finest cells the column's own shares
decide. Where a boosted regression of the column (the guide) explains enough, classifiers see how far from its
prediction a cell lies, so that one rule can serve all cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.learning.additive import Additive, flattened, is_sound, scored, settings
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Correction, Known, heard, telling
from synthwright.kit.learning.guides import FEW, FINE, Guide, as_matrix, guided

LEARN = 50_000
"""Rows that classifiers are learned from, at most."""
ASIDE = 6
"""One row of so many says when to stop."""
PATIENCE = 6
"""Rounds without gain after which training stops."""
PER_CLASS = 8
"""Rows for each cell that a classifier tells apart."""
STAGES = 3
"""How often cells are cut, at most."""
WIDEST = 512
"""Parts that a cell is cut into, at most."""
HEAVY = 2
"""A code with so many times the share of a cell is a cell by itself."""


class Dials(NamedTuple):
    """How conditionals are learned."""

    cells: int
    rounds: int
    rate: float
    leaves: int
    valued: bool = False
    """Whether only rows that have a value are learned from: no value is made where none may be missing."""


class Cells(NamedTuple):
    """How a column is cut: each stage cuts the cells of the one before."""

    digits: np.ndarray
    """int64, stages × places: which part of the cell before each place is in; no value has a part of its own."""
    paths: tuple[np.ndarray, ...]
    """For each stage, and after the last one, the cell of each place, numbered from 0."""
    shares: tuple[np.ndarray, ...]
    """For each stage the shares of the parts of each cell, cells × parts."""
    inner: tuple[np.ndarray, ...]
    """For each stage the cell that each part of each cell is, cells × parts."""
    middles: tuple[np.ndarray, ...]
    """For each stage the mean rank of each cell."""

    @staticmethod
    def of(column: Coded, digits: np.ndarray) -> Cells:
        """Return the cells that digits say."""
        paths, shares, inner, middles = [np.zeros(digits.shape[1], dtype=np.int64)], [], [], []
        weight = np.maximum(column.shares, 1e-15)
        rank = column.rank[: len(weight)].astype(np.float64)
        for digit in digits:
            width, cells = int(digit.max()) + 1, int(paths[-1].max()) + 1
            keys, at = np.unique(paths[-1] * width + digit, return_inverse=True)
            children = np.zeros(cells * width, dtype=np.int64)
            children[keys] = np.arange(len(keys))
            shares.append(np.bincount(paths[-1] * width + digit, weight, cells * width).reshape(cells, width))
            middles.append(np.bincount(paths[-1], rank * weight) / np.bincount(paths[-1], weight))
            inner.append(children.reshape(cells, width))
            paths.append(at)
        return Cells(digits, tuple(paths), tuple(shares), tuple(inner), tuple(middles))

    def open(self, stage: int) -> np.ndarray:
        """Return which cells a stage cuts."""
        return (self.shares[stage] > 0).sum(axis=1) > 1


@dataclass(frozen=True)
class BoostedCells:
    """How one column follows from those before it."""

    correction: ClassVar[Correction | None] = None

    seen: np.ndarray
    """int64: the columns that it is made from, by position in the table's order."""
    digits: np.ndarray
    """int64, stages × places: of `Cells`."""
    guide: Guide | None
    stages: tuple[Additive | None, ...]
    """What predicts the digits; None: shares decide."""

    def features(self, bins: np.ndarray, nominal: np.ndarray) -> np.ndarray:
        """Return what classifiers look at, for rows of which the columns before are known (float32, rows × columns)."""
        mine = np.ascontiguousarray(bins[self.seen])
        matrix = as_matrix(mine)
        return matrix if self.guide is None else with_guide(matrix, self.guide, self.guide.bins(mine))

    def draw(
        self, column: Coded, features: np.ndarray, others: np.ndarray, rng: np.random.Generator, size: int
    ) -> np.ndarray:
        """Return a place (uint32) for every row."""
        cells = Cells.of(column, self.digits)
        path = np.zeros(len(features), dtype=np.int64)
        for k, trees in enumerate(self.stages):
            digit = np.argmax(cells.shares[k] > 0, axis=1)[path]
            cut = np.flatnonzero(cells.open(k)[path])
            chance = self._chance(cells, k, trees, features[cut], path[cut])
            digit[cut] = chosen(chance, _spread(len(cut), rng))
            path = cells.inner[k][path, digit]
        return _within(cells.paths[-1], column.shares, path, rng)

    def likelihood(self, column: Coded, features: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return how likely the cells of the rows are, given the columns before."""
        cells, found = Cells.of(column, self.digits), np.ones(len(places))
        known = np.flatnonzero(places < self.digits.shape[1])
        for k, trees in enumerate(self.stages):
            path, digit = cells.paths[k][places[known]], self.digits[k][places[known]]
            chance = self._chance(cells, k, trees, features[known], path)
            found[known] *= chance[np.arange(len(known)), digit] / np.maximum(chance.sum(axis=1), 1e-300)
        return found

    def _chance(
        self, cells: Cells, stage: int, trees: Additive | None, features: np.ndarray, path: np.ndarray
    ) -> np.ndarray:
        """Return the chance of each part of the cells that rows are in; they need not add up to one."""
        shares = cells.shares[stage][path]
        if trees is None:
            return shares
        return chances(trees, inside(features, self.guide, path, cells.middles[stage]), shares.shape[1]) * (shares > 0)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name: `of_arrays` makes the same from them."""
        held = {"seen": self.seen, "digits": self.digits}
        groups: list[tuple[str, Any]] = [(f"stage-{i}", s) for i, s in enumerate(self.stages) if s is not None]
        if self.guide is not None:
            held.update(self.guide.arrays())
        for name, group in groups:
            held.update({f"{name}:{k}": v for k, v in group._asdict().items()})
        return held

    @staticmethod
    def of_arrays(held: dict[str, np.ndarray]) -> BoostedCells:
        """Rebuild it."""

        def part(name: str) -> Additive:
            return Additive(**{k: held[f"{name}:{k}"] for k in Additive._fields})

        stages = [part(f"stage-{i}") if f"stage-{i}:roots" in held else None for i in range(len(held["digits"]))]
        return BoostedCells(held["seen"], held["digits"], Guide.of_arrays(held), tuple(stages))

    def is_sound(self, position: int, places: int) -> bool:
        """Return whether what was read from a file can be drawn from, at a position of the table's order."""
        told = int(self.guide is not None)
        width = len(self.seen) + told
        found = bool(((self.seen >= 0) & (self.seen < position)).all())
        found &= self.digits.ndim == 2 and 1 <= len(self.digits) <= STAGES and self.digits.shape[1] == places
        found = found and bool(((self.digits >= 0) & (self.digits < min(places, WIDEST))).all())
        if self.guide is not None:
            found = found and len(self.guide.edges) > 0 and self.guide.is_sound(width - 1)
        return found and all(
            trees is None
            or (
                is_sound(trees, width + 1 + told) and len(trees.roots) > 0 and len(trees.roots) % (digit.max() + 1) == 0
            )
            for trees, digit in zip(self.stages, self.digits, strict=True)
        )


def learned(known: Known, position: int, dials: Dials, ctx: Context) -> BoostedCells:
    """Return how the column at a position follows from those before it."""
    column, places = known.columns[position], heard(known, position, ctx.at("heard").rng)
    rows = np.flatnonzero(places < column.size + (not dials.valued)).astype(np.int32)
    seen = telling(known, position, rows, ctx.at("seen").rng)
    rows = np.sort(ctx.at("some").rng.permutation(rows)[:LEARN])
    digits = digits_of(column, min(dials.cells, max(2, len(rows) // PER_CLASS)))
    if not len(seen) or not len(rows) or (places[rows] == places[rows[0]]).all():
        return BoostedCells(seen, digits, None, (None,) * len(digits))
    bins, guide = np.ascontiguousarray(known.bins[seen]), None
    matrix = as_matrix(bins[:, rows])
    if column.ordered and column.token_count > FINE and len(rows) >= FEW:
        guide, said = guided(bins, column.rank[places], rows, ctx.at("guide"))
        if guide is not None:  # each row as the half says that did not see it
            matrix = with_guide(matrix, guide, said[rows])
    cells, rows, stages = Cells.of(column, digits), places[rows], []
    for k, digit in enumerate(digits):
        path, width = cells.paths[k][rows], int(digit.max()) + 1
        cut = np.flatnonzero(cells.open(k)[path])
        trees = None
        if len(cut) >= PER_CLASS * width:
            looks = inside(matrix[cut], guide, path[cut], cells.middles[k])
            trees = classified(looks, digit[rows[cut]], width, dials, ctx.at("stage", k))
        stages.append(trees)
    return BoostedCells(seen, digits, guide, tuple(stages))


def digits_of(column: Coded, most: int) -> np.ndarray:
    """Return how a column is cut into cells, those into finer ones, and these again: stages × places.

    Cells of an ordered column have about the same share each. Labels have a cell each, the seldom ones share the last;
    they are told apart within it. A column of few values, or of labels, may have twice as many cells at first.
    """
    size, found = column.size, []
    whole, shares = np.zeros(size, dtype=np.int64), column.codec.shares
    rank = column.rank[:size].astype(np.int64)
    for stage in range(STAGES):
        many = most if stage else 2 * most
        if column.ordered:
            cut = np.arange(size) if size <= many else _even(shares, whole, most)
            digit = cut - cut[np.searchsorted(whole, whole)]
            whole = cut
        else:
            digit = np.minimum(rank, many - 1)
            rank = np.maximum(rank - (many - 1), 0)
        if stage and not digit.any():
            break
        found.append(np.append(digit, 0 if stage else int(digit.max()) + 1 if size else 0))
    return np.array(found, dtype=np.int64)


def _even(shares: np.ndarray, group: np.ndarray, most: int) -> np.ndarray:
    """Cut each group of codes (ascending) into parts of about even share; number all parts in order.

    A code that is much heavier than a part is one by itself.
    """
    if not len(shares):
        return np.zeros(0, dtype=np.int64)
    whole = np.bincount(group, shares)[group]
    first = np.searchsorted(group, group)
    before = np.cumsum(shares) - shares
    at = (before - before[first] + shares / 2) / np.maximum(whole, 1e-300) * most
    part = np.minimum(at.astype(np.int64), most - 1)
    heavy = shares * most > HEAVY * whole
    new = np.append(True, (np.diff(group) > 0) | (np.diff(part) > 0) | heavy[1:] | heavy[:-1])
    return np.cumsum(new) - 1


def classified(matrix: np.ndarray, label: np.ndarray, size: int, dials: Dials, ctx: Context) -> Additive | None:
    """Learn to predict a class, until rows that were set aside gain no more; None where there is one class only."""
    import lightgbm

    if (label == label[0]).all() or not dials.rounds:
        return None
    how = settings(len(matrix), ctx, objective="multiclass", num_class=size, learning_rate=dials.rate,
                   num_leaves=dials.leaves, lambda_l2=1.0)  # fmt: skip
    off = ctx.at("aside").rng.permutation(len(label)) % ASIDE == 0
    if (label[~off] == label[~off][0]).all():
        return None
    learn = lightgbm.Dataset(matrix[~off], label[~off], params=how)
    watch = lightgbm.Dataset(matrix[off], label[off], params=how, reference=learn)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(how, learn, num_boost_round=dials.rounds, valid_sets=[watch], callbacks=[stop])
    return flattened(booster, booster.best_iteration)


def chances(trees: Additive, matrix: np.ndarray, size: int) -> np.ndarray:
    """Return the chance of each class for every row."""
    found = scored(trees, matrix, size)
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def chosen(chance: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the class at a point (0 to 1) of each row's distribution."""
    ends = np.cumsum(chance, axis=1)
    last = chance.shape[1] - 1 - np.argmax(chance[:, ::-1] > 0, axis=1)
    found: np.ndarray = np.minimum((ends < (at * ends[:, -1])[:, None]).sum(axis=1), last)
    return found


def _spread(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return points from 0 to 1, spread evenly, in an order of chance."""
    return (rng.permutation(rows) + rng.random(rows)) / max(rows, 1)


def _within(bucket: np.ndarray, shares: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a code of each wanted bucket, by the shares of its codes."""
    order = np.argsort(bucket, kind="stable")
    ends = np.cumsum(np.maximum(shares[order], 1e-15))
    sorted_ = bucket[order]
    low, high = np.searchsorted(sorted_, wanted), np.searchsorted(sorted_, wanted, side="right") - 1
    begin = np.where(low > 0, ends[low - 1], 0.0)
    at = begin + rng.random(len(wanted)) * (ends[high] - begin)
    return order[np.clip(np.searchsorted(ends, at, side="right"), low, high)].astype(np.uint32)


def with_guide(matrix: np.ndarray, guide: Guide, bins: np.ndarray) -> np.ndarray:
    """Return what classifiers look at with a guide's prediction, as coarse as its bins, for a last column."""
    said = guide.edges[np.minimum(bins, len(guide.edges) - 1)]
    return np.column_stack([matrix, said]).astype(np.float32)


def inside(matrix: np.ndarray, guide: Guide | None, cell: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Return what a classifier looks at: the cell besides, and how far from it the guide's prediction lies."""
    more = [cell] if guide is None else [cell, matrix[:, -1] - middles[cell]]
    return np.column_stack([matrix, *more]).astype(np.float32)
