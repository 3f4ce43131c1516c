"""Conversations as OpenAI's fine-tuning has them, in JSON Lines; many other trainers read them, too."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.kit.turns import TurnError
from synthwright.sinks.conversational import Conversational, messages, spoken_turns
from synthwright.sinks.training import Row


class OpenaiMessages(Conversational):
    """Write `{"messages":[{"role":"user","content":…},{"role":"assistant",…}]}` for each row.

    A row is a conversation by a column of JSON (`conversation`), by two columns (`user` and `assistant`), or by the
    rows of another table that refer to it (`turns`). Every conversation needs a turn of the assistant to learn from; a
    row that makes no example is an error. Other columns are not written, and other tables are JSON Lines.
    """

    name: ClassVar[str] = "openai-messages"
    suffixes: ClassVar[tuple[str, ...]] = (".messages.jsonl",)
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
        return {"messages": messages(turns)}
