"""Asks one model until it answers: in its turn, within the budget and the deadline, and again where it helps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

from synthwright.core.chat import Chat, ModelError, NoReply, Provider, Reply, Request, Vectors
from synthwright.kit.chat.pacing import Gate, Patience
from synthwright.kit.chat.prices import UNSAID, cost, known_price, most_tokens, tokens_asked, tokens_of
from synthwright.kit.chat.spending import Count, Purse

Said = TypeVar("Said", Reply, Vectors)
Kept = TypeVar("Kept")


NOTHING = NoReply("it was not asked")


class Guess(NamedTuple):
    """Tokens of a request by the length of its texts, and the most of its answer, if something limits them."""

    asked: int
    most: int | None


class Shared:
    """What all models of a run share: patience, the budget, and why the run is over.

    Args:
        kept: returns how many answers a next run would find; nothing: none is remembered.
    """

    def __init__(self, patience: Patience, budget: float | None, kept: Callable[[], int] | None) -> None:
        self.patience, self.purse = patience, Purse(budget)
        self.over: ModelError | None = None
        self.gates: list[Gate] = []
        self.under_way: set[asyncio.Task[Any]] = set()
        """The tasks that wait for an answer."""
        self._kept, self._ended = kept, asyncio.Event()

    def check(self) -> None:
        """Raise what the run ended with, if it is over."""
        if self.over is not None:
            raise self.over.with_traceback(None)

    def stop(self, error: ModelError) -> NoReturn:
        """End the run: nothing more is sent, what is under way is waited for and remembered."""
        if self.over is None:
            self.over = error
            self._ended.set()
            self.purse.wake()
            for gate in self.gates:
                gate.close()
        raise self.over.with_traceback(None) from None

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the run lasts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        self.check()

    def remedy(self, what: str) -> str:
        """Return what to do, and what is not lost."""
        if self._kept is None or not (many := self._kept()):
            return what
        return f"{many:,} answer{'s are' if many > 1 else ' is'} kept: {what}, nothing answered is asked twice"


class Model:
    """A model as a run asks it.

    Args:
        name: what the specification calls it.
        shared: what it shares with the run's other models.

    Raises:
        ModelError: there is a budget, and nobody knows what the model costs.
    """

    def __init__(self, name: str, provider: Provider, shared: Shared) -> None:
        self.name, self.provider, self._shared = name, provider, shared
        self.identity = json.dumps(provider.identity(), sort_keys=True)
        """What decides the answers, as JSON."""
        self.price = known_price(name, provider, shared.purse.usd)
        self.gate = Gate(provider.in_flight, provider.requests_per_minute, provider.tokens_per_minute, shared.patience)
        shared.gates.append(self.gate)
        self._chat: Chat | None = None
        self._guessed = self._asked = self._wrote = self._answers = 0.0
        self._refused, self._alike = "", 0  # what it refused questions for, and how many in a row for the same

    def connected(self) -> Chat:
        """Return the connected model; it is connected when it is first asked.

        Raises:
            ModelError: a key or a package is missing.
        """
        if self._chat is None:
            self._chat = self.provider.connect()
        return self._chat

    async def close(self) -> None:
        """Close the connection, if there is one."""
        chat, self._chat = self._chat, None
        if chat is not None:
            await chat.close()

    async def reply(self, request: Request, keep: Callable[[Reply, float], Kept], count: Count) -> Kept | NoReply:
        """Return what `keep` made of the answer and of the seconds that it took, or why there is none.

        Raises:
            ModelError: no request can succeed, or the budget is spent.
        """
        guessed = Guess(tokens_asked(request), most_tokens(request, self.provider))
        return await self._tried(lambda chat: chat.reply(request), keep, guessed, count)

    async def embed(self, texts: list[str], keep: Callable[[Vectors, float], Kept], count: Count) -> Kept | NoReply:
        """Return what `keep` made of the embeddings, or why there are none; errors as in `reply`."""
        guessed = Guess(sum(map(tokens_of, texts)), 0)
        return await self._tried(lambda chat: chat.embed(texts), keep, guessed, count)

    async def _tried(
        self, send: Callable[[Chat], Awaitable[Said]], keep: Callable[[Said, float], Kept], guessed: Guess,
        count: Count,
    ) -> Kept | NoReply:  # fmt: skip
        no = NOTHING
        self._shared.check()
        try:
            chat = self.connected()
        except ModelError as error:
            self._shared.stop(error)
        for turn in range(self.provider.tries):
            if turn:
                await self._shared.pause(max(self._shared.patience.wait(turn - 1), no.after or 0.0))
            found = await self._once(send, chat, keep, guessed, count)
            if not isinstance(found, NoReply):
                return found
            no = found
            if not no.again:
                break
        count.failed += 1
        return no

    async def _once(
        self, send: Callable[[Chat], Awaitable[Said]], chat: Chat, keep: Callable[[Said, float], Kept],
        guessed: Guess, count: Count,
    ) -> Kept | NoReply:  # fmt: skip
        expected = sum(self._expected(guessed))
        await self.gate.enter(expected)
        reserved, spent = await self._reserve(guessed), 0.0
        loop, task = asyncio.get_running_loop(), cast(asyncio.Task[Any], asyncio.current_task())
        count.sent += 1
        began = loop.time()
        self._shared.under_way.add(task)
        try:
            async with asyncio.timeout(self.provider.seconds):
                said = await send(chat)
            seconds = loop.time() - began
            kept = keep(said, seconds)  # before anything else happens to it
            used = said.asked or round(self._expected(guessed)[0])
            wrote = (said.wrote or tokens_of(said.text)) if isinstance(said, Reply) else 0
            spent = count.took(used, wrote, self.price, seconds)
        except NoReply as no:
            return self._failed(no, began)
        except TimeoutError:
            late = NoReply(f"no answer within {self.provider.seconds:g} seconds", again=True, busy=True)
            return self._failed(late, began)
        except BaseException:
            self.gate.leave()
            raise
        finally:
            self._shared.under_way.discard(task)
            self._shared.purse.settle(reserved, spent)
        self.gate.answered(seconds, used + wrote - expected)
        self._guessed += guessed.asked
        self._asked += used
        if isinstance(said, Reply):
            self._answers += 1
            self._wrote += wrote
        return kept

    def _expected(self, guessed: Guess) -> tuple[float, float]:
        """Return the tokens that a request and its answer may take: its limit, or what the endpoint counted so far."""
        asked = guessed.asked * (self._asked / self._guessed if self._guessed else 1.0)
        if guessed.most is not None:
            return asked, float(guessed.most)
        return asked, self._wrote / self._answers if self._answers else UNSAID

    async def _reserve(self, guessed: Guess) -> float:
        """Wait until there is money for a request that was let in; return how much is set aside for it."""
        shared, usd = self._shared, 0.0
        try:
            shared.check()
            while self.price is not None:
                usd = cost(self.price, *self._expected(guessed))  # each time: what answers cost is learned meanwhile
                if shared.purse.fits(usd):
                    break
                if not shared.purse.under_way:
                    self._broke(usd)
                await shared.purse.changed()
                shared.check()
        except BaseException:
            self.gate.leave()
            raise
        shared.purse.reserve(usd)
        return usd

    def _broke(self, usd: float) -> NoReturn:
        purse, shared = self._shared.purse, self._shared
        shared.stop(ModelError(
            "budget", f"the budget of {dollars(purse.usd or 0.0)} is spent",
            got=f"{dollars(purse.spent)} spent, and the next answer of {self.name!r} may cost {dollars(usd)}",
            remedy=shared.remedy("raise `budget: {usd: …}` and run again"),
        ))  # fmt: skip

    def _failed(self, no: NoReply, began: float) -> NoReply:
        """Take in that there was no answer; stop where none is to be hoped for."""
        self.gate.failed(began, no)
        shared, who = self._shared, f"models.{self.name}"
        if no.fatal:
            shared.stop(ModelError(who, no.why, remedy=shared.remedy("put it right and run again")))
        if no.after is not None and no.after > shared.patience.lasting:
            shared.stop(ModelError(who, no.why, got=f"an endpoint that wants to be left alone for {no.after:,.0f} s",
                                   remedy=shared.remedy("run again then")))  # fmt: skip
        if not no.again and not self.gate.heard:
            self._refuses(no, who)
        if (lasted := self.gate.down(no)) is not None:
            shared.stop(ModelError(
                who, "the endpoint does not answer",
                got=f"nothing but failures for {lasted:,.0f} s, the last: {no.why}",
                remedy=shared.remedy("run again when it does"),
            ))  # fmt: skip
        return no

    def _refuses(self, no: NoReply, who: str) -> None:
        """Stop where every question so far was refused for the same: a model or a parameter that it does not have."""
        self._alike = self._alike + 1 if no.why == self._refused else 1
        self._refused = no.why
        if self._alike >= self._shared.patience.failures:
            self._shared.stop(ModelError(
                who, "the endpoint takes no question", got=f"{self._alike} refusals and no answer, each: {no.why}",
                remedy=self._shared.remedy("put it right and run again"),
            ))  # fmt: skip


def dollars(usd: float) -> str:
    """Return an amount as people read it: cents, or what is left of less."""
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.2g}"
