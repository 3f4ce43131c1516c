"""Columns that are the greater or the less of two others, one of them perhaps a multiple, or a number.

What is charged is the weight or a share of the volume, whichever is more; a fee is one per cent, but 5 at least.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from synthwright.core.relation_columns import Columns, turned
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.relation_fits import Fit, through
from synthwright.core.relation_products import room_of
from synthwright.core.rules import quoted

MOST = 16
"""Columns that are tried."""
LEAST = 10
"""Rows on each side of what is the greater, at least."""
SHARED = 0.03
"""The share of the rows, too."""
BROKEN = 20
"""Rows that would break the relation, at least, if the other column were another row's."""


class _Bound(NamedTuple):
    """What a column is never beyond, and often is."""

    function: str
    said: str
    values: np.ndarray
    others: tuple[str, ...]
    at: np.ndarray
    """Where it is that."""


def clamped(columns: Columns, targets: list[str], parts: list[str]) -> list[Relation]:
    """Return the columns that are the greater or less of a line of another one and of a third one, or of numbers.

    Args:
        columns: the table.
        targets: the ordered columns that follow from no others.
        parts: the ordered columns that they may be made of.
    """
    number = (n for n in parts if columns.family(n) == "number" and columns.exact(n))
    able = [*islice((n for n in number if columns.varies(n)), MOST)]
    out: list[Relation] = []
    for target in (t for t in targets if t in able):
        made = {r.column for r in out} | {target}
        rest = [n for n in able if n not in made and not any(r.column == n and target in r.others for r in out)]
        with np.errstate(all="ignore"):  # what overflows fits nothing
            found = _clamped(columns, target, rest)
        if found is not None and not any(target in r.others for r in out):
            out.append(found)
    return out


def _clamped(columns: Columns, target: str, names: list[str]) -> Relation | None:
    there = ~np.isnan(columns.numbers(target))
    own = columns.numbers(target)[there]
    room = room_of(columns, target, own)
    held = {n: columns.numbers(n)[there] for n in names}
    held = {n: values for n, values in held.items() if not np.isnan(values).any()}
    numbers = [b for f in ("max", "min") if (b := _number(f, own))]
    tries = [[b] for n, v in held.items() for f in ("max", "min") if (b := _column(f, n, v, own, room))]
    tries += [[b] for b in numbers] + ([numbers] if len(numbers) == 2 else [])
    for bounds in tries:
        free = ~np.any([b.at for b in bounds], axis=0)
        if free.sum() < max(BROKEN, SHARED * len(own)):
            continue
        for name, x in held.items():
            if name in {o for b in bounds for o in b.others}:
                continue
            line = through(x[free], own[free], room[free], constant=True)
            if line is None or not line.factor or not _holds(own, x, line, bounds, room):
                continue
            said = line.said(quoted(name))
            for bound in bounds:
                said = f"{bound.function}({bound.said}, {said})"
            others = (*(o for b in bounds for o in b.others), name)
            return Relation(f"{quoted(target)} == {said}", target, others, len(own))
    return None


def _holds(own: np.ndarray, x: np.ndarray, line: Fit, bounds: list[_Bound], room: np.ndarray) -> bool:
    """Return whether the relation holds in every row, and would not with what other rows have."""

    def broken(values: np.ndarray, held: list[np.ndarray]) -> int:
        made = line.make(values)
        for bound, one in zip(bounds, held, strict=True):
            made = np.maximum(made, one) if bound.function == "max" else np.minimum(made, one)
        return int(np.sum(np.abs(made - own) > room * (1 + 1e-6) + 1e-9 * np.abs(own)))

    others = turned(np.arange(len(own)))
    held = [b.values for b in bounds]
    if broken(x, held) or broken(x[others], held) < BROKEN:
        return False
    unbound = [np.full(len(own), -np.inf if b.function == "max" else np.inf) for b in bounds]
    return all(broken(x, [*held[:i], unbound[i], *held[i + 1 :]]) >= LEAST // 2 for i in range(len(bounds)))


def _number(function: str, own: np.ndarray) -> _Bound | None:
    """Return the least or the greatest value as a bound, where many rows have it."""
    end = float(own.min() if function == "max" else own.max())
    at = own == end
    if not max(LEAST, SHARED * len(own)) <= at.sum() <= 0.9 * len(own):
        return None
    return _Bound(function, plain(end), np.full(len(own), end), (), at)


def _column(function: str, name: str, values: np.ndarray, own: np.ndarray, room: np.ndarray) -> _Bound | None:
    """Return another column as a bound, where the target is never beyond it and equals it in many rows."""
    apart = own - values if function == "max" else values - own
    slack = room + 1e-9 * np.abs(own)
    if np.any(apart < -slack):
        return None
    at = apart <= slack
    if not max(LEAST, SHARED * len(own)) <= at.sum() <= len(own) - max(LEAST, SHARED * len(own)):
        return None
    return _Bound(function, quoted(name), values, (name,), at)
