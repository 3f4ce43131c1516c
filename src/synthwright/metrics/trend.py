"""How close the dependence between every two columns is."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.dependence import code, distance
from synthwright.metrics.comparing import Recounted, Trio, label, recounted


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
        return recounted(self, case, ctx, self._compare, listed=self.listed)

    def _compare(self, trio: Trio, ctx: Context) -> Recounted:
        replicas = trio.dealt(ctx.at("groups").rng)
        coded = {c: code(*trio.column(c), len(trio.synthetic), f) for c, f in trio.fields.items()}
        chosen, note = self._choose(list(trio.fields), ctx)
        found = {label(trio.table, a, b): distance(coded[a], coded[b], replicas) for a, b in chosen}
        if not found:  # one column: there is no dependence to get wrong
            return Recounted({}, "the table has one modelled column and so no pairs")
        return Recounted(found, note)

    def _choose(self, columns: list[str], ctx: Context) -> tuple[list[tuple[str, str]], str]:
        """Return the pairs to measure, all or a random sample, and a note that says so."""
        count = len(columns) * (len(columns) - 1) // 2
        if count <= self.pairs:
            return list(combinations(columns, 2)), ""
        left, right = np.triu_indices(len(columns), k=1)
        drawn = np.sort(ctx.at("pairs").rng.choice(count, size=self.pairs, replace=False))
        chosen = [(columns[i], columns[j]) for i, j in zip(left[drawn], right[drawn], strict=True)]
        return chosen, f"measured on {self.pairs:,} of {count:,} pairs, drawn at random"
