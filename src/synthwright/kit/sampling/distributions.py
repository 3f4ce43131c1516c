"""A distribution as a specification writes it: `normal: {mean: 50, sd: 10}`, `between: [0, 100]`, `round: 0.1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, cast

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator, model_validator

from synthwright.core.contracts import Place, Recipe
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.formula.stated import Number, Quantity, fixed, lattice, misfit, on_step, quantity
from synthwright.kit.ruled import Ask
from synthwright.kit.sampling import families as plain
from synthwright.kit.sampling import families_special as special
from synthwright.kit.sampling import families_whole as counts
from synthwright.kit.sampling.families import Family, Numbers, Uniform
from synthwright.kit.sampling.laws import Cut, Law, Mixed, Single

_NEARLY, _INSIDE = 1e-6, 1e-9
Read = Callable[[float | str], Number]


class Families(Recipe):
    """One distribution, said by the name of its family."""

    normal: plain.Normal | None = Setting(default=None, examples=[{"mean": 1}])
    """A bell curve: `mean`, `sd`."""
    lognormal: plain.Lognormal | None = Setting(default=None, examples=[{"mu": 1}])
    """Positive, many small and few large: `median` (or `mu`), `sigma`."""
    uniform: plain.Uniform | None = Setting(default=None, examples=[{"high": 2}])
    """Even between two ends: `low`, `high`; ISO dates, instants, times and lengths of time too."""
    exponential: plain.Exponential | None = Setting(default=None, examples=[{"mean": 2}])
    """Waiting times at a steady rate: `mean`."""
    pareto: plain.Pareto | None = Setting(default=None, examples=[{"shape": 3}])
    """A heavy tail above a minimum: `minimum`, `shape`."""
    beta: special.Beta | None = Setting(default=None, examples=[{"a": 3}])
    """Between two ends, in nearly any shape: `a`, `b`, `low`, `high`."""
    gamma: special.Gamma | None = Setting(default=None, examples=[{"shape": 3}])
    """Positive: `shape`, `scale`; the mean is their product."""
    weibull: plain.Weibull | None = Setting(default=None, examples=[{"shape": 3}])
    """Lifetimes: `shape`, `scale`."""
    triangular: plain.Triangular | None = Setting(default=None, examples=[{"mode": 0.2}])
    """From three numbers: `low`, `mode`, `high`."""
    student_t: special.StudentT | None = Setting(default=None, alias="student-t", examples=[{"df": 3}])
    """A bell curve with heavy tails: `df`, `center`, `scale`."""
    poisson: counts.Poisson | None = Setting(default=None, examples=[{"mean": 2}])
    """Counts of what comes at a steady rate: `mean`."""
    binomial: counts.Binomial | None = Setting(default=None, examples=[{"trials": 2}])
    """Successes in some trials: `trials`, `probability`."""
    negative_binomial: counts.NegativeBinomial | None = Setting(
        default=None, alias="negative-binomial", examples=[{"mean": 2}]
    )
    """Counts that vary more than Poisson's: `mean`, `size`."""
    geometric: counts.Geometric | None = Setting(default=None, examples=[{"probability": 0.1}])
    """Trials until one succeeds, from 1 on: `probability`."""
    zipf: counts.Zipf | None = Setting(default=None, examples=[{"exponent": 3}])
    """Ranks from 1 on: `exponent`, `ranks`."""

    @property
    def told(self) -> list[Family]:
        """The families that were said."""
        every = (self.normal, self.lognormal, self.uniform, self.exponential, self.pareto, self.beta, self.gamma,
                 self.weibull, self.triangular, self.student_t, self.poisson, self.binomial, self.negative_binomial,
                 self.geometric, self.zipf)  # fmt: skip
        return [one for one in every if one is not None]


class Component(Families):
    """One of several distributions that are mixed."""

    weight: float = Setting(default=1.0, gt=0, allow_inf_nan=False)
    """How often it is drawn from, in proportion to the other weights."""

    @model_validator(mode="after")
    def _one(self) -> Component:
        if len(self.told) != 1:
            raise ValueError(f"wanted one distribution besides the weight, {_several(self.told)}")
        return self


def _several(told: list[Family]) -> str:
    return f"got {' and '.join(f.label for f in told) or 'none'}"


