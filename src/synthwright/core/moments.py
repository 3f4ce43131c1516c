"""Dates, times of day and instants as people spell them.

Forms are those of strftime: `%d/%m/%Y`, `%-d.%-m.%y`, `%Y-%m-%d %H:%M:%S`, `%I:%M %p`; `%f` is six digits of a second,
`%3f` three; `%-d` has no zero before it, `%e` a blank in its place, `%^b` capital letters; weeks (of ISO) are `%G-W%V`,
quarters `%YQ%q`. Days without a year (`%b %-d`) are those of a year without a 29th of February, with `%L`, which
stands for no sign, of one that has it. Names in other languages are `%B{fr}`, `%a{de.}`: see `core.moment_words`. The
offset of a place follows the seasons: `%:z{Europe/Berlin}` is `+01:00` or `+02:00`, `%z{…}` has no colon, `%:Z{…}` says
`Z` for none. Anything else stands for itself, so a constant `Z` or `+02:00` at the end stays what it is. `%s` alone is
the seconds since 1970 in UTC, `%Q` the milliseconds.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.moment_words import names
from synthwright.core.numerals import TEXT, joined
from synthwright.core.schema import Kind
from synthwright.core.types import is_zone, zone_of

_TOKEN = re.compile(r"%(-?[mdHIMSV]|[YyGuqpPLe]|\^?[bBaA](?:\{[^{}]*\})?|:?[zZ]\{[^{}]*\}|[1-9]?f)")
_NO_YEAR = (2001, 2000)
"""The years that days of none are in: without a 29th of February, and with it."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_UNIT = {"H": 3600 * _SECOND, "M": 60 * _SECOND, "S": _SECOND}
_BOUNDS = {"m": (1, 12), "d": (1, 31), "H": (0, 23), "I": (1, 12), "M": (0, 59), "S": (0, 59),
           "V": (1, 53), "u": (1, 7), "q": (1, 4), "e": (1, 31), "z": (-1440, 1440), "Z": (-1440, 1440)}  # fmt: skip
_SAME = {"b": "m", "B": "m", "A": "a", "e": "d", "Z": "z"}
"""Tokens that say what others say, in another way."""
EPOCHS = {"%s": _SECOND, "%Q": 1_000}
"""Forms of whole numbers that count from the beginning of 1970, and the microseconds of one."""
CLOCKS = {"%H%M": 4, "%H%M%S": 6}
"""Forms of times of day in digits alone, and how many; whole numbers have no zeros before them: 930 is 09:30."""


@cache
def _pieces(form: str) -> tuple[tuple[bool, str], ...]:
    """Return a form as (is a token, its text) pieces; a ValueError for a form that says nothing."""
    pieces, at = [], 0
    for found in _TOKEN.finditer(form):
        if found.start() > at:
            pieces.append((False, form[at : found.start()]))
        pieces.append((True, found[1]))
        at = found.end()
    if form[at:]:
        pieces.append((False, form[at:]))
    if not any(token for token, _ in pieces) or any("%" in p for token, p in pieces if not token):
        raise ValueError(f"{form!r} is no form of dates or times: '%d/%m/%Y', '%Y-%m-%d %H:%M:%S', '%I:%M %p'")
    if any(a[0] and b[0] and a[1][0] == b[1][0] == "-" for a, b in pairwise(pieces)):
        raise ValueError(f"{form!r} can be read in two ways: something must stand between numbers of varying length")
    return tuple(pieces)


def check_form(form: str) -> None:
    """Raise a ValueError for what is no form of dates or times."""
    if form not in EPOCHS:
        pattern(form)
    if (zone := zone_of(form)) and not is_zone(zone):
        raise ValueError(f"{form!r} names a place that no list of zones knows: '%:z{{Europe/Berlin}}'")


def _letter(token: str) -> str:
    """Return what a token says, apart from how."""
    return next(c for c in token if c.isalpha())


def _expression(token: str) -> str:
    letter = _letter(token)
    if letter == "f":
        return f"[0-9]{{{_width(token)}}}"
    if letter in "pP":
        return "[AaPp][Mm]"
    if letter in "abAB":
        return "|".join(map(re.escape, sorted(_names(token), key=len, reverse=True)))
    if letter in "zZ":
        return f"[+-][0-9]{{2}}{':' if token[0] == ':' else ''}[0-9]{{2}}" + ("|Z" if letter == "Z" else "")
    if letter in "eL":
        return "[ 0-9][0-9]" if letter == "e" else ""
    if letter in "YG":
        return "[0-9]{4}"
    if letter in "uq":
        return "[0-9]"
    return "[0-9]{1,2}" if token[0] == "-" else "[0-9]{2}"


