"""How surely one row points at another, as record linkage counts it, and which rows stand apart from all others.

Two rows that agree may be of one person, or agree by chance. What an agreement tells is how rare it is: minus the
logarithm of the share of training rows that agree as well. Equal labels tell the label's share; numbers tell the share
of rows from the one to the other, both included. So agreeing on a common value tells little, and on a rare one much;
an outlier changes nothing, and no column has to have a range. Disagreeing tells nothing: a copy with one value changed
still points at its original. The evidence of two rows is the sum over columns, which are taken as independent: what it
is worth is told by real rows, whose columns depend on each other in the same way. Reference: Fellegi and Sunter, A
theory for record linkage, JASA 64 (1969).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import labels, nulls, numbers
from synthwright.kit.learning.kernels import kernel
from synthwright.kit.learning.threads import side_by_side
from synthwright.kit.measuring.neighbours import Points, nearest

_TILE, _BLOCK, _TASK = 64, 512, 1024
"""Rows and other rows that are compared at a time (what a core's nearest cache holds), and rows of a thread's task."""
_FULL = np.float32(1e36)
"""The product of no shares at all: products of shares run from here down to its inverse, the range of a float32."""
_DECADES = 70.0
"""Powers of ten that products may span; with many columns, the least share of each is raised to keep within."""
_ABSENT = 2.0
"""Where nulls stand: so far from every value that they agree with none."""
_NULL_SCALED, _FARTHEST = -3.0, 30.0
"""Where nulls stand among standardised numbers, and how far out these go."""


class Marks(NamedTuple):
    """Rows of one table as what tells them apart; columns are rows of the matrices: one column lies together."""

    low: np.ndarray
    """float32, ordered columns × rows: the share of training rows below the value."""
    high: np.ndarray
    """float32: the share of training rows not above the value."""
    codes: np.ndarray
    """int32, discrete columns × rows: labels; negative where no training row has it."""
    shares: np.ndarray
    """float32: the share of training rows with the label."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.low.shape[1])

    def take(self, rows: np.ndarray) -> Marks:
        """Return some of the rows."""
        return Marks(*(np.ascontiguousarray(m[:, rows]) for m in self))


class _Search(NamedTuple):
    begin: int
    end: int
    less: np.float32
    """The share that a row which is left out had in its own agreements."""
    least: np.float32
    summed: bool
    """Whether differences are summed, in the place of shares being multiplied."""


class Scale:
    """What the training rows say of how rare values are; `marks` reads any rows by it."""

    def __init__(self, train: pa.Table, fields: Mapping[str, Field]) -> None:
        """Learn from training rows, at least one, with the columns of `fields`, at least one."""
        self.rows = train.num_rows
        self.fields = fields
        self.ordered = [c for c, f in fields.items() if f.kind in ORDERED]
        self.discrete = [c for c in fields if c not in set(self.ordered)]
        self.least = np.float32(max(1 / self.rows, 10 ** (-_DECADES / len(fields))))
        self._values = {c: np.sort(v[~np.isnan(v)]) for c in self.ordered for v in [numbers(train.column(c))]}
        self._labels: dict[str, tuple[pa.Array, np.ndarray]] = {}
        for name in self.discrete:
            codes, distinct = labels(train.column(name))
            self._labels[name] = distinct, np.bincount(codes + 1, minlength=len(distinct) + 1) / self.rows

    def marks(self, held: pa.Table) -> Marks:
        """Return rows of a table with the same columns, in the same types."""
        shape = len(self.ordered), held.num_rows
        low, high = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
        for i, name in enumerate(self.ordered):
            values, known = numbers(held.column(name)), self._values[name]
            absent = np.isnan(values)
            low[i] = np.where(absent, _ABSENT, np.searchsorted(known, values, side="left") / self.rows)
            beyond = _ABSENT + 1 - len(known) / self.rows
            high[i] = np.where(absent, beyond, np.searchsorted(known, values, side="right") / self.rows)
        shape = len(self.discrete), held.num_rows
        codes, shares = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32)
        for i, name in enumerate(self.discrete):
            column, (distinct, known) = held.column(name), self._labels[name]
            found = pc.fill_null(pc.index_in(column, value_set=distinct), -2).to_numpy()
            found = np.where(nulls(column), -1, found) + 1  # nulls are a label of their own: 0
            shares[i] = np.where(found < 0, 1.0, known[found])
            codes[i] = found
        return Marks(low, high, codes, shares)


