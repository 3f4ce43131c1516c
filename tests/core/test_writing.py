"""The target that `init` proposes: what somebody would most likely predict, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.core.writing import guessed_target

ROWS = 300
RNG = np.random.default_rng(3)
YES = RNG.choice(["yes", "no"], ROWS)
FEW = RNG.integers(0, 4, ROWS)
NUMBERS = RNG.normal(size=ROWS)
REMARKS = [None if i % 3 else ("called back", "wants an offer", "moved")[i // 3 % 3] for i in range(ROWS)]
LONG = RNG.choice(["was very friendly on the telephone", "would rather not be called in the evening"], ROWS)


def _target(columns: dict[str, Any]) -> str | None:
    tables = {"t": pa.table(columns)}
    data = Dataset.of(tables, infer(tables).schema)
    return guessed_target(data.schema.tables["t"], data.tables["t"])


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"a": NUMBERS, "kind": YES, "Bemerkung": REMARKS}, None),
        ({"a": NUMBERS, "churn": YES, "Bemerkung": REMARKS}, "churn"),
        ({"a": NUMBERS, "kind": YES, "Bemerkung": RNG.choice(["called", "moved"], ROWS)}, None),
        ({"a": NUMBERS, "kind": YES, "said": LONG}, None),
        ({"a": NUMBERS, "income": YES}, "income"),
        ({"a": NUMBERS, "stars": FEW}, "stars"),
        ({"a": NUMBERS, "ok": FEW > 1}, "ok"),
        ({"a": NUMBERS, "share": np.round(NUMBERS)}, None),
        ({"loan_default": FEW > 2, "a": NUMBERS, "kind": YES}, "loan_default"),
        ({"target": NUMBERS, "a": RNG.normal(size=ROWS)}, "target"),
        ({"target": [None, *YES[1:]], "a": NUMBERS}, None),
        ({"class": [*YES[1:], "once"], "a": NUMBERS}, None),
        ({"class_size": FEW, "pos_y": NUMBERS}, None),
    ],
)
def test_targets(columns: dict[str, Any], wanted: str | None) -> None:
    """A complete column of few common values that is called so, else the last one if it is no remark, else none."""
    assert _target(columns) == wanted
