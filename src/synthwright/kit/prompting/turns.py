"""Turns of conversations: read from JSON, or gathered from the rows of a table for each row of its parent.

Turns are kept in the shape of OpenAI's messages: what the assistant calls stands in `tool_calls`, and what a tool
returns is a turn of the role `tool` that names the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError

ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system",
         "tool": "tool"}  # fmt: skip
"""What the speakers of a conversation are called, and who they are."""
_BESIDE = {"assistant": {"tool_calls"}, "tool": {"tool_call_id", "name"}}
"""What a turn may say beside role and content, by role."""


class Call(NamedTuple):
    """A call of a tool."""

    id: str
    """What its result names it by; nothing: the calls are numbered, and results come in their order."""
    name: str
    """The tool."""
    arguments: str
    """A JSON object."""


class Turn(NamedTuple):
    """One message of a conversation."""

    role: str
    """`user`, `assistant`, `system` or `tool`."""
    content: str
    """What is said; nothing where the assistant only calls tools."""
    calls: tuple[Call, ...] = ()
    """What the assistant calls."""
    call: str = ""
    """Of a tool: the call whose result it is."""
    name: str = ""
    """Of a tool: what it is called."""


class TurnError(ValueError):
    """What is wrong with a conversation, in words that follow `a row`; it holds no value."""


def turns_of(text: str, roles: Mapping[str, str] = ROLES) -> list[Turn]:
    """Return the turns of a JSON list of `{role, content}`, or of an object whose `messages` it is.

    Raises:
        TurnError: it is none, or a turn has another key, an unknown role or nothing to say; calls and results of tools
            do not belong together.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise TurnError("that is no JSON") from None
    if isinstance(said, dict) and said.keys() == {"messages"}:
        said = said["messages"]
    if not isinstance(said, list):
        raise TurnError("that is no JSON list")
    turns = linked([_turn(one, roles) for one in said])
    if "\\u" in text:  # JSON may name half a character, which no file can hold
        try:
            "".join(t.content + "".join(map("".join, t.calls)) + t.call + t.name for t in turns).encode()
        except UnicodeEncodeError:
            raise TurnError("with half a character") from None
    return turns


def turn(
    role: object, content: object, roles: Mapping[str, str] = ROLES, *, calls: Iterable[Call] = (), call: str = "",
    name: str = "",
) -> Turn:  # fmt: skip
    """Return a turn; a TurnError where nobody speaks, or nothing is said."""
    who = speaker(role, roles)
    held = tuple(calls)
    if held and who != "assistant":
        raise TurnError("with a call that is not the assistant's")
    if held and content is None:
        content = ""
    elif not isinstance(content, str) or not (content.strip() or held or who == "tool"):
        raise TurnError("with a turn that says nothing")
    return Turn(who, content, held, call, name)


def speaker(role: object, roles: Mapping[str, str] = ROLES) -> str:
    """Return who speaks; a TurnError where it is nobody."""
    if not isinstance(role, str) or (who := roles.get(role) or roles.get(role.strip().lower())) is None:
        raise TurnError("with an unknown role")
    return who


def called(name: object, arguments: object, number: object = None) -> Call:
    """Return a call; a TurnError where it names no tool, or its arguments are no JSON object."""
    if not isinstance(name, str) or not name.strip():
        raise TurnError("with a call of no tool")
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False)
    try:
        fine = isinstance(arguments, str) and isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        raise TurnError("with a call whose arguments are no JSON object")
    return Call(number if isinstance(number, str) else "", name, str(arguments))


