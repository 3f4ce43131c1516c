"""Which forms dates, times of day and instants that people spelled may have (what forms mean: `core.moments`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.moment_words import ENGLISH, styled, translated
from synthwright.core.moments import CLOCKS, parse_moments, pattern, spell_moments
from synthwright.core.numerals import TEXT
from synthwright.core.schema import Kind

_DATES = (
    *("%-d de %B de %Y", "%d de %B de %Y", "%-d de %b de %Y", "%-d. %b %Y", "%d. %b %Y", "%-d. %b. %Y", "%-d %B de %Y"),
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%-d.%-m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y"),
    *(
        "%-d/%-m/%Y",
        "%m/%d/%y",
        "%d/%m/%y",
        "%-m/%-d/%y",
        "%-d/%-m/%y",
        "%-d.%-m.%y",
        "%-d-%-m-%y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%-d-%-m-%Y",
        "%-m-%-d-%Y",
    ),
    *("%Y-%-m-%-d", "%Y/%-m/%-d", "%d-%b-%Y", "%-d-%b-%Y", "%d-%^b-%Y", "%d-%b-%y", "%d-%^b-%y", "%d%b%Y", "%d%^b%Y"),
    *("%-d-%b-%y", "%-d-%^b-%Y", "%-d-%^b-%y", "%d/%b/%Y", "%d.%b.%Y", "%d %b %y", "%-d %b %y", "%d%b%y", "%d%^b%y"),
    *(
        "%d %b %Y",
        "%-d %b %Y",
        "%d %B %Y",
        "%-d %B %Y",
        "%b %d, %Y",
        "%b %-d, %Y",
        "%B %d, %Y",
        "%B %-d, %Y",
        "%-d. %B %Y",
    ),
    *("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%b %y", "%Y%m%d", "%d-%m-%y", "%b %d %Y"),
    *("%b %-d %Y", "%B %d %Y", "%B %-d %Y", "%d. %B %Y", "%d-%B-%Y", "%-d-%B-%Y", "%b. %-d, %Y", "%b. %d, %Y"),
    *(
        "%G-W%V",
        "%GW%V",
        "%G W%V",
        "%G/W%V",
        "%G-W%V-%u",
        "%G-KW%V",
        "%G KW%V",
        "W%V %G",
        "W%V/%G",
        "W%V-%G",
        "KW%V/%G",
    ),
    *("KW %V/%G", "KW%V %G", "KW %V %G", "%G-W%-V", "%GW%-V", "W%-V %G", "W%-V/%G", "KW %-V/%G", "KW%-V/%G"),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q/%Y", "Q%q-%Y", "Q%q%Y", "%q. Quartal %Y"),
)
_YEARLESS = (
    *("%-m/%-d", "%m/%d", "%-d/%-m", "%d/%m", "%m-%d", "%d-%m", "--%m-%d", "%d.%m.", "%-d.%-m.", "%-d. %B", "%d. %B"),
    *("%b %d", "%b %-d", "%b %e", "%B %d", "%B %-d", "%d %b", "%-d %b", "%d %B", "%-d %B", "%-d-%b", "%d-%b", "%b-%d"),
    *("%b-%-d", "%d-%^b", "%-d-%^b"),
)
"""Days of no year."""
ZONES = (
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Phoenix", "America/Anchorage", "America/Halifax"),
    *("America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Mexico_City", "America/Bogota"),
    *("Asia/Jerusalem", "Asia/Tehran", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Asia/Seoul"),
    *("Australia/Sydney", "Australia/Adelaide", "Australia/Perth", "Pacific/Auckland", "Africa/Cairo", "Europe/Dublin"),
    *("Europe/Lisbon", "Europe/Paris", "Europe/Istanbul", "Africa/Casablanca", "Africa/Johannesburg"),
)
"""Zones that are tried where the offsets of instants change with the seasons."""
_TIME = re.compile(
    r"(?P<date>.*?)(?P<sep>T|, | at | |:|)(?P<hour>\d{1,2}):\d{2}(?P<seconds>:\d{2}(?P<fraction>\.\d{1,9})?)?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone>Z| ?UTC| ?GMT| ?[+-]\d{2}:?\d{2})?"
)
_OFFSET = re.compile(r"(?P<blank> ?)(?:Z|[+-]\d{2}(?P<colon>:?)\d{2})$")
_FEW = 30
"""Moments that the clocks of all places are tried on."""
_COMPACT = re.compile(r"\d{4,14}")
_LATE = re.compile(r"[A-Z][a-z]{2} (?P<day>[ \d]?\d) \d{2}:\d{2}:\d{2}(?P<zone> [A-Z]{3}| [+-]\d{4})? \d{4}")
"""The year behind the time, as `date` and `ctime` write it."""
_AHEAD = re.compile(r"(?P<day>[A-Za-z]{3,9})(?P<between>\.?,? (?:den )?)(?P<bare>.+)")
_BEHIND = re.compile(r"(?P<bare>.+?)(?P<between>,? \(?)(?P<day>[A-Za-z]{3,9})(?P<end>\)?)")


def moment_forms(sample: list[str]) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, form and reason of every form that a few spelled dates or times may have, the likeliest first."""
    if not sample or not all(any(c.isdigit() for c in s) for s in sample[:3]):
        return
    for form, kind in _candidates(sample[0], _offsets(sample)):
        expression = re.compile(pattern(form))
        if all(expression.match(s) and expression.fullmatch(s) for s in sample):
            if "{}" not in form:
                yield kind, form, ""
                continue
            for zone in ZONES:
                placed = form.replace("{}", f"{{{zone}}}")
                if _comes_back(sample[:_FEW], placed):
                    yield kind, placed, ""


