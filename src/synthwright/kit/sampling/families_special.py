"""Families of distributions whose tails are special functions: beta, gamma, Student's t."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from synthwright.kit.formula.stated import Number, Quantity
from synthwright.kit.sampling.families import POSITIVE, Family, Limit, Numbers, Tails


class Beta(Family):
    """Shares and scores between two ends, in nearly any shape."""

    label: ClassVar[str] = "beta"
    closed: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, Limit]] = {"a": POSITIVE, "b": POSITIVE}

    a: Quantity = 2.0
    """The larger, the nearer to `high`; below 1, values heap up at `low`."""
    b: Quantity = 2.0
    """The larger, the nearer to `low`; below 1, values heap up at `high`."""
    low: Quantity = 0.0
    """The least value."""
    high: Quantity = 1.0
    """The greatest value."""

    @classmethod
    def together(cls, p: Numbers) -> tuple[np.ndarray, str] | None:
        return ~np.asarray(p["low"] >= p["high"]), "'low' below 'high'"

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return p["low"] + (p["high"] - p["low"]) * rng.beta(p["a"], p["b"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import betainc, betaincc

        at = np.clip((x - p["low"]) / (p["high"] - p["low"]), 0, 1)
        return betainc(p["a"], p["b"], at), betaincc(p["a"], p["b"], at)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        from scipy.special import betaincinv

        upper = below > above
        a, b = np.where(upper, p["b"], p["a"]), np.where(upper, p["a"], p["b"])  # seen from the nearer end
        found = betaincinv(a, b, np.minimum(below, above))
        width = p["high"] - p["low"]
        return np.where(upper, p["high"] - width * found, p["low"] + width * found)


class Gamma(Family):
    """Positive numbers: sums of waiting times, amounts of rain, costs."""

    label: ClassVar[str] = "gamma"
    closed: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, Limit]] = {"shape": POSITIVE, "scale": POSITIVE}

    shape: Quantity = 2.0
    """The mean is `shape * scale`; the larger the shape, the nearer to a bell curve."""
    scale: Quantity = 1.0
    """What all values are multiplied by."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        found = rng.standard_gamma(p["shape"], rows)
        found *= p["scale"]
        return found

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import gammainc, gammaincc

        at = np.maximum(x, 0.0) / p["scale"]
        return gammainc(p["shape"], at), gammaincc(p["shape"], at)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        from scipy.special import gammainccinv, gammaincinv

        upper = below > above
        low = gammaincinv(p["shape"], np.where(upper, 0.5, below))
        return p["scale"] * np.where(upper, gammainccinv(p["shape"], np.where(upper, above, 0.5)), low)


class StudentT(Family):
    """A bell curve with heavy tails: the fewer degrees of freedom, the heavier."""

    label: ClassVar[str] = "student-t"
    closed: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, Limit]] = {"df": POSITIVE, "scale": POSITIVE}

    df: Quantity = 4.0
    """Degrees of freedom."""
    center: Quantity = 0.0
    """Its middle."""
    scale: Quantity = 1.0
    """What all deviations are multiplied by."""

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, p: Numbers) -> np.ndarray:
        return p["center"] + p["scale"] * rng.standard_t(p["df"], rows)

    @classmethod
    def tails(cls, x: Number, p: Numbers) -> Tails:
        from scipy.special import stdtr

        at = (x - p["center"]) / p["scale"]
        return stdtr(p["df"], at), stdtr(p["df"], -at)

    @classmethod
    def quantile(cls, below: np.ndarray, above: np.ndarray, p: Numbers) -> np.ndarray:
        from scipy.special import stdtrit

        found = stdtrit(p["df"], np.minimum(below, above))
        return p["center"] + p["scale"] * np.where(below > above, -found, found)
