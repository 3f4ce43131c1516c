"""Values that are not kept are dealt among those of rows like theirs."""

from __future__ import annotations

import numpy as np
import pandas as pd

import synthwright as sw

ROWS = 800


def test_rare_results_of_one_test_are_no_common_ones_of_another() -> None:
    """Labels most of which few rows share still go with the kind of row that has them."""
    rng = np.random.default_rng(1)
    kind = rng.choice(["whole", "fine"], ROWS)
    fine = np.where(rng.random(ROWS) < 0.2, "low", [f"{x:.3f} u" for x in rng.random(ROWS)])
    said = np.where(kind == "fine", fine, [f"{x} u" for x in rng.integers(100, 130, ROWS)])
    real = pd.DataFrame({"kind": kind, "said": pd.Categorical(said)})
    fake = sw.fit(real, seed=1).sample(ROWS, seed=2)
    whole = fake["said"].astype(str).str.fullmatch(r"1[0-2]\d u")
    assert ((fake["kind"] == "whole") == whole).mean() > 0.97
