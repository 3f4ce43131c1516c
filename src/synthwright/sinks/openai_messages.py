"""Conversations as OpenAI's fine-tuning has them, in JSON Lines; many other trainers read them, too."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.kit.prompting.turns import Turn, messages
from synthwright.sinks.conversational import Answered


class OpenaiMessages(Answered):
    """Write `{"messages":[{"role":"user","content":…},{"role":"assistant",…}]}` for each row.

    A row is a conversation by a column of JSON (`conversation`), by two columns (`user` and `assistant`), or by the
    rows of another table that refer to it (`turns`). Every conversation needs a turn of the assistant to learn from; a
    row that makes no example is an error. Calls of tools stand in `tool_calls`, their results in turns of `tool`, and
    what a column of `tools` declares beside `messages`. Other columns are not written, other tables are JSON Lines.
    """

    name: ClassVar[str] = "openai-messages"
    suffixes: ClassVar[tuple[str, ...]] = (".messages.jsonl",)

    def spelled(self, turns: list[Turn]) -> dict[str, Any]:
        return {"messages": messages(turns)}
