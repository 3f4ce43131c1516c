"""Membership inference: attacks on remembered rows succeed, attacks on a second real sample do as well as guesses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.gates import parse
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring import attacks, chance
from synthwright.kit.measuring.around import near
from synthwright.kit.measuring.attacks import area, caught, scaled
from synthwright.kit.measuring.neighbours import Points
from synthwright.metrics import membership
from synthwright.metrics.membership import ATTACKS, ISOLATED, RATES, Membership
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]


def copying(case: Case, rows: np.ndarray) -> Case:
    """Return a case where so many synthetic rows are these training rows."""
    assert case.train is not None
    rest = case.synthetic.take("thing", np.arange(len(rows), case.synthetic.rows()))
    return case._replace(synthetic=case.train.take("thing", rows).joined(rest))


def beyond(score: Score) -> bool:
    """Return whether a score is worse than chance allows."""
    assert score.value is not None
    assert score.reference is not None
    return not parse("membership <= reference + chance").holds(score.value, score.reference, score.chance)


# -------------------------------------------------------------------------------------------------- whom it accuses
def test_second_sample_is_never_accused() -> None:
    """Where the synthetic rows are another real sample no score is beyond chance, and nearly every interval says so."""
    inside, areas = [], []
    for seed in range(60):
        rng = Context(seed=seed).rng
        real = toys.plain(1_000, f"second {seed}").take("thing", rng.permutation(1_000))
        train, holdout, fake = (real.take("thing", np.arange(a, b)) for a, b in ((0, 400), (400, 600), (600, 1_000)))
        scores = {s.about: s for s in Membership().measure(Case(train, holdout, fake), Context(seed=seed))}
        told = [s for s in scores.values() if s.status == "ok"]
        assert len(told) == 1 + len(ATTACKS) - 1 + len(RATES)
        assert not any(map(beyond, told)), told
        assert scores[""].value == max(scores[a].value or 0.0 for a in ATTACKS[:-1])
        assert scores[""].low is not None
        inside.append(scores[""].low <= 0.5)
        areas.append(scores["distance"].value or 0.0)
    assert np.mean(inside) >= 0.9
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)  # standard error 0.004
    # 3.89 standard deviations are allowed: those that the areas of one attack have
    assert np.std(areas) * 3.89 == pytest.approx(scores["distance"].chance or 0.0, rel=0.4)


def test_memorised_rows_are_found(second: Case, measure: Measure) -> None:
    """Training rows that were copied, or moved a little, are told from held-out rows by every attack."""
    assert second.train is not None
    held, rng = second.train.tables["thing"], Context(seed=3).rng
    price = np.asarray(held.column("price")) + rng.normal(0, 0.001, held.num_rows)
    moved = second.train.with_columns("thing", {"price": pa.array(price)})
    for fake in (second.train, moved):
        scores = measure(Membership(), second._replace(synthetic=fake))
        assert (scores[""].value or 0.0) >= 0.9
        assert all(beyond(scores[a]) for a in ("", *ATTACKS[:-1], *RATES, ISOLATED))
        assert (scores[""].low or 0.0) > 0.85
    half = measure(Membership(), copying(second, np.arange(750)))
    assert half[""].value == pytest.approx(0.75, abs=0.03)
    assert half["tpr at 1 % fpr"].value == pytest.approx(0.5, abs=0.06)


def test_few_copies_show_in_the_share_that_is_caught(second: Case, measure: Measure) -> None:
    """One row in twenty is too little for the area, but more than a blind attack catches."""
    scores = measure(Membership(), copying(second, np.arange(90)))
    assert not beyond(scores[""])
    assert beyond(scores["tpr at 0.1 % fpr"])
    assert beyond(scores["tpr at 1 % fpr"])
    gate = parse("membership[tpr at 0.1 % fpr] <= reference + 0.005 + chance")
    assert scores[gate.about].value is not None
    assert not gate.holds(scores[gate.about].value, scores[gate.about].reference, scores[gate.about].chance)


def test_copied_outliers_show_among_the_isolated(measure: Measure) -> None:
    """Copies of the rows that nobody is like are few among all rows, and many among the isolated."""
    fields = {c: Field(kind=Kind.NUMBER) for c in "abcd"}

    def drawn(seed: int, rows: int) -> Dataset:
        values = Context(seed=seed).rng.standard_t(3, (4, rows))
        return toys.dataset({"thing": {c: (f, v) for (c, f), v in zip(fields.items(), values, strict=True)}})

    case = Case(drawn(1, 3_000), drawn(2, 3_000), drawn(3, 3_000))
    assert case.train is not None
    far = sum(np.abs(np.asarray(case.train.tables["thing"].column(c))) for c in fields)
    scores = measure(Membership(), copying(case, np.argsort(-far)[:100]))
    assert beyond(scores[ISOLATED])
    assert (scores[ISOLATED].value or 0.0) > (scores[""].value or 0.0) + 0.1
    assert beyond(scores[f"{ISOLATED} tpr at 1 % fpr"])


def test_natural_repeats_accuse_nobody(measure: Measure) -> None:
    """In a table of few possible rows, held-out rows are among the training rows by nature: equal rows tie."""
    rng = Context(seed=5).rng
    train, holdout, fake = (
        toys.dataset({"t": {c: (Field(kind=Kind.CATEGORY), list(rng.choice(list("pqr"), rows))) for c in "ab"}})
        for rows in (600, 300, 600)
    )
    for synthetic in (fake, train):
        scores = measure(Membership(), Case(train, holdout, synthetic))
        assert not any(beyond(s) for s in scores.values() if s.status == "ok")
    same = measure(Membership(), Case(train, train, train))
    assert same["distance"].value == 0.5


# ---------------------------------------------------------------------------------------------------- what it looks at
def test_one_row_of_each_parent(measure: Measure) -> None:
    """Rows of one parent are alike, so one of each is looked at: many rows of few parents are no evidence."""

    def family(seed: int, parents: int) -> Dataset:
        rng = Context(seed=seed).rng
        trait = rng.normal(0, 1, (6, parents))
        whose = np.repeat(np.arange(parents), 20)
        return toys.dataset({
            "parent": {"id": (Field(kind=Kind.KEY, type="int64"), np.arange(parents))},
            "child": {"of": (Field(kind=Kind.REFERENCE, type="int64", to="parent.id"), whose),
                      **{f"x{i}": (Field(kind=Kind.NUMBER), v[whose]) for i, v in enumerate(trait)}},
        }, keys={"parent": "id"})  # fmt: skip

    scores = measure(Membership(), Case(family(1, 60), family(2, 30), family(3, 60)))
    assert "30 training rows, as many held-out rows" in str(scores[""].problem)
    assert not beyond(scores[""])
    assert scores[ATTACKS[-1]].status == "not-applicable"


def test_several_tables(second: Case, measure: Measure) -> None:
    """Each table has a score; the whole is about the one that is farthest beyond chance."""
    assert second.train is not None
    assert second.holdout is not None

    def both(one: Dataset, two: Dataset) -> Dataset:
        spec = one.schema.tables["thing"]
        schema = one.schema.model_copy(update={"tables": {"one": spec, "two": spec}})
        return Dataset(schema, {"one": one.tables["thing"], "two": two.tables["thing"]})

    case = Case(both(second.train, second.train), both(second.holdout, second.holdout),
                both(second.synthetic, second.train))  # fmt: skip
    scores = measure(Membership(), case)
    assert not beyond(scores["one"])
    assert beyond(scores["two"])
    assert scores[""].value == scores["two"].value
    assert beyond(scores["tpr at 1 % fpr"])


def test_only_produced_columns_count(second: Case, measure: Measure) -> None:
    """Columns that were kept, not produced, tell no attacker who was trained on."""
    assert second.train is not None
    kept = {c: second.train.tables["thing"].column(c) for c in ("colour", "size", "flag")}
    partial = second._replace(synthetic=second.synthetic.with_columns("thing", kept), produced=("thing.flag",))
    assert not beyond(measure(Membership(), partial)[""])


def test_too_little(second: Case, measure: Measure) -> None:
    """What cannot be measured says why: no held-out rows, few rows, no synthetic rows."""
    assert second.train is not None
    assert "held-out rows" in str(measure(Membership(), second._replace(holdout=None))[""].problem)
    few = second._replace(train=second.train.take("thing", np.arange(19)))
    assert measure(Membership(), few)[""].status == "not-applicable"
    assert measure(Membership(), second._replace(synthetic=toys.plain(0)))[""].status == "failed"
    lone = measure(Membership(), second._replace(synthetic=toys.plain(1)))
    assert lone[""].value == pytest.approx(0.5, abs=0.1)


def test_larger_tables_are_sampled(second: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more rows are looked at than asked for, or than the work allows; the score says how many."""
    assert "50 training rows" in str(measure(Membership(rows=50), second)[""].problem)
    monkeypatch.setattr(membership, "_WORK", 2 * 100 * (1_500 + 2 * 100) * 4)
    assert "100 training rows" in str(measure(Membership(), second)[""].problem)
    monkeypatch.setattr(membership, "_MOST_SYNTHETIC", 70)
    assert "and 70 synthetic rows" in str(measure(Membership(), second)[""].problem)


