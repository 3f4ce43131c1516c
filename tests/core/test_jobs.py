"""Which job it is follows from the start, and selects curators and gates."""

from __future__ import annotations

from typing import Any

import pytest

from synthwright.core.contracts import Metric
from synthwright.core.errors import SpecError
from synthwright.core.jobs import VARIED, fills, varied
from synthwright.core.plan import Plan, plan
from synthwright.core.registry import find
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import Spec

FIELDS = {"age": Field(kind=Kind.INTEGER), "wealth": Field(kind=Kind.NUMBER)}
SCHEMA = Schema(tables={"t": Table(fields=FIELDS)})
FILL = {"start": {"from": "source"}, "parts": [{"make": ["t.*"], "mode": "fill"}]}


def planned(**said: Any) -> Plan:
    """Return the plan of a specification with a source."""
    words = {"synthwright": 1, "name": "x", "schema": SCHEMA, "source": {"use": "csv", "with": {"path": "x.csv"}}}
    return plan(Spec.model_validate(words | said), SCHEMA)


def private(found: Plan) -> set[str]:
    """Return the metrics of privacy that gates rule by."""
    metrics = {g.metric: find("metrics", g.metric) for g in found.gates}
    return {n for n, m in metrics.items() if issubclass(m, Metric) and m.group == "privacy"}


def test_filled_nulls_are_no_copies() -> None:
    """Completed rows are real rows: what asks them not to be does not rule, and the reason is kept for the card."""
    found = planned(**FILL)
    assert not private(found)
    assert [c.name for c in found.curators] == ["rules"]
    waived = {w.gate: w.because for w in found.waived}
    assert "exact-copies <= reference + chance" in waived
    assert all("nulls" in because for because in waived.values())
    assert "missingness.worst" not in {g.name for g in found.gates}
    assert {"rules", "keys", "shape", "trend"} <= {g.metric for g in found.gates}


def test_what_is_asked_for_rules() -> None:
    """Gates and curators that a specification names stay, whatever the job."""
    found = planned(**FILL, evaluate={"gates": ["exact-copies <= 0.1"]}, curate=[{"use": "copies"}])
    assert private(found) == {"exact-copies"}
    assert [c.name for c in found.curators] == ["copies"]


def test_every_other_job_is_held_against_copies() -> None:
    """New rows are, and so are rows of which one column is made anew, or all of which start from nothing."""
    others: list[dict[str, Any]] = [
        {},
        {"start": {"from": "source", "keep": ["t.age"]}, "parts": [{"make": ["t.wealth"]}]},
        {"start": {"from": "source"}, "parts": [{"make": ["t.age"], "mode": "fill"}, {"make": ["t.wealth"]}]},
        {"start": {"rows": {"t": 50}}, "parts": [{"make": ["t.*"], "mode": "fill"}]},
    ]
    for said in others:
        found = planned(**said)
        assert {"exact-copies", "membership", "singling-out"} <= private(found), said
        assert [c.name for c in found.curators] == ["rules", "duplicates", "copies"]
        assert not fills(found.spec)


def test_varied_rows_are_no_protection() -> None:
    """Rows that are varied are real ones: no gate asks them to be private, unless something else is made too."""
    fields = {"text": Field(kind=Kind.TEXT), "label": Field(kind=Kind.CATEGORY), "age": Field(kind=Kind.INTEGER)}
    schema = Schema(tables={"t": Table(fields=fields)})
    vary = {"make": ["t.text"], "use": "text-augmentation"}
    words = {"synthwright": 1, "name": "x", "schema": schema, "source": {"use": "csv", "with": {"path": "x.csv"}}}
    start = {"from": "source", "keep": ["t.label"]}
    only = Spec.model_validate(words | {"start": {**start, "keep": ["t.label", "t.age"]}, "parts": [vary]})
    found = plan(only, schema)
    assert not private(found)
    assert [c.name for c in found.curators] == ["rules"]
    assert {w.because for w in found.waived if w.gate.startswith(("exact-copies", "membership"))} == {VARIED}
    assert varied(found.spec, found.parts) == ("t.text",)
    beside = Spec.model_validate(words | {"start": start, "parts": [vary, {"make": ["t.age"]}]})
    assert {"exact-copies", "membership"} <= private(plan(beside, schema))
    assert varied(beside, plan(beside, schema).parts) == ("t.text",)
    changed = Spec.model_validate(words | {"start": {"rows": {"t": 9}}, "parts": [
        {"make": ["t.*"]}, {"change": ["t.text"], "use": "text-augmentation"}]})  # fmt: skip
    assert varied(changed, plan(changed, schema).parts) == ()
    assert Plan.of_json(plan(changed, schema).to_json()).produced == plan(changed, schema).produced
    assert {"exact-copies", "membership"} <= private(plan(changed, schema))


def test_a_plan_is_rebuilt_the_same() -> None:
    """Workers select the same curators and gates."""
    found = planned(**FILL)
    again = Plan.of_json(found.to_json())
    assert again.gates == found.gates
    assert again.curators == found.curators
    assert again.waived == found.waived


def test_all_columns_of_a_table_are_kept_but_those_that_are_named() -> None:
    """`table.*` keeps what no part names, in `start` and at the top level, and plans nothing twice."""
    part = {"parts": [{"make": ["t.wealth"], "mode": "fill"}]}
    for said in ({"start": {"from": "source", "keep": ["t.*"]}}, {"keep": ["t.*"]}):
        found = planned(**said, **part)
        assert found.spec.begin.keep == ("t.age",)
        assert Plan.of_json(found.to_json()).spec == found.spec


def test_a_table_is_not_kept_and_made() -> None:
    """A part that makes what is left, and a start that keeps it, are a fault; so is a table nobody knows."""
    with pytest.raises(SpecError, match=r"'t\.\*' is kept and made: name the columns that are made"):
        planned(start={"from": "source", "keep": ["t.*"]}, parts=[{"make": ["t.*"]}])
    with pytest.raises(SpecError, match=r"no column is called 'u\.\*'"):
        planned(start={"from": "source", "keep": ["u.*"]}, parts=[{"make": ["t.*"]}])


def test_a_column_that_is_left_over_can_be_kept() -> None:
    """Whoever starts from real rows is told the word that keeps the rest."""
    with pytest.raises(SpecError, match=r"name it in a part, keep it \('t\.\*' keeps all\), or ignore it"):
        planned(start={"from": "source"}, parts=[{"make": ["t.wealth"]}])


def test_noise_that_is_paid_for_may_cost_likeness() -> None:
    """No default gate asks rows with a privacy budget to be like real ones; what is named rules, and privacy does."""
    paid = {"make": ["t.*"], "use": "mst", "budget": {"epsilon": 1}}
    words = {"start": {"rows": {"t": 100}}, "parts": [paid], "evaluate": {"gates": ["shape <= 0.2"]}}
    found = planned(**words)
    groups = {find("metrics", g.metric).group for g in found.gates if g.text != "shape <= 0.2"}  # type: ignore[attr-defined]
    assert groups == {"privacy", "integrity"}
    assert "shape <= 0.2" in {g.text for g in found.gates}
    assert {"detection", "tstr"} <= {w.gate.split()[0] for w in found.waived}
    assert [c.name for c in found.curators] == ["rules"]
    free = planned(**(words | {"parts": [{"make": ["t.*"]}]}))
    assert not free.waived
