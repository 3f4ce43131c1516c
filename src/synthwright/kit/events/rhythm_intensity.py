"""How much happens when: an intensity that is constant in each of many cells of time, what it adds up to, the way back.

Amounts are counted in *mean days*: where every day is like the next, a day is one; of an ordinary week, all seven days
together are seven, however unlike each other they are. So `3 * mass` is how many come between two instants, where
three come on a mean day; and the instants of equal amounts are as often as the rhythm says.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

_ROUNDS = 4
"""Steps that are gone one by one before the rest is searched for."""


class Ladder:
    """Finds on which of many ascending steps numbers stand, by a table of where to begin.

    Args:
        steps: at least two, each above the one before.
    """

    def __init__(self, steps: np.ndarray) -> None:
        self._steps, self._first = steps, steps[0]
        self._next = steps[1:]
        slots = 1 << int(np.ceil(np.log2(2 * len(steps))))
        self._scale = slots / float(steps[-1] - steps[0])
        borders = np.arange(slots + 1) / self._scale * (1 - 1e-12)  # rounding may not begin above a number
        self._table = np.maximum(np.searchsorted(steps - steps[0], borders, side="right") - 1, 0).astype(np.int32)

    def find(self, numbers: np.ndarray) -> np.ndarray:
        """Return the last step that is not above each number; numbers lie from the first step to below the last."""
        if len(self._next) == 1:
            return np.zeros(len(numbers), dtype=np.int32)
        at = self._table.take(((numbers - self._first) * self._scale).astype(np.int32))
        behind = np.flatnonzero(self._next.take(at) <= numbers)
        for _ in range(_ROUNDS):
            if not len(behind):
                return at
            at[behind] += 1
            behind = behind[self._next.take(at[behind]) <= numbers[behind]]
        at[behind] = np.searchsorted(self._next, numbers[behind], side="right")
        return at


class Intensity:
    """Amounts in cells of time that follow each other.

    Args:
        edges: where cells begin, and the end of the last: int64 microseconds since 1970, ascending.
        masses: how much is in each cell, in mean days; not negative.
    """

    def __init__(self, edges: np.ndarray, masses: np.ndarray) -> None:
        self.edges, self.masses = edges, masses
        self._before = np.append(0.0, np.cumsum(masses))
        self._slope = masses / np.diff(edges)

    @property
    def total(self) -> float:
        """How much there is in all."""
        return float(self._before[-1])

    @cached_property
    def _in_time(self) -> Ladder:
        return Ladder(self.edges)

    def _cell(self, instants: np.ndarray) -> np.ndarray:
        return self._in_time.find(np.clip(instants, self.edges[0], self.edges[-1] - 1))

    def before(self, instants: np.ndarray) -> np.ndarray:
        """Return how much there is before instants; all of it where they are behind the last cell."""
        at = self._cell(instants)
        inside = np.clip(instants, self.edges[0], self.edges[-1]) - self.edges.take(at)
        return self._before.take(at) + inside * self._slope.take(at)

    def mass(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return how much there is from instants to later ones; 0 where these are not later."""
        return np.maximum(self.before(high) - self.before(low), 0.0)

    def open(self, instants: np.ndarray) -> np.ndarray:
        """Return whether anything can happen at instants."""
        inside = (instants >= self.edges[0]) & (instants < self.edges[-1])
        return inside if (self.masses > 0).all() else inside & (self.masses.take(self._cell(instants)) > 0)

    @cached_property
    def _kept(self) -> tuple[Ladder, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the way back needs of the cells in which something can happen."""
        kept = np.flatnonzero(np.diff(self._before) > 0)
        steps = np.append(self._before[kept], self._before[-1])
        width = np.diff(self.edges)[kept]
        return Ladder(steps), steps, self.edges[kept], width / np.diff(steps), width - 1

    def instants(self, amounts: np.ndarray) -> np.ndarray:
        """Return at which instants so much has happened: the way back of `before`.

        Args:
            amounts: from 0 to below `total`, which is above 0.
        """
        ladder, steps, begins, pace, last = self._kept
        amounts = np.clip(amounts, 0.0, np.nextafter(steps[-1], 0.0))  # sums may be rounded differently
        at = ladder.find(amounts)
        inside = ((amounts - steps.take(at)) * pace.take(at)).astype(np.int64)
        return begins.take(at) + np.minimum(inside, last.take(at))

    def between(self, low: np.ndarray, high: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return the instants at shares of what there is between two amounts, or between two for each share."""
        return self.instants(np.clip(low + (high - low) * shares, low, np.nextafter(high, -np.inf)))
