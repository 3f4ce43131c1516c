"""Grids of floats of any size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.lattice import step_of

RNG = np.random.default_rng(2)
COUNTS = RNG.integers(-60, 60, 200)


@pytest.mark.parametrize("step", [1e300, 3e30, 1e20, 2.5e15, 50.0, 2e-9, 3e-12, 4e-30, 1e-250])
def test_steps_of_any_size_are_found(step: float) -> None:
    """Multiples are multiples, however large or small they are, though computing moves them off a little."""
    found = step_of(pa.array(COUNTS * step), pa.float64())
    assert found == pytest.approx(step, rel=1e-12)


@pytest.mark.parametrize("size", [1e300, 1e20, 1e-12, 1e-30])
def test_others_are_on_none(size: float) -> None:
    """Plain numbers of any size are on no grid, also where a few would be."""
    assert step_of(pa.array(RNG.normal(0, size, 200)), pa.float64()) is None
    assert step_of(pa.array(np.append(COUNTS * size, size * np.pi)), pa.float64()) is None


def test_made_numbers_are_on_it() -> None:
    """Made numbers are multiples, too."""
    real = pd.DataFrame({"far": COUNTS * 1e20, "near": np.abs(COUNTS) * 3e-12, "x": RNG.normal(0, 1, 200)})
    made = sw.fit(real, seed=1).sample(300, seed=2)
    for column, step in (("far", 1e20), ("near", 3e-12)):
        counts = made[column] / step
        assert np.allclose(counts, np.rint(counts), rtol=0, atol=1e-6)
        assert counts.nunique() > 20
