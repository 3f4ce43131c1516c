"""Personal data made anew: for each mark of `core.personal`, values that look right and belong to nobody."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.patterns import ROOMY, TIGHT, Pattern, recognise
from synthwright.kit.entities import fakes_numbers as made
from synthwright.kit.entities.fakes_phones import distinct_phones, phones, spellings
from synthwright.kit.entities.fakes_words import Words, words_of
from synthwright.kit.sampling.dice import Dice, permuted

_LOOK = 5_000
_ROUND = 10**5


@dataclass(frozen=True)
class Fake:
    """How the values of one column of personal data look; nothing of what they say."""

    mark: str
    locale: str
    unique: bool
    key: str
    look: dict[str, Any]
    """What the mark's maker wants to know: spellings, countries, the order of names."""

    @staticmethod
    def of(mark: str, values: pa.Array, counts: np.ndarray, options: Options) -> Fake:
        """Learn how the distinct values (text, none null) of a marked column look, given how many rows hold each."""
        some = np.unique(np.linspace(0, max(len(values) - 1, 0), min(len(values), _LOOK)).astype(np.int64))
        texts = values.take(pa.array(some)).to_pylist()
        rows = counts[some]
        look = _LOOKS[mark](texts, rows, options.protect) if mark in _LOOKS else {}
        if mark == "identifier":
            pattern = recognise(values, counts, options.protect, room=ROOMY if options.unique else TIGHT)
            look["pattern"] = None if pattern is None else pattern.to_json()
        look["many"] = len(values) > 500
        return Fake(mark, options.locale, options.unique, str(options.key), look)

    def make(self, numbers: np.ndarray, dice: Dice, spelled: pa.Array | None = None) -> np.ndarray:
        """Return a value for each row.

        Args:
            numbers: the rows' numbers; where the column is unique, different numbers give different values.
            dice: the randomness of each row.
            spelled: how each is spelled, where it is one of `spellings`; nothing: any.
        """
        if spelled is None:
            return _MAKERS[self.mark](self, numbers, dice)
        ways, out = self.spellings, np.empty(len(numbers), dtype=object)
        of = pc.index_in(spelled, value_set=pa.array(ways, spelled.type)).fill_null(-1).to_numpy(zero_copy_only=False)
        for i in range(-1, len(ways)):
            rows = np.flatnonzero(of == i)
            one = self if i < 0 else replace(self, look={**self.look, "spelled": [[ways[i], 1.0]]})
            out[rows] = one.make(numbers[rows], dice.some(rows))
        return out.astype(np.str_)

    @property
    def spellings(self) -> list[str]:
        """Return how telephone numbers are spelled, with the codes of their countries; nothing for other marks."""
        return [t for t, _ in self.look["spelled"]] if self.mark == "phone" else []

    @property
    def words(self) -> Words:
        """The dictionaries of the locale."""
        return words_of(self.locale)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        return {"mark": self.mark, "locale": self.locale, "unique": self.unique, "key": self.key, "look": self.look}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Fake:
        """Rebuild it."""
        return Fake(said["mark"], said["locale"], said["unique"], said["key"], said["look"])


@dataclass(frozen=True)
class Options:
    """What else decides how a column is made."""

    locale: str
    protect: int
    unique: bool
    key: int


def marks() -> tuple[str, ...]:
    """Return the marks that values can be made for."""
    return tuple(_MAKERS)


def _several(texts: list[str], rows: np.ndarray, test: Callable[[str], bool], protect: int) -> float:
    """Return the share of rows that pass a test, rounded; one that too few rows pass or fail is 0 or 1."""
    passed = float(rows[np.array([test(t) for t in texts], dtype=bool)].sum()) if texts else 0.0
    total = max(float(rows.sum()), 1.0)
    return round(passed / total, 2) if min(passed, total - passed) >= protect else float(round(passed / total))


