"""Whether synthetic rows lie as far from each other as real ones do."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import difference
from synthwright.kit.measuring.neighbours import Points, nearest, points
from synthwright.kit.measuring.stats import Estimate, from_influence
from synthwright.metrics.comparing import Finding, draw, scores, trios, unmade, without

_FEWEST = 20
"""Rows of a sample below which nothing is measured."""
FOLDS = 20
"""Rows look for others outside of their own fold: they do not find themselves, nor one in twenty of the others."""
_WORK = 800_000_000
"""Column distances that are computed for each sample: a table of more columns is measured on fewer rows."""
_ASKED = 1_000
"""Rows whose nearest row is wanted, at least: rather than of fewer, neighbours are looked for among fewer."""


class Spread(Metric):
    """How far a synthetic row is from the nearest other one, beside how far real rows are: 1 as far, 0 not at all.

    The mean distance of a synthetic row from the nearest other synthetic row, divided by that of as many training rows
    from each other. The distance is Gower's with ranks in the place of ranges (ranks among held-out rows), over all
    modelled columns. The reference is 1. Lower: rows crowd around few prototypes, or are made again with a little noise
    (mode collapse). Rows that are farther from each other than real ones are more random than these, which other
    metrics see: they count as 1, and the score says so where it is beyond chance. Interval and chance
    come from each row's influence, what the mean would be without it (the infinitesimal jackknife: Efron, The
    jackknife, the bootstrap and other resampling plans, 1982). Distance: Gower, Biometrics 27 (1971).
    """

    name: ClassVar[str] = "spread"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Rows can lie far from each other in the wrong places, and a part of the data that is missing hardly shows."
    )

    rows: int = Setting(default=5_000, ge=100, le=50_000)
    """Rows of each sample whose nearest row is looked for, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for trio in trios(case, ctx):
            if not trio.fields or trio.smallest < _FEWEST:
                continue
            most = max(_FEWEST, _WORK // (_ASKED * len(trio.fields)))
            same = min(trio.synthetic.num_rows, trio.second.num_rows, most)
            asked = min(same, self.rows, max(_FEWEST, _WORK // (same * len(trio.fields))))
            held = [draw(t, same, ctx.at(trio.table, i)) for i, t in enumerate((trio.synthetic, trio.second))]
            _, *sides = points([trio.real, *held], trio.fields, among=(0,))
            first, other = (mean_apart(p, asked, ctx.at(trio.table, "folds", i)) for i, p in enumerate(sides))
            note = (
                f"measured on {asked:,} random rows of each, among {same:,}" if asked < trio.synthetic.num_rows else ""
            )
            found = _beside(first, other)
            notes = "; ".join(n for n in (trio.note, note, found.note) if n)
            tables[trio.table] = found._replace(about=trio.table, note=notes)
            rows.append(same)
        if not tables:
            return without(self, f"no table has modelled columns, and {_FEWEST} rows of each kind")
        return scores(self, tables, [], min(rows))


def _beside(first: Estimate, other: Estimate) -> Finding:
    """Return one mean distance as a share of the other."""
    if other.value <= 0:
        return Finding("", Estimate(1.0, 1.0, 1.0), 1.0, chance=0.0)
    share = first.value / other.value
    spread = 1.96 * math.hypot(first.error, share * other.error) / other.value
    chance = difference((first.error, other.error)) / other.value
    note = f"rows lie {share:.2f} times as far from each other as real ones" if share > 1 + chance else ""
    return Finding("", Estimate(share, share - spread, share + spread), 1.0, note, chance)


def mean_apart(held: Points, asked: int, ctx: Context) -> Estimate:
    """Return the mean distance of so many rows from the nearest row of another fold.

    The influence of a row is its own distance, less what the rows that are nearest to it would lose without it: their
    second nearest row is farther.
    """
    fold = ctx.rng.permutation(held.rows) % FOLDS
    chosen = np.sort(ctx.at("asked").rng.permutation(held.rows)[:asked])
    near = np.full((asked, FOLDS), np.inf, dtype=np.float32)
    where = np.zeros((asked, FOLDS), dtype=np.int64)
    for i in range(FOLDS):
        inside, outside = np.flatnonzero(fold == i), np.flatnonzero(fold[chosen] != i)
        distances, positions = nearest(_some(held, chosen[outside]), _some(held, inside))
        near[outside, i], where[outside, i] = distances[:, 0], inside[positions[:, 0]]
    which = near.argmin(axis=1)
    first, then = np.partition(near, 1, axis=1)[:, :2].T.astype(np.float64)
    influence = -np.bincount(where[np.arange(asked), which], weights=then - first, minlength=held.rows)
    influence[chosen] += first - float(first.mean())
    return from_influence(float(first.mean()), (influence - influence.mean()) / asked)


def _some(held: Points, rows: np.ndarray) -> Points:
    return Points(held.ordered[:, rows], held.discrete[:, rows], held.gaps)
