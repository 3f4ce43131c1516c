"""Forests: each column made from those before it, by trees that a guide and a correction help. The default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.kit.coding.codecs import CODEABLE, PROTECT
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.completion import completed, looked_at, names_of, refuse_unfit, settled, table_of
from synthwright.kit.learning.threads import side_by_side

if TYPE_CHECKING:
    from synthwright.kit.learning.chain import Chain
    from synthwright.kit.learning.conditional import Conditional

MOST_CANDIDATES = 1_000
"""Draws among which a correction chooses, at most."""
PIECE = 32_768
"""Rows that are made at a time, at most: they divide the distribution of a leaf among them."""


@dataclass(frozen=True)
class ForestModel(Model):
    """The columns in their order, and how each follows from those before it."""

    table: str
    mode: str
    produce: tuple[str, ...]
    columns: tuple[Coded, ...]
    conditionals: tuple[Conditional | None, ...]
    """None for columns that are only looked at."""
    candidates: int

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
        return [n for n in self.produce if self.mode != "make" or n not in held.column_names]

    def _piece(self, chain: Chain, held: pa.Table, ctx: Context) -> Mapping[str, pa.Array]:
        """Return the columns that are to be made of some rows."""
        from synthwright.kit.learning.chain import UNSET

        rng, rows = ctx.rng, held.num_rows
        known, filled = [], []
        for column in self.columns:
            mine = column.name in self.produce
            there = column.name in held.column_names and not (mine and self.mode == "replace")
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
        heads, arrays = [], {}
        for i, (column, conditional) in enumerate(zip(self.columns, self.conditionals, strict=True)):
            head, held = column.codec.to_json()
            heads.append({"name": column.name, "codec": head, "made": conditional is not None})
            arrays.update({f"{i}.codec:{n}": a for n, a in held.items()})
            if conditional is not None:
                arrays.update({f"{i}.{n}": a for n, a in conditional.arrays().items()})
        head = {"table": self.table, "mode": self.mode, "produce": self.produce, "columns": heads,
                "candidates": self.candidates}  # fmt: skip
        artefacts.save(folder, head, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        from synthwright.kit.learning.conditional import Conditional

        head, arrays = artefacts.load(folder)
        try:
            columns, conditionals = [], []
            names = [said["name"] for said in head["columns"]]
            for said, (name, held) in zip(head["columns"], artefacts.parts(names, arrays), strict=True):
                codec = {n.removeprefix("codec:"): a for n, a in held.items() if n.startswith("codec:")}
                columns.append(Coded.of_json(name, said["codec"], codec))
                rest = {n: a for n, a in held.items() if not n.startswith("codec:")}
                conditionals.append(Conditional.of_arrays(rest) if said["made"] else None)
            model = cls(head["table"], head["mode"], tuple(head["produce"]), tuple(columns), tuple(conditionals),
                        int(head["candidates"]))  # fmt: skip
            sound = all(c is None or c.is_sound(i, columns[i].size + 1) for i, c in enumerate(conditionals))
        except (KeyError, ValueError, TypeError, IndexError):
            sound = False
        if not sound or not 2 <= model.candidates <= MOST_CANDIDATES:
            raise StoreError(folder.name, "the forest", wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again")  # fmt: skip
        return model


class Forest(Generator):
    """Makes each column from those made before it, by trees whose leaves hold its distribution. The default.

    Columns with few values come first. Each is cut into cells; trees learn how the cells depend on the columns before.
    A boosted regression helps where a smooth function rules, and a boosted classifier corrects what it can tell from
    real values. Values that fewer than `protect` rows share are blurred. Columns that are set when rows are sampled
    stay exactly, and the others follow them.
    """

    name: ClassVar[str] = "forest"
    version: ClassVar[int] = 2
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = ForestModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    evidence: float = Setting(default=2.5, ge=0, le=1_000)
    """How far a split must stand out from chance, in standard deviations; more is coarser and remembers less."""
    leaf: int = Setting(default=30, ge=2, le=1_000_000)
    """The fewest rows of a leaf; more is coarser and remembers less."""
    trees: int = Setting(default=4, ge=2, le=64, multiple_of=2)
    """Trees for each column; more are slower and a little smoother."""
    rounds: int = Setting(default=100, ge=0, le=10_000)
    """Boosting rounds of each correction, at most; 0 corrects nothing."""
    candidates: int = Setting(default=12, ge=2, le=MOST_CANDIDATES)
    """Draws for each value among which a correction chooses; more are slower and closer."""
    refined: int = Setting(default=200_000, ge=0)
    """Rows up to which guides and corrections are learned; trees alone do for larger tables."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> ForestModel:
        from synthwright.kit.learning.conditional import Dials, Known, learned

        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        held = data.tables[table]
        seen = looked_at(data, part, table, CODEABLE)
        made = [Coded(n, settled(data, table, n, ctx.at(n), self.protect)) for n in produce]
        given = [Coded(n, settled(data, table, n, ctx.at(n), self.protect)) for n in seen]
        columns = [*given, *sorted(made, key=lambda c: c.size)]
        places = [c.places(held.column(c.name)) for c in columns]
        known = Known.of(columns, places)
        dials = Dials(self.leaf, self.evidence, self.trees, self.rounds, self.candidates,
                      held.num_rows <= self.refined, part.mode == "fill")  # fmt: skip
        tasks = range(len(given), len(columns))
        found = side_by_side(lambda i: learned(known, i, dials, ctx.at(columns[i].name)), tasks)
        return ForestModel(table, part.mode, tuple(produce), tuple(columns), (*[None] * len(given), *found),
                           self.candidates)  # fmt: skip