# ----------------------------------------------------------------------------------------------------- shadow models
def test_shadow_models(second: Case, measure: Measure) -> None:
    """Where the parts can be fitted again, models with and without a row tell whether it was trained on."""
    fitted: list[int] = []

    def remember(data: Dataset, rows: int) -> Dataset:
        fitted.append(data.rows())
        return data.take("thing", np.arange(rows) % data.rows())

    assert second.train is not None
    scores = measure(Membership(shadows=2), second._replace(synthetic=remember(second.train, 1_500), refit=remember))
    assert fitted == [1_500, 800, 800]
    assert (scores["shadow-models"].value or 0.0) > 0.95

    def forget(data: Dataset, rows: int) -> Dataset:
        return toys.plain(rows, "shadow")

    honest = measure(Membership(shadows=6), second._replace(refit=forget))
    assert not beyond(honest["shadow-models"])


def test_shadow_models_know_which_rows_are_easy(measure: Measure) -> None:
    """Where some rows lie dense and others far apart, shadow models tell what distance is near for each row."""

    def drawn(seed: int, rows: int) -> Dataset:
        rng = Context(seed=seed).rng
        wide = rng.random(rows) < 0.5
        a, b = rng.normal(0, 1, (2, rows)) * np.where(wide, 1, 0.01)
        number = Field(kind=Kind.NUMBER)
        return toys.dataset({"t": {"wide": (Field(kind=Kind.BOOLEAN), wide), "a": (number, a), "b": (number, b)}})

    def blurred(data: Dataset, rows: int) -> Dataset:
        held = data.take("t", np.arange(rows) % data.rows()).tables["t"]
        noise = Context(seed=17).rng.normal(0, 0.06, (2, rows)) * np.where(np.asarray(held.column("wide")), 1, 0.01)
        moved = {c: pa.array(np.asarray(held.column(c)) + e) for c, e in zip("ab", noise, strict=True)}
        return Dataset(data.schema, {"t": pa.table({"wide": held.column("wide"), **moved})})

    train = drawn(1, 600)
    scores = measure(Membership(), Case(train, drawn(2, 600), blurred(train, 600), refit=blurred))
    assert (scores["shadow-models"].value or 0.0) > (scores["distance"].value or 1.0) + 0.02


