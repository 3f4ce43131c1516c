"""Rebalanced rows are proven: held against real rows with the same shares, and against what was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import DEFAULT_GATES, parse
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.matching import matched
from synthwright.report.report import ScoreRow
from synthwright.report.verdict import settle
from synthwright.testing import toys

ADULT = Path(__file__).resolve().parents[1] / "examples" / "adult" / "adult.parquet"
SPEC = """\
synthwright: 1
name: adult
seed: 7
source: {{use: parquet, with: {{path: adult.parquet}}}}
start: {{rows: {{adult: 1000}}, set: {asked}}}
evaluate: {{target: adult.income, metrics: [integrity, shape, trend], waive: {waive}}}
"""
QUICK = "{" + ", ".join(f"{g}: seen elsewhere" for g in ("fidelity", "utility", "diversity", "privacy")) + "}"
LIKENESS = ("shape", "trend", "marginals", "detection", "tstr", "coverage")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a part of the census table."""
    pq.write_table(pq.read_table(ADULT).slice(0, 1_200), tmp_path / "adult.parquet")
    return tmp_path


def run(project: Path, asked: str, out: str = "out", waive: str = QUICK) -> sw.Report:
    """Run a specification that sets columns."""
    (project / "adult.yaml").write_text(SPEC.format(asked=asked, waive=waive))
    return sw.run(project / "adult.yaml", project / out, store=project / "store")


def whole(report: sw.Report, metric: str) -> ScoreRow:
    """Return a metric's score about the whole."""
    return next(s for s in report.scores if (s.metric, s.about) == (metric, ""))


def test_a_balanced_run_is_proven(project: Path) -> None:
    """Likeness is measured on matched real rows, and rules; the report says how many these are."""
    report = run(project, "{adult.income: balanced}", waive="{}")
    assert report.passed, report.summary
    assert not report.waived
    assert {parse(g.gate).metric for g in report.gates} >= {"conditions", *LIKENESS}
    assert all(whole(report, m).status == "ok" for m in ("conditions", *LIKENESS))
    assert any("of 240 held-out rows" in n and "adult.income was set" in n for n in report.notes)
    incomes = pq.read_table(project / "out" / "data" / "adult").column("income").to_pylist()
    assert incomes.count(">50K") == 500


def test_what_was_set_is_part_of_the_identity(project: Path) -> None:
    """In one store, other shares are measured anew, and the same ones are not."""

    def measured() -> int:
        return len(list((project / "store" / "scores").iterdir()))

    first = run(project, "{adult.income: balanced}")
    once = measured()
    again = run(project, "{adult.income: balanced}", "again")
    assert measured() == once
    assert again.scores == first.scores
    other = run(project, '{adult.income: ">50K"}', "other")
    assert measured() == 2 * once
    assert whole(other, "conditions").value == 1.0
    assert whole(other, "shape") != whole(first, "shape")


def test_what_no_real_row_has_cannot_be_proven(project: Path) -> None:
    """Where real rows lack what was set, likeness is not applicable, and says which columns; the rest is measured."""
    report = run(project, "{adult.income: balanced, adult.age: {between: [200, 300]}}")
    for metric in ("shape", "trend"):
        score = whole(report, metric)
        assert score.status == "not-applicable"
        assert "adult.age, adult.income were set" in str(score.problem)
        assert "200" not in str(score.problem)
    assert all(whole(report, m).status == "ok" for m in ("conditions", "rows"))
    assert any("no real row meets what was asked for" in n for n in report.notes)
    assert "nothing was compared" in report.warnings[0]


# ------------------------------------------------------------------------------------- power, on a table that is made
def people(rows: int, seed: int, rare: float = 0.15) -> Dataset:
    """Return rows with a rare label on which three other columns depend."""
    rng = Context(seed=seed, place=("people",)).rng
    sick = rng.random(rows) < rare
    age = np.rint(np.where(sick, rng.normal(62, 9, rows), rng.normal(45, 12, rows)))
    town = np.where(rng.random(rows) < np.where(sick, 0.7, 0.3), "north", rng.choice(["east", "west"], rows))
    label, number = Field(kind=Kind.CATEGORY), Field(kind=Kind.NUMBER)
    return toys.dataset({"p": {
        "sick": (label, np.where(sick, "yes", "no")), "age": (number, age), "town": (label, town),
        "dose": (number, age / 10 + rng.gamma(2, np.where(sick, 2.0, 1.0))),
    }})  # fmt: skip


def balanced(rows: int, seed: int) -> Dataset:
    """Return such rows, half of them with the rare label."""
    data = people(10 * rows, seed)
    sick = np.array(data.column("p.sick").to_pylist()) == "yes"
    return data.take("p", np.sort(np.concatenate([np.flatnonzero(s)[: rows // 2] for s in (sick, ~sick)])))


def refused(synthetic: Dataset) -> set[str]:
    """Return the default gates of likeness, and of what was set, that a balanced release does not pass."""
    case = Case(people(4_000, 1), people(2_000, 2), synthetic, "p.sick", chosen={"p.sick": "balanced"})
    alike = matched(case, Context(seed=5)).case
    scores: list[Score] = []
    for name in ("conditions", *LIKENESS):
        metric = registry.find("metrics", name)()
        assert isinstance(metric, Metric)
        scores += metric.measure(case if metric.group == "integrity" else alike, Context(seed=5).at(name))
    gates = [g for g in DEFAULT_GATES if parse(g).metric in ("conditions", *LIKENESS)]
    return {parse(r.gate).name for r in settle(scores, gates) if not r.passed}


def test_honest_rows_pass() -> None:
    """Real rows that nobody saw, as many of each label, pass every gate."""
    assert refused(balanced(3_000, 3)) == set()


def test_who_ignores_what_was_set_is_refused() -> None:
    """Rows with the shares of real rows are refused for that, though they are like real rows otherwise."""
    assert refused(people(3_000, 3)) == {"conditions"}


def test_who_ignores_what_it_means_is_refused() -> None:
    """Balanced labels beside columns that do not know them: single columns are off, and what joins them."""
    real = people(3_000, 3)
    half = pa.array(np.where(np.arange(3_000) % 2 == 0, "yes", "no"), pa.large_string())
    found = refused(real.with_columns("p", {"sick": half}))
    assert {"shape.worst", "trend.worst", "marginals", "detection", "tstr"} <= found
    assert "conditions" not in found


def test_shuffled_columns_are_refused() -> None:
    """Columns that are right one by one, and do not know what was set, are refused."""
    data = balanced(3_000, 3)
    rng = np.random.default_rng(1)
    mixed = {c: data.column(f"p.{c}").take(pa.array(rng.permutation(data.rows()))) for c in ("age", "town", "dose")}
    found = refused(data.with_columns("p", mixed))
    assert {"trend", "trend.worst", "marginals", "detection", "tstr"} <= found
    assert not found & {"conditions", "shape", "shape.worst"}
