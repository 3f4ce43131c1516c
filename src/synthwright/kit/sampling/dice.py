"""Randomness that belongs to a row: numbers that follow from the row's identity and a secret, and from nothing else.

What is made from dice does not depend on shards or order, the same identity always gets the same value, and
permutations give every identity a value of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_ODD, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ROUNDS = 6


class Dice:
    """One die for each row: each roll gives every row an independent number that follows from its identity.

    Args:
        ids: unsigned 64-bit identities, one per row.
        key: the secret; other keys give unrelated rolls.
    """

    def __init__(self, ids: np.ndarray, key: int) -> None:
        self.ids = ids.astype(np.uint64)
        self._mixed = _mix(_mix(self.ids + np.uint64(key % 2**64)) ^ np.uint64(key // 2**64 % 2**64))
        self._rolls = 0

    def __len__(self) -> int:
        return len(self.ids)

    def words(self) -> np.ndarray:
        """Return 64 random bits per row."""
        self._rolls += 1
        return _mix(self._mixed + np.uint64(int(_ODD) * self._rolls % 2**64))

    def uniform(self) -> np.ndarray:
        """Return a number from 0 (inclusive) to 1 (exclusive) per row."""
        found: np.ndarray = (self.words() >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return found

    def integers(self, low: int, high: int) -> np.ndarray:
        """Return an integer from `low` (inclusive) to `high` (exclusive) per row."""
        found: np.ndarray = low + np.minimum((self.uniform() * (high - low)).astype(np.int64), high - low - 1)
        return found

    def choice(self, words: Sequence[str], shares: np.ndarray | None = None) -> np.ndarray:
        """Return one of the words per row, as an array of text."""
        if shares is None:
            return np.asarray(words, dtype=np.str_)[self.integers(0, len(words))]
        ends = np.cumsum(shares)
        return np.asarray(words, dtype=np.str_)[np.minimum(np.searchsorted(ends, self.uniform() * ends[-1], "right"),
                                                          len(words) - 1)]  # fmt: skip

    def some(self, rows: np.ndarray) -> Dice:
        """Return the dice of these rows, rolled as often."""
        part = object.__new__(Dice)
        part.ids, part._mixed, part._rolls = self.ids[rows], self._mixed[rows], self._rolls
        return part


def permuted(numbers: np.ndarray, size: int, key: int) -> np.ndarray:
    """Return where a keyed permutation of 0 … `size` - 1 puts each number: a Feistel network that walks its cycles.

    Args:
        numbers: integers from 0 to `size` - 1.
        size: at most 2**62.
        key: the secret; other keys give unrelated permutations.
    """
    if size <= 1:
        return np.zeros(len(numbers), dtype=np.int64)
    half = max(1, -(-(size - 1).bit_length() // 2))
    out = numbers.astype(np.uint64)
    todo = np.arange(len(out))
    while len(todo):
        moved = _feistel(out[todo], half, key)
        out[todo] = moved
        todo = todo[moved >= size]
    return out.astype(np.int64)


def secret(*words: str | int) -> int:
    """Return 128 bits that follow from these words."""
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()[:16])


def identities(values: Sequence[bytes], key: int) -> np.ndarray:
    """Return a keyed 64-bit identity for each value: equal values get equal ones, and none can be told from its own."""
    sealed = key.to_bytes(16)
    whole = b"".join(hashlib.blake2b(v, digest_size=8, key=sealed).digest() for v in values)
    return np.frombuffer(whole, dtype=">u8").astype(np.uint64)


def _mix(x: np.ndarray) -> np.ndarray:
    """Scramble 64 bits, one to one (the finaliser of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    found: np.ndarray = x ^ (x >> np.uint64(31))
    return found


def _feistel(x: np.ndarray, half: int, key: int) -> np.ndarray:
    low = np.uint64(2**half - 1)
    left, right = x >> np.uint64(half), x & low
    for i in range(_ROUNDS):
        turn = np.uint64(((key >> (i * 16)) + i) * int(_ODD) % 2**64)
        left, right = right, left ^ (_mix(right + turn) & low)
    found: np.ndarray = (left << np.uint64(half)) | right
    return found
