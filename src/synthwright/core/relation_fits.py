"""Lines through points, with the roundest numbers that keep within what rounding allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.core.relation_equal import plain

DIGITS = 6
"""Significant digits of a factor or a constant, at most."""
_WIDER = 1e-12
_TINY = 1e-300
_SAID = 1e30
"""Rules write no larger numbers."""


class Fit(NamedTuple):
    """A line: so many times something, plus a constant."""

    factor: float
    constant: float = 0.0
    under: bool = False
    """Whether it is rather divided by a number than multiplied by one."""

    def make(self, values: np.ndarray) -> np.ndarray:
        """Return what the line gives, as rules compute it."""
        times = values / self.divisor if self.under else self.factor * values
        return times + self.constant if self.constant else times

    @property
    def divisor(self) -> float:
        """What is divided by."""
        return float(f"{1 / self.factor:.{DIGITS - 1}e}")

    def said(self, what: str) -> str:
        """Return the line as rules write it."""
        times = f"{what} / {plain(self.divisor)}" if self.under else f"{plain(self.factor)} * {what}"
        times = what if self.factor == 1 else times
        sign = "-" if self.constant < 0 else "+"
        return f"{times} {sign} {plain(abs(self.constant))}" if self.constant else times


def through(x: np.ndarray, y: np.ndarray, room: np.ndarray, *, constant: bool, divided: bool = True) -> Fit | None:
    """Return the roundest line that is nowhere further from the points than there is room; None where there is none.

    Args:
        x: what it is a line of, no value missing.
        y: what it gives.
        room: how far from each it may be.
        constant: whether a constant other than zero may be added.
        divided: whether the factor may be one by a number.
    """
    if not len(x):
        return None
    found = _rounder(*_ends(x, y, room), divided=divided)
    if found is None and constant and float(np.ptp(x)) > 0:
        found = _with_constant(x, y, room, divided=divided)
    if found is None or not np.all(np.abs(found.make(x) - y) <= room * (1 + 1e-6) + 1e-12 * np.abs(y)):
        return None
    return found


def _ends(x: np.ndarray, y: np.ndarray, room: np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest factor that all points allow."""
    there = x != 0
    if not there.any() or np.any(np.abs(y[~there]) > room[~there]):
        return 1.0, 0.0
    first, last = (y[there] - room[there]) / x[there], (y[there] + room[there]) / x[there]
    return float(np.minimum(first, last).max()), float(np.maximum(first, last).min())


def _with_constant(x: np.ndarray, y: np.ndarray, room: np.ndarray, *, divided: bool) -> Fit | None:
    low, high = int(np.argmin(x)), int(np.argmax(x))
    wide, slack = x[high] - x[low], room[high] + room[low]
    rise = y[high] - y[low]
    sloped = _rounder((rise - slack) / wide, (rise + slack) / wide, divided=divided)
    if sloped is None:
        return None
    left = y - sloped.make(x)
    added = _roundest(float((left - room).max()), float((left + room).min()))
    return None if added is None else sloped._replace(constant=added)


def _rounder(low: float, high: float, *, divided: bool) -> Fit | None:
    """Return the factor between two ends that is the roundest, as itself or as what is divided by."""
    factor = _roundest(low, high)
    over = _roundest(1 / high, 1 / low) if divided and _TINY < low <= high < 1 / _TINY else None
    if factor is None and over is None:
        return None
    if factor is None or (over is not None and len(plain(over)) < len(plain(factor)) - 1):
        assert over is not None  # noqa: S101  one of them is there
        return Fit(1 / over, under=True)
    return Fit(factor)


def _roundest(low: float, high: float) -> float | None:
    """Return the number of fewest digits between two ends; None where all have too many."""
    low, high = low - _WIDER * abs(low), high + _WIDER * abs(high)
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):  # there is none
        return None
    if low <= 0 <= high:
        return 0.0
    middle = (low + high) / 2
    for digits in range(DIGITS):
        near = float(f"{middle:.{digits}e}")
        if low <= near <= high:
            return near if 1 / _SAID < abs(near) < _SAID else None
    return None
