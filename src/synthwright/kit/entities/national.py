"""Numbers by which states know people, valid in form and never anybody's: each system with the reason why.

A number is written from an index below the system's size, so that different indices give different numbers; systems
that hold a date of birth or the sex are given both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from synthwright.kit.entities.digits import ZERO, digits_of, luhn, mod_11_10, summed

_CONSONANTS = np.frombuffer(b"BCDFGLMNPRSTVZ", dtype=np.uint8)
_CHECK_ES = np.frombuffer(b"TRWAGMYFPDXBNJZSQVHLCKE", dtype=np.uint8)
_CHECK_FI = np.frombuffer(b"0123456789ABCDEFHJKLMNPRSTUVWXY", dtype=np.uint8)
_MONTHS_IT = np.frombuffer(b"ABCDEHLMPRST", dtype=np.uint8)
_UNUSED_GB = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_ODD_IT = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23])


class Birth(NamedTuple):
    """When somebody was born, and the sex: 0 women, 1 men."""

    year: np.ndarray
    month: np.ndarray
    day: np.ndarray
    sex: np.ndarray


class System(NamedTuple):
    """A system of national numbers."""

    country: str
    size: int
    """How many indices there are."""
    write: Callable[[np.ndarray, Birth], np.ndarray]
    """Returns a matrix of characters for indices and births."""
    dated: bool
    """Whether the number holds the date of birth."""
    split: str
    """How it is written apart: `#` a character, anything else as it stands."""
    why: str
    """Why it is nobody's."""


def _chars(*parts: np.ndarray | str) -> np.ndarray:
    """Return parts side by side: digits as values, characters as they are (of type `S`-like bytes above 9), texts."""
    rows = next(len(p) for p in parts if isinstance(p, np.ndarray))
    said = [np.tile(np.frombuffer(p.encode(), dtype=np.uint8), (rows, 1)) if isinstance(p, str) else p for p in parts]
    grid = np.concatenate([p[:, None] if p.ndim == 1 else p for p in said], axis=1)
    return np.where(grid < 10, grid + ZERO, grid).astype(np.uint8)


def _us(at: np.ndarray, _: Birth) -> np.ndarray:
    rest, serial = np.divmod(at, 9_999)
    area, group = np.divmod(rest, 49)
    return _chars(digits_of(900 + area, 3), digits_of(group + 1, 2), digits_of(serial + 1, 4))


def _nino(at: np.ndarray, _: Birth) -> np.ndarray:
    rest, serial = np.divmod(at, 10**6)
    prefix, suffix = np.divmod(rest, 4)
    pairs = np.array([list(pair.encode()) for pair in _UNUSED_GB], dtype=np.uint8)
    return _chars(pairs[prefix], digits_of(serial, 6), (suffix + ord("A")).astype(np.uint8))


@cache
def _nhs_serials() -> np.ndarray:
    digits = np.concatenate([np.full((10**6, 3), 9, np.uint8), digits_of(np.arange(10**6), 6)], axis=1)
    return np.flatnonzero(summed(digits, range(10, 1, -1)) % 11 != 1)


def _nhs(at: np.ndarray, _: Birth) -> np.ndarray:
    digits = np.concatenate([np.full((len(at), 3), 9, np.uint8), digits_of(_nhs_serials()[at], 6)], axis=1)
    return _chars(digits, ((11 - summed(digits, range(10, 1, -1)) % 11) % 11).astype(np.uint8))


