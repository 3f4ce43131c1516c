"""Marginals chosen one after the other by what they tell: formal privacy, closer to the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Setting

from synthwright.kit.private.recipe import Marginal

if TYPE_CHECKING:
    from synthwright.kit.private.release import Sheet

_CELL = 8
"""Bytes of a cell."""


class Aim(Marginal):
    """Makes rows from noisy marginals, each chosen as what the others tell least of: differential privacy.

    After McKenna, Mullins, Sheldon and Miklau (2022), AIM: an adaptive and iterative mechanism, arXiv 2201.12677.
    Columns of many cells are measured in blocks of cells first, where noise in each cell would drown what they tell.
    Closer to the real rows than `mst`, and slower. Needs the extra `privacy`, and a budget: `budget: {epsilon: 1}`.
    """

    name: ClassVar[str] = "aim"
    version: ClassVar[int] = 2

    degree: int = Setting(default=2, ge=2, le=3)
    """How many columns marginals have that are to come out right, at most."""
    size: float = Setting(default=8.0, gt=0, le=10_000)
    """Megabytes that the model may take; more lets it keep more relations, and takes longer."""

    def method(self, sheet: Sheet) -> None:
        from synthwright.kit.private.aim import Adaptive

        Adaptive(self.degree, self.size * 2**20 / _CELL)(sheet)
