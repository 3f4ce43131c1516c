"""A Gaussian copula: every column keeps its own distribution, and pairs of columns keep how they go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Sample
from synthwright.core.dataset import SHARD, Dataset
from synthwright.kit.coding.axes import Axes, axes_of
from synthwright.kit.coding.codecs import CODEABLE, NULL, PROTECT, UNKNOWN
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, looked_at, names_of, refuse_unfit, settled, table_of
from synthwright.kit.learning.gaussian import Normal, one_thread, repaired

TRIALS = 50_000
"""Rows drawn in each round of calibration, at most; ten for each real row are enough."""
GAINS = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15)
"""How much of the difference each round of calibration takes back."""
WIDE = 400
"""With more hidden numbers than these, correlations are not calibrated."""
_CELLS = 2**22


@dataclass(frozen=True)
class CopulaModel(Model):
    """The distribution of each column, and the correlation of the hidden numbers behind them."""

    table: str
    mode: str
    produce: tuple[str, ...]
    axes: dict[str, Axes]
    normal: Normal

    @cached_property
    def places(self) -> dict[str, slice]:
        """Which hidden numbers each column has."""
        ends = np.cumsum([a.size for a in self.axes.values()]).tolist()
        return {n: slice(end - a.size, end) for (n, a), end in zip(self.axes.items(), ends, strict=True)}

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        from scipy.special import ndtr

        rng, held = ctx.rng, given.tables[self.table]
        size = len(self.normal.correlation)
        step = max(256, min(SHARD, _CELLS // max(size, 1)))
        replaced = {*self.produce} if self.mode == "replace" else set()
        there = ({*self.axes} & {*held.column_names}) - replaced
        wanted = [n for n in self.produce if self.mode != "make" or n not in there]
        pieces: dict[str, list[pa.Array]] = {n: [] for n in wanted}
        nulls = self.mode != "fill"
        with one_thread():
            for begin in range(0, held.num_rows, step):
                piece = held.slice(begin, step)
                at = ndtr(self._hidden(piece, there, rng))
                for name in wanted:
                    pieces[name].append(self.axes[name].decode(at[:, self.places[name]], rng, nulls=nulls))
        made = {n: pa.concat_arrays(p) if p else self._nothing(n) for n, p in pieces.items()}
        return Sample(completed(given, self.table, made, self.mode))

    def _nothing(self, name: str) -> pa.Array:
        axes = self.axes[name]
        return axes.decode(np.empty((0, axes.size)), np.random.Generator(np.random.Philox(0)))

    def _hidden(self, piece: pa.Table, there: set[str], rng: np.random.Generator) -> np.ndarray:
        """Return hidden numbers of rows that agree with the columns that are there."""
        known = [n for n in self.axes if n in there and self.axes[n].size]
        rows, size = piece.num_rows, len(self.normal.correlation)
        if not known:
            return self.normal.draw(rows, rng)
        from scipy.special import ndtri

        low, high = np.full((rows, size), -np.inf), np.full((rows, size), np.inf)
        column = np.repeat(np.arange(len(self.axes)), [a.size for a in self.axes.values()])
        for name in known:
            axes, place, values = self.axes[name], self.places[name], piece.column(name)
            codes = axes.codec.encode(values)
            first, last = axes.bounds
            if self.mode == "fill" and name in self.produce:  # what is missing will have a value
                codes = np.where(codes == NULL, UNKNOWN, codes)
            rows_of = axes.rows(codes)
            low[:, place], high[:, place] = ndtri(first)[rows_of], ndtri(last)[rows_of]
        return self.normal.complete(low, high, column, rng)

    def save(self, folder: Path) -> None:
        heads, arrays = {}, {}
        for i, (name, axes) in enumerate(self.axes.items()):
            heads[name], held = axes.to_json()
            arrays.update({f"{i}.{n}": a for n, a in held.items()})
        head = {"table": self.table, "mode": self.mode, "produce": self.produce, "order": list(self.axes),
                "columns": heads}  # fmt: skip
        upper = np.triu_indices(len(self.normal.correlation), 1)
        artefacts.save(folder, head, {**arrays, "correlation": self.normal.correlation[upper]})

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        axes = {n: Axes.of_json(head["columns"][n], part) for n, part in artefacts.parts(head["order"], arrays)}
        size = sum(a.size for a in axes.values())
        correlation = np.eye(size)
        upper = np.triu_indices(size, 1)
        correlation[upper] = arrays["correlation"]
        correlation.T[upper] = arrays["correlation"]
        return cls(head["table"], head["mode"], tuple(head["produce"]), axes, Normal(correlation))


class Copula(Generator):
    """Keeps each column's distribution and how pairs of columns go together: a Gaussian copula.

    Behind every column stand hidden normal numbers: one for an ordered column, a few for labels, one that decides what
    is missing. Their correlations are calibrated until what they give shows the pairwise dependence of the real rows.
    What only three or more columns show together is lost.
    """

    name: ClassVar[str] = "copula"
    version: ClassVar[int] = 7
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = CopulaModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    axes: int = Setting(default=5, ge=1, le=16)
    """How many hidden numbers a column of labels has at most; more keep finer dependence between labels."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> CopulaModel:
        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        fields, held = data.schema.tables[table].fields, data.tables[table]
        seen = looked_at(data, part, table, CODEABLE)
        names = [n for n in fields if n in {*produce, *seen}]
        codecs = [settled(data, table, n, ctx.at(n), self.protect) for n in names]
        codes = [codec.encode(held.column(n)) for codec, n in zip(codecs, names, strict=True)]
        with one_thread():
            axes = axes_of(codecs, codes, self.axes)
            correlation = _correlation(axes, codes, ctx.at("calibration"))
        return CopulaModel(table, part.mode, tuple(produce), dict(zip(names, axes, strict=True)), Normal(correlation))


