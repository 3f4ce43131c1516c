"""The turns of conversations, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, get_args

import numpy as np
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.contracts import Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.events.unfolding import Unfolding
from synthwright.kit.prompting.turns import Line, TurnError, lines_of, turns_of
from synthwright.kit.ruled import Ask, Column, hops

Role = Literal["user", "assistant", "system", "tool"]
_ROLES: tuple[Role, ...] = get_args(Role)
_KINDS: dict[str, tuple[Kind, ...]] = {
    "role": (Kind.CATEGORY, Kind.TEXT), "content": (Kind.TEXT,), "position": (Kind.INTEGER,),
    "tool": (Kind.CATEGORY, Kind.TEXT), "call": (Kind.TEXT, Kind.CATEGORY), "arguments": (Kind.TEXT,),
}  # fmt: skip
"""What kind each column has to be."""


class Turns(Unfolding):
    """Makes a row for each turn of the conversation that a column of the other table holds.

    ::

        start:
          children:
            turn:
              of: turn.case
              use: turns
              with: {conversation: messages, role: role, content: content, position: position}

    A conversation is a JSON list of `{role, content}`, as the generators `dialogue` and `prompt` write it. A turn that
    calls several tools makes a row for each call. Where there is no conversation, or a text that is none, there are no
    rows. The sinks `openai-messages` and `sharegpt` put the rows together again (`turns: turn`).
    """

    name: ClassVar[str] = "turns"

    conversation: str | None = None
    """The column of the other table that holds the conversations; a path through its references is one, too."""
    role: str | None = None
    """The column of the rows that says who speaks: `user`, `assistant`, `system` or `tool`."""
    content: str | None = None
    """The column that says what; it has no value where a turn only calls tools."""
    position: str | None = None
    """The column that counts the rows of each conversation: 1, 2, 3 …"""
    tool: str | None = None
    """The column of the tool that is called, or whose result it is."""
    call: str | None = None
    """The column of the call's number: the same in the row of the call and in that of its result."""
    arguments: str | None = None
    """The column of what a tool is called with: a JSON object."""
    roles: dict[Role, str] = Setting(default={}, examples=[{"user": "customer", "assistant": "agent"}])
    """Other names for the speakers: `{user: customer, assistant: agent}`."""

    @model_validator(mode="after")
    def _told_apart(self) -> Turns:
        named = self.makes()
        twice = sorted({c for c in named if named.count(c) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} cannot hold two things")
        return self

    def _columns(self) -> dict[str, str]:
        """Return the columns that are filled, by what they hold."""
        named = {"role": self.role, "content": self.content, "position": self.position, "tool": self.tool,
                 "call": self.call, "arguments": self.arguments}  # fmt: skip
        return {word: column for word, column in named.items() if column is not None}

    def makes(self) -> tuple[str, ...]:
        return tuple(self._columns().values())

    def paths(self) -> Sequence[str]:
        return () if self.conversation is None else (self.conversation,)

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        return tuple(self.roles.get(r, r) for r in _ROLES) if column == self.role else None

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        if self.conversation is None:
            return [((), "say which column of the other table holds the conversations: `conversation: messages`")]
        found: list[tuple[Place, str]] = []
        try:
            last = hops(schema, parent, self.conversation)[-1]
            kind = schema.tables[last.table].fields[last.column].kind
            if kind is not Kind.TEXT:
                told = f"{self.conversation!r} is of kind {kind.value!r}, wanted text: a JSON list of {{role, content}}"
                found.append((("conversation",), told))
        except SampleError as error:
            found.append((("conversation",), str(error)))
        fields = schema.tables[table].fields
        for word, column in self._columns().items():
            if column in fields and fields[column].kind not in _KINDS[word]:
                wanted = " or ".join(repr(k.value) for k in _KINDS[word])
                kind = fields[column].kind
                found.append(((word,), f"column {column!r} is of kind {kind.value!r}, wanted {wanted}"))
        return found

    def arise(self, ask: Ask, fields: Mapping[str, Field]) -> tuple[np.ndarray, Mapping[str, Column]]:
        import pyarrow as pa

        texts = [] if self.conversation is None else ask.column(self.conversation).to_pylist()
        held = [_lines(text) for text in texts] or [[]] * ask.rows
        counts = np.array([len(lines) for lines in held], dtype=np.int64)
        lines = [line for one in held for line in one]
        roles: dict[str | None, str] = {r: self.roles.get(r, r) for r in _ROLES}
        first = np.repeat(np.cumsum(counts) - counts, counts)
        made: dict[str, Column] = {"position": np.arange(len(lines)) - first + 1}
        for word, column in self._columns().items():
            if word != "position":
                i = Line._fields.index(word)
                said = [roles[line.role] if word == "role" else line[i] for line in lines]
                values = pa.array(said, pa.large_string())
                made[word] = values if fields[column].nulls else values.fill_null("")
        columns = {column: made[word] for word, column in self._columns().items()}
        return np.repeat(np.arange(ask.rows), counts), columns


def _lines(text: str | None) -> list[Line]:
    """Return the rows of a conversation; none where a text is no conversation."""
    try:
        return lines_of(turns_of(text)) if text else []
    except TurnError:
        return []
