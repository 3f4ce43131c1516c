"""People who do not exist: what goes together, and that nobody is reached."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.entities_for_tests import (
    DAY,
    KEY,
    LABEL,
    LEVEL,
    NUMBER,
    TEXT,
    WHOLE,
    Columns,
    listed,
    made,
    refused,
    schema_of,
    words,
    wrong,
)  # fmt: skip

from synthwright.core.schema import Field
from synthwright.generators.person import Person
from synthwright.kit.entities.latin import latin
from synthwright.kit.entities.locales import LOCALES, country_of, language_of
from synthwright.kit.entities.people import names_of

EVERY = {
    "first_name": TEXT, "last_name": TEXT, "full_name": TEXT, "sex": LABEL, "birth_date": DAY, "age": WHOLE,
    "email": TEXT, "phone": TEXT, "username": TEXT, "title": LABEL, "locale": LABEL, "country_code": LABEL,
    "country": LABEL,
}  # fmt: skip
NAME = {"sex": LABEL, "first_name": TEXT, "last_name": TEXT, "title": LABEL, "locale": LABEL}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_makes_every_role(locale: str) -> None:
    """No locale leaves a value empty, and names fit the sex."""
    people = listed(Person(locale=locale), EVERY, 300)
    assert all(v not in (None, "") for column in people.values() for v in column)
    names = names_of(locale)
    for sex, first, title in zip(people["sex"], people["first_name"], people["title"], strict=True):
        assert first in names.first["FM".index(sex)]
        assert title in names.titles["FM".index(sex)]
    assert len(LOCALES) >= 20


@pytest.mark.parametrize("locale", ["de_DE", "en_US", "ru_RU", "pl_PL", "ja_JP", "cs_CZ", "el_GR"])
def test_addresses_are_written_from_the_name(locale: str) -> None:
    """User name and e-mail address hold the last name in English letters, or as the list romanises it."""
    people = listed(Person(locale=locale), EVERY, 400)
    names = names_of(locale)
    lasts = [dict(zip(w, p, strict=True)) for w, p in zip(names.last, names.plain_last, strict=True)]
    firsts = [dict(zip(w, p, strict=True)) for w, p in zip(names.first, names.plain_first, strict=True)]
    for i, sex in enumerate(people["sex"]):
        who = "FM".index(sex)
        first, last = firsts[who][people["first_name"][i]], lasts[who][people["last_name"][i]]
        for held in (people["email"][i].partition("@")[0], people["username"][i]):
            assert re.fullmatch(f"({first}|{first[0]})[._]?{last}[0-9]*", held)
    if locale == "de_DE":
        assert latin("Müßig", "de") == "muessig"


def test_whole_names_follow_the_language() -> None:
    """A whole name is first and last name in the order of the language."""
    for locale, form in (("de_DE", "{f} {l}"), ("hu_HU", "{l} {f}"), ("ko_KR", "{l}{f}"), ("es_ES", "{f} {l}")):
        people = listed(Person(locale=locale), EVERY, 50)
        for first, last, whole in zip(people["first_name"], people["last_name"], people["full_name"], strict=True):
            assert whole == form.format(f=first, l=last)
    assert all(" " in last for last in listed(Person(locale="es_ES"), {"last_name": TEXT}, 20)["last_name"])


def test_several_locales_have_their_shares() -> None:
    """Weights are kept (at a false-alarm rate of one in a million), and each row's columns are of one locale."""
    rule = Person(locale={"de_DE": 3, "hu_HU": 1})
    people = listed(rule, {**NAME, "full_name": TEXT, "phone": TEXT}, 4_000)
    german = listed(rule, {"locale": LABEL}, 40_000)["locale"].count("de_DE")
    assert stats.binomtest(german, 40_000, 0.75).pvalue > LEVEL
    for i, locale in enumerate(people["locale"]):
        assert people["first_name"][i] in names_of(locale).first["FM".index(people["sex"][i])]
        assert people["phone"][i].startswith("+49 " if locale == "de_DE" else "+36 ")
        assert people["full_name"][i].startswith(people["last_name" if locale == "hu_HU" else "first_name"][i])


