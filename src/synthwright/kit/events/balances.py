"""Balances: what is there after each of the amounts that come and go, none of them more than there is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.kernels import kernel

LACK = {"cut": 1, "refuse": 2, "refill": 3}
"""What becomes of an amount that would lead below the floor; 0: it is taken, there is no floor."""


class Walk(NamedTuple):
    """What is asked for, row by row in order; all whole numbers of the last digit, or all floats."""

    amount: np.ndarray
    """What comes (above 0) or goes in each row."""
    begins: np.ndarray
    """Booleans: where an account's first row is, the first of all being one."""
    opening: np.ndarray
    """What is there before an account's first row; in its other rows it does not count."""
    floor: np.ndarray
    """The least that may be left; as `opening`, and no more than that."""
    level: np.ndarray
    """What is filled up to; as `opening`."""


class Walked(NamedTuple):
    """What came of it, row by row."""

    before: np.ndarray
    amount: np.ndarray
    """What came or went in truth."""
    filled: np.ndarray
    """What was filled up before it."""
    after: np.ndarray


def walked(walk: Walk, lack: int, grain: int) -> Walked:
    """Return the balances of accounts that stand one after the other.

    Balances are opening + sum of the amounts. Where amounts are cut that is a random walk reflected at the floor: with
    S the sums of the amounts that were asked for, the balance after row t is S(t) + max(opening, max over s ≤ t of
    floor - S(s)) (Lindley 1952, The theory of queues with a single server; Skorokhod 1961). Amounts that are refused,
    or filled up for, have no such form; so all are walked row by row, by one compiled loop.

    Args:
        walk: what is asked for.
        lack: one of `LACK`, or 0.
        grain: amounts that are cut, and those that are filled up, are multiples of it; 0: any number.
    """
    kind = walk.amount.dtype
    before, taken, filled, after = (np.zeros(len(walk.amount), kind) for _ in range(4))
    if len(walk.amount):
        _walk(walk, lack, kind.type(grain), Walked(before, taken, filled, after))
    return Walked(before, taken, filled, after)


@kernel
def _walk(walk: Walk, lack: int, grain: float, made: Walked) -> None:
    balance, low, top = walk.opening[0], walk.floor[0], walk.level[0]
    for i in range(len(walk.amount)):
        if walk.begins[i]:
            balance, low, top = walk.opening[i], walk.floor[i], walk.level[i]
        made.before[i] = balance
        change = walk.amount[i]
        if lack > 0 and change < 0 and balance + change < low:
            if lack == 3:
                more = max(top, low - change) - balance
                if grain > 0 and more % grain > 0:
                    more += grain - more % grain
                made.filled[i] = more
                balance += more
            elif lack == 2:
                change -= change
            else:
                room = balance - low
                if grain > 0:
                    room -= room % grain
                change = -room
        made.amount[i] = change
        balance += change
        made.after[i] = balance
