"""Bayesian networks: each column drawn from a table of its distribution given a few others."""

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
    from synthwright.kit.learning.tabled import Tabled


@dataclass(frozen=True)
class BayesNetModel(SequenceModel):
    """The columns in their order, and the tables of each given its parents."""

    about: ClassVar[str] = "the Bayesian network"

    conditionals: tuple[Tabled | None, ...]

    @staticmethod
    def conditional(held: dict[str, np.ndarray]) -> Tabled:
        from synthwright.kit.learning.tabled import Tabled

        return Tabled.of_arrays(held)


class BayesNet(Generator):
    """Makes each column from at most `parents` others, by tables of its distribution: a Bayesian network.

    The order is a maximum spanning tree of mutual information (Chow and Liu 1968; one parent: just that tree); parents
    are chosen greedily as PrivBayes does (Zhang et al. 2014), without its noise. Parents are cut only as finely as
    there are rows for, and a cell that few rows fall into is drawn from the coarser one around it. Fast, and the model
    can be read: which column goes with which.
    """

    name: ClassVar[str] = "bayes-net"
    version: ClassVar[int] = 7
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = BayesNetModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    parents: int = Setting(default=3, ge=0, le=16)
    """Columns that a column is drawn from, at most; 1 is a tree, 0 makes every column by itself."""
    price: float = Setting(default=0.6, ge=0, le=1_000)
    """Nats that a table must tell for each free number in it: 0.5 is what chance tells, half of ln(rows) is the BIC."""
    cell: int = Setting(default=20, ge=1, le=1_000_000)
    """The fewest rows of a cell; more is coarser and remembers less."""
    smoothing: float = Setting(default=2.0, ge=0, le=1_000_000)
    """Rows that the coarser table counts for in a cell of the finer one."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> BayesNetModel:
        from synthwright.kit.learning.conditional import Known
        from synthwright.kit.learning.network import Dials, learned, ordered, shared

        start = begun(data, part, self.name, self.protect, ctx)
        columns = [*start.given, *start.made]
        places = start.places(columns, self.protect, ctx)
        told = shared(columns, places, self.price, ctx.at("pairs"))
        order = ordered(told, len(start.given))
        told = told[np.ix_(order, order)]
        columns, places = [columns[i] for i in order], [places[i] for i in order]
        known = Known.of(columns, places)
        dials = Dials(self.parents, self.cell, self.price, self.smoothing, part.mode == "fill")
        tasks = range(len(start.given), len(columns))
        found = side_by_side(lambda i: learned(known, i, told[i, :i], dials, ctx.at(columns[i].name)), tasks)
        return BayesNetModel(start.table, part.mode, start.produce, tuple(columns),
                             (*[None] * len(start.given), *found))  # fmt: skip
