"""Conditions on the real rows that a start takes: what they cannot mean is told by `check`, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from synthwright.core.errors import SpecError
from synthwright.core.plan import Plan, plan
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import Spec

FIELDS = {"label": Field(kind=Kind.BOOLEAN), "town": Field(kind=Kind.CATEGORY), "age": Field(kind=Kind.INTEGER)}
SCHEMA = Schema(tables={"t": Table(fields=FIELDS), "u": Table(fields=FIELDS)})


def planned(where: dict[str, str], **start: Any) -> Plan:
    """Return the plan of a start with conditions."""
    said = {"from": "source", "keep": ["t.*", "u.*"], **start, "where": where}
    words = {"synthwright": 1, "name": "x", "schema": SCHEMA, "source": {"use": "csv", "with": {"path": "x.csv"}},
             "start": said, "parts": [{"make": ["t.age", "u.age"]}]}  # fmt: skip
    return plan(Spec.model_validate(words), SCHEMA)


def test_conditions_are_of_the_language_of_rules() -> None:
    """Values, ranges and lists select rows; a plan is rebuilt with them."""
    found = planned({"t": "label and age >= 30", "u": "town in ('Rome', 'Oslo')"})
    assert found.spec.begin.where["t"] == "label and age >= 30"
    assert Plan.of_json(found.to_json()).spec.begin.where == found.spec.begin.where


def test_conditions_are_part_of_the_identity() -> None:
    """Other rows taken are another release."""
    assert planned({"t": "label"}).spec.fingerprint() != planned({"t": "not label"}).spec.fingerprint()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"t": "lable == true"}, "condition 'lable == true': table 't' has no column 'lable': did you mean 'label'?"),
        ({"t": "height > 2"}, "has no column 'height': there are 'label', 'town', 'age'"),
        ({"v": "label"}, "start.where.v.#key: no table is called 'v': there are 't', 'u'"),
        ({"t": "town == 1"}, "condition 'town == 1': `town` is text and '1' is a number"),
    ],
)  # fmt: skip
def test_conditions_that_mean_nothing_are_faults(where: dict[str, str], told: str) -> None:
    """A column that there is not, a table, or another kind of value: each is told with what would be right."""
    with pytest.raises(SpecError) as error:
        planned(where)
    assert told in str(error.value)


def test_every_fault_is_told() -> None:
    """Two wrong conditions are two faults."""
    with pytest.raises(SpecError) as error:
        planned({"t": "lable", "u": "aeg > 1"})
    assert len(error.value.faults) == 2


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ({"from": "source", "where": {"t": "label = 1"}}, "write `==` for equality"),
        ({"from": "source", "where": {"t": "town -> age"}}, "about several rows"),
        ({"where": {"t": "label"}}, "'keep', 'where' and 'repeat' go with 'from: source'"),
    ],
)
def test_what_is_no_condition_is_refused_at_once(start: dict[str, Any], told: str) -> None:
    """Without a schema too, a text that is no condition on one row is a fault."""
    with pytest.raises(ValidationError, match=told):
        Spec.model_validate({"synthwright": 1, "name": "x", "source": {"use": "csv"}, "start": start})


def test_new_rows_meet_no_condition() -> None:
    """A table of which new rows are asked for beside real ones takes none."""
    with pytest.raises(SpecError, match="new rows of 'u' are asked for"):
        planned({"u": "label"}, keep=["t.*"], rows={"u": 5})
