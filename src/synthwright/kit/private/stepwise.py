"""What many noisy steps cost, each on rows drawn by chance: the accounting of training by noisy gradients.

Every step adds Gaussian noise to a sum in which no row counts more than 1, over rows that are each drawn with the same
chance. The cost of all steps together is read off the distribution of the privacy loss (Koskela et al. 2020, arXiv
1906.03049; Doroshenko et al. 2022, arXiv 2207.04380), as the library `dp-accounting` computes it: rounded up.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from synthwright.core.errors import FitError

_GRID = 5e-4
"""How finely privacy losses are told apart; whatever lies between counts as the larger."""
_MOST = 2.0**14
_ROUNDS = 24
_TIGHT = 1.001
"""By how much noise may exceed what is needed."""


class Steps(NamedTuple):
    """How real rows are looked at."""

    share: float
    """The chance with which a row is in a batch."""
    many: int
    """How many batches there are."""


@cache
def noise_for(*, epsilon: float, delta: float, steps: Steps, owner: str) -> float:
    """Return how much noise keeps the budget: standard deviations, in what one row counts at most.

    Nothing but the budget and the steps decides it: no row is looked at.

    Raises:
        FitError: no noise would do.
    """
    low, high = 2.0**-6, _MOST
    if epsilon_of(noise=high, delta=delta, steps=steps) > epsilon:
        raise FitError(owner, "the budget", wanted="an epsilon that so many steps can keep", got=f"{epsilon:g}",
                       remedy="raise epsilon, or lower 'steps'")  # fmt: skip
    while high / 2 > low and epsilon_of(noise=high / 2, delta=delta, steps=steps) <= epsilon:
        high /= 2
    low = high / 2
    for _ in range(_ROUNDS):
        if high <= low * _TIGHT:
            break
        middle = (low * high) ** 0.5
        low, high = (low, middle) if epsilon_of(noise=middle, delta=delta, steps=steps) <= epsilon else (middle, high)
    return high


@cache
def epsilon_of(*, noise: float, delta: float, steps: Steps) -> float:
    """Return the epsilon at a delta that steps with so much noise cost together, rounded up."""
    import dp_accounting as dp
    from dp_accounting.pld import PLDAccountant

    accountant = PLDAccountant(dp.NeighboringRelation.ADD_OR_REMOVE_ONE, value_discretization_interval=_GRID)
    one = dp.PoissonSampledDpEvent(steps.share, dp.GaussianDpEvent(noise))
    accountant.compose(dp.SelfComposedDpEvent(one, steps.many))
    return float(accountant.get_epsilon(delta))
