"""Texts follow their templates: shares, conditions, agreement, depth, slots; and their spans are exact."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Schema
from synthwright.generators.template import Template
from synthwright.kit.ruled import RuledModel

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
SCHEMA = Schema.model_validate({"tables": {
    "shop": {"key": "id", "fields": {"id": {"kind": "key"}, "town": {"kind": "category"}}},
    "t": {"fields": {
        "text": {"kind": "text"}, "spans": {"kind": "text"}, "other": {"kind": "category"}, "sex": {"kind": "category"},
        "age": {"kind": "integer"}, "paid": {"kind": "number", "type": "decimal128(10, 2)"}, "on": {"kind": "date"},
        "shop": {"kind": "reference", "to": "shop.id"}, "note": {"kind": "text"},
        "full": {"kind": "text", "nulls": False},
    }},
}})  # fmt: skip


def template(rules: Any, **more: Any) -> Template:
    """Return a generator of these rules; rules that are no mapping are those of the first."""
    return Template.model_validate({"rules": rules if isinstance(rules, dict) else {"s": rules}, **more})


def start(rows: int, first: int = 0) -> Dataset:
    """Return rows with everything that texts may look at."""
    rng = Context(seed=5).at("seen").rng
    sex = pa.array(["F", "M"], pa.large_string()).take(pa.array(rng.integers(0, 2, rows)))
    ages = rng.integers(0, 90, rows)
    held = {"sex": sex, "age": pa.array(ages), "paid": pa.array(ages).cast(pa.int8()).cast(pa.decimal128(10, 2)),
            "on": pa.array((ages * 40).astype(np.int32)).cast(pa.date32()),
            "shop": pa.array(["a", "b"], pa.large_string()).take(pa.array(rng.integers(0, 2, rows))),
            "note": pa.array([None if a < 10 else f"n{a}" for a in ages], pa.large_string())}  # fmt: skip
    begun = Dataset.blank(SCHEMA, {"t": rows}, {"t": first}).with_columns("t", held)
    shops = pa.table(
        {"id": pa.array(["a", "b"], pa.large_string()), "town": pa.array(["Ulm", "Köln"], pa.large_string())}
    )
    return Dataset(SCHEMA, {**begun.tables, "shop": shops})


def made(rule: Template, columns: str = "text", rows: int = 400, seed: int = 0) -> dict[str, list[Any]]:
    """Return what a template makes; what it says is wrong fails the test."""
    names = columns.split()
    assert rule.misused(SCHEMA, "t", tuple(names)) == []
    model = rule.fit(Dataset.empty(SCHEMA), Part(tuple(f"t.{c}" for c in names)), Context(seed=seed))
    return model.sample(start(rows), Context(seed=seed).at("shard", 0)).data.tables["t"].to_pydict()


def found(table: dict[str, list[Any]]) -> list[list[tuple[str, str]]]:
    """Return what the spans of each text hold."""
    return [[(text[s["start"] : s["end"]], s["label"]) for s in json.loads(spans)]
            for text, spans in zip(table["text"], table["spans"], strict=True)]  # fmt: skip


def test_golden() -> None:
    """A small sample, as it is read."""
    other = {"text": "{{{sex}}} {x@1|upper}/{x@1}", "weight": 2}
    rule = template({"s": ["{hi}, {shop.town:TOWN}! {x|a:THING}?", other],
                     "hi": ["Hello", "Hi"], "x": ["apple", "pear", "übung"]})  # fmt: skip
    table = made(rule, "text spans", 5)
    assert table["text"] == [
        "Hi, Ulm! an apple?", "{M} PEAR/pear", "{M} PEAR/pear", "Hi, Köln! an apple?", "Hello, Köln! a übung?",
    ]  # fmt: skip
    assert table["spans"][3] == '[{"start": 4, "end": 8, "label": "TOWN"}, {"start": 13, "end": 18, "label": "THING"}]'
    assert table["spans"][1] == "[]"


def test_shares() -> None:
    """Alternatives come as often as their weights say, at each level anew."""
    rule = template({"s": "{a}{b}", "a": [{"text": "x", "weight": 3}, "y", {"text": "never", "weight": 0}],
                     "b": ["1", {"text": "2", "weight": 0.5}]})  # fmt: skip
    counts = Counter(made(rule, rows=20_000)["text"])
    meant = {f"{a}{b}": p * q for a, p in (("x", 0.75), ("y", 0.25)) for b, q in (("1", 2 / 3), ("2", 1 / 3))}
    assert set(counts) == set(meant)
    expected = [20_000 * p for p in meant.values()]
    assert stats.chisquare([counts[k] for k in meant], expected).pvalue > LEVEL


def test_conditions() -> None:
    """Only alternatives whose condition holds are taken, as often as their weights say among these."""
    rule = template([{"text": "madam", "when": "sex == 'F'"}, {"text": "sir", "when": "sex == 'M'"},
                     {"text": "child", "when": "age < 18", "weight": 3}])  # fmt: skip
    table = made(rule, rows=20_000)
    young = np.array(table["age"]) < 18
    text, sex = np.array(table["text"]), np.array(table["sex"])
    assert set(text[~young & (sex == "F")]) == {"madam"}
    assert set(text[~young & (sex == "M")]) == {"sir"}
    assert set(text[young & (sex == "M")]) == {"child", "sir"}
    few = int((text[young] == "child").sum())
    assert stats.binomtest(few, int(young.sum()), 0.75).pvalue > LEVEL


def test_no_alternative_holds() -> None:
    """Where no condition holds, how many rows that are is said."""
    rule = template([{"text": "x", "when": "age > 200"}, {"text": "y", "when": "sex == 'F'"}])
    men = made(template("{sex}"))["text"].count("M")
    with pytest.raises(SampleError, match=rf"rule 's'.*got none in {men} of 400 rows.*without `when`"):
        made(rule)


def test_agreement() -> None:
    """A rule is chosen anew wherever it stands; with a mark once in a row, and another for each mark."""
    rule = template({"s": "{n} {n} {n@1} {n@1} {n@2} {p@x} {p@x}", "n": [str(i) for i in range(50)], "p": "{n}{n@2}"})
    words = np.array([t.split() for t in made(rule, rows=2000)["text"]])
    assert (words[:, 2] == words[:, 3]).all()
    assert (words[:, 5] == words[:, 6]).all()
    assert all(p.endswith(n) for p, n in zip(words[:, 5], words[:, 4], strict=True))
    for one, other in ((0, 1), (0, 2), (2, 4)):
        same = int((words[:, one] == words[:, other]).sum())
        assert stats.binomtest(same, 2000, 1 / 50).pvalue > LEVEL


def test_a_mark_holds_across_alternatives() -> None:
    """Wherever in a row a rule with a mark stands, also in some rows only, its text is the same."""
    rule = template({"s": ["{n@1} {m}", "{m} {n@1}", "{m} {m}"], "m": ["{n@1}", "x{n@1}"],
                     "n": [str(i) for i in range(50)]})  # fmt: skip
    words = [t.replace("x", "").split() for t in made(rule, rows=1000)["text"]]
    assert all(one == other for one, other in words)
    assert len({one for one, _ in words}) == 50


def test_slots_are_values_of_the_row() -> None:
    """A slot has one value in a row wherever it stands, another with another mark; values that go together do."""
    slots = {"who": {"use": "person", "make": ["full_name", "first_name", "sex"], "with": {"locale": "en_US"}},
             "no": {"use": "pattern", "with": {"pattern": "[0-9]{6}", "unique": True}}}  # fmt: skip
    rule = template("{who.first_name}|{who.full_name}|{no}|{no}|{no@2}|{who.sex}", slots=slots)
    words = [t.split("|") for t in made(rule, rows=1000)["text"]]
    assert all(full.startswith(first) and one == two != three for first, full, one, two, three, _ in words)
    assert len({w[2] for w in words}) == len({w[4] for w in words}) == 1000
    sexes: dict[str, set[str]] = {}
    for word in words:
        sexes.setdefault(word[0], set()).add(word[5])
    assert np.mean([len(s) for s in sexes.values()]) < 1.1


def test_slots_see_the_row() -> None:
    """A slot's generator may look at columns; numbers and dates are written as formulas write them."""
    slots = {"price": {"use": "formula", "with": {"formula": "format(paid * 2, 2)"}},
             "day": {"use": "formula", "kind": "date", "with": {"formula": "on + 1"}}}  # fmt: skip
    rule = template("{age} {paid} {price} {on} {day|%-d.%m.%Y} {shop.town}", slots=slots)
    table = made(rule)
    for text, age, on in zip(table["text"], table["age"], table["on"], strict=True):
        after = np.datetime64(on, "D") + 1
        day = f"{after.item():%-d.%m.%Y}"
        assert re.fullmatch(rf"{age} {age}\.00 {age * 2}\.00 {on} {re.escape(day)} (Ulm|Köln)", text), text


