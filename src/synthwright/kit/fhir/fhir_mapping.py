"""How rows become FHIR resources, as a specification says it: dotted paths of a resource, and what stands at each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic import Field as Setting

from synthwright.core.schema import Frozen, Schema

Constant = bool | int | Annotated[float, Setting(allow_inf_nan=False)] | str
"""A value that FHIR's JSON can hold."""
TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
"""What resource types look like."""
_NAME = re.compile(r"_?[a-z][A-Za-z0-9]*")
_POSITION = re.compile(r"0|[1-9][0-9]{0,2}")


class Element(Frozen):
    """What stands at one place of a resource: the value of a column, or the same in every resource."""

    column: str | None = None
    """The column that holds the value; where it has none, the element is left out."""
    value: Constant | None = None
    """The value that every resource has."""
    values: dict[str, Constant] = Setting(default={}, examples=[{"F": "female"}])
    """What the column's values are called in FHIR: `{F: female, M: male}`; others are left out, or `otherwise`."""
    otherwise: Constant | None = None
    """What stands there where the column has no value, or one that `values` does not name."""
    reference: str | None = Setting(default=None, pattern=TYPE.pattern)
    """The resource type that the column's keys point to: with `Patient`, `Patient/` and the key are written."""
    text: bool = False
    """Whether numbers and truth values are written as text."""

    @model_validator(mode="after")
    def _one(self) -> Element:
        if (self.column is None) == (self.value is None):
            raise ValueError(
                "wanted a column or a value: `birth_date`, {column: sex, values: {F: female}}, {value: final}"
            )
        if self.column is None and (self.values or self.otherwise is not None or self.reference or self.text):
            raise ValueError("'values', 'otherwise', 'reference' and 'text' go with 'column'")
        return self


def _short(said: Any) -> Any:
    """Read the short forms: text is a column, numbers and truth values are the same in every resource."""
    if isinstance(said, str):
        return {"column": said}
    return {"value": said} if isinstance(said, bool | int | float) else said


class Branch(NamedTuple):
    """An object, or a list, of a resource: its members by name or position."""

    members: Mapping[str, Branch | Element]
    listed: bool = False


class Resource(Frozen):
    """How the rows of a table become resources of one type."""

    table: str
    """The table whose rows they are."""
    fields: Annotated[
        dict[str, Annotated[Element, BeforeValidator(_short, json_schema_input_type=Element | Constant)]],
        Setting(min_length=1, examples=[{"id": "a"}]),
    ]
    """What stands where: paths such as `name.0.family` (numbers are positions in a list, from 0) and columns, or
    `{value: …}`, `{column: …, values: {…}}`, `{column: …, reference: Patient}`."""

    @field_validator("fields")
    @classmethod
    def _paths(cls, fields: dict[str, Element]) -> dict[str, Element]:
        tree(fields)
        return fields

    def tree(self, more: Mapping[str, Element]) -> Branch:
        """Return its elements as objects inside of objects, after those that every resource has."""
        return tree({**more, **self.fields})

    def link(self, to: str) -> str | None:
        """Return the column whose keys point to a resource type: the first that is said."""
        return next((e.column for e in self.fields.values() if e.reference == to), None)

    def faults(self, name: str, schema: Schema) -> Iterator[str]:
        """Yield what it cannot mean under a schema."""
        if self.table not in schema.tables:
            yield f"{name}: no table is called {self.table!r}{_hint(self.table, schema.tables)}"
            return
        columns = schema.tables[self.table].fields
        for path, element in self.fields.items():
            if element.column is not None and element.column not in columns:
                hint = _hint(element.column, columns)
                yield f"{name}.{path}: table {self.table!r} has no column {element.column!r}{hint}"


def _hint(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def tree(fields: Mapping[str, Element]) -> Branch:
    """Return elements by dotted paths as objects inside of objects; a ValueError where the paths make none."""
    root: dict[str, Any] = {}
    for path, element in fields.items():
        words = path.split(".")
        if not all(_NAME.fullmatch(w) or (i and _POSITION.fullmatch(w)) for i, w in enumerate(words)):
            raise ValueError(f"wanted names and positions with dots between them, like name.0.family, got {path!r}")
        if words[0] == "resourceType":
            raise ValueError("leave 'resourceType' out: it is what the resource is written under")
        ends = [".".join(words[:i]) for i in range(1, len(words))]
        if any(end in fields for end in ends):
            raise ValueError(f"{path!r} goes on where another path ends")
        at = root
        for word in words[:-1]:
            at = at.setdefault(word, {})
        at[words[-1]] = element
    return _branch(root, "")


def _branch(held: dict[str, Any], path: str) -> Branch:
    positions = [w for w in held if _POSITION.fullmatch(w)]
    if positions and sorted(positions, key=int) != [str(i) for i in range(len(held))]:
        raise ValueError(f"{path}: wanted the positions of a list from 0 on, got {', '.join(held)}")
    words = sorted(held, key=int) if positions else list(held)
    inner = {w: _branch(held[w], f"{path}.{w}".lstrip(".")) if isinstance(held[w], dict) else held[w] for w in words}
    return Branch(inner, bool(positions))
