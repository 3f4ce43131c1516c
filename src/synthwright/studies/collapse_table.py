"""What tables lose when generations learn from each other: measures whose cells are fixed by rows nobody learns from.

Every measure is better the higher it is. Columns are cut once, by the rows that judge: values with an order at their
quantiles, finer towards the tails; labels as they are. Columns made anew (keys, names, texts) are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import Column, labels, numbers
from synthwright.kit.measuring.stats import binned, midranks, quantiles
from synthwright.metrics.comparing import modelled
from synthwright.report.collapsed import CELLS, DEPENDENCE, DISTINCT, ENTROPY, SHAPE, SPREAD, TAILS

_FINE = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995])
"""Where the ranges of a column with an order end, as shares of the rows that judge."""
_COARSE = np.array([0.05, 0.2, 0.4, 0.6, 0.8, 0.95])
"""The same where columns are looked at together."""
_TAIL = 0.05
"""The share of rows that each tail of a column holds at most, and that rare labels have."""
_GROUPS = 7
"""Labels that are told apart where columns are looked at together, the most frequent."""
_LEAST, _RARE = 3, 0.01
"""A cell of two columns is rare that at least so many of the rows that judge are in, and at most such a share."""
_PAIRS = 60
"""Pairs of columns that are looked at, drawn at random from more."""
_FEWEST = 5
"""Rows that judge which a column's tails must hold together."""


class Coded(NamedTuple):
    """Rows as they are measured: a row each, a column for each that is looked at."""

    fine: np.ndarray
    coarse: np.ndarray
    places: np.ndarray
    """Where values lie among those of the rows that judge, from 0 to 1; NaN of labels and nulls."""

    def taken(self, rows: np.ndarray) -> Coded:
        """Return some of the rows."""
        return Coded(*(part[rows] for part in self))


class _Axis(NamedTuple):
    """How one column is cut."""

    name: str
    ordered: bool
    fine: Any
    """Edges, or the labels."""
    coarse: Any
    """Edges, or the group of each code."""
    sizes: tuple[int, int]
    """How many codes there are, fine and coarse."""
    sorted: np.ndarray
    """The values of the rows that judge; none of labels."""

    @staticmethod
    def of(name: str, column: Column, *, ordered: bool) -> _Axis:
        """Cut a column by its values."""
        if ordered:
            values = numbers(column)
            fine, coarse = quantiles(values, _FINE), quantiles(values, _COARSE)
            held = np.sort(values[~np.isnan(values)])
            return _Axis(name, ordered, fine, coarse, (len(fine) + 2, len(coarse) + 2), held)
        codes, known = labels(column)
        counts = np.bincount(codes[codes >= 0], minlength=len(known))
        group = np.full(len(known) + 2, _GROUPS, dtype=np.int64)  # the last two are labels nobody knows, and null
        frequent = np.argsort(-counts, kind="stable")[:_GROUPS]
        group[frequent] = np.arange(len(frequent))
        group[-1] = _GROUPS + 1
        return _Axis(name, ordered, known, group, (len(known) + 2, _GROUPS + 2), np.zeros(0))

    def codes(self, column: Column) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a column's fine codes, coarse codes and places."""
        if self.ordered:
            values = numbers(column)
            return binned(values, self.fine), binned(values, self.coarse), midranks(values, self.sorted)
        mine, known = labels(column)
        there = pc.index_in(known.cast(self.fine.type), value_set=self.fine)
        place = pc.fill_null(there, len(self.fine)).to_numpy(zero_copy_only=False).astype(np.int64)
        fine = np.append(place, len(self.fine) + 1)[mine]  # null is -1: the last
        return fine, self.coarse[fine], np.full(len(fine), np.nan)


