"""Whether synthetic values are such as real rows hold: within their range, and of labels they have."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field
from synthwright.core.values import Column, numbers
from synthwright.kit.natural import PAIRED, Seen, Verdict, judged, told
from synthwright.kit.stats import shared_codes, wilson
from synthwright.metrics.comparing import Finding, label, modelled, numeric, scores, unmade, without


class Support(Metric):
    """Share of synthetic rows with a value that no training row comes near: beyond the range, or a label never seen.

    Numbers, dates, times and durations count where they lie below the least or above the greatest training value;
    categories where no training row has the label, null being a label. Columns have a share each. Real rows have such
    values too, more so in small tables. The reference is the share of held-out rows, for a column together with that
    of training rows that are left out one at a time (these count half); chance is Fisher's exact test. All rows are
    looked at. Columns made anew are left out. The interval is Wilson's. Without held-out rows, one random half of the
    training rows stands for the training rows, and the other half for these.
    """

    name: ClassVar[str] = "support"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "How far a value lies out is not seen, nor what is strange only beside other values."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        tables, parts, rows = {}, [], []
        count = sum(len(modelled(t.fields)) for t in case.schema.tables.values())
        for table, spec in case.schema.tables.items():
            train, unseen = _real(case, table, ctx.at(table))
            made = case.synthetic.tables[table]
            fields = {c: f for c, f in modelled(spec.fields).items() if c in made.column_names}
            if not fields or not made.num_rows or not train.num_rows or not unseen.num_rows:
                continue
            strange = {c: _strange([t.column(c) for t in (train, made, unseen)], f) for c, f in fields.items()}
            mine = np.any([m for m, _, _ in strange.values()], axis=0)
            held = np.any([h for _, h, _ in strange.values()], axis=0)
            tables[table] = _found(table, judged(int(mine.sum()), len(mine), _seen(held)))
            parts += [_found(label(table, c), judged(int(m.sum()), len(m), told(_seen(h), left), 2 * count))
                      for c, (m, h, left) in strange.items()]  # fmt: skip
            rows.append(made.num_rows)
        if not tables:
            return without(self, "no table has synthetic rows and a column that is modelled from several real rows")
        return scores(self, tables, parts, max(rows), share=True)


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
