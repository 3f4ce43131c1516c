"""The curator that drops repeated rows, as far as real rows repeat less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.kit.repeats import excess, expected_repeats, modelled
from synthwright.kit.rows import rank_in_group, row_hashes

DUPLICATE = "duplicate"


@dataclass(frozen=True)
class DuplicatesJudge(Judge):
    """Knows the numbers of the rows that go."""

    gone: Mapping[str, np.ndarray]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that was compared."""
        return [Verdict.of(t, np.isin(data.row_numbers(t), gone), DUPLICATE) for t, gone in self.gone.items()]


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

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> DuplicatesJudge:
        """Find the rows that repeat others, and how many of them real rows would have."""
        gone = {}
        for table in data.tables if evidence is not None else ():
            columns = [c for c in modelled(data, table) if evidence is not None and evidence.has(f"{table}.{c}")]
            if not columns or evidence is None:
                continue
            hashes, row = row_hashes(data.tables[table], columns), data.row_numbers(table)
            real = row_hashes(evidence.tables[table], columns)
            again = rank_in_group(hashes, row) > 0
            stay = int(again[: settled.get(table, 0)].sum())
            again[: settled.get(table, 0)] = False
            allowed = expected_repeats(real, len(row)) - stay
            seed = int(ctx.at(table).rng.integers(2**63))
            gone[table] = excess(row[again], hashes[again], real, allowed, seed)
        return DuplicatesJudge(gone)
