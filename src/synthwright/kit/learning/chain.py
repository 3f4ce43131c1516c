"""Rows made column by column, around whatever is known of them.

A column that is known is not drawn. Where it comes after one that is not, what was drawn before must fit to it: such
rows are carried several times, and at each known column they are drawn again in proportion to how likely what is known
is after what was drawn (a particle filter; Gordon, Salmond and Smith 1993). The known values stay exactly. While rows
are carried, draws are not corrected: there are many of them, and what is known chooses among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Correction, levels

CARRIED = 64
"""How many times a row is carried whose known columns come after unknown ones."""
AT_ONCE = 65_536
"""Rows, carried ones counted, that are made at a time."""
UNSET = -1
TRIES = 8
"""How often a value is drawn again where none may be missing, before one is drawn from the whole column."""


class Follows(Protocol):
    """How one column follows from those before it: trees of a forest, tables of a network, or boosted trees."""

    @property
    def correction(self) -> Correction | None:
        """What chooses among draws; None where nothing does."""

    def features(self, bins: np.ndarray, nominal: np.ndarray) -> Any:
        """Return what it looks at, for rows (uint8, columns × rows) of which the columns before are known."""

    def draw(self, column: Coded, features: Any, others: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return a place for every row."""

    def likelihood(self, column: Coded, features: Any, places: np.ndarray) -> np.ndarray:
        """Return how likely the places of the rows are, given the columns before."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that a file must hold."""

    def is_sound(self, position: int, places: int) -> bool:
        """Return whether what was read from a file can be drawn from, at a position of the table's order."""


@dataclass(frozen=True)
class Chain:
    """The columns in their order, each with how it follows from those before; None for one that is only looked at."""

    columns: Sequence[Coded]
    conditionals: Sequence[Follows | None]
    size: int
    """How many draws are corrected at a time."""

    @property
    def nominal(self) -> np.ndarray:
        """Which columns have no order."""
        return np.array([not c.ordered for c in self.columns])

    def complete(self, known: list[np.ndarray], filled: list[bool], rng: np.random.Generator) -> list[np.ndarray]:
        """Return the place of every row in every column.

        Args:
            known: for each column the place of every row, `UNSET` where it is to be made.
            filled: for each column whether what is made must be a value.
            rng: the randomness.
        """
        late = self._late(known)
        if not late.any():
            return _Rows(self, known, filled, rng).made()
        found = [k.copy() for k in known]
        for here in _pieces(np.flatnonzero(~late), AT_ONCE):
            for mine, made in zip(found, _Rows(self, [k[here] for k in known], filled, rng).made(), strict=True):
                mine[here] = made
        for here in _pieces(np.flatnonzero(late), AT_ONCE // CARRIED):
            for mine, made in zip(found, self._carried([k[here] for k in known], filled, rng), strict=True):
                mine[here] = made
        return found

    def _late(self, known: list[np.ndarray]) -> np.ndarray:
        """Return which rows have a known column after one that is to be made."""
        late, open_ = np.zeros(len(known[0]), dtype=bool), np.zeros(len(known[0]), dtype=bool)
        for places, conditional in zip(known, self.conditionals, strict=True):
            there = places != UNSET
            if conditional is not None:
                late |= open_ & there
            open_ |= ~there
        return late

    def _carried(self, known: list[np.ndarray], filled: list[bool], rng: np.random.Generator) -> list[np.ndarray]:
        rows = len(known[0])
        last = max(i for i, places in enumerate(known) if (places != UNSET).any())
        many = _Rows(replace(self, size=1), [np.repeat(k, CARRIED) for k in known], filled, rng)
        open_ = np.zeros(rows, dtype=bool)
        for i in range(last + 1):
            there = known[i] != UNSET
            weigh = self.conditionals[i] is not None and bool((there & open_).any())
            likely = many.step(i, weigh=weigh)
            if weigh:
                many.again(_resampled(likely.reshape(rows, CARRIED), rng))
            open_ |= ~there
        many.again(np.arange(rows) * CARRIED + rng.integers(CARRIED, size=rows))
        many.known, many.chain = known, self
        for i in range(last + 1, len(known)):
            many.step(i)
        return many.places


class _Rows:
    """Rows in the making."""

    def __init__(self, chain: Chain, known: list[np.ndarray], filled: list[bool], rng: np.random.Generator) -> None:
        self.chain, self.known, self.filled, self.rng = chain, known, filled, rng
        self.nominal = chain.nominal
        self.places: list[np.ndarray] = []
        self.bins = np.zeros((len(known), len(known[0])), dtype=np.uint8)

    def made(self) -> list[np.ndarray]:
        """Make every column."""
        for i in range(len(self.known)):
            self.step(i)
        return self.places

    def step(self, i: int, *, weigh: bool = False) -> np.ndarray:
        """Make one column; return how likely what is known of it is, where that is asked."""
        column, conditional, places = self.chain.columns[i], self.chain.conditionals[i], self.known[i]
        likely = np.ones(len(places))
        there = places != UNSET
        if conditional is None or (there.all() and not weigh):
            self._set(i, places)
            return likely
        features = conditional.features(self.bins, self.nominal)
        if weigh:
            sure = np.where(there, places, column.size + 1)
            likely = conditional.likelihood(column, features, sure)
        if not there.all():
            near = conditional.correction.near if conditional.correction is not None else np.zeros(0, np.int64)
            others = levels(self.chain.columns, self.places, near)
            made = conditional.draw(column, features, others, self.rng, self.chain.size).astype(np.int64)
            if self.filled[i]:
                made = self._valued(column, conditional, made)
            places = np.where(there, places, made)
        self._set(i, places)
        return likely

    def _valued(self, column: Coded, conditional: Follows, made: np.ndarray) -> np.ndarray:
        """Return places, those of no value drawn again."""
        for _ in range(TRIES):
            empty = np.flatnonzero(made == column.size)
            if not len(empty):
                return made
            features = conditional.features(np.ascontiguousarray(self.bins[:, empty]), self.nominal)
            made[empty] = conditional.draw(column, features, np.zeros((0, len(empty)), np.float32), self.rng, 1)
        empty = np.flatnonzero(made == column.size)
        if len(empty) and column.size:
            made[empty] = self.rng.choice(column.size, size=len(empty), p=column.codec.shares)
        return made

    def _set(self, i: int, places: np.ndarray) -> None:
        self.places.append(places)
        self.bins[i] = self.chain.columns[i].bins[places]

    def again(self, rows: np.ndarray) -> None:
        """Go on with these rows, which may repeat."""
        self.places = [p[rows] for p in self.places]
        self.known = [k[rows] for k in self.known]
        self.bins = np.ascontiguousarray(self.bins[:, rows])


def _resampled(likely: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which of the carried rows go on, as often as likely; systematic, each group among itself."""
    rows, many = likely.shape
    ends = np.cumsum(likely, axis=1)
    none = ends[:, -1] <= 0  # what is known is nowhere likely: all are as good
    ends[none] = np.arange(1, many + 1)
    ends /= ends[:, -1:]
    at = (rng.random((rows, 1)) + np.arange(many)) / many
    chosen = (ends[:, None, :] < at[:, :, None]).sum(axis=2)
    found: np.ndarray = (np.minimum(chosen, many - 1) + np.arange(rows)[:, None] * many).ravel()
    return found


def _pieces(rows: np.ndarray, most: int) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // most)) if len(rows) else []
