"""Personal data made anew: it looks right and belongs to nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_address

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest
from stdnum import iban, luhn

from synthwright.core.numbering import systems
from synthwright.core.personal import MARKS
from synthwright.kit.entities.fakes import Fake, Options, marks
from synthwright.kit.entities.fakes_words import words_of
from synthwright.kit.sampling.dice import Dice, identities, permuted, secret

ROWS = 3_000
RNG = np.random.default_rng(4)


def _digits(spelled: str, rows: int = 40) -> list[str]:
    return [re.sub("#", lambda _: str(RNG.integers(0, 10)), spelled) for _ in range(rows)]


def _made(mark: str, real: list[str], *, unique: bool = False, locale: str = "en_US", rows: int = ROWS) -> list[str]:
    """Return what is made after these values, having checked that none of them is kept or given back."""
    values = pa.array(sorted(set(real)), pa.large_string())
    fake = Fake.of(mark, values, np.ones(len(values), dtype=np.int64), Options(locale, 3, unique, 99))
    said = json.dumps(fake.to_json())
    assert not any(r in said for r in real if len(r) > 4)
    fake = Fake.of_json(json.loads(said))
    numbers = np.arange(rows)
    made = fake.make(numbers, Dice(numbers.astype(np.uint64), 5)).tolist()
    assert len(made) == rows
    if mark not in ("name", "first-name", "last-name"):  # names are everybody's
        assert not set(made) & set(real)
    if unique:
        assert len(set(made)) == rows
    return [str(m) for m in made]


def test_every_mark_can_be_made() -> None:
    """There is a maker for every mark that is recognised, also where nothing was seen."""
    assert set(marks()) == set(MARKS)
    for mark in marks():
        assert all(_made(mark, [], rows=20))


@pytest.mark.parametrize(("spelled", "layout"), [
    ("(###) ###-####", r"\([2-9]\d\d\) 555-01\d\d"), ("##########", r"[2-9]\d\d55501\d\d"),
    ("+1-###-###-####", r"\+1-[2-9]\d\d-555-01\d\d"), ("###.###.#### x####", r"[2-9]\d\d\.555\.01\d\d x\d{4}"),
    ("+44 #### ######", r"\+44 (7700 900|1632 960)\d{3}"),
    ("0044 20 #### ####", r"0044 (20 7946 0|28 9649 6|29 2018 0)\d{3}"),
    ("+61 2 #### ####", r"\+61 [2378] (5550|7010) \d{4}"), ("+33 # ## ## ## ##", r"\+33 \d \d\d \d\d \d\d \d\d"),
    ("0171 #######", r"0\d{3} \d{7}"), ("+49 (0)30 ########", r"\+49 \(0\)\d\d \d{8}"),
])  # fmt: skip
def test_phones(spelled: str, layout: str) -> None:
    """Telephone numbers are spelled as before, from ranges that belong to nobody."""
    real = [re.sub("#", lambda _: str(RNG.integers(2, 10)), spelled) for _ in range(60)]
    assert all(re.fullmatch(layout, m) for m in _made("phone", real))


@pytest.mark.parametrize(("spelled", "region"), [
    ("+49 30 #######", "DE"), ("+4915#########", "DE"), ("+391#########", "IT"), ("+91-98########", "IN"),
    ("0086 138########", "CN"), ("+254 7########", "KE"), ("+7 9## ### ## ##", "RU"), ("4478########", "GB"),
])  # fmt: skip
def test_phones_stay_in_their_country_and_reach_nobody(spelled: str, region: str) -> None:
    """Numbers keep the code of their country and their length; no one of that country has them."""
    made = _made("phone", _digits(spelled))
    code = phonenumbers.country_code_for_region(region)
    for one in {m.replace("00", "+", 1) if m.startswith("00") else "+" + m.lstrip("+") for m in made}:
        number = phonenumbers.parse(one)
        assert number.country_code == code
        assert phonenumbers.is_possible_number(number)
        assert region == "GB" or not phonenumbers.is_valid_number(number)
    assert len(set(made)) > 200


@pytest.mark.parametrize(
    "spelled",
    ["+44 #### ######", "(###) ###-####", "+1-###-###-#### x##", "###-####", "+353 ## ### ####", "0171 #######"],
)
def test_unique_phones_are_all_different(spelled: str) -> None:
    """No number comes twice, also where fewer than there are rows are kept for films; none is of anybody."""
    real = [re.sub("#", lambda _: str(RNG.integers(2, 10)), spelled) for _ in range(60)]
    made = _made("phone", real, unique=True, rows=6_000)
    assert {re.sub("[0-9]", "#", m) for m in made} == {re.sub("[0-9]", "#", spelled)}
    region = "US" if spelled[0] == "(" else None
    if spelled[0] in "+(" and "44" not in spelled:
        assert not any(phonenumbers.is_valid_number(phonenumbers.parse(m, region)) for m in made[4_200:4_400])


def test_phones_of_several_countries_keep_their_shares() -> None:
    """As many numbers are of each country as were; one that too few rows have is not made."""
    real = [*_digits("+44 7911 ######", 60), *_digits("+1 212 #######", 20), *_digits("+49 30 #######", 2)]
    made = _made("phone", real)
    assert sum(m.startswith("+44 ") for m in made) / ROWS == pytest.approx(0.75, abs=0.05)
    assert {m.split()[0] for m in made} == {"+44", "+1"}


def test_phones_are_possible() -> None:
    """American numbers are possible numbers for who checks them."""
    some = _made("phone", _digits("(2##) 3##-####"))[:200]
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(m, "US")) for m in some)


@pytest.mark.parametrize(
    "spelled", ["################", "#### #### #### ####", "###############", "####-####-####-####"]
)
def test_cards(spelled: str) -> None:
    """Card numbers have their check digit, their grouping, and a beginning that is kept for tests."""
    made = _made("card", _digits(spelled), unique=True)
    assert all(re.fullmatch(spelled.replace("#", r"\d"), m) for m in made)
    bare = [re.sub(r"\D", "", m) for m in made]
    assert all(luhn.is_valid(b) for b in bare)
    assert all(b.startswith(("400000", "378282")) for b in bare)


@pytest.mark.parametrize("country", ["DE", "GB", "NL", "AT", "CH", "SE", "DK", "IE", "FR"])
def test_ibans(country: str) -> None:
    """Account numbers have valid check digits and the length of their country, at banks that do not exist."""
    made = _made("iban", [f"{country}{i:02} 1234 5678" for i in range(10, 60)], unique=True)
    assert all(iban.is_valid(m) for m in made)
    assert all(" " in m for m in made)
    assert {m[:2] for m in made} == {country if country != "FR" else "DE"}


def test_network_addresses() -> None:
    """Network addresses are of documentation or private, in the forms and shares that were seen."""
    made = _made("ip", [f"8.8.{i}.{j}" for i in range(10) for j in range(10)] + [f"2a00::{i:x}" for i in range(100)])
    assert not any(ip_address(m).is_global for m in made)
    assert np.mean([":" in m for m in made]) == pytest.approx(0.5, abs=0.05)
    assert not any(ip_address(m).is_global for m in _made("ip", [f"8.8.8.{i}" for i in range(99)], unique=True))


def test_american_security_numbers() -> None:
    """Social security numbers begin with 9, which is never issued."""
    assert all(
        re.fullmatch(r"9\d\d-[0-4]\d-\d{4}", m) for m in _made("national-number", _digits("###-##-####"), unique=True)
    )


@pytest.mark.parametrize("system", ["Polish personal numbers", "Brazilian tax numbers", "Spanish identity cards"])
def test_national_numbers(system: str) -> None:
    """National numbers whose system is recognised have its layout and check digits."""
    from synthwright.kit.entities.fakes_numbers import national

    valid: Callable[[str], bool] = systems()[system].is_valid
    pool = national(np.arange(2_500), system, None, Dice(np.arange(2_500, dtype=np.uint64), 1), unique=True)
    real, others = pool[2_000:].tolist(), set(pool[:2_000].tolist())
    values = pa.array(sorted(real), pa.large_string())
    fake = Fake.of("national-number", values, np.ones(len(values), dtype=np.int64), Options("en_US", 3, False, 1))
    assert fake.look["system"] == system
    made = fake.make(np.arange(300), Dice(np.arange(300, dtype=np.uint64), 2)).tolist()
    assert all(valid(m) for m in made)
    assert len(others) == 2_000


def test_passports() -> None:
    """Other identity numbers keep their layout."""
    made = _made("national-number", _digits("C########", 200), unique=True)
    assert all(re.fullmatch(r"C\d{8}", m) for m in made)


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "ar_AA"])
def test_words_of_a_locale(locale: str) -> None:
    """Names, addresses and addresses on the net are made in any script, the latter in plain letters."""
    assert all(len(w) > 10 for w in words_of(locale)[:7])
    mails = _made("email", [f"a{i}@gmail.com" for i in range(50)], unique=True, locale=locale, rows=300)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*@example\.(org|com|net)", m) for m in mails)
    assert len(set(_made("name", [f"Otto Normal{i}" for i in range(50)], unique=True, locale=locale, rows=300))) == 300


def test_names_as_they_were_written() -> None:
    """The order and the letters of names are those of the column."""
    made = _made("name", [f"MÜLLER-{chr(65 + i)}, ANNA" for i in range(26)])
    assert all(re.fullmatch(r"[^,]+, [^,]+", m) and m.isupper() for m in made)


def test_addresses_as_they_were_written() -> None:
    """House numbers stand where they stood, and towns are there where they were."""
    assert all(re.fullmatch(r"\d+ \D+", m) for m in _made("address", [f"{i} High Street" for i in range(1, 60)]))
    after = _made("address", [f"Hauptstraße {i}, 10115 Berlin" for i in range(1, 60)], locale="de_DE")
    assert all(re.fullmatch(r"\D+ \d+, \d+ .+", m) for m in after)


def test_dice_belong_to_rows() -> None:
    """What a row rolls follows from its identity and the key: not from which rows are rolled with it."""
    whole = Dice(np.arange(100, dtype=np.uint64), 7)
    part = Dice(np.arange(50, 100, dtype=np.uint64), 7)
    assert (whole.uniform()[50:] == part.uniform()).all()
    assert (whole.words()[50:] == part.words()).all()
    assert not (whole.words() == Dice(np.arange(100, dtype=np.uint64), 8).words()).any()
    rolls = Dice(np.arange(100_000, dtype=np.uint64), 1)
    one, two = rolls.uniform(), rolls.uniform()
    assert one.mean() == pytest.approx(0.5, abs=0.005)
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.01


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1_000, 65_537])
def test_permuted_is_one_to_one(size: int) -> None:
    """Every number has a place of its own, and the key decides which."""
    places = permuted(np.arange(size), size, secret("a"))
    assert sorted(places.tolist()) == list(range(size))
    if size > 100:
        assert not (places == permuted(np.arange(size), size, secret("b"))).all()


def test_identities_need_the_key() -> None:
    """Equal values have equal identities under one key, and unrelated ones under another."""
    one, again, other = (identities([b"x", b"y"], key) for key in (1, 1, 2))
    assert (one == again).all()
    assert not (one == other).any()
