"""Rows that share what no two may share, spread over what is still free: every store once in each week.

Where a rule was only seen to hold, and more rows are made than there are combinations, none is taken twice more often
than it must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from synthwright.core.rule_nodes import Parsed
from synthwright.core.values import labels
from synthwright.kit.rows import rank_in_group

MOST = 2**22
"""Combinations that are counted one by one, at most."""


@dataclass(frozen=True)
class Seats:
    """The combinations of the values in some columns, and how many rows may have each."""

    codes: np.ndarray
    """For each column and row which of its values it has; -1: none."""
    values: tuple[pa.Array, ...]
    limit: np.ndarray
    """For each row how many may share its combination."""

    @staticmethod
    def of(held: pa.Table, parsed: Parsed, fixed: frozenset[str], *, even: bool) -> Seats:
        """Return the combinations that a rule of the form `unique(a, b)` is about.

        Args:
            held: the rows.
            parsed: the rule.
            fixed: the columns of which no value can be changed.
            even: whether combinations may be taken more than once where there are more rows than combinations.
        """
        coded = [labels(held.column(c)) for c in parsed.left]
        codes, values = np.stack([c for c, _ in coded]), tuple(v for _, v in coded)
        limit = np.ones(held.num_rows, dtype=np.int64)
        there = (codes >= 0).all(axis=0)
        loose = [i for i, c in enumerate(parsed.left) if c not in fixed]
        if len(parsed.left) == 1:  # there are days without end, unless one was set
            limit[:] = held.num_rows if even and not loose else 1
        elif even and loose and there.any():
            room = float(np.prod([len(values[i]) for i in loose], dtype=np.float64))
            given = [i for i in range(len(values)) if i not in loose]
            group = _place(codes[given][:, there], [len(values[i]) for i in given])
            _, group, size = np.unique(group, return_inverse=True, return_counts=True)
            limit[there] = np.ceil(size / room).astype(np.int64)[group]
        return Seats(codes, values, limit)

    @property
    def sizes(self) -> list[int]:
        """How many values each column has."""
        return [len(v) for v in self.values]

    def place(self) -> np.ndarray:
        """Return for each row a number of its combination; -1 where a value is missing."""
        there = (self.codes >= 0).all(axis=0)
        out = np.full(self.codes.shape[1], -1, dtype=np.int64)
        out[there] = _place(self.codes[:, there], self.sizes)
        return out

    def crowded(self) -> np.ndarray:
        """Return booleans: which rows have a combination that enough rows before them have."""
        place = self.place()
        rank = rank_in_group(place.view(np.uint64), np.arange(len(place)))
        return (place >= 0) & (rank >= self.limit)


def crowded(held: pa.Table, parsed: Parsed, fixed: frozenset[str], *, even: bool) -> np.ndarray:
    """Return booleans: which rows repeat what earlier ones have more often than may be. See `Seats.of`."""
    return Seats.of(held, parsed, fixed, even=even).crowded()


def spread(
    held: pa.Table, parsed: Parsed, free: Mapping[str, np.ndarray], rng: np.random.Generator, *, even: bool
) -> pa.Table:
    """Return a table in which rows that repeat others have combinations that are free.

    As few columns are changed as can be, to values that the table holds.

    Args:
        held: the rows.
        parsed: a rule of the form `unique(a, b)`.
        free: where each column may be changed; a column that is not named may not.
        rng: chooses among what is free.
        even: see `Seats.of`.
    """
    names = parsed.left
    fixed = frozenset(c for c in names if c not in free or not free[c].any())
    seats = Seats.of(held, parsed, fixed, even=even)
    if len(fixed) == len(names) or np.prod(seats.sizes, dtype=np.float64) > MOST:
        return held
    before = seats.codes.copy()
    for changed in _changes([c for c in names[::-1] if c not in fixed]):
        able = np.logical_and.reduce([free[c] for c in changed])
        _move(seats, [names.index(c) for c in changed], able, rng)
    for i, name in enumerate(names):
        if (seats.codes[i] != before[i]).any():
            codes = seats.codes[i]
            values = seats.values[i].take(pa.array(codes, mask=codes < 0))
            held = held.set_column(held.column_names.index(name), name, values)
    return held


def _changes(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield which columns to change: one, then two, at last all."""
    for many in range(1, len(names) + 1):
        yield from combinations(names, many)


def _move(seats: Seats, changed: list[int], able: np.ndarray, rng: np.random.Generator) -> None:
    """Give rows that repeat others a free combination that differs in the columns `changed` alone."""
    rows = np.flatnonzero(seats.crowded() & able)
    if not len(rows):
        return
    place, sizes = seats.place(), seats.sizes
    there = place >= 0
    kept = [i for i in range(len(sizes)) if i not in changed]
    small = [sizes[i] for i in kept]
    limit = np.zeros(int(np.prod(small, dtype=np.int64)), dtype=np.int64)
    limit[_place(seats.codes[kept][:, there], small)] = seats.limit[there]
    every = np.stack(np.unravel_index(np.arange(int(np.prod(sizes))), sizes))
    left = limit[_place(every[kept], small)] - np.bincount(place[there], minlength=every.shape[1])
    open_ = rng.permutation(np.repeat(np.arange(every.shape[1]), np.maximum(left, 0)))
    one, other = _meeting(_place(seats.codes[kept][:, rows], small), _place(every[kept][:, open_], small))
    seats.codes[:, rows[one]] = every[:, open_[other]]


def _place(codes: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Return one number for each combination of codes."""
    place = np.zeros(codes.shape[1], dtype=np.int64)
    for column, size in zip(codes, sizes, strict=True):
        place = place * size + column
    return place


def _meeting(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in both of pairs with the same number, each position once at most."""
    ranked = [np.stack([each, rank_in_group(each.view(np.uint64), np.arange(len(each)))]) for each in (mine, theirs)]
    _, which = np.unique(np.concatenate(ranked, axis=1), axis=1, return_inverse=True)
    which = which.reshape(-1)
    _, one, other = np.intersect1d(which[: len(mine)], which[len(mine) :], assume_unique=True, return_indices=True)
    return one, other
