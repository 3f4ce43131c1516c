"""Values of real rows are changed as much as asked, and columns stay what they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, SpecError, StoreError
from synthwright.core.jobs import masks, varies
from synthwright.core.plan import plan
from synthwright.core.registry import find
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import Spec
from synthwright.generators.perturb import Method, Perturb
from synthwright.testing import check_generator, toys

CTX = Context(seed=3)
NUMBER, LABEL, WHOLE = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY), Field(kind=Kind.INTEGER)


def people(rows: int = 2_000) -> Dataset:
    """Return people whose incomes follow their ages, in towns of which one has two people alone."""
    rng = Context(seed=4, place=("people",)).rng
    age = rng.integers(18, 80, rows)
    town = rng.choice(["Oslo", "Rome", "Bonn"], rows, p=[0.6, 0.3, 0.1]).astype(object)
    town[:2] = "Lund"
    return toys.dataset({"t": {
        "age": (WHOLE, age), "income": (NUMBER, 1_000.0 * age + rng.normal(0, 8_000, rows)), "town": (LABEL, town),
        "day": (Field(kind=Kind.DATE), 18_000 + rng.integers(0, 900, rows)),
    }})  # fmt: skip


def perturbed(data: Dataset, seed: int = 0, **how: Any) -> Dataset:
    """Return all rows of a table, perturbed."""
    part = Part(data.schema.columns, (), "replace")
    return Perturb(**how).fit(data, part, CTX.at("fit")).sample(data, CTX.at("sample", seed)).data


def values(data: Dataset, name: str) -> np.ndarray:
    """Return a column as numpy."""
    return np.asarray(data.column(f"t.{name}").to_numpy())


@pytest.mark.parametrize(
    "how",
    [
        {"ordered": {"noise": 0.5}, "labels": {"pram": 1, "others": 20}},
        {"ordered": {"microaggregate": 5}, "labels": {"microaggregate": 5}},
    ],
)
def test_every_way_keeps_the_contract(how: dict[str, Any]) -> None:
    """Other methods than the default ones, too."""
    assert "travels" in check_generator(Perturb(**how))


def test_noise_keeps_means_spreads_and_correlations() -> None:
    """With as much noise as the data varies, single values are far off, and covariances stay (Kim 1986)."""
    data = people(20_000)
    out = perturbed(data, methods={"age": {"noise": 1}, "income": {"noise": 1}})
    real, made = (np.stack([values(d, n).astype(float) for n in ("age", "income")]) for d in (data, out))
    assert np.abs(made - real).mean(axis=1) == pytest.approx(real.std(axis=1) * 0.7, rel=0.25)
    assert made.mean(axis=1) == pytest.approx(real.mean(axis=1), rel=0.02)
    assert np.corrcoef(made)[0, 1] == pytest.approx(np.corrcoef(real)[0, 1], abs=0.03)
    assert made.std(axis=1) == pytest.approx(real.std(axis=1), rel=0.08)
    assert made[0].min() >= 18
    assert (made[0] == np.rint(made[0])).all()


def test_noise_reaches_no_outlier() -> None:
    """The greatest value of all is nobody's: noise ends at the third one."""
    data = toys.dataset({"t": {"x": (NUMBER, [*range(100), 1e9])}})
    assert values(perturbed(data, ordered={"noise": 2.0}), "x").max() <= 98


@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_swapped_values_are_near_in_rank(share: float) -> None:
    """No rank moves by more than asked, and the distribution stays."""
    data = people(5_000)
    out = perturbed(data, ordered={"swap": share})
    real, made = values(data, "income"), values(out, "income")
    moved = np.abs(np.searchsorted(np.sort(real), made) - np.searchsorted(np.sort(real), real)) / len(real)
    assert moved.max() <= share + 0.001
    assert moved.mean() > share / 4
    assert np.abs(np.sort(made) - np.sort(real)).mean() < 0.02 * real.std() * 5
    ages = np.bincount(values(out, "age"), minlength=90) - np.bincount(values(data, "age"), minlength=90)
    assert np.abs(ages).sum() / len(real) < 0.15


def test_a_value_of_one_row_is_given_to_no_other() -> None:
    """Swapping shows values that three rows share; what lies beside the others is shown."""
    data = people()
    out = perturbed(data, ordered={"swap": 0.3})
    assert not np.isin(values(out, "income"), values(data, "income")).any()
    assert set(values(out, "age")) <= set(values(data, "age"))


def test_pram_keeps_shares() -> None:
    """A share of labels is drawn anew, all stay as frequent, and rare ones go."""
    data = people(10_000)
    out = perturbed(data, labels={"pram": 0.5})
    real, made = values(data, "town"), values(out, "town")
    assert (real != made).mean() == pytest.approx(0.5 * (1 - 0.6**2 - 0.3**2 - 0.1**2), abs=0.02)
    for town in ("Oslo", "Rome", "Bonn"):
        assert (made == town).mean() == pytest.approx((real == town).mean(), abs=0.02)
    assert "Lund" not in made
    assert "Lund" in values(perturbed(data, labels={"pram": 0.01}, protect=1), "town")


