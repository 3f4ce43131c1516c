"""JSON Schemas of answers: which there may be, what does not meet them, and those that follow from columns.

Schemas are data of a specification, and answers are data of strangers: references lead nowhere but into the schema
itself and never in a circle, and patterns are matched in time that grows with the text alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.rule_nodes import Among, Compare, Every, Literal, Name, Node
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Kind, Table

LARGEST = 5_000
"""Parts of a schema, counting those again that are referred to from several places."""
TOLD = 3
"""Complaints that are told at once."""
FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Formats that are checked."""
_NOWHERE = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary", "patternProperties")
_KINDS = {Kind.BOOLEAN: "boolean", Kind.INTEGER: "integer", Kind.NUMBER: "number"}
_FORMATS = {Kind.DATE: "date", Kind.TIME: "time", Kind.DATETIME: "date-time"}
_BOUNDS = {">=": "minimum", "<=": "maximum", ">": "exclusiveMinimum", "<": "exclusiveMaximum"}
_TURNED = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}


# ------------------------------------------------------------------------------------------------- which there may be
def faults(schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a JSON Schema: it is none, leaves itself, or never ends."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        at = ".".join(map(str, error.absolute_path)) or "the schema"
        return [f"it is no JSON Schema: {at}: {error.message[:200]}"]
    except RecursionError:
        return ["it is nested too deeply"]
    try:
        _size(schema, schema, {}, ())
        for pattern in _patterns(schema):
            pc.match_substring_regex(pa.array([""]), pattern)
    except ValueError as error:  # Arrow's errors about patterns are such too
        return [str(error).splitlines()[0][:200]]
    return []


def _size(part: Any, whole: Mapping[str, Any], known: dict[str, int], inside: tuple[str, ...]) -> int:
    """Return how many parts a schema has, references counted as what they refer to; a ValueError for too many."""
    if len(inside) > LARGEST:
        raise ValueError("it is nested too deeply")
    total = 1
    if isinstance(part, Mapping):
        for word, inner in part.items():
            if word in _NOWHERE:
                raise ValueError(f"{word!r} is not allowed in a schema of answers")
            if word == "$ref":
                total += _referred(inner, whole, known, inside)
            elif word not in ("$defs", "definitions", "enum", "const", "examples", "default"):
                total += _size(inner, whole, known, inside)
    elif isinstance(part, list):
        total += sum(_size(inner, whole, known, inside) for inner in part)
    if total > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} parts, counting what it refers to each time")
    return total


def _referred(to: Any, whole: Mapping[str, Any], known: dict[str, int], inside: tuple[str, ...]) -> int:
    if not isinstance(to, str) or not to.startswith("#/"):
        raise ValueError(f"the reference {str(to)[:100]!r} leads out of the schema: wanted one such as '#/$defs/name'")
    if to in inside:
        raise ValueError(f"the reference {to[:100]!r} leads to itself")
    if to not in known:
        at: Any = whole
        for step in to[2:].split("/"):
            at = at.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(at, Mapping) else None
        if at is None:
            raise ValueError(f"the reference {to[:100]!r} leads to nothing")
        known[to] = _size(at, whole, known, (*inside, to))
    return known[to]


