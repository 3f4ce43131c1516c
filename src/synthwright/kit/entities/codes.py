"""Codes drawn from patterns, whole columns at once: at random, or each a different one; with check digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from synthwright.kit.coding.patterns import text_of
from synthwright.kit.entities.check_digits import ALGORITHMS
from synthwright.kit.entities.code_parser import Layout, parse
from synthwright.kit.entities.identifiers import fixed_texts
from synthwright.kit.sampling.guide import Guide

_TABLE = 65_536
"""Combinations of characters that are looked up at once, at most."""
_WIDE = 8
_ROOM = 2**62
Indexes: TypeAlias = Callable[[int, np.ndarray], list[np.ndarray]]
"""Makes the index of each chunk of a layout, for some rows."""
_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


@dataclass(frozen=True)
class Chunk:
    """Neighbouring positions that are written at once."""

    begin: int
    end: int
    table: np.ndarray
    """The code points of every combination of characters, one row each."""


class Codes:
    """The codes of a pattern.

    Args:
        pattern: see `kit.entities.code_parser`.
        check: the algorithm of the check digits; None: there are none.

    Raises:
        ValueError: the pattern cannot be drawn, or the algorithm cannot read what it gives.
    """

    def __init__(self, pattern: str, check: str | None = None) -> None:
        self.layouts = parse(pattern)
        self.check = None if check is None else ALGORITHMS[check]
        for layout in self.layouts:
            _fitting(layout, check)
        self.sizes = [layout.size for layout in self.layouts]
        self._chunks = [_chunked(layout) for layout in self.layouts]
        self._shares = Guide(np.array([layout.share for layout in self.layouts]))

    @property
    def size(self) -> int:
        """How many codes there are; of codes that can come about in two ways, more."""
        return sum(self.sizes)

    @property
    def digits(self) -> bool:
        """Whether every code is a number of at most 18 digits."""
        length = 0 if self.check is None else self.check.length
        return all(set("".join(one.positions)) <= set("0123456789") and 0 < len(one.positions) + length <= 18
                   for one in self.layouts)  # fmt: skip

    def draw(self, rng: np.random.Generator, rows: int) -> pa.Array:
        """Return a code for each row: of each class, alternative and length, each as likely as its neighbours."""
        which = None if len(self.layouts) == 1 else self._shares.draw(rng, rows)
        return self._assembled(which, rows, lambda i, mine: [rng.integers(0, len(c.table), len(mine)) for c in
                                                            self._chunks[i]])  # fmt: skip

    def number(self, numbers: np.ndarray, rng: np.random.Generator) -> pa.Array:
        """Return the code of each number below `size`: different numbers, different codes.

        Beyond 2**62 codes, what is left open by the numbers is drawn.
        """
        rows = len(numbers)
        which, within = None, numbers
        if len(self.layouts) > 1:
            starts = np.array([min(at, _ROOM) for at in accumulate([0, *self.sizes])], dtype=np.int64)
            which = np.searchsorted(starts[1:], numbers, side="right")
            within = numbers - starts[which]

        def indexes(i: int, mine: np.ndarray) -> list[np.ndarray]:
            rest, room, found = within[mine].astype(np.int64), _ROOM, []
            for chunk in reversed(self._chunks[i]):
                size = len(chunk.table)
                if room >= size:
                    rest, index = np.divmod(rest, size)
                    found.append(index)
                    room //= size
                else:
                    found.append(rng.integers(0, size, len(mine)))
            return found[::-1]

        return self._assembled(which, rows, indexes)

    def _assembled(self, which: np.ndarray | None, rows: int, indexes: Indexes) -> pa.Array:
        if which is None:
            return self._written(0, indexes(0, np.arange(rows)), rows)
        pieces, places = [], []
        for i in range(len(self.layouts)):
            mine = np.flatnonzero(which == i)
            if len(mine):
                pieces.append(self._written(i, indexes(i, mine), len(mine)))
                places.append(mine)
        order = np.empty(rows, dtype=np.int64)
        order[np.concatenate(places)] = np.arange(rows)
        return pa.concat_arrays(pieces).take(pa.array(order))

    def _written(self, i: int, indexes: Sequence[np.ndarray], rows: int) -> pa.Array:
        layout, chunks = self.layouts[i], self._chunks[i]
        wide = any(c.table.dtype == np.uint32 for c in chunks)
        length = 0 if self.check is None else self.check.length
        at = len(layout.positions) if layout.check is None else layout.check
        points = np.empty((rows, len(layout.positions) + length), dtype=np.uint32 if wide else np.uint8)
        for chunk, index in zip(chunks, indexes, strict=True):
            moved = length if chunk.begin >= at else 0
            points[:, chunk.begin + moved : chunk.end + moved] = chunk.table[index]
        if self.check is not None:
            body = [self._values(points[:, p + (length if p >= at else 0)], layout.positions[p])
                    for p in range(len(layout.positions)) if _read(layout.positions[p])]  # fmt: skip
            for k, digit in enumerate(self.check.compute(body)):
                points[:, at + k] = digit + ord("0")
        if wide:
            return pa.array(text_of(points)).cast(pa.large_string())
        return fixed_texts(points)

    @staticmethod
    def _values(points: np.ndarray, characters: str) -> np.ndarray:
        table = np.zeros(128, dtype=np.uint8)
        for c in characters:
            table[ord(c)] = _VALUES[c]
        return table.take(points)


@lru_cache(maxsize=64)
def codes(pattern: str, check: str | None = None) -> Codes:
    """Return the codes of a pattern, understood once."""
    return Codes(pattern, check)


def _read(characters: str) -> bool:
    """Return whether a check digit follows from a position: letters and digits count, marks do not."""
    return any(c.isalnum() for c in characters)


def _fitting(layout: Layout, check: str | None) -> None:
    """Raise a ValueError where an algorithm cannot read what a layout gives."""
    if check is None:
        if layout.check is not None:
            raise ValueError("the pattern has a place for a {check} digit: say by which algorithm, `check: luhn`")
        return
    algorithm = ALGORITHMS[check]
    body = [c for c in layout.positions if _read(c)]
    for position, characters in enumerate(layout.positions):
        odd = sorted(set(characters) - set(algorithm.reads))
        if odd and _read(characters):
            raise ValueError(f"{check} cannot read {odd[0]!r}, which may stand at character {position + 1} of a code")
    if not body:
        raise ValueError(f"{check} needs digits to compute its own from")
    if algorithm.body is not None and len(body) != algorithm.body:
        raise ValueError(f"{check} wants {algorithm.body} digits before its own, the pattern gives {len(body)}")
    firsts = {"".join(p) for p in product(*body[: len(algorithm.begins[0])])} if algorithm.begins else set()
    if not firsts <= set(algorithm.begins) and algorithm.begins:
        raise ValueError(f"{check} begins with {' or '.join(algorithm.begins)}")


def _chunked(layout: Layout) -> list[Chunk]:
    """Return a layout's positions in as few chunks as can be looked up; none reaches over the check digit's place."""
    found: list[Chunk] = []
    begin, size = 0, 1
    length = len(layout.positions)
    for at in range(length + 1):
        more = len(layout.positions[at]) if at < length else _TABLE + 1
        if at > begin and (size * more > _TABLE or at - begin >= _WIDE or at == layout.check):
            found.append(Chunk(begin, at, _combined(layout.positions[begin:at])))
            begin, size = at, 1
        size *= more
    return found


def _combined(positions: Sequence[str]) -> np.ndarray:
    """Return the code points of all combinations, the last position turning fastest."""
    ascii_only = all(c.isascii() for p in positions for c in p)
    kind = np.uint8 if ascii_only else np.uint32
    columns = [np.array([ord(c) for c in p], dtype=kind) for p in positions]
    return np.stack([g.ravel() for g in np.meshgrid(*columns, indexing="ij")], axis=1)
