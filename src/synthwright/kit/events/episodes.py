"""Episodes: consecutive rows of one entity, laid over a table at random so that they make up a share of its rows.

How many rows they are is met in expectation, exactly, whatever their lengths are and however few rows there are: a
list of episodes that could be is put on a circle, and those that begin within a stretch as long as the rows that are
wanted come to be (systematic sampling with a random start; Madow 1949, On the theory of systematic sampling II). So
every one of the list is as likely to be taken, long or short. Where there is no room for one, the rows that it would
have had go to shorter ones; where there is no room for these either, there are fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import numbers
from synthwright.kit.lookups import flat

Draw: TypeAlias = Callable[[np.random.Generator, int], np.ndarray]
May: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Says of places which of them an episode may begin at."""

_TRIES, _ROUNDS = 16, 3
"""Places that are tried for each episode at once, and how often, before all places with room are looked for."""
_LISTED, _DOUBLINGS = 32, 12
"""The fewest episodes of a list, and how often it is made longer where most of it is impossible."""
_LOOKED_AT = 4096
"""Places whose condition is told before it is told for all."""


@dataclass(frozen=True)
class Ground:
    """The rows of a table in an order in which those of each entity stand together."""

    left: np.ndarray
    """How many rows of its entity there are from each place on, itself included; 0 where the row belongs to none."""
    order: np.ndarray | None = None
    """Which row stands at each place; None: the rows as they are."""

    @staticmethod
    def of(rows: int, whose: pa.ChunkedArray | None = None, order: pa.ChunkedArray | None = None) -> Ground:
        """Return the ground that rows are.

        Args:
            rows: how many there are.
            whose: what says for each row which entity it belongs to; None: each is an entity by itself.
            order: what the rows of an entity are ordered by, nulls last; None: they stand in order.
        """
        if whose is None or not rows:
            return Ground(np.ones(rows, dtype=np.int64))
        values = flat(whose)
        begins, heads = _runs(values)
        sizes = np.diff(np.append(begins, rows))
        known = ~np.asarray(heads.is_null())
        at = None
        if not _distinct(heads.drop_null()):  # rows of one entity stand apart
            codes = pc.fill_null(heads.dictionary_encode().indices, -1).to_numpy()
            each = np.repeat(codes, sizes)
            at = np.argsort(each, kind="stable")
            begins = np.append(0, np.flatnonzero(np.diff(each[at])) + 1)
            sizes, known = np.diff(np.append(begins, rows)), each[at][begins] >= 0
        left = np.repeat(begins + sizes, sizes) - np.arange(rows)
        if order is not None:
            at = _sorted(order, at, left)
        return Ground(left if known.all() else np.where(np.repeat(known, sizes), left, 0), at)

    def __len__(self) -> int:
        return len(self.left)

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Return which rows stand at some places."""
        return places if self.order is None else self.order[places]


class Wish(NamedTuple):
    """What episodes are wanted."""

    rows: float
    """How many rows they take, in expectation."""
    lengths: Draw
    """Draws so many lengths: whole numbers from 1 on."""
    least: int | None = None
    """How many rows an episode has at least that the end of its entity cuts short; None: it is never cut short."""
    may: May | None = None
    """At which places an episode may begin; None: at all."""


class Laid(NamedTuple):
    """Episodes that were laid."""

    begins: np.ndarray
    """The place at which each begins, ascending."""
    lengths: np.ndarray
    """How many rows each has."""

    @property
    def places(self) -> np.ndarray:
        """The places of all their rows, one episode after another."""
        return np.repeat(self.begins, self.lengths) + self.steps

    @property
    def steps(self) -> np.ndarray:
        """Where in its episode each row is, from 0 on."""
        ends = np.cumsum(self.lengths)
        return np.arange(int(self.lengths.sum())) - np.repeat(ends - self.lengths, self.lengths)


def lay(ground: Ground, wish: Wish, taken: np.ndarray, rng: np.random.Generator) -> Laid:
    """Lay episodes over places that are free; each begins at any place with room for it that is as likely.

    Args:
        ground: the places.
        wish: what is wanted.
        taken: booleans, which places are taken; it is written into.
        rng: the randomness.
    """
    spots = _Spots(len(ground), wish.may, rng)
    rest, longest = wish.rows, int(ground.left.max(initial=0))
    found: list[np.ndarray] = []
    while rest > 0 and longest > 0:
        lengths = _on_circle(_possible(ground, wish, spots, rest, longest, rng), rest, rng)
        begins, longest = _placed(ground, lengths, spots, taken, rng)
        found.append(np.stack([begins, lengths])[:, begins >= 0])
        rest = float(lengths[begins < 0].sum())
    begins, lengths = np.concatenate(found, axis=1) if found else np.zeros((2, 0), dtype=np.int64)
    order = np.argsort(begins)
    return Laid(begins[order], lengths[order])


# ------------------------------------------------------------------------------------------------------- the ground
def _runs(values: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Return where values that differ from the one before stand, and these values; nulls differ from all."""
    if pa.types.is_integer(values.type) and not values.null_count:
        held = values.to_numpy()
        differ = held[1:] != held[:-1]
    else:
        differ = np.asarray(pc.fill_null(pc.not_equal(values[1:], values[:-1]), fill_value=True))
    begins = np.append(0, np.flatnonzero(differ) + 1)
    return begins, values.take(pa.array(begins))


