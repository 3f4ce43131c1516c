"""How a plan finds out how rows of tables come to be for rows of others, and what waits until all of them are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol, cast

from synthwright.core import registry
from synthwright.core.contracts import Generator, Part, Process, Recipe
from synthwright.core.part_order import late_ones
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Kind, Schema
from synthwright.core.spec import Children, Spec

EACH = "each"
"""The process that `count` is short for."""


class Planner(Protocol):
    """Who turns names into recipes, and notes what is wrong."""

    def recipe(self, group: registry.Group, name: str, settings: dict[str, Any], place: Place) -> Recipe | None:
        """Return a recipe with its settings, or note why there is none."""

    def known(self, column: str, schema: Schema, place: Place) -> bool:
        """Return whether there is a column, or note that there is none."""

    def tell(self, place: Place, message: str) -> None:
        """Note a fault."""


class Planned(Protocol):
    """A part of a plan."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def table(self) -> str:
        """The table it makes columns of."""

    @property
    def part(self) -> Part:
        """What it makes from what."""

    @property
    def generator(self) -> Generator:
        """By what it makes it."""


def processes_of(spec: Spec, schema: Schema, planner: Planner) -> tuple[dict[str, Process], set[str]]:
    """Return by table the processes that `start: children` names, and the tables whose process is unclear."""
    found: dict[str, Process] = {}
    unclear = set()
    for table, how in spec.start.children.items():
        place: Place = ("start", "children", table)
        if table not in schema.tables:
            there = ", ".join(map(repr, schema.tables))
            planner.tell((*place, "#key"), f"no table is called {table!r}: there are {there}")
            continue
        process = _process(table, how, schema, planner, place)
        if process is not None:
            found[table] = process
        else:
            unclear.add(table)
    _refuse_circle(spec, schema, planner)
    return found, unclear


def _refuse_circle(spec: Spec, schema: Schema, planner: Planner) -> None:
    """Note tables whose rows come to be for each other's: none of them would ever have a row."""
    above = {t: schema.split(str(schema.field(how.of).to))[0] for t, how in spec.start.children.items()
             if how.of in schema.columns and schema.field(how.of).to is not None}  # fmt: skip
    told: set[str] = set()
    for table in above:
        way = [table]
        while way[-1] in above and way[-1] not in way[:-1]:
            way.append(above[way[-1]])
        circle = way[way.index(way[-1]) :]
        if len(circle) > 2 and not told & set(circle):
            told |= set(circle)
            planner.tell(
                ("start", "children", circle[0]), f"rows of these tables wait for each other: {' → '.join(circle)}"
            )


def _process(table: str, how: Children, schema: Schema, planner: Planner, place: Place) -> Process | None:
    """Return the process by which the rows of a table come to be (a count is one, too); None where it is faulty."""
    if how.of not in schema.columns:
        links = [f"{table}.{c}" for c, f in schema.tables[table].fields.items() if f.to is not None]
        near = get_close_matches(how.of, links, n=1, cutoff=0) if links else []
        hint = f"did you mean {near[0]!r}?" if near else f"{table!r} has no column of kind 'reference'"
        planner.tell((*place, "of"), f"wanted the reference that says whose the rows are, got {how.of!r}: {hint}")
        if how.use is not None:
            planner.recipe("processes", how.use, how.settings, place)
        return None
    own, field = schema.split(how.of)[0], schema.field(how.of)
    parent = None if field.to is None else schema.split(field.to)[0]
    if own != table or parent is None or parent == table:
        planner.tell((*place, "of"), f"{how.of!r} is no reference of {table!r} to another table")
        return None
    if how.use is None:
        return _counted(parent, how, schema, planner, (*place, "count"))
    process = planner.recipe("processes", how.use, how.settings, place)
    if not isinstance(process, Process):
        return None
    wrong = process.misused(schema, table, parent)
    for where, message in wrong:
        planner.tell((*place, "with", *where), f"{'.'.join(map(str, (*place, 'with', *where)))}: {message}")
    if wrong:
        return None
    unknown = [c for c in process.makes() if not planner.known(f"{table}.{c}", schema, (*place, "with"))]
    return None if unknown else process


def _counted(parent: str, how: Children, schema: Schema, planner: Planner, place: Place) -> Process | None:
    """Return the process that a number, or a column of numbers of the parent, is short for."""
    count: int | str = 1 if how.count is None else how.count
    if isinstance(count, str):
        if not planner.known(count, schema, place):
            return None
        if schema.split(count)[0] != parent or schema.field(count).kind is not Kind.INTEGER:
            planner.tell(place, f"{count!r} is no column of whole numbers of {parent!r}, whose rows they belong to")
            return None
        count = f"`{schema.split(count)[1]}`"
    return cast(Process, registry.find("processes", EACH).model_validate({"count": count}))


class Late(NamedTuple):
    """Which parts do not simply run when their table is made."""

    late: tuple[str, ...]
    """Those that run when all tables are there."""
    again: tuple[str, ...]
    """Those that are computed anew where rows went: late ones, what adds up over rows, and what looks at either."""
    wrong: list[tuple[Place, str]]
    """Faults: rows cannot come to be by what late parts make."""


def late_parts(parts: Sequence[Planned], spec: Spec, schema: Schema, processes: Mapping[str, Process]) -> Late:
    """Return which parts wait for later tables, and which are computed anew where rows went."""
    said = [(p.name, p.table, p.part) for p in parts]
    late = late_ones(schema, said)
    adding = [p.name for p in parts if p.part.scope != "row" and not p.generator.abilities.random]
    again = late_ones(schema, said, adding)
    made = {c for p in parts if p.name in late for c in p.part.produce}
    wrong: list[tuple[Place, str]] = []
    for table, process in processes.items():
        parent = schema.split(str(schema.field(spec.start.children[table].of).to))[0]
        too_late = sorted(made & set(process.looks_at(schema, parent)))
        why = "which is known only when all tables are made"
        place: Place = ("start", "children", table)
        wrong += [(place, f"the rows of {table!r} come to be by {c!r}, {why}") for c in too_late]
    return Late(late, again, wrong)
