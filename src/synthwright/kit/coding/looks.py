"""What of columns that are made anew can be learned: where they are missing, how they are spelled, parts of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import nulls
from synthwright.kit.coding.amounts import amounts_of
from synthwright.kit.coding.composing import Asked, composed_of
from synthwright.kit.coding.keys import Coded
from synthwright.kit.coding.makers import ComposedMaker, FakeMaker, KeyMaker, Maker, TextMaker
from synthwright.kit.coding.patterns import Pattern
from synthwright.kit.coding.spelled import Said, sayings
from synthwright.kit.entities.fakes_phones import spelled_alike

MOST = 50_000
"""Rows that are looked at, at most."""
ANY = "0"
"""The label of a value where there is but one look."""


class Look(NamedTuple):
    """How a column is made, and what of it is to be learned."""

    maker: Maker
    hidden: Mapping[str, tuple[Field, pa.Array]]
    """By the column's own name the label of each row's look, null where it has no value; by others parts of texts."""


class Looks(NamedTuple):
    """The rows of a table in which looks are found."""

    table: Mapping[str, Field]
    held: pa.Table
    fields: Mapping[str, Field]
    """The columns that looks may follow."""
    said: list[Said]
    """How values of these may be spelled in texts."""
    protect: int
    scale: float
    """How many rows the table has to one of these."""
    fixed: frozenset[str]
    """The columns whose values others must know beforehand: keys that are referred to."""

    def of(self, name: str, maker: Maker) -> Look:
        """Return how a column is made, and what of it is to be learned; nothing of it where it is always alike."""
        field, column = self.table[name], self.held.column(name)
        missing = nulls(column)
        labels: pa.Array | None = None
        code = _code(field, maker) if name not in self.fixed else None
        if code == "" or (code and self.fields):  # keys that nothing is beside are the same wherever they are made
            texts = pc.if_else(pa.array(~missing), column.combine_chunks(), pa.scalar(None, column.type))
            asked = Asked(name, code, self.scale, self.protect)
            found = amounts_of(asked, texts, self.held, self.said)
            found = found or composed_of(asked, texts, self.held, self.said)
            if found is not None:
                return Look(ComposedMaker(field, found.composed), self._worth(name, found.which) | found.hidden)
        elif isinstance(maker, FakeMaker) and len(maker.fake.spellings) > 1 and pa.types.is_large_string(column.type):
            labels = spelled_alike(column.combine_chunks())
        pattern = _pattern(maker) if code is not None and name not in self.fixed else None
        if pattern is not None:
            labels = pattern.told(column.combine_chunks())
        if labels is None:
            labels = pa.array(np.full(len(missing), ANY), pa.large_string(), mask=missing)
        return Look(maker, self._worth(name, labels))

    def _worth(self, name: str, labels: pa.Array) -> dict[str, tuple[Field, pa.Array]]:
        """Return labels as a column to learn, where enough rows have another than the rest."""
        counts = np.sort(pc.value_counts(labels).field(1).to_numpy(zero_copy_only=False))
        if len(counts) < 2 or counts[-2] < self.protect:
            return {}
        return {name: (Field(kind=Kind.CATEGORY, nulls=self.table[name].nulls), labels)}


def looks_of(data: Dataset, table: str, beside: list[str], protect: int, *, replaced: bool = False) -> Looks:
    """Return the rows in which looks are found: of many, some from everywhere.

    Args:
        data: the real rows.
        table: the table whose columns are made anew.
        beside: the columns that looks may follow.
        protect: how many rows must share what is kept of them.
        replaced: whether values that are there are replaced: unique ones then one to one.
    """
    held, fields = data.tables[table], data.schema.tables[table].fields
    if held.num_rows > MOST:
        held = held.take(pa.array(np.unique(np.linspace(0, held.num_rows - 1, MOST).astype(np.int64))))
    seen = {n: fields[n] for n in beside}
    links = {f.to for t in data.schema.tables.values() for f in t.fields.values()}
    fixed = frozenset(n for n, f in fields.items() if f"{table}.{n}" in links or (f.unique and replaced))
    return Looks(fields, held, seen, sayings(seen, held), protect, data.rows(table) / max(held.num_rows, 1), fixed)


def _pattern(maker: Maker) -> Pattern | None:
    """Return the layouts in which a column is made."""
    if isinstance(maker, TextMaker | KeyMaker) and isinstance(maker.keys, Coded):
        return maker.keys.pattern
    return maker.shape.look if isinstance(maker, TextMaker) and isinstance(maker.shape.look, Pattern) else None


def _code(field: Field, maker: Maker) -> str | None:
    """Return nothing for what is no code that says nothing about anybody and ends in no check digit.

    Of codes none of which may occur twice, what decides their order; of others an empty text.
    """
    if not isinstance(maker, TextMaker | KeyMaker) or field.kind not in (Kind.TEXT, Kind.KEY):
        return None
    keys = maker.keys
    if field.sensitive is not None or canonical(field) != pa.large_string():
        return None
    if keys is None:
        look = maker.shape.look if isinstance(maker, TextMaker) else None
        checked = isinstance(look, Pattern) and any(layout.check for layout in look.layouts)
        return None if checked or field.unique else ""
    checked = isinstance(keys, Coded) and any(layout.check for layout in keys.pattern.layouts)
    return keys.secret if isinstance(keys, Coded) and not checked else None
