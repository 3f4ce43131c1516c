"""Whether synthetic rows lie nearer to the rows that were trained on than to rows that were not."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.neighbours import nearest, points
from synthwright.kit.measuring.stats import Estimate
from synthwright.metrics.comparing import Finding, draw, produced, scores, unmade, without

_WORK = 6_000_000_000
"""Column distances that are computed: a table of more columns is measured on fewer rows."""
_SIGNS = 5
"""By how many times the tail of a sum of random signs exceeds the normal distribution's, at most."""


class DcrShare(Metric):
    """Share of synthetic rows that are nearer to a training row than to any held-out row: 0.5 where nothing is copied.

    As many training as held-out rows are looked at; equal distances count half. The distance is Gower's with ranks in
    the place of ranges, over the modelled columns that were produced. The reference is 0.5: new real rows are as near
    to the ones as to the others. The interval is the value plus and minus two standard deviations of what the share
    would be if it were random which real rows were trained on; rows that share their nearest real row count as one.
    Chance is that of a sum of random signs, whose tail is at most 4.46 times the normal distribution's (Pinelis,
    Extremal probabilistic problems and Hotelling's T² test under a symmetry condition, Annals of Statistics 22, 1994).
    """

    name: ClassVar[str] = "dcr-share"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It is a mean over rows: a few copied rows, and what an attacker with knowledge could infer, are not seen."
    )

    rows: int = Setting(default=10_000, ge=10, le=50_000)
    """Synthetic rows that are looked at, at most; the same number twice of training and of held-out rows."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if case.holdout is None or not case.holdout.rows():
            return without(self, "it needs held-out rows: real rows that were not trained on")
        if failed := unmade(self, case):
            return failed
        tables, smallest = {}, []
        for table in case.schema.tables:
            columns = produced(case, table)
            held = [d.tables[table] for d in (case.synthetic, case.train, case.holdout)]
            if columns and min(t.num_rows for t in held):
                found, rows = self._table(table, [t.select(columns) for t in held], case, ctx.at(table))
                tables[table] = found
                smallest.append(rows)
        if not tables:
            return without(self, "no table has produced columns, synthetic, training and held-out rows to compare")
        return scores(self, tables, [], min(smallest))

    def _table(self, table: str, held: list[pa.Table], case: Case, ctx: Context) -> tuple[Finding, int]:
        synthetic, train, unseen = held
        fields = {c: case.schema.tables[table].fields[c] for c in synthetic.column_names}
        most = max(100, min(self.rows, math.isqrt(_WORK // (4 * len(fields)))))
        same = min(train.num_rows, unseen.num_rows, 2 * most)
        drawn = [draw(synthetic, most, ctx.at("synthetic")), draw(train, same, ctx.at("train")),
                 draw(unseen, same, ctx.at("holdout"))]  # fmt: skip
        mine, trained, other = points(drawn, fields, among=(1, 2))
        estimate, deviation = _share(nearest(mine, trained), nearest(mine, other), same)
        note = ""
        if synthetic.num_rows > most or same == 2 * most:
            note = f"measured on {mine.rows:,} random synthetic rows, and {same:,} of both training and held-out rows"
        return Finding(table, estimate, 0.5, note, allowance(deviation, _SIGNS)), min(mine.rows, same)


def _share(
    trained: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], same: int
) -> tuple[Estimate, float]:
    """Return the share of rows nearer to the trained side, and its standard deviation by chance alone."""
    near, far = trained[0][:, 0], other[0][:, 0]
    rows = len(near)
    value = float((near < far).mean() + (near == far).mean() / 2)
    decided = near != far
    hit = np.where(near < far, trained[1][:, 0], same + other[1][:, 0])[decided]
    weights = np.bincount(hit, minlength=2 * same).astype(np.float64)
    deviation = math.sqrt(float((weights**2).sum())) / (2 * rows)
    return Estimate(value, value - 1.96 * deviation, value + 1.96 * deviation), deviation
