"""The structure of a Bayesian network: the order of the columns, and how the parents of each cut its table.

The order is that of a maximum spanning tree of mutual information, grown from one column (Chow and Liu 1968; Prim
1957). Parents are chosen greedily among the columns before, as PrivBayes does (Zhang et al. 2014), without its noise:
each step adds a parent, or cuts one finer, where this tells most about the column for each doubling of the table.
Information is counted in nats, less a price for each free number of the table: the minimum description length, or
Akaike's criterion, by what the price is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.learning.coded import UNHEARD, Coded
from synthwright.kit.learning.conditional import Known, heard
from synthwright.kit.learning.splits import BINS
from synthwright.kit.learning.tabled import Level, Tabled, filled

LEARN = 20_000
"""Rows that the structure is learned from, at most."""
PAIRED = 16
"""Parts of an ordered column where columns are compared in pairs."""
NAMED = 64
"""Labels that are told apart there."""
TRIED = 8
"""Columns, those that tell most, among which parents are chosen."""
STEPS = (2, 4, 8)
"""How much finer one step may cut a parent."""
FINEST = 256
"""Parts of a parent, at most."""
DEEPEST = 16
"""Steps, at most."""
LOCAL = 24
"""Groups of the column that a cell tells apart, at most."""
PER_GROUP = 12
"""Rows of a cell for each of them."""
EVIDENCE = 2.0
"""By how many standard deviations what a table tells must exceed what chance alone would show."""


class Dials(NamedTuple):
    """How networks are learned."""

    parents: int
    least: int
    price: float
    weight: float
    valued: bool = False
    """Whether only rows that have a value are learned from: no value is made where none may be missing."""


def shared(columns: Sequence[Coded], places: Sequence[np.ndarray], price: float, ctx: Context) -> np.ndarray:
    """Return the nats a row that each two columns tell about each other, less the price of their table; symmetric."""
    rows = len(places[0])
    some = np.sort(ctx.rng.permutation(rows)[:LEARN])
    codes = [_few(c, p[some]) for c, p in zip(columns, places, strict=True)]
    sizes = [int(c.max()) + 1 if len(c) else 1 for c in codes]
    single = [_nats(np.bincount(c)) for c in codes]
    found = np.zeros((len(columns), len(columns)))
    whole = _nats(np.array([len(some)]))
    for i in range(len(columns)):
        for j in range(i):
            table = np.bincount(codes[i] * sizes[j] + codes[j])
            free = (len(np.unique(codes[i])) - 1) * (len(np.unique(codes[j])) - 1)
            told = _nats(table) + whole - single[i] - single[j] - _cost(free, price)
            found[i, j] = found[j, i] = told / max(len(some), 1)
    return found


def ordered(told: np.ndarray, first: int) -> list[int]:
    """Return an order of the columns: after the first ones, whichever goes most with one that is placed.

    Args:
        told: what two columns tell about each other.
        first: columns that come first, as they are.
    """
    size = len(told)
    placed = list(range(first)) or [int(np.argmax(np.maximum(told, 0).sum(axis=0)))]
    left = [i for i in range(size) if i not in placed]
    while left:
        best = max(left, key=lambda i: (float(told[i, placed].max()), -i))
        placed.append(best)
        left.remove(best)
    return placed


def learned(known: Known, position: int, told: np.ndarray, dials: Dials, ctx: Context) -> Tabled:
    """Return the tables of the column at a position.

    Args:
        known: all columns, in order.
        position: of the column.
        told: what each column before it tells about it (`shared`).
        dials: how much.
        ctx: the randomness.
    """
    column, places = known.columns[position], heard(known, position, ctx.at("heard").rng)
    places = np.minimum(places, column.size)
    rows = np.flatnonzero(places < column.size + (not dials.valued))
    if not len(rows):
        return filled([], known.bins[:, :1], np.array([column.size]), 1, dials.weight)
    some = np.sort(rows[ctx.at("some").rng.permutation(len(rows))[:LEARN]])
    able = np.argsort(-told, kind="stable")[:TRIED]
    able = np.sort(able[told[able] > 0])
    search = _Search(column, places[some], known.bins[:, some], [int(i) for i in able], known.nominal, dials)
    share = len(some) / len(rows)
    levels = search.levels(max(1.0, dials.least * share)) if len(able) else []
    return filled(levels, known.bins[:, rows], places[rows], dials.least, dials.weight)


class _Search:
    """The search for the cuts of one column's table."""

    def __init__(
        self, column: Coded, places: np.ndarray, bins: np.ndarray, able: list[int], nominal: np.ndarray, dials: Dials
    ) -> None:
        self.ordered, self.dials, self.able, self.bins = column.ordered, dials, able, bins
        self.tokens = column.tokens[places].astype(np.int64)
        self.cell = np.zeros(len(places), dtype=np.int64)
        self.labelled = {k for k in able if nominal[k]}
        self.lines = {k: self._line(k, labelled=k in self.labelled) for k in able}
        self.fine = dict.fromkeys(able, 1)

    def levels(self, least: float) -> list[Level]:
        """Return the cuts, one after another."""
        found: list[Level] = []
        while len(found) < DEEPEST:
            live = np.flatnonzero(self.cell >= 0)
            if not len(live):
                break
            cells = np.unique(self.cell[live], return_inverse=True)[1]
            looks = _Looks(cells, *_local(cells, self.tokens[live], ordered=self.ordered))
            chosen = [k for k in self.able if self.fine[k] > 1]
            best, level, fine = 0.0, None, 1
            for k in chosen if len(chosen) >= self.dials.parents else self.able:
                for step in STEPS:
                    if self.fine[k] >= FINEST:
                        continue
                    cut = self._cut(k, self.fine[k] * step)
                    gain = looks.gain(cut.groups[self.bins[k, live]].astype(np.int64), least, self.dials.price)
                    if gain > best:
                        best, level, fine = gain, cut, self.fine[k] * step
            if level is None:
                break
            found.append(level)
            self.fine[level.parent] = fine
            self._enter(level, least)
        return found

    def _enter(self, level: Level, least: float) -> None:
        """Move every row into its cell of the next level; those whose cell is too small are done."""
        group = level.groups[self.bins[level.parent]].astype(np.int64)
        live = (self.cell >= 0) & (group >= 0)
        inner = self.cell[live] * (BINS + 1) + group[live]
        _, at, count = np.unique(inner, return_inverse=True, return_counts=True)
        self.cell[~live] = -1
        self.cell[live] = np.where(count[at] >= least, at, -1)

    def _line(self, k: int, *, labelled: bool) -> np.ndarray:
        """Return the place (0 to 1) of each bin of a column; labels are put in order by what they go with."""
        count = np.bincount(self.bins[k], minlength=BINS).astype(float)
        count[UNHEARD:] = 0
        order = np.arange(BINS)
        if labelled:
            order = np.argsort(_scores(self.bins[k], self.tokens, ordered=self.ordered), kind="stable")
        at = np.empty(BINS)
        at[order] = np.cumsum(count[order]) - count[order] / 2
        return at / max(count.sum(), 1)

    def _cut(self, k: int, fine: int) -> Level:
        """Return a column cut into so many parts of about as many rows; no value is a part of its own."""
        groups = np.minimum((self.lines[k] * fine).astype(np.int64), fine - 1)
        groups[BINS - 1] = fine
        there = np.bincount(self.bins[k], minlength=BINS) > 0
        there[UNHEARD] = False
        some = np.unique(groups[there])
        found = np.minimum(np.searchsorted(some, groups), max(len(some) - 1, 0))
        open_ = np.arange(BINS) < UNHEARD if k not in self.labelled else there  # between numbers, nearby ones tell
        return Level(k, np.where(there | open_, found, -1).astype(np.int16))


