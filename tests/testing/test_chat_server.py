"""The server that tests and benches ask: delays, scripted faults, counts; in a thread, or as a process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

import pytest

from synthwright.core.chat import NoReply, Request
from synthwright.providers.openai import OpenAI
from synthwright.testing.chat_server import ChatServer


def ask(url: str, times: int, in_flight: int = 32) -> list[Any]:
    """Return what came of some requests at once."""

    async def work() -> list[Any]:
        chat = OpenAI(model="m", url=url, allow_private=True, in_flight=in_flight).connect()
        found = await asyncio.gather(*[chat.reply(Request.of(f"n{i}")) for i in range(times)], return_exceptions=True)
        await chat.close()
        return found

    return asyncio.run(work())


def test_it_counts_and_records() -> None:
    """It knows how many requests came, how many at once, and what they said; nothing is left when it stops."""
    with ChatServer(delay=0.1) as server:
        begun = time.perf_counter()
        found = ask(server.url, 8)
        assert time.perf_counter() - begun >= 0.1
    assert sorted(r.text for r in found) == [f"Answer to: n{i}" for i in range(8)]
    assert (server.total, server.most, server.under_way) == (8, 8, 0)
    assert {r.body["messages"][0]["content"] for r in server.requests} == {f"n{i}" for i in range(8)}
    assert "chat-server" not in {t.name for t in threading.enumerate()}


def test_faults_by_number_and_body() -> None:
    """A fault may depend on what is asked."""
    with ChatServer(faults=lambda _, body: "500" if body["messages"][0]["content"] == "n2" else "") as server:
        found = ask(server.url, 4)
    assert [isinstance(f, NoReply) for f in found] == [False, False, True, False]


def test_answers_of_ones_own() -> None:
    """What it answers may be scripted, as text."""
    with ChatServer(lambda body: body["model"].upper()) as server:
        assert ask(server.url, 1)[0].text == "M"


def test_a_port_that_is_taken() -> None:
    """Where it cannot listen, whoever starts it is told."""
    with ChatServer() as server, pytest.raises(OSError, match="in use"), ChatServer(port=server.port):
        pass


def test_as_a_process() -> None:
    """As a process of its own it prints its port, answers, and tells its counts."""
    command = [sys.executable, "-m", "synthwright.testing.chat_server", "--delay", "0.01", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert [r.text for r in ask(f"http://127.0.0.1:{port}/v1", 2)] == ["Answer to: n0", "Answer to: n1"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts") as said:
                assert json.load(said)["total"] == 2
        finally:
            process.terminate()
