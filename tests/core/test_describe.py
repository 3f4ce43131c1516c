"""The JSON Schema of specifications holds together: editors follow every reference in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synthwright.core.describe import spec_schema


def _references(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        if isinstance(said.get("$ref"), str):
            yield said["$ref"]
        for inner in said.values():
            yield from _references(inner)
    elif isinstance(said, list):
        for inner in said:
            yield from _references(inner)


def test_every_reference_leads_to_a_definition() -> None:
    """Also those of recipes whose parameters are mappings of their own, such as a distribution's."""
    schema = spec_schema()
    found = set(_references(schema))
    assert any("distribution." in name for name in found)
    assert {name.removeprefix("#/$defs/") for name in found} <= set(schema["$defs"])
