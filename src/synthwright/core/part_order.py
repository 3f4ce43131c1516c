"""In which order the parts of a specification run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise

from synthwright.core.contracts import Part
from synthwright.core.schema import Schema


def in_order(
    parts: Sequence[tuple[str, Part]], changes: Sequence[Collection[str]], there: Collection[str]
) -> tuple[str, ...]:
    """Return the names of the parts in an order in which each sees what it looks at.

    Who changes a column comes after its maker and after everything that it needs itself; these see the column as it
    was made, everybody else sees it changed. Several parts that change one column do so in the order they are written.

    Args:
        parts: name and part; a name begins with the place of the part in the specification and a hyphen.
        changes: the columns that the part at each place of the specification changes.
        there: the columns that are there before the first part runs.

    Raises:
        CycleError: they wait for each other.
    """
    places = {name: int(name.partition("-")[0]) for name, _ in parts}
    changed = {name: set(changes[i]) & set(part.produce) if i < len(changes) else set()
               for (name, part), i in zip(parts, places.values(), strict=True)}  # fmt: skip
    maker = {c: name for name, part in parts for c in part.produce if c not in changed[name]}
    before = {name: {maker[c] for c in part.given if c in maker and c not in there} for name, part in parts}
    for name in before:
        before[name] |= {maker[c] for c in changed[name] if c in maker}
    changers: dict[str, list[str]] = {}
    for name in sorted(before, key=places.__getitem__):
        for column in sorted(changed[name]):
            changers.setdefault(column, []).append(name)
    for names in changers.values():
        for first, then in pairwise(names):
            before[then].add(first)
    needed = {name: _behind(name, before) for name in before}
    for name, part in parts:
        for column in part.given:
            before[name] |= {one for one in changers.get(column, ()) if one != name and name not in needed[one]}
    graph = {name: sorted(names - {name}) for name, names in before.items()}
    return tuple(TopologicalSorter(graph).static_order())


def _behind(name: str, before: Mapping[str, Collection[str]]) -> set[str]:
    """Return everything that a part waits for, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = set(before[waiting.pop()]) - found
        found |= new
        waiting += sorted(new)
    return found


def parents_first(schema: Schema) -> list[str]:
    """Return the tables so that each comes after those it refers to; tables that refer to each other as they stand."""
    after = {t: sorted({schema.split(f.to)[0] for f in table.fields.values() if f.to} - {t})
             for t, table in schema.tables.items()}  # fmt: skip
    order: list[str] = []
    sorter = TopologicalSorter(after)
    try:
        order = list(sorter.static_order())
    except ValueError:  # a circle of references
        order = list(schema.tables)
    return order


def late_ones(schema: Schema, parts: Sequence[tuple[str, str, Part]], besides: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the parts that wait for tables made after their own, or for what such parts make.

    Args:
        schema: of all tables: each is made after those it refers to.
        parts: name, table and part, in the order in which they run.
        besides: parts that are taken to wait too.
    """
    place = {t: i for i, t in enumerate(parents_first(schema))}
    late: list[str] = []
    waited: set[str] = set()
    for name, table, part in parts:
        later = (c for c in part.given if place[schema.split(c)[0]] > place[table])
        if name in besides or waited & set(part.given) or any(later):
            late.append(name)
            waited |= set(part.produce)
    return tuple(late)
