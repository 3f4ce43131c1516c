"""Whether synthetic rows reach every place where real rows are."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.manifold import around, most_rows
from synthwright.kit.measuring.stats import wilson
from synthwright.metrics.comparing import Finding, Trio, draw, label, scores, trios, unmade, without

_FEWEST = 50
"""Rows of every sample below which nothing is measured."""
_EXCHANGES = 200
"""How often rows change samples, to learn what chance does."""


class Recall(Metric):
    """Share of held-out rows that have a synthetic row near them: 1 all.

    Near is no farther than the fifth nearest other held-out row. (It is the coverage of Naeem et al., Reliable fidelity
    and diversity metrics for generative models, ICML 2020.) The distance is Gower's with ranks in the place of ranges,
    over the modelled columns. The reference is the same share with as many training rows in the place of synthetic
    ones. The interval is Wilson's; the allowance for chance comes from exchanging synthetic and training rows at
    random.
    """

    name: ClassVar[str] = "recall"
    group: ClassVar[Literal["diversity"]] = "diversity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "One synthetic row is enough for a place: whether there are as many as there should be is not seen."
    )

    neighbours: int = Setting(default=5, ge=1, le=100)
    """How many other held-out rows are as near: fewer ask for synthetic rows that are nearer."""
    rows: int = Setting(default=5_000, ge=50, le=20_000)
    """Rows of each sample that are looked at, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        found = trios(case, ctx)
        if lacking := [label(t.table, c) for t in found for c in t.missing]:
            said = f"the synthetic table lacks {len(lacking)} columns, or holds them in another type"
            return without(self, f"{said}, first {lacking[0]}", "failed")
        ready = [t for t in found if t.smallest >= _FEWEST]
        if not ready:
            return without(self, f"too few rows: each side needs at least {_FEWEST}")
        tables = {t.table: self._table(t, ctx.at(t.table)) for t in ready}
        return scores(self, tables, [], min(self.rows, *(t.smallest for t in ready)))

    def _table(self, trio: Trio, ctx: Context) -> Finding:
        most = most_rows(len(trio.fields), self.rows)
        held = enumerate((trio.real, trio.synthetic, trio.second))
        real, synthetic, second = (draw(table, most, ctx.at("rows", i)) for i, table in held)
        found = around(real, (synthetic, second), dict(trio.fields), self.neighbours)
        reached, other = ((rows > 0) for rows in found.rows)
        error = found.exchanged(synthetic.num_rows, _EXCHANGES, ctx.at("exchanges").rng)
        note = f"measured on {most:,} random rows of each side" if trio.smallest > most else ""
        return Finding(trio.table, wilson(float(reached.sum()), len(reached)), float(other.mean()), note,
                       allowance(error))  # fmt: skip
