"""Whether an answer is grounded in passages: quotes, facts and words that must stand there.

Facts are numbers, dates and names. Numbers are compared by value (`1,000` and `1000`, `7.20` and `7.2`, `thirty` and
`30`), dates by day (`2024-03-01` and `March 1st, 2024`), words without their endings. No language model is asked.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

_QUOTES = str.maketrans({**dict.fromkeys("“”„‟«»‹›″", '"'), **dict.fromkeys("‘’‚‛′`´", "'"),
                         **dict.fromkeys("‐‑‒–—−", "-"), "\u00ad": None, "\u200b": None})  # fmt: skip
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
    r"|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:'[^\W\d_]+)*"
)
_NUMBER = re.compile(r"\d+(?:[.,:']\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})*")
_UNITS = ("zero", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELLED = {w: str(i) for i, w in enumerate(_UNITS) if w} | {w: str(10 * i) for i, w in enumerate(_TENS, 2)}
_SPELLED |= {f"{t}-{u}": str(10 * i + j) for i, t in enumerate(_TENS, 2) for j, u in enumerate(_UNITS[:10]) if j and u}
_SPELLED |= {f"{t}-one": str(10 * i + 1) for i, t in enumerate(_TENS, 2)}
_SPELLING = re.compile(rf"\b(?:{'|'.join(sorted(_SPELLED, key=len, reverse=True))})\b")
_MONTHS = {m: i for names in (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jan feb mar apr may jun jul aug sep oct nov dec") for i, m in enumerate(names.split(), 1)}  # fmt: skip
_MONTH = rf"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DATES = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})\b"),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<m>{_MONTH})(?:,? (?P<y>\d{{4}})\b)?"),
    re.compile(rf"\b(?P<m>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y>\d{{4}})\b)?"),
)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "ies", "es", "'s", "s", "ly", "er", "en")
_LEAST = 3
STOP = frozenset(
    (  # noqa: SIM905  a list would have a word a line
        "a about above after again all also am an and any are aren't as at be because been before being below between "
        "both but by can cannot can't could did do does doesn't doing don't down during each either else ever every "
        "few for from further had has have having he her here hers him his how however i if in into is isn't it it's "
        "its itself just let may me might more most must my neither no nor not nothing of off on once one only or "
        "other our out over own please same shall she should so some such than that that's the their them then there "
        "these they this those through thus to too under until up upon us very was wasn't we were what when where "
        "whether which while who whom whose why will with within without won't would yes yet you your yours "
    ).split()
)
"""Words that say nothing of their own."""
_SOURCE = r"(?:passage|text|document|context|excerpt|section|source|article|page|information|material|handbook)s?"
_SILENT = re.compile(
    rf"\b{_SOURCE}\b.{{0,40}}?\b(?:do|does|did)(?:n't| not)\b"
    r"|\b(?:is|are|was|were)(?:n't| not) (?:stated|mentioned|specified|answered|addressed|disclosed|indicated)\b"
    rf"|\bnot (?:\w+ )?(?:in|by|from|within) (?:the|this|these|any|either)(?: \w+){{0,2}} {_SOURCE}\b"
    r"|\bno (?:information|mention|answer|indication)\b|\b(?:says?|tells?) nothing\b|\bunanswerable\b"
    r"|\b(?:cannot|can't|can not|could not) be (?:answered|determined|told|inferred|known)\b"
    r"|\bnicht (?:erwähnt|angegeben|genannt|enthalten|beantwort\w+)\b|\bkeine (?:angaben?|information\w*|aussagen?)\b"
    r"|\bsteht nicht (?:im|in)\b|\bgeht .{0,40}nicht hervor\b"
)
_NOTHING = frozenset({"", "null", "none", "n/a", "na", "-", "unknown", "not known", "no answer", "not available", "[]"})


class Facts(NamedTuple):
    """What an answer states that can be looked up."""

    numbers: tuple[frozenset[str], ...]
    """Each number, by all that it may be written as."""
    dates: tuple[tuple[int | None, int, int], ...]
    """Years, where they are said, months and days."""
    names: tuple[str, ...]


class Given(NamedTuple):
    """What passages say."""

    plain: tuple[str, ...]
    """Each, as quotes are compared."""
    numbers: frozenset[str]
    dates: frozenset[tuple[int | None, int, int]]
    words: frozenset[str]
    """Whole words, and words without their endings."""


def plain(text: str) -> str:
    """Return a text in small letters, with plain quotes and dashes and single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES).casefold().split())


def quotes(evidence: str) -> list[str]:
    """Return the quotes of a text: the items of a JSON list, else what lines and marks of omission part."""
    if evidence.lstrip().startswith("["):
        try:
            held = json.loads(evidence)
        except (ValueError, RecursionError):
            held = None
        if isinstance(held, list) and all(isinstance(q, str) for q in held):
            return [said for q in held for said in quotes(q) if said]
    parts = re.split(r"\n|\[?(?:\.\.\.+|…)\]?", evidence)
    return [said for p in parts if (said := plain(p).strip(" \"'*-.,;:!?"))]


def given(passages: Iterable[str], beside: Iterable[str] = ()) -> Given:
    """Return what passages say; `beside` stands for facts and words, too, but cannot be quoted."""
    held = tuple(plain(p) for p in passages)
    parts = [_read(text) for text in (*passages, *beside)]
    numbers = frozenset(n for p in parts for number in p.facts.numbers for n in number)
    dates = frozenset(d for p in parts for d in p.facts.dates)
    return Given(held, numbers, dates, frozenset(w for p in parts for w in p.words))


