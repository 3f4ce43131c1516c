"""What a privacy budget is, what several cost together, and what may be measured of real rows under one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

INFINITE = float("inf")
ROW = "row"
"""The unit of a budget that protects single rows."""
_ORDERS = 12.0
"""How far from a first guess orders are looked at, as a logarithm."""
_STEPS = 80
_ROUNDING = 1e-12
"""By which what was computed is raised, so that rounding is never to the good."""


class Spend(NamedTuple):
    """What a model cost in privacy: infinite epsilon means no formal guarantee.

    (epsilon, delta)-differential privacy (Dwork and Roth 2014, definition 2.4) under adding or removing one unit.
    """

    epsilon: float = INFINITE
    delta: float = 0.0
    unit: str = ROW
    """Whose presence it hides: `row`, or the column whose rows belong together (`table.column`)."""
    rows: int = 1
    """How many rows of one unit count, at most; the others are left out before anything is measured."""
    rho: float | None = None
    """What it cost as zero-concentrated privacy (Bun and Steinke 2016), which adds up to less; nothing: not known."""
    chance: float = 0.0
    """The part of delta that is beside rho: with this chance rare labels are named."""

    @staticmethod
    def of(said: Sequence[Any]) -> Spend:
        """Return what was written down, with fewer words in older files; a ValueError or TypeError where it is none."""
        epsilon, delta, unit, *more = said
        defaults: list[Any] = [1, None, 0.0]
        rows, rho, chance = more + defaults[len(more) :]
        return Spend(float(epsilon), float(delta), str(unit), int(rows), None if rho is None else float(rho),
                     float(chance))  # fmt: skip

    @property
    def neighbours(self) -> str:
        """By what neighbours differ, in words."""
        if self.unit == ROW:
            return "adding or removing one row"
        counted = f"{self.rows} of them" if self.rows > 1 else "one of them"
        return f"adding or removing all rows of one {self.unit}, at most {counted} counted"


class Release(NamedTuple):
    """What was measured of real rows, with noise: all that a private model may ever know of them.

    It is measured once and stored. Whatever is computed from it costs nothing more.
    """

    head: Mapping[str, Any]
    """What JSON can hold: the domains, which marginals were measured, how much noise each got."""
    arrays: Mapping[str, np.ndarray]
    """The noisy numbers, by name."""
    spend: Spend


def together(spends: Sequence[Spend], delta: float) -> Spend:
    """Return what several measurements of the same rows cost together: the better of two bounds, both of which hold.

    - Epsilons and deltas add up (Dwork and Roth 2014, theorem 3.16).
    - Where each has a rho, these add up, and so do the chances beside them (Bun and Steinke 2016, lemma 8.2); the sum
      is converted once, at what the chances leave of `delta`.

    Args:
        spends: what each cost.
        delta: the delta at which epsilon is wanted.
    """
    each = [s for s in spends if s.epsilon]
    unit, rows = (each[0].unit, max(s.rows for s in each)) if each else (ROW, 1)
    added = Spend(math.fsum(s.epsilon for s in each), math.fsum(s.delta for s in each), unit, rows)
    if not each or any(s.rho is None for s in each):
        return added
    rho, chance = math.fsum(s.rho or 0.0 for s in each), math.fsum(s.chance for s in each)
    added = added._replace(rho=rho, chance=chance)
    least = epsilon_at(rho=rho, delta=delta - chance)
    better = least < INFINITE and (added.delta > delta or least < added.epsilon)
    return added._replace(epsilon=least, delta=delta) if better else added


def epsilon_at(*, rho: float, delta: float) -> float:
    """Return the epsilon at a delta that zero-concentrated privacy implies.

    Canonne, Kamath and Steinke (2020, arXiv 2004.00010), proposition 12, at the best order: the least, over alpha > 1,
    of rho alpha + ln(1 / (alpha delta)) / (alpha - 1) + ln(1 - 1 / alpha). Every order gives a bound that holds.
    """
    if rho <= 0:
        return 0.0
    if not delta > 0 or not math.isfinite(rho):
        return INFINITE

    def bound(order: float) -> float:
        above = math.exp(order)  # alpha - 1
        alpha = 1 + above
        return rho * alpha - (math.log(alpha) + math.log(delta)) / above + math.log(above) - math.log1p(above)

    middle = math.log(max(-math.log(min(delta, 0.5)), 0.1) / rho) / 2
    low, high, golden = middle - _ORDERS, middle + _ORDERS, (5**0.5 - 1) / 2
    best = bound(middle)
    for _ in range(_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        one, other = bound(left), bound(right)
        best = min(best, one, other)
        low, high = (low, right) if one < other else (left, high)
    return max(best * (1 + _ROUNDING), 0.0)


def rho_at(*, epsilon: float, delta: float) -> float:
    """Return the most of zero-concentrated privacy that stays within epsilon and delta."""
    low, high = 0.0, max(epsilon, 0.0)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_at(rho=middle, delta=delta) <= epsilon else (low, middle)
    return low
