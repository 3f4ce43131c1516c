"""Which texts are nearest to which, by words: retrieval without a language model.

Texts are vectors of hashed words, pairs of words and pieces of words, rare ones counting more (`text_vectors`), and are
compared by cosine: a small relative of the vector space model (Salton, Wong and Yang, Communications of the ACM 18,
1975). Memory is that of a few hundred texts beside all others, never of all pairs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from synthwright.core.values import Column
from synthwright.kit.texts.text_vectors import Weights, counted, unit_rows

_CELLS = 1 << 23
"""Similarities that are held at once."""
_DIGITS = 5
"""Decimals by which similarities are told apart; of equal ones the earlier text is nearer."""


class Nearest(NamedTuple):
    """The nearest texts of each that was asked about."""

    other: np.ndarray
    """Positions among the others, a row for each text, the nearest first; -1 where there are no more."""
    similarity: np.ndarray
    """The cosine of each; 0 where there are no more."""


def nearest(
    texts: Column, others: Column, most: int, least: float, barred: list[tuple[np.ndarray, np.ndarray]]
) -> Nearest:
    """Return for each text the others that are nearest to it.

    Args:
        texts: what is asked about; nulls are near to nothing.
        others: what may be near.
        most: how many others of each text.
        least: the similarity from which another text is near.
        barred: pairs of codes, one for each text and one for each other; texts whose codes agree are left out. A
            negative code agrees with none.
    """
    most = min(most, len(others))
    found = np.full((len(texts), most), -1, dtype=np.int64)
    similarity = np.zeros((len(texts), most))
    if not most or not len(texts):
        return Nearest(found, similarity)
    asked, held = _vectors(texts, others)
    turned = held.T.tocsc()
    step = max(1, _CELLS // len(others))
    for begin in range(0, len(texts), step):
        part = slice(begin, begin + step)
        near = np.round((asked[part] @ turned).toarray().astype(np.float64), _DIGITS)
        for mine, theirs in barred:
            near[(mine[part, None] == theirs[None, :]) & (mine[part, None] >= 0)] = -1
        near[near < max(least, 10.0**-_DIGITS)] = -1
        found[part], similarity[part] = _best(near, most)
    return Nearest(np.where(similarity > 0, found, -1), np.maximum(similarity, 0))


def _vectors(texts: Column, others: Column) -> tuple[Any, Any]:
    """Return the vectors of both, weighted by how rare words are among the others."""
    counts = counted(others)
    weights = Weights.of(counts, least=1)
    return unit_rows(weights.weighted(counted(texts))), unit_rows(weights.weighted(counts))


def _best(near: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the greatest values of each row, the greatest first, the earlier one of equal ones."""
    width = near.shape[1]
    # the place breaks ties, so that neither the order of sorting nor the size of a block counts
    keyed = near * 10.0**_DIGITS * (width + 1) - np.arange(width)
    top = (
        np.argpartition(-keyed, most - 1, axis=1)[:, :most]
        if most < width
        else np.tile(np.arange(width), (len(near), 1))
    )
    order = np.argsort(-np.take_along_axis(keyed, top, axis=1), axis=1, kind="stable")
    top = np.take_along_axis(top, order, axis=1)
    return top, np.take_along_axis(near, top, axis=1)
