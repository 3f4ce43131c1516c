"""How close the distribution of several columns together is, for random choices of columns."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.stats import coarse
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted

_BINS = {3: 4, 5: 2}
"""How many columns are looked at together, and the bins or labels of each: few hundred cells, so that rows suffice."""
_LISTED = 100


class Marginals(Metric):
    """Distance between held-out and synthetic rows in random choices of three and five columns: 0 alike, 1 disjoint.

    Every column is cut into few codes: bins that hold equally many held-out rows, or the most frequent labels and all
    others, and null; the distance is the total variation of the table of all combinations. What pairs of columns do
    not show, such as an effect that reverses between groups, shows here. The whole is the mean. Columns made anew are
    left out. The reference compares the held-out rows with training rows. The same idea scored NIST's Differential
    Privacy Synthetic Data Challenge of 2018, as k-marginal.
    """

    name: ClassVar[str] = "marginals"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It sees coarse bins of some choices of columns, not fine detail, nor every choice."

    choices: int = Setting(default=150, ge=1, le=10_000)
    """Choices of columns of each size; fewer where there are no more."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return recounted(self, case, ctx, self._compare, listed=_LISTED)

    def _compare(self, trio: Trio, ctx: Context) -> Recounted:
        replicas = trio.dealt(ctx.at("groups").rng)
        found = {}
        for many, bins in _BINS.items():
            chosen = _chosen(list(trio.fields), many, self.choices, ctx.at("choices", many).rng)
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


def _chosen(columns: list[str], many: int, choices: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return different choices of so many columns, at random; all where there are no more."""
    if len(columns) <= 2 * many:  # few columns: all their choices are at most 252
        every = list(combinations(columns, many))
        return [every[i] for i in sorted(rng.permutation(len(every))[:choices].tolist())]
    drawn = np.argsort(rng.random((choices, len(columns))), axis=1)[:, :many]
    distinct = np.unique(np.sort(drawn, axis=1), axis=0)
    return [tuple(columns[i] for i in row) for row in distinct.tolist()]
