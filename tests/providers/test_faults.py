"""Whatever an endpoint does, it becomes an answer or a NoReply that says what to do next."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from synthwright.core.chat import NobodyThere, NoReply, Reply, Request
from synthwright.kit.chat.connecting import read
from synthwright.kit.chat.refusals import About, message, refusal, wait
from synthwright.providers.openai import OpenAI
from synthwright.testing.chat_server import ChatServer, Fault

QUESTION = Request.of("Write a line.", "You are a customer.")
ABOUT = About("http://localhost:11434/v1", "qwen3:8b", "SOME_KEY")


def came(provider: OpenAI, times: int = 1, ask: Callable[[Any], Any] | None = None) -> list[Any]:
    """Return what came of asking a few times, one after another."""

    async def work() -> list[Any]:
        chat = provider.connect()
        found: list[Any] = []
        for _ in range(times):
            try:
                found.append(await (ask(chat) if ask else chat.reply(QUESTION)))
            except NoReply as problem:
                found.append(problem)
        await chat.close()
        return found

    return asyncio.run(work())


def with_fault(*faults: Fault, **settings: Any) -> tuple[list[Any], ChatServer]:
    """Return what came of one request for each fault and one more, and the server."""
    with ChatServer(faults=faults) as server:
        server.wait = "7"
        provider = OpenAI(model="missing", url=server.url, allow_private=True, **settings)
        return came(provider, len(faults) + 1), server


@pytest.mark.parametrize(("fault", "code", "again", "fatal", "busy", "after"), [
    ("400", "no-reply", False, False, False, None),
    ("401", "no-reply", False, True, False, None),
    ("403", "no-reply", False, True, False, None),
    ("404", "no-reply", False, True, False, None),
    ("429", "no-reply", True, False, True, 7.0),
    ("500", "no-reply", True, False, False, None),
    ("503", "no-reply", True, False, True, 7.0),
    ("html", "reply-malformed", True, False, False, None),
    ("half", "reply-malformed", True, False, False, None),
    ("empty", "reply-malformed", True, False, False, None),
    ("shape", "reply-malformed", True, False, False, None),
    ("huge", "reply-too-long", False, False, False, None),
    ("endless", "reply-too-long", False, False, False, None),
    ("redirect", "no-reply", False, True, False, None),
    ("broken", "no-reply", True, False, False, None),
])  # fmt: skip
def test_fault(fault: Fault, code: str, again: bool, fatal: bool, busy: bool, after: float | None) -> None:  # noqa: FBT001  the columns of the table
    """Each fault has its reason, and the next request is answered as if nothing had been."""
    (problem, fine), server = with_fault(fault)
    assert isinstance(problem, NoReply)
    assert (problem.code, problem.again, problem.fatal, problem.busy, problem.after) == (
        code,
        again,
        fatal,
        busy,
        after,
    )
    assert problem.why.startswith(server.url.removesuffix("/v1"))
    assert fine == Reply("Answer to: Write a line.", "stop", fine.asked, fine.wrote)
    assert server.total == 2


def test_what_faults_say() -> None:
    """Messages say what to do: which variable, which model, which parameter, which host."""
    (bad, missing, redirect, key, _), _ = with_fault("400", "404", "redirect", "401")
    assert "this model takes no parameter 'seed'" in bad.why
    assert "it has no model 'missing'" in missing.why
    assert "redirects to http://other.example:8080, which is not followed" in redirect.why
    assert "secret=1" not in redirect.why
    assert "say 'key: NAME_OF_VARIABLE'" in key.why


def test_slow_answers_are_given_up() -> None:
    """An answer that takes longer than it may is given up, and may be asked for again."""
    begun = time.perf_counter()
    (problem, fine), _ = with_fault("slow", seconds=0.3)
    assert time.perf_counter() - begun < 5
    assert (problem.again, problem.fatal) == (True, False)
    assert "'seconds'" in problem.why
    assert fine.text


def test_nothing_listens() -> None:
    """Where nothing answers, two lines say what to start."""
    with ChatServer() as server:
        gone = server.url
    (problem,) = came(OpenAI(model="qwen3:8b", url=gone, allow_private=True))
    assert problem.again
    first, *help_ = problem.why.splitlines()
    assert first == f"{gone}: nothing answers there; --dry-run shows the first prompts without it"
    assert isinstance(problem, NobodyThere)
    assert len(help_) == 2
    assert "ollama pull qwen3:8b" in help_[0]
    assert "vllm serve qwen3:8b" in help_[1]
    assert "OPENAI_API_KEY" in help_[1]


def test_answers_that_ended_early() -> None:
    """An answer that was cut off or withheld is an answer that says so."""
    (withheld, cut, _), _ = with_fault("refused", "length")
    assert (withheld.finish, withheld.text) == ("refused", "")
    assert cut.finish == "length"


class Bomb(ChatServer):
    """Answers with a few kilobytes that unpack to fifty megabytes."""

    async def _answered(self, request: web.BaseRequest, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        packed = gzip.compress(b'"' + b"x" * 50_000_000 + b'"', 1)
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"}, content_type="application/json")


def test_a_packed_bomb_is_not_unpacked() -> None:
    """What is large only when unpacked is too long all the same."""
    with Bomb() as server:
        (problem,) = came(OpenAI(model="m", url=server.url, allow_private=True))
    assert problem.code == "reply-too-long"


def test_reading_is_bounded() -> None:
    """An answer without an end is read up to the limit, and its connection closed."""
    seen = SimpleNamespace(pieces=0, closed=False)

    class Endless:
        """Content that never ends."""

        def at_eof(self) -> bool:
            return False

        async def readany(self) -> bytes:
            seen.pieces += 1
            return b"x" * 1000

    answer: Any = SimpleNamespace(
        content=Endless(), content_length=None, close=lambda: setattr(seen, "closed", True),
        url=SimpleNamespace(origin=lambda: "http://h"),
    )  # fmt: skip
    with pytest.raises(NoReply):
        asyncio.run(read(answer, 10_000))
    assert (seen.pieces, seen.closed) == (11, True)


@pytest.mark.parametrize(("headers", "seconds"), [
    ({}, None), ({"Retry-After": "12"}, 12.0), ({"Retry-After": "0.5"}, 0.5), ({"retry-after-ms": "250"}, 0.25),
    ({"Retry-After": "999999999"}, 3600.0), ({"Retry-After": "nan"}, None), ({"Retry-After": "-3"}, None),
    ({"Retry-After": "soon"}, None), ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
])  # fmt: skip
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After is seconds or a date; nonsense is nothing."""
    assert wait(headers) == seconds


