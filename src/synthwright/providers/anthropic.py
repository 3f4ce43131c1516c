"""Anthropic's own protocol: messages, with the system's words apart."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from pydantic import Field as Setting

from synthwright.core.chat import Finish, Reply, Request
from synthwright.kit.chat.http_chat import Hosted
from synthwright.kit.chat.openai_shape import tokens
from synthwright.kit.chat.schema_dialects import closed, told

_TOOL = "answer"
_FINISH: dict[Any, Finish] = {"max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "refused"}
"""How an answer may end; else it has said all."""


class Anthropic(Hosted):
    """Anthropic's models, by their own protocol. There are no embeddings.

    ```yaml
    models: {judge: {use: anthropic, with: {model: claude-sonnet-4-5, key: ANTHROPIC_API_KEY, tokens: 2000}}}
    ```
    """

    name: ClassVar[str] = "anthropic"
    usual_key: ClassVar[str] = "ANTHROPIC_API_KEY"
    ours: ClassVar[frozenset[str]] = frozenset({"messages", "model", "stream", "system", "tools", "tool_choice"})

    url: str = "https://api.anthropic.com"
    """Where the endpoint is, up to `/v1`; nothing else is ever asked, and redirects are not followed."""
    tokens: int | None = Setting(default=4096, ge=1, le=1_000_000)
    """The most tokens of an answer; the protocol wants a number."""
    structured: Literal["schema", "tool", "none"] = "schema"
    """How an answer that must be JSON is asked for: schema, by its JSON Schema, with bounds told in words; tool, as
    what a tool is given, for older models; none, by words alone."""

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})

    def question(self, request: Request) -> tuple[str, dict[str, Any]]:
        request = told(request) if self.structured == "none" else request
        turns = [{"role": m.role, "content": m.text} for m in request.messages if m.role != "system"]
        said: dict[str, Any] = {"model": self.model, "messages": turns,
                                "max_tokens": request.tokens or self.tokens or 4096}  # fmt: skip
        system = "\n\n".join(m.text for m in request.messages if m.role == "system")
        temperature = self.temperature if request.temperature is None else request.temperature
        more = {"system": system or None, "temperature": temperature}
        said |= {word: value for word, value in more.items() if value is not None} | self.body
        if request.form is not None and self.structured == "schema":
            format_ = {"type": "json_schema", "schema": closed(request.form)}
            said["output_config"] = {**said.get("output_config", {}), "format": format_}
        elif request.form is not None and self.structured == "tool":
            said["tools"] = [{"name": _TOOL, "description": "Takes the answer.", "input_schema": _held(request.form)}]
            said["tool_choice"] = {"type": "tool", "name": _TOOL}
        return "/v1/messages", said

    def answer(self, said: Any, request: Request) -> Reply:
        used = said.get("usage") or {}
        asked = tokens(used, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        finish = _FINISH.get(said.get("stop_reason"), "stop")
        return Reply(_text(said["content"], request), finish, asked, tokens(used, "output_tokens"))


def _held(form: Any) -> dict[str, Any]:
    """Return a schema that a tool can have: what is no object stands in one."""
    if form.get("type") == "object":
        return dict(form)
    return {"type": "object", "properties": {_TOOL: dict(form)}, "required": [_TOOL]}


def _text(content: list[dict[str, Any]], request: Request) -> str:
    """Return the words of an answer: what the tool was given, or its texts; thoughts are none."""
    for block in content:
        if block["type"] == "tool_use":
            given = block["input"]
            held = request.form is not None and request.form.get("type") != "object"
            return json.dumps(given[_TOOL] if held else given, ensure_ascii=False)
    return "".join(block["text"] for block in content if block["type"] == "text")