class Shape(Families):
    """A distribution, a mixture of some, cut off and rounded."""

    mixture: tuple[Component, ...] = Setting(default=(), examples=[[{"normal": {}}]])
    """Several distributions, each with a `weight`: `[{weight: 7, normal: {…}}, {weight: 3, lognormal: {…}}]`."""
    between: Annotated[tuple[Quantity | None, Quantity | None], Setting(examples=[[0, 1]])] | None = Setting(
        default=None, examples=[[0, 1]]
    )
    """The least and the greatest value; nothing (`null`): no end. What would lie outside is drawn from the part of the
    distribution inside, never moved to an end."""
    round: float | str | None = Setting(default=None, examples=[0.5])
    """The step that values are rounded to: 0.01 for cents; `PT15M` for quarters of an hour in columns of time."""

    @field_validator("between")
    @classmethod
    def _in_order(
        cls, said: tuple[float | str | None, float | str | None] | None
    ) -> tuple[float | str | None, float | str | None] | None:
        if said is not None and not any(s is None or isinstance(s, str) for s in said) and \
                cast(float, said[0]) > cast(float, said[1]):  # fmt: skip
            raise ValueError(f"wanted the least value first, got {said[0]:g} before {said[1]:g}")
        return said

    @field_validator("round")
    @classmethod
    def _a_step(cls, said: float | str | None) -> float | str | None:
        step = fixed(said, Field(kind=Kind.DURATION)) if said is not None else 1.0
        if step is None or not 0 < step < np.inf or (isinstance(said, str) and "P" not in said):
            raise ValueError("wanted a number above 0, or a length of time such as PT15M")
        return said

    @model_validator(mode="after")
    def _one(self) -> Shape:
        several = [*(f.label for f in self.told), *(["mixture"] if self.mixture else [])]
        if len(several) > 1:
            raise ValueError(f"wanted one distribution, got {' and '.join(several)}: `mixture` mixes several")
        if self.round is not None and self._families and all(f.whole for _, f in self._families):
            raise ValueError(f"{several[0]} gives whole numbers: leave 'round' out")
        return self

    @property
    def _families(self) -> list[tuple[Place, Family]]:
        """Every family that was said, and where."""
        found: list[tuple[Place, Family]] = [((f.label,), f) for f in self.told]
        return found + [(("mixture", i, f.label), f) for i, c in enumerate(self.mixture) for f in c.told]

    @property
    def empty(self) -> bool:
        """Whether no distribution was said."""
        return not self._families

    @property
    def quantities(self) -> tuple[float | str, ...]:
        """Every parameter of the distribution, and the two ends."""
        ends = (e for e in self.between or () if e is not None)
        return tuple([v for _, f in self._families for v in f.said.values()] + list(ends))

    def step(self, field: Field) -> float | None:
        """Return what the values of a column are rounded to, in units of a rule."""
        return lattice(field) if self.round is None else fixed(self.round, field)

    def law(self, ask: Ask, field: Field) -> Law:
        """Return the distribution for the rows of a column.

        Raises:
            SampleError: a formula gave a number that the distribution cannot have.
        """
        return self._law(lambda said: quantity(ask, said, field), self.step(field))

    def _law(self, read: Read, step: float | None) -> Law:
        """Return the distribution from a way to read its parameters."""
        singles = [_single(family, read, step) for _, family in self._families] or [
            Single(plain.Normal, {"mean": 0.0, "sd": 1.0})
        ]
        law: Law = Mixed(singles, [c.weight for c in self.mixture]) if self.mixture else singles[0]
        if self.between is None:
            return law
        low, high = ((read(e) if e is not None else None) for e in self.between)
        ends = _widened(low, high, None if law.whole else step)
        return Cut(law, *ends)

    def rounded(self, values: np.ndarray, field: Field) -> np.ndarray:
        """Return numbers rounded to the step, in the column's own unit."""
        return on_step(values, None if self.round is None else fixed(self.round, field), field)

    def sampled(self, ask: Ask, field: Field, rng: np.random.Generator) -> np.ndarray:
        """Return a number for each row in the column's own unit: NaN where a formula has no value."""
        law, rows = self.law(ask, field), ask.rows
        there = known(law)
        if there is None:
            return self.rounded(law.draw(rng, rows), field)
        found = np.full(rows, np.nan)
        at = np.flatnonzero(there)
        found[at] = self.rounded(law.some(at).draw(rng, len(at)), field)
        return found

    def misfits(self, field: Field, schema: Schema, table: str, produce: Sequence[str]) -> Iterator[tuple[Place, str]]:
        """Yield what it cannot mean for a column: where among its parameters, and a sentence."""
        clean = True
        for place, said in self._said():
            for sentence in misfit(said, field, schema, table, produce):
                clean = False
                yield place, sentence
        step = None if self.round is None else fixed(self.round, field)
        if self.round is not None and step is None:
            yield ("round",), f"{self.round!r} is no step of kind {field.kind.value!r}"
        elif step is not None and field.kind in (Kind.INTEGER, Kind.DATE) and step % 1:
            yield ("round",), f"kind {field.kind.value!r} has whole numbers, and {self.round} is none"
        elif clean:
            yield from self._impossible(field)

    def _said(self) -> Iterator[tuple[Place, float | str]]:
        for place, family in self._families:
            for name, said in family.said.items():
                yield (*place, name), said
        for i, end in enumerate(self.between or ()):
            if end is not None:
                yield ("between", i), end

    def _impossible(self, field: Field) -> Iterator[tuple[Place, str]]:
        """Yield what numbers alone show: ends in the wrong order, nothing between them."""
        known_all = {place: fixed(said, field) for place, said in self._said()}
        for place, family in self._families:
            mine = {name: known_all[(*place, name)] for name in family.said}
            if None not in mine.values():
                together = family.together(cast(Numbers, mine))
                if together is not None and not together[0].all():
                    yield place, f"wanted {together[1]}"
                    return
                if isinstance(family, plain.Uniform) and _hollow(cast(Numbers, mine), self.step(field)):
                    yield place, f"no multiple of {self.step(field):g} lies between 'low' and 'high'"
                    return
        if self.between is None or None in known_all.values():
            return
        law = self._law(lambda said: cast(float, fixed(said, field)), self.step(field))
        if isinstance(law, Cut) and not law.law.within(law.low, law.high) > 0:
            name = " and ".join(dict.fromkeys(f.label for _, f in self._families)) or "normal"
            yield ("between",), f"no value of {name} lies from {_told(self.between[0])} to {_told(self.between[1])}"


