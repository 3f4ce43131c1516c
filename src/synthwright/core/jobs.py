"""Which job a specification gives follows from its start, and selects curators and gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from synthwright.core import registry
from synthwright.core.contracts import Abilities, Generator, Metric
from synthwright.core.plan_children import Planned
from synthwright.core.ruling import Ruling, Waived
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Schema
from synthwright.core.spec import DEFAULT_CURATORS, PartUse, Spec, Use

MADE_ANEW = "anew"
"""The generator that gets every column that must not be modelled from its values."""
REAL_ROWS = ("duplicates", "copies")
"""Default curators that drop what real rows are: repeated, and equal to real rows."""
NULLS = ("missingness", "null-gap")
"""Metrics that ask for as many nulls as real rows have."""
_COPIES = "nulls of real rows are filled, as the specification asks: every other value is that of a real row"
_FILLED = "nulls are filled, as the specification asks: none are to be like those of real rows"
VARIED = "values of real rows are varied, as the specification asks: most of each stays, which protects nobody"
"""Why no gate asks varied rows to be private."""
_CHANGED = "values of real rows are varied, as the specification asks: they need not be as frequent as real ones"
_GROUPED = "values of real rows are coarsened so that nobody can tell whose they are: rows may become alike"
_PAID = (
    "rows with a privacy budget are noisier than real ones, as the specification asks: how much is measured and told"
)
_REPEATED = "real rows are taken several times, as the specification asks, and not every one comes out changed"


def fills(spec: Spec) -> bool:
    """Return whether real rows are completed and nothing else: every value that is no null stays as it is."""
    return spec.begin.origin == "source" and bool(spec.parts) and all(p.mode == "fill" for p in spec.parts)


def kept_by_name(spec: Spec, schema: Schema, tell: Callable[[Place, str], None]) -> Spec:
    """Return a specification whose `keep` names every column: `table.*` means those that no part makes by name."""
    named = {c for part in spec.parts for c in (*part.make, *part.change)}

    def columns(kept: tuple[str, ...], place: Place) -> tuple[str, ...]:
        found: list[str] = []
        for i, column in enumerate(kept):
            table = column.removesuffix(".*")
            mine = table if table != column else schema.split(column)[0] if column in schema.columns else ""
            if mine in spec.begin.beside:
                tell((*place, i), f"{column!r} is kept, and new rows of {mine!r} are asked for: say one of them")
            elif table == column or table not in schema.tables:
                found.append(column)
            elif column in named:
                tell((*place, i), f"{column!r} is kept and made: name the columns that are made")
            else:
                found += [c for c in schema.columns if schema.split(c)[0] == table and c not in named]
        return tuple(dict.fromkeys(found))

    start = spec.start.model_copy(update={"keep": columns(spec.start.keep, ("start", "keep"))})
    return spec.model_copy(update={"keep": columns(spec.keep, ("keep",)), "start": start})


def beside_only(spec: Spec) -> bool:
    """Return whether new rows are made beside real ones that stay as they are: nothing is learned from these."""
    made = [c for p in spec.parts for c in (*p.make, *p.change)]
    new = tuple(f"{table}." for table in spec.begin.beside)
    return bool(new) and bool(made) and all(c.startswith(new) for c in made) and not any(map(_learning, spec.parts))


def varies(spec: Spec) -> bool:
    """Return whether real rows are varied and nothing else: values that are there are changed a little, none is new."""
    return spec.begin.origin == "source" and bool(spec.parts) and all(map(varying, spec.parts))


def varying(use: PartUse) -> bool:
    """Return whether a part varies values that are there, and protects nobody."""
    return abilities_of(use).replaces and not abilities_of(use).masks


def masks(spec: Spec) -> bool:
    """Return whether values of real rows are varied, and nothing else, so that nobody can tell whose they are."""
    able = [abilities_of(p) for p in spec.parts]
    return spec.begin.origin == "source" and all(a.replaces for a in able) and any(a.masks for a in able)


def _learning(use: PartUse) -> bool:
    """Return whether a part learns from real rows, or may: nobody knows its generator."""
    return abilities_of(use).learns


def abilities_of(use: PartUse) -> Abilities:
    """Return what the generator of a part can do; one that nobody knows learns, and varies nothing."""
    if use.use not in registry.names("generators"):
        return Abilities(frozenset())
    return cast(type[Generator], registry.find("generators", use.use)).abilities


def private(spec: Spec) -> bool:
    """Return whether all that is learned of real rows is paid for with a privacy budget."""
    learning = [p for p in spec.parts if _learning(p) and p.use != MADE_ANEW]
    return bool(learning) and all(p.budget is not None for p in learning)


def varied(spec: Spec, parts: Sequence[Planned]) -> tuple[str, ...]:
    """Return the columns that hold real values, changed a little."""
    real = spec.begin.origin == "source"
    return tuple(c for p in parts if real and p.generator.abilities.replaces for c in p.part.produce)


def holding(parts: Sequence[Planned]) -> tuple[str, ...]:
    """Return the generators that make values from real rows which they keep."""
    held = (p.generator for p in parts if p.generator.abilities.keeps_rows and p.generator.abilities.learns)
    return tuple(dict.fromkeys(g.name for g in held))


def curated(spec: Spec) -> tuple[Use, ...]:
    """Return the curators of a specification; of the default ones, those that its job has a use for.

    Those that compare with real rows would undo the guarantee of a privacy budget.
    """
    if spec.curate != tuple(Use(use=name) for name in DEFAULT_CURATORS):
        return spec.curate
    useless = REAL_ROWS if fills(spec) or varies(spec) or private(spec) else ("duplicates",) if masks(spec) else ()
    return tuple(use for use in spec.curate if use.use not in useless)


def selected(found: Ruling, spec: Spec) -> Ruling:
    """Return the gates that rule on a job; default gates that ask of completed or varied rows not to be real do not.

    Copy measures look at what was made. Of a completed row that is a value or two, and that these occur beside each
    other in some real row is no copy of it; of a varied one it is most of what the real row holds, as is meant, and
    what was changed need not be as frequent as it was. Of rows that are varied to protect people they ask all but not
    to be alike; of rows with a privacy budget neither likeness nor use, for that is what noise costs. Gates that the
    specification names rule all the same.
    """
    paid = private(spec)
    if not (fills(spec) or varies(spec) or masks(spec) or paid):
        return found
    said = set(spec.evaluate.gates)
    known = {n: cast(type[Metric], registry.find("metrics", n)) for n in registry.names("metrics")}
    groups = {"privacy": _COPIES} if fills(spec) else {"privacy": VARIED, "fidelity": _CHANGED}
    why = {n: groups[m.group] for n, m in known.items() if m.group in groups}
    why |= dict.fromkeys(NULLS, _FILLED) if fills(spec) else {"duplicates": _REPEATED}
    if masks(spec):
        why = {"duplicates": _GROUPED}
    if paid:
        why = {n: _PAID for n, m in known.items() if m.group in ("fidelity", "utility", "diversity")}
    kept = tuple(g for g in found.gates if g.text in said or g.metric not in why)
    waived = tuple(Waived(g.text, why[g.metric]) for g in found.gates if g not in kept)
    return Ruling(kept, (*found.waived, *waived))
