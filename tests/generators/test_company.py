"""Companies that do not exist: what goes together, and that nobody is reached."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError
from scipy import stats
from stdnum import get_cc_module
from stdnum.us import ein
from tests.generators.entities_for_tests import KEY, LABEL, LEVEL, NUMBER, TEXT, listed, made, words, wrong

from synthwright.core.schema import Field
from synthwright.generators.company import Company
from synthwright.kit.entities.firms import SECTORS, tax_numbers
from synthwright.kit.entities.locales import COUNTRIES, LOCALES, country_of

EVERY = {"name": TEXT, "legal_form": LABEL, "sector": LABEL, "domain": TEXT, "email": TEXT, "website": TEXT,
         "tax_number": TEXT, "country": LABEL, "country_code": LABEL, "locale": LABEL}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_makes_every_role(locale: str) -> None:
    """No locale leaves a value empty; form, domain, e-mail and web site are those of the name."""
    held = listed(Company(locale=locale), EVERY, 200)
    assert all(v not in (None, "") for column in held.values() for v in column)
    for name, form, domain, email, site in zip(
        *(held[c] for c in list(EVERY)[:2]), *(held[c] for c in list(EVERY)[3:6]), strict=True
    ):
        assert form in name
        assert name != form
        assert re.fullmatch(r"[a-z]+(-[a-z]+)?\.example", domain), domain
        assert email.partition("@")[2] == domain
        assert site == f"https://www.{domain}"
    assert set(held["country_code"]) == {country_of(locale)}


def test_names_are_written_into_domains() -> None:
    """A domain holds the first family name of the company."""
    held = listed(Company(locale="de_DE"), EVERY, 300)
    for name, domain in zip(held["name"], held["domain"], strict=True):
        plain = name.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
        assert re.sub("[^a-z]", "", plain).startswith(re.split(r"[-.]", domain)[0])


def test_words_are_of_the_trade() -> None:
    """A word of a trade is only in names of that trade."""
    held = listed(Company(locale="en_US"), EVERY, 3_000)
    assert {s for n, s in zip(held["name"], held["sector"], strict=True) if " Logistics " in n} == {"Transport"}
    assert {s for n, s in zip(held["name"], held["sector"], strict=True) if " Catering " in n} == {"Hospitality"}


def test_shares_of_sectors() -> None:
    """Declared shares are kept at one in a million; a given sector is followed."""
    held = listed(Company(sectors={"Retail": 3, "Energy": 1}), {"sector": LABEL}, 8_000)["sector"]
    assert stats.binomtest(held.count("Retail"), 8_000, 0.75).pvalue > LEVEL
    given = {"trade": words(*["Energy"] * 400)}
    names = listed(Company(columns={"trade": "sector"}), {"name": TEXT}, 400, given=given)["name"]
    words_of = [w for n in names for w in re.findall(r" (Energy|Solar|Power|Catering|Data|Care) ", n)]
    assert set(words_of) == {"Energy", "Solar", "Power"}


@pytest.mark.parametrize("country", COUNTRIES)
def test_tax_numbers_are_nobodys(country: str) -> None:
    """Tax numbers have one form, and none passes the country's check where there is a check digit."""
    pool = tax_numbers(country)
    assert len(pool) == 1_000
    assert len({re.sub("[A-Z]", "A", re.sub(r"\d", "0", p)) for p in pool}) == 1
    vat = get_cc_module(country.lower(), "vat")
    if vat is not None and country not in ("IS", "KE"):  # which have no check digit
        assert not any(vat.is_valid(p) for p in pool)
    if country == "US":
        assert not any(ein.is_valid(p) for p in pool)


def test_unique_over_shards() -> None:
    """Domains, e-mails and web sites of unique columns differ in all shards."""
    columns = {"domain": KEY, "email": KEY, "website": KEY}
    shards = [made(Company(locale="ja_JP"), columns, 3_000, first=f) for f in (0, 3_000)]
    for column in columns:
        assert len({v for s in shards for v in s.column(column).to_pylist()}) == 6_000


def test_several_locales() -> None:
    """Each row's name, form and tax number are of its own country."""
    held = listed(Company(locale={"de_DE": 1, "fr_FR": 1}), EVERY, 2_000)
    for code, form, tax in zip(held["country_code"], held["legal_form"], held["tax_number"], strict=True):
        assert tax.startswith(code)
        assert (form in ("SARL", "SAS", "SA", "SNC")) == (code == "FR")


def test_faults_are_told_before_anything_runs() -> None:
    """Unknown sectors and locales, weights without sense, unique columns that cannot be."""
    assert "is of kind 'number'" in wrong(Company(), {"name": NUMBER})[0]
    assert "too few different values" in wrong(Company(), {"name": Field(kind=TEXT, unique=True)})[0]
    bad: list[dict[str, object]] = [
        {"sectors": {"Retial": 1}},
        {"sectors": {"Retail": -1}},
        {"sectors": {}},
        {"locale": "de"},
    ]
    for settings in bad:
        with pytest.raises(ValidationError):
            Company.model_validate(settings)
    with pytest.raises(ValidationError, match="did you mean 'Retail'"):
        Company.model_validate({"sectors": {"Retial": 1}})
    said = {"supplier_name": "name", "employer": "name", "industry": "sector", "vat_id": "tax_number", "url": "website"}
    assert {c: Company().role(c) for c in said} == said
    assert len(SECTORS) == 14