def test_a_column_says_the_locale() -> None:
    """Locales, countries in two or three letters and their names are understood; nulls are drawn from `locale`."""
    given = {"land": words("de_DE", "FR", "ITA", "Poland", "de-CH", "CA"), "n": pa.nulls(6, pa.large_string())}
    rule = Person(locale="sv_SE", locale_from="land")
    assert listed(rule, {"locale": LABEL}, 6, given=given)["locale"] == [
        "de_DE", "fr_FR", "it_IT", "pl_PL", "de_CH", "en_CA",
    ]  # fmt: skip
    assert set(listed(Person(locale="sv_SE", columns={"n": "country"}), NAME, 6, given=given)["locale"]) == {"sv_SE"}
    with pytest.raises(Exception, match=r"land.*1 of its values"):
        made(rule, {"locale": LABEL}, 1, given={"land": words("Atlantis")})


def test_given_columns_are_followed() -> None:
    """Names follow a sex that another part made, by its name or where it is said, in whatever words."""
    sexes = {"sex": words(*["woman", "M", "f", "Mann"] * 50)}
    expected = [0, 1, 0, 1] * 50
    for rule, given in ((Person(), sexes), (Person(columns={"g": "sex"}), {"g": sexes["sex"]})):
        people = listed(rule, {"first_name": TEXT}, 200, given=given)["first_name"]
        assert all(n in names_of("en_US").first[w] for n, w in zip(people, expected, strict=True))
    own = Person(sex_labels={"female": "1", "male": "2"}, columns={"g": "sex"})
    people = listed(own, {"first_name": TEXT}, 100, given={"g": words(*["1", "2"] * 50)})["first_name"]
    assert all(n in names_of("en_US").first[i % 2] for i, n in enumerate(people))


def test_what_is_heard_of_is_made_before() -> None:
    """A part waits for the column of the table that is a sex by its name, if there is one; and for those it names."""
    one, two = schema_of({"name": TEXT, "gender": LABEL}), schema_of({"name": TEXT, "gender": LABEL, "sex": LABEL})
    assert Person().looks_at(one, "t") == ("t.gender",)
    assert Person().looks_at(two, "t") == ()
    assert Person(columns={"sex": "sex"}, locale_from="name").looks_at(two, "t") == ("t.sex", "t.name")


def test_given_names_are_written_into_addresses() -> None:
    """An e-mail address follows the names that another part made, whole or in two columns."""
    given = {"who": words("Änne Größl", "Bo Li"), "a": words("Änne", "Bo"), "b": words("Größl", "Li")}
    for columns in ({"who": "full_name"}, {"a": "first_name", "b": "last_name"}):
        rule = Person(locale="de_DE", columns=columns)
        people = listed(rule, {"email": TEXT, "username": TEXT}, 2, given=given)
        assert re.match(r"(aenne|a)[._]?groessl[0-9]*@example", people["email"][0])
        assert re.fullmatch(r"(bo|b)[._]?li[0-9]*", people["username"][1])
    whole = listed(Person(columns={"a": "first_name", "b": "last_name"}), {"full_name": TEXT}, 2, given=given)
    assert whole["full_name"] == ["Änne Größl", "Bo Li"]


def test_ages_and_birth_dates() -> None:
    """Ages are within their bounds and those of the birth dates; each age is as likely, at one in a million."""
    on = dt.date(2024, 2, 29)
    people = listed(Person(ages=(20, 29), age_shape="uniform", on=on), {"birth_date": DAY, "age": WHOLE}, 5_000)
    for born, age in zip(people["birth_date"], people["age"], strict=True):
        assert age == on.year - born.year - ((born.month, born.day) > (on.month, on.day))
    counts = np.bincount(people["age"])[20:]
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > LEVEL
    days = np.bincount([b.timetuple().tm_yday for b in people["birth_date"]], minlength=367)
    assert stats.chisquare(np.add.reduceat(days[1:366], range(0, 365, 73))).pvalue > LEVEL
    born = pa.array(people["birth_date"])
    rule = Person(on=on, columns={"d": "birth_date"})
    assert listed(rule, {"age": WHOLE}, 5_000, given={"d": born})["age"] == people["age"]


