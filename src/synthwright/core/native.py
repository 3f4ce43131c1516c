"""Cells of text files that need no form: plain numbers, true and false, ISO dates; every reader takes them as such."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.casting import as_text, from_text
from synthwright.core.forms import exact, recognise
from synthwright.core.numerals import TEXT, numeral_forms
from synthwright.core.schema import Kind
from synthwright.core.types import zone_of

_REAL = r"^\s*-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$|^\s*[+-]?(?i:inf|infinity)\s*$"
_SIGNED = r"^\s*[+-](?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$|^\s*0(?:\.0*)?\s*$"
_WHOLE = r"^\s*[+-]?[0-9]+\s*$"
_INSTANT = re.compile(r"%Y-%m-%d[ T]%H:%M(?::%S(?P<fraction>\.%3f|\.%f)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?")
_UNITS = {None: "s", ".%3f": "ms", ".%f": "us"}
_SOME = 200


class Native(NamedTuple):
    """The type that cells have without any form, and the form they are spelled in where it is not the plainest."""

    type: pa.DataType
    form: str | None = None


def native(words: Any) -> Native | None:
    """Return the type that distinct cells (without nulls) plainly have, or None.

    Digits after a leading zero, or all with a plus, are codes; digits too many for 64 bits are too.
    """
    if not len(words):
        return None
    some = words.slice(0, _SOME)
    for pattern in (_REAL, _SIGNED):
        if _all(some, pattern) and _all(words, pattern) and (pattern is _REAL or _any(words, "-")):
            return _number(words)
    if _all(some, "(?i)^(?:true|false)$"):
        return _truth(words)
    if _all(some, r"^\d{4}-\d{2}-\d{2}"):
        return _moment(words)
    if _all(some, r"^-?PT\d"):
        found = recognise(words)
        return Native(pa.duration("us"), found.form) if found else None
    return None


def _all(words: Any, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(words, pattern)).as_py())


def _any(words: Any, part: str) -> bool:
    return bool(pc.any(pc.match_substring(words, part)).as_py())


def _number(words: Any) -> Native | None:
    if _all(words, _WHOLE):
        for kind in (pa.int64(), pa.uint64()):
            if not from_text(words, kind).null_count:
                return Native(kind)
        return None
    numbers = from_text(words, pa.float64())
    if numbers.null_count:
        return None
    plain = bool(pc.all(pc.equal(as_text(numbers), words.cast(TEXT))).as_py())
    sample = [] if plain else [w.as_py() for w in words[:: max(1, len(words) // _SOME)]]
    forms = (form for kind, form, _ in numeral_forms(sample) if kind is Kind.NUMBER and exact(words, form, kind))
    return Native(pa.float64(), next(forms, None))


def _truth(words: Any) -> Native | None:
    said = {w.lower(): w for w in words.to_pylist()} if len(words) <= 2 else {}
    if len(said) != len(words) or not set(said) <= {"true", "false"}:
        return None
    yes = said.get("true") or _like(said["false"], "true")
    no = said.get("false") or _like(said["true"], "false")
    return Native(pa.bool_(), None if (yes, no) == ("true", "false") else f"{yes}|{no}")


def _like(model: str, word: str) -> str:
    """Return a word in upper and lower case as another one is."""
    return word.upper() if model.isupper() else word.capitalize() if model[0].isupper() else word


def _moment(words: Any) -> Native | None:
    found = recognise(words)
    if found is None:
        return None
    if found.form == "%Y-%m-%d":
        return Native(pa.date32())
    if place := zone_of(found.form):
        return Native(pa.timestamp("us", place), found.form)
    instant = _INSTANT.fullmatch(found.form)
    if instant is None:
        return None
    plain = found.form == "%Y-%m-%d %H:%M:%S"
    zone = "UTC" if instant["zone"] in ("Z", "+00:00") else instant["zone"]
    return Native(pa.timestamp(_UNITS[instant["fraction"]], zone), None if plain else found.form)
