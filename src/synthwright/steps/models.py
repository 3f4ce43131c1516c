"""The language models of a run: connected, remembered in the store, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from synthwright.core.chat import Provider
from synthwright.core.context import Context
from synthwright.core.plan import Plan
from synthwright.steps.orders import Bench
from synthwright.steps.waves import Wave
from synthwright.store.folder import FolderStore

if TYPE_CHECKING:  # most runs ask no model: what asks is imported late
    from synthwright.kit.chat.asking import Asking

Took = dict[tuple[str, str], tuple[int, int, int]]
"""Answers, tokens of requests and tokens of answers, by part and model."""


class Cost(NamedTuple):
    """What the questions of one part to one model cost, over all runs whose answers this one used."""

    part: str
    model: str
    calls: int
    asked: int
    """Tokens of the requests."""
    wrote: int
    """Tokens of the answers."""
    usd: float | None
    """US dollars; nothing: nobody said what a token costs."""
    rows: int | None
    """Rows of the part's table that stayed; nothing: it has none."""
    table: str = ""
    """The table that it makes columns of, or rules on."""
    recipe: str = ""
    """The generator or curator that asked."""


def asked_models(plan: Plan) -> list[str]:
    """Return the names of the language models that parts, curators and the guard of diversity ask, sorted."""
    recipes = [*(p.generator for p in plan.parts), *plan.curators]
    return sorted({name for recipe in recipes for name in recipe.asks()} | set(plan.spec.diversity.asks()))


def placed(plan: Plan, ctx: Context) -> Plan:
    """Return the plan with the files of the models that are asked found, and what they hold said in its specification.

    Raises:
        InputError: they cannot be used, or hold other things than the specification says.
        PathError: they are outside the project.
    """
    models, uses = dict(plan.models), dict(plan.spec.models)
    for name in asked_models(plan):
        models[name], pinned = models[name].placed(ctx)
        uses[name] = uses[name].model_copy(update={"settings": uses[name].settings | pinned})
    return plan._replace(models=models, spec=plan.spec.model_copy(update={"models": uses}))


@contextmanager
def connected(plan: Plan, store: FolderStore) -> Iterator[Asking | None]:
    """Connect the language models that parts, curators and the guard of diversity ask; None where nothing asks any.

    Raises:
        ModelError: a key or a package is missing.
    """
    asked = asked_models(plan)
    if not asked:
        yield None
        return
    from synthwright.kit.chat.asking import Asking
    from synthwright.store.replies import Replies

    models = {name: plan.models[name] for name in asked}
    budget = plan.spec.budget.usd if plan.spec.budget is not None else None
    with Replies.open(store.at) as log, Asking(models, log, budget_usd=budget) as asking:
        asking.connect()
        yield asking


def taken(bench: Bench) -> Took:
    """Return what was asked so far: answers, and tokens of requests and answers, by part and model."""
    asking = cast("Asking | None", bench.ctx.models)
    lines = [] if asking is None else asking.ledger().lines
    return {(x.part, x.model): (x.took.calls + x.took.remembered, x.took.asked + x.took.asked_before,
                                x.took.wrote + x.took.wrote_before) for x in lines}  # fmt: skip


def since(bench: Bench, before: Took) -> list[list[Any]]:
    """Return as JSON what was asked since `taken` was called, for whoever keeps it beside what was made."""
    found = []
    for (part, model), now in taken(bench).items():
        then = before.get((part, model), (0, 0, 0))
        if now != then:
            found.append([part, model, *(n - t for n, t in zip(now, then, strict=True))])
    return found


def costs(bench: Bench, waves: Sequence[Wave], rows: dict[str, int]) -> list[Cost]:
    """Return what language models cost, a line for each part and model; whether it was now or in an earlier run.

    Args:
        bench: the run.
        waves: all waves: what was asked for them stands beside them.
        rows: rows of each table that stayed.
    """
    added: Took = {}
    for part, model, *counts in (line for wave in waves for line in wave.costs()):
        before = added.get((part, model), (0, 0, 0))
        added[part, model] = (before[0] + counts[0], before[1] + counts[1], before[2] + counts[2])
    return [_cost(part, bench.plan.models[model], model, counts, rows) for (part, model), counts in added.items()]


class Place(NamedTuple):
    """Whose a line of the ledger is."""

    name: str
    """What it is called for people."""
    table: str = ""
    """The table that it makes columns of, or rules on; nothing: of none."""
    recipe: str = ""
    """The generator or curator; nothing: neither asked."""


def place_of(part: str) -> Place:
    """Return whose a line of the ledger is."""
    step, *places = part.split("/")
    if step == "curate" and len(places) > 1:
        return Place(part, places[1], places[0])
    if step != "generate" or len(places) < 2:
        return Place(part)
    return Place(f"{places[0]}.{places[-1]}", places[0], places[-2] if len(places) > 2 else "")


def _cost(part: str, provider: Provider, model: str, took: tuple[int, int, int], rows: dict[str, int]) -> Cost:
    from synthwright.kit.chat.prices import cost, price_of

    place = place_of(part)
    calls, asked, wrote = took
    price = price_of(provider)
    usd = None if price is None else cost(price, asked, wrote)
    return Cost(place.name, model, calls, asked, wrote, usd, rows.get(place.table), place.table, place.recipe)
