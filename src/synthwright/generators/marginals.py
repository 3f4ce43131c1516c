"""Every column by itself: the baseline that all other generators must beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.kit.coding.codecs import CODEABLE, NULL, PROTECT, Codec, codec_of
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, names_of, refuse_unfit, settled, table_of


@dataclass(frozen=True)
class MarginalsModel(Model):
    """The distribution of each column."""

    table: str
    mode: str
    codecs: dict[str, Codec]

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        rows = given.rows(self.table)
        there = set(given.columns(self.table)) if self.mode == "make" else set()
        made = {name: drawn(codec, rows, ctx.at(name).rng, nulls=self.mode != "fill")
                for name, codec in self.codecs.items() if name not in there}  # fmt: skip
        return Sample(completed(given, self.table, made, self.mode))

    def save(self, folder: Path) -> None:
        heads, arrays = {}, {}
        for i, (name, codec) in enumerate(self.codecs.items()):
            heads[name], held = codec.to_json()
            arrays.update({f"{i}.{n}": a for n, a in held.items()})
        head = {"table": self.table, "mode": self.mode, "order": list(self.codecs), "codecs": heads}
        artefacts.save(folder, head, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        return cls(head["table"], head["mode"], {n: codec_of(head["codecs"][n], part) for n, part in
                                                 artefacts.parts(head["order"], arrays)})  # fmt: skip


class Marginals(Generator):
    """Makes every column by itself, as if no column had to do with another.

    Shares of labels, point masses, gaps, lattices and missing values are kept; every relation between columns is lost.
    It is the baseline that other generators must beat.
    """

    name: ClassVar[str] = "marginals"
    version: ClassVar[int] = 7
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE)
    model: ClassVar[type[Model]] = MarginalsModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> MarginalsModel:
        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        codecs = {n: settled(data, table, n, ctx.at(n), self.protect) for n in produce}
        return MarginalsModel(table, part.mode, codecs)


def drawn(codec: Codec, rows: int, rng: np.random.Generator, *, nulls: bool) -> pa.Array:
    """Return so many values of a column, missing ones in their share unless `nulls` is false."""
    null_share = codec.null_share if nulls else 0.0
    point = rng.random(rows)
    if not codec.size:
        return codec.decode(np.full(rows, NULL), point)
    ends = null_share + (1 - null_share) * np.cumsum(codec.shares)
    cell = np.minimum(np.searchsorted(ends, point, side="right"), codec.size - 1)
    begin = np.append(null_share, ends[:-1])[cell]
    width = np.maximum(ends[cell] - begin, np.finfo(np.float64).tiny)
    within = np.clip((point - begin) / width, 0, np.nextafter(1, 0))
    return codec.decode(np.where(point < null_share, NULL, cell), within)
