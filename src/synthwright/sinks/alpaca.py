"""Instructions and outputs in the form of Alpaca, in JSON Lines."""

from __future__ import annotations

from typing import Any, ClassVar

from synthwright.sinks.conversational import ANSWERS
from synthwright.sinks.training import Row, Training


class Alpaca(Training):
    """Write `{"instruction":…,"input":…,"output":…}` for each row; other tables as JSON Lines.

    `input` is empty where there is none; a row without instruction or output is an error. Other columns are not
    written.
    """

    name: ClassVar[str] = "alpaca"
    suffixes: ClassVar[tuple[str, ...]] = (".alpaca.jsonl",)
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("instruction", "output"),)
    beside: ClassVar[tuple[str, ...]] = ("input",)
    usual: ClassVar[dict[str, tuple[str, ...]]] = {
        "instruction": ("instruction", "prompt", "question", "user", "input", "query"),
        "output": ("output", *(a for a in ANSWERS if a != "output")),
        "input": ("input", "context"),
    }

    instruction: str = ""
    """The column of what is to be done; nothing: one with a usual name, such as `instruction` or `prompt`."""
    input: str = ""
    """The column of what it is to be done with; nothing: `input` or `context`, where a table has it."""
    output: str = ""
    """The column of what comes of it; nothing: one with a usual name, such as `output` or `answer`."""

    def said(self) -> dict[str, str]:
        return {"instruction": self.instruction, "input": self.input, "output": self.output}

    def example(self, row: Row) -> dict[str, Any]:
        return {"instruction": row["instruction"], "input": row.get("input") or "", "output": row["output"]}