def _patterns(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for word, inner in part.items():
            if word == "pattern" and isinstance(inner, str):
                yield inner
            else:
                yield from _patterns(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _patterns(inner)


# ------------------------------------------------------------------------------------------------ what meets them not
def complaints(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return the first few things in which a value does not meet a schema that has no faults."""
    return told(value, validator(schema))


def told(value: Any, by: Any) -> list[str]:
    """Return the first few complaints of a validator, as `validator` makes it, about a value."""
    found = []
    for error in by.iter_errors(value):
        at = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        found.append(f"{at.removeprefix('.') or 'the whole'}: {error.message[:150]}")
        if len(found) == TOLD:
            break
    return found


def validator(schema: Mapping[str, Any]) -> Any:
    """Return what finds out whether values meet a schema that has no faults."""
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, wanted: str, instance: Any, __: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not pc.match_substring_regex(pa.array([instance]), wanted)[0].as_py():
            yield ValidationError(f"it does not match {wanted!r}")

    kind = extend(Draft202012Validator, {"pattern": pattern})
    return kind(dict(schema), format_checker=FormatChecker(formats=FORMATS))


# ------------------------------------------------------------------------------------------------ those of columns
def labels_of(table: Table, column: str) -> tuple[str, ...]:
    """Return the labels that a column may have by its declaration or the table's rules; none where any may be."""
    field = table.fields[column]
    if field.labels:
        return field.labels
    for node in _conditions(table):
        match node:
            case Among(Name(name), values) if name == column and all(isinstance(v.value, str) for v in values):
                return tuple(str(v.value) for v in values)
    return ()


def field_schema(table: Table, column: str, about: str = "") -> dict[str, Any]:
    """Return the JSON Schema of a column's values: its kind, its labels, its bounds by the table's rules.

    Args:
        table: the table.
        column: one of its columns.
        about: what it is to hold, for the model.
    """
    field = table.fields[column]
    made: dict[str, Any] = {"type": _KINDS.get(field.kind, "string")}
    labels = labels_of(table, column) if field.kind is Kind.CATEGORY else ()
    if labels:
        made["enum"] = list(labels)
    elif field.kind in _FORMATS:
        made["format"] = _FORMATS[field.kind]
    if field.kind in (Kind.INTEGER, Kind.NUMBER):
        made |= _bounds(table, column)
    return made | ({"description": about} if about else {})


def object_schema(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON Schema of an object that has all of some properties, and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(properties),
            "additionalProperties": False}  # fmt: skip


def _bounds(table: Table, column: str) -> dict[str, float]:
    """Return the bounds that rules of the table set for a column by itself."""
    found: dict[str, float] = {}
    for node in _conditions(table):
        match node:
            case Compare(sign, Name(name), Literal(Decimal() as end)) if name == column and sign in _BOUNDS:
                found[_BOUNDS[sign]] = _plain(end)
            case Compare(sign, Literal(Decimal() as end), Name(name)) if name == column and sign in _BOUNDS:
                found[_BOUNDS[_TURNED[sign]]] = _plain(end)
    return found


def _conditions(table: Table) -> Iterator[Node]:
    """Yield the conditions that must all hold in every row."""
    waiting: list[Node] = []
    for rule in table.rules:
        try:
            tree = parse(rule.rule).tree
        except ValueError:  # told where rules are checked
            continue
        waiting += [] if tree is None else [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Every):
            waiting += node.parts
        else:
            yield node


def _plain(number: Decimal) -> float:
    return int(number) if number == number.to_integral_value() else float(number)


# ------------------------------------------------------------------------------------------- what columns can hold
def unheld(part: Any, field: Field, column: str) -> Iterable[str]:
    """Yield why a column cannot hold what a property's schema allows."""
    if not isinstance(part, Mapping):
        return
    said = part.get("type")
    types = set(said if isinstance(said, list) else [said] if said else [])
    wanted = _KINDS.get(field.kind, "string")
    able = {wanted} | ({"integer"} if wanted == "number" else set()) | ({"null"} if field.nulls else set())
    if field.kind is Kind.TEXT:  # anything is written as JSON
        able |= {"object", "array", "integer", "number", "boolean"}
    wrong = sorted(types - able)
    if wrong:
        because = "must have a value in every row" if wrong == ["null"] else f"is of kind {field.kind.value!r}"
        yield f"column {column!r} {because}, and the schema allows {', '.join(wrong)}"
    labels = part.get("enum")
    if isinstance(labels, list) and field.kind is Kind.CATEGORY and not all(isinstance(v, str) for v in labels):
        yield f"column {column!r} holds labels, and the schema's 'enum' has others than texts"