@pytest.mark.parametrize("least", [3, 20])
def test_microaggregated_rows_are_alike(least: int) -> None:
    """In the columns that are grouped together, every row equals so many others; means stay."""
    data = people()
    out = perturbed(data, ordered={"microaggregate": least}, labels={"microaggregate": least})
    rows = np.stack([values(out, n).astype("U30") for n in ("age", "income", "town", "day")], axis=1)
    assert np.unique(rows, axis=0, return_counts=True)[1].min() >= least
    assert values(out, "income").mean() == pytest.approx(values(data, "income").mean(), rel=1e-6)
    assert len(np.unique(rows, axis=0)) > 2_000 / (2 * least)


def test_rows_that_were_not_grouped_join_the_nearest() -> None:
    """A model meets rows that it did not learn from, and gives them what a near group has."""
    data = people()
    part = Part(data.schema.columns, (), "replace")
    model = Perturb(ordered={"microaggregate": 5}, labels={"microaggregate": 5}).fit(data, part, CTX)
    other = data.with_columns("t", {"income": pa.array(values(data, "income") + 1.0)})
    out = model.sample(other, CTX).data
    assert np.isin(values(out, "income"), values(model.sample(data, CTX).data, "income")).all()
    assert np.abs(values(out, "income") - values(other, "income")).mean() < 10_000


def test_coarser_values() -> None:
    """Ends are coded, numbers and dates rounded, labels recoded, and rare ones become `other`."""
    data = people()
    out = perturbed(data, methods={
        "income": {"bottom": 0.1, "top": 0.1, "round": 500}, "age": {"round": 5}, "day": {"round": "month"},
        "town": {"recode": {"Bonn": "south", "Rome": "south"}, "others": 10},
    })  # fmt: skip
    income = values(out, "income")
    assert (income % 500 == 0).all()
    assert income.max() == pytest.approx(np.quantile(values(data, "income"), 0.9), abs=500)
    assert income.min() == pytest.approx(np.quantile(values(data, "income"), 0.1), abs=500)
    assert (values(out, "age") % 5 == 0).all()
    assert {d.day for d in out.column("t.day").to_pylist()} == {1}
    assert np.abs(values(out, "age") - values(data, "age")).max() <= 2
    assert set(values(out, "town")) == {"Oslo", "south", "other"}
    assert date(2019, 4, 1) in out.column("t.day").to_pylist()


def test_what_is_missing_stays_missing() -> None:
    """By every method but `pram`, which draws nulls in their share."""
    x = [None if i % 4 == 0 else float(i) for i in range(400)]
    town = [None if i % 4 == 0 else "ab"[i % 2] for i in range(400)]
    data = toys.dataset({"t": {"x": (NUMBER, x), "town": (LABEL, town)}})
    for how in ({"noise": 1.0}, {"swap": 0.5}, {"pram": 0.5}, {"microaggregate": 4}):
        out = perturbed(data, ordered=how, labels={"microaggregate": 4})
        assert out.column("t.x").is_null().to_numpy().tolist() == [i % 4 == 0 for i in range(400)]
        assert out.column("t.town").is_null().to_numpy().tolist() == [i % 4 == 0 for i in range(400)]
    drawn = perturbed(data, labels={"pram": 1.0}).column("t.town").null_count
    assert 60 < drawn < 140


@pytest.mark.parametrize(
    ("methods", "place", "told"),
    [
        ({"agee": {"swap": 0.1}}, ("methods", "agee", "#key"), "does not make 'agee': did you mean 'age'?"),
        ({"town": {"noise": 0.1}}, ("methods", "town", "noise"), "its values have no order"),
        ({"age": {"others": 5}}, ("methods", "age", "others"), "its values are no labels"),
        ({"age": {"round": "month"}}, ("methods", "age", "round"), "a calendar is for dates"),
        ({"day": {"round": "hour"}}, ("methods", "day", "round"), "dates have no hours"),
    ],
)
def test_methods_that_do_not_fit(methods: dict[str, Any], place: tuple[str, ...], told: str) -> None:
    """Each is told with its place and what would be right."""
    schema = people().schema
    found = Perturb(methods=methods).misused(schema, "t", ("age", "income", "town", "day"))
    assert [where for where, _ in found] == [place]
    assert told in found[0][1]
    every = Perturb(ordered=Method(round="month")).misused(schema, "t", ("age", "day"))
    assert [where for where, _ in every] == [("ordered", "round")]


@pytest.mark.parametrize("said", [{}, {"noise": 0.1, "swap": 0.1}, {"round": -1}, {"noise": 0}, {"microaggregate": 1}])
def test_methods_that_are_none(said: dict[str, Any]) -> None:
    """Nothing to do, two ways at once, and numbers out of bounds are refused."""
    with pytest.raises(ValidationError):
        Method.model_validate(said)


