"""Chance that nobody can bring back: every bit comes from the operating system, for training by noisy gradients.

OpenDP draws what is counted (`noise`). It is too slow for the millions of numbers that a training takes, so these are
made here: not exactly, but in double precision, and rounded to steps far above its last digits, for these have told of
what noise was added to (Mironov 2012).
"""

from __future__ import annotations

import math
import os

import numpy as np

_STEPS = 2**12
"""Steps that noise is rounded to, in one standard deviation."""


def normals(many: int) -> np.ndarray:
    """Return standard normal numbers, by the inverse of their distribution."""
    from scipy.special import ndtri

    bits = np.frombuffer(os.urandom(8 * many), dtype=np.uint64) >> np.uint64(12)
    return ndtri((bits.astype(np.float64) + 0.5) * 2.0**-52)


def blurred(sums: np.ndarray, sigma: float) -> np.ndarray:
    """Return sums with normal noise of a standard deviation, in steps of about a thousandth of it."""
    step = 2.0 ** math.floor(math.log2(sigma / _STEPS))
    out: np.ndarray = np.rint((sums.astype(np.float64) + sigma * normals(sums.size).reshape(sums.shape)) / step) * step
    return out


def drawn(rows: int, share: float) -> np.ndarray:
    """Return which rows are drawn, each by itself with the same chance (Poisson sampling): no more than `share`."""
    bits = np.frombuffer(os.urandom(8 * rows), dtype=np.uint64)
    return np.flatnonzero(bits < np.uint64(min(int(share * 2.0**64), 2**64 - 1)))


def lot() -> int:
    """Return a number for chance that need not be secret, only another one every time."""
    return int.from_bytes(os.urandom(7))