def test_the_pyramid() -> None:
    """Ages up to 60 are as likely, then fewer and fewer; shares as declared at one in a million."""
    ages = np.array(listed(Person(ages=(0, 100)), {"age": WHOLE}, 20_000)["age"])
    weights = np.clip((100 - np.arange(101)) / 40, 0, 1)
    expected = weights / weights.sum() * 20_000
    counts = np.bincount(ages, minlength=101)
    cut = [0, 20, 40, 60, 70, 80, 90]
    assert stats.chisquare(np.add.reduceat(counts, cut), np.add.reduceat(expected, cut)).pvalue > LEVEL
    assert counts[100] == 0


def test_shares_of_the_sexes() -> None:
    """Declared shares are kept at one in a million; another sex has a label of its own."""
    rule = Person(sexes={"female": 2, "male": 1, "other": 1})
    sexes = listed(rule, {"sex": LABEL, "first_name": TEXT}, 8_000)["sex"]
    assert stats.chisquare([sexes.count(s) for s in "FMX"], [4_000, 2_000, 2_000]).pvalue > LEVEL
    assert set(listed(Person(sexes={"male": 1}), {"sex": LABEL}, 200)["sex"]) == {"M"}


def test_unique_over_shards() -> None:
    """What is to be unique is so over all shards: because it is said, or because the column is."""
    rule = Person(unique=("email",), locale="ja_JP")
    fields: Columns = {"email": TEXT, "username": Field(kind=TEXT, unique=True)}
    shards = [made(rule, fields, 3_000, first=first) for first in (0, 3_000, 100_000)]
    for column in fields:
        values = [v for s in shards for v in s.column(column).to_pylist()]
        assert len(set(values)) == 9_000
    keys = [made(Person(), {"username": KEY}, 2_000, first=first).column("username") for first in (0, 2_000)]
    assert len(set(keys[0].to_pylist() + keys[1].to_pylist())) == 4_000


def test_nobody_is_reached() -> None:
    """E-mail addresses are at domains for examples; no telephone number is in use."""
    countries = {country_of(n): n for n in LOCALES}
    films = {
        "US": r"1\d{3}55501\d\d",
        "CA": r"1\d{3}55501\d\d",
        "AU": r"61[2378](5550|7010)\d{4}",
        "IE": r"3532091\d{5}",
        "GB": r"44(7700900|1632960|2079460|2896496|2920180|1\d\d4960|1914980)\d{3}",
        "FR": r"33(19900|26191|35301|46571|53649|63998)\d{4}",
        "DE": r"49(3023125|6990009|4066969|8999998|2214710)\d{3}",
        "SE": r"46(3139006|4062804|8465004|9803192)\d\d",
    }
    for country, locale in countries.items():
        people = listed(Person(locale=locale), {"email": TEXT, "phone": TEXT}, 60)
        assert all(re.search(r"@example\.(com|org|net)$", e) for e in people["email"])
        for said in people["phone"]:
            number = phonenumbers.parse(said)
            if country in films:
                assert re.fullmatch(films[country], re.sub(r"\D", "", said)), said
            else:
                assert not phonenumbers.is_valid_number(number), said
                assert len(str(number.national_number)) >= 7


def test_forms_of_telephone_numbers() -> None:
    """Numbers are written as asked."""
    forms = {"international": r"\+44 [\d ]{11,13}", "national": r"0[\d ]{11,13}", "e164": r"\+44\d{10}"}
    for form, pattern in forms.items():
        phones = listed(Person(locale="en_GB", phone_form=form), {"phone": TEXT}, 50)["phone"]
        assert all(re.fullmatch(pattern, p) for p in phones), phones[0]
    assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", listed(Person(phone_form="national"), {"phone": TEXT}, 1)["phone"][0])


