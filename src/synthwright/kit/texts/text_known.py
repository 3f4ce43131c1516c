"""Which texts are nearly the same as one of some known texts: an evaluation set, the examples of a prompt.

As for near-duplicates, candidates are told by MinHash and then compared word by word (`text_near`); here the known
texts are sketched once and looked up, so that what is said of a text does not depend on the other texts beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthwright.kit.rows import mix
from synthwright.kit.texts.text_near import PERMUTATIONS, Shingles, band_key, digests, jaccard, rows_of_band, spread
from synthwright.kit.texts.text_words import Words, runs

MOST = 64
"""Known texts of one kind, those that agree in a part of their sketches, with which a text is compared."""
_BLOCK = 4096
_PAIRS = 1 << 17


@dataclass(frozen=True)
class KnownTexts:
    """Known texts as sets of words, to be looked up by similarity.

    Args:
        shingles: their words, each text's once; texts with the same words count once.
        keys: for each band of their sketches the keys, rising.
        places: which text each key is of.
        similarity: from which a text is near: the share of all words that both have (Jaccard's).
        least: words below which a text is not compared.
        seed: of the sketches.
    """

    shingles: Shingles
    keys: tuple[np.ndarray, ...]
    places: tuple[np.ndarray, ...]
    similarity: float
    least: int
    seed: int

    @staticmethod
    def of(texts: list[Words], similarity: float, least: int, seed: int) -> KnownTexts:
        """Return known texts; those of fewer than `least` words are left out."""
        held = [_sets(t, least)[1] for t in texts]
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *(h.hashes for h in held)])
        sizes = np.concatenate([np.zeros(0, dtype=np.int64), *(h.sizes for h in held)])
        whole = Shingles(hashes, np.concatenate([[0], np.cumsum(sizes)]))
        once = whole.taken(np.sort(np.unique(whole.whole(), return_index=True)[1]))
        keys, places = [], []
        for key in _keys(once, similarity, seed):
            order = np.argsort(key, kind="stable")
            keys.append(key[order])
            places.append(order)
        return KnownTexts(once, tuple(keys), tuple(places), similarity, least, seed)

    def similarities(self, texts: Words) -> np.ndarray:
        """Return how near each text is to the nearest known one; 0 where that is less than near."""
        out = np.zeros(len(texts.whole))
        if not len(self.shingles.sizes):
            return out
        which, asked = _sets(texts, self.least)
        for begin in range(0, len(which), _BLOCK):
            rows = np.arange(begin, min(begin + _BLOCK, len(which)))
            out[which[rows]] = self._block(asked.taken(rows))
        return np.where(out >= self.similarity, out, 0.0)

    def _block(self, asked: Shingles) -> np.ndarray:
        """Return how near some texts are to the nearest of those that share a part of their sketches."""
        count, known = len(asked.sizes), len(self.shingles.sizes)
        pairs = []
        for key, held, place in zip(_keys(asked, self.similarity, self.seed), self.keys, self.places, strict=True):
            low = np.searchsorted(held, key)
            many = np.minimum(np.searchsorted(held, key, side="right") - low, MOST)
            pairs.append(np.repeat(np.arange(count), many) * known + place[spread(low, many)])
        both = np.unique(np.concatenate(pairs))
        mine, other = both // known, both % known
        small = np.minimum(asked.sizes[mine], self.shingles.sizes[other])
        near = small >= self.similarity * np.maximum(asked.sizes[mine], self.shingles.sizes[other])
        mine, other = mine[near], other[near]
        out = np.zeros(count)
        for begin in range(0, len(mine), _PAIRS):
            one, two = mine[begin : begin + _PAIRS], other[begin : begin + _PAIRS]
            there, place = np.unique(two, return_inverse=True)
            np.maximum.at(out, one, jaccard(_beside(asked, self.shingles.taken(there)), one, count + place))
        return out


def _sets(texts: Words, least: int) -> tuple[np.ndarray, Shingles]:
    """Return which texts have enough words, and the different words of each of these."""
    enough = np.flatnonzero(texts.counts >= max(least, 1))
    return enough, Shingles.of(runs(texts.taken(enough), 1), len(enough))


def _keys(held: Shingles, similarity: float, seed: int) -> list[np.ndarray]:
    """Return the keys of every band of the sketches of texts."""
    size = rows_of_band(similarity)
    matrix = digests(held, seed)
    return [mix(band_key(matrix[:, i : i + size]) + np.uint64(i)) for i in range(0, PERMUTATIONS, size)]


def _beside(one: Shingles, other: Shingles) -> Shingles:
    """Return the texts of one and then those of another as one."""
    return Shingles(np.concatenate([one.hashes, other.hashes]),
                    np.concatenate([one.bounds, one.bounds[-1] + other.bounds[1:]]))  # fmt: skip
