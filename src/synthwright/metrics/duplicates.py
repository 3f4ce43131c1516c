"""Whether synthetic rows repeat each other more than real rows do."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.repeats import expected_repeats
from synthwright.kit.measuring.stats import wilson
from synthwright.kit.rows import row_hashes
from synthwright.metrics.comparing import Finding, modelled, scores, unmade, without

RATES = 2.0 ** np.arange(-14, 4, 0.25)
"""Exponents that are tried for the bound on chance."""


class Duplicates(Metric):
    """Share of synthetic rows that repeat another synthetic row in every modelled column: 0 where all differ.

    Of rows that are equal, all but one count. The share grows with the number of rows, so both sides are told for as
    many rows as the smaller has: the mean over all samples of the larger one, exactly. The reference is the share of
    the training rows: real tables repeat rows too, the more so the fewer columns they have. More than that is collapse,
    or rows made twice; less, rows more random than real ones. The interval is Wilson's. The chance takes the rows of
    both sides together and deals them out anew (a permutation test); the tail is bounded by Chernoff's inequality
    (A measure of asymptotic efficiency, Annals of Mathematical Statistics 23, 1952), so it holds for rare repeats too.
    """

    name: ClassVar[str] = "duplicates"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "A row repeated with one value changed is no repeat, and columns made anew are not compared."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for table, spec in case.schema.tables.items():
            train, synthetic = case.train.tables[table], case.synthetic.tables[table]
            types = {f.name: f.type for f in synthetic.schema}
            columns = [f.name for f in train.schema
                       if f.name in modelled(spec.fields) and types.get(f.name) == f.type]  # fmt: skip
            if not columns or not train.num_rows or not synthetic.num_rows:
                continue
            sides = [row_hashes(t, columns) for t in (synthetic, train)]
            same = min(map(len, sides))
            value, second = (expected_repeats(h, same) for h in sides)
            mixed = [ctx.at(table, i).rng.permutation(h)[:same] for i, h in enumerate(sides)]
            tables[table] = Finding(table, wilson(value, same), second / same, _note(sides), by_chance(mixed))
            rows.append(same)
        if not tables:
            return without(self, "no table has rows and columns that are modelled from real rows")
        return scores(self, tables, [], max(rows), share=True)


def _note(sides: list[np.ndarray]) -> str:
    made, real = map(len, sides)
    return "" if made == real else f"told for {min(made, real):,} of {max(made, real):,} {_which(made, real)} rows"


def _which(made: int, real: int) -> str:
    return "synthetic" if made > real else "training"


def by_chance(sides: list[np.ndarray]) -> float:
    """Return how much larger the first share may be by chance alone; both sides have equally many rows.

    Rows that are equal are dealt to either side by a coin: of s equal rows, b on the one side. Each set of equal rows
    that is wholly on one side costs the other side a different row, so the repeats differ by as many. That both sides
    have equally many rows makes the sum of 2b - s over all sets 0: the bound is for the differences less what
    follows from that sum (their regression on it), as if the sets were independent.
    """
    rows = len(sides[0])
    sizes, often = np.unique(np.unique(np.concatenate(sides), return_counts=True)[1], return_counts=True)
    if sizes.max(initial=1) < 2:
        return 0.0
    slope = float(np.sum(often * sizes * 2.0 ** (1 - sizes))) / (2 * rows)
    whole = sum(n * cumulants(int(s), slope) for s, n in zip(sizes, often, strict=True))
    return float(min(np.min((whole - math.log(LEVEL)) / RATES) / rows, 1.0))


def cumulants(size: int, slope: float) -> np.ndarray:
    """Return, for every rate, the logarithm of the mean of exp(rate × difference) over a set of equal rows.

    The difference is slope × (2b - size), and 1 more or less where b is 0 or size: these two outcomes of 2^size are
    taken out of the mean for coins, which is cosh(rate × slope)^size, and put back as they are.
    """
    coins = size * _log_cosh(slope * RATES)
    ends = math.log(2.0) * (1 - size)
    out = np.exp(ends + _log_cosh(slope * size * RATES) - coins)
    back = ends + _log_cosh((1 - slope * size) * RATES)
    rest = coins + np.log(np.maximum(1 - out, 1e-300))
    return np.asarray(np.logaddexp(rest, back)) if size > 1 else np.asarray(back)


def _log_cosh(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - math.log(2.0))
