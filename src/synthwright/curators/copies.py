"""The curator that drops copies of real rows, as far as fresh real rows would repeat them less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.kit.repeats import allowed_copies, excess, modelled, share_by_chance, share_met_again
from synthwright.kit.rows import in_set, row_hashes

COPY = "copy-of-training-row"


@dataclass(frozen=True)
class CopiesJudge(Judge):
    """Knows the numbers of the rows that go; holds nothing of the real rows."""

    gone: Mapping[str, np.ndarray]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that was compared."""
        return [Verdict.of(t, np.isin(data.row_numbers(t), gone), COPY) for t, gone in self.gone.items()]


class Copies(Curator):
    """Drops rows that equal a real training row, as far as they are more than fresh real rows would be.

    Where few columns with few values are modelled, fresh real rows equal old ones too. How often is told from the
    training rows themselves: the share of them that has a twin; or, if that is more, the share of rows that equal a
    real one after every column was shuffled on its own. Rows are compared by the columns that are modelled:
    keys, references, texts and personal data are made anew and tell nothing. Copies of the rarest real rows go first.
    Where nine in ten fresh real rows would be copies, being one tells nothing, and no row goes.
    """

    name: ClassVar[str] = "copies"
    reads_real: ClassVar[bool] = True
    reasons: ClassVar[dict[str, str]] = {
        COPY: "The row equals a real training row, and more rows do than fresh real rows would.",
    }

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> CopiesJudge:
        """Find the rows that equal real ones, and how many of them fresh real rows would."""
        gone = {}
        for table in data.tables if evidence is not None else ():
            columns = [c for c in modelled(data, table) if evidence is not None and evidence.has(f"{table}.{c}")]
            if not columns or evidence is None:
                continue
            hashes, row = row_hashes(data.tables[table], columns), data.row_numbers(table)
            real = row_hashes(evidence.tables[table], columns)
            copied = in_set(hashes, real)
            stay = int(copied[: settled.get(table, 0)].sum())
            chance = share_by_chance(data.tables[table], columns, real, ctx.at(table, "chance").rng)
            share = max(share_met_again(real), chance)
            allowed = allowed_copies(share, len(real), int((~copied).sum())) - stay
            copied[: settled.get(table, 0)] = False
            seed = int(ctx.at(table).rng.integers(2**63))
            gone[table] = excess(row[copied], hashes[copied], real, allowed, seed)
        return CopiesJudge(gone)
