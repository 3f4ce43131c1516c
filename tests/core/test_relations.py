"""Relations that hold in every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import synthwright
from synthwright.core.dataset import Dataset
from synthwright.core.relations import find
from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.kit.constraints.expressions import holds

ROWS = 1_000
NUMBER, INTEGER, CATEGORY, DATE = (Field(kind=k) for k in (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.DATE))
CENTS = Field(kind=Kind.NUMBER, step=0.01)
Columns = dict[str, tuple[Field, Any]]


def column(field: Field, values: Any) -> pa.Array:
    """Return values as a column of the field's type; dates and instants as their integers."""
    kind = canonical(field)
    if pa.types.is_temporal(kind) and not isinstance(values, pa.Array):
        return pa.array(values, pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def dataset(columns: Columns) -> Dataset:
    """Return one table."""
    table = Table(fields={n: f for n, (f, _) in columns.items()})
    return Dataset(Schema(tables={"t": table}), {"t": pa.table({n: column(f, v) for n, (f, v) in columns.items()})})


def found(columns: Columns) -> list[str]:
    """Return the rules that are found, after holding the data to them."""
    data = dataset(columns)
    rules = find(data)["t"]
    hold_all(data, rules)
    return [r.rule for r in rules]


def hold_all(data: Dataset, rules: Any) -> None:
    """Assert that the language of rules agrees with the search."""
    name = data.schema.only
    for rule in rules:
        assert faults(parse(rule.rule), data.schema.tables[name]) == []
        assert holds(data.tables[name], rule.rule, data.schema.tables[name]).all(), rule.rule
        assert rule.why.startswith("holds in all ")


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(7)


def test_columns_that_have_nothing_to_do_with_each_other_give_nothing(rng: np.random.Generator) -> None:
    """Independent columns of every kind, scales apart or not, with nulls or without, have no relations."""
    assert found({
        "age": (INTEGER, rng.integers(18, 90, ROWS)),
        "salary": (INTEGER, rng.integers(20_000, 90_000, ROWS)),
        "x": (NUMBER, rng.normal(size=ROWS)),
        "y": (NUMBER, [None if v < -1 else float(v) for v in rng.normal(size=ROWS)]),
        "c": (CATEGORY, rng.integers(0, 5, ROWS).astype(str)),
        "d": (CATEGORY, rng.integers(0, 300, ROWS).astype(str)),
        "b": (Field(kind=Kind.BOOLEAN), rng.random(ROWS) < 0.01),
        "same": (CATEGORY, ["only"] * ROWS),
        "none": (NUMBER, [None] * ROWS),
        "birth": (DATE, rng.integers(0, 9000, ROWS)),
        "visit": (DATE, rng.integers(16_000, 19_000, ROWS)),
    }) == []  # fmt: skip


def test_equal_columns(rng: np.random.Generator) -> None:
    """A column that equals an earlier one, nulls included, is said to; texts, numbers and integers beside floats."""
    whole = [None if i % 7 == 0 else int(v) for i, v in enumerate(rng.integers(0, 99, ROWS))]
    floats = [None if v is None else float(v) for v in whole]
    label = rng.integers(0, 9, ROWS).astype(str)
    assert found({"a": (INTEGER, whole), "b": (NUMBER, floats), "c": (CATEGORY, label), "d e": (CATEGORY, label)}) == [
        "b == a",
        "`d e` == c",
    ]


def test_one_differing_row_ends_equality(rng: np.random.Generator) -> None:
    """One row of many is enough to say nothing; one that is missing is not."""
    a = rng.integers(0, 5000, 20_000)
    b, c = a.copy(), [*a.tolist()[:-1], None]
    b[12_345] += 1
    assert found({"a": (INTEGER, a), "b": (INTEGER, b), "c": (INTEGER, c)}) == ["c == a"]


def test_a_line_that_is_met_exactly_is_preferred_to_a_rounder_one(rng: np.random.Generator) -> None:
    """Half a step is lost where a constant is cut short: 273.15 is no 273.1."""
    celsius = np.round(rng.normal(15, 8, ROWS), 1)
    kelvin = Field(kind=Kind.NUMBER, step=0.05)
    rules = found({"c": (Field(kind=Kind.NUMBER, step=0.1), celsius), "k": (kelvin, np.round(celsius + 273.15, 2))})
    assert rules == ["k == c + 273.15"]


def test_a_sum_makes_no_column_that_is_a_product_and_a_source(rng: np.random.Generator) -> None:
    """Of an order's gross, discount and net, gross stays quantity times price."""
    quantity, price = rng.integers(1, 9, ROWS), rng.choice([4.99, 9.99, 19.95, 49.0], ROWS)
    share = rng.choice([0, 5, 10, 25], ROWS)
    gross = np.round(quantity * price, 2)
    discount = np.round(gross * share / 100, 2)
    rules = found({"quantity": (INTEGER, quantity), "price": (CENTS, price), "gross": (CENTS, gross),
                   "share": (INTEGER, share), "discount": (CENTS, discount),
                   "net": (CENTS, np.round(gross - discount, 2))})  # fmt: skip
    assert rules[:3] == ["net == gross - discount", "gross == quantity * price", "discount == 0.01 * gross * share"]


def test_a_total_of_many_columns(rng: np.random.Generator) -> None:
    """Sixty counts of a sample add up to its total."""
    counts = rng.negative_binomial(2, 0.05, (300, 60))
    columns: Columns = {f"n{i}": (INTEGER, counts[:, i]) for i in range(60)}
    rules = found({**columns, "total": (INTEGER, counts.sum(axis=1))})
    assert f"total == {' + '.join(f'n{i}' for i in range(60))}" in rules


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda a: (NUMBER, a * 1.8 + 32), "b == 1.8 * a + 32"),
        (lambda a: (INTEGER, (2 * a - 3).astype(np.int64)), "b == 2 * a - 3"),
        (lambda a: (NUMBER, 100 - a), "b == -1 * a + 100"),
        (lambda a: (NUMBER, a / 1e6), "a == 1000000 * b"),
        (lambda a: (CENTS, np.round(a * 0.19, 2)), "b == 0.19 * a"),
        (lambda a: (NUMBER, a * 2.20462), "b == 2.20462 * a"),
    ],
)
def test_lines(make: Any, rule: str, rng: np.random.Generator) -> None:
    """A column that is another times a number plus a number is said to, with the numbers a person would write."""
    a = rng.integers(1, 5000, ROWS).astype(float)
    assert found({"a": (NUMBER, a), "b": make(a)}) == [rule]


