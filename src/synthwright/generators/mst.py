"""Marginals of a private tree of columns: formal privacy, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from synthwright.kit.private.recipe import Marginal

if TYPE_CHECKING:
    from synthwright.kit.private.release import Sheet


class Mst(Marginal):
    """Makes rows from noisy marginals of a tree of columns, with a formal guarantee: differential privacy.

    After McKenna, Miklau and Sheldon (2021), Winning the NIST contest, arXiv 2108.04978. Every column is measured by
    itself, then pairs that connect all columns, chosen privately. The fastest of the private ones; relations of more
    than two columns follow from the pairs. Needs the extra `privacy`, and a budget: `budget: {epsilon: 1}`.
    """

    name: ClassVar[str] = "mst"
    version: ClassVar[int] = 2

    def method(self, sheet: Sheet) -> None:
        from synthwright.kit.private.mst import tree

        tree(sheet)
