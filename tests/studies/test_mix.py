"""How much to mix: what is asked is settled or refused, nothing leaks, what fails is a row, seeds decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, StoreError, UnknownNameError
from synthwright.kit.tables import save_dataset
from synthwright.report.mixed import Candidate, Mixed
from synthwright.studies import mix as study
from synthwright.studies import mix_runs, mix_work
from synthwright.studies.mix import mix_rows
from synthwright.studies.mix_data import Aim, Dose, Ground, Wish, doses, ground_of
from synthwright.studies.mix_recipe import recipe
from synthwright.studies.mix_work import Job, folds, predictions, run_mix
from synthwright.synthesizer import learn


def payments(rows: int = 900, rare: float = 0.04) -> pd.DataFrame:
    """Make a small frame with a rare class that two columns tell of."""
    rng = np.random.default_rng(4)
    fraud = np.zeros(rows, dtype=int)
    fraud[rng.choice(rows, round(rows * rare), replace=False)] = 1
    amount = np.round(rng.lognormal(3, 1, rows) + 40 * fraud, 2)
    return pd.DataFrame({
        "amount": amount, "hour": rng.integers(0, 24, rows), "shop": rng.choice(["a", "b", "c"], rows),
        "score": np.round(rng.normal(size=rows) + 1.2 * fraud, 3), "fraud": fraud.astype(float),
    })  # fmt: skip


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few draws do."""
    monkeypatch.setattr(study, "DRAWS", 40)


def grounded(tmp_path: Path, data: Any, target: str = "fraud", **how: Any) -> Ground:
    """Read data as a study does."""
    at = tmp_path / f"ground-{len(list(tmp_path.iterdir()))}"
    at.mkdir()
    return ground_of(data, Wish(target, **how), at)


# ------------------------------------------------------------------------------------------------------- what is asked
def test_numbers_of_two_values_are_classes(tmp_path: Path) -> None:
    """A target of 0.0 and 1.0 is two classes, the rarer positive; both sides keep its proportions."""
    found = grounded(tmp_path, payments())
    assert (found.aim.task, found.aim.positive) == ("two classes", "1")
    counts = [int(found.aim.coded(d).sum()) for d in (found.train, found.test)]
    assert sum(counts) == 36
    assert counts[1] == pytest.approx(7, abs=1)
    assert "fraud" not in found.aim.predictors(found.train.schema)


@pytest.mark.parametrize(("said", "wanted"), [("0", "0"), ("0.0", "0"), ("1", "1")])
def test_the_positive_class_can_be_named(tmp_path: Path, said: str, wanted: str) -> None:
    """As it is spelled, or as a number of the same size."""
    assert grounded(tmp_path, payments(), positive=said).aim.positive == wanted


def test_booleans_are_named_as_they_are_spelled(tmp_path: Path) -> None:
    """A column of yes and no is found by its own words, and is set as a boolean."""
    data = payments(rare=0.3).assign(fraud=lambda d: np.where(d["fraud"] == 1, "yes", "no"))
    for word, wanted in (("yes", True), ("no", False), ("true", True)):
        assert grounded(tmp_path, data, positive=word).aim.positive is wanted


def test_classes_and_numbers(tmp_path: Path) -> None:
    """Few labels are many classes, of which one can be named; many numbers are numbers."""
    many = grounded(tmp_path, payments(), "shop").aim
    assert (many.task, len(many.classes), many.judged) == ("many classes", 3, (0, 1, 2))
    assert grounded(tmp_path, payments(), "shop", positive="b").aim.task == "two classes"
    assert grounded(tmp_path, payments(), "amount").aim.task == "number"


def test_rules_about_a_recast_target_go(tmp_path: Path) -> None:
    """A rule that compares the target as a number would be a fault beside labels; other rules stay."""
    data = payments().assign(bonus=lambda d: d["fraud"], least=lambda d: d["hour"] - 1)
    rules = grounded(tmp_path, data).train.schema.tables["data"].rules
    assert not any("fraud" in r.rule for r in rules)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    """They cannot teach and cannot test; the study says how many there were."""
    data = payments().assign(shop=lambda d: d["shop"].where(d["hour"] > 1))
    found = grounded(tmp_path, data, "shop")
    assert found.train.rows("data") + found.test.rows("data") == int((data["hour"] > 1).sum())
    assert "without a target" in found.notes[0]


