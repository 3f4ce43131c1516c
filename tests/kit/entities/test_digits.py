"""Texts of digits, and their check digits as python-stdnum computes them."""

from __future__ import annotations

import numpy as np
from stdnum import ean, iban, luhn
from stdnum.iso7064 import mod_11_10, mod_97_10

from synthwright.core.context import Context
from synthwright.kit.entities import digits as made


def _numbers(width: int, rows: int = 300) -> tuple[np.ndarray, list[str]]:
    digits = made.random_digits(Context(seed=width).rng, rows, width)
    return digits, made.texts(digits + made.ZERO).to_pylist()


def test_check_digits() -> None:
    """Every check digit is that of python-stdnum."""
    for width in (1, 8, 13, 15):
        digits, said = _numbers(width)
        assert made.luhn(digits).tolist() == [int(luhn.calc_check_digit(s)) for s in said]
        assert made.mod_11_10(digits).tolist() == [int(mod_11_10.calc_check_digit(s)) for s in said]
        assert made.mod_97(digits).tolist() == [mod_97_10.checksum(s) for s in said]
    digits, said = _numbers(12)
    assert made.ean(digits).tolist() == [int(ean.calc_check_digit(s)) for s in said]
    letters = np.array([[int(c, 36) for c in "TEST00000012345678GB00"]], dtype=np.uint8)
    check = 98 - int(made.mod_97(letters)[0])
    assert iban.validate(f"GB{check:02d}TEST00000012345678")


def test_digits_of_numbers() -> None:
    """Whole numbers are written with leading zeros; templates keep what stands in them."""
    numbers = np.array([0, 7, 12_345, 10**17 + 9])
    for width in (5, 6, 18):
        assert made.texts(made.digits_of(numbers, width) + made.ZERO).to_pylist() == [
            f"{n:0{width}d}"[-width:] for n in numbers.tolist()
        ]
    assert made.written("(##) #-x", np.array([[1, 2, 3]], dtype=np.uint8)).to_pylist() == ["(12) 3-x"]
    assert made.texts(made.hexed(np.array([[0, 255, 16]], dtype=np.uint8))).to_pylist() == ["00ff10"]


def test_random_digits_are_even() -> None:
    """Every digit is as likely at every place."""
    digits = made.random_digits(Context(seed=1).rng, 20_000, 6)
    counts = np.array([np.bincount(column, minlength=10) for column in digits.T])
    assert counts.min() > 1_750
    assert counts.max() < 2_250


def test_pieces_are_gathered() -> None:
    """Pieces of a column come back in the order of the rows."""
    one, two = made.texts(np.array([[97], [99]], np.uint8)), made.texts(np.array([[98]], np.uint8))
    assert made.gathered(3, [(np.array([0, 2]), one), (np.array([1]), two)]).to_pylist() == ["a", "b", "c"]
