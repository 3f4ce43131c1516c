"""Points on the map: latitude and longitude within a country."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities
from synthwright.core.schema import Field, Kind
from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.locales import COUNTRIES, Countries, country_named, which
from synthwright.kit.entities.outlines import scattered
from synthwright.kit.entities.places import cities_in
from synthwright.kit.entities.roles import WORDS, Role, Roled, Whence
from synthwright.kit.ruled import Ask, Column

_DEGREE = 111.2
_POINTS = frozenset({Kind.NUMBER})


class Coordinates(Roled):
    """Makes points within countries: latitude and longitude in degrees (WGS 84), rounded to about a metre.

    `cities` scatters points around the large cities of the country, more around larger ones, in a normal distribution
    as wide as `spread` says: dense where people are, some in the water by the sea, few beyond a border that is near.
    `even` spreads them evenly over a few boxes that lie inside the country: never far outside, but without its corners
    and islands.

    Roles: `latitude`, `longitude`, `point` (both, as text), `country_code`, `country`.

    ```yaml
    - make: [sensor.latitude, sensor.longitude]
      use: coordinates
      with: {country: {DE: 2, PL: 1}, where: even}
    ```
    """

    name: ClassVar[str] = "coordinates"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(WORDS | _POINTS), given="declared", learns=False)
    about: ClassVar[str] = "customer|store|shop|home|work|site|sensor|device|station|pickup|dropoff|start|end|geo|gps"
    receives: ClassVar[tuple[str, ...]] = ("country_code", "country")
    roles: ClassVar[Mapping[str, Role]] = {
        "latitude": Role(_POINTS, "lat(?:itude)?|y"),
        "longitude": Role(_POINTS, "lon(?:gitude)?|lng|long|x"),
        "point": Role(WORDS, "point|coordinates|coords|location|position|lat ?lon|latlng|geo"),
        "country_code": Role(WORDS, "country(?: code| iso)"),
        "country": Role(WORDS, "country(?: name)?"),
    }  # fmt: skip

    country: Countries = Setting(default="US", examples=["DE", {"DE": 2, "PL": 1}])
    """The country in two letters, or several with weights."""
    country_from: str | None = None
    """The column, or path, that says each row's country (`DE`, `DEU`, `Germany`, or a locale such as `de_DE`)."""
    where: Literal["cities", "even"] = "cities"
    """Around the cities of the country, or evenly over it."""
    spread: float = Setting(default=1.0, ge=0, le=50)
    """How far from the middle of cities: 1 as wide as the city is (0.9 km for 25,000 people, 8 km for nine million)."""

    def paths(self) -> tuple[str, ...]:
        return (*super().paths(), *([self.country_from] if self.country_from else []))

    def whence(self, produce: tuple[str, ...]) -> Whence | None:
        named = Whence(self.country_from, country_named, ("country_from",)) if self.country_from else None
        found = named or self.given_as(("country_code", "country"), country_named, produce)
        return found and found._replace(wanted="countries, such as DE or Germany")

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        whence = self.whence(ask.produce)
        there = which(ask, self.country, None if whence is None else whence.path, country_named)
        made: dict[str, Column] = {
            "country_code": there.array(ask.rows),
            "country": there.array(ask.rows, lambda code: COUNTRIES[code][1]),
        }
        latitude, longitude = np.empty(ask.rows), np.empty(ask.rows)
        for i, country in enumerate(there.names if {"latitude", "longitude", "point"} & set(wanted) else ()):
            at = slice(None) if there.codes is None else np.flatnonzero(there.codes == i)
            rows = ask.rows if there.codes is None else len(latitude[at])
            rng = ask.ctx.at("points", country).rng
            points = scattered(country, rows, rng) if self.where == "even" else self._around(country, rows, rng)
            latitude[at], longitude[at] = points
        made["latitude"] = np.clip(np.round(latitude, 5), -90, 90)
        made["longitude"] = np.clip(np.round(longitude, 5), -180, 180)
        if "point" in wanted:
            parts = [pa.array(made[role]).cast(pa.large_string()) for role in ("latitude", "longitude")]
            made["point"] = joined(*parts, between=", ")
        return {role: made[role] for role in wanted}

    def _around(self, country: str, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        towns, middles, wide = _towns(country)
        at = towns.draw(rng, rows)
        off = rng.standard_normal((2, rows), dtype=np.float32) * (wide[at] * np.float32(self.spread))
        latitude = middles[0][at] + off[0]
        return latitude, middles[1][at] + off[1] / np.cos(np.radians(middles[0]))[at]


@cache
def _towns(country: str) -> tuple[Lexicon, np.ndarray, np.ndarray]:
    """Return the cities of a country by their people, where they are, and how wide (in degrees of latitude)."""
    held = cities_in(country)
    wide = np.array([(0.5 + 0.08 * c.people**0.5) / _DEGREE for c in held], dtype=np.float32)
    middles = np.array([[c.latitude for c in held], [c.longitude for c in held]])
    return Lexicon.of({str(i): c.people for i, c in enumerate(held)}), middles, wide
