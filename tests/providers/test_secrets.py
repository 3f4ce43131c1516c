"""Keys come from the environment, go into one header, and are in nothing else."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synthwright.core.chat import ModelError, NoReply, Provider, Request
from synthwright.core.errors import SpecError
from synthwright.kit.chat.http_chat import Hosted
from synthwright.kit.chat.secrets import Secret
from synthwright.providers.anthropic import Anthropic
from synthwright.providers.google import Google
from synthwright.providers.litellm import LiteLLM
from synthwright.providers.openai import OpenAI
from synthwright.testing.chat_server import ChatServer, Fault

CANARY = "sk-canary-4f9a1C77e2b0/+DONOTSHOW"
HEADERS = {"openai": "Authorization", "anthropic": "x-api-key", "google": "x-goog-api-key"}
FAULTS: tuple[Fault, ...] = ("400", "401", "403", "404", "429", "500", "html", "half", "empty", "shape", "huge",
                             "redirect", "broken")  # fmt: skip


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the canary where keys are."""
    monkeypatch.setenv("CANARY_KEY", CANARY)


def shown(problem: BaseException) -> str:
    """Return everything that could be shown of an exception: its texts, its chain, the locals of every frame."""
    whole = traceback.TracebackException.from_exception(problem, capture_locals=True)
    return "".join((str(problem), repr(problem), repr(vars(problem)), *whole.format(chain=True)))


