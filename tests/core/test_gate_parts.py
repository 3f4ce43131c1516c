"""Gates on scores that no metric gives are faults, before anything runs; those on scores that one may give are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.core.errors import SpecError
from synthwright.core.gate_parts import strange_gates
from synthwright.core.infer import infer
from synthwright.core.loading import load_spec
from synthwright.core.schema import Field, Kind, Rule, Schema, Table
from synthwright.core.spec import Spec
from synthwright.line import check

SCHEMA = Schema(tables={
    "person": Table(
        fields={"age": Field(kind=Kind.INTEGER), "sex": Field(kind=Kind.CATEGORY), "a ~ b": Field(kind=Kind.NUMBER)},
        rules=(Rule(rule="age >= 18"),),
    ),
    "order": Table(fields={"total": Field(kind=Kind.NUMBER)}),
})  # fmt: skip


def told(score: str, schema: Schema | None = SCHEMA) -> str:
    """Return what is said of a gate on a score."""
    spec = Spec.model_validate(
        {"synthwright": 1, "name": "x", "schema": SCHEMA, "evaluate": {"gates": [f"{score} < 1"]}}
    )
    found = list(strange_gates(spec, schema))
    assert all(place == ("evaluate", "gates", 0) for place, _ in found)
    return found[0][1] if found else ""


@pytest.mark.parametrize(
    ("score", "meant"),
    [
        ("shape[person.agee]", "did you mean 'shape[person.age]'?"),
        ("shape[nosuch]", "columns are said as in 'person.age'"),
        ("shape[age]", "did you mean 'shape[person.age]'?"),
        ("shape[persons]", "did you mean 'shape[person]'?"),
        ("trend[person.age ~ nosuch]", "there is no 'nosuch'"),
        ("trend[person.age ~ person.ag]", "did you mean 'trend[person.age ~ person.age]'?"),
        ("membership[tpr at 1% fpr]", "did you mean 'membership[tpr at 1 % fpr]'?"),
        ("membership[TPR at 0.1 % FPR]", "did you mean 'membership[tpr at 0.1 % fpr]'?"),
        ("membership[person.age]", "did you mean 'membership[person]'?"),
        ("membership.worst", "it has 'distance', "),
        ("group-shares[sex=F]", "did you mean 'group-shares[person.sex=F]'?"),
        ("group-shares[person.sax=F]", "did you mean 'group-shares[person.sex=F]'?"),
        ("tstr[person.nosuch]", "columns are said as in"),
        ("rules[age >= 21]", "columns are said as in"),
        ("exact-copies[persons]", "did you mean 'exact-copies[person]'?"),
    ],
)
def test_what_no_metric_gives_is_a_fault(score: str, meant: str) -> None:
    """Unknown columns, tables and names; the nearest is told."""
    assert meant in told(score)


@pytest.mark.parametrize(
    "score",
    ["shape", "shape.worst", "shape[order]", "shape[person.age]", "shape[person.a ~ b]",
     "trend[person.age ~ person.sex]",
     "trend[person.a ~ b ~ person.age]", "dependencies[person.age -> person.sex]", "rules[age >= 18]",
     "rules[person: age >= 18]", "membership[tpr at 1 % fpr]", "membership[isolated tpr at 0.1 % fpr]",
     "membership[distance]", "membership[order]", "group-shares[person.sex=F & person.age (quarter 1 of 4)]",
     "group-utility[person.age (missing)]", "demographic-parity[person.sex ~ person.age]", "tstr[class 2]",
     "model-ranking[boosted trees]", "linkability[person: one split]", "nosuch[person.age]", "support[far]"],
)  # fmt: skip
def test_what_a_metric_may_give_is_none(score: str) -> None:
    """Tables, columns and what stands between them, groups, classes, kinds, attacks, rules; also odd column names."""
    assert told(score) == ""


def test_without_a_schema_only_spellings_are_told() -> None:
    """What may be a table or column is not known yet."""
    assert "did you mean 'membership[tpr at 1 % fpr]'?" in told("membership[tpr at 1% fpr]", None)
    assert told("shape[nosuch]", None) == told("membership[nosuch]", None) == ""


def test_line_and_column_are_told(tmp_path: Path) -> None:
    """Where the gate stands in the file, with every other fault."""
    (tmp_path / "x.yaml").write_text(
        "synthwright: 1\nname: x\nschema: {tables: {t: {fields: {a: {kind: number}}}}}\nstart: {rows: {t: 5}}\n"
        "evaluate:\n  gates:\n    - shape[t.b] <= 0.1\n    - membership[tpr at 1%fpr] <= 0.1\n"
    )
    with pytest.raises(SpecError) as error:
        check(load_spec(tmp_path / "x.yaml"))
    assert [(f.line, f.column) for f in error.value.faults] == [(7, 7), (8, 7)]


def frames(seed: int) -> dict[str, pd.DataFrame]:
    """Make two tables of every kind of column."""
    rng = np.random.default_rng(seed)
    person = {"id": np.arange(300), "age": rng.integers(18, 90, 300), "sex": rng.choice(["F", "M"], 300),
              "wealth": rng.lognormal(size=300), "income": rng.choice(["low", "mid", "high"], 300)}  # fmt: skip
    visit = {"visit": np.arange(900), "id": rng.integers(0, 300, 900), "n": rng.integers(1, 9, 900).astype(float),
             "kind": rng.choice(["a", "b"], 900)}  # fmt: skip
    visit["n"][rng.random(900) < 0.1] = np.nan
    return {"person": pd.DataFrame(person), "visit": pd.DataFrame(visit)}


def test_every_score_of_a_report_may_have_a_gate() -> None:
    """Whatever cheap metrics of every group say of two tables is understood."""
    real = frames(1)
    report = sw.evaluate(
        real=real, synthetic=frames(2), holdout=frames(3), target="person.income",
        sensitive=["person.sex", "person.age"],
        metrics=["integrity", "shape", "trend", "marginals", "missingness", "tails", "support", "shares", "lost",
                 "dependencies", "lattices", "coverage", "entropy", "spread", "tstr", "exact-copies", "membership",
                 "singling-out", "linkability", "attribute-inference", "group-shares", "group-fidelity"],
    )  # fmt: skip
    schema = infer({t: sw.Dataset.of(f).to_arrow() for t, f in real.items()}).schema
    names = tuple(dict.fromkeys(s.name for s in report.scores))
    assert len(names) > 150
    spec = Spec.model_validate({"synthwright": 1, "name": "x", "schema": schema,
                                "evaluate": {"gates": [f"{n} <= 1" for n in names]}})  # fmt: skip
    assert list(strange_gates(spec, schema)) == []
