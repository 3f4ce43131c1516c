"""The curator that drops repeated rows, as far as real rows repeat less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator
from synthwright.core.dataset import Dataset
from synthwright.kit.measuring.repeats import Gone, compared, excess, expected_repeats
from synthwright.kit.rows import rank_in_group

DUPLICATE = "duplicate"


class Duplicates(Curator):
    """Drops rows that repeat another row, as far as they are more than real rows of the same number would be.

    Real tables repeat too. Rows are compared by the columns that are modelled: keys, references, texts and personal
    data are made anew and tell nothing. Of the repetitions those go first that the real rows have least often. Without
    real rows nothing can be called too much, and nothing goes.
    """

    name: ClassVar[str] = "duplicates"
    reads_real: ClassVar[bool] = True
    reasons: ClassVar[dict[str, str]] = {
        DUPLICATE: "The row repeats an earlier row, and rows repeat more often than real ones do.",
    }

    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE) -> Gone:
        """Find the rows that repeat others, and how many of them real rows would have."""
        gone = {}
        for table, _, rows, hashes, real in compared(data, evidence):
            again = rank_in_group(hashes, rows) > 0
            stay = int(again[: settled.get(table, 0)].sum())
            again[: settled.get(table, 0)] = False
            allowed = expected_repeats(real, len(rows)) - stay
            seed = int(ctx.at(table).rng.integers(2**63))
            gone[table] = excess(rows[again], hashes[again], real, allowed, seed)
        return Gone(DUPLICATE, gone)
