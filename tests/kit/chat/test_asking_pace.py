"""How fast endpoints are asked, and when the run gives one up; on a clock that jumps."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from tests.kit.chat.asking_for_tests import Fake, FakeChat, FakeLog, JumpingLoop, echo, now, one

from synthwright.core.chat import Ask, ModelError, NobodyThere, NoReply, Reply, Request
from synthwright.kit.chat.asking import Asking
from synthwright.kit.chat.pacing import Bucket, Gate, Patience

BUSY = NoReply("HTTP 429: too many requests", again=True, busy=True)
QUICK = Patience(failures=5, pause=0.1, longest=2.0, unheard=10.0, lasting=60.0)


def _asking(chat: FakeChat, log: Any = None, patience: Patience = QUICK, **settings: Any) -> Asking:
    return Asking({"writer": Fake.of(chat, **settings)}, log, patience=patience, loop=JumpingLoop)


def _most_in_any(times: list[float], seconds: float) -> int:
    """Return the most times in any window."""
    return max(sum(start <= t < start + seconds for t in times) for start in times)


def test_few_at_first_and_then_more() -> None:
    """It begins with eight at once, and grows up to what the specification allows while answers come as quickly."""
    chat = FakeChat(echo, 0.1)
    with _asking(chat, in_flight=50) as asking:
        asking.each(range(600), one)
    assert max(chat.at_once[:8]) == 8
    assert chat.times[8] >= 0.1
    assert max(chat.at_once) == 50
    assert max(chat.times) < 2.0  # 600 x 0.1 s / 50, and a few rounds to get there


def test_it_falls_back_where_the_endpoint_is_busy() -> None:
    """An endpoint that takes ten at once is asked about ten at once: few are refused, and all are answered."""
    chat = FakeChat(lambda r: BUSY if chat.active > 10 else echo(r), 0.1)
    with _asking(chat, in_flight=64, tries=20) as asking:
        made = asking.each(range(1_000), one)
        total = asking.ledger().total
    assert made == [f"re: question {i}" for i in range(1_000)]
    assert total.sent < 1_200
    assert max(chat.times) < 60  # ten at once take 10 s


def test_one_burst_halves_once() -> None:
    """All the requests of one moment are refused at once: that is one sign, not thirty-two."""
    chat = FakeChat(lambda r: BUSY if 0.45 < now() < 0.55 else echo(r), 0.1)
    with _asking(chat, in_flight=32) as asking:
        asking.each(range(400), one)
    after = [n for n, t in zip(chat.at_once, chat.times, strict=True) if t > 0.6]
    assert 12 <= max(after[:40]) <= 20
    assert max(chat.at_once[200:]) > 20  # and it grows again


def test_it_falls_back_where_answers_take_long() -> None:
    """Where answers take longer the more are asked at once, and no more of them come, fewer are asked at once."""
    chat = FakeChat(echo, lambda n: 0.1 * max(1.0, n / 16))  # sixteen at once, and no more
    with _asking(chat, in_flight=256) as asking:
        asking.each(range(2_000), one)
    late = chat.at_once[len(chat.at_once) // 2 : -300]
    assert 12 <= sum(late) / len(late) <= 60
    assert max(chat.times) < 1.5 * 2_000 / 160


def test_slower_answers_are_borne_where_more_of_them_come() -> None:
    """A server that answers many questions together takes longer for each; that is no reason to ask fewer."""
    chat = FakeChat(echo, lambda n: 0.1 * (1 + n / 64))  # at 128 three times as slow, and five times as many
    with _asking(chat, in_flight=128) as asking:
        asking.each(range(2_000), one)
    assert sum(chat.at_once[1_000:1_800]) / 800 > 100


def test_longer_answers_are_no_sign() -> None:
    """Where answers only get longer, fewer at once would bring fewer of them: that is tried, and taken back."""
    chat = FakeChat(echo, lambda _: 0.1 if now() < 2 else 0.5)
    with _asking(chat, in_flight=64) as asking:
        asking.each(range(3_000), one)
    late = chat.at_once[2_000:2_900]
    assert sum(late) / len(late) > 58


def test_requests_a_minute() -> None:
    """In no minute there are more requests than the specification allows, and hardly fewer."""
    chat = FakeChat(echo, 0.2)
    with _asking(chat, requests_per_minute=30) as asking:
        asking.each(range(100), one)
    assert _most_in_any(chat.times, 60) <= 30
    assert max(chat.times) < 2.1 * 99


def test_tokens_a_minute() -> None:
    """In no minute there are more tokens than allowed but for one answer, as soon as their size is known."""
    chat = FakeChat(lambda _: Reply("x", "stop", 500, 1_500), 1.0)
    with _asking(chat, tokens_per_minute=60_000) as asking:
        asking.each(range(120), one)
    assert _most_in_any(chat.times[8:], 60) * 2_000 <= 60_000 + 10 * 2_000
    assert 120 * 2_000 / 1_000 * 0.8 < max(chat.times) < 120 * 2_000 / 1_000 * 1.2


def test_a_bucket() -> None:
    """A bucket is filled evenly; what goes beyond it is made up for."""
    bucket = Bucket(60, least=1.0)
    times, at = [], 100.0
    for _ in range(5):
        at = bucket.ready(at)
        bucket.take(1, at)
        times.append(at)
    assert times == pytest.approx([100, 101, 102, 103, 104])
    bucket = Bucket(60, least=0.0)
    bucket.take(31, 0.0)
    assert bucket.ready(0.0) == pytest.approx(31.0, abs=0.1)
    bucket.take(-20, 0.0)
    assert bucket.ready(0.0) == pytest.approx(11.0, abs=0.1)


def test_a_turn_is_not_lost() -> None:
    """Who gives up at the moment in which his turn comes leaves it to the next one."""

    async def business() -> int:
        gate = Gate(1, None, None, QUICK)
        await gate.enter(1)
        waiting = asyncio.create_task(gate.enter(1))
        await asyncio.sleep(0)
        gate.leave()
        waiting.cancel()
        await asyncio.wait([waiting])
        return gate.active

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(business()) == 0


def test_refused_for_ever() -> None:
    """429 for ever ends the run in bounded time, after few requests, with what is kept and what to do."""
    log = FakeLog()
    good = FakeChat(echo)
    with _asking(good, log) as asking:
        asking.each(range(7), one)
    chat = FakeChat(lambda _: BUSY)
    with _asking(chat, log) as asking, pytest.raises(ModelError) as caught:
        asking.each(range(1_000), one)
    assert str(caught.value) == (
        "models.writer: the endpoint does not answer: got nothing but failures for "
        f"{max(chat.times) - chat.times[0]:.0f} s, the last: HTTP 429: too many requests. "
        "7 answers are kept: run again when it does, nothing answered is asked twice."
    )
    assert len(chat.texts) < 40
    assert 10 <= max(chat.times) < 15


@pytest.mark.parametrize("again", [True, False])
def test_an_endpoint_that_breaks_down(again: bool) -> None:  # noqa: FBT001
    """After some failures in a row it is left alone, then asked one thing at a time, more and more seldom."""
    chat = FakeChat(lambda r: echo(r) if now() < 5 else NoReply("HTTP 500", again=again), 0.1)
    with _asking(chat, FakeLog(), tries=50) as asking, pytest.raises(ModelError, match=r"for 6\d s, the last: HTTP"):
        asking.each(range(10_000), one)
    down = [t for t in chat.times if t > 6]
    gaps = [b - a for a, b in pairwise(down)]
    assert max(n for n, t in zip(chat.at_once, chat.times, strict=True) if t > 6) == 1
    assert gaps[-1] >= 1.0
    assert len(down) < 70
    assert max(chat.times) < 70


def test_an_endpoint_that_comes_back() -> None:
    """An endpoint that is away for a while costs no row."""
    chat = FakeChat(lambda r: NoReply("no connection", again=True) if 2 < now() < 40 else echo(r), 0.1)
    with _asking(chat) as asking:
        assert asking.each(range(1_000), one) == [f"re: question {i}" for i in range(1_000)]
    assert len([t for t in chat.times if 2 < t < 40]) < 80


def test_nobody_waits_long_where_nothing_listens() -> None:
    """Where nothing listens on this machine and never did, the run ends soon; a server that was there is waited for."""
    gone = NobodyThere("nothing answers there", again=True)
    chat = FakeChat(lambda _: gone, 0.01)
    with _asking(chat) as asking, pytest.raises(ModelError, match="nothing answers there"):
        asking.each(range(1_000), one)
    assert max(chat.times) < QUICK.unheard
    chat = FakeChat(lambda r: gone if 2 < now() < 40 else echo(r), 0.1)
    with _asking(chat) as asking:
        assert asking.each(range(1_000), one) == [f"re: question {i}" for i in range(1_000)]


def test_single_failures_stop_nothing() -> None:
    """Rows that cannot be answered go for their reasons, however many there are among others."""
    chat = FakeChat(lambda r: echo(r) if int(r.messages[-1].text.split()[1]) % 10 == 0 else NoReply("HTTP 400"), 0.1)
    with _asking(chat) as asking:
        made = asking.each(range(500), one)
    assert [made[i] for i in range(12)] == ["re: question 0", *["no-reply: HTTP 400"] * 9, "re: question 10", made[11]]
    assert asking.ledger().total.failed == 450


def test_an_endpoint_that_takes_no_question() -> None:
    """Where everything is refused for the same, the run ends at once and says for what; other refusals are borne."""
    chat = FakeChat(lambda _: NoReply("HTTP 422: unexpected fields: top_k"), 0.1)
    with _asking(chat) as asking, pytest.raises(ModelError) as caught:
        asking.each(range(1_000), one)
    assert str(caught.value) == (
        "models.writer: the endpoint takes no question: got 5 refusals and no answer, each: "
        "HTTP 422: unexpected fields: top_k. put it right and run again."
    )
    assert len(chat.texts) < 20
    assert max(chat.times) < 1
    chat = FakeChat(lambda r: NoReply(f"HTTP 400: {r.messages[-1].text} is too long"), 0.1)
    with _asking(chat) as asking:
        assert len(asking.each(range(12), one)) == 12


def test_asked_to_wait_for_hours() -> None:
    """An endpoint that wants to be left alone for hours is not waited for."""
    chat = FakeChat(lambda _: NoReply("HTTP 429: daily quota", again=True, busy=True, after=7_200))
    with _asking(chat) as asking, pytest.raises(ModelError, match=r"daily quota.*left alone for 7,200 s.*run again"):
        asking.each(range(100), one)
    assert max(chat.times) < 1


def test_everybody_waits_when_the_endpoint_says_so() -> None:
    """Where it asks to wait, nobody asks before that, not only the one who was told."""
    faults = [NoReply("HTTP 429", again=True, busy=True, after=20.0)]
    chat = FakeChat(lambda r: faults.pop() if faults else echo(r), 0.1)
    with _asking(chat) as asking:
        asking.each(range(50), one)
    assert not [t for t in chat.times if 0.11 < t < 20]


def test_models_have_a_limit_each() -> None:
    """One model that is slow does not hold up the other one more than it must."""
    slow, quick = FakeChat(echo, 1.0), FakeChat(echo, 0.01)
    models = {"writer": Fake.of(slow, in_flight=4), "judge": Fake.of(quick, in_flight=16, model="fake-2")}

    async def both(item: int, ask: Ask) -> None:
        await ask("judge", Request.of(f"judge {item}"), ("j", item, 0))
        await one(item, ask)

    with Asking(models, loop=JumpingLoop) as asking:
        asking.each(range(40), both)
        assert set(asking.ledger().by_model()) == {"judge", "writer"}
    assert (max(slow.at_once), max(quick.at_once) > 4) == (4, True)
    assert max(slow.times) < 10.5
