"""Generators that keep a privacy budget: real rows are measured once, with noise, and never looked at again."""

from __future__ import annotations

from abc import ABC, abstractmethod

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend


class PrivateGenerator(Generator, ABC):
    """A recipe whose models know nothing of real rows but a noisy release.

    `measure` is the only method that sees real rows. A run calls it once for a source, writes what it spends into the
    ledger of the source before that, and stores the release: runs that are stopped, repeated, or given another seed
    use the stored one.
    """

    @abstractmethod
    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        """Measure real rows with noise of the operating system, within the budget.

        Args:
            data: real rows. Of its schema only what a person may write without looking at them is used.
            part: the columns to learn.
            budget: what may be spent; the release says what was.
            ctx: progress only: its randomness follows from a seed, and noise must not.

        Raises:
            FitError: the budget is too small for any measurement, or a column has too many values.
        """

    def rehearse(self, schema: Schema, part: Part, *, budget: Spend, ctx: Context) -> None:
        """Refuse what can be told without real rows to be impossible: before any of the budget is set aside for it.

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
        release = self.measure(data, part, budget=part.budget, ctx=ctx)
        return self.learned(release, part, data.schema, ctx)