def _width(token: str) -> int:
    return int(token[0]) if token[0] != "f" else 6


@cache
def pattern(form: str) -> str:
    """Return the regular expression (also RE2) of strings of a form, one named group for each token."""
    said = "".join(
        f"(?P<t{i}>{_expression(p)})" if token else re.escape(p) for i, (token, p) in enumerate(_pieces(form))
    )
    return f"^{said}$"


def parse_moments(strings: Any, form: str, kind: Kind) -> Any:
    """Return spelled dates, times or instants as date32, time64[us] or timestamp[us]; null where one does not fit."""
    whole = strings.combine_chunks() if isinstance(strings, pa.ChunkedArray) else strings
    if form in EPOCHS:
        counts = pc.if_else(pc.match_substring_regex(whole, "^[0-9]{1,13}$"), whole, pa.scalar(None, whole.type))
        return pc.multiply(counts.cast(pa.int64()), EPOCHS[form]).cast(pa.timestamp("us"))
    if form in CLOCKS:
        digits = pc.match_substring_regex(whole, "^[0-9]+$")
        whole = pc.if_else(digits, pc.utf8_lpad(whole, CLOCKS[form], "0"), whole)
    found = pc.extract_regex(whole, pattern(form))
    good = np.asarray(pc.is_valid(found).to_numpy(zero_copy_only=False)).copy()
    parts: dict[str, np.ndarray] = {}
    tokens = [p for token, p in _pieces(form) if token]
    for i, token in enumerate(tokens):
        values = _numbers(pc.struct_field(found, i), token)
        letter = _letter(token)
        low, high = _BOUNDS.get(letter, (0, 999_999_999))
        good &= (values >= low) & (values <= high)
        parts[_SAME.get(letter, letter)] = values * 10**6 // 10 ** _width(token) if letter == "f" else values
    days, sound = _days(parts, len(good))
    good &= sound & ((days + 3) % 7 + 1 == parts["a"] if "a" in parts else True)
    micros = _micros(parts, len(good))
    if kind is Kind.DATE:
        return pa.array(days.astype(np.int32), mask=~good).cast(pa.date32())
    if kind is Kind.TIME:
        return pa.array(micros, mask=~good).cast(pa.time64("us"))
    zone = zone_of(form)
    micros -= parts.get("z", 0) * _UNIT["M"]
    return (
        pa.array(days * _DAY + micros, mask=~good)
        .cast(pa.timestamp("us", "UTC" if zone else None))
        .cast(pa.timestamp("us", zone))
    )


def _numbers(strings: pa.Array, token: str) -> np.ndarray:
    letter = _letter(token)
    if letter in "abAB":
        index = pc.add(pc.index_in(strings, pa.array(_names(token), strings.type)), 1)
    elif letter in "pP":
        index = pc.index_in(pc.utf8_lower(strings), pa.array(["am", "pm"], strings.type))
    elif letter in "zZ":
        return _away(strings)
    elif letter == "L":
        return np.ones(len(strings), dtype=np.int64)
    else:
        index = pc.utf8_ltrim(strings, " ").cast(pa.int64())
    return np.asarray(pc.fill_null(index.cast(pa.int64()), -1).to_numpy(zero_copy_only=False))


@cache
def _names(token: str) -> list[str]:
    """Return the months or the weekdays as a token spells them."""
    _, _, style = token.rstrip("}").partition("{")
    found = names(_letter(token), style)
    return [n.upper() for n in found] if token[0] == "^" else list(found)


def _away(offsets: pa.Array) -> np.ndarray:
    """Return the minutes that clocks are ahead of UTC: `+05:30`, `-0800`, `Z`."""
    found = pc.extract_regex(offsets, r"^(?P<s>[+-])(?P<h>[0-9]{2}):?(?P<m>[0-9]{2})$")
    minutes = _default(pc.struct_field(found, "h")) * 60 + _default(pc.struct_field(found, "m"))
    return np.where(np.asarray(pc.fill_null(pc.equal(pc.struct_field(found, "s"), "-"), False)), -minutes, minutes)


