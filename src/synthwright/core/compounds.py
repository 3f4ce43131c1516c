"""Texts put together of numbers: `119/74`, `11.1 - 12.5`, `30x48x16 cm`, `< 5` beside `12`, `1.3 kg` beside `268 g`.

Such a text is written in one of a few *ways*: the words are the same, the numbers differ. A number is one that is
spelled as numbers are (see `core.numerals`) and behaves like one; digits of codes do not. Dates and times in texts are
numbers, too (see `core.compound_moments`).
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.compound_moments import dated_ways
from synthwright.core.compound_ways import AGREE, MINUS, Numbered, Way, Written, written
from synthwright.core.forms import exact, parse
from synthwright.core.numerals import TEXT, numeral_forms
from synthwright.core.schema import Kind

LONGEST = 100
"""Longer texts are no numbers with words around them."""
LEAST = 20
"""Rows below which no way is believed."""
_NUMBERS = (r"[0-9]+(?:[.,][0-9]+)*", r"[0-9]+(?:\.[0-9]+)?", r"[0-9]+,[0-9]+", "[0-9]+")
"""What a number may look like, tried one after the other: `1,234.50`, `12.5`, `12,5`, `12`."""
_SIGN = r"(^|[ (\[;,:/–-])[-−]([0-9])"
_WORD = re.compile(r"[^\W\d_]{4,}")
_SAID = re.compile(
    r"hours?|minutes?|mins|seconds?|secs|days|weeks?|months?|years?|times|packs?|kcal|mmol|mmhg|[kmg]bit|tbsp|persons"
    r"|approx|about|around|between|from|upto|under|over|less|than|more|most|least|above|below|versus"
    r"|stunden?|minuten?|sekunden?|tage|wochen?|monate?|jahre?|unter|über|circa|heures?|jours?|mois|años|días|horas?"
    r"|stück|euros?|dollars?"
)
"""Longer words that may stand beside numbers; others may say more than how much, so that texts need room for others."""
_BEFORE, _BEHIND = re.compile(r"|.*[\s<>~≈≤≥±=:€$£+(\[]"), re.compile(r"[^\w/#].*|[^\W\d_]{1,3}(?:\W.*)?|")
"""What stands before the first number, and behind the only one: a letter or a hyphen before it makes it a code."""
_LARGEST = 1e9
_SHARED = 0.5
_FULL = 0.8
_SOME = 200


def ways_of(texts: pa.Array, weights: np.ndarray, protect: int) -> list[Way] | None:
    """Return the ways in which texts are put together of numbers, the commonest first; None where they are not.

    Args:
        texts: texts, none of them null; each once is enough.
        weights: how many rows hold each.
        protect: how many rows must share a way, with its words.
    """
    if weights.sum() < LEAST or pc.max(pc.utf8_length(texts)).as_py() > LONGEST:
        return None
    if not pc.mean(pc.match_substring_regex(texts, "[0-9]").cast(pa.int8())).as_py() > 1 - AGREE:
        return None
    dated = dated_ways(texts, weights, protect)
    if dated is not None:
        return dated
    for pattern in _NUMBERS:
        plain = written(texts, weights, protect, pattern)
        if plain is None or len(plain) > 1:  # a minus may be what makes them differ
            marked = pc.replace_substring_regex(texts, _SIGN, rf"\1{MINUS}\2")
            signed = written(marked, weights, protect, f"{MINUS}?{pattern}")
            plain = signed if signed and (plain is None or len(signed) < len(plain)) else plain
        found = _read(plain, weights, protect) if plain else None
        if found is not None and _says(found):
            return found
    return None


def _read(written: list[Written], weights: np.ndarray, protect: int) -> list[Way] | None:
    """Return the ways with their numbers; None where something that varies is no number."""
    out = []
    for one in written:
        words, numbers = [one.words[0]], []
        for run, word in zip(one.runs, one.words[1:], strict=True):
            if pc.count_distinct(run).as_py() == 1:  # a number that never changes is a word
                words[-1] += run[0].as_py() + word
                continue
            found = _number(run, weights[one.rows], protect)
            if found is None:
                return None
            numbers.append(found)
            words.append(word)
        out.append(Way(tuple(words), tuple(numbers), one.rows))
    return out


def _number(run: pa.Array, weights: np.ndarray, protect: int) -> Numbered | None:
    """Return the numbers that digits are; None where they are those of codes."""
    distinct = pc.unique(run)
    sample = distinct[:: max(1, len(distinct) // _SOME)].to_pylist()
    few = pa.array(sample, TEXT)
    for kind, form, _ in numeral_forms(sample):
        if not exact(few, form, kind) or not exact(distinct, form, kind):
            continue
        values = np.asarray(parse(run, form, Kind.NUMBER), dtype=np.float64)
        if np.abs(values).max() >= _LARGEST or not _behaves(values, weights, protect, whole=kind is Kind.INTEGER):
            return None
        return Numbered(kind, form, values)
    return None


def _behaves(values: np.ndarray, weights: np.ndarray, protect: int, *, whole: bool) -> bool:
    """Return whether numbers are amounts: they repeat, have decimals, or are more often small than digits at random."""
    distinct, of = np.unique(values, return_inverse=True)
    shared = np.bincount(of.ravel(), weights)
    if not whole or shared[shared >= protect].sum() >= _SHARED * shared.sum():
        return True
    low, high = distinct[0], distinct[-1]
    if len(distinct) == len(values) and len(distinct) > _SHARED * (high - low + 1):
        return False  # a counter
    digits = len(str(int(high)))
    return bool(low < 0 or high - low + 1 < _FULL * 9 * 10.0 ** (digits - 1) or low < 10.0 ** (digits - 1))


def _says(ways: list[Way]) -> bool:
    """Return whether texts hold more than one plain number or code: several numbers, or words apart from the number."""
    numbered = [way for way in ways if way.numbers]
    words = (w for way in numbered for said in way.words for w in _WORD.findall(said))  # `unknown` alone says no more
    if not numbered or not all(_SAID.fullmatch(w.casefold()) for w in words):
        return False
    if not all(_BEFORE.fullmatch(way.words[0]) for way in numbered):
        return False
    if any(re.fullmatch(r"[0-9]*(?:\.[0-9]*){3,}", "".join(way.words)) for way in numbered):
        return False  # an address of the internet
    single = [way.words for way in numbered if len(way.numbers) == 1]
    return (len(ways) > 1 or not single or any(single[0])) and all(_BEHIND.fullmatch(w[1]) for w in single)
