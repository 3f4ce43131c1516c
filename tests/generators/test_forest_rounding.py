"""Forests give round numbers as often as there were, in many different values, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.generators.forest import Forest, ForestModel
from synthwright.testing import toys
from synthwright.testing.stored import contents

NUMBER, INTEGER, CATEGORY = (Field(kind=k) for k in (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY))
ROWS = 3_000


def _shop() -> Dataset:
    """Return minutes of which a third are halves, and amounts: a few round ones, and many single ones."""
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=ROWS)
    raw = np.exp(5 + hidden)
    minutes = np.where(rng.random(ROWS) < 1 / 3, np.rint(raw * 2) / 2, raw)
    spent = np.exp(7.5 + hidden + 0.5 * rng.normal(size=ROWS))
    amount = np.where(rng.random(ROWS) < 0.8, np.maximum(np.rint(spent / 500), 1) * 500, np.rint(spent)).astype(int)
    group = np.array(["low", "middle", "high"])[np.searchsorted([-0.5, 0.5], hidden)].tolist()
    return toys.dataset({"t": {"group": (CATEGORY, group), "minutes": (NUMBER, minutes), "amount": (INTEGER, amount)}})


def _model(data: Dataset) -> ForestModel:
    return Forest().fit(data, Part(data.schema.columns), Context(seed=1))


def _made(model: ForestModel, data: Dataset, rows: int = ROWS) -> Dataset:
    return model.sample(Dataset.blank(data.schema, {"t": rows}), Context(seed=2)).data


def test_round_numbers_and_single_ones_stay_as_frequent() -> None:
    """Halves are as frequent as they were, round amounts too, and single amounts are not lost; columns stay alike."""
    data = _shop()
    made = _made(_model(data), data)
    for name, step, most in (("minutes", 0.5, 0.03), ("minutes", 1, 0.03), ("amount", 500, 0.04), ("amount", 50, 0.04)):
        real, drawn = (numbers(d.column(f"t.{name}")) for d in (data, made))
        shares = [float((np.abs(v / step - np.rint(v / step)) < 1e-6).mean()) for v in (real, drawn)]
        assert shares[1] == pytest.approx(shares[0], abs=most), (name, step)
        assert len(np.unique(drawn)) > 0.7 * len(np.unique(real)), name
        assert real.min() <= drawn.min()
        assert drawn.max() <= real.max()
    alike = [np.corrcoef(*(np.log(numbers(d.column(f"t.{n}"))) for n in ("minutes", "amount")))[0, 1]
             for d in (data, made)]  # fmt: skip
    assert alike[1] == pytest.approx(alike[0], abs=0.05)


def test_rounding_is_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One thread and five save the same bytes and make the same rows, a loaded model too."""
    monkeypatch.setattr("synthwright.kit.learning.sequence.PIECE", 400)
    data, found = _shop(), []
    for threads in (1, 5):
        monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda threads=threads: threads)
        model, folder = _model(data), tmp_path / str(threads)
        folder.mkdir()
        model.save(folder)
        made = _made(model, data, 1_000).tables["t"].combine_chunks()
        assert _made(ForestModel.load(folder), data, 1_000).tables["t"].equals(made)
        found.append((contents(folder), made))
    assert found[0] == found[1]
