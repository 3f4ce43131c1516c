"""Whether synthetic rows tell an attacker a value that is missing from what is known about a person."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.neighbours import Points, _distances
from synthwright.kit.measuring.risks import (
    SIDES,
    Outcome,
    attackable,
    attacked,
    by_rows,
    chosen,
    lacking,
    risks,
    sampled,
    sizes,
    too_small,
)
from synthwright.kit.rows import row_hashes
from synthwright.metrics.comparing import MOST_ROWS, Finding, draw, label, numeric, produced, scores, unmade, without

_WORK = 4_500_000_000
"""Column distances that are computed: larger tables are attacked at fewer rows."""
_PAIRS = 300_000_000
"""Distances that are computed."""
_CELLS = 4_000_000
"""Column distances that are held at once."""
_SAME = 1e-6
"""Distances in columns that differ by less are equal: rounding leaves this much."""


class AttributeInference(Metric):
    """How much oftener synthetic rows tell a secret value of a training row than of a held-out row: 0 no gain.

    An attacker knows all columns of a person but one, looks for the nearest synthetic row, and takes its value for the
    person's. Every column is the secret in turn, those in `sensitive` first. The guess is right where labels are equal,
    or where, among all rows, the rank of numbers, dates and times differs by no more than `near`. The risk is
    (trained - control) / (1 - control), of the shares of training and of held-out rows that are guessed right. The
    whole is the worst column: the one whose risk exceeds chance by most. The distance is Gower's with ranks in the
    place of ranges, over the modelled columns that were produced. The reference is 0: new real rows tell as much of the
    ones as of the others. The interval follows from Wilson's for both shares; chance is Fisher's exact test, shared
    among the columns. Reference: Giomi et al., A unified framework for quantifying privacy risk in synthetic data,
    PoPETs 2023.
    """

    name: ClassVar[str] = "attribute-inference"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "What is true of everybody alike is no gain, however sensitive; a model may guess more than one near row."
    )

    near: float = Setting(default=0.0005, ge=0, le=0.5)
    """Share of all rows that may lie between a guessed number and the true one."""
    rows: int = Setting(default=20_000, ge=100, le=100_000)
    """Training and held-out rows that are attacked, at most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if missing := lacking(case):
            return without(self, missing)
        if failed := unmade(self, case):
            return failed
        found: list[Outcome] = []
        notes: list[str] = []
        for table, held in attackable(case, produced, 2):
            outcomes, said = self._table(table, held, case, ctx.at(table))
            found += outcomes
            notes += said
        if not found:
            return without(self, too_small(2))
        first = {about: place for place, about in enumerate(case.sensitive)}
        found.sort(key=lambda o: first.get(o.about, len(first)))
        each = risks(found)
        worst = max(each, key=lambda r: r.badness)
        note = worst.note("told of {trained} of training rows, {control} of held-out rows; by guessing of {guessed}")
        whole = Finding(worst.outcome.about, worst.estimate, 0.0, "; ".join([note, *notes]), worst.chance)
        parts = [Finding(r.outcome.about, r.estimate, 0.0, chance=r.chance) for r in each]
        return scores(self, {"": whole}, parts, max(o.attacks for o in found), share=True)

    def _table(self, table: str, held: list[pa.Table], case: Case, ctx: Context) -> tuple[list[Outcome], list[str]]:
        fields = {c: case.schema.tables[table].fields[c] for c in held[0].column_names}
        pairs = min(_WORK // len(fields), _PAIRS)
        cut = [draw(t, n, ctx.at(side)) for t, n, side in
               zip(held, sizes(held, pairs, MOST_ROWS, self.rows), SIDES, strict=True)]  # fmt: skip
        near, rows = attacked(cut, fields)
        once = np.sort(np.unique(row_hashes(cut[0], list(fields)), return_index=True)[1])
        told = once[told_by(rows, chosen(near, once))]
        luck = ctx.at("guess").rng.integers(0, near.rows, rows.rows)
        names = sorted(fields, key=lambda c: not numeric(fields[c]))  # as points have them: ordered columns first
        outcomes = []
        for place, name in enumerate(names):
            right, guessed = (self._right(rows, near, place, by) for by in (told[place], luck))
            outcomes.append(by_rows(label(table, name), right, cut[1].num_rows, float(guessed.mean())))
        return outcomes, sampled(held, cut)

    def _right(self, rows: Points, near: Points, place: int, told: np.ndarray) -> np.ndarray:
        """Return which rows' value of one column the given synthetic rows tell."""
        ordered = len(rows.ordered)
        if place >= ordered:
            return np.asarray(rows.discrete[place - ordered] == near.discrete[place - ordered, told])
        return np.asarray(np.abs(rows.ordered[place] - near.ordered[place, told]) <= self.near + _SAME / 10)


def told_by(rows: Points, among: Points) -> np.ndarray:
    """Return the nearest row in `among` by all columns but one: positions, columns × rows; of equals the first.

    Without a column a distance shrinks by 1 at most, so only rows that are within 1 of the nearest by all columns can
    be nearest without one: a few in a hundred. So it costs little more than one distance, not one for every column.
    """
    out = np.empty((rows.columns, rows.rows), dtype=np.int64)
    step = max(1, _CELLS // max(among.rows * among.columns, 1))
    for begin in range(0, rows.rows, step):
        block = slice(begin, min(begin + step, rows.rows))
        found = _distances(rows, among, block)
        limit = found.min(axis=1, keepdims=True) + np.float32(1.0001 / among.columns)
        mine, theirs = np.nonzero(found <= limit)
        here = mine + begin
        parts = np.concatenate([np.minimum(np.abs(rows.ordered[:, here] - among.ordered[:, theirs]), 1),
                                rows.discrete[:, here] != among.discrete[:, theirs]])  # fmt: skip
        left = parts.sum(axis=0, dtype=np.float64) - parts
        starts = np.searchsorted(mine, np.arange(block.stop - begin))
        least = np.minimum.reduceat(left, starts, axis=1)
        first = np.where(left <= least[:, mine] + _SAME, np.arange(len(mine)), len(mine))
        out[:, block] = theirs[np.minimum.reduceat(first, starts, axis=1)]
    return out
