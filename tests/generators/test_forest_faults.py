"""Faults of the forest that were found once: forged models, many labels, rare labels beside nulls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.generators.forest import Forest, ForestModel
from synthwright.kit.learning import artefacts


def _fitted(**columns: Any) -> tuple[Dataset, ForestModel]:
    data = Dataset.of(pa.table(columns))
    return data, Forest().fit(data, Part(data.schema.columns), Context(seed=1))


def _made(rows: int, **columns: Any) -> pa.Table:
    data, model = _fitted(**columns)
    table = data.schema.only
    return model.sample(Dataset.blank(data.schema, {table: rows}), Context(seed=2)).data.tables[table]


@pytest.mark.parametrize(
    ("array", "value"),
    [("tree:feature", 3000), ("tree:left", 10**9), ("tree:left", 0), ("roots", -5), ("held", 10**9),
     ("guide-0:left", 10**9), ("guide-0:depths", 2 * 10**9), ("guide-0:feature", 30_000), ("seen", 99)],
)  # fmt: skip
def test_a_forged_model_is_refused(tmp_path: Path, array: str, value: int) -> None:
    """Arrays that point elsewhere, with hashes that fit, end in a message and not in foreign memory."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 1_500))
    _fitted(x=x, y=y, z=np.sin(x) + y, w=x * y + rng.normal(size=1_500) / 9)[1].save(tmp_path)
    head, arrays = artefacts.load(tmp_path)
    name = next(n for n in sorted(arrays) if n.partition(".")[2] == array and len(arrays[n]) > 1)
    arrays[name] = np.full_like(arrays[name], value)
    artefacts.save(tmp_path, head, arrays)
    with pytest.raises(StoreError, match="fit the model again"):
        ForestModel.load(tmp_path)


def test_many_even_labels_keep_what_they_go_with() -> None:
    """Three hundred labels, none of them frequent, still tell the columns they depend on."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 300, 9_000)
    made = _made(3_000, city=[f"C{i}" for i in code], even=[f"e{i % 2}" for i in code])
    city, even = made.column("city").to_pylist(), made.column("even").to_pylist()
    assert np.mean([int(c[1:]) % 2 == int(e[1:]) for c, e in zip(city, even, strict=True)]) > 0.9


def test_nulls_stay_as_frequent_beside_rare_labels() -> None:
    """Labels that may not be kept leave their share to the others, not to what is missing."""
    values = [None] * 800 + ["a"] * 1_640 + [f"r{i}" for i in range(1_560)]
    made = _made(4_000, v=values, w=np.arange(4_000.0) % 7).column("v")
    assert made.null_count / 4_000 == pytest.approx(0.2, abs=0.03)
