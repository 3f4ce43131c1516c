"""A model that knows nothing of real rows but a noisy release: what it samples, saves and loads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.core.spend import Release, Spend
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed
from synthwright.kit.private.cells import Axis, axis_of
from synthwright.kit.private.conditionals import Conditional, conditionals
from synthwright.kit.private.inference import fitted, total_of
from synthwright.kit.private.marginals import Groups
from synthwright.kit.private.release import read

STEPS = 600
"""Improvements of the model, at most."""
GOLDEN = (5**0.5 - 1) / 2
"""The number that is worst to write as a fraction."""


class Drawn(NamedTuple):
    """A column: its cells, and which of a group of cells is drawn how often."""

    name: str
    axis: Axis
    group: np.ndarray
    """int32: the group of each cell."""
    weight: np.ndarray
    """float64: how often each cell is drawn, in proportion within its group; nothing for cells that are not made."""

    def cells(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a cell for each group, from the whole column where nothing of a group can be made."""
        many = int(self.group.max()) + 1
        held = np.bincount(self.group, self.weight, many)
        point = _points(groups, rng)
        order = np.argsort(self.group, kind="stable")
        share = self.weight[order] / np.where(held > 0, held, 1)[self.group[order]]
        ends = np.cumsum(share) - (np.cumsum(held > 0) - 1)[self.group[order]]
        ends = np.where(held[self.group[order]] > 0, ends, 1.0) + self.group[order]
        cell = order[np.minimum(np.searchsorted(ends, groups + point, side="right"), len(order) - 1)]
        return np.where(held[groups] > 0, cell, self._any(point))

    def _any(self, point: np.ndarray) -> np.ndarray:
        ends = np.cumsum(self.weight)
        return np.minimum(np.searchsorted(ends / ends[-1], point, side="right"), len(ends) - 1)


