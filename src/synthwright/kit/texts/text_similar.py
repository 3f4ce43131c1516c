"""Which texts say what an earlier one says: the first of those that are alike stays.

Memory is that of a few hundred texts beside all others, never of all pairs. Sparse vectors are compared exactly but
seldom: the commonest features of a text are left out as long as they alone could not make it alike (Bayardo, Ma and
Srikant, Scaling up all pairs similarity search, WWW 2007).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import numpy as np

from synthwright.core.context import unheard

_AT_ONCE = 512
_CELLS = 1 << 24
_PAIRS = 1 << 16
_HEADROOM = 0.25
"""How far the commonest features stay below the threshold: less leaves more pairs to look at, more takes longer."""
_EPSILON = 1e-5
EXACT = 100_000
"""Vectors of few dimensions up to which each is compared with each; among more an index looks, where there is one."""


class Pairs(NamedTuple):
    """Texts that are alike: positions among those asked about, among the others, and how much."""

    row: np.ndarray
    other: np.ndarray
    similarity: np.ndarray


class Finder(Protocol):
    """Finds the most similar one of the texts that were added."""

    def add(self, which: np.ndarray) -> None:
        """Add texts, by position."""

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Return how similar the most similar one is to each of some texts; 0 where that is too little."""


class Vectors(ABC):
    """Vectors of texts, each of length 1, or of none."""

    def finder(self, many: int, threshold: float) -> Finder:
        """Return what finds texts at least so similar among those that are added, `many` at most."""
        return AllPairs(self, threshold)

    @abstractmethod
    def alike(self, rows: np.ndarray, others: np.ndarray, threshold: float) -> Pairs:
        """Return which of `rows` are at least so similar to which of `others`: positions in both lists."""


class AllPairs:
    """Compares each text with all that were added."""

    def __init__(self, vectors: Vectors, threshold: float) -> None:
        self.vectors, self.threshold = vectors, threshold
        self.held = np.zeros(0, dtype=np.int64)

    def add(self, which: np.ndarray) -> None:
        """Add texts, by position."""
        self.held = np.concatenate([self.held, which])

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Return how similar the most similar one is to each; 0 where that is less than the threshold."""
        out = np.zeros(len(rows))
        pairs = self.vectors.alike(rows, self.held, self.threshold)
        np.maximum.at(out, pairs.row, pairs.similarity)
        return out


class Dense(Vectors):
    """Vectors of few dimensions.

    Args:
        vectors: a row for each text.
        note: takes a sentence that readers of the report must know.
    """

    def __init__(self, vectors: np.ndarray, note: Callable[[str], None] = unheard) -> None:
        self.vectors, self.note = vectors, note

    def finder(self, many: int, threshold: float) -> Finder:
        """Return what finds texts among those that are added: by an index, where they are many and there is one."""
        if many <= EXACT:
            return super().finder(many, threshold)
        if find_spec("usearch") is None:
            self.note(f"{many:,} texts were compared each with each, exactly; for so many an index is quicker: "
                      "pip install 'synthwright[neighbours]'")  # fmt: skip
            return super().finder(many, threshold)
        from synthwright.kit.texts.text_index import Index

        self.note(f"texts that are alike were looked for among {many:,} by an index, which may miss a few")
        return Index(self.vectors, threshold - _EPSILON)

    def alike(self, rows: np.ndarray, others: np.ndarray, threshold: float) -> Pairs:
        """Return pairs by the product of all with all."""
        found = []
        width = max(1, _CELLS // max(1, len(rows)))
        for begin in range(0, len(others), width):
            near = self.vectors[rows] @ self.vectors[others[begin : begin + width]].T
            row, other = np.nonzero(near >= threshold - _EPSILON)
            found.append(Pairs(row, other + begin, near[row, other]))
        return _together(found)


class Sparse(Vectors):
    """Vectors of many dimensions, of which each text has few.

    Args:
        vectors: of length 1, a sparse matrix with a row for each text.
        threshold: the least similarity that will be asked for.
    """

    def __init__(self, vectors: Any, threshold: float) -> None:
        common = np.bincount(vectors.indices, minlength=vectors.shape[1])
        held = vectors[:, np.argsort(-common, kind="stable")].tocsr()
        held.sort_indices()
        size = np.concatenate([[0.0], np.cumsum(held.data.astype(np.float64) ** 2)])
        whose = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
        before = size[1:] - size[held.indptr[whose]]  # the squares up to here, of the same text
        head = before <= max(0.0, threshold - _HEADROOM) ** 2
        self.left_out = np.sqrt(np.bincount(whose, weights=np.where(head, held.data**2, 0), minlength=held.shape[0]))
        self.tails = held.copy()
        self.tails.data = np.where(head, 0, held.data).astype(np.float32)
        self.tails.eliminate_zeros()
        self.vectors = held

    def alike(self, rows: np.ndarray, others: np.ndarray, threshold: float) -> Pairs:
        """Return pairs: those that may be alike by their rarer features, compared whole."""
        near = (self.tails[rows] @ self.vectors[others].T).tocoo()
        row, other = near.coords
        may = near.data >= threshold - self.left_out[rows[row]] - _EPSILON
        row, other = row[may], other[may]
        found = []
        for begin in range(0, len(row), _PAIRS):
            part = slice(begin, begin + _PAIRS)
            both = self.vectors[rows[row[part]]].multiply(self.vectors[others[other[part]]])
            similarity = np.asarray(both.sum(axis=1)).ravel()
            good = similarity >= threshold - _EPSILON
            found.append(Pairs(row[part][good], other[part][good], similarity[good]))
        return _together(found)


def said_before(vectors: Vectors, which: np.ndarray, stay: np.ndarray, threshold: float) -> np.ndarray:
    """Return for each text how similar it is to the most similar earlier one that stays; 0 where that is too little.

    Args:
        vectors: of all texts.
        which: the texts in question, in order, by position among all.
        stay: booleans, one for each of all: texts that stay whatever they say.
        threshold: the similarity from which a text goes.
    """
    out = np.zeros(len(stay))
    kept = vectors.finder(len(which), threshold)
    kept.add(which[stay[which]])
    asked = which[~stay[which]]
    for begin in range(0, len(asked), _AT_ONCE):
        block = asked[begin : begin + _AT_ONCE]
        out[block] = kept.nearest(block)
        inside = vectors.alike(block, block, threshold)
        earlier = inside.other < inside.row
        first = _first(out[block] == 0, inside.row[earlier], inside.other[earlier])
        good = first[inside.other] & earlier
        np.maximum.at(out, block[inside.row[good]], inside.similarity[good])
        kept.add(block[first])
    return out[which]


def _first(may: np.ndarray, row: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return which of the texts that may stay do, one after another: those to which no earlier one that stays is alike.

    Args:
        may: booleans.
        row: texts that are alike to an earlier one.
        other: those earlier ones.
    """
    open_, stays = may.copy(), np.zeros(len(may), dtype=bool)
    while open_.any():
        waits = np.zeros(len(may), dtype=bool)
        waits[row[open_[other]]] = True
        now = open_ & ~waits  # the first that is open waits for nobody
        stays |= now
        open_ &= waits
        open_[row[stays[other]]] = False
    return stays


def _together(found: list[Pairs]) -> Pairs:
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0))
    return Pairs(*(np.concatenate(side) for side in zip(*found, strict=True)))
