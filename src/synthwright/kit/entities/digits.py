"""Texts of fixed width made of digits and letters, whole columns at once, with the check digits of the standards.

A column is a matrix of bytes, one row of characters each; it becomes text without a copy. Digits as values (0 to 9)
and as characters are told apart: check digits are computed on values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

ZERO = np.uint8(ord("0"))
_FOURS = np.array([[v // 1000, v // 100 % 10, v // 10 % 10, v % 10] for v in range(10_000)], dtype=np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_PAIRS = np.stack([_HEX[np.arange(256) >> 4], _HEX[np.arange(256) & 15]], axis=1)


def texts(chars: np.ndarray) -> pa.Array:
    """Return rows of characters (bytes of ASCII) as a column of text."""
    rows, width = chars.shape
    held = np.ascontiguousarray(chars, dtype=np.uint8)
    ends = np.arange(rows + 1, dtype=np.int64) * width
    return pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(ends), pa.py_buffer(held)])


def random_digits(rng: np.random.Generator, rows: int, width: int) -> np.ndarray:
    """Return random digits as values: `width` of them a row."""
    fours = -(-width // 4)
    drawn = rng.integers(0, 10_000, (rows, fours), dtype=np.uint16)
    return _FOURS[drawn].reshape(rows, fours * 4)[:, :width]


def digits_of(numbers: np.ndarray, width: int) -> np.ndarray:
    """Return the last `width` digits of whole numbers from 0 upwards, as values."""
    fours = -(-width // 4)
    out = np.empty((len(numbers), fours, 4), dtype=np.uint8)
    rest = numbers.astype(np.uint64)
    for i in range(fours - 1, -1, -1):
        rest, low = np.divmod(rest, np.uint64(10_000))
        out[:, i] = _FOURS[low]
    return out.reshape(len(numbers), fours * 4)[:, fours * 4 - width :]


def hexed(values: np.ndarray) -> np.ndarray:
    """Return bytes (a matrix of them) as hexadecimal characters, two for each."""
    rows, width = values.shape
    return _PAIRS[values].reshape(rows, 2 * width)


def written(template: str, digits: np.ndarray) -> pa.Array:
    """Return a text a row: the template with the row's digits (values) where it has `#`, one after the other."""
    out = np.empty((len(digits), len(template)), dtype=np.uint8)
    out[:] = np.frombuffer(template.encode("ascii"), dtype=np.uint8)
    places = [i for i, char in enumerate(template) if char == "#"]
    out[:, places] = digits + ZERO
    return texts(out)


def put(matrix: np.ndarray, at: int, said: str) -> None:
    """Write the same digits or letters into a matrix of values (letters: A is 10), from a column on."""
    matrix[:, at : at + len(said)] = [int(c, 36) for c in said]


def characters(values: np.ndarray) -> np.ndarray:
    """Return values up to 35 as characters: digits, then capital letters."""
    return np.where(values < 10, values + ZERO, values + np.uint8(ord("A") - 10)).astype(np.uint8)


def luhn(digits: np.ndarray) -> np.ndarray:
    """Return the check digit of ISO/IEC 7812-1 for digits without it."""
    width = digits.shape[1]
    doubled = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)[digits[:, width - 1 :: -2]]
    total = doubled.sum(axis=1, dtype=np.int64) + digits[:, width - 2 :: -2].sum(axis=1, dtype=np.int64)
    if width == 1:
        total = doubled.sum(axis=1, dtype=np.int64)
    return ((10 - total % 10) % 10).astype(np.uint8)


def summed(digits: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    """Return the sum of the digits, each times its weight."""
    return digits @ np.array(weights, dtype=np.int64) if len(digits) else np.zeros(0, dtype=np.int64)


def mod_97(values: np.ndarray) -> np.ndarray:
    """Return the remainder by 97 of digits and letters (as values; a letter counts as two digits), as ISO 7064 does."""
    rest = np.zeros(len(values), dtype=np.int64)
    for column in values.T:
        scale = np.where(column > 9, 100, 10) if (column > 9).any() else 10
        rest = (rest * scale + column) % 97
    return rest


def mod_11_10(digits: np.ndarray) -> np.ndarray:
    """Return the check digit of ISO 7064 MOD 11,10 for digits without it."""
    product = np.full(len(digits), 10, dtype=np.int64)
    for column in digits.T:
        total = (product + column) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return ((11 - product) % 10).astype(np.uint8)


def ean(digits: np.ndarray) -> np.ndarray:
    """Return the check digit of GTIN numbers (EAN-13 and its kin) for digits without it."""
    width = digits.shape[1]
    total = summed(digits, [3 if (width - i) % 2 else 1 for i in range(width)])
    return ((10 - total % 10) % 10).astype(np.uint8)


def gathered(rows: int, parts: Sequence[tuple[np.ndarray, pa.Array]]) -> pa.Array:
    """Return one column from pieces of it: the places of the rows, and their values."""
    if len(parts) == 1:
        return parts[0][1]
    back = np.empty(rows, dtype=np.int64)
    back[np.concatenate([at for at, _ in parts])] = np.arange(rows)
    return pa.concat_arrays([values for _, values in parts]).take(pa.array(back))