def test_depth() -> None:
    """No text has more rules inside each other than `depth`, and all up to it occur."""
    table = made(template({"list": ["x", {"text": "x{list}", "weight": 9}]}, depth=6), rows=3000)
    lengths = Counter(map(len, table["text"]))
    assert set(lengths) == set(range(1, 7))
    assert stats.binomtest(lengths[1], 3000, 0.1).pvalue > LEVEL


@pytest.mark.parametrize("casing", [{}, {"lower": 0.3, "upper": 0.3, "title": 0.4}])
def test_spans_are_exact(casing: dict[str, float]) -> None:
    """Whatever stands around a slot, in rules inside rules, its span is the slot's text."""
    slots = {"who": {"use": "person", "make": ["full_name"], "with": {"locale": {"ja_JP": 1, "es_ES": 1, "fr_FR": 1}}}}
    rules = {
        "s": ["ä{{ {x} ⟨1{y:ONE}⟩{y}⟨2{who.full_name|upper:TWO}⟩", "⟨3{z:THREE}⟩\U0001f642{s}", "{y@k} ⟨1{y@k:ONE}⟩",
              "{empty:FOUR}", "{p}{q@1}{p}{q@1}"],
        "x": ["", "ß\U0001f642", "{y}{y}"], "y": ["a", "ñandú \U0001f642", "İ{x}"],
        "z": ["{y:ONE}, {who.full_name:TWO}"],
        "empty": [""], "p": ["⟨1{y:ONE}⟩", "-{p}{p}"], "q": ["", "~⟨1{y:ONE}⟩{p}"],
    }  # fmt: skip
    table = made(template(rules, slots=slots, casing=casing), "text spans", 3000)
    code = {"ONE": "1", "TWO": "2", "THREE": "3"}
    for text, spans in zip(table["text"], found(table), strict=True):
        meant = [(m[2], m[1]) for m in re.finditer(r"⟨(\d)(.*?)⟩", text)]
        assert [(v, code[label]) for v, label in spans] == meant, text
    assert len({len(s) for s in found(table)}) > 3


