"""What a language model costs: what the specification says, nothing on one's own machines, else a dated table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from synthwright.core.chat import ModelError, Price, Provider, Request
from synthwright.kit.chat.endpoints import Endpoint

FREE = Price(0.0, 0.0)
MILLION = 1_000_000
_WITHIN = (".local", ".internal", ".lan", ".home.arpa")
"""How names of one's own network end."""
_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|\d{3})$")
"""How a name says which edition of a model is meant; editions that cost something else have a line of their own."""
_LETTERS = 4
"""Bytes of a token, about."""
_TURN = 4
"""Tokens that a message costs beside its text, about."""
UNSAID = 512
"""Tokens of an answer where nothing says how long it may be and none is known."""
_PER_TOKEN, _AT_LEAST = 0.02, 0.5
BATCH = 64
"""Texts whose embeddings are asked for at once."""
"""Seconds in which a usual server writes a token, and answers at all; a rough guess."""


class Listed(NamedTuple):
    """A line of the table."""

    company: str
    host: str
    price: Price
    seen: str
    """About the latest month for which the price is known."""


@cache
def listed() -> dict[tuple[str, str], Listed]:
    """Return the table, by company and model."""
    text = files("synthwright.kit.chat").joinpath("prices.csv").read_text(encoding="utf-8")
    _, *lines = (line.split(";") for line in text.splitlines() if not line.startswith("#"))
    return {(c, m): Listed(c, host, Price(float(a), float(w)), seen) for c, host, m, a, w, seen in lines}


def price_of(provider: Provider) -> Price | None:
    """Return what a model costs; None where nobody knows: the table has list prices of the makers' own endpoints."""
    if provider.price is not None:
        return provider.price
    url = getattr(provider, "url", None)
    if type(provider).name == "scripted" or (isinstance(url, str) and url and _own(url)):
        return FREE
    company, model = type(provider).name, provider.model
    if isinstance(url, str) and url:
        company = next((one.company for one in listed().values() if one.host == _endpoint(url)), "")
    elif "/" in model:
        company, _, model = model.partition("/")
    found = listed().get((company, model)) or listed().get((company, _DATED.sub("", model)))
    return None if found is None else found.price


def known_price(name: str, provider: Provider, budget: float | None) -> Price | None:
    """Return what a model costs, None where nobody knows and nobody asks.

    Raises:
        ModelError: there is a budget, and nothing to hold against it.
    """
    found = price_of(provider)
    if found is None and budget is not None:
        raise ModelError(
            f"models.{name}", "the price", wanted="what a million tokens cost, because there is a budget",
            got=f"a model that is not in the table of prices ({provider.model!r})",
            remedy="say `price: [in, out]`, US dollars for a million tokens asked and written; "
            "or take the budget out",
        )  # fmt: skip
    return found


def cost(price: Price, asked: float, wrote: float) -> float:
    """Return US dollars for tokens that were asked and written."""
    return (asked * price.asked + wrote * price.wrote) / MILLION


def tokens_of(text: str) -> int:
    """Return about how many tokens a text is."""
    return (len(text) if text.isascii() else len(text.encode(errors="replace"))) // _LETTERS + 1


def tokens_asked(request: Request) -> int:
    """Return about how many tokens a request is; what a JSON Schema adds differs, and is not counted."""
    many = 0
    for message in request.messages:
        many += tokens_of(message.text) + _TURN
    return many


def most_tokens(request: Request, provider: Provider) -> int | None:
    """Return the most tokens of the answer, where something says it."""
    return request.tokens if request.tokens is not None else provider.tokens


class Estimate(NamedTuple):
    """What asking will take, about."""

    calls: int
    asked: int
    """Tokens of the requests."""
    wrote: int
    """Tokens of the answers: as many as they may have at most, where that is said."""
    usd: float | None
    """US dollars; nothing: the price is unknown."""
    seconds: float
    """Time: a guess, bounded from below by the rates that the specification allows."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return self._asdict()


def estimate(
    sample: Sequence[Request], provider: Provider, calls: int | None = None, answer: float | None = None
) -> Estimate:
    """Return what it takes to ask a model as often as said, judged by a sample of the rendered requests.

    Args:
        calls: how often it will be asked; nothing: once for each request of the sample.
        answer: tokens of a usual answer, where some are known; nothing: the most that an answer may have.
    """
    many = len(sample) if calls is None else calls
    asked = wrote = 0.0
    if sample:
        asked = many * sum(map(tokens_asked, sample)) / len(sample)
        longest = [most_tokens(r, provider) or UNSAID for r in sample]
        wrote = many * (sum(longest) / len(sample) if answer is None else answer)
    price = price_of(provider)
    each = _AT_LEAST + _PER_TOKEN * wrote / max(many, 1)
    seconds = max(
        each * -(-many // provider.in_flight),
        60 * many / (provider.requests_per_minute or float("inf")),
        60 * (asked + wrote) / (provider.tokens_per_minute or float("inf")),
    )
    usd = None if price is None else cost(price, asked, wrote)
    return Estimate(many, round(asked), round(wrote), usd, seconds)


def estimate_embeddings(tokens: float, texts: float, provider: Provider) -> Estimate:
    """Return what it takes to embed so many texts, of so many tokens together."""
    price, calls = price_of(provider), -(-round(texts) // BATCH)
    usd = None if price is None else cost(price, tokens, 0.0)
    return Estimate(calls, round(tokens), 0, usd, _AT_LEAST * calls)


def _endpoint(url: str) -> str:
    try:
        return Endpoint.of(url).host
    except ValueError:
        return ""


def _own(url: str) -> bool:
    """Return whether a URL leads to one's own machines, by its spelling."""
    try:
        found = Endpoint.of(url)
    except ValueError:
        return False
    return bool(found.local) or ("." not in found.host and ":" not in found.host) or found.host.endswith(_WITHIN)
