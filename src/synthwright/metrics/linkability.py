"""Whether synthetic rows tell that two halves of a record belong to one person."""

from __future__ import annotations

from math import comb
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.neighbours import Points, nearest
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
    seen,
    sizes,
    too_small,
)
from synthwright.metrics.comparing import MOST_ROWS, Finding, draw, produced, scores, unmade, without

_WORK = 6_000_000_000
"""Column distances that are computed: larger tables are attacked at fewer rows."""
_RIVALS = 500
"""Synthetic rows that a neighbour is first held against; then eight times as many, and so on, for those that stand."""
_LINKED = 500
"""Records, linked in the first split, that are tried in the others: where more are, fewer rows are attacked so."""


class Linkability(Metric):
    """How much oftener synthetic rows link the two halves of a training row than those of a held-out row: 0 no gain.

    An attacker has some columns of a person from one place and the others from another place, and looks for a synthetic
    row that is nearest to both halves. The columns are split at random. A record is linked where, in every split, one
    synthetic row is among the `neighbours` nearest of both halves (of equally near ones, any); `one split` asks this of
    the first split alone. The risk is (trained - control) / (1 - control), of the shares of training and of held-out
    rows that are linked, and the whole is the worse of the two. The distance is Gower's with ranks in the place of
    ranges, over the modelled columns that were produced. The reference is 0: of new real rows, as many link the ones
    as the others. The interval follows from Wilson's for both shares; chance is Fisher's exact test. Reference: Giomi
    et al., A unified framework for quantifying privacy risk in synthetic data, PoPETs 2023.
    """

    name: ClassVar[str] = "linkability"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Who knows how rows were made, or which columns are telling, may link more than random halves do."
    )

    splits: int = Setting(default=10, ge=1, le=50)
    """Random splits of the columns in which a record must be linked: more are harder to pass by accident."""
    neighbours: int = Setting(default=1, ge=1, le=10)
    """Synthetic rows that count as near to a half."""
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
        each = risks(found)
        worst = max(each, key=lambda r: r.badness)
        note = worst.note(
            "{trained} of training rows are linked, {control} of held-out rows; by guessing {guessed} would be"
        )
        whole = Finding(worst.outcome.about, worst.estimate, 0.0, "; ".join([note, *notes]), worst.chance)
        parts = [Finding(r.outcome.about, r.estimate, 0.0, chance=r.chance) for r in each]
        return scores(self, {"": whole}, parts, max(o.attacks for o in found), share=True)

    def _table(self, table: str, held: list[pa.Table], case: Case, ctx: Context) -> tuple[list[Outcome], list[str]]:
        fields = {c: case.schema.tables[table].fields[c] for c in held[0].column_names}
        pairs = _WORK // len(fields)
        cut = [draw(t, n, ctx.at(side)) for t, n, side in
               zip(held, sizes(held, pairs, MOST_ROWS, self.rows), SIDES, strict=True)]  # fmt: skip
        near, rows = attacked(cut, fields)
        neighbour = nearest(rows, near)[1][:, 0]
        one, every, asked = self._linked(rows, near, neighbour, ctx)
        trained, guess = cut[1].num_rows, _together(self.neighbours, near.rows)
        outcomes = [
            by_rows(f"{table}: one split", one, trained, guess),
            by_rows(f"{table}: every split", every[asked], int(asked[:trained].sum()), guess**self.splits),
        ]
        return outcomes, sampled(held, cut)

    def _linked(self, rows: Points, near: Points, neighbour: np.ndarray, ctx: Context
                ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Return which rows are linked in the first split, which in every split, and which were tried in every split.

        Only a row's nearest synthetic row by all columns (`neighbour`) can be the nearest to both halves, so no other
        is looked at.
        """
        order, asked = ctx.at("rivals").rng.permutation(near.rows), np.ones(rows.rows, dtype=bool)
        linked = one = np.arange(rows.rows)
        for split in range(self.splits):
            columns = ctx.at("split", split).rng.permutation(rows.columns)
            for half in np.split(columns, [rows.columns // 2]):
                mine, theirs = seen(chosen(rows, linked), half), seen(near, half)
                linked = linked[standing(mine, theirs, neighbour[linked], order, self.neighbours)]
            if not split:
                one = linked
                asked = _first(rows.rows, linked, ctx.at("asked").rng)
                linked = linked[asked[linked]]
        every = np.arange(rows.rows)
        return np.isin(every, one), np.isin(every, linked), asked


def _first(rows: int, linked: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return random rows, as booleans, among which no more than `_LINKED` are linked; all where no more are."""
    if len(linked) <= _LINKED:
        return np.ones(rows, dtype=bool)
    place = random.permutation(rows)
    return np.asarray(place < np.sort(place[linked])[_LINKED])


def standing(rows: Points, near: Points, neighbour: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of rows to which fewer than `count` synthetic rows are nearer than the given neighbour.

    Most rows fall before a few rivals, so that only some are held against all of them.

    Args:
        rows: the rows.
        near: the synthetic rows.
        neighbour: of each row, a position in `near`.
        order: the order in which synthetic rows are tried.
        count: how many rivals are too many.
    """
    nearer, own = np.zeros(rows.rows, dtype=np.int64), apart(rows, chosen(near, neighbour))
    begin, end = 0, _RIVALS
    while begin < near.rows:
        left = np.flatnonzero((nearer < count) & (own > 0))  # nothing is nearer than 0
        if not len(left):
            break
        distances = nearest(chosen(rows, left), chosen(near, order[begin:end]), count)[0]
        nearer[left] += (distances < own[left, None]).sum(axis=1)
        begin, end = end, 8 * end
    return np.flatnonzero(nearer < count)


def apart(rows: Points, others: Points) -> np.ndarray:
    """Return the distance of each row to the one beside it: to the last bit what `nearest` says."""
    total = np.zeros(rows.rows, dtype=np.float32)
    for mine, theirs, gap in zip(rows.ordered, others.ordered, rows.gaps, strict=True):
        part = np.abs(mine - theirs)
        total += np.minimum(part, np.float32(1.0)) if gap else part
    total += (rows.discrete != others.discrete).sum(axis=0, dtype=np.uint16)
    return np.divide(total, np.float32(max(rows.columns, 1)), out=total)


def _together(count: int, rows: int) -> float:
    """Return how likely two random choices of `count` rows have one in common."""
    return 1.0 if 2 * count > rows else 1.0 - comb(rows - count, count) / comb(rows, count)