def test_rows_that_confirm_may_be_given(tmp_path: Path) -> None:
    """All other rows then learn; rows that learned are refused."""
    data = payments()
    data[:700].to_parquet(tmp_path / "train.parquet")
    data[700:].to_parquet(tmp_path / "test.parquet")
    found = grounded(tmp_path, tmp_path / "train.parquet", test=tmp_path / "test.parquet")
    assert (found.train.rows("train"), found.test.rows("train"), found.given) == (700, 200, True)
    with pytest.raises(InputError, match="not trained on"):
        grounded(tmp_path, tmp_path / "train.parquet", test=data[:600])


@pytest.mark.parametrize(
    ("data", "target", "how", "wanted"),
    [
        (payments(), "frod", {}, "'frod'"),
        (payments(rare=0.02), "fraud", {}, "at least 20 positive rows"),
        (payments().assign(fraud=0), "fraud", {}, "two classes"),
        (payments(), "fraud", {"positive": "2"}, "there are '0', '1'"),
        (payments(), "amount", {"positive": "3"}, "many numbers"),
        (payments().assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(900), "D")), "day", {}, "kind"),
        (payments().assign(code=[f"k{i % 40}" for i in range(900)]), "code", {}, "--positive"),
        (payments()[["fraud"]], "fraud", {}, "other columns"),
        (payments()[["amount", "hour"]][:40], "amount", {}, "at least 60 rows"),
        ({"a": payments(), "b": payments()}, "a.fraud", {}, "single table"),
    ],
)
def test_what_cannot_be_studied_is_refused(
    tmp_path: Path, data: Any, target: str, how: dict[str, Any], wanted: str
) -> None:
    """One message that says what was wanted."""
    with pytest.raises(InputError, match=wanted):
        grounded(tmp_path, data, target, **how)


def test_doses() -> None:
    """Rare classes are filled up to shares that they do not have yet; others get whole rows, and are evened out."""
    rare, common = (
        Aim(table="t", target="y", task="two classes", positive="1"),
        Aim(table="t", target="y", task="number"),
    )
    assert [d.share for d in doses(rare, 0.015, None, "t")] == [0.02, 0.05]
    assert doses(rare, 0.2, (0.3,), "t") == (Dose("rows", 0.3), Dose("positives", 0.5))
    assert doses(common, 0.0, (0.3, 0.1), "t") == (Dose("rows", 0.1), Dose("rows", 0.3))
    assert Dose("positives", 0.5).rows(10, 100) == 80
    assert Dose("rows", 0.2).rows(10, 100) == 25
    assert Dose("nothing").rows(10, 100) == 0
    for shares, wanted in (((0.01,), "above the 1.50%"), ((1.5,), "between 0 and 1")):
        with pytest.raises(InputError, match=wanted):
            doses(rare, 0.015, shares, "t")


# ------------------------------------------------------------------------------------------------------ how it is done
def job_of(tmp_path: Path, method: str, aim: Aim, parts: int, *chosen: Dose) -> Job:
    """Return a job on the rows that lie in a folder."""
    return Job(method=method, at=str(tmp_path), out=str(tmp_path / "said.npz"), aim=aim, doses=chosen, seed=3,
               seconds=600, folds=parts, repeats=2)  # fmt: skip


