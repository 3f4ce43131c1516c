"""Values far out: how far beyond all known ones a value must lie before it is absurd, by how long the tail is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

REACH = 3.0
"""How much farther than a tail is long a value lies beyond the tail's end, to be far out."""
TAIL = 20
"""A tail is one row in so many."""


class Far(NamedTuple):
    """Where values begin to be far out."""

    low: float
    high: float

    def beyond(self, values: np.ndarray) -> np.ndarray:
        """Return which values are far out; what is no number is not."""
        return np.asarray((values < self.low) | (values > self.high))


def far(known: np.ndarray) -> Far:
    """Return where values begin to be far out.

    A tail is as long as the way from the outermost value to that which one in twenty lies beyond. Heavy tails are long
    themselves, by just these outermost values: of a column without a mean, such as Cauchy's, one sample in four has a
    row that is far out by another.

    Args:
        known: sorted numbers; none: nothing is far out.
    """
    if not len(known):
        return Far(-np.inf, np.inf)
    return Far(-_end(-known[::-1]), _end(known))


def left_out(known: np.ndarray) -> np.ndarray:
    """Return which of some sorted numbers would be far out by the others; only the first and the last can be."""
    found = np.zeros(len(known), dtype=bool)
    if len(known) > 1:
        found[0] = -known[0] > _end(-known[:0:-1])
        found[-1] = known[-1] > _end(known[:-1])
    return found


def _end(known: np.ndarray) -> float:
    """Return where values begin to be far above sorted numbers."""
    last = known[-1]
    with np.errstate(over="ignore", invalid="ignore"):  # NaN, beyond which nothing lies, where there are infinities
        return float(last + REACH * (last - known[-1 - len(known) // TAIL]))
