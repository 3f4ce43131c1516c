"""The shape of OpenAI's chat completions, which most servers speak: questions, answers, embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from synthwright.core.chat import Finish, Reply, Request, Vectors
from synthwright.kit.chat.schema_dialects import strict, told

Structured = Literal["schema", "object", "none"]
_FINISH: dict[Any, Finish] = {"length": "length", "content_filter": "refused"}
"""How an answer may end; else it has said all."""


def messages(request: Request) -> list[dict[str, str]]:
    """Return the turns of a request."""
    return [{"role": m.role, "content": m.text} for m in request.messages]


def formed(request: Request, structured: Structured) -> tuple[Request, dict[str, Any] | None]:
    """Return the request and its response format, by how much of it the server takes."""
    if request.form is None:
        return request, None
    if structured == "schema":
        form: dict[str, Any] = {"name": "answer", "schema": request.form}
        if strict(request.form):
            form["strict"] = True
        return request, {"type": "json_schema", "json_schema": form}
    return told(request), {"type": "json_object"} if structured == "object" else None


def reply(said: Mapping[str, Any]) -> Reply:
    """Return what an answer says; a KeyError, TypeError … where it has another shape."""
    choice = said["choices"][0]
    turn = choice["message"]
    text, refusal = turn.get("content"), turn.get("refusal")
    if isinstance(text, list):
        text = "".join(part["text"] for part in text if part.get("type", "text") == "text")
    finish = _FINISH.get(choice.get("finish_reason"), "stop")
    if refusal and not text:
        text, finish = refusal, "refused"
    if not isinstance(text, str | None):
        raise TypeError("text")
    used = said.get("usage") or {}
    return Reply(text or "", finish, tokens(used, "prompt_tokens"), tokens(used, "completion_tokens"))


def vectors(said: Mapping[str, Any]) -> Vectors:
    """Return the embeddings of an answer, in the order of the texts."""
    rows = sorted(said["data"], key=lambda row: row.get("index", 0))
    return Vectors([[float(x) for x in row["embedding"]] for row in rows],
                   tokens(said.get("usage") or {}, "prompt_tokens"))  # fmt: skip


def tokens(used: Mapping[str, Any], *words: str) -> int:
    """Return the tokens under some words of a usage object, added up; what is no count is none."""
    counts = (used.get(word) for word in words)
    return sum(c for c in counts if isinstance(c, int) and c > 0)
