"""Telephone numbers made anew: of the countries of the real ones, from ranges that belong to nobody.

Ranges kept for films and books are taken where a country has them; else digits that no number of the country begins
with, so that it has the right length and reaches nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from synthwright.kit.coding.patterns import padded
from synthwright.kit.entities.fakes_numbers import inserted
from synthwright.kit.sampling.dice import Dice, permuted

AREAS = (201, 202, 203, 205, 206, 207, 208, 210, 212, 213, 214, 215, 216, 217, 219, 301, 302, 303, 304, 305, 307, 308,
         309, 310, 312, 313, 314, 316, 317, 318, 401, 402, 404, 405, 406, 407, 408, 410, 412, 413, 414)  # fmt: skip
"""North American areas; in each, 555-0100 to 555-0199 belong to nobody."""
FILMS: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {
    ("44", 10): (("7700", "900"), ("1632", "960"), ("20", "79460"), ("28", "96496"), ("29", "20180"),
                 *((str(a), "4960") for a in (113, 114, 115, 116, 117, 118, 121, 131, 141, 151, 161)), ("191", "4980")),
    ("33", 9): (("1", "9900"), ("2", "6191"), ("3", "5301"), ("4", "6571"), ("5", "3649"), ("6", "3998")),
    ("49", 10): (("30", "23125"), ("69", "90009"), ("40", "66969"), ("89", "99998"), ("221", "4710")),
    ("61", 9): tuple((str(a), n) for a in (2, 3, 7, 8) for n in ("5550", "7010")),
    ("353", 9): (("20", "91"),),
}  # fmt: skip
"""By country code and number of digits: areas and beginnings kept for films and books."""
_FEWEST, _KINDS = 5, 30
_ABROAD = re.compile(r"(\(?(?:\+|00)? ?)([1-9][0-9]*)(.*)", re.DOTALL)
_SURE = 0.9
_TRIED = 300


def spellings(texts: Sequence[str], counts: np.ndarray, protect: int) -> list[tuple[str, float]]:
    """Return how numbers are spelled, with shares: the commonest thirty that enough rows share.

    Digits are `#`, but for the code of the country and the zero that begins a number within it.
    """
    seen: Counter[str] = Counter()
    bare = _name_countries(texts)
    for text, rows in zip(texts, counts.tolist(), strict=True):
        spelled = _spelled(text.strip(), bare=bare)
        if spelled.count("#") >= _FEWEST and not re.search(r"[^\W\d_]", re.sub(r"(?i)ext|x", "", spelled)):
            seen[spelled] += rows
    kept = [(t, n) for t, n in seen.most_common(_KINDS) if n >= protect]
    total = sum(n for _, n in kept)
    return [(t, n / total) for t, n in kept]


def spelled_alike(texts: pa.Array) -> pa.Array:
    """Return how each number is spelled, as `spellings` says it; null where there is none."""
    coded = texts.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    bare = _name_countries(distinct)
    said = pa.array([_spelled(text.strip(), bare=bare) for text in distinct], pa.large_string())
    return said.take(coded.indices)


def phones(dice: Dice, spelled: Sequence[tuple[str, float]]) -> np.ndarray:
    """Return telephone numbers, spelled as those of the column were."""
    spelled = spelled or [("(###) ###-####", 1.0)]
    which = dice.choice([str(i) for i in range(len(spelled))], np.array([s for _, s in spelled])).astype(np.int64)
    area = np.array(AREAS)[dice.integers(0, len(AREAS))].astype(np.str_)
    local = np.char.add("55501", padded(dice.integers(0, 100), 2))
    film, more = dice.integers(0, 2**30), dice.words()
    rest = padded((more % np.uint64(10**9)).astype(np.int64), 9)
    out = np.empty(len(dice), dtype=object)
    for i, (template, _) in enumerate(spelled):
        rows = np.flatnonzero(which == i)
        said = _begun(template, area[rows], local[rows], film[rows])
        out[rows] = inserted(template, np.char.add(said, np.char.add(rest[rows], np.char.add(rest[rows], rest[rows]))))
    return out.astype(np.str_)


def distinct_phones(numbers: np.ndarray, dice: Dice, spelled: Sequence[tuple[str, float]], key: int) -> np.ndarray:
    """Return another telephone number for every row number, spelled as those of the column were.

    Those kept for films and books come first; when they are used up, digits that no number of the country begins with.
    """
    spelled = spelled or [("(###) ###-####", 1.0)]
    which = dice.choice([str(i) for i in range(len(spelled))], np.array([s for _, s in spelled])).astype(np.int64)
    out = np.empty(len(numbers), dtype=object)
    for i, (template, _) in enumerate(spelled):
        rows = np.flatnonzero(which == i)
        if not len(rows):
            continue
        more = padded((dice.some(rows).words() % np.uint64(10**9)).astype(np.int64), 9)  # extensions
        out[rows] = inserted(template, np.char.add(_numbered(template, numbers[rows], key), more))
    return out.astype(np.str_)


def _numbered(template: str, numbers: np.ndarray, key: int) -> np.ndarray:
    """Return the digits of row numbers, all different as far as there are so many."""
    main = re.split(r"(?i) ?(?:ext|x)", template, maxsplit=1)[0]
    found, size = _ABROAD.match(main), main.count("#")
    code = found[2] if found else ""
    at, out = numbers.astype(np.int64), np.empty(len(numbers), dtype=object)
    todo = np.arange(len(numbers))
    for begins in (_kept(main, code, size), [unused(code or "1", size)], [""]):
        free = np.array([size - len(b) for b in begins])
        ends = np.cumsum([10 ** int(n) for n in free])
        mine = at[todo] < ends[-1] if begins != [""] else np.ones(len(todo), dtype=bool)
        at[todo[~mine]] -= ends[-1]
        if not mine.any():
            continue
        rest = permuted(at[todo[mine]] % ends[-1], int(ends[-1]), key)
        of = np.searchsorted(ends, rest, side="right")
        digits = np.char.zfill((rest - np.append(0, ends)[of]).astype(np.str_), free[of])
        out[todo[mine]] = np.char.add(np.array(begins)[of], np.where(free[of] > 0, digits, ""))
        todo = todo[~mine]
    return out.astype(np.str_)


def _kept(main: str, code: str, size: int) -> list[str]:
    """Return the digits that numbers of nobody begin with, of so many digits."""
    if size == 10 and (code == "1" or not re.search("[0-9]", main)):
        return [f"{area}55501" for area in AREAS]
    if not code:
        return [f"1{area}55501" for area in AREAS] if size == 11 else ["55501"[:size]]
    kept = FILMS.get((code, size), ())
    first = len(re.findall("#+", main)[0])
    return ["".join(k) for k in kept if len(k[0]) == first] or ["".join(k) for k in kept] or [unused(code, size)]


def _name_countries(texts: Sequence[str]) -> bool:
    """Return whether numbers without a sign begin with the code of their country all the same."""
    import phonenumbers

    some = [t.strip() for t in texts[:50]]
    if not some or not all(t.isascii() and t.isdigit() and 11 <= len(t) <= 15 and t[0] != "0" for t in some):
        return False
    return sum(phonenumbers.is_valid_number(phonenumbers.parse("+" + t)) for t in some) >= _SURE * len(some)


def _spelled(text: str, *, bare: bool) -> str:
    """Return a number with `#` for its digits, but for those that say where it is."""
    found = _ABROAD.fullmatch(text)
    head = ""
    if found and (bare or found[1].strip("( ")):
        sign, digits, after = found.groups()
        code = _code(digits)
        trunk = re.match(r"[) -]*\(0\)", digits[len(code) :] + after)  # +49 (0)30
        head = sign + code + (trunk[0] if trunk else "") if code else ""
    elif trunk := re.match(r"\(?0(?!0)", text):
        head = trunk[0]
    return head + re.sub("[0-9]", "#", text[len(head) :])


def _code(digits: str) -> str:
    """Return the code of a country that digits begin with, or nothing."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return next((digits[:n] for n in (1, 2, 3) if int(digits[:n]) in COUNTRY_CODE_TO_REGION_CODE), "")


