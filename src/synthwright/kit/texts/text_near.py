"""Which texts are nearly the same as an earlier one: candidates by MinHash, then compared word by word.

References: Broder, On the resemblance and containment of documents, SEQUENCES 1997; Leskovec, Rajaraman and Ullman,
Mining of massive datasets, chapter 3, 2020.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from synthwright.kit.rows import mix
from synthwright.kit.texts.text_words import Runs

PERMUTATIONS = 64
"""Numbers of a sketch."""
MISSED = 0.001
"""The chance that two texts which are just near enough are never compared, at most where that can be."""
NEXT = 8
"""With how many others of a group of candidates a text is compared."""
_MARGIN = 0.2
"""How far below the wanted similarity the sketch of a pair may be: four standard errors."""
_PAIRS = 1 << 17
"""Pairs that are compared at once …"""
_HASH = np.uint64(46)
"""… and how many bits of a hash stand beside a pair's number: different shingles hardly ever agree."""


class Shingles(NamedTuple):
    """The different shingles of texts, each text's rising, one text after another."""

    hashes: np.ndarray
    bounds: np.ndarray
    """Where each text begins, and behind the last."""

    @property
    def sizes(self) -> np.ndarray:
        """How many each text has."""
        return np.diff(self.bounds)

    @staticmethod
    def of(said: Runs, count: int) -> Shingles:
        """Return those of `count` texts."""
        order = np.lexsort((said.hashes, said.rows))
        rows, hashes = said.rows[order], said.hashes[order]
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
        sizes = np.bincount(rows[new], minlength=count)
        return Shingles(hashes[new], np.concatenate([[0], np.cumsum(sizes)]))

    def taken(self, which: np.ndarray) -> Shingles:
        """Return those of some texts."""
        sizes = self.sizes[which]
        return Shingles(self.hashes[spread(self.bounds[which], sizes)], np.concatenate([[0], np.cumsum(sizes)]))

    def whole(self) -> np.ndarray:
        """Return one number for each text, equal where its shingles are."""
        total = np.zeros(len(self.hashes) + 1, dtype=np.uint64)
        np.cumsum(mix(self.hashes), out=total[1:])
        return mix(total[self.bounds[1:]] - total[self.bounds[:-1]] + self.sizes.astype(np.uint64))


class Pairs(NamedTuple):
    """Texts that are alike: the earlier one, the later one, and how much."""

    earlier: np.ndarray
    later: np.ndarray
    similarity: np.ndarray


