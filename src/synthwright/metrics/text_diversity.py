"""Whether written texts are as varied as real ones."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Kind
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.stats import Estimate
from synthwright.kit.texts.text_diversity import FEWEST, MOST, Measured, Texts, compared
from synthwright.metrics.comparing import Finding, draw, label, scores, unmade, without

_FEW = f"no column of text that is made has {2 * FEWEST} texts of each kind"
_DIGITS = 4
_ROWS = 10**6
"""Rows that tell so many digits: the halves are means over many texts."""
_LACKS = "the synthetic table lacks this column, or holds it in another type"


class TextDiversity(Metric):
    """How varied texts are, from 0, all alike, to 1, beside equally many real ones.

    The mean over columns of text of four measures: different pairs of words (distinct-2: Li et al. 2016, arXiv
    1510.03055), 1 less self-BLEU (Zhu et al. 2018, arXiv 1802.01886), how many different texts there are in effect as a
    share of all (the Vendi score: Friedman and Dieng 2022, arXiv 2210.02410, by words and pieces of words), and the
    distance from the nearest other text. Each of them has a score of its own, `review.text: vendi`. They depend on how
    many texts are looked at: both sides are told for random halves of the smaller one, at most 150 texts, 24 times.
    The reference is that of training rows; interval and chance follow from how far the halves stray. Without real rows
    only the measures are told, without reference: whether they are low nobody can say.
    """

    name: ClassVar[str] = "text-diversity"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Nonsense is varied too, and one thing said again and again in other words looks varied to what goes by words."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return self._alone(case, ctx)
        if failed := unmade(self, case):
            return failed
        columns, measures, lacking = dict[str, list[Finding]](), list[Finding](), list[str]()
        for table, name in _columns(case):
            real, made = (d.tables[table] for d in (case.train, case.synthetic))
            if name not in real.column_names:
                continue
            about = label(table, name)
            if name not in made.column_names or made.schema.field(name).type != real.schema.field(name).type:
                lacking.append(about)
                continue
            found = self._compared(made.select([name]), real.select([name]), ctx.at(table, name))
            if found:
                columns.setdefault(table, []).append(_mean(about, found))
                measures += [_finding(f"{about}: {m}", x, len(found)) for m, x in found.items()]
        failed = [Score(self.name, c, status="failed", problem=_LACKS) for c in lacking]
        if not columns:
            return [*without(self, _LACKS, "failed"), *failed] if failed else without(self, _FEW)
        tables = {t: _over(t, found) for t, found in columns.items()}
        parts = [c for found in columns.values() for c in found]
        told = scores(self, tables, parts, _ROWS, incomplete=failed)
        return [*told, *failed, *(_score(f) for f in measures)]

    def _compared(self, made: pa.Table, real: pa.Table, ctx: Context) -> dict[str, Measured]:
        """Return the measures of synthetic texts beside real ones."""
        held = [draw(t.filter(t.column(0).is_valid()), 2 * MOST, ctx.at(i)) for i, t in enumerate((made, real))]
        whole = pa.concat_tables(held).column(0).combine_chunks()
        texts = Texts.of(whole)
        mine, others = np.split(np.arange(len(whole)), [held[0].num_rows])
        return compared(texts, mine, others, ctx.rng)[0]

    def _alone(self, case: Case, ctx: Context) -> list[Score]:
        """Return the measures of texts that no real ones stand beside."""
        measures = list[Finding]()
        for table, name in _columns(case):
            made = case.synthetic.tables[table]
            if name in made.column_names:
                side = made.select([name])
                found = self._compared(side, side, ctx.at(table, name))
                measures += [_finding(f"{label(table, name)}: {m}", x)._replace(reference=None, chance=None)
                             for m, x in found.items()]  # fmt: skip
        return [*without(self, "there are no real rows to compare with"), *(_score(f) for f in measures)]


def _columns(case: Case) -> list[tuple[str, str]]:
    """Return the columns of text that were made and are no personal data, as table and column."""
    made = case.produced or case.schema.columns
    return [(t, c) for t, spec in case.schema.tables.items() for c, f in spec.fields.items()
            if f.kind is Kind.TEXT and f.sensitive is None and f"{t}.{c}" in made]  # fmt: skip


def _finding(about: str, found: Measured, parts: int = 1) -> Finding:
    wide = 1.96 * found.error
    estimate = Estimate(found.value, found.value - wide, found.value + wide)
    return Finding(about, estimate, found.reference, chance=allowance(found.apart, parts))


def _score(found: Finding) -> Score:
    value, low, high = found.estimate.within(TextDiversity.bounds).rounded(_DIGITS)
    reference = None if found.reference is None else round(found.reference, _DIGITS)
    chance = None if found.chance is None else round(found.chance, _DIGITS)
    return Score(TextDiversity.name, found.about, value, reference, low, high, chance=chance)


def _mean(about: str, found: dict[str, Measured]) -> Finding:
    """Return the mean of the measures of a column; they move together, so their errors add up."""
    said = list(found.values())
    return _finding(about, Measured(*(float(np.mean(x)) for x in zip(*said, strict=True))))


def _over(table: str, found: list[Finding]) -> Finding:
    """Return the mean over the columns of a table, which stray together at worst."""
    value, low, high = np.mean([f.estimate for f in found], axis=0).tolist()
    reference = math.fsum(f.reference or 0.0 for f in found) / len(found)
    chance = math.fsum(f.chance or 0.0 for f in found) / len(found)
    return Finding(table, Estimate(value, low, high), reference, chance=chance)
