"""Distributions whose parameters are numbers: single, mixed, and cut off at two ends.

What is cut off is drawn from the distribution between the ends itself: by its inverse where that is a formula, else by
drawing again what fell outside. Nothing is moved to an end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthwright.core.errors import SampleError
from synthwright.kit.formula.stated import Number
from synthwright.kit.sampling.families import Family, Numbers, Tails
from synthwright.kit.sampling.families_whole import Count
from synthwright.kit.sampling.guide import Guide

_ROUNDS = 12
"""How often what fell outside is drawn again before the rest is taken from the inverse."""
_SLOW = 0.5
"""The share of rows still outside above which drawing again is no longer the faster way."""
_MOSTLY = 0.8
"""The share inside from which drawing again is faster than any inverse."""
_LEAST = 2.0**-60


class Law(ABC):
    """A distribution of one number for each row."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether `quantile` is as fast as drawing."""

    @property
    @abstractmethod
    def whole(self) -> bool:
        """Whether its values are whole numbers."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Return a number for each row."""

    @abstractmethod
    def tails(self, x: Number) -> Tails:
        """Return which share lies at or below each x, and which above."""

    @abstractmethod
    def quantile(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        """Return the values that these shares lie below and above; they sum to one."""

    @abstractmethod
    def some(self, rows: np.ndarray) -> Law:
        """Return the law of these rows."""

    @abstractmethod
    def parameters(self) -> list[Number]:
        """Return every number that makes it what it is."""

    def under(self, x: Number) -> Tails:
        """Return which share lies below each x, and which at or above."""
        return self.tails(x)

    def within(self, low: Number, high: Number) -> np.ndarray:
        """Return which share lies between two ends."""
        (b0, a0), (b1, a1) = self.under(low), self.tails(high)
        return np.maximum(np.where(b0 > a0, a0 - a1, b1 - b0), 0.0)

    def between(self, rng: np.random.Generator, rows: int, low: Number, high: Number) -> np.ndarray:
        """Return a number between two ends for each row."""
        rowwise = any(isinstance(n, np.ndarray) and n.ndim for n in (low, high, *self.parameters()))
        if self.closed and (rowwise or float(self.within(low, high)) < _MOSTLY):
            return self.inverted(rng, rows, low, high)
        found = self.draw(rng, rows)
        outside = np.flatnonzero(~((found >= low) & (found <= high)))
        for _ in range(_ROUNDS):
            if not len(outside) or len(outside) > _SLOW * rows:
                break
            again = self.some(outside).draw(rng, len(outside))
            found[outside] = again
            outside = outside[~((again >= _of(low, outside)) & (again <= _of(high, outside)))]
        if len(outside):
            ends = _of(low, outside), _of(high, outside)
            found[outside] = self.some(outside).inverted(rng, len(outside), *ends)
        return found

    def inverted(self, rng: np.random.Generator, rows: int, low: Number, high: Number) -> np.ndarray:
        """Return a number between two ends for each row, from the inverse."""
        point = np.maximum(rng.random(rows), _LEAST)
        return self.cut(point, 1 - point, low, high)

    def cut(self, below: np.ndarray, above: np.ndarray, low: Number, high: Number) -> np.ndarray:
        """Return the values between two ends that these shares of what lies between them lie below and above.

        Raises:
            SampleError: nothing lies between them.
        """
        (b0, a0), (b1, a1) = self.under(low), self.tails(high)
        none = ~(np.where(b0 > a0, a0 - a1, b1 - b0) > 0)
        if none.any():
            rows = f"{int(none.sum()):,} rows" if none.ndim else "any row"
            raise SampleError("between", "the two ends", wanted="values of the distribution between them",
                              got=f"none in {rows}", remedy="widen `between`, or change the distribution")  # fmt: skip
        found = self.quantile(b0 + below * (b1 - b0), a1 + above * (a0 - a1))
        return np.clip(found, *((np.ceil(low), np.floor(high)) if self.whole else (low, high)))  # a float's last bits


def _of(value: Number, rows: np.ndarray) -> Number:
    """Return the values of these rows."""
    return value[rows] if isinstance(value, np.ndarray) and value.ndim else value


@dataclass(frozen=True)
class Single(Law):
    """A family with its parameters."""

    family: type[Family]
    numbers: Numbers

    @property
    def closed(self) -> bool:
        return self.family.closed

    @property
    def whole(self) -> bool:
        return self.family.whole

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        return self.family.draw(rng, rows, self.numbers)

    def tails(self, x: Number) -> Tails:
        return self.family.tails(x, self.numbers)

    def under(self, x: Number) -> Tails:
        return self.tails(np.ceil(x) - 1 if self.whole else x)

    def quantile(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        return self.family.quantile(below, above, self.numbers)

    def parameters(self) -> list[Number]:
        return list(self.numbers.values())

    def some(self, rows: np.ndarray) -> Single:
        return Single(self.family, {n: _of(v, rows) for n, v in self.numbers.items()})

    def between(self, rng: np.random.Generator, rows: int, low: Number, high: Number) -> np.ndarray:
        held = self.family.table(self.numbers, low, high) if issubclass(self.family, Count) else None
        return super().between(rng, rows, low, high) if held is None else held[1].draw(rng, rows) + float(held[0])


@dataclass(frozen=True)
class Mixed(Law):
    """One of several laws for each row."""

    laws: Sequence[Law]
    weights: Sequence[float]

    @property
    def closed(self) -> bool:
        return False

    @property
    def whole(self) -> bool:
        return all(law.whole for law in self.laws)

    @property
    def _shares(self) -> np.ndarray:
        weights = np.asarray(self.weights, dtype=np.float64)
        return weights / weights.sum()

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        return self._each(rng, Guide(self._shares).draw(rng, rows), None)

    def _each(self, rng: np.random.Generator, which: np.ndarray, ends: tuple[Number, Number] | None) -> np.ndarray:
        found = np.empty(len(which))
        for i, law in enumerate(self.laws):
            rows = np.flatnonzero(which == i)
            mine = law.some(rows)
            found[rows] = mine.draw(rng, len(rows)) if ends is None else \
                mine.between(rng, len(rows), _of(ends[0], rows), _of(ends[1], rows))  # fmt: skip
        return found

    def tails(self, x: Number) -> Tails:
        return self._summed([law.tails(x) for law in self.laws])

    def under(self, x: Number) -> Tails:
        return self._summed([law.under(x) for law in self.laws])

    def _summed(self, tails: Sequence[Tails]) -> Tails:
        below = sum(s * b for s, (b, _) in zip(self._shares, tails, strict=True))
        above = sum(s * a for s, (_, a) in zip(self._shares, tails, strict=True))
        return np.asarray(below), np.asarray(above)

    def quantile(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        """Return values by halving: they lie between the least and the greatest of the single laws."""
        ends = [law.quantile(below, above) for law in self.laws]
        low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
        for _ in range(64):
            middle = low + (high - low) / 2
            b, a = self.tails(middle)
            reached = np.where(below <= above, b >= below, a <= above)
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.rint(high) if self.whole else high

    def parameters(self) -> list[Number]:
        return [n for law in self.laws for n in law.parameters()]

    def some(self, rows: np.ndarray) -> Mixed:
        return Mixed([law.some(rows) for law in self.laws], self.weights)

    def between(self, rng: np.random.Generator, rows: int, low: Number, high: Number) -> np.ndarray:
        """Return numbers between two ends: each law counts by what of it lies there."""
        masses = [np.asarray(s * law.within(low, high)) for s, law in zip(self._shares, self.laws, strict=True)]
        ends = np.cumsum(np.broadcast_arrays(*masses), axis=0)
        if not (ends[-1] > 0).all():
            return self.cut(np.full(rows, 0.5), np.full(rows, 0.5), low, high)  # which says how many
        point = rng.random(rows) * ends[-1]
        which = np.minimum(sum((point >= end).astype(np.int64) for end in ends), self._reachable(masses, rows))
        return self._each(rng, which, (low, high))

    def _reachable(self, masses: Sequence[np.ndarray], rows: int) -> np.ndarray:
        """Return the last law that has something between the ends, for each row."""
        there = np.array([np.broadcast_to(m > 0, rows) for m in masses])
        return len(masses) - 1 - np.argmax(there[::-1], axis=0)


@dataclass(frozen=True)
class Cut(Law):
    """What of a law lies between two ends."""

    law: Law
    low: Number
    high: Number

    @property
    def closed(self) -> bool:
        return self.law.closed

    @property
    def whole(self) -> bool:
        return self.law.whole

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        return self.law.between(rng, rows, self.low, self.high)

    def tails(self, x: Number) -> Tails:
        at = np.clip(x, self.low, self.high)
        (b0, a0), (b1, a1), (b, a) = self.law.under(self.low), self.law.tails(self.high), self.law.tails(at)
        with np.errstate(invalid="ignore"):
            whole = np.where(b0 > a0, a0 - a1, b1 - b0)
            return np.where(x < self.low, 0.0, (b - b0) / whole), np.where(x < self.low, 1.0, (a - a1) / whole)

    def quantile(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        return self.law.cut(below, above, self.low, self.high)

    def parameters(self) -> list[Number]:
        return [self.low, self.high, *self.law.parameters()]

    def some(self, rows: np.ndarray) -> Cut:
        return Cut(self.law.some(rows), _of(self.low, rows), _of(self.high, rows))