def test_a_nearly_straight_line_is_none(rng: np.random.Generator) -> None:
    """Noise of a hundredth of a percent is no line."""
    a = rng.uniform(1, 100, ROWS)
    assert found({"a": (NUMBER, a), "b": (NUMBER, a * 2 + 300 + rng.normal(0, 1e-3, ROWS))}) == []


def test_dates(rng: np.random.Generator) -> None:
    """Shifted dates, parts of dates, days between dates, and their order."""
    start = rng.integers(10_000, 12_000, ROWS)
    stay = rng.integers(0, 60, ROWS)
    when = pa.array(start, pa.int32()).cast(pa.date32())
    parts: Columns = {
        "start": (DATE, start), "end": (DATE, start + stay), "due": (DATE, start + 30), "stay": (INTEGER, stay),
        "year": (INTEGER, pa.compute.year(when)), "month": (INTEGER, pa.compute.month(when)),
    }  # fmt: skip
    assert set(found(parts)) == {"due == start + 30", "stay == end - start", "year == year(start)",
                                 "month == month(start)", "start <= end"}  # fmt: skip
    moment = Field(kind=Kind.DATETIME)
    lasted = Field(kind=Kind.DURATION)
    hours = rng.integers(1, 100, ROWS) * 3_600_000_000
    at = start * 86_400_000_000 + rng.integers(0, 86_400, ROWS) * 1_000_000
    assert set(found({"a": (moment, at), "b": (moment, at + hours), "c": (lasted, hours)})) == {"c == b - a", "a <= b"}


def test_totals(rng: np.random.Generator) -> None:
    """Sums of two and of many columns, shares of a whole, totals of totals; in any order of columns, with nulls."""
    parts = np.round(rng.lognormal(2, 1, (ROWS, 6)), 2)
    hole = rng.random(ROWS) < 0.1
    columns: Columns = {f"p{i}": (CENTS, parts[:, i]) for i in range(6)}
    columns = {"all": (CENTS, np.round(parts.sum(axis=1), 2)), **columns}
    columns["some"] = (CENTS, np.round(parts[:, :3].sum(axis=1), 2))
    share = rng.dirichlet(np.ones(3), ROWS)
    for i in range(3):
        columns[f"s{i}"] = (NUMBER, pa.array(share[:, i], mask=hole))
    together = {"(s1 is null) == (s0 is null)", "(s2 is null) == (s0 is null)"}
    assert set(found(columns)) - together in (
        {"some == p0 + p1 + p2", "all == some + p3 + p4 + p5", "s0 + s1 + s2 == 1"},
        {"some == p0 + p1 + p2", "all == p3 + p4 + p5 + some", "s0 + s1 + s2 == 1"},
    )


