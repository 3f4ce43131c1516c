"""What models answered is kept: embeddings too, in a store, through kills; and what asking costs the processor."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.kit.chat.asking_for_tests import Fake, FakeChat, FakeLog, JumpingLoop, echo, one

from synthwright.core.chat import Ask, ModelError, NoReply, Reply, Request
from synthwright.kit.chat.asking import Asking
from synthwright.store.replies import Replies


def _asking(chat: FakeChat, log: Any = None) -> Asking:
    return Asking({"writer": Fake.of(chat)}, log, loop=JumpingLoop)


def test_embeddings_are_remembered_by_text() -> None:
    """Each text is embedded once, by whomever and however often; fresh and remembered vectors are equal."""
    texts = [f"text {i}" * (i % 5 + 1) for i in range(150)]
    log = FakeLog()

    async def work(item: int, ask: Ask) -> list[list[float]]:
        return await ask.embed("writer", texts[item : item + 60])

    chat = FakeChat(echo)
    with _asking(chat, log) as asking:
        first = asking.each([0, 30, 60, 90], work)
        total = asking.ledger().by_part()["embeddings"]
    assert sorted(chat.embedded) == sorted(set(texts))
    assert [len(rows) for rows in first] == [60] * 4
    assert first[1][3] == pytest.approx([len(texts[33]) / 3, 1.0])
    assert (total.asked, total.wrote) == (600, 0)
    again = FakeChat(echo)
    with _asking(again, log) as asking:
        assert asking.each([0, 30, 60, 90], work) == first
        assert asking.ledger().total.asked_before == 600
    assert again.embedded == []


def test_no_embeddings_stop_the_run() -> None:
    """Where there are no embeddings the run cannot go on."""

    class Mute(FakeChat):
        async def embed(self, texts: Any) -> Any:
            raise NoReply("HTTP 400: no embeddings here")

    with _asking(Mute(echo)) as asking, pytest.raises(ModelError, match="no embeddings here"):
        asking.each([0], lambda _, ask: ask.embed("writer", ["a"]))


def test_with_a_store(tmp_path: Path) -> None:
    """With a log in a store a second run asks nothing; texts come back as they were, and keys stand there in full."""
    texts = ["plain", "ümlaut ✓ 你好", "lone \ud800 surrogate", 'quote " and \\ and \n line', "x" * 10_000]

    async def work(item: int, ask: Ask) -> Reply | None:
        return (await ask("writer", Request.of(str(item)), ("generate", "t", item, 0))).reply

    def answer(request: Request) -> Reply:
        return Reply(texts[int(request.messages[-1].text)], "length", 3, 4)

    found = []
    for chat in (FakeChat(answer), FakeChat(answer)):
        with Replies.open(tmp_path) as log, _asking(chat, log) as asking:
            found.append(asking.each(range(5), work))
    assert found[0] == found[1] == [Reply(text, "length", 3, 4) for text in texts]
    assert chat.texts == []
    assert '"key": ["generate", "t", 0, 0]' in (tmp_path / "replies" / "answers.jsonl").read_text()


KILLED = """
import asyncio, os, random, signal, sys, time
from pathlib import Path
from synthwright.core.chat import Reply, Request
from synthwright.kit.chat.asking import Asking
from synthwright.providers.scripted import Scripted
from synthwright.store.replies import FOLDER, Replies

STORE, MANY = Path(sys.argv[1]), 400

class Chat:
    def __init__(self):
        self.asked, self.kept = 0, (STORE / FOLDER / "answers.jsonl").read_text()
    async def reply(self, request):
        self.asked += 1
        assert f'"re: {request.messages[-1].text}"' not in self.kept, "asked twice"
        await asyncio.sleep(0.002 * (self.asked % 5))
        return Reply("re: " + request.messages[-1].text, "stop", 3, 4)
    async def close(self): ...

class Counting(Scripted):
    def connect(self): return Chat()

async def work(item, ask):
    return (await ask("writer", Request.of(f"question {item}"), ("t", item, 0))).reply.text

def run():
    with Replies.open(STORE) as log, Asking({"writer": Counting()}, log) as asking:
        made = asking.each(range(MANY), work)
        assert made == [f"re: question {i}" for i in range(MANY)]
        return asking.ledger().total, len(log)

def size():
    at = STORE / FOLDER / "answers.jsonl"
    return at.stat().st_size if at.exists() else 0

dice = random.Random(2)
for turn in range(8):
    pid = os.fork()
    if not pid:
        try:
            run()
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    there, more = size(), dice.randrange(1, 8_000)
    while size() < there + more:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "it ended by itself"
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
with Replies.open(STORE) as log:
    before = len(log)
total, held = run()
assert (held, total.remembered, total.calls) == (MANY, before, MANY - before), (held, before, total)
print(before)
"""


def test_killed_and_run_again(tmp_path: Path) -> None:
    """Killed at eight random moments: what was remembered is not asked again, and in the end nothing is missing."""
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 40 < int(done.stdout) < 400


def test_it_costs_little() -> None:
    """Ten thousand questions to a model that answers at once take about a second of processor time, or less."""
    many = 4_000

    async def instant(_: Request) -> str:
        return "I lost my card."

    began = time.process_time()
    x = 0
    for i in range(1_500_000):  # about 0.1 s where nobody else is at work
        x += i * i % 7
    slow = max(1.0, (time.process_time() - began) / 0.1)
    with Asking({"writer": Fake.of(FakeChat(instant))}, FakeLog()) as asking:
        began = time.process_time()
        asking.each(range(many), one)
        assert (time.process_time() - began) / slow < 2.0 * many / 10_000
