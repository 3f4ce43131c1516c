"""Tools that a simulated agent may call: how they are declared, what the agent answers, and what calls return."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, field_validator
from pydantic import Field as Setting

from synthwright.core.schema import Frozen
from synthwright.kit.prompting import answer_schemas as schemas
from synthwright.kit.prompting.answers import AnswerError, json_of, meeting, text_of, written
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.prompting.turns import Call
from synthwright.kit.prompting.written import JsonSchema

CALL, RESULT = "call-malformed", "result-malformed"
TOOL_REASONS = {
    CALL: "The agent called a tool that it does not have, or with other arguments than the tool takes, also when it "
    "was told so.",
    RESULT: "What a language model wrote as a tool's result was no JSON, or did not meet its schema, also when it was "
    "told so.",
}
"""Why conversations with tools go, by reason code."""
AT_ONCE = 8
"""Calls that one turn may make."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ANY: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


Told = Annotated[str, BeforeValidator(lambda v: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False),
                                      json_schema_input_type=Any)]  # fmt: skip
"""A text, or values that are kept as JSON."""


class Tool(Frozen):
    """A tool that the agent may call."""

    name: str
    """What it is called: letters, digits, `_` and `-`."""
    description: str = ""
    """What it does, for the model."""
    parameters: JsonSchema = Setting(default=_ANY)
    """The JSON Schema of what it is called with, an object. Nothing: it is called with nothing."""
    result: Told | None = None
    """What a call returns: a template over the row's columns, or values. Nothing: the model `world` writes it."""
    returns: JsonSchema | None = None
    """The JSON Schema of the results that `world` writes; nothing: any JSON."""

    @field_validator("name")
    @classmethod
    def _speakable(cls, name: str) -> str:
        if _NAME.fullmatch(name) is None:
            raise ValueError("wanted at most 64 letters, digits, '_' and '-'")
        return name

    @field_validator("parameters", "returns")
    @classmethod
    def _usable(cls, told: dict[str, Any] | None) -> dict[str, Any] | None:
        wrong = schemas.faults(told) if told is not None else []
        if wrong:
            raise ValueError(wrong[0])
        return told

    @field_validator("parameters")
    @classmethod
    def _an_object(cls, told: dict[str, Any]) -> dict[str, Any]:
        if told.get("type") != "object":
            raise ValueError("wanted the schema of an object, `{type: object, properties: {…}}`")
        return told

    @field_validator("result")
    @classmethod
    def _readable(cls, told: str | None) -> str | None:
        if told is not None:
            Prompt.read(told)
        return told

    def declared(self) -> dict[str, Any]:
        """Return what is declared of it, in OpenAI's shape."""
        said = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": said}


class Said(NamedTuple):
    """What an agent's turn is: words, or calls."""

    words: str
    calls: tuple[Call, ...] = ()


def turn_schema(tools: Sequence[Tool], *, calling: bool) -> dict[str, Any]:
    """Return the JSON Schema of an agent's turn.

    Args:
        tools: those that it has.
        calling: whether it may call them in this turn.
    """
    one = [_closed({"name": {"type": "string", "enum": [tool.name]}, "arguments": tool.parameters}) for tool in tools]
    calls = {"type": "array", "maxItems": AT_ONCE, "items": one[0] if len(one) == 1 else {"anyOf": one}}
    say = {"type": "string", "description": "what you say; empty where you call tools"}
    return _closed({"say": say, "calls": calls} if calling else {"say": say})


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties),
            "additionalProperties": False}  # fmt: skip


def told(tools: Sequence[Tool]) -> str:
    """Return the sentences that tell an agent which tools it has, and how it calls them."""
    lines = "\n".join(json.dumps(tool.declared()["function"], ensure_ascii=False) for tool in tools)
    return (
        "You can call these tools; what they return is told to you before you say anything:\n"
        f"{lines}\n"
        'Answer with only JSON: {"say": "your words", "calls": []} to say something, or {"say": "", "calls": '
        '[{"name": "a tool", "arguments": {}}]} to call tools. Never say what a tool returns before it did.'
    )


def shown(said: Said) -> str:
    """Return a turn as the agent is to write it."""
    calls = [{"name": c.name, "arguments": json.loads(c.arguments)} for c in said.calls]
    return json.dumps({"say": said.words, "calls": calls}, ensure_ascii=False)


def turn_of(answer: str, tools: Mapping[str, Tool], *, calling: bool) -> Said:
    """Return what an agent's turn is; an answer without any JSON is what it says.

    What it says beside calls is left out: it has not seen yet what they return.

    Raises:
        AnswerError: it is no such JSON, names another tool, or calls one with what it does not take.
    """
    if "{" not in answer:
        return Said(text_of(answer))
    wanted = 'only {"say": "…", "calls": []}, or calls of the tools that you have' if calling else 'only {"say": "…"}'
    try:
        value = json_of(answer)
    except AnswerError as error:
        raise _wrong(error.why, wanted) from None
    if not isinstance(value, dict) or not value.keys() <= {"say", "calls"}:
        raise _wrong("it is no object of 'say' and 'calls'", wanted)
    words, calls = value.get("say") or "", value.get("calls") or []
    if not isinstance(words, str) or not isinstance(calls, list):
        raise _wrong("'say' is no text, or 'calls' no list", wanted)
    if calls and not calling:
        raise _wrong("you cannot call more tools in this turn", wanted)
    if len(calls) > AT_ONCE:
        raise _wrong(f"more than {AT_ONCE} calls at once", wanted)
    if calls:
        return Said("", tuple(_call(one, tools, wanted) for one in calls))
    return Said(text_of(written(words)))


def _call(said: Any, tools: Mapping[str, Tool], wanted: str) -> Call:
    if not isinstance(said, dict) or not said.keys() <= {"name", "arguments"} or not isinstance(said.get("name"), str):
        raise _wrong("a call is no object of 'name' and 'arguments'", wanted)
    name, arguments = said["name"], said.get("arguments", {})
    if name not in tools:
        raise _wrong(f"there is no tool {name[:80]!r}, only {', '.join(map(repr, tools))}", wanted)
    try:
        arguments = json_of(arguments) if isinstance(arguments, str) else arguments
        held = meeting(arguments, tools[name].parameters)
        return Call("", name, written(json.dumps(held, ensure_ascii=False)))
    except AnswerError as error:
        raise _wrong(f"the arguments of {name!r} cannot be used: {error.why}", wanted) from None


def result_of(answer: str, tool: Tool) -> str:
    """Return what a tool returns, as JSON.

    Raises:
        AnswerError: it is no JSON, or does not meet the schema of the tool's results.
    """
    try:
        value = json_of(answer)
        value = value if tool.returns is None else meeting(value, tool.returns)
        return written(json.dumps(value, ensure_ascii=False))
    except AnswerError as error:
        wanted = "only the result, as JSON" + (" that meets the schema" if tool.returns is not None else "")
        raise AnswerError(RESULT, error.why, _again(error.why, wanted)) from None


def _wrong(why: str, wanted: str) -> AnswerError:
    return AnswerError(CALL, why, _again(why, wanted))


def _again(why: str, wanted: str) -> str:
    return f"Your answer cannot be used: {why}. Answer again, with {wanted}."
