"""Which columns name rows, and which point to rows of other tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.casting import as_text, cast_values, from_text, is_text
from synthwright.core.guess import Column, Guess
from synthwright.core.personal import plain_name

_GENERIC = frozenset(
    {"id", "key", "code", "no", "nr", "number", "index", "name", "pk", "uuid", "guid", "type", "ids", "date", ""}
)
_ENDINGS = ("id", "key", "code", "no", "nr", "number", "uuid", "fk", "ref", "pk")

_INSIDE = (
    r"(.* )?(parent|manager|boss|supervisor|superior|mentor|referrer|chief|leader|predecessor|previous|ancestor|father"
    rf"|mother|sire|dam|vorgesetzter|chef|kierownik)( .*)? ({'|'.join(_ENDINGS)})"
    r"|(.* )?(parent|manager|boss|supervisor|predecessor)"
    r"|(.* )?(reports to|referred by|reply to|replies to|duplicate of|replaces|replaced by|superseded by|part of)( id)?"
)
"""What columns are called, in single words, that point to other rows of their own table."""
_MANY, _LONG = 20, 3
"""How many values a key has, and how many characters they, that tell by themselves where a column points to."""
_PLURALS = {"people": "person", "children": "child", "men": "man", "women": "woman", "data": "data", "status": "status"}


class Link(NamedTuple):
    """A column that points to a key; a larger weight means a clearer name."""

    table: str
    column: str
    parent: str
    key: str
    weight: int


def keys_of(table: str, guesses: Mapping[str, Guess]) -> list[str]:
    """Return the columns that name rows, the likeliest key of the table first."""
    sure = [c for c, g in guesses.items() if g.identity >= 2] or [c for c, g in guesses.items() if g.identity == 1][:1]
    stem = _stem(table)

    def rank(column: str) -> tuple[int, int]:
        said = _solid(column)
        own = said in ("id", stem, *(stem + e for e in _ENDINGS))
        return (-2 if own else 0) - guesses[column].identity, list(guesses).index(column)

    return sorted(sure, key=rank)


def _solid(name: str) -> str:
    return plain_name(name).replace(" ", "")


def _stem(table: str) -> str:
    """Return the name of a table in the singular: `Order_Details` is `orderdetail`."""
    said = _solid(table)
    if said in _PLURALS:
        return _PLURALS[said]
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if said.endswith(ending) and len(said) > len(ending) + 2 and not said.endswith("ss"):
            return said.removesuffix(ending) + instead
    return said


def links_of(columns: Mapping[str, Mapping[str, Column]], keys: Mapping[str, str]) -> list[Link]:
    """Return which columns point to which keys: their name says so, and every value is a value of the key.

    Args:
        columns: the columns of every table.
        keys: the key of every table that has one.
    """
    found: list[Link] = []
    values = {parent: _comparable(columns[parent][key]) for parent, key in keys.items()}
    for table, own in columns.items():
        for name, column in own.items():
            possible = sorted(
                _named(table, name, columns, keys), key=lambda link: (-link.weight, len(values[link.parent]))
            )
            link = next((p for p in possible if _contained(column, values[p.parent])), None)
            if link is not None:
                found.append(link)
    there = _without_cycles(found)
    taken = {(link.table, link.column) for link in there}
    inside = (Link(t, c, t, keys[t], 1) for t in keys if t in columns for c in columns[t] if (t, c) not in taken)
    return there + [k for k in inside if _points_inside(k, columns[k.table]) and
                    _contained(columns[k.table][k.column], values[k.table])]  # fmt: skip


def _points_inside(link: Link, own: Mapping[str, Column]) -> bool:
    """Return whether a column may point to other rows of its own table: its name says so, or codes do by themselves."""
    if link.column == link.key:
        return False
    return re.fullmatch(_INSIDE, plain_name(link.column)) is not None or _telling(own[link.key])


def _named(table: str, name: str, columns: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[Link]:
    """Yield the keys that a column's name may mean."""
    said = _solid(name)
    bare = re.sub(rf"({'|'.join(_ENDINGS)})$", "", said)
    for parent, key in keys.items():
        if parent == table or parent not in columns:
            continue
        stem, key_said = _stem(parent), _solid(key)
        last = _stem(re.split(r"[_\s.]+|(?<=[a-z])(?=[A-Z])", parent)[-1])
        if said == key_said and key_said not in _GENERIC:
            weight = 4 if stem in key_said else 3
        elif said in (stem, parent.lower(), stem + key_said) or bare in (stem, _solid(parent)):
            weight = 3
        elif said.endswith((stem, stem + "id", stem + key_said)) or (
            key_said not in _GENERIC and said.endswith(key_said)
        ):
            weight = 2
        elif (bare == last and len(last) > 3) or (said == key_said and _telling(columns[parent][key])):
            weight = 1
        else:
            continue
        if keys.get(table) == name and not (weight >= 3 and _stem(table) != stem and stem in said):
            continue  # its own key points elsewhere only where it is called after the other table
        yield Link(table, name, parent, key, weight)


def _telling(key: Column) -> bool:
    """Return whether the values of a key are met in another column by no accident: codes of some length, and many."""
    values = key.values.drop_null()
    if not is_text(values.type) or (key.text and not from_text(values, pa.int64()).null_count):
        return False
    return len(values) >= _MANY and pc.min(pc.utf8_length(values)).as_py() >= _LONG


def _comparable(column: Column) -> Any:
    """Return distinct values as int64 where they are whole numbers, else as text; None where neither fits."""
    values = pc.unique(column.values.drop_null())
    if pa.types.is_floating(values.type):
        values = cast_values(values, pa.int64())
        return None if values.null_count else values
    if pa.types.is_integer(values.type):
        return cast_values(values, pa.int64())
    if is_text(values.type):
        whole = from_text(values, pa.int64()) if column.text else None
        return values if whole is None or whole.null_count else pc.unique(whole)
    return as_text(values) if pa.types.is_decimal(values.type) else None


def _contained(column: Column, parents: Any) -> bool:
    own = _comparable(column)
    if own is None or parents is None or not len(own) or own.type != parents.type:
        return False
    return bool(pc.all(pc.is_in(own, parents)).as_py())


def _without_cycles(links: list[Link]) -> list[Link]:
    """Return the links, clearest first, without those that would make tables depend on themselves."""
    kept: list[Link] = []
    for link in sorted(links, key=lambda one: -one.weight):
        above, more = {link.parent}, True
        while more:
            wider = above | {k.parent for k in kept if k.table in above}
            more, above = wider != above, wider
        if link.table not in above:
            kept.append(link)
    return kept
