"""References lead somewhere, as often to each parent as was asked, and what makes no sense is told beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy.stats import chisquare

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ROW, Schema
from synthwright.generators.reference import Reference
from synthwright.testing import check_generator

LEVEL = 1e-6
"""The false-alarm rate of each test of shares; seeds are fixed."""
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "shop": {"key": "id", "fields": {"id": KEY, "size": {"kind": "number"}}},
    "sale": {"fields": {"shop": {"kind": "reference", "to": "shop.id", "type": "int64"},
                        "back": {"kind": "reference", "to": "shop.id", "type": "int64"}}},
    "staff": {"key": "id", "fields": {"id": KEY, "boss": {"kind": "reference", "to": "staff.id", "type": "int64"}}},
}})  # fmt: skip


def drawn(rows: int, many: int = 20, *, seed: int = 0, first: int = 0, **how: Any) -> np.ndarray:
    """Return which shop each sale points to, by its place among the shops, -1 where it leads nowhere."""
    keys = 1000 - 7 * np.arange(many)
    begun = Dataset.blank(SCHEMA, {"sale": rows}, {"sale": first})
    shops = pa.table({"id": pa.array(keys), "size": pa.array(np.arange(many, dtype=np.float64))})
    given = Dataset(SCHEMA, {**begun.tables, "shop": shops})
    part = Part(("sale.shop",), ("shop.size",))
    model = Reference.model_validate(how).fit(Dataset.empty(SCHEMA), part, Context(seed=seed))
    made = model.sample(given, Context(seed=seed).at("shard", first)).data.tables["sale"]
    assert ROW in made.column_names
    places: Mapping[int, int] = {int(k): i for i, k in enumerate(keys)}
    return np.array([places.get(k, -1) for k in made.column("shop").to_pylist()])


def test_contract() -> None:
    """All that holds for every generator holds."""
    check_generator(Reference)


def test_uniform() -> None:
    """Every parent is pointed to alike often, and nothing leads nowhere."""
    counts = np.bincount(drawn(40_000), minlength=20)
    assert counts.sum() == 40_000
    assert chisquare(counts).pvalue > LEVEL


def test_zipf_gives_ranks_their_shares_and_deals_ranks_once_for_a_run() -> None:
    """The counts in falling order are the harmonic shares, and another shard has the same favourites."""
    one, two = drawn(40_000, degrees="zipf", exponent=1.2), drawn(40_000, first=65_536, degrees="zipf", exponent=1.2)
    weights = np.arange(1, 21) ** -1.2
    counts = np.bincount(one, minlength=20)
    order = np.argsort(-np.bincount(np.concatenate([one, two]), minlength=20))
    assert chisquare(counts[order], weights / weights.sum() * 40_000).pvalue > LEVEL
    assert not (one == two).all()
    assert order[0] == np.argmax(counts)
    other = np.bincount(drawn(40_000, seed=1, degrees="zipf", exponent=1.2), minlength=20)
    assert not (np.argsort(-other) == order).all()


def test_weight_is_a_formula_of_the_parents() -> None:
    """A parent of weight 0 has no child, the others as many as their weights say."""
    counts = np.bincount(drawn(40_000, weight="size * 2"), minlength=20)
    assert counts[0] == 0
    assert chisquare(counts[1:], np.arange(1, 20) / 190 * 40_000).pvalue > LEVEL


def test_once_is_a_permutation_over_shards() -> None:
    """Two shards together point to every parent once; one row more is refused."""
    both = np.concatenate([drawn(12, degrees="once"), drawn(8, first=12, degrees="once")])
    assert sorted(both) == list(range(20))
    assert both.tolist() != list(range(20))
    with pytest.raises(SampleError, match=r"once|a row of 'shop' for each row"):
        drawn(9, first=12, degrees="once")


def test_what_makes_no_sense_is_told() -> None:
    """No parents, no weight above 0, a weight where none is asked, a path that leads nowhere, the own table."""
    with pytest.raises(SampleError, match="rows of 'shop' to point to"):
        drawn(5, many=0)
    with pytest.raises(SampleError, match="a weight above 0"):
        drawn(5, weight="0 - size")
    with pytest.raises(ValidationError, match="not both"):
        Reference(weight=2.0, degrees="zipf")
    wrong = Reference(weight="sise").misused(SCHEMA, "sale", ("shop",))
    assert wrong[0][0] == ("weight",)
    assert "did you mean 'size'" in wrong[0][1]
    assert "its own table" in Reference().misused(SCHEMA, "staff", ("boss",))[0][1]
    assert Reference(weight="size").looks_at(SCHEMA, "sale") == ("shop.size",)
