"""Turns of conversations: read from JSON, or gathered from the rows of a table for each row of its parent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError

ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}
"""What the speakers of a conversation are called, and who they are."""


class Turn(NamedTuple):
    """One message of a conversation."""

    role: str
    """`user`, `assistant` or `system`."""
    content: str


class TurnError(ValueError):
    """What is wrong with a conversation, in words that follow `a row`; it holds no value."""


def turns_of(text: str, roles: Mapping[str, str] = ROLES) -> list[Turn]:
    """Return the turns of a JSON list of `{role, content}`, or of an object whose `messages` it is.

    Raises:
        TurnError: it is none, or a turn has another key, an unknown role or nothing to say.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise TurnError("that is no JSON") from None
    if isinstance(said, dict) and said.keys() == {"messages"}:
        said = said["messages"]
    if not isinstance(said, list):
        raise TurnError("that is no JSON list")
    turns = [_turn(one, roles) for one in said]
    if "\\u" in text:  # JSON may name half a character, which no file can hold
        try:
            "".join(t.content for t in turns).encode()
        except UnicodeEncodeError:
            raise TurnError("with half a character") from None
    return turns


def turn(role: object, content: object, roles: Mapping[str, str] = ROLES) -> Turn:
    """Return a turn; a TurnError where nobody speaks, or nothing is said."""
    if not isinstance(role, str) or (who := roles.get(role) or roles.get(role.strip().lower())) is None:
        raise TurnError("with an unknown role")
    if not isinstance(content, str) or not content.strip():
        raise TurnError("with a turn that says nothing")
    return Turn(who, content)


def _turn(said: object, roles: Mapping[str, str]) -> Turn:
    if not isinstance(said, dict):
        raise TurnError("with a turn that is no {role, content}")
    if said.keys() != {"role", "content"}:  # what a turn says beside would be lost
        raise TurnError("with a turn that has other keys than role and content")
    return turn(said["role"], said["content"], roles)


class Spoken(NamedTuple):
    """Which columns of a table hold turns, and whose they are."""

    table: str
    reference: str
    parent: str
    """The table whose rows are the conversations."""
    key: str
    role: str
    content: str
    order: str | None
    """What turns are ordered by; nothing: the order of the rows."""


class Gathered(NamedTuple):
    """Turns, those of one conversation together and in order."""

    first: np.ndarray
    """Where the turns of each parent begin, and where the last ones end: one more than there are parents."""
    rows: np.ndarray
    """The row of each turn in its table."""


def gather(data: Dataset, spoken: Spoken) -> Gathered:
    """Return which turns belong to each parent, in order.

    Raises:
        InputError: a turn belongs to no parent, or has no place in the order.
    """
    held, parents = data.tables[spoken.table], data.tables[spoken.parent].column(spoken.key)
    own = held.column(spoken.reference)
    whose = pc.index_in(own.cast(parents.type), value_set=parents.combine_chunks(), skip_nulls=True)
    _all_there(spoken, spoken.reference, whose, f"a row of {spoken.parent!r} for every turn")
    keys = {"whose": whose, "row": pa.array(np.arange(held.num_rows))}
    by = [("whose", "ascending"), ("row", "ascending")]
    if spoken.order is not None:
        keys["order"] = held.column(spoken.order)
        _all_there(spoken, spoken.order, keys["order"], "a place in the order for every turn")
        by.insert(1, ("order", "ascending"))
    rows = pc.sort_indices(pa.table(keys), sort_keys=by).to_numpy()
    places = np.asarray(whose.to_numpy())[rows]
    return Gathered(np.searchsorted(places, np.arange(len(parents) + 1)), rows)


def _all_there(spoken: Spoken, column: str, held: pa.ChunkedArray, wanted: str) -> None:
    if held.null_count:
        raise InputError(spoken.table, f"column {column!r}", wanted=wanted,
                         got=f"none for {held.null_count:,} of {len(held):,} rows",
                         remedy=f"drop such rows by a rule of the table, `{column} is not null`")  # fmt: skip