# ------------------------------------------------------------------------------------------------- who stands apart
def standing(train: pa.Table, known: Marks, scale: Scale, some: np.ndarray) -> np.ndarray:
    """Return how far training rows stand apart from the others, as places: 0 stands farthest apart; int64.

    Three measures of how far the nearest other row is are taken, and the best place of each row counts: how much more
    surely an exact copy would point at it than another row does; Gower's distance by ranks; and, so that outliers stand
    apart too, the mean difference in standard deviations, a label that differs being one. Nearest is among some of the
    rows only: time is rows × some × columns, about a nanosecond each.

    Args:
        train: the training rows.
        known: their marks.
        scale: what made the marks.
        some: positions of at least two of them.
    """
    own = np.full(known.rows, -1, dtype=np.int64)
    own[some] = np.arange(len(some))
    measures = [itself(known, scale) - evidence(known, known.take(some), scale, 1, own)[:, 0]]
    absent = np.asarray((known.low >= _ABSENT).any(axis=1))
    scaled = np.array([_scaled(numbers(train.column(c))) for c in scale.ordered], dtype=np.float32)
    for ordered, gaps in (((known.low + known.high) / 2, absent), (scaled, np.zeros(len(absent), dtype=bool))):
        points = Points(ordered.reshape(len(scale.ordered), known.rows), known.codes, gaps)
        measures.append(_nearest(points, some))
    places = np.empty((len(measures), known.rows), dtype=np.int64)
    for place, measure in zip(places, measures, strict=True):
        place[np.argsort(-measure, kind="stable")] = np.arange(known.rows)
    best = np.empty(known.rows, dtype=np.int64)
    best[np.argsort(places.min(axis=0), kind="stable")] = np.arange(known.rows)
    return best


def _nearest(rows: Points, some: np.ndarray) -> np.ndarray:
    """Return each row's distance to the nearest of one half of some rows; rows of this half look among the other."""
    one, other = some[::2], some[1::2]
    parts = [Points(np.ascontiguousarray(rows.ordered[:, i]), rows.discrete[:, i], rows.gaps) for i in (one, other)]
    found = nearest(rows, parts[0])[0][:, 0]
    found[one] = nearest(parts[0], parts[1])[0][:, 0]
    return found


