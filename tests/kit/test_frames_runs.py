"""Arrow columns kept in runs come back in runs, of the same types, from a saved model too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import synthwright as sw

WHICH = np.sort(np.random.default_rng(6).integers(0, 5, 300))


@pytest.mark.parametrize("ends", [pa.int16(), pa.int32(), pa.int64()])
def test_runs_come_back(ends: pa.DataType, tmp_path: Path) -> None:
    """Words, numbers with gaps and truth values in runs, beside a plain column and one of a dictionary."""
    gaps = pa.array(np.where(WHICH == 2, np.nan, WHICH / 4), from_pandas=True)
    plain = {"word": pa.array(np.array(["a", "b", "c", "d", "e"])[WHICH]), "part": gaps, "high": pa.array(WHICH > 3)}
    label = pa.DictionaryArray.from_arrays(pa.array(WHICH.astype(np.int8)), pa.array(["lo", "mid", "hi", "x", "y"]))
    real = pa.table({n: pc.run_end_encode(v, run_end_type=ends) for n, v in plain.items()} | {"n": WHICH, "l": label})
    sw.fit(real, "marginals", seed=1).save(tmp_path / "m")
    made = sw.load(tmp_path / "m").sample(100, seed=2)
    assert made.schema.types == real.schema.types
    made.validate(full=True)
    assert set(pc.run_end_decode(made["word"]).to_pylist()) <= {"a", "b", "c", "d", "e"}
    assert pc.run_end_decode(made["part"]).null_count > 0
