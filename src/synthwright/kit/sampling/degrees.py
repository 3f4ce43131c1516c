"""How often rows of another table are pointed to: laws of weights, and draws by weights at the speed of a look-up.

The laws that depend on chance deal their weights once for a run, by keyed dice: all shards have the same favourites.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from synthwright.kit.sampling.dice import Dice, permuted

Law = Literal["zipf", "preferential"]
EXPONENTS: dict[Law, float] = {"zipf": 1.0, "preferential": 0.5}
"""Where no exponent is said. Of `preferential`: that of networks that grow by it (Barabási and Albert 1999)."""
_FEWEST, _MOST = 2**12, 2**20
"""Slots of a table, at least and at most."""


@lru_cache(maxsize=4)
def law_weights(law: Law, many: int, exponent: float, key: int) -> np.ndarray:
    """Return a weight for each of so many parents, dealt by a secret.

    `zipf`: rank r weighs r to the power of -exponent; which parent has which rank is a permutation of chance.

    `preferential`: what comes of choosing a parent in proportion to one more than how often it was chosen before. Where
    all parents are there from the start (exponent 0) that is Pólya's urn, and exactly the same as drawing by weights
    that are dealt once, exponential numbers (Blackwell and MacQueen 1973, by de Finetti's theorem): shards need not
    know of each other. Parents that came one after the other have more the older they are: of age a, exp(exponent × a)
    times an exponential number in the limit, and ages are exponential numbers, too (Yule 1925, Simon 1955). So the
    weight is E × U to the power of -exponent, which has a tail of power 1 / exponent: at 0.5 the share of parents that
    were chosen k times falls with the third power of k, as in networks that grow this way.
    """
    if law == "zipf":
        ranks = permuted(np.arange(many, dtype=np.uint64), many, key) + 1.0
        return ranks**-exponent
    dice = Dice(np.arange(many, dtype=np.uint64), key)
    early, size = 1.0 - dice.uniform(), -np.log1p(-dice.uniform())
    return size * early**-exponent


class Lots:
    """Weights of the places 0, 1, 2 …, and which place each point between 0 and their sum belongs to.

    Points are looked up in a table of equal slots; those whose slot holds a border are looked for by bisection (Chen
    and Asau 1974, On generating random variates from an empirical distribution).

    Args:
        weights: at least 0, and one above 0.
    """

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights
        self.ends = np.cumsum(weights, dtype=np.float64)
        self.total = float(self.ends[-1])
        self.before = np.maximum.accumulate(np.where(weights > 0, np.arange(len(weights)), 0))
        slots = int(np.clip(2 ** int(np.ceil(np.log2(8 * len(weights)))), _FEWEST, _MOST))
        self._scale = slots / self.total
        borders = np.minimum((self.ends * self._scale).astype(np.int64), slots)
        there = np.bincount(borders, minlength=slots + 1)
        self._table = np.where(there == 0, np.cumsum(there) - there, -1).astype(np.int32)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the place of each point, int64; a place without weight has none."""
        found = self._table.take((points * self._scale).astype(np.int64)).astype(np.int64)
        rest = np.flatnonzero(found < 0)
        found[rest] = np.searchsorted(self.ends, points[rest], side="right")
        return np.minimum(found, self.before[-1])


@lru_cache(maxsize=4)
def _kept(weights: bytes) -> Lots:
    return Lots(np.frombuffer(weights))


class Targets(NamedTuple):
    """Rows that may be pointed to, in groups that stand together."""

    begins: np.ndarray
    """Where each group begins, int64; at last where the last one ends."""
    lots: Lots | None
    """How often each is pointed to; None: each alike."""

    @staticmethod
    def of(begins: np.ndarray, weights: np.ndarray | None) -> Targets:
        """Return targets with these weights, one for each from `begins[0]`, which is 0, to `begins[-1]`."""
        if weights is None or not len(weights):
            return Targets(begins, None)
        groups = len(begins) - 1
        if groups > 1:  # so that no group is too light for a float beside the others
            group = np.repeat(np.arange(groups), np.diff(begins))
            sums = np.bincount(group, weights, minlength=groups)
            weights = weights / np.where(sums > 0, sums, 1.0)[group]
        return Targets(begins, _kept(np.asarray(weights, np.float64).tobytes()))

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.begins[-1])

    @property
    def weights(self) -> np.ndarray:
        """The weight of each."""
        return np.ones(self.size) if self.lots is None else self.lots.weights

    def able(self) -> np.ndarray:
        """Return how many of each group have a weight above 0."""
        some = np.append(0, np.cumsum(self.weights > 0))
        return np.diff(some[self.begins])

    def draw(self, rng: np.random.Generator, group: np.ndarray | int, rows: int) -> np.ndarray:
        """Return a target for each of some rows, int64.

        Args:
            rng: the randomness.
            group: the group of each row, or of all; one of its targets must have a weight above 0.
            rows: how many.
        """
        first, stop = self.begins[group], self.begins[group + 1]
        if self.lots is None:
            if np.ndim(group) == 0:
                return first + rng.integers(0, stop - first, rows)
            return first + np.minimum((rng.random(rows) * (stop - first)).astype(np.int64), stop - first - 1)
        if np.ndim(group) == 0 and stop - first == self.size:
            return self.lots.at(rng.random(rows) * self.lots.total)
        low = np.where(first > 0, self.lots.ends[first - 1], 0.0)
        points = low + rng.random(rows) * (self.lots.ends[stop - 1] - low)
        return np.minimum(self.lots.at(points), self.lots.before[stop - 1])