def test_labels_that_cannot_be_made() -> None:
    """A label that no row has cannot be recoded; where no label may be shown and none may be missing, nothing can."""
    with pytest.raises(FitError, match="rows with the label 'Paris' that is to be recoded"):
        perturbed(people(), methods={"town": {"recode": {"Paris": "x"}}})
    field = Field(kind=Kind.CATEGORY, nulls=False)
    data = toys.dataset({"t": {"a": (field, [f"v{i}" for i in range(50)]), "x": (NUMBER, np.arange(50.0))}})
    with pytest.raises(FitError, match="a label that 3 rows share"):
        perturbed(data)


def test_a_saved_model_says_what_it_holds(tmp_path: Path) -> None:
    """Real values are in it, and it says so; each column is sorted by itself; what is damaged is refused."""
    model = Perturb().fit(people(), Part(("t.age", "t.income"), (), "replace"), CTX)
    model.save(tmp_path)
    assert '"holds":"real values' in (tmp_path / "model.json").read_text()
    assert all((np.diff(c.held) >= 0).all() for c in model.mask.columns)
    (tmp_path / "arrays.npz").write_bytes(b"")
    with pytest.raises(StoreError):
        type(model).load(tmp_path)


# ------------------------------------------------------------------------------------------------------- the whole job
def test_gates_of_privacy_rule() -> None:
    """Perturbed rows are real rows, and it is their privacy that is asked; only to be alike is no fault."""
    schema = Schema(tables={"t": Table(fields={"a": WHOLE, "b": LABEL})})
    words = {"synthwright": 1, "name": "x", "schema": schema, "source": {"use": "csv", "with": {"path": "x.csv"}}}
    spec = Spec.model_validate(words | {"start": {"from": "source"}, "parts": [{"make": ["t.*"], "use": "perturb"}]})
    found = plan(spec, schema)
    assert masks(found.spec)
    assert not varies(found.spec)
    groups = {g.metric: getattr(find("metrics", g.metric), "group", "") for g in found.gates}
    assert {"membership", "singling-out", "exact-copies", "shape"} <= set(groups)
    assert "duplicates" not in groups
    assert [c.name for c in found.curators] == ["rules", "copies"]
    assert [w.gate for w in found.waived] == ["duplicates <= reference + max(0.01, chance)"]
    with pytest.raises(SpecError, match="perturb varies values that are there: start from the source"):
        plan(Spec.model_validate(words | {"parts": [{"make": ["t.*"], "use": "perturb"}]}), schema)


def test_rows_are_not_found_by_their_place(tmp_path: Path) -> None:
    """Rows leave in another order than the real ones have, the same one every time, and each with its own values."""
    ages = np.arange(400) + 20.0
    pq.write_table(pa.table({"age": ages, "twice": 2 * ages, "town": ["Rome", "Lyon"] * 200}), tmp_path / "t.parquet")
    (tmp_path / "p.yaml").write_text("""\
synthwright: 1
name: p
source: {use: parquet, with: {path: t.parquet}, holdout: {share: 0.1}}
start: {from: source, keep: [t.age, t.twice]}
parts: [{make: [t.town], use: perturb, with: {methods: {town: {pram: 0.5}}}}]
curate: [{use: rules}]
evaluate:
  metrics: [shape]
  waive: {privacy: seen elsewhere, fidelity: seen elsewhere, utility: seen elsewhere, diversity: seen elsewhere}
""")
    found = []
    for out in ("one", "two"):
        report = sw.run(tmp_path / "p.yaml", tmp_path / out)
        assert report.passed, report.summary
        found.append(pq.read_table(tmp_path / out / "data" / "t"))
    made = found[0].column("age").to_numpy()
    assert set(made) < set(ages)
    assert abs(np.corrcoef(made, np.arange(len(made)))[0, 1]) < 0.2
    assert found[0].column("twice").to_numpy().tolist() == (2 * made).tolist()
    assert found[0].equals(found[1])


def test_a_run_says_what_it_is(tmp_path: Path) -> None:
    """The card and the report say that rows are real ones, changed, and that the model holds real values."""
    data = people(400)
    pq.write_table(data.to_arrow(), tmp_path / "t.parquet")
    (tmp_path / "p.yaml").write_text("""\
synthwright: 1
name: p
source: {use: parquet, with: {path: t.parquet}}
start: {from: source, keep: [t.town]}
parts: [{make: [t.*], use: perturb, with: {methods: {income: {noise: 0.5}}}}]
evaluate:
  metrics: [shape]
  waive: {privacy: seen elsewhere, fidelity: seen elsewhere, utility: seen elsewhere, diversity: seen elsewhere}
""")
    report = sw.run(tmp_path / "p.yaml", tmp_path / "out")
    assert report.passed, report.summary
    card = (tmp_path / "out" / "README.md").read_text()
    assert "These columns hold real values of real rows, varied a little, as the specification asks: `t.age`" in card
    assert "`perturb` keeps real rows" in card
    assert any("its model holds the real values of 't'" in n for n in report.notes)
