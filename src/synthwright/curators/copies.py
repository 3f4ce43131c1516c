"""The curator that drops copies of real rows, as far as fresh real rows would repeat them less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator
from synthwright.core.dataset import Dataset
from synthwright.kit.measuring.repeats import Gone, allowed_copies, compared, excess, share_by_chance, share_met_again
from synthwright.kit.rows import in_set

COPY = "copy-of-training-row"


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

    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE) -> Gone:
        """Find the rows that equal real ones, and how many of them fresh real rows would."""
        gone = {}
        for table, columns, rows, hashes, real in compared(data, evidence):
            copied = in_set(hashes, real)
            chance = share_by_chance(data.tables[table], columns, real, ctx.at(table, "chance").rng)
            stay = int(copied[: settled.get(table, 0)].sum())
            share = max(share_met_again(real), chance)
            allowed = allowed_copies(share, len(real), int((~copied).sum())) - stay
            copied[: settled.get(table, 0)] = False
            seed = int(ctx.at(table).rng.integers(2**63))
            gone[table] = excess(rows[copied], hashes[copied], real, allowed, seed)
        return Gone(COPY, gone)
