"""Preferences: a prompt with the better and the worse answer, in JSON Lines as TRL reads them."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.kit.prompting.turns import Turn, TurnError, messages
from synthwright.sinks.conversational import QUESTIONS, Conversational, spoken_turns
from synthwright.sinks.training import Row


class Dpo(Conversational):
    """Write `{"prompt":…,"chosen":…,"rejected":…}` for each row; other tables as JSON Lines.

    The three are texts where `prompt` is a column of text. Where the prompt is a conversation (`conversation` or
    `turns`), or `system` says something before it, all three are lists of `{role, content}`, the answers with one turn
    of the assistant. A conversation must end with the user; a row that makes no example is an error. Other columns are
    not written.
    """

    name: ClassVar[str] = "dpo"
    suffixes: ClassVar[tuple[str, ...]] = (".dpo.jsonl",)
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("prompt", "chosen", "rejected"),
        ("conversation", "chosen", "rejected"),
    )
    usual: ClassVar[dict[str, tuple[str, ...]]] = Conversational.usual | {
        "prompt": QUESTIONS,
        "chosen": ("chosen",),
        "rejected": ("rejected",),
    }

    prompt: str = ""
    """The column of what was asked, a text; nothing: one with a usual name, such as `prompt` or `question`."""
    chosen: str = ""
    """The column of the better answer; nothing: `chosen`."""
    rejected: str = ""
    """The column of the worse answer; nothing: `rejected`."""

    def said(self) -> dict[str, str]:
        return super().said() | {"prompt": self.prompt, "chosen": self.chosen, "rejected": self.rejected}

    def example(self, row: Row) -> dict[str, Any]:
        answers = {"chosen": row["chosen"], "rejected": row["rejected"]}
        if "system" not in row and "prompt" in row:
            return {"prompt": row["prompt"]} | answers
        asked = [Turn("user", row["prompt"])] if "prompt" in row else row["conversation"]
        turns = spoken_turns(row | {"conversation": asked})
        if turns[-1].role != "user":
            raise TurnError("whose conversation does not end with the user")
        return {"prompt": messages(turns)} | {
            side: messages([Turn("assistant", text)]) for side, text in answers.items()
        }