def test_nested_labels() -> None:
    """Inside a label others are left out, unless nested ones are wanted."""
    rules = {"s": "to {a:ADDRESS}", "a": "{n:NUMBER} High Street, {c:CITY}", "n": "12", "c": ["York"]}
    assert found(made(template(rules), "text spans", 1)) == [[("12 High Street, York", "ADDRESS")]]
    both = found(made(template(rules, nested=True), "text spans", 1))
    assert both == [[("12 High Street, York", "ADDRESS"), ("12", "NUMBER"), ("York", "CITY")]]


def test_articles() -> None:
    """An article is as the first letters want it, and outside the label."""
    words = {"apple": "an", "pear": "a", "hour": "an", "hotel": "a", "unit": "a", "uncle": "an", "euro": "a",
             "umbrella": "an", "one-way ticket": "a", "8-hour shift": "an", "Ukrainian": "a",
             "Italian": "an"}  # fmt: skip
    table = made(template({"s": "{w|a:W}", "w": list(words)}), "text spans", 500)
    for text, spans in zip(table["text"], found(table), strict=True):
        assert text == f"{words[spans[0][0]]} {spans[0][0]}"
    assert set(table["text"]) == {f"{article} {word}" for word, article in words.items()}


def test_filters() -> None:
    """Filters change letters, one after the other."""
    rule = template({"s": "{w|upper} {w|title} {w|upper|capital} {w|capital} {w|lower}", "w": "éa BC"})
    assert made(rule, rows=1)["text"] == ["ÉA BC Éa Bc ÉA BC Éa BC éa bc"]


