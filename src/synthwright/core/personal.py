"""Personal data: columns that name, number or reach people, told by their values and by what they are called.

A column with a mark is never modelled from its values; they are made anew. What the values of each mark look like says
`MARKS`. Where the type outside is a number (a phone number kept as int64), the values are digits only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

from synthwright.core.numbering import card_share, iban_share, national_system

MARKS = {
    "email": "an e-mail address: `lena.fischer@example.org`",
    "phone": "a telephone number, in one of many spellings: `+49 30 1234567`, `(212) 555-0142`, `2125550142`",
    "name": "a person's whole name: `Lena Fischer`, `Fischer, Lena`, with or without a title",
    "first-name": "a given name: `Lena`",
    "last-name": "a family name: `Fischer`",
    "username": "what somebody is called on a computer: `lfischer42`",
    "address": "a street with a house number, sometimes more lines: `12 High Street`, `Hauptstraße 7`",
    "card": "a payment card number, 13 to 19 digits with a valid check digit, sometimes in groups of four",
    "iban": "an international bank account number with valid check digits: `DE89 3704 0044 0532 0130 00`",
    "ip": "an IPv4 or IPv6 address: `192.0.2.7`, `2001:db8::7`",
    "national-number": "a number by which a state knows somebody: social security, tax, passport, driving licence",
    "url": "a web address: `https://example.org/lena`",
    "identifier": "a number or code by which somebody, or an account, is known, in many rows: `K-1234`, `17850`",
}
"""Every mark, and what its values look like."""

_TELEPHONES = "phone|telephone|telefon|telefono|telefone|tel|mobile|mobil|cell|cellphone|handy|fax|msisdn"
_HANDY = "tel|mobile|mobil|cell|handy|fax"
"""Names that other things have too: cells of a network, fax machines; their values must look like telephone numbers."""
_PEOPLE = (
    "customer|client|patient|employee|contact|person|passenger|doctor|physician|owner|member|student|teacher|user|driver"
    "|holder|account ?holder|card ?holder|guest|applicant|borrower|author|manager|agent|nurse|kunden|mitarbeiter"
)
_STREETS = "street|address|addr|strasse|adresse|direccion|anschrift|domicilio|indirizzo|endereco"
_STATES = (
    r"ssn|social ?security( ?(number|no|nr|num))?|national (id|identity|insurance)( (number|no))?",
    r"nino|nhs( (number|no))?",
    r"passports?|passport ?(number|no|nr)|drivers|drivers?( s)?( licen[cs]es?)? (number|no)|licen[cs]e ?(number|no)",
    r"steuer ?id|tax ?(id|payer id)( number)?|cpf|dni|nif|bsn|pesel|personnummer|aadhaar|codice ?fiscale|curp",
)
_KNOWN = (  # people and accounts, as far as they are numbered
    "customers?|cust|clients?|patients?|pat|participants?|respondents?|persons?|individuals?|users?|members?|accounts?"
    "|acct|employees?|emp|staff|workers?|personnel|policy|policy ?holders?|passengers?|students?|pupils?|teachers?"
    "|instructors?|doctors?|physicians?|nurses?|drivers?|riders?|guests?|visitors?|subscribers?|borrowers?|applicants?"
    "|candidates?|holders?|account ?holders?|card ?holders?|owners?|tenants?|residents?|citizens?|donors?|voters?"
    "|authors?|reviewers?|players?|agents?|contacts?|insured|beneficiary|households?|buyers?|sellers?|shoppers?"
    "|payers?|payees?|debtors?|subj|usubj|kunden?|kd|konto|mitarbeiter|patienten|personal|pers|personen|versicherten"
    "|mitglieds?|mitglieder|nutzer|benutzer|teilnehmer|probanden|matrikel|studenten|schul?er|fahrer|mieter|schuldner"
    "|debitor(?:en)?|policen?|halter|cliente|usuario|paciente|empleado|alumno"
)
_NUMBERED = "id|identifier|no|nr|nbr|num|number|nummer|numero|key|uid|uuid|guid|kennung"
_HINTS = {
    "identifier": (
        rf"(.* )?({_KNOWN}) ?((unique|internal|external) )?({_NUMBERED}|code)( [0-9]+)?",
        rf"(.* )?subjects? ?({_NUMBERED})|mrn|msno|medical record ({_NUMBERED})",  # codes of subjects are of courses
    ),
    "email": (r"(e ?mail|correo|courriel)( (address|addr|adresse|id|[0-9]))?|mail( (address|addr))?",),
    "phone": (rf"(.* )?({_TELEPHONES})( ?(number|no|nr|num|nummer|[0-9]|home|work|mobile))?",),
    "first-name": (r"(.* )?(first|given|fore|middle) ?names?|fname|vorname|prenom|christian name",),
    "last-name": (
        r"(.* )?(last|family|sur|maiden) ?names?|maiden|lname",
        r"(nach|familien)name|apellidos?|nom de famille|cognome",
    ),
    "name": (r"(.* )?(full|legal) ?name|fullname", f"({_PEOPLE}) ?names?"),
    "username": (r"(.* )?(user|login|screen) ?(name|id)|login|username|nick ?name",),
    "address": (rf"(.* )?({_STREETS})( ?(address|line|name))?( ?[0-9])?",),
    "card": (
        r"(.* )?((credit|debit|payment) ?card|card|cc)( ?(number|no|nr|num))",
        r"credit ?card|ccnum|pan|kreditkarte",
    ),
    "iban": (r"(.* )?iban( .*)?",),
    "ip": (r"(.* )?ip( (address|addr|v4|v6))?|ipaddress|ipv[46]",),
    "national-number": (rf"(.* )?({'|'.join(_STATES)})",),
}
"""What columns are called, in lower case and single words, that hold such values: the whole name must match."""
_RATHER = {
    "phone": r"type|model|brand|service|plan|calls?|minutes|charges?|lines?|company|code|price|os|use[dr]?",
    "address": r"type|mac|ip|e ?mail|mail|web|url|http|city|state|country|zip|id|count|number",
}
"""Words in a name that say that it is about something else."""
_EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s.,;<>]{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./\-–]{4,24}(?:[0-9]|(?: ?(?:x|ext\.?) ?[0-9]{1,6}))", re.IGNORECASE)
_NORTH_AMERICAN = re.compile(
    r"(?:\+?1[ .-])?\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?"
)
_IDENTITY = re.compile(r"(?=(?:.*[0-9]){4})[A-Za-z0-9][A-Za-z0-9 ./-]{4,24}")
_WAYS = (
    "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|close|parkway"
    "|pkwy|highway|hwy|circle|cir|trail|mews"
)
_STREET = re.compile(
    rf"[0-9]{{1,5}}[A-Za-z]?,? (?:[\w.'’-]+ ){{1,4}}(?:{_WAYS})\b.*"
    r"|[\w.-]+(?: [\w.-]+){0,2}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat|laan|gatan) [0-9]{1,4}\b.*"
    r"|[0-9]{1,4},? (?:rue|avenue|boulevard|place|chemin|allée|impasse) .+"
    r"|(?:calle|via|viale|piazza|rua|avenida|av\.) .*[0-9]+.*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[0-9]+")
_CODE = re.compile(r"(?=.*[0-9])[^\s@]{1,64}|[A-Z_-]{2,64}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F-]{8,64}")
_TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof|sir|rev|herr|frau|jr|sr|ii|iii|iv|phd|md)\b\.?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SOME = 200
_FIRST = 20
_NEARLY = 0.95
_LEAST_KNOWN = 20
"""Different values that identifiers of people have, at least."""
_MOSTLY = 0.8
_PAGES = 8
"""Ways to be built that the web addresses of one site have, at most."""


class Mark(NamedTuple):
    """What personal data a column holds, and how one can tell."""

    mark: str
    why: str


class Cells(NamedTuple):
    """What is asked about: some distinct values as text, and the column they are from."""

    name: str
    words: list[str]
    """Distinct values, spread over the column; a few hundred are enough."""
    rows: int
    distinct: int
    digits: bool = False
    """Whether they are numbers outside."""
    beside: frozenset[str] = frozenset()
    """What the columns of the table are called, as `plain_name` says it."""
    missing: bool = False
    """Whether some rows have no value."""

    @property
    def spread(self) -> float:
        """How much of the rows have a value of their own."""
        return self.distinct / max(self.rows, 1)


@cache
def plain_name(name: str) -> str:
    """Return a column's name in lower case and single words: `CustomerE-Mail_2` is `customer e mail 2`."""
    bare = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[A-Z])(?=[A-Z][a-z])", " ", bare)
    return " ".join(re.findall(r"[a-z0-9]+", split.lower()))


