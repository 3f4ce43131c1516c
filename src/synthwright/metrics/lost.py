"""How many real rows have a label, or lie in a range, that synthetic rows lack altogether."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.stats import binned, quantiles, shared_codes
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted

_RANGES = 50
"""Into how many ranges a column with an order is cut at most, each with as many held-out rows."""


class Lost(Metric):
    """Share of held-out rows with a label, or in a range, that no synthetic row has: 0 nothing lost, 1 everything.

    Numbers, dates, times and durations are cut into fifty ranges that hold equally many held-out rows; null is a label.
    Where rows are few there are fewer ranges: so many that in 20,000 second real samples one leaves a range empty.
    What is rare weighs little (see `coverage` and `tails`): this asks how many real rows have nobody like them. The
    whole is the mean over columns. Columns made anew are left out. The reference is what training rows lack.
    """

    name: ClassVar[str] = "lost"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "One synthetic row keeps a label: how many there should be, and beside what, is not seen."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return recounted(self, case, ctx, _compare)


def _compare(trio: Trio, ctx: Context) -> Recounted:
    replicas = trio.dealt(ctx.at("groups").rng)
    found = {}
    for column, field in trio.fields.items():
        real, other = trio.column(column)
        if numeric(field):
            one, two = numbers(real), numbers(other)
            count = _ranges(
                int(np.sum(~np.isnan(one))), int(np.sum(~np.isnan(two[: replicas.synthetic]))), len(trio.fields)
            )
            edges = quantiles(one, np.arange(1, count) / count)
            codes, others, size = binned(one, edges), binned(two, edges), len(edges) + 2
        else:
            (codes, others), size = shared_codes([real, other])
        found[label(trio.table, column)] = replicas.counted(codes, others, size, _missed)
    return Recounted(found)


def _ranges(real: int, other: int, columns: int) -> int:
    """Return how many ranges so many rows can tell.

    A range of `k` held-out rows has none of the others with a probability of `(real / (real + other)) ** k`: of all
    rows there, whosever they are, the `k` lowest are held-out ones.
    """
    each = math.log(LEVEL / (_RANGES * columns)) / math.log(real / (real + other)) if real and other else 1.0
    return max(1, min(_RANGES, int(real / each)))


def _missed(real: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the real share of what does not occur among the other rows."""
    return np.asarray((real * (other <= 0)).sum(axis=-1))
