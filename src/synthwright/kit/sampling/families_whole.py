"""Families of distributions over whole numbers: counts, trials, ranks.

Where parameters are numbers, the chance of each value is put into a table once, and drawing is a look-up.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np
from pydantic import Field as Setting
from pydantic import ValidationInfo, field_validator

from synthwright.kit.formula.stated import Number, Quantity
from synthwright.kit.sampling.families import POSITIVE, Family, Limit, Numbers, Tails
from synthwright.kit.sampling.guide import Guide

_RANKS = 1_000_000
_WIDE = 2.0**62


class Count(Family):
    """A family over whole numbers from `first` on."""

    whole: ClassVar[bool] = True
    closed: ClassVar[bool] = False
    first: ClassVar[int] = 0
    room: ClassVar[int] = 2**17
    """Values that a table may have."""

    @classmethod
    @abstractmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        """Return the logarithm of each value's chance, but for a constant."""

    @classmethod
    @abstractmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        """Return a likely value, and how far from it chances have become less than 1e-20 of the greatest.

        The same distance does from the end of a range that does not hold the likely value.
        """

    @classmethod
    @abstractmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        """Return a number for each row without a table."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = cls.table(p, -np.inf, np.inf)
        if found is None:
            return cls.drawn(rng, rows, p).astype(np.float64)
        first, guide = found
        return guide.draw(rng, rows) + float(first)

    @classmethod
    def table(cls, p: Numbers, low: Number, high: Number) -> tuple[int, Guide] | None:
        """Return the least value between two ends and the table of those from it on; None where it cannot be had."""
        if any(isinstance(v, np.ndarray) and v.ndim for v in (*p.values(), low, high)):
            return None
        return _tabled(cls, tuple(sorted((n, float(v)) for n, v in p.items())), float(low), float(high))

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        found = cls.table(p, -np.inf, np.inf)
        if found is not None:
            return found[1].at(below) + float(found[0])

        def reached(k: np.ndarray) -> np.ndarray:
            under, over = cls.tails(k, p)
            return np.where(below <= above, under >= below, over <= above)

        low = np.full(np.shape(below), cls.first - 1.0)
        high = low + 1
        while not (there := reached(high) | (high >= _WIDE)).all():  # twice as far, until all are reached
            low, high = np.where(there, low, high), np.where(there, high, 2 * high - cls.first + 2)
        for _ in range(64):  # halves; beyond 2**53 there are no whole numbers between
            if not (high - low > 1).any():
                break
            middle = np.floor((low + high) / 2)
            there = reached(middle) | (high - low <= 1)
            low, high = np.where(there, low, middle), np.where(there, np.where(high - low > 1, middle, high), high)
        return high


@lru_cache(maxsize=32)
def _tabled(
    family: type[Count], said: tuple[tuple[str, float], ...], low: float, high: float
) -> tuple[int, Guide] | None:
    p = dict(said)
    low, high = max(np.ceil(low), family.first), np.floor(high)
    likely, wide = family.spread(p)
    begin, end = max(np.floor(min(likely, high) - wide), low), min(np.ceil(max(likely, low) + wide), high)
    if not begin <= end < begin + family.room:
        return None
    values = np.arange(begin, end + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.nan_to_num(family.logs(values, p), nan=-np.inf, neginf=-np.inf)
    if not np.isfinite(logs.max()):
        return None
    return int(begin), Guide(np.exp(logs - logs.max()))


class Poisson(Count):
    """How many of what comes at a steady rate."""

    label: ClassVar[str] = "poisson"
    limits: ClassVar[Mapping[str, Limit]] = {"mean": Limit(0, 1e15)}

    mean: Quantity = 1.0
    """Its mean, which is its variance too."""

    @classmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        from scipy.special import gammaln, xlogy

        return xlogy(k, p["mean"]) - gammaln(k + 1)

    @classmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        return p["mean"], 12 * np.sqrt(p["mean"]) + 40

    @classmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return rng.poisson(p["mean"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import gammainc, gammaincc

        k = np.floor(x)
        at = np.maximum(k, 0) + 1
        return np.where(k < 0, 0.0, gammaincc(at, p["mean"])), np.where(k < 0, 1.0, gammainc(at, p["mean"]))


class Binomial(Count):
    """How many of some trials succeed."""

    label: ClassVar[str] = "binomial"
    limits: ClassVar[Mapping[str, Limit]] = {"trials": Limit(0, 1e15), "probability": Limit(0, 1)}

    trials: Quantity = 10.0
    """How many trials; a formula's value is rounded."""
    probability: Quantity = 0.5
    """The chance that one succeeds."""

    @field_validator("trials")
    @classmethod
    def _whole_trials(cls, said: float | str) -> float | str:
        if isinstance(said, float) and said != int(said):
            raise ValueError("wanted a whole number")
        return said

    @classmethod
    def stepped(cls, p: Numbers, step: float | None) -> Numbers:  # noqa: ARG003
        return {**p, "trials": np.rint(p["trials"])}

    @classmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        from scipy.special import gammaln, xlog1py, xlogy

        rest = np.where(k <= p["trials"], p["trials"] - k, np.nan)
        chance = p["probability"]
        return xlogy(k, chance) + xlog1py(rest, -chance) - gammaln(k + 1) - gammaln(rest + 1)

    @classmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        mean = p["trials"] * p["probability"]
        return mean, 12 * np.sqrt(mean * (1 - p["probability"])) + 40

    @classmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return rng.binomial(np.asarray(p["trials"], dtype=np.int64), p["probability"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import betainc, betaincc

        k = np.floor(x)
        inside = np.clip(k, 0, np.maximum(p["trials"] - 1, 0))
        at = inside + 1, np.maximum(p["trials"] - inside, 1), p["probability"]
        none, every = k < 0, k >= p["trials"]
        return (np.where(none, 0.0, np.where(every, 1.0, betaincc(*at))),
                np.where(none, 1.0, np.where(every, 0.0, betainc(*at))))  # fmt: skip


class NegativeBinomial(Count):
    """Counts that vary more than Poisson's: visits, defects, claims of a customer."""

    label: ClassVar[str] = "negative-binomial"
    limits: ClassVar[Mapping[str, Limit]] = {"mean": Limit(0, 1e12), "size": POSITIVE}

    mean: Quantity = 1.0
    """Its mean."""
    size: Quantity = 1.0
    """The smaller, the more it varies: the variance is `mean + mean ** 2 / size`."""

    @classmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        from scipy.special import gammaln, xlogy

        size = p["size"]
        return gammaln(k + size) - gammaln(k + 1) + xlogy(k, p["mean"] / (p["mean"] + size))

    @classmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        mean, size = p["mean"], p["size"]
        return mean, 12 * np.sqrt(mean + mean**2 / size) + 60 * (mean + size) / size

    @classmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return rng.poisson(rng.standard_gamma(p["size"], rows) * (p["mean"] / np.asarray(p["size"])))

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import betainc, betaincc

        k = np.floor(x)
        at = np.maximum(k, 0) + 1, p["size"], p["mean"] / (p["mean"] + np.asarray(p["size"]))
        return np.where(k < 0, 0.0, betaincc(*at)), np.where(k < 0, 1.0, betainc(*at))


class Geometric(Count):
    """How many trials it takes to succeed once: 1 at least."""

    label: ClassVar[str] = "geometric"
    first: ClassVar[int] = 1
    limits: ClassVar[Mapping[str, Limit]] = {"probability": Limit(0, 1, open=True)}

    probability: Quantity = 0.5
    """The chance that one trial succeeds."""

    @classmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        from scipy.special import xlog1py

        return xlog1py(k - 1, -p["probability"])

    @classmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        return 1.0, 1 + 50 / p["probability"]

    @classmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return rng.geometric(p["probability"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        k = np.maximum(np.floor(x), 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(k > 0, k * np.log1p(-np.asarray(p["probability"])), 0.0)
        return -np.expm1(logs), np.exp(logs)


class Zipf(Count):
    """Ranks: the first is the most frequent, the k-th `k ** exponent` times rarer."""

    label: ClassVar[str] = "zipf"
    first: ClassVar[int] = 1
    room: ClassVar[int] = 2**20
    limits: ClassVar[Mapping[str, Limit]] = {"exponent": POSITIVE}

    exponent: Quantity = 2.0
    """How fast higher ranks become rare; without `ranks`, more than 1."""
    ranks: int | None = Setting(default=None, ge=1, le=_RANKS, examples=[100])
    """How many ranks there are; nothing: no end."""

    @field_validator("ranks")
    @classmethod
    def _goes_with_a_number(cls, said: int | None, info: ValidationInfo) -> int | None:
        if said is not None and isinstance(info.data.get("exponent"), str):
            raise ValueError("with 'ranks' the exponent is one number, no formula")
        return said

    @classmethod
    def together(cls, p: Numbers) -> tuple[np.ndarray, str] | None:
        return None if "ranks" in p else (~np.asarray(p["exponent"] <= 1.0), "'exponent' more than 1, or 'ranks'")

    @classmethod
    def logs(cls, k: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
        return np.where(k <= p.get("ranks", np.inf), -p["exponent"] * np.log(k), -np.inf)

    @classmethod
    def spread(cls, p: Mapping[str, float]) -> tuple[float, float]:
        return 1.0, p.get("ranks", np.inf)

    @classmethod
    def drawn(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return rng.zipf(p["exponent"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import zeta

        k = np.maximum(np.floor(x), 0)
        found = cls.table(p, -np.inf, np.inf) if "ranks" in p else None
        if found is not None:
            ends = np.append(0.0, found[1].ends[0])
            under = ends[np.minimum(k, len(ends) - 1).astype(np.int64)]
            return under, 1 - under
        over = zeta(p["exponent"], k + 1) / zeta(p["exponent"], 1)
        return 1 - over, over
