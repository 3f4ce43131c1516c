"""Each provider says what its endpoint wants to hear, and reads what it answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from synthwright.core import registry
from synthwright.core.chat import Message, NoReply, Provider, Reply, Request
from synthwright.providers.anthropic import Anthropic
from synthwright.providers.google import Google
from synthwright.providers.openai import OpenAI
from synthwright.testing.chat_server import ChatServer

FORM = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 18}}, "required": ["age"],
        "additionalProperties": False}  # fmt: skip
TALK = Request.of("And you?", "Be brief.").then(Message("assistant", "Fine."), Message("user", "Good."))
NAMES = ("anthropic", "google", "litellm", "openai")


def asked(provider: Provider, request: Request) -> Reply:
    """Return the answer to one request."""

    async def work() -> Reply:
        chat = provider.connect()
        try:
            return await chat.reply(request)
        finally:
            await chat.close()

    return asyncio.run(work())


def test_openai_says() -> None:
    """Turns, parameters and the form go where OpenAI's protocol wants them; what is not said is not sent."""
    provider = OpenAI(model="m", temperature=0.5, tokens=99, seed=7, body={"top_p": 0.9})
    path, said = provider.question(TALK)
    assert path == "/chat/completions"
    assert said == {
        "model": "m", "temperature": 0.5, "max_completion_tokens": 99, "seed": 7, "top_p": 0.9,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "And you?"},
                     {"role": "assistant", "content": "Fine."}, {"role": "user", "content": "Good."}],
    }  # fmt: skip
    _, said = provider.question(TALK._replace(tokens=5, temperature=0.0))
    assert (said["max_completion_tokens"], said["temperature"]) == (5, 0.0)
    other = OpenAI(model="m", url="https://llm.example/v1", tokens=99)
    assert other.question(Request.of("x"))[1] == {
        "model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]
    }  # fmt: skip


def test_openai_asks_for_json() -> None:
    """A form is a JSON Schema, strict where it can be; or a kind of answer, or words, for servers that lack it."""
    request = Request.of("x", form=FORM)
    _, said = OpenAI(model="m").question(request)
    assert said["response_format"] == {
        "type": "json_schema", "json_schema": {"name": "answer", "schema": FORM, "strict": True}
    }  # fmt: skip
    _, said = OpenAI(model="m").question(Request.of("x", form={**FORM, "required": []}))
    assert "strict" not in said["response_format"]["json_schema"]
    _, said = OpenAI(model="m", structured="object").question(request)
    assert said["response_format"] == {"type": "json_object"}
    assert json.dumps(FORM) in said["messages"][0]["content"]
    _, said = OpenAI(model="m", structured="none").question(Request.of("x", "Be brief.", form=FORM))
    assert "response_format" not in said
    assert said["messages"][0]["content"].startswith("Be brief.\n\nAnswer with JSON")


@pytest.mark.parametrize(("turn", "finish", "text", "ended"), [
    ({"content": "Hi"}, "stop", "Hi", "stop"),
    ({"content": "Hi"}, None, "Hi", "stop"),
    ({"content": "H"}, "length", "H", "length"),
    ({"content": ""}, "content_filter", "", "refused"),
    ({"content": None, "refusal": "I cannot"}, "stop", "I cannot", "refused"),
    ({"content": None}, "length", "", "length"),
    ({"content": [{"type": "text", "text": "a"}, {"type": "reasoning", "text": "-"}, {"type": "text", "text": "b"}]},
     "stop", "ab", "stop"),
])  # fmt: skip
def test_openai_hears(turn: dict[str, Any], finish: str | None, text: str, ended: str) -> None:
    """Text, how it ended and the tokens are read, in every spelling that servers have."""
    said = {"choices": [{"message": turn, "finish_reason": finish}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7}}  # fmt: skip
    assert OpenAI(model="m").answer(said, TALK) == (text, ended, 11, 7)
    assert OpenAI(model="m").answer(said | {"usage": None}, TALK) == (text, ended, 0, 0)


