"""Which job a specification gives follows from its start, and selects curators and gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from synthwright.core import registry
from synthwright.core.contracts import Generator, Metric
from synthwright.core.plan_children import Planned
from synthwright.core.ruling import Ruling, Waived
from synthwright.core.spec import DEFAULT_CURATORS, PartUse, Spec, Use

REAL_ROWS = ("duplicates", "copies")
"""Default curators that drop what real rows are: repeated, and equal to real rows."""
NULLS = ("missingness", "null-gap")
"""Metrics that ask for as many nulls as real rows have."""
_COPIES = "nulls of real rows are filled, as the specification asks: every other value is that of a real row"
_FILLED = "nulls are filled, as the specification asks: none are to be like those of real rows"
VARIED = "values of real rows are varied, as the specification asks: most of each stays, which protects nobody"
"""Why no gate asks varied rows to be private."""
_CHANGED = "values of real rows are varied, as the specification asks: they need not be as frequent as real ones"
_REPEATED = "real rows are taken several times, as the specification asks, and not every one comes out changed"


def fills(spec: Spec) -> bool:
    """Return whether real rows are completed and nothing else: every value that is no null stays as it is."""
    return spec.begin.origin == "source" and bool(spec.parts) and all(p.mode == "fill" for p in spec.parts)


def varies(spec: Spec) -> bool:
    """Return whether real rows are varied and nothing else: values that are there are changed a little, none is new."""
    return spec.begin.origin == "source" and bool(spec.parts) and all(map(varying, spec.parts))


def varying(use: PartUse) -> bool:
    """Return whether a part varies values that are there."""
    if use.use not in registry.names("generators"):
        return False
    return cast(type[Generator], registry.find("generators", use.use)).abilities.replaces


def varied(spec: Spec, parts: Sequence[Planned]) -> tuple[str, ...]:
    """Return the columns that hold real values, changed a little."""
    real = spec.begin.origin == "source"
    return tuple(c for p in parts if real and p.generator.abilities.replaces for c in p.part.produce)


def curated(spec: Spec) -> tuple[Use, ...]:
    """Return the curators of a specification; of the default ones, those that its job has a use for."""
    if (fills(spec) or varies(spec)) and spec.curate == tuple(Use(use=name) for name in DEFAULT_CURATORS):
        return tuple(use for use in spec.curate if use.use not in REAL_ROWS)
    return spec.curate


def selected(found: Ruling, spec: Spec) -> Ruling:
    """Return the gates that rule on a job; default gates that ask of completed or varied rows not to be real do not.

    Copy measures look at what was made. Of a completed row that is a value or two, and that these occur beside each
    other in some real row is no copy of it; of a varied one it is most of what the real row holds, as is meant, and
    what was changed need not be as frequent as it was. Gates that the specification names rule all the same.
    """
    if not (fills(spec) or varies(spec)):
        return found
    said = set(spec.evaluate.gates)
    known = {n: cast(type[Metric], registry.find("metrics", n)) for n in registry.names("metrics")}
    groups = {"privacy": _COPIES} if fills(spec) else {"privacy": VARIED, "fidelity": _CHANGED}
    why = {n: groups[m.group] for n, m in known.items() if m.group in groups}
    why |= dict.fromkeys(NULLS, _FILLED) if fills(spec) else {"duplicates": _REPEATED}
    kept = tuple(g for g in found.gates if g.text in said or g.metric not in why)
    waived = tuple(Waived(g.text, why[g.metric]) for g in found.gates if g not in kept)
    return Ruling(kept, (*found.waived, *waived))
