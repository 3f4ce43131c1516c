"""How many rows belong to each row: a plain twin, honest samples, and the faults that no single table shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import PROOF_GATES
from synthwright.core.schema import Field, Kind
from synthwright.metrics import comparing
from synthwright.metrics.cardinality import Cardinality
from synthwright.report.verdict import settle, verdict
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
GATES = tuple(g for g in PROOF_GATES if g.startswith("cardinality"))
LINK = "order.customer"


def shop(customers: int, seed: int, first: int = 0) -> Dataset:
    """Return customers, of whom some order nothing and some a lot, and their orders; keys count from `first`."""
    rng = np.random.default_rng(seed)
    keen = rng.random(customers) < 0.3
    owner = np.repeat(np.arange(customers), rng.negative_binomial(1, np.where(keen, 0.12, 0.4)))
    key = Field(kind=Kind.KEY, type="int64", nulls=False)
    link = Field(kind=Kind.REFERENCE, to="customer.id", type="int64")
    amount = (Field(kind=Kind.NUMBER), rng.lognormal(size=len(owner)))
    return toys.dataset({
        "customer": {"id": (key, np.arange(customers) + first), "keen": (Field(kind=Kind.BOOLEAN), keen)},
        "order": {"customer": (link, owner + first), "amount": amount},
    }, keys={"customer": "id"})  # fmt: skip


@pytest.fixture(scope="module")
def honest() -> Case:
    """Return a case whose synthetic rows are a second real sample."""
    return Case(shop(500, 1), shop(150, 2, 1_000), shop(500, 3))


def given_to(data: Dataset, owner: np.ndarray) -> Dataset:
    """Return the orders with other customers."""
    return data.with_columns("order", {"customer": pa.array(owner.astype(np.int64))})


def refused(scores: dict[str, Score]) -> bool:
    """Return whether the default gates refuse."""
    return verdict(settle(list(scores.values()), GATES)) == "refused"


def test_plain_twin(honest: Case, measure: Measure) -> None:
    """The value is the largest difference in the share of customers with at most so many orders."""
    assert honest.holdout is not None
    held, made = (np.array([0] * d.rows("customer")) for d in (honest.holdout, honest.synthetic))
    for data, counts in ((honest.holdout, held), (honest.synthetic, made)):
        first = data.column("customer.id")[0].as_py()
        for owner in data.column(LINK).to_pylist():
            counts[owner - first] += 1
    twin = max(abs((held <= n).mean() - (made <= n).mean()) for n in range(60))
    scores = measure(Cardinality(), honest)
    assert set(scores) == {"", "worst", LINK}
    assert scores[""].value == pytest.approx(twin, abs=0.001)
    assert scores["worst"].problem == LINK


@pytest.mark.parametrize("seed", range(8))
def test_a_second_sample_passes(seed: int, measure: Measure) -> None:
    """A second real sample of another size passes, with held-out rows or without."""
    case = Case(shop(400, seed), shop(100, seed + 100, 1_000), shop(500, seed + 200))
    assert not refused(measure(Cardinality(), case))
    assert not refused(measure(Cardinality(), case._replace(holdout=None)))


@pytest.mark.parametrize("fault", ["constant", "all on one", "none without", "at random", "twice as many"])
def test_wrong_numbers_are_refused(fault: str, honest: Case, measure: Measure) -> None:
    """As many orders for every customer, all for one, nobody without, no favourites, or twice as many: refused."""
    data, rng = honest.synthetic, np.random.default_rng(4)
    owner, rows = data.column(LINK).to_numpy(), data.rows("order")
    match fault:
        case "constant":
            made = given_to(data, np.arange(rows) * 500 // rows)
        case "all on one":
            made = given_to(data, np.zeros(rows))
        case "none without":
            made = data.filter("customer", np.isin(np.arange(500), owner))
        case "at random":
            made = given_to(data, rng.integers(0, 500, rows))
        case _:
            made = data.filter("customer", np.arange(500) < 250)
            made = given_to(made, owner // 2)
    for given in (honest, honest._replace(holdout=None)):
        scores = measure(Cardinality(), given._replace(synthetic=made))
        assert refused(scores)
        assert scores["worst"].problem == LINK


def test_orders_by_nobody_lower_the_numbers(honest: Case, measure: Measure) -> None:
    """References that are null, or lead nowhere, give nobody an order."""
    data = honest.synthetic
    gone = np.where(np.arange(data.rows("order")) % 2 == 0, 10**6, data.column(LINK).to_numpy())
    assert refused(measure(Cardinality(), honest._replace(synthetic=given_to(data, gone))))


def test_rows_of_both_sides_count(measure: Measure) -> None:
    """A held-out parent has its children among training rows, too: links may cross the two sides."""
    whole = shop(800, 7)
    rng = np.random.default_rng(8)
    unseen, later = rng.random(800) < 0.25, rng.random(whole.rows("order")) < 0.25
    train = whole.filter("customer", ~unseen).filter("order", ~later)
    holdout = whole.filter("customer", unseen).filter("order", later)
    scores = measure(Cardinality(), Case(train, holdout, shop(600, 9)))
    assert not refused(scores)
    assert (scores[""].value or 1.0) < 0.1


def test_a_table_that_all_share(honest: Case, measure: Measure) -> None:
    """Where the parents are the same everywhere, numbers are compared as if all had as many children."""
    assert honest.train is not None
    few, rng = honest.train.tables["customer"], np.random.default_rng(1)
    weight = rng.lognormal(0, 1, 500)

    def sample(rows: int, weights: np.ndarray) -> Dataset:
        owner = rng.choice(500, rows, p=weights / weights.sum())
        orders = pa.table({"customer": owner, "amount": rng.lognormal(size=rows)})
        return Dataset(honest.synthetic.schema, {"customer": few, "order": orders})

    case = Case(sample(4_000, weight), sample(1_000, weight), sample(12_000, weight))
    scores = measure(Cardinality(), case)
    assert not refused(scores)
    assert "the same rows on all sides" in str(scores[""].problem)
    assert refused(measure(Cardinality(), case._replace(synthetic=sample(12_000, np.ones(500)))))


def test_its_own_table(measure: Measure) -> None:
    """Who reports to whom: a link of a table to itself is one like others."""
    key, link = Field(kind=Kind.KEY, type="int64"), Field(kind=Kind.REFERENCE, to="staff.id", type="int64")

    def staff(rows: int, seed: int, first: int = 0, *, flat: bool = False) -> Dataset:
        rng = np.random.default_rng(seed)
        heads = rng.integers(0, rows if flat else rows // 8, rows)
        boss = [None if i < 5 else int(h) + first for i, h in enumerate(heads)]
        return toys.dataset({"staff": {"id": (key, np.arange(rows) + first), "boss": (link, boss)}})

    case = Case(staff(600, 1), staff(200, 2, 10_000), staff(600, 3))
    assert not refused(measure(Cardinality(), case))
    assert refused(measure(Cardinality(), case._replace(synthetic=staff(600, 4, flat=True))))


def test_sampling_is_said(honest: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit parents are sampled, and the score says so."""
    monkeypatch.setattr(comparing, "MOST_ROWS", 300)
    score = measure(Cardinality(), honest)[""]
    said = "300 of 500 synthetic rows, 300 of 500 training rows"
    assert score.problem == f"{LINK}: measured on a random sample: {said}"


def test_nothing_to_compare(honest: Case, second: Case, measure: Measure) -> None:
    """No real rows, no links, too few rows: not applicable, and no gate fails."""
    few = Case(shop(3, 1), shop(3, 2), shop(3, 3))
    for case in (honest._replace(train=None, holdout=None), second, few):
        scores = measure(Cardinality(), case)
        assert scores[""].status == "not-applicable"
        assert not refused(scores)


def test_missing_columns_and_rows_fail(honest: Case, measure: Measure) -> None:
    """A reference or a key that is not there, or a parent table without rows, is a failure and no number."""
    data = honest.synthetic
    for made in (data.select("order", ["amount"]), data.select("customer", ["keen"]),
                 data.filter("customer", np.zeros(500, dtype=bool))):  # fmt: skip
        scores = measure(Cardinality(), honest._replace(synthetic=made))
        assert scores[""].status == scores[LINK].status == "failed"
        assert refused(scores)