def _days(parts: dict[str, np.ndarray], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return days since 1970 of year, month and day (Gregorian throughout), and which of them exist."""
    if "G" in parts:
        return _weekdays(parts["G"], parts["V"], parts.get("u", np.ones(rows, dtype=np.int64)))
    if "y" in parts:
        year = np.where(parts["y"] < 69, parts["y"] + 2000, parts["y"] + 1900)  #  as POSIX has it
    elif "Y" in parts:
        year = parts["Y"]
    elif "m" in parts:
        year = np.full(rows, _NO_YEAR["L" in parts])
    else:
        return np.zeros(rows, dtype=np.int64), np.ones(rows, dtype=bool)
    month = parts["q"] * 3 - 2 if "q" in parts else parts.get("m", np.ones(rows, dtype=np.int64))
    day = parts.get("d", np.ones(rows, dtype=np.int64))
    month_start = ((np.clip(year, 1, 9999) - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    days = month_start.astype("datetime64[D]").astype(np.int64) + day - 1
    exists = (days.astype("datetime64[D]").astype("datetime64[M]") == month_start) & (year >= 1)
    return days, exists


def _weekdays(year: np.ndarray, week: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return days since 1970 of days of the weeks of ISO 8601, and which of them exist."""
    fourth = _first(np.clip(year, 1, 9999)) + 3  # is always in week 1
    days = fourth - (fourth + 3) % 7 + 7 * (week - 1) + day - 1
    return days, (_week(days)[0] == year) & (year >= 1)


def _week(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the year and the number of the week of ISO 8601 that days since 1970 are in: those of its Thursday."""
    thursday = days - (days + 3) % 7 + 3
    year = thursday.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return year, (thursday - _first(year)) // 7 + 1


def _first(year: np.ndarray) -> np.ndarray:
    """Return the first of January in days since 1970."""
    return (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def _micros(parts: dict[str, np.ndarray], rows: int) -> np.ndarray:
    total = np.zeros(rows, dtype=np.int64)
    for letter, unit in _UNIT.items():
        total += parts.get(letter, 0) * unit
    if "I" in parts:
        half = parts.get("p", parts.get("P", np.zeros(rows, dtype=np.int64)))
        total += (parts["I"] % 12 + 12 * half) * _UNIT["H"]
    return total + parts.get("f", 0)


_CLOCK = r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
_ZONE = r"(?: ?(?P<Z>Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?"
_ISO = rf"^(?P<Y>[0-9]{{4}})[-/](?P<m>[0-9]{{1,2}})[-/](?P<d>[0-9]{{1,2}})(?:[T ]{_CLOCK}{_ZONE})?$"


def parse_instants(strings: pa.Array, *, zoned: bool, unit: str = "us") -> pa.Array:
    """Return ISO dates and instants as timestamps in micro- or nanoseconds, null where one is none.

    Zoned: as UTC (a time without a zone is UTC); otherwise the local time as it is written.
    """
    found = pc.extract_regex(strings, _ISO)
    good = np.asarray(pc.is_valid(found)).copy()
    parts = {name: _default(pc.struct_field(found, name)) for name in "YmdHMS"}
    for letter, (low, high) in _BOUNDS.items():
        good &= (parts.get(letter, np.full(len(good), low)) >= low) & (
            parts.get(letter, np.full(len(good), low)) <= high
        )
    days, sound = _days(parts, len(good))
    nanos = _fraction(pc.struct_field(found, "f"))
    parts["f"] = nanos // 1000
    micros = days * _DAY + _micros(parts, len(good))
    if zoned:
        micros -= _away(pc.struct_field(found, "Z")) * _UNIT["M"]
    zone = "UTC" if zoned else None
    if unit != "ns":
        return pa.array(micros, mask=~(good & sound)).cast(pa.timestamp("us", zone))
    good &= np.abs(micros) < 2**63 // 1000 - 1
    return pa.array(np.where(good, micros, 0) * 1000 + nanos % 1000, mask=~(good & sound)).cast(
        pa.timestamp("ns", zone)
    )


def parse_clock(strings: pa.Array) -> pa.Array:
    """Return times of day (`9:30`, `09:30:05.25`) as time64[ns], null where one is none."""
    found = pc.extract_regex(strings, f"^{_CLOCK}$")
    parts = {name: _default(pc.struct_field(found, name)) for name in "HMS"}
    good = np.asarray(pc.is_valid(found)).copy()
    for letter, values in parts.items():
        good &= values <= _BOUNDS[letter][1]
    nanos = _micros(parts, len(good)) * 1000 + _fraction(pc.struct_field(found, "f"))
    return pa.array(nanos, mask=~good).cast(pa.time64("ns"))


def _default(strings: pa.Array) -> np.ndarray:
    """Return digits as numbers, 0 where there are none."""
    said = pc.if_else(pc.equal(strings, ""), pa.scalar(None, strings.type), strings)
    return np.asarray(pc.fill_null(said.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)).copy()


def _fraction(strings: pa.Array) -> np.ndarray:
    """Return digits behind the point as billionths."""
    return _default(pc.utf8_rpad(strings, 9, "0"))


def spell_moments(column: Any, form: str) -> Any:
    """Return dates, times or instants (as local time, where they have a zone) spelled by a form, as large_string."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    away = np.zeros(len(whole), dtype=np.int64)
    if zone := zone_of(form):
        whole = whole.cast(pa.timestamp(whole.type.unit, zone))
    if pa.types.is_timestamp(whole.type) and whole.type.tz:
        local = pc.local_timestamp(whole)
        if zone:
            away = np.asarray(pc.fill_null(pc.minutes_between(whole.cast(local.type), local), 0))
        whole = local
    missing = whole.is_null()
    days, micros = _split(whole)
    if form in EPOCHS:
        return pa.array((days * _DAY + micros) // EPOCHS[form], mask=np.asarray(missing)).cast(TEXT)
    calendar = np.clip(days, -719_162, 2_932_896).astype("datetime64[D]")  # years 1 to 9999
    months = calendar.astype("datetime64[M]")
    weeks = _week(calendar.astype(np.int64))
    parts = {
        "G": weeks[0],
        "V": weeks[1],
        "u": (calendar.astype(np.int64) + 3) % 7 + 1,
        "z": away,
        "q": months.astype(np.int64) % 12 // 3 + 1,
        "Y": months.astype("datetime64[Y]").astype(np.int64) + 1970,
        "m": months.astype(np.int64) % 12 + 1,
        "d": (calendar - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "H": micros // _UNIT["H"],
        "M": micros // _UNIT["M"] % 60,
        "S": micros // _UNIT["S"] % 60,
        "f": micros % _SECOND,
    }
    said = joined(*(_spelled(parts, p) if token else p for token, p in _pieces(form)))
    return pc.if_else(missing, pa.scalar(None, TEXT), said)


def _split(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return whole days and the microseconds of the day."""
    if pa.types.is_date32(column.type):
        days = pc.fill_null(column.cast(pa.int32()), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        return days, np.zeros(len(days), dtype=np.int64)
    per = _SECOND * 1000 if column.type.unit == "ns" else _SECOND
    numbers = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    micros = numbers // (per // _SECOND)
    return micros // _DAY, micros % _DAY


def _spelled(parts: dict[str, np.ndarray], token: str) -> pa.Array:
    letter = _letter(token)
    if letter == "L":
        return pa.array([""], TEXT).take(pa.array(np.zeros(len(parts["m"]), dtype=np.int64)))
    if letter in "zZ":
        return _offset(parts["z"], token)
    if letter in "YG":
        return _looked_up(parts[letter], [f"{y:04d}" for y in range(parts[letter].max(initial=0) + 1)])
    if letter == "y":
        return _looked_up(parts["Y"] % 100, [f"{y:02d}" for y in range(100)])
    if letter in "bB":
        return _looked_up(parts["m"] - 1, _names(token))
    if letter in "aA":
        return _looked_up(parts["u"] - 1, _names(token))
    if letter == "e":
        return _looked_up(parts["d"], [f"{i:2d}" for i in range(32)])
    if letter in "pP":
        return _looked_up(parts["H"] // 12, ["AM", "PM"] if letter == "p" else ["am", "pm"])
    if letter == "f":
        width = _width(token)
        value = parts["f"] // 10 ** (6 - width) if width <= 6 else parts["f"] * 10 ** (width - 6)
        return pc.utf8_lpad(pa.array(value).cast(TEXT), width, "0")
    value = (parts["H"] + 11) % 12 + 1 if letter == "I" else parts[letter]
    return _looked_up(value, [str(i) if token[0] == "-" or letter in "uq" else f"{i:02d}" for i in range(61)])


def _looked_up(index: np.ndarray, words: list[str]) -> pa.Array:
    return pa.array(words, TEXT).take(pa.array(index))


def _offset(away: np.ndarray, token: str) -> pa.Array:
    """Return minutes ahead of UTC as offsets."""
    distinct, index = np.unique(away, return_inverse=True)
    colon = ":" if token[0] == ":" else ""
    words = [f"{'-' if m < 0 else '+'}{abs(m) // 60:02d}{colon}{abs(m) % 60:02d}" for m in distinct.tolist()]
    if _letter(token) == "Z":
        words = ["Z" if not m else w for m, w in zip(distinct.tolist(), words, strict=True)]
    return _looked_up(index, words) if words else pa.array([], TEXT)
