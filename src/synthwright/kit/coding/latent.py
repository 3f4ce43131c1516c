"""Cells of a column as regions of a space of independent standard normal numbers, and back.

An ordered column is cut along one axis. Labels have no order: they lie in a few axes, and the space is halved again
and again, each time between the two groups of labels that differ most, until every label has a box. A box is exactly
as probable as its label, so that shares hold whatever the axes have to do with other columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LATER = 0.8
"""How much less the later axes count: where labels have an order after all, those only bend it."""


@dataclass(frozen=True)
class Line:
    """One axis cut into pieces: piece i, from the left, is leaf `order[i]` and ends at `ends[i]` (in probability)."""

    order: np.ndarray
    ends: np.ndarray

    @staticmethod
    def of(shares: np.ndarray, order: np.ndarray | None = None) -> Line:
        """Cut an axis into pieces of these shares (they add up to one), in this order from the left."""
        order = np.arange(len(shares)) if order is None else order
        ends = np.minimum(np.cumsum(shares[order]), 1.0)
        ends[len(ends) - 1 :] = 1.0
        return Line(order.astype(np.int64), ends)

    @property
    def axes(self) -> int:
        """How many axes the space has."""
        return 1

    @cached_property
    def boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each leaf begins and ends, in probability: two arrays of leaves × axes."""
        low, high = np.empty((len(self.order), 1)), np.empty((len(self.order), 1))
        low[self.order, 0] = np.append(0.0, self.ends[:-1])
        high[self.order, 0] = self.ends
        return low, high

    def find(self, at: np.ndarray) -> np.ndarray:
        """Return the leaf of each point; `at` is points × axes, in probability."""
        piece = np.minimum(np.searchsorted(self.ends, at[:, 0], side="right"), len(self.order) - 1)
        found: np.ndarray = self.order[piece]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save."""
        return {"order": self.order, "ends": self.ends}


@dataclass(frozen=True)
class Tree:
    """A space halved again and again: node i is cut across `axis[i]` at `cut[i]` (in probability).

    `low` and `high` name what lies before and beyond the cut: a node, or leaf j as -1 - j.
    """

    axes: int
    axis: np.ndarray
    cut: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @cached_property
    def boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each leaf begins and ends, in probability: two arrays of leaves × axes."""
        low, high = np.zeros((len(self.axis) + 1, self.axes)), np.ones((len(self.axis) + 1, self.axes))
        waiting = [(0, np.zeros(self.axes), np.ones(self.axes))]
        while waiting:
            node, first, last = waiting.pop()
            if node < 0:
                low[-1 - node], high[-1 - node] = first, last
                continue
            axis, cut = self.axis[node], self.cut[node]
            before, beyond = last.copy(), first.copy()
            before[axis] = beyond[axis] = cut
            waiting += [(int(self.low[node]), first, before), (int(self.high[node]), beyond, last)]
        return low, high

    def find(self, at: np.ndarray) -> np.ndarray:
        """Return the leaf of each point; `at` is points × axes, in probability."""
        node = np.zeros(len(at), dtype=np.int64)
        todo = np.arange(len(at))
        while len(todo):
            here = node[todo]
            before = at[todo, self.axis[here]] < self.cut[here]
            node[todo] = np.where(before, self.low[here], self.high[here])
            todo = todo[node[todo] >= 0]
        found: np.ndarray = -1 - node
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save."""
        return {"axis": self.axis, "cut": self.cut, "low": self.low, "high": self.high, "axes": np.array([self.axes])}


Partition = Line | Tree


def partition_of(arrays: dict[str, np.ndarray]) -> Partition:
    """Rebuild a partition from its arrays."""
    if "order" in arrays:
        return Line(arrays["order"], arrays["ends"])
    return Tree(int(arrays["axes"][0]), *(arrays[n] for n in ("axis", "cut", "low", "high")))


def halved(shares: np.ndarray, places: np.ndarray) -> Partition:
    """Give every label a box as probable as its share.

    Args:
        shares: the share of each label, more than one of them; they add up to one.
        places: where labels lie (labels × axes): what lies close is cut apart last, wide axes are cut first.
    """
    if places.shape[1] == 1:
        return Line.of(shares, np.argsort(places[:, 0], kind="stable"))
    places = np.column_stack([places[:, 0], LATER * places[:, 1:]])
    cuts: list[tuple[int, float, int, int]] = []
    waiting = [(np.arange(len(shares)), np.zeros(places.shape[1]), np.ones(places.shape[1]), -1, False)]
    while waiting:
        mine, first, last, parent, beyond = waiting.pop()
        node = -1 - int(mine[0]) if len(mine) == 1 else len(cuts)
        if parent >= 0:
            axis, cut, low, high = cuts[parent]
            cuts[parent] = (axis, cut, low, node) if beyond else (axis, cut, node, high)
        if len(mine) == 1:
            continue
        axis, left, right = _best_cut(mine, shares, places)
        share = shares[left].sum() / shares[mine].sum()
        cut = float(first[axis] + (last[axis] - first[axis]) * share)
        cuts.append((axis, cut, 0, 0))
        before, after = last.copy(), first.copy()
        before[axis] = after[axis] = cut
        waiting += [(left, first, before, node, False), (right, after, last, node, True)]
    axis_, cut_, low_, high_ = zip(*cuts, strict=True)
    return Tree(places.shape[1], np.array(axis_), np.array(cut_), np.array(low_), np.array(high_))


def scores(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the mean of a standard normal number between two quantiles, given as probabilities."""
    from scipy.special import ndtri

    def density(p: np.ndarray) -> np.ndarray:
        inside = (p > 0) & (p < 1)
        return np.where(inside, np.exp(-0.5 * ndtri(np.where(inside, p, 0.5)) ** 2), 0.0) / np.sqrt(2 * np.pi)

    width = high - low
    middle = ndtri(np.clip((low + high) / 2, 1e-300, 1 - 1e-16))
    thin = width < 1e-9  # the difference quotient loses its digits
    mean = np.where(thin, middle, (density(low) - density(high)) / np.where(thin, 1.0, width))
    found: np.ndarray = np.where(width >= 1, 0.0, mean)
    return found


def _best_cut(mine: np.ndarray, shares: np.ndarray, places: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the axis and the two groups whose means differ most: the cut that leaves the least spread within."""
    best = (-1.0, 0, mine[:1], mine[1:])
    for axis in range(places.shape[1]):
        order = mine[np.argsort(places[mine, axis], kind="stable")]
        weight = np.cumsum(shares[order])
        moment = np.cumsum(shares[order] * places[order, axis])
        left, rest = weight[:-1], weight[-1] - weight[:-1]
        gain = moment[:-1] ** 2 / left + (moment[-1] - moment[:-1]) ** 2 / np.maximum(rest, 1e-300)
        gain = np.round(gain - moment[-1] ** 2 / weight[-1], 12)
        at = int(np.argmax(gain))
        if gain[at] > best[0]:
            best = (float(gain[at]), axis, order[: at + 1], order[at + 1 :])
    return best[1], best[2], best[3]