def test_openai_embeds() -> None:
    """Embeddings are asked for at their own path, and come in the order of the texts."""
    with ChatServer() as server:

        async def work() -> Any:
            chat = OpenAI(model="e", url=server.url, allow_private=True, dimensions=16).connect()
            both = await chat.embed(["one", "two"]), await chat.embed(["two", "one"]), await chat.embed([])
            await chat.close()
            return both

        there, back, none = asyncio.run(work())
    assert there.rows == back.rows[::-1]
    assert len(there.rows[0]) == 16
    assert there.asked == 1
    assert none.rows == []
    assert server.requests[0].path == "/v1/embeddings"
    assert server.requests[0].body == {
        "model": "e", "input": ["one", "two"], "encoding_format": "float", "dimensions": 16
    }  # fmt: skip
    shuffled = {"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}
    assert OpenAI(model="e").vectors(shuffled).rows == [[1.0], [2.0]]


def test_a_form_is_met_end_to_end() -> None:
    """The server of the tests answers a schema with JSON that meets it."""
    with ChatServer() as server:
        said = asked(OpenAI(model="m", url=server.url, allow_private=True), Request.of("x", form=FORM))
    assert json.loads(said.text) == {"age": 18}


def test_anthropic_says_and_hears() -> None:
    """The system's words are apart, the number of tokens is said, and texts are put together without thoughts."""
    answer = {"content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "Hel"},
                          {"type": "text", "text": "lo"}], "stop_reason": "end_turn",
              "usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2}}  # fmt: skip
    with ChatServer(raw=lambda _path, _body: answer) as server:
        provider = Anthropic(model="c", url=server.url.removesuffix("/v1"), allow_private=True, temperature=0.2)
        assert asked(provider, TALK) == ("Hello", "stop", 8, 2)
    request = server.requests[0]
    assert request.path == "/v1/messages"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.body == {
        "model": "c", "max_tokens": 4096, "system": "Be brief.", "temperature": 0.2,
        "messages": [{"role": "user", "content": "And you?"}, {"role": "assistant", "content": "Fine."},
                     {"role": "user", "content": "Good."}],
    }  # fmt: skip


@pytest.mark.parametrize(("reason", "finish"), [
    ("end_turn", "stop"), ("stop_sequence", "stop"), ("tool_use", "stop"), ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"), ("refusal", "refused"),
])  # fmt: skip
def test_anthropic_ends(reason: str, finish: str) -> None:
    """Each way that an answer ends has its word; an answer may be empty."""
    said = {"content": [], "stop_reason": reason, "usage": {}}
    assert Anthropic(model="c").answer(said, TALK) == ("", finish, 0, 0)


def test_anthropic_asks_for_json() -> None:
    """A form is an output format with its bounds in words, what a tool takes, or words."""
    request = Request.of("x", form=FORM)
    _, said = Anthropic(model="c", body={"output_config": {"effort": "low"}}).question(request)
    inner = {"type": "integer", "description": "(minimum: 18)"}
    assert said["output_config"] == {
        "effort": "low", "format": {"type": "json_schema", "schema": {**FORM, "properties": {"age": inner}}}
    }  # fmt: skip
    _, said = Anthropic(model="c", structured="tool").question(request)
    assert said["tools"][0]["input_schema"] == FORM
    assert said["tool_choice"] == {"type": "tool", "name": "answer"}
    _, said = Anthropic(model="c", structured="none").question(request)
    assert not {"tools", "output_config"} & set(said)
    assert json.dumps(FORM) in said["system"]


def test_anthropic_hears_what_the_tool_was_given() -> None:
    """What a tool was given is the answer, as JSON; what is no object travels in one."""
    provider = Anthropic(model="c", structured="tool")
    said = {"content": [{"type": "tool_use", "input": {"age": 20}}], "stop_reason": "tool_use"}
    assert provider.answer(said, Request.of("x", form=FORM)).text == '{"age": 20}'
    colours = Request.of("x", form={"enum": ["red", "blue"]})
    assert provider.question(colours)[1]["tools"][0]["input_schema"]["properties"] == {"answer": colours.form}
    said = {"content": [{"type": "tool_use", "input": {"answer": "red"}}]}
    assert provider.answer(said, colours).text == '"red"'


def test_anthropic_has_no_embeddings() -> None:
    """Asking for embeddings stops the run, with what to do instead."""

    async def work() -> NoReply:
        chat = Anthropic(model="c", url="http://127.0.0.1:9", allow_private=True).connect()
        with pytest.raises(NoReply) as caught:
            await chat.embed(["x"])
        return caught.value

    problem = asyncio.run(work())
    assert problem.fatal
    assert "another model" in problem.why


def test_google_says_and_hears() -> None:
    """Turns are contents and parts, settings stand together, and thoughts are counted but not part of the text."""
    answer = {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Hello"}]},
                              "finishReason": "STOP"}],
              "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 4}}  # fmt: skip
    with ChatServer(raw=lambda _path, _body: answer) as server:
        provider = Google(
            model="g/../x", url=server.url, allow_private=True, tokens=9, seed=3,
            body={"generationConfig": {"topK": 4}, "safetySettings": []},
        )  # fmt: skip
        assert asked(provider, TALK) == ("Hello", "stop", 5, 6)
        asked(provider.model_copy(update={"model": "gemini"}), Request.of("x"))
    assert server.requests[1].path == "/v1/models/gemini:generateContent"
    assert server.requests[0].body == {
        "contents": [{"role": "user", "parts": [{"text": "And you?"}]}, {"role": "model", "parts": [{"text": "Fine."}]},
                     {"role": "user", "parts": [{"text": "Good."}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]}, "safetySettings": [],
        "generationConfig": {"maxOutputTokens": 9, "seed": 3, "topK": 4},
    }  # fmt: skip


def test_google_asks_for_json() -> None:
    """A form is a JSON Schema, Google's own kind of it, or words."""
    request = Request.of("x", form=FORM)
    _, said = Google(model="g").question(request)
    assert said["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": FORM}
    _, said = Google(model="g", structured="openapi").question(request)
    own = {word: value for word, value in FORM.items() if word != "additionalProperties"}
    assert said["generationConfig"] == {"responseMimeType": "application/json", "responseSchema": own}
    _, said = Google(model="g", structured="none").question(request)
    assert "generationConfig" not in said
    assert json.dumps(FORM) in said["systemInstruction"]["parts"][0]["text"]


@pytest.mark.parametrize(("said", "finish"), [
    ({"candidates": [{"finishReason": "SAFETY"}]}, "refused"),
    ({"candidates": [{"content": {}, "finishReason": "MAX_TOKENS"}]}, "length"),
    ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "refused"),
])  # fmt: skip
def test_google_withholds(said: dict[str, Any], finish: str) -> None:
    """A withheld or cut answer is an answer that says so; one without any reason is none."""
    assert Google(model="g").answer(said, TALK) == ("", finish, 0, 0)
    with pytest.raises(KeyError):
        Google(model="g").answer({}, TALK)