def test_casing() -> None:
    """Shares of the rows are in other letters."""
    counts = Counter(made(template("Ab cD", casing={"lower": 0.2, "upper": 0.5}), rows=5000)["text"])
    assert set(counts) == {"Ab cD", "ab cd", "AB CD"}
    assert stats.chisquare([counts["ab cd"], counts["AB CD"], counts["Ab cD"]], [1000, 2500, 1500]).pvalue > LEVEL


def test_missing_values() -> None:
    """Where a slot has no value there is no text and are no spans; in a column that needs one that is an error."""
    table = made(template("{age:AGE} {note:NOTE}"), "text spans")
    for age, text, spans in zip(table["age"], table["text"], table["spans"], strict=True):
        assert (text is None) == (spans is None) == (age < 10)
    with pytest.raises(SampleError, match=r"column 'full': wanted a text in every row, got none in \d+ of 400"):
        made(template("{note}"), "full")
    kept = made(template(["{age}", {"text": "{note}", "when": "note is not null", "weight": 99}]), "full")
    assert None not in kept["full"]


def test_several_columns() -> None:
    """Columns that are not the text of the spans get texts of their own, and say by name who is who."""
    rule = template({"s": "{w:W}", "w": ["a", "b", "c", "d"]})
    table = made(rule, "text spans other note")
    assert [s[0][0] for s in found(table)] == table["text"]
    assert len({(a, b) for a, b in zip(table["text"], table["other"], strict=True)}) == 16
    turned = made(template({"s": "{w:W}", "w": ["a", "b"]}, text="other", spans="text"), "text other")
    assert [json.loads(s)[0]["end"] for s in turned["text"]] == [1] * 400


def test_shards_and_seeds() -> None:
    """Other seeds give other texts; saved rules, whose order is kept, give the same."""
    rules = {"z": "{a} {b}", "b": list("xyz"), "a": list("uvw")}
    rule = template(rules)
    assert made(rule)["text"] == made(Template.model_validate_json(rule.model_dump_json(by_alias=True)))["text"]
    assert made(rule)["text"] != made(rule, seed=1)["text"]
    assert made(rule)["text"] == made(template({**rules, "unused": "q"}))["text"]


def test_spans_of_texts_that_are_there() -> None:
    """Spans are not made for texts that were set."""
    model = template({"s": "{w:W}", "w": "a"}, text="text", spans="spans").fit(
        Dataset.empty(SCHEMA), Part(("t.text", "t.spans")), Context()
    )
    given = start(3).with_columns("t", {"text": pa.array(["x"] * 3, pa.large_string())})
    with pytest.raises(SampleError, match="leave the texts to this part"):
        model.sample(given, Context())


def test_travels(tmp_path: Any) -> None:
    """A model saved and loaded begins with the same rule, whatever its name is."""
    model = template({"z": "{a}!", "a": ["x", "y"]}).fit(Dataset.empty(SCHEMA), Part(("t.text",)), Context())
    model.save(tmp_path)
    again = RuledModel.load(tmp_path).sample(start(50), Context()).data.tables["t"].column("text")
    assert again.equals(model.sample(start(50), Context()).data.tables["t"].column("text"))
    assert all(t.endswith("!") for t in again.to_pylist())
