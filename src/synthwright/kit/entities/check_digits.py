"""Check digits, computed for whole columns: Luhn, EAN-13, ISBN-13, Verhoeff, ISO 7064 Mod 97-10.

Bodies come as a list of columns, one for each character from left to right, uint8: digits 0 to 9, letters A to Z as
10 to 35. What comes back is the columns of the check digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase, digits

import numpy as np

from synthwright.core.check_digits import gs1, luhn

Columns = Sequence[np.ndarray]


@dataclass(frozen=True)
class Algorithm:
    """A way to compute check digits."""

    compute: Callable[[Columns], list[np.ndarray]]
    """Makes the check digits of bodies."""
    length: int = 1
    """How many check digits there are."""
    reads: str = digits
    """The characters that it can read; others, such as dashes, it passes over."""
    body: int | None = None
    """How many characters it wants before the check digit; nothing: as many as there are."""
    begins: tuple[str, ...] = ()
    """What bodies must begin with; nothing: anything."""


def _luhn(body: Columns) -> list[np.ndarray]:
    return [luhn(body)]


def _ean(body: Columns) -> list[np.ndarray]:
    return [gs1(body)]


def _verhoeff(body: Columns) -> list[np.ndarray]:
    five = np.arange(5)
    product = np.empty((10, 10), dtype=np.uint8)  # of the symmetries of a pentagon: five turns, five reflections
    for i in five:
        product[i, :5], product[i, 5:] = (i + five) % 5, (i + five) % 5 + 5
        product[5 + i, :5], product[5 + i, 5:] = (i - five) % 5 + 5, (i - five) % 5
    inverse = np.argmin(product, axis=1).astype(np.uint8)
    moved = np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4], dtype=np.uint8)
    turns = [np.arange(10, dtype=np.uint8)]
    for _ in range(7):
        turns.append(turns[-1][moved])
    state = np.zeros(len(body[0]), dtype=np.uint8)
    for place, column in enumerate(reversed(body), 1):
        state = product.ravel().take(state * np.uint8(10) + turns[place % 8].take(column))
    return [inverse.take(state)]


def _mod97(body: Columns) -> list[np.ndarray]:
    rest = np.zeros(len(body[0]), dtype=np.uint16)
    for column in body:
        rest = (rest * np.where(column > 9, np.uint16(100), np.uint16(10)) + column) % np.uint16(97)
    check = 98 - rest * np.uint16(100) % np.uint16(97)
    return [(check // 10).astype(np.uint8), (check % 10).astype(np.uint8)]


ALGORITHMS: Mapping[str, Algorithm] = {
    "luhn": Algorithm(_luhn),
    "ean13": Algorithm(_ean, body=12),
    "isbn13": Algorithm(_ean, body=12, begins=("978", "979")),
    "verhoeff": Algorithm(_verhoeff),
    "mod97": Algorithm(_mod97, length=2, reads=digits + ascii_uppercase),
}
"""Every algorithm by its name."""