def test_sums_with_factors(rng: np.random.Generator) -> None:
    """Gross of a net price with tax, and postage; twice a middle."""
    net, post = np.round(rng.lognormal(3, 1, (2, ROWS)), 2)
    assert found({"net": (NUMBER, net), "post": (NUMBER, post), "gross": (NUMBER, net * 1.19 + post)}) == [
        "gross == 1.19 * net + post"
    ]
    low, high = rng.integers(0, 999, (2, ROWS)) * 2
    (middle,) = found({"low": (INTEGER, low), "high": (INTEGER, high), "middle": (INTEGER, (low + high) // 2)})
    assert middle in ("middle == 0.5 * low + 0.5 * high", "high + low == 2 * middle", "2 * middle == low + high")


@pytest.mark.parametrize("size", [3, 7, 11])
def test_a_sum_to_the_cent_beats_a_line_that_is_rounded(size: int, rng: np.random.Generator) -> None:
    """Gross is net and tax exactly, and 1.19 times net only nearly; tax is 19 % of net as far as cents go."""
    net = np.round(rng.lognormal(size, 1, ROWS), 2)
    tax = np.round(0.19 * net, 2)
    gross, paid = np.round(net + tax, 2), np.round(net + tax + np.round(rng.gamma(2, 3, ROWS), 2), 2)
    post = np.round(paid - gross, 2)
    money = {"net": (CENTS, net), "tax": (CENTS, tax), "gross": (CENTS, gross)}
    assert found(money) == ["tax == 0.19 * net", "gross == net + tax"]
    assert found({"tax": money["tax"], "post": (CENTS, post), "paid": (CENTS, paid), "net": money["net"]}) == [
        "tax == 0.19 * net", "paid == post + net + tax"
    ]  # fmt: skip


@pytest.mark.parametrize("generator", ["marginals", "copula"])
def test_made_rows_add_up_to_the_cent(generator: str, rng: np.random.Generator) -> None:
    """In every row that is made, tax is 19 % of net in cents, and gross is both together."""
    net = np.round(rng.gamma(2, 500, ROWS), 2)
    tax = np.round(0.19 * net, 2)
    real = pa.table({"net": net, "tax": tax, "gross": np.round(net + tax, 2), "kind": rng.choice(["a", "b"], ROWS)})
    made = synthwright.fit(real, generator, seed=1).sample(3 * ROWS, seed=2)
    cents = {c: np.rint(100 * made.column(c).to_numpy()) for c in ("net", "tax", "gross")}
    assert np.array_equal(cents["gross"], cents["net"] + cents["tax"])
    assert np.abs(cents["tax"] - 0.19 * cents["net"]).max() <= 0.5 + 1e-6


def test_a_total_may_stand_before_its_rounded_parts(rng: np.random.Generator) -> None:
    """Where both parts are shares of the total, one of them is left to the sum."""
    gross = np.round(rng.gamma(2, 500, ROWS), 2)
    net = np.round(gross / 1.19, 2)
    rules = found({"gross": (CENTS, gross), "net": (CENTS, net), "tax": (CENTS, np.round(gross - net, 2))})
    assert {"gross == net + tax", "gross == tax + net"} & {*rules}
    assert sum("*" in rule or "/" in rule for rule in rules) <= 1


def test_a_sum_that_fails_in_one_row_of_many_is_none(rng: np.random.Generator) -> None:
    """The sample is not trusted: all rows are added up."""
    a, b = rng.integers(0, 999, (2, 50_000))
    total = a + b
    total[41_000] += 1
    rules = found({"a": (INTEGER, a), "b": (INTEGER, b), "total": (INTEGER, total)})
    assert not any("==" in rule for rule in rules)


def test_rare_values_do_not_hide_a_sum(rng: np.random.Generator) -> None:
    """A part that is nearly always zero is found by the rows that contradict the sum without it."""
    a, b = rng.integers(0, 999, (2, 200_000))
    rare = np.where(np.arange(200_000) % 9973 == 17, 5, 0)
    rules = found({"a": (INTEGER, a), "b": (INTEGER, b), "rare": (INTEGER, rare), "total": (INTEGER, a + b + rare)})
    assert "total == a + b + rare" in rules


def test_dependencies_are_reduced(rng: np.random.Generator) -> None:
    """Chains are said link by link, names and numbers of the same thing in both directions, to the first of them."""
    city = rng.integers(0, 30, ROWS)
    columns: Columns = {
        "zip": (CATEGORY, city.astype(str)),
        "city": (CATEGORY, np.char.add("c", city.astype(str))),
        "number": (INTEGER, city * city),
        "land": (CATEGORY, (city // 5).astype(str)),
        "eu": (Field(kind=Kind.BOOLEAN), city < 15),
    }
    assert found(columns) == [
        "zip -> city", "zip -> number", "zip -> land", "city -> zip", "number -> zip", "land -> eu",
    ]  # fmt: skip


def test_what_repeats_too_little_determines_nothing(rng: np.random.Generator) -> None:
    """A column with nearly as many values as rows, a group's single exception, or a constant prove nothing."""
    name = rng.integers(0, 800, ROWS)
    land = rng.integers(0, 5, 800)[name].astype(str)
    other = land.copy()
    other[17] = "0" if other[17] == "1" else "1"
    columns: Columns = {"name": (CATEGORY, name.astype(str)), "land": (CATEGORY, land), "other": (CATEGORY, other)}
    assert found(columns) == []


def test_a_dependency_needs_every_row_and_enough_of_them(rng: np.random.Generator) -> None:
    """One exception among many rows ends a dependency; a value that is nearly always the same proves none."""
    rows = 40_000
    city = rng.integers(0, 50, rows)
    land = city % 7
    land[31_234] = (land[31_234] + 1) % 7
    assert found({"city": (CATEGORY, city.astype(str)), "land": (CATEGORY, land.astype(str))}) == []
    rare = np.where(city == 7, "yes", "no")[:500]
    rare[city[:500] == 7] = np.where(np.arange((city[:500] == 7).sum()) < 3, "yes", "no")
    code = np.where(rare == "yes", "x", city[:500].astype(str))
    assert found({"code": (CATEGORY, code), "rare": (CATEGORY, rare)}) == []


def test_orders_are_reduced_and_strict_where_they_touch(rng: np.random.Generator) -> None:
    """A chain is said link by link; `<` only where the values come within one step and are never equal."""
    step = Field(kind=Kind.INTEGER, step=1)
    low = rng.integers(0, 100, ROWS)
    middle = low + rng.integers(1, 9, ROWS)
    high = middle + rng.integers(0, 9, ROWS)
    assert set(found({"low": (step, low), "middle": (step, middle), "high": (step, high)})) == {
        "low < middle",
        "middle <= high",
    }


def test_scales_apart_or_zero_together_are_no_order(rng: np.random.Generator) -> None:
    """What is never greater only because it is measured otherwise, or because both are zero at once, is not said."""
    empty = rng.random(ROWS) < 0.3
    share, length = np.where(empty, 0, rng.random(ROWS)), np.where(empty, 0, rng.normal(50, 5, ROWS))
    rules = found({"age": (INTEGER, rng.integers(18, 90, ROWS)), "weight": (INTEGER, rng.integers(89, 200, ROWS)),
                   "share": (NUMBER, share), "length": (NUMBER, length)})  # fmt: skip
    assert rules == ["(share == 0) == (length == 0)"]


def test_a_total_is_known_to_exceed_its_parts(rng: np.random.Generator) -> None:
    """A sum of what is never negative needs no order beside it."""
    net, tax = rng.lognormal(3, 1, (2, ROWS))
    rules = found({"net": (NUMBER, net), "tax": (NUMBER, tax), "total": (NUMBER, net + tax)})
    assert rules == ["total == net + tax"]


def test_personal_columns_keys_and_few_rows_take_no_part(rng: np.random.Generator) -> None:
    """What is made anew has no relations to keep; nothing is believed of fewer than twenty rows."""
    a = rng.integers(0, 9, ROWS)
    secret = Field(kind=Kind.CATEGORY, sensitive="name")
    key, text = Field(kind=Kind.KEY, type="int64"), Field(kind=Kind.TEXT)
    said = a.astype(str)
    assert found({"a": (INTEGER, a), "s": (secret, said), "k": (key, a), "t": (text, said)}) == []
    assert found({"a": (INTEGER, a[:19]), "b": (INTEGER, a[:19])}) == []


def test_numbers_that_floats_cannot_tell_apart_are_left_alone(rng: np.random.Generator) -> None:
    """Whole numbers beyond 2**53 and infinities do no harm."""
    big = rng.integers(2**62, 2**62 + 5000, ROWS)
    floats = np.where(rng.random(ROWS) < 0.1, np.inf, rng.random(ROWS))
    assert found({"a": (INTEGER, big), "b": (INTEGER, big + 1), "c": (INTEGER, big), "i": (NUMBER, floats)}) == [
        "c == a"
    ]


def test_why_counts_the_rows() -> None:
    """The reason says in how many rows the relation was seen."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 99, 1234)
    data = dataset({"a": (INTEGER, a), "b": (INTEGER, a), "c": (CATEGORY, (a % 5).astype(str)),
                    "d": (CATEGORY, [None if v % 5 == 0 else str(v % 5 // 2) for v in a])})  # fmt: skip
    assert [(r.rule, r.why) for r in find(data)["t"]][:1] == [("b == a", "holds in all 1,234 rows")]
    assert any("rows that have these values" in r.why for r in find(data)["t"])


def test_wide_tables_end(rng: np.random.Generator) -> None:
    """Four hundred columns are searched at once, and the relation among them is found."""
    columns: Columns = {f"x{i}": (NUMBER, rng.normal(size=600)) for i in range(400)}
    columns["sum"] = (NUMBER, columns["x3"][1] + columns["x300"][1])
    assert found(columns) == ["sum == x3 + x300"]


@pytest.mark.parametrize(
    ("place", "wanted", "most"),
    [
        (
            "benchmark/adult/train",
            {"education -> education_num", "education_num -> education", "capital_gain == 0 or capital_loss == 0"},
            3,
        ),
        ("tabular/titanic/data", {"survived -> alive", "pclass -> class", "embarked -> embark_town"}, 8),
        ("tabular/wine_quality/data", {"free_sulfur_dioxide <= total_sulfur_dioxide"}, 1),
        ("tabular/abalone/data", {"viscera_weight <= whole_weight"}, 2),
        ("tabular/mushrooms/data", set(), 0),
        ("tabular/penguins/data", set(), 0),
        ("healthcare/heart_cleveland/data", set(), 0),
        ("healthcare/heart_failure/data", set(), 0),
        ("sequence/google_stock_timegan/data", {"Low <= Open", "Close <= High", "Low <= Close", "Open <= High"}, 5),
    ],
)
def test_real_tables(real_tables: Path, place: str, wanted: set[str], most: int) -> None:
    """In real tables what holds is found, and hardly anything else."""
    path = real_tables / f"{place}.parquet"
    if not path.exists():
        pytest.skip(f"{place} is not among the real tables of this machine")
    import pyarrow.parquet as pq

    data = Dataset.of(pq.read_table(path))
    rules = find(data)[data.schema.only]
    hold_all(data, rules)
    assert wanted <= {r.rule for r in rules}
    assert len(rules) <= most


def test_what_is_small_beside_a_sum_is_no_term() -> None:
    """Milliseconds are no multiple of seconds that leave some out, and noise does not make up for it."""
    rng = np.random.default_rng(0)
    seconds = 1_704_067_200 + rng.integers(0, 60_000_000, 120)
    noise = rng.normal(size=120).round(3)
    late = {"s": (NUMBER, seconds + 0.25), "ms": (INTEGER, seconds * 1000 + rng.integers(0, 1000, 120))}
    assert found(late | {"v": (NUMBER, noise)}) == []


def test_nanoseconds_are_as_good_as_microseconds() -> None:
    """What pandas holds in nanoseconds has the same order."""
    rng = np.random.default_rng(0)
    begin = rng.integers(1_600_000_000, 1_700_000_000, 300) * 10**9
    end = begin + rng.integers(0, 300_000, 300) * 10**9
    field = Field(kind=Kind.DATETIME, type="timestamp[ns]")
    assert found({"begin": (field, begin), "end": (field, end)}) == ["begin <= end"]
