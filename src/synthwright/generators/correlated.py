"""Columns that go together: each with its own distribution, tied by a Gaussian copula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import DISCRETE, ORDERED, Field, Schema
from synthwright.core.values import labels, numbers
from synthwright.kit.formula.stated import formulas, stated, unfit, unit_of
from synthwright.kit.formula.weights import Weights
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.sampling.correlations import advice, matrix, pair, possible, root
from synthwright.kit.sampling.distributions import Shape, known
from synthwright.kit.sampling.guide import Guide
from synthwright.kit.sampling.laws import Law

_EDGE = 1e-15
_BARE: Mapping[str, float] = {"0": 1.0, "1": 1.0}
Correlation = Annotated[float, Setting(gt=-1, lt=1)]


class Margin(Shape):
    """How one column is distributed by itself: a distribution, or values with weights."""

    choice: Weights = Setting(default={}, examples=[["a"]])
    """Values and weights, from those that go with low values of other columns to those that go with high ones."""

    @model_validator(mode="after")
    def _either(self) -> Margin:
        if self.choice and not self.empty:
            raise ValueError("wanted a distribution or a choice, got both")
        return self


class Correlated(Ruled):
    """Draws several columns that go together, each with its own distribution.

    ::

        with:
          columns:
            age: {normal: {mean: 45, sd: 16}, between: [18, 95]}
            income: {lognormal: {median: 32000, sigma: 0.6}}
            plan: {choice: {basic: 6, plus: 3, pro: 1}}
          correlations: {age~income: 0.4, income~plan: 0.3}

    Correlations are Spearman's, of ranks, or with `of: scores` Pearson's of the normal scores that the columns are made
    from; pairs that are not said are independent given the others' zeros. Where a column has few different values, ties
    make the correlation of what comes out smaller than that of what it was made from. A column that another part makes
    can be named too, with the distribution that it has: the others then follow its values.
    """

    name: ClassVar[str] = "correlated"
    abilities: ClassVar[Abilities] = Abilities(kinds=ORDERED | DISCRETE, given="declared", learns=False)

    columns: dict[str, Margin] = Setting(default={}, examples=[{"a": {}}])
    """Every column and how it is distributed, in the words of `distribution`, or by `choice: {a: 3, b: 1}`."""
    correlations: dict[str, Correlation] = Setting(default={}, examples=[{"a~b": 0.5}])
    """Pairs of columns and their correlation: `{age~income: 0.4}`; pairs that are left out have none."""
    of: Literal["ranks", "scores"] = "ranks"
    """What correlations are of: ranks (Spearman), or normal scores (Pearson)."""

    def paths(self) -> Sequence[str]:
        return formulas([q for margin in self.columns.values() for q in margin.quantities])

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        there = [f"{table}.{c}" for c in self.columns if c in schema.tables[table].fields]
        return tuple(dict.fromkeys((*super().looks_at(schema, table), *there)))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        fields = schema.tables[table].fields
        for name, margin in self.columns.items():
            if name not in fields:
                near = get_close_matches(name, fields, n=1)
                hint = f": did you mean {near[0]!r}?" if near else ""
                found.append((("columns", name), f"table {table!r} has no column {name!r}{hint}"))
            else:
                found += [(("columns", name, *place), f"{name}: {said}")
                          for place, said in _misfits(margin, fields[name], schema, table, produce)]  # fmt: skip
        lacking = [c for c in produce if c not in self.columns]
        found += [(("columns",), f"say how {c!r} is distributed") for c in lacking]
        return [*found, *self._wrong_pairs()]

    def _wrong_pairs(self) -> list[tuple[Place, str]]:
        names = list(self.columns)
        found: list[tuple[Place, str]] = []
        seen: set[frozenset[int]] = set()
        for words in self.correlations:
            places = pair(words, names)
            if places is None:
                every = ", ".join(map(repr, names))
                found.append((("correlations", words), f"{words!r} names no two columns, wanted a~b, of {every}"))
            elif frozenset(places) in seen:
                found.append((("correlations", words), f"{words!r} is said twice"))
            else:
                seen.add(frozenset(places))
        scores = matrix(self.correlations, names, ranks=self.of == "ranks")
        if not found and not possible(scores):
            near = ", ".join(f"{w}: {v:g}" for w, v in advice(scores, names, ranks=self.of == "ranks").items())
            said = "no columns go together like this: the pairs contradict each other (no positive definite matrix)"
            found.append((("correlations",), f"{said}; the nearest that is possible: {{{near}}}"))
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        every = {**{c: Margin() for c in ask.produce if c not in self.columns}, **self.columns}
        names = sorted(every)
        there = [c for c in names if c not in ask.produce and c in ask.given.tables[ask.table].column_names]
        names = [*there, *(c for c in names if c not in there)]
        scores = matrix(self.correlations, names, ranks=self.of == "ranks")
        if not possible(scores):
            raise SampleError(self.name, "the correlations", wanted="a matrix that is positive definite", got="another")
        triangle = root(scores)
        made: dict[str, Column] = {}
        own = np.empty((len(names), ask.rows))  # independent scores; those of given columns are worked out
        for i, name in enumerate(names):
            lean = triangle[i, :i] @ own[:i] if i else np.zeros(ask.rows)
            if name in there:
                held = _score(ask, every[name], name)
                own[i] = (held - lean) / triangle[i, i]
                continue
            own[i] = ask.ctx.at(name).rng.standard_normal(ask.rows)
            if name in ask.produce:
                made[name] = _valued(ask, every[name], name, lean + triangle[i, i] * own[i])
        return made


def _misfits(
    margin: Margin, field: Field, schema: Schema, table: str, produce: Sequence[str]
) -> list[tuple[Place, str]]:
    if margin.choice:
        values = list(margin.choice)
        return [(("choice", str(values[i])), f"a column of kind {field.kind.value!r} cannot hold {values[i]!r}")
                for i in unfit(values, field)]  # fmt: skip
    if margin.empty:
        return [((), "say a distribution, or a choice")]
    if field.kind not in ORDERED:
        return [((), f"a column of kind {field.kind.value!r} has no order: say `choice: {{a: 3, b: 1}}`")]
    return list(margin.misfits(field, schema, table, produce))


def _shares(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import ndtr

    return ndtr(scores), ndtr(-scores)


def _valued(ask: Ask, margin: Margin, column: str, scores: np.ndarray) -> Column:
    """Return the values that normal scores stand for."""
    field, (below, above) = ask.field(column), _shares(scores)
    if margin.choice or (margin.empty and field.kind not in ORDERED):
        values = margin.choice or _BARE
        codes = Guide(np.array(list(values.values()))).at(below)
        return stated(list(values), field).take(pa.array(codes))
    law = margin.law(ask, field)
    there = known(law)
    if there is None:
        return margin.rounded(law.quantile(below, above), field)
    found = np.full(ask.rows, np.nan)
    at = np.flatnonzero(there)
    found[at] = margin.rounded(law.some(at).quantile(below[at], above[at]), field)
    return found


def _score(ask: Ask, margin: Margin, column: str) -> np.ndarray:
    """Return the normal scores of values that are there already; of chance where a value stands for a stretch of them.

    A row without a value has a score of chance.
    """
    from scipy.special import ndtri

    field, rng = ask.field(column), ask.ctx.at(column, "score").rng
    free = rng.random(ask.rows)
    low, high = _stretch(ask, margin, column, field)
    with np.errstate(invalid="ignore"):
        share = low + free * (high - low)
    share = np.where(np.isnan(share), free, share)
    return ndtri(np.clip(share, _EDGE, 1 - _EDGE))


def _stretch(ask: Ask, margin: Margin, column: str, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Return from which share to which each value reaches."""
    if margin.choice:
        codes, distinct = labels(ask.column(column))
        ends = np.concatenate([[0.0], Guide(np.array(list(margin.choice.values()))).ends[0]])
        values = stated(list(margin.choice), field)
        place = np.append(np.asarray(pa.compute.fill_null(pa.compute.index_in(distinct, value_set=values), -1)), -1)
        at = place[codes]
        return np.where(at < 0, np.nan, ends[at]), np.where(at < 0, np.nan, ends[at + 1])
    values = numbers(ask.column(column)) / unit_of(field)
    law: Law = margin.law(ask, field)
    step = 1.0 if law.whole else margin.step(field)
    half = 0.0 if step is None else step / 2
    return law.under(values - half)[0], law.tails(values + half)[0]
