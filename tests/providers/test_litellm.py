"""The library litellm is an extra: a stand-in shows what it is told and what becomes of what it does."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from synthwright.core.chat import ModelError, NoReply, Reply, Request
from synthwright.providers.litellm import LiteLLM

CANARY = "canary-9b1d5577aa"
ANSWER = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 4, "completion_tokens": 2}}  # fmt: skip


class Answer:
    """What the library returns."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def model_dump(self) -> Any:
        """Return it as data."""
        return self.said


class Library(ModuleType):
    """Stands in for the library."""

    def __init__(self) -> None:
        super().__init__("litellm")
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.said: Any = ANSWER
        self.telemetry, self.closed, self.seconds = True, False, 0.0

    async def acompletion(self, **said: Any) -> Answer:
        """Answer, or raise."""
        self.calls.append(said)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return Answer(self.said)

    aembedding = acompletion

    async def close_litellm_async_clients(self) -> None:
        """Close."""
        self.closed = True


class LibraryError(Exception):
    """What the library raises."""

    def __init__(self, status: int | None, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status_code, self.response = status, SimpleNamespace(headers=headers or {})


class ContentPolicyViolationError(LibraryError):
    """What the library raises where a filter withheld an answer."""


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Put the stand-in where the library would be."""
    for name in ("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_MODE"):
        monkeypatch.setenv(name, "before")
        monkeypatch.delenv(name)
    found = Library()
    monkeypatch.setitem(sys.modules, "litellm", found)
    monkeypatch.setenv("CANARY_KEY", CANARY)
    return found


def came(provider: LiteLLM, request: Request | None = None, texts: list[str] | None = None) -> Any:
    """Return what came of asking once."""

    async def work() -> Any:
        chat = provider.connect()
        try:
            return await (chat.embed(texts) if texts else chat.reply(request or Request.of("Hi")))
        except NoReply as problem:
            return problem
        finally:
            await chat.close()

    return asyncio.run(work())


def test_it_asks_through_the_library(library: Library) -> None:
    """The library is told the model, the turns, the limits and the key, and not to try again by itself."""
    provider = LiteLLM(model="mistral/small", key="CANARY_KEY", temperature=0.1, tokens=5, body={"top_p": 0.3})
    form = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert came(provider, Request.of("Hi", form=form)) == Reply("Hello", "stop", 4, 2)
    (call,) = library.calls
    assert call.pop("response_format")["json_schema"]["schema"] == form
    assert call == {
        "model": "mistral/small", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.1, "max_tokens": 5,
        "top_p": 0.3, "api_key": CANARY, "timeout": 120, "num_retries": 0, "max_retries": 0,
    }  # fmt: skip
    assert library.closed


def test_it_reports_to_nobody(library: Library) -> None:
    """The library fetches no price list, reads no file of secrets and sends no telemetry."""
    LiteLLM(model="m").connect()
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert os.environ["LITELLM_MODE"] == "PRODUCTION"
    assert library.telemetry is False


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package there is no connection, and the line that installs it is told."""
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(ModelError, match=r"pip install 'synthwright\[litellm\]'"):
        LiteLLM(model="m").connect()


@pytest.mark.parametrize(("error", "code", "again", "fatal", "busy"), [
    (LibraryError(401, f"bad key {CANARY}"), "no-reply", False, True, False),
    (LibraryError(404, "no such model"), "no-reply", False, True, False),
    (LibraryError(400, f"bad request {CANARY}"), "no-reply", False, False, False),
    (LibraryError(429, f"slow down {CANARY}", {"Retry-After": "3"}), "no-reply", True, False, True),
    (LibraryError(500, "broken"), "no-reply", True, False, False),
    (LibraryError(None, f"odd {CANARY}"), "no-reply", True, False, False),
    (ValueError(f"odd {CANARY}"), "no-reply", True, False, False),
    (ContentPolicyViolationError(400, "filtered"), "reply-refused", False, False, False),
])  # fmt: skip
def test_errors(library: Library, error: Exception, code: str, *, again: bool, fatal: bool, busy: bool) -> None:
    """What the library raises becomes a reason, without the key."""
    library.error = error
    problem = came(LiteLLM(model="m", key="CANARY_KEY"))
    assert (problem.code, problem.again, problem.fatal, problem.busy) == (code, again, fatal, busy)
    assert problem.__context__ is None
    assert CANARY not in problem.why
    assert problem.after == (3.0 if busy else None)


def test_keys_that_the_library_found_itself_are_taken_out_too(library: Library) -> None:
    """A key that the specification does not name, but the environment holds, is in no message either."""
    library.error = LibraryError(500, f"request was {CANARY}")
    problem = came(LiteLLM(model="m"))
    assert "[key]" in problem.why
    assert CANARY not in problem.why


def test_time_limit_and_shape(library: Library) -> None:
    """The library is given up after the time limit; an answer of another shape is malformed."""
    library.seconds = 5
    assert came(LiteLLM(model="m", seconds=0.05)).again
    library.seconds, library.said = 0, {"odd": 1}
    assert came(LiteLLM(model="m")).code == "reply-malformed"
    assert came(LiteLLM(model="m"), texts=["a"]).code == "reply-malformed"


def test_embeddings(library: Library) -> None:
    """Embeddings come through the library too."""
    library.said = {"data": [{"index": 0, "embedding": [1, 2]}]}
    assert came(LiteLLM(model="m", dimensions=2), texts=["a"]).rows == [[1.0, 2.0]]
    assert library.calls[0]["dimensions"] == 2


def test_addresses(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is judged by its spelling, and by where its name leads before the first question."""
    with pytest.raises(ValidationError, match="allow_private"):
        LiteLLM(model="m", url="http://2130706433/v1")

    def inside(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    problem = came(LiteLLM(model="m", url="https://inside.example/v1"))
    assert problem.fatal
    assert not library.calls
    assert came(LiteLLM(model="m", url="https://inside.example/v1", allow_private=True)).text == "Hello"
    assert library.calls[0]["api_base"] == "https://inside.example/v1"
