"""Groups of people: shares, fidelity and utility of each, what models do to them, and that no small group is named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.groups import Answers, Silence, ask, ways
from synthwright.metrics.group_fidelity import GroupFidelity
from synthwright.metrics.group_shares import GroupShares
from synthwright.metrics.group_utility import GroupUtility
from synthwright.metrics.opportunity import Opportunity
from synthwright.metrics.parity import Parity
from synthwright.testing import check_metric, toys
from synthwright.testing import metrics as contract

Measure = Callable[..., dict[str, Score]]
ALL: tuple[type[Metric], ...] = (GroupShares, GroupFidelity, GroupUtility, Parity, Opportunity)
LABEL, NUMBER = Field(kind=Kind.CATEGORY), Field(kind=Kind.NUMBER)
SENSITIVE = ("people.sex", "people.age")


def people(rows: int, name: str, women: float = 0.5) -> Dataset:
    """Return people whose loan is granted by their income alone, which is higher for men."""
    rng = Context(seed=5, place=(name,)).rng
    woman = rng.random(rows) < women
    income = rng.normal(0, 1, rows) + np.where(woman, 0.0, 0.8)
    return toys.dataset({"people": {
        "sex": (LABEL, np.where(woman, "woman", "man")),
        "age": (Field(kind=Kind.INTEGER), rng.integers(18, 90, rows)),
        "income": (NUMBER, income),
        "height": (NUMBER, rng.normal(170, 8, rows) - 12 * woman),
        "loan": (Field(kind=Kind.BOOLEAN), income + rng.normal(0, 0.5, rows) > 0.9),
    }})  # fmt: skip


@pytest.fixture(scope="module")
def fair() -> Case:
    """Return a case where the synthetic rows are a second real sample."""
    made = people(2_000, "synthetic")
    return Case(people(2_000, "train"), people(2_000, "holdout"), made, target="people.loan", sensitive=SENSITIVE)


def column(data: Dataset, name: str) -> np.ndarray:
    """Return a column of the people as numpy."""
    return np.asarray(data.tables["people"].column(name).to_numpy())


def refused(score: Score, metric: type[Metric], tolerance: float = 0.02) -> bool:
    """Return whether a gate with this tolerance would refuse a score."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    worse = score.value - score.reference if metric.goal == "lower" else score.reference - score.value
    return worse > tolerance + score.chance


