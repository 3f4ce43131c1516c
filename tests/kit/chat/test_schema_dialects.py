"""JSON Schemas are put as each endpoint takes them, whole or in parts, and the original stays as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from synthwright.core.chat import Request
from synthwright.kit.chat.schema_dialects import closed, openapi, strict, told

OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
                          "additionalProperties": False}  # fmt: skip
RICH: dict[str, Any] = {
    "type": "object", "additionalProperties": {"type": "string"},
    "properties": {
        "a": {"type": ["string", "null"], "minLength": 3, "maxLength": 9, "description": "A word."},
        "b": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 4},
        "c": {"oneOf": [{"const": "x"}, OBJECT]},
        "d": {"$ref": "#/$defs/d"}, "minimum": {"type": "number"},
    },
    "$defs": {"d": {"type": "string", "pattern": "^x"}},
}  # fmt: skip


def test_strict_schemas() -> None:
    """A schema is strict where every object in it is closed, requires all, and says only what is enforced."""
    assert strict(OBJECT)
    nested = {**OBJECT, "properties": {"a": {"type": "array", "items": OBJECT}}}
    assert strict(nested)
    changes: list[dict[str, Any]] = [
        {"additionalProperties": True}, {"required": []}, {"type": "array"}, {"minProperties": 1}
    ]  # fmt: skip
    for change in changes:
        assert not strict({**OBJECT, **change})
    assert not strict({**OBJECT, "properties": {"a": {"type": "string", "minLength": 2}}})
    assert not strict({**nested, "properties": {"a": {"type": "array", "items": {**OBJECT, "required": []}}}})


def test_closed_schemas() -> None:
    """Objects are closed, and bounds that are not enforced are told in words; names of properties stay."""
    before = copy.deepcopy(RICH)
    found = closed(RICH)
    assert before == RICH
    assert found["additionalProperties"] is False
    assert found["properties"]["a"] == {
        "type": ["string", "null"], "description": "A word. (minLength: 3, maxLength: 9)"
    }  # fmt: skip
    assert found["properties"]["b"] == {
        "type": "array", "items": {"type": "integer", "description": "(minimum: 0)"}, "minItems": 1,
        "description": "(maxItems: 4)",
    }  # fmt: skip
    assert found["properties"]["c"] == {"anyOf": [{"const": "x"}, OBJECT]}
    assert closed({"type": ["object", "null"]})["additionalProperties"] is False
    assert closed({"type": "array", "additionalProperties": False}) == {"type": "array"}
    assert found["properties"]["minimum"] == {"type": "number"}
    assert found["$defs"]["d"] == {"type": "string", "description": '(pattern: "^x")'}


def test_openapi_schemas() -> None:
    """Null is said as `nullable`, constants as choices, references as what they lead to."""
    found = openapi(RICH)
    assert set(found) == {"type", "properties"}
    assert found["properties"]["a"] == {
        "type": "string", "nullable": True, "minLength": 3, "maxLength": 9, "description": "A word."
    }  # fmt: skip
    assert found["properties"]["c"]["anyOf"][0] == {"enum": ["x"]}
    assert found["properties"]["d"] == {"type": "string", "pattern": "^x"}


def test_a_schema_that_holds_itself_ends() -> None:
    """References in a circle end."""
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert len(json.dumps(openapi(tree))) < 5000


@pytest.mark.parametrize("system", ["", "Be brief."])
def test_forms_told_in_words(system: str) -> None:
    """The schema stands in the system's words; a request without a form stays as it is."""
    request = told(Request.of("x", system, form=OBJECT))
    assert [m.role for m in request.messages] == ["system", "user"]
    assert request.messages[0].text.startswith(system)
    assert json.dumps(OBJECT) in request.messages[0].text
    assert told(Request.of("x")) == Request.of("x")
