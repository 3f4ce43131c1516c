"""Rows in memory are known for what they are: a frame that was read from made rows learns into the next generation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright import cli
from synthwright.kit.files import GENERATION, SYNTHETIC
from synthwright.sources.provenance import generation_of


def frame() -> pd.DataFrame:
    """Return a few rows."""
    dice = np.random.default_rng(0)
    return pd.DataFrame({"a": dice.integers(0, 9, 60), "b": dice.choice(["x", "y"], 60)})


def sampled(model: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Write rows of a saved model by the command; return the generation that their file says."""
    monkeypatch.setattr(sys, "argv", ["synthwright", "sample", str(model), "-n", "20", "-o", str(out), "-q"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code
    return generation_of([out])


def test_a_model_of_made_rows_makes_the_next_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by `sw.read`, or by Arrow, which keeps the mark; saved with the model; rows of real ones are the first."""
    sw.fit(frame(), "marginals").save(tmp_path / "real.model")
    assert sampled(tmp_path / "real.model", tmp_path / "one.parquet", monkeypatch) == 1
    read = sw.read(tmp_path / "one.parquet")
    for i, data in enumerate((read, pq.read_table(tmp_path / "one.parquet"))):
        model = sw.fit(data, "marginals")
        assert model.generation == 2
        model.save(tmp_path / f"{i}.model")
        assert sampled(tmp_path / f"{i}.model", tmp_path / f"two-{i}.parquet", monkeypatch) == 2
        assert sampled(tmp_path / f"{i}.model", tmp_path / f"two-{i}.csv", monkeypatch) == 2
    assert sw.fit(sw.read(tmp_path / "two-0.csv"), "marginals").generation == 3
    assert read.fingerprint() == sw.read(tmp_path / "one.parquet", read.schema).fingerprint()


def test_models_that_say_no_generation_are_of_real_rows(tmp_path: Path) -> None:
    """As those that were saved before models said it."""
    from synthwright.core.hashes import of_folder

    at = tmp_path / "old.model"
    sw.fit(pa.table({"a": range(40)}).replace_schema_metadata({SYNTHETIC: "no", GENERATION: "4"}), "marginals").save(at)
    said = json.loads((at / "synthesizer.json").read_text())
    assert said.pop("generation") == 1
    (at / "synthesizer.json").write_text(json.dumps(said))
    (at / "hashes.json").write_text(json.dumps(of_folder(at, apart="hashes.json")))
    assert sw.load(at).generation == 1