@pytest.mark.parametrize("metric", ALL)
def test_contract(metric: type[Metric], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every metric of the group keeps the contract, where columns of the ordinary case are sensitive."""
    plain = contract.case

    def case(synthetic: Dataset | None = None, **other: object) -> Case:
        return plain(synthetic, **{"sensitive": ("thing.flag",), **other})

    monkeypatch.setattr(contract, "case", case)
    check_metric(metric)


@pytest.mark.parametrize("metric", ALL)
def test_awkward_tables(metric: type[Metric]) -> None:
    """Whatever is named sensitive, in whatever table, there are scores, each with a value or a problem."""
    for toy in toys.TOYS.values():
        data = toy()
        columns = data.schema.columns
        for target in columns if metric in (GroupUtility, Parity, Opportunity) else (None,):
            found = metric().measure(Case(data, data, data, target=target, sensitive=columns), Context())
            assert all((s.value is None) == (s.status != "ok") for s in found)
            assert all(s.problem for s in found if s.status != "ok")
            assert len({s.about for s in found}) == len(found)


@pytest.mark.parametrize("metric", ALL)
def test_second_real_sample_passes(metric: type[Metric], fair: Case, measure: Measure) -> None:
    """A second real sample is refused by nothing, neither as a whole nor in any group."""
    found = measure(metric(), fair)
    assert found[""].status == "ok"
    assert not [s for s in found.values() if refused(s, metric)]
    without = measure(metric(), fair._replace(holdout=None))
    assert without[""].status == "ok"
    assert not refused(without[""], metric)


@pytest.mark.parametrize("metric", ALL)
def test_says_how_to_name_columns(metric: type[Metric], fair: Case, measure: Measure) -> None:
    """Without sensitive columns nothing is measured, and the score says how to name them; nor without real rows."""
    unnamed = measure(metric(), fair._replace(sensitive=()))[""]
    assert unnamed.status == "not-applicable"
    assert "evaluate: {sensitive: [table.column]}" in (unnamed.problem or "")
    assert measure(metric(), fair._replace(train=None, holdout=None))[""].status == "not-applicable"
    assert measure(metric(), fair._replace(sensitive=("people.shoe",)))[""].status == "failed"
    empty = fair._replace(synthetic=fair.synthetic.take("people", np.arange(0)))
    assert measure(metric(), empty)[""].status == "failed"
    bare = fair.synthetic.tables["people"].drop_columns(["sex"])
    assert measure(metric(), fair._replace(synthetic=Dataset(fair.schema, {"people": bare})))[""].status == "failed"


@pytest.mark.parametrize("metric", [GroupUtility, Parity, Opportunity])
def test_needs_a_target(metric: type[Metric], fair: Case, measure: Measure) -> None:
    """Models need a target, one that varies, in the table of a sensitive column."""
    assert "target" in (measure(metric(), fair._replace(target=None))[""].problem or "")
    assert measure(metric(), fair._replace(target="people.shoe"))[""].status == "failed"
    assert fair.train is not None
    same = fair.train.with_columns("people", {"loan": pa.array(np.ones(2_000, dtype=bool))})
    assert measure(metric(), fair._replace(train=same, holdout=same))[""].status == "not-applicable"


def test_fewer_women_seen(fair: Case, measure: Measure) -> None:
    """Where four women of ten are gone, the shares say so, for women and for men; as many lost at random do not."""
    rng = np.random.default_rng(1)
    gone = (column(fair.synthetic, "sex") == "woman") & (rng.random(2_000) < 0.4)
    found = measure(GroupShares(), fair._replace(synthetic=fair.synthetic.filter("people", ~gone)))
    assert refused(found[""], GroupShares)
    part = found["people.sex=woman"]
    assert part.value == pytest.approx(0.5 - 0.3 / 0.8, abs=0.05)
    assert part.problem == "fewer of the synthetic rows than of real ones"
    assert found["people.sex=man"].problem == "more of the synthetic rows than of real ones"
    anybody = fair.synthetic.filter("people", rng.random(2_000) > 0.15)
    assert not refused(measure(GroupShares(), fair._replace(synthetic=anybody))[""], GroupShares, 0.0)


def test_shares_by_hand(measure: Measure) -> None:
    """The whole is the total variation of the shares, a part the absolute difference of one."""

    def held(*counts: int) -> Dataset:
        return toys.dataset({"t": {"c": (LABEL, np.repeat(["a", "b", "c"], counts)), "x": (NUMBER, [0.5] * 100)}})

    case = Case(held(50, 30, 20), held(40, 40, 20), held(60, 20, 20), sensitive=("t.c",))
    found = measure(GroupShares(), case)
    assert (found[""].value, found[""].reference) == (0.2, 0.1)
    assert [found[f"t.c={v}"].value for v in "abc"] == [0.2, 0.2, 0.0]
    assert "smallest of 3 groups is t.c=c" in (found[""].problem or "")


def test_chance_of_shares_holds(measure: Measure) -> None:
    """Second real samples stray less than the allowance, whole and part, and not much less than it says."""
    rng, strays, allowed = np.random.default_rng(7), [], []

    def held(rows: int) -> Dataset:
        words = np.array(list("abcde"))[rng.choice(5, rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])]
        return toys.dataset({"t": {"c": (LABEL, words), "x": (NUMBER, np.arange(rows) * 1.0)}})

    for _ in range(25):
        found = measure(GroupShares(), Case(held(800), held(400), held(800), sensitive=("t.c",)))
        assert not [s for s in found.values() if refused(s, GroupShares, 0.001)]
        strays.append((found[""].value or 0.0) - (found[""].reference or 0.0))
        allowed.append(found[""].chance or 0.0)
    assert 2.5 < float(np.mean(allowed)) / float(np.std(strays)) < 6


def test_bad_rows_of_one_group_seen(fair: Case, measure: Measure) -> None:
    """Men's rows under the name of women are seen within women, and men's own are fine."""
    made = fair.synthetic.tables["people"]
    woman = column(fair.synthetic, "sex") == "woman"
    rows = np.arange(2_000)
    rows[woman] = np.resize(np.flatnonzero(~woman), int(woman.sum()))
    wrong = {c: made.column(c).take(pa.array(rows)) for c in ("income", "height", "loan")}
    found = measure(GroupFidelity(), fair._replace(synthetic=fair.synthetic.with_columns("people", wrong)))
    assert refused(found[""], GroupFidelity)
    assert refused(found["people.sex=woman"], GroupFidelity)
    assert not refused(found["people.sex=man"], GroupFidelity)
    assert "woman" in (found["worst"].problem or "")


def test_lost_group_fails(fair: Case, measure: Measure) -> None:
    """A group without synthetic rows is a failure, and so is the whole; a small synthetic table is no fault."""
    men = fair.synthetic.filter("people", column(fair.synthetic, "sex") == "man")
    found = measure(GroupFidelity(), fair._replace(synthetic=men))
    assert found[""].status == found["people.sex=woman"].status == "failed"
    assert found["people.sex=man"].status == "ok"
    few = fair.synthetic.take("people", np.arange(60))
    assert measure(GroupFidelity(), fair._replace(synthetic=few))[""].status == "ok"


def test_useless_for_one_group_seen(fair: Case, measure: Measure) -> None:
    """Where women's loans are shuffled, trees know nothing of women, and the whole is about them."""
    woman = column(fair.synthetic, "sex") == "woman"
    loan = column(fair.synthetic, "loan").copy()
    loan[woman] = np.random.default_rng(3).permutation(loan[woman])
    spoiled = fair._replace(synthetic=fair.synthetic.with_columns("people", {"loan": pa.array(loan)}))
    found = measure(GroupUtility(), spoiled)
    assert refused(found[""], GroupUtility)
    assert "woman" in (found[""].problem or "")
    assert not refused(found["people.sex=man"], GroupUtility, 0.05)
    assert (found["people.sex=woman"].value or 1.0) < (found["people.sex=woman"].reference or 0.0) - 0.1


def test_unjust_labels_seen(fair: Case, measure: Measure) -> None:
    """Synthetic women who never get a loan make models that give them none."""
    loan = column(fair.synthetic, "loan") & (column(fair.synthetic, "sex") == "man")
    unjust = fair._replace(synthetic=fair.synthetic.with_columns("people", {"loan": pa.array(loan)}))
    for metric in (Parity, Opportunity):
        found = measure(metric(), unjust)
        assert refused(found[""], metric)
        assert refused(found["people.sex"], metric)
        assert "highest for people.sex=man, lowest for people.sex=woman" in (found["people.sex"].problem or "")
        assert (found["people.sex"].reference or 1.0) < 0.45


def test_groups_named() -> None:
    """Groups of 20 training rows are named, values with an order by their quarter; the others are pooled."""
    field = {"c": LABEL, "x": NUMBER, "b": Field(kind=Kind.BOOLEAN)}
    labels = ["big"] * 70 + ["secret"] * 19 + ["small"] * 20 + [None] * 31
    data = toys.dataset({"t": {
        "c": (field["c"], labels), "x": (field["x"], np.arange(140.0)), "b": (field["b"], [True, False] * 70),
    }})  # fmt: skip
    other = toys.dataset({"t": {
        "c": (field["c"], ["big", "unheard", None]), "x": (field["x"], [-1e9, 70.0, np.nan]),
        "b": (field["b"], [True, None, False]),
    }})  # fmt: skip
    found = {w.about: w for w in ways(Case(data, None, other), "t", ("c", "x", "b"), [other.tables["t"]])}
    assert found["t.c"].names == ("t.c=big", "t.c (missing)", "t.c=small")
    assert found["t.c"].codes[0].tolist() == [0, 3, 1]
    assert found["t.x"].names == tuple(f"t.x (quarter {i} of 4)" for i in range(1, 5))
    assert found["t.x"].codes[0].tolist() == [0, 2, 4]
    assert sorted(found["t.b"].names) == ["t.b=false", "t.b=true"]
    crossed = found["t.c ~ t.x ~ t.b"]
    assert all("secret" not in n and "unheard" not in n for w in found.values() for n in w.names)
    assert crossed.codes[0].tolist() == [len(crossed.names)] * 3
    pairs = ways(Case(data, None, other), "t", ("c", "b"), [data.tables["t"]])[-1]
    assert pairs.names[:2] == ("t.c=big & t.b=false", "t.c=big & t.b=true") or set(pairs.names[:2]) == {
        "t.c=big & t.b=false", "t.c=big & t.b=true"}  # fmt: skip
    counts = np.bincount(pairs.codes[0], minlength=pairs.size)
    assert counts[0] == 35
    assert (counts[:-1] >= 20).all()


def test_long_and_odd_labels() -> None:
    """Labels that are long or hold line breaks become names of one line that differ."""
    words = ["x" * 100 + "a", "x" * 100 + "b", "two\nlines"]
    data = toys.dataset({"t": {"c": (LABEL, np.repeat(words, 30))}})
    names = ways(Case(data, None, data), "t", ("c",), [data.tables["t"]])[0].names
    assert len(set(names)) == 3
    assert "t.c=two lines" in names
    assert all(len(n) < 80 and "\n" not in n for n in names)


@pytest.mark.parametrize("metric", ALL)
def test_no_value_of_a_real_row(metric: type[Metric]) -> None:
    """What belongs to one or two rows is in no name and no problem, whatever is sensitive."""
    data = toys.canaries()
    columns = tuple(c for c in data.schema.columns if c != "rare.note")
    words = (*toys.CANARY_LABELS, str(toys.CANARY_WHOLE), str(toys.CANARY_NUMBER), "oak")
    seen = False
    for target in columns:
        for score in metric().measure(Case(data, data, data, target=target, sensitive=columns), Context()):
            text = f"{score.about} {score.problem}"
            assert not any(w in text for w in words[:-1])
            seen |= "oak" in text
    assert seen or metric is not GroupShares


def test_questions() -> None:
    """Yes is the rarer of two labels, the most frequent of more, the upper half of a number; nulls are left out."""
    data = toys.every_kind(400)
    answers = {}
    for target in ("flag", "level", "amount", "count", "day"):
        said = ask(Case(data, data, data, target=f"mixed.{target}"), Context())
        assert isinstance(said, Answers)
        assert len(said.truth) == 400 - data.column(f"mixed.{target}").null_count
        answers[target] = float(said.truth.mean())
    flags = [v for v in data.column("mixed.flag").to_pylist() if v is not None]
    assert answers["flag"] == pytest.approx(min(np.mean(flags), 1 - np.mean(flags)))
    levels = [v for v in data.column("mixed.level").to_pylist() if v is not None]
    assert answers["level"] == pytest.approx(max(levels.count(v) for v in set(levels)) / len(levels))
    assert all(answers[t] == pytest.approx(0.5, abs=0.05) for t in ("amount", "count", "day"))
    assert isinstance(ask(Case(data, data, data, target="mixed.note"), Context()), Silence)
