"""What is measured of real rows, and how it is written down: the common part of methods that measure marginals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synthwright.core.context import Context
from synthwright.core.errors import FitError
from synthwright.core.spend import Release, Spend
from synthwright.core.values import Column
from synthwright.kit.private.accounting import Purse
from synthwright.kit.private.cells import Axis, Bins, axis_of
from synthwright.kit.private.domains import Want, settled
from synthwright.kit.private.inference import Coarse, Measured, coarsely, total_of
from synthwright.kit.private.junctions import Clique
from synthwright.kit.private.marginals import Coded, Groups, blocks
from synthwright.kit.private.noise import noisy


@dataclass
class Sheet:
    """What was measured so far, and what may still be spent."""

    rows: Coded
    """Real rows; in groups of cells once single columns are measured."""
    purse: Purse
    ctx: Context
    ordered: tuple[bool, ...] = ()
    """Of every column whether its cells lie along a line."""
    singles: list[tuple[np.ndarray, float]] = field(default_factory=list)
    """Of every column the noisy counts of its cells, and the standard deviation of the noise."""
    groups: list[Groups] = field(default_factory=list)
    marginals: list[Measured] = field(default_factory=list)
    """In groups of cells."""

    def measure_columns(self, *, rho: float) -> None:
        """Measure every column by itself, and join the cells in which little but noise is found."""
        many = len(self.rows.sizes)
        for v in range(many):
            self.singles.append(noisy(self.rows.counts((v,)), rho=rho / many, purse=self.purse))
            self.groups.append(Groups.by(*self.singles[v]))
        self.rows = self.rows.joined(self.groups)
        self.marginals += [g.measured(v, *self.singles[v]) for v, g in enumerate(self.groups)]

    def measure(self, clique: Clique, *, rho: float, coarse: Coarse | None = None) -> Measured:
        """Measure one marginal, of all cells or of joined ones: every row is in one cell of either."""
        counts = self.rows.counts(clique)
        counts = counts if coarse is None else coarsely(counts, coarse)
        table, sigma = noisy(counts, rho=rho, purse=self.purse)
        found = table.reshape(counts.shape).astype(np.float64)
        self.marginals.append(Measured(clique, found, np.array(sigma), coarse))
        return self.marginals[-1]

    def blocks(self, column: int, many: int) -> np.ndarray:
        """Return about so many blocks of a column's cells, as far as noisy counts tell."""
        return blocks(self.marginals[column].table, many, ordered=self.ordered[column])

    @property
    def total(self) -> float:
        """How many rows there are, as far as noisy counts tell."""
        return max(total_of([m for m in self.marginals if len(m.clique) == 1]), 1.0)


@dataclass(frozen=True)
class Order:
    """What is to be measured, and how."""

    owner: str
    wants: list[Want]
    bins: int
    share: float
    """How much of the budget cells that are to be found may cost."""
    method: Callable[[Sheet], None]
    """Measures columns and marginals until the purse is empty."""


def measured(order: Order, columns: Mapping[str, Column], budget: Spend, ctx: Context) -> Release:
    """Return a noisy release of real rows.

    The whole of it is tried on no rows before any row is looked at, so that no budget is refused halfway.

    Raises:
        FitError: the budget is too small.
    """
    purse = rehearsed(order, {n: c.slice(0, 0) for n, c in columns.items()}, budget, ctx)
    axes, sheet = _fill(order, columns, purse, ctx)
    arrays: dict[str, np.ndarray] = {}
    heads = []
    for v, (want, axis, (counts, sigma)) in enumerate(zip(order.wants, axes, sheet.singles, strict=True)):
        head, held = axis.to_json()
        heads.append({"name": want.name, "axis": head, "sigma": sigma})
        arrays |= {f"column-{v}-{n}": a for n, a in held.items()} | {f"column-{v}-counts": counts}
    kept = sheet.marginals[len(axes) :]
    arrays |= {f"marginal-{i}": m.table.astype(np.int64) for i, m in enumerate(kept)}
    arrays |= {f"marginal-{i}-joined-{k}": of for i, m in enumerate(kept) for k, of in enumerate(m.coarse or ())}
    head = {"columns": heads, "rows": round(sheet.total),
            "marginals": [{"columns": list(m.clique), "sigma": float(m.sigma)} for m in kept]}  # fmt: skip
    return Release(head, arrays, purse.spend())


def rehearsed(order: Order, empty: Mapping[str, Column], budget: Spend, ctx: Context) -> Purse:
    """Try a measurement on columns without rows, and return the purse for it, of which nothing is spent.

    Raises:
        FitError: the budget is too small, or no budget at all.
    """
    purse = Purse(budget=budget, named=sum(w.labelled for w in order.wants), owner=order.owner)
    _fill(order, empty, purse.rehearsal(), ctx)
    return purse


def _fill(order: Order, columns: Mapping[str, Column], purse: Purse, ctx: Context) -> tuple[list[Axis], Sheet]:
    paid = any(not w.free for w in order.wants)
    axes = settled(order.wants, columns, rho=purse.plannable * order.share * paid, bins=order.bins, purse=purse)
    cells = np.stack([a.encode(columns[w.name]) for w, a in zip(order.wants, axes, strict=True)])
    sheet = Sheet(
        Coded(cells.astype(np.int32), tuple(a.size for a in axes)), purse, ctx, tuple(isinstance(a, Bins) for a in axes)
    )
    order.method(sheet)
    return axes, sheet


def read(release: Release) -> tuple[list[str], list[Axis], list[tuple[np.ndarray, float]], list[Measured]]:
    """Return what a release holds: columns, their cells, their noisy counts, and marginals of groups of cells."""
    names, axes, singles = [], [], []
    for v, said in enumerate(release.head["columns"]):
        mine = f"column-{v}-"
        arrays = {n.removeprefix(mine): a for n, a in release.arrays.items() if n.startswith(mine)}
        names.append(said["name"])
        axes.append(axis_of(said["axis"], arrays))
        singles.append((arrays["counts"], float(said["sigma"])))
    marginals = []
    for i, said in enumerate(release.head["marginals"]):
        table = release.arrays[f"marginal-{i}"].astype(np.float64)
        joins = [f"marginal-{i}-joined-{k}" for k in range(table.ndim)]
        coarse = tuple(release.arrays[n] for n in joins) if joins[0] in release.arrays else None
        marginals.append(Measured(tuple(said["columns"]), table, np.array(float(said["sigma"])), coarse))
    return names, axes, singles, marginals


def wanted(owner: str, names: Sequence[str], fields: Mapping[str, Any], domain: Mapping[str, Any]) -> list[Want]:
    """Return the columns to measure; a FitError where there are none."""
    from synthwright.kit.private.domains import Known

    if not names:
        raise FitError(owner, "the part", wanted="columns to make", got="none")
    return [Want(n, fields[n], domain.get(n, Known())) for n in names]
