"""The adversarial networks: what they make, how the critic chooses, and the second training."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
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
from synthwright.store.folder import FolderStore
from synthwright.testing import toys

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra: pip install 'synthwright[neural]'")
SMALL = {"steps": 40, "width": 16, "batch": 32, "tries": 4}
PLAN = Plan((3, 4, 1), (-1, 3, 0), (False, False, False), {"width": 16, "blocks": 1, "latent": 4, "tries": 8})
"""Labels, numbers with three frequent values, and numbers without any."""


def _learned(recipe: Ctgan, data: Dataset, ctx: Context | None = None) -> Any:
    return recipe.fit(data, Part(data.schema.columns), ctx or Context(seed=1))


def _files(model: Any, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}


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


def _made(net: Any, rows: int, known: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return slots and scores of rows of which the first columns are known."""
    import torch

    from synthwright.kit.learning.nets import dice

    told = torch.zeros(rows, 3, dtype=torch.bool)
    told[:, :known] = True
    slots = torch.full((rows, 3), 2) * told
    with torch.no_grad():
        found = net.made(slots, torch.full((rows, 2), 0.5), told, [-1] * 3, dice(Context(seed=3), slots.device))
    return found[0].numpy(), found[1].numpy()


def test_numbers_follow_labels() -> None:
    """What is learned shows: numbers differ by label as they really do."""
    data = toys.plain(300)
    made = _learned(Ctgan(steps=250, width=32, batch=64, rate=0.005, tries=4), data).sample(
        Dataset.blank(data.schema, {"thing": 300}), Context(seed=2)
    )
    size = numbers(made.data.column("thing.size"))
    colour = np.array(made.data.column("thing.colour").to_pylist())
    assert size[colour == "amber"].mean() + 15 < size[colour == "cyan"].mean()


def test_critic_chooses() -> None:
    """Where there is trust in the critic, candidates that it finds real are drawn oftener, by the odds it says."""
    import torch

    net = _learner(200).net.eval()

    def liking(seen: torch.Tensor) -> torch.Tensor:
        return 2.0 * seen[:, 0]

    before = (_made(net, 4_000)[0][:, 0] == 0).mean()
    net.critic.forward, net.tries = liking, 64
    assert (_made(net, 4_000)[0][:, 0] == 0).mean() == before
    net.trust.fill_(1.0)
    wanted = before * np.exp(2) / (before * np.exp(2) + 1 - before)
    assert (_made(net, 4_000)[0][:, 0] == 0).mean() == pytest.approx(wanted, abs=0.04)


def test_critic_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However sure the critic is, a candidate it dislikes is still drawn at times."""
    import torch

    from synthwright.generators.nets import gan

    monkeypatch.setattr(gan, "FAR", 0.5)
    net = _learner(200).net.eval()

    def furious(seen: torch.Tensor) -> torch.Tensor:
        return 1e9 * (seen[:, 0] - 0.5)

    before = (_made(net, 4_000)[0][:, 0] == 0).mean()
    net.critic.forward, net.tries = furious, 2
    net.trust.fill_(1.0)
    after = _made(net, 20_000)[0][:, 0] == 0
    odds = np.exp(2 * 0.5)
    wanted = before**2 + 2 * before * (1 - before) * odds / (1 + odds)
    assert after.mean() == pytest.approx(wanted, abs=0.03)


def test_known_columns_stay() -> None:
    """Whichever candidate is drawn, known slots and scores are those that were told."""
    net = _learner(200).net.eval()
    net.trust.fill_(1.0)
    slots, scores = _made(net, 50, known=2)
    assert (slots[:, :2] == 2).all()
    assert (scores[:, 0] == 0.5).all()
    assert len(np.unique(scores[:, 1])) > 10


def test_scores_are_straightened() -> None:
    """The critic sees scores as they will be given back: straightened as every network's are."""
    import torch

    from synthwright.kit.learning.net_model import KNOTS, straightened

    net, rng = _learner(200).net, np.random.default_rng(2)
    bends = np.sort(rng.normal(3, 2, (2, KNOTS)), axis=1)
    net.bends.copy_(torch.from_numpy(bends.astype(np.float32)))
    scores = rng.normal(3, 4, (500, 2)).astype(np.float32)
    wanted = np.column_stack([straightened(scores[:, j], bends[j]) for j in range(2)])
    np.testing.assert_allclose(net.straight(torch.from_numpy(scores)).numpy(), wanted, atol=1e-3)


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


def test_resumes_in_the_second_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that was killed while the critic learned alone goes on from there, to the same bytes."""
    from synthwright.kit.learning import nets

    monkeypatch.setattr(nets, "EVERY", 0.0)
    data, recipe = toys.plain(), Ctgan(**SMALL)
    whole = _files(_learned(recipe, data), tmp_path / "whole")

    class Killed(Exception):  # noqa: N818  it stands for a signal
        pass

    begun: list[float] = []

    def kill(done: float, total: float, what: str) -> None:
        begun.extend([total] if done == 0 else [])
        if len(begun) == 2 and done >= total / 2:
            raise Killed

    store = FolderStore.open(tmp_path / "store")
    with pytest.raises(Killed):
        _learned(recipe, data, Context(seed=1, store=store, progress=kill))
    seen: list[float] = []
    again = _learned(recipe, data, Context(seed=1, store=store, progress=lambda done, *_: seen.append(done)))
    assert 0 not in seen
    assert again.weights["trust"] == 1  # the critic learned alone, and is heard
    assert _files(again, tmp_path / "again") == whole
    assert not list((tmp_path / "store" / "training").glob("*/*"))  # nothing is left


def test_shares_are_levelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the critic likes too much is made less often, so that shares stay what they are."""
    from synthwright.generators.nets.gan_learners import CriticLearner

    data = toys.plain(200)
    plain = _learned(Ctgan(**SMALL), data).weights["tilt"]
    begin = CriticLearner.__init__

    def fond(self: Any, net: Any, *rest: Any, **more: Any) -> None:
        begin(self, net, *rest, **more)
        net.critic.forward = lambda seen: net.critic.layers(seen)[:, 0] * 0 + 2 * seen[:, 0]

    monkeypatch.setattr(CriticLearner, "__init__", fond)
    assert _learned(Ctgan(**SMALL), data).weights["tilt"][0] < plain[0] - 0.4


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
