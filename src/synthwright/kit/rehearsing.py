"""Language models that are not asked: what would be asked is noted, and an answer of the right form made up."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from synthwright.core.chat import Ask, Asked, Item, Key, Made, Reply, Request
from synthwright.kit.spending import Ledger


class Noted(NamedTuple):
    """What would be asked."""

    model: str
    key: Key
    request: Request


class Rehearsing:
    """The language models of a rehearsal (`core.chat.Models`).

    Args:
        answer: makes up the answer to a request.
    """

    def __init__(self, answer: Callable[[Request], str]) -> None:
        self.answer = answer
        self.noted: list[Noted] = []
        self.embedded: dict[str, list[str]] = {}
        """Texts whose embedding would be asked for, by model."""

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None = None,
    ) -> list[Made]:
        """Do the work on one item after another."""

        async def every() -> list[Made]:
            return [await work(item, self) for item in items]

        made = asyncio.run(every())
        if told is not None:
            told(len(made))
        return made

    async def __call__(self, model: str, request: Request, key: Key) -> Asked:
        """Note the question; return a made-up answer."""
        self.noted.append(Noted(model, key, request))
        return Asked(Reply(self.answer(request)))

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Note the texts; return vectors that follow from them."""
        self.embedded.setdefault(model, []).extend(texts)
        return [[n / 255 for n in hashlib.sha256(text.encode()).digest()] for text in texts]

    def ledger(self) -> Ledger:
        """Return what was spent: nothing."""
        return Ledger(())
