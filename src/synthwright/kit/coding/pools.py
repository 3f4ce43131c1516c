"""Pseudonyms that repeat as real values did: as many different ones, as unevenly, and none of them real.

Of the real column only two things are learned: how many values differ, and how often they occur, as means of groups of
values. The pseudonyms are made once and kept, so every shard draws the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.codecs import Observed
from synthwright.kit.sampling.dice import Dice, permuted

OWN = 0.95
"""Where more of the rows have a value of their own, values do not repeat."""
_WIDER = 1.25
"""How much larger each group of values is than the one before it."""
_ROUNDS = 12


@dataclass(frozen=True)
class Pool:
    """Pseudonyms, and how often each is drawn."""

    values: pa.Array
    """Different pseudonyms, in the canonical type of the field."""
    groups: tuple[tuple[int, float], ...]
    """Groups of values, the commonest first: how many there are, and the mean of the rows that held each."""
    rows: int
    """How many rows there were, those without a value too."""
    key: str
    """What decides which row gets which."""

    @staticmethod
    def of(seen: Observed, make: Callable[[np.ndarray], pa.Array], key: int, *, protect: int) -> Pool:
        """Make pseudonyms for what was seen.

        Args:
            seen: the real values and their counts.
            make: makes a pseudonym for each of these numbers, some of them twice.
            key: what decides which row gets which.
            protect: how many values a group has at least.
        """
        groups = _groups(seen.counts, protect)
        values = _others(make, seen.values, len(seen.values))
        return Pool(values, groups, int(seen.counts.sum()) + seen.nulls, str(key))

    def draw(self, numbers: np.ndarray, dice: Dice) -> pa.Array:
        """Return a pseudonym for each row: as many rows as there were share them out exactly, later ones at random."""
        sizes = np.array([n for n, _ in self.groups], dtype=np.int64)
        ends = np.cumsum(np.repeat([mean for _, mean in self.groups], sizes))
        inside = numbers < self.rows
        place = (permuted(np.where(inside, numbers, 0), self.rows, int(self.key)) + 0.5) / self.rows
        place = np.where(inside, place, dice.uniform())
        at = np.minimum(np.searchsorted(ends, place * ends[-1], "right"), len(ends) - 1)
        return self.values.take(pa.array(at % len(self.values)))

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same pool from."""
        return {"values": self.values.to_pylist(), "groups": [list(g) for g in self.groups], "rows": self.rows,
                "key": self.key}  # fmt: skip

    @staticmethod
    def of_json(said: dict[str, Any], kind: pa.DataType) -> Pool:
        """Rebuild a pool of values of a type."""
        groups = tuple((int(n), float(mean)) for n, mean in said["groups"])
        return Pool(pa.array(said["values"], kind), groups, int(said["rows"]), said["key"])


def repeats(seen: Observed) -> bool:
    """Return whether values repeat so much that pseudonyms should."""
    return 0 < len(seen.values) < OWN * int(seen.counts.sum())


def _groups(counts: np.ndarray, protect: int) -> tuple[tuple[int, float], ...]:
    """Return sizes and means of groups of counts, largest first: small groups where values are common."""
    ordered = np.sort(counts)[::-1].astype(np.float64)
    least = max(protect, 1)
    out, begin, size = [], 0, float(least)
    while begin < len(ordered):
        end = begin + int(size)
        if len(ordered) - end < least:  # what is left would be too few for a group of their own
            end = len(ordered)
        out.append((end - begin, round(float(ordered[begin:end].mean()), 3)))
        begin, size = end, size * _WIDER
    return tuple(out)


def _others(make: Callable[[np.ndarray], pa.Array], real: pa.Array, wanted: int) -> pa.Array:
    """Return so many different made values that are not real, or as many as there are; one at least."""
    found, start = real.slice(0, 0), 0
    made = make(np.arange(1))
    for _ in range(_ROUNDS):
        size = 2 * (wanted - len(found)) + 32
        made = pc.unique(make(np.arange(start, start + size)))
        fresh = made.filter(pc.invert(pc.is_in(made, real)))
        found, start = pc.unique(pa.concat_arrays([found, fresh.cast(found.type)])), start + size
        if len(found) >= wanted:
            return found.slice(0, wanted)
    return found if len(found) else made
