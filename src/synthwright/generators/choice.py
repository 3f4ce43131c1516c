"""Values chosen from a list, by weights that may depend on other columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, TypeAdapter
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.foreseen import valued
from synthwright.kit.formula.cases import Cases, beside, leaves, wrong_cases
from synthwright.kit.formula.cases import Column as Decider
from synthwright.kit.formula.stated import Said, lost, spelled, unfit
from synthwright.kit.formula.weights import Weights, labelled, wrong_weights
from synthwright.kit.ruled import Ask, Column, Ruled, hops
from synthwright.kit.sampling.guide import Guide

Paths = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda said: (said,) if isinstance(said, str) else said, json_schema_input_type=str | list[str]),
]
"""A column or path, or several."""
_READ: TypeAdapter[dict[Said, float]] = TypeAdapter(Weights)


class Choice(Ruled):
    """Chooses each value from a list, as often as its weight says; the weights may depend on other columns.

    Without conditions `values` is enough::

        {make: [customer.plan], use: choice, with: {values: {basic: 6, plus: 3, pro: 1}}}

    With `by`, `table` has a mapping for each of these columns around the weights; columns with an order take bands::

        with:
          by: [sex, age]
          table:
            F: {0-17: {none: 1}, 18-64: {part time: 4, full time: 5}, 65+: {none: 9, part time: 1}}
            M: {0-17: {none: 1}, 18+: {part time: 1, full time: 8}}
          otherwise: [none]
    """

    name: ClassVar[str] = "choice"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset(Kind) - {Kind.KEY}, given="declared", learns=False
    )  # fmt: skip

    values: Weights = Setting(default={"0": 1.0, "1": 1.0}, examples=[["a"]])
    """The values and how often each is chosen, in proportion: `{basic: 6, plus: 3}`; a list: each as often."""
    by: Paths = Setting(default=(), examples=[["a"]])
    """The columns that decide which weights hold, or paths to columns of rows that references lead to."""
    table: dict[str, Any] = Setting(default={}, examples=[{"a": {"b": 1}}])
    """With `by`: the weights in each case, mappings inside each other in the order of `by`. A key is a value; of
    numbers and dates also `18-64`, `18..64` (with both ends), `65+`, `<18`, `<=17`, `>64`, `>=65`."""
    otherwise: Weights = Setting(default={}, examples=[["a"]])
    """With `by`: the values where the table has no entry. Nothing: every row must have an entry."""

    def paths(self) -> Sequence[str]:
        return self.by

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        found += [(("by", i), said) for i, p in enumerate(self.by) for said in lost(p, schema, table, produce)]
        if bool(self.by) != bool(self.table):
            there, lacking = ("by", "table") if self.by else ("table", "by")
            return [*found, ((there,), f"'by' and 'table' go together: say {lacking!r} too")]
        if self.by and "values" in self.model_fields_set:
            found.append((("values",), "with 'by' the weights are in 'table', and those of other cases in 'otherwise'"))
        if found:
            return found
        fields = {c: schema.tables[table].fields[c] for c in produce}
        if not self.by:
            if "values" not in self.model_fields_set:
                return [*found, ((), "say `values`: {a: 3, b: 1}")]
            return [*found, *_unfit(self.values, ("values",), fields)]
        found += [(("table", *place), said) for place, said in
                  wrong_cases(self.table, self._deciders(schema, table), closed=not self.otherwise)]  # fmt: skip
        for leaf in leaves(self.table, len(self.by)) if not found else ():
            wrong = [(("table", *leaf.keys, *place), said) for place, said in wrong_weights(leaf.value)]
            found += wrong or _unfit(_READ.validate_python(leaf.value), ("table", *leaf.keys), fields)
        return [*found, *_unfit(self.otherwise, ("otherwise",), fields)]

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        laws = [_READ.validate_python(leaf.value) for leaf in leaves(self.table, len(self.by))] if self.by else []
        laws.append(self.otherwise if self.by else self.values)
        return tuple(dict.fromkeys(spelled(v) for law in laws for v, weight in law.items() if weight > 0))

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        for depth, decider in enumerate(self._deciders(schema, table)):
            values = valued(decider.path, known, schema, table)
            if values is not None:  # of another table's rows, those with some values may have no rows here
                closed = not self.otherwise and decider.path in schema.tables[table].fields
                found += [one._replace(place=("table", *one.place))
                          for one in beside(self.table, depth, decider, values, closed=closed)]  # fmt: skip
        return found

    def _deciders(self, schema: Schema, table: str) -> list[Decider]:
        last = [hops(schema, table, path)[-1] for path in self.by]
        return [Decider(p, schema.tables[h.table].fields[h.column]) for p, h in zip(self.by, last, strict=True)]

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        if not self.by:
            guide, labels = Guide(np.array(list(self.values.values()))), list(self.values)
            return {c: labelled(labels, guide.draw(ask.ctx.at(c).rng, ask.rows), ask.field(c)) for c in ask.produce}
        labels, weights, which = self._laws(ask)
        guide = Guide(weights)
        return {c: self._drawn(guide, labels, which, ask, c) for c in ask.produce}

    def _laws(self, ask: Ask) -> tuple[list[Said], np.ndarray, np.ndarray]:
        """Return all values, the weights of each case and of the others, and which case each row is."""
        cases = Cases(self.table, self._deciders(ask.given.schema, ask.table))
        laws = [_READ.validate_python(value) for value in cases.values]
        which = cases.which([ask.column(path) for path in self.by])
        others = which < 0
        if others.any() and not self.otherwise:
            wanted = f"an entry for every row's {' and '.join(self.by)}"
            raise SampleError(self.name, "parameter 'table'", wanted=wanted, remedy="say `otherwise`",
                              got=f"none for {int(others.sum()):,} of {ask.rows:,} rows")  # fmt: skip
        if self.otherwise:
            laws.append(self.otherwise)
            which = np.where(others, len(laws) - 1, which)
        labels = list(dict.fromkeys(value for law in laws for value in law))
        labels.sort(key=lambda v: (type(v).__name__, str(v)))  # the order must not hang on how the table was saved
        place = {value: i for i, value in enumerate(labels)}
        weights = np.zeros((len(laws), len(labels)))
        for i, law in enumerate(laws):
            weights[i, [place[v] for v in law]] = list(law.values())
        return labels, weights, which

    def _drawn(self, guide: Guide, labels: list[Said], which: np.ndarray, ask: Ask, column: str) -> pa.Array:
        return labelled(labels, guide.draw(ask.ctx.at(column).rng, ask.rows, which), ask.field(column))


def _unfit(weights: Mapping[Said, float], place: Place, fields: Mapping[str, Field]) -> list[tuple[Place, str]]:
    """Return which values the columns cannot hold."""
    values = list(weights)
    return [((*place, str(values[i])),
             f"column {c!r} cannot hold {values[i]!r}: it is of kind {field.kind.value!r}")
            for c, field in fields.items() for i in unfit(values, field)]  # fmt: skip
