"""How close each column's own distribution is."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.stats import deal, discrete_distance, jackknife, ordered_distance
from synthwright.metrics.comparing import Measured, Sides, compared, label, numeric


class Shape(Metric):
    """Distance between the distributions of each column in held-out and synthetic rows: 0 alike, 1 disjoint.

    Numbers, dates, times and durations: the Kolmogorov-Smirnov distance, the largest difference in the share of rows
    up to any value, with nulls counted once below and once above all values. Categories and booleans: the total
    variation distance, half the summed difference in the shares of labels, null being one. The whole is the mean over
    columns. Columns made anew are left out. The reference compares the held-out rows with training rows.
    """

    name: ClassVar[str] = "shape"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It looks at one column at a time: how columns depend on each other is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return compared(self, case, ctx, _compare)


def _compare(sides: Sides, ctx: Context) -> Measured:
    rng = ctx.at("groups").rng
    dealt = deal(sides.real.num_rows, rng), deal(sides.other.num_rows, rng)
    found = {}
    for column, field in sides.fields.items():
        real, other = sides.real.column(column), sides.other.column(column)
        found[label(sides.table, column)] = ordered_distance(numbers(real), numbers(other), dealt) if numeric(field) \
            else discrete_distance(real, other, dealt)  # fmt: skip
    whole = np.mean(list(found.values()), axis=0)
    return Measured(jackknife(whole[0], whole[1:]), {c: jackknife(d[0], d[1:]) for c, d in found.items()})
