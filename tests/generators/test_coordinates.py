"""Points within countries."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.entities_for_tests import LABEL, LEVEL, NUMBER, TEXT, listed, made, words, wrong

from synthwright.generators.coordinates import Coordinates
from synthwright.kit.entities.locales import COUNTRIES
from synthwright.kit.entities.outlines import boxes
from synthwright.kit.entities.places import cities_in

POINT = {"latitude": NUMBER, "longitude": NUMBER}


@pytest.mark.parametrize("country", COUNTRIES)
def test_points_are_within_countries(country: str) -> None:
    """Even points are in the boxes of the country, others near its cities; boxes are where the cities are."""
    even = made(Coordinates(country=country, where="even"), POINT, 500)
    north, east = (even[c].to_numpy() for c in POINT)
    inside = [
        (s - 1e-5 <= north) & (north <= n + 1e-5) & (w - 1e-5 <= east) & (east <= e + 1e-5)
        for s, w, n, e in boxes(country)
    ]
    assert np.any(inside, axis=0).all()
    near = made(Coordinates(country=country), POINT, 500)
    north, east = (near[c].to_numpy() for c in POINT)
    away = [111.2 * np.hypot(c.latitude - north, (c.longitude - east) * np.cos(np.radians(c.latitude)))
            / (0.5 + 0.08 * c.people**0.5) for c in cities_in(country)]  # fmt: skip
    assert np.min(away, axis=0).max() < 6
    south, west, top, right = (f(boxes(country)[:, i]) for i, f in enumerate((np.min, np.min, np.max, np.max)))
    middle = np.array([[c.latitude, c.longitude] for c in cities_in(country)])
    assert (middle.max(axis=0) + 6 > (top, right)).all() or country in ("RU", "CN", "CA", "AU", "BR")
    assert (middle.min(axis=0) - 6 < (south, west)).all() or country in ("RU", "CN", "CA", "AU", "BR", "AR")


def test_even_is_even() -> None:
    """Points are as dense everywhere: equal areas of a box have as many, at one in a million."""
    held = made(Coordinates(country="LV", where="even"), POINT, 8_000)  # one box
    ((south, west, north, east),) = boxes("LV")
    cut = np.degrees(np.arcsin(np.mean(np.sin(np.radians([south, north])))))
    table = np.histogram2d(held["latitude"].to_numpy(), held["longitude"].to_numpy(),
                           bins=[[south - 1, cut, north + 1], np.linspace(west, east + 1e-9, 5)])[0]  # fmt: skip
    assert stats.chisquare(table.ravel()).pvalue > LEVEL

    held = made(Coordinates(country="PL", where="even"), POINT, 8_000)  # two boxes, side by side
    sizes = [(np.sin(np.radians(n)) - np.sin(np.radians(s))) * (e - w) for s, w, n, e in boxes("PL")]
    east_of = int((held["longitude"].to_numpy() >= boxes("PL")[0, 1]).sum())
    assert stats.binomtest(east_of, 8_000, sizes[0] / sum(sizes)).pvalue > LEVEL


def test_what_goes_together() -> None:
    """The point as text is the row's latitude and longitude; countries have their shares."""
    columns = {**POINT, "location": TEXT, "country_code": LABEL, "country": LABEL}
    held = listed(Coordinates(country={"DE": 1, "BR": 1}), columns, 2_000)
    for north, east, said, code, name in zip(*held.values(), strict=True):
        assert said == f"{north}, {east}"
        assert (code == "DE") == (north > 40)
        assert name == COUNTRIES[code][1]
    assert stats.binomtest(held["country_code"].count("DE"), 2_000, 0.5).pvalue > LEVEL


def test_a_given_country_is_followed() -> None:
    """Points follow a country that another part made."""
    given = {"land": words("DE", "Australia", "BRA", "ja_JP")}
    held = listed(Coordinates(columns={"land": "country"}, where="even"), POINT, 4, given=given)
    for north, east, country in zip(*held.values(), ["DE", "AU", "BR", "JP"], strict=True):
        low, left, high, right = (
            np.min(boxes(country), axis=0)[:2].tolist() + np.max(boxes(country), axis=0)[2:].tolist()
        )
        assert low <= north <= high
        assert left <= east <= right


def test_faults_are_told_before_anything_runs() -> None:
    """Unknown countries, wrong kinds, paths that lead nowhere."""
    assert "is of kind 'category'" in wrong(Coordinates(), {"lat": LABEL})[0]
    assert "path 'land'" in wrong(Coordinates(country_from="land"), {"lat": NUMBER})[0]
    for settings in ({"country": "XX"}, {"country": {"DE": -1}}, {"spread": -1}, {"where": "sea"}):
        with pytest.raises(ValidationError):
            Coordinates.model_validate(settings)
