"""The inside of IBANs by country: what names the bank, the digits that are free, and the country's own check digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synthwright.kit.entities.digits import luhn, mod_11_10, mod_97, summed

Fix = Callable[[np.ndarray], None]
"""Writes check digits into a matrix of values."""


class Scheme(NamedTuple):
    """What stands behind the country and the check digits of an IBAN."""

    form: str
    """Fixed digits and letters, which name no bank; `#` a free digit, `?` one that `fix` writes."""
    fix: Fix | None = None

    @property
    def free(self) -> int:
        """How many digits are free."""
        return self.form.count("#")


def filled(scheme: Scheme, free: np.ndarray) -> np.ndarray:
    """Return the inside of IBANs as values (letters: A is 10).

    Args:
        scheme: the country's.
        free: random digits, at least as many a row as the form has free ones.
    """
    out = np.zeros((len(free), len(scheme.form)), dtype=np.uint8)
    places = [i for i, char in enumerate(scheme.form) if char == "#"]
    for i, char in enumerate(scheme.form):
        if char not in "#?":
            out[:, i] = int(char, 36)
    out[:, places] = free[:, : len(places)]
    if scheme.fix is not None and len(out):
        scheme.fix(out)
    return out


def _french(v: np.ndarray) -> None:
    rest = 97 - mod_97(np.concatenate([v[:, :21], np.zeros((len(v), 2), np.uint8)], axis=1))
    v[:, 21], v[:, 22] = rest // 10, rest % 10


def _belgian(v: np.ndarray) -> None:
    rest = mod_97(v[:, :10])
    rest = np.where(rest == 0, 97, rest)
    v[:, 10], v[:, 11] = rest // 10, rest % 10


def _eleven(v: np.ndarray, at: int, weights: list[int], places: slice) -> np.ndarray:
    """Write the check digit that makes the weighted sum a multiple of 11; return where there is none."""
    rest = summed(v[:, places], weights) % 11
    digit = (11 - rest) % 11
    v[:, at] = np.where(digit == 10, 0, digit)
    return np.asarray(digit == 10)


def _spanish(v: np.ndarray) -> None:
    weights = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]
    for at, said in ((8, np.pad(v[:, :8], ((0, 0), (2, 0)))), (9, v[:, 10:20])):
        digit = 11 - summed(said, weights) % 11
        v[:, at] = np.where(digit == 10, 1, np.where(digit == 11, 0, digit))


def _italian(v: np.ndarray) -> None:
    odd = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21])
    total = odd[v[:, 1::2]].sum(axis=1) + v[:, 2::2].sum(axis=1, dtype=np.int64)
    v[:, 0] = total % 26 + 10


def _two_of_97(width: int) -> Fix:
    """Return what writes two digits so that the whole leaves 1 by 97."""

    def fix(v: np.ndarray) -> None:
        rest = 98 - mod_97(np.concatenate([v[:, :width], np.zeros((len(v), 2), np.uint8)], axis=1))
        v[:, width], v[:, width + 1] = rest // 10, rest % 10

    return fix


def _norwegian(v: np.ndarray) -> None:
    none = _eleven(v, 10, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], slice(0, 10))
    v[none, 4] = 1  # a tenth of the numbers has no check digit: with another one here, they have
    v[none, 10] = (11 - summed(v[none, :10], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11


def _czech(v: np.ndarray) -> None:
    for helper in (0, 1):
        none = np.ones(len(v), dtype=bool) if helper == 0 else v[:, 10] == 10
        v[none, 11] = helper
        rest = summed(v[none, 11:], [3, 7, 9, 10, 5, 8, 4, 2, 1]) % 11
        v[none, 10] = -rest * 2 % 11  # the first digit counts six, and 2 is the inverse of 6 by 11


def _polish(v: np.ndarray) -> None:
    v[:, 7] = (10 - summed(v[:, :7], [3, 9, 7, 1, 3, 9, 7]) % 10) % 10


def _finnish(v: np.ndarray) -> None:
    v[:, 13] = luhn(v[:, :13])


def _hungarian(v: np.ndarray) -> None:
    v[:, 7] = (10 - summed(v[:, :7], [9, 7, 3, 1, 9, 7, 3]) % 10) % 10
    v[:, 23] = (10 - summed(v[:, 8:23], [9, 7, 3, 1] * 3 + [9, 7, 3]) % 10) % 10


def _croatian(v: np.ndarray) -> None:
    v[:, 6], v[:, 16] = mod_11_10(v[:, :6]), mod_11_10(v[:, 7:16])


def _estonian(v: np.ndarray) -> None:
    v[:, 15] = (10 - summed(v[:, 2:15], [7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10


SCHEMES: dict[str, Scheme] = {
    "AT": Scheme("99999" + "#" * 11),
    "BE": Scheme("999" + "#" * 7 + "??", _belgian),
    "BG": Scheme("TEST" + "0000" + "10" + "#" * 8),
    "CH": Scheme("99999" + "#" * 12),
    "CZ": Scheme("9999" + "000000" + "??" + "#" * 8, _czech),
    "DE": Scheme("9" + "#" * 17),
    "DK": Scheme("0000" + "#" * 10),
    "EE": Scheme("99" + "00" + "#" * 11 + "?", _estonian),
    "ES": Scheme("9999" + "0000" + "??" + "#" * 10, _spanish),
    "FI": Scheme("000" + "#" * 10 + "?", _finnish),
    "FR": Scheme("00000" + "00000" + "#" * 11 + "??", _french),
    "GB": Scheme("TEST" + "000000" + "#" * 8),
    "GE": Scheme("ZZ" + "#" * 16),
    "GR": Scheme("999" + "0000" + "#" * 16),
    "HR": Scheme("999999?" + "#" * 9 + "?", _croatian),
    "HU": Scheme("999" + "0000" + "?" + "#" * 15 + "?", _hungarian),
    "IE": Scheme("TEST" + "000000" + "#" * 8),
    "IL": Scheme("999" + "000" + "#" * 13),
    "IT": Scheme("?" + "99999" + "00000" + "#" * 12, _italian),
    "LT": Scheme("99999" + "#" * 11),
    "LV": Scheme("TEST" + "#" * 13),
    "NL": Scheme("TEST" + "#" * 10),
    "NO": Scheme("009#" + "?" + "#####" + "?", _norwegian),
    "PL": Scheme("999" + "0000" + "?" + "#" * 16, _polish),
    "PT": Scheme("9999" + "0000" + "#" * 11 + "??", _two_of_97(19)),
    "RO": Scheme("TEST" + "#" * 16),
    "SA": Scheme("99" + "#" * 18),
    "SE": Scheme("000" + "#" * 17),
    "SI": Scheme("99999" + "#" * 8 + "??", _two_of_97(13)),
    "SK": Scheme("9999" + "000000" + "??" + "#" * 8, _czech),
    "TR": Scheme("99999" + "0" + "#" * 16),
    "UA": Scheme("999999" + "#" * 19),
}
"""By country. Where banks are named by letters, the name is `TEST`; elsewhere a number that no bank has."""
