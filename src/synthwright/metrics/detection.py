"""Whether a classifier can tell synthetic rows from real ones."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.boosting import boost, encode
from synthwright.kit.stats import auc, from_influence, midranks
from synthwright.metrics.comparing import Measured, Sides, compared, draw

_FEWEST = 20
_CELLS = 10_000_000
"""Rows × columns of each side: more would take minutes."""


class Detection(Metric):
    """How well boosted trees tell synthetic rows from held-out ones: 0.5 not at all, 1 always (area under the curve).

    As many synthetic as held-out rows are dealt into folds; trees that learned from the others rule on each.
    Rows are ranked within their fold, and the area is that of all ranks together; below 0.5 it is reported as it is.
    Columns made anew are left out. The reference tells training rows from held-out ones. The interval is for other
    rows of the same sort (DeLong), not for other trees.
    """

    name: ClassVar[str] = "detection"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It says that rows can be told apart, not by what, nor whether that matters for a use."

    folds: int = Setting(default=5, ge=2, le=10)
    """How many parts the rows are dealt into; more take longer and learn from more rows."""
    rounds: int = Setting(default=100, ge=1, le=1_000)
    """Boosting rounds of each classifier, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return compared(self, case, ctx, self._compare, fewest=_FEWEST)

    def _compare(self, sides: Sides, ctx: Context) -> Measured:
        most = max(1_000, _CELLS // len(sides.fields))
        known_rows = min(sides.real.num_rows, sides.other.num_rows)
        rows = min(known_rows, most)
        note = f"measured on {rows:,} random rows of each side" if rows < known_rows else ""
        tables = [draw(sides.real, rows, ctx.at("real")), draw(sides.other, rows, ctx.at("other"))]
        known = encode(tables, sides.fields)
        values = np.concatenate(known.values)
        synthetic = np.repeat([False, True], rows)
        rng = ctx.at("folds").rng
        fold = np.concatenate([rng.permutation(rows), rng.permutation(rows)]) % self.folds
        ranks = np.empty(2 * rows)
        for i in range(self.folds):
            here = fold == i
            trees = boost(values[~here], synthetic[~here].astype(np.float64), ctx.at("fold", i),
                          discrete=known.discrete, classes=2, rounds=self.rounds)  # fmt: skip
            said = trees.predict(values[here])
            ranks[here] = midranks(said, np.sort(said))  # every fold's trees have a scale of their own
        return Measured(from_influence(*auc(ranks, synthetic)), note=note)
