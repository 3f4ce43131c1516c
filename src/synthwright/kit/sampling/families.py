"""Families of distributions: their parameters, how they are drawn from, and what share of them lies below a value.

A family's methods take numbers, one for all rows or one for each. Shares are said from both ends (`below`, `above`,
which sum to one), so that both tails are exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field as Setting
from pydantic import ValidationInfo, field_validator, model_validator

from synthwright.core.schema import Frozen
from synthwright.kit.formula.stated import Number, Quantity

Numbers: TypeAlias = Mapping[str, Number]
Tails: TypeAlias = tuple[np.ndarray, np.ndarray]
"""The share below a value and the share above it."""
_INSIDE, _NEARLY = 1e-9, 1e-6
"""How far within the outermost half step a uniform number stays, for a tie would round outwards; and how near to a
multiple of a step an end counts as one, for instants have no more digits."""


class Limit(NamedTuple):
    """Between which ends a parameter must lie."""

    low: float = -np.inf
    high: float = np.inf
    open: bool = False
    """Whether the lower end itself is too low."""

    def holds(self, said: Number) -> np.ndarray:
        """Return where numbers lie within; NaN, which is no number, does."""
        numbers = np.asarray(said)
        return ~((numbers <= self.low if self.open else numbers < self.low) | (numbers > self.high))

    def __str__(self) -> str:
        if np.isfinite(self.high):
            return f"more than {self.low:g}, at most {self.high:g}" if self.open else f"{self.low:g} to {self.high:g}"
        return f"more than {self.low:g}" if self.open else f"at least {self.low:g}"


POSITIVE = Limit(0, open=True)


class Family(Frozen, ABC):
    """A family of distributions; an instance holds its parameters, numbers or formulas."""

    label: ClassVar[str]
    """What a specification calls it."""
    whole: ClassVar[bool] = False
    """Whether its values are whole numbers."""
    closed: ClassVar[bool] = True
    """Whether `quantile` is a formula, as fast as drawing."""
    limits: ClassVar[Mapping[str, Limit]] = {}

    @field_validator("*")
    @classmethod
    def _possible(cls, said: float | str | None, info: ValidationInfo) -> float | str | None:
        limit = cls.limits.get(str(info.field_name))
        if limit is not None and isinstance(said, int | float) and not limit.holds(said):
            raise ValueError(f"wanted {limit}")
        return said

    @model_validator(mode="after")
    def _fit_together(self) -> Family:
        said = {n: float(v) for n, v in self.said.items() if not isinstance(v, str)}
        found = self.together(said) if len(said) == len(self.said) else None
        if found is not None and not found[0].all():
            raise ValueError(f"wanted {found[1]}")
        return self

    @property
    def said(self) -> dict[str, float | str]:
        """The parameters that have a value, by name."""
        return {name: v for name in type(self).model_fields if (v := getattr(self, name)) is not None}

    @classmethod
    def together(cls, p: Numbers) -> tuple[np.ndarray, str] | None:  # noqa: ARG003
        """Return where parameters fit together and what that means; None where any do."""
        return None

    @classmethod
    def stepped(cls, p: Numbers, step: float | None) -> Numbers:  # noqa: ARG003
        """Return the parameters of what is rounded to a step."""
        return p

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        """Return a number for each row."""

    @classmethod
    @abstractmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        """Return which share lies at or below each x, and which above."""

    @classmethod
    @abstractmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        """Return the values that these shares lie below and above."""


def _standard(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return quantiles of the standard normal distribution."""
    from scipy.special import ndtri

    found = ndtri(np.minimum(below, above))
    return np.where(below > above, -found, found)


def _below(x: Number) -> Tails:
    """Return the tails of the standard normal distribution."""
    from scipy.special import ndtr

    return ndtr(x), ndtr(-x)


