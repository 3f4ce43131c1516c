"""Whether synthetic rows give away the people who stand apart: those whose combination of values is theirs alone."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.natural import Verdict, beyond, strongest
from synthwright.kit.measuring.stats import wilson
from synthwright.metrics.comparing import Finding, draw, produced, scores, unmade, without

LEVELS = (0.0003, 0.001, 0.003, 0.01)
"""Shares of real rows above the thresholds that are tried."""
FEWEST = 3
"""Training rows below which nobody can stand apart."""
_WORK, _FIRST_LOOK = 9_000_000_000, 1_500_000_000
"""Columns of pairs of rows that are compared: with those who stand apart, and before, to find these."""
_MOST_SOME = 2_000
"""Training rows that the first look compares with, at most."""
_FEWEST_TARGETS = 200
_CHUNK = 65_536
"""Rows that are read at a time."""


class RareCopies(Metric):
    """Share of synthetic rows that point at a training row that stands apart more surely than any other real row does.

    Agreeing on rare values, alone or together, is what tells: evidence is counted as in record linkage (Fellegi and
    Sunter, A theory for record linkage, JASA 64, 1969), so that an exact copy, one with noise, one with some values
    changed, and one of only its rarest values all point at the same person. A row counts where it points at a training
    row more surely, by more than a threshold, than the training row next to it does (Alaa et al., How faithful is your
    synthetic data?, ICML 2022, call such a row unauthentic). All training rows are looked at, or those that stand
    farthest apart, and, apart from them, the eighth of these that stands farthest; and of thresholds those that 0.03,
    0.1, 0.3 and 1 % of real rows exceed: what speaks most against the rows is told. The reference is the share of real
    rows that count: held-out rows, and training rows left out, which count half, and not at all where the two
    contradict each other. Modelled columns that were produced are compared. The interval is Wilson's.
    """

    name: ClassVar[str] = "rare-copies"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Copies of people who are like others, and a few rare values that are copied without the rest, are not seen."
    )

    rows: int = Setting(default=1_000_000, ge=10)
    """Rows of each kind that are looked at, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for table in case.schema.tables:
            columns = produced(case, table)
            synthetic, train = (d.tables[table] for d in (case.synthetic, case.train))
            if not columns or not synthetic.num_rows or train.num_rows < FEWEST:
                continue
            unseen = train.slice(0, 0) if case.holdout is None else case.holdout.tables[table]
            held = [t.select(columns) for t in (synthetic, train, unseen)]
            found, note = self._table(held, case, table, ctx.at(table))
            tables[table] = Finding(table, wilson(found.counted, found.rows), found.reference, note, found.chance)
            rows.append(found.rows)
        if not tables:
            return without(self, "no table has produced columns that are modelled from at least three real rows")
        return scores(self, tables, [], max(rows), share=True)

    def _table(self, held: list[pa.Table], case: Case, table: str, ctx: Context) -> tuple[Verdict, str]:
        from synthwright.kit.measuring.isolation import (  # compiles: only where it is needed
            Scale,
            closest,
            standing,
            surest,
        )

        names = ("synthetic", "train", "holdout")
        mine, train, others = (draw(t, self.rows, ctx.at(n)) for t, n in zip(held, names, strict=True))
        columns = len(train.column_names)
        scale = Scale(train, {c: case.schema.tables[table].fields[c] for c in train.column_names})
        known = scale.marks(train)
        size = max(2, min(_MOST_SOME, _FIRST_LOOK // (known.rows * columns), known.rows // 4))
        some = np.sort(ctx.at("some").rng.choice(known.rows, size=size, replace=False))
        places = standing(train, known, scale, some)
        work = _WORK // (columns * (mine.num_rows + known.rows + others.num_rows))
        wanted = min(known.rows, max(_FEWEST_TARGETS, work))
        verdicts = []
        for most in (wanted, max(1, wanted // 8)):
            own = np.flatnonzero(places < most)
            targets = known.take(own)
            met = closest(targets, own, known, scale)
            sure = met.evidence
            left = np.full(known.rows, -np.inf)
            np.maximum.at(left, met.where, sure[:, 0] - sure[:, 1])
            if most < known.rows:  # who stands apart was told by some rows: it would be others without these
                left = np.delete(left, some)
            new, judged = (np.concatenate([np.zeros(0), *(
                surest(scale.marks(t.slice(i, _CHUNK)), targets, sure[:, 0], scale)
                for i in range(0, t.num_rows, _CHUNK))]) for t in (others, mine))  # fmt: skip
            verdicts.append(beyond(judged, new, left, LEVELS, parts=2))
        found = strongest(verdicts)
        seen = f"measured on the {wanted:,} of {known.rows:,} training rows that stand farthest apart: "
        share = found.visible * held[0].num_rows / mine.num_rows
        visible = f"copies of them that are less than {share:.2%} of the rows would not be seen"
        return found, seen + visible if wanted < held[1].num_rows else ""
