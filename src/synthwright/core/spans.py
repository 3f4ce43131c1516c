"""Lengths of time by their units: `1h 05m`, `2 h 19 min` beside `53 min`, `PT1H5M`, `125:30`.

A form shows each unit as `%D`, `%H`, `%M`, `%S` (two digits) or `%-D` … (as many as there are) with its word behind it;
in brackets stands what is left out where its number is zero, the last one apart: `[%-H h ]%-M min`. Blanks between two
units stand only where both do: `[%-Hh] [%-Mm]`. The first unit counts on where a larger one would begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.numerals import TEXT, joined

_MICROS = {"D": 86_400_000_000, "H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000}
_ORDER = "DHMS"
_PIECE = re.compile(r"(?P<open>\[)?%(?P<bare>-?)(?P<unit>[DHMS])(?P<word>[^\[\]%]*)(?P<close>\])?|(?P<plain>[^\[\]%]+)")
_WORDS = {
    "D": r"d|days?|tage?|tg|t",
    "H": r"h|hrs?|hours?|std|stunden?",
    "M": r"m|mins?|minutes?|minuten?|'|′",
    "S": r"s|secs?|seconds?|sek|sekunden?|\"|″",
}
_AMOUNT = re.compile(r"(?P<number>[0-9]{1,7})(?P<blank> ?)(?P<word>[^\W\d_]+\.?|['\"′″])(?P<behind>[ ,]*)")
_CLOCK = re.compile(r"[0-9]{1,6}:[0-5][0-9](?P<seconds>:[0-5][0-9])?")


class _Piece(NamedTuple):
    """A unit with the word behind it, or, where there is no unit, a word that stands by itself."""

    unit: str
    word: str
    bare: bool = False
    """Whether the number has no leading zeros."""
    optional: bool = False


@cache
def _pieces(form: str) -> tuple[_Piece, ...]:
    """Return the pieces of a form; none where it is no such form."""
    out, at = [], 0
    for found in _PIECE.finditer(form):
        if found.start() != at or bool(found["open"]) != bool(found["close"]):
            return ()
        at = found.end()
        if found["plain"]:
            out.append(_Piece("", found["plain"]))
        else:
            out.append(_Piece(found["unit"], found["word"], bool(found["bare"]), bool(found["open"])))
    units = [p.unit for p in out if p.unit]
    if at != len(form) or not units or units != sorted(set(units), key=_ORDER.index):
        return ()
    return tuple(out)


def is_span(form: str) -> bool:
    """Return whether a form is one of units with their words."""
    return bool(_pieces(form))


def parse_spans(strings: Any, form: str) -> pa.Array:
    """Return lengths of time as duration[us]; null where one is not spelled by the form."""
    whole = strings.combine_chunks() if isinstance(strings, pa.ChunkedArray) else strings
    said = ""
    for piece in _pieces(form):
        if piece.unit:
            one = f"(?P<{piece.unit}>[0-9]{{{'1,9' if piece.bare else '2,9'}}}){re.escape(piece.word)}"
            said += f"(?:{one})?" if piece.optional else one
        else:
            said += f"(?:{re.escape(piece.word)})?" if _blank(piece) else re.escape(piece.word)
    found = pc.extract_regex(whole, f"^(?P<minus>-?){said}$")
    good = np.asarray(pc.is_valid(found)) & np.asarray(pc.fill_null(pc.match_substring_regex(whole, "[0-9]"), False))
    total = np.zeros(len(whole), dtype=np.int64)
    for piece in _pieces(form):
        if piece.unit:
            digits = pc.struct_field(found, piece.unit)
            digits = pc.if_else(pc.equal(digits, ""), pa.scalar(None, digits.type), digits)
            counts = pc.fill_null(digits.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
            good &= counts < 2**62 // _MICROS[piece.unit]
            total += np.where(good, counts, 0) * _MICROS[piece.unit]
    minus = np.asarray(pc.fill_null(pc.equal(pc.struct_field(found, "minus"), "-"), False))
    return pa.array(np.where(minus, -total, total), mask=~good).cast(pa.duration("us"))


def spell_spans(column: Any, form: str) -> Any:
    """Return lengths of time (duration[us] or duration[ns]) spelled by a form, as large_string."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    counts = pc.fill_null(whole.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    micros = counts // 1000 if whole.type.unit == "ns" else counts
    pieces = _pieces(form)
    units = [p.unit for p in pieces if p.unit]
    finest = _MICROS[units[-1]]
    rest = np.abs(micros) + finest // 2
    rest -= rest % finest
    begun = np.zeros(len(rest), dtype=bool)
    said: list[Any] = [pc.if_else(pa.array((micros < 0) & (rest > 0)), "-", "").cast(TEXT)]
    between: str | None = None
    for piece in pieces:
        if not piece.unit:
            if _blank(piece):
                between = piece.word
            else:
                said.append(piece.word)
            continue
        number, rest = rest // _MICROS[piece.unit], rest % _MICROS[piece.unit]
        there = np.ones(len(rest), dtype=bool)
        if piece.optional:
            there = (number > 0) | ((piece.unit == units[-1]) & ~begun)
        if between is not None:
            said.append(pc.if_else(pa.array(begun & there), between, "").cast(TEXT))
            between = None
        digits = pa.array(number).cast(TEXT)
        digits = digits if piece.bare else pc.utf8_lpad(digits, 2, "0")
        said.append(pc.if_else(pa.array(there), joined(digits, piece.word), pa.scalar("", TEXT)))
        begun |= there
    return pc.if_else(whole.is_null(), pa.scalar(None, TEXT), joined(*said))