def test_generators_see_only_the_rows_that_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On each fold a generator is fitted on the rows of the others, and asked for rows of the rare class alone."""
    data = payments().assign(place=np.arange(900) + 0.5)
    found = grounded(tmp_path, data)
    save_dataset(found.train, tmp_path / "train")
    seen: list[set[float]] = []
    asked: list[Dataset] = []

    def spying(plan: Any, rows: Dataset, *rest: Any) -> Any:
        seen.append(set(rows.column("data.place").to_pylist()))
        made = learn(plan, rows, *rest)
        monkeypatch.setattr(type(made), "sample_dataset", sampling, raising=True)
        return made

    sample = sw.Synthesizer.sample_dataset

    def sampling(model: Any, *what: Any) -> Dataset:
        asked.append(sample(model, *what))
        return asked[-1]

    monkeypatch.setattr(mix_work, "learn", spying)
    monkeypatch.setattr(mix_work, "ROUNDS", 3)
    job = job_of(tmp_path, "copula", found.aim, 3, Dose("positives", 0.1), Dose("positives", 0.2))
    said = predictions(job)
    assert said.shape == (2, 2, found.train.rows("data"))
    place = np.asarray(found.train.column("data.place").to_numpy())
    fold = folds(found.aim.coded(found.train), found.aim, 3, 3)
    assert seen == [set(place[fold != k].tolist()) for k in range(3)]
    assert len(asked) == 6
    assert all(found.aim.coded(made).all() for made in asked)


def test_repeats_and_weights_are_alike_and_shares_are_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Duplicates and weights bring the class to the share that was asked for; nothing else is weighed."""
    found = grounded(tmp_path, payments())
    save_dataset(found.train, tmp_path / "train")
    save_dataset(found.test, tmp_path / "test")
    lessons: list[mix_work.Lesson] = []

    def learning(lesson: mix_work.Lesson, asked: np.ndarray, *_: Any) -> np.ndarray:
        lessons.append(lesson)
        return np.zeros(len(asked), dtype=np.float32)

    monkeypatch.setattr(mix_work, "predict", learning)
    for method in ("duplicate", "weights", "smote"):
        said = predictions(job_of(tmp_path, method, found.aim, 0, Dose("positives", 0.25)))
        assert said.shape == (1, 2, found.test.rows("data"))
    for lesson in lessons:
        assert lesson.weights[lesson.truth == 1].sum() / lesson.weights.sum() == pytest.approx(0.25, abs=0.002)
        assert set(lesson.weights[lesson.truth == 0].tolist()) == {1.0}
    real = found.train.rows("data")
    rare = {tuple(r) for r in lessons[0].values[:real][lessons[0].truth[:real] == 1].tolist()}
    assert {tuple(r) for r in lessons[0].values[real:].tolist()} == rare
    assert not {tuple(r) for r in lessons[4].values[real:].tolist()} <= rare