class _Looks(NamedTuple):
    """Rows that may be cut further."""

    cell: np.ndarray
    group: np.ndarray
    """What is told apart of the column in each row: numbers from 0 that mean something within a cell only."""
    size: int

    def gain(self, cut: np.ndarray, least: float, price: float) -> float:
        """Return what cutting tells, in nats less the price, for each doubling of the number of cells."""
        cells, width = int(self.cell.max()) + 1, int(cut.max()) + 1
        if width < 1:
            return 0.0
        inside = np.flatnonzero(cut >= 0)
        inner = self.cell[inside] * width + cut[inside]
        sizes = np.bincount(inner, minlength=cells * width)
        kept = np.flatnonzero(sizes >= least)
        if not len(kept):
            return 0.0
        number = np.full(cells * width, -1)
        number[kept] = np.arange(len(kept))
        at = number[inner]
        mine = at >= 0
        table = np.bincount(at[mine] * self.size + self.group[inside[mine]], minlength=len(kept) * self.size)
        table = table.reshape(-1, self.size)
        every = np.bincount(self.cell * self.size + self.group, minlength=cells * self.size).reshape(-1, self.size)
        rows, around = every.sum(axis=1), kept // width
        logs = np.log(np.maximum(every, 1) / rows[:, None])
        told = _nats(table) - _nats(sizes[kept]) - float((table * logs[around]).sum())
        free = (every > 0).sum(axis=1) - 1
        whole = np.bincount(around, sizes[kept], cells) >= rows
        numbers = float(free[around].sum() - free[whole].sum())
        more = (len(kept) + int((~whole).sum())) / cells
        return (told - _cost(numbers, price)) / np.log2(more) if more > 1 else 0.0


