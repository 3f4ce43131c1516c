"""Whether all rows that were asked for are there."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.stats import Estimate
from synthwright.metrics.comparing import Finding, scores, without


class Rows(Metric):
    """Rows that stayed after curation, as a share of those asked for: 1 all (more count as all).

    An exact number: its interval is the number itself, and the reference is 1.
    """

    name: ClassVar[str] = "rows"
    group: ClassVar[Literal["integrity"]] = "integrity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It counts rows: whether those that went were of one kind is in the table of reasons."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        asked = {t: n for t, n in (case.asked or {}).items() if n > 0 and t in case.schema.tables}
        if not asked:
            return without(self, "it is not known how many rows were asked for")
        shares = {t: min(case.synthetic.rows(t) / n, 1.0) for t, n in asked.items()}
        tables = {t: Finding(t, Estimate(share, share, share), 1.0) for t, share in shares.items()}
        return scores(self, tables, [], max(asked.values()), share=True)
