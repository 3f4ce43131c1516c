"""A language model behind HTTP: one session for an endpoint, JSON there and back, asked once.

A provider of such an endpoint says what to send and how to read the answer; connections, limits, faults and the key
are dealt with here.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, model_validator
from pydantic import Field as Setting

from synthwright.core.chat import Chat, ModelError, NoReply, Provider, Reply, Request, Vectors
from synthwright.core.spec import ACCESS, PACE
from synthwright.kit.chat.endpoints import Endpoint, Guard
from synthwright.kit.chat.refusals import About, malformed, refusal
from synthwright.kit.chat.secrets import Secret, exposed

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver
    from yarl import URL

LARGEST = 8_000_000
"""The most bytes of an answer."""
LARGEST_VECTORS = 100_000_000
"""The most bytes of an answer that holds embeddings."""
_NO_ANSWER = (KeyError, IndexError, TypeError, AttributeError, ValueError)
"""What reading an answer of another shape raises."""


class Hosted(Provider, ABC):
    """A provider that is asked over HTTP."""

    model_config = ConfigDict(hide_input_in_errors=True)

    model: str = Setting(min_length=1, max_length=200)
    """What the endpoint calls the model."""
    url: str
    """Where the endpoint is; nothing else is ever asked, and redirects are not followed."""
    key: str | None = None
    """The environment variable that holds the key. Nothing: the usual one where `url` is the provider's own, else no
    key is sent."""
    allow_private: bool = False
    """Whether `url` may be on this machine or in a private network."""
    body: dict[str, Any] = Setting(default_factory=dict)
    """Further parameters of every question, sent as they are."""

    pace: ClassVar[tuple[str, ...]] = (*PACE, *ACCESS)
    usual_key: ClassVar[str] = ""
    """The variable that usually holds the key of the provider's own endpoint."""
    ours: ClassVar[frozenset[str]] = frozenset({"messages", "model", "stream"})
    """Words of a question that `body` may not say."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_in_sight(cls, said: Any) -> Any:
        """Refuse what looks like a key without repeating it: only a whole mapping is never shown."""
        fault = exposed(said, cls.usual_key)
        if fault:
            raise ValueError(fault)
        return said

    @model_validator(mode="after")
    def _allowed(self) -> Hosted:
        fault = self.guard.fault(self.endpoint)
        if fault:
            raise ValueError(fault)
        taken = sorted(self.ours & set(self.body))
        if taken:
            raise ValueError(f"'body' may not say {taken[0]!r}: it is said already")
        return self

    @property
    def endpoint(self) -> Endpoint:
        """The server that may be asked."""
        return Endpoint.of(self.url)

    @property
    def key_name(self) -> str | None:
        """The variable that holds the key, if one is sent."""
        home = type(self).model_fields["url"].default
        return self.key or (self.usual_key if home and self.endpoint == Endpoint.of(home) else None)

    @property
    def guard(self) -> Guard:
        """Which addresses may be connected to."""
        return Guard(self.allow_private, self.key_name is not None and self.endpoint.scheme == "http")

    def connect(self) -> Chat:
        try:
            import aiohttp  # noqa: F401
        except ImportError:
            raise ModelError(self.name, "the package aiohttp", wanted="it installed", got="nothing",
                             remedy="pip install aiohttp") from None  # fmt: skip
        return HttpChat(self, self.secret())

    def secret(self) -> Secret | None:
        """Return the key, if one is sent; a ModelError where it is missing."""
        if self.key_name is None:
            return None
        own = "model: qwen3:8b, url: 'http://localhost:11434/v1', allow_private: true"
        remedy = ("Set it, or ask a server of your own; --dry-run shows the first prompts without either:\n"
                  f"  export {self.key_name}=…\n"
                  f"  ollama serve, or vllm serve    with {{use: openai, with: {{{own}}}}}")  # fmt: skip
        return Secret.of(self.key_name, self.name, remedy)

    @abstractmethod
    def headers(self, key: str) -> dict[str, str]:
        """Return the headers of every question; `key` is empty where there is none."""

    @abstractmethod
    def question(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Return the path below `url`, and what is sent."""

    @abstractmethod
    def answer(self, said: Any, request: Request) -> Reply:
        """Return what an answer says; a KeyError, TypeError … where it has another shape."""

    def texts(self, texts: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """Return the path below `url`, and what is sent, for embeddings."""
        raise NoReply(f"{self.name} has no embeddings: name another model for them", fatal=True)

    def vectors(self, said: Any) -> Vectors:
        """Return the embeddings that an answer holds; a KeyError, TypeError … where it has another shape."""
        raise NotImplementedError


class HttpChat:
    """A connected endpoint.

    Args:
        provider: what to send, and how to read what comes.
        secret: the key, if one is sent.
        resolver: resolves names; nothing: as the machine does.
    """

    def __init__(self, provider: Hosted, secret: Secret | None, resolver: AbstractResolver | None = None) -> None:
        self.provider, self._secret, self._resolver = provider, secret, resolver
        self.about = About(str(provider.endpoint), provider.model, provider.key_name)
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    async def reply(self, request: Request) -> Reply:
        """Return the answer; NoReply where there is none."""
        path, body = self.provider.question(request)
        said = await self.post(path, body)
        try:
            found = self.provider.answer(said, request)
        except _NO_ANSWER:
            found = None
        if found is None:
            raise malformed("JSON of another shape than its protocol has", self.about)
        return found._replace(text=whole(found.text))

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an embedding of each text; NoReply where there is none."""
        if not texts:
            return Vectors([])
        path, body = self.provider.texts(texts)
        said = await self.post(path, body, LARGEST_VECTORS)
        try:
            found = self.provider.vectors(said)
            sound = len(found.rows) == len(texts) and even(found.rows)
        except _NO_ANSWER:
            sound = False
        if not sound:
            raise malformed("no list of numbers for each text", self.about)
        return found

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, path: str, body: Mapping[str, Any], most: int = LARGEST) -> dict[str, Any]:
        """Send JSON to a path below the endpoint and return the JSON object that it answers, without the key.

        Raises:
            NoReply: there is none, whatever the cause.
        """
        import aiohttp

        from synthwright.kit.chat.connecting import broken, read

        session = self._session or self._open()
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        problem: NoReply | None = None
        try:
            async with session.post(self._urls.get(path) or self._at(path), data=data, allow_redirects=False) as answer:
                raw = await read(answer, most)
                status, headers = answer.status, answer.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = broken(error, self.about, local=self.provider.allow_private)
        if problem is not None:  # raised here, so that nothing of the failed request hangs on to it
            raise problem
        raw = self._scrubbed(raw)
        if not 200 <= status < 300:
            raise refusal(status, headers, raw, self.about)
        return self._parsed(raw, headers)

    def _open(self) -> aiohttp.ClientSession:
        """Open the session, in the loop that asks."""
        from synthwright.kit.chat.connecting import connector, session

        key = self._secret.reveal() if self._secret else ""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity",
                   "User-Agent": "synthwright"} | self.provider.headers(key)  # fmt: skip
        by = connector(self.provider.endpoint, self.provider.guard, self.provider.in_flight, self._resolver)
        self._session = session(self.provider.seconds, headers, by)
        return self._session

    def _at(self, path: str) -> URL:
        """Return the address of a path, made once."""
        from yarl import URL

        self._urls[path] = URL(self.about.url + path, encoded=True)
        return self._urls[path]

    def _scrubbed(self, raw: bytes) -> bytes:
        """Return an answer without the key, should the endpoint repeat it."""
        if self._secret is None:
            return raw
        key = self._secret.reveal().encode()
        if key not in raw and key.lower() not in raw.lower():
            return raw
        return self._secret.scrub(raw.decode(errors="replace")).encode()

    def _parsed(self, raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON object that an answer is; NoReply where it is none."""
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            what = ("nothing" if not raw.strip() else "a web page" if raw.lstrip()[:1] == b"<" else
                    "JSON that is no object" if said is not None else "half a JSON, or none")  # fmt: skip
            raise malformed(what, self.about)
        error = said.get("error")
        if error and len(said) <= 3:
            code = error.get("code") if isinstance(error, dict) else None
            raise refusal(code if isinstance(code, int) and 400 <= code < 600 else 502, headers, raw, self.about)
        return said


def whole(text: str) -> str:
    """Return a text that can be written: halves of surrogate pairs, which JSON can spell, are replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def even(rows: list[list[float]]) -> bool:
    """Return whether rows are as long as each other, and finite."""
    return len({len(r) for r in rows}) == 1 and bool(rows[0]) and all(math.isfinite(sum(r)) for r in rows)
