"""People that do not exist: name, sex, birth date, e-mail, telephone and the like, coherent with each other."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities
from synthwright.core.schema import Field
from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.latin import latins
from synthwright.kit.entities.locales import country_of, domains, language_of
from synthwright.kit.entities.people import SEPARATORS, called, sexes_said
from synthwright.kit.entities.roles import DAYS, NAMED, WHOLE, WORDS, Localed, Localities, Role
from synthwright.kit.entities.telephones import Form, telephones
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

Sex = Literal["female", "male", "other"]
_SEXES: tuple[Sex, ...] = ("female", "male", "other")
_BLOCK = 10**5
_PLATEAU, _OLDEST = 60, 100


class Person(Localed):
    """Makes people who do not exist: names, sex, birth date, e-mail, telephone, user name, title; all of one row fit.

    First names fit the sex, family names have the form of the sex where the language has one, user name and e-mail
    address are written from the name (in English letters), titles fit sex and language. Names come from the lists of
    Faker (with their weights where it has any), each drawn by itself: a whole name can be somebody's by chance.
    Nobody is reached: e-mail addresses are at domains kept for examples (RFC 2606) unless `domains` says otherwise,
    telephone numbers are of ranges kept for films and books, or of none that is in use (see `kit.entities.telephones`).
    Chinese names are written in English letters as another Chinese name would be.

    Roles: `username`, `full_name`, `first_name`, `last_name`, `email`, `sex`, `birth_date`, `age`, `phone`, `title`,
    `locale`, `country_code`, `country`.

    ```yaml
    - make: [customer.name, customer.sex, customer.born, customer.mail]
      use: person
      with: {locale: {de_DE: 3, fr_FR: 1}, columns: {born: birth_date}, unique: [email]}
    ```
    """

    name: ClassVar[str] = "person"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset(NAMED | DAYS | WHOLE), given="declared", learns=False
    )  # fmt: skip
    about: ClassVar[str] = (
        "customer|client|patient|employee|person|contact|member|holder|owner|account|applicant|driver|guest|student"
        "|passenger|card|card ?holder|account ?holder|home|work|personal|private|primary|main|his|her|their|the|user"
    )
    receives: ClassVar[tuple[str, ...]] = (
        "sex", "first_name", "last_name", "full_name", "birth_date", "locale", "country_code", "country",
    )  # fmt: skip
    hears: ClassVar[tuple[str, ...]] = ("sex",)
    roles: ClassVar[Mapping[str, Role]] = {
        "username": Role(NAMED, "user ?(?:name|id)|login|screen ?name|nick ?name|handle", distinct=True),
        "full_name": Role(WORDS, "(?:(?:full|legal|display|complete|whole) ?)?name|names"),
        "first_name": Role(WORDS, "(?:first|given|fore|christian) ?names?|fname|vorname|prenom|nombre"),
        "last_name": Role(WORDS, "(?:last|family|sur) ?names?|lname|nachname|apellidos?|nom de famille|cognome"),
        "email": Role(NAMED, "e ?mail(?: (?:address|addr|adresse))?|mail(?: address)?|correo|courriel", distinct=True),
        "sex": Role(WORDS, "sex|gender|geschlecht|sexe|sexo|genero"),
        "birth_date": Role(DAYS, "(?:birth|born) ?(?:date|day)|date of birth|dob|born(?: on)?|geburtsdatum"),
        "age": Role(WHOLE, "age|alter|edad"),
        "phone": Role(WORDS, "(?:tele ?)?(?:phone|fon)(?: (?:number|no|nr))?|mobile(?: (?:phone|number))?|tel|handy"
                             "|cell(?: ?phone)?|telefono|telephone"),
        "title": Role(WORDS, "title|salutation|prefix|anrede|honorific"),
        "locale": Role(WORDS, "locale"),
        "country_code": Role(WORDS, "country (?:code|iso)|iso country"),
        "country": Role(WORDS, "country|land|nation"),
    }  # fmt: skip

    sexes: dict[Sex, float] = Setting(default={"female": 0.5, "male": 0.5}, examples=[{"female": 1, "male": 1}])
    """The shares of `female`, `male` and `other`; people of another sex have names of either."""
    sex_labels: dict[Sex, str] = Setting(default={"female": "F", "male": "M", "other": "X"},
                                         examples=[{"female": "woman", "male": "man"}])  # fmt: skip
    """What the sexes are called in the column; those not named here are F, M and X. A given column of other labels is
    understood where it says so plainly (`female`, `w`, `male`, `man` …); what is neither has names of either."""
    ages: tuple[int, int] = Setting(default=(18, 90), examples=[(20, 30)])
    """The youngest and the oldest, in years completed."""
    age_shape: Literal["uniform", "pyramid"] = "pyramid"
    """How ages are spread: each as likely, or as in an old country, roughly: as many of each age up to 60, then fewer
    and fewer, none of 100."""
    on: dt.date = Setting(default=dt.date(2025, 1, 1), examples=["2020-02-29"])
    """The day on which people have these ages."""
    domains: tuple[str, ...] = Setting(default=("example.com", "example.org", "example.net"), min_length=1,
                                       examples=[["mail.example"]])  # fmt: skip
    """Where the e-mail addresses are. Domains that are not kept for examples may belong to somebody."""
    unique: tuple[Literal["email", "username"], ...] = Setting(default=(), examples=[["email"]])
    """What no two rows of the run may share; it then ends in digits that follow from the row's number."""
    phone_form: Form = "international"
    """How telephone numbers are written: `+44 20 7946 0123`, `020 7946 0123` or `+442079460123`."""

    @field_validator("sexes")
    @classmethod
    def _shares(cls, said: dict[Sex, float]) -> dict[Sex, float]:
        if any(not (0 <= w < float("inf")) for w in said.values()) or not sum(said.values()) > 0:
            raise ValueError("shares are 0 or more, and one is above zero")
        return said

    @field_validator("sex_labels")
    @classmethod
    def _labels_differ(cls, said: dict[Sex, str]) -> dict[Sex, str]:
        whole: dict[Sex, str] = {"female": "F", "male": "M", "other": "X"}
        whole.update(said)
        if len(set(whole.values())) < len(whole):
            raise ValueError("two sexes are called the same")
        return whole

    @field_validator("ages")
    @classmethod
    def _ages_are_in_order(cls, said: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= said[0] <= said[1] <= 120:
            raise ValueError(f"ages are [youngest, oldest], between 0 and 120, got {list(said)}")
        return said

    @field_validator("domains")
    @classmethod
    def _are_domains(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        return domains(said)

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        if self.role(column) == "sex":
            return tuple(self.sex_labels[s] for s in _SEXES if self.sexes.get(s, 0) > 0)
        return super().gives(column, field)

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        crowd = _Crowd(self, ask, frozenset(distinct) | set(self.unique))
        return {role: getattr(crowd, role) for role in wanted}


class _Crowd(Localities):
    """The people of some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Person, ask: Ask, distinct: frozenset[str]) -> None:
        super().__init__(recipe, ask)
        self.recipe, self.distinct = recipe, distinct
        self.given = recipe.given(ask)
        self.called = called(self.where.names)

    # ------------------------------------------------------------------------------------------------------- sex
    @cached_property
    def sexes(self) -> np.ndarray:
        """The place of each row's sex among `_SEXES`."""
        shares = np.array([self.recipe.sexes.get(s, 0.0) for s in _SEXES])
        ends = np.cumsum(shares / shares.sum())
        at = self.rng("sex").random(self.rows, dtype=np.float32)
        drawn: np.ndarray = (at >= ends[0]).astype(np.int8) + (at >= ends[1])
        np.minimum(drawn, int(np.flatnonzero(shares)[-1]), out=drawn)
        if "sex" not in self.given:
            return drawn
        labels = [self.recipe.sex_labels[s] for s in _SEXES]
        return sexes_said(self.given["sex"], labels, drawn)

    @cached_property
    def sex(self) -> pa.Array:
        labels = pa.array([self.recipe.sex_labels[s] for s in _SEXES], pa.large_string())
        return labels.take(pa.array(self.sexes))

    @cached_property
    def groups(self) -> np.ndarray:
        """Whose names each row has: women or men of its locale."""
        who = self.sexes
        if (who == 2).any():
            who = np.where(who == 2, self.rng("other").integers(0, 2, self.rows, dtype=np.int8), who)
        return who if self.where.codes is None else self.where.codes * 2 + who

    # ----------------------------------------------------------------------------------------------------- names
    @cached_property
    def first(self) -> np.ndarray:
        return self.called.first.draw(self.rng("first"), self.rows, self.groups)

    @cached_property
    def last(self) -> np.ndarray:
        return self.called.last.draw(self.rng("last"), self.rows, self.groups)

    @cached_property
    def first_name(self) -> pa.Array:
        held = self._held("first_name")
        return self.called.first.take(self.first) if held is None else held

    @cached_property
    def last_name(self) -> pa.Array:
        held = self._held("last_name")
        if held is not None:
            return held
        one = self.called.last.take(self.last)
        two = self.called.two
        if not two.any():
            return one
        more = self.called.last.draw(self.rng("second"), self.rows, self.groups)
        second = joined(pa.array(["", " "], pa.large_string()).take(pa.array(self._by_locale(two).astype(np.int8))),
                        pc.if_else(pa.array(self._by_locale(two)), self.called.last.take(more), ""))  # fmt: skip
        return joined(one, second)

    def _held(self, role: str) -> pa.Array | None:
        """Return a given column, or the part of a given whole name; None if there is none."""
        if role in self.given:
            return self.given[role].combine_chunks().cast(pa.large_string())
        if "full_name" not in self.given:
            return None
        whole = self.given["full_name"].combine_chunks().cast(pa.large_string())
        front = (role == "first_name") is not bool(self.called.family_first[0])
        return pc.replace_substring_regex(whole, r"^(\S+)\s.*$" if front else r"^.*\s(\S+)$", r"\1")

    def _by_locale(self, values: np.ndarray) -> np.ndarray:
        return np.full(self.rows, values[0]) if self.where.codes is None else values[self.where.codes]

    @cached_property
    def full_name(self) -> pa.Array:
        turned, between = self.called.family_first, self.called.between
        if not turned.any():
            return joined(self.first_name, self.last_name, between=" ")
        swap = pa.array(self._by_locale(turned))
        front = pc.if_else(swap, self.last_name, self.first_name)
        back = pc.if_else(swap, self.first_name, self.last_name)
        if len(set(between)) == 1:
            return joined(front, back, between=between[0])
        codes = np.zeros(self.rows, np.int32) if self.where.codes is None else self.where.codes
        return joined(front, pa.array(between, pa.large_string()).take(pa.array(codes)), back)

    @cached_property
    def title(self) -> pa.Array:
        return self.called.titles.take(self.called.titles.draw(self.rng("title"), self.rows, self.groups))

    # --------------------------------------------------------------------------------------------- how to reach them
    @cached_property
    def plain(self) -> tuple[np.ndarray, pa.Array, np.ndarray, pa.Array]:
        """Codes and words of the names in English letters, as `kit.entities.people.Called` holds them."""
        language = language_of(self.where.names[0]) if len(self.where.names) == 1 else ""
        one, two = self._held("first_name"), self._held("last_name")
        first, firsts = (self.first, self.called.plain_first) if one is None else _written(one, language, ("",))
        last, lasts = (self.last, self.called.plain_last) if two is None else _written(two, language, SEPARATORS)
        return first, firsts, last, lasts

    def _address(self, place: str, styles: np.ndarray) -> tuple[pa.Array, pa.Array]:
        """Return the two parts of a name in one of some styles (whether initials, which separator), row by row."""
        first, firsts, last, lasts = self.plain
        style = styles[self.rng(place).integers(0, len(styles), self.rows, dtype=np.uint8)]
        one = firsts.take(pa.array(first + style[:, 0] * (len(firsts) // 2)))
        return one, lasts.take(pa.array(last + style[:, 1] * (len(lasts) // len(SEPARATORS))))

    def _number(self, place: str) -> pa.Array:
        """Return digits that tell every row of the run from the others."""
        key = secret("person", self.ask.ctx.seed, self.ask.table, place)
        numbers = self.ask.numbers
        told = permuted(numbers % _BLOCK, _BLOCK, key) + numbers // _BLOCK * _BLOCK
        return pa.array(told).cast(pa.large_string())

    @cached_property
    def email(self) -> pa.Array:
        domains = ["@" + d for d in self.recipe.domains]
        rng = self.rng("domain")
        parts = self._address("email", _MAIL)
        if "email" in self.distinct:
            ends = Lexicon.of(domains)
            return joined(*parts, self._number("email"), ends.take(ends.draw(rng, self.rows)))
        ends = Lexicon.of({n + d: w for d in domains for n, w in _ENDS.items()})
        return joined(*parts, ends.take(ends.draw(rng, self.rows)))

    @cached_property
    def username(self) -> pa.Array:
        parts = self._address("username", _USER)
        if "username" in self.distinct:
            return joined(*parts, self._number("username"))
        ends = Lexicon.of(_ENDS)
        return joined(*parts, ends.take(ends.draw(self.rng("digits"), self.rows)))

    @cached_property
    def phone(self) -> pa.Array:
        there = self.where.mapped(country_of)
        return telephones(there.names, self.recipe.phone_form).draw(self.rng("phone"), self.rows, there.codes)

    # ------------------------------------------------------------------------------------------------------- age
    @cached_property
    def born(self) -> tuple[np.ndarray, np.ndarray]:
        """Age in completed years, and the day of birth as days since 1970."""
        low, high = self.recipe.ages
        years = np.arange(low, high + 1)
        weights = np.ones(len(years))
        if self.recipe.age_shape == "pyramid":
            weights = np.clip((_OLDEST - years) / (_OLDEST - _PLATEAU), 0.0, 1.0)
            weights = weights if weights.sum() > 0 else np.ones(len(years))
        ages = Lexicon.of(dict(zip(map(str, years), weights, strict=True)))
        at = ages.draw(self.rng("age"), self.rows)
        days = np.array([_day_before(self.recipe.on, int(y)) for y in range(low, high + 2)])
        span = (days[:-1] - days[1:])[at]  # the days of birth of people who are so old: 365 or 366 of them
        back = (self.rng("day").random(self.rows, dtype=np.float32) * span).astype(np.int64)
        return (at + low).astype(np.int64), days[:-1][at] - np.minimum(back, span - 1)

    @cached_property
    def birth_date(self) -> pa.Array:
        return pa.array(self.born[1].astype(np.int32)).cast(pa.date32())

    @cached_property
    def age(self) -> np.ndarray:
        if "birth_date" not in self.given:
            return self.born[0]
        day = self.given["birth_date"].combine_chunks().cast(pa.date32())
        on = self.recipe.on
        late = pc.greater(pc.add(pc.multiply(pc.month(day), 100), pc.day(day)), on.month * 100 + on.day)
        years = pc.subtract(pc.subtract(on.year, pc.year(day)), late.cast(pa.int64()))
        return years.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _day_before(on: dt.date, years: int) -> int:
    """Return the latest day of birth of somebody who has completed so many years, as days since 1970."""
    year = on.year - years
    leap = on.month == 2 and on.day == 29 and not calendar.isleap(year)
    day = dt.date(year, 2, 28) if leap else on.replace(year=year)
    return (day - dt.date(1970, 1, 1)).days


def _written(names: pa.Array, language: str, marks: tuple[str, ...]) -> tuple[np.ndarray, pa.Array]:
    """Return codes and words of given names in English letters, as `kit.entities.people.Called` holds them."""
    coded = names.dictionary_encode()
    plain = [w or "user" for w in latins(map(str, coded.dictionary.to_pylist()), language)] + ["user"]
    codes = coded.indices.fill_null(len(plain) - 1).to_numpy(zero_copy_only=False)
    words = [*plain, *(w[:1] for w in plain)] if marks == ("",) else [m + w for m in marks for w in plain]
    return codes.astype(np.int32), pa.array(words, pa.large_string())


def _styles(*shares: tuple[int, tuple[int, int]]) -> np.ndarray:
    return np.array([style for share, style in shares for _ in range(share)], dtype=np.int32)


_MAIL = _styles((10, (0, 0)), (2, (0, 1)), (2, (0, 2)), (2, (1, 0)))
"""Styles of e-mail addresses, as often as they stand here: whether the first name is an initial, which separator."""
_USER = _styles((6, (1, 2)), (4, (0, 2)), (3, (0, 0)), (3, (0, 1)))
_ENDS = {"": 100.0, **{str(n): 1.0 for n in range(1, 100)}}
"""Digits behind a name, with weights."""
