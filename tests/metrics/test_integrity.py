"""Rules, keys and rows: what is right scores 1, and a single fault shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Rule
from synthwright.metrics.keys import Keys
from synthwright.metrics.rows import Rows
from synthwright.metrics.rules import Rules
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
SIZE, PRICE = "size >= 0", "price <= size * 10"


def ruled(case: Case, *rules: str) -> Case:
    """Return a case with rules for its table."""
    return case._replace(rules=tuple(("thing", Rule(rule=r)) for r in rules))


def with_sizes(case: Case, wrong: int) -> Dataset:
    """Return the synthetic rows, so many of them with a size below 0."""
    size = case.synthetic.tables["thing"].column("size").to_numpy().copy()
    size[:wrong] = -1
    return case.synthetic.with_columns("thing", {"size": pa.array(size)})


def test_rules_hold(second: Case, measure: Measure) -> None:
    """Where every rule holds, the score and its reference are 1, and every rule has one."""
    scores = measure(Rules(), ruled(second, SIZE, PRICE, SIZE))
    assert set(scores) == {"", "worst", SIZE, PRICE}
    assert all((s.value, s.reference, s.high) == (1.0, 1.0, 1.0) for s in scores.values())
    assert all(s.low is not None and 0.99 < s.low < 1 for s in scores.values())


@pytest.mark.parametrize("wrong", [1, 150])
def test_broken_rule_seen(wrong: int, second: Case, measure: Measure) -> None:
    """Rows that break a rule are counted, and one of them is not rounded away."""
    scores = measure(Rules(), ruled(second._replace(synthetic=with_sizes(second, wrong)), SIZE, "colour != 'green'"))
    for about in ("", "worst", SIZE):
        assert scores[about].value == pytest.approx(1 - wrong / 1_500, abs=1e-4)
        assert (scores[about].value or 1.0) < 1
    assert scores["colour != 'green'"].value == 1.0


def test_rules_that_real_rows_break(second: Case, measure: Measure) -> None:
    """A rule that real rows break too has a reference below 1: that of held-out rows, or else of training rows."""
    case = ruled(second, "size < 50")
    for real in (case, case._replace(holdout=None)):
        score = measure(Rules(), real)[""]
        assert score.reference == pytest.approx(score.value, abs=0.05)
        assert (score.reference or 1.0) < 0.9
    assert measure(Rules(), case._replace(holdout=None, train=None))[""].reference is None


def test_rules_of_several_tables(measure: Measure) -> None:
    """A rule of one of several tables names its table."""
    data = toys.two_tables()
    table = next(iter(data.tables))
    column = data.columns(table)[0]
    scores = measure(Rules(), Case(data, data, data, rules=((table, Rule(rule=f"{column} is not null")),)))
    assert f"{table}: {column} is not null" in scores


@pytest.mark.parametrize("rule", ["size >=", "weight > 0", "size > 'large'"])
def test_rule_that_does_not_fit(rule: str, second: Case, measure: Measure) -> None:
    """A rule that cannot be checked is a failure, and so is the whole; the message says no value."""
    scores = measure(Rules(), ruled(second, SIZE, rule))
    assert scores[rule].status == scores[""].status == "failed"
    assert "1 rules could not be checked" in str(scores[""].problem)


def test_no_rules(second: Case, measure: Measure) -> None:
    """Without rules, or without rows, there is nothing to check."""
    assert measure(Rules(), second)[""].problem == "no rules are stated"
    assert measure(Rules(), ruled(second._replace(synthetic=toys.plain(0)), SIZE))[""].status == "not-applicable"


# ----------------------------------------------------------------------------------------------------------- keys
KEY, COUNT = Field(kind=Kind.KEY, type="int64", nulls=False), Field(kind=Kind.INTEGER, nulls=False)
LINK = Field(kind=Kind.REFERENCE, to="shop.id", type="int64")


def shops(ids: list[int | None], links: list[int | None], counts: list[int | None]) -> Dataset:
    """Return shops and their sales."""
    return toys.dataset({
        "shop": {"id": (KEY, ids), "staff": (Field(kind=Kind.INTEGER), [1] * len(ids))},
        "sale": {"shop": (LINK, links), "count": (COUNT, counts)},
    }, keys={"shop": "id"})  # fmt: skip


RIGHT = shops([1, 2, 3, 4], [1, 1, 2, None], [1, 1, 1, 1])


def test_keys_right(measure: Measure) -> None:
    """Unique keys, references that resolve or are null where they may be, and no missing value: all is right."""
    scores = measure(Keys(), Case(RIGHT, None, RIGHT))
    assert set(scores) == {"", "worst", "shop", "sale", "shop.id", "sale.shop"}
    assert all((s.value, s.reference) == (1.0, 1.0) for s in scores.values())
    assert measure(Keys(), Case(None, None, RIGHT))[""].reference is None


@pytest.mark.parametrize(
    ("fake", "about", "value"),
    [
        (shops([1, 2, 2, 2], [1, 1, 2, 2], [1, 1, 1, 1]), "shop.id", 0.5),  # duplicates: the first stands
        (shops([1, 2, 3, None], [1, 1, 2, 2], [1, 1, 1, 1]), "shop.id", 0.75),  # a key that is missing
        (shops([1, 2, 3, 4], [1, 9, 2, 2], [1, 1, 1, 1]), "sale.shop", 0.75),  # a reference to nobody
        (shops([1, 2, 3, 4], [1, 1, 2, 2], [1, None, 1, None]), "sale.count", 0.5),  # missing where nothing may be
    ],
)
def test_wrong_keys_seen(fake: Dataset, about: str, value: float, measure: Measure) -> None:
    """Each fault is counted where it is, and lowers its table and the whole."""
    scores = measure(Keys(), Case(RIGHT, None, fake))
    assert scores[about].value == scores["worst"].value == scores[about.partition(".")[0]].value == value
    assert scores[""].value == pytest.approx((1 + value) / 2, abs=0.006)


def test_unique_column_may_miss_values(measure: Measure) -> None:
    """In a unique column that is no key, nulls are not duplicates."""
    code = Field(kind=Kind.CATEGORY, unique=True)
    for values, right in ((["a", None, None, "b"], 1.0), (["a", "a", None, "b"], 0.75)):
        data = toys.dataset({"t": {"code": (code, values)}})
        assert measure(Keys(), Case(None, None, data))[""].value == right


def test_one_duplicate_in_many_shows(measure: Measure) -> None:
    """One wrong key of a hundred thousand is not rounded away."""
    ids = np.arange(100_000)
    ids[-1] = 0
    data = toys.dataset({"t": {"id": (KEY, ids)}}, keys={"t": "id"})
    assert measure(Keys(), Case(None, None, data))[""].value == pytest.approx(0.99999, abs=1e-7)


def test_missing_key_column(measure: Measure) -> None:
    """A key column that is not there is a failure."""
    fake = RIGHT.select("shop", ["staff"])
    scores = measure(Keys(), Case(RIGHT, None, fake))
    assert scores["shop.id"].status == scores[""].status == "failed"


def test_no_keys(measure: Measure) -> None:
    """A table without keys, and where everything may be missing, has nothing to check."""
    lone = toys.one_column()
    assert measure(Keys(), Case(lone, None, lone))[""].status == "not-applicable"


# ----------------------------------------------------------------------------------------------------------- rows
@pytest.mark.parametrize(("asked", "value"), [(1_500, 1.0), (3_000, 0.5), (1_000, 1.0)])
def test_rows_kept(asked: int, value: float, second: Case, measure: Measure) -> None:
    """Rows that are there are a share of those asked for; more are not better."""
    score = measure(Rows(), second._replace(asked={"thing": asked}))[""]
    assert (score.value, score.reference, score.low, score.high) == (value, 1.0, value, value)


def test_rows_of_tables(measure: Measure) -> None:
    """The whole is the mean over tables, and one row of a million that is missing shows."""
    scores = measure(Rows(), Case(None, None, RIGHT, asked={"shop": 4, "sale": 8}))
    assert [scores[a].value for a in ("", "shop", "sale")] == [0.75, 1.0, 0.5]
    assert measure(Rows(), Case(None, None, RIGHT, asked={"shop": 2, "sale": 8}))[""].value == 0.75
    many = toys.one_column(999_999)
    assert (measure(Rows(), Case(None, None, many, asked={"lone": 1_000_000}))[""].value or 1.0) < 1


@pytest.mark.parametrize("asked", [None, {}, {"thing": 0}])
def test_rows_not_asked(asked: dict[str, int] | None, second: Case, measure: Measure) -> None:
    """Where nobody said how many rows, there is nothing to count against."""
    assert measure(Rows(), second._replace(asked=asked))[""].status == "not-applicable"
