"""What can be told before anything is made: which values a column may have, and how many rows a table gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from synthwright.core.rule_nodes import Among, Compare, Literal, Name, Node, walk

_SHOWN = 6
"""Values that are named where none of them is near to what was written."""


class Rows(NamedTuple):
    """How many rows a table gets."""

    least: int = 0
    most: int | None = None
    """Nothing: it is not known."""
    about: float | None = None
    """How many are expected, where that is known."""


class Foreseen(NamedTuple):
    """What will go wrong, or looks as if it was not meant."""

    place: tuple[str | int, ...]
    """Where among the parameters."""
    said: str
    sure: bool = True
    """Whether nothing can come of it; else it is a warning."""


@dataclass(frozen=True)
class Known:
    """What is known of columns and tables."""

    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    """The values that a column may have, by `table.column`, as a specification writes them; None: no value. Of columns
    that are not named here nothing is known."""
    rows: Mapping[str, Rows] = field(default_factory=dict)
    """How many rows each table gets."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """The parameters of the recipe that is asked, as they are written."""
    given: tuple[str, ...] = ()
    """The columns that its part may look at, as `table.column`."""


def compared(tree: Node) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield which texts each column of a condition is compared with; of a list, all of them together."""
    for node in walk(tree):
        match node:
            case Compare(_, Name(column), Literal(str() as text)) | Compare(_, Literal(str() as text), Name(column)):
                yield column, (text,)
            case Among(Name(column), values):
                yield column, tuple(v.value for v in values if isinstance(v.value, str))
            case _:
                pass


def stranger(column: str, texts: tuple[str, ...], values: tuple[str | None, ...]) -> str | None:
    """Return why a comparison cannot be meant: no row has such a value; None where one may have.

    A list may name more than there is; what looks like a misspelling is told all the same.
    """
    there = [v for v in values if v is not None]
    strange = [t for t in texts if t not in there]
    for text in strange:
        near = get_close_matches(text, [v for v in there if v not in texts], n=1)
        same = [v for v in there if v.lower() == text.lower() and v not in texts]
        if near or same:
            return f"no row has {text!r} in `{column}`: did you mean {(same or near)[0]!r}?"
    if len(strange) < len(texts) or not strange:
        return None
    more = " …" if len(there) > _SHOWN else ""
    return f"no row has {strange[0]!r} in `{column}`: it is {' or '.join(map(repr, there[:_SHOWN]))}{more}"