def test_shadow_models_that_fail(second: Case, measure: Measure) -> None:
    """An attack that should have been made and was not is a failure of the whole, not a better score."""

    def refuse(data: Dataset, rows: int) -> Dataset:
        raise FitError("a part", "the data")

    def nothing(data: Dataset, rows: int) -> Dataset:
        return toys.plain(0)

    for refit in (refuse, nothing):
        scores = measure(Membership(), second._replace(refit=refit))
        assert scores[""].status == "failed"
        assert scores["shadow-models"].status == "failed"
        assert scores["distance"].status == "ok"


# ------------------------------------------------------------------------------------------------- what it counts with
def test_near_is_what_it_says() -> None:
    """Distances and densities are those of the plain formulas, however rows fall into blocks."""
    rng = Context(seed=7).rng

    def some(rows: int) -> Points:
        ordered = rng.normal(0, 0.5, (3, rows)).astype(np.float32)
        ordered[rng.random(ordered.shape) < 0.1] = 4e6
        return Points(ordered, rng.integers(0, 3, (2, rows)).astype(np.int32), np.ones(3, dtype=bool))

    mine, others = some(1_100), some(1_300)
    for among, itself in ((others, False), (mine, True)):
        apart = np.minimum(np.abs(mine.ordered[:, :, None] - among.ordered[:, None, :]), 1).sum(axis=0)
        apart = (apart + (mine.discrete[:, :, None] != among.discrete[:, None, :]).sum(axis=0)) / 5
        if itself:
            np.fill_diagonal(apart, np.inf)
        found = near(mine, among, 3, 0.4, itself=itself)
        assert found.nearest == pytest.approx(np.sort(apart, axis=1)[:, :3], abs=1e-6)
        assert found.density == pytest.approx((np.maximum(1 - apart / 0.4, 0) ** 8).sum(axis=1), rel=1e-4, abs=1e-5)


