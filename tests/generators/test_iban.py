"""Bank accounts: check digits, and banks that do not exist."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError
from scipy import stats
from stdnum import iban
from stdnum.be.iban import to_bic
from stdnum.cz import bankaccount
from stdnum.es import ccc
from stdnum.no import kontonr
from tests.generators.entities_for_tests import KEY, LABEL, LEVEL, NUMBER, TEXT, listed, made, words, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.iban import Iban
from synthwright.kit.entities.accounts import SCHEMES

EVERY = {"iban": TEXT, "bban": TEXT, "bic": LABEL, "country_code": LABEL, "country": LABEL}


@pytest.mark.parametrize("country", SCHEMES)
def test_every_country(country: str) -> None:
    """Numbers are valid as python-stdnum sees it, name no bank, and go with the other columns."""
    held = listed(Iban(country=country), EVERY, 300)
    assert all(v not in (None, "") for column in held.values() for v in column)
    assert re.match(r"TEST|ZZ|\??99999|9|00", SCHEMES[country].form)
    fixed = re.escape(SCHEMES[country].form).replace(r"\#", r"\d").replace(r"\?", "[0-9A-Z]")
    for number, inside, bic in zip(held["iban"], held["bban"], held["bic"], strict=True):
        assert iban.is_valid(number), number
        assert re.fullmatch(f"{country}[0-9][0-9]{fixed}", number)
        assert number[4:] == inside
        assert bic == f"TEST{country}X0"
    assert len(set(held["iban"])) > 290


def test_check_digits_inside() -> None:
    """Check digits that a country has inside its numbers are right: as python-stdnum, or as its own rule, sees them."""
    inside = {c: listed(Iban(country=c), {"bban": TEXT}, 500)["bban"] for c in SCHEMES}
    assert all(ccc.is_valid(b) for b in inside["ES"])
    assert all(kontonr.is_valid(b) for b in inside["NO"])
    assert all(bankaccount.validate(f"{b[4:10]}-{b[10:]}/0100") for b in inside["CZ"] + inside["SK"])
    assert all(int(b[:10]) % 97 == (int(b[10:]) % 97) for b in inside["BE"])
    assert all(to_bic("BE00" + b) is None for b in inside["BE"])
    assert all((89 * int(b[:5]) + 15 * int(b[5:10]) + 3 * int(b[10:21]) + int(b[21:])) % 97 == 0 for b in inside["FR"])
    assert all(int(b) % 97 == 1 for c in ("PT", "SI") for b in inside[c])
    weights = (3, 9, 7, 1, 3, 9, 7, 1)
    assert all(sum(w * int(d) for w, d in zip(weights, b, strict=False)) % 10 == 0 for b in inside["PL"])


def test_shares_of_countries() -> None:
    """Declared shares are kept at one in a million; numbers stand in groups where it is asked."""
    held = listed(Iban(country={"DE": 3, "NL": 1}, grouped=True), {"iban": TEXT, "country_code": LABEL}, 8_000)
    assert stats.binomtest(held["country_code"].count("DE"), 8_000, 0.75).pvalue > LEVEL
    for number, country in zip(held["iban"], held["country_code"], strict=True):
        assert number.startswith(country)
        assert iban.is_valid(number)
        assert all(len(g) == 4 for g in number.split(" ")[:-1])


def test_unique_over_shards() -> None:
    """Accounts of a unique column differ in all shards; more rows than a country has accounts are told."""
    rule = Iban(country=dict.fromkeys(SCHEMES, 1.0))
    shards = [made(rule, {"iban": KEY}, 4_000, first=f).column("iban").to_pylist() for f in (0, 4_000)]
    assert len(set(shards[0] + shards[1])) == 8_000
    with pytest.raises(SampleError, match="1,000,000 rows"):
        made(Iban(country="NO"), {"iban": KEY}, 5, first=10**6)


def test_a_given_country_is_followed() -> None:
    """Numbers follow a country that another part made."""
    given = {"land": words("DE", "France", "nl_NL"), "none": words("KE", "KE", "KE")}
    for rule in (Iban(columns={"land": "country"}), Iban(country_from="land")):
        assert [n[:2] for n in listed(rule, {"iban": TEXT}, 3, given=given)["iban"]] == ["DE", "FR", "NL"]
    with pytest.raises(SampleError, match="1 of its values"):
        made(Iban(country_from="none"), {"iban": TEXT}, 3, given=given)


def test_faults_are_told_before_anything_runs() -> None:
    """Countries without such accounts, wrong kinds, unique columns that cannot be."""
    assert "is of kind 'number'" in wrong(Iban(), {"iban": NUMBER})[0]
    assert "too few different values" in wrong(Iban(), {"bic": Field(kind=TEXT, unique=True)})[0]
    bad: list[dict[str, object]] = [
        {"country": "US"},
        {"country": {"DE": -1}},
        {"country": {}},
    ]
    for settings in bad:
        with pytest.raises(ValidationError):
            Iban.model_validate(settings)
    said = {"account": "iban", "customer_iban": "iban", "swift_code": "bic"}
    assert {c: Iban().role(c) for c in said} == said
