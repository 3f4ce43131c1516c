"""A column as a sum over the columns before it, and what the sum misses: for tables of few rows.

Trees need some thirty rows for each leaf. Of a hundred rows that is three leaves, and columns that are nearly the same
come out half as close. A sum (`sums.py`) needs far fewer. What it misses is one more column, cut into blocks like
others, and trees are grown for it. A sum is taken only where it tells rows better than trees do, both being asked
about rows that they were not learned from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.kit.coding.codecs import OrderedCodec
from synthwright.kit.coding.marginal import Blocks, blocks_of
from synthwright.kit.coding.rulers import Ruler
from synthwright.kit.learning.additive import Scores
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import (
    WEIGHT,
    WIDE,
    Conditional,
    Dials,
    Known,
    heard,
    learned,
    nothing,
    telling,
    uncorrected,
)
from synthwright.kit.learning.draws import below
from synthwright.kit.learning.guides import edged, told
from synthwright.kit.learning.splits import Features
from synthwright.kit.learning.sums import Sum, sum_for

SMALL = 2_000
"""Rows up to which sums are tried: of more rows, trees and their guides learn close dependence themselves."""
FEWEST = 10
"""Rows with a value below which nothing is told by a sum."""
PARTS, WIDE_PARTS = 5, 3
"""Parts of the rows, each told by trees that the others grew; of tables with many columns, where that takes long."""
LEAD, GAINS = 2.0, 0.05
"""Nats a row that a sum must tell more than trees: so many standard errors, and so much beyond them."""
SURE, TELLING = 4.0, 30
"""Standard errors of a lead, or of a lag, that no more rows are asked about, once that many were."""
UNHEARD = 0.05
"""The share of chance in either, where they are compared: a row that one of them finds impossible does not decide."""
BLOCKS = 500
"""Blocks that what is missed is cut into, at most."""
TURN, TRIALS = 129, 4_000
"""Points at which the distribution of sums is kept, and rows that it is found from, at least."""


class Asked(NamedTuple):
    """What a sum tells of some rows, and what trees look at."""

    features: Features
    told: np.ndarray

    def of_rows(self, rows: np.ndarray) -> Asked:
        """Return that of some of the rows."""
        bins = np.ascontiguousarray(self.features.bins[:, rows])
        return Asked(Features(bins, self.features.nominal), self.told[rows])


@dataclass(frozen=True)
class Summed:
    """How one column follows from those before it."""

    inner: Conditional
    """How what the sum misses follows; its guide is the sum."""
    missed: Coded
    """What the sum misses, cut into blocks."""
    turn: np.ndarray
    """float64: the sum with what it misses, at evenly spaced shares of the rows, ascending."""

    correction: None = None
    """Draws are not corrected: of few rows there is nothing to learn a correction from."""

    def features(self, bins: np.ndarray, nominal: np.ndarray) -> Asked:
        """Return what is looked at, for rows of which the columns before are known."""
        mine = np.ascontiguousarray(bins[self.inner.seen])
        tellers = self.inner.guide.tellers if self.inner.guide is not None else ()
        said = sum((told(teller, mine) for teller in tellers), np.zeros(bins.shape[1]))
        return Asked(self.inner.features(bins, nominal), said)

    def draw(
        self, column: Coded, features: Asked, others: np.ndarray, rng: np.random.Generator, size: int
    ) -> np.ndarray:
        """Return a place (uint32) for every row; `others` and `size` are for conditionals that correct their draws."""
        sums, there = self.sums(features, rng)
        at = np.interp(sums, self.turn, np.linspace(0, 1, len(self.turn)))
        place = np.minimum(np.searchsorted(np.cumsum(column.codec.shares), at), column.size - 1)
        return np.where(there, place, column.size).astype(np.uint32)

    def sums(self, asked: Asked, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return what the sum tells with a draw of what it misses, and where there is a value at all."""
        nobody = np.zeros((0, len(asked.told)), np.float32)
        places = self.inner.draw(self.missed, asked.features, nobody, rng, 1).astype(np.int64)
        there = places < self.missed.size
        drawn = numbers(self.missed.decode(places, rng.random(len(places))))
        return asked.told + np.where(there, drawn, 0.0), there

    def likelihood(self, column: Coded, features: Asked, places: np.ndarray) -> np.ndarray:
        """Return how likely the groups of the places are, given the columns before."""
        group, empty, shares = column.groups[places].astype(np.int64), places == column.size, column.group_shares
        none = np.zeros(len(places))
        if self.missed.codec.null_share > 0:
            none = self.inner.likelihood(self.missed, features.features, np.full(len(places), self.missed.size))
        ends = np.append(0.0, np.cumsum(shares[: int(column.groups[:-2].max()) + 1]))
        ends = np.interp(ends / ends[-1], np.linspace(0, 1, len(self.turn)), self.turn)
        ends[[0, -1]] = -np.inf, np.inf
        mine = np.where((group >= 0) & ~empty, group, 0)
        within = self._below(features, ends[mine + 1]) - self._below(features, ends[mine])
        weight = WEIGHT / (len(self.inner.forest.held) / len(self.inner.forest.roots) + WEIGHT)
        found = (1 - weight) * np.where(empty, none, (1 - none) * within) + weight * shares[np.maximum(group, 0)]
        return np.where(group >= 0, found, 1.0)

    def _below(self, asked: Asked, sums: np.ndarray) -> np.ndarray:
        """Return how likely each sum is to come out lower."""
        blocks, ends = _blocks(self.missed), np.cumsum(self.missed.codec.shares)
        stand = np.maximum.accumulate(np.stack([blocks.low, blocks.high], axis=1).ravel())
        shares = np.stack([ends - self.missed.codec.shares, ends], axis=1).ravel()
        found: np.ndarray = below(asked.features, self.inner.forest, ends, np.interp(sums - asked.told, stand, shares))
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name: `of_arrays` makes the same from them."""
        codec = self.missed.codec
        blocks = {f"missed-{n}": a for n, a in _blocks(self.missed).arrays().items()}
        return {**self.inner.arrays(), **blocks, "missed-shares": codec.shares,
                "missed-nulls": np.array([codec.null_share]), "turn": self.turn}  # fmt: skip

    @staticmethod
    def of_arrays(held: dict[str, np.ndarray]) -> Summed:
        """Rebuild it."""
        mine = {n.removeprefix("missed-"): a for n, a in held.items() if n.startswith("missed-")}
        shares, nulls = mine.pop("shares"), float(mine.pop("nulls")[0])
        rest = {n: a for n, a in held.items() if not n.startswith("missed-") and n != "turn"}
        return Summed(Conditional.of_arrays(rest), _coded(Blocks(**mine), shares, nulls), held["turn"])

    def is_sound(self, position: int, places: int) -> bool:
        """Return whether what was read from a file can be drawn from, at a position of the table's order."""
        held = [*_blocks(self.missed).arrays().values(), self.missed.codec.shares]
        return bool(
            self.inner.guide is not None
            and [type(teller) for teller in self.inner.guide.tellers] == [Scores]
            and self.inner.correction is None
            and self.missed.size
            and all(len(a) == self.missed.size and np.isfinite(a).all() for a in held)
            and len(self.turn) > 1
            and np.isfinite(self.turn).all()
            and (np.diff(self.turn) >= 0).all()
            and places > 2
            and self.inner.is_sound(position, self.missed.size + 1)
        )


