"""Payment cards: check digits, test ranges, what goes together."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from pydantic import ValidationError
from scipy import stats
from stdnum import luhn
from tests.generators.entities_for_tests import DAY, KEY, LABEL, LEVEL, TEXT, listed, made, words, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.card import SCHEMES, Card

EVERY = {"number": TEXT, "scheme": LABEL, "expiry": TEXT, "cvv": TEXT, "masked": TEXT, "last_four": TEXT}


@pytest.mark.parametrize("grouped", [False, True])
def test_what_goes_together(*, grouped: bool) -> None:
    """Numbers have scheme, length and check digit; the other columns are of the same card."""
    rule = Card(schemes=dict.fromkeys(SCHEMES, 1.0), grouped=grouped)
    held = listed(rule, EVERY, 3_000)
    labels = {s.label: s for s in SCHEMES.values()}
    assert set(held["scheme"]) == set(labels)
    for number, scheme, cvv, masked, last in zip(
        held["number"], held["scheme"], held["cvv"], held["masked"], held["last_four"], strict=True
    ):
        bare = number.replace(" ", "")
        assert luhn.is_valid(bare)
        assert bare.startswith(labels[scheme].begin)
        assert len(bare) == len(labels[scheme].template)
        assert (" " in number) == grouped
        assert len(cvv) == labels[scheme].code
        assert masked == "*" * (len(bare) - 4) + last
        assert bare.endswith(last)


def test_numbers_are_of_test_ranges_only() -> None:
    """Each beginning is that of a number that is published for tests."""
    published = ("4000000000000002", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904",
                 "3530111333300000", "6200000000000005")  # fmt: skip
    assert all(any(p.startswith(s.begin) for p in published) for s in SCHEMES.values())


def test_shares_of_schemes() -> None:
    """Declared shares are kept at one in a million."""
    held = listed(Card(), {"scheme": LABEL}, 10_000)["scheme"]
    counts = [held.count(SCHEMES[n].label) for n in ("visa", "mastercard", "amex")]
    assert stats.chisquare(counts, [5_500, 3_500, 1_000]).pvalue > LEVEL


def test_expiry() -> None:
    """Cards expire within five years: as months in text, as the last day of the month in dates."""
    on = dt.date(2024, 11, 5)
    texts, days = (listed(Card(on=on), {"expiry": kind}, 2_000)["expiry"] for kind in (TEXT, DAY))
    assert min(days) == dt.date(2024, 12, 31)
    assert max(days) == dt.date(2029, 11, 30)
    assert [d.strftime("%m/%y") for d in days] == texts
    assert len(set(texts)) == 60


def test_unique_over_shards() -> None:
    """Numbers of a unique column differ in all shards, as text or as whole numbers; too many rows are told."""
    rule = Card(schemes={"visa": 1, "diners": 1, "amex": 1})
    for field in (Field(kind=KEY), Field(kind=KEY, type="int64")):
        shards = [made(rule, {"number": field}, 3_000, first=f).column("number").to_pylist() for f in (0, 3_000)]
        assert len(set(shards[0] + shards[1])) == 6_000
    with pytest.raises(SampleError, match="10,000,000 rows"):
        made(rule, {"number": KEY}, 5, first=10**7)


def test_a_given_scheme_is_followed() -> None:
    """Numbers follow a scheme that another part made, by its name or label; others are told."""
    given = {"brand": words("Visa", "amex", "American Express", "JCB")}
    held = listed(Card(columns={"brand": "scheme"}), {"number": TEXT}, 4, given=given)["number"]
    assert [n[:4] for n in held] == ["4000", "3782", "3782", "3530"]
    with pytest.raises(SampleError, match="others"):
        made(Card(columns={"brand": "scheme"}), {"number": TEXT}, 1, given={"brand": words("Visum")})


def test_faults_are_told_before_anything_runs() -> None:
    """Unknown schemes, weights without sense, unique columns that cannot be."""
    assert "too few different values" in wrong(Card(), {"cvv": Field(kind=TEXT, unique=True)})[0]
    bad: list[dict[str, object]] = [
        {"schemes": {"visum": 1}},
        {"schemes": {"visa": -1}},
        {"schemes": {}},
        {"schemes": {"visa": 0}},
    ]
    for settings in bad:
        with pytest.raises(ValidationError):
            Card.model_validate(settings)
    said = {"card_number": "number", "pan": "number", "brand": "scheme", "valid_until": "expiry", "CVC": "cvv"}
    assert {c: Card().role(c) for c in said} == said
    assert all(re.fullmatch(r"\d{6}", s.begin) for s in SCHEMES.values())
