"""Google's own protocol: generateContent, and embeddings in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field as Setting

from synthwright.core.chat import Finish, Reply, Request, Vectors
from synthwright.kit.chat.http_chat import Hosted
from synthwright.kit.chat.openai_shape import tokens
from synthwright.kit.chat.schema_dialects import openapi, told

_FINISH: dict[Any, Finish] = {
    "MAX_TOKENS": "length", "SAFETY": "refused", "RECITATION": "refused", "BLOCKLIST": "refused", "SPII": "refused",
    "PROHIBITED_CONTENT": "refused", "LANGUAGE": "refused", "IMAGE_SAFETY": "refused",
}  # fmt: skip
"""How an answer may end; else it has said all."""


class Google(Hosted):
    """Google's models, by the protocol of the Gemini API.

    ```yaml
    models: {writer: {use: google, with: {model: gemini-2.5-flash, key: GEMINI_API_KEY}}}
    ```
    """

    name: ClassVar[str] = "google"
    usual_key: ClassVar[str] = "GEMINI_API_KEY"
    ours: ClassVar[frozenset[str]] = frozenset({"contents", "model", "systemInstruction"})

    url: str = "https://generativelanguage.googleapis.com/v1beta"
    """Where the endpoint is, with its version; nothing else is ever asked, and redirects are not followed."""
    structured: Literal["schema", "openapi", "none"] = "schema"
    """How an answer that must be JSON is asked for: schema, by its JSON Schema; openapi, by Google's own kind of it,
    for older models; none, by words alone."""
    seed: int | None = Setting(default=None, ge=0, le=2**31 - 1)
    """The seed that the server draws by; equal questions then have nearly equal answers."""
    dimensions: int | None = Setting(default=None, ge=1, le=100_000)
    """How many numbers an embedding has; nothing: what the model makes."""

    def headers(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key} if key else {}

    def question(self, request: Request) -> tuple[str, dict[str, Any]]:
        request = told(request) if self.structured == "none" else request
        turns = [{"role": "model" if m.role == "assistant" else "user", "parts": [{"text": m.text}]}
                 for m in request.messages if m.role != "system"]  # fmt: skip
        said: dict[str, Any] = {"contents": turns}
        if system := [{"text": m.text} for m in request.messages if m.role == "system"]:
            said["systemInstruction"] = {"parts": system}
        temperature = self.temperature if request.temperature is None else request.temperature
        more = {"temperature": temperature, "maxOutputTokens": request.tokens or self.tokens, "seed": self.seed}
        settings: dict[str, Any] = {word: value for word, value in more.items() if value is not None}
        if request.form is not None and self.structured != "none":
            settings["responseMimeType"] = "application/json"
            if self.structured == "schema":
                settings["responseJsonSchema"] = request.form
            else:
                settings["responseSchema"] = openapi(request.form)
        settings |= self.body.get("generationConfig", {})
        said |= {word: value for word, value in self.body.items() if word != "generationConfig"}
        return f"/{self._path()}:generateContent", said | ({"generationConfig": settings} if settings else {})

    def answer(self, said: Any, request: Request) -> Reply:
        used = said.get("usageMetadata") or {}
        counts = tokens(used, "promptTokenCount"), tokens(used, "candidatesTokenCount", "thoughtsTokenCount")
        if not said.get("candidates"):
            said["promptFeedback"]["blockReason"]  # else it is no answer
            return Reply("", "refused", *counts)
        first = said["candidates"][0]
        parts = (first.get("content") or {}).get("parts") or []
        text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
        return Reply(text, _FINISH.get(first.get("finishReason"), "stop"), *counts)

    def texts(self, texts: Sequence[str]) -> tuple[str, dict[str, Any]]:
        path = self._path()
        more = {"outputDimensionality": self.dimensions} if self.dimensions else {}
        one = [{"model": path, "content": {"parts": [{"text": text}]}} | more for text in texts]
        return f"/{path}:batchEmbedContents", {"requests": one}

    def vectors(self, said: Any) -> Vectors:
        rows = [[float(x) for x in one["values"]] for one in said["embeddings"]]
        return Vectors(rows, tokens(said.get("usageMetadata") or {}, "promptTokenCount"))

    def _path(self) -> str:
        """Return the model as a path names it."""
        model = self.model if "/" in self.model else f"models/{self.model}"
        return "/".join(quote(step, safe="") for step in model.split("/"))