def test_how_long_to_wait_by_a_date() -> None:
    """A date to come is that many seconds; some endpoints say it in their message."""
    then = datetime.now(UTC) + timedelta(seconds=60)
    assert wait({"Retry-After": format_datetime(then, usegmt=True)}) == pytest.approx(60, abs=2)
    assert wait({}, b'{"error": {"details": [{"retryDelay": "34s"}]}}') == 34.0


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 529])
def test_statuses_that_are_asked_again(status: int) -> None:
    """A busy or broken server is asked again; those that say they are overloaded, by fewer requests at once."""
    found = refusal(status, {"Retry-After": "2"}, b"", ABOUT)
    assert (found.again, found.fatal, found.after) == (True, False, 2.0)
    assert found.busy == (status in {429, 503, 529})


@pytest.mark.parametrize(("status", "body", "part", "fatal"), [
    (404, b'{"error": {"message": "model \\"qwen3:8b\\" not found, try pulling it first"}}',
     "ollama pull qwen3:8b", True),
    (404, b"404 page not found", "there is no such path: look at 'url'", True),
    (405, b"", "there is no such path", True),
    (402, b"", "no credit left", True),
    (429, b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}', "no credit left", True),
    (400, b'{"error": {"message": "Your credit balance is too low"}}', "no credit left", True),
    (400, b'[{"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]', "key in SOME_KEY", True),
    (403, b"", "the key in SOME_KEY was refused", True),
    (422, b'{"detail": [{"msg": "extra fields not permitted"}]}', "extra fields not permitted", False),
    (400, b'{"error": {"message": "This response_format type is unavailable now"}}', "'structured: object'", False),
    (418, b"<html><script>evil()</script><p>I am a  teapot</p>", "it does not take the request: I am a teapot", False),
])  # fmt: skip
def test_statuses_that_are_not(status: int, body: bytes, part: str, *, fatal: bool) -> None:
    """What will never work says so at once; what is wrong with one request stays with its row."""
    found = refusal(status, {}, body, ABOUT)
    assert part in found.why
    assert (found.fatal, found.again) == (fatal, False)


