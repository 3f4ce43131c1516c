"""Where dates and times lie in the calendar and the clock, and what chance does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.cycles import Cycle, cycles, overlap

INSTANT, DAY, TIME = (Field(kind=k) for k in (Kind.DATETIME, Kind.DATE, Kind.TIME))


def test_places_as_by_hand() -> None:
    """Every place is what Python's calendar says, before 1970 too."""
    rng = np.random.default_rng(1)
    seconds = np.concatenate([[0, -1, 951_782_400], rng.integers(-3 * 10**9, 3 * 10**9, 200)]).astype(np.float64)
    found = {c.said: c for c in cycles([seconds * 1e6], INSTANT, 1e6, 5)}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    instants = [epoch + timedelta(seconds=s) for s in seconds.tolist()]
    assert found["week days"].places[0].tolist() == [i.weekday() for i in instants]
    assert found["days of the month"].places[0].tolist() == [i.day - 1 for i in instants]
    assert found["months"].places[0].tolist() == [i.month - 1 for i in instants]
    assert found["hours"].places[0].tolist() == [i.hour for i in instants]
    assert found["minutes"].places[0].tolist() == [i.minute for i in instants]
    assert all(p.min() >= 0 and p.max() < c.size for c in found.values() for p in c.places)


@pytest.mark.parametrize(
    ("field", "values", "per_second", "expected"),
    [
        (DAY, np.arange(20.0), None, set()),
        (DAY, np.arange(60.0), None, {"week days"}),
        (DAY, np.arange(1_000.0), None, {"week days", "days of the month", "months"}),
        (TIME, np.arange(0, 86_400.0), 1.0, {"minutes"}),
        (INSTANT, np.arange(0, 8 * 86_400.0, 600), 1.0, {"hours", "minutes"}),
        (Field(kind=Kind.DURATION), np.arange(0, 8e8, 1e5), 1.0, set()),
        (Field(kind=Kind.INTEGER), np.arange(1_000.0), None, set()),
    ],
)
def test_only_what_comes_again_often(field: Field, values: np.ndarray, per_second: float, expected: set[str]) -> None:
    """A cycle counts where values span it several times, and only for columns of times."""
    assert {c.said for c in cycles([values], field, per_second, 5)} == expected


def test_overlap_of_what_is_alike() -> None:
    """Samples of one population fall behind by no more than is allowed, whatever their sizes; others do."""
    for rows in ((1_600, 800, 1_600), (1_600, 40, 5_000), (200, 2_000, 100)):
        over = 0
        for seed in range(100):
            rng = np.random.default_rng(seed)
            shares = rng.dirichlet(np.ones(12))
            cycle = Cycle("months", 12, [rng.choice(12, n, p=shares) for n in rows])
            found = overlap(cycle, rng)
            over += found.real - found.synthetic > found.allowed(10)
        assert not over
    rng = np.random.default_rng(0)
    moved = Cycle("week days", 7, [rng.integers(0, 5, 1_600), rng.integers(0, 5, 800), rng.integers(1, 6, 1_600)])
    found = overlap(moved, rng)
    assert found.real == pytest.approx(0.97, abs=0.03)
    assert found.synthetic == pytest.approx(0.79, abs=0.03)
    assert found.real - found.synthetic > found.allowed(100)
