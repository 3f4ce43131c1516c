"""How rows depend on those they belong to: plain twins, honest samples, and permuted references refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import PROOF_GATES
from synthwright.core.schema import Field, Kind
from synthwright.metrics import comparing
from synthwright.metrics.link_trend import LinkTrend
from synthwright.report.verdict import settle, verdict
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
GATES = tuple(g for g in PROOF_GATES if g.startswith("link-trend"))
LINK = "order.customer"
KEY = Field(kind=Kind.KEY, type="int64", nulls=False)
NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def shop(customers: int, seed: int, first: int = 0, habit: float = 0.0) -> Dataset:
    """Return customers and orders: gold ones order more, the old by phone, all of a size that is theirs (habit)."""
    rng = np.random.default_rng(seed)
    gold, age = rng.random(customers) < 0.3, rng.normal(45, 12, customers)
    owner = np.repeat(np.arange(customers), rng.poisson(np.where(gold, 5, 2)))
    phone = rng.random(len(owner)) < 1 / (1 + np.exp((45 - age[owner]) / 8))
    amount = rng.normal(size=len(owner)) + habit * rng.normal(size=customers)[owner] + 0.04 * (age[owner] - 45)
    link = Field(kind=Kind.REFERENCE, to="customer.id", type="int64")
    return toys.dataset({
        "customer": {"id": (KEY, np.arange(customers) + first), "tier": (LABEL, np.where(gold, "gold", "plain")),
                     "age": (NUMBER, age)},
        "order": {"customer": (link, owner + first), "by": (LABEL, np.where(phone, "phone", "web")),
                  "amount": (NUMBER, amount)},
    }, keys={"customer": "id"})  # fmt: skip


@pytest.fixture(scope="module")
def honest() -> Case:
    """Return a case whose synthetic rows are a second real sample."""
    return Case(shop(500, 1), shop(200, 2, 1_000), shop(500, 3))


def permuted(data: Dataset, seed: int = 0) -> Dataset:
    """Return the data with every order given to another's customer: as many for each as before."""
    owner = np.random.default_rng(seed).permutation(data.column(LINK).to_numpy())
    return data.with_columns("order", {"customer": pa.array(owner)})


def refused(scores: dict[str, Score]) -> bool:
    """Return whether the default gates refuse."""
    return verdict(settle(list(scores.values()), GATES)) == "refused"


