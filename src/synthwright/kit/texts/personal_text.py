"""Personal data inside texts: addresses, numbers with check digits, telephone numbers, names, each with its place.

What has a form of its own or check digits is told by that; what has not (a run of digits) only beside words that say
what it is. Marks are those of `core.personal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

from synthwright.core.numbering import card_share, iban_share
from synthwright.core.personal import known_names

KINDS = ("email", "iban", "card", "ip", "national-number", "phone", "address", "name")
"""What is looked for, in the order in which a place in a text is given away."""
REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "NL", "BE", "CH", "AT", "AU", "IN", "IE", "SE", "DK", "PL", "BR", "ZA")
"""Countries in whose national spelling telephone numbers are known."""
_NEAR = 40


class Found(NamedTuple):
    """Personal data in a text."""

    kind: str
    begin: int
    end: int


_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[^\W\d_]{2,24}")
_CARD = re.compile(r"(?<![\w-])[0-9](?:[ -]?[0-9]){11,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)\b", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\.?\w)")
_IPV6 = re.compile(r"(?<![\w:])(?=[0-9a-f:]*[0-9a-f]{3})(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_VERSION = re.compile(r"(?:version|release|build|firmware|v)[ .:]*$", re.IGNORECASE)
_SSN = re.compile(r"(?<![\w-])(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])")
_STATED = re.compile(
    r"\b(?:ssn|social[ -]security|national (?:id|identity|insurance)|passport|driv(?:er|ing)['’]?s? licen[cs]e|nhs"
    r"|tax (?:id|identification|number)|steuer-?(?:id|nummer)|nino|personnummer|cpf|dni|bsn|pesel|aadhaar|curp"
    r"|codice fiscale)\b[^\n0-9]{0,30}?(?P<number>\b(?=(?:[A-Z. /-]{0,4}[0-9]){5})[A-Z0-9](?:[ ./-]?[A-Z0-9]){4,21})\b",
    re.IGNORECASE,
)
_NINO = re.compile(r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]\b")
_PHONE = re.compile(
    r"(?<![\w.,$€£/-])(?:\+|00)?\(?[0-9][0-9 ()./–-]{4,22}[0-9](?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?![\w%])", re.IGNORECASE
)
_AMERICAN = re.compile(
    r"(?:\+?1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9]?[0-9]{2,3}[ .-][0-9]{4}(?: ?(?:x|ext).*)?"
)
_DATE = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}.*|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{4} ?[-–] ?[0-9]{4}"
)
_CALLED = re.compile(
    r"\b(?:(?:tele)?phone|tel|telefon|mobile|cell(?:phone)?|handy|fax|whatsapp|dial|call(?:ed|ing)?|contact|reach"
    r"|answering|messages?|text)\b[^.?!]{0,25}$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:orders?|card|account|invoice|ticket|reference|ref|flight|isbn|serial|tracking|id)\b[^.?!]{0,15}$",
    re.IGNORECASE,
)
_WAYS = (
    "Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Terrace|Close|Parkway"
    "|Crescent|Gardens|Highway|Hwy|Circle|Trail|Mews|Streets|Squares"
)
_NAMED = r"[^\W\d_a-z][\w.'’-]*"
_SMALL = r"(?:de|del|della|du|des|do|da|la|l['’])"
_ADDRESS = re.compile(
    rf"\b[0-9]{{1,5}}[A-Za-z]?,? (?:(?:{_NAMED}|[0-9]+(?:st|nd|rd|th)) ){{1,4}}(?i:{_WAYS})\b"
    rf"|\b{_NAMED}(?:[ -]{_NAMED})?"
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat|laan|gatan|vägen|gade|vej|vænget|veien|katu|kuja)"
    r" [0-9]{1,4}\b"
    rf"|\b(?i:rue|chemin|allée|impasse|calle|via|viale|piazza|rua|avenida) (?:{_SMALL} ?)*{_NAMED}"
    rf"(?: (?:{_SMALL} )?{_NAMED}){{0,3}},? [0-9]{{1,4}}\b"
    r"|\b[0-9]{1,4},? (?:bis |ter )?(?:rue|chemin|allée|impasse|boulevard|avenue|quai) "
    rf"(?:{_SMALL} ?)*{_NAMED}"
    rf"|\b{_NAMED} (?:utca|tér|út|u\.) [0-9]{{1,4}}\b"
    r"|\b(?i:p\.? ?o\.? box) [0-9]{1,6}\b|\bPSC [0-9]{1,5},? Box [0-9]{1,5}\b"
    r"|\b(?i:apt|apartment|suite|flat)\.? #?[0-9]{1,5}\b"
)
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Madame|Señora?)\.? (?:{_NAMED})(?: {_NAMED})?")
_SAID = re.compile(rf"\b(?i:my name is|name is|name:|i am|i['’]m|this is|dear|called) +(?P<name>{_NAMED})")
_PAIR = re.compile(rf"\b(?P<given>{_NAMED}) (?:[A-Z]\.? )?(?P<family>{_NAMED})")


def found(text: str, kinds: frozenset[str]) -> list[Found]:
    """Return the personal data of these kinds in a text, sorted; of two that overlap the one of the earlier kind."""
    taken: list[Found] = []
    for kind in KINDS:
        if kind in kinds:
            for begin, end in _FINDERS[kind](text):
                if all(end <= f.begin or f.end <= begin for f in taken):
                    taken.append(Found(kind, begin, end))
    return sorted(taken, key=lambda f: (f.begin, f.end))


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (m.span() for m in _EMAIL.finditer(text))


def _cards(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        bare = re.sub(r"[ -]", "", match[0])
        old = (len(bare) == 15 and bare.startswith(("1800", "2131"))) or (len(bare) == 12 and bare[0] in "56")
        if luhn.is_valid(bare) if old else card_share([bare]):
            yield match.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        said = match[0]
        while said:  # the last group may be the next word
            if iban_share([said]):
                yield match.start(), match.start() + len(said)
                break
            said = said.rpartition(" ")[0]


def _networks(text: str) -> Iterator[tuple[int, int]]:
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        try:
            address = ip_address(match[0])
        except ValueError:
            continue
        if address.is_loopback or address.is_unspecified or _VERSION.search(text, 0, match.start()):
            continue
        yield match.span()


def _national(text: str) -> Iterator[tuple[int, int]]:
    yield from (m.span() for m in _SSN.finditer(text))
    yield from (m.span("number") for m in _STATED.finditer(text))
    yield from (m.span() for m in _NINO.finditer(text))
    for pattern, valid in _checked():
        yield from (m.span() for m in pattern.finditer(text) if valid(m[0]))


@cache
def _checked() -> tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]:
    """Return layouts of national numbers that hardly anything else has, and their check digits."""
    from stdnum.br import cpf
    from stdnum.cl import rut
    from stdnum.es import dni, nie
    from stdnum.fi import hetu
    from stdnum.fr import nir
    from stdnum.it import codicefiscale
    from stdnum.mx import curp

    return (
        (re.compile(r"\b[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]\b", re.IGNORECASE), codicefiscale.is_valid),
        (re.compile(r"\b[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]\b", re.IGNORECASE), curp.is_valid),
        (re.compile(r"\b[0-9]{6}[+A-F-][0-9]{3}[0-9A-Y]\b"), hetu.is_valid),
        (re.compile(r"\b[0-9]{8}-?[A-Z]\b"), dni.is_valid),
        (re.compile(r"\b[XYZ]-?[0-9]{7}-?[A-Z]\b"), nie.is_valid),
        (re.compile(r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b"), cpf.is_valid),
        (re.compile(r"\b[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]\b"), rut.is_valid),
        (re.compile(r"\b[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b"), nir.is_valid),
    )


def _telephones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        said = match[0].strip()
        digits = sum(c.isdigit() for c in re.split(r" ?(?:x|ext)", said, flags=re.IGNORECASE)[0])
        if 7 <= digits <= 15 and not _DATE.fullmatch(said) and _is_telephone(said, digits, text[: match.start()]):
            yield match.span()


def _is_telephone(said: str, digits: int, before: str) -> bool:
    near = before[-_NEAR:]
    if _OTHER.search(near):
        return False
    if said.startswith(("+", "00")):
        return _possible("+" + said.lstrip("+0"), None)
    parted = not said.isdigit()
    if _AMERICAN.fullmatch(said) and digits >= 10 and parted:
        return True
    if _CALLED.search(near):
        return parted or digits >= 9
    return parted and digits >= 9 and said[0] in "0(" and any(_possible(said, r) for r in REGIONS)


def _possible(said: str, region: str | None) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(said, region)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(number) if region is None else phonenumbers.is_valid_number(number))


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    yield from (m.span() for m in _ADDRESS.finditer(text))


def _names(text: str) -> Iterator[tuple[int, int]]:
    first, last = known_names()
    yield from (m.span() for m in _TITLED.finditer(text))
    yield from (m.span("name") for m in _SAID.finditer(text) if m["name"] in first or m["name"] in last)
    begin = 0
    while (match := _PAIR.search(text, begin)) is not None:
        if match["given"] in first and match["family"] in last:
            yield match.span()
            begin = match.end()
        else:
            begin = match.end("given")


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": _emails, "phone": _telephones, "card": _cards, "iban": _ibans, "ip": _networks,
    "national-number": _national, "address": _addresses, "name": _names,
}  # fmt: skip
