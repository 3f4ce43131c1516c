"""Whether values are missing where they are missing in real rows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.stats import coarse
from synthwright.metrics.comparing import Recounted, Trio, label, numeric, recounted, without

_BINS = 5
_MOST = 2_000
"""Pairs that are measured at most, drawn at random."""


class Missingness(Metric):
    """Distance between which values are missing in held-out and synthetic rows, and beside what: 0 alike, 1 opposite.

    For a column with nulls and every other column: the total variation distance of the table of null or not by the
    other's values (five bins that hold equally many held-out rows, or the five most frequent labels, all others, and
    null), and for a column alone, of null or not. So both the share of nulls and what they depend on count. The whole
    is the mean. Columns made anew are left out. The reference compares the held-out rows with training rows.
    """

    name: ClassVar[str] = "missingness"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "Nulls that depend on two other columns together, or on the missing value, are not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        data = [d for d in (case.train, case.holdout, case.synthetic) if d is not None]
        if case.train is not None and not any(_holey(d.tables[t]) for d in data for t in d.tables):
            return without(self, "no value is missing, in real rows or in synthetic ones")
        return recounted(self, case, ctx, _compare, listed=500)


def _holey(table: pa.Table) -> bool:
    return any(table.column(c).null_count for c in table.column_names)


def _compare(trio: Trio, ctx: Context) -> Recounted:
    replicas = trio.dealt(ctx.at("groups").rng)
    columns = {c: trio.column(c) for c in trio.fields}
    holey = [c for c, (real, other) in columns.items() if real.null_count or other.null_count]
    pairs = [(a, b) for a in holey for b in columns]
    if len(pairs) > _MOST:
        drawn = np.sort(ctx.at("pairs").rng.choice(len(pairs), size=_MOST, replace=False))
        pairs = [pairs[i] for i in drawn.tolist()]
    coded = {c: coarse(*columns[c], _BINS, ordered=numeric(trio.fields[c])) for c in dict.fromkeys(b for _, b in pairs)}
    gone = {c: [np.asarray(s.is_null()).astype(np.int64) for s in columns[c]] for c in holey}
    found = {}
    for a, b in pairs:
        if a == b:
            found[label(trio.table, a)] = replicas.labelled(gone[a][0], gone[a][1], 2)
        else:
            codes, size = coded[b][:2], coded[b][2]
            real, other = (g * size + c for g, c in zip(gone[a], codes, strict=True))
            found[label(trio.table, a, b)] = replicas.labelled(real, other, 2 * size)
    return Recounted(found, "" if found else f"no value is missing in {trio.table!r}")
