"""National numbers: check digits as python-stdnum sees them, and the reason why each is nobody's."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from stdnum import luhn
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from tests.generators.entities_for_tests import KEY, LABEL, NUMBER, TEXT, listed, made, words, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.national_number import NationalNumber
from synthwright.kit.entities.national import SYSTEMS


def _norwegian(said: str) -> bool:
    one, two = fodselsnummer.calc_check_digit1(said), fodselsnummer.calc_check_digit2(said)
    return said[9:] == one + two


CHECKS: dict[str, Callable[[str], bool]] = {
    "GB-NHS": nhs.is_valid, "FR": nir.is_valid, "ES": dni.is_valid, "IT": codicefiscale.is_valid, "NL": bsn.is_valid,
    "PL": pesel.is_valid, "FI": lambda said: hetu.is_valid(said, allow_temporary=True), "CA": luhn.is_valid,
    "IN": aadhaar.is_valid, "NO": _norwegian, "DE": lambda said: idnr.is_valid(said) or _german(said),
}  # fmt: skip


def _german(said: str) -> bool:
    """Return whether a number is one but for its beginning, which python-stdnum refuses as nobody's."""
    from stdnum.iso7064 import mod_11_10

    counts = sorted(np.bincount([int(d) for d in said[:10]]))
    return mod_11_10.is_valid(said) and counts[-1] == 2 and counts[-2] == 1


NOBODY = {
    "US": r"9\d\d-[0-4]\d-\d{4}", "GB": r"(BG|GB|KN|NK|NT|TN|ZZ) \d\d \d\d \d\d [A-D]", "GB-NHS": r"999 \d{3} \d{4}",
    "DE": r"0\d \d{3} \d{3} \d{3}", "FR": r"[12] \d\d (0[1-9]|1[0-2]) 00 \d{3} \d{3} \d\d", "ES": r"99\d{6}[A-Z]",
    "IT": r"[A-Z]{6}\d\d[A-EHLMPRST]\d\dZ999[A-Z]", "NL": r"999\d{6}", "PL": r"\d\d[67]\d\d{7}",
    "NO": r"\d\d[89]\d\d\d \d{5}", "FI": r"\d{6}[-A]9\d\d[0-9A-Y]", "CA": r"0\d\d \d{3} \d{3}",
    "IN": r"9999 \d{4} \d{4}",
}  # fmt: skip
"""What numbers of nobody look like."""


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system(name: str) -> None:
    """Numbers are valid in form and check digits, and nobody's, for a reason that is documented."""
    held = listed(NationalNumber(country=name), {"ssn": TEXT}, 1_000)["ssn"]
    assert all(re.fullmatch(NOBODY[name], said) for said in held)
    plain = listed(NationalNumber(country=name, apart=False), {"ssn": TEXT}, 1_000)["ssn"]
    assert [re.sub("[ -]", "", said) for said in held if name != "FI"] == [p for p in plain if name != "FI"]
    if name in CHECKS:
        assert all(CHECKS[name](said) for said in plain)
    assert len(set(held)) > 900
    assert SYSTEMS[name].why
    assert f"`{name}`" in (NationalNumber.__doc__ or "")


def test_births_and_sexes_are_followed() -> None:
    """Numbers that hold a date of birth and a sex have those of other columns."""
    days = [dt.date(1970, 3, 9), dt.date(2001, 12, 31), dt.date(1999, 2, 28)] * 40
    given = {"born": pa.array(days), "sex": words(*["F", "M"] * 60)}
    rules = {c: NationalNumber(country=c, columns={"born": "birth_date", "sex": "sex"}, apart=False)
             for c in ("FR", "IT", "PL", "NO", "FI")}  # fmt: skip
    held = {c: listed(rule, {"ssn": TEXT}, 120, given=given)["ssn"] for c, rule in rules.items()}
    for i, day in enumerate(days):
        man = i % 2 == 1
        assert held["FR"][i][:5] == f"{1 if man else 2}{day:%y%m}"
        assert codicefiscale.get_birth_date(held["IT"][i], minyear=1920) == day
        assert codicefiscale.get_gender(held["IT"][i]) == ("M" if man else "F")
        assert pesel.get_birth_date(held["PL"][i]) == day.replace(year=2200 + day.year % 100)
        assert pesel.get_gender(held["PL"][i]) == ("M" if man else "F")
        assert held["NO"][i][:6] == f"{day:%d}{day.month + 80}{day:%y}"
        assert int(held["NO"][i][8]) % 2 == man
        assert (held["NO"][i][6] >= "5") == (day.year >= 2000)
        assert held["FI"][i][:7] == f"{day:%d%m%y}{'A' if day.year >= 2000 else '-'}"
        assert int(held["FI"][i][9]) % 2 == man


def test_unique_over_shards() -> None:
    """Numbers of a unique column differ in all shards; more rows than there are numbers are told."""
    for country in (n for n, s in SYSTEMS.items() if not s.dated):
        rule = NationalNumber(country=country)
        shards = [made(rule, {"ssn": KEY}, 4_000, first=f).column("ssn").to_pylist() for f in (0, 4_000)]
        assert len(set(shards[0] + shards[1])) == 8_000
    with pytest.raises(SampleError, match="90,000 rows"):
        made(NationalNumber(country="NL"), {"ssn": KEY}, 5, first=90_000)


def test_indices_are_written_one_to_one() -> None:
    """Different indices give different numbers, up to the last one."""
    from synthwright.kit.entities.national import Birth

    for name, system in SYSTEMS.items():
        few = min(system.size, 40_000)
        at = np.unique(np.concatenate([np.arange(few // 2), system.size - 1 - np.arange(few // 2)]))
        born = Birth(*(np.full(len(at), v) for v in (1980, 5, 17, 1)))
        if name != "NO":  # some of whose numbers have no check digits, and give way to the next
            assert len(np.unique(system.write(at, born), axis=0)) == len(at), name


def test_a_given_country_is_followed() -> None:
    """Numbers follow a country that another part made; of two systems of a country, the one that is named."""
    given = {"land": words("US", "Germany", "fr_FR", "GB")}
    held = listed(NationalNumber(country_from="land", country={"GB-NHS": 1}), {"ssn": TEXT, "country_code": LABEL}, 4,
                  given=given)  # fmt: skip
    assert held["country_code"] == ["US", "DE", "FR", "GB"]
    for name, said in zip(("US", "DE", "FR", "GB-NHS"), held["ssn"], strict=True):
        assert re.fullmatch(NOBODY[name], said)


def test_faults_are_told_before_anything_runs() -> None:
    """Unknown systems, wrong kinds, unique numbers that hold a date of birth."""
    assert wrong(NationalNumber(country="FR"), {"ssn": Field(kind=TEXT, unique=True)})[0].startswith("country: column")
    assert "is of kind 'number'" in wrong(NationalNumber(), {"ssn": NUMBER})[0]
    assert "cannot be made as 'sex'" in wrong(NationalNumber(), {"sex": LABEL})[0]
    for settings in ({"country": "XX"}, {"country": "us"}, {"country": {"US": -1}}):
        with pytest.raises(ValidationError):
            NationalNumber.model_validate(settings)
