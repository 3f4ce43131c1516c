"""Hands of cards: different cards for each row, each card about equally often."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from synthwright.kit.sampling.dealing import dealt


@pytest.mark.parametrize(("size", "hand"), [(1, 3), (3, 3), (10, 3), (100, 7), (5, 2)])
def test_cards_come_equally_often(size: int, hand: int) -> None:
    """No hand holds a card twice; whole decks are dealt, so that cards come equally often but for what is left over."""
    found = dealt(np.arange(600), size, hand, 5)
    width = min(size, hand)
    assert found.shape == (600, width)
    assert all(len(set(row)) == width for row in found.tolist())
    counts = np.bincount(found.ravel(), minlength=size)
    assert len(counts) == size
    most = 1 if size % width == 0 else 0.45 * counts.mean()
    assert counts.max() - counts.min() <= most


def test_orders_and_combinations_differ() -> None:
    """Where all cards are in every hand, their order differs; else the hands do, and with another key all of it."""
    orders = Counter(map(tuple, dealt(np.arange(600), 3, 3, 1).tolist()))
    assert len(orders) == 6
    assert max(orders.values()) < 140
    hands = {tuple(sorted(row)) for row in dealt(np.arange(600), 10, 3, 1).tolist()}
    assert len(hands) > 110  # of 120
    assert (dealt(np.arange(50), 10, 3, 1) != dealt(np.arange(50), 10, 3, 2)).any()


def test_a_hand_follows_from_the_number_alone() -> None:
    """Which rows are asked for with it, and in which order, does not matter."""
    whole = dealt(np.arange(40), 11, 3, 9)
    some = np.array([31, 4, 17])
    assert (dealt(some, 11, 3, 9) == whole[some]).all()


def test_nothing_to_deal() -> None:
    """No cards and no rows are empty hands."""
    assert dealt(np.arange(4), 0, 3, 1).shape == (4, 0)
    assert dealt(np.arange(0), 5, 3, 1).shape == (0, 3)