def _look_names(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    return {"turned": _several(texts, rows, lambda t: "," in t, protect),
            "loud": _several(texts, rows, str.isupper, protect),
            "quiet": _several(texts, rows, str.islower, protect)}  # fmt: skip


def _look_numbers(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    return {"spelled": [list(t) for t in made.templates(texts, rows, protect)]}


def _look_phones(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    return {"spelled": [list(t) for t in spellings(texts, rows, protect)]}


def _look_accounts(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    seen: Counter[str] = Counter()
    for text, count in zip(texts, rows.tolist(), strict=True):
        seen[text.strip()[:2].upper()] += count
    countries = sorted(c for c, n in seen.items() if n >= protect and c in made.BANKS)
    return {"countries": countries, "grouped": _several(texts, rows, lambda t: " " in t.strip(), protect) >= 0.5}


def _look_nets(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    return {"sixes": _several(texts, rows, lambda t: ":" in t, protect)}


def _look_places(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    return {"lines": _several(texts, rows, lambda t: "\n" in t, protect),
            "whole": _several(texts, rows, lambda t: "," in t, protect),
            "first": _several(texts, rows, lambda t: t[:1].isdigit(), protect)}  # fmt: skip


def _look_states(texts: list[str], rows: np.ndarray, protect: int) -> dict[str, Any]:
    from synthwright.core.numbering import national_system

    pattern = recognise(pa.array(texts, pa.large_string()), rows, protect)
    layout = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")
    american = _several(texts, rows, lambda t: layout.fullmatch(t.strip()) is not None, protect)
    return {"system": national_system(texts), "pattern": None if pattern is None else pattern.to_json(),
            "american": american >= 0.5}  # fmt: skip


_LOOKS: dict[str, Callable[[list[str], np.ndarray, int], dict[str, Any]]] = {
    "name": _look_names, "first-name": _look_names, "last-name": _look_names, "phone": _look_phones,
    "card": _look_numbers, "iban": _look_accounts, "ip": _look_nets, "address": _look_places,
    "national-number": _look_states,
}  # fmt: skip


def _cased(fake: Fake, names: np.ndarray, dice: Dice) -> np.ndarray:
    at = dice.uniform()
    names = np.where(at < fake.look["loud"], np.char.upper(names), names)
    return np.where(at >= 1 - fake.look["quiet"], np.char.lower(names), names)


def _numbered(fake: Fake, numbers: np.ndarray, dice: Dice, few: int) -> np.ndarray:
    """Return digits that tell rows apart where the column is unique, else a few at random, sometimes none."""
    if fake.unique:
        at = permuted(numbers % _ROUND, _ROUND, int(fake.key)) + numbers // _ROUND * _ROUND
        return at.astype(np.str_)
    digits = dice.integers(0, few).astype(np.str_)
    return np.where(dice.uniform() < 0.5, digits, "")


def _names(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    words = fake.words
    first, last = _both(fake, numbers, dice, len(words.first), len(words.last))
    given, family = np.asarray(words.first)[first], np.asarray(words.last)[last]
    turned = np.char.add(np.char.add(family, ", "), given)
    straight = np.char.add(np.char.add(given, " "), family)
    return _cased(fake, np.where(dice.uniform() < fake.look["turned"], turned, straight), dice)


def _both(fake: Fake, numbers: np.ndarray, dice: Dice, one: int, two: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a pair of places: where the column is unique, another pair for each row as long as there are any."""
    if not fake.unique:
        return dice.integers(0, one), dice.integers(0, two)
    return np.divmod(permuted(numbers % (one * two), one * two, int(fake.key)), two)


def _first_names(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    del numbers
    return _cased(fake, dice.choice(fake.words.first), dice)


def _last_names(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    del numbers
    return _cased(fake, dice.choice(fake.words.last), dice)


def _emails(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    words = fake.words
    who = np.char.add(np.char.add(dice.choice(words.plain_first), "."), dice.choice(words.plain_last))
    who = np.char.add(who, _numbered(fake, numbers, dice, 100))
    return np.char.add(np.char.add(who, "@"), dice.choice(("example.org", "example.com", "example.net")))


def _usernames(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    words = fake.words
    letter = np.asarray([w[0] for w in words.plain_first])[dice.integers(0, len(words.plain_first))]
    return np.char.add(np.char.add(letter, dice.choice(words.plain_last)), _numbered(fake, numbers, dice, 100))


def _urls(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    at = np.char.add("https://www.", dice.choice(("example.org/", "example.com/", "example.net/")))
    return np.char.add(np.char.add(at, dice.choice(fake.words.plain_last)), _numbered(fake, numbers, dice, 10_000))


def _phones(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    spelled = [(t, s) for t, s in fake.look["spelled"]]
    return distinct_phones(numbers, dice, spelled, int(fake.key)) if fake.unique else phones(dice, spelled)


def _cards(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    numbers = numbers if fake.unique else dice.integers(0, 10**9)
    return made.cards(numbers, [(t, s) for t, s in fake.look["spelled"]], dice, int(fake.key))


def _ibans(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    numbers = numbers if fake.unique else dice.integers(0, 10**9)
    return made.ibans(numbers, fake.look["countries"], dice, int(fake.key), grouped=fake.look["grouped"])


def _nets(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    many = fake.look["many"] or fake.unique
    numbers = numbers if fake.unique else dice.integers(0, 2**24)
    return made.addresses_on_the_net(numbers, fake.look["sixes"], dice, int(fake.key), many=many)


def _states(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    numbers = numbers if fake.unique else dice.integers(0, 10**7)
    look = fake.look
    pattern = None if look["pattern"] is None else Pattern.of_json(look["pattern"])
    if look["system"] is not None and not look["american"]:
        return made.national(numbers, look["system"], pattern, dice, unique=fake.unique)
    if look["american"] or pattern is None:
        return made.security_numbers(numbers, int(fake.key), dashed=True)
    return pattern.number(numbers, int(fake.key), dice)


def _codes(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    pattern = Pattern.of_json(fake.look["pattern"] or {"layouts": [[string.digits[1:]] * 8], "shares": [1.0]})
    return pattern.number(numbers, int(fake.key), dice) if fake.unique else pattern.draw(dice)


def _places(fake: Fake, numbers: np.ndarray, dice: Dice) -> np.ndarray:
    del numbers
    words = fake.words
    number = np.where(dice.uniform() < 0.5, dice.integers(1, 100), dice.integers(100, 1000)).astype(np.str_)
    street = dice.choice(words.streets)
    first = np.char.add(np.char.add(number, " "), street)
    after = np.char.add(np.char.add(street, " "), number)
    at = np.where(dice.uniform() < fake.look["first"], first, after)
    town = np.char.add(np.char.add(dice.choice(words.postcodes), " "), dice.choice(words.towns))
    roll = dice.uniform()
    at = np.where(roll < fake.look["lines"], np.char.add(np.char.add(at, "\n"), town), at)
    lined = roll < fake.look["lines"]
    return np.where(~lined & (dice.uniform() < fake.look["whole"]), np.char.add(np.char.add(at, ", "), town), at)


_MAKERS: dict[str, Callable[[Fake, np.ndarray, Dice], np.ndarray]] = {
    "email": _emails, "phone": _phones, "name": _names, "first-name": _first_names, "last-name": _last_names,
    "username": _usernames, "address": _places, "card": _cards, "iban": _ibans, "ip": _nets,
    "national-number": _states, "url": _urls, "identifier": _codes,
}  # fmt: skip
