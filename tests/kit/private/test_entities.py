"""Units of several rows: at most so many of each count, drawn in secret, and noise is as large as they ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.kit.private.entities import bounded
from synthwright.testing.audit import audit

pytest.importorskip("opendp")

from synthwright.generators.mst import Mst
from synthwright.kit.private.accounting import Purse
from synthwright.kit.private.domains import Known
from synthwright.kit.private.noise import UNITS, chosen, frequent, noisy

SCHEMA = Schema.model_validate({"tables": {
    "people": {"fields": {"id": {"kind": "key"}}},
    "t": {"fields": {"x": {"kind": "category", "nulls": False}, "who": {"kind": "text"},
                     "of": {"kind": "reference", "to": "people.id"}}},
}})  # fmt: skip
ROWS = 5
BUDGET = Spend(1.0, 1e-6, "t.who", ROWS)
PART = Part(("t.x",))
DOMAIN = {"x": Known(values=("a", "b"))}


def rows(whose: Sequence[str | None], values: Sequence[str] | None = None) -> Dataset:
    """Return rows of people."""
    held = {"x": pa.array(values or ["a"] * len(whose), pa.large_string()), "who": pa.array(whose, pa.large_string()),
            "of": pa.array(list(range(len(whose))))}  # fmt: skip
    return Dataset(SCHEMA, {"people": pa.table({"id": pa.array([0, 1, 2])}), "t": pa.table(held)})


def test_at_most_so_many_of_each_count() -> None:
    """Others are left out, evenly and anew each time; rows of nobody do not count."""
    data = rows([None, *"abacabadabaa" * 9, "e", None])
    left = [bounded(data, "t", BUDGET).tables["t"] for _ in range(60)]
    counts = [dict(zip(*(v.to_pylist() for v in t.column("who").value_counts().flatten()), strict=True)) for t in left]
    assert all(c == {"a": 5, "b": 5, "c": 5, "d": 5, "e": 1} for c in counts)
    drawn = np.concatenate([t.column("of").to_numpy() for t in left])
    often = np.bincount(drawn[np.isin(drawn, np.flatnonzero(np.array([*"?", *"abacabadabaa" * 9]) == "c"))])
    assert (often[often > 0] > 10).all()  # nine rows of c, five of them each time: each about 33 times
    assert len({t.column("of").to_pylist().__repr__() for t in left}) > 50
    assert bounded(data, "t", Spend(1.0)) is data


def test_a_table_says_whose_its_rows_are_by_a_reference_too() -> None:
    """And one that does not say it is refused, as are rows that nobody bounded."""
    data = rows(["a"] * 9)
    of = data.with_columns("t", {"of": pa.array([0, 0, 0, 1, 1, 1, 1, 2, 2])})
    assert bounded(of, "t", Spend(1.0, 1e-6, "people.id", 2)).rows("t") == 6
    with pytest.raises(FitError, match="whose each row is"):
        bounded(of, "people", BUDGET)
    with pytest.raises(FitError, match=r"at most 5 of one t\.who"):
        Mst(domain=DOMAIN).measure(data, PART, budget=BUDGET, ctx=Context())
    with pytest.raises(FitError, match="the unit of its budget"):
        Mst(domain=DOMAIN).fit(data, Part(PART.produce, budget=BUDGET), Context())


def test_noise_is_as_large_as_the_rows_of_a_unit_ask_for() -> None:
    """Counts change by as many as count, scores by as many times as much, and as many labels by as many rows each."""
    purse = Purse(budget=BUDGET, named=1, owner="test")
    rho = purse.plannable / 4
    sigma = noisy(np.zeros(2), rho=rho, purse=purse)[1]
    assert sigma == pytest.approx(ROWS / math.sqrt(2 * rho), rel=1e-6)
    assert purse.left == pytest.approx(3 * rho)
    chosen(np.array([0.0, 1.0]), sensitivity=2, rho=rho, purse=purse)
    assert purse.left == pytest.approx(2 * rho)
    alone = {f"of one {i}": ROWS for i in range(300)}
    assert set(frequent({"common": 9_000, **alone}, rho=rho, delta=purse.chance, purse=purse)) == {"common"}
    assert purse.left == pytest.approx(rho)
    spend = purse.spend()
    assert (spend.unit, spend.rows) == ("t.who", ROWS)
    assert spend.chance <= purse.most().chance


def test_choices_are_as_uncertain_as_the_rows_of_a_unit_ask_for() -> None:
    """What is ahead by one scale, that of so many rows, is chosen in e of e + 1 draws, not nearly always."""
    purse = Purse(budget=Spend(10.0, 1e-6, "t.who", ROWS), owner="test")
    rho = purse.plannable / 400
    ahead = np.array([0.0, (ROWS + 1 / UNITS) / math.sqrt(2 * rho)])
    drawn = [chosen(ahead, sensitivity=1, rho=rho, purse=purse) for _ in range(300)]
    assert np.mean(drawn) == pytest.approx(math.e / (math.e + 1), abs=0.11)


class Forgetful(Mst):
    """A planted fault: noise for a single row, and the claim for all of one's."""

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        found = super().measure(data, part, budget=Spend(budget.epsilon, budget.delta), ctx=ctx)
        return found._replace(spend=found.spend._replace(unit=budget.unit, rows=budget.rows))


OTHERS = [f"p{i}" for i in range(20)]
NEIGHBOURS = rows(OTHERS), rows([*OTHERS, *["new"] * ROWS], [*["a"] * 20, *["b"] * ROWS])
"""The worst there is: all rows of one that count are alike, and unlike those of all others."""


@pytest.mark.slow
def test_what_is_told_of_all_rows_of_one_is_less_than_what_is_claimed() -> None:
    """Neighbours differ in a whole unit; the bound is below epsilon."""
    found = audit(Mst(domain=DOMAIN), NEIGHBOURS, PART, budget=BUDGET, times=200, gaussian=True)
    assert found.claim <= 1.0
    assert not found.caught


@pytest.mark.slow
def test_forgetting_how_many_rows_count_is_caught() -> None:
    """Spent is 6, claimed is 1."""
    assert audit(Forgetful(domain=DOMAIN), NEIGHBOURS, PART, budget=BUDGET, times=200, gaussian=True).caught
