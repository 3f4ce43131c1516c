"""Hands of cards: a few different things for each row, so that over many rows each comes about equally often."""

from __future__ import annotations

import numpy as np

from synthwright.kit.sampling.dice import Dice

_CELLS = 1 << 20
"""Cards of all decks that are shuffled at once."""


def dealt(numbers: np.ndarray, size: int, hand: int, key: int) -> np.ndarray:
    """Return `hand` different numbers below `size` for each row, in a random order: fewer where there are not so many.

    Rows are dealt from shuffled decks until a deck has too few cards left. A row's hand follows from its number and
    the key alone; rows that count upwards share decks, so that among them no card comes much oftener than another.

    Args:
        numbers: of the rows, integers from 0.
        size: how many cards there are.
        hand: how many a row gets.
        key: the secret; other keys give unrelated hands.
    """
    hand = min(hand, size)
    out = np.zeros((len(numbers), hand), dtype=np.int64)
    if not hand or not len(numbers):
        return out
    deck, place = np.divmod(numbers.astype(np.uint64), np.uint64(size // hand))
    decks, which = np.unique(deck, return_inverse=True)
    cards = place.astype(np.int64)[:, None] * hand + np.arange(hand)
    width = max(1, _CELLS // size)
    for begin in range(0, len(decks), width):
        some = decks[begin : begin + width]
        cells = (some[:, None] * np.uint64(size) + np.arange(size, dtype=np.uint64)).ravel()
        order = np.argsort(Dice(cells, key).words().reshape(len(some), size), axis=1, kind="stable")
        mine = np.flatnonzero((which >= begin) & (which < begin + len(some)))
        out[mine] = np.take_along_axis(order[which[mine] - begin], cards[mine], axis=1)
    return out
