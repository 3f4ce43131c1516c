"""Generators that keep a privacy budget: real rows are measured once, with noise, and never looked at again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Schema
from synthwright.core.spend import ROW, Release, Spend


class PrivateGenerator(Generator, ABC):
    """A recipe whose models know nothing of real rows but a noisy release.

    `measure` is the only method that sees real rows. A run calls it once for a source, writes what it spends into the
    ledger of the source before that, and stores the release: runs that are stopped, repeated, or given another seed
    use the stored one.
    """

    entities: ClassVar[bool] = False
    """Whether noise covers `budget.rows` rows of one unit, and not a single row alone."""
    approximate: ClassVar[bool] = False
    """Whether it needs a delta above 0."""

    @abstractmethod
    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        """Measure real rows with noise of the operating system, within the budget.

        Args:
            data: real rows, at most `budget.rows` of one unit. Of its schema only what a person may write without
                looking at them is used.
            part: the columns to learn.
            budget: what may be spent; the release says what was.
            ctx: progress only: its randomness follows from a seed, and noise must not.

        Raises:
            FitError: the budget is too small for any measurement, or a column has too many values.
        """

    def rehearse(self, schema: Schema, part: Part, *, budget: Spend, ctx: Context) -> Spend | None:
        """Refuse what can be told without real rows to be impossible: before any of the budget is set aside for it.

        Returns:
            What measuring will spend at most: the budget, with what it is as concentrated privacy. None: the budget.

        Raises:
            FitError: the budget is too small for any measurement, or a package is not installed.
        """

    @abstractmethod
    def learned(self, release: Release, part: Part, schema: Schema, ctx: Context) -> Model:
        """Return the model that follows from a release: pure, the same for the same release and context."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> Model:
        """Measure and learn; the budget is the part's.

        Raises:
            FitError: the part has no budget.
        """
        if part.budget is None:
            raise FitError(type(self).name, "its budget", wanted="a privacy budget", got="none",
                           remedy="give the part one: budget: {epsilon: 1}")  # fmt: skip
        if part.budget.unit != ROW:
            raise FitError(type(self).name, "the unit of its budget", wanted="rows, where nobody leaves any out",
                           got=part.budget.unit, remedy="use `measure`, with at most so many rows of one")  # fmt: skip
        release = self.measure(data, part, budget=part.budget, ctx=ctx)
        return self.learned(release, part, data.schema, ctx)


def entity_column(schema: Schema, table: str, unit: str) -> str | None:
    """Return the column of a table that says whose each row is; None where there is none, or more than one.

    Args:
        schema: the tables.
        table: the table whose rows are measured.
        unit: the column that names a unit, as `table.column`: of this table, or of one that it refers to.
    """
    if unit in schema.columns and schema.split(unit)[0] == table:
        return unit
    links = [f"{table}.{name}" for name, field in schema.tables[table].fields.items() if field.to == unit]
    return links[0] if len(links) == 1 else None
