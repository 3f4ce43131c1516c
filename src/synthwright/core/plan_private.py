"""What a specification says of privacy budgets, held against what generators keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from synthwright.core import registry
from synthwright.core.contracts import Curator, Generator
from synthwright.core.jobs import MADE_ANEW, abilities_of, private
from synthwright.core.plan_children import Planned, Planner
from synthwright.core.private import PrivateGenerator, entity_column
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Kind, Schema
from synthwright.core.spec import Holdout, PartUse, Spec
from synthwright.core.spend import ROW, Spend

_UNPAID = (
    "no formal guarantee holds for whole rows: {free} learned of real rows without a budget; what {made} made kept "
    "{size}"
)
_GUARANTEED = (
    "guaranteed: differential privacy of every row that was learned from, with {size}. With that row or without it "
    "(neighbours differ by adding or removing one), no outcome is more than {times} times as likely, up to that delta, "
    "whatever else an attacker knows"
)
_ENTITIES = (
    "guaranteed: differential privacy of all rows of one {unit} together, with {size}. With all of them or with none "
    "(neighbours differ by {neighbours}), no outcome is more than {times} times as likely, up to that delta, whatever "
    "else an attacker knows. Which rows counted was drawn in secret; how many were left out, and rows without a "
    "{unit} with them, is not told"
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
        _wrong_kind(spec, i, use, tell)
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
        _wrong_words(spec, tell)


def _wrong_kind(spec: Spec, i: int, use: PartUse, tell: Callable[[Place, str], None]) -> None:
    """Tell what the generator of a part cannot make of its budget."""
    kind = registry.find("generators", use.use) if use.use in registry.names("generators") else None
    if use.budget is None or kind is None or not issubclass(kind, PrivateGenerator):
        return
    if kind.approximate and not use.budget.delta:
        tell(("parts", i, "budget", "delta"), f"{use.use} needs a delta above 0, far below one in the number of rows: "
                                              "1.0e-9")  # fmt: skip
    unit, rows = _said(spec, use)
    if unit != ROW and not kind.entities:
        tell(("parts", i, "budget"), f"{use.use} protects single rows, not all rows of one {unit}")
    elif unit != ROW and rows is None:
        tell(("parts", i, "budget"), f"say how many rows of one {unit} count, at most, as in `rows: 5`: how many there "
                                     "are is private too")  # fmt: skip


def _wrong_words(spec: Spec, tell: Callable[[Place, str], None]) -> None:
    """Tell units that differ, and numbers of rows that belong to none: a source is counted in one unit."""
    said = [(("parts", i, "budget"), p.budget, _said(spec, p)[0]) for i, p in enumerate(spec.parts) if p.budget]
    whole = spec.source.budget if spec.source is not None else None
    units = dict.fromkeys([*(unit for _, _, unit in said), *([whole.unit] if whole and whole.unit else [])])
    if len(units) > 1:
        tell(said[-1][0], f"all budgets of a source protect one unit, got {' and '.join(units)}")
    for place, budget, unit in (*said, *([(("source", "budget"), whole, whole.unit or ROW)] if whole else [])):
        if budget.rows is not None and unit == ROW:
            tell((*place, "rows"), "'rows' goes with a unit of several rows: say whose they are, as in "
                                   "`unit: visits.patient`")  # fmt: skip


def wrong_units(spec: Spec, schema: Schema, parts: Sequence[Planned], planner: Planner) -> None:
    """Tell units that are no column, tables that do not say whose their rows are, and units that would be modelled."""
    unit = unit_of(spec)
    if unit == ROW:
        return
    i = next(i for i, p in enumerate(spec.parts) if p.budget)
    place: Place = ("parts", i, "budget")
    if not planner.known(unit, schema, (*place, "unit")):
        return
    for part in parts:
        whose = entity_column(schema, part.table, unit)
        if part.part.budget is not None and whose is None:
            planner.tell((*place, "unit"), f"table {part.table!r} does not say whose its rows are: wanted the column "
                                           f"{unit!r} in it, or one column that refers to it")  # fmt: skip
        elif part.generator.name != MADE_ANEW and part.generator.abilities.learns and whose in part.part.produce:
            kind = schema.field(str(whose)).kind.value
            planner.tell((*place, "unit"), f"{whose!r} says whose a row is, and must be made anew, not learned: it is "
                                           f"of kind {kind!r}, wanted 'text', 'key' or 'reference'")  # fmt: skip


def _wrong_surroundings(spec: Spec, tell: Callable[[Place, str], None]) -> None:
    """Tell what would look at real rows for free, beside the parts that have budgets."""
    if spec.schema_ is None:
        tell(("parts",), "a part with a privacy budget needs a schema that somebody wrote: one that is inferred tells "
                         "of real rows for free; 'synthwright init' drafts one to correct")  # fmt: skip
    if not (spec.start.rows or spec.start.cells or spec.start.children):
        tell(("start",), "say how many rows to make, as in `start: {rows: {people: 10000}}`: how many real ones there "
                         "are is private too")  # fmt: skip
    if spec.source is not None and spec.source.holdout.by not in (None, unit_of(spec)):
        tell(("source", "holdout", "by"), f"a part with a privacy budget protects {_protected(spec)}, and who is held "
                                          "out may not depend on others: hold out a share, or rows after a date",
             )  # fmt: skip
    if spec.begin.origin == "source":
        tell(("start", "from"), "a part with a privacy budget makes new rows: real rows to start from have none")


def _keepers() -> list[str]:
    every = ((n, cast(type[Generator], registry.find("generators", n))) for n in registry.names("generators"))
    return [name for name, kind in every if kind.abilities.private]


def _said(spec: Spec, use: PartUse) -> tuple[str, int | None]:
    """Return the unit of a part's budget, and how many rows of one count: what the source says, where it does not."""
    words = [b for b in (use.budget, spec.source.budget if spec.source is not None else None) if b is not None]
    rows = next((b.rows for b in words if b.rows is not None), None)
    return next((b.unit for b in words if b.unit is not None), ROW), rows