@cache
def hinted(name: str, mark: str) -> bool:
    """Return whether a column is called as columns with such values are called."""
    plain = plain_name(name)
    if mark in _RATHER and re.search(rf"\b({_RATHER[mark]})\b", plain):
        return False
    return re.fullmatch("|".join(_HINTS[mark]), plain) is not None if mark in _HINTS else False


def mark_of(cells: Cells) -> Mark | None:
    """Return what personal data the values are, or None.

    What a column is called is enough only for clear names (`first_name`), and only where its values can be such.
    """
    words = cells.words[:_SOME]
    if not words:
        return None
    numbers, known = _numbers(cells, words), _identifiers(cells, words)
    if cells.digits:
        tests = [numbers, known] if cells.spread >= 0.5 else [known]
    else:
        tests = [_reachable(cells, words), numbers, known, _people(cells, words), _places(cells, words)]
    return next((found for test in tests for found in test), None)


def _share(pattern: re.Pattern[str], words: list[str]) -> float:
    hits = [pattern.fullmatch(w.strip()) is not None for w in words[:_FIRST]]
    if sum(hits) < 0.5 * len(hits):
        return 0.0
    hits += [pattern.fullmatch(w.strip()) is not None for w in words[_FIRST:]]
    return sum(hits) / len(hits)


