"""What sinks of conversations share: turns from a column of JSON, from the rows of a table, or from single columns."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import ORDERED, Field, Kind, Schema, Table, canonical
from synthwright.kit.prompting.turns import (
    ROLES,
    Gathered,
    Line,
    Spoken,
    Turn,
    TurnError,
    gather,
    joined,
    turns_of,
)
from synthwright.sinks.jsonl import Jsonl
from synthwright.sinks.training import MUTE, SPEECH, Held, Row, Training, near, texts

_USUAL = {
    "conversation": ("messages", "conversation", "conversations", "dialogue", "chat"),
    "system": ("system", "system_prompt"),
    "role": ("role", "speaker", "from", "author"),
    "content": ("content", "text", "message", "utterance", "value"),
    "order": ("order", "position", "turn", "number", "index", "step", "at", "time", "timestamp"),
    "tool": ("tool", "tool_name"),
    "call": ("call", "call_id", "tool_call_id"),
    "arguments": ("arguments",),
}
_WANTED = {"reference": "a reference", "role": "text or a category", "content": "text", "tool": "text or a category",
           "call": "text or whole numbers", "arguments": "text, which holds JSON",
           "order": "whole numbers, times or other kinds with an order"}  # fmt: skip
_FREE = ("order", "tool", "call", "arguments")
"""What turns can do without."""
QUESTIONS = ("prompt", "question", "instruction", "user", "input", "query")
"""What columns that a user says are often called."""
ANSWERS = ("answer", "response", "output", "completion", "assistant", "reply")
"""What columns that an assistant says are often called."""


class _Told(NamedTuple):
    """The turns of a table's rows, as text."""

    gathered: Gathered
    said: tuple[pa.Array | None, ...]
    """Role, content, tool, call, arguments; nothing: there is no such column."""


