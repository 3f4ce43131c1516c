"""Whether synthetic rows lie where real rows are, rather than where there are none."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import difference
from synthwright.kit.measuring.manifold import around, most_rows
from synthwright.kit.measuring.stats import Estimate
from synthwright.metrics.comparing import Finding, Trio, draw, label, scores, trios, unmade, without

_FEWEST = 50
"""Rows of every sample below which nothing is measured."""


class Density(Metric):
    """How deep synthetic rows lie among real rows: 1 where as many real rows are near as near a real row, 0 far off.

    Around each held-out row lies a ball that reaches to its fifth nearest other held-out row. A synthetic row in five
    balls or more scores 1, one in two of them 0.4, one in none 0; the value is the mean over synthetic rows. (It is the
    density of Naeem et al., Reliable fidelity and diversity metrics for generative models, ICML 2020, held to 1 in
    every row, so that rows in the middle of the crowd do not make up for rows where nobody is; only whether a row is in
    any ball is the precision of Kynkäänniemi et al., NeurIPS 2019.) The distance is Gower's with ranks in the place of
    ranges, over the modelled columns. The reference is the same of training rows. The interval is for other synthetic
    rows; the allowance for chance is that of the difference between two means, held-out rows being as they are.
    """

    name: ClassVar[str] = "density"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Rows that are all alike and typical score well (`recall` sees what is left out), and it is not seen how far a "
        "value lies beyond all real ones."
    )

    neighbours: int = Setting(default=5, ge=1, le=100)
    """How many other held-out rows a ball holds: more make balls larger, and the measure smoother."""
    rows: int = Setting(default=5_000, ge=50, le=20_000)
    """Rows of each sample that are looked at, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        found = trios(case, ctx)
        if lacking := [label(t.table, c) for t in found for c in t.missing]:
            said = f"the synthetic table lacks {len(lacking)} columns, or holds them in another type"
            return without(self, f"{said}, first {lacking[0]}", "failed")
        ready = [t for t in found if t.smallest >= _FEWEST]
        if not ready:
            return without(self, f"too few rows: each side needs at least {_FEWEST}")
        tables = {t.table: self._table(t, ctx.at(t.table)) for t in ready}
        return scores(self, tables, [], min(self.rows, *(t.smallest for t in ready)))

    def _table(self, trio: Trio, ctx: Context) -> Finding:
        most = most_rows(len(trio.fields), self.rows)
        held = enumerate((trio.real, trio.synthetic, trio.second))
        real, synthetic, second = (draw(table, most, ctx.at("rows", i)) for i, table in held)
        found = around(real, (synthetic, second), dict(trio.fields), self.neighbours)
        deep = np.minimum(found.balls / self.neighbours, 1.0)
        value, other = _mean(deep[: synthetic.num_rows]), _mean(deep[synthetic.num_rows :])
        student = 1 + 4 / len(deep)  # for the few rows that the errors may be known from
        note = f"measured on {most:,} random rows of each side" if trio.smallest > most else ""
        return Finding(trio.table, value, other.value, note, student * difference((value.error, other.error)))


def _mean(values: np.ndarray) -> Estimate:
    value, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    return Estimate(value, value - 1.959964 * error, value + 1.959964 * error)
