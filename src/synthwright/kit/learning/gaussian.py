"""Correlations of many standard normal numbers: made valid, drawn from, and conditioned on what is known.

Everything runs on one thread of linear algebra and is rounded, so that the same data give the same numbers whatever
the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

FLOOR = 1e-5
"""The least eigenvalue a repaired correlation has."""
SWEEPS = 12
"""How often each known number is drawn anew, given the other known ones."""
MORE_SWEEPS = 16
"""How often all numbers of a row are, where its set of known ones is rare."""
LOOSE = 0.02
"""How much looser all numbers of a row hang together while they are swept: nearly fixed ones would not move at all."""
PATTERNS = 128
"""How many different sets of known numbers are completed directly, at a time; the rest of the rows by sweeps."""
WIDE = 400
"""With more numbers than these, rows of rare sets make do with part of what is known."""
_ROUND = 8


@contextmanager
def one_thread() -> Iterator[None]:
    """Let linear algebra run on one thread: sums are then made in one order."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def repaired(wanted: np.ndarray, same: np.ndarray, rounds: int) -> np.ndarray:
    """Return a valid correlation near the wanted one: unit diagonal, eigenvalues of at least about `FLOOR`.

    Args:
        wanted: symmetric; entries beyond ±1 are cut off.
        same: booleans, true where two numbers belong to one column: they stay uncorrelated.
        rounds: how often eigenvalues are raised before what is left is scaled away.
    """
    out = np.clip((wanted + wanted.T) / 2, -0.9995, 0.9995)
    for _ in range(rounds):
        out[same] = 0.0
        np.fill_diagonal(out, 1.0)
        values, vectors = np.linalg.eigh(out)
        if values[0] >= FLOOR:
            return np.round(out, _ROUND)
        out = (vectors * np.maximum(values, 2 * FLOOR)) @ vectors.T
    out = (out + out.T) / 2
    scale = _unblocked(out, same)
    out = scale @ out @ scale
    out[same] = 0.0
    np.fill_diagonal(out, 1.0)
    return np.round((out + out.T) / 2, _ROUND)


def _unblocked(valid: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return the matrix that makes the numbers of each column uncorrelated again: scaling keeps the rest valid."""
    scale = np.zeros_like(valid)
    first = np.argmax(same | np.eye(len(valid), dtype=bool), axis=1)
    for start in np.unique(first):
        mine = np.flatnonzero(first == start)
        values, vectors = np.linalg.eigh(valid[np.ix_(mine, mine)])
        scale[np.ix_(mine, mine)] = (vectors / np.sqrt(np.maximum(values, FLOOR))) @ vectors.T
    return scale


@dataclass(frozen=True)
class Normal:
    """Standard normal numbers with a valid correlation."""

    correlation: np.ndarray

    @cached_property
    def root(self) -> np.ndarray:
        """A lower triangle whose product with its transpose is the correlation."""
        return _root(self.correlation)

    def draw(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return rows of numbers."""
        return rng.standard_normal((rows, len(self.correlation))) @ self.root.T

    def complete(self, low: np.ndarray, high: np.ndarray, column: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return rows of numbers that lie within bounds, as they would if nothing else were known.

        Args:
            low: rows × numbers, -inf where nothing is known.
            high: rows × numbers, inf where nothing is known.
            column: which column each number belongs to; numbers of one column are uncorrelated.
            rng: the randomness.
        """
        known = np.isfinite(low) | np.isfinite(high)
        of, patterns, rest_of = _grouped(known)
        out = np.empty(known.shape)
        for i, pattern in enumerate(patterns):
            rows = np.flatnonzero(of == i)
            seen, free = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            if not len(seen):
                out[rows] = self.draw(len(rows), rng)
                continue
            inner = self.correlation[np.ix_(seen, seen)]
            bounds = (low[np.ix_(rows, seen)], high[np.ix_(rows, seen)])
            alone = len(np.unique(column[seen])) == 1
            out[np.ix_(rows, seen)] = found = _within(inner, *bounds, rng, 0 if alone else SWEEPS)
            if len(free):
                across = self.correlation[np.ix_(free, seen)]
                weights = np.linalg.solve(inner, across.T).T
                rest = self.correlation[np.ix_(free, free)] - weights @ across.T
                noise = rng.standard_normal((len(rows), len(free))) @ _root((rest + rest.T) / 2).T
                out[np.ix_(rows, free)] = found @ weights.T + noise
        if len(rest_of):
            start = np.clip(out[rest_of], low[rest_of], high[rest_of])
            sweeps = MORE_SWEEPS if len(self.correlation) <= WIDE else 0
            out[rest_of] = _within(self.correlation, low[rest_of], high[rest_of], rng, sweeps, start)
        return out


def _root(valid: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(valid)
    except np.linalg.LinAlgError:  # rounding took the last of a tiny eigenvalue
        values, vectors = np.linalg.eigh(valid)
        found: np.ndarray = np.linalg.qr((vectors * np.sqrt(np.maximum(values, FLOOR / 10))).T)[1].T
        return found


def _grouped(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each row a set of known numbers, the sets, and the rows whose rare set gave way to a smaller one."""
    packed = np.packbits(known, axis=1)
    whole, first, of, counts = np.unique(packed, axis=0, return_index=True, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    if len(whole) <= PATTERNS:
        return of, known[first], np.empty(0, dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    kept = np.vstack([known[first][order[: PATTERNS - 1]], np.zeros((1, known.shape[1]), dtype=bool)])
    size = kept.sum(axis=1)
    rank = np.empty(len(whole), dtype=np.int64)
    rank[order[: PATTERNS - 1]] = np.arange(PATTERNS - 1)
    for other in order[PATTERNS - 1 :]:
        inside = ~(kept & ~known[first[other]]).any(axis=1)
        rank[other] = np.argmax(np.where(inside, size, -1))
    return rank[of], kept, np.flatnonzero(np.isin(of, order[PATTERNS - 1 :]))


def _within(
    correlation: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator, sweeps: int,
    start: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return numbers within bounds: each drawn anew given the others, so often (Gibbs sampling)."""
    if start is None:
        zero = np.zeros(len(low))
        out = np.column_stack([_cut_normal(zero, 1.0, low[:, i], high[:, i], rng) for i in range(low.shape[1])])
    else:
        out, correlation = start, correlation * (1 - LOOSE) + LOOSE * np.eye(len(correlation))
    if not sweeps:
        return out
    precision = np.linalg.inv(correlation)
    for _ in range(sweeps):
        for i in range(low.shape[1]):
            spread = 1 / np.sqrt(precision[i, i])
            mean = out[:, i] - out @ precision[:, i] / precision[i, i]
            out[:, i] = _cut_normal(mean, spread, low[:, i], high[:, i], rng)
    return out


def _cut_normal(
    mean: np.ndarray, spread: float, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return normal numbers between bounds."""
    from scipy.special import ndtr, ndtri

    first, last = (low - mean) / spread, (high - mean) / spread
    turned = first > 0  # the upper tail has no digits left: look at it from below
    first, last = np.where(turned, -last, first), np.where(turned, -first, last)
    begin, end = ndtr(first), ndtr(last)
    at = ndtri(np.clip(begin + rng.random(len(mean)) * (end - begin), 1e-300, 1 - 1e-16))
    at = np.clip(at, np.maximum(first, -37.0), np.minimum(last, 37.0)) if len(at) else at
    return mean + spread * np.where(turned, -at, at)