@dataclass(frozen=True)
class PrivateModel(Model):
    """The columns, and how each follows from those before it."""

    table: str
    mode: str
    columns: tuple[Drawn, ...]
    order: tuple[Conditional, ...]
    spend: Spend = field(default_factory=Spend)

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        rng, rows = ctx.rng, given.rows(self.table)
        groups = np.zeros((len(self.columns), rows), dtype=np.int64)
        for c in self.order:
            groups[c.column] = _drawn(c, groups, rng)
        made: dict[str, pa.Array] = {}
        for column, mine in zip(self.columns, groups, strict=True):
            made[column.name] = column.axis.decode(column.cells(mine, rng), rng.random(rows))
        there = set(given.columns(self.table)) if self.mode == "make" else set()
        return Sample(completed(given, self.table, {n: v for n, v in made.items() if n not in there}, self.mode))

    def save(self, folder: Path) -> None:
        arrays: dict[str, np.ndarray] = {}
        heads = []
        for v, column in enumerate(self.columns):
            head, held = column.axis.to_json()
            heads.append({"name": column.name, "axis": head})
            arrays |= {f"{v}.{n}": a for n, a in held.items()}
            arrays |= {f"{v}.group": column.group, f"{v}.weight": column.weight}
        arrays |= {f"{c.column}.table": c.table for c in self.order}
        order = [[c.column, list(c.given)] for c in self.order]
        head = {"table": self.table, "mode": self.mode, "columns": heads, "order": order, "spend": list(self.spend)}
        artefacts.save(folder, head, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        try:
            names = [said["name"] for said in head["columns"]]
            held = [mine for _, mine in artefacts.parts(names, arrays)]
            columns = tuple(Drawn(said["name"], axis_of(said["axis"], mine), mine["group"], mine["weight"])
                            for said, mine in zip(head["columns"], held, strict=True))  # fmt: skip
            order = tuple(Conditional(int(v), tuple(map(int, given)), held[v]["table"]) for v, given in head["order"])
            model = cls(head["table"], head["mode"], columns, order, Spend.of(head["spend"]))
            sound = _sound(columns, order)
        except (KeyError, ValueError, TypeError, IndexError):
            sound = False
        if not sound:
            raise StoreError(folder.name, "a private model", wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again")  # fmt: skip
        return model


def learned(release: Release, table: str, mode: str) -> PrivateModel:
    """Return the model that follows from a release."""
    names, axes, singles, marginals = read(release)
    groups = [Groups.by(*single) for single in singles]
    every = [g.measured(v, *single) for v, (g, single) in enumerate(zip(groups, singles, strict=True))] + marginals
    total = max(total_of(every[: len(names)]), 1.0)
    sizes = [g.size for g in groups]
    found = fitted(sizes, every[: len(names)], total, steps=STEPS)
    if marginals:  # from single columns on: from nothing, as many steps stop farther from the best
        found = fitted(sizes, every, total, steps=STEPS, start=found)
    columns = []
    for v, (name, axis, group, (counts, _)) in enumerate(zip(names, axes, groups, singles, strict=True)):
        weight = np.maximum(counts, 0).astype(np.float64)
        held = np.bincount(group.of, weight, group.size)
        many = np.bincount(group.of, minlength=group.size)
        whole = found.marginal((v,))[group.of]
        of = group.of
        weight = np.where(held[of] > 0, weight / np.where(held[of] > 0, held[of], 1), 1 / many[of]) * whole
        columns.append(Drawn(name, axis, of, _makeable(axis, weight)))
    order = tuple(Conditional(c.column, c.given, c.table.astype(np.float32)) for c in conditionals(found))
    return PrivateModel(table, mode, tuple(columns), order, release.spend)


def _makeable(axis: Axis, weight: np.ndarray) -> np.ndarray:
    """Return weights without those of cells that cannot be made; others stand for them."""
    weight = weight.copy()
    last = axis.size - axis.field.nulls
    weight[axis.filled : last] = 0.0
    if not weight.sum() > 0:
        weight[: axis.filled] = 1.0
        weight[last:] = 1.0 if not axis.filled else 0.0
    return weight


def _drawn(how: Conditional, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a group for every row: shares are kept among rows that are alike, as closely as whole rows can."""
    rows, size = groups.shape[1], how.table.shape[-1]
    case = np.zeros(rows, dtype=np.int64)
    for v, many in zip(how.given, how.table.shape, strict=False):
        case = case * many + groups[v]
    flat = how.table.reshape(-1, size).astype(np.float64)
    ends = np.cumsum(flat, axis=1)
    ends = ends / ends[:, -1:] + np.arange(len(flat))[:, None]
    at = np.searchsorted(ends.ravel(), case + _points(case, rng), side="right") - case * size
    return np.clip(at, 0, size - 1)


def _points(case: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a point between 0 and 1 for every row; those of rows that are alike lie evenly, like no dice would.

    Multiples of the golden section leave no gaps, however many there are (Kronecker's sequence, from a random
    beginning): what is drawn with them keeps its shares more closely than rows that know nothing of each other.
    """
    order = np.lexsort((rng.random(len(case)), case))
    points = np.empty(len(case))
    points[order] = np.mod(rng.random() + np.arange(len(case)) * GOLDEN, 1.0)
    return points


def _sound(columns: tuple[Drawn, ...], order: tuple[Conditional, ...]) -> bool:
    """Return whether what was read from a file can be drawn from."""
    sizes = [int(c.group.max()) + 1 for c in columns]
    seen: set[int] = set()
    for c in order:
        shape = (*(sizes[v] for v in c.given), sizes[c.column])
        if not (set(c.given) <= seen and c.table.shape == shape and np.isfinite(c.table).all()
                and (c.table >= 0).all() and (c.table.sum(axis=-1) > 0).all()):  # fmt: skip
            return False
        seen.add(c.column)
    return seen == set(range(len(columns))) and all(
        len(c.group) == len(c.weight) == c.axis.size and (c.group >= 0).all() and np.isfinite(c.weight).all()
        and (c.weight >= 0).all() and c.weight.sum() > 0 for c in columns)  # fmt: skip