def _cost(free: float, price: float) -> float:
    """Return the nats that a table of so many free numbers must tell; under chance alone it tells half of one each."""
    return price * free + EVIDENCE * np.sqrt(free / 2)


def _nats(counts: np.ndarray) -> float:
    """Return the sum of x ln x."""
    some = counts[counts > 0].astype(np.float64)
    return float((some * np.log(some)).sum())


def _few(column: Coded, places: np.ndarray) -> np.ndarray:
    """Return a column in a few parts, for comparing columns in pairs."""
    bins = column.bins[places].astype(np.int64)
    if not column.ordered:
        return np.where(bins < UNHEARD, np.minimum(bins, NAMED), bins - UNHEARD + NAMED + 1)
    count = np.bincount(bins, minlength=BINS).astype(float)
    count[UNHEARD:] = 0
    at = (np.cumsum(count) - count / 2) / max(count.sum(), 1)
    return np.where(bins < UNHEARD, np.minimum(at[bins] * PAIRED, PAIRED - 1).astype(np.int64), bins - UNHEARD + PAIRED)


def _local(cells: np.ndarray, tokens: np.ndarray, *, ordered: bool) -> tuple[np.ndarray, int]:
    """Return groups of tokens that each cell shows: more where it has more rows; and how many there are at most."""
    width = int(tokens.max()) + 1
    keys, at, count = np.unique(cells * width + tokens, return_inverse=True, return_counts=True)
    cell = keys // width
    rows = np.bincount(cell, count).astype(np.int64)
    many = np.clip(rows // PER_GROUP, 2, LOCAL)
    order = np.arange(len(keys)) if ordered else np.lexsort((-count, cell))
    if ordered:
        before = np.cumsum(count) - (np.cumsum(rows) - rows)[cell]
        group = np.minimum((before - count / 2) / rows[cell] * many[cell], many[cell] - 1).astype(np.int64)
    else:
        begin = np.searchsorted(cell, np.arange(len(rows)))
        group = np.empty(len(keys), dtype=np.int64)
        group[order] = np.arange(len(keys)) - begin[cell[order]]
        group = np.minimum(group, many[cell] - 1)
    return group[at], LOCAL


def _scores(bins: np.ndarray, tokens: np.ndarray, *, ordered: bool) -> np.ndarray:
    """Return a number for each bin of labels, alike for labels that go with alike tokens."""
    if ordered:
        count = np.bincount(bins, minlength=BINS)
        return np.bincount(bins, tokens, BINS) / np.maximum(count, 1)
    often = np.argsort(-np.bincount(tokens), kind="stable")
    rank = np.empty(len(often), dtype=np.int64)
    rank[often] = np.arange(len(often))
    few = np.minimum(rank[tokens], NAMED)
    table = np.bincount(bins.astype(np.int64) * (NAMED + 1) + few, minlength=BINS * (NAMED + 1)).reshape(BINS, -1)
    row, line = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected = row * line / len(bins)
    odd = (table - expected) / np.sqrt(np.maximum(expected, 1e-9)) * (expected > 0)  # correspondence analysis
    left = np.linalg.svd(odd, full_matrices=False)[0][:, 0]
    return left / np.sqrt(np.maximum(row[:, 0], 1))
