"""Which columns are made anew beside modelled ones, and what they look at."""

from __future__ import annotations

from collections.abc import Collection

from synthwright.core.contracts import Generator, Part
from synthwright.core.jobs import MADE_ANEW, private
from synthwright.core.schema import DISCRETE, ORDERED, Field, Kind, Schema
from synthwright.core.spec import PartUse, Spec


def made_anew(field: Field, generator: Generator) -> bool:
    """Return whether a column goes to the generator that looks at no value."""
    if generator.name == MADE_ANEW:
        return False
    able = generator.abilities
    if able.reads_texts and field.kind is Kind.TEXT and field.sensitive is None:
        return False
    return (field.anew or field.kind is Kind.REFERENCE) and (field.kind not in able.kinds or able.learns)


def followed(spec: Spec, use: PartUse, modelled: Part, schema: Schema) -> tuple[str, ...]:
    """Return the columns that those made anew beside a modelled part look at: where they are missing, how they look.

    None where rows are paid for with a privacy budget, and none where the part waits for what another generator makes:
    keys must not wait, for other tables refer to them.
    """
    start = {*spec.begin.keep, *spec.begin.chosen}
    if private(spec) or not modelled.produce or not all(_soon(c, spec, use.use, start, ()) for c in modelled.given):
        return ()
    columns = dict.fromkeys((*modelled.given, *modelled.produce))
    return tuple(c for c in columns if _looked_at(schema.field(c)))


def _looked_at(field: Field) -> bool:
    return field.kind in ORDERED | DISCRETE and not field.anew


def _soon(column: str, spec: Spec, use: str, start: Collection[str], waiting: tuple[str, ...]) -> bool:
    """Return whether a column is there at the start, or made by such a generator from what is."""
    if column in start or column in waiting:
        return column in start
    made = [p for p in spec.parts if column in p.make]
    return bool(made) and all(p.use == use and all(_soon(c, spec, use, start, (*waiting, column)) for c in p.given)
                              for p in made)  # fmt: skip