def test_google_embeds() -> None:
    """Embeddings are asked for in one batch."""
    path, said = Google(model="e", dimensions=2).texts(["a", "b"])
    assert path == "/models/e:batchEmbedContents"
    assert said["requests"][1] == {
        "model": "models/e", "content": {"parts": [{"text": "b"}]}, "outputDimensionality": 2
    }  # fmt: skip
    assert Google(model="e").vectors({"embeddings": [{"values": [1, 2]}]}).rows == [[1.0, 2.0]]


@pytest.mark.parametrize("kind", [OpenAI, Anthropic, Google])
def test_what_a_body_may_not_say(kind: type[OpenAI]) -> None:
    """Further parameters do not replace what the question is made of; a model must be named."""
    for word in ("messages", "model", "stream"):
        if word in kind.ours:
            with pytest.raises(ValidationError, match=word):
                kind(model="m", body={word: 1})
    for settings in ({}, {"model": ""}):
        with pytest.raises(ValidationError):
            kind.model_validate(settings)


def test_local_servers_need_a_word() -> None:
    """A server on this machine is asked where the specification says that it may be."""
    with pytest.raises(ValidationError, match="allow_private"):
        OpenAI(model="m", url="http://localhost:11434/v1")
    assert OpenAI(model="m", url="http://localhost:11434/v1", allow_private=True).pace[-1] == "allow_private"


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_show_how(name: str) -> None:
    """Every provider is registered, and its documentation shows a specification that it accepts."""
    import yaml

    cls = registry.find("providers", name)
    shown = (cls.__doc__ or "").partition("```yaml")[2].partition("```")[0]
    models = yaml.safe_load(shown)["models"]
    assert models
    for model in models.values():
        assert model["use"] == name
        cls.model_validate(model["with"])


def test_nothing_loads_aiohttp_before_it_is_needed() -> None:
    """`import synthwright` and looking at every provider load no HTTP library, nor litellm."""
    code = (
        "import sys, synthwright\n"
        "from synthwright.core import registry\n"
        "from synthwright.core.describe import parameters\n"
        "for name in registry.names('providers'):\n"
        "    parameters(registry.find('providers', name))\n"
        "registry.find('providers', 'openai')(model='m', url='https://example.com/v1')\n"
        "print(sorted({'aiohttp', 'yarl', 'multidict', 'litellm'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