class Normal(Family):
    """The bell curve."""

    label: ClassVar[str] = "normal"
    limits: ClassVar[Mapping[str, Limit]] = {"sd": POSITIVE}

    mean: Quantity = 0.0
    """Its middle."""
    sd: Quantity = 1.0
    """Its standard deviation."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.standard_normal(rows)
        found *= p["sd"]
        found += p["mean"]
        return found

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        return _below((x - p["mean"]) / p["sd"])

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        return p["mean"] + p["sd"] * _standard(below, above)


class Lognormal(Family):
    """Positive numbers whose logarithms are normal: incomes, sizes, waiting times."""

    label: ClassVar[str] = "lognormal"
    limits: ClassVar[Mapping[str, Limit]] = {"sigma": POSITIVE, "median": POSITIVE}

    mu: Quantity | None = Setting(default=None, examples=[1.0])
    """The mean of the logarithms; or say `median`. Nothing: 0."""
    median: Quantity | None = Setting(default=None, examples=[2.0])
    """What half of the values lie below: `exp(mu)`."""
    sigma: Quantity = 1.0
    """The standard deviation of the logarithms."""

    @field_validator("median")
    @classmethod
    def _one_of_two(cls, said: float | str | None, info: ValidationInfo) -> float | str | None:
        if said is not None and info.data.get("mu") is not None:
            raise ValueError("say 'mu' or 'median', not both")
        return said

    @staticmethod
    def _middle(p: Numbers) -> Number:
        return np.log(p["median"]) if "median" in p else p.get("mu", 0.0)

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.standard_normal(rows)
        found *= p["sigma"]
        found += cls._middle(p)
        return np.exp(found, out=found)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(x, 0.0))
        return _below((logs - cls._middle(p)) / p["sigma"])

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        return np.exp(cls._middle(p) + p["sigma"] * _standard(below, above))


class Uniform(Family):
    """Every value between two ends is as likely; of whole numbers, days or steps, both ends are possible."""

    label: ClassVar[str] = "uniform"

    low: Quantity = 0.0
    """The least value: a number, an ISO date, instant, time or length of time, a column, a formula."""
    high: Quantity = 1.0
    """The greatest value."""

    @classmethod
    def together(cls, p: Numbers) -> tuple[np.ndarray, str] | None:
        return ~np.asarray(p["low"] > p["high"]), "'low' at most 'high'"

    @classmethod
    def stepped(cls, p: Numbers, step: float | None) -> Numbers:
        if step is None:
            return p
        first = np.ceil(np.asarray(p["low"]) / step - _NEARLY)
        last = np.floor(np.asarray(p["high"]) / step + _NEARLY)
        return {"low": (first - 0.5 + _INSIDE) * step, "high": (last + 0.5 - _INSIDE) * step}

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.random(rows)
        found *= p["high"] - p["low"]
        found += p["low"]
        return found

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        width = np.maximum(p["high"] - p["low"], np.finfo(np.float64).tiny)
        below, above = np.clip((x - p["low"]) / width, 0, 1), np.clip((p["high"] - x) / width, 0, 1)
        return np.where(x >= p["high"], 1.0, below), above

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        width = p["high"] - p["low"]
        return np.where(below > above, p["high"] - above * width, p["low"] + below * width)


class Exponential(Family):
    """Waiting times for what comes at a steady rate."""

    label: ClassVar[str] = "exponential"
    limits: ClassVar[Mapping[str, Limit]] = {"mean": POSITIVE}

    mean: Quantity = 1.0
    """Its mean: one over the rate."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.standard_exponential(rows)
        found *= p["mean"]
        return found

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        scaled = np.maximum(x, 0.0) / p["mean"]
        return -np.expm1(-scaled), np.exp(-scaled)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        return p["mean"] * _waited(below, above)


def _waited(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return quantiles of the exponential distribution with mean 1."""
    with np.errstate(divide="ignore"):
        return np.where(below > above, -np.log(above), -np.log1p(-np.minimum(below, 0.5)))


class Pareto(Family):
    """Few large and many small values, above a minimum: wealth, claims, sizes of towns."""

    label: ClassVar[str] = "pareto"
    limits: ClassVar[Mapping[str, Limit]] = {"minimum": POSITIVE, "shape": POSITIVE}

    minimum: Quantity = 1.0
    """The least value."""
    shape: Quantity = 2.0
    """How fast large values become rare: the share above x falls with `(minimum / x) ** shape`."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.standard_exponential(rows)
        found /= p["shape"]
        np.exp(found, out=found)
        found *= p["minimum"]
        return found

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        logs = p["shape"] * np.log(np.maximum(x, p["minimum"]) / p["minimum"])
        return -np.expm1(-logs), np.exp(-logs)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        return p["minimum"] * np.exp(_waited(below, above) / p["shape"])


class Weibull(Family):
    """Lifetimes: with a shape below 1 early failures, above 1 wear."""

    label: ClassVar[str] = "weibull"
    limits: ClassVar[Mapping[str, Limit]] = {"shape": POSITIVE, "scale": POSITIVE}

    shape: Quantity = 1.5
    """Below 1 the rate falls with time, above 1 it grows."""
    scale: Quantity = 1.0
    """What 63 % of the values lie below."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return p["scale"] * rng.standard_exponential(rows) ** (1.0 / p["shape"])

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        powered = (np.maximum(x, 0.0) / p["scale"]) ** p["shape"]
        return -np.expm1(-powered), np.exp(-powered)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        return p["scale"] * _waited(below, above) ** (1.0 / p["shape"])


class Triangular(Family):
    """A guess from three numbers: least, likeliest, greatest."""

    label: ClassVar[str] = "triangular"

    low: Quantity = 0.0
    """The least value."""
    mode: Quantity = 0.5
    """The likeliest value."""
    high: Quantity = 1.0
    """The greatest value."""

    @classmethod
    def together(cls, p: Numbers) -> tuple[np.ndarray, str] | None:
        wrong = np.asarray(p["low"] > p["mode"]) | (p["mode"] > p["high"]) | (p["low"] >= p["high"])
        return ~wrong, "'low' at most 'mode' at most 'high', and 'low' below 'high'"

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        point = rng.random(rows)
        return cls.quantile(point, 1 - point, p)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        low, mode, high = (np.asarray(p[n]) for n in ("low", "mode", "high"))
        x = np.clip(x, low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(x < mode, (x - low) ** 2 / ((high - low) * (mode - low)), 0)
            right = np.where(x < mode, 0, (high - x) ** 2 / ((high - low) * (high - mode)))
        left, right = np.nan_to_num(left), np.nan_to_num(right)
        return np.where(x < mode, left, 1 - right), np.where(x < mode, 1 - left, right)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        low, mode, high = p["low"], p["mode"], p["high"]
        width = high - low
        rising = low + np.sqrt(below * width * (mode - low))
        return np.where(below * width < mode - low, rising, high - np.sqrt(above * width * (high - mode)))
