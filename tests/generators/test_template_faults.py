"""What a template cannot mean is told with file, line and column before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.generators.test_template import SCHEMA, start, template

from synthwright.core.context import Context
from synthwright.core.errors import SampleError, SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.generators.template import Template
from synthwright.kit.ruled import RuledModel
from synthwright.line import check


def wrong(rules: Any, columns: str = "text", **more: Any) -> list[str]:
    """Return what is said of rules, each with its place."""
    found = template(rules, **more).misused(SCHEMA, "t", tuple(columns.split()))
    return [f"{'.'.join(map(str, place))}: {said}" for place, said in found]


@pytest.mark.parametrize(
    ("rules", "more", "said"),
    [
        ("{aeg}", {}, "rules.s.0: the slot at character 1: 'aeg' is no rule, no slot and no column or path"),
        ("{aeg}", {}, "of table 't': did you mean 'age'?"),
        ({"s": ["x", "{wrod}"], "word": "x"}, {}, "rules.s.1: the slot at character 1: 'wrod' is no rule"),
        ("{shop.twon}", {}, "'shop.twon' is no rule, no slot and no column or path"),
        ("{text}", {}, "'text' is a column that it makes itself"),
        ("a {age@1}", {}, "the slot at character 3: 'age' is a column, which has one value in a row: leave out '@1'"),
        ("{age|%Y}", {}, "a format such as %d %B %Y is for dates and instants, and 'age' is integer"),
        ("{on|%H:%M}", {}, "'on' is a date, which has no time of day"),
        ({"s": "{t|%Y}", "t": "x"}, {}, "and 't' is a rule"),
        ([{"text": "x", "when": "aeg < 3"}, "y"], {}, "s.0.when: formula 'aeg < 3' at character 1: `aeg` is no column"),
        ([{"text": "x", "when": "age + 3"}, "y"], {}, "rules.s.0.when: formula 'age + 3': it gives a number"),
        ("{s}", {}, "rules.s: rule 's' never ends"),
        ("x", {"start": "t"}, "start: no rule is called 't'"),
        ("{who}", {"slots": {"who": {"use": "person", "make": ["email"]}}}, "say which of its values: {who.email}"),
        ("{who.mail}", {"slots": {"who": {"use": "person", "make": ["email"]}}}, "did you mean 'who.email'?"),
        ("x", {"slots": {"q": {"use": "persn"}}}, "slots.q.use: "),
        ("x", {"slots": {"q": {"use": "forest"}}}, "slots.q.use: forest learns from rows"),
        ("x", {"slots": {"q": {"use": "iban", "with": {"cuntry": 1}}}}, "slots.q.with.cuntry: iban.cuntry: it has no"),
        ("x", {"slots": {"q": {"use": "iban", "with": {"country": "XX"}}}}, "slots.q.with.country"),
        ("x", {"slots": {"q": {"use": "iban", "kind": "date"}}}, "slots.q.kind: iban cannot make 'q' of kind 'date'"),
        ("x", {"slots": {"q": {"use": "uuid", "type": "decimal(1)"}}}, "slots.q.type: 'decimal(1)' is no Arrow type"),
        ("x", {"slots": {"q": {"use": "formula", "with": {"formula": "length(text)"}}}}, "'t.text' is a column that"),
        ("x", {"slots": {"s": {"use": "uuid"}}}, "slots.s: 's' is a rule too"),
        ("x", {"slots": {"q": {"use": "person"}}}, "column 'q' has no role"),
    ],
)  # fmt: skip
def test_faults(rules: Any, more: dict[str, Any], said: str) -> None:
    """Each is named with its place among the parameters, and what would be right."""
    found = wrong(rules, **more)
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("rules", "columns", "more", "said"),
    [
        ("{age:AGE}", "text", {}, ": slots have labels (AGE), and no column holds their spans: make one too"),
        ("{age}", "text spans", {}, ": no slot has a label, so 'spans' would be empty"),
        ("{age:AGE}", "text spans", {"nulls": 0.1}, "nulls: texts and their spans would be missing in different rows"),
        ("{age}", "spans", {}, ": column 'spans' is made alone"),
        ("{age:AGE}", "text spans", {"spans": "spnas"}, "spans: the part makes no column 'spnas': did you mean"),
        ("{age:AGE}", "text", {"text": "text", "spans": "text"}, "spans: column 'text' cannot hold texts and spans"),
    ],
)  # fmt: skip
def test_columns(rules: Any, columns: str, more: dict[str, Any], said: str) -> None:
    """Labels without a column of spans, and a column of spans without labels or texts, are told."""
    assert [one for one in wrong(rules, columns, **more) if one.startswith(said)]


@pytest.mark.parametrize(
    "said",
    [{"rules": {"s": [{"text": "x", "weight": -1}]}}, {"rules": {"s": []}}, {"rules": {}}, {"rules": {"s": "{x"}},
     {"rules": {"s": True}}, {"rules": {"a|b": "x"}}, {"rules": {"s": [{"text": "x", "when": "age <"}]}},
     {"rules": {"s": "x"}, "casing": {"lower": 0.7, "upper": 0.7}}, {"rules": {"s": "x"}, "depth": 0}],
)  # fmt: skip
def test_parameters(said: dict[str, Any]) -> None:
    """Parameters that mean nothing are refused when they are read."""
    with pytest.raises(ValidationError):
        Template.model_validate(said)


def test_rules_are_asked_for() -> None:
    """The default rules are an example, and no specification's."""
    assert [said for _, said in Template().misused(SCHEMA, "t", ("text",))] == ["it says nothing to write: say `rules`"]
    with pytest.raises(SampleError, match="never ends"):
        RuledModel(template("{s}"), "t", ("text",), "make").sample(start(3), Context())


def test_places_in_a_file(tmp_path: Path) -> None:
    """Every fault has its line and column, those of slots and conditions too."""
    text = """synthwright: 1
name: x
schema: x.schema.yaml
start: {rows: {t: 9}}
parts:
- make: [t.text, t.spans]
  use: template
  with:
    rules:
      s:
        - "Dear {nmae:PERSON}"
        - {text: "Dear {name", weight: 3}
      name: [a, b]
      open: {text: x, weight: -1}
    slots:
      iban: {use: iban, with: {country: QQ}}
"""
    fields = {"text": {"kind": "text"}, "spans": {"kind": "text"}}
    schema = Schema.model_validate({"tables": {"t": {"fields": fields}}})
    (tmp_path / "x.schema.yaml").write_text(schema.model_dump_json(exclude_defaults=True), encoding="utf-8")

    def told(said: str) -> list[str]:
        (tmp_path / "x.yaml").write_text(said, encoding="utf-8")
        with pytest.raises(SpecError) as caught:
            check(load_spec(tmp_path / "x.yaml"))
        return [f"{f.line}:{f.column}: {f.message}" for f in caught.value.faults]

    first = told(text)
    assert any(s.startswith("12:") and "the '{' at character 6 is not closed" in s for s in first), first
    assert any(s.startswith("14:") and "at least 0" in s for s in first), first
    second = told(text.replace('"Dear {name"', '"Dear {name}"').replace("weight: -1", "weight: 1"))
    assert any(s.startswith("11:11: ") and "did you mean 'name'?" in s for s in second), second
    assert any(s.startswith("16:") and "QQ" in s for s in second), second
