"""Products: what goes together, bar codes, prices."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from stdnum import ean
from tests.generators.entities_for_tests import KEY, LABEL, LEVEL, NUMBER, TEXT, WHOLE, listed, made, words, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.product import Product
from synthwright.kit.entities.goods import CATEGORIES

EVERY = {"name": TEXT, "category": LABEL, "brand": LABEL, "sku": TEXT, "ean": TEXT, "price": NUMBER}


def test_what_goes_together() -> None:
    """Names and article numbers are of the category; bar codes are valid and of the shops' own range."""
    held = listed(Product(), EVERY, 5_000)
    for name, category, sku, code in zip(held["name"], held["category"], held["sku"], held["ean"], strict=True):
        group = CATEGORIES[category]
        assert any(name == f"{k} {t}" for k in group.kinds.split("|") for t in group.things.split("|"))
        assert sku.startswith(group.code + "-")
        assert ean.is_valid(code)
        assert len(code) == 13
        assert code[0] == "2"
    assert len({c[1] for c in held["ean"]}) == 10
    brands: dict[str, set[str]] = {}
    for brand, category in zip(held["brand"], held["category"], strict=True):
        brands.setdefault(brand, set()).add(category)
    assert max(map(len, brands.values())) <= 4
    assert len({c.code for c in CATEGORIES.values()}) == len(CATEGORIES)


def test_shares_of_categories() -> None:
    """Declared shares are kept at one in a million, in whatever order they stand."""
    one, two = (Product(categories=c) for c in ({"Toys": 1, "Books": 3}, {"Books": 3, "Toys": 1}))
    held = listed(one, EVERY, 8_000)
    assert held == listed(two, EVERY, 8_000)
    assert stats.binomtest(held["category"].count("Books"), 8_000, 0.75).pvalue > LEVEL


def test_prices() -> None:
    """Prices end as asked, in the shares asked, around the category's usual price as declared, at one in a million."""
    held = np.array(listed(Product(categories={"Shoes": 1}), {"price": NUMBER}, 8_000)["price"])
    cents = np.round(held * 100).astype(int) % 100
    assert set(cents) == {99, 95}
    assert stats.binomtest(int((cents == 99).sum()), 8_000, 0.75).pvalue > LEVEL
    shoes = CATEGORIES["Shoes"]
    test = stats.kstest(np.log(np.floor(held) + 0.5), stats.norm(np.log(shoes.median), shoes.spread).cdf)
    assert test.statistic < 0.03  # within what rounding down to whole ones moves it by, and chance
    dear = np.array(
        listed(Product(categories={"Shoes": 1}, price_level=100, endings=(0,)), {"price": NUMBER}, 2_000)["price"]
    )
    assert np.median(dear) == pytest.approx(7_200, rel=0.05)
    assert (dear % 1 == 0).all()
    money = Field(kind=NUMBER, type="decimal128(10, 2)", step=0.01)
    assert all(str(p)[-2:] in ("99", "95") for p in listed(Product(), {"price": money}, 200)["price"])


def test_unique_over_shards() -> None:
    """Article numbers and bar codes of unique columns differ in all shards, as text or whole numbers."""
    columns = {"sku": Field(kind=TEXT, unique=True), "ean": Field(kind=KEY, type="int64")}
    shards = [made(Product(), columns, 4_000, first=f) for f in (0, 4_000)]
    for column in columns:
        assert len({v for s in shards for v in s.column(column).to_pylist()}) == 8_000
    assert all(ean.is_valid(str(v)) for v in shards[1].column("ean").to_pylist())
    assert all(ean.is_valid(str(v)) for v in listed(Product(), {"ean": WHOLE}, 100)["ean"])
    with pytest.raises(SampleError, match="100,000,000 rows"):
        made(Product(), {"sku": KEY}, 5, first=10**8)


def test_a_given_category_is_followed() -> None:
    """Names follow a category that another part made; others are told."""
    rule = Product(columns={"c": "category"})
    held = listed(rule, {"sku": TEXT}, 3, given={"c": words("Books", "toys", "Home")})["sku"]
    assert [s[:3] for s in held] == ["BOO", "TOY", "HOM"]
    with pytest.raises(SampleError, match="others"):
        made(rule, {"sku": TEXT}, 1, given={"c": words("Boats")})


def test_faults_are_told_before_anything_runs() -> None:
    """Unknown categories, weights without sense, wrong kinds, endings of one and more."""
    assert "is of kind 'category'" in wrong(Product(), {"price": LABEL})[0]
    assert "too few different values" in wrong(Product(), {"name": Field(kind=TEXT, unique=True)})[0]
    bad: list[dict[str, object]] = [
        {"categories": {"Boks": 1}},
        {"categories": {"Books": -1}},
        {"endings": [1.0]},
        {"endings": []},
        {"price_level": 0},
        {"categories": {}},
    ]
    for settings in bad:
        with pytest.raises(ValidationError):
            Product.model_validate(settings)
    said = {"product_name": "name", "title": "name", "article_number": "sku", "barcode": "ean", "unit_price": "price"}
    assert {c: Product().role(c) for c in said} == said
