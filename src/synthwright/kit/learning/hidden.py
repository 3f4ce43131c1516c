"""What columns that are made anew have to do with the others: which of them are missing, and how their texts are built.

Of such columns no value is modelled, but where they have none, which layout they have, and common parts of them often
follow from other columns. Each of these is a *hidden* column. It is learned by trees from the columns beside it and
from the hidden ones before it, and made before the values are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.schema import Field
from synthwright.core.values import nulls
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning.chain import UNSET, Chain
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Conditional, Dials, Known, learned
from synthwright.kit.learning.saved_columns import of_saved, to_saved

LEARN = 50_000
"""Rows that hidden columns are learned from, at most."""
PIECE = 32_768
"""Rows that are made at a time."""
ODD = 0.05
"""Rows that are missing values in a way of their own are not learned from, unless they are a larger share than this."""
DIALS = Dials(leaf=10, evidence=1.5, trees=4, rounds=0, candidates=2, refine=True, share=1.0)
"""Finer than trees of values are: what is hidden often follows in every row, and says nothing of a single one."""


class Seen(NamedTuple):
    """One column to learn, or to learn from."""

    field: Field
    values: pa.Array
    """Of all rows, in the canonical type of the field."""


@dataclass(frozen=True)
class Hidden:
    """The columns in their order, those that are only looked at first, and how the hidden ones follow."""

    columns: tuple[Coded, ...]
    conditionals: tuple[Conditional | None, ...]

    @staticmethod
    def learn(beside: Mapping[str, Seen], hidden: Mapping[str, Seen], protect: int, ctx: Context) -> Hidden:
        """Learn hidden columns from those beside them, and from each other."""
        rows = _rows([s.values for s in hidden.values()], protect)
        seen = {n: Seen(s.field, s.values.take(rows)) for n, s in {**beside, **hidden}.items()}
        coded: dict[str, Coded] = {}
        for name, (field, values) in seen.items():
            codec = settle(field, observe(values, nan=field.nan), ctx.at("codec", name).rng, protect=protect)
            coded[name] = Coded(name, codec)
        columns = [*(coded[n] for n in beside), *sorted((coded[n] for n in hidden), key=lambda c: c.size)]
        known = Known.of(columns, [c.places(seen[c.name].values) for c in columns])
        found = [learned(known, i, DIALS, ctx.at("learn", columns[i].name)) for i in range(len(beside), len(columns))]
        return Hidden(tuple(columns), (*[None] * len(beside), *found))

    @property
    def names(self) -> list[str]:
        """Return what the hidden columns are called."""
        return [c.name for c, how in zip(self.columns, self.conditionals, strict=True) if how is not None]

    def draw(self, held: pa.Table, empty: Mapping[str, np.ndarray], valued: Collection[str], ctx: Context
             ) -> dict[str, pa.Array]:  # fmt: skip
        """Return the hidden columns for some rows.

        Args:
            held: the rows; a column to look at that is not there is not known.
            empty: of hidden columns in which rows there is no value for sure.
            valued: the hidden columns that have a value wherever `empty` does not say otherwise.
            ctx: the randomness.
        """
        chain = Chain(self.columns, self.conditionals, DIALS.candidates)
        found: dict[str, list[pa.Array]] = {n: [] for n in self.names}
        filled = [c.name in valued for c in self.columns]
        for begin in range(0, held.num_rows, PIECE):
            piece, rng = held.slice(begin, PIECE), ctx.at(begin // PIECE).rng
            known = [self._known(c, how, piece, empty, begin)
                     for c, how in zip(self.columns, self.conditionals, strict=True)]  # fmt: skip
            made = chain.complete(known, filled, rng)
            for column, places in zip(self.columns, made, strict=True):
                if column.name in found:
                    found[column.name].append(column.decode(places, rng.random(piece.num_rows)))
        return {n: pa.concat_arrays(pieces) for n, pieces in found.items() if pieces}

    @staticmethod
    def _known(
        column: Coded, how: Conditional | None, held: pa.Table, empty: Mapping[str, np.ndarray], begin: int
    ) -> np.ndarray:
        """Return the place of every row as far as it is known before anything is made."""
        if how is not None:
            none = empty[column.name][begin : begin + held.num_rows] if column.name in empty else np.False_
            return np.where(none, column.size, np.full(held.num_rows, UNSET))
        if column.name in held.column_names:
            return column.places(held.column(column.name))
        return np.full(held.num_rows, column.size + 1)

    def to_saved(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """Return what a file must hold, as words and as arrays."""
        return to_saved(self.columns, self.conditionals)

    @staticmethod
    def of_saved(heads: list[dict[str, Any]], arrays: dict[str, np.ndarray]) -> Hidden:
        """Rebuild it; a ValueError for what cannot be drawn from."""
        return Hidden(*of_saved(heads, arrays, Conditional.of_arrays))


def _rows(hidden: list[pa.Array], protect: int) -> pa.Array:
    """Return the rows to learn from: spread over all, without those that miss values as hardly another does."""
    rows = len(hidden[0])
    at = np.unique(np.linspace(0, rows - 1, min(rows, LEARN)).astype(np.int64))
    missing = np.packbits(np.stack([nulls(v) for v in hidden])[:, at], axis=0)
    _, of, counts = np.unique(missing, axis=1, return_inverse=True, return_counts=True)
    odd = counts[of.ravel()] < protect
    return pa.array(at if odd.mean() > ODD else at[~odd])