def test_coordinates_of_odd_columns() -> None:
    """Outliers do not flatten a column; constants, nulls, infinities and large offsets leave equal values equal."""
    usual = np.arange(200.0)
    columns = {
        "outlier": np.append(usual, 1e300),
        "constant": np.full(201, 7.0),
        "null": np.full(201, np.nan),
        "infinite": np.append(usual, np.inf),
        "rare": np.append(np.zeros(200), 5.0),
        "gaps": np.where(np.arange(201) % 2, 3.0, np.nan),
        "late": 1e15 + np.append(usual, 0.0),
    }
    data = toys.dataset({"t": {c: (Field(kind=Kind.NUMBER), v) for c, v in columns.items()}})
    (one,) = scaled([data.tables["t"]], data.schema.tables["t"].fields)
    by_name = dict(zip(columns, one.ordered, strict=True))
    assert np.isfinite(one.ordered).all()
    assert by_name["outlier"][1] - by_name["outlier"][0] == pytest.approx(1 / 115, rel=0.05)  # two deviations of usual
    assert by_name["late"][1] - by_name["late"][0] == pytest.approx(1 / 115, rel=0.05)
    assert np.ptp(by_name["constant"]) == 0
    assert np.ptp(by_name["null"]) == 0
    assert abs(by_name["gaps"][0] - by_name["gaps"][1]) > 1
    assert by_name["rare"][-1] > 1
    assert by_name["infinite"][-1] > 1


def plainly_caught(mine: list[int], others: list[int], allowed: int) -> float:
    """Return the mean, over ways to break ties, of members above the first other that is not allowed above."""
    threshold = sorted(others, reverse=True)[allowed]
    above, tied = sum(m > threshold for m in mine), sum(m == threshold for m in mine)
    free, ties = allowed - sum(o > threshold for o in others), sum(o == threshold for o in others)
    rows = range(tied + ties)
    # where the tied others stand among all that tie, the topmost first
    counts = [places[free] - free for places in combinations(rows, ties)]
    return (above + float(np.mean(counts))) / len(mine)


def test_caught_is_what_it_says() -> None:
    """The share that is caught is the mean over all ways to break ties."""
    rng = Context(seed=11).rng
    members = np.arange(16) < 8
    for _ in range(60):
        scores = rng.integers(0, 5, 16)
        for rate in (0.0, 0.15, 0.5):
            told = caught(rate, scores, members)
            wanted = plainly_caught(scores[members].tolist(), scores[~members].tolist(), int(rate * 8))
            assert told.estimate.value == pytest.approx(wanted)
            assert told.estimate.low <= told.estimate.value <= told.estimate.high


def test_chance_of_the_caught_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all ways to deal the members, no more than the level are beyond chance, and with one member less more are."""
    monkeypatch.setattr(attacks, "LEVEL", 0.05)
    scores, rate = np.arange(12.0), 0.2
    values = []
    for chosen in combinations(range(12), 6):
        members = np.zeros(12, dtype=bool)
        members[list(chosen)] = True
        values.append(caught(rate, scores, members))
    bound = values[0].reference + values[0].chance
    reached = np.array([told.estimate.value for told in values])
    assert np.mean(reached) == pytest.approx(values[0].reference)
    assert np.mean(reached > bound + 1e-9) <= 0.05
    assert np.mean(reached > bound - 1 / 6 + 1e-9) > 0.05


def test_chance_of_the_area(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels dealt anew are beyond chance as often as the level says, less often where scores tie."""
    monkeypatch.setattr(chance, "LEVEL", 0.05)
    rng = Context(seed=13).rng
    for scores, least in ((np.arange(80), 0.03), (np.arange(80) // 30, 0.005)):
        told = [area(scores, rng.permutation(80) < 40) for _ in range(2_000)]
        share = np.mean([t.estimate.value - t.reference > t.chance for t in told])
        assert least < share < 0.07
    alone, strongest = (area(np.arange(80), np.arange(80) >= 40, n) for n in (1, 5))
    assert alone.estimate.value == 1.0
    assert alone.estimate.low > 0.9
    assert strongest.estimate.low < alone.estimate.low
    assert strongest.chance > alone.chance