def beyond(pairs: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Return the share of each pair of labels less what it were if they had nothing to do with each other."""
    ones, twos = ({x for x, _ in pairs}, {y for _, y in pairs})
    return {(x, y): pairs.count((x, y)) / len(pairs) - sum(p[0] == x for p in pairs) * sum(p[1] == y for p in pairs)
            / len(pairs) ** 2 for x, y in product(ones, twos)}  # fmt: skip


def test_plain_twin_of_labels(measure: Measure) -> None:
    """Half the summed difference of what tables of two labels hold beyond their margins."""
    case = Case(shop(100, 1), shop(60, 2, 1_000), shop(100, 3))
    assert case.holdout is not None
    found = []
    for data in (case.holdout, case.synthetic):
        tier = dict(zip(data.column("customer.id").to_pylist(), data.column("customer.tier").to_pylist(), strict=True))
        orders = zip(data.column(LINK).to_pylist(), data.column("order.by").to_pylist(), strict=True)
        found.append(beyond([(tier[o], by) for o, by in orders]))
    twin = sum(abs(found[0][cell] - found[1][cell]) for cell in found[0]) / 2
    score = measure(LinkTrend(), case._replace(train=case.synthetic))["customer.tier ~ order.by"]
    assert score.value == pytest.approx(twin, abs=0.006)


def test_plain_twin_of_numbers(honest: Case, measure: Measure) -> None:
    """Half the difference of the rank correlations, of joined columns and of numbers of children."""
    from scipy.stats import spearmanr

    assert honest.holdout is not None
    joined, counted = [], []
    for data in (honest.holdout, honest.synthetic):
        names = data.column("customer.id").to_pylist()
        age = dict(zip(names, data.column("customer.age").to_pylist(), strict=True))
        owner = data.column(LINK).to_pylist()
        joined.append(spearmanr([age[o] for o in owner], data.column("order.amount").to_numpy())[0])
        counted.append(spearmanr([age[n] for n in names], [owner.count(n) for n in names])[0])
    scores = measure(LinkTrend(), honest._replace(train=honest.synthetic))
    assert scores["customer.age ~ order.amount"].value == pytest.approx(abs(joined[0] - joined[1]) / 2, abs=0.002)
    assert scores[f"{LINK} ~ customer.age"].value == pytest.approx(abs(counted[0] - counted[1]) / 2, abs=0.002)


def test_every_pair_has_a_score(honest: Case, measure: Measure) -> None:
    """Parents' columns beside children's and their number, and children's beside their siblings'."""
    scores = measure(LinkTrend(), honest)
    own = {f"customer.{p} ~ order.{c}" for p, c in product(("tier", "age"), ("by", "amount"))}
    count, beside = (
        {f"{LINK} ~ customer.{p}" for p in ("tier", "age")},
        {f"{LINK} ~ order.{c}" for c in ("by", "amount")},
    )
    assert set(scores) == {"", "worst", *own, *count, *beside}
    values = [scores[a].value or 0.0 for a in own | count | beside]
    assert scores[""].value == pytest.approx(np.mean(values), abs=0.001)


@pytest.mark.parametrize("seed", range(8))
def test_a_second_sample_passes(seed: int, measure: Measure) -> None:
    """A second real sample passes, though orders of one customer are alike; with held-out rows or without."""
    case = Case(shop(300, seed, habit=2.0), shop(80, seed + 50, 1_000, habit=2.0), shop(350, seed + 90, habit=2.0))
    assert not refused(measure(LinkTrend(), case))
    assert not refused(measure(LinkTrend(), case._replace(holdout=None)))


@pytest.mark.parametrize("holdout", [True, False])
def test_permuted_references_are_refused(holdout: bool, honest: Case, measure: Measure) -> None:  # noqa: FBT001
    """Every order given to another customer: what they have in common is gone."""
    case = honest if holdout else honest._replace(holdout=None)
    scores = measure(LinkTrend(), case._replace(synthetic=permuted(case.synthetic)))
    assert refused(scores)
    assert scores["worst"].problem in {"customer.age ~ order.by", "customer.age ~ order.amount"}


def test_likeness_of_siblings_is_seen(measure: Measure) -> None:
    """Where only the orders of one customer are alike, and no column of the customer says how, it is seen too."""
    train, holdout, made = (shop(n, s, f, habit=1.5) for n, s, f in ((500, 1, 0), (200, 2, 1_000), (500, 3, 0)))
    case = Case(train, holdout, made)
    assert not refused(measure(LinkTrend(), case))
    scores = measure(LinkTrend(), case._replace(synthetic=permuted(made)))
    worse = {a: (s.value or 0.0) - (s.reference or 0.0) - (s.chance or 0.0) for a, s in scores.items()}
    assert worse[f"{LINK} ~ order.amount"] > 0.05


def test_who_has_more_children_is_seen(honest: Case, measure: Measure) -> None:
    """Customers exchange all their orders: gold ones have no more than others."""
    shuffled = np.random.default_rng(3).permutation(500)
    owner = shuffled[honest.synthetic.column(LINK).to_numpy()]
    made = honest.synthetic.with_columns("order", {"customer": pa.array(owner)})
    scores = measure(LinkTrend(), honest._replace(synthetic=made))
    assert refused(scores)
    score = scores[f"{LINK} ~ customer.tier"]
    assert (score.value or 0.0) > (score.reference or 0.0) + (score.chance or 1.0)


def transfers(rows: int, seed: int, first: int = 0) -> Dataset:
    """Return accounts and transfers from one to another; accounts have one that opened them."""
    rng = np.random.default_rng(seed)
    link = Field(kind=Kind.REFERENCE, to="account.id", type="int64")
    size = rng.normal(size=rows)
    sender, receiver = rng.integers(0, rows, (2, rows * 3))
    opener = [None if i < 9 else first + int(rng.integers(0, i)) for i in range(rows)]
    return toys.dataset({
        "account": {"id": (KEY, np.arange(rows) + first), "size": (NUMBER, size), "opener": (link, opener)},
        "transfer": {"sender": (link, sender + first), "receiver": (link, receiver + first),
                     "amount": (NUMBER, size[sender] + rng.normal(size=rows * 3))},
    }, keys={"account": "id"})  # fmt: skip


def test_links_to_one_table_are_told_apart(measure: Measure) -> None:
    """Two links to one table, and one to its own, are named where their pairs would be called alike."""
    case = Case(transfers(300, 1), transfers(100, 2, 1_000), transfers(300, 3))
    scores = measure(LinkTrend(), case)
    names = {f"transfer.{x} ~ account.size ~ transfer.amount" for x in ("sender", "receiver")}
    names |= {f"{x} ~ account.size" for x in ("transfer.sender", "transfer.receiver", "account.opener")}
    assert names | {"account.opener ~ account.size ~ account.size"} < set(scores)
    assert not refused(scores)
    sender, receiver = (case.synthetic.column(f"transfer.{c}") for c in ("sender", "receiver"))
    swapped = case.synthetic.with_columns("transfer", {"sender": receiver, "receiver": sender})
    assert refused(measure(LinkTrend(), case._replace(synthetic=swapped)))


def test_pairs_are_bounded(honest: Case, measure: Measure) -> None:
    """So many pairs are measured at most, drawn at random; so many have a score of their own."""
    scores = measure(LinkTrend(pairs=5, listed=2), honest)
    assert len(scores) == 4
    assert "measured on 5 of 8 pairs, drawn at random" in str(scores[""].problem)


def test_sampling_is_said(honest: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit children are sampled with their siblings, and the score says so."""
    monkeypatch.setattr(comparing, "MOST_ROWS", 500)
    score = measure(LinkTrend(), honest)[""]
    assert score.status == "ok"
    assert str(score.problem).startswith(f"{LINK}: measured on a random sample: 500 of ")


def test_nothing_to_compare(honest: Case, second: Case, measure: Measure) -> None:
    """No real rows, no links, no column to compare: not applicable, and no gate fails."""
    bare = toys.dataset({"a": {"id": (KEY, range(9))},
                         "b": {"a": (Field(kind=Kind.REFERENCE, to="a.id", type="int64"), range(9))}})  # fmt: skip
    for case in (honest._replace(train=None, holdout=None), second, Case(bare, bare, bare)):
        scores = measure(LinkTrend(), case)
        assert scores[""].status == "not-applicable"
        assert not refused(scores)


def test_missing_columns_fail(honest: Case, measure: Measure) -> None:
    """A column that is not there is a failure, and so is the whole."""
    made = honest.synthetic.select("order", ["customer", "by"])
    scores = measure(LinkTrend(), honest._replace(synthetic=made))
    assert scores["order.amount"].status == scores[""].status == "failed"
    assert refused(scores)
    assert refused(measure(LinkTrend(), honest._replace(synthetic=honest.synthetic.select("order", ["by"]))))
