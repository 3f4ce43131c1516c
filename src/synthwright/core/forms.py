"""How values are spelled where they are text: recognise a form, read by it, write by it.

A form is adopted only where every value comes back exactly as it was, so nothing changes silently. What forms look
like: numbers `$1,234.50` (see `core.numerals`), dates and times `%d/%m/%Y` (see `core.moments`), booleans `yes|no`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.lengths import check_length, length_forms, parse_lengths, spell_lengths
from synthwright.core.moment_forms import moment_forms, yearless
from synthwright.core.moments import CLOCKS, EPOCHS, check_form, parse_moments, spell_moments
from synthwright.core.numerals import TEXT, numeral_forms, parse_numerals, read_form, spell_numerals
from synthwright.core.schema import Kind
from synthwright.core.types import zone_of

NULLS = frozenset({
    *("", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "null", "(null)", "none", "nil", "nan", "-nan", "nat", "\\n"),
    *("-", "--", "---", "–", "—", "?", "??", ".", "..", "missing", "unknown", "undefined", "not available", "n/d"),
    *("0000-00-00", "0000-00-00 00:00:00", "#div/0!", "#value!"),
})  # fmt: skip
"""What means "no value" in a column of a text file whose other cells are no text; lower case, trimmed."""
PAIRS = (
    *(("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"), ("ja", "nein")),
    *(("oui", "non"), ("sí", "no"), ("si", "no"), ("sim", "não"), ("wahr", "falsch"), ("vrai", "faux"), ("да", "нет")),
)
"""Words for true and false."""
_NUMBERS = (Kind.INTEGER, Kind.NUMBER)
_MOMENTS = (Kind.DATE, Kind.TIME, Kind.DATETIME)
_SAMPLE = 200
_FEW = 3
MONTHS = 10
"""Different numbers that look like months by accident once in a thousand million columns."""
_DAYS, _LATE = 12, 27
"""So many days of the month, and one so late in it, make days of what is not said to be in a year."""
_BITS, _EACH, _HOURS = 20.0, 8, 3
"""How unlikely it must be that digits are times of day by accident, how many of one hour count, and hours at least."""
_YEARS = (1800, 2199)
"""Years that make a bare row of digits a date."""


class Recognised(NamedTuple):
    """What strings turn out to be, how they are spelled, and what had to be guessed."""

    kind: Kind
    form: str
    why: str = ""


def recognise(strings: Any) -> Recognised | None:
    """Return what distinct strings without nulls spell, or None where that is nothing but text.

    Every one of them is checked: writing what was read gives the same string.
    """
    if not len(strings):
        return None
    found = _booleans(strings)
    if found is not None:
        return found
    sample = _spread(strings)
    few = pa.array(sample, TEXT)
    moments = []
    for kind, form, why in moment_forms(sample):
        if exact(few, form, kind) and exact(strings, form, kind) and _plausible(strings, form, kind):
            moments.append(Recognised(kind, form, why))
            if zone_of(form):
                break  # other places had the same clocks
    if moments:
        return _decided(strings, moments)
    others = (*length_forms(sample), *numeral_forms(sample))
    return next((Recognised(*f) for f in others if exact(few, f[1], f[0]) and exact(strings, f[1], f[0])), None)


def _spread(strings: Any) -> list[str]:
    """Return some of the strings, from everywhere."""
    step = max(1, len(strings) // _SAMPLE)
    return [s.as_py() for s in strings[::step]] if isinstance(strings, pa.Array) else \
        strings.take(pa.array(range(0, len(strings), step))).to_pylist()  # fmt: skip


def _booleans(strings: Any) -> Recognised | None:
    if len(strings) != 2:  #  only one of two words is a constant
        return None
    words = {s.strip().casefold(): s for s in strings.to_pylist()}
    for yes, no in PAIRS:
        if set(words) == {yes, no} and "|" not in words[yes] + words[no]:
            return Recognised(Kind.BOOLEAN, f"{words[yes]}|{words[no]}")
    return None


def _plausible(strings: Any, form: str, kind: Kind) -> bool:
    """Return whether what can be read by a form is likely to be meant so."""
    if form.startswith("%Y%m"):
        return plausible_days(strings)
    if form in CLOCKS:
        return clock_of(np.asarray(strings.cast(pa.int64()))) == form
    if not yearless(form):
        return True
    read = parse(strings, form, kind)
    days, months = (np.unique(np.asarray(part(read))) for part in (pc.day, pc.month))
    return len(days) >= _DAYS and days[-1] >= _LATE and len(months) > 1


def plausible_days(words: Any) -> bool:
    """Return whether rows of digits that begin with a year are days or months: a few, in years that there are."""
    years = pc.utf8_slice_codeunits(words, 0, 4).cast(pa.int64())
    bounds = pc.min_max(years).as_py()
    if len(words) < _FEW or bounds["min"] < _YEARS[0] or bounds["max"] > _YEARS[1]:
        return False
    if len(words) >= MONTHS and exact(words, "%Y%m", Kind.DATE):
        return True
    return exact(words, "%Y%m%d", Kind.DATE) or exact(words, "%Y%m%d%H%M%S", Kind.DATETIME)


def clock_of(numbers: np.ndarray) -> str | None:
    """Return the form of whole numbers that are surely times of day: 930, 2355, or with seconds 93000, 235559.

    None of them ends in 60 to 99, in several hours, although by chance many would; minutes go up to the last ones.
    """
    values = np.unique(numbers)
    form = next((f for f, d in CLOCKS.items() if 10 ** (d - 1) <= values[-1] < 24 * 10 ** (d - 2)), None)
    if form is None or values[0] < 0:
        return None
    values = values.astype(np.int64)
    pairs = [values % 100] + ([values // 100 % 100] if form == "%H%M%S" else [])
    if any((p >= 60).any() for p in pairs):
        return None
    apart = int(np.gcd.reduce(np.append(values, 100)))
    bits = np.log2(100 / apart / np.ceil(60 / apart))
    hours, many = np.unique(values[values >= 100] // 100, return_counts=True)
    latest = 60 - max(5, int(np.gcd.reduce(np.append(pairs[0], 60))))
    sure = np.minimum(many, _EACH).sum() * bits >= _BITS and len(hours) >= _HOURS and pairs[0].max() >= latest
    return form if sure else None


def _decided(strings: Any, moments: list[Recognised]) -> Recognised:
    """Choose between day before month and month before day where every value can be read in both ways."""
    first = moments[0]
    others = [m for m in moments[1:] if _turned(m.form) == first.form]
    if not others:
        return first
    month_first = first if first.form.find("m") < first.form.find("d") else others[0]
    day_first = others[0] if month_first is first else first
    days = {m.form: pc.count_distinct(pc.day(parse(strings, m.form, m.kind))).as_py() for m in (month_first, day_first)}
    if days[day_first.form] == 1 < days[month_first.form]:
        return day_first._replace(
            why="every date can be read in two ways; the first number is always the same, so it is the day"
        )
    if days[month_first.form] == 1 < days[day_first.form]:
        return month_first._replace(
            why="every date can be read in two ways; the second number is always the same, so it is the day"
        )
    chosen = month_first if "/" in first.form else day_first
    order = "month before day" if chosen is month_first else "day before month"
    return chosen._replace(
        why=f"every date can be read in two ways; taken as {order}: correct the form if that is wrong"
    )


def _turned(form: str) -> str:
    """Return the form with day and month exchanged."""
    return form.replace("d", "\0").replace("m", "d").replace("\0", "m")


def exact(strings: Any, form: str, kind: Kind) -> bool:
    """Return whether every string comes back as it was after reading and writing it by a form."""
    read = parse(strings, form, kind)
    if read.null_count:
        return False
    return bool(pc.all(pc.equal(spell(read, form, kind), strings.cast(TEXT))).as_py())


def check(form: str, kind: Kind) -> None:
    """Raise a ValueError, which says what one looks like, for what is no form of this kind."""
    if kind is Kind.BOOLEAN:
        _words(form)
    elif kind in _NUMBERS:
        read_form(form)
    elif kind in _MOMENTS:
        if form in EPOCHS and kind is not Kind.DATETIME:
            raise ValueError(f"{form!r} counts to an instant, which is of the kind 'datetime'")
        check_form(form)
    elif kind is Kind.DURATION:
        check_length(form)
    else:
        raise ValueError(f"a field of kind {kind.value!r} has no form")


def _words(form: str) -> tuple[str, str]:
    yes, _, no = form.partition("|")
    if not yes or not no or yes == no:
        raise ValueError(f"{form!r} is no form of booleans: 'yes|no', the word for true first")
    return yes, no


def parse(column: Any, form: str, kind: Kind) -> Any:
    """Read strings by a form, as the canonical type of the kind; null where a string does not fit."""
    if kind is Kind.BOOLEAN:
        words = pa.array(_words(form), column.type)
        return pc.equal(pc.index_in(column, words), 0)
    if kind in _NUMBERS:
        return parse_numerals(column, form, kind)
    return parse_lengths(column, form) if kind is Kind.DURATION else parse_moments(column, form, kind)


def spell(column: Any, form: str, kind: Kind) -> Any:
    """Write a column of a kind's canonical type by a form, as large_string."""
    if kind is Kind.BOOLEAN:
        yes, no = (pa.scalar(w, TEXT) for w in _words(form))
        return pc.if_else(column, yes, no)
    if kind in _NUMBERS:
        return spell_numerals(column, form)
    return spell_lengths(column, form) if kind is Kind.DURATION else spell_moments(column, form)


def means_null(column: Any) -> Any:
    """Return booleans: true where a text cell is one of the spellings of "no value"; null where it is null."""
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    return pc.if_else(
        column.is_null(), pa.scalar(None, pa.bool_()), pc.is_in(plain, pa.array(sorted(NULLS), plain.type))
    )
