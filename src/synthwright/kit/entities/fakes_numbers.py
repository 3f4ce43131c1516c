"""Numbers that identify people, made anew: valid in form, and from ranges that belong to nobody.

Card numbers are from ranges kept for tests, account numbers name banks that do not exist, network addresses are private
or kept for documentation. Telephone numbers: see `kit.entities.fakes_phones`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from synthwright.kit.coding.patterns import Pattern, padded
from synthwright.kit.entities.fakes_words import maker_of
from synthwright.kit.sampling.dice import Dice, permuted

CARDS = {13: "422222", 14: "305693", 15: "378282", 16: "400000", 17: "400000", 18: "400000", 19: "400000"}
"""Beginnings of card numbers that are kept for tests, by the number's length."""
BANKS = {"DE": ("9", 17), "GB": ("TEST000000", 8), "NL": ("TEST", 10), "AT": ("99999", 11), "CH": ("99999", 12),
         "SE": ("000", 17), "DK": ("0000", 10), "IE": ("TEST000000", 8), "PL": ("99999999", 16),
         "CZ": ("9999", 16), "SK": ("9999", 16), "HU": ("999", 21), "RO": ("TEST", 16)}  # fmt: skip
"""Countries: the beginning of account numbers that names no bank, and how many digits follow."""
POOL = 3_000
"""How many national numbers of a system are drawn from."""
_TRIES, _FEWEST = 40_000, 5
_FROM_FAKER = {
    "Italian tax codes": ("it_IT", "ssn"), "French social security numbers": ("fr_FR", "ssn"),
    "Chinese identity cards": ("zh_CN", "ssn"), "Polish personal numbers": ("pl_PL", "pesel"),
    "Spanish identity cards": ("es_ES", "nif"), "Spanish foreigners' numbers": ("es_ES", "nie"),
    "Belgian national numbers": ("nl_BE", "ssn"), "Swedish personal numbers": ("sv_SE", "ssn"),
    "Finnish personal codes": ("fi_FI", "ssn"), "Norwegian birth numbers": ("no_NO", "ssn"),
    "Brazilian tax numbers": ("pt_BR", "cpf"), "Chilean identity numbers": ("es_CL", "rut"),
    "Swiss insurance numbers": ("de_CH", "ssn"), "Romanian codes": ("ro_RO", "ssn"),
    "Estonian personal codes": ("et_EE", "ssn"), "Greek insurance numbers": ("el_GR", "ssn"),
    "Croatian personal numbers": ("hr_HR", "ssn"), "Korean resident numbers": ("ko_KR", "ssn"),
    "Turkish identity numbers": ("tr_TR", "ssn"), "Indian identity numbers": ("en_IN", "aadhaar_id"),
    "Mexican population registry codes": ("es_MX", "curp"), "Dutch citizen numbers": ("nl_NL", "ssn"),
    "Canadian insurance numbers": ("en_CA", "ssn"), "Israeli identity numbers": ("he_IL", "ssn"),
}  # fmt: skip
"""Systems of national numbers: the locale and the word by which Faker makes them."""


def templates(texts: Sequence[str], counts: np.ndarray, protect: int) -> list[tuple[str, float]]:
    """Return how numbers are spelled, digits as `#`, with shares: the commonest eight that enough rows share."""
    seen: Counter[str] = Counter()
    for text, rows in zip(texts, counts.tolist(), strict=True):
        spelled = re.sub(r"[0-9]", "#", text.strip())
        if spelled.count("#") >= _FEWEST and not re.search(r"[^\W\d_]", re.sub(r"(?i)ext|x", "", spelled)):
            seen[spelled] += rows
    kept = [(t, n) for t, n in seen.most_common(8) if n >= protect]
    total = sum(n for _, n in kept)
    return [(t, n / total) for t, n in kept]


def spread(numbers: np.ndarray, size: int, key: int) -> np.ndarray:
    """Return different integers for different row numbers: below `size` as long as there are enough of them."""
    found: np.ndarray = permuted(numbers % size, size, key) + numbers // size * size
    return found


