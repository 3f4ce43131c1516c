"""What several measurements cost together: the better of two bounds, both of which hold."""

from __future__ import annotations

import math

import pytest

from synthwright.core.spend import Spend, epsilon_at, rho_at, together


@pytest.mark.parametrize("rho", [1e-6, 0.01, 0.5, 20.0])
@pytest.mark.parametrize("delta", [1e-12, 1e-6, 1e-2])
def test_conversion_is_a_bound_and_near_the_best(rho: float, delta: float) -> None:
    """Never above the textbook's, and what another program says, where it is installed."""
    found = epsilon_at(rho=rho, delta=delta)
    assert found <= rho + 2 * math.sqrt(rho * math.log(1 / delta))
    assert found >= epsilon_at(rho=rho, delta=delta * 1.01)
    accounting = pytest.importorskip("synthwright.kit.private.accounting")
    pytest.importorskip("opendp")
    assert found == pytest.approx(accounting.epsilon_of(rho=rho, delta=delta), rel=1e-9, abs=1e-12)


def test_conversion_is_undone() -> None:
    """The most rho that an epsilon pays for; none without delta."""
    rho = rho_at(epsilon=1.0, delta=1e-9)
    assert 1 - 1e-9 < epsilon_at(rho=rho, delta=1e-9) <= 1.0
    assert epsilon_at(rho=rho, delta=0.0) == math.inf
    assert rho_at(epsilon=1.0, delta=0.0) == 0.0
    assert epsilon_at(rho=0.0, delta=1e-9) == 0.0


def test_ten_concentrated_measurements_cost_less_than_their_sum() -> None:
    """About as the root of their number; chances that labels are named come off delta."""
    one = Spend(1.0, 1e-9, rho=rho_at(epsilon=1.0, delta=0.9e-9), chance=1e-10)
    whole = together([one] * 10, 1e-8)
    assert 3.0 < whole.epsilon < 4.0
    assert whole.epsilon == epsilon_at(rho=10 * (one.rho or 0), delta=1e-8 - 1e-9)
    assert whole.delta == 1e-8
    assert whole.chance == pytest.approx(1e-9)
    assert together([one], 1e-9)[:2] == one[:2]  # nothing is lost on a single one


def test_one_that_is_not_concentrated_is_added() -> None:
    """Then epsilons and deltas add up, whatever the others are."""
    one = Spend(1.0, 1e-9, rho=0.01)
    assert together([one, one, Spend(0.5, 0.0)], 1e-6)[:2] == (2.5, 2e-9)
    assert together([], 1e-9)[:2] == (0.0, 0.0)


def test_what_was_written_is_read_back() -> None:
    """Also from files that had fewer words; neighbours are told in words."""
    for spend in (Spend(1.0, 1e-9), Spend(1.0, 1e-9, "visits.patient", 5, 0.01, 1e-10)):
        assert Spend.of(list(spend)) == spend
    assert Spend.of([1, 0, "row"]) == Spend(1.0)
    assert Spend(1.0).neighbours == "adding or removing one row"
    assert Spend(1.0, 0.0, "visits.patient", 5).neighbours == (
        "adding or removing all rows of one visits.patient, at most 5 of them counted"
    )