def _correlation(axes: Sequence[Axes], codes: Sequence[np.ndarray], ctx: Context) -> np.ndarray:
    """Return the correlation of the hidden numbers under which columns depend on each other as they really do."""
    column = np.repeat(np.arange(len(axes)), [a.size for a in axes])
    if not len(column):
        return np.zeros((0, 0))
    same = column[:, None] == column[None, :]
    rows, wide = len(codes[0]), len(column) > WIDE
    leaves = [a.rows(c) for a, c in zip(axes, codes, strict=True)]
    means = [a.scores for a in axes]
    spread = _products(means, means, leaves)
    inverse = _blockwise(spread, same)
    keep = _kept(spread, same, rows)
    found = repaired(inverse @ (spread * np.where(same, 1.0, keep)) @ inverse, same, rounds=1 if wide else 20)
    if wide or len(axes) == 1:
        return found
    gauges = [a.gauge() for a in axes]
    real = _products(gauges, gauges, leaves) * keep
    turn = _blockwise(_products(gauges, means, leaves), same)
    trials = max(4_000, min(TRIALS, 10 * rows, _CELLS // len(column)))
    for i, gain in enumerate(GAINS):
        drawn = _drawn(Normal(found), axes, trials, ctx.at(i).rng)
        missed = np.where(same, 0.0, real - _products(gauges, gauges, drawn))
        found = repaired(found + gain * (turn @ missed @ turn.T), same, rounds=5)
    return found


def _drawn(normal: Normal, axes: Sequence[Axes], rows: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return what a correlation gives: for each column the leaf of every row."""
    from scipy.special import ndtr

    at = ndtr(normal.draw(rows, rng))
    ends = np.cumsum([a.size for a in axes])
    return [a.leaves(at[:, end - a.size : end]) for a, end in zip(axes, ends, strict=True)]


def _products(one: Sequence[np.ndarray], two: Sequence[np.ndarray], leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean product of every pair of scores over all rows."""
    width, rows = sum(t.shape[1] for t in one), len(leaves[0])
    total = np.zeros((width, width))
    twin = one is two
    for piece in _slices(rows, width):
        left = np.hstack([t[at[piece]] for t, at in zip(one, leaves, strict=True)])
        right = left if twin else np.hstack([t[at[piece]] for t, at in zip(two, leaves, strict=True)])
        total += left.T @ right
    return total / rows


def _slices(rows: int, width: int) -> Iterator[slice]:
    step = max(1_000, _CELLS // width)
    return (slice(i, i + step) for i in range(0, rows, step))


def _blockwise(matrix: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return the inverse of the blocks that columns make with themselves."""
    out = np.zeros_like(matrix)
    first = np.argmax(same, axis=1)
    for start in np.unique(first):
        mine = np.flatnonzero(first == start)
        out[np.ix_(mine, mine)] = np.linalg.pinv(matrix[np.ix_(mine, mine)], rcond=1e-6)
    return out


def _kept(spread: np.ndarray, same: np.ndarray, rows: int) -> float:
    """Return how much of the correlations is more than chance: the rest is taken away.

    The estimate of Schäfer and Strimmer (2005), A shrinkage approach to large-scale covariance matrix estimation,
    toward no correlation.
    """
    size = np.sqrt(np.maximum(np.diag(spread), 1e-300))
    squares = (spread / np.outer(size, size))[~same] ** 2
    total = float(squares.sum())
    if total <= 0:
        return 1.0
    return float(np.clip(1 - ((1 - np.minimum(squares, 1)) ** 2).sum() / rows / total, 0.0, 1.0))
