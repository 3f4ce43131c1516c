"""Whether synthetic rows are copies of held-out rows, which no generator may have seen."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.natural import Seen, judged
from synthwright.kit.measuring.stats import wilson
from synthwright.kit.rows import in_set, row_hashes
from synthwright.metrics.comparing import Finding, produced, scores, unmade, without


class HoldoutCopies(Metric):
    """Share of synthetic rows that equal a held-out row in every modelled column that was produced.

    Whoever has seen the held-out rows can pass any test on them: then nothing is proven. The reference is the share of
    training rows that equal a held-out row; chance is Fisher's exact test; the interval is Wilson's. All rows are
    looked at.
    """

    name: ClassVar[str] = "holdout-copies"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "A generator that learned from held-out rows without repeating one is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None or case.holdout is None:
            return without(self, "it needs training rows and held-out rows")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for table in case.schema.tables:
            columns = produced(case, table)
            train, unseen, made = (d.tables[table] for d in (case.train, case.holdout, case.synthetic))
            if not columns or not min(train.num_rows, unseen.num_rows, made.num_rows):
                continue
            known = row_hashes(unseen, columns)
            natural = Seen(float(in_set(row_hashes(train, columns), known).sum()), float(train.num_rows))
            found = judged(int(in_set(row_hashes(made, columns), known).sum()), made.num_rows, natural)
            estimate = wilson(found.counted, found.rows)
            tables[table] = Finding(table, estimate, found.reference, chance=found.chance)
            rows.append(made.num_rows)
        if not tables:
            return without(self, "no table has training, held-out and synthetic rows to compare")
        return scores(self, tables, [], max(rows), share=True)