def linked(turns: Sequence[Turn]) -> list[Turn]:
    """Return turns whose calls all have a number, and whose results name it.

    Raises:
        TurnError: a result belongs to no call, a number occurs twice, or a call before the last turn has no result.
    """
    found: list[Turn] = []
    waiting: dict[str, str] = {}
    known: set[str] = set()
    for one in turns:
        if one.role == "tool":
            number = one.call or next(iter(waiting), "")
            if number not in waiting:
                raise TurnError("with a tool's result that no call asked for")
            found.append(one._replace(call=number, name=one.name or waiting[number]))
            del waiting[number]
            continue
        if waiting:
            raise TurnError("with a call that has no result")
        calls = tuple(c if c.id else c._replace(id=f"call_{len(known) + i}") for i, c in enumerate(one.calls, 1))
        waiting = {c.id: c.name for c in calls}
        if len(waiting) < len(calls) or known & waiting.keys():
            raise TurnError("with two calls of the same number")
        known |= waiting.keys()
        found.append(one._replace(calls=calls))
    if waiting and found[-1].role == "tool":  # an example may end with calls, but not between their results
        raise TurnError("with a call that has no result")
    return found


def messages(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Return turns in the shape of OpenAI's messages, which most trainers read."""
    return [_message(one) for one in turns]


def _message(one: Turn) -> dict[str, Any]:
    if one.role == "tool":
        return {"role": "tool", "tool_call_id": one.call, "content": one.content}
    if not one.calls:
        return {"role": one.role, "content": one.content}
    calls = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
             for c in one.calls]  # fmt: skip
    return {"role": one.role, "content": one.content or None, "tool_calls": calls}


def _turn(said: object, roles: Mapping[str, str]) -> Turn:
    if not isinstance(said, dict):
        raise TurnError("with a turn that is no {role, content}")
    keys = said.keys() - {"role", "content"}
    if (
        "role" not in said
        or ("content" not in said and "tool_calls" not in said)
        or (keys and not keys <= _BESIDE.get(speaker(said["role"], roles), set()))
    ):  # what a turn says beside would be lost
        raise TurnError("with a turn that has other keys than role and content")
    calls, beside = said.get("tool_calls") or (), [said.get(key) or "" for key in ("tool_call_id", "name")]
    if not isinstance(calls, list | tuple) or not all(isinstance(b, str) for b in beside):
        raise TurnError("with calls that are none")
    return turn(said["role"], said.get("content"), roles, calls=map(_call, calls), call=beside[0], name=beside[1])


def _call(said: object) -> Call:
    """Return a call of OpenAI's shape: `{id, type: function, function: {name, arguments}}`."""
    inner = said.get("function") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(inner, dict) or said.get("type", "function") != "function":
        raise TurnError("with calls that are none")
    return called(inner.get("name"), inner.get("arguments"), said.get("id"))


class Line(NamedTuple):
    """A row of a table of turns, as text: what is said, or one call of a tool."""

    role: str | None
    content: str | None
    tool: str | None = None
    call: str | None = None
    arguments: str | None = None


def lines_of(turns: Iterable[Turn]) -> list[Line]:
    """Return turns as rows: one for each turn, and one for each call where a turn has several."""
    found = []
    for one in turns:
        if one.role == "tool":
            found.append(Line(one.role, one.content, one.name or None, one.call or None))
        elif one.calls:
            for i, c in enumerate(one.calls):
                found.append(Line(one.role, (one.content or None) if i == 0 else None, c.name, c.id, c.arguments))
        else:
            found.append(Line(one.role, one.content))
    return found


def joined(lines: Iterable[Line], roles: Mapping[str, str] = ROLES) -> list[Turn]:
    """Return the turns that rows are; calls one after another, of which only the first says something, are one turn.

    Raises:
        TurnError: as `turns_of`.
    """
    found: list[Turn] = []
    for role, content, tool, number, arguments in lines:
        who = speaker(role, roles)
        if who == "tool":
            found.append(turn(role, content, roles, call=number or "", name=tool or ""))
        elif tool:
            one = called(tool, arguments, number)
            if not content and found and found[-1].calls and who == "assistant":
                found[-1] = found[-1]._replace(calls=(*found[-1].calls, one))
            else:
                found.append(turn(role, content, roles, calls=(one,)))
        else:
            found.append(turn(role, content, roles))
    return linked(found)


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
    tool: str | None = None
    """Which tool a turn calls, or which one's result it is."""
    call: str | None = None
    """The number of the call."""
    arguments: str | None = None
    """What a tool is called with, as JSON."""


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
