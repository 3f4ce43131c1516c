"""Dependencies and lattices: what real rows keep to is found; honest samples keep to it, and what breaks it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Rule
from synthwright.metrics import dependencies
from synthwright.metrics.dependencies import Dependencies
from synthwright.metrics.lattices import Lattices
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
LABEL, NUMBER, WHOLE = Field(kind=Kind.CATEGORY), Field(kind=Kind.NUMBER), Field(kind=Kind.INTEGER)
CITIES = np.array(["Aarhus", "Bergen", "Cadiz", "Delft", "Evora"])
LANDS = np.array(["DK", "NO", "ES", "NL", "PT"])


def value(score: Score) -> float:
    """Return a score's value, which it has."""
    assert score.value is not None, score
    return score.value


def behind(score: Score) -> float:
    """Return by how much a score is below its reference beyond what chance does."""
    assert score.reference is not None
    assert score.chance is not None
    return score.reference - score.chance - value(score)


def orders(rows: int, seed: int) -> Dataset:
    """Return orders: a city has a land, no delivery without an address, a total adds up, an end is after its start."""
    rng = np.random.default_rng(seed)
    city, start, net = rng.integers(0, 5, rows), rng.integers(0, 500, rows), rng.integers(1, 9_000, rows) / 100
    tax = rng.integers(1, 2_000, rows) / 100
    sent = rng.random(rows) < 0.4
    price = np.where(rng.random(rows) < 0.7, rng.integers(1, 200, rows) * 5.0, rng.integers(1, 1_000, rows))
    return toys.dataset({"order": {
        "city": (LABEL, CITIES[city]),
        "land": (LABEL, LANDS[city]),
        "start": (WHOLE, start),
        "end": (WHOLE, start + rng.integers(0, 40, rows)),
        "net": (NUMBER, net),
        "tax": (NUMBER, tax),
        "total": (NUMBER, np.round(net + tax, 2)),
        "sent": (Field(kind=Kind.BOOLEAN), sent),
        "weight": (NUMBER, [float(w) if s else None for w, s in zip(rng.normal(5, 1, rows), sent, strict=True)]),
        "price": (WHOLE, price.astype(np.int64)),
    }})  # fmt: skip


@pytest.fixture(scope="module")
def case() -> Case:
    """Return training and held-out orders, and another real sample in the place of synthetic ones."""
    return Case(orders(1_500, 1), orders(800, 2), orders(1_500, 3))


def spoiled(case: Case, column: str, change: Callable[[np.ndarray], Any], share: float = 0.1) -> Case:
    """Return a case in which a share of the synthetic values of a column is another."""
    held = case.synthetic.tables["order"].column(column)
    rows = np.random.default_rng(4).permutation(len(held)) < share * len(held)
    changed = pa.array(change(held.to_numpy()), held.type)
    mixed = pa.compute.if_else(pa.array(rows), changed, held)
    return case._replace(synthetic=case.synthetic.with_columns("order", {column: mixed}))


# ------------------------------------------------------------------------------------------------------ dependencies


def test_relations_are_found(case: Case, measure: Measure) -> None:
    """What nobody declared is found, and an honest sample keeps to all of it."""
    scores = measure(Dependencies(), case)
    assert (scores[""].value, scores[""].reference) == (1.0, 1.0)
    assert "order.city -> order.land" in scores
    assert "order.sent -> order.weight" in scores
    assert {"order.start ~ order.end", "order.total ~ order.net ~ order.tax"} <= set(scores)


@pytest.mark.parametrize(
    ("column", "change", "part"),
    [
        ("land", lambda v: np.roll(v, 1), "order.city -> order.land"),
        ("end", lambda v: v - 600, "order.start ~ order.end"),
        ("total", lambda v: v + 1, "order.total ~ order.net ~ order.tax"),
        ("sent", lambda v: ~v, "order.sent -> order.weight"),
    ],
)
def test_broken_relations_are_seen(
    case: Case, measure: Measure, column: str, change: Callable[[np.ndarray], Any], part: str
) -> None:
    """A relation that a tenth of the rows breaks is the worst, with the share of rows that keep it."""
    scores = measure(Dependencies(), spoiled(case, column, change))
    assert value(scores[part]) == pytest.approx(0.9, abs=0.025)
    assert behind(scores[""]) > 0.05
    assert str(scores["worst"].problem).startswith(part) or value(scores["worst"]) <= value(scores[part])


