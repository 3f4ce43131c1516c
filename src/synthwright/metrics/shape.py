"""How close each column's own distribution is."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.measuring.stats import shared_codes
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted


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
        return recounted(self, case, ctx, _compare)


def _compare(trio: Trio, ctx: Context) -> Recounted:
    replicas = trio.dealt(ctx.at("groups").rng)
    found = {}
    for column, field in trio.fields.items():
        real, other = trio.column(column)
        if numeric(field):
            found[label(trio.table, column)] = replicas.ordered(numbers(real), numbers(other))
        else:
            (one, rest), size = shared_codes([real, other])
            found[label(trio.table, column)] = replicas.labelled(one, rest, size)
    return Recounted(found)
