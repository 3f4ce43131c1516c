"""The tables of places: whole, and where they say they are."""

from __future__ import annotations

import re

import numpy as np
import pytest

from synthwright.kit.entities.locales import COUNTRIES, LOCALES, country_named, country_of, locale_of
from synthwright.kit.entities.places import POSTCODES, cities, cities_in, cities_of, places_of, streets_of
from synthwright.kit.entities.telephones import numbering


def test_cities() -> None:
    """Every line has what it needs, within the bounds of its country's other lines."""
    for city in cities():
        assert city.city
        assert city.region
        assert re.fullmatch("[A-Z0-9]{1,3}", city.code)
        assert city.people > 0
        assert all(re.fullmatch("[A-Z0-9#@ -]+", form) for form in city.postcodes)
        assert city.where in COUNTRIES or city.where in LOCALES
    for country in COUNTRIES:
        held = cities_in(country)
        assert len(held) >= 5
        middle = np.median([[c.latitude, c.longitude] for c in held], axis=0)
        wide = {"RU": 100, "US": 85, "CA": 60, "AU": 45, "FI": 12}.get(country, 30)
        assert all(np.hypot(c.latitude - middle[0], c.longitude - middle[1]) < wide for c in held)
    regions = {(country_of(c.where.rjust(5, "_")), c.code): c.region for c in cities() if c.where in COUNTRIES}
    assert all(regions[c.where, c.code] == c.region for c in cities() if c.where in COUNTRIES)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_places(locale: str) -> None:
    """There are cities, streets, postcodes, and the beginning of telephone numbers."""
    places = places_of((locale,))
    assert len(cities_of(locale)) >= 5
    assert len(set(streets_of(locale))) >= 20
    assert len(places.postcodes) == POSTCODES * len(cities_of(locale))
    plan = numbering(country_of(locale))
    assert all(len(area) + len(begin) < plan.size for area, begin in plan.begins)


def test_what_values_mean() -> None:
    """Locales and countries are understood in the ways that people write them."""
    assert [locale_of(s) for s in ("de_AT", "de-at", "AT", "aut", "Austria", "BE", "CH", "IN")] == [
        "de_AT", "de_AT", "de_AT", "de_AT", "de_AT", "nl_BE", "de_CH", "en_IN",
    ]  # fmt: skip
    assert [country_named(s) for s in ("gb", "GBR", "United Kingdom", "en_GB", "")] == ["GB", "GB", "GB", "GB", None]
    assert locale_of("xx") is None
    assert {country_of(n) for n in LOCALES} == set(COUNTRIES)
