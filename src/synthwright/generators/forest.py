"""Forests: each column made from those before it, by trees that a guide and a correction help. The default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.kit.coding.codecs import CODEABLE, PROTECT
from synthwright.kit.learning.sequence import MOST_CANDIDATES, SequenceModel, begun
from synthwright.kit.learning.threads import side_by_side

if TYPE_CHECKING:
    from synthwright.kit.learning.conditional import Conditional
    from synthwright.kit.learning.summed import Summed


@dataclass(frozen=True)
class ForestModel(SequenceModel):
    """The columns in their order, and how each follows from those before it."""

    about: ClassVar[str] = "the forest"

    conditionals: tuple[Conditional | Summed | None, ...]

    @staticmethod
    def conditional(held: dict[str, np.ndarray]) -> Conditional | Summed:
        from synthwright.kit.learning.conditional import Conditional
        from synthwright.kit.learning.summed import Summed

        return (Summed if "turn" in held else Conditional).of_arrays(held)


class Forest(Generator):
    """Makes each column from those made before it, by trees whose leaves hold its distribution. The default.

    Columns with few values come first. Each is cut into cells; trees learn how the cells depend on the columns before.
    A boosted regression helps where a smooth function rules, and a boosted classifier corrects what it can tell from
    real values. Where rows are few, weighted sums tell what trees would take more rows for. Values that fewer than
    `protect` rows share are blurred. Columns that are set when rows are sampled stay exactly, and the others follow.
    """

    name: ClassVar[str] = "forest"
    version: ClassVar[int] = 8
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = ForestModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    evidence: float = Setting(default=2.5, ge=0, le=1_000)
    """How far a split must stand out from chance, in standard deviations; more is coarser and remembers less."""
    leaf: int = Setting(default=30, ge=2, le=1_000_000)
    """The fewest rows of a leaf, a quarter of it where they stand out; more is coarser and remembers less."""
    trees: int = Setting(default=4, ge=2, le=64, multiple_of=2)
    """Trees for each column; more are slower and a little smoother."""
    rounds: int = Setting(default=100, ge=0, le=10_000)
    """Boosting rounds of each correction, at most; 0 corrects nothing."""
    candidates: int = Setting(default=12, ge=2, le=MOST_CANDIDATES)
    """Draws for each value among which a correction chooses; more are slower and closer."""
    refined: int = Setting(default=200_000, ge=0)
    """Rows up to which guides and corrections are learned; trees alone do for larger tables."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> ForestModel:
        from synthwright.kit.learning.conditional import Dials, Known
        from synthwright.kit.learning.gaussian import one_thread
        from synthwright.kit.learning.summed import chosen

        start = begun(data, part, self.name, self.protect, ctx)
        given, held = start.given, start.held
        columns = [*given, *sorted(start.made, key=lambda c: c.size)]
        places = start.places(columns, self.protect, ctx)
        known = Known.of(columns, places)
        dials = Dials(self.leaf, self.evidence, self.trees, self.rounds, self.candidates,
                      held.num_rows <= self.refined, part.mode == "fill", protect=self.protect)  # fmt: skip
        tasks = range(len(given), len(columns))
        with one_thread():
            found = side_by_side(lambda i: chosen(known, i, dials, ctx.at(columns[i].name)), tasks)
        return ForestModel(start.table, part.mode, start.produce, tuple(columns), (*[None] * len(given), *found),
                           self.candidates)  # fmt: skip
