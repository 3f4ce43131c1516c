"""What the fields of specifications and recipes mean: the docstrings under them, read when somebody asks.

Pydantic can read them itself, for every class as it is made, by parsing its source: a quarter of the time that a short
run takes, for texts that only `explain`, `schema` and the contract suite show.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what each field means: its description where it has one, else the docstring under it; "" for neither."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        found |= _of_module(cls.__module__).get(cls.__qualname__, {})
    return {name: field.description or found.get(name, "") for name, field in model.model_fields.items()}


class WithMeanings(GenerateJsonSchema):
    """Writes JSON Schemas in which every property says what it means."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        said = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, meaning in meanings(model).items():
            word = model.model_fields[name].alias or name
            told: dict[str, Any] | None = said.get("properties", {}).get(word if self.by_alias else name)
            if told is not None and meaning:
                told.setdefault("description", meaning)
        return said


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Return the docstrings under the fields of every class of a module, by qualified names of the classes."""
    try:
        source = inspect.getsource(sys.modules[name])
    except (KeyError, OSError, TypeError):  # written at a prompt, or shipped without its source
        return {}
    return {place: _fields(cls) for place, cls in _classes(ast.parse(source), "")}


def _classes(node: ast.AST, at: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield the classes inside something, each with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield at + child.name, child
            yield from _classes(child, f"{at}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(child, f"{at}{child.name}.<locals>.")
        else:
            yield from _classes(child, at)


def _fields(cls: ast.ClassDef) -> dict[str, str]:
    """Return the docstrings under the annotated names of a class."""
    return {
        line.target.id: inspect.cleandoc(below.value.value)
        for line, below in pairwise(cls.body)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }  # fmt: skip
