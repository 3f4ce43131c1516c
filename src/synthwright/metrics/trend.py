"""How close the dependence between every two columns is."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field
from synthwright.core.values import Column, numbers
from synthwright.kit.stats import (
    GROUPS,
    binned,
    deal,
    jackknife,
    left_out,
    midranks,
    quantiles,
    rank_correlations,
    shared_codes,
    total_variation,
)
from synthwright.metrics.comparing import Measured, Sides, compared, label, numeric

_BINS = 10
_LABELS = 20


class Trend(Metric):
    """Distance between the pairwise dependences of columns in held-out and synthetic rows: 0 alike, 1 opposite.

    Two columns with an order: half the difference of their rank correlations (Spearman's, so that an outlier has no
    weight), or the total variation distance of which of the two is null, whichever is larger. Other pairs: the total
    variation distance of their contingency tables; columns with an order are cut into ten bins that hold equally many
    held-out rows, labels beyond the twenty most frequent are one, and null is a label. The whole is the mean over
    pairs. Columns made anew are left out. The reference compares the held-out rows with training rows.
    """

    name: ClassVar[str] = "trend"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It looks at two columns at a time: what only three together show is not seen."

    pairs: int = Setting(default=2_000, ge=1, le=1_000_000)
    """Pairs of columns that are measured; where a table has more, that many are drawn at random."""
    listed: int = Setting(default=500, ge=0, le=1_000_000)
    """Pairs that get a score of their own: the worst ones."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return compared(self, case, ctx, self._compare, listed=self.listed)

    def _compare(self, sides: Sides, ctx: Context) -> Measured:
        rng = ctx.at("groups").rng
        dealt = deal(sides.real.num_rows, rng), deal(sides.other.num_rows, rng)
        coded = {c: _code(sides.real.column(c), sides.other.column(c), f) for c, f in sides.fields.items()}
        chosen, note = self._choose(list(sides.fields), ctx)
        found = {label(sides.table, a, b): _distance(coded[a], coded[b], dealt) for a, b in chosen}
        if not found:  # one column: there is no dependence to get wrong
            return Measured(jackknife(0.0, np.zeros(GROUPS)), {}, "the table has one modelled column and so no pairs")
        whole = np.mean(list(found.values()), axis=0)
        return Measured(jackknife(whole[0], whole[1:]), {p: jackknife(d[0], d[1:]) for p, d in found.items()}, note)

    def _choose(self, columns: list[str], ctx: Context) -> tuple[list[tuple[str, str]], str]:
        """Return the pairs to measure, all or a random sample, and a note that says so."""
        count = len(columns) * (len(columns) - 1) // 2
        if count <= self.pairs:
            return list(combinations(columns, 2)), ""
        left, right = np.triu_indices(len(columns), k=1)
        drawn = np.sort(ctx.at("pairs").rng.choice(count, size=self.pairs, replace=False))
        chosen = [(columns[i], columns[j]) for i, j in zip(left[drawn], right[drawn], strict=True)]
        return chosen, f"measured on {self.pairs:,} of {count:,} pairs, drawn at random"


class _Coded(NamedTuple):
    """A column of both samples, as the distances need it: the real side first."""

    codes: tuple[np.ndarray, np.ndarray]
    """Bins or labels; the last is null."""
    size: int
    ranks: tuple[np.ndarray, np.ndarray] | None
    """Ranks within each sample, NaN where null; None for labels."""
    missing: bool
    """Whether either side has nulls."""


def _code(real: Column, other: Column, field: Field) -> _Coded:
    if numeric(field):
        values = numbers(real), numbers(other)
        edges = quantiles(values[0], np.arange(1, _BINS) / _BINS)
        ranks = [midranks(v, np.sort(v[~np.isnan(v)])) for v in values]
        missing = any(bool(np.isnan(v).any()) for v in values)
        codes = [binned(v, edges).astype(np.int32) for v in values]
        return _Coded((codes[0], codes[1]), len(edges) + 2, (ranks[0], ranks[1]), missing)
    (one, two), size = shared_codes([real, other])
    counts = np.bincount(one, minlength=size)[:-1]
    place = np.full(size, _LABELS, dtype=np.int32)
    frequent = np.argsort(-counts, kind="stable")[:_LABELS]
    place[frequent] = np.arange(len(frequent))
    place[-1] = _LABELS + 1
    return _Coded((place[one], place[two]), _LABELS + 2, None, missing=False)


def _distance(a: _Coded, b: _Coded, dealt: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the distance of a pair and, after it, its replicates."""
    if a.ranks is None or b.ranks is None:
        return _contingency((a.codes, b.codes), (a.size, b.size), dealt)
    correlations = [rank_correlations(x, y, g) for x, y, g in zip(a.ranks, b.ranks, dealt, strict=True)]
    found: np.ndarray = np.abs(correlations[0] - correlations[1]) / 2
    if not (a.missing or b.missing):
        return found
    nulls = [tuple((c == coded.size - 1).astype(np.int64) for c in coded.codes) for coded in (a, b)]
    return np.asarray(np.maximum(found, _contingency((nulls[0], nulls[1]), (2, 2), dealt)))


def _contingency(codes: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]], sizes: tuple[int, int],
                 dealt: tuple[np.ndarray, np.ndarray]) -> np.ndarray:  # fmt: skip
    """Return the total variation distance of two contingency tables and, after it, its replicates."""
    cells = sizes[0] * sizes[1]
    one, two = (left_out(x * sizes[1] + y, g, cells) for x, y, g in zip(*codes, dealt, strict=True))
    return total_variation(one, two)