def _coded(blocks: Blocks, shares: np.ndarray, nulls: float) -> Coded:
    """Return what a sum misses as a column."""
    field = Field(kind=Kind.NUMBER)
    none = pa.array([], pa.float64())
    codec = OrderedCodec(field, Ruler(field, whole=False), none, blocks, np.arange(len(shares)), shares, nulls)
    return Coded("missed", codec)


def _blocks(missed: Coded) -> Blocks:
    return cast("OrderedCodec", missed.codec).blocks


def chosen(known: Known, position: int, dials: Dials, ctx: Context) -> Conditional | Summed:
    """Return how the column at a position follows from those before it: by a sum where rows are few, else by trees."""
    if not position or len(known.places[position]) > SMALL:
        return learned(known, position, dials, ctx)
    rows = np.flatnonzero(known.places[position] != known.columns[position].size)
    seen = telling(known, position, rows.astype(np.int32), ctx.at("seen").rng)
    found = summed(known, position, seen, dials, ctx.at("sum"))
    return learned(known, position, dials, ctx, seen) if found is None else found


def summed(known: Known, position: int, seen: np.ndarray, dials: Dials, ctx: Context) -> Summed | None:
    """Return how a column follows from a sum over those before it; nothing where trees tell it as well.

    Args:
        known: the rows to learn from.
        position: of the column. None of more than two labels follows from a sum.
        seen: the columns that it is made from, by position.
        dials: how trees are grown for what is missed.
        ctx: the randomness.
    """
    column, places = known.columns[position], heard(known, position, ctx.at("heard").rng)
    rows = np.flatnonzero(places < column.size)
    if len(rows) < FEWEST or column.size < 2 or not (column.ordered or column.size == 2):
        return None
    bins = np.ascontiguousarray(known.bins[seen])
    before = [known.columns[k] for k in seen]
    found = sum_for(column, places[rows], before, np.ascontiguousarray(bins[:, rows]), ctx.at("fit"))
    if found is None:
        return None
    missed, at = _missed(found, rows, len(places), dials.protect, ctx.at("missed").rng)
    if not missed.size:
        return None
    teller = Scores(found.points)
    full = told(teller, bins)
    honest = full.copy()
    honest[rows] = found.told
    guide, said = edged([teller], honest, rows)
    features = Features(np.concatenate([bins, said[None]]), np.append(known.nominal[seen], False))
    asked = Asked(features, full).of_rows(rows)
    flat = Conditional(seen, nothing(at[rows], missed.size), guide, None)
    by_sum = _turned(flat, missed, asked, ctx).likelihood(column, asked._replace(told=found.told), places[rows])
    by_sum = np.maximum(len(rows) * by_sum - 1, 0) / (len(rows) - 1)  # less what each row itself is of what is missed
    if not _leads(by_sum, known, position, (seen, rows, places[rows]), dials, ctx.at("against")):
        return None
    every = (rows if dials.valued else np.arange(len(places))).astype(np.int32)
    forest = uncorrected(missed, at, features, every, dials, ctx.at("trees").rng)
    return _turned(replace(flat, forest=forest), missed, asked, ctx)


