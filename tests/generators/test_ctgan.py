"""The adversarial networks: what they make, and how they learn."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.values import numbers
from synthwright.generators.ctgan import Ctgan
from synthwright.kit.learning.net_model import Plan
from synthwright.testing import toys

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra: pip install 'synthwright[neural]'")
SMALL = {"steps": 40, "width": 16, "batch": 32, "tries": 4}
PLAN = Plan((3, 4, 1), (-1, 3, 0), (False, False, False), {"width": 16, "blocks": 1, "latent": 4, "tries": 8})
"""Labels, numbers with three frequent values, and numbers without any."""


def _learned(recipe: Ctgan, data: Dataset, ctx: Context | None = None) -> Any:
    return recipe.fit(data, Part(data.schema.columns), ctx or Context(seed=1))


def _rows(rows: int) -> Any:
    """Return a table for the plan in which the first two columns are alike, and numbers follow them."""
    import torch

    from synthwright.kit.learning.nets import Table

    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, rows)
    slots = torch.from_numpy(np.column_stack([label, np.where(rng.random(rows) < 0.9, label, 3), 0 * label]))
    low = torch.from_numpy(rng.random((rows, 2)).astype(np.float32) / 4 + label[:, None].astype(np.float32) / 4)
    return Table(slots, low, low + 1e-3)


def _learner(rows: int) -> Any:
    from synthwright.generators.nets.gan_learners import GanLearner
    from synthwright.kit.learning import nets

    with nets.begun_with(Context(seed=1)):
        return GanLearner(PLAN, _rows(rows), np.arange(rows), rate=0.005, match=1.0)


def test_numbers_follow_labels() -> None:
    """What is learned shows: numbers differ by label as they really do."""
    data = toys.plain(300)
    made = _learned(Ctgan(steps=250, width=32, batch=64, rate=0.005, tries=4), data).sample(
        Dataset.blank(data.schema, {"thing": 300}), Context(seed=2)
    )
    size = numbers(made.data.column("thing.size"))
    colour = np.array(made.data.column("thing.colour").to_pylist())
    assert size[colour == "amber"].mean() + 15 < size[colour == "cyan"].mean()


def test_pairs_count() -> None:
    """Rows like the real ones are no distance away, but for noise; where pairs are torn apart, there is one."""
    import torch

    from synthwright.kit.learning.nets import dice

    one = _learner(4_000)
    chance = dice(Context(), one.on)
    seen = one.net.real(one.table.slots, one.table.scores(torch.arange(4_000), chance), one.table.slots >= 0)
    torn = torch.cat([seen[:, :3][torch.randperm(4_000, generator=chance)], seen[:, 3:]], dim=1)
    assert abs(one._unlike(seen)) < 0.02  # noqa: SLF001  the distance is the point
    assert one._unlike(torn) > 0.2  # noqa: SLF001
    shifted = seen.clone()
    shifted[:, -3:] += 1  # which columns are known is no part of it
    assert one._unlike(shifted) == one._unlike(seen)  # noqa: SLF001


def test_judge_sees_what_is_wrong() -> None:
    """The distance on rows held back falls while a network learns."""
    import torch

    from synthwright.kit.learning.nets import dice

    one = _learner(800)
    held = torch.arange(800)
    with torch.no_grad():
        first = one.judge(one.net, held, dice(Context(), one.on))
    for turn in range(60):
        one.step(torch.randperm(800)[:200], dice(Context().at(turn), one.on))
    with torch.no_grad():
        assert one.judge(one.net, held, dice(Context(), one.on)) < first / 2


def test_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory runs out for a batch, batches are halved, and the model says so."""
    import torch

    from synthwright.generators.nets.gan_learners import GanLearner

    step = GanLearner.step

    def narrow(self: Any, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        if len(rows) > 20:
            raise torch.OutOfMemoryError
        return step(self, rows, chance)

    monkeypatch.setattr(GanLearner, "step", narrow)
    model = _learned(Ctgan(**SMALL), toys.plain(200))
    assert "batches have 16 rows" in model.notes[0]


def test_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that is no number says at which step."""
    import torch

    from synthwright.generators.nets.gan_learners import GanLearner

    def steep(self: Any, rows: torch.Tensor) -> torch.Tensor:
        return self.net.critic(rows).sum() * float("nan")

    monkeypatch.setattr(GanLearner, "_slopes", steep)
    with pytest.raises(FitError, match="step"):
        _learned(Ctgan(**SMALL), toys.plain())