def _begun(template: str, area: np.ndarray, local: np.ndarray, film: np.ndarray) -> np.ndarray:
    """Return the digits that numbers of a template begin with; what follows an x is an extension."""
    main = re.split(r"(?i) ?(?:ext|x)", template, maxsplit=1)[0]
    found, size = _ABROAD.match(main), main.count("#")
    code = found[2] if found else ""
    if size == 10 and (code == "1" or not re.search("[0-9]", main)):
        return np.char.add(area, local)
    if not code:
        return np.char.add("1", np.char.add(area, local)) if size == 11 else local
    begin = _kept(main, code, size)
    return np.array(begin)[film % len(begin)]


@cache
def unused(code: str, size: int) -> str:
    """Return digits that no number of a country begins with, among those of so many digits; 0 where there are none."""
    import phonenumbers

    rest = [f"{int(i * 0.6180339887498949 % 1 * 10**size):0{size}d}" for i in range(1, _TRIED)]
    for length in range(1, min(size, 4)):
        for begin in (f"{v:0{length}d}" for v in range(10 ** (length - 1), 10**length)):
            tried = (phonenumbers.PhoneNumber(country_code=int(code), national_number=int(begin + r[length:]))
                     for r in rest)  # fmt: skip
            if not any(phonenumbers.is_valid_number(t) for t in tried):
                return begin
    return "0"
