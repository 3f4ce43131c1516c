"""A variational autoencoder for tables: rows as hidden normal numbers, and back."""

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

BESIDE = 0.5
"""How long the critic learns beside the autoencoder."""
CRITIC = 0.002
"""How far each batch moves the critic's weights."""


@dataclass(frozen=True)
class TvaeModel(NetModel):
    """The columns, and the networks that make rows and choose among them."""

    about: ClassVar[str] = "tvae"

    @staticmethod
    def network(plan: Plan) -> nn.Module:
        from synthwright.generators.nets.vae import Autoencoder

        return Autoencoder(plan)


class Tvae(Generator):
    """Learns hidden numbers behind rows and how rows follow from them: a variational autoencoder.

    After Xu et al. (2019), Modeling Tabular Data using Conditional GAN, arXiv 1907.00503. Of a few candidates for each
    row a critic that learned afterwards draws one, the likelier the more real it looks (Bauer and Mnih 2019, Resampled
    priors for variational autoencoders, arXiv 1810.11428). Needs the extra `neural`.
    Columns that are set when rows are sampled stay exactly, and the others follow them. It trains on a graphics card
    where there is one, and never needs it.
    """

    name: ClassVar[str] = "tvae"
    version: ClassVar[int] = 7
    abilities: ClassVar[Abilities] = Abilities(kinds=CODEABLE, given="any")
    model: ClassVar[type[Model]] = TvaeModel

    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a value before it may be kept and given back; numbers that fewer share are blurred."""
    steps: int = Setting(default=10_000, ge=1, le=10_000_000)
    """Batches to learn from, at most; training stops earlier when rows held back show no gain."""
    batch: int = Setting(default=500, ge=2, le=1_000_000)
    """Rows of a batch, at most a quarter of the table."""
    width: int = Setting(default=256, ge=1, le=16_384)
    """Numbers in each layer of the networks; more learn finer and slower."""
    latent: int = Setting(default=32, ge=1, le=4_096)
    """Hidden numbers behind a row."""
    weight: float = Setting(default=2.0, gt=0, le=1_000)
    """How much coming back exactly counts beside hidden numbers that are normal; more is sharper, less is smoother."""
    tries: int = Setting(default=16, ge=1, le=1_000)
    """Candidates of which each row is drawn; more are slower and a little closer."""
    rate: float = Setting(default=0.001, gt=0, le=1)
    """How far each batch moves the weights."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> TvaeModel:
        extra(self.name)
        from synthwright.generators.nets.critic import CriticLearner
        from synthwright.generators.nets.vae import Autoencoder, VaeLearner
        from synthwright.kit.learning.nets import Course

        def learner(plan: Plan, table: Table, rows: np.ndarray) -> Learner:
            return VaeLearner(plan, table, rows, rate=self.rate, weight=self.weight)

        def later(net: Autoencoder, table: Table, bends: np.ndarray) -> Learner:
            return CriticLearner(net, table, bends, rate=CRITIC)

        sizes = {"width": self.width, "latent": self.latent, "tries": self.tries}
        course = Course(self.steps, self.batch, PASSES, PATIENCE)
        return learned(TvaeModel, Lesson(self, self.protect, course, sizes, learner, later, BESIDE), data, part, ctx)
