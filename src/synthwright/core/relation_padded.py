"""Sums in which a missing part counts as nothing: pay with a bonus that few get, a bill with a discount."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.relation_sums import dependent, wild
from synthwright.core.rules import quoted

MOST = 60
"""Columns that are looked at."""
LEAST = 20
"""Rows with a missing part, at least, and without."""


def padded(columns: Columns, names: list[str], made: Collection[str]) -> list[Relation]:
    """Return sums that hold in every row where missing parts count as zero: `total == base + max(0, bonus)`.

    Args:
        columns: the table.
        names: ordered columns; those of numbers are looked at, and parts that are sometimes missing if none is below 0.
        made: what follows from other columns than a part that is missing: no sum makes it again.
    """
    numbers = [n for n in names if columns.family(n) == "number" and columns.exact(n) and columns.varies(n)][:MOST]
    gone = {n: np.isnan(columns.numbers(n)) for n in numbers}
    parts = [n for n in numbers if _sometimes(gone[n]) and not np.any(columns.numbers(n) < 0)]
    able = [n for n in numbers if n in parts or not gone[n].any()]
    if not parts or len(able) < 3:
        return []
    filled = np.stack([np.where(gone[n], 0.0, columns.numbers(n)) for n in able], axis=1)
    sample = columns.at[~wild(filled[columns.at].T)]
    out: dict[str, Relation] = {}
    for vector in dependent(filled, sample, len(able)):
        terms = {n: float(f) for n, f in zip(able, vector[:-1], strict=True) if f}
        alone = [n for n, f in terms.items() if n not in parts and abs(f) == 1 and n not in made and n not in out]
        target = next((n for n in reversed(alone) if _unlike(terms, n)), None)
        if target is not None and not vector[-1] and set(terms) & set(parts):
            said = f"{quoted(target)} == {_said(terms, target, parts)}"
            out[target] = Relation(said, target, tuple(n for n in terms if n != target), columns.rows)
    return list(out.values())


def _sometimes(gone: np.ndarray) -> bool:
    return bool(min(gone.sum(), (~gone).sum()) >= LEAST)


def _unlike(terms: dict[str, float], target: str) -> bool:
    """Return whether a column is the only one on its side: the whole, not one of the parts."""
    return all((f > 0) != (terms[target] > 0) for n, f in terms.items() if n != target)


def _said(terms: dict[str, float], target: str, parts: list[str]) -> str:
    """Return the other terms as a rule adds them; those that may be missing are the larger of themselves and 0."""
    said = []
    for name, factor in terms.items():
        if name != target:
            one = f"max(0, {quoted(name)})" if name in parts else quoted(name)
            said.append(one if abs(factor) == 1 else f"{plain(abs(factor))} * {one}")
    return " + ".join(said)
