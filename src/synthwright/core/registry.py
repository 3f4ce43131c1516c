"""Names of plug-ins to their classes, loaded late.

Each group is a package of this distribution with a literal `REGISTERED` dictionary of names to "module:Class"; other
distributions add to it by an entry point of group `synthwright.<group>`. Ours win where a name is taken twice.
"""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from synthwright.core.chat import Provider
from synthwright.core.contracts import Curator, Generator, Metric, Process, Recipe, Sink, Source
from synthwright.core.errors import UnknownNameError

Group = Literal["generators", "processes", "curators", "metrics", "sources", "sinks", "providers"]
GROUPS: dict[Group, type[Recipe]] = {
    "generators": Generator,
    "processes": Process,
    "curators": Curator,
    "metrics": Metric,
    "sources": Source,
    "sinks": Sink,
    "providers": Provider,
}


def one_of(group: Group) -> str:
    """Return what one of a group is called."""
    return "process" if group == "processes" else group.removesuffix("s")


@cache
def places(group: Group) -> dict[str, str]:
    """Return every registered name of a group and where its class is, "module:Class"; ours first."""
    ours: dict[str, str] = importlib.import_module(f"synthwright.{group}").REGISTERED
    others = {e.name: e.value for e in sorted(entry_points(group=f"synthwright.{group}"), key=lambda e: e.name)}
    return ours | {n: at for n, at in others.items() if n not in ours}


def names(group: Group) -> tuple[str, ...]:
    """Return the names of a group, sorted."""
    return tuple(sorted(places(group)))


def find(group: Group, name: str) -> type[Recipe]:
    """Return the class that a name stands for; an UnknownNameError with the nearest names if there is none."""
    at = places(group).get(name)
    if at is None:
        near = get_close_matches(name, names(group), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"`synthwright list {group}` shows them"
        raise UnknownNameError(one_of(group), repr(name), wanted="a registered name", got="an unknown one",
                               remedy=hint)  # fmt: skip
    module, _, cls = at.partition(":")
    found = getattr(importlib.import_module(module), cls, None)
    if not (isinstance(found, type) and issubclass(found, GROUPS[group]) and found.name == name):
        raise UnknownNameError(one_of(group), repr(name), got=f"{at}, which is no such plug-in",
                               wanted=f"a {GROUPS[group].__name__} called {name!r}")  # fmt: skip
    return found