def _blank(piece: _Piece) -> bool:
    return not piece.word.strip(" ,")


def span_forms(sample: list[str]) -> Iterator[str]:
    """Yield every form that a few spelled lengths of time may have, the likeliest first."""
    if not sample:
        return
    clocks = [_CLOCK.fullmatch(s) for s in sample]
    if all(clocks):
        with_seconds = {bool(c["seconds"]) for c in clocks if c}
        if len(with_seconds) == 1:
            yield "%-H:%M:%S" if with_seconds.pop() else "%-H:%M"
        return
    if all(s.startswith("P") for s in sample):
        days = "[%-DD]" if any("D" in s for s in sample) else ""
        yield f"P{days}T[%-HH][%-MM]" + ("[%-SS]" if any(s.endswith("S") for s in sample) else "")
        return
    found = [_amounts(s) for s in sample]
    if all(found):
        yield from _united([f for f in found if f])


def _amounts(said: str) -> dict[str, tuple[str, str, str]] | None:
    """Return for each unit of a length its number, the word behind it and the blanks behind that."""
    out: dict[str, tuple[str, str, str]] = {}
    at = 0
    for found in _AMOUNT.finditer(said):
        word = found["word"].rstrip(".").casefold()
        unit = next((u for u, words in _WORDS.items() if re.fullmatch(words, word)), None)
        if found.start() != at or unit is None or any(_ORDER.index(unit) <= _ORDER.index(u) for u in out):
            return None
        out[unit] = found["number"], found["blank"] + found["word"], found["behind"]
        at = found.end()
    return out if at == len(said) else None


def _united(found: list[dict[str, tuple[str, str, str]]]) -> Iterator[str]:
    """Yield the form in which units are said, where each has one word and at least two are there."""
    units = [u for u in _ORDER if any(u in one for one in found)]
    words = {u: {one[u][1] for one in found if u in one} for u in units}
    gaps = {one[u][2] for one in found for u in list(one)[:-1]}
    if len(units) < 2 or any(len(w) > 1 for w in words.values()) or len(gaps) != 1:
        return
    parts = []
    for unit in units:
        numbers = [one[unit][0] for one in found if unit in one]
        mark = "%" if any(n[0] == "0" and len(n) == 2 for n in numbers) and min(map(len, numbers)) > 1 else "%-"
        said = f"{mark}{unit}{next(iter(words[unit]))}"
        parts.append(said if len(numbers) == len(found) else f"[{said}]")
    yield next(iter(gaps)).join(parts)
