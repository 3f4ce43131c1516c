"""A network trained by gradients with noise: formal privacy, and columns that are set steer the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Schema
from synthwright.core.spend import ROW, Release, Spend
from synthwright.kit.private.recipe import Marginal
from synthwright.kit.private.release import measured, rehearsed
from synthwright.kit.private.told import LEAST, WEIGHTS, ToldModel, shares_of

if TYPE_CHECKING:
    from synthwright.kit.private.marginals import Coded
    from synthwright.kit.private.release import Sheet

_FINDING = 0.5
"""The share of what columns cost, with which cells are found that are not known."""


class DpNetwork(Marginal):
    """Learns columns from each other by a network, trained by gradients with noise: differential privacy. Experimental.

    DP-SGD after Abadi et al. (2016), Deep learning with differential privacy, arXiv 1607.00133. Every column is counted
    with noise, as by `mst`; the network learns what follows from what. Columns that are set when rows are sampled steer
    the others. `mst` and `aim` are closer to the real rows. Needs the extra `neural-private`, and a budget:
    `budget: {epsilon: 1}`.
    """

    name: ClassVar[str] = "dp-network"
    model: ClassVar[type[Model]] = ToldModel
    entities: ClassVar[bool] = False

    share: float = Setting(default=0.2, gt=0, lt=1)
    """The share of the budget with which columns are counted, and cells found that are not all known."""
    steps: int = Setting(default=500, ge=1, le=1_000_000)
    """How often the weights are moved; more needs more noise in each."""
    portion: float = Setting(default=0.02, gt=0, le=1)
    """The chance with which each row is looked at in a step."""
    clip: float = Setting(default=1.0, gt=0, le=1_000)
    """How much a row may move the weights in a step: the length of its gradient, at most."""
    rate: float = Setting(default=0.01, gt=0, le=1)
    """How far a step moves the weights; less and less toward the last."""
    width: int = Setting(default=64, ge=1, le=16_384)
    """Numbers in each layer of the network; more learn finer, and take more noise."""

    def method(self, sheet: Sheet) -> None:
        """Count every column by itself."""
        sheet.measure_columns(rho=sheet.purse.left)

    def rehearse(self, schema: Schema, part: Part, *, budget: Spend, ctx: Context) -> Spend:
        counting, _ = self._planned(budget)
        order, columns = self._ordered(Dataset.empty(schema), part)
        rehearsed(replace(order, share=_FINDING), columns, counting, ctx)
        return budget

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        counting, noise = self._planned(budget)  # before any row is looked at
        order, columns = self._ordered(data, part)
        seen: list[Coded] = []

        def counted(sheet: Sheet) -> None:
            self.method(sheet)
            seen.append(sheet.rows)  # in groups of cells, as the counts have them

        order = replace(order, share=_FINDING, method=counted)
        release = measured(order, columns, counting, ctx)
        weights = self._trained(release, part, data.schema, seen[-1], noise, ctx)
        steps = {"noise": noise, "steps": self.steps, "portion": self.portion, "clip": self.clip}
        epsilon = min(release.spend.epsilon + (budget.epsilon - counting.epsilon), budget.epsilon)
        delta = min(release.spend.delta + (budget.delta - counting.delta), budget.delta)
        return Release({**release.head, "training": steps}, {**release.arrays, **weights}, Spend(epsilon, delta))

    def _planned(self, budget: Spend) -> tuple[Spend, float]:
        """Return what counting may cost, and the noise of training with the rest; nothing but the budget decides it."""
        _needed(self.name)
        from synthwright.kit.private.accounting import Purse
        from synthwright.kit.private.stepwise import Steps, noise_for

        if budget.unit != ROW:
            raise FitError(self.name, "the unit of the budget", wanted="a row", got=budget.unit,
                           remedy="use mst or aim")  # fmt: skip
        Purse(budget=budget, owner=self.name)  # refuses what is no budget
        counting = budget._replace(epsilon=budget.epsilon * self.share, delta=budget.delta * self.share)
        noise = noise_for(epsilon=budget.epsilon - counting.epsilon, delta=budget.delta - counting.delta,
                          steps=Steps(self.portion, self.steps), owner=self.name)  # fmt: skip
        return counting, noise

    def _trained(
        self, release: Release, part: Part, schema: Schema, rows: Coded, noise: float, ctx: Context
    ) -> dict[str, np.ndarray]:  # fmt: skip
        """Return the weights of a network that was trained on real rows with noise."""
        import torch

        from synthwright.generators.nets.masked import Course, Masked, trained
        from synthwright.kit.learning.nets import quiet
        from synthwright.kit.private.model import learned
        from synthwright.kit.private.stepwise import Steps

        shares = shares_of(learned(release, schema.split(part.produce[0])[0], part.mode))
        expected = float(release.head["rows"]) * self.portion
        course = Course(Steps(self.portion, self.steps), noise, self.clip, self.rate, expected)
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # weights to begin with are the same for all, and tell nothing
            net = Masked(rows.sizes, self.width, np.maximum(np.concatenate(shares), LEAST))
            found = trained(net, rows.cells.T, course, lambda step: ctx.progress(step, self.steps, "training"))
        return {WEIGHTS + n: a for n, a in found.items()}

    def learned(self, release: Release, part: Part, schema: Schema, ctx: Context) -> ToldModel:  # type: ignore[override]  # another model
        return ToldModel.of(release, schema.split(part.produce[0])[0], part.mode, ctx)


def _needed(owner: str) -> None:
    """Raise a FitError unless the libraries are installed."""
    try:
        import dp_accounting  # noqa: F401  whether it is there
        import opacus  # noqa: F401  the same
        import opendp  # noqa: F401  the same
    except ImportError as error:
        raise FitError(owner, f"the package {error.name}", wanted="it installed", got="nothing",
                       remedy="It is an extra:\n  pip install 'synthwright[neural-private]'") from None  # fmt: skip