def _scaled(values: np.ndarray) -> np.ndarray:
    """Return numbers in standard deviations from their mean, none farther out than `_FARTHEST`."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if len(finite) else 0.0
    if not largest:
        return np.where(np.isnan(values), _NULL_SCALED, 0.0)
    small = values / largest  # squares of what is large would be infinite
    mean, deviation = float((finite / largest).mean()), float((finite / largest).std())
    return np.where(
        np.isnan(values), _NULL_SCALED, np.clip((small - mean) / max(deviation, 1e-12), -_FARTHEST, _FARTHEST)
    )


# ------------------------------------------------------------------------------------------------------------ evidence
def evidence(rows: Marks, among: Marks, scale: Scale, count: int, own: np.ndarray | None = None) -> np.ndarray:
    """Return the evidence that links each row with the rows of `among` it points at most surely.

    Time is rows × rows × columns, about three nanoseconds for fifteen columns.

    Args:
        rows: the rows in question.
        among: training rows, at least `count` besides the row itself.
        scale: what made the marks.
        count: how many.
        own: where the rows are training rows, which are left out: their positions in `among`, -1 where not there.

    Returns:
        float64, rows × count, natural logarithms, the surest first.
    """
    best = np.full((rows.rows, count), np.inf, dtype=np.float32)
    places = np.full(rows.rows, -1, dtype=np.int64) if own is None else own.astype(np.int64)
    tasks = _tasks(rows.rows, scale, left_out=own is not None)
    side_by_side(lambda task: _smallest(rows, among, task, places, best), tasks)
    return _logarithms(best)


def lead(rows: Marks, among: Marks, scale: Scale, count: int, own: np.ndarray | None = None) -> np.ndarray:
    """Return by how much each row points at one row of `among` more surely than at the `count`-th: see `evidence`."""
    found = evidence(rows, among, scale, count, own)
    return np.asarray(found[:, 0] - found[:, -1])


def closeness(rows: Marks, among: Marks, scale: Scale, count: int, own: np.ndarray | None = None) -> np.ndarray:
    """Return by how much nearer the nearest row of `among` is than the `count`-th: a logarithm of distances.

    The distance is Gower's with ranks. In few columns it tells noise on a copy better than evidence does, which one
    column alone may give. See `evidence` for the arguments.
    """
    best = np.full((rows.rows, count), np.inf, dtype=np.float32)
    places = np.full(rows.rows, -1, dtype=np.int64) if own is None else own.astype(np.int64)
    side_by_side(lambda task: _smallest(rows, among, task, places, best), _tasks(rows.rows, scale, summed=True))
    told = np.log(best.astype(np.float64) + 1 / scale.rows)  # ranks are no finer
    return np.asarray(told[:, -1] - told[:, 0])


class Closest(NamedTuple):
    """What points most surely at some training rows, the targets: other training rows."""

    best: np.ndarray
    """float32, targets × 2: the products of shares of the two surest, the surest first."""
    where: np.ndarray
    """int64: the position of the surest."""

    @property
    def evidence(self) -> np.ndarray:
        """The evidence of the surest and of the second: float64, targets × 2, natural logarithms."""
        return _logarithms(self.best)


def closest(targets: Marks, own: np.ndarray, rows: Marks, scale: Scale) -> Closest:
    """Return which of the training rows point most surely at each target, each without itself.

    Args:
        targets: some training rows.
        own: their positions.
        rows: all training rows, at least 3.
        scale: what made the marks.
    """
    found = Closest(np.full((targets.rows, 2), np.inf, dtype=np.float32), np.full(targets.rows, -1, dtype=np.int64))
    tasks = _tasks(targets.rows, scale, left_out=True, size=_BLOCK)
    side_by_side(lambda task: _closest(rows, targets, task, own.astype(np.int64), found), tasks)
    return found


def surest(rows: Marks, targets: Marks, known: np.ndarray, scale: Scale) -> np.ndarray:
    """Return by how much each row points at a target more surely than any other training row does, at most; float64.

    Args:
        rows: the rows in question.
        targets: some training rows, at least one.
        known: the evidence of the training row that points most surely at each target.
        scale: what made the marks.
    """
    found = np.full(rows.rows, np.inf)
    weights = np.exp(known) / float(_FULL)
    side_by_side(lambda task: _surest(rows, targets, task, weights, found), _tasks(rows.rows, scale))
    return -np.log(found)


def itself(rows: Marks, scale: Scale) -> np.ndarray:
    """Return how surely an exact copy of each row would point at it: the evidence of agreeing in every column."""
    told = np.log(np.maximum(rows.high - rows.low, scale.least)).sum(axis=0, dtype=np.float64)
    return np.asarray(-told - np.log(np.maximum(rows.shares, scale.least)).sum(axis=0, dtype=np.float64))


def _logarithms(products: np.ndarray) -> np.ndarray:
    return np.asarray(math.log(_FULL) - np.log(products.astype(np.float64)))


def _tasks(
    rows: int, scale: Scale, *, left_out: bool = False, summed: bool = False, size: int = _TASK
) -> list[_Search]:
    less = np.float32(1 / scale.rows if left_out else 0)
    return [_Search(i, min(i + size, rows), less, scale.least, summed) for i in range(0, rows, size)]


@kernel
def _agree(rows: Marks, among: Marks, row: int, begin: int, search: _Search, total: np.ndarray) -> None:
    """Fill `total` with products of shares: of a row with as many others, from the one at `begin` on."""
    less, least, one = search.less, search.least, np.float32(1)
    total[:] = _FULL
    for c in range(among.low.shape[0]):
        low, high = rows.low[c, row], rows.high[c, row]
        lows, highs = among.low[c, begin : begin + len(total)], among.high[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] *= min(max(max(high - lows[j], highs[j] - low) - less, least), one)
    for c in range(among.codes.shape[0]):
        code, share = rows.codes[c, row], max(rows.shares[c, row] - less, least)
        codes = among.codes[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] *= share if codes[j] == code else one


@kernel
def _differ(rows: Marks, among: Marks, row: int, begin: int, total: np.ndarray) -> None:
    """Fill `total` with summed differences of ranks and labels: of a row with as many others, from `begin` on."""
    one, half = np.float32(1), np.float32(0.5)
    total[:] = 0
    for c in range(among.low.shape[0]):
        twice = rows.low[c, row] + rows.high[c, row]
        lows, highs = among.low[c, begin : begin + len(total)], among.high[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] += min(abs(twice - (lows[j] + highs[j])) * half, one)
    for c in range(among.codes.shape[0]):
        code, codes = rows.codes[c, row], among.codes[c, begin : begin + len(total)]
        for j in range(len(total)):
            total[j] += np.float32(codes[j] != code)


@kernel
def _keep(totals: np.ndarray, best: np.ndarray) -> None:
    """Sort totals into the smallest so far."""
    last = len(best) - 1
    limit, under = best[last], 0
    for j in range(len(totals)):
        under += totals[j] < limit
    if under:
        for j in range(len(totals)):
            if totals[j] < best[last]:
                at = last
                while at > 0 and best[at - 1] > totals[j]:
                    best[at] = best[at - 1]
                    at -= 1
                best[at] = totals[j]


@kernel
def _smallest(rows: Marks, among: Marks, search: _Search, own: np.ndarray, best: np.ndarray) -> None:
    """Sort the smallest products, or sums, of the rows of a search into `best`."""
    others = among.low.shape[1]
    room = np.empty(_BLOCK, np.float32)
    for first in range(search.begin, search.end, _TILE):
        for begin in range(0, others, _BLOCK):
            total = room[: min(_BLOCK, others - begin)]
            for i in range(first, min(first + _TILE, search.end)):
                if search.summed:
                    _differ(rows, among, i, begin, total)
                else:
                    _agree(rows, among, i, begin, search, total)
                if begin <= own[i] < begin + len(total):
                    total[own[i] - begin] = np.float32(np.inf)
                _keep(total, best[i])


@kernel
def _closest(rows: Marks, targets: Marks, search: _Search, own: np.ndarray, found: Closest) -> None:
    """Find the rows that point most surely at the targets of a search, which are one block."""
    best, second = found.best[search.begin : search.end, 0].copy(), found.best[search.begin : search.end, 1].copy()
    total = np.empty(search.end - search.begin, np.float32)
    mine = own[search.begin : search.end]
    for i in range(rows.low.shape[1]):
        _agree(rows, targets, i, search.begin, search, total)
        under = 0
        for j in range(len(total)):
            under += total[j] < second[j]
        if under:
            for j in range(len(total)):
                if total[j] < second[j] and mine[j] != i:
                    if total[j] < best[j]:
                        second[j], best[j] = best[j], total[j]
                        found.where[search.begin + j] = i
                    else:
                        second[j] = total[j]
    found.best[search.begin : search.end, 0] = best
    found.best[search.begin : search.end, 1] = second


@kernel
def _surest(rows: Marks, targets: Marks, search: _Search, weights: np.ndarray, found: np.ndarray) -> None:
    """Keep the smallest weighed product of each row of a search."""
    others = targets.low.shape[1]
    room = np.empty(_BLOCK, np.float32)
    for first in range(search.begin, search.end, _TILE):
        for begin in range(0, others, _BLOCK):
            total, weight = room[: min(_BLOCK, others - begin)], weights[begin : begin + min(_BLOCK, others - begin)]
            for i in range(first, min(first + _TILE, search.end)):
                _agree(rows, targets, i, begin, search, total)
                least = found[i]
                for j in range(len(total)):
                    least = min(least, total[j] * weight[j])
                found[i] = least
