"""So many rows for each row of another table: numbers, formulas, conditions, and what is told before anything runs."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SpecError

CARE = """
synthwright: 1
name: care
schema:
  tables:
    clinic: {key: id, fields: {id: {kind: key, type: int64, nulls: false}, beds: {kind: integer, nulls: false}}}
    patient:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        clinic: {kind: reference, to: clinic.id, type: int64, nulls: false}
        age: {kind: integer, nulls: false}
    visit:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        patient: {kind: reference, to: patient.id, type: int64, nulls: false}
        age: {kind: integer, nulls: false}
start:
  rows: {clinic: 5, patient: 300}
  children: {visit: {of: visit.patient, use: each, with: {where: "age >= 40", count: COUNT}}}
parts:
  - {make: [clinic.id, patient.id, visit.id], use: counter}
  - {make: [clinic.beds], use: distribution, with: {poisson: {mean: 3}}}
  - {make: [patient.clinic], use: reference}
  - {make: [patient.age], use: distribution, with: {uniform: {low: 0, high: 90}}}
  - {make: [visit.age], use: formula, with: {formula: patient.age}}
evaluate: {metrics: [integrity]}
curate: []
"""


def test_as_many_as_a_formula_says(tmp_path: Path) -> None:
    """Only where the condition holds, as many as the formula says, through references too."""
    (tmp_path / "care.yaml").write_text(CARE.replace("COUNT", '"clinic.beds - 0.6"'), encoding="utf-8")
    assert sw.run(tmp_path / "care.yaml", tmp_path / "out").passed
    clinics, patients, visits = (
        pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("clinic", "patient", "visit")
    )
    beds = {c["id"]: c["beds"] for c in clinics}
    wanted = [p["id"] for p in patients if p["age"] >= 40 for _ in range(max(beds[p["clinic"]] - 1, 0))]
    assert [v["patient"] for v in visits] == wanted
    assert wanted
    ages = {p["id"]: p["age"] for p in patients}
    assert [v["age"] for v in visits] == [ages[v["patient"]] for v in visits]


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("COUNT", '"clinik.beds"', "did you mean 'clinic'"),
        ("age >= 40", "age + 40", "it gives a number"),
        ("use: each", "use: eech", "did you mean 'each'"),
        ("COUNT", "-1", "0 or more"),
        ("use: each, with:", "count: 2, with:", "goes with 'use'"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path: Path, was: str, now: str, said: str) -> None:
    """Nothing runs, and file, line and column are named."""
    path = tmp_path / "care.yaml"
    path.write_text(CARE.replace(was, now).replace("COUNT", "1"), encoding="utf-8")
    with pytest.raises(SpecError) as found:
        sw.check(path)
    assert any(said in str(f) for f in found.value.faults), found.value.faults
    children = next(i for i, line in enumerate(CARE.splitlines(), 1) if "children:" in line)
    assert children in {f.line for f in found.value.faults}