@pytest.mark.parametrize("kind", [OpenAI, Anthropic, Google])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_shows_the_key(kind: type[Hosted], fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """The key is in the header that it belongs in, and in no text that comes of any fault."""
    caplog.set_level(logging.DEBUG)
    with ChatServer(faults=[fault], echo=True, raw=lambda _path, _body: {"nothing": CANARY}) as server:
        provider = kind(model="m", url=server.url, key="CANARY_KEY", allow_private=True)

        async def work() -> NoReply:
            chat = provider.connect()
            with pytest.raises(NoReply) as caught:
                await chat.reply(Request.of("Hello"))
            await chat.close()
            assert CANARY not in repr(chat) + repr(vars(chat))
            return caught.value

        problem = asyncio.run(work())
    sent = server.requests[0].headers
    assert CANARY in sent[HEADERS[provider.name]]
    assert [name for name, value in sent.items() if CANARY in value] == [HEADERS[provider.name]]
    assert problem.__context__ is None
    assert CANARY.lower() not in shown(problem).lower()
    assert CANARY not in caplog.text
    if fault in ("400", "401", "403", "429", "500"):
        assert "[key]" in problem.why or len(problem.why) > 300  # it was there, and was taken out


def test_an_answer_that_repeats_the_key_does_not_keep_it() -> None:
    """An endpoint that writes the key into its answer does not bring it into the data."""
    with ChatServer(lambda _: f"your key is {CANARY}, or {CANARY.upper()}") as server:

        async def work() -> str:
            chat = OpenAI(model="m", url=server.url, key="CANARY_KEY", allow_private=True).connect()
            said = await chat.reply(Request.of("Hello"))
            await chat.close()
            return said.text

        assert asyncio.run(work()) == "your key is [key], or [key]"


@pytest.mark.parametrize("kind", [OpenAI, Anthropic, Google, LiteLLM])
def test_the_recipe_holds_the_name_only(kind: type[Provider]) -> None:
    """What is written of a provider is the name of the variable; answers do not depend on it."""
    provider, other, same = (
        kind.model_validate({"model": m, "key": k}) for m, k in (("m", "CANARY_KEY"), ("n", "CANARY_KEY"), ("m", "NEW"))
    )
    said = json.dumps(provider.model_dump(mode="json")) + repr(provider) + json.dumps(provider.identity())
    assert CANARY not in said
    assert provider.model_dump()["key"] == "CANARY_KEY"
    assert provider.identity() == same.identity()
    assert provider.identity() != other.identity()


@pytest.mark.parametrize("kind", [OpenAI, Anthropic, Google, LiteLLM])
@pytest.mark.parametrize("said", [
    {"key": CANARY}, {"key": "hunter2hunter2"}, {"key": 20262026}, {"key": ["hunter2"]}, {"api_key": CANARY},
    {"API-KEY": CANARY}, {"password": CANARY}, {"headers": {"Authorization": CANARY}}, {"body": {"api_key": CANARY}},
])  # fmt: skip
def test_a_key_in_a_specification_is_refused_unseen(kind: type[Provider], said: dict[str, Any]) -> None:
    """Whoever writes the key itself is told what belongs there, and does not read the key back."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({"model": "m"} | said)
    assert "environment variable" in str(caught.value)
    for value in (CANARY, "hunter2", "20262026"):
        assert value not in str(caught.value)


def test_check_does_not_repeat_a_key(tmp_path: Path) -> None:
    """A specification with a key in it is refused with the line, and without the key."""
    from synthwright.core.loading import load_spec
    from synthwright.line import check

    for word in (f"key: {CANARY}", f"api_key: {CANARY}", f"url: 'https://me:{CANARY}@example.com/v1'"):
        (tmp_path / "s.yaml").write_text(
            "synthwright: 1\nname: s\nschema: {tables: {t: {fields: {a: {kind: number}}}}}\n"
            f"start: 3\nmodels: {{w: {{use: openai, with: {{model: m, {word}}}}}}}\n"
        )
        with pytest.raises(SpecError) as caught:
            check(load_spec(tmp_path / "s.yaml", tmp_path))
        assert "s.yaml:5" in str(caught.value)
        assert CANARY not in str(caught.value) + repr(caught.value.faults)


def test_a_missing_key_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its key a provider does not connect, and two lines say what to set or what to start."""
    for kind, name in ((OpenAI, "OPENAI_API_KEY"), (Anthropic, "ANTHROPIC_API_KEY"), (Google, "GEMINI_API_KEY")):
        monkeypatch.delenv(name, raising=False)
        with pytest.raises(ModelError) as caught:
            kind.model_validate({"model": "m"}).connect()
        first, *help_ = str(caught.value).splitlines()
        assert name in first
        assert len(help_) == 2
        assert help_[0].strip() == f"export {name}=…"
        assert "ollama serve" in help_[1]
        assert "--dry-run" in first


@pytest.mark.parametrize("value", ["", "   ", "two words", "line\nbreak", "schlüssel", "tab\there"])
def test_what_cannot_be_a_key(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot go into a header is refused before anything is sent, and not repeated."""
    monkeypatch.setenv("CANARY_KEY", value)
    with pytest.raises(ModelError) as caught:
        OpenAI(model="m", key="CANARY_KEY").connect()
    assert not value.strip() or value not in str(caught.value)


def test_the_usual_key_goes_to_its_own_endpoint_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody named is not sent to another server."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    with ChatServer() as server:

        async def work() -> None:
            chat = OpenAI(model="m", url=server.url, allow_private=True).connect()
            await chat.reply(Request.of("Hello"))
            await chat.close()

        asyncio.run(work())
    assert "Authorization" not in server.requests[0].headers
    assert CANARY not in repr(server.requests)
    assert OpenAI(model="m").key_name == "OPENAI_API_KEY"
    assert OpenAI(model="m", url="https://api.openai.com/v1/").key_name == "OPENAI_API_KEY"
    assert OpenAI(model="m", url="https://api.openai.com.example/v1").key_name is None


def test_a_key_cannot_be_written() -> None:
    """A key is neither shown, nor copied, nor pickled."""
    secret = Secret("CANARY_KEY", CANARY)
    assert repr(secret) == str(secret) == "Secret(CANARY_KEY)"
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.scrub(f"a {CANARY} b {json.dumps(CANARY)}") == 'a [key] b "[key]"'
    assert Secret("SHORT", "a").scrub("banana") == "banana"


@pytest.mark.parametrize("url", ["http://example.com/v1", "http://8.8.8.8/v1"])
def test_no_key_over_plain_http(url: str) -> None:
    """A key does not go to a public host over plain http."""
    with pytest.raises(ValidationError, match="say https"):
        OpenAI(model="m", url=url, key="CANARY_KEY")
    assert OpenAI(model="m", url=url).key_name is None
