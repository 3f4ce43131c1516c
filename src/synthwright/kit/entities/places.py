"""Places by locale: cities with their region, their postcodes and where they are; streets and house numbers.

Cities and streets are tables of ours (`cities.csv`, `streets.csv`), streets of other locales Faker's. What is coherent:
city, region, country and postcode (by its beginning, which is the city's), and coordinates near the city. What is
not: whether a city has such a street, and whether the street is where the postcode and the coordinates are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.kit.entities.dictionaries import Lexicon
from synthwright.kit.entities.locales import country_of, language_of
from synthwright.kit.sampling.dice import Dice, secret

POSTCODES = 200
"""How many postcodes of a city are drawn from."""
STREETS = 600
_LETTERS = {"GB": "ABDEFGHJLNPQRSTUWXYZ", "NL": "ABCDEGHJKLMNPRTVWXZ", "CA": "ABCEGHJKLMNPRSTVWXYZ",
            "IE": "ACDEFHKNPRTVWXY", "AR": "ABCDEFGHJKLMNPQRSTUVWXYZ"}  # fmt: skip
"""Letters in postcodes, by country."""
_LINES = {
    "US": "{n} {s}", "CA": "{n} {s}", "GB": "{n} {s}", "IE": "{n} {s}", "AU": "{n} {s}", "NZ": "{n} {s}",
    "ZA": "{n} {s}", "KE": "{n} {s}", "IN": "{n}, {s}", "FR": "{n} {s}", "TH": "{n} {s}", "VN": "{n} {s}",
    "IT": "{s}, {n}", "ES": "{s}, {n}", "PT": "{s}, {n}", "BR": "{s}, {n}", "RU": "{s}, д. {n}", "UA": "{s}, {n}",
    "ID": "{s} No. {n}", "TR": "{s} No: {n}", "HU": "{s} {n}.", "CN": "{s}{n}号", "TW": "{s}{n}號", "JP": "{s}{n}番",
    "CO": "{s} # {n}", "RO": "{s} nr. {n}",
}  # fmt: skip
"""How street and house number stand together, by country; elsewhere the street, a blank, the number."""
_ENDS = {
    "US": ", {c}, {r} {p}", "CA": ", {c} {r} {p}", "AU": ", {c} {r} {p}", "GB": ", {c}, {p}", "IE": ", {c}, {p}",
    "NZ": ", {c} {p}", "ZA": ", {c}, {p}", "KE": ", {p} {c}", "IN": ", {c} {p}", "BR": ", {c} - {r}, {p}",
    "ID": ", {c} {p}", "TH": " {c} {p}", "VN": ", {c} {p}", "IT": ", {p} {c}", "JP": "", "CN": "", "TW": "", "KR": "",
    "UA": ", {c}, {p}", "RU": ", {c}, {p}", "SA": ", {c} {p}", "HU": ", {p} {c}", "CO": ", {c}", "AR": ", {p} {c}",
}  # fmt: skip
"""What follows the street in a whole address, by country; elsewhere postcode and city."""
_HEADS = {"JP": "〒{p} {g}{c}", "CN": "{c}", "TW": "{p} {c}", "KR": "{c} "}
"""What stands before the street in a whole address."""
_LETTERED = "DE AT CH NL BE DK NO SE FI FR IT PL CZ SK HR SI GB IE"
"""Countries with house numbers such as 12a."""
_BORROWED = {"en_ZA": "en_GB", "en_KE": "en_GB"}


class City(NamedTuple):
    """A city: where it is, how many thousand people live there, and what its postcodes look like."""

    where: str
    city: str
    region: str
    code: str
    latitude: float
    longitude: float
    people: float
    postcodes: tuple[str, ...]


@cache
def cities() -> tuple[City, ...]:
    """Return every city."""
    found = []
    for line in _table("cities.csv"):
        where, city, region, code, latitude, longitude, people, forms = line.split(";")
        found.append(City(where, city, region, code, float(latitude), float(longitude), float(people),
                          tuple(forms.split("|"))))  # fmt: skip
    return tuple(found)


@cache
def cities_of(locale: str) -> tuple[City, ...]:
    """Return the cities of a locale, called as its language calls them."""
    own = tuple(c for c in cities() if c.where == locale)
    return own or tuple(c for c in cities() if c.where == country_of(locale))


@cache
def cities_in(country: str) -> tuple[City, ...]:
    """Return the cities of a country, each once."""
    found = {(c.latitude, c.longitude): c for c in reversed(cities()) if c.where[-2:] == country}
    return tuple(reversed(found.values()))


def _table(name: str) -> list[str]:
    text = files("synthwright.kit.entities").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Places(NamedTuple):
    """The places of several locales, as lexicons whose groups are the locales."""

    towns: Lexicon
    """Cities by the people who live there."""
    regions: pa.Array
    """By the code of a city, and so on."""
    region_codes: pa.Array
    latitudes: np.ndarray
    longitudes: np.ndarray
    spread: np.ndarray
    """How far from the middle people live, in kilometres (one standard deviation)."""
    postcodes: pa.Array
    """By the code of a city times `POSTCODES` plus which of them."""
    heads: pa.Array | None
    """What stands before the street in a whole address, by the same; None where nothing does."""
    ends: pa.Array
    streets: Lexicon
    numbers: Lexicon
    first: np.ndarray
    """Of each locale: whether the number stands first."""
    fronts: pa.Array
    """Streets with what follows them when they stand first, then numbers likewise."""
    backs: pa.Array
    """Streets with what follows them when they stand last, then numbers likewise."""


@cache
def places_of(locales: tuple[str, ...]) -> Places:
    """Return the places of some locales."""
    every = [c for locale in locales for c in cities_of(locale)]
    of = [country_of(locale) for locale in locales for _ in cities_of(locale)]
    codes = [_postcodes(c, country) for c, country in zip(every, of, strict=True)]
    said = [{"c": c.city, "r": c.code, "g": c.region} for c in every]
    heads = [_HEADS.get(n, "").format(p=p, **s) for n, s, ps in zip(of, said, codes, strict=True) for p in ps]
    ends = [_ENDS.get(n, ", {p} {c}").format(p=p, **s) for n, s, ps in zip(of, said, codes, strict=True) for p in ps]
    streets = [streets_of(locale) for locale in locales]
    numbers = [_house_numbers(country_of(locale)) for locale in locales]
    lines = [re.match(r"\{(\w)\}(.*)\{\w\}(.*)", _LINES.get(country_of(n), "{s} {n}")) for n in locales]
    cuts = [m.groups() for m in lines if m]
    fronts = [w + cut[1] for held in (streets, numbers) for words, cut in zip(held, cuts, strict=True) for w in words]
    backs = [w + cut[2] for held in (streets, numbers) for words, cut in zip(held, cuts, strict=True) for w in words]
    text = pa.large_string()
    towns = Lexicon.of(*({str(i): c.people for i, c in enumerate(cities_of(locale))} for locale in locales))
    return Places(
        replace(towns, words=pa.array([c.city for c in every], text)),  # two cities may be called the same
        pa.array([c.region for c in every], text), pa.array([c.code for c in every], text),
        np.array([c.latitude for c in every]), np.array([c.longitude for c in every]),
        np.array([0.5 + 0.08 * c.people**0.5 for c in every]),
        pa.array([p for ps in codes for p in ps], text), pa.array(heads, text) if any(heads) else None,
        pa.array(ends, text), Lexicon.of(*streets), Lexicon.of(*numbers), np.array([cut[0] == "n" for cut in cuts]),
        pa.array(fronts, text), pa.array(backs, text),
    )  # fmt: skip


def _postcodes(city: City, country: str) -> list[str]:
    """Return postcodes of a city, `POSTCODES` of them, some more than once where there are few."""
    dice = Dice(np.arange(POSTCODES), secret("postcodes", city.where, city.city))
    letters = np.array(list(_LETTERS.get(country, "A")))
    rows: list[np.ndarray] = []
    which = np.arange(POSTCODES) % len(city.postcodes)
    for form in city.postcodes:
        said = np.full(POSTCODES, "", dtype=np.str_)
        for i, char in enumerate(form):
            least = 1 if country == "GB" and i < form.index(" ") else 0  # no districts are numbered 0
            part = dice.integers(least, 10).astype(np.str_) if char == "#" else char
            said = np.char.add(said, letters[dice.integers(0, len(letters))] if char == "@" else part)
        rows.append(said)
    found: list[str] = np.choose(which, np.array(rows)).tolist() if len(rows) > 1 else rows[0].tolist()
    return found


def _house_numbers(country: str) -> dict[str, float]:
    """Return house numbers with weights: low ones are the most usual."""
    if country in ("US", "CA"):
        return {str(n): 1.0 for n in range(100, 9_900, 7)}
    numbers = {str(n): 1 / (n + 10) for n in range(1, 200)}
    if country in _LETTERED:
        numbers |= {f"{n}{letter}": 0.04 / (n + 10) for n in range(1, 120) for letter in "abc"}
    return numbers


@cache
def streets_of(locale: str) -> tuple[str, ...]:
    """Return the streets of a locale."""
    for line in _table("streets.csv"):
        where, forms, names = line.split(";")
        if locale in where.split() or language_of(locale) in where.split():
            words = _faker_streets(locale) if names == "*" else tuple(names.split("|"))
            return tuple(form.format(w) for form in forms.split("|") for w in words)
    return _faker_streets(locale)


def _faker_streets(locale: str) -> tuple[str, ...]:
    made = maker(locale, "faker.providers.address", "faker.providers.person")
    return tuple(dict.fromkeys(str(made.street_name()).strip() for _ in range(STREETS)))


def maker(locale: str, *providers: str) -> Any:
    """Return a maker of Faker's with some of its parts and a random stream of its own."""
    from faker.factory import Factory

    made = Factory.create(_BORROWED.get(locale, locale), list(providers))
    made.seed_instance(0)
    return made