def cards(numbers: np.ndarray, spelled: Sequence[tuple[str, float]], dice: Dice, key: int) -> np.ndarray:
    """Return card numbers of ranges kept for tests, with valid check digits: different rows, different numbers."""
    fitting = [(t, s) for t, s in spelled if t.count("#") in CARDS] or [("################", 1.0)]
    which = dice.choice([str(i) for i in range(len(fitting))], np.array([s for _, s in fitting])).astype(np.int64)
    out = np.empty(len(numbers), dtype=object)
    for i, (template, _) in enumerate(fitting):
        rows = np.flatnonzero(which == i)
        length = template.count("#")
        free = length - len(CARDS[length]) - 1
        body = padded(spread(numbers[rows], 10**free, key) % 10**free, free)
        said = np.char.add(CARDS[length], body)
        out[rows] = inserted(template, np.char.add(said, _luhn(said)))
    return out.astype(np.str_)


def ibans(numbers: np.ndarray, countries: Sequence[str], dice: Dice, key: int, *, grouped: bool) -> np.ndarray:
    """Return account numbers of banks that do not exist, with valid check digits: different rows, different numbers."""
    known = [c for c in countries if c in BANKS] or ["DE"]
    country = dice.choice(known)
    out = np.empty(len(numbers), dtype=object)
    for one in known:
        rows = np.flatnonzero(country == one)
        bank, digits = BANKS[one]
        account = np.char.add(bank, padded(spread(numbers[rows], 10 ** min(digits, 15), key), digits))
        check = 98 - _modulo_97(np.char.add(account, f"{one}00"))
        said = np.char.add(one, np.char.add(padded(check, 2), account))
        if grouped and len(rows):
            length = said.dtype.itemsize // 4
            pieces = [_part(said, i, min(i + 4, length)) for i in range(0, length, 4)]
            said = pieces[0]
            for piece in pieces[1:]:
                said = np.char.add(np.char.add(said, " "), piece)
        out[rows] = said
    return out.astype(np.str_)


def addresses_on_the_net(numbers: np.ndarray, sixes: float, dice: Dice, key: int, *, many: bool) -> np.ndarray:
    """Return network addresses that lead nowhere: of documentation, or private ones where many are needed.

    Args:
        numbers: row numbers; private addresses of different rows differ.
        sixes: the share of addresses in the longer form.
        dice: the randomness.
        key: the order of private addresses.
        many: whether a few hundred addresses are not enough.
    """
    if many:
        at = spread(numbers, 2**24, key) % 2**24
        parts = [np.full(len(at), 10), at >> 16, (at >> 8) & 255, at & 255]
        four = _joined([p.astype(np.str_) for p in parts], ".")
    else:
        net = np.array(["192.0.2", "198.51.100", "203.0.113"])[dice.integers(0, 3)]
        four = _joined([net, dice.integers(1, 255).astype(np.str_)], ".")
    if not sixes:
        return four
    word = dice.words()
    groups = [((word >> np.uint64(16 * i)) & np.uint64(0xFFFF)).astype(np.int64) for i in range(4)]
    six = _joined([np.full(len(numbers), "2001:db8:"), *(_hexadecimal(g) for g in groups)], ":")
    return np.where(dice.uniform() < sixes, six, four)


