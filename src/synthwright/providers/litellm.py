"""Any model that the library litellm knows: an extra, for endpoints that speak none of our own protocols."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator
from pydantic import Field as Setting

from synthwright.core.chat import Chat, ModelError, NoReply, Provider, Reply, Request, Vectors
from synthwright.core.spec import ACCESS, PACE
from synthwright.kit.chat import openai_shape
from synthwright.kit.chat.endpoints import Endpoint, Guard
from synthwright.kit.chat.http_chat import even, whole
from synthwright.kit.chat.openai_shape import Structured
from synthwright.kit.chat.refusals import REFUSED, About, malformed, refusal
from synthwright.kit.chat.secrets import Secret, exposed

_KEYS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
"""How variables end that the library may read keys from."""


class LiteLLM(Provider):
    """Any model that the library litellm knows, for endpoints without a protocol of their own here.

    The library makes its own connections: where a `url` leads is looked at before the first question, and not again.
    Prefer `openai`, `anthropic` or `google` where they will do.

    ```yaml
    models: {writer: {use: litellm, with: {model: bedrock/amazon.nova-lite-v1:0}}}
    ```
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    name: ClassVar[str] = "litellm"
    pace: ClassVar[tuple[str, ...]] = (*PACE, *ACCESS)

    model: str = Setting(min_length=1, max_length=200)
    """What the library calls the model: `provider/name`."""
    url: str | None = None
    """Where the endpoint is; nothing: where the library knows it to be."""
    key: str | None = None
    """The environment variable that holds the key; nothing: the one that the library reads for that provider."""
    allow_private: bool = False
    """Whether `url` may be on this machine or in a private network."""
    structured: Structured = "schema"
    """What the endpoint takes where an answer must be JSON: schema, the JSON Schema; object, that it be JSON, the
    schema is told in words; none, words alone."""
    seed: int | None = Setting(default=None, ge=0, le=2**63 - 1)
    """The seed that the server draws by; equal questions then have equal answers, where the server keeps to it."""
    dimensions: int | None = Setting(default=None, ge=1, le=100_000)
    """How many numbers an embedding has; nothing: what the model makes."""
    body: dict[str, Any] = Setting(default_factory=dict)
    """Further parameters of every question, as the library takes them."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_in_sight(cls, said: Any) -> Any:
        fault = exposed(said, "MISTRAL_API_KEY")
        if fault:
            raise ValueError(fault)
        return said

    @model_validator(mode="after")
    def _allowed(self) -> LiteLLM:
        if self.url is not None:
            endpoint = Endpoint.of(self.url)
            if fault := self.guard(endpoint).fault(endpoint):
                raise ValueError(fault)
        return self

    def guard(self, endpoint: Endpoint) -> Guard:
        """Return which addresses may be connected to."""
        return Guard(self.allow_private, self.key is not None and endpoint.scheme == "http")

    def connect(self) -> Chat:
        # It would fetch a price list when imported, and read a file of secrets in the folder.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
        try:
            import litellm
        except ImportError:
            raise ModelError(self.name, "the package litellm", wanted="it installed", got="nothing",
                             remedy="It is an extra:\n  pip install 'synthwright[litellm]'") from None  # fmt: skip
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        remedy = f"Set it:\n  export {self.key}=…"
        return LibraryChat(self, litellm, Secret.of(self.key, self.name, remedy) if self.key else None)


class LibraryChat:
    """A model that is asked through a library."""

    def __init__(self, provider: LiteLLM, library: Any, secret: Secret | None) -> None:
        self.provider, self._library, self._secret = provider, library, secret
        self._about = About(provider.url or provider.model, provider.model, provider.key)
        self._looked = provider.url is None

    async def reply(self, request: Request) -> Reply:
        """Return the answer; NoReply where there is none."""
        asked = self.provider
        request, form = openai_shape.formed(request, asked.structured)
        temperature = asked.temperature if request.temperature is None else request.temperature
        more = {"temperature": temperature, "max_tokens": request.tokens or asked.tokens, "seed": asked.seed,
                "response_format": form}  # fmt: skip
        said = await self._ask(
            self._library.acompletion,
            {"messages": openai_shape.messages(request)} | {w: v for w, v in more.items() if v is not None},
        )
        try:
            found = openai_shape.reply(said)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            raise malformed("something of another shape than its protocol has", self._about) from None
        return found._replace(text=self._scrub(whole(found.text)))

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an embedding of each text; NoReply where there is none."""
        if not texts:
            return Vectors([])
        more = {"dimensions": self.provider.dimensions} if self.provider.dimensions else {}
        said = await self._ask(self._library.aembedding, {"input": list(texts)} | more)
        try:
            found = openai_shape.vectors(said)
            sound = len(found.rows) == len(texts) and even(found.rows)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            sound = False
        if not sound:
            raise malformed("no list of numbers for each text", self._about)
        return found

    async def close(self) -> None:
        """Close what the library has open, where it can."""
        closing = getattr(self._library, "close_litellm_async_clients", None)
        if closing is not None:
            await closing()

    async def _ask(self, call: Any, said: Mapping[str, Any]) -> Any:
        """Ask once, and return the answer as data."""
        if not self._looked:
            await self._look()
        asked = self.provider
        more = {"api_base": asked.url, "api_key": self._secret.reveal() if self._secret else None}
        problem: NoReply | None = None
        try:
            answer = await asyncio.wait_for(
                call(model=asked.model, timeout=asked.seconds, num_retries=0, max_retries=0, **said,
                     **{word: value for word, value in more.items() if value is not None}, **asked.body),
                asked.seconds,
            )  # fmt: skip
        except TimeoutError:
            problem = NoReply(f"{self._about.url} did not answer in time", again=True)
        except Exception as error:  # noqa: BLE001  the library raises what its many endpoints' libraries raise
            problem = self._problem(error)
        if problem is not None:  # raised here, so that nothing of the failed request hangs on to it
            raise problem
        return answer.model_dump() if hasattr(answer, "model_dump") else answer

    async def _look(self) -> None:
        """Look at where the endpoint's name leads."""
        endpoint = Endpoint.of(self.provider.url or "")
        guard = self.provider.guard(endpoint)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                endpoint.host, endpoint.port, type=socket.SOCK_STREAM
            )  # fmt: skip
        except OSError:
            raise NoReply(f"{endpoint}: the name of the host was not found", again=True) from None
        for *_, (address, *_rest) in found:
            if fault := guard.refused(str(address)):
                raise NoReply(f"{endpoint} may not be asked: {fault}", fatal=True)
        self._looked = True

    def _problem(self, error: Exception) -> NoReply:
        """Return what an exception of the library means."""
        text = self._scrub(str(error))
        if type(error).__name__ == "ContentPolicyViolationError":
            return NoReply(f"{self._about.url}: its filter withheld the answer", REFUSED)
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or not 400 <= status < 600:
            return NoReply(f"{self._about.url}: {type(error).__name__}: {text[:300]}", again=True)
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        body = {"error": {"message": text, "code": str(getattr(error, "code", None) or "")}}
        return refusal(status, headers, json.dumps(body).encode(), self._about)

    def _scrub(self, text: str) -> str:
        """Return a text without the key, and without any other that the library may have read."""
        for name, value in os.environ.items():
            if name.endswith(_KEYS) and value.strip():
                text = Secret(name, value.strip()).scrub(text)
        return self._secret.scrub(text) if self._secret else text
