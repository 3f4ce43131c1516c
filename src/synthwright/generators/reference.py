"""References: which row of another table each row points to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import Kind, Schema
from synthwright.kit.amounts import Amount, amount, named
from synthwright.kit.dice import permuted, secret
from synthwright.kit.ruled import Ask, Column, Ruled, hops


class Reference(Ruled):
    """Points every row to a row of another table, some more often than others.

    The keys are those that the other table got, so that no reference leads nowhere. How often each parent is pointed
    to: `uniform`, every parent alike; `zipf`, the parent of rank r in proportion to r to the power of minus `exponent`
    (ranks are dealt at random, once for a run); `once`, every parent at most once, in an order of chance. With
    `weight`, in proportion to a formula of the parent's columns. Exact counts belong into `start: {children: …}`.
    Several references of one part (a link table) are drawn one by one.
    """

    name: ClassVar[str] = "reference"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset({Kind.REFERENCE}), given="declared", learns=False)

    degrees: Literal["uniform", "zipf", "once"] = "uniform"
    """How often parents are pointed to."""
    exponent: float = Setting(default=1.0, ge=0.0, le=10.0)
    """Of `zipf`: 0 is uniform; the larger, the more go to few."""
    weight: Amount | None = Setting(default=None, examples=[2.0])
    """In proportion to what parents are pointed to, in place of `degrees`: a formula of the parent's own columns
    (`income / 1000`); less than 0 counts as 0."""

    @model_validator(mode="after")
    def _together(self) -> Reference:
        if self.weight is not None and self.degrees != "uniform":
            raise ValueError("say 'weight' or 'degrees', not both")
        return self

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        found = list(super().looks_at(schema, table))
        for parent in _parents(schema, table):
            found += [str(h) for path in named([self.weight]) for h in _known(schema, parent, path)]
        return tuple(dict.fromkeys(found))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        wrong = super().misused(schema, table, produce)
        fields = schema.tables[table].fields
        for name in produce:
            parent = schema.split(cast(str, fields[name].to))[0]
            if parent == table:
                wrong.append(((), f"{name!r} points to its own table, whose rows are not there yet"))
                continue
            for path in named([self.weight]):
                try:
                    hops(schema, parent, path)
                except SampleError as error:
                    wrong.append((("weight",), str(error)))
        return wrong

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {name: self._drawn(ask, name) for name in ask.produce}

    def _drawn(self, ask: Ask, name: str) -> Column:
        parent, key = ask.given.schema.split(cast(str, ask.field(name).to))
        keys = ask.given.tables[parent].column(key) if parent in ask.given.tables else None
        if keys is None or not len(keys):
            raise SampleError(self.name, f"column {name!r}", wanted=f"rows of {parent!r} to point to", got="none",
                              remedy=f"say how many rows of {parent!r} to make")  # fmt: skip
        rng, many = ask.ctx.at(name).rng, len(keys)
        if self.degrees == "once":
            if int(ask.numbers.max(initial=0)) >= many:
                raise SampleError(self.name, f"column {name!r}", wanted=f"a row of {parent!r} for each row",
                                  got=f"{many:,} for more rows", remedy="make fewer rows, or more parents")  # fmt: skip
            places = permuted(ask.numbers.astype(np.uint64), many, secret("once", ask.ctx.seed, ask.table, name))
            return keys.take(pa.array(places.astype(np.int64)))
        if self.degrees == "uniform" and self.weight is None:
            return keys.take(pa.array(rng.integers(0, many, ask.rows)))
        if self.weight is None:
            turn = secret("zipf", ask.ctx.seed, ask.table, name)
            ranks = np.searchsorted(_zipf(many, self.exponent), rng.random(ask.rows), side="right")
            places = permuted(np.minimum(ranks, many - 1).astype(np.uint64), many, turn)
            return keys.take(pa.array(places.astype(np.int64)))
        own = Ask(ask.given, parent, (), ask.ctx)
        weights = np.broadcast_to(np.nan_to_num(np.maximum(amount(own, self.weight), 0.0)), (many,))
        ends = np.cumsum(weights)
        if not ends[-1] > 0 or not np.isfinite(ends[-1]):
            raise SampleError(self.name, f"column {name!r}", wanted="a weight above 0 for some parent",
                              got=f"a sum of {ends[-1]:g}", remedy="see what the formula gives")  # fmt: skip
        places = np.searchsorted(ends, rng.random(ask.rows) * ends[-1], side="right")
        return keys.take(pa.array(np.minimum(places, many - 1)))


def _parents(schema: Schema, table: str) -> Sequence[str]:
    """Return the other tables that a table refers to."""
    links = [f.to for f in schema.tables[table].fields.values() if f.to is not None]
    return [p for p in dict.fromkeys(schema.split(link)[0] for link in links) if p != table]


def _known(schema: Schema, table: str, path: str) -> Sequence[object]:
    try:
        return hops(schema, table, path)
    except SampleError:
        return ()


@lru_cache(maxsize=4)
def _zipf(many: int, exponent: float) -> np.ndarray:
    """Return the ends of the shares of ranks 1, 2, 3 …, the last being 1."""
    ends = np.cumsum(np.arange(1, many + 1, dtype=np.float64) ** -exponent)
    return np.asarray(ends / ends[-1])
