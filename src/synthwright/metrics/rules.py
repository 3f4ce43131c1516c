"""Whether synthetic rows keep the rules."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.kit.measuring.chance import excess
from synthwright.kit.measuring.stats import Estimate, wilson
from synthwright.metrics.comparing import Finding, scores, without

_UNFIT = "it is no rule, or it does not fit the columns of the synthetic table"


class Rules(Metric):
    """Share of synthetic rows in which every rule holds: 1 all.

    Each rule has a score too. All rows are looked at. The reference is the same share of held-out rows (training rows
    where there are no others): less than 1 where real rows break a rule that was written down. Intervals are Wilson's.
    """

    name: ClassVar[str] = "rules"
    group: ClassVar[Literal["integrity"]] = "integrity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "What nobody wrote down as a rule is not checked."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if not case.rules:
            return without(self, "no rules are stated")
        real = next((d for d in (case.holdout, case.train) if d is not None and d.rows()), None)
        several = len(case.schema.tables) > 1
        tables, parts, rows = {}, [], []
        failed: list[Score] = []
        for table in case.schema.tables:
            texts = list(dict.fromkeys(rule.rule for t, rule in case.rules if t == table))
            if not texts or not case.synthetic.rows(table):
                continue
            names = {text: f"{table}: {text}" if several else text for text in texts}
            kept, broken = _held(case.synthetic, table, texts)
            failed += [Score(self.name, names[text], status="failed", problem=_UNFIT) for text in broken]
            if broken:
                continue
            second = _held(real, table, texts)[0] if real is not None and real.rows(table) else {}
            whole = np.all(list(kept.values()), axis=0)
            every = float(np.all(list(second.values()), axis=0).mean()) if len(second) == len(texts) else None
            tables[table] = Finding(table, _share(whole), every, chance=_chance(every, second, len(whole), 1))
            parts += [Finding(names[text], _share(k), float(second[text].mean()) if text in second else None,
                              chance=_chance(0.0, {text: second[text]}, len(k), len(texts)) if text in second else None)
                      for text, k in kept.items()]  # fmt: skip
            rows.append(len(whole))
        if failed:
            return [*without(self, f"incomplete: {len(failed)} rules could not be checked", "failed"), *failed]
        if not tables:
            return without(self, "no table with rules has rows")
        return scores(self, tables, parts, max(rows), share=True)


def _share(kept: np.ndarray) -> Estimate:
    return wilson(float(kept.sum()), len(kept))


def _chance(known: float | None, second: dict[str, np.ndarray], rows: int, parts: int) -> float | None:
    """Return how many more rows may break rules by chance than real rows do, as a share; None where none are known."""
    if known is None:
        return None
    broken = ~np.all(list(second.values()), axis=0)
    return excess(int(broken.sum()), len(broken), rows, parts)


def _held(data: Dataset, table: str, texts: list[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return for each rule the rows in which it holds, and the rules that do not fit the data."""
    from synthwright.kit.constraints.expressions import holds  # late: it brings polars

    held: dict[str, np.ndarray] = {}
    broken = []
    for text in texts:
        try:
            held[text] = holds(data.tables[table], text, data.schema.tables[table])
        except InputError:  # it is no rule, or names what the table lacks: told as a failure of this rule
            broken.append(text)
    return held, broken