def unit_of(spec: Spec) -> str:
    """Return the unit that the budgets of a specification protect: `row`, or the column that names it."""
    return next((unit for p in spec.parts if p.budget and (unit := _said(spec, p)[0]) != ROW), ROW)


def _protected(spec: Spec) -> str:
    unit = unit_of(spec)
    return "single rows" if unit == ROW else f"all rows of one {unit}"


def held_out(spec: Spec) -> Holdout:
    """Return which real rows are held out; where a budget protects units of several rows, whole units by default."""
    assert spec.source is not None  # noqa: S101  whoever asks looked
    how, unit = spec.source.holdout, unit_of(spec)
    if unit == ROW or how.by is not None or how.after is not None or how.path is not None:
        return how
    return how.model_copy(update={"by": unit})


def budgeted(spec: Spec, use: PartUse, schema: Schema, table: str) -> Spend | None:
    """Return what a part may spend on a table."""
    if use.budget is None:
        return None
    unit, rows = _said(spec, use)
    own = unit in schema.columns and schema.split(unit)[0] == table
    alone = unit == ROW or (own and schema.field(unit).kind is Kind.KEY)
    return Spend(use.budget.epsilon, use.budget.delta, unit, 1 if alone else rows or 1)


def allowed(parts: Iterable[Planned]) -> Spend:
    """Return what parts with a budget may spend together: the sum, by basic composition."""
    budgets = [p.part.budget for p in parts if p.part.budget is not None]
    unit = next((b.unit for b in budgets), ROW)
    return Spend(math.fsum(b.epsilon for b in budgets), math.fsum(b.delta for b in budgets), unit,
                 max((b.rows for b in budgets), default=1))  # fmt: skip


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
    sure = _GUARANTEED if whole.unit == ROW else _ENTITIES
    said = sure.format(size=size, times=_times(whole.epsilon), unit=whole.unit, neighbours=whole.neighbours)
    return said, _PUBLIC, _MEASURED, *more
