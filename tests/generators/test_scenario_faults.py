"""Scenarios: what makes no sense is told with its place before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.errors import SpecError
from synthwright.core.schema import Schema
from synthwright.generators.scenario import Scenario

KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "card": {"key": "id", "fields": {"id": KEY, "active": {"kind": "boolean"}, "limit": {"kind": "number"}}},
    "payment": {"key": "id", "fields": {
        "id": KEY, "card": {"kind": "reference", "to": "card.id", "type": "int64"}, "at": {"kind": "datetime"},
        "amount": {"kind": "number"}, "shop": {"kind": "text"}, "fraud": {"kind": "category"},
        "true": {"kind": "boolean", "nulls": False}, "must": {"kind": "category", "nulls": False},
        "day": {"kind": "date"}, "episode": {"kind": "integer"}, "whole": {"kind": "integer", "nulls": False},
        "before": {"kind": "reference", "to": "payment.id", "type": "int64"},
    }},
}})  # fmt: skip


def said(pattern: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """Return parameters with one pattern, called `odd`."""
    return {"patterns": {"odd": {"rate": 0.1, **(pattern or {})}}, **rest}


def of(column: str, change: Any) -> dict[str, Any]:
    """Return parameters whose pattern sets a column."""
    return said({"rows": 3, "set": {column: change}}, by="card", label="fraud")


@pytest.mark.parametrize(("settings", "place", "message"), [
    (said({"rate": 0}), ("patterns", "odd", "rate"), "greater than 0"),
    (said({"rate": -0.1}), ("patterns", "odd", "rate"), "greater than 0"),
    (said({"rate": 1.5}), ("patterns", "odd", "rate"), "less than or equal to 1"),
    ({"patterns": {"a": {"rate": 0.7}, "b": {"rate": 0.4}}}, ("patterns",), "add up to 1 at most, got 1.1"),
    ({"patterns": {"a": {}}}, ("patterns", "a", "rate"), "required"),
    (said({"rows": 0}), ("patterns", "odd", "rows"), "at least 1 row, got 0"),
    (said({"rows": {"between": [0, 9]}}), ("patterns", "odd", "rows"), "at least 1 row, got 0"),
    (said({"rows": {"poisson": {"mean": 3}, "between": [0.5, 9]}}), ("patterns", "odd", "rows"), "at least 1 row"),
    (said({"rows": {"between": [9, 6]}}), ("patterns", "odd", "rows", "between"), "least value first"),
    (said({"rows": {"between": [9, None]}}), ("patterns", "odd", "rows"), "or a distribution such as"),
    (said({"rows": {"normal": {"mean": "limit"}}}), ("patterns", "odd", "rows"), "rows are counted before"),
    (said({"rows": {"poison": {"mean": 3}}}), ("patterns", "odd", "rows", "poison"), "not permitted"),
    (said({"least": 0}), ("patterns", "odd", "least"), "greater than or equal to 1"),
    (said({"where": "amount >"}), ("patterns", "odd", "where"), "at character 9"),
    (said({"set": {"amount": "1 +"}}), ("patterns", "odd", "set", "amount", "formula"), "at character 4"),
    (said({"set": {"amount": {"once": True}}}), ("patterns", "odd", "set", "amount"), "a formula, or a generator"),
    (said({"set": {"amount": {"formula": "1", "use": "choice"}}}), ("patterns", "odd", "set", "amount"), "wanted a"),
    (said({"set": {"amount": {"formula": "1", "with": {"a": 1}}}}), ("patterns", "odd", "set", "amount"), "'use'"),
    (said({"often": 1}), ("patterns", "odd", "often"), "not permitted"),
])  # fmt: skip
def test_parameters_that_nothing_can_have(settings: dict[str, Any], place: tuple[str, ...], message: str) -> None:
    """What is wrong whatever the columns are is refused with the parameters."""
    with pytest.raises(ValidationError) as found:
        Scenario.model_validate(settings)
    faults = {tuple(e["loc"]): e["msg"] for e in found.value.errors()}
    assert message in faults.get(place, str(faults))
    assert place in faults


def wrong(settings: dict[str, Any], produce: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what a scenario says is wrong with columns."""
    return Scenario.model_validate(settings).misused(SCHEMA, "payment", tuple(produce.split()))


ODD = ("patterns", "odd")


