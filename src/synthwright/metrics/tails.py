"""Whether rare labels, and the tails of numbers, hold as many rows as in real data."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.measuring.stats import binned, quantiles, shared_codes
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted

_SHARES = (0.005, 0.01, 0.02, 0.05)
"""How far into a tail its bins reach, as shares of held-out rows."""
_RARE = 0.05
"""The share of held-out rows that labels are rarer than."""
_FEWEST = 5
"""Held-out rows that all rare labels, or a column's tails, must have together."""


class Tails(Metric):
    """Share of what is rare that is out of place: 0 alike, 1 lost, or twice as much as there should be, or more.

    Numbers, dates, times and durations: the bins that end at 0.5, 1, 2 and 5 % of both tails of the held-out rows.
    Categories and booleans: the labels that fewer than 5 % of held-out rows have. The distance is the summed
    difference in the shares of these, relative to the share that held-out rows have there, and at most 1. Distances of
    whole columns hardly see the tails, where few rows are; this looks at nothing else. The whole is the mean over
    columns. Columns made anew are left out. The reference compares the held-out rows with training rows.
    """

    name: ClassVar[str] = "tails"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "What is rare only in combination is not seen, nor how far an extreme value lies out."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return recounted(self, case, ctx, _compare)


def _compare(trio: Trio, ctx: Context) -> Recounted:
    replicas = trio.dealt(ctx.at("groups").rng)
    found = {}
    for column, field in trio.fields.items():
        real, other = trio.column(column)
        if numeric(field):
            one, two = numbers(real), numbers(other)
            edges = quantiles(one, np.array([*_SHARES, *(1 - s for s in reversed(_SHARES))]))
            codes, others, size = binned(one, edges), binned(two, edges), len(edges) + 2
        else:
            (codes, others), size = shared_codes([real, other])
        counts = np.bincount(codes, minlength=size)
        rare = (counts <= _RARE * max(len(codes), 1)) & (np.arange(size) < size - 1)
        if counts[rare].sum() >= _FEWEST:
            found[label(trio.table, column)] = replicas.counted(codes, others, size, partial(_misplaced, rare=rare))
    return Recounted(found, "" if found else "no column has rare labels, or tails, of five held-out rows")


def _misplaced(real: np.ndarray, other: np.ndarray, rare: np.ndarray) -> np.ndarray:
    """Return how much of what is rare is out of place, relative to what there is of it in real rows."""
    apart = np.abs(real[..., rare] - other[..., rare]).sum(axis=-1)
    held = np.maximum(real[..., rare].sum(axis=-1), 1e-12)
    return np.asarray(np.minimum(apart / held, 1.0))
