"""What asking costs, what it may cost, and what it will cost."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.kit.chat.asking_for_tests import Fake, FakeChat, FakeLog, JumpingLoop, one

from synthwright.core.chat import Ask, ModelError, NoReply, Price, Provider, Reply, Request
from synthwright.kit.chat.asking import Asking
from synthwright.kit.chat.prices import cost, estimate, listed, price_of, tokens_of
from synthwright.kit.chat.spending import Purse, part_of
from synthwright.providers.scripted import Scripted

PRICE = Price(1.0, 10.0)
USED = Reply("an answer", "stop", 1_000, 900)
EACH = cost(PRICE, 1_000, 900)  # a cent
PROVIDERS = ("openai", "anthropic", "google", "litellm")


def _asking(chat: FakeChat, log: Any = None, budget: float | None = None, **settings: Any) -> Asking:
    writer = Fake.of(chat, **{"price": PRICE, **settings})
    return Asking({"writer": writer}, log, budget_usd=budget, loop=JumpingLoop)


class Listed(Provider):
    """A provider of a name and a URL."""

    name: ClassVar[str] = "openai"
    url: str = "https://api.openai.com/v1"

    def connect(self) -> Any:
        raise NotImplementedError


class Routed(Listed):
    """One that names the company with the model."""

    name: ClassVar[str] = "litellm"
    url: str = ""


def test_every_token_is_counted() -> None:
    """The ledger holds calls, tokens and money by model and part; remembered answers are told apart."""
    log = FakeLog()
    chat = FakeChat(lambda r: USED if "3" not in r.messages[-1].text else NoReply("no"))

    async def work(item: int, ask: Ask) -> None:
        for part in ("title", "text"):
            key = ("generate", "tickets", "0", "12", part, item, 0)
            await ask("writer", Request.of(f"{part} {item}"), key)
            await ask("writer", Request.of(f"{part} {item}"), key)  # costs nothing, and is counted once

    with _asking(chat, log) as asking:
        asking.each(range(5), work)
        first = asking.ledger()
    assert set(first.by_part()) == {"generate/tickets/title", "generate/tickets/text"}
    title = first.by_part()["generate/tickets/title"]
    assert (title.calls, title.failed, title.sent, title.asked, title.wrote) == (4, 2, 6, 4_000, 3_600)
    assert title.usd == pytest.approx(4 * EACH)
    assert (first.total.calls, first.total.remembered, first.total.usd_before) == (8, 0, 0)
    with _asking(FakeChat(lambda _: USED), log) as asking:
        asking.each(range(5), work)
        told = asking.ledger().to_json()
    assert told["total"] == told["models"]["writer"]
    assert (told["total"]["calls"], told["total"]["remembered"]) == (2, 8)
    assert (told["total"]["usd"], told["total"]["usd_before"]) == pytest.approx((2 * EACH, 8 * EACH))
    assert [line["part"] for line in told["lines"]] == ["generate/tickets/text", "generate/tickets/title"]


def test_an_endpoint_that_does_not_count() -> None:
    """Where an endpoint says nothing of tokens they are guessed by length, and money follows."""
    chat = FakeChat(lambda _: Reply("x" * 399))
    with _asking(chat) as asking:
        asking.each(range(10), one)
        total = asking.ledger().total
    assert (total.asked, total.wrote) == (10 * (tokens_of("question 1") + 4), 1_000)
    assert total.usd == pytest.approx(cost(PRICE, total.asked, total.wrote))


def test_whose_a_question_is() -> None:
    """The part is what stands before row and attempt, without numbers."""
    assert part_of(("generate", "t", "0", "3", "text", 17, 0)) == "generate/t/text"
    assert part_of((1, 0)) == ""


@pytest.mark.parametrize("settings", [{}, {"tokens": 900}, {"in_flight": 256}, {"tokens": 4_000}])
def test_the_budget_is_kept(settings: dict[str, Any]) -> None:
    """The run stops before the budget is passed, close to it, and keeps what was answered; a larger one goes on."""
    log, chat = FakeLog(), FakeChat(lambda _: USED, lambda _: 1.0 + len(chat.texts) % 3)
    with _asking(chat, log, 2.0, **settings) as asking:
        with pytest.raises(ModelError) as caught:
            asking.each(range(1_000), one)
        total = asking.ledger().total
        with pytest.raises(ModelError, match="is spent"):
            asking.each(range(1_000), one)
    assert total.calls == len(log.held) == len(chat.texts)
    assert 1.94 < total.usd <= 2.0 + 1e-9
    assert str(caught.value).startswith("budget: the budget of $2.00 is spent: got $1.9")
    assert f"{total.calls} answers are kept: raise `budget: {{usd: …}}` and run again" in str(caught.value)
    again = FakeChat(lambda _: USED, 1.0)
    with _asking(again, log, 100.0, **settings) as asking:
        assert asking.each(range(300), one) == ["an answer"] * 300
    assert len(again.texts) == 300 - total.calls


def test_how_far_the_budget_is_passed() -> None:
    """Answers that are longer than any before pass it by no more than what was under way then."""
    chat = FakeChat(lambda _: Reply("x", "stop", 100, 100 if len(chat.texts) < 150 else 5_000), 1.0)
    with _asking(chat, FakeLog(), 0.20, in_flight=16) as asking:
        with pytest.raises(ModelError, match="is spent"):
            asking.each(range(1_000), one)
        spent = asking.ledger().total.usd
    assert 0.15 < spent <= 0.20 + 16 * cost(PRICE, 0, 5_000)


def test_a_purse() -> None:
    """What was set aside and not needed may be spent on others."""
    purse = Purse(10.0)
    for usd in (4.0, 5.0):
        assert purse.fits(usd)
        purse.reserve(usd)
    assert not purse.fits(2.0)
    purse.settle(4.0, 1.0)
    assert purse.fits(4.0)
    assert not purse.fits(4.1)


def test_no_money_at_all() -> None:
    """With a budget of nothing nothing is sent, but for what costs nothing; what is remembered costs nothing."""
    log, chat = FakeLog(), FakeChat(lambda _: USED)
    with _asking(chat, log, 0.0) as asking, pytest.raises(ModelError, match=r"budget of \$0.00 is spent"):
        asking.each(range(10), one)
    assert chat.texts == []
    with _asking(chat, log, 0.0, price=(0, 0)) as asking:
        asking.each(range(10), one)
    with _asking(chat, log, 0.0) as asking:
        assert asking.each(range(10), one) == ["an answer"] * 10
    assert len(chat.texts) == 10


def test_failures_cost_nothing() -> None:
    """What was not answered is not counted as spent, and sets nothing aside for ever."""
    faults = [NoReply("HTTP 500", again=True) for _ in range(8)]
    chat = FakeChat(lambda _: faults.pop() if faults else USED, 1.0)
    with _asking(chat, FakeLog(), 1.0, tries=50) as asking, pytest.raises(ModelError):
        asking.each(range(500), one)
    assert 0.95 < asking.ledger().total.usd <= 1.0


def test_a_price_that_nobody_knows() -> None:
    """Without a price tokens are counted; with a budget it is a fault, told before anything is asked."""
    chat = FakeChat(lambda _: USED)
    with _asking(chat, price=None) as asking:
        asking.each(range(3), one)
        total = asking.ledger().total
    assert (total.usd, total.unpriced) == (0.0, 3 * 1_900)
    with pytest.raises(ModelError, match=r"models.writer: the price: .*'fake-1'.*say `price: \[in, out\]`"):
        _asking(chat, budget=5.0, price=None)


@pytest.mark.parametrize(
    ("provider", "price"),
    [
        (Listed(model="gpt-4o-mini"), Price(0.15, 0.6)),
        (Listed(model="gpt-4o-mini-2024-07-18"), Price(0.15, 0.6)),
        (Listed(model="gpt-4o-2024-05-13"), Price(5, 15)),
        (Listed(model="gpt-4o-mini", price=(1, 2)), Price(1, 2)),
        (Listed(model="gpt-4o-miniature"), None),
        (Listed(model="gpt-4o-mini", url="https://elsewhere.example/v1"), None),
        (Listed(model="mistral-small-2506", url="https://api.mistral.ai/v1"), Price(0.1, 0.3)),
        (Listed(model="qwen3:8b", url="http://localhost:11434/v1"), Price(0, 0)),
        (Listed(model="gpt-4o-mini", url="http://10.1.2.3:8000/v1"), Price(0, 0)),
        (Listed(model="llama", url="http://gpu-box:8000"), Price(0, 0)),
        (Listed(model="llama", url="http://[::1]:8000"), Price(0, 0)),
        (Listed(model="llama", url="not a url"), None),
        (Routed(model="anthropic/claude-sonnet-4-5-20250929"), Price(3, 15)),
        (Routed(model="someone/else"), None),
        (Scripted(), Price(0, 0)),
    ],
    ids=lambda value: getattr(value, "model", ""),
)
def test_prices(provider: Provider, price: Price | None) -> None:
    """The specification's price goes first; one's own machines cost nothing; the table is for its own endpoints."""
    assert price_of(provider) == price


def test_the_table_is_in_order() -> None:
    """Every line of the table has a positive price, a month, and stands once."""
    for (company, model), line in listed().items():
        assert line.price.asked > 0, model
        assert line.price.wrote >= line.price.asked or line.price.wrote == 0, model
        assert "2024-01" < line.seen < "2100"
        assert "." in line.host
        assert company in (*PROVIDERS, "mistral")


def test_an_estimate() -> None:
    """Calls, tokens, money and time are estimated from a sample of requests."""
    sample = [Request.of("x" * 390), Request.of("x" * 790)]
    said = estimate(sample, Fake(price=PRICE, tokens=100), 1_000)
    assert (said.calls, said.wrote) == (1_000, 100_000)
    assert said.asked == 1_000 * (98 + 4 + 198 + 4) // 2
    assert said.usd == pytest.approx(cost(PRICE, said.asked, said.wrote))
    assert said.seconds == pytest.approx(32 * 2.5)
    assert estimate(sample, Fake(requests_per_minute=10), 1_000).seconds == pytest.approx(6_000)
    assert estimate(sample, Fake(tokens_per_minute=1_000), 10, answer=48).seconds == pytest.approx(60 * 2)
    assert estimate(sample, Fake()).usd is None
    assert estimate([], Fake(price=PRICE), 5).to_json()["usd"] == 0.0