def security_numbers(numbers: np.ndarray, key: int, *, dashed: bool) -> np.ndarray:
    """Return United States social security numbers that are never issued: they begin with 9 (groups 01 to 49)."""
    at = spread(numbers, 100 * 49 * 9_999, key) % (100 * 49 * 9_999)
    parts = [padded(900 + at // (49 * 9_999), 3), padded(1 + at // 9_999 % 49, 2), padded(1 + at % 9_999, 4)]
    return _joined(parts, "-" if dashed else "")


def national(numbers: np.ndarray, system: str, pattern: Pattern | None, dice: Dice, *, unique: bool) -> np.ndarray:
    """Return numbers of a national system with valid check digits, spelled plainly."""
    size = max(POOL, int(numbers.max(initial=0)) + 1) if unique else POOL
    held = np.asarray(_valid_numbers(system, size, pattern), dtype=np.str_)
    if not len(held):
        return dice.words().astype(np.str_)
    at = numbers % len(held) if unique else dice.integers(0, len(held))
    found: np.ndarray = held[at]
    return found


@cache
def _valid_numbers(system: str, number: int, pattern: Pattern | None) -> tuple[str, ...]:
    """Return different valid numbers of a system, from Faker or by trying codes of the pattern."""
    from synthwright.core.numbering import systems

    valid = systems()[system].is_valid
    found: dict[str, None] = {}
    ask, tries = _asked(system, pattern)
    for _ in range(max(tries, 4 * number)):
        said = ask()
        if said is None or len(found) >= number:
            break
        if said not in found and valid(said):
            found[said] = None
    return tuple(found)


def _asked(system: str, pattern: Pattern | None) -> tuple[Callable[[], Any], int]:
    if system in _FROM_FAKER:
        locale, word = _FROM_FAKER[system]
        ask: Callable[[], Any] = getattr(maker_of(locale, 1), word)
        return ask, _TRIES
    if pattern is None:
        return lambda: None, 0
    codes = iter(pattern.draw(Dice(np.arange(_TRIES), 1)).tolist())
    return lambda: next(codes, None), _TRIES


def _part(texts: np.ndarray, begin: int, end: int) -> np.ndarray:
    """Return a range of characters of texts that are all equally long."""
    length = texts.dtype.itemsize // 4
    grid = np.ascontiguousarray(texts).view(np.dtype((np.str_, 1))).reshape(len(texts), length)[:, begin:end]
    return np.ascontiguousarray(grid).view(np.dtype((np.str_, end - begin))).reshape(len(texts))


def _joined(parts: Sequence[np.ndarray], mark: str) -> np.ndarray:
    said = parts[0]
    for part in parts[1:]:
        said = np.char.add(np.char.add(said, mark), part)
    return said


def inserted(template: str, digits: np.ndarray) -> np.ndarray:
    """Put the digits of each text, one after the other, where the template has `#`."""
    used, pieces = 0, []
    for run in re.findall(r"#+|[^#]+", template):
        if run[0] == "#":
            pieces.append(_prefix(digits, used, len(run)))
            used += len(run)
        else:
            pieces.append(np.full(len(digits), run))
    return _joined(pieces, "")


def _prefix(texts: np.ndarray, begin: int, length: int) -> np.ndarray:
    width = max(texts.dtype.itemsize // 4, begin + length)
    return _part(np.char.ljust(texts, width, "0"), begin, begin + length) if len(texts) else texts


def _digits(texts: np.ndarray) -> np.ndarray:
    length = texts.dtype.itemsize // 4
    points = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), length).astype(np.int64)
    return points - ord("0")


def _luhn(texts: np.ndarray) -> np.ndarray:
    """Return the check digit of ISO/IEC 7812-1 for each number without it."""
    if not len(texts):
        return texts
    digits = _digits(texts)[:, ::-1]
    doubled = digits[:, ::2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + digits[:, 1::2].sum(axis=1)
    return ((10 - total % 10) % 10).astype(np.str_)


def _modulo_97(texts: np.ndarray) -> np.ndarray:
    """Return the remainder of ISO 7064: letters count as two digits, A being 10."""
    rest = np.zeros(len(texts), dtype=np.int64)
    if not len(texts):
        return rest
    for digit in _digits(texts).T:
        letter = digit > 9
        value = np.where(letter, digit + ord("0") - ord("A") + 10, digit)
        rest = np.where(letter, rest * 100 + value, rest * 10 + value) % 97
    return rest


def _hexadecimal(values: np.ndarray) -> np.ndarray:
    letters = np.array(list("0123456789abcdef"))
    said = letters[values >> 12]
    for shift in (8, 4, 0):
        said = np.char.add(said, letters[(values >> shift) & 15])
    stripped = np.char.lstrip(said, "0")
    return np.where(np.char.str_len(stripped) == 0, "0", stripped)
