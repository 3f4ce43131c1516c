"""What there is to say about recipes and the specification: for the command line, editors and documentation."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from pydantic_core import PydanticUndefined

from synthwright.core import registry
from synthwright.core.contracts import Recipe
from synthwright.core.docstrings import WithMeanings, meanings
from synthwright.core.spec import Spec


class Parameter(NamedTuple):
    """One parameter of a recipe."""

    name: str
    kind: str
    default: Any
    bounds: str
    meaning: str


def summary(recipe: type[Recipe]) -> str:
    """Return the first line of a recipe's documentation."""
    return (inspect.getdoc(recipe) or "").partition("\n")[0]


def parameters(recipe: type[Recipe]) -> list[Parameter]:
    """Return a recipe's parameters, from its own fields."""
    schema = recipe.model_json_schema()["properties"] if recipe.model_fields else {}
    found, told = [], meanings(recipe)
    for name, field in recipe.model_fields.items():
        said = schema.get(field.alias or name, {})
        default = None if field.default is PydanticUndefined else field.default
        found.append(Parameter(field.alias or name, _kind(said), default, _bounds(said), told[name]))
    return found


def _kind(said: dict[str, Any]) -> str:
    if "enum" in said:
        return " | ".join(map(str, said["enum"]))
    if "anyOf" in said:
        return " | ".join(_kind(one) for one in said["anyOf"])
    return str(said.get("type", said.get("const", "mapping" if "$ref" in said else "value")))


def _bounds(said: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return ", ".join(f"{sign} {said[word]}" for word, sign in signs.items() if word in said)


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of the specification, in which every registered name brings its parameters."""
    schema = Spec.model_json_schema(by_alias=True, schema_generator=WithMeanings)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Synthwright specification"
    definitions = schema["$defs"]
    for definition, group in (("PartUse", "generators"), ("Children", "processes"), ("SourceUse", "sources")):
        _with_recipes(definitions[definition], group, definitions)
    properties = schema["properties"]
    for word, group in (("curate", "curators"), ("release", "sinks")):
        name = f"Use{group.capitalize()}"
        definitions[name] = {**definitions["Use"], "properties": dict(definitions["Use"]["properties"])}
        _with_recipes(definitions[name], group, definitions)
        here = {"$ref": f"#/$defs/{name}"}
        kept = {k: v for k, v in properties[word].items() if k not in ("items", "$ref", "allOf")}
        properties[word] = kept | ({"items": here} if word == "curate" else here)
    return schema


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """Return a word that may be left out as what it is where it is said."""
    return {k: v for k, v in said.items() if k not in ("anyOf", "default")} | {"type": "string"}


def _with_recipes(definition: dict[str, Any], group: Any, definitions: dict[str, Any]) -> None:
    """Add what each registered name means and takes to the definition of a `use`."""
    names = registry.names(group)
    definition["properties"] = definition["properties"] | {
        "use": {**_plain(definition["properties"]["use"]), "enum": list(names)}
    }
    rules = []
    for name in names:
        recipe = registry.find(group, name)
        place = f"#/$defs/{name}.{{model}}"
        takes = recipe.model_json_schema(by_alias=True, ref_template=place, schema_generator=WithMeanings)
        definitions.update({f"{name}.{inner}": said for inner, said in takes.pop("$defs", {}).items()})
        rules.append({
            "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
            "then": {"properties": {"with": takes | {"title": name, "description": summary(recipe)}}},
        })  # fmt: skip
    definition["allOf"] = rules