def test_relations_with_exceptions(measure: Measure) -> None:
    """A relation that a few real rows break is believed all the same, and its reference is less than 1."""

    def real(rows: int, seed: int, share: float) -> Dataset:
        rng = np.random.default_rng(seed)
        start = rng.integers(0, 500, rows)
        odd = rng.random(rows) < share
        end = np.where(odd, start - 30, start + rng.integers(0, 40, rows))
        return toys.dataset({"t": {"start": (WHOLE, start), "end": (WHOLE, end), "x": (NUMBER, rng.random(rows))}})

    scores = measure(Dependencies(), Case(real(4_000, 1, 0.002), real(2_000, 2, 0.002), real(4_000, 3, 0.05)))
    assert value(scores["t.start ~ t.end"]) == pytest.approx(0.95, abs=0.015)
    assert 0.99 < (scores[""].reference or 0) < 1.0
    assert behind(scores[""]) > 0.02


def test_values_of_few_rows(measure: Measure) -> None:
    """What hundreds of values with a handful of rows each say together is a relation too, but for a few exceptions."""

    def places(rows: int, seed: int, wrong: float) -> Dataset:
        rng = np.random.default_rng(seed)
        code = rng.integers(0, 300, rows)
        land = np.where(rng.random(rows) < wrong, code + 1, code) * 7 % 11
        return toys.dataset({"t": {"code": (LABEL, code.astype(np.str_)), "land": (LABEL, land.astype(np.str_))}})

    scores = measure(Dependencies(), Case(places(1_500, 1, 0.003), places(800, 2, 0.003), places(1_500, 3, 0.1)))
    assert value(scores["t.code -> t.land"]) == pytest.approx(0.9, abs=0.03)
    assert behind(scores[""]) > 0.02


