"""Addresses: what goes together."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.entities_for_tests import LABEL, LEVEL, NUMBER, TEXT, listed, made, words, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.address import Address
from synthwright.kit.entities.locales import LOCALES, country_of
from synthwright.kit.entities.places import City, cities_of

EVERY = {
    "address": TEXT, "street_address": TEXT, "street": TEXT, "house_number": TEXT, "postcode": TEXT, "city": LABEL,
    "region": LABEL, "region_code": LABEL, "country": LABEL, "country_code": LABEL, "latitude": NUMBER,
    "longitude": NUMBER, "locale": LABEL,
}  # fmt: skip
FORMS = {
    "US": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d{1,2} \d[A-Z]{2}",
    "CA": r"[A-Z]\d[A-Z] \d[A-Z]\d",
    "IE": r"[A-Z]\d\d [A-Z0-9]{4}",
    "NL": r"[1-9]\d{3} [A-Z]{2}",
    "PT": r"\d{4}-\d{3}",
    "PL": r"\d\d-\d{3}",
    "BR": r"\d{5}-\d{3}",
    "JP": r"\d{3}-\d{4}",
    "LV": r"LV-\d{4}",
    "LT": r"LT-\d{5}",
    "CZ": r"\d{3} \d\d",
    "SK": r"\d{3} \d\d",
    "SE": r"\d{3} \d\d",
    "GR": r"\d{3} \d\d",
    "AR": r"[A-Z]\d{4}[A-Z]{3}",
    "IS": r"\d{3}",
    "IL": r"\d{7}",
    "CL": r"\d{7}",
    **dict.fromkeys("DE FR ES IT FI EE HR TR MX SA KR TH ID UA KE".split(), r"\d{5}"),  # noqa: SIM905
    **dict.fromkeys("AT CH BE DK NO HU BG SI AU NZ ZA GE AM".split(), r"\d{4}"),  # noqa: SIM905
    **dict.fromkeys("IN CN RO RU TW VN CO SG".split(), r"\d{6}"),  # noqa: SIM905
}
"""What postcodes look like, by country."""


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_makes_every_role(locale: str) -> None:
    """No locale leaves a value empty; city, region, country, postcode and coordinates of a row are of one place."""
    held = listed(Address(locale=locale), EVERY, 200)
    assert all(v not in (None, "") for column in held.values() for v in column)
    country = country_of(locale)
    form = FORMS[country]
    for i, code in enumerate(held["postcode"]):
        assert re.fullmatch(form, code), code
        places = [c for c in cities_of(locale) if (c.city, c.region, c.code) ==
                  tuple(held[r][i] for r in ("city", "region", "region_code"))]  # fmt: skip
        assert any(re.fullmatch(_begun(f), code) for c in places for f in c.postcodes)
        away = [_away(c, held["latitude"][i], held["longitude"][i]) for c in places]
        assert min(away) < 7 * (0.5 + 0.08 * places[0].people ** 0.5)
        assert held["country_code"][i] == country


def _away(city: City, north: float, east: float) -> float:
    """Return how far a point is from a city, in kilometres."""
    return 111.2 * float(np.hypot(city.latitude - north, (city.longitude - east) * np.cos(np.radians(north))))


def _begun(form: str) -> str:
    return re.escape(form).replace(r"\#", r"\d").replace("@", "[A-Z]")


def test_lines_are_written_as_the_country_does() -> None:
    """Street and number, and the whole address, stand in the order of the country."""
    forms = {"en_US": ("{n} {s}", "{l}, {c}, {r} {p}"), "de_DE": ("{s} {n}", "{l}, {p} {c}"),
             "en_GB": ("{n} {s}", "{l}, {c}, {p}"), "it_IT": ("{s}, {n}", "{l}, {p} {c}"),
             "ja_JP": ("{s}{n}番", "〒{p} {g}{c}{l}"), "hu_HU": ("{s} {n}.", "{l}, {p} {c}")}  # fmt: skip
    held = listed(Address(locale=dict.fromkeys(forms, 1.0)), EVERY, 600)
    for i, locale in enumerate(held["locale"]):
        line, whole = forms[locale]
        said = line.format(n=held["house_number"][i], s=held["street"][i])
        assert held["street_address"][i] == said
        parts = {
            "l": said,
            "c": held["city"][i],
            "p": held["postcode"][i],
            "r": held["region_code"][i],
            "g": held["region"][i],
        }
        assert held["address"][i] == whole.format(**parts)


def test_larger_cities_have_more_people() -> None:
    """Cities are drawn by their people; shares as declared at one in a million."""
    towns = listed(Address(locale="de_DE"), {"city": LABEL}, 20_000)["city"]
    people = {c.city: c.people for c in cities_of("de_DE")}
    expected = np.array(list(people.values())) / sum(people.values()) * 20_000
    assert stats.chisquare([towns.count(c) for c in people], expected).pvalue > LEVEL


def test_how_far_coordinates_are() -> None:
    """The spread of coordinates is the one declared: a quarter of its size would be seen."""
    berlin = next(c for c in cities_of("de_DE") if c.city == "Berlin")
    for spread in (0.0, 1.0, 3.0):
        given = {"town": words(*["Berlin"] * 2_000)}
        held = made(Address(locale="de_DE", spread=spread, columns={"town": "city"}), {"lat": NUMBER, "lon": NUMBER},
                    2_000, given=given)  # fmt: skip
        north = (held["lat"].to_numpy() - berlin.latitude) * 111.2
        east = (held["lon"].to_numpy() - berlin.longitude) * 111.2 * np.cos(np.radians(berlin.latitude))
        wide = spread * (0.5 + 0.08 * berlin.people**0.5)
        for off in (north, east):
            assert abs(off.mean()) < 0.01 + wide * 5 / 2_000**0.5
            assert np.std(off) == pytest.approx(wide, rel=0.1, abs=0.01)


def test_given_places_are_followed() -> None:
    """A city or country that another part made decides the rest; an unknown city is told."""
    given = {"town": words("Köln", "Graz", "Köln"), "land": words("DE", "Austria", "DEU")}
    rule = Address(columns={"town": "city", "land": "country"})
    held = listed(rule, {"postcode": TEXT, "region": LABEL, "locale": LABEL}, 3, given=given)
    assert [p[:1] for p in held["postcode"]] == ["5", "8", "5"]
    assert held["region"] == ["Nordrhein-Westfalen", "Steiermark", "Nordrhein-Westfalen"]
    assert held["locale"] == ["de_DE", "de_AT", "de_DE"]
    with pytest.raises(SampleError, match="1 rows"):
        made(Address(locale="de_DE", columns={"town": "city"}), {"postcode": TEXT}, 1, given={"town": words("Graz")})


def test_faults_are_told_before_anything_runs() -> None:
    """Wrong kinds, unique columns, unknown locales, a spread below zero."""
    assert "is of kind 'category'" in wrong(Address(), {"latitude": LABEL})[0]
    assert "too few different values" in wrong(Address(), {"city": Field(kind=TEXT, unique=True)})[0]
    assert "column 'x' has no role" in wrong(Address(), {"x": TEXT})[0]
    for settings in ({"locale": "xx_XX"}, {"spread": -1}, {"spread": float("nan")}):
        with pytest.raises(ValidationError):
            Address.model_validate(settings)


def test_roles_by_name() -> None:
    """Obvious names need no word."""
    said = {"zip": "postcode", "plz": "postcode", "town": "city", "state": "region", "lat": "latitude",
            "lng": "longitude", "billing_address": "address", "street_name": "street",
            "address_line_1": "street_address", "shipping_city": "city", "home_zip_code": "postcode"}  # fmt: skip
    assert {c: Address().role(c) for c in said} == said
