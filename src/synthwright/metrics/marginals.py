"""How close the distribution of several columns together is, for random choices of columns."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field
from synthwright.core.values import labels, numbers
from synthwright.kit.measuring.stats import coarse
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted

_BINS = {3: 4, 5: 2}
"""How many columns are looked at together, and the bins or labels of each: few hundred cells, so that rows suffice."""
_LISTED = 100
_JOINED = 50
"""Choices of three columns that are looked at because training rows join them the most."""
_WORK, _FEWEST, _WIDEST = 2_000_000_000, 200, 150
"""Rows × columns³ that are looked at to find these, the rows that it takes, and the most columns."""


class Marginals(Metric):
    """Distance between held-out and synthetic rows in random choices of three and five columns: 0 alike, 1 disjoint.

    Every column is cut into few codes: bins that hold equally many held-out rows, or the most frequent labels and all
    others, and null; the distance is the total variation of the table of all combinations. What pairs of columns do
    not show, such as an effect that reverses between groups, shows here. In wide tables the fifty threes are looked at
    too that training rows join the most beyond what pairs tell: those of all with the largest third moment, each column
    being cut in two. The whole is the mean. Columns made anew are left out. The reference compares the held-out rows
    with training rows. The same idea scored NIST's Differential Privacy Synthetic Data Challenge of 2018, as
    k-marginal.
    """

    name: ClassVar[str] = "marginals"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It sees coarse bins of some choices of columns, not fine detail, nor every choice, nor what joins columns in "
        "a small group of rows only."
    )

    choices: int = Setting(default=150, ge=1, le=10_000)
    """Choices of columns of each size; fewer where there are no more."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return recounted(self, case, ctx, self._compare, listed=_LISTED)

    def _compare(self, trio: Trio, ctx: Context) -> Recounted:
        replicas = trio.dealt(ctx.at("groups").rng)
        found = {}
        for many, bins in _BINS.items():
            chosen = _chosen(list(trio.fields), many, self.choices, ctx.at("choices", many).rng)
            if many == 3 and len(chosen) < comb(len(trio.fields), many):
                chosen = list(dict.fromkeys([*chosen, *_joined(trio)]))
            used = dict.fromkeys(c for columns in chosen for c in columns)
            coded = {c: coarse(*trio.column(c), bins, ordered=numeric(trio.fields[c])) for c in used}
            for columns in chosen:
                cells = [np.zeros(len(side), dtype=np.int64) for side in coded[columns[0]][:2]]
                total = 1
                for column in columns:
                    size = coded[column][2]
                    cells = [held * size + codes for held, codes in zip(cells, coded[column][:2], strict=True)]
                    total *= size
                found[label(trio.table, *columns)] = replicas.labelled(cells[0], cells[1], total)
        return Recounted(found, "" if found else "the table has fewer than three modelled columns")


def _joined(trio: Trio) -> list[tuple[str, ...]]:
    """Return the threes of columns that training rows join the most, beyond what their pairs tell, in their order."""
    names = list(trio.fields)[:_WIDEST]
    rows = min(trio.second.num_rows, _WORK // len(names) ** 3)
    if rows < _FEWEST:
        return []
    cut = np.stack([_halves(trio.second.column(c).slice(0, rows), trio.fields[c]) for c in names])
    found = []
    for i in range(len(names) - 2):
        moments = np.abs((cut[i + 1 :] * cut[i]) @ cut[i + 1 :].T)
        one, two = np.triu_indices(len(moments), 1)
        most = np.argsort(-moments[one, two], kind="stable")[:_JOINED]
        found += [(-float(moments[one[k], two[k]]), i, i + 1 + int(one[k]), i + 1 + int(two[k])) for k in most]
    return [tuple(names[k] for k in three) for _, *three in sorted(found)[:_JOINED]]


def _halves(column: pa.ChunkedArray, field: Field) -> np.ndarray:
    """Return a column cut in two, below and above the median or by its most frequent label, with mean 0, variance 1."""
    if numeric(field):
        values = numbers(column)
        known = values[~np.isnan(values)]
        upper = np.where(np.isnan(values), np.nan, values > (np.median(known) if len(known) else 0.0))
    else:
        codes = labels(column)[0]
        upper = (codes == np.bincount(codes + 1).argmax() - 1).astype(np.float64)
    apart = np.nan_to_num(upper - np.nanmean(upper) if np.any(~np.isnan(upper)) else np.zeros(len(upper)))
    spread = float(apart.std())
    return np.asarray(apart / spread if spread > 0 else apart, dtype=np.float32)


def _chosen(columns: list[str], many: int, choices: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return different choices of so many columns, at random; all where there are no more."""
    if len(columns) <= 2 * many:  # few columns: all their choices are at most 252
        every = list(combinations(columns, many))
        return [every[i] for i in sorted(rng.permutation(len(every))[:choices].tolist())]
    drawn = np.argsort(rng.random((choices, len(columns))), axis=1)[:, :many]
    distinct = np.unique(np.sort(drawn, axis=1), axis=0)
    return [tuple(columns[i] for i in row) for row in distinct.tolist()]