@cache
def _bsn_serials() -> np.ndarray:
    digits = digits_of(999 * 10**6 + np.arange(10**6), 9)
    return np.flatnonzero(summed(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0)


def _bsn(at: np.ndarray, _: Birth) -> np.ndarray:
    return _chars(digits_of(999 * 10**6 + _bsn_serials()[at], 9))


def _german(at: np.ndarray, _: Birth) -> np.ndarray:
    """Write ten digits of which one stands twice and the others once or not at all, and the check digit."""
    code, pair = np.divmod(at, 45)
    pairs = np.array([(i, j) for j in range(1, 10) for i in range(j)])
    left = np.tile(np.arange(1, 10, dtype=np.uint8), (len(at), 1))
    digits = np.zeros((len(at), 10), dtype=np.uint8)
    rows = np.arange(len(at))
    for i in range(1, 10):  # a permutation of 1 to 9, by its number
        code, which = np.divmod(code, 10 - i)
        digits[:, i] = left[rows, which]
        left[rows, which] = left[:, 9 - i]
    digits[rows, pairs[pair, 1]] = digits[rows, pairs[pair, 0]]
    return _chars(digits, mod_11_10(digits))


def _french(at: np.ndarray, born: Birth) -> np.ndarray:
    commune, order = np.divmod(at, 999)
    sex = np.where(born.sex == 1, 1, 2)
    number = sex * 10**12 + born.year % 100 * 10**10 + born.month * 10**8 + (commune + 1) * 10**3 + order + 1
    return _chars(digits_of(number, 13), digits_of(97 - number % 97, 2))


def _spanish(at: np.ndarray, _: Birth) -> np.ndarray:
    number = 99 * 10**6 + at
    return _chars(digits_of(number, 8), _CHECK_ES[number % 23])


def _italian(at: np.ndarray, born: Birth) -> np.ndarray:
    letters = np.empty((len(at), 6), dtype=np.uint8)
    rest = at
    for i in range(6):
        rest, which = np.divmod(rest, len(_CONSONANTS))
        letters[:, i] = _CONSONANTS[which]
    day = born.day + np.where(born.sex == 1, 0, 40)
    said = _chars(letters, digits_of(born.year % 100, 2), _MONTHS_IT[born.month - 1], digits_of(day, 2), "Z999")
    value = np.where(said >= ord("A"), said - ord("A"), said - ZERO).astype(np.int64)
    total = _ODD_IT[value[:, 0::2]].sum(axis=1) + value[:, 1::2].sum(axis=1)
    return _chars(said, (total % 26 + ord("A")).astype(np.uint8))


def _polish(at: np.ndarray, born: Birth) -> np.ndarray:
    date = born.year % 100 * 10**4 + (born.month + 60) * 100 + born.day
    digits = digits_of(date * 10**4 + at // 5 * 10 + at % 5 * 2 + born.sex, 10)
    check = (10 - summed(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10
    return _chars(digits, check.astype(np.uint8))


def _norwegian(at: np.ndarray, born: Birth) -> np.ndarray:
    date = born.day * 10**4 + (born.month + 80) * 100 + born.year % 100
    # the first of the three digits behind the date tells the century, the last the sex
    least = np.where(born.year >= 2000, 500, 0)
    serial = at % 250 * 2 + born.sex
    check = np.zeros((len(at), 2), dtype=np.int64)
    todo = np.arange(len(at))
    digits = digits_of(date * 1000 + least + serial, 9)
    while len(todo):  # one number in six has no check digits, and the next one is taken
        part = digits_of(date[todo] * 1000 + least[todo] + serial[todo], 9)
        one = (11 - summed(part, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11
        two = (11 - (summed(part, [5, 4, 3, 2, 7, 6, 5, 4, 3]) + 2 * one) % 11) % 11
        digits[todo], check[todo] = part, np.stack([one, two], axis=1)
        todo = todo[(one == 10) | (two == 10)]
        serial[todo] = (serial[todo] + 2) % 500
    return _chars(digits, check.astype(np.uint8))


def _finnish(at: np.ndarray, born: Birth) -> np.ndarray:
    date = born.day * 10**4 + born.month * 100 + born.year % 100
    serial = 900 + at * 2 + born.sex
    sign = np.where(born.year >= 2000, ord("A"), ord("-")).astype(np.uint8)
    return _chars(digits_of(date, 6), sign, digits_of(serial, 3), _CHECK_FI[(date * 1000 + serial) % 31])


def _canadian(at: np.ndarray, _: Birth) -> np.ndarray:
    digits = digits_of(at, 8)
    return _chars(digits, luhn(digits))


@cache
def _verhoeff() -> tuple[np.ndarray, np.ndarray]:
    """Return the tables of Verhoeff's check digit: the group of the pentagon, and the permutation by place."""
    five = np.arange(10)
    turn, flip = five % 5, five // 5
    group = np.array([[(turn[a] + (turn[b] if flip[a] == 0 else -turn[b])) % 5 + 5 * (flip[a] ^ flip[b])
                       for b in five] for a in five])  # fmt: skip
    moved = [five, np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])]
    while len(moved) < 8:
        moved.append(moved[1][moved[-1]])
    return group, np.array(moved)


def _indian(at: np.ndarray, _: Birth) -> np.ndarray:
    digits = digits_of(9999 * 10**7 + at, 11)
    group, moved = _verhoeff()
    check = np.zeros(len(at), dtype=np.int64)
    for i, column in enumerate(digits.T[::-1], 1):
        check = group[check, moved[i % 8][column]]
    inverse = np.array([int(np.flatnonzero(group[v] == 0)[0]) for v in range(10)])
    return _chars(digits, inverse[check].astype(np.uint8))


SYSTEMS: dict[str, System] = {
    "US": System("US", 100 * 49 * 9_999, _us, dated=False, split="###-##-####",
                 why="social security numbers that begin with 9 are never issued; the middle digits are none of the "
                     "tax numbers (ITIN) that do"),
    "GB": System("GB", 7 * 4 * 10**6, _nino, dated=False, split="## ## ## ## #",
                 why="national insurance numbers with the prefixes BG, GB, KN, NK, NT, TN and ZZ are not used"),
    "GB-NHS": System("GB", 909_090, _nhs, dated=False, split="### ### ####",
                     why="NHS numbers that begin with 999 are kept for tests"),
    "DE": System("DE", 362_880 * 45, _german, dated=False, split="## ### ### ###",
                 why="tax identification numbers that begin with 0 are kept for tests"),
    "FR": System("FR", 990 * 999, _french, dated=True, split="# ## ## ## ### ### ##",
                 why="there is no department 00"),
    "ES": System("ES", 10**6, _spanish, dated=False, split="#########",
                 why="identity numbers of 99 million and more are not issued, and used for tests"),
    "IT": System("IT", len(_CONSONANTS) ** 6, _italian, dated=True, split="################",
                 why="no place of birth has the code Z999; the first six letters are random"),
    "NL": System("NL", 90_000, _bsn, dated=False, split="#########",
                 why="citizen service numbers that begin with 999 are kept for tests"),
    "PL": System("PL", 5_000, _polish, dated=True, split="###########",
                 why="the month says that the birth is in the years from 2200 on"),
    "NO": System("NO", 250, _norwegian, dated=True, split="###### #####",
                 why="months of synthetic people are 80 higher, as the tax administration's test people have them"),
    "FI": System("FI", 50, _finnish, dated=True, split="###########",
                 why="the numbers 900 to 999 behind the date are never registered"),
    "CA": System("CA", 10**7, _canadian, dated=False, split="### ### ###",
                 why="social insurance numbers that begin with 0 are not issued"),
    "IN": System("IN", 10**7, _indian, dated=False, split="#### #### ####",
                 why="Aadhaar numbers that begin with 9999 are kept for tests"),
}  # fmt: skip
"""By name: the country, or the country and what it is called where there are two."""
