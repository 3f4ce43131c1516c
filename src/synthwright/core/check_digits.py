"""Check digits at the end of codes: of books and goods (GS1: EAN, UPC, ISBN-13), and of ISO/IEC 7812 (Luhn)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

LENGTHS = {"gs1": (8, 12, 13, 14), "luhn": range(8, 20)}
"""How many digits codes with each check digit have."""
AGREE = 0.99
"""The share of the codes whose check digit must be right."""
FEW = 30
"""Fewer codes say nothing: one in ten has the right digit by chance."""


def check_of(points: np.ndarray, weights: np.ndarray) -> str:
    """Return which check digit codes of one layout end in, or nothing.

    Args:
        points: code points, one row each; only digits and marks between them can have a check digit.
        weights: how many rows hold each code.
    """
    at = _digits(points[:1]) if len(points) >= FEW else np.array([], dtype=np.int64)
    digits = points[:, at].astype(np.int64) - ord("0")
    letters = np.delete(points, at, axis=1)
    mixed = bool(np.any((digits < 0) | (digits > 9))) or any(chr(p).isalnum() for p in np.unique(letters).tolist())
    if not digits.size or mixed or not np.ptp(digits[:, -1]):
        return ""
    for name in (n for n, lengths in LENGTHS.items() if len(at) in lengths):
        right = _check_digit(digits[:, :-1], name) == digits[:, -1]
        if weights[right].sum() >= AGREE * weights.sum():
            return name
    return ""


def checked(words: Any) -> bool:
    """Return whether distinct texts (or whole numbers) of one length end in a check digit."""
    import pyarrow.compute as pc

    texts = words.cast("large_string")
    length = pc.min_max(pc.utf8_length(texts)).as_py()
    if len(words) < FEW or length["min"] != length["max"]:
        return False
    points = np.array(texts.to_pylist(), dtype=np.str_).view(np.uint32).reshape(len(words), -1)
    return bool(check_of(points, np.ones(len(words))))


def with_check(points: np.ndarray, name: str) -> np.ndarray:
    """Return codes with the last digit that belongs to the others."""
    at = _digits(points[:1])
    out = points.copy()
    if len(at):
        out[:, at[-1]] = _check_digit(points[:, at[:-1]].astype(np.int64) - ord("0"), name) + ord("0")
    return out


def _digits(points: np.ndarray) -> np.ndarray:
    """Return where a code has digits."""
    return np.flatnonzero(np.any((points >= ord("0")) & (points <= ord("9")), axis=0))


def _check_digit(digits: np.ndarray, name: str) -> np.ndarray:
    """Return the check digit of rows of digits."""
    return BY_NAME[name](list(digits.T))


def luhn(body: Sequence[np.ndarray]) -> np.ndarray:
    """Return the check digits of ISO/IEC 7812 of columns of digits, uint8."""
    doubled = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)
    total = np.zeros(len(body[0]), dtype=np.uint16)
    for place, column in enumerate(reversed(body)):
        total += (column if place % 2 else doubled.take(column)).astype(np.uint16)
    return ((10 - total % 10) % 10).astype(np.uint8)


def gs1(body: Sequence[np.ndarray]) -> np.ndarray:
    """Return the check digits of GS1 (EAN, UPC, ISBN-13) of columns of digits, uint8."""
    total = np.zeros(len(body[0]), dtype=np.uint16)
    for place, column in enumerate(reversed(body)):
        total += np.uint16(1 if place % 2 else 3) * column.astype(np.uint16)
    return ((10 - total % 10) % 10).astype(np.uint8)


BY_NAME = {"gs1": gs1, "luhn": luhn}
