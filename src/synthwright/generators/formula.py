"""Columns that follow from others by formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place, Scope
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.foreseen import results
from synthwright.kit.formula.amounts import readable
from synthwright.kit.formula.formulas import Formula as Understood
from synthwright.kit.formula.formulas import children, column, faults, read
from synthwright.kit.ruled import Ask, Column, Ruled, as_field, hops


def _written(said: Any) -> Any:
    """Return constants as they are written in a formula: YAML has read them already."""
    if said is None or isinstance(said, bool):
        return "null" if said is None else str(said).lower()
    return repr(said) if isinstance(said, int | float) else said


Said = Annotated[
    str, BeforeValidator(_written), AfterValidator(readable),
    WithJsonSchema({"anyOf": [{"type": t} for t in ("string", "number", "boolean", "null")]}),
]  # fmt: skip


class Formula(Ruled):
    """Compute columns from others: arithmetic, conditions, dates, texts, and sums over the rows that point here.

    The language is that of `docs/formulas.md`; a formula that only needs the row's own columns and those its references
    lead to can be computed wherever these are. Several formulas of one part may need each other, in any order::

        parts:
          - make: [order.net, order.total]
            use: formula
            with:
              formulas:
                total: round(net * if(customer.country == "DE", 1.19, 1.2), 2)
                net: price * quantity
    """

    name: ClassVar[str] = "formula"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(Kind), given="declared", learns=False, random=False)

    formula: Said = "0"
    """What the one column of the part is computed by: `price * quantity`."""
    formulas: dict[str, Said] = Setting(default_factory=dict)
    """What each of several columns of the part is computed by, by the column's name."""

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys(p for f in self._every() for p in f.paths))

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        below = (c for f in self._every() for c in children(f, schema, table))
        return tuple(dict.fromkeys((*super().looks_at(schema, table), *below)))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        fields = schema.tables[table].fields
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        found += self._unmatched(table, produce)
        texts = self._texts(produce)
        for name, text in texts.items():
            place: Place = ("formulas", name) if self.formulas else ("formula",)
            found += [(place, said) for said in faults(read(text), schema, table, fields[name])]
        try:
            _ordered(_needs(texts, schema, table))
        except CycleError as error:
            circle = error.args[1]
            found.append((("formulas", circle[0]) if self.formulas else ("formula",),
                          f"these columns need each other: {' → '.join(circle[::-1])}"))  # fmt: skip
        return list(dict.fromkeys(found))

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        said = self._texts((column,)).get(column)
        return None if said is None else results(read(said).tree)

    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Rows of the table itself that point here lie in every shard."""
        return "table" if any(a.table == table for f in self._every() for a in f.aggregates) else "row"

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        texts = self._texts(ask.produce)
        try:
            order = _ordered(_needs(texts, ask.given.schema, ask.table))
        except CycleError as error:
            raise SampleError(self.name, "the formulas", wanted="an order in which they can be computed",
                              got=f"a circle: {' → '.join(error.args[1][::-1])}") from None  # fmt: skip
        made: dict[str, Column] = {}
        for name in order:
            field = ask.field(name)
            made[name] = as_field(column(read(texts[name]), ask, field), field, self.name, name)
            ask = replace(ask, given=ask.given.with_columns(ask.table, {name: made[name]}))
        return made

    def _every(self) -> list[Understood]:
        return [read(text) for text in (self.formulas.values() if self.formulas else (self.formula,))]

    def _texts(self, produce: tuple[str, ...]) -> dict[str, str]:
        """Return the formula of each column that is made."""
        if not self.formulas:
            return dict.fromkeys(produce, self.formula)
        return {c: self.formulas[c] for c in produce if c in self.formulas}

    def _unmatched(self, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return columns without a formula, and formulas without a column."""
        said = self.model_fields_set
        if "formula" in said and "formulas" in said:
            return [(("formula",), "it is computed by `formula`, or several columns by `formulas`: not by both")]
        if not self.formulas and "formula" not in said:
            return [((), "it says nothing to compute: write `formula: price * quantity`")]
        if not self.formulas:
            each = f"`formulas: {{{produce[0]}: …}}` with one for each"
            return [(("formula",), f"it makes {len(produce)} columns: write {each}")] if len(produce) > 1 else []
        found: list[tuple[Place, str]] = []
        for name in (c for c in self.formulas if c not in produce):
            near = get_close_matches(name, produce, n=1)
            right = f"did you mean {near[0]!r}?" if near else f"name it in `make` as '{table}.{name}'"
            found.append((("formulas", name), f"the part makes no column {name!r} of table {table!r}: {right}"))
        lacking = [c for c in produce if c not in self.formulas]
        return [*found, *((("formulas",), f"column {c!r} has no formula: write `{c}: …`") for c in lacking)]


def _needs(texts: Mapping[str, str], schema: Schema, table: str) -> dict[str, list[str]]:
    """Return which of some columns of a table each of them is computed from."""
    out: dict[str, list[str]] = {}
    for making, text in texts.items():
        formula = read(text)
        named = []
        for path in formula.paths:
            try:
                named.append(hops(schema, table, path)[0].column)
            except SampleError:
                continue  # `misused` says so
        below = (schema.split(c) for c in children(formula, schema, table))
        named += [name for where, name in below if where == table]
        out[making] = [n for n in dict.fromkeys(named) if n in texts]
    return out


def _ordered(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return columns in an order in which they can be computed; a CycleError where there is none."""
    return list(TopologicalSorter(needs).static_order())
