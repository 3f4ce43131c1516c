"""Weighted draws of labels at the speed of a table look-up, exact to the last bit of the random number.

A slot is drawn first: one of 65,536 or fewer equal stretches from 0 to 1. Most lie within one label; in those that do
not, the place in the stretch is drawn too (Chen and Asau 1974, On generating random variates from an empirical
distribution).
"""

from __future__ import annotations

import numpy as np

_SLOTS, _FEWEST = 65_536, 256
_ENTRIES = 2**21
"""Entries of a table of slots, at most."""


class Guide:
    """Laws over the labels 0 … `size` - 1, one or several, and draws from them.

    Args:
        weights: one law, or one a row; at least 0, and in each law one above 0.
    """

    def __init__(self, weights: np.ndarray) -> None:
        laws = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        self.laws, self.size = laws.shape
        ends = np.cumsum(laws, axis=1)
        ends /= ends[:, -1:]  # which makes the last one exactly 1, and all behind the last label with a weight
        self._last = self.size - 1 - np.argmax(laws[:, ::-1] > 0, axis=1)
        self.ends = ends
        self._flat = (ends + np.arange(self.laws)[:, None]).ravel()
        slots = _SLOTS
        while slots > _FEWEST and slots * self.laws > _ENTRIES:
            slots //= 2
        self._slots = slots
        self._table, self._mixed = self._tabled()

    def _tabled(self) -> tuple[np.ndarray, bool]:
        """Return the label of each slot of each law, -1 where there are several; and whether that is so anywhere."""
        borders = np.arange(self._slots + 1) / self._slots
        table = np.empty((self.laws, self._slots), dtype=np.int16 if self.size < 2**15 else np.int32)
        for law, ends in enumerate(self.ends):
            first = np.searchsorted(ends, borders[:-1], side="right")
            last = np.searchsorted(ends, borders[1:], side="left")
            table[law] = np.where(first == last, first, -1)
        return table.ravel(), bool((table < 0).any())

    def draw(self, rng: np.random.Generator, rows: int, which: np.ndarray | None = None) -> np.ndarray:
        """Return a label for each row, as small integers.

        Args:
            rng: the randomness.
            rows: how many.
            which: the law of each row; None: the only one.
        """
        slot = rng.integers(0, self._slots, rows, dtype=np.uint16)
        at = slot if which is None else which.astype(np.int32) * np.int32(self._slots) + slot
        labels = self._table.take(at)
        if self._mixed:
            rest = np.flatnonzero(labels < 0)
            point = (slot[rest] + rng.random(len(rest))) / self._slots
            labels[rest] = self.at(point, None if which is None else which[rest])
        return labels

    def at(self, point: np.ndarray, which: np.ndarray | None = None) -> np.ndarray:
        """Return the label at each point from 0 to 1."""
        if which is None:
            return np.minimum(np.searchsorted(self.ends[0], point, side="right"), self._last[0])
        which = which.astype(np.int64)
        found = np.searchsorted(self._flat, which + point, side="right") - which * self.size
        return np.minimum(found, self._last[which])
