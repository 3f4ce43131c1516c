"""Dictionaries that whole columns are drawn from: groups of words with weights, drawn as codes, put together as text.

A word is drawn by the alias method (Walker 1977): one random number and two look-ups a row, however many words there
are and however uneven their weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Words: TypeAlias = "Mapping[str, float] | Sequence[str]"
"""Words with their weights, or words that are all as likely."""
_WHOLE = 2**32


def drawn(rng: np.random.Generator, rows: int, sizes: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Return an integer from 0 to `sizes` - 1 for every row, and a fraction of 2**32 that is independent of it.

    Args:
        rng: the randomness; one 32-bit number is used for a row.
        rows: how many.
        sizes: one size, or one for every row; at most a few million.
    """
    wide = rng.integers(0, _WHOLE, rows, dtype=np.uint32).astype(np.uint64)
    wide *= np.uint64(sizes) if isinstance(sizes, int) else sizes.astype(np.uint64)
    return (wide >> np.uint64(32)).astype(np.int32), wide.astype(np.uint32)


@dataclass(frozen=True)
class Lexicon:
    """Groups of words in one Arrow array; a word is known by its code, its place there."""

    words: pa.LargeStringArray
    starts: np.ndarray
    sizes: np.ndarray
    limits: np.ndarray | None
    """Below which fraction a word is itself; None: all words of a group are as likely."""
    other: np.ndarray
    """Which word it is else."""

    @staticmethod
    def of(*groups: Words) -> Lexicon:
        """Return the lexicon of some groups of words; each has at least one word of positive weight.

        Raises:
            ValueError: a group without words.
        """
        sizes = np.array([len(g) for g in groups], dtype=np.int64)
        if not len(sizes) or not sizes.min():
            raise ValueError("a group of words is empty")
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        words = pa.array([w for g in groups for w in g], pa.large_string())
        if not any(isinstance(g, Mapping) for g in groups):
            return Lexicon(words, starts, sizes, None, np.zeros(0, dtype=np.int32))
        tables = [_alias(np.array(list(g.values()) if isinstance(g, Mapping) else np.ones(len(g)), dtype=np.float64))
                  for g in groups]  # fmt: skip
        limits = np.concatenate([limit for limit, _ in tables])
        other = np.concatenate([o + s for (_, o), s in zip(tables, starts, strict=True)])
        return Lexicon(words, starts, sizes, limits, other.astype(np.int32))

    def draw(self, rng: np.random.Generator, rows: int, groups: np.ndarray | None = None) -> np.ndarray:
        """Return a code for every row.

        Args:
            rng: the randomness.
            rows: how many.
            groups: the group of every row; None where there is only one.
        """
        if groups is None:
            codes, part = drawn(rng, rows, int(self.sizes[0]))
        else:
            codes, part = drawn(rng, rows, self.sizes[groups])
            codes += self.starts.astype(np.int32)[groups]
        if self.limits is None:
            return codes
        kept = part < self.limits[codes]
        found: np.ndarray = np.where(kept, codes, self.other[codes])
        return found

    def take(self, codes: np.ndarray) -> pa.Array:
        """Return the words of these codes."""
        return self.words.take(pa.array(codes))


def _alias(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the alias table of some weights: for each place a limit (a fraction of 2**32), and the place beyond it."""
    many = len(weights)
    share = weights / weights.sum() * many
    limits, other = np.full(many, _WHOLE - 1, dtype=np.uint32), np.arange(many)
    small, large = [i for i in range(many) if share[i] < 1], [i for i in range(many) if share[i] >= 1]
    while small and large:
        low, high = small.pop(), large.pop()
        limits[low], other[low] = min(int(share[low] * _WHOLE), _WHOLE - 1), high
        share[high] -= 1 - share[low]
        (small if share[high] < 1 else large).append(high)
    return limits, other


def joined(*parts: pa.Array, between: str = "") -> pa.Array:
    """Return texts put together, row by row."""
    return pc.binary_join_element_wise(*parts, pa.scalar(between, pa.large_string()))
