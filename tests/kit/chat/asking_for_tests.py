"""A clock that jumps instead of waiting, chats that fail as told, and a log in memory."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import PrivateAttr

from synthwright.core.chat import Ask, Asked, Chat, NoReply, Provider, Reply, Request, Vectors


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: what it would have waited is added to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            if timeout is None:
                raise RuntimeError("everybody waits, and nobody will ever come")
            self.now += timeout
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to what is due next: an hour of waiting takes no time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that would have passed."""
        return self._jumping.now


def now() -> float:
    """Return the time of the running loop."""
    return asyncio.get_running_loop().time()


Answer = Callable[[Request], "str | Reply | NoReply | Awaitable[str | Reply | NoReply]"]


class FakeChat:
    """Answers what it is told to, and notes when it was asked what, and how many questions were there at once."""

    def __init__(self, answer: Answer, seconds: Callable[[int], float] | float = 0.0) -> None:
        self.answer, self.seconds = answer, seconds
        self.texts: list[str] = []
        self.times: list[float] = []
        self.at_once: list[int] = []
        self.embedded: list[str] = []
        self.active = 0
        self.closed = False

    async def reply(self, request: Request) -> Reply:
        self.active += 1
        self.texts.append(request.messages[-1].text)
        self.times.append(now())
        self.at_once.append(self.active)
        try:
            seconds = self.seconds if isinstance(self.seconds, float) else self.seconds(self.active)
            await asyncio.sleep(seconds)
            said = self.answer(request)
            if isinstance(said, Awaitable):
                said = await said
        finally:
            self.active -= 1
        if isinstance(said, NoReply):
            raise said
        return said if isinstance(said, Reply) else Reply(said, "stop", 10, 5)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await asyncio.sleep(0)
        self.embedded += texts
        return Vectors([[len(text) / 3, 1.0] for text in texts], 4 * len(texts))

    async def close(self) -> None:
        self.closed = True


class Fake(Provider):
    """Connects to a chat that a test made."""

    name: ClassVar[str] = "fake"
    model: str = "fake-1"
    _chat: FakeChat = PrivateAttr()

    @staticmethod
    def of(chat: FakeChat, **settings: Any) -> Fake:
        """Return the provider of a chat."""
        found = Fake(**settings)
        found._chat = chat
        return found

    def connect(self) -> Chat:
        return self._chat


class FakeLog:
    """Remembers in memory what a store would remember."""

    def __init__(self) -> None:
        self.held: dict[str, Mapping[str, Any]] = {}

    def get(self, key: str) -> Mapping[str, Any] | None:
        return self.held.get(key)

    def put(self, key: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.held.setdefault(key, dict(value))


def echo(request: Request) -> str:
    """Answer with the question."""
    return "re: " + request.messages[-1].text


async def one(item: int, ask: Ask) -> str:
    """Ask one question for an item; return the answer, or why there is none."""
    return said(await ask("writer", Request.of(f"question {item}"), ("generate", "texts", "text", item, 0)))


def said(asked: Asked) -> str:
    """Return the answer, or the reason code and why."""
    return f"{asked.reason}: {asked.why}" if asked.reply is None else asked.reply.text
