"""Whether every frequent value is as frequent among synthetic rows as among all real ones."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.stats import Estimate, from_influence, shared_codes
from synthwright.metrics.comparing import Finding, Trio, label, scores, trios, unmade, without

_FEWEST = 20
"""Rows, real and synthetic together, below which a value is counted with the others that are as rare."""
_MEAN = math.sqrt(2 / math.pi)
"""The mean of the absolute value of a standard normal number."""


class Shares(Metric):
    """The largest difference between a value's share of synthetic rows and of all real rows: 0 none, 1 all.

    Values are labels, numbers that many rows have in common, and null; those of fewer than 20 rows are counted as one.
    Held-out and training rows together are the real ones: there are several times more of them than held-out rows
    alone, so that a group that was thinned shows in a column of many labels too. A part is the value of a column that
    is farthest off, beyond what chance does to it; the whole is the farthest of all columns. The reference is the mean
    difference of as many real rows drawn anew; interval and chance are those of two shares (normal, with the pooled
    share), and chance is divided among all values.
    """

    name: ClassVar[str] = "shares"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It counts one column at a time, and only values that many rows share."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        failed = unmade(self, case)
        if failed:
            return failed
        ready = [t for t in trios(case, ctx) if t.fields and t.smallest]
        counted = {t.table: {c: _counted(t, c) for c in t.fields} for t in ready}
        total = sum(held.shares.shape[1] for columns in counted.values() for held in columns.values())
        tables: dict[str, Finding] = {}
        parts: list[Finding] = []
        for trio in ready:
            found = [_farthest(label(trio.table, c), held, total) for c, held in counted[trio.table].items()
                     if held.shares.size]  # fmt: skip
            if found:
                worst = max(found, key=_beyond)
                tables[trio.table] = worst._replace(note="; ".join(n for n in (trio.note, worst.about) if n))
                parts += found
        if not tables:
            return without(self, "no column has a value that many rows share")
        return scores(self, tables, parts, min(t.smallest for t in ready))


class _Counted(NamedTuple):
    """How frequent the values of a column are."""

    shares: np.ndarray
    """Of each value among synthetic rows, and (second row) among real ones."""
    rows: tuple[int, int]


def _counted(trio: Trio, column: str) -> _Counted:
    codes, size = shared_codes([t.column(column) for t in (trio.synthetic, trio.real, trio.second)])
    sides = [codes[0], np.concatenate(codes[1:])]
    counts = np.stack([np.bincount(c, minlength=size) for c in sides])
    often = counts.sum(axis=0) >= _FEWEST
    counts = np.column_stack([counts[:, often], counts[:, ~often].sum(axis=1)])
    counts = counts[:, counts.sum(axis=0) >= _FEWEST]
    rows = (len(sides[0]), len(sides[1]))
    few = counts.shape[1] < 2  # one value, or none that repeats: nothing can be rarer than it should be
    return _Counted((counts[:, :0] if few else counts) / np.array(rows)[:, None], rows)


def _farthest(about: str, held: _Counted, total: int) -> Finding:
    made, real = held.shares
    pooled = (made * held.rows[0] + real * held.rows[1]) / sum(held.rows)
    errors = np.sqrt(pooled * (1 - pooled) * (1 / held.rows[0] + 1 / held.rows[1]))
    apart, strays = np.abs(made - real), allowance(1.0, total) * errors
    at = int(np.lexsort((apart, np.where(apart > strays, apart, 0.0)))[-1])
    own = from_influence(float(apart[at]), np.sqrt([s[at] * (1 - s[at]) / n for s, n in zip(held.shares, held.rows,
                                                                                         strict=True)]))  # fmt: skip
    mean = _MEAN * float(errors[at])
    return Finding(about, Estimate(*own), mean, chance=float(strays[at]) - mean)


def _beyond(found: Finding) -> tuple[float, float]:
    """Return a difference, if chance does not explain it, and what it is at all."""
    allowed = (found.reference or 0.0) + (found.chance or 0.0)
    return found.estimate.value if found.estimate.value > allowed else 0.0, found.estimate.value
