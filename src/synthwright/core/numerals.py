"""Numbers as people spell them: thousands separators, decimal commas, money, percentages, units.

A form shows how 1234.5 would be spelled: `1234`, `1,234.50`, `$1,234.50`, `1.234,50 €`, `1234.5%`. A `#` after the
decimals says that there may be more (`1234.#`: as many as needed, none for whole numbers; `1234.5#`: at least one).
What negative numbers look like follows a semicolon where it is not a minus in front: `$1,234.50;($1,234.50)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Kind

_BODY = re.compile(r"1(?P<group>[,.'’ _\u00a0\u202f]?)234(?:(?P<point>[.,])(?P<decimals>5?0*)(?P<more>#?))?")
_SPELLED = re.compile(r"(?P<before>\D*)(?P<body>\d(?:[\d,.'’ _\u00a0\u202f]*\d)?)(?P<after>\D*)")
_SIGNS = "+-−()"
_OWED = {"CR": "DR", "Cr": "Dr", "cr": "dr", "C": "D", "H": "S"}
"""What stands behind amounts that are had and that are owed, in the books of banks."""
_BLANK = "[ \u00a0\u202f]?"
_MONEY = (
    r"(?:[A-Z]{0,3}[$€£¥₹₽₩₺₪฿₫₴₦₱]|CHF|EUR|USD|GBP|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|BRL|MXN|TRY|Rs\.?|Fr\.|kr\.?|zł"
    r"|Kč|Ft|lei|руб\.?)"
)
_UNITS = (
    r"(?:%|‰|°[CF]?|k?m|cm|mm|mi|ft|in|yd|k?g|mg|µg|lbs?|oz|m?l|cl|h|min|s|m?sec|ms|hrs?|[kMG]?Hz|k?Wh?|MW|[KMGT]?B|mph|km/h|kmh"
    r"|kcal|kJ|mmHg|bpm|x)"
)
_BEFORE = re.compile(f"(?:{_MONEY}{_BLANK})?")
_AFTER = re.compile(f"(?:{_BLANK}(?:{_MONEY}|{_UNITS})|[ \u00a0\u202f][^\\W\\d_]{{1,12}}\\.?)?")
TEXT = pa.large_string()
_EXACT = 2.0**53
"""Whole floats below this are exact."""
_MOST = 1e100
"""What infinite numbers are spelled as."""
_DIGITS = 18
"""Digits that fit in 64 bits whatever they are."""


class Numeral(NamedTuple):
    """A form of numbers, taken apart."""

    before: str
    after: str
    minus_before: str
    minus_after: str
    group: str
    point: str
    least: int
    more: bool


def read_form(form: str) -> Numeral:
    """Take a form such as `$1,234.50` apart; a ValueError for what is none."""
    positive, _, negative = form.partition(";")
    found = _BODY.search(positive)
    if found is None or re.search(r"\d", positive[: found.start()] + positive[found.end() :]):
        raise ValueError(f"{form!r} does not show how 1234.5 is spelled: '1,234.50', '$1234', '1.234,5 €'")
    before, after = positive[: found.start()], positive[found.end() :]
    minus = (f"-{before}", after)
    if negative:
        again = _BODY.search(negative)
        if again is None or again[0] != found[0]:
            raise ValueError(f"{form!r} spells the digits of negative numbers in another way")
        minus = (negative[: again.start()], negative[again.end() :])
    return Numeral(before, after, *minus, found["group"], found["point"] or "",
                   len(found["decimals"] or ""), bool(found["more"]))  # fmt: skip


def write_form(numeral: Numeral) -> str:
    """Return the form that `read_form` takes apart like this."""
    decimals = ("5" + "0" * (numeral.least - 1) if numeral.least else "") + ("#" if numeral.more else "")
    body = f"1{numeral.group}234" + (f"{numeral.point}{decimals}" if numeral.point else "")
    said = numeral.before + body + numeral.after
    if (numeral.minus_before, numeral.minus_after) != (f"-{numeral.before}", numeral.after):
        said += f";{numeral.minus_before}{body}{numeral.minus_after}"
    return said


def parse_numerals(strings: Any, form: str, kind: Kind) -> Any:
    """Return spelled numbers as int64 (for `Kind.INTEGER`) or float64; null where a string is not spelled like that."""
    numeral = read_form(form)
    pieces = pc.extract_regex(strings.cast(TEXT), _pattern(numeral))
    whole, fraction, other, tail = (pc.struct_field(pieces, i) for i in range(4))
    digits = joined(whole, other)
    if numeral.group:
        digits = pc.replace_substring(digits, numeral.group, "")
    sign = pc.if_else(pc.not_equal(other, ""), "-", "").cast(TEXT)
    if kind is Kind.INTEGER:
        fits = pc.less_equal(pc.utf8_length(digits), _DIGITS)
        return joined(sign, pc.if_else(fits, digits, pa.scalar(None, TEXT))).cast(pa.int64())
    return joined(sign, digits, ".", fraction, tail, "0").cast(pa.float64())


def joined(*parts: Any) -> Any:
    """Return texts (columns, or words that are the same in every row) written one behind the other."""
    as_text = [pa.scalar(p, TEXT) if isinstance(p, str) else p for p in parts]
    return pc.binary_join_element_wise(*as_text, pa.scalar("", TEXT))


def _pattern(numeral: Numeral) -> str:
    group = re.escape(numeral.group)
    whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})*" if group else "[0-9]+"
    if not numeral.point:
        fraction = "()"
    else:
        count = f"{{{max(numeral.least, 1)},}}" if numeral.more else f"{{{numeral.least}}}"
        fraction = rf"{re.escape(numeral.point)}([0-9]{count})"
        if numeral.more and not numeral.least:
            fraction = f"(?:{fraction})?"
    names = iter(("whole", "fraction", "other", "tail"))

    def side(before: str, after: str) -> str:
        body = f"({whole}){fraction}"
        named = re.sub(r"\((?!\?)", lambda _: f"(?P<{next(names)}>", body)
        return re.escape(before) + named + re.escape(after)

    return f"^(?:{side(numeral.before, numeral.after)}|{side(numeral.minus_before, numeral.minus_after)})$"


def spell_numerals(column: Any, form: str) -> Any:
    """Return numbers (int64, float64) spelled by a form, as large_string; rounded where the form has fewer decimals."""
    numeral = read_form(form)
    if pa.types.is_integer(column.type) and not numeral.point:
        whole = pc.utf8_ltrim(column.cast(TEXT), "-")
        negative, fraction = pc.less(column, 0), None
    else:
        gone = column.is_null()
        values = pc.fill_null(column.cast(pa.float64(), safe=False), 0.0)
        whole, fraction, negative = _digits(np.asarray(values), numeral)
        whole = pc.if_else(
            gone.combine_chunks() if isinstance(gone, pa.ChunkedArray) else gone, pa.scalar(None, TEXT), whole
        )
    if numeral.group:
        whole = _grouped(whole, numeral.group)
    before = pc.if_else(negative, numeral.minus_before, numeral.before).cast(TEXT)
    after = pc.if_else(negative, numeral.minus_after, numeral.after).cast(TEXT)
    if fraction is None:
        return joined(before, whole, after)
    point = pc.if_else(pc.equal(fraction, ""), "", numeral.point).cast(TEXT)
    return joined(before, whole, point, fraction, after)


def _digits(values: np.ndarray, numeral: Numeral) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return the digits before and behind the point, and where the number is negative."""
    size = np.minimum(np.abs(values), _MOST)
    if numeral.more:
        said = pa.array(size).cast(TEXT)
        odd = np.flatnonzero(pc.match_substring(said, "e").to_numpy(zero_copy_only=False))
        said = _replaced(said, odd, [np.format_float_positional(size[i], trim="-") for i in odd])
        pieces = pc.extract_regex(said, r"^(?P<whole>[0-9]+)\.?(?P<fraction>[0-9]*)$")
        whole, fraction = pc.struct_field(pieces, 0), pc.struct_field(pieces, 1)
        fraction = pc.utf8_rpad(fraction, numeral.least, "0") if numeral.least else fraction
        zero = size == 0
    else:
        scaled = size * 10.0**numeral.least
        odd = np.flatnonzero(scaled >= _EXACT)
        rounded = np.rint(np.where(scaled < _EXACT, scaled, 0)).astype(np.int64)
        said = pc.utf8_lpad(pa.array(rounded).cast(TEXT), numeral.least + 1, "0")
        exact = [f"{size[i]:.{numeral.least}f}".replace(".", "") for i in odd]
        said = _replaced(said, odd, exact)
        cut = -numeral.least or None
        whole = pc.utf8_slice_codeunits(said, 0, cut) if cut else said
        fraction = pc.utf8_slice_codeunits(said, cut) if cut else pa.array([""] * len(said), TEXT)
        zero = (rounded == 0) & (scaled < _EXACT)
    exactly_zero = values == 0
    negative = np.where(zero & ~exactly_zero, False, np.signbit(values))  # -0.001 is 0.00, not -0.00
    return whole, fraction, pa.array(negative)


