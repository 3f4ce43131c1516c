"""How round numbers are where another column decides it: euros in cents, yen whole, dinars in thousandths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import DISCRETE, Kind, Table
from synthwright.core.values import from_numbers, nulls, numbers

PLACES = range(-3, 7)
"""Digits behind the point that values may have; fewer than none: multiples of 10, 100, 1000."""
LABELS = 200
"""Labels of a column that decides, at most."""
LEAST = 20
"""Rows of a label from which is told how round its numbers are."""
SURE = 40.0
"""Bits: how unlikely it must be that labels have round numbers by chance."""
_EXACT = 2.0**50


@dataclass(frozen=True)
class Grain:
    """How many digits behind the point the numbers of a column have, for each label of another one."""

    target: str
    by: str
    labels: tuple[str, ...]
    places: tuple[int, ...]

    def rounded(self, held: pa.Table, spec: Table, free: np.ndarray) -> pa.Array:
        """Return the column with numbers as round as those of their label are, where it may be changed."""
        now = held.column(self.target).combine_chunks()
        field = spec.fields[self.target]
        said = held.column(self.by).combine_chunks().cast(pa.large_string())
        code = pc.fill_null(pc.index_in(said, pa.array(self.labels, pa.large_string())), -1).to_numpy()
        values, out = numbers(now), numbers(now).copy()
        for places in set(self.places):
            mine = np.isin(code, [i for i, p in enumerate(self.places) if p == places]) & np.isfinite(values) & free
            out[mine] = np.round(values[mine], places)
        moved = (out != values) & ~nulls(now) & ~np.isnan(values)
        return pc.if_else(pa.array(moved), from_numbers(out, None, field), now) if moved.any() else now

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        return {"target": self.target, "by": self.by, "labels": list(self.labels), "places": list(self.places)}

    @staticmethod
    def of_json(said: Mapping[str, Any]) -> Grain:
        """Rebuild it."""
        return Grain(said["target"], said["by"], tuple(said["labels"]), tuple(said["places"]))


def learn_grains(held: pa.Table, targets: Iterable[str], seen: Iterable[str], spec: Table) -> tuple[Grain, ...]:
    """Return which of some columns have numbers that are as round as another column says.

    Args:
        held: the real rows.
        targets: columns that are made.
        seen: columns that may decide.
        spec: the table.
    """
    able = [c for c in seen if spec.fields[c].kind in DISCRETE and not spec.fields[c].anew]
    out = []
    for target in targets:
        field = spec.fields[target]
        places = _places(held.column(target)) if able and field.kind is Kind.NUMBER else None
        found = [(c, _decided(held.column(c), places)) for c in able] if places is not None else []
        sure = [(f[0], c, f) for c, f in found if f is not None]
        if sure:
            _, by, (_, labels, each) = max(sure, key=lambda one: one[0])
            out.append(Grain(target, by, labels, each))
    return tuple(out)


def _places(column: pa.ChunkedArray) -> np.ndarray | None:
    """Return how many digits behind the point each value has, a large number for none; None where all have as many."""
    values = numbers(column)
    if pa.types.is_decimal(column.type):  # as floats they may miss the nearest one by a bit
        values = np.round(values, column.type.scale)
    finite = np.isfinite(values) & (values != 0)
    out = np.full(len(values), PLACES[0])
    left = finite.copy()
    for places in PLACES:
        at = np.flatnonzero(left)
        small = at[np.abs(values[at]) < _EXACT * 10.0**-places]
        left[small[np.round(values[small], places) == values[small]]] = False
        out[left] = places + 1
    return out if finite.any() and not left.any() and np.ptp(out[finite]) else None


def _decided(column: pa.ChunkedArray, places: np.ndarray) -> tuple[float, tuple[str, ...], tuple[int, ...]] | None:
    """Return how surely labels decide how round numbers are, and how round those of each are; None: not at all."""
    coded = column.cast(pa.large_string()).combine_chunks().dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    rows = np.bincount(codes[codes >= 0], minlength=len(coded.dictionary))
    if not 1 < len(rows) <= LABELS:
        return None
    most = np.full(len(rows), PLACES[0])
    np.maximum.at(most, codes[codes >= 0], places[codes >= 0])
    share = np.array([np.mean(places <= p) for p in most])
    known = rows >= LEAST
    bits = np.where(known & (share < 1), rows * -np.log2(np.maximum(share, 1e-9)), 0.0)
    kept = np.flatnonzero(bits >= SURE)
    if not len(kept):
        return None
    labels = coded.dictionary.to_pylist()
    return float(bits.sum()), tuple(labels[i] for i in kept), tuple(int(most[i]) for i in kept)
