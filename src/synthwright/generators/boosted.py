"""Boosted trees: each column made from those before it, by gradient-boosted predictions of its distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.kit.coding.codecs import CODEABLE, PROTECT
from synthwright.kit.learning.sequence import SequenceModel, begun
from synthwright.kit.learning.threads import side_by_side

if TYPE_CHECKING:
    from synthwright.kit.learning.boosted_cells import BoostedCells


@dataclass(frozen=True)
class BoostedModel(SequenceModel):
    """The columns in their order, and the trees that predict each from those before it."""

    about: ClassVar[str] = "the boosted trees"

    conditionals: tuple[BoostedCells | None, ...]

    @staticmethod
    def conditional(held: dict[str, np.ndarray]) -> BoostedCells:
        from synthwright.kit.learning.boosted_cells import BoostedCells

        return BoostedCells.of_arrays(held)


class Boosted(Generator):
    """Makes each column from those made before it, by boosted trees that predict how likely each of its cells is.

    The sequence is that of `forest`: columns with few values come first. A column is cut into cells, those into finer
    ones, and these again; LightGBM (Ke et al. 2017) learns the chance of each from the columns before, and stops when
    rows that were set aside gain no more. Slower than `forest`.
    """

    name: ClassVar[str] = "boosted"
    version: ClassVar[int] = 7
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = BoostedModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    cells: int = Setting(default=8, ge=2, le=250)
    """Into how many parts each of three stages cuts a column; more are slower."""
    rounds: int = Setting(default=120, ge=0, le=10_000)
    """Boosting rounds of each column and stage, at most; 0 learns no dependence."""
    rate: float = Setting(default=0.15, gt=0, le=1)
    """How much each round corrects; less is slower and a little closer."""
    leaves: int = Setting(default=8, ge=2, le=1_000)
    """Leaves of a tree, at most."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> BoostedModel:
        from synthwright.kit.learning.boosted_cells import Dials, learned
        from synthwright.kit.learning.conditional import Known

        start = begun(data, part, self.name, self.protect, ctx)
        columns = [*start.given, *sorted(start.made, key=lambda c: c.size)]
        places = start.places(columns, self.protect, ctx)
        known = Known.of(columns, places)
        dials = Dials(self.cells, self.rounds, self.rate, self.leaves, part.mode == "fill")
        tasks = range(len(start.given), len(columns))
        found = side_by_side(lambda i: learned(known, i, dials, ctx.at(columns[i].name)), tasks)
        return BoostedModel(start.table, part.mode, start.produce, tuple(columns),
                            (*[None] * len(start.given), *found))  # fmt: skip
