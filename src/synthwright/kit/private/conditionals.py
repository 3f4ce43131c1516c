"""A distribution as tables of each column given a few before it: to draw rows from, and to tell any marginal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from synthwright.kit.private.inference import Fitted
from synthwright.kit.private.junctions import Clique, summed

_MOST = 52
"""Axes that one product of tables may have: numpy has no more letters."""


class Conditional(NamedTuple):
    """How one column follows from those it is drawn after."""

    column: int
    given: Clique
    table: np.ndarray
    """Shares: an axis for each given column, and a last one for the column itself, along which they add up to one."""


def conditionals(model: Fitted) -> list[Conditional]:
    """Return a distribution as conditional tables, in an order to draw in."""
    out: list[Conditional] = []
    tree = model.tree
    for clique, shared, table in zip(tree.cliques, tree.shared, model.tables, strict=True):
        known = list(shared)
        for v in [v for v in clique if v not in shared]:
            given = tuple(known)
            both = tuple(sorted([*given, v]))
            joint = np.moveaxis(summed(table, clique, both), both.index(v), -1)
            out.append(Conditional(v, given, shares(joint)))
            known = sorted([*known, v])
    return out


def shares(joint: np.ndarray) -> np.ndarray:
    """Return a table with the last axis adding up to one; where there is nothing, as the whole has it."""
    whole = joint.reshape(-1, joint.shape[-1]).sum(axis=0)
    whole = whole / whole.sum() if whole.sum() > 0 else np.full(len(whole), 1 / len(whole))
    sums = joint.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, joint / np.where(sums > 0, sums, 1), whole)


def marginal(model: Sequence[Conditional], wanted: Clique, total: float) -> np.ndarray:
    """Return the table of any columns, in rows: others are summed out one after the other."""
    needed = set(wanted)
    for c in reversed(model):
        if c.column in needed:
            needed |= set(c.given)
    held = [((*c.given, c.column), c.table) for c in model if c.column in needed]
    for v in [c.column for c in reversed(model) if c.column in needed and c.column not in wanted]:
        mine = [f for f in held if v in f[0]]
        held = [f for f in held if v not in f[0]]
        axes = tuple(sorted({a for names, _ in mine for a in names} - {v}))
        held.append((axes, _product(mine, axes)))
    return _product(held, wanted) * total


def _product(held: Sequence[tuple[Clique, np.ndarray]], wanted: Clique) -> np.ndarray:
    letter = {a: i for i, a in enumerate(dict.fromkeys(a for names, _ in held for a in names))}
    if len(letter) > _MOST:
        raise ValueError("more columns than a product of tables can have")
    said: list[Any] = []
    for names, table in held:
        said += [table, [letter[a] for a in names]]
    out: np.ndarray = np.einsum(*said, [letter[a] for a in wanted], optimize=len(held) > 2)
    return out
