"""Docstrings under fields, read when somebody asks."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field as Setting

from synthwright.core.docstrings import WithMeanings, meanings
from synthwright.core.schema import Frozen


class Shop(Frozen):
    """A shop."""

    name: str = ""
    """What it is called.

        In the country's own language.
    """
    street: str = Setting(default="", description="Where it is.")
    """Not this."""
    rooms: int = 1
    stock: int = Setting(default=0, alias="in stock")
    """How much it has."""

    class Clerk(Frozen):
        """Who sells."""

        age: int = 18
        """In years."""


class Market(Shop):
    """A large shop."""

    rooms: int = 9
    """How many halls it has."""
    clerk: Shop.Clerk | None = None
    """Who answers."""


class Case(NamedTuple):
    """What is asked, and what it means."""

    model: type[Frozen]
    told: dict[str, str]


SHOP = {"name": "What it is called.\n\nIn the country's own language.", "street": "Where it is.", "rooms": "",
        "stock": "How much it has."}  # fmt: skip


def test_what_a_class_says_and_what_it_inherits() -> None:
    """A field means what stands under it, in the nearest class that says it; a description comes first."""
    market = SHOP | {"rooms": "How many halls it has.", "clerk": "Who answers."}
    for case in (Case(Shop, SHOP), Case(Market, market), Case(Shop.Clerk, {"age": "In years."})):
        assert meanings(case.model) == case.told


def test_classes_inside_functions_and_without_source() -> None:
    """Classes inside functions have docstrings too; where there is no source there are none."""

    class Stall(Frozen):
        """A small shop."""

        cloth: str = ""
        """Its colour."""

    assert meanings(Stall) == {"cloth": "Its colour."}
    space: dict[str, type[Frozen]] = {}
    exec('class Tent(Frozen):\n    """A shop."""\n    pole: int = 1\n    """High."""\n', {"Frozen": Frozen}, space)  # noqa: S102
    assert meanings(space["Tent"]) == {"pole": ""}


def test_schemas_say_it_everywhere() -> None:
    """JSON Schemas carry the meanings, under the names that are written, inside each other too."""
    said = Market.model_json_schema(by_alias=True, schema_generator=WithMeanings)
    assert said["properties"]["in stock"]["description"] == "How much it has."
    assert said["properties"]["street"]["description"] == "Where it is."
    assert "description" not in Shop.model_json_schema(schema_generator=WithMeanings)["properties"]["rooms"]
    assert said["$defs"]["Clerk"]["properties"]["age"]["description"] == "In years."