def _distinct(values: pa.Array) -> bool:
    """Return whether no value occurs twice."""
    if pa.types.is_integer(values.type) and (np.diff(values.to_numpy()) > 0).all():  # as it mostly is: no table needed
        return True
    return len(values.unique()) == len(values)


def _sorted(values: pa.ChunkedArray, at: np.ndarray | None, left: np.ndarray) -> np.ndarray | None:
    """Return which row stands at each place when the rows of each entity are ordered by values."""
    key = _key(flat(values))
    key = key if at is None else key[at]
    if not (~(key[1:] >= key[:-1]) & (left[:-1] > 1)).any():
        return at
    order = np.lexsort((key, left + np.arange(len(left))))  # an entity's rows all end at the same place
    return order if at is None else at[order]


def _key(values: pa.Array) -> np.ndarray:
    """Return ordered values as numbers, all digits of whole ones; nulls are the greatest."""
    kind = values.type
    if not (pa.types.is_temporal(kind) or pa.types.is_integer(kind)):
        return numbers(values)  # nulls are NaN, which sorts last
    if kind != pa.uint64():
        values = values.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(kind) else values.cast(pa.int64())
    width = np.uint64 if kind == pa.uint64() else np.int64
    return np.asarray(pc.fill_null(values, np.iinfo(width).max)) if values.null_count else values.to_numpy()


# --------------------------------------------------------------------------------------------------- how many of them
def _possible(ground: Ground, wish: Wish, spots: _Spots, rows: float, longest: int,
              rng: np.random.Generator) -> np.ndarray:  # fmt: skip
    """Return a list of lengths of episodes that could be, at least as many rows as are wanted where that is possible.

    How long the list is must not follow from the lengths in it, so its size is set by others that are drawn before.
    """
    mean = float(np.minimum(wish.lengths(rng, 2 * _LISTED), longest).mean())
    many = int(2 * rows / mean) + _LISTED
    for _ in range(_DOUBLINGS):
        lengths = wish.lengths(rng, many)
        if wish.least is None:
            lengths = lengths[lengths <= longest]
        else:
            begins = spots.draw(many)
            lengths = lengths[: len(begins)]
            cut = np.minimum(lengths, np.minimum(ground.left[begins], longest))
            lengths = cut[cut >= np.minimum(lengths, wish.least)]
        if lengths.sum() >= rows or many > 2 * len(ground) + _LISTED:
            break
        many *= 2
    return lengths


def _on_circle(lengths: np.ndarray, rows: float, rng: np.random.Generator) -> np.ndarray:
    """Return the lengths that begin within a stretch of `rows` of the circle that all lengths make, at random."""
    around = int(lengths.sum())
    if around <= rows:
        return lengths
    begins = np.cumsum(lengths) - lengths
    return lengths[(begins - rng.random() * around) % around < rows]