def _reachable(cells: Cells, words: list[str]) -> Iterator[Mark]:
    """Yield marks of values whose look is enough: e-mail, web and network addresses."""
    if _share(_EMAIL, words) >= 0.9:
        yield Mark("email", "its values are e-mail addresses")
    of_people = any(re.match(r"https?://[^/]*@|.*/(?:users?|people|profile)s?/|.*/~", w) for w in words)
    own = cells.spread >= 0.5 and not _numbered_alike(words)
    if (of_people or own) and _share(_URL, words) >= _NEARLY:
        yield Mark("url", "its values are web addresses, nearly every row its own")
    if _is_network(words) and "version" not in plain_name(cells.name):
        yield Mark("ip", "its values are network addresses")


def _is_network(words: list[str]) -> bool:
    if not all(w.count(".") == 3 or w.count(":") >= 2 for w in words[:5]):
        return False
    good, large = 0, False
    for word in words:
        try:
            ip_address(word.strip())
        except ValueError:
            continue
        good += 1
        large |= ":" in word or any(int(part) > 31 for part in word.split("."))
    return large and good >= _NEARLY * len(words)  # four small numbers are rather a version


def _numbers(cells: Cells, words: list[str]) -> Iterator[Mark]:
    """Yield marks of numbers with check digits or a known layout, and of what is called so."""
    called = hinted(cells.name, "card")
    if cells.spread >= 0.3 and (called or len(words) >= 10) and card_share(words) >= (0.7 if called else _NEARLY):
        yield Mark("card", "its numbers have the length, the start and the check digit of payment cards")
    if not cells.digits and (iban_share(words) >= 0.9 or (hinted(cells.name, "iban") and iban_share(words) >= 0.2)):
        yield Mark("iban", "its values are bank account numbers with valid check digits")
    if hinted(cells.name, "national-number") and _share(_IDENTITY, words) >= _MOSTLY:
        yield Mark("national-number", "it is called so, and its values look so")
    if hinted(cells.name, "phone") and _share(_PHONE, words) >= _MOSTLY and not _repeated_codes(cells, words):
        yield Mark("phone", "it is called so, and its values look so")
    if not cells.digits and _is_telephone(words):
        yield Mark("phone", "its values are telephone numbers")
    system = national_system(words) if cells.spread >= 0.9 else None
    if system is not None:
        yield Mark("national-number", f"its values have the layout and the check digits of {system}")


def _repeated_codes(cells: Cells, words: list[str]) -> bool:
    """Return whether values come back in most rows, under a name that other things have too, and dial nothing."""
    unsure = re.search(rf"\b({_HANDY})\b", plain_name(cells.name)) is not None
    if not unsure or cells.spread >= 0.5 or cells.digits or re.search(r"number|nummer|phone", cells.name.lower()):
        return False
    dialled = sum(w.strip().startswith(("+", "0", "(")) for w in words)
    return dialled < _MOSTLY * len(words) and _share(_NORTH_AMERICAN, words) < _NEARLY


def _identifiers(cells: Cells, words: list[str]) -> Iterator[Mark]:
    """Yield the mark of numbers and codes that stand for people or accounts; those that never repeat may be keys."""
    repeats = cells.distinct < cells.rows or cells.missing
    if cells.distinct < _LEAST_KNOWN or not repeats or not hinted(cells.name, "identifier"):
        return
    if _share(_DIGITS if cells.digits else _CODE, words) < 0.9:
        return
    if not cells.digits and hinted(cells.name, "username") and not _built_alike(words):
        return
    yield Mark("identifier", "it is called so, and its values are numbers or codes")


def _built_alike(words: list[str]) -> bool:
    """Return whether what is not a digit is the same in most values, or all are hexadecimal."""
    frames = Counter(re.sub(r"[0-9]+", "9", w) for w in words)
    return sum(n for _, n in frames.most_common(4)) >= _MOSTLY * len(words) or _share(_HEXADECIMAL, words) >= _NEARLY


def _numbered_alike(words: list[str]) -> bool:
    """Return whether values differ in their numbers alone, decimal or hexadecimal: pages of things, not of people."""
    frames = Counter(re.sub(r"\b(?=[a-f]*[0-9])[0-9a-f]{6,}\b|[0-9]+", "9", w, flags=re.IGNORECASE) for w in words)
    return sum(n for _, n in frames.most_common(_PAGES) if n > 1) >= _NEARLY * len(words)


