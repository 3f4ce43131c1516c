"""Whether synthetic rows are copies of training rows."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.natural import NOTHING, Seen, judged, repeated, told
from synthwright.kit.measuring.repeats import share_by_chance
from synthwright.kit.measuring.stats import wilson
from synthwright.kit.rows import in_set, row_hashes
from synthwright.metrics.comparing import Finding, produced, scores, unmade, without


class ExactCopies(Metric):
    """Share of synthetic rows that equal a training row in every modelled column that was produced.

    All rows are looked at. Real tables repeat rows too, more so the fewer columns they have. The reference is the share
    of real rows that equal a training row: held-out rows, and training rows that have a twin among the other training
    rows. The latter are as right in the mean but tell less, and where they contradict the held-out rows, as where one
    person has several training rows, the held-out rows alone count. Where few values are possible rows meet by chance,
    so the reference is at least the share of synthetic rows that equal a training row after every column was shuffled
    on its own: shuffled rows copy nobody. Chance is Fisher's exact test. The interval is Wilson's.
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
            copies = int(in_set(row_hashes(synthetic, columns), known).sum())
            unseen = None if case.holdout is None else row_hashes(case.holdout.tables[table], columns)
            held = NOTHING if unseen is None else Seen(float(in_set(unseen, known).sum()), float(len(unseen)))
            lone = len(case.schema.tables[table].fields) == 1  # its values say nothing of rows
            least = 1.0 if lone else share_by_chance(synthetic, columns, known, ctx.at(table, "chance").rng)
            parts = 2 if held.rows else 1  # with or without left-out rows: both ways to judge may err
            found = judged(copies, synthetic.num_rows, told(held, repeated(known)), parts, least)
            tables[table] = Finding(table, wilson(copies, found.rows), found.reference, chance=found.chance)
            rows.append(synthetic.num_rows)
        if not tables:
            return without(self, "no table has produced columns that are modelled from real rows")
        return scores(self, tables, [], max(rows), share=True)
