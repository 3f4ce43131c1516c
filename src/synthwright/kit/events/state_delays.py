"""How long a state lasts, as a specification writes it: `30`, `PT8H`, `{exponential: 30}`, `{normal: [90, 10]}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, model_validator
from pydantic import Field as Setting

from synthwright.core.contracts import Place
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.formula.stated import Quantity, fixed, is_iso, unit_of
from synthwright.kit.sampling.distributions import Read, Shape, known
from synthwright.kit.sampling.laws import Law

_SHORT: Mapping[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"), "lognormal": ("median", "sigma"), "uniform": ("low", "high"), "exponential": ("mean",),
    "pareto": ("minimum", "shape"), "gamma": ("shape", "scale"), "weibull": ("shape", "scale"),
    "triangular": ("low", "mode", "high"), "poisson": ("mean",),
}  # fmt: skip
"""What the numbers of a short form are: `{normal: [90, 10]}`, `{exponential: 30}`."""
_SIGNED = frozenset({"normal", "student-t", "uniform", "triangular", "beta"})
"""Families that can give numbers below 0."""
_DAYS = {"weeks": 7.0, "days": 1.0, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86_400}


class Delay(Shape):
    """A length of time: one, or a distribution, as the generator `distribution` has them; never below 0."""

    constant: Quantity | None = Setting(default=None, examples=[30])
    """A length that is always the same, or a formula: `30`, `PT8H`, `if(age > 60, 20, 30)`."""
    unit: Literal["weeks", "days", "hours", "minutes", "seconds"] = "days"
    """What its numbers count."""

    @model_validator(mode="after")
    def _one_delay(self) -> Delay:
        if (self.constant is None) == self.empty:
            raise ValueError("wanted one delay: 30, PT8H, {exponential: 30}, {uniform: [1, 14]} …")
        if self.constant is not None and (self.between is not None or self.round is not None):
            raise ValueError("'between' and 'round' go with a distribution")
        low = fixed(self.between[0], self.measure) if self.between and self.between[0] is not None else None
        if low is not None and low < 0:
            raise ValueError("wanted ends of at least 0 for a delay")
        return self

    @property
    def measure(self) -> Field:
        """The field that its numbers are understood as: of days, which ISO lengths write too, or plain numbers."""
        return Field(kind=Kind.DURATION if self.unit == "days" else Kind.NUMBER)

    @property
    def quantities(self) -> tuple[float | str, ...]:
        return (*super().quantities, *(() if self.constant is None else (self.constant,)))

    @property
    def formulas(self) -> tuple[str, ...]:
        """Those of its numbers that are formulas."""
        return tuple(q for q in self.quantities if isinstance(q, str) and not is_iso(q))

    @property
    def lasts(self) -> bool:
        """Whether it can be more than nothing."""
        return self.constant is None or fixed(self.constant, self.measure) != 0

    def days(self, read: Read, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return a number of days for each row: NaN where a formula has no value.

        Args:
            read: what a formula of its numbers gives for these rows.
            rows: how many.
            rng: the randomness.
        """
        if self.constant is not None:
            found = np.broadcast_to(self._read(read, self.constant), rows)
        else:
            law = self._above(read)
            there = known(law)
            if there is None:
                found = law.draw(rng, rows)
            else:
                at, found = np.flatnonzero(there), np.full(rows, np.nan)
                found[at] = law.some(at).draw(rng, len(at))
            if self.round is not None:
                found = self.rounded(found, self.measure) / unit_of(self.measure)
        return np.maximum(found, 0) * _DAYS[self.unit]

    def _read(self, read: Read, said: float | str) -> float | np.ndarray:
        number = fixed(said, self.measure)
        return read(said) if number is None else number

    def _above(self, read: Read) -> Law:
        """Return the distribution: of one that could fall below 0, the part above."""
        signed = self.between is None and any(family.label in _SIGNED for _, family in self._families)
        shape = self.model_copy(update={"between": (0.0, None)}) if signed else self
        return shape._law(lambda said: self._read(read, said), self.step(self.measure))  # noqa: SLF001  its own kind

    def _said(self) -> Iterator[tuple[Place, float | str]]:
        yield from super()._said()
        if self.constant is not None:
            yield ("constant",), self.constant

    def wrong(self, schema: Schema, parent: str) -> list[tuple[Place, str]]:
        """Return what it cannot mean for the rows of a table: where in it, and a sentence."""
        found = list(self.misfits(self.measure, schema, parent, ()))
        if found or any(fixed(q, self.measure) is None for q in self.quantities):
            return found
        if self.constant is not None:
            below = fixed(self.constant, self.measure)
            got = self.constant if isinstance(self.constant, str) else f"{self.constant:g}"
            return [((), f"a delay is at least 0, got {got}")] if below is not None and below < 0 else []
        if not self._above(lambda _said: 0.0).within(0.0, np.inf) > 0:
            return [((), f"no value of {self._families[0][1].label} is above 0, and a delay is at least 0")]
        return []


def _delay(said: Any) -> Any:
    """Read the short forms of a delay."""
    if isinstance(said, int | float | str) and not isinstance(said, bool):
        return {"constant": said}
    if isinstance(said, Mapping):
        return {word: _numbered(word, value) for word, value in said.items()}
    return said


def _numbered(word: str, said: Any) -> Any:
    """Give the numbers of a short form their names."""
    names = _SHORT.get(word)
    if names is None or said is None or isinstance(said, Mapping | bool):
        return said
    numbers = said if isinstance(said, Sequence) and not isinstance(said, str) else [said]
    if not isinstance(numbers[0] if numbers else None, int | float | str):
        return said  # a family that was read before
    if len(numbers) != len(names):
        raise ValueError(f"wanted {word}: {_form(names)}, got {len(numbers)} number{'s' if len(numbers) != 1 else ''}")
    return dict(zip(names, numbers, strict=True))


def _form(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


After = Annotated[Delay, BeforeValidator(_delay, json_schema_input_type=float | str | dict[str, Any])]
"""A delay in any of its forms."""
