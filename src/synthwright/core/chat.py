"""What is said to a language model, what comes back, and the seam through which it goes.

A specification names its models (`models: {writer: …, judge: …}`). Each is a *provider* with its parameters; connected
it is a `Chat`. Recipes never speak to a `Chat` themselves: they ask `ctx.models`, which paces, retries, remembers and
counts what every answer costs. Language models are asked in the driver, so that an endpoint has one limit however many
workers there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Recipe
from synthwright.core.errors import SynthwrightError
from synthwright.core.spec import PACE

Item = TypeVar("Item")
Made = TypeVar("Made")
Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "refused"]


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    text: str


class Request(NamedTuple):
    """What a model is asked: rendered, so that equal requests are equal values."""

    messages: tuple[Message, ...]
    form: Mapping[str, Any] | None = None
    """The JSON Schema that the answer must meet; nothing: free text."""
    tokens: int | None = None
    """The most tokens of the answer; nothing: what the model's parameters say."""
    temperature: float | None = None
    """How freely it writes; nothing: what the model's parameters say."""

    @staticmethod
    def of(text: str, system: str = "", *, form: Mapping[str, Any] | None = None) -> Request:
        """Return the request that says one thing, after what the system message says."""
        first = (Message("system", system),) if system else ()
        return Request((*first, Message("user", text)), form)

    def then(self, *messages: Message) -> Request:
        """Return the request with further turns."""
        return self._replace(messages=(*self.messages, *messages))

    def to_json(self) -> dict[str, Any]:
        """Return everything that decides the answer, as JSON."""
        said: dict[str, Any] = {"messages": [[m.role, m.text] for m in self.messages]}
        more = {"form": self.form, "tokens": self.tokens, "temperature": self.temperature}
        return said | {word: value for word, value in more.items() if value is not None}


class Reply(NamedTuple):
    """What a model answered."""

    text: str
    finish: Finish = "stop"
    """stop: it had said all; length: it was cut off; refused: the endpoint withheld the answer."""
    asked: int = 0
    """Tokens of the request, as the endpoint counts them; 0 where it does not say."""
    wrote: int = 0
    """Tokens of the answer."""


class Vectors(NamedTuple):
    """Embeddings of some texts, a row each, and the tokens that were read."""

    rows: list[list[float]]
    asked: int = 0


class NoReply(Exception):  # noqa: N818  it is an answer of a kind: most are tried again, and few reach a user
    """Why an endpoint gave no answer.

    Args:
        why: what happened, for people; never a key, never a header.
        code: the reason code of a row that goes for it.
        again: whether asking again may help (429, 5xx, a broken connection).
        after: seconds that the endpoint asks to wait.
        fatal: whether no request can succeed (401, 404, a host that may not be asked): the run stops.
        busy: whether the endpoint says that it is asked too much: fewer are asked at once.
    """

    def __init__(
        self, why: str, code: str = "no-reply", *, again: bool = False, after: float | None = None,
        fatal: bool = False, busy: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(why)
        self.why, self.code, self.again, self.after, self.fatal, self.busy = why, code, again, after, fatal, busy


class NobodyThere(NoReply):
    """Nothing listens there, on this machine: waiting long for it helps nobody."""


class ModelError(SynthwrightError):
    """A language model that cannot be asked: no key, no server, a refusal for good, a budget that is spent."""


class Chat(Protocol):
    """A connected language model. It asks once: pacing and trying again are not its business."""

    async def reply(self, request: Request) -> Reply:
        """Return the answer; NoReply where there is none."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an embedding of each text; NoReply where there is none."""

    async def close(self) -> None:
        """Close what is open."""


class Price(NamedTuple):
    """US dollars for a million tokens."""

    asked: float
    wrote: float


class Provider(Recipe, ABC):
    """A recipe that connects to a language model. What all have in common stands here, once."""

    model: str = Setting(default="")
    """What the endpoint calls the model."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely it writes; nothing: the endpoint's own."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of an answer; nothing: the endpoint's own."""
    in_flight: int = Setting(default=32, ge=1, le=4096)
    """The most requests that are under way at once. Fewer are where the endpoint says that it has too many."""
    requests_per_minute: float | None = Setting(default=None, gt=0)
    """The most requests a minute; nothing: no limit."""
    tokens_per_minute: float | None = Setting(default=None, gt=0)
    """The most tokens a minute, of requests and answers; nothing: no limit."""
    seconds: float = Setting(default=120, gt=0, le=3600)
    """How long one answer may take."""
    tries: int = Setting(default=6, ge=1, le=50)
    """How often one request is tried where the endpoint is busy or broken."""
    price: Price | None = None
    """US dollars for a million tokens, `[asked, wrote]`; nothing: the dated table of the package, or unknown."""

    pace: ClassVar[tuple[str, ...]] = PACE
    """Parameters that do not decide what is answered."""

    def identity(self) -> dict[str, Any]:
        """Return what decides the answers: stored ones are used again where it is the same."""
        said = self.model_dump(mode="json", exclude=set(self.pace), by_alias=True)
        return {"use": type(self).name, "version": type(self).version, "with": said}

    def placed(self, ctx: Context) -> tuple[Provider, dict[str, Any]]:
        """Return it with the paths of its parameters opened, and the parameters that pin what its files hold.

        What is pinned is part of its identity and of the lock; those who read no files return themselves and nothing.
        """
        return self, {}

    @abstractmethod
    def connect(self) -> Chat:
        """Return the connected model; nothing is sent before the first question.

        Raises:
            ModelError: a key or a package is missing; the message says in two lines what to set or start.
        """


class Asked(NamedTuple):
    """An answer, or why there is none."""

    reply: Reply | None
    reason: str = ""
    """The reason code where there is no answer."""
    why: str = ""
    """What happened, for people."""


Key = tuple[str | int, ...]


class Ask(Protocol):
    """How a piece of work asks a model."""

    async def __call__(self, model: str, request: Request, key: Key) -> Asked:
        """Return the answer of a named model, remembered under request and key: which row it is for, which attempt.

        Raises:
            ModelError: no request can succeed, or the budget is spent.
        """

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return an embedding of each text, remembered by text.

        Raises:
            ModelError: there is none.
        """


class Models(Protocol):
    """The language models of a run."""

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None = None,
    ) -> list[Made]:
        """Do the work on every item, as many at once as the models take; return what was made, in order.

        Args:
            items: rows, texts, pairs.
            work: asks as often as it needs to, and must not depend on the order of items.
            told: is told how many are done.
        """
