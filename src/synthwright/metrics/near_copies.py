"""Whether synthetic rows point at one training row each: copies with noise, or with some values changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.rules import parse
from synthwright.core.schema import Field
from synthwright.kit.measuring.displaced import Sides, partly, shifted
from synthwright.kit.measuring.natural import Verdict, beyond, strongest
from synthwright.kit.measuring.stats import wilson
from synthwright.metrics.comparing import Finding, draw, produced, scores, unmade, without

LEVELS = (0.001, 0.003, 0.01, 0.03)
"""Shares of real rows above the thresholds that are tried. Larger ones tell how data are spread, copied or not."""
NEIGHBOURS = 5
"""The training row that the surest one is compared with, counted from the surest."""
FEWEST = 3
"""Training rows below which none can be told from the others."""
FEW_COLUMNS = 8
"""Columns up to which distances are looked at beside evidence."""
FULL = 0.5
"""The share of all combinations that real rows have where columns that are unique together tell nobody apart."""
OFTEN = 5
"""Rows that have each value of such a column on average: a number of a person who is asked twice tells who it is."""
_WORK = 12_000_000_000
"""Columns of pairs of rows that are compared: a larger table is measured on fewer rows."""
_MOST_TRAIN = 100_000
"""Training rows that are looked at."""
_MOST_ALIKE = 200_000
"""Rows of each kind that are looked at for those that equal training rows in part."""


class NearCopies(Metric):
    """Share of synthetic rows that point at one training row far more surely than at any other.

    Each row is linked with the training rows as record linkage does: agreeing on a rare value, or on a number that few
    rows lie as near to, is evidence; disagreeing is none (Fellegi and Sunter, A theory for record linkage, JASA 64,
    1969). A row counts where the training row it points at most surely leads the fifth by more than a threshold; in
    tables of up to eight columns, where it is nearer than the fifth by Gower's distance of ranks is looked at too. Of
    the thresholds that 0.1, 0.3, 1 and 3 % of real rows exceed, the one that speaks most against the rows is told. The
    reference is the share of real rows that exceed it: held-out rows against the training rows, and training rows
    against the others; the latter count half, and not at all where the two contradict each other. Chance is Fisher's
    exact test, its level shared among all that is looked at. Modelled columns that were produced are compared, but for
    those of which each combination is there once, and most are, as shops and weeks in a panel: whoever makes such rows
    anew has to meet the combinations of training rows, and held-out ones never do. The interval is Wilson's.

    Where they speak more against the rows, two other counts are told instead: of rows that equal a training row in all
    columns but a few (one at a time, and the most telling half of them), and of rows that equal one after one and the
    same shift of numbers, however far, with the same labels or with any. The shift is looked for among one half of the
    synthetic rows, and rows of the other half count.
    """

    name: ClassVar[str] = "near-copies"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Where training rows lie closer together than the noise on their copies, as in large tables of few columns, "
        "a copy points at nobody; nor does one whose values were all moved far, unless many were moved alike."
    )

    rows: int = Setting(default=10_000, ge=10, le=50_000)
    """Synthetic rows that are looked at, at most; as many real rows."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, rows = {}, []
        for table in case.schema.tables:
            columns = _telling(case, table)
            synthetic, train = (d.tables[table] for d in (case.synthetic, case.train))
            if not columns or not synthetic.num_rows or train.num_rows < FEWEST:
                continue
            unseen = train.slice(0, 0) if case.holdout is None else case.holdout.tables[table]
            held = [t.select(columns) for t in (synthetic, train, unseen)]
            found, note = self._table(held, case, table, ctx.at(table))
            if full := [c for c in produced(case, table) if c not in columns]:
                note = "; ".join(
                    [f"not by {', '.join(full)}: nearly every combination is there", *filter(None, [note])]
                )
            tables[table] = Finding(table, wilson(found.counted, found.rows), found.reference, note, found.chance)
            rows.append(found.rows)
        if not tables:
            return without(self, "no table has produced columns that are modelled from at least three real rows")
        return scores(self, tables, [], max(rows), share=True)

    def _table(self, held: list[pa.Table], case: Case, table: str, ctx: Context) -> tuple[Verdict, str]:
        from synthwright.kit.measuring.isolation import Scale, closeness, lead  # compiles: only where it is needed

        synthetic, train, unseen = held
        fields = {c: case.schema.tables[table].fields[c] for c in train.column_names}
        seen = draw(train, _MOST_TRAIN, ctx.at("train"))
        few = len(train.column_names) <= FEW_COLUMNS
        most = max(100, min(2 * self.rows, _WORK // (seen.num_rows * len(train.column_names))))
        mine = draw(synthetic, most // 2, ctx.at("synthetic"))
        others = draw(unseen, most // 4, ctx.at("holdout"))
        own = np.sort(ctx.at("left").rng.permutation(seen.num_rows)[: most // 2 - others.num_rows])
        scale = Scale(seen, fields)
        known, new, tried = scale.marks(seen), scale.marks(others), scale.marks(mine)
        count = min(NEIGHBOURS, seen.num_rows - 1)
        verdicts, ways = [], 4 if few else 3
        for tell in (lead, closeness) if few else (lead,):
            left = tell(known.take(own), known, scale, count, own)
            unmet = tell(new, known, scale, count) if others.num_rows else np.zeros(0)
            verdicts.append(beyond(tell(tried, known, scale, count), unmet, left, LEVELS, parts=ways))
        verdict, said = _or_disguised(strongest(verdicts), held, fields, ways, ctx)
        if mine.num_rows == synthetic.num_rows and seen.num_rows == train.num_rows:
            return verdict, said
        share = min(1.0, verdict.visible * train.num_rows / seen.num_rows)
        note = f"measured on {mine.num_rows:,} random synthetic rows and {seen.num_rows:,} training rows: "
        note += f"copies of less than {share:.1%} of the rows would not be seen"
        return verdict, f"{said}; {note}" if said else note


def _telling(case: Case, table: str) -> tuple[str, ...]:
    """Return the produced columns but those that are unique together where real rows fill most combinations."""
    full: set[str] = set()
    real = [d.tables[table] for d in (case.train, case.holdout) if d is not None]
    for text in (rule.rule for name, rule in case.rules if name == table):
        if text.startswith("unique") and (parsed := parse(text)).form == "unique" and len(parsed.left) > 1:
            values = [pa.chunked_array([c for t in real for c in t.column(n).chunks]) for n in parsed.left]
            rows, ways = sum(t.num_rows for t in real), [float(pc.count_distinct(v).as_py()) for v in values]
            full |= {*parsed.left} if rows >= max(FULL * np.prod(ways), OFTEN * max(ways)) else set()
    return tuple(c for c in produced(case, table) if c not in full)


def _or_disguised(
    verdict: Verdict, held: list[pa.Table], fields: Mapping[str, Field], ways: int, ctx: Context
) -> tuple[Verdict, str]:
    """Return a verdict, or what speaks more against the rows if they are copies in disguise, and then which.

    Args:
        verdict: what was found.
        held: synthetic, training and held-out rows.
        fields: what the columns are.
        ways: in how many ways the rows are looked at; two are here.
        ctx: the randomness.
    """
    names = ("mine", "train", "strangers")
    sides = Sides(*(draw(t, _MOST_ALIKE, ctx.at("alike", n)) for t, n in zip(held, names, strict=True)))
    looked = {
        "rows that equal training rows in all columns but a few": partly(sides, fields, ways),
        "rows that equal training rows after the same shift": shifted(sides, fields, ctx.at("shift").rng, ways),
    }
    told = [(v, said) for said, found in looked.items() for v in found if v.counted > v.most]
    found, said = max([(verdict, ""), *told], key=lambda one: (one[0].counted - one[0].most) / one[0].rows)
    return found._replace(visible=verdict.visible), said
