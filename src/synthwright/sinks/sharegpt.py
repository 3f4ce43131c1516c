"""Conversations in the form of ShareGPT, in JSON Lines."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.kit.turns import TurnError
from synthwright.sinks.conversational import Conversational, spoken_turns
from synthwright.sinks.training import Row

_FROM = {"user": "human", "assistant": "gpt", "system": "system"}


class Sharegpt(Conversational):
    """Write `{"conversations":[{"from":"human","value":…},{"from":"gpt",…}]}` for each row.

    A row is a conversation by a column of JSON (`conversation`), by two columns (`user` and `assistant`), or by the
    rows of another table that refer to it (`turns`). Every conversation needs a turn of the assistant to learn from; a
    row that makes no example is an error. Other columns are not written, and other tables are JSON Lines.
    """

    name: ClassVar[str] = "sharegpt"
    suffixes: ClassVar[tuple[str, ...]] = (".sharegpt.jsonl",)
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("conversation",), ("user", "assistant"))

    user: str = ""
    """The column of what the user says; nothing: one with a usual name, such as `prompt` or `question`."""
    assistant: str = ""
    """The column of what the assistant answers; nothing: one with a usual name, such as `answer` or `response`."""

    def said(self) -> dict[str, str]:
        return super().said() | {"user": self.user, "assistant": self.assistant}

    def example(self, row: Row) -> dict[str, Any]:
        turns = spoken_turns(row)
        if all(t.role != "assistant" for t in turns):
            raise TurnError("without a turn of the assistant")
        return {"conversations": [{"from": _FROM[t.role], "value": t.content} for t in turns]}
