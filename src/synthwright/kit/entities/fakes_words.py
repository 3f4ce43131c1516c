"""Dictionaries of a locale: names, streets, towns. Faker's lists, read once; nothing is asked of Faker row by row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

STREETS, TOWNS, POSTCODES = 600, 400, 400
"""How many different ones are drawn from, at most."""


class Words(NamedTuple):
    """What people and places are called in one locale."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    plain_first: tuple[str, ...]
    """The same in small letters of the English alphabet, for addresses on the net."""
    plain_last: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    postcodes: tuple[str, ...]
    number_first: bool
    """Whether the house number stands before the street."""


def locales() -> tuple[str, ...]:
    """Return the locales that there are dictionaries for."""
    from faker.config import AVAILABLE_LOCALES

    return tuple(sorted(AVAILABLE_LOCALES))


@cache
def words_of(locale: str) -> Words:
    """Return the dictionaries of a locale, the same ones every time."""
    made = maker_of(locale, 0)
    person = next(p for p in made.providers if ".person" in type(p).__module__)
    first = _listed(person, "first_names", "first_names_male", "first_names_female") or _drawn(made.first_name, 600)
    last = _listed(person, "last_names", "last_names_male") or _drawn(made.last_name, 600)
    english = words_of("en_US") if locale != "en_US" else None
    plain_first, plain_last = _plain(first), _plain(last)
    if english is not None and (len(plain_first) < 20 or len(plain_last) < 20):  # another script
        plain_first, plain_last = english.plain_first, english.plain_last
    sample = made.street_address() if hasattr(made, "street_address") else "1 A"
    return Words(first, last, plain_first, plain_last, _drawn(getattr(made, "street_name", made.last_name), STREETS),
                 _drawn(made.city, TOWNS), _drawn(made.postcode, POSTCODES), sample[:1].isdigit())  # fmt: skip


def maker_of(locale: str, seed: int) -> Any:
    """Return a maker of Faker's with a random stream of its own."""
    from faker import Faker

    made = Faker(locale)
    made.seed_instance(seed)
    return made


def _listed(person: Any, *names: str) -> tuple[str, ...]:
    for name in names:
        held = getattr(person, name, None)
        if held:
            return tuple(dict.fromkeys(str(w) for w in held))
    return ()


def _drawn(ask: Callable[[], Any], number: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(ask()) for _ in range(number)))


def _plain(words: tuple[str, ...]) -> tuple[str, ...]:
    letters = (unicodedata.normalize("NFKD", w).encode("ascii", "ignore").decode().lower() for w in words)
    bare = (re.sub("[^a-z]", "", w) for w in letters)
    return tuple(dict.fromkeys(w for w in bare if len(w) > 1))
