"""Holding rows out: stratified, by entity, by date, and children with their parents."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.part_order import parents_first
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import Holdout
from synthwright.kit.holdout import split

CTX = Context(seed=1)


def _one(**columns: pa.Array) -> Dataset:
    return Dataset.of({"t": pa.table(columns)})


def _labels(data: Dataset | None, column: str) -> list[Any]:
    assert data is not None
    return list(data.column(column).to_pylist())


def test_a_share_keeps_the_targets_proportions() -> None:
    """A rare class has the same share on both sides, give or take the one row that chance decides."""
    y = pa.array(["rare"] * 50 + ["common"] * 950)
    data = _one(x=pa.array(np.arange(1000.0) / 7), y=y)
    train, rest, notes = split(data, Holdout(share=0.2), "t.y", CTX, 10)
    assert _labels(rest, "t.y").count("rare") == 10
    assert _labels(train, "t.y").count("rare") == 40
    assert not notes


def test_every_row_is_on_one_side() -> None:
    """No row is lost, none is on both sides."""
    data = _one(x=pa.array(np.arange(997.0) + 0.5))
    train, rest, _ = split(data, Holdout(share=0.3), None, CTX, 10)
    assert sorted(_labels(train, "t.x") + _labels(rest, "t.x")) == list(np.arange(997.0) + 0.5)
    assert abs(len(_labels(rest, "t.x")) - 299) <= 1


def test_the_seed_decides() -> None:
    """The same seed holds the same rows out; another seed others."""
    data = _one(x=pa.array(np.arange(100.0) + 0.5))
    first, again, other = (split(data, Holdout(share=0.2), None, Context(seed=s), 10)[1] for s in (1, 1, 2))
    assert _labels(first, "t.x") == _labels(again, "t.x") != _labels(other, "t.x")


def test_entities_stay_together() -> None:
    """Rows of one patient are never on both sides."""
    who = pa.array([f"p{i % 40}" for i in range(400)])
    data = _one(who=who, x=pa.array(np.arange(400) % 7))
    train, rest, _ = split(data, Holdout(by="t.who", share=0.25), None, CTX, 10)
    assert set(_labels(rest, "t.who")).isdisjoint(_labels(train, "t.who"))
    assert len(set(_labels(rest, "t.who"))) == 10


def test_after_a_date() -> None:
    """Rows after the date are held out, and none before it."""
    days = pa.array([dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(100)])
    data = _one(day=days, x=pa.array(np.arange(100) % 9))
    train, rest, _ = split(data, Holdout(after="2024-03-01"), None, CTX, 10)
    assert min(_labels(rest, "t.day")) == dt.date(2024, 3, 2)
    assert max(_labels(train, "t.day")) == dt.date(2024, 3, 1)


def test_too_few_rows_for_a_holdout() -> None:
    """Ten rows are all learned from, and that is said; holding nearly all out by date is refused."""
    data = _one(x=pa.array(np.arange(10.0) + 0.5))
    train, rest, notes = split(data, Holdout(share=0.2), None, CTX, 10)
    assert train.rows("t") == 10
    assert rest is None
    assert "no rows were held out" in notes[0]
    days = pa.array([dt.date(2024, 1, 1 + i) for i in range(12)])
    with pytest.raises(InputError, match="hold fewer rows out"):
        split(_one(day=days, x=pa.array(range(12))), Holdout(after="2024-01-04"), None, CTX, 10)


def test_children_go_with_their_parents() -> None:
    """A held-out customer's orders are held out too, and nobody else's."""
    schema = Schema(tables={
        "order": Table(fields={"of": Field(kind=Kind.REFERENCE, to="customer.id", type="int64")}),
        "customer": Table(fields={"id": Field(kind=Kind.KEY, type="int64")}, key="id"),
    })  # fmt: skip
    data = Dataset.of(
        {"customer": pa.table({"id": list(range(50))}), "order": pa.table({"of": [i % 50 for i in range(500)]})}, schema
    )
    assert parents_first(schema) == ["customer", "order"]
    train, rest, _ = split(data, Holdout(share=0.2), None, CTX, 10)
    assert rest is not None
    assert set(_labels(rest, "order.of")) == set(_labels(rest, "customer.id"))
    assert set(_labels(train, "order.of")) == set(_labels(train, "customer.id"))


def test_by_number_one_row_more_moves_no_other() -> None:
    """Who is held out may depend on no other row where single rows are protected: not on their number, nor values."""
    x = np.arange(1000.0) / 7
    more = _one(x=pa.array(np.append(x, 9.9)), y=pa.array(["rare"] * 50 + ["common"] * 951))
    less = _one(x=pa.array(x), y=pa.array(["common"] * 1000))
    held = [set(_labels(split(d, Holdout(share=0.2), "t.y", CTX, 10, by_number=True)[1], "t.x")) for d in (more, less)]
    assert held[0] - {9.9} == held[1]
    assert 150 < len(held[1]) < 250
