"""Units of more than one row: at most so many rows of each are measured, drawn by secret chance.

Whose presence is to be hidden may have any number of rows, and noise can hide only so many. How many count is said
before anybody looks; which of them do is drawn from the operating system, as noise is, and how many were left out is
told to nobody. A row that says not whose it is does not count.
"""

from __future__ import annotations

import os

import numpy as np

from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.private import entity_column
from synthwright.core.spend import ROW, Spend
from synthwright.core.values import labels
from synthwright.kit.rows import rank_in_group


def bounded(data: Dataset, table: str, budget: Spend) -> Dataset:
    """Return the rows of a table that count: at most as many of one unit as the budget says.

    Raises:
        FitError: the table does not say whose its rows are.
    """
    if budget.unit == ROW:
        return data
    whose = _whose(data, table, budget)
    drawn = np.frombuffer(os.urandom(8 * len(whose)), dtype=np.uint64)
    return data.filter(table, (whose >= 0) & (rank_in_group(whose, drawn) < budget.rows))


def refuse_unbounded(data: Dataset, table: str, budget: Spend, owner: str) -> None:
    """Refuse rows of which one unit has more than count: noise would not hide them.

    Raises:
        FitError: nobody called `bounded` before.
    """
    if budget.unit == ROW:
        return
    whose = _whose(data, table, budget)
    if (whose < 0).any() or np.bincount(whose).max(initial=0) > budget.rows:
        raise FitError(owner, "real rows", wanted=f"at most {budget.rows} of one {budget.unit}", got="more",
                       remedy="leave the others out first: kit.private.entities.bounded")  # fmt: skip


def _whose(data: Dataset, table: str, budget: Spend) -> np.ndarray:
    """Return a number for whose each row is; -1 where nobody knows."""
    column = entity_column(data.schema, table, budget.unit)
    if column is None or data.schema.split(column)[1] not in data.tables[table].column_names:
        raise FitError(table, "the unit of the budget", wanted="a column that says whose each row is", got="none",
                       remedy=f"refer to {budget.unit}, or measure rows as units")  # fmt: skip
    return labels(data.column(column))[0]
