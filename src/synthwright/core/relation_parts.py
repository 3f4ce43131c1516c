"""Labels that follow from a part of a date: the season from the month, the weekend from the weekday."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import numbers, part_of

PARTS = {Kind.DATE: ("month", "weekday", "day"), Kind.DATETIME: ("month", "weekday", "hour", "day")}
"""What may determine a label; years are bands of dates."""
EXPECTED = 30.0
"""Rows in which an unrelated label would differ within its group, at least."""
GROUP = 5.0
"""Rows that share a part, on average."""
MOST = 40
"""Columns of each sort that are compared."""


def parted(columns: Columns, names: list[str], labels: list[str]) -> list[Relation]:
    """Return which labels follow from a part of a date, each from one column.

    Args:
        columns: the table.
        names: the columns whose parts may determine.
        labels: the columns that may follow.
    """
    kinds = {n: columns.spec.fields[n].kind for n in names}
    dates = [n for n in names if kinds[n] in PARTS][:MOST]
    labels = [n for n in labels if len(np.unique(columns.sampled_codes(n))) > 1][:MOST] if dates else []
    out: list[Relation] = []
    for name in dates:
        for part in PARTS[kinds[name]]:
            some = _codes(columns.held.column(name).take(pa.array(columns.at)), part)
            for label in [n for n in labels if n not in {r.column for r in out} | {name}]:
                times = columns.rows / max(len(columns.at), 1)
                if not _follows(some, columns.sampled_codes(label), times):
                    continue
                rows = _follows(_codes(columns.held.column(name), part), columns.codes(label), 1.0)
                if rows:
                    rule = f"{part}({quoted(name)}) -> {quoted(label)}"
                    out.append(Relation(rule, label, (name,), rows))
    return out


def _codes(column: pa.ChunkedArray, part: str) -> np.ndarray:
    return np.nan_to_num(numbers(part_of(column, part)), nan=-1).astype(np.int64)


def _follows(part: np.ndarray, label: np.ndarray, times: float) -> int:
    """Return how many rows have both, if one label belongs to each part and would not by chance; else 0."""
    there = (part >= 0) & (label >= 0)
    part, label = part[there], label[there]
    if not len(part):
        return 0
    belongs = np.zeros(int(part.max()) + 1, dtype=np.int64)
    belongs[part] = label
    groups = len(np.unique(part))
    differ = times * (len(label) - groups) * unlike(label)
    sure = np.array_equal(belongs[part], label) and differ >= EXPECTED and groups * GROUP <= times * len(label)
    return len(label) if sure and groups > 1 else 0