@pytest.mark.parametrize(("settings", "produce", "place", "message"), [
    ({}, "fraud", (), "say `patterns`"),
    ({"patterns": {}}, "fraud", (), "say `patterns`"),
    (said(nulls=0.5), "fraud", ("nulls",), "set: {column: null}"),
    # columns
    (said({"set": {"amout": 1}}, label="fraud"), "fraud amount", (*ODD, "set", "amout"), "did you mean 'amount'?"),
    (said({"set": {"shop": '"x"'}}, label="fraud"), "fraud", (*ODD, "set", "shop"), "`change` as 'payment.shop'"),
    (said({"set": {"fraud": '"x"'}}, label="fraud"), "fraud", (*ODD, "set", "fraud"), "says which rows belong to it"),
    (said(label="frod"), "fraud", ("label",), "did you mean 'fraud'?"),
    (said(episode="episode"), "fraud", ("episode",), "name it in `make`"),
    (said(), "amount fraud", (), "no pattern sets 'amount', 'fraud': say which column is the `label`"),
    (said(label="fraud"), "fraud amount", (), "no pattern sets 'amount'"),
    # labels
    (said(), "day", (), "cannot hold a label: it is of kind 'date'"),
    (said(label="day"), "day", ("label",), "cannot hold a label"),
    (said(none=3.5), "whole", ("none",), "cannot hold 3.5"),
    (said(none="perhaps"), "true", ("none",), "cannot hold 'perhaps'"),
    (said(none=True), "true", ("none",), "True is the label of rows that belong to a pattern"),
    (said(none="odd"), "fraud", ("none",), "'odd' is the label of rows"),
    (said(), "must", ("none",), "must have a value in every row: say what `none` is"),
    (said(episode="true", label="fraud"), "fraud true", ("episode",), "cannot hold numbers"),
    (said(episode="whole", label="fraud"), "fraud whole", ("episode",), "cannot hold numbers"),
    (said(episode="fraud", label="fraud"), "fraud", ("episode",), "two columns"),
    # entities and order
    (said({"rows": 3}), "fraud", (*ODD, "rows"), "without `by` every row is by itself"),
    (said(by="crad"), "fraud", ("by",), "did you mean 'card'?"),
    (said(by="shop"), "fraud", ("by",), "'shop' is no reference"),
    (said({"set": {"card": "card"}}, by="card", label="fraud"), "fraud card", ("by",), "cannot be changed"),
    (said(order="time"), "fraud", ("order",), "there are 'id', 'card'"),
    (said(order="shop"), "fraud", ("order",), "of kind 'text', which has no order"),
    (said({"rows": {"normal": {"mean": -9, "sd": 0.1}, "between": [None, 0.2]}}, by="card"), "fraud",
     (*ODD, "rows", "between"), "no value of normal lies from 1 to 0.2"),
    # conditions
    (said({"where": "active"}), "fraud", (*ODD, "where"), "`active` is no column"),
    (said({"where": "amount"}), "fraud", (*ODD, "where"), "it gives a number"),
    (said({"where": "card.limt > 1"}), "fraud", (*ODD, "where"), "did you mean 'limit'?"),
    (said({"where": "episode.step > 1"}), "fraud", (*ODD, "where"), "no column"),
    (said({"where": "count(payment by before) > 1"}), "fraud", (*ODD, "where"), "sums up rows"),
    (said({"where": "before.amount > 1"}), "fraud", (*ODD, "where"), "leads to other rows of 'payment' itself"),
    # what is set
    (of("amount", "shop"), "fraud amount", (*ODD, "set", "amount"), "`shop` is text, and the column is of kind number"),
    (of("amount", "episode.stp"), "fraud amount", (*ODD, "set", "amount"), "did you mean `episode.step`?"),
    (of("amount", "row.x"), "fraud amount", (*ODD, "set", "amount"), "nothing is called `row.x`"),
    (of("at", "episode.start"), "fraud at", (*ODD, "set", "at"), "`episode.start` is the value of the column"),
    (of("amount", "sum(payment.amount by before)"), "fraud amount", (*ODD, "set", "amount"), "sums up rows"),
    (of("whole", None), "fraud whole", (*ODD, "set", "whole"), "must have a value in every row"),
    (of("amount", "before.amount"), "fraud amount", (*ODD, "set", "amount"), "leads to other rows"),
    # generators
    (of("shop", {"use": "choise"}), "fraud shop", (*ODD, "set", "shop", "use"), "did you mean 'choice'?"),
    (of("shop", {"use": "bernoulli"}), "fraud shop", (*ODD, "set", "shop", "use"), "it can make boolean"),
    (of("shop", {"use": "marginals"}), "fraud shop", (*ODD, "set", "shop", "use"), "it learns"),
    (of("fraud", {"use": "scenario"}) | {"label": "shop"}, "fraud shop", (*ODD, "set", "fraud", "use"), "others"),
    (of("shop", {"use": "choice", "with": {"value": 1}}), "fraud shop", (*ODD, "set", "shop", "with", "value"),
     "no such parameter"),
    (of("shop", {"use": "choice", "with": {"values": {"a": -1}}}), "fraud shop",
     (*ODD, "set", "shop", "with", "values", "a"), "at least 0"),
    (of("amount", {"use": "distribution", "with": {"normal": {"mean": "episode.lenth"}}}), "fraud amount",
     (*ODD, "set", "amount", "with", "normal", "mean"), "`episode.lenth` is no column"),
])  # fmt: skip
def test_what_makes_no_sense_for_these_columns(
    settings: dict[str, Any], produce: str, place: tuple[str, ...], message: str
) -> None:
    """What the columns of the table show to be wrong is told at its place among the parameters, and once."""
    found = wrong(settings, produce)
    assert message in dict(found).get(place, str(found))
    assert [p for p, _ in found] == [place]


