"""Whether synthetic rows are as varied, column by column and pair by pair, as real ones."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import difference
from synthwright.kit.measuring.stats import Estimate, binned, from_influence, quantiles, shared_codes
from synthwright.metrics.comparing import Finding, Trio, label, numeric, scores, trios, unmade, without

_BINS = np.arange(1, 10) / 10
"""Numbers are counted between the deciles of held-out rows."""
_PAIRS = 100
"""Pairs of columns that are looked at, drawn at random from more."""
_MOST, _SIDE = 1_000, 31
"""Codes of a pair, at most; of more, each column's codes are dealt into so many."""


class Entropy(Metric):
    """How evenly rows are spread over labels, ranges and pairs of them: 1 evenly, 0 where all rows are alike.

    Shannon's entropy of the labels of each column (of the ranges between the held-out rows' deciles, for values with an
    order; null is a label), and of up to 100 random pairs of columns, each divided by the logarithm of how many labels
    or pairs of labels real rows have. The whole is the mean of two means: over columns, and over pairs. The reference
    is that of as many training rows: lower than it are rows that crowd on what is frequent or have lost what is rare
    (mode collapse); higher, rows that are more random than real ones. Interval and chance come from each row's
    influence on the entropy, `-log p - H`. Reference: Shannon, A mathematical theory of communication, Bell System
    Technical Journal 27 (1948).
    """

    name: ClassVar[str] = "entropy"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It counts how much varies, not what: other labels in the same shares, or random rows, score as well or better."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables: dict[str, Finding] = {}
        parts: list[Finding] = []
        rows, lacking = [], []
        for trio in trios(case, ctx):
            lacking += [label(trio.table, c) for c in trio.missing]
            if trio.fields and trio.smallest:
                whole, more = _measured(trio, ctx.at(trio.table))
                tables[trio.table] = whole
                parts += more
                rows.append(trio.smallest)
        failed = [Score(self.name, c, status="failed", problem=_LACKS) for c in lacking]
        if failed and not tables:
            return [*without(self, _LACKS, "failed"), *failed]
        if not tables:
            return without(self, "no table has rows and a column that is modelled from real ones")
        return scores(self, tables, parts, min(rows), incomplete=failed) + failed


_LACKS = "the synthetic table lacks this column, or holds it in another type"


class _Spread(NamedTuple):
    """How evenly two samples are spread: synthetic rows, and the second real sample."""

    values: tuple[float, float]
    influences: tuple[np.ndarray, np.ndarray]
    """Of each row of the one and of the other."""

    def finding(self, about: str, parts: int) -> Finding:
        """Return the score to be."""
        first, second = (from_influence(v, i) for v, i in zip(self.values, self.influences, strict=True))
        errors = first.error, second.error
        return Finding(about, Estimate(*first), self.values[1], chance=difference(errors, parts))


def _measured(trio: Trio, ctx: Context) -> tuple[Finding, list[Finding]]:
    coded = {c: _coded(trio, c) for c in trio.fields}
    alone = {c: _evenness(*held, trio) for c, held in coded.items()}
    names = list(coded)
    left, right = np.triu_indices(len(names), 1)
    chosen = np.sort(ctx.at("pairs").rng.permutation(len(left))[:_PAIRS])
    joint = [_evenness(*_crossed(coded[names[int(a)]], coded[names[int(b)]]), trio)
             for a, b in zip(left[chosen], right[chosen], strict=True)]  # fmt: skip
    means = [_mean(list(alone.values())), *([_mean(joint)] if joint else [])]
    found = [s.finding(label(trio.table, c), len(alone)) for c, s in alone.items()]
    note = f"{len(joint)} of {len(left)} pairs of columns were drawn" if len(joint) < len(left) else ""
    whole = _mean(means).finding(trio.table, 1)
    return whole._replace(note="; ".join(n for n in (trio.note, note) if n)), found


def _mean(found: list[_Spread]) -> _Spread:
    values = np.mean([s.values for s in found], axis=0)
    sides = [np.mean([s.influences[i] for s in found], axis=0) for i in range(2)]
    return _Spread((float(values[0]), float(values[1])), (sides[0], sides[1]))


def _coded(trio: Trio, column: str) -> tuple[np.ndarray, int]:
    """Return a column of all three samples, laid end to end, as codes, and how many there are."""
    real, others = trio.column(column)
    if not numeric(trio.fields[column]):
        codes, size = shared_codes([real, others])
        return np.concatenate(codes), size
    values = numbers(real)
    edges = quantiles(values, _BINS)
    return binned(np.concatenate([values, numbers(others)]), edges), len(edges) + 2


def _crossed(left: tuple[np.ndarray, int], right: tuple[np.ndarray, int]) -> tuple[np.ndarray, int]:
    """Return two columns as one, columns of very many labels dealt into fewer."""
    if left[1] * right[1] > _MOST:
        left, right = ((codes % _SIDE, min(size, _SIDE)) for codes, size in (left, right))
    return left[0] * right[1] + right[0], left[1] * right[1]


def _evenness(codes: np.ndarray, size: int, trio: Trio) -> _Spread:
    """Return the entropy of the codes of both samples, as a share of the most that real rows could have."""
    ends = np.cumsum([trio.real.num_rows, trio.synthetic.num_rows])
    counts = [np.bincount(c, minlength=size) for c in np.split(codes, ends)]
    most = math.log(max(int(((counts[0] + counts[2]) > 0).sum()), 2))
    found = [_entropy(c, counts[i], most) for i, c in enumerate(np.split(codes, ends)) if i]
    return _Spread((found[0][0], found[1][0]), (found[0][1], found[1][1]))


def _entropy(codes: np.ndarray, counts: np.ndarray, most: float) -> tuple[float, np.ndarray]:
    """Return the entropy of codes in units of `most`, and each row's influence on it."""
    rows = max(len(codes), 1)
    surprise = -np.log(np.maximum(counts, 1) / rows) / most
    value = float(np.sum(counts * surprise) / rows)
    return value, (surprise[codes] - value) / rows