def test_relations_in_part(measure: Measure) -> None:
    """Where only some labels say something of another column, these are held to it."""

    def people(rows: int, seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        role = rng.choice(["husband", "wife", "child"], rows, p=[0.4, 0.2, 0.4])
        sex = np.where(role == "husband", "m", np.where(role == "wife", "f", rng.choice(["m", "f"], rows)))
        return toys.dataset({"p": {"role": (LABEL, role), "sex": (LABEL, sex)}})

    train, unseen, fake = (people(n, s) for n, s in ((2_000, 1), (1_000, 2), (2_000, 3)))
    turned = pa.compute.if_else(pa.compute.equal(fake.tables["p"]["sex"], "m"), "f", "m").cast(pa.large_string())
    honest = measure(Dependencies(), Case(train, unseen, fake))
    wrong = measure(Dependencies(), Case(train, unseen, fake.with_columns("p", {"sex": turned})))
    assert (honest[""].value, honest["p.role -> p.sex"].reference) == (1.0, 1.0)
    assert value(wrong[""]) == pytest.approx(0.4, abs=0.04)
    assert not any(word in f"{s.about} {s.problem}" for s in wrong.values() for word in ("husband", "wife", "child"))


def test_declared_rules_do_not_count(case: Case, measure: Measure) -> None:
    """What is declared is the metric of rules' business."""
    texts = (
        "city -> land",
        "start <= end",
        "total == net + tax",
        "(weight is null) == (sent == false)",
        "no rule at (",
    )
    wrong = spoiled(case, "land", lambda v: np.roll(v, 1))
    declared = wrong._replace(rules=tuple(("order", Rule(rule=t)) for t in texts))
    left = set(measure(Dependencies(), declared)) - {"", "worst"}
    assert left == {"order.land -> order.city"}


def test_unrelated_columns(measure: Measure) -> None:
    """Where nothing follows from anything, every row is right, and the score says why."""
    rng = np.random.default_rng(1)
    train, unseen, fake = (
        toys.dataset({"t": {"a": (LABEL, rng.choice(list("xyz"), 500)), "b": (NUMBER, rng.random(500))}})
        for _ in range(3)
    )
    whole = measure(Dependencies(), Case(train, unseen, fake))[""]
    assert (whole.value, whole.reference, whole.chance) == (1.0, 1.0, 0.0)
    assert "no relation" in str(whole.problem)


def test_relations_listed(case: Case, measure: Measure) -> None:
    """Of more relations than are wanted, those that are broken most are told."""
    wrong = spoiled(case, "land", lambda v: np.roll(v, 1))
    scores = measure(Dependencies(listed=2), wrong)
    assert set(scores) == {"", "worst", "order.city -> order.land", "order.land -> order.city"}


@pytest.mark.parametrize("limit", [1_000_000, 0])
def test_tops_as_by_hand(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Counting many labels and few gives what counting by hand gives."""
    monkeypatch.setattr(dependencies, "_DENSE", limit)
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 5, 60), rng.integers(0, 4, 60)
    rows, best, most = dependencies._tops(left, right, 6, 4)  # noqa: SLF001  it has two ways, and one answer
    for code in range(5):
        counts = np.bincount(right[left == code], minlength=4)
        assert (rows[code], most[code]) == (counts.sum(), counts.max())
        assert counts[best[code]] == counts.max()
    assert rows[5] == most[5] == 0


# ------------------------------------------------------------------------------------------------------ lattices
def test_lattices_of_a_second_sample(case: Case, measure: Measure) -> None:
    """An honest sample is behind in no column by more than chance."""
    scores = measure(Lattices(), case)
    assert all(behind(s) <= 0 for s in scores.values())
    assert scores["order.net"].problem == "multiples of 0.01"
    assert scores["order.city"].problem == "values that training rows have"


@pytest.mark.parametrize(
    ("column", "change", "share", "said"),
    [
        ("net", lambda v: v + 0.003, 0.05, "order.net: multiples of 0.01"),
        ("city", lambda v: np.full(len(v), "Ferrara"), 0.05, "order.city: values that training rows have"),
        ("price", lambda v: v + 1, 1.0, "order.price: the usual last digits"),
        ("weight", np.round, 1.0, "order.weight: half as many different values as training rows have"),
    ],
)
def test_values_off_the_lattice(
    case: Case, measure: Measure, column: str, change: Callable[[np.ndarray], Any], share: float, said: str
) -> None:
    """Values between steps, unknown labels, other last digits and coarse rounding are seen, and named."""
    scores = measure(Lattices(), spoiled(case, column, change, share))
    assert str(scores[""].problem) == said
    assert behind(scores[""]) > 0.01
    assert scores[""].value == scores[f"order.{column}"].value == scores["worst"].value


def test_days_and_hours(measure: Measure) -> None:
    """Days of the week on which nothing happens, hours and whole minutes are lattices too."""

    def events(rows: int, seed: int, *, wrong: bool = False) -> Dataset:
        rng = np.random.default_rng(seed)
        day = rng.integers(0, 1_500, rows) // 5 * 7 + rng.integers(0, 7 if wrong else 5, rows)
        minutes = rng.integers(0, 1_440 if wrong else 480, rows) + 480 * (not wrong)
        instants = (rng.integers(0, 900, rows) * 1_440 + minutes) * 60_000_000
        return toys.dataset({"e": {"day": (Field(kind=Kind.DATE), day),
                                   "at": (Field(kind=Kind.DATETIME), instants + 1_000_000 * 7 * wrong)}})  # fmt: skip

    real = events(1_500, 1), events(800, 2)
    honest = measure(Lattices(), Case(*real, events(1_500, 3)))
    assert all(behind(s) <= 0 for s in honest.values())
    scores = measure(Lattices(), Case(*real, events(1_500, 3, wrong=True)))
    assert scores["e.day"].problem == "the usual week days"
    assert value(scores["e.day"]) == pytest.approx(5 / 7, abs=0.05)
    assert scores["e.at"].problem == "multiples of 60 seconds"
    assert value(scores["e.at"]) == 0.0


def office(rows: int, seed: int, days: int = 0, *, kind: Kind = Kind.DATE) -> Dataset:
    """Return days of work from 2015 on, more of them at the end of a month, some days later; or instants on them."""
    rng = np.random.default_rng(seed)
    months = np.datetime64("2015-01", "M") + rng.integers(0, 60, rows)
    early = months.astype("M8[D]") + rng.integers(0, 28, rows)
    last = (months + 1).astype("M8[D]") - 1
    day = np.busday_offset(np.where(rng.random(rows) < 0.3, last, early), 0, roll="backward").astype(np.int64) + days
    seconds = day * 86_400 + 3_600 * 8 + (rng.beta(2, 3, rows) * 36_000).astype(np.int64)
    values = day if kind is Kind.DATE else seconds * 1_000_000
    return toys.dataset({"e": {"at": (Field(kind=kind), values), "x": (WHOLE, rng.integers(0, 5, rows))}})


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.DATETIME])
def test_days_of_another_week_day(measure: Measure, kind: Kind) -> None:
    """Dates a day late stand on other days of the week and the month, though the column's distribution is the same."""
    real = office(1_500, 1, kind=kind), office(800, 2, kind=kind)
    assert all(behind(s) <= 0 for s in measure(Lattices(), Case(*real, office(1_500, 3, kind=kind))).values())
    late = measure(Lattices(), Case(*real, office(1_500, 3, 1, kind=kind)))
    assert behind(late[""]) > 0.05
    assert str(late[""].problem).startswith(("e.at: the usual week days", "e.at: the usual days of the month"))
    weeks = measure(Lattices(), Case(*real, office(1_500, 3, 7, kind=kind)))
    assert str(weeks[""].problem) == "e.at: the usual days of the month"
    assert behind(weeks[""]) > 0.05


def test_common_values(measure: Measure) -> None:
    """A value that many rows share among fine ones, and half values among fine ones, are missed when they are gone."""

    def sums(rows: int, seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        fine = rng.normal(100, 20, rows)
        mass = np.where(rng.random(rows) < 0.3, 99.37123, fine)
        some = np.where(rng.random(rows) < 0.5, np.round(fine * 2) / 2, fine)
        return toys.dataset({"s": {"mass": (NUMBER, mass), "some": (NUMBER, some), "fine": (NUMBER, fine)}})

    train, unseen, fake = (sums(n, s) for n, s in ((1_500, 1), (800, 2), (1_500, 3)))
    fine = fake.tables["s"].column("fine")
    honest = measure(Lattices(), Case(train, unseen, fake))
    assert all(behind(s) <= 0 for s in honest.values())
    scores = measure(Lattices(), Case(train, unseen, fake.with_columns("s", {"mass": fine, "some": fine})))
    assert (scores["s.mass"].problem, value(scores["s.mass"])) == ("values that many training rows share", 0.0)
    assert scores["s.some"].problem == "multiples of 0.5"
    assert behind(scores["s.some"]) > 0.3


def test_forms_of_text(measure: Measure) -> None:
    """Columns made anew are held to how they are spelled, in a part of their own that does not decide the whole."""
    phone = Field(kind=Kind.TEXT, sensitive="phone")

    def people(rows: int, form: str) -> Dataset:
        return toys.dataset({"p": {"phone": (phone, [form.format(i) for i in range(rows)]),
                                   "free": (Field(kind=Kind.TEXT), ["so" + "! " * i for i in range(rows)]),
                                   "age": (WHOLE, np.arange(rows) % 40)}})  # fmt: skip

    real = people(300, "+49 30 {:06}"), people(100, "+49 30 {:06}")
    assert measure(Lattices(), Case(*real, people(300, "+33 1 {:03}")))["p.phone"].value == 1.0
    scores = measure(Lattices(), Case(*real, people(300, "(030) {:06}")))
    assert (scores["p.phone"].value, scores["p.phone"].reference) == (0.0, 1.0)
    assert scores[""].value == 1.0
    assert "p.free" not in scores


@pytest.mark.parametrize("metric", [Dependencies(), Lattices()])
def test_what_cannot_be_measured(case: Case, measure: Measure, metric: Metric) -> None:
    """A column that the synthetic table lacks is a failure; few rows are no score."""
    tables = {"order": case.synthetic.tables["order"].drop_columns(["net"])}
    lacking = measure(metric, case._replace(synthetic=Dataset(case.schema, tables)))[""]
    assert (lacking.status, "order.net" in str(lacking.problem)) == ("failed", True)
    few = measure(metric, case._replace(holdout=orders(11, 2)))[""]
    assert (few.status, few.value) == ("not-applicable", None)


@pytest.mark.parametrize("metric", [Dependencies(), Lattices()])
def test_without_held_out_rows(case: Case, measure: Measure, metric: Metric) -> None:
    """Half of the training rows stand for held-out ones."""
    whole = measure(metric, case._replace(holdout=None))[""]
    assert whole.status == "ok"
    assert behind(whole) <= 0