def quoted(quote: str, said: Given) -> list[bool]:
    """Return in which of the passages a quote stands, as whole words."""
    found = []
    for passage in said.plain:
        at = passage.find(quote)
        while at >= 0 and not _whole(passage, at, at + len(quote)):
            at = passage.find(quote, at + 1)
        found.append(at >= 0)
    return found


def _whole(text: str, low: int, high: int) -> bool:
    """Return whether a piece of a text neither begins nor ends inside a word."""
    begins = low > 0 and text[low - 1].isalnum() and text[low].isalnum() and text[low].isascii()
    ends = high < len(text) and text[high - 1].isalnum() and text[high].isalnum() and text[high].isascii()
    return not begins and not ends


def missing(facts: Facts, said: Given, kinds: Sequence[str]) -> list[str]:
    """Return which facts no passage states."""
    lost = []
    if "numbers" in kinds:
        lost += [min(n) for n in facts.numbers if not n & said.numbers]
    if "dates" in kinds:
        lost += [f"{y or ''}-{m}-{d}" for y, m, d in facts.dates if not _dated(y, m, d, said)]
    if "names" in kinds:
        lost += [n for n in facts.names if n not in said.words and stem(n) not in said.words]
    return lost


def _dated(year: int | None, month: int, day: int, said: Given) -> bool:
    return any((m, d) == (month, day) and (y is None or year is None or y == year) for y, m, d in said.dates)


def share(answer: str, said: Given, known: frozenset[str] = frozenset()) -> float:
    """Return which share of the content words of an answer the passages have; 1 where it has none.

    Args:
        answer: the answer.
        said: what the passages say.
        known: words that do not count, such as those of the question, without their endings.
    """
    words = [w for w in content(answer) if w not in known]
    return sum(w in said.words for w in words) / len(words) if words else 1.0


def content(text: str) -> list[str]:
    """Return the words of a text that say something, without their endings."""
    found = (m[0] for m in _WORD.finditer(_SPELLING.sub(" ", plain(text))))
    return [stem(w) for w in found if w not in STOP and (len(w) >= _LEAST or ord(w[0]) >= ord("\u3040"))]


def silent(answer: str | None, also: Sequence[str] = ()) -> bool:
    """Return whether an answer is none, or says that there is none in the text."""
    said = plain(answer or "")
    if said.strip(" .!") in _NOTHING:
        return True
    return _SILENT.search(said[:2000]) is not None or any(plain(a) in said for a in also if a.strip())


def facts_of(text: str) -> Facts:
    """Return the facts that a text states."""
    return _read(text).facts


class _Text(NamedTuple):
    facts: Facts
    words: frozenset[str]


@lru_cache(maxsize=4096)
def _read(text: str) -> _Text:
    """Return facts and words of a text: passages come with many answers."""
    said = plain(text)
    words = frozenset(w for m in _WORD.finditer(said) for w in (m[0], stem(m[0]), m[0].removesuffix("'s")))
    dates, rest = [], said
    for form in _DATES:
        for m in form.finditer(rest):
            month = _MONTHS.get(m["m"].rstrip("."), 0) or int(m["m"] if m["m"].isdigit() else 0)
            dates.append((int(m["y"]) if m["y"] else None, month, int(m["d"])))
        rest = form.sub(" ", rest)
    numbers = [_readings(m[0]) for m in _NUMBER.finditer(rest)]
    numbers += [frozenset({_SPELLED[m[0]]}) for m in _SPELLING.finditer(rest)]
    return _Text(Facts(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(dates)), _names(text)), words)


def _readings(number: str) -> frozenset[str]:
    """Return what a number may be: `1,234` is 1234, or 1.234 where a comma stands for the point."""
    found = set()
    if _GROUPED.fullmatch(number):
        found.add(re.sub(r"\D", "", number))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", number):
        whole, _, part = number.replace(",", ".").partition(".")
        part = part.rstrip("0")
        found.add((whole.lstrip("0") or "0") + ("." + part if part else ""))
    elif (both := re.fullmatch(r"(\d{1,3}(?:([.,'])\d{3})(?:\2\d{3})*)([.,])(\d+)", number)) and both[2] != both[3]:
        part = both[4].rstrip("0")
        found.add(re.sub(r"\D", "", both[1]) + ("." + part if part else ""))
    return frozenset(found or {number})


def _names(text: str) -> tuple[str, ...]:
    """Return words with capitals that no beginning of a sentence explains, in small letters."""
    said = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES)
    held = [(m.start(), m.end(), m[0]) for m in _WORD.finditer(said)]
    found = []
    for i, (low, _, word) in enumerate(held):
        if not word[0].isupper() or word.casefold() in STOP or (len(word) == 1):
            continue
        before = said[:low].rstrip(" \"'([*") if low < 200 else said[low - 200 : low].rstrip(" \"'([*")
        begins = not before or before[-1] in ".!?:;\n-|•/"
        after = held[i + 1] if i + 1 < len(held) else None
        follows = after is not None and after[2][0].isupper() and said[held[i][1] : after[0]] == " "
        if begins and not (follows and after is not None and after[2].casefold() not in STOP) and not word.isupper():
            continue
        found.append(word.casefold().removesuffix("'s"))
    return tuple(dict.fromkeys(found))


def stem(word: str) -> str:
    """Return a word without a common ending; short ones as they are."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            return word[: -len(ending)].rstrip("e") or word
    return word.rstrip("e") if len(word) > _LEAST else word
