"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp, LM Studio, gateways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field as Setting

from synthwright.core.chat import Reply, Request, Vectors
from synthwright.kit.chat import openai_shape
from synthwright.kit.chat.http_chat import Hosted
from synthwright.kit.chat.openai_shape import Structured

_HOME = "https://api.openai.com/v1"


class OpenAI(Hosted):
    """Any server that speaks OpenAI's chat completions, by its `url`: OpenAI, vLLM, Ollama, llama.cpp, LM Studio.

    ```yaml
    models:
      writer: {use: openai, with: {model: gpt-5-mini, key: OPENAI_API_KEY}}
      local: {use: openai, with: {model: qwen3:8b, url: 'http://localhost:11434/v1', allow_private: true}}
    ```
    """

    name: ClassVar[str] = "openai"
    usual_key: ClassVar[str] = "OPENAI_API_KEY"
    ours: ClassVar[frozenset[str]] = frozenset({"messages", "model", "stream", "n", "response_format"})

    url: str = _HOME
    """Where the server is, up to `/v1`; nothing else is ever asked, and redirects are not followed."""
    structured: Structured = "schema"
    """What the server takes where an answer must be JSON: schema, the JSON Schema; object, that it be JSON, the schema
    is told in words; none, words alone."""
    seed: int | None = Setting(default=None, ge=0, le=2**63 - 1)
    """The seed that the server draws by; equal questions then have equal answers, where the server keeps to it."""
    dimensions: int | None = Setting(default=None, ge=1, le=100_000)
    """How many numbers an embedding has; nothing: what the model makes."""

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def question(self, request: Request) -> tuple[str, dict[str, Any]]:
        request, form = openai_shape.formed(request, self.structured)
        said: dict[str, Any] = {"model": self.model, "messages": openai_shape.messages(request)}
        tokens = request.tokens or self.tokens
        if tokens is not None:  # OpenAI's newer models refuse the older word, other servers do not know the newer one
            said["max_completion_tokens" if self.url.startswith(_HOME) else "max_tokens"] = tokens
        temperature = self.temperature if request.temperature is None else request.temperature
        more = {"temperature": temperature, "seed": self.seed, "response_format": form}
        said |= {word: value for word, value in more.items() if value is not None}
        return "/chat/completions", said | self.body

    def answer(self, said: Any, request: Request) -> Reply:
        return openai_shape.reply(said)

    def texts(self, texts: Sequence[str]) -> tuple[str, dict[str, Any]]:
        said: dict[str, Any] = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        return "/embeddings", said | ({"dimensions": self.dimensions} if self.dimensions else {})

    def vectors(self, said: Any) -> Vectors:
        return openai_shape.vectors(said)
