"""Asks language models for the recipes of a run: paced, tried again, remembered, and counted.

An answer is remembered before anything else happens to it, under what was asked, by whom, and which attempt it was: a
run that was killed, stopped or out of money goes on where it was, and asks nothing twice. What comes out depends on the
answers alone, not on how many were asked at once.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from synthwright.core.chat import (
    Ask,
    Asked,
    Item,
    Key,
    Made,
    ModelError,
    NoReply,
    Provider,
    Reply,
    Request,
    Vectors,
)
from synthwright.kit.chat.pacing import Patience
from synthwright.kit.chat.prices import BATCH
from synthwright.kit.chat.spending import EMBEDDINGS, Count, Ledger, Line, part_of
from synthwright.kit.chat.trying import Model, Shared

Result = TypeVar("Result")
_BREATH = 64
"""After how many finished items the loop looks at its other business: work that needs no answer would never let it."""
_PATIENT = Patience()
_encode = json.JSONEncoder(sort_keys=True).encode


class Log(Protocol):
    """Remembers answers for good; `synthwright.store.replies.Replies` is one."""

    def get(self, key: str) -> Mapping[str, Any] | None:
        """Return what was answered under a key, or None."""

    def put(self, key: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Remember an answer; return the one that stays."""


class Asking:
    """The language models of a run (`core.chat.Models`); closes them when it is left.

    Args:
        models: by the names that recipes use.
        log: where answers are remembered; nothing: nowhere.
        budget_usd: what may be spent; nothing: no limit.
        patience: how long failures are borne.
        loop: makes the event loop that all is done in.

    Raises:
        ModelError: there is a budget, and nobody knows what a model costs.
    """

    def __init__(
        self,
        models: Mapping[str, Provider],
        log: Log | None = None,
        *,
        budget_usd: float | None = None,
        patience: Patience = _PATIENT,
        loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self._log = log
        self._found: set[bytes] = set()  # answers that were counted
        self._shared = Shared(patience, budget_usd, None if log is None else lambda: len(self._found))
        self._models: dict[str, Model] = {}
        for name, provider in models.items():
            known = (m for m in self._models.values() if m.provider == provider)
            self._models[name] = next(known, None) or Model(name, provider, self._shared)
        self._counts: dict[tuple[str, str], Count] = {}
        self._open: dict[str, asyncio.Future[Any]] = {}
        self._embedded: dict[str, Mapping[str, Any]] = {}  # where there is no log
        self._runner = asyncio.Runner(loop_factory=loop)
        self._main: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._close())
        finally:
            _outside(self._runner.close)

    def connect(self, names: Iterable[str] | None = None) -> None:
        """Connect models now, so that a missing key is told before anything is made; nothing is sent.

        Raises:
            ModelError: a key or a package is missing.
        """
        wanted = self._models if names is None else names
        self._run(self._connect([self._model(name) for name in wanted]))

    def ledger(self) -> Ledger:
        """Return what was asked so far, and what it cost."""
        lines = (Line(part, model, count) for (part, model), count in sorted(self._counts.items()))
        return Ledger(tuple(lines))

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None = None,
    ) -> list[Made]:
        """Do the work on every item, as many at once as the models take; return what was made, in order.

        Where the run has to end (no money, no server) what is under way is waited for and remembered. Where work fails
        the others are cancelled.

        Raises:
            ModelError: no request can succeed, or the budget is spent.
        """
        return self._run(self._each(items, work, told)) if len(items) else []

    async def __call__(self, model: str, request: Request, key: Key) -> Asked:
        """Return the answer of a named model, as `core.chat.Ask` says."""
        named, count = self._model(model), self._count(part_of(key), model)
        digest = _digest(named.identity, _encode([request.to_json(), key])[1:-1])
        while (same := self._open.get(digest)) is not None:  # asked by another one at this moment
            await asyncio.wait([same])
            if not same.cancelled():
                found: Asked = same.result()
                return found
        if (kept := self._remembered(digest)) is not None:
            reply = Reply(kept["text"], kept["finish"], kept["asked"], kept["wrote"])
            self._count_found(count, named, digest, reply.asked, reply.wrote)
            return Asked(reply)
        answer: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
        self._open[digest] = answer
        try:
            said = await named.reply(request, partial(self._keep_reply, model, key, digest), count)
            answer.set_result(Asked(None, said.code, said.why) if isinstance(said, NoReply) else Asked(said))
            return answer.result()
        finally:
            del self._open[digest]
            answer.cancel()  # no answer: who waits for it asks for himself

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return an embedding of each text, as `core.chat.Ask` says; a batch at a time, one after another.

        Numbers have single precision, as they are remembered.
        """
        named = self._model(model)
        left = {text: _digest(named.identity, '"embed"', json.dumps(text)) for text in texts}
        found: dict[str, list[float]] = {}
        while left:
            mine, same = self._to_embed(model, left, found)
            if mine:
                await self._embed_some(model, mine)
            elif same is not None:
                await asyncio.wait([same])
        return [found[text] for text in texts]

    def _to_embed(
        self, model: str, left: dict[str, str], found: dict[str, list[float]]
    ) -> tuple[dict[str, str], asyncio.Future[Any] | None]:
        """Move what is known from left to found; return a batch of texts to ask for, and one that somebody asks for."""
        mine: dict[str, str] = {}
        same = None
        for text, digest in list(left.items()):
            asked = self._open.get(digest)
            kept = self._embedded.get(digest) if self._log is None else self._remembered(digest)
            if kept is not None:
                found[text] = np.frombuffer(b64decode(kept["vector"]), dtype="<f4").tolist()
                self._count_found(self._count(EMBEDDINGS, model), self._model(model), digest, kept["asked"], 0)
                del left[text]
            elif asked is not None:
                same = asked
            else:
                mine[text] = digest
            if len(mine) == BATCH:
                break
        return mine, same

    async def _embed_some(self, model: str, texts: Mapping[str, str]) -> None:
        """Ask for the embeddings of texts, which come with their digests, and remember them."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open |= dict.fromkeys(texts.values(), asked)
        try:
            keep = partial(self._keep_vectors, model, list(texts.values()))
            said = await self._model(model).embed(list(texts), keep, self._count(EMBEDDINGS, model))
            if isinstance(said, NoReply):
                self._shared.stop(ModelError(f"models.{model}", "embeddings", wanted="one for each text", got=said.why,
                                             remedy=self._shared.remedy("put it right and run again")))  # fmt: skip
        finally:
            for digest in texts.values():
                del self._open[digest]
            asked.cancel()  # who waits for it looks again

    def _keep_reply(self, model: str, key: Key, digest: str, reply: Reply, seconds: float) -> Reply:
        if self._log is None:
            self._found.add(_short(digest))
            return reply
        value = {
            "text": reply.text, "finish": reply.finish, "asked": reply.asked, "wrote": reply.wrote, "model": model,
            "named": self._models[model].provider.model, "key": key, "seconds": round(seconds, 3),
        }  # fmt: skip
        kept = self._log.put(digest, value)
        self._found.add(_short(digest))
        return reply if kept is value else Reply(kept["text"], kept["finish"], kept["asked"], kept["wrote"])

    def _keep_vectors(self, model: str, digests: list[str], said: Vectors, seconds: float) -> int:
        """Remember embeddings, in single precision; return how many."""
        if len(said.rows) != len(digests):
            raise NoReply(f"{len(said.rows)} embeddings of {len(digests)} texts", "reply-malformed")
        put = self._embedded.setdefault if self._log is None else self._log.put
        for digest, row in zip(digests, said.rows, strict=True):
            put(digest, {
                "vector": b64encode(np.asarray(row, dtype="<f4").tobytes()).decode(),
                "asked": round(said.asked / len(digests)), "model": model,
                "named": self._models[model].provider.model, "seconds": round(seconds / len(digests), 3),
            })  # fmt: skip
            self._found.add(_short(digest))
        return len(digests)

    def _remembered(self, digest: str) -> Mapping[str, Any] | None:
        return None if self._log is None else self._log.get(digest)

    def _count(self, part: str, model: str) -> Count:
        found = self._counts.get((part, model))
        if found is None:
            found = self._counts[part, model] = Count()
        return found

    def _count_found(self, count: Count, model: Model, digest: str, asked: int, wrote: int) -> None:
        """Count an answer of an earlier run; once, however often it is looked at."""
        short = _short(digest)
        if short not in self._found:
            self._found.add(short)
            count.found(asked, wrote, model.price)

    def _model(self, name: str) -> Model:
        if name not in self._models:
            raise ModelError(f"models.{name}", "the model", wanted=f"one of {', '.join(self._models) or 'none'}",
                             got="a name that 'models' does not have", remedy="add it to 'models'")  # fmt: skip
        return self._models[name]

    async def _each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None,
    ) -> list[Made]:
        self._main = asyncio.current_task()
        made: dict[int, Made] = {}
        wide = sum({id(model): model.provider.in_flight for model in self._models.values()}.values())
        todo = enumerate(items)
        crew = [asyncio.create_task(self._work(todo, work, made, told)) for _ in range(min(len(items), max(wide, 1)))]
        try:
            done, _ = await asyncio.wait(crew, return_when=asyncio.FIRST_EXCEPTION)
            faults = [fault for task in done if (fault := task.exception()) is not None]
            if faults and self._shared.over is not None:  # nobody sends any more: what is under way is waited for
                while waiting := {t for t in (*crew, *self._shared.under_way) if not t.done()}:
                    await asyncio.wait(waiting)
                self._shared.check()
            if faults:
                raise faults[0]
        finally:
            left = {t for t in (*crew, *self._shared.under_way) if not t.done()}
            for task in left:
                task.cancel()
            await asyncio.gather(*crew, *left, return_exceptions=True)
        return [made[i] for i in range(len(items))]

    async def _work(
        self,
        todo: Iterator[tuple[int, Item]],
        work: Callable[[Item, Ask], Awaitable[Made]],
        made: dict[int, Made],
        told: Callable[[int], None] | None,
    ) -> None:
        """Take one item after another, as long as there are some."""
        for i, item in todo:
            made[i] = await work(item, self)
            if told is not None:
                told(len(made))
            if not len(made) % _BREATH:
                await asyncio.sleep(0)

    def _run(self, business: Coroutine[Any, Any, Result]) -> Result:
        return _outside(partial(self._runner.run, business), self._cancel)

    def _cancel(self) -> None:
        if self._main is not None:
            self._runner.get_loop().call_soon_threadsafe(self._main.cancel)

    @staticmethod
    async def _connect(models: list[Model]) -> None:
        for model in models:
            model.connected()

    async def _close(self) -> None:
        for model in {id(model): model for model in self._models.values()}.values():
            await model.close()


def _digest(*pieces: str) -> str:
    """Return the SHA-256 of a JSON list whose entries are given as JSON."""
    return sha256(f"[{', '.join(pieces)}]".encode()).hexdigest()


def _short(digest: str) -> bytes:
    """Return enough of a key to tell it from others."""
    return bytes.fromhex(digest[:24])


def _outside(business: Callable[[], Result], cancel: Callable[[], None] | None = None) -> Result:
    """Do something that runs an event loop: here, or beside the one that runs here already (a notebook's)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return business()
    with ThreadPoolExecutor(1, "asking") as aside:
        result = aside.submit(business)
        try:
            return result.result()
        except KeyboardInterrupt:
            if cancel is not None:
                cancel()
            raise