def test_a_missing_path_says_what_urls_end_in() -> None:
    """A url without a version gets the hint that most people need."""
    bare = About("http://localhost:8000", "m")
    assert "most urls end in /v1" in refusal(404, {}, b'{"detail": "Not Found"}', bare).why
    assert "/v1;" not in refusal(404, {}, b'{"detail": "Not Found"}', ABOUT).why


def test_filters_are_no_faults() -> None:
    """A request that a filter stopped is a refused row, not a broken endpoint."""
    body = b'{"error": {"code": "content_filter", "message": "The response was filtered"}}'
    found = refusal(400, {}, body, ABOUT)
    assert (found.code, found.fatal, found.again) == ("reply-refused", False, False)


def test_messages_are_short_and_plain() -> None:
    """An endpoint's message is one short line without control characters."""
    said = message(b'{"error": {"message": "' + b"long \\u001b[31m " * 200 + b'"}}')
    assert len(said) <= 301
    assert said.isprintable()
    assert message(b"\xff\xfe") == "\ufffd\ufffd"
    assert message(b"[" * 100_000).startswith("[[[")


@pytest.mark.parametrize("body", [
    {"error": {"code": 429, "message": "Upstream is busy"}}, {"error": {"message": "Upstream is gone"}},
    {"error": "out of memory"},
])  # fmt: skip
def test_faults_under_the_status_of_an_answer(body: dict[str, Any]) -> None:
    """Gateways send faults with status 200: they are faults all the same."""
    with ChatServer(raw=lambda _path, _body: body) as server:
        (problem,) = came(OpenAI(model="m", url=server.url, allow_private=True))
    assert problem.again
    assert problem.busy == ("code" in body["error"])


@pytest.mark.parametrize("body", [
    [], "text", 7, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": {"content": 7}}]}, {"choices": None},
    {"choices": [{"message": None}]}, {"choices": {"0": 1}},
])  # fmt: skip
def test_wrong_shapes(body: Any) -> None:
    """JSON of another shape is malformed, wherever it differs."""
    with ChatServer(raw=lambda _path, _body: body) as server:
        (problem,) = came(OpenAI(model="m", url=server.url, allow_private=True))
    assert (problem.code, problem.again) == ("reply-malformed", True)


def test_deep_nesting_and_half_characters() -> None:
    """JSON that is nested without end is malformed; half a character is replaced, as it cannot be written."""

    class Raw(ChatServer):
        async def _answered(self, request: web.BaseRequest, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
            said = [b"[" * 200_000, b'{"choices": [{"message": {"content": "a\\ud800b"}}]}'][self.total - 1]
            return web.Response(body=said, content_type="application/json")

    with Raw() as server:
        deep, half = came(OpenAI(model="m", url=server.url, allow_private=True), 2)
    assert deep.code == "reply-malformed"
    assert half.text == "a?b"


@pytest.mark.parametrize("rows", [
    [], [[1.0]], [[1.0], [1.0, 2.0]], [[], []], [[1.0], ["x"]], [[1.0], None], [[1.0], [float("nan")]],
])  # fmt: skip
def test_embeddings_that_are_none(rows: Sequence[Any]) -> None:
    """As many embeddings as texts, as long as each other, of finite numbers: anything else is malformed."""
    with ChatServer(raw=lambda _path, _body: {"data": [{"embedding": r} for r in rows]}) as server:
        provider = OpenAI(model="m", url=server.url, allow_private=True)
        (problem,) = came(provider, ask=lambda chat: chat.embed(["one", "two"]))
    assert isinstance(problem, NoReply)
    assert problem.code == "reply-malformed"


def test_one_session_and_few_connections() -> None:
    """Many requests share the connections, never more than may be in flight; closing twice does no harm."""
    with ChatServer(delay=0.01) as server:

        async def work() -> None:
            chat = OpenAI(model="m", url=server.url, allow_private=True, in_flight=4).connect()
            await asyncio.gather(*[chat.reply(QUESTION) for _ in range(40)])
            await chat.close()
            await chat.close()

        asyncio.run(work())
    assert (server.total, server.most) == (40, 4)
    assert server.under_way == 0
