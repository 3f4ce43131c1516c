"""How a plan says what is wrong: with a recipe's parameters, and with parts that wait for each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from synthwright.core.contracts import Part, Recipe
from synthwright.core.phrases import sentence, written
from synthwright.core.safe_yaml import Place
from synthwright.core.spec import PartUse, Start

NOTHING_THERE = (
    "{} varies values that are there: start from the source (`start: {{from: source}}`), or name the columns under "
    "`change`"
)
"""What is said of a part that would find nothing."""


def parameter_faults(
    error: ValidationError, name: str, recipe: type[Recipe], settings: Mapping[str, Any], place: Place
) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with parameters: where it is written, and a sentence that begins with its path.

    Parameters of what `start` names are said by their whole path, others by the recipe's name.

    Args:
        error: what a recipe said of them.
        name: what the recipe is called.
        recipe: the recipe.
        settings: the parameters as they were written.
        place: where the recipe is used.
    """
    found: dict[Place, list[ErrorDetails]] = {}
    for one in error.errors(include_url=False):
        where = written(one["loc"], settings)
        found.setdefault((*where, one["loc"][-1]) if one["type"] == "missing" else where, []).append(one)
    for where, several in found.items():
        head = (*place, "with") if place[:1] == ("start",) else (name,)
        dotted = ".".join(map(str, (*head, *where)))
        yield (*place, "with", *where), f"{dotted}: {_said(several, name, recipe, where)}"


def _said(several: Sequence[ErrorDetails], name: str, recipe: type[Recipe], where: Place) -> str:
    """Return one sentence for what the branches of a union said of one value."""
    strange = next((one for one in several if one["type"] == "extra_forbidden"), None)
    if strange is not None:
        return _unknown(name, recipe, where)
    own = [one for one in several if one["type"] == "value_error"]  # what a validator of ours said went furthest
    said = list(dict.fromkeys(map(sentence, own or several)))
    halves = [one.partition(", got ") for one in said]
    if len(said) > 1 and all(one.startswith("wanted ") for one in said) and len({got for _, _, got in halves}) == 1:
        wanted = " or ".join(one.removeprefix("wanted ") for one, _, _ in halves)
        return f"wanted {wanted}, got {halves[0][2]}"
    return said[0]


def _unknown(name: str, recipe: type[Recipe], where: Place) -> str:
    """Return what to say of a parameter that there is not."""
    near = get_close_matches(str(where[-1]), _words(recipe, where[:-1]), n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"it has no such parameter: {meant}see `synthwright explain {name}`"


def _words(recipe: type[Recipe], where: Place) -> list[str]:
    """Return the parameters that there are at a place of the parameters."""
    models: list[type[BaseModel]] = [recipe]
    for step in where:
        fields = [f for m in models for n, f in m.model_fields.items() if step in (n, f.alias)]
        models = [m for f in fields for m in _models(f.annotation)] or models  # a key of a mapping, a place of a list
    return [f.alias or n for m in models for n, f in m.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def circle(parts: Mapping[str, Part], names: Sequence[str], changes: Sequence[Collection[str]]) -> tuple[Place, str]:
    """Return which columns need each other, each with its table, and where the first of their parts stands.

    Args:
        parts: every part by its name, which begins with its place in the specification and a hyphen.
        names: the parts of the circle, each before those that wait for it; the first one is the last one too.
        changes: the columns that the part at each place changes.
    """
    said = []
    for first, then in pairwise(reversed(names)):
        made, seen = parts[then].produce, parts[first].given
        place = int(first.partition("-")[0])
        changed = changes[place] if place < len(changes) else ()
        needed = [c for c in made if c in seen] or [c for c in made if c in changed] or list(made)
        mine = [c for c in parts[first].produce if c not in needed] or list(parts[first].produce)
        said.append(f"{_few(mine)} {'needs' if len(mine) == 1 else 'need'} {_few(needed)}")
    return ("parts", int(names[-1].partition("-")[0])), f"these columns wait for each other: {'; '.join(said)}"


def idle(columns: Sequence[str], mode: str, use: PartUse, begin: Start) -> bool:
    """Return whether a part that varies values that are there would find none in one of its columns."""
    there = begin.origin == "source" and mode == "replace"
    return not there and any(c not in use.change for c in columns)


def _few(names: Sequence[str]) -> str:
    shown = 3
    return ", ".join(names[:shown]) + (" …" if len(names) > shown else "")
