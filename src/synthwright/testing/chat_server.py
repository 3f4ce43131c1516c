"""A language model's server on this machine, for tests and benches: a fixed delay, scripted faults, counts.

::

    with ChatServer(faults=["429", "half"]) as server:
        writer = OpenAI(model="any", url=server.url, allow_private=True)

It speaks OpenAI's chat completions and embeddings. As a process of its own, whose processor time is counted apart:

    python -m synthwright.testing.chat_server --delay 0.05 --port 0

which prints its port; `GET /counts` tells what it has counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Self

from aiohttp import web

from synthwright.providers.scripted import made_up

Fault = Literal["", "400", "401", "403", "404", "429", "500", "503", "html", "half", "empty", "shape", "huge",
                "endless", "redirect", "slow", "broken", "refused", "length"]  # fmt: skip
"""What may go wrong with one request; an empty text: nothing."""
ELSEWHERE = "http://other.example:8080"
"""Where redirects lead."""
HUGE = 10_000_000
"""Bytes of an answer that is too large."""
_SLOW = 30.0
"""Seconds that a slow answer takes."""
_PAGE = b"<!doctype html><html><title>Bad gateway</title><body><h1>502</h1></body></html>"
_MESSAGES = {"400": "this model takes no parameter 'seed'", "401": "Incorrect API key provided",
             "403": "this key may not use it", "404": "The model 'missing' does not exist", "429": "Too many requests",
             "500": "Internal error", "503": "Overloaded"}  # fmt: skip


class Asked(NamedTuple):
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ChatServer:
    """A server on 127.0.0.1, in a thread of its own; a context manager.

    Args:
        answer: returns the text that answers a request; nothing: made up from the request, always the same.
        delay: seconds before each answer.
        faults: what goes wrong with the first, second … request, or with the request of a number (from 0) and body.
        raw: returns the whole answer to a path and a body, for endpoints of another shape.
        echo: whether messages about faults repeat the headers of the request: what a careless gateway does.
        port: where it listens; 0: where there is room.
    """

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], str] | None = None,
        *,
        delay: float = 0.0,
        faults: Sequence[Fault] | Callable[[int, dict[str, Any]], Fault] = (),
        raw: Callable[[str, dict[str, Any]], Any] | None = None,
        echo: bool = False,
        port: int = 0,
    ) -> None:
        self.answer, self.raw = answer or made, raw
        self.delay, self.faults, self.echo, self.port = delay, faults, echo, port
        self.requests: list[Asked] = []
        """What was asked, in order."""
        self.total = self.under_way = self.most = 0
        """Requests so far; under way now; under way at once, at the most."""
        self.wait = "0"
        """What Retry-After says where a fault is 429 or 503."""
        self.recording = True
        """Whether requests are kept; a bench counts them only."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._fault: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it is, as `url:` says it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="chat-server", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._fault is not None:
            raise self._fault
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve_until_stopped())
        except BaseException as error:  # noqa: BLE001  told in the thread that waits
            self._fault = error
        finally:
            self._ready.set()

    async def _serve_until_stopped(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = await self.start()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def start(self) -> web.ServerRunner:
        """Listen, in the loop that runs; what is returned is cleaned up to stop."""
        server = web.Server(self._handle)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            counts = {"total": self.total, "under_way": self.under_way, "most": self.most}
            return web.json_response(counts)
        body = json.loads(await request.read())
        number = self.total
        self.total += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.recording:
            self.requests.append(Asked(request.path, dict(request.headers), body))
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            return await self._answered(request, body, self._fault_of(number, body))
        finally:
            self.under_way -= 1

    def _fault_of(self, number: int, body: dict[str, Any]) -> Fault:
        if callable(self.faults):
            return self.faults(number, body)
        return self.faults[number] if number < len(self.faults) else ""

    async def _answered(self, request: web.BaseRequest, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        if fault in _MESSAGES:
            return self._refused(request, fault)
        whole = json.dumps(self._said(request.path, body, fault)).encode()
        if fault == "html":
            return web.Response(body=_PAGE, content_type="text/html")
        if fault == "redirect":
            return web.Response(status=307, headers={"Location": f"{ELSEWHERE}/v1/chat?secret=1"})
        if fault == "endless":
            return await _endless(request)
        if fault == "slow":
            await asyncio.sleep(_SLOW)
        elif fault == "broken" and request.transport is not None:
            request.transport.abort()
        other = {"half": whole[: len(whole) // 2], "empty": b"", "shape": b'{"unexpected": true}'}
        return _json(b'{"text": "' + b"x" * HUGE + b'"}' if fault == "huge" else other.get(fault, whole))

    def _refused(self, request: web.BaseRequest, status: str) -> web.Response:
        """Return an answer with the status of a fault."""
        said = _MESSAGES[status] + (f": {dict(request.headers)}" if self.echo else "")
        wait = {"Retry-After": self.wait} if status in ("429", "503") else {}
        error = {"error": {"message": said, "type": "scripted", "code": None}}
        return web.json_response(error, status=int(status), headers=wait)

    def _said(self, path: str, body: dict[str, Any], fault: Fault) -> Any:
        """Return the whole answer to a request."""
        if self.raw is not None:
            return self.raw(path, body)
        if path.endswith("/embeddings"):
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            rows = [{"index": i, "embedding": _vector(t)} for i, t in enumerate(texts)]
            return {"data": rows, "usage": {"prompt_tokens": sum(len(t) for t in texts) // 4}}
        text = self.answer(body)
        ends = {"refused": "content_filter", "length": "length"}.get(fault, "stop")
        asked = sum(len(m["content"]) for m in body["messages"]) // 4 + 1
        turn = {"role": "assistant", "content": "" if fault == "refused" else text}
        wrote = len(text) // 4 + 1
        return {
            "id": f"chatcmpl-{self.total}", "object": "chat.completion", "model": body.get("model"),
            "choices": [{"index": 0, "message": turn, "finish_reason": ends}],
            "usage": {"prompt_tokens": asked, "completion_tokens": wrote, "total_tokens": asked + wrote},
        }  # fmt: skip


def made(body: dict[str, Any]) -> str:
    """Return an answer that follows from a request: JSON that meets its schema, or words of its last turn."""
    last = str(body["messages"][-1]["content"]) if body.get("messages") else ""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return json.dumps(made_up(form["json_schema"]["schema"], last))
    return "{}" if form else "Answer to: " + last[:200]


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    """Send a large answer without saying how long it is, until nobody reads any more."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(HUGE // 50_000):
        await response.write(b"x" * 50_000)
    return response


def _vector(text: str) -> list[float]:
    """Return 16 numbers that follow from a text."""
    return [byte / 128 - 1 for byte in hashlib.sha256(text.encode()).digest()[:16]]


async def _main(said: argparse.Namespace) -> None:
    server = ChatServer(delay=said.delay, port=said.port)
    server.recording = False
    runner = await server.start()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A language model's server for benches; prints its port.")
    arguments.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    arguments.add_argument("--port", type=int, default=0, help="where it listens; 0: where there is room")
    try:
        asyncio.run(_main(arguments.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)
