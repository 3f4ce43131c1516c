"""What a specification says of privacy budgets, held against what generators keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import cast

from synthwright.core import registry
from synthwright.core.contracts import Curator, Generator
from synthwright.core.jobs import MADE_ANEW, abilities_of, private
from synthwright.core.plan_children import Planned
from synthwright.core.safe_yaml import Place
from synthwright.core.spec import PrivacyBudget, Spec
from synthwright.core.spend import Spend

_UNPAID = (
    "no formal guarantee holds for whole rows: {free} learned of real rows without a budget; what {made} made kept "
    "{size}"
)
_GUARANTEED = (
    "guaranteed: differential privacy of every row that was learned from, with {size}. With that row or without it "
    "(neighbours differ by adding or removing one), no outcome is more than {times} times as likely, up to that delta, "
    "whatever else an attacker knows"
)
_PUBLIC = "taken as public: the schema and the domains that the specification states, and how many rows it asks for"
_MEASURED = (
    "not covered by the guarantee: the scores and gates, which are computed from real rows, and with them whether the "
    "rows were released at all"
)
_WRITTEN = 700.0
"""Above this the factor is beyond what a float can be."""
_COMPARED = "not covered by the guarantee either: which rows went, because {comparing} compared them with real ones"


def wrong_budgets(spec: Spec, tell: Callable[[Place, str], None]) -> None:
    """Tell every budget that nobody keeps, and every generator that wants one and has none."""
    for i, use in enumerate(spec.parts):
        keeps = abilities_of(use).private
        if use.budget is not None and not keeps and use.use in registry.names("generators"):
            able = ", ".join(_keepers()) or "none that is installed does"
            tell(("parts", i, "budget"), f"{use.use} keeps no privacy budget; generators that do: {able}")
        if keeps and use.budget is None:
            tell(("parts", i, "use"), f"{use.use} spends privacy: say how much it may, as in `budget: {{epsilon: 1}}`")
        if keeps and use.mode not in (None, "make"):
            tell(("parts", i, "mode"), f"{use.use} makes new rows: real values that stay have no privacy to keep")
    if spec.source is not None and spec.source.budget is not None and not any(p.budget for p in spec.parts):
        tell(("source", "budget"), "no part has a privacy budget: what is there to spend?")
    if any(p.budget for p in spec.parts):
        _wrong_surroundings(spec, tell)


def _wrong_surroundings(spec: Spec, tell: Callable[[Place, str], None]) -> None:
    """Tell what would look at real rows for free, beside the parts that have budgets."""
    if spec.schema_ is None:
        tell(("parts",), "a part with a privacy budget needs a schema that somebody wrote: one that is inferred tells "
                         "of real rows for free; 'synthwright init' drafts one to correct")  # fmt: skip
    if not (spec.start.rows or spec.start.cells or spec.start.children):
        tell(("start",), "say how many rows to make, as in `start: {rows: {people: 10000}}`: how many real ones there "
                         "are is private too")  # fmt: skip
    if spec.source is not None and spec.source.holdout.by is not None:
        tell(("source", "holdout", "by"), "a part with a privacy budget protects single rows, and who is held out may "
                                          "not depend on others: hold out a share, or rows after a date")  # fmt: skip
    if spec.begin.origin == "source":
        tell(("start", "from"), "a part with a privacy budget makes new rows: real rows to start from have none")


def _keepers() -> list[str]:
    every = ((n, cast(type[Generator], registry.find("generators", n))) for n in registry.names("generators"))
    return [name for name, kind in every if kind.abilities.private]


def budgeted(budget: PrivacyBudget | None) -> Spend | None:
    """Return what a part may spend."""
    return None if budget is None else Spend(budget.epsilon, budget.delta)


def allowed(parts: Iterable[Planned]) -> Spend:
    """Return what parts with a budget may spend together: the sum, by basic composition."""
    budgets = [p.part.budget for p in parts if p.part.budget is not None]
    return Spend(math.fsum(b.epsilon for b in budgets), math.fsum(b.delta for b in budgets))


def spent(spec: Spec, parts: Iterable[Planned]) -> Spend:
    """Return what the rows of all parts together cost: infinitely much where one learns without a budget."""
    return allowed(parts) if private(spec) else Spend()


def _times(epsilon: float) -> str:
    """Return the factor that epsilon is the logarithm of; its power of ten alone, where no float holds it."""
    return f"{math.exp(epsilon):.3g}" if epsilon < _WRITTEN else f"1e+{epsilon / math.log(10):.0f}"


def guarantee(parts: Iterable[Planned], curators: Iterable[Curator]) -> tuple[str, ...]:
    """Return what readers must know of the privacy budgets of a release: what is guaranteed, and what is not."""
    parts = tuple(parts)
    paid = [p for p in parts if p.part.budget is not None]
    if not paid:
        return ()
    whole = allowed(paid)
    size = f"epsilon {whole.epsilon:.4g} and delta {whole.delta:.2g}"
    learned = {p.generator.name for p in parts if p.part.budget is None and p.generator.abilities.learns}
    if free := sorted(learned - {MADE_ANEW}):
        made = ", ".join(sorted({p.generator.name for p in paid}))
        return (_UNPAID.format(free=", ".join(free), made=made, size=size),)
    comparing = ", ".join(c.name for c in curators if c.reads_real)
    more = (_COMPARED.format(comparing=comparing),) if comparing else ()
    return _GUARANTEED.format(size=size, times=_times(whole.epsilon)), _PUBLIC, _MEASURED, *more
