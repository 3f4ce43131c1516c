"""The contract of processes bites: a process with one thing wrong fails the check of that name."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Process, Unfolded
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.processes.each import Each
from synthwright.testing import ContractError, check_process
from synthwright.testing.processes import patients


class Visits(Process):
    """Two visits each, with a random amount."""

    name: ClassVar[str] = "visits"
    column: str = "amount"
    """The column that it fills."""

    def makes(self) -> tuple[str, ...]:
        return (self.column,)

    def unfold(self, given: Dataset, table: str, parent: str, ctx: Context) -> Unfolded:
        whose = np.repeat(np.arange(given.rows(parent)), 2)
        return self.spoilt(Unfolded(whose, {self.column: ctx.rng.random(len(whose))}), given)

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        """Return what it says in place of what is right."""
        return found


class Falling(Visits):
    """Goes through the parents backwards."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose[::-1].copy(), found.columns)


class Strangers(Visits):
    """Makes rows of parents that nobody has."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose + 1, found.columns)


class Narrow(Visits):
    """Counts in 32 bits."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose.astype(np.int32), found.columns)


class Short(Visits):
    """Has a value too few."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose, {c: v[:-1] for c, v in found.columns.items()})


class Other(Visits):
    """Fills another column than it says."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose, {"note": found.columns["amount"]})


class Unseeded(Visits):
    """Draws from the operating system."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose, {self.column: np.frombuffer(os.urandom(len(found.whose)), dtype=np.uint8)})


class Deaf(Visits):
    """Draws, and does not care for what it drew."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return Unfolded(found.whose, {self.column: np.zeros(len(found.whose))})


class Peeking(Visits):
    """Looks at a column that it does not name."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        ages = given.column("patient.age").take(pa.array(found.whose))
        return Unfolded(found.whose, {self.column: ages})


class Lost(Visits):
    """Names a column that there is not."""

    def looks_at(self, schema: Schema, parent: str) -> tuple[str, ...]:
        return ("patient.height",)


class Haunted(Visits):
    """Makes a row where there is no parent."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        return found if len(found.whose) else Unfolded(np.zeros(1, dtype=np.int64), {self.column: np.zeros(1)})


class Chunky(Visits):
    """Counts chunks."""

    def looks_at(self, schema: Schema, parent: str) -> tuple[str, ...]:
        return ("patient.age",)

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        cut = given.column("patient.age").num_chunks
        return Unfolded(found.whose, {self.column: np.full(len(found.whose), cut) + found.columns["amount"]})


BEFORE: list[int] = []


class Remembering(Visits):
    """Goes on where the block before it ended."""

    def spoilt(self, found: Unfolded, given: Dataset) -> Unfolded:
        numbers = given.row_numbers("patient")
        BEFORE.append(int(numbers[0]) if len(numbers) else -1)
        fresh = len(BEFORE) > 1 and BEFORE[-2] not in (BEFORE[-1], -1)
        return Unfolded(found.whose, {self.column: found.columns["amount"] + fresh})


class Grumbling(Visits):
    """Says what is wrong without saying where."""

    def misused(self, schema: Schema, table: str, parent: str) -> list[Any]:
        return ["no"]


def test_right_ones_pass() -> None:
    """A process that draws passes every check, and so does one that does not."""
    assert "seeded" in check_process(Visits)
    assert "nobody-there" in check_process(Each(count=2, where="clinic.beds > 1"))
    assert check_process(Visits(column="at"), patients(9), "visit.patient")[-1] == "nobody-there"


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Falling, "looks-where-it-says"),
        (Strangers, "looks-where-it-says"),
        (Narrow, "looks-where-it-says"),
        (Short, "looks-where-it-says"),
        (Other, "looks-where-it-says"),
        (Peeking, "looks-where-it-says"),
        (Lost, "looks-where-it-says"),
        (Grumbling, "says-faults"),
        (Unseeded, "deterministic"),
        (Deaf, "seeded"),
        (Remembering, "blocks-do-not-count"),
        (Chunky, "chunks-do-not-count"),
        (Haunted, "nobody-there"),
    ],
)
def test_wrong_ones_fail(kind: type[Process], check: str) -> None:
    """Each wrong process fails the check that is there for it."""
    with pytest.raises(ContractError) as caught:
        check_process(kind)
    assert caught.value.thing == check


def test_columns_that_are_not_there() -> None:
    """A process that fills columns of its own needs data of its own, and is told so."""
    with pytest.raises(ContractError, match="hand over your own"):
        check_process(Visits(column="height"))
