"""Addresses: street, postcode, city, region, country and coordinates that go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind
from synthwright.kit.entities.dictionaries import drawn, joined
from synthwright.kit.entities.places import POSTCODES, cities_of, places_of
from synthwright.kit.entities.roles import WORDS, Localed, Localities, Role
from synthwright.kit.ruled import Ask, Column

_DEGREE = 111.2
"""Kilometres of a degree of latitude."""
POINTS = frozenset({Kind.NUMBER})


class Address(Localed):
    """Makes addresses: street, house number, postcode, city, region, country, coordinates, and all of it as one text.

    City, region, country, postcode and coordinates go together: the postcode begins as those of the city do and has
    the form of the country, the coordinates are near the city's middle (two dimensions of a normal distribution, as
    wide as the city is large, so some points of a city by the sea are in the water). Larger cities are drawn more
    often. Street and house number go with the language, not with the city: that there is such a street there, or that
    nobody lives at such an address, is not known. Cities are 5 to 70 large ones of each country.

    Roles: `address` (all of it), `street_address` (street and number), `street`, `house_number`, `postcode`, `city`,
    `region`, `region_code`, `country`, `country_code`, `latitude`, `longitude`, `locale`.

    ```yaml
    - make: [customer.street, customer.postcode, customer.city, customer.country]
      use: address
      with: {locale: {de_DE: 3, de_AT: 1}, columns: {street: street_address}}
    ```
    """

    name: ClassVar[str] = "address"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(WORDS | POINTS), given="declared", learns=False)
    about: ClassVar[str] = (
        "customer|client|patient|employee|person|contact|user|member|owner|account|billing|shipping|delivery|home|work"
        "|private|primary|main|store|shop|merchant|supplier|company|postal|residential|birth|his|her|their|the"
    )
    receives: ClassVar[tuple[str, ...]] = ("locale", "country_code", "country", "city")
    roles: ClassVar[Mapping[str, Role]] = {
        "address": Role(WORDS, "(?:full |whole )?address|anschrift|adresse|direccion|indirizzo"),
        "street_address": Role(WORDS, "street address|address ?(?:line)? ?1?|street line|line ?1|addr"),
        "street": Role(WORDS, "street(?: name)?|road|strasse|rue|calle|via"),
        "house_number": Role(WORDS, "(?:house|street|building) ?(?:number|no|nr|num)|hausnummer"),
        "postcode": Role(WORDS, "(?:post|postal|zip) ?code|zip|plz|cap|pincode|postleitzahl"),
        "city": Role(WORDS, "city|town|place|ort|stadt|ville|ciudad"),
        "region": Role(WORDS, "region|state|province|county|land|bundesland|departement|prefecture"),
        "region_code": Role(WORDS, "(?:region|state|province|county) (?:code|abbr|abbreviation)"),
        "country": Role(WORDS, "country(?: name)?|nation"),
        "country_code": Role(WORDS, "country (?:code|iso)|iso country"),
        "latitude": Role(POINTS, "lat(?:itude)?"),
        "longitude": Role(POINTS, "lon(?:gitude)?|lng"),
        "locale": Role(WORDS, "locale"),
    }  # fmt: skip

    spread: float = Setting(default=1.0, ge=0, le=20)
    """How far from the middle of the city coordinates are: 1 as wide as the city is (0.9 km for 25,000 people, 8 km
    for nine million), 0 all at the middle, larger farther out."""

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        where = _Where(self, ask)
        return {role: getattr(where, role) for role in wanted}


class _Where(Localities):
    """The addresses of some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Address, ask: Ask) -> None:
        super().__init__(recipe, ask)
        self.recipe = recipe
        self.places = places_of(self.where.names)

    # ------------------------------------------------------------------------------------------------------ town
    @cached_property
    def towns(self) -> np.ndarray:
        """The code of each row's city."""
        found = self.places.towns.draw(self.rng("city"), self.rows, self.where.codes)
        given = self.recipe.given(self.ask)
        if "city" not in given:
            return found
        coded = given["city"].combine_chunks().dictionary_encode()
        known = [{c.city: i for i, c in reversed(list(enumerate(cities_of(n))))} for n in self.where.names]
        said = [str(v) for v in coded.dictionary.to_pylist()]
        codes = np.array([[k.get(s, -1) for s in said] or [-1] for k in known]) + self.places.towns.starts[:, None]
        there = np.array([[s in k for s in said] or [False] for k in known])
        at = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        which = 0 if self.where.codes is None else self.where.codes
        missed = (at >= 0) & ~there[which, at]
        if missed.any():
            raise SampleError("address", f"{int(missed.sum())} rows", wanted="cities that are known in their country",
                              got="others", remedy="`kit/cities.csv` lists them")  # fmt: skip
        return np.where(at < 0, found, codes[which, at]).astype(np.int32)

    @cached_property
    def city(self) -> pa.Array:
        return self.places.towns.take(self.towns)

    @cached_property
    def region(self) -> pa.Array:
        return self.places.regions.take(pa.array(self.towns))

    @cached_property
    def region_code(self) -> pa.Array:
        return self.places.region_codes.take(pa.array(self.towns))

    @cached_property
    def codes(self) -> pa.Array:
        """The place of each row's postcode among all of them."""
        which, _ = drawn(self.rng("postcode"), self.rows, POSTCODES)
        return pa.array(self.towns * POSTCODES + which)

    @cached_property
    def postcode(self) -> pa.Array:
        return self.places.postcodes.take(self.codes)

    # ---------------------------------------------------------------------------------------------------- street
    @cached_property
    def streets(self) -> np.ndarray:
        return self.places.streets.draw(self.rng("street"), self.rows, self.where.codes)

    @cached_property
    def numbers(self) -> np.ndarray:
        return self.places.numbers.draw(self.rng("number"), self.rows, self.where.codes)

    @cached_property
    def street(self) -> pa.Array:
        return self.places.streets.take(self.streets)

    @cached_property
    def house_number(self) -> pa.Array:
        return self.places.numbers.take(self.numbers)

    @cached_property
    def halves(self) -> tuple[pa.Array, pa.Array]:
        """Street and number, in the order of the country, with what stands between and after."""
        street, number = self.streets, self.numbers + len(self.places.streets.words)
        first = self.where.each(self.places.first)
        if isinstance(first, np.ndarray):
            street, number = np.where(first, number, street), np.where(first, street, number)
        elif first:
            street, number = number, street
        return self.places.fronts.take(pa.array(street)), self.places.backs.take(pa.array(number))

    @cached_property
    def street_address(self) -> pa.Array:
        return joined(*self.halves)

    @cached_property
    def address(self) -> pa.Array:
        heads = [] if self.places.heads is None else [self.places.heads.take(self.codes)]
        return joined(*heads, *self.halves, self.places.ends.take(self.codes))

    # ------------------------------------------------------------------------------------------------------ point
    @cached_property
    def away(self) -> np.ndarray:
        """How far from the middle of the city each row may be, in degrees of latitude."""
        return (self.places.spread * (self.recipe.spread / _DEGREE)).astype(np.float32)[self.towns]

    @cached_property
    def latitude(self) -> np.ndarray:
        off = self.rng("latitude").standard_normal(self.rows, dtype=np.float32) * self.away
        return np.clip(np.round(self.places.latitudes[self.towns] + off, 5), -90, 90)

    @cached_property
    def longitude(self) -> np.ndarray:
        middle = self.places.longitudes[self.towns]
        narrow = np.cos(np.radians(self.places.latitudes)).astype(np.float32)[self.towns]
        off = self.rng("longitude").standard_normal(self.rows, dtype=np.float32) * self.away / narrow
        return np.clip(np.round(middle + off, 5), -180, 180)
