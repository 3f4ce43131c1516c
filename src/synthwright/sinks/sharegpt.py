"""Conversations in the form of ShareGPT, in JSON Lines."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.kit.prompting.turns import Turn
from synthwright.sinks.conversational import Answered

_FROM = {"user": "human", "assistant": "gpt", "system": "system"}


class Sharegpt(Answered):
    """Write `{"conversations":[{"from":"human","value":…},{"from":"gpt",…}]}` for each row.

    A row is a conversation by a column of JSON (`conversation`), by two columns (`user` and `assistant`), or by the
    rows of another table that refer to it (`turns`). Every conversation needs a turn of the assistant to learn from; a
    row that makes no example is an error. Other columns are not written, and other tables are JSON Lines.
    """

    name: ClassVar[str] = "sharegpt"
    suffixes: ClassVar[tuple[str, ...]] = (".sharegpt.jsonl",)

    def spelled(self, turns: list[Turn]) -> dict[str, Any]:
        return {"conversations": [{"from": _FROM[t.role], "value": t.content} for t in turns]}
