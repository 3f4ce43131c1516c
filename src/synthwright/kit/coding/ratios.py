"""Numbers that are ratios of small whole numbers: thirds, twelfths, shares of seven, hits per try.

Where all values are multiples of one such part, it is the lattice of the column. Where they are fractions of different
whole numbers, drawn values become fractions of these too, each as often as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from synthwright.kit.sampling.dice import Dice

if TYPE_CHECKING:
    from synthwright.kit.coding.rulers import Ruler

LARGEST = 64
"""The largest number that values are fractions of."""
UNITS = (100, 1)
"""Ratios are told as percentages, or as they are."""
TELLING = 8
"""Different values that must be such fractions, at least."""
FREE, SURE = 0.25, 40.0
"""Where values were rounded: the share of numbers that look like a fraction, at most, and how many bits say so."""
_FIRST = 64
_CLOSE = 1e-6
_FLOAT, _NARROW = 1e-15, 2e-7
_REACH = 2.0**40
_KEY = 0x726174696F


def parts_of(values: np.ndarray, *, narrow: bool = False) -> tuple[int, np.ndarray] | None:
    """Return the unit that all values are fractions of (1 or 100) and the number under each; None where they are not.

    Args:
        values: distinct and finite.
        narrow: whether they were floats of 32 bits.
    """
    if len(values) < TELLING:
        return None
    some = values[:: max(1, len(values) // _FIRST)]
    for unit in UNITS:
        if _are_fractions(some, unit, narrow=narrow):
            under = _under(values, unit, narrow=narrow)
            if (under > 0).all():
                return unit, under
    return None


def _are_fractions(values: np.ndarray, unit: int, *, narrow: bool) -> bool:
    """Return whether some values are all such fractions: `_under` at once, for few."""
    number = np.arange(1, LARGEST + 1)[:, None]
    near = (_NARROW if narrow else _FLOAT) * np.abs(values)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond reach
        above = np.rint(values * number / unit)
        fits = (np.abs(values) < unit * _REACH / number) & (np.abs(above * unit / number - values) <= near)
    return bool(fits.any(axis=0).all())


def _under(values: np.ndarray, unit: int, *, narrow: bool) -> np.ndarray:
    """Return the least number under a fraction of a unit that gives each value; 0 where none does."""
    out = np.zeros(len(values), dtype=np.int64)
    near = (_NARROW if narrow else _FLOAT) * np.abs(values)
    for number in range(1, LARGEST + 1):
        left = np.flatnonzero((out == 0) & (np.abs(values) < unit * _REACH / number))
        above = np.rint(values[left] * number / unit)
        out[left[np.abs(above * unit / number - values[left]) <= near[left]]] = number
    return out


def lattice_of(values: np.ndarray, *, narrow: bool = False) -> Fraction | None:
    """Return the part of which all values are multiples; None where there is none, or it is no one's."""
    found = parts_of(values, narrow=narrow)
    if found is None:
        return None
    unit, under = found
    whole = math.lcm(*np.unique(under).tolist())
    return Fraction(unit, whole) if whole == under.max() else None


@dataclass(frozen=True)
class Ratios:
    """The numbers that drawn values are fractions of."""

    unit: np.ndarray
    """int16, one number: 1 or 100."""
    under: np.ndarray
    """int16, ascending."""
    shares: np.ndarray
    """float64: how many of the drawn rows are fractions of each."""

    def __post_init__(self) -> None:
        sound = self.unit.shape == (1,) and self.under.shape == self.shares.shape and len(self.under) > 0
        if not (sound and (self.under > 0).all() and (self.shares >= 0).all() and self.shares.sum() > 0):
            raise ValueError("these are no fractions and shares")

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save, by name."""
        return {"unit": self.unit, "under": self.under, "shares": self.shares}

    def rounded(
        self, at: np.ndarray, block: np.ndarray, within: np.ndarray, ruler: Ruler, masses: np.ndarray,
        ends: tuple[float, float],
    ) -> np.ndarray:  # fmt: skip
        """Return positions as fractions, never zero, and not beyond the ends of the column. See `Rounding.rounded`."""
        del masses
        ids = np.ascontiguousarray(within, dtype=np.float64).view(np.uint64) + block.astype(np.uint64)
        upto = np.cumsum(self.shares) / self.shares.sum()
        which = np.minimum(np.searchsorted(upto, Dice(ids, _KEY).uniform(), side="right"), len(upto) - 1)
        under, unit = self.under[which].astype(np.float64), float(self.unit[0])
        lattice = 1.0 if ruler.lattice is None else float(ruler.lattice)
        values = (at * ruler.step + ruler.anchor) * lattice if ruler.stepped else at * ruler.scale
        times = values * under / unit
        found, open_ = at.copy(), np.ones(len(at), dtype=bool)
        for above in (np.rint(times), np.floor(times), np.ceil(times)):
            place = above * unit / under
            place = np.rint((place / lattice - ruler.anchor) / ruler.step) if ruler.stepped else place / ruler.scale
            good = open_ & (above != 0) & (place >= ends[0]) & (place <= ends[1])
            found[good] = place[good]
            open_ &= ~good
        return found


def shortened_of(values: np.ndarray, step: float) -> Ratios | None:
    """Return the one small number that all values, rounded to a step, are fractions of: 0.33, 1.67, 2; or nothing.

    Only where values between such fractions would have been met, had there been any.
    """
    if len(values) < TELLING or not np.abs(values).max() < _REACH * step:
        return None
    for unit in UNITS[::-1]:
        for under in range(3, LARGEST + 1):
            chance = under * step / unit
            if chance > FREE or len(values) * -math.log2(chance) < SURE:
                break
            if _decimal(under):
                continue
            near = np.rint(values * under / unit) * unit / under
            if np.all(np.abs(near - values) <= step * (0.5 + _CLOSE)):
                return Ratios(np.array([unit], np.int16), np.array([under], np.int16), np.ones(1))
    return None


def _decimal(number: int) -> bool:
    """Return whether fractions of a number have an end as decimals."""
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def ratios_of(values: np.ndarray, drawn: np.ndarray, protect: int, *, narrow: bool = False) -> Ratios | None:
    """Return what drawn values are fractions of; nothing where they are not fractions of small numbers.

    Args:
        values: the distinct values, finite.
        drawn: the rows of each that point masses do not give back.
        protect: how many rows at least every kept share stands for.
        narrow: whether they were floats of 32 bits.
    """
    found = parts_of(values, narrow=narrow)
    if found is None:
        return None
    unit, under = found
    rows = np.bincount(under, np.maximum(drawn, 0), LARGEST + 1)
    kept = np.flatnonzero(rows >= protect)
    if not len(kept):
        return None
    return Ratios(np.array([unit], np.int16), kept.astype(np.int16), rows[kept])