class Conversational(Training):
    """A sink of conversations for fine-tuning; tables without any are written as JSON Lines."""

    json_roles: ClassVar[frozenset[str]] = frozenset({"conversation"})
    beside: ClassVar[tuple[str, ...]] = ("system",)
    usual: ClassVar[dict[str, tuple[str, ...]]] = _USUAL | {"user": QUESTIONS, "assistant": ANSWERS}

    conversation: str = ""
    """The column of conversations: JSON lists of `{role, content}`, as the generator `prompt` keeps them."""
    system: str = ""
    """The column of what the assistant is told before; it comes first where a conversation has no such turn itself."""
    turns: str = ""
    """The table whose rows are turns; the rows of the table that they refer to are then the conversations."""
    reference: str = ""
    """The column of `turns` that refers to the conversation; needed where there are several references."""
    order: str = ""
    """The column of `turns` that orders them; nothing: one with a usual name, such as `position`, else their order."""
    role: str = ""
    """The column of `turns` that says who speaks; nothing: one with a usual name, such as `role`."""
    content: str = ""
    """The column of `turns` that says what; nothing: one with a usual name, such as `content`."""
    tool: str = ""
    """The column of `turns` that names the tool which is called, or whose result it is; nothing: `tool`."""
    call: str = ""
    """The column of `turns` with the number of a call; nothing: `call`, else results are in the order of calls."""
    arguments: str = ""
    """The column of `turns` with what a tool is called with, a JSON object; nothing: `arguments`."""
    roles: dict[str, Literal["user", "assistant", "system", "tool"]] = Setting(
        default={}, examples=[{"customer": "user", "agent": "assistant"}]
    )
    """Other names of speakers, such as `{customer: user, agent: assistant}`."""

    def faults(self, schema: Schema) -> list[str]:
        if not self.turns:
            lone = [word for word, column in self._of_turns().items() if column]
            return super().faults(schema) + [
                f"{self.name}: {w}: it is a column of `turns`: name that table" for w in lone
            ]
        if self.conversation:
            return [f"{self.name}: `conversation` and `turns` do not go together: say one"]
        spoken = self.spoken(schema)
        return spoken if isinstance(spoken, list) else super().faults(schema)

    def said(self) -> dict[str, str]:
        return {"conversation": self.conversation, "system": self.system}

    def _of_turns(self) -> dict[str, str]:
        """Return the parameters that name a column of turns."""
        return {"reference": self.reference, "role": self.role, "content": self.content, "order": self.order,
                "tool": self.tool, "call": self.call, "arguments": self.arguments}  # fmt: skip

    def played(self) -> dict[str, str]:
        return {"conversation": ""} if self.turns else {}

    def instead(self) -> dict[str, str]:
        return {"conversation": "turns"} if self.turns else {}

    def cast_of(self, schema: Schema, table: str) -> dict[str, str] | None:
        spoken = self.spoken(schema) if self.turns else None
        if isinstance(spoken, list) or (spoken and spoken.parent != table):
            return None
        return super().cast_of(schema, table)

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        if self.turns:  # one table alone has either turns or conversations
            Jsonl.write_file(self, table, path, metadata)
        else:
            super().write_file(table, path, metadata)

    # ------------------------------------------------------------------------------------------- turns of another table
    def spoken(self, schema: Schema) -> Spoken | list[str]:
        """Return which columns hold the turns; or what is wrong with the parameters, a sentence each."""
        spec = schema.tables.get(self.turns)
        if spec is None:
            return [f"{self.name}: turns: there is no table {self.turns!r}: {near(self.turns, list(schema.tables))}"]
        columns = {word: self._column(word, named, spec) for word, named in self._of_turns().items()}
        wrong = [f"{self.name}: {word}: {said}" for word, (column, said) in columns.items() if said]
        if wrong:
            return wrong
        place = {word: column for word, (column, _) in columns.items()}
        if place["tool"] and not place["arguments"]:
            place["tool"] = place["call"] = ""  # a column of that name, but nothing that calls would be called with
        parent, key = schema.split(spec.fields[place["reference"]].to or "")
        return Spoken(self.turns, place["reference"], parent, key, place["role"], place["content"],
                      *(place[word] or None for word in _FREE))  # fmt: skip

    def _column(self, word: str, named: str, spec: Table) -> tuple[str, str]:
        """Return the column of turns that a parameter means, and what is wrong with it."""
        able = [c for c, field in spec.fields.items() if _can(word, field)]
        if named and named not in spec.fields:
            return "", f"table {self.turns!r} has no column {named!r}: {near(named, list(spec.fields))}"
        if named:
            kind = spec.fields[named].kind.value
            return named, "" if named in able else f"{named!r} is of kind {kind!r}, wanted {_WANTED[word]}"
        if word == "reference":
            if len(able) == 1:
                return able[0], ""
            return "", f"table {self.turns!r} has {len(able)} references: say which leads to the conversation"
        usual = [c for c in _USUAL[word] if c in able]
        if usual or word in _FREE:
            return (usual or [""])[0], ""
        return "", f"table {self.turns!r} has no column with a usual name for it: say which it is"

    def held(self, data: Dataset, tables: Mapping[str, pa.Table], name: str) -> Held | None:
        held = super().held(data, tables, name)
        spoken = self.spoken(data.schema) if self.turns else None
        if isinstance(spoken, list):
            raise InputError(self.name, "the table of turns", wanted="one of the data", got=spoken[0])
        if held is None or spoken is None:
            return held
        columns = (spoken.role, spoken.content, spoken.tool, spoken.call, spoken.arguments)
        said = (None if c is None else texts(tables[spoken.table].column(c)).combine_chunks() for c in columns)
        return held._replace(turns=_Told(gather(data, spoken), tuple(said)))

    # -------------------------------------------------------------------------------------------------- conversations
    def values(self, held: Held, low: int, high: int) -> Iterator[Row | TurnError]:
        known = ROLES | {name.strip().lower(): role for name, role in self.roles.items()}
        rows = super().values(held, low, high)
        if held.turns is not None:
            for row, told in zip(rows, _told(held.turns, low, high, known), strict=True):
                yield row if isinstance(row, TurnError) else _with(row, told)
        elif "conversation" in held.columns:
            column = held.cast["conversation"]
            for row in rows:
                yield row if isinstance(row, TurnError) else _with(row, _read(row["conversation"], column, known))
        else:
            yield from rows