def _comes_back(sample: list[str], form: str) -> bool:
    strings = pa.array(sample, TEXT)
    read = parse_moments(strings, form, Kind.DATETIME)
    return not read.null_count and bool(pc.all(pc.equal(spell_moments(read, form), strings)).as_py())


def _offsets(sample: list[str]) -> str:
    """Return how offsets that differ are spelled, the zone left open; nothing where they do not differ."""
    found = [_OFFSET.search(s) if ":" in s else None for s in sample]
    offsets = {f[0] for f in found if f}
    if not all(found) or len(offsets) < 2:
        return ""
    said = next((f for f in found if f and f["colon"] is not None), None)
    colon = ":" if said is None or said["colon"] else ""
    blank = said["blank"] if said is not None else ""
    return f"{blank}%{colon}{'Z' if 'Z' in offsets else 'z'}{{}}"


def _candidates(first: str, offsets: str) -> Iterator[tuple[str, Kind]]:
    """Yield the forms and kinds that one spelled moment may have, with names in English or in another language."""
    yield from _named(first, offsets)
    for said, style in translated(first):
        for form, kind in _named(said, offsets):
            if other := styled(form, style):
                yield other, kind


def _named(first: str, offsets: str) -> Iterator[tuple[str, Kind]]:
    """Yield the forms and kinds that one moment may have whose names are in English."""
    yield from _bare(first, offsets)
    for found in (_AHEAD.fullmatch(first), _BEHIND.fullmatch(first)):
        day = _weekday(found["day"]) if found else ""
        if found is None or not day:
            continue
        for form, kind in _bare(found["bare"], offsets):
            if "end" in found.groupdict():
                yield f"{form}{found['between']}{day}{found['end']}", kind
            else:
                yield f"{day}{found['between']}{form}", kind


def _weekday(word: str) -> str:
    """Return the token of a name of a weekday; nothing for another word."""
    short = "a" if len(word) == 3 else "A"
    if word.capitalize() not in [w[:3] if short == "a" else w for w in ENGLISH["A"]] or word.islower():
        return ""
    return f"%^{short}" if word.isupper() else f"%{short}"


def _bare(first: str, offsets: str) -> Iterator[tuple[str, Kind]]:
    """Yield the forms and kinds that one spelled moment without the name of a weekday may have."""
    found = _TIME.fullmatch(first) if ":" in first else None
    if found is None:
        yield from _days_alone(first)
        if late := _LATE.fullmatch(first):
            for day in ("%e", "%d", "%-d"):
                yield f"%b {day} %H:%M:%S{late['zone'] or ''} %Y", Kind.DATETIME
        return
    times, zone = _times(found), offsets if found["zone"] and offsets else found["zone"] or ""
    if not found["date"] and not found["sep"]:
        yield from ((time + zone, Kind.TIME) for time in times if "%" not in zone)
        return
    for date, time in product(_dates() if found["sep"] else (), times):
        yield date + found["sep"] + time + zone, Kind.DATETIME


def _days_alone(first: str) -> Iterator[tuple[str, Kind]]:
    compact = _COMPACT.fullmatch(first)
    for form in _dates():
        if (form == "%Y%m%d") == bool(compact):
            yield form, Kind.DATE
    yield from ((form, Kind.TIME) for form, digits in CLOCKS.items() if compact and len(first) == digits)
    if compact and len(first) == 6:
        yield "%Y%m", Kind.DATE
    if compact and len(first) == 14:
        yield "%Y%m%d%H%M%S", Kind.DATETIME


def _dates() -> Iterator[str]:
    """Yield the forms of days; those of no year, which need more evidence, first."""
    for form in _YEARLESS:
        yield from (form, form + "%L")
    yield from _DATES


def yearless(form: str) -> bool:
    """Return whether a form spells days without their year."""
    return "%Y" not in form and "%y" not in form and "%G" not in form and re.search("%[-^]?[mbB]", form) is not None


def _times(found: re.Match[str]) -> list[str]:
    rest = ":%M" + (":%S" if found["seconds"] else "")
    if found["fraction"]:
        digits = len(found["fraction"]) - 1
        rest += ".%f" if digits == 6 else f".%{digits}f"
    if half := found["half"]:
        mark = half[:-2] + ("%p" if half[-2:].isupper() else "%P")
        return [f"%I{rest}{mark}", f"%-I{rest}{mark}"]
    return [f"%H{rest}", f"%-H{rest}"]
