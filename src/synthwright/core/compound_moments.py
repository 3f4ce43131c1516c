"""Texts put together of moments and words: `09:00-17:30`, `2024-05-01 to 2024-06-15`, `12.03.2024` beside `open`.

Instants whose offsets differ are some, too: `2024-05-01T10:00:00Z` beside `2024-05-01T10:00:00+02:00`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.compound_ways import Numbered, Way, Written, written
from synthwright.core.forms import exact, parse, recognise
from synthwright.core.schema import Kind

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[AaPp][Mm])?"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = (
    r"(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})"
    rf"|[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}})"
)
_PATTERNS = (rf"{_DAY}(?:T|,? ){_CLOCK}", _DAY, _CLOCK)
"""What a moment may look like, tried one after the other."""
_MOMENTS = (Kind.DATE, Kind.TIME, Kind.DATETIME)


def dated_ways(texts: pa.Array, weights: np.ndarray, protect: int) -> list[Way] | None:
    """Return the ways in which texts are put together of moments and words, the commonest first; None where none are.

    Args:
        texts: texts, none of them null; each once is enough.
        weights: how many rows hold each.
        protect: how many rows must share a way, with its words.
    """
    for pattern in _PATTERNS:
        if not pc.any(pc.match_substring_regex(texts, pattern)).as_py():
            continue
        plain = written(texts, weights, protect, pattern)
        found = _read(plain) if plain else None
        if found is not None:
            return found
    return None


def _read(ways: list[Written]) -> list[Way] | None:
    """Return the ways with their moments; None where none varies, or where something that looks so is none."""
    runs = [run for way in ways for run in way.runs]
    common = recognise(pc.unique(pa.concat_arrays(runs))) if runs else None
    out = []
    for one in ways:
        words, numbers = [one.words[0]], []
        for run, word in zip(one.runs, one.words[1:], strict=True):
            found = common or recognise(pc.unique(run))
            if found is None or found.kind not in _MOMENTS or not exact(run, found.form, found.kind):
                return None
            numbers.append(Numbered(found.kind, found.form, _values(run, found.form, found.kind)))
            words.append(word)
        out.append(Way(tuple(words), tuple(numbers), one.rows))
    return out if any(len(np.unique(n.values)) > 1 for way in out for n in way.numbers) else None


def _values(run: pa.Array, form: str, kind: Kind) -> np.ndarray:
    read = parse(run, form, kind)
    counts = read.cast(pa.int32()) if kind is Kind.DATE else read.cast(pa.int64())
    return np.asarray(counts, dtype=np.float64)