def _single(family: Family, read: Read, step: float | None) -> Single:
    """Return a family with numbers for its parameters.

    Raises:
        SampleError: numbers that it cannot have.
    """
    p = {name: read(said) for name, said in family.said.items()}
    for name, limit in family.limits.items():
        if name in p:
            _refuse(~limit.holds(p[name]), family, f"parameter {name!r}", str(limit))
    together = family.together(p)
    if together is not None:
        _refuse(~together[0], family, "the parameters", together[1])
    return Single(type(family), family.stepped(p, step))


def _refuse(wrong: np.ndarray, family: Family, thing: str, wanted: str) -> None:
    if wrong.any():
        raise SampleError(family.label, thing, wanted=wanted, got=f"other numbers in {int(wrong.sum()):,} rows",
                          remedy="bound the formula, for instance by max(…, 1)")  # fmt: skip


def _hollow(p: Numbers, step: float | None) -> bool:
    """Return whether no multiple of a step lies between the ends of a uniform distribution."""
    ends = Uniform.stepped(p, step)
    return step is not None and bool(np.asarray(ends["low"]) > np.asarray(ends["high"]))


def _told(end: float | str | None) -> str:
    return "the least" if end is None else end if isinstance(end, str) else f"{end:g}"


def _widened(low: Number | None, high: Number | None, step: float | None) -> tuple[Number, Number]:
    """Return two ends, moved out to where values begin to be rounded to the first and the last multiple inside."""
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    if step is None:
        return low, high
    first, last = np.ceil(np.asarray(low) / step - _NEARLY), np.floor(np.asarray(high) / step + _NEARLY)
    return (first - 0.5 + _INSIDE) * step, (last + 0.5 - _INSIDE) * step


def known(law: Law) -> np.ndarray | None:
    """Return where all numbers of a law have values; None where that is everywhere."""
    absent = [np.isnan(n) for n in law.parameters() if isinstance(n, np.ndarray) and n.ndim]
    missing = np.logical_or.reduce(absent) if absent else np.zeros(0, dtype=bool)
    return ~missing if missing.any() else None