def test_domains_can_be_chosen() -> None:
    """Other domains are taken where they are given."""
    emails = listed(Person(domains=("mail.test", "b.test")), {"email": TEXT}, 100)["email"]
    assert {e.partition("@")[2] for e in emails} == {"mail.test", "b.test"}


def test_roles_by_name() -> None:
    """Obvious names need no word; what they are of may stand before them."""
    said = {"e_mail": "email", "customer_name": "full_name", "GivenName": "first_name", "surname": "last_name",
            "dob": "birth_date", "gender": "sex", "mobile_phone": "phone", "user_name": "username", "mail": "email",
            "Vorname": "first_name", "user_id": "username", "salutation": "title", "home_phone": "phone"}  # fmt: skip
    assert {c: Person().role(c) for c in said} == said
    assert Person().role("colour") is None
    assert Person(columns={"colour": "title"}).role("colour") == "title"


def test_faults_are_told_before_anything_runs(tmp_path: Path) -> None:
    """No role, an unknown one, a wrong kind, a lost path, two of one role, a unique column of few values."""
    assert wrong(Person(), {"colour": TEXT})[0].startswith(
        ": column 'colour' has no role: say with: {columns: {colour: …}}; roles are username, full_name"
    )
    assert wrong(Person(columns={"x": "mail"}), {"x": TEXT}) == [
        "columns.x: 'x' cannot be 'mail': did you mean 'email'?"
    ]
    assert "is of kind 'number'" in wrong(Person(), {"dob": NUMBER})[0]
    assert "path 'sexx'" in wrong(Person(columns={"sexx": "sex"}), {"name": TEXT})[0]
    assert "cannot follow 'phone'" in wrong(Person(columns={"p": "phone"}), {"name": TEXT}, "p")[0]
    assert "both are 'email'" in wrong(Person(), {"email": TEXT, "mail": TEXT})[0]
    assert "too few different values" in wrong(Person(), {"phone": Field(kind=TEXT, unique=True)})[0]
    assert "is text" in wrong(Person(), {"username": Field(kind=KEY, type="int64")})[0]
    assert "path 'land'" in wrong(Person(locale_from="land"), {"name": TEXT})[0]
    said = refused(tmp_path, {"name": TEXT}, "person", "{locale: de_DF}")
    assert said == ["8:18: person.locale: there is no locale 'de_DF': did you mean 'de_DE'?"]
    assert refused(tmp_path, {"x": TEXT}, "person", "{columns: {x: mial}}")[0].startswith("8:23: person: 'x' cannot be")


@pytest.mark.parametrize("settings", [
    {"locale": {"de_DE": -1}}, {"locale": {}}, {"locale": {"de_DE": 0}}, {"sexes": {"female": -1, "male": 2}},
    {"sexes": {}}, {"ages": (30, 20)}, {"ages": (0, 121)}, {"sex_labels": {"female": "M"}}, {"domains": ["no domain"]},
    {"domains": []}, {"unique": ["phone"]}, {"sexes": {"woman": 1}},
])  # fmt: skip
def test_parameters_without_sense_are_refused(settings: dict[str, object]) -> None:
    """Negative or empty weights, ages in the wrong order, sexes with one label, domains that are none."""
    with pytest.raises(ValidationError):
        Person.model_validate(settings)


def test_the_same_shard_is_the_same() -> None:
    """Rows follow from seed and shard; another shard has others, and the order of weights does not matter."""
    one, two = (made(Person(locale=said), EVERY, 50) for said in ({"de_DE": 1, "fr_FR": 1}, {"fr_FR": 1, "de_DE": 1}))
    assert one.equals(two)
    assert not one.equals(made(Person(locale={"de_DE": 1, "fr_FR": 1}), EVERY, 50, seed=1))
    assert made(Person(), EVERY, 0).num_rows == 0
    assert language_of("de_DE") == "de"
