"""Lengths of time as people and programs spell them: `2 days 03:00:00`, `26:15:00`, `PT90.5S`, `1h 05m`, `PT1H5M`.

Forms say days with `%D`, then `%H:%M:%S`; or all seconds with `%s`; `%3f` is three digits of a second, `%f` six. Or
they say a few units, each beside its number (see `core.spans`). What is negative begins with a minus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.numerals import TEXT, joined
from synthwright.core.schema import Kind
from synthwright.core.spans import is_span, parse_spans, span_forms, spell_spans

_SECOND = 1_000_000
_UNITS = {"D": 86_400 * _SECOND, "H": 3_600 * _SECOND, "M": 60 * _SECOND, "S": _SECOND, "s": _SECOND}
_FORM = re.compile(r"(?P<days>%D days )?%H:%M:%S(?P<behind>\.%[1-9]?f)?|PT%s(?P<rest>\.%[1-9]?f)?S")
_DAYS = re.compile(r"-?[0-9]+ days \+?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.(?P<rest>[0-9]{1,9}))?")
_CLOCK = re.compile(r"[0-9]{2,4}:[0-5][0-9]:[0-5][0-9](?:\.(?P<rest>[0-9]{1,9}))?")
_ISO = re.compile(r"-?PT[0-9]+(?:\.(?P<rest>[0-9]{1,9}))?S")
_PLAIN = (
    r"^(?:(?P<D>-?[0-9]{1,7}) days?,? ?\+?)?(?P<sign>-?)"
    r"(?:(?P<H>[0-9]{1,4}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:\.(?P<f>[0-9]{1,9}))?)?)?$"
)  # pandas: -1 days +23:00:00 is minus one hour
_SPAN = (
    r"^(?P<sign>-?)P(?:(?P<D>[0-9]{1,7})D)?(?:T(?:(?P<H>[0-9]{1,9})H)?(?:(?P<M>[0-9]{1,9})M)?"
    r"(?:(?P<S>[0-9]{1,12})(?:\.(?P<f>[0-9]{1,9}))?S)?)?$"
)


def check_length(form: str) -> None:
    """Raise a ValueError for what is no form of lengths of time."""
    if not _FORM.fullmatch(form) and not is_span(form):
        raise ValueError(
            f"{form!r} is no form of lengths of time: '%D days %H:%M:%S', '%H:%M:%S', 'PT%sS', '[%-Hh] %Mm'"
        )


def _by_units(form: str) -> bool:
    return not _FORM.fullmatch(form) and is_span(form)


def length_forms(sample: list[str]) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, form and reason of every form that a few spelled lengths of time may have."""
    for pattern, start, end in ((_DAYS, "%D days %H:%M:%S", ""), (_CLOCK, "%H:%M:%S", ""), (_ISO, "PT%s", "S")):
        found = [pattern.fullmatch(s) for s in sample]
        if sample and all(found):
            digits = max(len(f["rest"] or "") for f in found if f)
            rest = "" if not digits else ".%f" if digits == 6 else f".%{digits}f"
            yield Kind.DURATION, start + rest + end, ""
    for form in span_forms(sample):
        yield Kind.DURATION, form, ""


def parse_lengths(strings: Any, form: str = "") -> pa.Array:
    """Return lengths of time, in the units of a form or however they are plainly spelled, as duration[us].

    Null where one is none.
    """
    if _by_units(form):
        return parse_spans(strings, form)
    whole = strings.combine_chunks() if isinstance(strings, pa.ChunkedArray) else strings
    told = pc.match_substring_regex(whole, "[0-9]")
    return pc.coalesce(*(_parsed(pc.if_else(told, whole, pa.scalar(None, whole.type)), p) for p in (_PLAIN, _SPAN)))


def _parsed(strings: pa.Array, pattern: str) -> pa.Array:
    found = pc.extract_regex(strings, pattern)
    total = np.zeros(len(strings), dtype=np.int64)
    for letter in "HMS":
        total += _counts(pc.struct_field(found, letter)) * _UNITS[letter]
    total += _counts(pc.utf8_rpad(pc.struct_field(found, "f"), 9, "0")) // 1000
    days = _counts(pc.struct_field(found, "D")) * _UNITS["D"]
    turned = np.asarray(pc.fill_null(pc.equal(pc.struct_field(found, "sign"), "-"), False))
    total = np.where(turned, -total, total) + np.where(turned & (pattern is _SPAN), -days, days)
    return pa.array(total, mask=~np.asarray(pc.is_valid(found))).cast(pa.duration("us"))


def _counts(strings: pa.Array) -> np.ndarray:
    said = pc.if_else(pc.equal(strings, ""), pa.scalar(None, strings.type), strings)
    return pc.fill_null(said.cast(pa.int64()), 0).to_numpy(zero_copy_only=False).copy()


def spell_lengths(column: Any, form: str) -> Any:
    """Return lengths of time (duration[us] or duration[ns]) spelled by a form, as large_string."""
    check_length(form)
    if _by_units(form):
        return spell_spans(column, form)
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    counts = pc.fill_null(whole.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    micros = counts // 1000 if whole.type.unit == "ns" else counts
    found = _FORM.fullmatch(form)
    behind = (found["behind"] or found["rest"] or "") if found else ""
    if form.startswith("%D"):  # days go down, the rest of the day is always forwards
        days, rest = micros // _UNITS["D"], micros % _UNITS["D"]
        plus = pc.if_else(pa.array(days < 0), "+", "").cast(TEXT)
        clock = (plus, _two(rest // _UNITS["H"]), ":", _two(rest // _UNITS["M"] % 60), ":", _two(rest // _SECOND % 60))
        said = joined(_text(days), " days ", *clock, *_fraction(rest, behind))
    elif form.startswith("%H"):  # hours go on where a day ends
        size = np.abs(micros)
        sign = pc.if_else(pa.array(micros < 0), "-", "").cast(TEXT)
        hours, rest = size // _UNITS["H"], size % _UNITS["H"]
        clock = (sign, _two(hours), ":", _two(rest // _UNITS["M"]), ":", _two(rest // _SECOND % 60))
        said = joined(*clock, *_fraction(size, behind))
    else:
        size = np.abs(micros)
        sign = pc.if_else(pa.array(micros < 0), "-", "").cast(TEXT)
        said = joined(sign, "PT", _text(size // _SECOND), *_fraction(size, behind), "S")
    return pc.if_else(whole.is_null(), pa.scalar(None, TEXT), said)


def _text(counts: np.ndarray) -> pa.Array:
    return pa.array(counts).cast(TEXT)


def _two(counts: np.ndarray) -> pa.Array:
    return pc.utf8_lpad(_text(counts), 2, "0")  # what is longer stays so


def _fraction(micros: np.ndarray, behind: str) -> tuple[Any, ...]:
    if not behind:
        return ()
    width = int(behind[2]) if behind[2] != "f" else 6
    digits = pc.utf8_rpad(pc.utf8_lpad(_text(micros % _SECOND), 6, "0"), width, "0")
    return ".", pc.utf8_slice_codeunits(digits, 0, width)