def test_all_classes_weigh_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a share, each class counts as much as any other."""
    found = grounded(tmp_path, payments().assign(shop=lambda d: np.where(d["hour"] < 3, "a", d["shop"])), "shop")
    save_dataset(found.train, tmp_path / "train")
    save_dataset(found.test, tmp_path / "test")
    lessons: list[mix_work.Lesson] = []

    def learning(lesson: mix_work.Lesson, asked: np.ndarray, *_: Any) -> np.ndarray:
        lessons.append(lesson)
        return np.zeros((len(asked), 3), dtype=np.float32)

    monkeypatch.setattr(mix_work, "predict", learning)
    predictions(job_of(tmp_path, "weights", found.aim, 0, Dose("nothing")))
    sums = [lessons[0].weights[lessons[0].truth == c].sum() for c in range(3)]
    assert sums == pytest.approx([sums[0]] * 3)


def test_a_process_of_its_own_does_the_work(tmp_path: Path) -> None:
    """What the work writes is what it says here; it ends by itself where time is over."""
    from synthwright.engine.apart import apart

    found = grounded(tmp_path, payments(300, 0.2))
    save_dataset(found.train, tmp_path / "train")
    job = job_of(tmp_path, "real", found.aim, 2, Dose("nothing"))
    assert apart(mix_runs.WORK, job.model_dump(mode="json"), tmp_path / "log.txt") == {"reason": ""}
    with np.load(job.out, allow_pickle=False) as held:
        assert np.array_equal(held["said"], predictions(job))


# ----------------------------------------------------------------------------------------------------------- the study
def pretending(gains: dict[str, float], test: dict[str, float] | None = None) -> Any:
    """Return what stands in for the processes: models that are so much better or worse than real rows alone."""

    def work(_: str, order: dict[str, Any], log: Path, *__: Any) -> dict[str, str]:
        from synthwright.kit.tables import load_dataset

        job = Job.model_validate(order)
        if job.method == "bayes-net":
            raise TimeoutError
        if job.method == "copula":
            return {"reason": "it raised RuntimeError."}
        truth = job.aim.coded(load_dataset(Path(job.at) / ("train" if job.folds else "test")))
        rng = np.random.default_rng(len(truth))
        noise = rng.normal(size=len(truth))
        more = gains if job.folds or test is None else test
        said = [[noise + (1.5 + more.get(job.method, 0.0)) * truth + 0.01 * r for r in range(job.repeats)]
                for _ in job.doses]  # fmt: skip
        np.savez(job.out, said=1 / (1 + np.exp(-np.array(said))))
        return {"reason": ""}

    return work


def here(_work: str, order: dict[str, Any], _log: Path) -> dict[str, Any]:
    """Do the work in this process."""
    return run_mix(order)


def studied(monkeypatch: pytest.MonkeyPatch, out: Path, gains: dict[str, float], **how: Any) -> Mixed:
    """Study payments with models that are so good."""
    monkeypatch.setattr(mix_runs, "apart", pretending(gains, how.pop("test", None)))
    return mix_rows(payments(4_000), Wish("fraud", **how), out)


def test_what_helps_is_recommended_and_ready_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that gains more than the simple ways is recommended, with a specification that is one."""
    found = studied(
        monkeypatch, tmp_path / "out", {"forest": 1.5, "duplicate": 0.1}, methods=("forest",), shares=(0.1,)
    )
    assert found.recommended is not None
    assert (found.recommended.name, found.recommended.share) == ("forest", 0.1)
    assert found.because.startswith("Add 213 rows (forest 10 % positives): on 800 held-out rows average precision is ")
    assert [c.name for c in found.confirmed] == ["real", "real", "forest", "duplicate"]
    assert found.recipe == "specs/mix-forest.yaml"
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.name[0] != ".") == [
        "mix.html", "mix.json", "mix.md", "specs"]  # fmt: skip
    payments().to_parquet(tmp_path / "out" / "specs" / "real.parquet")
    plan = sw.check(tmp_path / "out" / found.recipe)
    assert plan is not None
    assert plan.spec.start.set_ == {"data.fraud": "1"}
    assert plan.spec.start.rows == {"data": 266}
    assert Mixed.model_validate_json((tmp_path / "out" / "mix.json").read_bytes()) == found
    assert found.table.num_rows == len(found.candidates)


def test_real_alone_is_best_where_nothing_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What gains on the folds and not on held-out rows is not recommended; what gains nowhere is not even confirmed."""
    lucky = studied(monkeypatch, tmp_path / "one", {"forest": 0.4, "duplicate": -0.3, "weights": -0.3},
                    test={"forest": 0.0}, methods=("forest",))  # fmt: skip
    assert lucky.recommended is None
    assert "Real rows alone are best: forest" in lucky.because
    assert lucky.recipe == ""
    worse = dict.fromkeys(("forest", "duplicate", "weights"), -0.5)
    none = studied(monkeypatch, tmp_path / "two", worse, methods=("forest",))
    assert none.because == "Real rows alone are best: on the folds nothing that was added raised average precision."
    assert [c.name for c in none.confirmed] == ["real", "real"]
    assert "threshold" in none.threshold


def test_failures_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that raises, or takes too long, is a row with the reason, and the others are tried."""
    told: list[str | Sequence[Candidate]] = []
    monkeypatch.setattr(mix_runs, "apart", pretending({}))
    wish = Wish("fraud", methods=("copula", "bayes-net", "forest", "marginals"), seconds=5)
    found = mix_rows(payments(), wish, tmp_path / "o", told.append)
    rows = {c.name: c for c in found.candidates}
    assert (rows["copula"].outcome, rows["copula"].reason) == ("failed", "it raised RuntimeError.")
    assert (rows["bayes-net"].outcome, rows["bayes-net"].reason) == ("stopped", "stopped after 5 seconds")
    assert rows["forest"].outcome == "measured"
    assert rows["marginals"].reason == "it cannot be asked for rows of one class."
    assert told[0] == "real"
    assert told[-1] == "held-out rows"


