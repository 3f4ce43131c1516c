"""JSON Schemas as each kind of endpoint takes them.

Endpoints take parts of JSON Schema. What one does not take is left to the words of the question; that answers meet the
schema is checked by whoever asked, so nothing here makes an answer right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from synthwright.core.chat import Message, Request

_INSIDE = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")
_STRICT = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "description", "title",
    "$defs", "$ref", "pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minItems", "maxItems",
})  # fmt: skip
"""Words that OpenAI's strict schemas may hold."""
_CLOSED = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf", "description",
    "title", "$defs", "definitions", "$ref", "format", "default",
})  # fmt: skip
"""Words that Anthropic's schemas may hold."""
_OPENAPI = frozenset({
    "type", "properties", "required", "items", "enum", "anyOf", "description", "title", "format", "nullable", "pattern",
    "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties",
})  # fmt: skip
"""Words that Google's own schemas may hold."""
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
           "pattern", "minItems", "maxItems", "uniqueItems")  # fmt: skip
_DEEPEST = 20
"""How deep a schema that holds itself is followed."""


def told(request: Request) -> Request:
    """Return the request that asks for its form in words, for endpoints that take no schema."""
    if request.form is None:
        return request
    said = json.dumps(request.form, ensure_ascii=False)
    words = f"Answer with JSON that meets this JSON Schema, and with nothing else:\n{said}"
    first, rest = request.messages[0], request.messages[1:]
    if first.role == "system":
        return request._replace(messages=(Message("system", f"{first.text}\n\n{words}"), *rest))
    return request._replace(messages=(Message("system", words), *request.messages))


def strict(form: Mapping[str, Any]) -> bool:
    """Return whether a schema keeps to what OpenAI enforces: every object closed, and all its properties required."""
    for one in _schemas(form):
        if not one.keys() <= _STRICT:
            return False
        if "properties" in one or one.get("type") == "object":
            shut = one.get("additionalProperties") is False
            if not shut or set(one.get("required", ())) != set(one.get("properties", {})):
                return False
    return form.get("type") == "object"


def closed(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as Anthropic takes it: objects closed, bounds in the description."""
    found = {word: value for word, value in form.items() if word in _CLOSED}
    if "oneOf" in form:
        found["anyOf"] = form["oneOf"]
    if form.get("minItems") in (0, 1):
        found["minItems"] = form["minItems"]
    bounds = [f"{word}: {json.dumps(form[word])}" for word in _BOUNDS if word in form and word not in found]
    if bounds:
        found["description"] = " ".join([*filter(None, [form.get("description")]), f"({', '.join(bounds)})"])
    found.pop("additionalProperties", None)
    kinds = form.get("type", ())
    if "object" in ([kinds] if isinstance(kinds, str) else kinds) or "properties" in form:
        found["additionalProperties"] = False
    return _turned(found, closed)


def openapi(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as Google's own kind of it: no references, null said as `nullable`, a constant as a choice."""
    return _openapi(form, form, 0)


def _openapi(form: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    form = _followed(form, root) if "$ref" in form else form
    if depth > _DEEPEST:
        return {"type": "object"}
    found = {word: value for word, value in form.items() if word in _OPENAPI}
    if "oneOf" in form:
        found["anyOf"] = form["oneOf"]
    if "const" in form:
        found["enum"] = [form["const"]]
    kinds = found.get("type")
    if isinstance(kinds, list):
        others = [k for k in kinds if k != "null"]
        found["type"] = others[0] if others else "string"
        if "null" in kinds:
            found["nullable"] = True
    return _turned(found, lambda one: _openapi(one, root, depth + 1))


def _followed(form: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference within a schema leads to."""
    at: Any = root
    for step in str(form["$ref"]).removeprefix("#").strip("/").split("/"):
        at = at.get(step) if isinstance(at, Mapping) and step else at
    return at if isinstance(at, Mapping) else {}


def _turned(form: dict[str, Any], turn: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return a schema whose inner ones are turned."""
    for word, value in form.items():
        if word in _NAMED and isinstance(value, Mapping):
            form[word] = {name: turn(inner) if isinstance(inner, Mapping) else inner for name, inner in value.items()}
        elif word in _INSIDE and isinstance(value, list | tuple):
            form[word] = [turn(inner) for inner in value]
        elif word == "items" and isinstance(value, Mapping):
            form[word] = turn(value)
    return form


def _schemas(form: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and every one inside it."""
    yield form
    for word, value in form.items():
        inner: Any = ()
        if word in _NAMED and isinstance(value, Mapping):
            inner = value.values()
        elif word in _INSIDE and isinstance(value, list | tuple):
            inner = value
        elif word in ("items", "additionalProperties"):
            inner = (value,)
        for one in inner:
            if isinstance(one, Mapping):
                yield from _schemas(one)
