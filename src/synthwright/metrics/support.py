"""Whether synthetic values are such as real rows hold: within their range, and of labels they have."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field
from synthwright.core.values import Column, numbers
from synthwright.kit.measuring.far import far, left_out
from synthwright.kit.measuring.natural import NOTHING, PAIRED, Seen, Verdict, judged, told
from synthwright.kit.measuring.stats import shared_codes, wilson
from synthwright.metrics.comparing import Finding, label, modelled, numeric, scores, unmade, without


class Support(Metric):
    """Share of synthetic rows with a value that no training row comes near: beyond the range, or a label never seen.

    Numbers, dates, times and durations count where they lie below the least or above the greatest training value;
    categories where no training row has the label, null being a label. Columns have a share each. Real rows have such
    values too, more so in small tables. The reference is the share of held-out rows, for a column together with that
    of training rows that are left out one at a time (these count half); chance is Fisher's exact test. All rows are
    looked at. Columns made anew are left out. The interval is Wilson's. Without held-out rows, one random half of the
    training rows stands for the training rows, and the other half for these.

    The score about `far` is the share of rows with a number that lies far out: farther beyond the least or greatest
    training value than three times the way from there to the outer 5 % of the training values. What tails are long
    reaches far, so that real rows of a column with heavy tails hardly ever count; its reference is told as above.
    """

    name: ClassVar[str] = "support"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "What is strange only beside other values is not seen, nor absurd values in a handful of rows, which might be "
        "as rare in real ones."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, parts, rows, absurd = {}, [], [], []
        count = sum(len(modelled(t.fields)) for t in case.schema.tables.values())
        for table, spec in case.schema.tables.items():
            train, unseen = _real(case, table, ctx.at(table))
            made = case.synthetic.tables[table]
            there = {*made.column_names}
            fields = {c: f for c, f in modelled(spec.fields).items() if c in there}
            if not fields or not made.num_rows or not train.num_rows or not unseen.num_rows:
                continue
            strange = {c: _strange([t.column(c) for t in (train, made, unseen)], f) for c, f in fields.items()}
            mine = np.any([m for m, _, _ in strange.values()], axis=0)
            held = np.any([h for _, h, _ in strange.values()], axis=0)
            tables[table] = _found(table, judged(int(mine.sum()), len(mine), _seen(held)))
            parts += [_found(label(table, c), judged(int(m.sum()), len(m), told(_seen(h), left), 2 * count))
                      for c, (m, h, left) in strange.items()]  # fmt: skip
            rows.append(made.num_rows)
            absurd.append(_absurd(table, [train, made, unseen], fields))
        if not tables:
            return without(self, "no table has synthetic rows and a column that is modelled from several real rows")
        (out,) = scores(self, {"": _pooled(absurd)}, [], sum(rows), share=True)
        return [*scores(self, tables, parts, max(rows), share=True), out._replace(about="far")]


class _Absurd(NamedTuple):
    """The rows of a table with a number that lies far out."""

    counted: int
    rows: int
    held: Seen
    left: Seen
    most: str
    """The column with the most of them; empty where there are none."""


def _absurd(table: str, held: list[pa.Table], fields: dict[str, Field]) -> _Absurd:
    """Return how many synthetic, held-out and left-out training rows of a table have a number that lies far out.

    The tables are training, synthetic and held-out rows.
    """
    left, mine, other = (np.zeros(t.num_rows, dtype=bool) for t in held)
    counts = {}
    for column in (c for c, f in fields.items() if numeric(f)):
        train, *others = (numbers(t.column(column)) for t in held)
        order = np.argsort(train, kind="stable")[: int(np.sum(~np.isnan(train)))]
        ends = far(train[order])
        made, unseen = (ends.beyond(v) for v in others)
        mine, other = mine | made, other | unseen
        left[order] |= left_out(train[order])
        counts[column] = int(made.sum())
    worst = max(counts, key=lambda c: counts[c], default="")
    seen = Seen(PAIRED * float(left.sum()), PAIRED * float(len(left)))
    return _Absurd(int(mine.sum()), len(mine), _seen(other), seen, label(table, worst) if counts.get(worst) else "")


def _pooled(tables: list[_Absurd]) -> Finding:
    """Return what the rows of all tables that lie far out come to."""
    sums = [Seen(*np.sum([NOTHING, *found], axis=0)) for found in ([t.held for t in tables], [t.left for t in tables])]
    verdict = judged(sum(t.counted for t in tables), sum(t.rows for t in tables), told(*sums))
    return _found("", verdict)._replace(note="; ".join(t.most for t in tables if t.most))


def _real(case: Case, table: str, ctx: Context) -> tuple[pa.Table, pa.Table]:
    """Return the training rows, and real rows that are strangers to them."""
    assert case.train is not None  # noqa: S101  looked at before
    train = case.train.tables[table]
    if case.holdout is not None and case.holdout.rows(table):
        return train, case.holdout.tables[table]
    mixed, half = train.take(pa.array(ctx.at("halves").rng.permutation(train.num_rows))), train.num_rows // 2
    return mixed.slice(half), mixed.slice(0, half)


def _strange(columns: list[Column], field: Field) -> tuple[np.ndarray, np.ndarray, Seen]:
    """Return which synthetic and which held-out values no training row comes near, and how many left-out ones would.

    The training column is the first.
    """
    rows = PAIRED * len(columns[0])
    if not numeric(field):
        (known, *others), size = shared_codes(columns)
        counts = np.bincount(known, minlength=size)
        return counts[others[0]] == 0, counts[others[1]] == 0, Seen(PAIRED * float((counts == 1).sum()), rows)
    held, *rest = (numbers(c) for c in columns)
    present = np.sort(held[~np.isnan(held)])
    if not len(present):
        return ~np.isnan(rest[0]), ~np.isnan(rest[1]), Seen(0.0, rows)
    mine, other = ((v < present[0]) | (v > present[-1]) for v in rest)
    ends = len(present) > 1 and [present[0] < present[1], present[-2] < present[-1]]
    return mine, other, Seen(PAIRED * float(np.sum(ends)), rows)


def _seen(strange: np.ndarray) -> Seen:
    return Seen(float(strange.sum()), float(len(strange)))


def _found(about: str, verdict: Verdict) -> Finding:
    return Finding(about, wilson(verdict.counted, verdict.rows), verdict.reference, chance=verdict.chance)