def test_reasons_hold_no_value_of_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a library raises only the name is told."""

    def raising(_: Job) -> np.ndarray:
        raise RuntimeError("a value of a real row")

    monkeypatch.setattr(mix_work, "predictions", raising)
    aim = Aim(table="t", target="y", task="number")
    assert run_mix(job_of(tmp_path, "real", aim, 3, Dose("nothing")).model_dump(mode="json")) == {
        "reason": "it raised RuntimeError."}  # fmt: skip


def test_the_same_seed_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole study with real models, twice: the same bytes but for seconds; another seed is another study."""
    monkeypatch.setattr(mix_runs, "apart", here)
    monkeypatch.setattr(mix_work, "ROUNDS", 5)
    wish = Wish("fraud", methods=("copula",), shares=(0.1,))
    first, second = (mix_rows(payments(500, 0.06), wish, tmp_path / name) for name in ("one", "two"))

    def still(found: Mixed) -> dict[str, Any]:
        rows = [c.model_dump(exclude={"seconds"}) for c in found.candidates]
        return found.model_dump(exclude={"candidates"}) | {"rows": rows}

    assert still(first) == still(second)
    assert [c.outcome for c in first.candidates] == ["measured"] * 4
    with pytest.raises(StoreError, match="--force"):
        mix_rows(payments(500, 0.06), wish._replace(seed=1), tmp_path / "one")


@pytest.mark.parametrize("target", ["shop", "amount"])
def test_other_targets_are_studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """Many classes and numbers get whole rows; there is no recall, and no threshold."""
    monkeypatch.setattr(mix_runs, "apart", here)
    monkeypatch.setattr(mix_work, "ROUNDS", 3)
    found = mix_rows(payments(300, 0.1), Wish(target, methods=("copula",), shares=(0.2,)), tmp_path / "out")
    assert [c.label for c in found.candidates if c.name == "copula"] == ["copula 20 %"]
    assert all(c.outcome == "measured" for c in found.candidates)
    assert found.threshold == ""
    page = (tmp_path / "out" / "mix.html").read_text(encoding="utf-8")
    assert found.because[:30] in page
    assert "threshold" not in page


def test_near_generators_come_with_a_warning(tmp_path: Path) -> None:
    """The specification of what stays near real rows says that gates will refuse it; nothing is waived by itself."""
    found = grounded(tmp_path, payments())
    file = recipe(found, "smote", Dose("positives", 0.1), 0, tmp_path, named=False)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert "# It stays near real rows" in text
    assert not any(line.startswith("  waive") for line in text.splitlines())


def test_the_notebook_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sw.mix` takes frames; wrong words are messages."""
    monkeypatch.setattr(mix_runs, "apart", pretending({}))
    table = pa.Table.from_pandas(payments(), preserve_index=False)
    found = sw.mix(table, "fraud", ["forest"], positive=1, shares=[0.2])
    assert isinstance(found, sw.Mixed)
    assert "<table>" in found._repr_html_()
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"methods": "forest"}, InputError), ({"seed": -1}, InputError), ({"shares": 0.1}, InputError),
        ({"seconds": 0}, InputError), ({"methods": ["forrest"]}, UnknownNameError),
        ({"methods": ["constant"]}, UnknownNameError), ({"methods": ["perturb"]}, UnknownNameError)]  # fmt: skip
    for how, error in wrong:
        with pytest.raises(error):
            sw.mix(table, "fraud", **how)