class TableRuler:
    """Measures samples of one table.

    Args:
        judge: real rows that no generation learns from.
        fields: the table's columns.
        ctx: draws pairs of columns.
    """

    def __init__(self, judge: pa.Table, fields: Mapping[str, Field], ctx: Context) -> None:
        known = {c: f for c, f in modelled(fields).items() if c in judge.column_names}
        self._axes = [_Axis.of(c, judge.column(c), ordered=f.kind in ORDERED) for c, f in known.items()]
        every = list(combinations(range(len(self._axes)), 2))
        self._pairs = [every[int(i)] for i in np.sort(ctx.at("pairs").rng.permutation(len(every))[:_PAIRS])]
        held = self.read(judge)
        rows = max(judge.num_rows, 1)
        self._shares = [np.bincount(held.fine[:, i], minlength=a.sizes[0]) / rows for i, a in enumerate(self._axes)]
        self._tails = [_tail(a, s, rows) for a, s in zip(self._axes, self._shares, strict=True)]
        together = [np.bincount(self._crossed(held, p), minlength=self._wide(p)) for p in self._pairs]
        self._cells = [(c >= _LEAST) & (c <= max(_LEAST, _RARE * rows)) for c in together]

    @property
    def measures(self) -> tuple[str, ...]:
        """What can be measured of such a table."""
        columns = len(self._axes)
        able = {TAILS: any(t.any() for t in self._tails), CELLS: any(c.any() for c in self._cells),
                ENTROPY: columns > 0, DISTINCT: columns > 2, SPREAD: columns > 0, DEPENDENCE: columns > 1,
                SHAPE: columns > 0}  # fmt: skip
        return tuple(name for name, can in able.items() if can)

    def read(self, table: pa.Table) -> Coded:
        """Return rows as they are measured."""
        if not self._axes:
            none = np.zeros((table.num_rows, 0), dtype=np.int64)
            return Coded(none, none, none)
        held = [axis.codes(table.column(axis.name)) for axis in self._axes]
        fine, coarse, places = (np.column_stack([h[i] for h in held]) for i in range(3))
        return Coded(fine, coarse, places)

    def measure(self, held: Coded) -> dict[str, float]:
        """Return what rows measure, by name."""
        rows = max(len(held.fine), 1)
        counts = [np.bincount(held.fine[:, i], minlength=a.sizes[0]) for i, a in enumerate(self._axes)]
        together = [np.bincount(self._crossed(held, p), minlength=self._wide(p)) for p in self._pairs]
        kept = [np.minimum(c[t] / rows, s[t]).sum() / s[t].sum()
                for c, s, t in zip(counts, self._shares, self._tails, strict=True) if t.any()]  # fmt: skip
        wanted = sum(int(c.sum()) for c in self._cells)
        reached = sum(int((t[c] > 0).sum()) for t, c in zip(together, self._cells, strict=True))
        apart = [np.abs(c / rows - s).sum() / 2 for c, s in zip(counts, self._shares, strict=True)]
        found = {
            TAILS: float(np.mean(kept)) if kept else math.nan,
            CELLS: reached / max(wanted, 1),
            ENTROPY: float(np.mean([_entropy(c) for c in (*counts, *together)])) if counts else math.nan,
            DISTINCT: len(np.unique(_as_one(held.coarse))) / rows,
            SPREAD: float(np.mean([self._spread(held, i, c) for i, c in enumerate(counts)])) if counts else math.nan,
            DEPENDENCE: float(np.mean([self._shared(t, p) for t, p in zip(together, self._pairs, strict=True)]))
            if self._pairs
            else math.nan,
            SHAPE: 1.0 - float(np.mean(apart)) if apart else math.nan,
        }
        return {name: found[name] for name in self.measures}

    def _wide(self, pair: tuple[int, int]) -> int:
        return self._axes[pair[0]].sizes[1] * self._axes[pair[1]].sizes[1]

    def _crossed(self, held: Coded, pair: tuple[int, int]) -> np.ndarray:
        """Return two columns as one."""
        return np.asarray(held.coarse[:, pair[0]] * self._axes[pair[1]].sizes[1] + held.coarse[:, pair[1]])

    def _shared(self, together: np.ndarray, pair: tuple[int, int]) -> float:
        """Return the mutual information of two columns."""
        table = together.reshape(-1, self._axes[pair[1]].sizes[1])
        return _entropy(table.sum(axis=0)) + _entropy(table.sum(axis=1)) - _entropy(together)

    def _spread(self, held: Coded, column: int, counts: np.ndarray) -> float:
        """Return the mean distance of two rows in a column: of places, or how often labels differ."""
        if not self._axes[column].ordered:
            return float(1.0 - ((counts / max(counts.sum(), 1)) ** 2).sum())
        places = np.sort(held.places[:, column][~np.isnan(held.places[:, column])])
        many = len(places)
        if many < 2:
            return 0.0
        weights = 2 * np.arange(1, many + 1) - many - 1  # Gini's mean difference
        return float(2 * (weights * places).sum() / (many * (many - 1)))


def _tail(axis: _Axis, shares: np.ndarray, rows: int) -> np.ndarray:
    """Return which codes are tails, or rare labels; none where too few rows that judge are in them."""
    tail = (shares > 0) & (shares <= _TAIL)
    tail[-2 if not axis.ordered else -1 :] = False
    if axis.ordered:
        upto = np.cumsum(shares[:-1])
        low, high = upto <= _TAIL + 1e-9, upto - shares[:-1] >= upto[-1] - _TAIL - 1e-9
        tail[:-1] &= low | high
    return tail if shares[tail].sum() * rows >= _FEWEST else np.zeros(len(tail), dtype=bool)


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _as_one(codes: np.ndarray) -> np.ndarray:
    """Return one hash for each row of codes."""
    with np.errstate(over="ignore"):
        held = np.zeros(len(codes), dtype=np.uint64)
        for column in codes.T.astype(np.uint64):
            held = (held ^ (column + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
            held ^= held >> np.uint64(29)
    return held
