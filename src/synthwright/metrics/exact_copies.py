"""Whether synthetic rows are copies of training rows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.repeats import share_by_chance, share_met_again
from synthwright.kit.rows import in_set, row_hashes
from synthwright.kit.stats import Estimate, wilson
from synthwright.metrics.comparing import Finding, produced, scores, unmade, without

ENOUGH = 1000
"""Held-out rows that tell a share well enough on their own: to about three hundredths."""


class ExactCopies(Metric):
    """Share of synthetic rows that equal a training row in every modelled column that was produced.

    All rows are looked at. The reference is the share of held-out rows that equal a training row: real tables repeat
    rows too, more so the fewer columns they have. Fewer than a thousand held-out rows tell that share too vaguely, so
    the training rows that have a twin among the training rows are counted in. Without held-out rows it is the share of
    one random half of the training rows that equals a row of the other half. Where few values are possible rows meet
    by chance, so the reference is at least the share of synthetic rows that equal a training row after every column
    was shuffled on its own: shuffled rows copy nobody. The interval is Wilson's.
    """

    name: ClassVar[str] = "exact-copies"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "A copy with one value changed is no exact copy, and columns made anew are not compared."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for table in case.schema.tables:
            columns = produced(case, table)
            synthetic, train = case.synthetic.tables[table], case.train.tables[table]
            if not columns or not synthetic.num_rows or not train.num_rows:
                continue
            known = row_hashes(train, columns)
            value = _copies(row_hashes(synthetic, columns), known)
            unseen = None if case.holdout is None else case.holdout.tables[table]
            if unseen is not None and unseen.num_rows:
                second = _copies(row_hashes(unseen, columns), known).value
                if unseen.num_rows < ENOUGH:
                    seen = share_met_again(known) * len(known)
                    second = (second * unseen.num_rows + seen) / (unseen.num_rows + len(known))
            else:
                mixed = ctx.at(table, "halves").rng.permutation(known)
                second = _copies(mixed[len(mixed) // 2 :], mixed[: len(mixed) // 2]).value
            lone = len(case.schema.tables[table].fields) == 1  # its values say nothing of rows
            chance = 1.0 if lone else share_by_chance(synthetic, columns, known, ctx.at(table, "chance").rng)
            tables[table] = Finding(table, value, max(second, chance))
            rows.append(synthetic.num_rows)
        if not tables:
            return without(self, "no table has produced columns that are modelled from real rows")
        return scores(self, tables, [], max(rows), share=True)


def _copies(rows: np.ndarray, known: np.ndarray) -> Estimate:
    return wilson(float(in_set(rows, known).sum()), len(rows))
