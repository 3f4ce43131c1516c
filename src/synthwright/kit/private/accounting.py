"""What measurements cost together, in the currency of concentrated privacy, and what that is as epsilon and delta."""

from __future__ import annotations

import math
from functools import cache

from synthwright.core.errors import FitError
from synthwright.core.spend import ROW, Spend

RESERVE = 1e-9
"""The share of a budget that is not planned: what rounding may take (OpenDP's own MST has failed by 1e-19)."""
NAMING = 0.1
"""The share of delta for naming labels, where some are to be found."""
_STEPS = 40


class Purse:
    """What may be spent, and what was: paid before noise is drawn, and never beyond.

    Costs of measurements that are chosen one after the other add up (zero-concentrated privacy; Whitehouse et al.
    2023, arXiv 2203.05481), and so do the chances that a rare label is named.
    """

    def __init__(self, *, budget: Spend, named: int = 0, owner: str) -> None:
        """Open a purse.

        Args:
            budget: what may be spent.
            named: how many columns have labels that are to be found: a part of delta is for them.
            owner: who speaks in errors.
        """
        _check(budget, owner)
        self.owner, self.budget, self.rehearsing = owner, budget, False
        self.rows = budget.rows
        """How many rows of one unit count, at most: by so many rows neighbours differ."""
        self.chance = NAMING * budget.delta / named if named else 0.0
        """The chance with which a rare label of one column may be named."""
        self._rest = (1 - NAMING) * budget.delta if named else budget.delta
        self.rho = rho_for(epsilon=budget.epsilon, delta=self._rest)
        self._costs: list[float] = []
        self._chances: list[float] = []

    @property
    def plannable(self) -> float:
        """What plans may share out."""
        return self.rho * (1 - RESERVE)

    @property
    def left(self) -> float:
        """What is left to plan."""
        return max(self.plannable - math.fsum(self._costs), 0.0)

    def pay(self, rho: float, *, delta: float = 0.0) -> None:
        """Take out what a measurement costs.

        Raises:
            FitError: it is more than there is; nothing was drawn.
        """
        together = math.fsum([*self._costs, rho])
        if not together <= self.rho or not math.fsum([*self._chances, delta]) <= self.budget.delta - self._rest:
            raise FitError(self.owner, "a measurement", wanted="one within the privacy budget", got="one beyond it",
                           remedy="nothing of it was drawn; report this")  # fmt: skip
        self._costs.append(rho)
        self._chances.append(delta)

    def rehearsal(self) -> Purse:
        """Return a purse of the same contents with which plans are tried: nothing is drawn, and no row is looked at."""
        other = Purse.__new__(Purse)
        other.__dict__ = {**self.__dict__, "_costs": list(self._costs), "_chances": list(self._chances),
                          "rehearsing": True}  # fmt: skip
        return other

    def spend(self) -> Spend:
        """Return what was spent, never more than the budget."""
        rho = math.fsum(self._costs)
        delta = self._rest + math.fsum(self._chances)
        unit, rows = self.budget.unit, self.rows
        if not rho:
            return Spend(0.0, 0.0, unit, rows, 0.0)
        rho = math.nextafter(rho, math.inf)
        epsilon = epsilon_of(rho=rho, delta=self._rest)
        return Spend(min(epsilon, self.budget.epsilon), min(delta, self.budget.delta), unit, rows, min(rho, self.rho),
                     math.fsum(self._chances))  # fmt: skip

    def most(self) -> Spend:
        """Return what may be spent, as concentrated privacy too: it adds up to less with other measurements."""
        return self.budget._replace(rho=self.rho, chance=self.budget.delta - self._rest)


@cache
def rho_for(*, epsilon: float, delta: float) -> float:
    """Return the most of concentrated privacy that stays within epsilon and delta."""
    low, high = 0.0, epsilon
    while epsilon_of(rho=high, delta=delta) <= epsilon:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if epsilon_of(rho=middle, delta=delta) <= epsilon else (low, middle)
    return low


@cache
def epsilon_of(*, rho: float, delta: float) -> float:
    """Return the epsilon at a delta that concentrated privacy implies, by OpenDP's conversion."""
    from synthwright.kit.private.noise import library

    if rho <= 0:
        return 0.0
    dp = library()
    scale = 1 / math.sqrt(2 * rho)
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="i64")
    made = dp.m.make_gaussian(*space, scale=scale)
    while made.map(1) < rho:
        scale *= 1 - 1e-12
        made = dp.m.make_gaussian(*space, scale=scale)
    return float(dp.c.make_zCDP_to_approxDP(made).map(1).epsilon(delta))


def _check(budget: Spend, owner: str) -> None:
    if not 0 < budget.epsilon < math.inf:
        raise FitError(owner, "epsilon", wanted="a finite number above 0", got=f"{budget.epsilon:g}",
                       remedy="give the part a budget: {epsilon: 1, delta: 1.0e-9}")  # fmt: skip
    if not 0 < budget.delta < 1:
        raise FitError(owner, "delta", wanted="a number between 0 and 1", got=f"{budget.delta:g}",
                       remedy="give the budget one, far below one by the number of rows: "
                              "{epsilon: 1, delta: 1.0e-9}")  # fmt: skip
    if budget.rows < 1 or (budget.unit == ROW and budget.rows != 1):
        raise FitError(owner, "the unit of the budget", wanted=f"a row, or at most so many rows of one {budget.unit}",
                       got=f"{budget.rows} rows", remedy="say how many rows of one count: {unit: people.id, rows: 5}",
                       )  # fmt: skip
