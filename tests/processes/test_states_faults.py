"""What state machines cannot mean is told before anything runs, with its place; what they can is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from tests.processes.states_for_tests import machine, wrong

import synthwright as sw
from synthwright.core.describe import parameters, spec_schema
from synthwright.core.errors import SpecError
from synthwright.processes.states import States

CARE = """
synthwright: 1
name: care
schema:
  tables:
    patient:
      key: id
      fields: {id: {kind: key, type: int64}, age: {kind: integer}, died: {kind: date}}
    event:
      key: id
      fields:
        id: {kind: key, type: int64}
        patient: {kind: reference, to: patient.id, type: int64}
        state: {kind: category}
        at: {kind: datetime}
        code: {kind: category}
        level: {kind: integer}
start:
  rows: {patient: 10}
  children:
    event:
      of: event.patient
      use: states
      with:
        until: 2025-01-01
        machines:
          asthma:
            begins: 2024-01-01
            when: age < 60
            first: onset
            states:
              onset:
                then: {visit: 0.9, well: 0.1}
                after: {exponential: 30}
                writes: {code: J45}
              visit:
                then:
                  - {to: visit, weight: 3, when: visits < 9}
                  - {to: well, weight: age + 1}
                after: {normal: [90, 10]}
                writes: {level: 2}
              well: {}
parts:
  - {make: [patient.id, event.id], use: counter}
  - {make: [patient.age, patient.died], use: distribution, with: {uniform: {low: 0, high: 90}}}
