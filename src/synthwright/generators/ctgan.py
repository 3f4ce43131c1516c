"""An adversarial network for tables: one makes rows, another tells them from real ones, and both learn."""

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

PASSES = 60
"""How often each row is seen, at most."""
PATIENCE = 25
"""Fiftieths of the training without a gain on rows held back, after which it stops."""


@dataclass(frozen=True)
class CtganModel(NetModel):
    """The columns, and the networks that make rows and choose among them."""

    about: ClassVar[str] = "ctgan"

    @staticmethod
    def network(plan: Plan) -> nn.Module:
        from synthwright.generators.nets.gan import Gan

        return Gan(plan)


class Ctgan(Generator):
    """Lets a network make rows, and another tell them from real ones, until it hardly can: adversarial training.

    After Xu et al. (2019), Modeling Tabular Data using Conditional GAN, arXiv 1907.00503, with a steadier loss (Huang
    et al. 2024, arXiv 2501.05441). Of a few candidates for each row the trained critic draws one, the likelier the more
    real it looks (Azadi et al. 2019, arXiv 1810.06758). Needs the extra `neural`. Columns that are set when rows are
    sampled stay exactly, and the others follow them. It trains on a graphics card where there is one, and never needs
    it.
    """

    name: ClassVar[str] = "ctgan"
    version: ClassVar[int] = 3
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = CtganModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    steps: int = Setting(default=2_000, ge=1, le=10_000_000)
    """Batches to learn from, at most; training stops earlier when rows held back show no gain."""
    batch: int = Setting(default=500, ge=2, le=1_000_000)
    """Rows of a batch, at most a quarter of the table."""
    width: int = Setting(default=256, ge=1, le=16_384)
    """Numbers in each layer of the networks; more learn finer and slower."""
    blocks: int = Setting(default=2, ge=1, le=64)
    """Pairs of layers of the network that makes rows."""
    latent: int = Setting(default=64, ge=1, le=4_096)
    """Numbers of noise that a row is made from."""
    tries: int = Setting(default=16, ge=1, le=1_000)
    """Candidates of which each row is drawn; more are slower and a little closer."""
    match: float = Setting(default=1.0, ge=0, le=1_000)
    """How much the shares of values, and of pairs of them, count beside what the critic says."""
    rate: float = Setting(default=0.002, gt=0, le=1)
    """How far each batch moves the weights."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> CtganModel:
        extra(self.name)
        from synthwright.generators.nets.critic import CriticLearner
        from synthwright.generators.nets.gan import Gan
        from synthwright.generators.nets.gan_learners import GanLearner
        from synthwright.kit.learning.nets import Course

        def learner(plan: Plan, table: Table, rows: np.ndarray) -> Learner:
            return GanLearner(plan, table, rows, rate=self.rate, match=self.match)

        def later(net: Gan, table: Table, bends: np.ndarray) -> Learner:
            return CriticLearner(net, table, bends, rate=self.rate)

        sizes = {"width": self.width, "blocks": self.blocks, "latent": self.latent, "tries": self.tries}
        course = Course(self.steps, self.batch, PASSES, PATIENCE)
        return learned(CtganModel, Lesson(self, self.protect, course, sizes, learner, later), data, part, ctx)
