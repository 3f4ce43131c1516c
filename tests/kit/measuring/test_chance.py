"""What chance is allowed to do is what it does, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.kit.measuring.chance import LEVEL, allowance, difference, excess


def test_allowance_is_a_quantile() -> None:
    """A normal score exceeds its allowance as often as the level says; shared among parts, less often."""
    from scipy.stats import norm

    assert norm.sf(allowance(1.0)) == pytest.approx(LEVEL)
    assert 10 * norm.sf(allowance(1.0, 10)) == pytest.approx(LEVEL)
    assert allowance(2.0) == pytest.approx(2 * allowance(1.0))
    assert difference((3.0, 4.0)) == pytest.approx(allowance(5.0))


@given(st.integers(0, 50), st.integers(1, 300), st.integers(1, 300))
def test_excess_is_fishers(hits: int, trials: int, among: int) -> None:
    """One hit more than allowed is rarer than the level; what is allowed is not."""
    from scipy.stats import hypergeom

    hits = min(hits, trials)
    most = round((excess(hits, trials, among) + hits / trials) * among, 6)
    for count in {int(most) + 1, int(most)}:
        if hits / trials * among < count <= among:
            rare = hypergeom.sf(count - 1, trials + among, hits + count, among) <= LEVEL
            assert rare == (count > most)


def test_excess_refuses_nobody_by_chance() -> None:
    """Two samples with the same share of hits: the one exceeds the other by more than is allowed as good as never."""
    rng = Context(seed=1).rng
    counts = rng.binomial(800, 0.004, size=2_000), rng.binomial(1_600, 0.004, size=2_000)
    known = {h: excess(h, 800, 1_600) for h in np.unique(counts[0]).tolist()}
    over = [m / 1_600 - h / 800 > known[h] for h, m in zip(*(c.tolist() for c in counts), strict=True)]
    assert sum(over) <= 1
    assert excess(0, 4_000, 1_600) < 0.01


def test_excess_of_many_rows() -> None:
    """Beyond a few thousand rows the counts are gone through in steps, and the answer is as near."""
    assert excess(10, 50_000, 50_000) == pytest.approx(30 / 50_000, abs=15 / 50_000)