def _replaced(strings: pa.Array, where: np.ndarray, by: list[str]) -> pa.Array:
    if not len(where):
        return strings
    mask = np.zeros(len(strings), dtype=bool)
    mask[where] = True
    return pc.replace_with_mask(strings, pa.array(mask), pa.array(by, strings.type))


def _grouped(whole: Any, group: str) -> Any:
    """Put a separator between thousands."""
    longest = pc.max(pc.utf8_length(whole)).as_py() or 1
    width = -(-longest // 3)
    padded = pc.utf8_lpad(whole, 3 * width, "\x00")
    pieces = [pc.utf8_slice_codeunits(padded, 3 * i, 3 * i + 3) for i in range(width)]
    return pc.utf8_ltrim(pc.binary_join_element_wise(*pieces, pa.scalar(group, TEXT)), "\x00" + group)


def numeral_forms(sample: list[str]) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, form and reason of every form that a few spelled numbers may have, the likeliest first."""
    found = [_SPELLED.fullmatch(s) for s in sample]
    if not sample or any(f is None for f in found):
        return
    around = {(f["before"], f["after"]) for f in found if f}
    affixes = _affixes(around, len({*sample}))
    if affixes is None:
        return
    bodies = [f["body"] for f in found if f]
    for group, point in _separators(bodies):
        lengths = {len(b.rpartition(point)[2]) if point and point in b else 0 for b in bodies}
        kind = Kind.NUMBER if point else Kind.INTEGER
        spread = [(lengths.pop(), False)] if len(lengths) == 1 else [(0, True), (1, True)]
        for least, more in spread:
            yield kind, write_form(Numeral(*affixes, group, point, least, more)), _reason(group, point, bodies)


def _affixes(around: set[tuple[str, str]], distinct: int) -> tuple[str, str, str, str] | None:
    """Return what stands around positive and negative numbers, or None where that is not the same everywhere."""
    minus = {a for a in around if "-" in a[0] or "−" in a[0] or a[0].startswith("(") or a[1][-1:] in ("-", "−")}
    plain = around - minus
    if len(plain) == 2 and not minus:
        return _owed(plain)
    if len(minus) > 1 or len(plain) > 1:
        return None
    below = next(iter(minus), None)
    if plain:
        above = next(iter(plain))
    else:
        assert below is not None  # noqa: S101  around is never empty
        above = ("".join(c for c in below[0] if c not in _SIGNS), _unsigned(below[1]))
    naked = above[0].lstrip("+")
    if naked != above[0] and (below is None or naked != above[0][1:]):  # a plus before every number: a phone
        return None
    if not _BEFORE.fullmatch(naked) or not _AFTER.fullmatch(above[1]) or (any(above) and distinct < 2):
        return None
    below = below or (f"-{naked}", above[1])
    if "".join(c for c in below[0] if c not in _SIGNS) != naked or _unsigned(below[1]) != above[1]:
        return None
    return (*above, *below)


def _unsigned(behind: str) -> str:
    """Return what stands behind a number without what makes it negative."""
    return behind.replace(")", "").rstrip("-−")


def _owed(around: set[tuple[str, str]]) -> tuple[str, str, str, str] | None:
    """Return what stands around amounts that are had and around those that are owed: `12.50 CR`, `12.50 DR`."""
    for had, owed in permutations(around):
        blank = had[1][: len(had[1]) - len(had[1].lstrip(" \u00a0\u202f"))]
        word = _OWED.get(had[1][len(blank) :])
        if word and owed == (had[0], blank + word) and _BEFORE.fullmatch(had[0]):
            return (*had, *owed)
    return None


def _separators(bodies: list[str]) -> Iterator[tuple[str, str]]:
    """Yield which characters may separate thousands and decimals, the likeliest pair first."""
    used = {c for b in bodies for c in b if not c.isdigit()}
    if not used:
        yield "", ""
    elif len(used) == 1:
        mark = used.pop()
        grouped = all(re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})*", b) for b in bodies)
        certain = any(b.count(mark) > 1 for b in bodies)
        if grouped and (mark not in ".," or mark == "," or certain):
            yield mark, ""
        if mark in ".,":
            yield "", mark
            if grouped:
                yield mark, ""
    elif len(used) == 2:
        last = {max(used, key=b.rfind) for b in bodies if used <= set(b)}
        if len(last) == 1 and next(iter(last)) in ".,":
            point = last.pop()
            yield (used - {point}).pop(), point


def _reason(group: str, point: str, bodies: list[str]) -> str:
    if group == "," and not point and all(b.count(",") <= 1 for b in bodies):
        return "the comma was taken for thousands: three digits follow it everywhere"
    return ""
