"""Language models that are not asked: what would be asked is noted, and a function answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

from synthwright.core.chat import Ask, Asked, Item, Key, Made, NoReply, Reply, Request
from synthwright.kit.chat.spending import Ledger

Answer = Callable[[str, Request, Key], str | Reply | NoReply]
"""What a model answers to a request, under the key of who asks."""


class DirectModels:
    """The language models of a run (`core.chat.Models`) without network, pace or memory.

    Args:
        answer: what a model answers to a request, under the key of who asks.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Request, Key]] = []
        self.embedded: dict[str, dict[str, None]] = {}
        """By model, the texts whose embeddings were asked for, each once."""

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None = None,
    ) -> list[Made]:
        """Do the work on one item after another."""

        async def every() -> list[Made]:
            made = []
            for i, item in enumerate(items, 1):
                made.append(await work(item, self))
                if told is not None:
                    told(i)
            return made

        return asyncio.run(every())

    async def __call__(self, model: str, request: Request, key: Key) -> Asked:
        """Return what the function answers."""
        self.asked.append((model, request, key))
        said = self.answer(model, request, key)
        if isinstance(said, NoReply):
            return Asked(None, said.code, said.why)
        return Asked(said if isinstance(said, Reply) else Reply(said))

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return vectors that follow from the texts."""
        self.embedded.setdefault(model, {}).update(dict.fromkeys(texts))
        return [[n / 255 for n in hashlib.sha256(f"{model} {text}".encode()).digest()] for text in texts]

    def ledger(self) -> Ledger:
        """Return what was spent: nothing."""
        return Ledger(())
