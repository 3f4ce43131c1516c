"""Asking language models: in order, nothing twice, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import threading
import time
from typing import Any

import pytest
from tests.kit.chat.asking_for_tests import Fake, FakeChat, FakeLog, JumpingLoop, echo, one, said

from synthwright.core.chat import Ask, Asked, ModelError, Models, NoReply, Request
from synthwright.kit.chat.asking import Asking


def _asking(chat: FakeChat, log: Any = None, **settings: Any) -> Asking:
    return Asking({"writer": Fake.of(chat, **settings)}, log, loop=JumpingLoop)


def test_answers_come_in_order() -> None:
    """Answers stand in the order of the items, though later ones were quicker, and progress counts them."""
    chat = FakeChat(echo, lambda _: 1.0 / (1 + len(chat.texts) % 7))
    told: list[int] = []
    with _asking(chat) as asking:
        models: Models = asking
        assert models.each(range(50), one, told.append) == [f"re: question {i}" for i in range(50)]
        assert models.each([], one) == []
    assert told == list(range(1, 51))
    assert chat.closed


@pytest.mark.parametrize("in_flight", [1, 3, 40])
def test_how_many_at_once_does_not_matter(in_flight: int) -> None:
    """What comes out follows from the answers, not from how many are asked at once; more than allowed never are."""

    async def two(item: int, ask: Ask) -> tuple[str, str]:
        first = await one(item, ask)
        return first, said(await ask("writer", Request.of(first), ("generate", "texts", "text", item, 1)))

    def hashed(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    chat = FakeChat(lambda r: hashed(r.messages[-1].text), lambda n: 0.1 * n)
    with _asking(chat, in_flight=in_flight) as asking:
        made = asking.each(range(60), two)
    assert made == [(first, hashed(first)) for first in (hashed(f"question {i}") for i in range(60))]
    assert max(chat.at_once) <= in_flight


def test_nothing_finished_is_asked_again() -> None:
    """A second run finds what the first one was answered; what got no answer is asked again."""
    bad = {"question 3", "question 7"}
    first = FakeChat(lambda r: NoReply("no") if r.messages[-1].text in bad else echo(r))
    log = FakeLog()
    with _asking(first, log) as asking:
        made = asking.each(range(10), one)
    assert [i for i, text in enumerate(made) if text == "no-reply: no"] == [3, 7]
    assert len(log.held) == 8
    second = FakeChat(echo)
    with _asking(second, log) as asking:
        assert asking.each(range(12), one) == [f"re: question {i}" for i in range(12)]
        total = asking.ledger().total
    assert sorted(second.texts) == ["question 10", "question 11", "question 3", "question 7"]
    assert (total.calls, total.remembered, total.asked, total.asked_before) == (4, 8, 40, 80)


def test_a_key_says_what_was_asked_by_whom() -> None:
    """An answer lies under the hash of model, request and key; pace is no part of it, and other parameters are."""
    chat, log, request, key = FakeChat(echo), FakeLog(), Request.of("hello", "be nice"), ("a", "b", 1, 0)

    async def ask(_: int, ask: Ask) -> Asked:
        return await ask("writer", request, key)

    for settings in ({}, {"in_flight": 2, "tries": 3, "price": (1, 2)}, {"temperature": 1.0}):
        with _asking(chat, log, **settings) as asking:
            asking.each([0], ask)
    identity = Fake.of(chat).identity()
    digest = hashlib.sha256(json.dumps([identity, request.to_json(), key], sort_keys=True).encode()).hexdigest()
    assert next(iter(log.held)) == digest
    assert (len(log.held), len(chat.texts)) == (2, 2)
    held = log.held[digest]
    assert (held["text"], held["key"], held["model"], held["named"]) == ("re: hello", key, "writer", "fake-1")


def test_equal_questions_at_once_are_asked_once() -> None:
    """What is being asked is not asked again by another one with the same key; without an answer both have none."""
    chat = FakeChat(echo, 1.0)

    async def same(item: int, ask: Ask) -> str:
        return said(await ask("writer", Request.of(f"question {item % 3}"), ("text", item % 3, 0)))

    with _asking(chat) as asking:
        assert asking.each(range(9), same) == [f"re: question {i % 3}" for i in range(9)]
    assert len(chat.texts) == 3
    chat = FakeChat(lambda _: NoReply("no", "reply-refused"))
    with _asking(chat) as asking:
        assert asking.each(range(8), same) == ["reply-refused: no"] * 8


def test_who_gives_up_does_not_take_others_along() -> None:
    """Where the one who asked is cancelled, another one with the same question asks himself."""
    chat = FakeChat(echo, 1.0)

    async def work(item: int, ask: Ask) -> str:
        if item == 0:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one(7, ask), 0.5)
            return "gave up"
        await asyncio.sleep(0.1)
        return await one(7, ask)

    with _asking(chat) as asking:
        assert asking.each(range(2), work) == ["gave up", "re: question 7"]
    assert len(chat.texts) == 2


def test_it_is_tried_again_where_that_helps() -> None:
    """What may pass is tried again after a while, as often as allowed, and not sooner than the endpoint asks."""
    faults = [NoReply("HTTP 500", again=True), NoReply("HTTP 429", again=True, after=17.0, busy=True)]
    chat = FakeChat(lambda r: faults.pop(0) if faults else echo(r))
    with _asking(chat) as asking:
        assert asking.each([1], one) == ["re: question 1"]
    assert 0.5 <= chat.times[1] <= 1.0
    assert 17.0 <= chat.times[2] - chat.times[1] < 18.0
    faults = [NoReply("HTTP 500", again=True, after=23.0)]
    chat = FakeChat(lambda r: faults.pop(0) if faults else echo(r))
    with _asking(chat) as asking:
        asking.each([1], one)
    assert chat.times[1] == pytest.approx(23.0)
    chat = FakeChat(lambda _: NoReply("HTTP 502", again=True))
    with _asking(chat, tries=4) as asking:
        assert asking.each([1], one) == ["no-reply: HTTP 502"]
        assert (asking.ledger().total.sent, asking.ledger().total.failed) == (4, 1)
    chat = FakeChat(lambda _: NoReply("HTTP 400", "reply-malformed"))
    with _asking(chat, tries=4) as asking:
        assert asking.each([1], one) == ["reply-malformed: HTTP 400"]
    assert len(chat.texts) == 1


def test_an_answer_has_a_deadline() -> None:
    """An answer that takes too long is given up, and asked for again."""
    chat = FakeChat(echo, lambda _: 500.0 if len(chat.texts) == 1 else 1.0)
    with _asking(chat, seconds=20) as asking:
        assert asking.each([1], one) == ["re: question 1"]
    assert 20.0 <= chat.times[1] < 23.0


def test_what_cannot_succeed_stops_the_run() -> None:
    """A refusal for good stops the run, with the reason; what was under way is waited for and remembered."""
    log = FakeLog()
    slow = {"question 0"}

    async def answer(request: Request) -> str | NoReply:
        if request.messages[-1].text in slow:
            await asyncio.sleep(30)
            return echo(request)
        return NoReply("HTTP 401: the key in WRITER_KEY is not accepted", fatal=True)

    chat = FakeChat(answer)
    with _asking(chat, log) as asking, pytest.raises(ModelError, match=r"HTTP 401.*run again") as caught:
        asking.each(range(100), one)
    assert str(caught.value).startswith("models.writer: ")
    assert len(chat.texts) <= 8
    assert [held["text"] for held in log.held.values()] == ["re: question 0"]


def test_a_stop_waits_for_what_is_beside_it() -> None:
    """Where work asks two things at once and one stops the run, the other is waited for, as it may have cost money."""

    async def answer(request: Request) -> str | NoReply:
        await asyncio.sleep(30 if "slow" in echo(request) else 0)
        return echo(request) if "slow" in echo(request) else NoReply("HTTP 401", fatal=True)

    async def two(_: int, ask: Ask) -> None:
        await asyncio.gather(*(ask("writer", Request.of(t), (t, 0, 0)) for t in ("slow", "bad")))

    log = FakeLog()
    with _asking(FakeChat(answer), log) as asking, pytest.raises(ModelError, match="HTTP 401"):
        asking.each([0], two)
    assert [held["text"] for held in log.held.values()] == ["re: slow"]


def test_no_key_is_told_when_it_is_asked_or_connected() -> None:
    """A model that cannot be connected stops the run where it is asked first, or before that where it is wanted."""

    class Keyless(Fake):
        def connect(self) -> Any:
            raise ModelError("writer", "the key", wanted="one in WRITER_KEY")

    with Asking({"writer": Keyless(), "other": Fake.of(FakeChat(echo))}, loop=JumpingLoop) as asking:
        asking.connect(["other"])
        with pytest.raises(ModelError, match="WRITER_KEY"):
            asking.connect()
        with pytest.raises(ModelError, match="WRITER_KEY"):
            asking.each(range(3), one)

    async def misnamed(_: int, ask: Ask) -> Asked:
        return await ask("reader", Request.of("x"), ("a", 0, 0))

    with _asking(FakeChat(echo)) as asking, pytest.raises(ModelError, match=r"models.reader: .* wanted one of writer,"):
        asking.each([0], misnamed)


def test_a_fault_of_work_stops_the_others() -> None:
    """An exception of the work comes out, the others are cancelled, and what was answered by then is remembered."""
    log, stopped = FakeLog(), []

    async def work(item: int, ask: Ask) -> str:
        if item == 5:
            await asyncio.sleep(1.5)
            raise ZeroDivisionError("item 5")
        try:
            return await one(item, ask)
        except asyncio.CancelledError:
            stopped.append(item)
            raise

    chat = FakeChat(echo, 1.0)
    with _asking(chat, log, in_flight=6) as asking:
        with pytest.raises(ZeroDivisionError, match="item 5"):
            asking.each(range(50), work)
        assert chat.active == 0
        assert len(log.held) == 5
        assert len(stopped) == 5
        assert asking.each(range(3), one) == [f"re: question {i}" for i in range(3)]  # and it can go on


def test_questions_beside_each_other_are_no_loose_ends() -> None:
    """Where work asks two things at once and one fails, the other one does not go on unseen."""

    def answer(request: Request) -> str:
        if "bad" in echo(request):
            raise ZeroDivisionError
        return echo(request)

    chat = FakeChat(answer, lambda _: 1.0 if len(chat.texts) == 1 else 0.2)

    async def two(_: int, ask: Ask) -> None:
        await asyncio.gather(*(ask("writer", Request.of(t), (t, 0, 0)) for t in ("good", "bad")))

    with _asking(chat) as asking:
        with pytest.raises(ZeroDivisionError):
            asking.each([0], two)
        assert chat.active == 0


def test_ctrl_c_is_clean() -> None:
    """Ctrl-C ends it at once; what was answered is remembered, and the models are closed."""
    log = FakeLog()
    chat = FakeChat(echo, lambda _: 0.0 if len(chat.texts) <= 4 else 60.0)
    main = threading.main_thread().ident or 0

    def interrupt() -> None:
        while len(log.held) < 4:  # on a busy machine it takes a while until anything is asked
            time.sleep(0.01)
        time.sleep(0.1)
        signal.pthread_kill(main, signal.SIGINT)

    hand = threading.Thread(target=interrupt, daemon=True)
    hand.start()
    began = time.monotonic()
    with Asking({"writer": Fake.of(chat)}, log) as asking, pytest.raises(KeyboardInterrupt):
        asking.each(range(20), one)
    hand.join()
    assert time.monotonic() - began < 5
    assert (len(log.held), chat.active, chat.closed) == (4, 0, True)


def test_within_a_running_loop() -> None:
    """It works where a loop runs already, as in a notebook."""
    chat = FakeChat(echo)

    async def notebook() -> list[str]:
        with Asking({"writer": Fake.of(chat)}) as asking:
            return [*asking.each(range(5), one), *asking.each(range(5, 9), one)]

    assert asyncio.run(notebook()) == [f"re: question {i}" for i in range(9)]
    assert chat.closed