"""


def told(folder: Path, was: str, now: str) -> list[tuple[str, str]]:
    """Return what is said of the specification with something else in it: the line it stands in, and the message."""
    assert CARE.count(was) == 1, was
    text = CARE.replace(was, now)
    (folder / "care.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        sw.check(folder / "care.yaml")
    return [(text.splitlines()[f.line - 1].strip(), f.message) for f in caught.value.faults]


def test_nothing_is_wrong(tmp_path: Path) -> None:
    """The specification that the others differ from is sound, for editors too, and every parameter is explained."""
    (tmp_path / "care.yaml").write_text(CARE, encoding="utf-8")
    sw.check(tmp_path / "care.yaml")
    import yaml

    said = CARE.replace("2025-01-01", "'2025-01-01'").replace(
        "2024-01-01", "'2024-01-01'"
    )  # PyYAML's dates are no text
    jsonschema.validate(yaml.safe_load(said), spec_schema())
    assert all(p.meaning for p in parameters(States))


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("visit: 0.9", "visits: 0.9", "then: {visits: 0.9", "no state is called 'visits': did you mean 'visit'?"),
        ("to: visit,", "to: home,", "- {to: home", "no state is called 'home': there are 'onset', 'visit', 'well'"),
        ("{visit: 0.9, well: 0.1}", "{visit: {to: well}}", "then: {visit: {to", "the way to 'visit' says 'to: well'"),
        ("first: onset", "first: onst", "first: onst", "did you mean 'onset'?"),
        ("first: onset", "first: visit", "onset:", "no way leads to the state 'onset'"),
        ("visit: 0.9", "visit: -0.9", "then: {visit: -0.9", "a weight is at least 0, got -0.9"),
        ("weight: 3", "weight: -3", "- {to: visit, weight: -3", "a weight is at least 0"),
        ("{visit: 0.9, well: 0.1}", "{visit: 0}", "then: {visit: 0}", "wanted a weight above 0"),
        ("weight: age + 1", "weight: agee + 1", "- {to: well", "did you mean 'age'?"),
        ("weight: age + 1", "weight: died", "- {to: well", "gives a date, wanted a number"),
        ("weight: age + 1", "weight: count(event)", "- {to: well", "make them a column of 'patient' first"),
        ("visits < 9", "visits + 9", "- {to: visit", "it gives a number"),
        ("visits < 9", "visit < 9", "- {to: visit", "did you mean 'visits'?"),
        ("when: age < 60", "when: visits < 60", "when: visits", "`visits` is no column of table 'patient'"),
        ("exponential: 30", "exponential: 30 *", "after: {exp", "30 *"),
        ("exponential: 30", "exponential: agee", "after: {exp", "did you mean 'age'?"),
        ("exponential: 30", "exponential: -30", "after: {exp", "more than 0, got -30"),
        ("exponential: 30", "exponential: [30, 2]", "after: {exp", "wanted exponential: mean, got 2 numbers"),
        ("normal: [90, 10]", "normal: 90", "after: {normal", "wanted normal: [mean, sd], got 1 number"),
        ("normal: [90, 10]", "uniform: [-9, -1]", "after: {uni", "no value of uniform is above 0"),
        ("normal: [90, 10]", "uniform: [9, 1]", "after: {uni", "'low' at most 'high'"),
        ("{normal: [90, 10]}", "-5", "after: -5", "a delay is at least 0, got -5"),
        ("{normal: [90, 10]}", "-P5D", "after: -P5D", "a delay is at least 0"),
        ("{normal: [90, 10]}", "2024-01-01", "after: 2024", "no value of kind 'duration'"),
        ("{normal: [90, 10]}", "{constant: PT5H, unit: hours}", "after: {con", "no value of kind 'number'"),
        ("{normal: [90, 10]}", "died", "after: died", "gives a date, wanted a number"),
        ("{normal: [90, 10]}", "{unit: hours}", "after: {unit", "wanted one delay"),
        ("{normal: [90, 10]}", "[90, 10]", "after: [90", "mapping"),
        ("normal: [90, 10]", "normaal: [90, 10]", "after: {normaal", "no such parameter"),
        ("begins: 2024-01-01", "begins: 2024-13-01", "begins: 2024-13", "is no date or instant"),
        ("begins: 2024-01-01", "begins: 2026-01-01", "begins: 2026", "'2026-01-01' is later than '2025-01-01'"),
        ("begins: 2024-01-01", "begins: age + 5", "begins: age", "a number"),
        ("begins: 2024-01-01", "begins: born", "begins: born", "`born` is no column"),
        ("begins: 2024-01-01", "begins: at + 1", "begins: at", "`at` is no column"),
        ("until: 2025-01-01", "until: [2025-01-01, dead]", "until: [2025", "did you mean 'died'?"),
        ("until: 2025-01-01", "until: PT5H", "until: PT5H", "is no date or instant"),
        ("{code: J45}", "{codes: J45}", "writes: {codes", "did you mean 'code'?"),
        ("{level: 2}", "{level: high}", "writes: {level", "cannot hold 'high': it is of kind 'integer'"),
        ("{level: 2}", "{id: 2}", "writes: {id", "is of kind 'key'"),
        ("{level: 2}", "{state: x}", "writes: {state", "is filled already"),
        ("level: {kind: integer}", "level: {kind: integer, nulls: false}", "onset:", "the state 'onset' writes none"),
        ("state: {kind: category}", "state: {kind: integer}", "with:", "column 'state' cannot hold 'onset'"),
        ("at: {kind: datetime}", "at: {kind: text}", "with:", "wanted dates or instants"),
        ("until: 2025", "module: state\n        until: 2025", "module: state", "is 'state' already"),
        ("until: 2025", "position: code\n        until: 2025", "position: code", "wanted whole numbers"),
        ("until: 2025", "most: 0\n        until: 2025", "most: 0", "at least 1"),
        ("well: {}", "well: {after: 5}", "well: {after", "'after' goes with 'then'"),
        ("well: {}", "well: {silent: true, writes: {code: x}}", "well: {sil", "a silent state writes nothing"),
        ("well: {}", "well: {then: onset, race: true}", "well: {then", "the way to 'onset' has none"),
        ("well: {}", "well: {then: well}", "well: {then", "the state 'well' is in a circle without a delay"),
        ("age: {kind: integer}", "age: {kind: integer}, visits: {kind: integer}", "- {to: visit",
         "`visits` is a column of 'patient', and what the machine knows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, was: str, now: str, line: str, said: str) -> None:
    """Nothing runs, and the line is named in which it stands."""
    found = told(tmp_path, was, now)
    assert any(at.startswith(line) and said in message for at, message in found), found


def test_every_fault_at_once(tmp_path: Path) -> None:
    """One fault does not hide another."""
    found = told(tmp_path, "{visit: 0.9, well: 0.1}\n                after: {exponential: 30}",
                 "{visit: nobody}\n                after: {exponential: somebody}")  # fmt: skip
    assert [line.split(":")[0] for line, _ in found if "`" in _] == ["then", "after"]


# ------------------------------------------------------------------------------------------------------------ circles
def circle(**more: Any) -> dict[str, Any]:
    """Return two states that lead to each other, without a delay and without a way out."""
    return {"a": {"then": "b"}, "b": {"then": {"a": {}}}, **more}


def test_circles_without_a_delay() -> None:
    """An endless loop at one instant is a fault; with a delay, a way out, a condition or a formula it is none."""
    end = {"until": "2025-01-01"}
    found = wrong({**end, "machines": {"m": machine(circle())}})
    said = "machines.m.states.a: the states 'a', 'b' are in a circle without a delay, and no way leads out: "
    assert found == [said + "say `after`, or a way to another state"]
    for way in ({"then": "a", "after": 1}, {"then": {"a": 1, "c": 0.01}}, {"then": [{"to": "a", "when": "visits < 9"}]},
                {"then": {"a": "3 - visits"}}, {"then": {"a": {"after": "PT1S"}}}):  # fmt: skip
        more: dict[str, Any] = {"c": {}} if "c" in str(way) else {}
        assert wrong({**end, "machines": {"m": machine(circle(b=way, **more))}}) == []
    assert wrong({**end, "machines": {"m": machine(circle(b={"then": {"a": 1}, "after": 0}))}})
    led = {"x": {"then": {"a": 0.5, "y": 0.5}, "after": 3}, "y": {}, **circle()}
    assert len(wrong({**end, "machines": {"m": machine(led)}})) == 1
    shut = circle(b={"then": {"a": 1, "c": 0}}, c={})
    assert any("'c'" in said for said in wrong({**end, "machines": {"m": machine(shut)}}))


def test_circles_without_an_end() -> None:
    """What would go on for ever needs an end: of time, of states, a way out, or a formula that may close its ways."""
    states = {"a": {"then": {"b": 0.5, "c": 0.5}, "after": 1}, "b": {"then": "b", "after": 9}, "c": {}}
    found = wrong({"machines": {"m": machine(states)}})
    said = "machines.m.states.b: the state 'b' is in a circle that no way leads out of: "
    assert found == [said + "say `until` or `most`, or a way to a state without `then`"]
    assert wrong({"until": "2025-01-01", "machines": {"m": machine(states)}}) == []
    assert wrong({"most": 50, "machines": {"m": machine(states)}}) == []
    for way in ({"then": {"b": 1, "c": 1e-9}, "after": 9}, {"then": [{"to": "b", "when": "age > 5"}], "after": 9},
                {"then": "b", "after": "died - at"}):  # fmt: skip
        assert wrong({"machines": {"m": machine({**states, "b": way})}}) == []


# ---------------------------------------------------------------------------------------------------------- the rest
def test_no_machine() -> None:
    """A process without machines makes nothing."""
    assert wrong({}) == ["machines: say a machine: {begins: …, first: …, states: {…}}"]
    for how in ({"begins": "2024-01-01", "first": {}, "states": {"a": {}}},
                {"begins": "2024-01-01", "first": "a", "states": {}}):  # fmt: skip
        with pytest.raises(ValidationError, match="at least 1"):
            States.model_validate({"machines": {"m": how}})


def test_races_are_told_what_they_lack() -> None:
    """In a race ways have delays and no weights, and the state has no delay."""
    for state, said in (
        ({"then": {"b": 1}}, "the way to 'b' has none"),
        ({"then": {"b": {"after": 1, "weight": 2}}}, "leave the weight of 'b' out"),
        ({"then": {"b": {"after": 1}}, "after": 2}, "leave the state's out"),
        ({}, "goes with 'then'"),
    ):
        with pytest.raises(ValidationError, match=said):
            States.model_validate({"machines": {"m": machine({"a": {"race": True, **state}, "b": {}})}})


def test_forms_of_transitions() -> None:
    """A name, weights, ways by their state, a list and a single way are the same thing."""
    forms: list[Any] = [
        "b",
        {"b": 1},
        {"b": {"weight": 1}},
        ["b"],
        [{"to": "b"}],
        {"to": "b"},
        {"to": "b", "weight": 1},
    ]
    for form in forms:
        read = States.model_validate({"machines": {"m": machine({"a": {"then": form}, "b": {}})}})
        (way,) = read.machines["m"].states["a"].then.values()
        assert (way.to, way.weight, way.when, way.after) == ("b", 1, None, None)


def test_columns_that_must_have_a_value() -> None:
    """Where one state writes a column that has no nulls, every one that is not silent must."""
    states: dict[str, Any] = {"a": {"then": "b", "writes": {"full": "x"}}, "b": {}}
    found = wrong({"machines": {"m": machine(states)}})
    said = "machines.m.states.b: column 'full' must have a value in every row (`nulls: false` in the schema), "
    assert found == [said + "and the state 'b' writes none"]
    assert wrong({"machines": {"m": machine({**states, "b": {"silent": True}})}}) == []
