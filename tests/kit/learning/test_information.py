"""How much one small code tells of others."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.kit.learning.information import information, informations


def test_what_codes_tell() -> None:
    """All of it, half of it, and nothing; each for itself as beside others, whatever their sizes."""
    rng = np.random.default_rng(0)
    one = rng.integers(0, 4, 20_000)
    others = np.stack([one, one // 2, rng.integers(0, 7, 20_000)])
    found = informations(one, others)
    assert found == pytest.approx([np.log(4), np.log(2), 0.0], abs=0.002)
    assert found == pytest.approx([information(one, other) for other in others], abs=1e-12)


def test_chance_tells_nothing() -> None:
    """Of few rows, codes of many kinds seem to tell much: on average that is taken off."""
    rng = np.random.default_rng(1)
    found = informations(rng.integers(0, 3, 200), rng.integers(0, 5, (500, 200)))
    assert found.mean() == pytest.approx(0.0, abs=0.003)
