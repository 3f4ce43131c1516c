"""Neural generators: they learn, keep what is known, resume, and say what went wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.generators.ctgan import Ctgan
from synthwright.generators.diffusion import Diffusion
from synthwright.generators.tvae import Tvae
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.completion import settled
from synthwright.kit.learning.net_columns import NetColumn
from synthwright.store.folder import FolderStore
from synthwright.testing import toys

NEURAL = (Tvae, Ctgan, Diffusion)
WHOLE = {"steps": 40, "width": 16, "batch": 32}
learns = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra: pip install 'synthwright[neural]'")


def _trained(one: Any, rows: int, batch: int) -> Any:
    """Train a learner for 50 steps, one a round."""
    from synthwright.kit.learning import nets

    return nets.train(one, rows, nets.Course(50, batch, 100, 50), Context(), ("one", "x"))


def _learned(recipe: Generator, data: Dataset, ctx: Context | None = None) -> Any:
    return recipe.fit(data, Part(data.schema.columns), ctx or Context(seed=1))


def _files(model: Any, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def _column(name: str, data: Dataset) -> NetColumn:
    return NetColumn.of(Coded(name, settled(data, data.schema.only, name, Context(seed=1), 3)))


@pytest.mark.parametrize("name", ["amount", "price", "flag", "level", "day", "zoned"])
def test_columns_come_back(name: str) -> None:
    """Slots and scores of real values decode to values of the same cells."""
    from scipy.special import ndtri

    data = toys.every_kind(400)
    held = data.column(f"mixed.{name}")
    column = _column(name, data)
    places = column.coded.places(held)
    known = places <= column.coded.size
    slots, (low, high) = column.slots(places)[known], column.span(places[known])
    back = column.decode(slots, ndtri((low.astype(float) + high) / 2) if column.spread else None, Context().rng)
    assert (column.coded.places(pa.chunked_array([back])) == places[known]).mean() > 0.98


def test_point_masses_have_slots() -> None:
    """A value that many rows share is a slot beside a continuous rest; missing values are one too."""
    rng = np.random.default_rng(3)
    values = np.where(rng.random(600) < 0.4, 0.0, rng.lognormal(3, 1, 600)).tolist()
    values[:50] = [None] * 50
    data = toys.dataset({"t": {"gain": (Field(kind=Kind.NUMBER), values)}})
    column = _column("gain", data)
    assert (len(column.lone), column.size, column.spread) == (1, 3, True)
    assert column.decode(np.array([0, 2]), np.zeros(2), Context().rng).to_pylist() == [0.0, None]


@pytest.mark.parametrize("kind", NEURAL)
def test_missing_extra(kind: type[Generator], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message has the line that installs it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(FitError, match=re.escape("pip install 'synthwright[neural]'")):
        _learned(kind(), toys.plain())


@learns
@pytest.mark.parametrize("kind", NEURAL)
def test_same_bytes(kind: type[Generator], tmp_path: Path) -> None:
    """The same seed gives the same files, and a model that was loaded gives the same rows; no file needs pickle."""
    data, recipe = toys.plain(), kind.model_validate(WHOLE)
    one, two = (_learned(recipe, data) for _ in range(2))
    files = _files(one, tmp_path / "one")
    assert files == _files(two, tmp_path / "two")
    assert set(files) == {"model.json", "arrays.npz", "weights.safetensors", "hashes.json"}
    start = Dataset.blank(data.schema, {"thing": 50})
    again = kind.model.load(tmp_path / "one").sample(start, Context(seed=2)).data
    assert again.fingerprint() == one.sample(start, Context(seed=2)).data.fingerprint()


@learns
@pytest.mark.parametrize("kind", NEURAL)
def test_set_columns_stay(kind: type[Generator]) -> None:
    """What is set when rows are sampled stays, labels and numbers alike."""
    data = toys.plain()
    start = Dataset.blank(data.schema, {"thing": 40})
    told = {"colour": pa.array(["blue"] * 40, pa.large_string()), "size": pa.array(np.arange(30, 70), pa.int64())}
    made = _learned(kind.model_validate(WHOLE), data).sample(start.with_columns("thing", told), Context(seed=2)).data
    assert made.column("thing.colour").to_pylist() == ["blue"] * 40
    assert numbers(made.column("thing.size")).tolist() == list(range(30, 70))


@learns
def test_numbers_follow_labels() -> None:
    """What is learned shows: numbers differ by label as they really do."""
    data = toys.plain(300)
    made = _learned(Diffusion(steps=200, width=32, batch=64), data).sample(
        Dataset.blank(data.schema, {"thing": 300}), Context(seed=2)
    )
    size = numbers(made.data.column("thing.size"))
    colour = np.array(made.data.column("thing.colour").to_pylist())
    assert size[colour == "amber"].mean() + 20 < size[colour == "cyan"].mean()


@learns
@pytest.mark.parametrize("kind", NEURAL)
def test_too_small(kind: type[Generator]) -> None:
    """A table of nine rows is refused."""
    with pytest.raises(FitError, match="at least 10 rows"):
        _learned(kind(), toys.plain(9))


@learns
def test_no_loss_from_the_start() -> None:
    """A loss that is no number before anything was learned is an error that says the step."""
    with pytest.raises(FitError, match="step 1"):
        _trained(_Strange(after=0), 100, 10)


@learns
def test_no_loss_later() -> None:
    """A loss that stops being a number ends training; the last good weights stay, and a note says the step."""
    done = _trained(_Strange(after=30), 100, 10)
    assert np.isfinite(done.weights["weight"]).all()
    assert "at step 31" in done.notes[0]


@learns
def test_memory_runs_out() -> None:
    """Where memory runs out, batches are halved, and a note says so; the smallest batch is the end."""
    one = _Strange(most=16)
    done = _trained(one, 200, 40)
    assert max(one.batches) == 40
    assert one.batches[-1] <= 10
    assert "batches have 10 rows" in done.notes[-1]
    with pytest.raises(FitError, match="memory"):
        _trained(_Strange(most=1), 200, 40)


@learns
def test_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training that was killed goes on from its last checkpoint, and gives what it would have given."""
    from synthwright.kit.learning import nets

    monkeypatch.setattr(nets, "EVERY", 0.0)
    data, recipe = toys.plain(), Tvae(**WHOLE)
    whole = _files(_learned(recipe, data), tmp_path / "whole")

    class Killed(Exception):  # noqa: N818  it stands for a signal
        pass

    def kill(done: float, total: float, what: str) -> None:
        if done >= total / 2:
            raise Killed

    store = FolderStore.open(tmp_path / "store")
    with pytest.raises(Killed):
        _learned(recipe, data, Context(seed=1, store=store, progress=kill))
    seen: list[float] = []
    again = _learned(recipe, data, Context(seed=1, store=store, progress=lambda done, *_: seen.append(done)))
    assert seen[0] >= 20
    assert _files(again, tmp_path / "again") == whole
    assert not list((tmp_path / "store" / "training").glob("*/*"))  # nothing is left


