"""An index of vectors, for more texts than can be compared each with each: an extra, imported late.

Hierarchical navigable small worlds (Malkov and Yashunin, IEEE Transactions on Pattern Analysis and Machine Intelligence
42, 2020), by the library usearch. The index holds vectors as whole numbers of eight bits and names candidates; how
similar these are is then told exactly, so that what is found is right and only what is missed is not. On one thread the
same vectors, added in the same order, give the same index.
"""

from __future__ import annotations

import numpy as np
from usearch import index as usearch

_CANDIDATES = 8
_LINKS, _WIDTH = 16, 64
"""Links of a vector to its neighbours, and how many candidates are followed while adding and looking."""


class Index:
    """Finds the most similar one of the texts that were added (`text_similar.Finder`).

    Args:
        vectors: of all texts, a row of length 1 for each.
        least: the cosine below which texts are not alike.
    """

    def __init__(self, vectors: np.ndarray, least: float) -> None:
        self.vectors, self.least = vectors, least
        self.index = usearch.Index(ndim=vectors.shape[1], metric="cos", dtype="i8", connectivity=_LINKS,
                                   expansion_add=_WIDTH, expansion_search=_WIDTH)  # fmt: skip

    def add(self, which: np.ndarray) -> None:
        """Add texts, by position; those whose vector has no length are near to nothing."""
        which = which[self.vectors[which].any(axis=1)]
        if len(which):
            self.index.add(which.astype(np.uint64), self.vectors[which], threads=1)

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Return how similar the most similar one is to each of some texts; 0 where that is too little."""
        if not (len(rows) and len(self.index)):
            return np.zeros(len(rows))
        found = self.index.search(self.vectors[rows], _CANDIDATES, threads=1)
        keys = np.reshape(found.keys, (len(rows), -1)).astype(np.int64)
        there = np.arange(keys.shape[1]) < np.reshape(found.counts, (-1, 1))
        others = self.vectors[np.where(there, keys, 0)]
        similarity = np.einsum("ij,ikj->ik", self.vectors[rows], others)
        best = np.where(there, similarity, 0).max(axis=1)
        return np.where(best >= self.least, best, 0.0)