@pytest.mark.parametrize(("settings", "produce"), [
    (said(), "fraud"),
    (said(), "true"),
    (said(none="fine"), "must"),
    (said({"set": {"amount": None}}), "amount"),
    (of("amount", "episode.first.card.limit + episode.length"), "fraud amount"),
    (of("amount", {"use": "distribution", "with": {"normal": {"mean": "card.limit", "sd": 1}}}), "fraud amount"),
    (said({"rows": {"lognormal": {"median": 4, "sigma": 1}}, "least": 2, "where": "card.active"}, by="card", order="at",
          episode="episode", label="true"), "episode true"),
])  # fmt: skip
def test_what_makes_sense_is_not_told(settings: dict[str, Any], produce: str) -> None:
    """Parameters that fit their columns have no faults."""
    assert wrong(settings, produce) == []


def test_what_it_looks_at_is_known() -> None:
    """What formulas, conditions, words and generators are taken from need not be listed."""
    recipe = Scenario.model_validate({"by": "card", "order": "at", "patterns": {
        "a": {"rate": 0.1, "where": "card.active", "rows": 2, "set": {"amount": "episode.first.card.limit"}},
        "b": {"rate": 0.1, "set": {"shop": {"use": "choice", "with": {"by": "day", "table": {"2020+": {"x": 1}}}}}},
        "c": {"rate": 0.1, "set": {"amount": "episode.step + row.u", "at": "episode.start"}},
    }})  # fmt: skip
    looked = recipe.looks_at(SCHEMA, "payment")
    assert set(looked) == {"payment.card", "payment.at", "payment.day", "card.active", "card.limit", "card.id"}
    assert recipe.scope(SCHEMA, "payment", ("fraud",)) == "entity"


SPEC = """\
synthwright: 1
name: pay
schema:
  tables:
    payment: {fields: {amount: {kind: number}, fraud: {kind: category}}}
start: {rows: {payment: 10}}
parts:
- {make: [payment.amount], use: constant, with: {value: 1}}
- make: [payment.fraud]
  change: [payment.amount]
  use: scenario
  with:
    label: fraud
    patterns:
      odd:
        rate: 0.1
        set:
          amount: {use: distribution, with: {normal: {mean: amont}}}
"""


@pytest.mark.parametrize(("was", "now", "line", "message"), [
    ("amont", "amont", 18, "`amont` is no column"),
    ("amont", "1, ds: 2", 18, "no such parameter"),
    ("distribution", "distributon", 18, "did you mean 'distribution'?"),
    ("rate: 0.1", "rate: 2", 16, "at most 1.0, got 2"),
    ("label: fraud", "label: fraut", 13, "did you mean 'fraud'?"),
    ("amount: {use: distribution, with: {normal: {mean: amont}}}", 'amount: "2 *"', 18, "at character 4"),
])  # fmt: skip
def test_faults_stand_where_they_are_written(tmp_path: Path, was: str, now: str, line: int, message: str) -> None:
    """A specification's fault names the line."""
    (tmp_path / "pay.yaml").write_text(SPEC.replace(was, now), encoding="utf-8")
    with pytest.raises(SpecError) as found:
        sw.check(tmp_path / "pay.yaml")
    assert [line] == [f.line for f in found.value.faults if message in f.message], found.value.faults
