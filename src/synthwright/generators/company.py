"""Companies that do not exist: name, legal form, trade, domain and tax number that go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities
from synthwright.core.schema import Field
from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.firms import SECTORS, firms_of, tax_numbers
from synthwright.kit.entities.locales import country_of, known_weights
from synthwright.kit.entities.people import SEPARATORS, called
from synthwright.kit.entities.roles import NAMED, WORDS, Localed, Localities, Role
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

_BLOCK = 10**5
_ALONE, _TWO, _TRADE = range(3)
_STYLES = np.array([_ALONE] * 4 + [_TWO] * 4 + [_TRADE] * 8, dtype=np.int8)
"""What follows the first name, as often as it stands here: nothing, another name, a word of the trade."""
_BOXES = {"info": 6.0, "contact": 3.0, "office": 2.0, "sales": 2.0, "hello": 1.0}


class Company(Localed):
    """Makes companies: name, legal form, trade, domain, e-mail, web site, tax number; all of one row fit.

    Names are put together from family names of the locale and words of the trade, with a legal form of the country; by
    chance a company may be called so. Domains are written from the name and end in `.example`, which is nobody's
    (RFC 2606). Tax numbers have the form of the country and nothing else: they begin with 0, and any that passes the
    country's check (as far as python-stdnum knows one) is left out, so they are no company's; they repeat after a
    thousand.

    Roles: `name`, `legal_form`, `sector`, `domain`, `email`, `website`, `tax_number`, `country`, `country_code`,
    `locale`.

    ```yaml
    - make: [supplier.name, supplier.legal_form, supplier.sector, supplier.email]
      use: company
      with: {locale: {de_DE: 2, nl_NL: 1}, sectors: {Retail: 1, Transport: 1}}
    ```
    """

    name: ClassVar[str] = "company"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(NAMED), given="declared", learns=False)
    about: ClassVar[str] = "company|employer|supplier|vendor|merchant|firm|business|organi[sz]ation|org|customer|client"
    receives: ClassVar[tuple[str, ...]] = ("locale", "country_code", "country", "sector")
    roles: ClassVar[Mapping[str, Role]] = {
        "name": Role(WORDS, "(?:(?:company|legal|trading) ?)?name|company|employer|supplier|vendor|merchant|firm"),
        "legal_form": Role(WORDS, "legal ?form|legal entity type|rechtsform|form"),
        "sector": Role(WORDS, "sector|industry|trade|branch|line of business"),
        "domain": Role(NAMED, "domain|host(?: ?name)?", distinct=True),
        "email": Role(NAMED, "e ?mail(?: (?:address|addr))?|mail", distinct=True),
        "website": Role(NAMED, "web ?site|url|home ?page|web", distinct=True),
        "tax_number": Role(WORDS, "(?:tax|vat) ?(?:number|no|id|nr)?|ein|ust ?id"),
        "country": Role(WORDS, "country(?: name)?"),
        "country_code": Role(WORDS, "country (?:code|iso)"),
        "locale": Role(WORDS, "locale"),
    }  # fmt: skip

    sectors: dict[str, float] = Setting(default=dict(SECTORS), examples=[{"Retail": 1, "Transport": 1}])
    """The trades with weights: `Agriculture`, `Manufacturing`, `Energy`, `Construction`, `Retail`, `Transport`,
    `Hospitality`, `Software`, `Finance`, `Real estate`, `Consulting`, `Education`, `Health`, `Media`."""

    @field_validator("sectors")
    @classmethod
    def _weights(cls, said: dict[str, float]) -> dict[str, float]:
        known_weights(said, SECTORS, "sector")
        return said

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        firms = _Firms(self, ask, distinct=bool(distinct))
        return {role: getattr(firms, role) for role in wanted}


class _Firms(Localities):
    """The companies of some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Company, ask: Ask, *, distinct: bool) -> None:
        super().__init__(recipe, ask)
        self.recipe, self.distinct = recipe, distinct
        self.lists = firms_of(self.where.names)
        self.people = called(self.where.names)

    @cached_property
    def sectors(self) -> np.ndarray:
        """The place of each row's trade among all; a given trade that is not known counts as the one drawn."""
        weights = {s: self.recipe.sectors.get(s, 0.0) for s in SECTORS}
        drawn = Lexicon.of(weights).draw(self.rng("sector"), self.rows)
        given = self.recipe.given(self.ask)
        if "sector" not in given:
            return drawn
        coded = given["sector"].combine_chunks().dictionary_encode()
        known = {s.casefold(): i for i, s in enumerate(SECTORS)}
        said = np.array([known.get(str(v).strip().casefold(), -1) for v in coded.dictionary.to_pylist()] or [-1])
        found = said[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        missing = coded.indices.is_null().to_numpy(zero_copy_only=False)
        return np.where((found < 0) | missing, drawn, found).astype(np.int32)

    @cached_property
    def sector(self) -> pa.Array:
        return pa.array(list(SECTORS), pa.large_string()).take(pa.array(self.sectors))

    @cached_property
    def forms(self) -> np.ndarray:
        return self.lists.forms.draw(self.rng("form"), self.rows, self.where.codes)

    @cached_property
    def legal_form(self) -> pa.Array:
        return self.lists.forms.take(self.forms)

    # ------------------------------------------------------------------------------------------------------- name
    @cached_property
    def codes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The style of each row's name, its family name, another one, and a word of its trade."""
        rng = self.rng("name")
        here = np.zeros(self.rows, np.int32) if self.where.codes is None else self.where.codes
        style = _STYLES[rng.integers(0, len(_STYLES), self.rows, dtype=np.uint8)]
        one, two = (self.people.last.draw(rng, self.rows, here * 2 + 1) for _ in range(2))
        word = self.lists.words.draw(rng, self.rows, here * len(SECTORS) + self.sectors)
        return style, one, two, word

    def _followed(self, names: pa.Array, words: pa.Array) -> pa.Array:
        """Return what follows the first name: nothing, another name or a word, from the columns of these."""
        style, _, two, word = self.codes
        every = pa.concat_arrays([pa.array([""], pa.large_string()), names, words])
        return every.take(
            pa.array(np.where(style == _ALONE, 0, np.where(style == _TWO, two + 1, word + len(names) + 1)))
        )

    @cached_property
    def name(self) -> pa.Array:
        lasts = self.people.last
        sizes = np.add.reduceat(lasts.sizes, np.arange(0, len(lasts.sizes), 2))  # of women and men of each locale
        ands = pa.array(self.lists.ands, pa.large_string()).take(pa.array(np.repeat(np.arange(len(sizes)), sizes)))
        follow = self._followed(joined(ands, lasts.words), self.lists.spaced)
        codes = pa.array(self.forms)
        return joined(self.lists.before.take(codes), lasts.take(self.codes[1]), follow, self.lists.after.take(codes))

    # -------------------------------------------------------------------------------------------------- how to reach
    @cached_property
    def domain(self) -> pa.Array:
        plain = self.people.plain_last
        many = len(plain) // len(SEPARATORS)
        bare = plain.slice(SEPARATORS.index("") * many, many)
        hyphen = joined(pa.array(["-"] * many, pa.large_string()), bare)
        parts = [bare.take(pa.array(self.codes[1])), self._followed(hyphen, self.lists.plain)]
        if self.distinct:
            key = secret("company", self.ask.ctx.seed, self.ask.table)
            numbers = self.ask.numbers
            told = permuted(numbers % _BLOCK, _BLOCK, key) + numbers // _BLOCK * _BLOCK
            parts.append(pa.array(told).cast(pa.large_string()))
        return joined(*parts, self._same(".example"))

    def _same(self, said: str) -> pa.Array:
        return pa.array([said], pa.large_string()).take(pa.array(np.zeros(self.rows, np.int8)))

    @cached_property
    def email(self) -> pa.Array:
        boxes = Lexicon.of({f"{b}@": w for b, w in _BOXES.items()})
        return joined(boxes.take(boxes.draw(self.rng("box"), self.rows)), self.domain)

    @cached_property
    def website(self) -> pa.Array:
        return joined(self._same("https://www."), self.domain)

    @cached_property
    def tax_number(self) -> pa.Array:
        there = self.where.mapped(country_of)
        pool = Lexicon.of(*(tax_numbers(country) for country in there.names))
        return pool.take(pool.draw(self.rng("tax"), self.rows, there.codes))
