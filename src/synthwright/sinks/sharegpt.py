"""Conversations in the form of ShareGPT, in JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from synthwright.kit.prompting.turns import Turn, TurnError
from synthwright.sinks.conversational import Answered

_FROM = {"user": "human", "assistant": "gpt", "system": "system"}


class Sharegpt(Answered):
    """Write `{"conversations":[{"from":"human","value":…},{"from":"gpt",…}]}` for each row.

    A row is a conversation by a column of JSON (`conversation`), by two columns (`user` and `assistant`), or by the
    rows of another table that refer to it (`turns`). Every conversation needs a turn of the assistant to learn from; a
    row that makes no example is an error. Calls of tools are turns `from` `function_call`, a JSON object or a list of
    several, and results are from `observation`; a turn cannot both say something and call a tool. What a column of
    `tools` declares stands beside, as text. Other columns are not written, and other tables are JSON Lines.
    """

    name: ClassVar[str] = "sharegpt"
    suffixes: ClassVar[tuple[str, ...]] = (".sharegpt.jsonl",)

    def spelled(self, turns: list[Turn]) -> dict[str, Any]:
        return {"conversations": list(_turns(turns))}

    def declared(self, tools: list[dict[str, Any]]) -> str:
        return json.dumps([tool["function"] for tool in tools], ensure_ascii=False)


def _turns(turns: Iterable[Turn]) -> Iterator[dict[str, str]]:
    """Yield turns, the results of calls that were made together as one, so that the sides still take turns."""
    results: list[str] = []
    for t in turns:
        if t.role == "tool":
            results.append(t.content)
            continue
        if results:
            yield _observed(results)
            results = []
        if t.calls and t.content.strip():
            raise TurnError("with a turn that says something and calls a tool")
        yield {"from": "function_call", "value": _calls(t)} if t.calls else {"from": _FROM[t.role], "value": t.content}
    if results:
        yield _observed(results)


def _calls(turn: Turn) -> str:
    said = [{"name": c.name, "arguments": json.loads(c.arguments)} for c in turn.calls]
    return json.dumps(said[0] if len(said) == 1 else said, ensure_ascii=False)


def _observed(results: list[str]) -> dict[str, str]:
    value = results[0] if len(results) == 1 else json.dumps([_value(r) for r in results], ensure_ascii=False)
    return {"from": "observation", "value": value}


def _value(text: str) -> Any:
    """Return what a result says as JSON; where it is none, the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