def _is_telephone(words: list[str]) -> bool:
    if _share(_NORTH_AMERICAN, words) >= _NEARLY and len(words) >= 5:
        return True
    if not all(w.startswith(("+", "00")) for w in words):
        return False
    import phonenumbers

    some, good = words[:50], 0
    for word in some:
        try:
            number = phonenumbers.parse("+" + word[2:] if word.startswith("00") else word, None)
        except phonenumbers.NumberParseException:
            continue
        good += phonenumbers.is_possible_number(number)
    return good >= _MOSTLY * len(some) and sum(c.isdigit() for c in "".join(some)) >= 7 * len(some)


def _people(cells: Cells, words: list[str]) -> Iterator[Mark]:
    """Yield marks of names of people."""
    lettered = sum(bool(_WORD.search(w)) and len(w) <= 60 for w in words) / len(words)
    if lettered < _MOSTLY:
        return
    for mark in ("first-name", "last-name", "name", "username"):
        if hinted(cells.name, mark) and cells.distinct >= 3 and (mark != "name" or _looks_named(words)):
            yield Mark(mark, "it is called so, and its values are words")
    plain = plain_name(cells.name)
    if plain in ("first", "last") and {"first", "last"} <= cells.beside:
        yield Mark(f"{plain}-name", "columns called first and last stand side by side, and their values are words")
    if cells.distinct >= 20 and (cells.spread >= 0.2 or "name" in plain.split()):
        yield from _by_dictionary(words)


def _looks_named(words: list[str]) -> bool:
    """Return whether most values are two to six words that begin with letters, as whole names are."""
    parts = [w.split() for w in words]
    return sum(2 <= len(p) <= 6 and all(t[0].isalpha() for t in p) for p in parts) >= 0.7 * len(words)


def _by_dictionary(words: list[str]) -> Iterator[Mark]:
    """Yield marks of values that lists of names know."""
    words = [re.sub(r"(?<=[a-z])[0-9]{1,3}\b", "", w) for w in words]  # made names are often numbered
    tokens = [_WORD.findall(_TITLE.sub(" ", w)) for w in words]
    proper = [
        t for t, w in zip(tokens, words, strict=True) if t and t[0][0].isupper() and not re.search(r"[0-9&/:!?]", w)
    ]
    if len(proper) < _MOSTLY * len(words):
        return
    first, last = known_names()
    single = [t[0] for t in proper if len(t) == 1]
    if len(single) >= _MOSTLY * len(words):
        given, family = sum(t in first for t in single), sum(t in last for t in single)
        if max(given, family) >= 0.85 * len(words):
            yield Mark("first-name" if given >= family else "last-name", "most of its values are in lists of names")
        return
    whole = [t for t in proper if 2 <= len(t) <= 6]
    both = sum(
        any(a in first for a in t) and (any(a in last for a in t) or all(a[0].isupper() for a in t)) for t in whole
    )
    sure = sum(any(a in first and any(b in last for b in t if b is not a) for a in t) for t in whole)
    if both >= 0.65 * len(words) and sure >= 0.3 * len(words):
        yield Mark("name", "most of its values hold a given name from a list, and another name")


@cache
def known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return given names and family names of many countries."""
    from faker.providers.person.de_DE import Provider as German
    from faker.providers.person.en_GB import Provider as British
    from faker.providers.person.en_IN import Provider as Indian
    from faker.providers.person.en_US import Provider as American
    from faker.providers.person.es_ES import Provider as Spanish
    from faker.providers.person.fr_FR import Provider as French
    from faker.providers.person.it_IT import Provider as Italian
    from faker.providers.person.nl_NL import Provider as Dutch
    from faker.providers.person.pt_BR import Provider as Brazilian
    from faker.providers.person.sv_SE import Provider as Swedish

    people = (American, British, German, French, Spanish, Italian, Dutch, Brazilian, Swedish, Indian)

    def every(*lists: str) -> frozenset[str]:
        return frozenset(n for p in people for names in lists for n in getattr(p, names, ()) if len(n) > 2)

    return every("first_names", "first_names_male", "first_names_female"), every("last_names")


def _places(cells: Cells, words: list[str]) -> Iterator[Mark]:
    """Yield marks of postal addresses."""
    if len(words) >= 5 and _share(_STREET, words) >= _MOSTLY:
        yield Mark("address", "its values are streets with house numbers")
    mixed = sum(bool(re.search(r"[0-9]", w) and re.search(r"[^\W\d_]{2}", w)) for w in words) / len(words)
    if hinted(cells.name, "address") and (mixed >= 0.5 or (cells.spread >= 0.5 and mixed >= 0.2)):
        yield Mark("address", "it is called so, and its values hold words and numbers")
