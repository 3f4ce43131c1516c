"""Models that make a table column by column, whatever each column's conditional is: what they sample, save and load."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.kit.coding.codecs import CODEABLE
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.completion import completed, looked_at, names_of, refuse_unfit, settled, table_of
from synthwright.kit.learning.saved_columns import of_saved, to_saved
from synthwright.kit.learning.threads import side_by_side

if TYPE_CHECKING:
    from synthwright.kit.learning.chain import Chain, Follows

MOST_CANDIDATES = 1_000
"""Draws among which a correction chooses, at most."""
PIECE = 32_768
"""Rows that are made at a time, at most: they divide the distribution of a leaf among them."""


@dataclass(frozen=True)
class SequenceModel(Model):
    """The columns in their order, and how each follows from those before it."""

    about: ClassVar[str]
    """What it is called in messages."""

    table: str
    mode: str
    produce: tuple[str, ...]
    columns: tuple[Coded, ...]
    conditionals: tuple[Follows | None, ...]
    """None for columns that are only looked at."""
    candidates: int = 2
    """Draws among which a conditional that corrects them chooses."""

    @staticmethod
    @abstractmethod
    def conditional(held: dict[str, np.ndarray]) -> Follows:
        """Rebuild one conditional from its arrays."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        from synthwright.kit.learning.chain import Chain

        held = given.tables[self.table]
        chain = Chain(self.columns, self.conditionals, self.candidates)
        pieces = -(-held.num_rows // PIECE)
        ends = [held.num_rows * i // pieces for i in range(pieces + 1)] if pieces else [0, 0]
        tasks = [(held.slice(a, b - a), ctx.at(i)) for i, (a, b) in enumerate(pairwise(ends))]
        made = side_by_side(lambda task: self._piece(chain, *task), tasks)
        wanted = self._wanted(held)
        columns = {n: pa.concat_arrays([piece[n] for piece in made]) for n in wanted}
        return Sample(completed(given, self.table, columns, self.mode))

    def _wanted(self, held: pa.Table) -> list[str]:
        there = {*held.column_names} if self.mode == "make" else set()
        return [n for n in self.produce if n not in there]

    def _piece(self, chain: Chain, held: pa.Table, ctx: Context) -> Mapping[str, pa.Array]:
        """Return the columns that are to be made of some rows."""
        from synthwright.kit.learning.chain import UNSET

        rng, rows = ctx.rng, held.num_rows
        known, filled = [], []
        present = {*held.column_names}
        for column in self.columns:
            mine = column.name in self.produce
            there = column.name in present and not (mine and self.mode == "replace")
            places = column.places(held.column(column.name)) if there else np.full(rows, UNSET)
            if mine and self.mode == "fill":
                places = np.where(places == column.size, UNSET, places)
            elif not mine and not there:
                places = np.full(rows, column.size + 1)
            known.append(places)
            filled.append(mine and self.mode == "fill")
        found = chain.complete(known, filled, rng) if rows else known
        wanted = set(self._wanted(held))
        return {c.name: c.decode(places, rng.random(rows)) for c, places in zip(self.columns, found, strict=True)
                if c.name in wanted}  # fmt: skip

    def save(self, folder: Path) -> None:
        heads, arrays = to_saved(self.columns, self.conditionals)
        head = {"table": self.table, "mode": self.mode, "produce": self.produce, "columns": heads,
                "candidates": self.candidates}  # fmt: skip
        artefacts.save(folder, head, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        try:
            columns, conditionals = of_saved(head["columns"], arrays, cls.conditional)
            model = cls(head["table"], head["mode"], tuple(head["produce"]), columns, conditionals,
                        int(head["candidates"]))  # fmt: skip
            sound = 2 <= model.candidates <= MOST_CANDIDATES
        except (KeyError, ValueError, TypeError, IndexError):
            sound = False
        if not sound:
            raise StoreError(folder.name, cls.about, wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again")  # fmt: skip
        return model


class Begun(NamedTuple):
    """What a sequence is learned from: the columns of one table, coded."""

    table: str
    produce: tuple[str, ...]
    given: list[Coded]
    made: list[Coded]
    held: pa.Table

    def places(self, columns: Sequence[Coded], protect: int, ctx: Context) -> list[np.ndarray]:
        """Return the places of the rows to learn from, column by column."""
        return [c.learned(self.held.column(c.name), protect, ctx.at(c.name, "dealt").rng) for c in columns]


def begun(data: Dataset, part: Part, owner: str, protect: int, ctx: Context) -> Begun:
    """Return the columns that a part makes and those it looks at, coded; a FitError for what cannot be learned from."""
    table = table_of(data, part, owner)
    produce = names_of(data, part.produce, table)
    refuse_unfit(data, table, produce, owner, CODEABLE)
    seen = looked_at(data, part, table, CODEABLE)
    made, given = ([Coded(n, settled(data, table, n, ctx.at(n), protect)) for n in names] for names in (produce, seen))
    return Begun(table, tuple(produce), given, made, data.tables[table])
