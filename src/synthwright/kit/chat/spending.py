"""What asking cost, by model and by part, and the budget that it may cost."""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, NamedTuple

from synthwright.core.chat import Key, Price
from synthwright.kit.chat.prices import cost

EMBEDDINGS = "embeddings"
"""The part that embeddings are counted under: they are remembered by text, and belong to nobody."""
_OWN = 2
"""How many pieces at the end of a key are the row's own: its number and the attempt."""


@dataclass(slots=True)
class Count:
    """What some questions took."""

    calls: int = 0
    """Questions that were answered now."""
    sent: int = 0
    """Requests that went out for them, those that failed among them."""
    failed: int = 0
    """Questions that got no answer."""
    asked: int = 0
    """Tokens of the requests answered now."""
    wrote: int = 0
    """Tokens of the answers."""
    usd: float = 0.0
    """What they cost, as far as the price is known."""
    unpriced: int = 0
    """Tokens, of requests and answers, whose price nobody knows; of remembered answers too."""
    seconds: float = 0.0
    """How long the answers took, one after another."""
    remembered: int = 0
    """Questions whose answer was there from an earlier run: they cost nothing now."""
    asked_before: int = 0
    """Tokens of their requests, when they were asked."""
    wrote_before: int = 0
    """Tokens of their answers."""
    usd_before: float = 0.0
    """What they cost when they were asked, at the price of now."""

    def took(self, asked: int, wrote: int, price: Price | None, seconds: float) -> float:
        """Take in a question that was answered now; return what it cost."""
        self.calls += 1
        self.asked += asked
        self.wrote += wrote
        self.seconds += seconds
        usd = self._priced(asked, wrote, price)
        self.usd += usd
        return usd

    def found(self, asked: int, wrote: int, price: Price | None) -> None:
        """Take in a question whose answer was remembered."""
        self.remembered += 1
        self.asked_before += asked
        self.wrote_before += wrote
        self.usd_before += self._priced(asked, wrote, price)

    def _priced(self, asked: int, wrote: int, price: Price | None) -> float:
        if price is None:
            self.unpriced += asked + wrote
            return 0.0
        return cost(price, asked, wrote)

    def add(self, other: Count) -> None:
        """Take in another count."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name; US dollars to a millionth, seconds to a thousandth."""
        return asdict(self) | {"usd": round(self.usd, 6), "usd_before": round(self.usd_before, 6),
                               "seconds": round(self.seconds, 3)}  # fmt: skip


class Line(NamedTuple):
    """What the questions of one part to one model took."""

    part: str
    model: str
    took: Count


class Ledger(NamedTuple):
    """What all questions of a run took so far, a line for each part and model."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> Count:
        """Everything in one."""
        return _summed(self.lines)

    def by_model(self) -> dict[str, Count]:
        """Return the counts of every model."""
        return self._by(lambda line: line.model)

    def by_part(self) -> dict[str, Count]:
        """Return the counts of every part."""
        return self._by(lambda line: line.part)

    def to_json(self) -> dict[str, Any]:
        """Return total, counts by model and by part, and the lines, as JSON."""
        return {
            "total": self.total.to_json(),
            "models": {name: count.to_json() for name, count in self.by_model().items()},
            "parts": {name: count.to_json() for name, count in self.by_part().items()},
            "lines": [{"part": line.part, "model": line.model, **line.took.to_json()} for line in self.lines],
        }

    def _by(self, group: Callable[[Line], str]) -> dict[str, Count]:
        names = sorted({group(line) for line in self.lines})
        return {name: _summed(line for line in self.lines if group(line) == name) for name in names}


def part_of(key: Key) -> str:
    """Return whom a question belongs to: the texts of its key but for numbers, without the row and the attempt."""
    return _joined(key[:-_OWN])


@lru_cache(maxsize=4096)
def _joined(place: Key) -> str:
    return "/".join(piece for piece in place if isinstance(piece, str) and not piece.isdigit())


def _summed(lines: Iterable[Line]) -> Count:
    total = Count()
    for line in lines:
        total.add(line.took)
    return total


class Purse:
    """What may be spent. What a request may cost is set aside before it is sent.

    Args:
        usd: the budget; nothing: no limit.
    """

    def __init__(self, usd: float | None) -> None:
        self.usd, self.spent = usd, 0.0
        self.reserved = 0.0
        self.under_way = 0
        """Requests that something is set aside for."""
        self._waiting: list[Future[None]] = []

    def fits(self, usd: float) -> bool:
        """Return whether so much more may be spent."""
        return self.usd is None or self.spent + self.reserved + usd <= self.usd

    def reserve(self, usd: float) -> None:
        """Set aside what a request may cost."""
        self.reserved += usd
        self.under_way += 1

    def settle(self, reserved: float, usd: float) -> None:
        """Put down what it cost instead of what was set aside."""
        self.under_way -= 1
        self.reserved = self.reserved - reserved if self.under_way else 0.0  # sums of floats do not come back to zero
        self.spent += usd
        self.wake()

    async def changed(self) -> None:
        """Wait until something is settled."""
        turn: Future[None] = get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def wake(self) -> None:
        """Let everybody look again."""
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