KILLED = """
import os, signal, sys
from pathlib import Path
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.generators.tvae import Tvae
from synthwright.kit.learning import nets
from synthwright.store.folder import FolderStore
from synthwright.testing import toys

nets.EVERY = 0.0

def kill(done, total, what):
    if done >= total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

data, store = toys.plain(), FolderStore.open(Path(sys.argv[1]))
Tvae(steps=40, width=16, batch=32).fit(data, Part(data.schema.columns), Context(seed=1, store=store, progress=kill))
"""
"""A training that the kernel ends half-way: nothing gets to clean up."""


@learns
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_resumes_after_a_kill(tmp_path: Path) -> None:
    """A process that was killed while it trained leaves a checkpoint; another goes on from there to the same bytes."""
    at = tmp_path / "store"
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(at)], env=alone, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert list((at / "training").glob("*/*"))
    data, recipe, seen = toys.plain(), Tvae(**WHOLE), list[float]()
    ctx = Context(seed=1, store=FolderStore.open(at), progress=lambda done, *_: seen.append(done))
    again = _files(_learned(recipe, data, ctx), tmp_path / "again")
    assert seen[0] >= 20
    assert again == _files(_learned(recipe, data), tmp_path / "whole")


@learns
def test_altered_model(tmp_path: Path) -> None:
    """Weights that were changed, or that belong to another network, are refused."""
    model = _learned(Tvae(**WHOLE), toys.plain())
    _files(model, tmp_path / "one")
    at = tmp_path / "one" / "weights.safetensors"
    good = at.read_bytes()
    at.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(StoreError, match="altered"):
        type(model).load(tmp_path / "one")
    at.write_bytes(good)
    said = json.loads((tmp_path / "one" / "model.json").read_text())
    said["sizes"]["width"] += 1
    (tmp_path / "one" / "model.json").write_text(json.dumps(said))
    from synthwright.core.hashes import sha256

    known = json.loads((tmp_path / "one" / "hashes.json").read_text())
    known["model.json"] = sha256(tmp_path / "one" / "model.json")
    (tmp_path / "one" / "hashes.json").write_text(json.dumps(known))
    with pytest.raises(StoreError, match="something else"):
        type(model).load(tmp_path / "one")


class _Strange:
    """A learner of nothing that fails when it is told to."""

    def __init__(self, after: int = 10**9, most: int = 10**9) -> None:
        import torch

        self.after, self.most, self.batches = after, most, list[int]()
        self.net = torch.nn.Linear(1, 1)
        self.nets = {"kept": self.net}
        self.optimisers = {"all": torch.optim.SGD(self.net.parameters(), lr=0.01)}
        self.done = 0

    def step(self, rows: Any, chance: Any) -> Any:
        """Count, and fail where it is time."""
        import torch

        self.batches.append(len(rows))
        if len(rows) > self.most:
            raise torch.OutOfMemoryError
        self.done += 1
        return torch.tensor(float("nan") if self.done > self.after else 1.0)

    def judge(self, net: Any, rows: Any, chance: Any) -> Any:
        """Everything is as good."""
        import torch

        return torch.tensor(1.0)