# -------------------------------------------------------------------------------------------------------------- where
class _Spots:
    """The places at which episodes may begin, drawn at random: all are as likely."""

    def __init__(self, size: int, may: May | None, rng: np.random.Generator) -> None:
        self.size, self.may, self.rng = size, may, rng
        self.pool: np.ndarray | None = None
        self.all: np.ndarray | None = None

    def draw(self, many: int) -> np.ndarray:
        """Return so many places; none where there is none.

        What they must meet is told for a few places first: it may be far to look.
        """
        if self.may is None:
            return self.rng.integers(0, self.size, many)
        if self.all is None and self.size > 2 * _LOOKED_AT:
            if self.pool is None:
                trial = self.rng.integers(0, self.size, _LOOKED_AT)
                self.pool = trial[self.may(trial)]
            if many <= len(self.pool):
                found, self.pool = self.pool[:many], self.pool[many:]
                return found
        every = self.every()
        return every[self.rng.integers(0, len(every), many)] if len(every) else every

    def every(self) -> np.ndarray:
        """Return all of them."""
        if self.all is None:
            places = np.arange(self.size)
            self.all = places if self.may is None else places[self.may(places)]
        return self.all


def _placed(ground: Ground, lengths: np.ndarray, spots: _Spots, taken: np.ndarray,
            rng: np.random.Generator) -> tuple[np.ndarray, int]:  # fmt: skip
    """Return where episodes begin, -1 where there is no room, and the greatest length that there is room for then.

    That is 0 where all found a place.
    """
    begins = np.full(len(lengths), -1, dtype=np.int64)
    waiting = np.arange(len(lengths))
    for _ in range(_ROUNDS):  # at random, and again where that is not free
        if not len(waiting):
            break
        tries = int(np.clip(len(ground) // lengths[waiting].sum(), 1, _TRIES))
        tried = spots.draw(tries * len(waiting)).reshape(-1, tries)
        if not len(tried):
            break
        free = _free(ground, taken, tried, lengths[waiting][:, None])
        some = np.flatnonzero(free.any(axis=1))
        begins[waiting[some]] = tried[some, free[some].argmax(axis=1)]
        waiting = _settled(begins, lengths, waiting[some], waiting, taken)
    longest = 0
    while len(waiting):  # among all places with room
        room = _room(ground, taken)[spots.every()]
        by_room = np.argsort(-room, kind="stable")
        longest = int(room.max(initial=0))
        waiting = waiting[lengths[waiting] <= longest]
        choice = np.searchsorted(-room[by_room], -lengths[waiting], side="right")
        begins[waiting] = spots.every()[by_room[(rng.random(len(waiting)) * choice).astype(np.int64)]]
        waiting = _settled(begins, lengths, waiting, waiting, taken)
    return begins, longest


def _settled(begins: np.ndarray, lengths: np.ndarray, new: np.ndarray, waiting: np.ndarray,
             taken: np.ndarray) -> np.ndarray:  # fmt: skip
    """Take the places of new episodes, of which none shares one with another; return which still wait for theirs."""
    laid = Laid(begins[new], lengths[new])
    places, whose = laid.places, np.repeat(np.arange(len(new)), lengths[new])
    last = np.empty(len(taken), dtype=np.int64)
    last[places] = whose  # of several, the last one has the place
    lost = np.zeros(len(new), dtype=bool)
    lost[whose[last[places] != whose]] = True
    taken[places[~lost[whose]]] = True
    begins[new[lost]] = -1
    return waiting[begins[waiting] < 0]


def _free(ground: Ground, taken: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return whether so many places from a place on are free and of one entity."""
    tried = Laid(begins.ravel(), np.broadcast_to(lengths, begins.shape).ravel())
    ends = np.cumsum(tried.lengths)
    busy = np.append(0, np.cumsum(taken[np.minimum(tried.places, len(taken) - 1)]))
    free = busy[ends] == busy[ends - tried.lengths]
    return (ground.left[begins] >= lengths) & free.reshape(begins.shape)


def _room(ground: Ground, taken: np.ndarray) -> np.ndarray:
    """Return how many places from each one on are free and of one entity."""
    places = np.arange(len(ground))
    stops = np.minimum.accumulate(np.where(taken, places, len(ground))[::-1])[::-1]
    return np.minimum(stops - places, ground.left)
