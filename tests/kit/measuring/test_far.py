"""Values far out are told by how long the tails are."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.kit.measuring.far import REACH, Far, far, left_out


def test_ends_by_hand() -> None:
    """Beyond an end by three times the way from there to the outer twentieth."""
    known = np.concatenate([np.arange(40.0), [50.0]])
    ends = far(known)
    assert ends == Far(0 - REACH * 2, 50 + REACH * (50 - 38))
    assert ends.beyond(np.array([-6.0, -6.1, 86.0, 86.1, np.nan, 20.0])).tolist() == [False, True] * 2 + [False] * 2


def test_what_is_left_out_is_held_to_the_others() -> None:
    """A training value counts where the others would call it far out."""
    rng = np.random.default_rng(1)
    for values in (np.r_[np.arange(40.0), 1e6], np.r_[-1e6, np.arange(40.0)], rng.normal(size=60), np.full(9, 2.0)):
        known = np.sort(values)
        expected = [bool(far(np.delete(known, i)).beyond(known[i : i + 1])[0]) for i in range(len(known))]
        assert left_out(known).tolist() == expected
    assert left_out(np.array([1.0])).tolist() == [False]


@pytest.mark.parametrize("known", [[], [np.inf, np.inf], [-np.inf, 1.0, np.inf]])
def test_nothing_is_beyond_nothing(known: list[float]) -> None:
    """Without values, and beyond infinity, nothing is far out."""
    assert not far(np.array(known)).beyond(np.array([1e300, np.inf, np.nan])).any()