def spread(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the numbers from each start on, as many as its size, one after another."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes)


def rows_of_band(similarity: float) -> int:
    """Return how many numbers of a sketch must agree: as many as let nearly no pair of this similarity be missed."""
    for size in (16, 8, 4, 2):
        if (1 - similarity**size) ** (PERMUTATIONS // size) <= MISSED:
            return size
    return 1


def alike(shingles: Shingles, similarity: float, seed: int) -> Pairs:
    """Return the pairs of texts whose shingles are alike: their Jaccard similarity is at least nearly `similarity`.

    Args:
        shingles: of texts that all differ.
        similarity: how near they must be.
        seed: of the sketches.
    """
    band = rows_of_band(similarity)
    which, sketches = sketched(shingles, band, similarity, seed)
    earlier, later = candidates(sketches, band)
    near = np.zeros(len(earlier), dtype=bool)
    for begin in range(0, len(earlier), _PAIRS):
        part = slice(begin, begin + _PAIRS)
        near[part] = (sketches[earlier[part]] == sketches[later[part]]).mean(axis=1) >= similarity - _MARGIN
    earlier, later = which[earlier[near]], which[later[near]]
    sizes = shingles.sizes
    near = np.minimum(sizes[earlier], sizes[later]) >= (similarity - _MARGIN) * np.maximum(sizes[earlier], sizes[later])
    earlier, later = earlier[near], later[near]
    parts = [jaccard(shingles, earlier[i : i + _PAIRS], later[i : i + _PAIRS]) for i in range(0, len(earlier), _PAIRS)]
    return Pairs(earlier, later, np.concatenate(parts) if parts else np.zeros(0))


def sketched(shingles: Shingles, band: int, similarity: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which texts share a band of their sketches with any other, and their sketches."""
    from rensa import RMinHashLSH  # late: a curator that nobody asked for costs nothing

    which = np.flatnonzero(shingles.sizes)
    if not len(which):
        return which, np.zeros((0, PERMUTATIONS), dtype=np.uint32)
    index = RMinHashLSH(similarity, PERMUTATIONS, PERMUTATIONS // band)
    shared = index.query_duplicate_flags_matrix_one_shot(_matrix(shingles.taken(which), seed))
    which = which[np.asarray(shared, dtype=bool)]
    return which, digests(shingles.taken(which), seed)


def digests(shingles: Shingles, seed: int) -> np.ndarray:
    """Return the sketch of each text, a row of numbers: those of one text depend on nothing but it and the seed."""
    rows = _matrix(shingles, seed).to_rows() if len(shingles.sizes) else []
    return np.array(rows, dtype=np.uint32).reshape(len(shingles.sizes), PERMUTATIONS)


def _matrix(shingles: Shingles, seed: int) -> Any:
    from rensa import RMinHash

    bounds = shingles.bounds.astype(np.uint64)
    return RMinHash.digest_matrix_from_flat_token_hashes(shingles.hashes, bounds, PERMUTATIONS, seed)


def candidates(sketches: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows that agree in a band, each once: in large groups with the first and with their next."""
    keys = np.stack([band_key(sketches[:, i : i + band]) for i in range(0, PERMUTATIONS, band)])
    found = np.zeros(0, dtype=np.uint64)
    for i, key in enumerate(keys):
        beside = keys[(i + 1) % len(keys)]  # so that in large groups those stand together that agree in more
        order = np.lexsort((np.arange(len(key)), beside, key))
        starts = np.ones(len(key), dtype=bool)
        starts[1:] = key[order][1:] != key[order][:-1]
        group = np.cumsum(starts) - 1
        first = np.minimum.reduceat(order, np.flatnonzero(starts))[group] if len(order) else order
        pairs = [_pairs(first, order)]
        for step in range(1, NEXT + 1):
            same = group[step:] == group[:-step]
            pairs.append(_pairs(order[:-step][same], order[step:][same]))
        found = np.concatenate([found, *pairs])
        found.sort()
        found = found[np.append(True, found[1:] != found[:-1])[: len(found)]]
    return (found >> np.uint64(32)).astype(np.int64), (found & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _pairs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    low, high = np.minimum(one, other), np.maximum(one, other)
    packed = (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    return np.asarray(packed[low != high])


def band_key(part: np.ndarray) -> np.ndarray:
    """Return one number for each row of a part of some sketches, equal where all of its numbers are."""
    out = np.zeros(len(part), dtype=np.uint64)
    for i in range(part.shape[1]):
        out = mix(out * np.uint64(3) + part[:, i].astype(np.uint64))
    return out


def jaccard(shingles: Shingles, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the share of the shingles of two texts that both have, for pairs of texts: at most a quarter million."""
    if not len(one):
        return np.zeros(0)
    keys = []
    for side in (one, other):
        sizes = shingles.sizes[side]
        rows = np.repeat(np.arange(len(side), dtype=np.uint64) << _HASH, sizes)
        keys.append(rows | (shingles.hashes[spread(shingles.bounds[side], sizes)] >> (np.uint64(64) - _HASH)))
    said = np.concatenate(keys)
    said.sort()
    twice = said[1:][said[1:] == said[:-1]] >> _HASH
    both = np.bincount(twice.astype(np.int64), minlength=len(one))
    return np.asarray(both / np.maximum(shingles.sizes[one] + shingles.sizes[other] - both, 1))


def leaving(pairs: Pairs, similarity: float, stays: np.ndarray) -> np.ndarray:
    """Return booleans: which texts go, so that none is left that is near to an earlier one that stays.

    Args:
        pairs: of texts that are alike.
        similarity: from which one is too near.
        stays: which texts stay, whatever they are near to.
    """
    near = (pairs.similarity >= similarity) & ~stays[pairs.later]
    earlier, later = pairs.earlier[near], pairs.later[near]
    gone = np.zeros(len(stays), dtype=bool)
    open_ = np.zeros(len(stays), dtype=bool)
    open_[later] = True
    while open_.any():  # the earliest open text has only settled ones before it: each round settles some
        gone_now = np.zeros_like(gone)
        gone_now[later[~open_[earlier] & ~gone[earlier] & open_[later]]] = True
        waits = np.zeros_like(gone)
        waits[later[open_[earlier]]] = True
        gone |= gone_now
        open_ &= ~gone_now & waits
    return gone
