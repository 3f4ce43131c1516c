"""Whether columns that the start set hold what was asked."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.errors import InputError
from synthwright.core.schema import ORDERED, Field, canonical
from synthwright.core.spec import Between, SetTo, Shares
from synthwright.core.values import Column, numbers
from synthwright.kit.learning.setting import frequent, value_of
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.stats import Estimate
from synthwright.metrics.comparing import Finding, label, scores, without

_RANGES = 10
"""Ranges in which evenness between two ends is counted."""


class Conditions(Metric):
    """How far the shares of columns that were set are what was asked: 1 exactly, but for the rest of a row.

    A part is a set column: 1 less the total variation distance between the shares of its values and those asked.
    Numbers of rows are whole: each share may be rounded up or down. `balanced` asks for equal shares of the values that
    at least three training rows share. `between` asks for values between the two ends, all of them, and evenly: beyond
    what chance does to even draws in ten ranges (McDiarmid's inequality). The whole is the worst column. All rows are
    looked at: the numbers are exact, and the reference is 1.
    """

    name: ClassVar[str] = "conditions"
    group: ClassVar[Literal["integrity"]] = "integrity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "Whether the other columns fit the values that were set is for fidelity and utility."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if not case.chosen:
            return without(self, "no column was set")
        parts: list[Finding] = []
        failed: list[Score] = []
        rows = 1
        for column, how in case.chosen.items():
            found = _held(case, column, how)
            if isinstance(found, str):
                failed.append(Score(self.name, column, status="failed", problem=found))
                continue
            parts.append(Finding(label(*case.schema.split(column)), Estimate(found, found, found), 1.0))
            rows = max(rows, case.synthetic.rows(case.schema.split(column)[0]))
        if not parts:
            return [*without(self, failed[0].problem or "", "failed"), *failed]
        worst = min(parts, key=lambda p: p.estimate.value)
        return scores(self, {"": worst._replace(about="")}, parts, rows, incomplete=failed, share=True) + failed


def _held(case: Case, column: str, how: SetTo) -> float | str:
    """Return how far a column holds what was asked of it, or why that cannot be told."""
    if column not in case.schema.columns:
        return "it is no column of the schema"
    table, field = case.schema.split(column)[0], case.schema.field(column)
    if not case.synthetic.rows(table):
        return "the synthetic table has no rows"
    if not case.synthetic.has(column) or case.synthetic.column(column).type != canonical(field):
        return "the synthetic table lacks this column, or holds it in another type"
    held = case.synthetic.column(column)
    try:
        if isinstance(how, Between):
            return _between(held, how, field, column)
        if isinstance(how, Shares):
            values = [value_of(v, field, column) for v in how.shares]
            return _dealt(held, values, np.array(list(how.shares.values()), dtype=np.float64))
        if how != "balanced":
            return _dealt(held, [value_of(how, field, column)], np.ones(1))
    except InputError:
        return "what was asked does not fit the column"
    if case.train is None or not case.train.has(column) or not case.train.rows(table):
        return "it was to be balanced, and there are no real rows to say which values it has"
    known = frequent(case.train.column(column))
    return _dealt(held, [known[i] for i in range(len(known))], np.ones(len(known)))


def _dealt(held: Column, values: list[pa.Scalar], weights: np.ndarray) -> float | str:
    """Return 1 less the distance of a column's counts from weights, each of which may be rounded to a whole row."""
    if not weights.sum() > 0:
        return "what was asked does not fit the column"
    merged: dict[object, float] = {}
    for value, weight in zip(values, weights.tolist(), strict=True):
        merged[value.as_py()] = merged.get(value.as_py(), 0.0) + weight
    at = pc.index_in(held, value_set=pa.array(list(merged), held.type))
    rows = len(held)
    counts = np.bincount(pc.fill_null(at, len(merged)).to_numpy(), minlength=len(merged) + 1)
    exact = np.array([*merged.values(), 0.0]) / weights.sum() * rows
    whole = np.rint(exact)
    exact = np.where(np.abs(exact - whole) < 1e-6, whole, exact)
    over, under = np.maximum(counts - np.ceil(exact), 0).sum(), np.maximum(np.floor(exact) - counts, 0).sum()
    return float(1 - max(over, under) / rows)


def _between(held: Column, how: Between, field: Field, column: str) -> float | str:
    """Return the share of values between two ends, less what they lie unevenly beyond chance."""
    if field.kind not in ORDERED:
        return "what was asked does not fit the column"
    low, high = (float(numbers(pa.array([value_of(v, field, column).as_py()], canonical(field)))[0])
                 for v in how.between)  # fmt: skip
    step = field.step or (None if pa.types.is_floating(canonical(field)) else 1.0)
    values, slack = numbers(held), 1e-9 * max(abs(low), abs(high))
    values = values[(values >= low - slack) & (values <= high + slack)]
    outside = 1 - len(values) / len(held)
    first = 0.0 if step is None else math.ceil(low / step)
    points = math.inf if step is None else math.floor(high / step) - first + 1
    if not len(values) or not high > low or points < 2:
        return 1 - outside
    ranges = int(min(points, _RANGES))
    if step is None:
        begins = np.arange(ranges + 1) / ranges
        place = (values - low) / (high - low)
    else:  # whole steps: each range holds as many as it can, and that many are asked of it
        begins = np.ceil(np.arange(ranges + 1) * (points / ranges) - 1e-9)
        place = np.rint(values / step) - first
    wanted = np.diff(begins) / begins[-1]
    counts = np.bincount(np.clip(np.searchsorted(begins[1:-1], place, side="right"), 0, ranges - 1), minlength=ranges)
    found = float(np.abs(counts / len(values) - wanted).sum() / 2)
    chance = float(np.sqrt(wanted * (1 - wanted) / len(values)).sum() / 2) + math.sqrt(-math.log(LEVEL) / 2 / len(held))
    return max(0.0, 1 - outside - max(0.0, found - chance))
