"""Diffusion for tables: noise becomes rows step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.kit.coding.codecs import CODEABLE, PROTECT
from synthwright.kit.learning.net_model import Lesson, NetModel, Plan, extra, learned

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from synthwright.kit.learning.nets import Learner, Table

PASSES = 100
"""How often each row is seen, at most."""
PATIENCE = 10
"""Fiftieths of the training without a gain on rows held back, after which it stops."""


@dataclass(frozen=True)
class DiffusionModel(NetModel):
    """The columns, and the network that makes them."""

    about: ClassVar[str] = "diffusion"

    @staticmethod
    def network(plan: Plan) -> nn.Module:
        from synthwright.generators.nets.flow import Flow

        return Flow(plan)


class Diffusion(Generator):
    """Turns noise into rows: labels are uncovered one after the other, then numbers flow to their places.

    For mixed columns, after Kotelnikov et al. (2022), TabDDPM, arXiv 2209.15421, with masked diffusion for labels (Shi
    et al. 2024, TabDiff, arXiv 2410.20626) and flow matching for numbers (Lipman et al. 2022, arXiv 2210.02747). Needs
    the extra `neural`. Columns that are set when rows are sampled stay exactly, and the others follow them. It trains
    on a graphics card where there is one, and never needs it.
    """

    name: ClassVar[str] = "diffusion"
    version: ClassVar[int] = 6
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = DiffusionModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    steps: int = Setting(default=6_000, ge=1, le=10_000_000)
    """Batches to learn from, at most; training stops earlier when rows held back show no gain."""
    batch: int = Setting(default=500, ge=2, le=1_000_000)
    """Rows of a batch, at most a quarter of the table."""
    width: int = Setting(default=256, ge=1, le=16_384)
    """Numbers in each layer of the network; more learn finer and slower."""
    blocks: int = Setting(default=3, ge=1, le=64)
    """Pairs of layers of the network."""
    looks: int = Setting(default=16, ge=1, le=1_000)
    """Steps in which numbers flow to their places when rows are made; more are slower and a little closer."""
    rate: float = Setting(default=0.002, gt=0, le=1)
    """How far each batch moves the weights."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> DiffusionModel:
        extra(self.name)
        from synthwright.generators.nets.flow import FlowLearner
        from synthwright.kit.learning.nets import Course

        def learner(plan: Plan, table: Table, rows: np.ndarray) -> Learner:
            return FlowLearner(plan, table, rows, rate=self.rate)

        sizes = {"width": self.width, "blocks": self.blocks, "looks": self.looks}
        course = Course(self.steps, self.batch, PASSES, PATIENCE)
        return learned(DiffusionModel, Lesson(self, self.protect, course, sizes, learner), data, part, ctx)
