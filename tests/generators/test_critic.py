"""The critic that chooses among the rows a network makes, and the second training, in which it learns alone."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.generators.ctgan import Ctgan
from synthwright.generators.tvae import Tvae
from synthwright.kit.learning.net_model import Plan
from synthwright.store.folder import FolderStore
from synthwright.testing import toys

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra: pip install 'synthwright[neural]'")
METHODS = (Ctgan, Tvae)
SMALL = {"steps": 40, "width": 16, "batch": 32, "tries": 4}
PLAN = Plan((3, 4, 1), (-1, 3, 0), (False, False, False), {"width": 16, "blocks": 1, "latent": 4, "tries": 8})
"""Labels, numbers with three frequent values, and numbers without any."""


def _learned(recipe: Generator, data: Dataset, ctx: Context | None = None) -> Any:
    return recipe.fit(data, Part(data.schema.columns), ctx or Context(seed=1))


def _files(model: Any, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture(params=["gan", "autoencoder"])
def net(request: pytest.FixtureRequest) -> Any:
    """A network with a critic, both as they begin."""
    from synthwright.generators.nets.gan import Gan
    from synthwright.generators.nets.vae import Autoencoder
    from synthwright.kit.learning import nets

    with nets.begun_with(Context(seed=1)):
        return {"gan": Gan, "autoencoder": Autoencoder}[request.param](PLAN).eval()


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


def test_critic_chooses(net: Any) -> None:
    """Where there is trust in the critic, candidates that it finds real are drawn oftener, by the odds it says."""
    import torch

    def liking(seen: torch.Tensor) -> torch.Tensor:
        return 2.0 * seen[:, 0]

    before = (_made(net, 4_000)[0][:, 0] == 0).mean()
    net.critic.forward, net.tries = liking, 64
    assert (_made(net, 4_000)[0][:, 0] == 0).mean() == before
    net.trust.fill_(1.0)
    wanted = before * np.exp(2) / (before * np.exp(2) + 1 - before)
    assert (_made(net, 4_000)[0][:, 0] == 0).mean() == pytest.approx(wanted, abs=0.04)


def test_critic_is_bounded(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However sure the critic is, a candidate it dislikes is still drawn at times."""
    import torch

    from synthwright.generators.nets import critic

    monkeypatch.setattr(critic, "FAR", 0.5)

    def furious(seen: torch.Tensor) -> torch.Tensor:
        return 1e9 * (seen[:, 0] - 0.5)

    before = (_made(net, 4_000)[0][:, 0] == 0).mean()
    net.critic.forward, net.tries = furious, 2
    net.trust.fill_(1.0)
    after = _made(net, 20_000)[0][:, 0] == 0
    odds = np.exp(2 * 0.5)
    wanted = before**2 + 2 * before * (1 - before) * odds / (1 + odds)
    assert after.mean() == pytest.approx(wanted, abs=0.03)


def test_known_columns_stay(net: Any) -> None:
    """Whichever candidate is drawn, known slots and scores are those that were told."""
    net.trust.fill_(1.0)
    slots, scores = _made(net, 50, known=2)
    assert (slots[:, :2] == 2).all()
    assert (scores[:, 0] == 0.5).all()
    assert len(np.unique(scores[:, 1])) > 10


def test_scores_are_straightened(net: Any) -> None:
    """The critic sees scores as they will be given back: straightened as every network's are."""
    import torch

    from synthwright.kit.learning.net_model import KNOTS, straightened

    rng = np.random.default_rng(2)
    bends = np.sort(rng.normal(3, 2, (2, KNOTS)), axis=1)
    net.bends.copy_(torch.from_numpy(bends.astype(np.float32)))
    scores = rng.normal(3, 4, (500, 2)).astype(np.float32)
    wanted = np.column_stack([straightened(scores[:, j], bends[j]) for j in range(2)])
    np.testing.assert_array_equal(net.straight(torch.from_numpy(scores)).numpy(), scores)
    net.trust.fill_(1.0)
    np.testing.assert_allclose(net.straight(torch.from_numpy(scores)).numpy(), wanted, atol=1e-3)


def test_autoencoder_follows_more_closely() -> None:
    """Rows that a critic chose belong together more often than those that come as they are decoded."""
    label = np.random.default_rng(5).integers(0, 4, 800)
    data = toys.dataset({"t": {"one": (Field(kind=Kind.CATEGORY), [f"k{i}" for i in label]),
                               "two": (Field(kind=Kind.CATEGORY), [f"m{i}" for i in label])}})  # fmt: skip
    model = _learned(Tvae(steps=800, width=64, batch=100, rate=0.002, latent=8), data)
    alone = replace(model, weights=model.weights | {"trust": np.zeros((), np.float32)})

    def together(one: Any) -> float:
        made = one.sample(Dataset.blank(data.schema, {"t": 1_000}), Context(seed=2)).data
        pairs = zip(made.column("t.one").to_pylist(), made.column("t.two").to_pylist(), strict=True)
        return float(np.mean([a[1:] == b[1:] for a, b in pairs]))

    assert together(model) > together(alone) + 0.03


@pytest.mark.parametrize("method", METHODS)
def test_resumes_in_the_second_training(
    method: type[Ctgan | Tvae], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that was killed while the critic learned alone goes on from there, to the same bytes."""
    from synthwright.kit.learning import nets

    monkeypatch.setattr(nets, "EVERY", 0.0)
    data, recipe = toys.plain(), method(**SMALL)
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


@pytest.mark.parametrize("method", METHODS)
def test_shares_are_levelled_again(method: type[Ctgan | Tvae], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the critic likes too much is made less often, so that shares stay what they are."""
    from synthwright.generators.nets.critic import CriticLearner

    data = toys.plain(200)
    plain = _learned(method(**SMALL), data).weights["tilt"]
    begin = CriticLearner.__init__

    def fond(self: Any, net: Any, *rest: Any, **more: Any) -> None:
        begin(self, net, *rest, **more)
        net.critic.forward = lambda seen: net.critic.layers(seen)[:, 0] * 0 + 2 * seen[:, 0]

    monkeypatch.setattr(CriticLearner, "__init__", fond)
    assert _learned(method(**SMALL), data).weights["tilt"][0] < plain[0] - 0.4
