"""How much of what occurs in real rows occurs in synthetic rows at all."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import Column, numbers
from synthwright.kit.measuring.stats import binned, quantiles, shared_codes
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted

_FEWEST = 3
"""Real rows that a label or range must have to count."""
_EDGES = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995])
"""Where the ranges of a column with an order end, as shares of held-out rows: deciles, and finer towards the tails."""


class Coverage(Metric):
    """Share of the labels and ranges of held-out rows that synthetic rows reach: 1 all, 0 none.

    Categories and booleans: the labels that at least three held-out rows have. Numbers, dates, times and durations: the
    ranges between the deciles, and between 5, 2, 1 and 0.5 % of both tails, as far as at least three held-out rows lie
    in them; what is beyond the held-out rows' ends covers nothing. Null is a label. The whole is the mean over columns.
    Columns made anew are left out. The reference is what training rows reach. The interval is for another draw of
    synthetic rows.
    """

    name: ClassVar[str] = "coverage"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "One synthetic row covers a label: how often it occurs, and with what, is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return recounted(self, case, ctx, _compare)


def _compare(trio: Trio, ctx: Context) -> Recounted:
    replicas = trio.dealt(ctx.at("groups").rng)
    found = {}
    for column, field in trio.fields.items():
        real, other = trio.column(column)
        codes, others, size = _ranges(numbers(real), numbers(other)) if numeric(field) else _labels(real, other)
        counts = np.bincount(codes, minlength=size)[:size]
        wanted = counts >= min(_FEWEST, max(int(counts.max(initial=0)), 1))  # tiny samples: the most frequent counts
        reached = partial(_reached, wanted=np.append(wanted, False))
        found[label(trio.table, column)] = replicas.counted(codes, others, size + 1, reached)
    return Recounted(found)


def _reached(_real: np.ndarray, other: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the share of the wanted codes that occur in the other rows; real rows have chosen them."""
    return np.asarray((other[..., wanted] > 0).mean(axis=-1))


def _labels(real: Column, other: Column) -> tuple[np.ndarray, np.ndarray, int]:
    (one, two), size = shared_codes([real, other])
    return one, two, size


def _ranges(real: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return both samples as ranges of the real one; code `size` is beyond its ends, and counts nowhere."""
    edges = quantiles(real, _EDGES)
    codes, size = binned(other, edges), len(edges) + 2
    present = real[~np.isnan(real)]
    if len(present):
        codes[(other < present.min()) | (other > present.max())] = size
    return binned(real, edges), codes, size
