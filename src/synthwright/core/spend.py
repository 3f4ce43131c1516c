"""What a privacy budget is, and what may be measured of real rows under one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

INFINITE = float("inf")


class Spend(NamedTuple):
    """What a model cost in privacy: infinite epsilon means no formal guarantee.

    (epsilon, delta)-differential privacy (Dwork and Roth 2014, definition 2.4) under adding or removing one unit.
    """

    epsilon: float = INFINITE
    delta: float = 0.0
    unit: str = "row"
    """Whose presence it hides: `row`, or the column whose rows belong together (`table.column`)."""


class Release(NamedTuple):
    """What was measured of real rows, with noise: all that a private model may ever know of them.

    It is measured once and stored. Whatever is computed from it costs nothing more.
    """

    head: Mapping[str, Any]
    """What JSON can hold: the domains, which marginals were measured, how much noise each got."""
    arrays: Mapping[str, np.ndarray]
    """The noisy numbers, by name."""
    spend: Spend