def spoken_turns(row: Row) -> list[Turn]:
    """Return the turns of a row, what the assistant is told before as the first of them."""
    turns: list[Turn] = row.get("conversation") or [Turn(r, row[r]) for r in ("user", "assistant") if r in row]
    if row.get("system") and turns[0].role != "system":
        return [Turn("system", row["system"]), *turns]
    return turns


def _with(row: Row, turns: list[Turn] | TurnError) -> Row | TurnError:
    return turns if isinstance(turns, TurnError) else row | {"conversation": turns}


def _read(text: str, column: str, known: Mapping[str, str]) -> list[Turn] | TurnError:
    """Return the turns of a text, or what is wrong with it."""
    try:
        turns = turns_of(text, known)
    except TurnError as error:
        return TurnError(f"whose {column!r} is a text {error}")
    return turns or TurnError(f"whose {column!r} has no turn")


def _told(turns: _Told, low: int, high: int, known: Mapping[str, str]) -> Iterator[list[Turn] | TurnError]:
    """Yield the turns of each of some rows, or what is wrong with them."""
    first = turns.gathered.first[low : high + 1]
    some = pa.array(turns.gathered.rows[first[0] : first[-1]])
    columns = [[None] * len(some) if c is None else c.take(some).to_pylist() for c in turns.said]
    lines = [Line(*said) for said in zip(*columns, strict=True)]
    for begin, end in pairwise((first - first[0]).tolist()):
        try:
            yield joined(lines[begin:end], known) or TurnError("without a turn")
        except TurnError as error:
            yield error


def _can(word: str, field: Field) -> bool:
    """Return whether a column of turns can be what a parameter says."""
    match word:
        case "reference":
            return field.kind is Kind.REFERENCE
        case "role":
            return field.kind in SPEECH
        case "content":
            return field.kind not in MUTE
        case "tool":
            return field.kind in SPEECH
        case "call":
            return field.kind in SPEECH | {Kind.INTEGER}
        case "arguments":
            return field.kind is Kind.TEXT
    return field.kind in ORDERED or (field.kind is Kind.KEY and pa.types.is_integer(canonical(field)))


class Answered(Conversational):
    """A sink of conversations in which the assistant says something: two columns of a row can be one, too."""

    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("conversation",), ("user", "assistant"))
    beside: ClassVar[tuple[str, ...]] = ("system", "tools")
    usual: ClassVar[dict[str, tuple[str, ...]]] = Conversational.usual | {"tools": ()}
    json_roles: ClassVar[frozenset[str]] = Conversational.json_roles | {"tools"}

    user: str = ""
    """The column of what the user says; nothing: one with a usual name, such as `prompt` or `question`."""
    assistant: str = ""
    """The column of what the assistant answers; nothing: one with a usual name, such as `answer` or `response`."""
    tools: str = ""
    """The column of the tools that the assistant has, as the generator `dialogue` writes it: a JSON list of `{type:
    function, function: {name, description, parameters}}`. Nothing: examples do not say."""

    def said(self) -> dict[str, str]:
        return super().said() | {"user": self.user, "assistant": self.assistant, "tools": self.tools}

    def example(self, row: Row) -> dict[str, Any]:
        turns = spoken_turns(row)
        if all(t.role != "assistant" for t in turns):
            raise TurnError("without a turn of the assistant")
        told = row.get("tools")
        return self.spelled(turns) | ({} if told is None else {"tools": self.declared(_tools(told))})

    def declared(self, tools: list[dict[str, Any]]) -> Any:
        """Return tools, in OpenAI's shape, as they stand in a line of the file."""
        return tools

    @abstractmethod
    def spelled(self, turns: list[Turn]) -> dict[str, Any]:
        """Return the turns as a line of the file."""


def _tools(text: str) -> list[dict[str, Any]]:
    """Return the tools that a text declares; a TurnError where it is no list of them."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise TurnError("whose tools are no JSON") from None
    if not isinstance(said, list) or not all(isinstance(t, dict) and isinstance(t.get("function"), dict)
                                             and isinstance(t["function"].get("name"), str) for t in said):  # fmt: skip
        raise TurnError("whose tools are no list of {type: function, function: {name, …}}")
    return said