def _missed(
    found: Sum, rows: np.ndarray, size: int, protect: int, rng: np.random.Generator
) -> tuple[Coded, np.ndarray]:  # fmt: skip
    """Return what a sum misses as a column, no number of it of fewer than `protect` rows, and the place of each row."""
    left = found.behind - found.told
    at, counts = np.unique(left, return_counts=True)
    exact = np.zeros(len(at), dtype=bool)
    blocks = blocks_of(at, counts, exact, protect=protect, most=BLOCKS, stepped=False, rng=rng)
    places = np.full(size, len(blocks.low))
    if not len(blocks.low):
        return _coded(blocks, np.zeros(0), 1.0), places
    places[rows] = blocks.find(left)[0]
    return _coded(blocks, np.bincount(places[rows]) / len(rows), 1 - len(rows) / size), places


def _turned(inner: Conditional, missed: Coded, asked: Asked, ctx: Context) -> Summed:
    """Return a conditional whose draws are spread as the column is, where the columns before are those asked about."""
    plain = Summed(inner, missed, np.zeros(2))
    again = np.tile(np.arange(len(asked.told)), -(-TRIALS // len(asked.told)))
    sums, there = plain.sums(asked.of_rows(again), ctx.at("turn").rng)
    return replace(plain, turn=np.quantile(sums[there] if there.any() else sums, np.linspace(0, 1, TURN)))


def _leads(
    by_sum: np.ndarray, known: Known, position: int, mine: tuple[np.ndarray, np.ndarray, np.ndarray], dials: Dials,
    ctx: Context,
) -> bool:  # fmt: skip
    """Return whether a sum surely tells a column better than trees that other rows grew.

    Args:
        by_sum: how likely a sum finds the value of each row.
        known: the rows to learn from.
        position: of the column.
        mine: the columns that it is made from, the rows that have a value, and its place in these.
        dials: how trees are grown.
        ctx: the randomness.
    """
    (seen, rows, places), column = mine, known.columns[position]
    chance = UNHEARD * column.group_shares[column.groups[places]] / (1 - column.codec.null_share)
    order, gains = ctx.rng.permutation(len(rows)), np.zeros(0)
    lead, error = 0.0, np.inf
    for k, out in enumerate(np.array_split(order, PARTS if len(known.columns) <= WIDE else WIDE_PARTS)):
        some = known.of_rows(rows[np.setdiff1d(order, out)], position + 1)
        trees = learned(some, position, dials._replace(rounds=0, valued=True), ctx.at(k), seen)
        features = trees.features(np.ascontiguousarray(known.bins[:, rows[out]]), known.nominal)
        by_trees = trees.likelihood(column, features, places[out])
        both = (np.log((1 - UNHEARD) * likely + chance[out]) for likely in (by_sum[out], by_trees))
        gains = np.append(gains, np.subtract(*both))
        lead, error = float(gains.mean()) - GAINS, float(gains.std()) / np.sqrt(len(gains))
        if len(gains) >= TELLING and abs(lead) > SURE * error:
            break
    return bool(lead > LEAD * error)
