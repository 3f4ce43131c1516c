"""FHIR: rows as resources by a mapping, without nulls; references, bundles, and what a mapping cannot mean."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.kit.fhir import fhir_bundles
from synthwright.sinks import fhir
from synthwright.sinks.fhir import Fhir

MARK = {"synthwright.synthetic": "true"}
PATIENT = {
    "table": "person",
    "fields": {
        "id": "id",
        "active": True,
        "name.0.family": "name",
        "name.0.use": {"value": "official"},
        "gender": {"column": "sex", "values": {"F": "female", "M": "male"}},
        "birthDate": "born",
        "multipleBirthInteger": "twin",
    },
}
VISIT = {
    "table": "visit",
    "fields": {
        "id": "id",
        "status": {"column": "state", "values": {"x": "cancelled"}, "otherwise": "finished"},
        "subject.reference": {"column": "person", "reference": "Patient"},
        "period.start": "at",
        "period.end": "till",
        "reasonCode.0.text": "why",
        "reasonCode.1.coding.0.system": {"value": "http://snomed.info/sct"},
        "reasonCode.1.coding.0.code": "code",
        "length.value": "took",
        "length.unit": {"value": "min"},
        "identifier.0.value": {"column": "number", "text": True},
    },
}


def dataset() -> Dataset:
    """Return three people and their four visits, and a table that nothing is made of."""
    key = Field(kind=Kind.KEY, nulls=False)
    at = Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Berlin]")
    schema = Schema(tables={
        "person": Table(key="id", fields={
            "id": key, "name": Field(kind=Kind.TEXT), "sex": Field(kind=Kind.CATEGORY), "born": Field(kind=Kind.DATE),
            "twin": Field(kind=Kind.INTEGER)}),
        "visit": Table(key="id", fields={
            "id": key, "person": Field(kind=Kind.REFERENCE, to="person.id"), "state": Field(kind=Kind.CATEGORY),
            "at": at, "till": Field(kind=Kind.DATETIME), "why": Field(kind=Kind.TEXT), "code": Field(kind=Kind.TEXT),
            "took": Field(kind=Kind.NUMBER), "number": Field(kind=Kind.INTEGER)}),
        "place": Table(fields={"name": Field(kind=Kind.TEXT)}),
    })  # fmt: skip
    moment = dt.datetime(2024, 7, 1, 12, 30, tzinfo=dt.UTC)
    naive = dt.datetime(2024, 7, 1, 15, 0)
    return Dataset.of({
        "person": pa.table({
            "id": ["a", "b", "c"], "name": ['O"Neill\\', "naïve\nx\x07", " "], "sex": ["F", "M", "X"],
            "born": [dt.date(1990, 1, 2), None, dt.date(2000, 12, 31)], "twin": [None, 2, None]}),
        "visit": pa.table({
            "id": ["v1", "v2", "v3", "v4"], "person": ["c", "a", "a", None], "state": ["x", "y", None, "x"],
            "at": pa.array([moment, moment, None, None], pa.timestamp("us", "Europe/Berlin")),
            "till": pa.array([naive, None, naive, None], pa.timestamp("us")),
            "why": ["cough", None, None, None], "code": ["49727002", "49727002", None, None],
            "took": [12.5, float("nan"), float("inf"), 3.0], "number": [1, 2, None, 4]}),
        "place": pa.table({"name": ["here"]}),
    }, schema)  # fmt: skip


def written(folder: Path, **settings: Any) -> dict[str, list[Any]]:
    """Write the data; return what is in each file."""
    sink = Fhir.model_validate({"mark": False, "resources": {"Patient": PATIENT, "Encounter": VISIT}, **settings})
    files = sink.write(dataset(), folder, MARK)
    assert sorted(files) == sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): [json.loads(line) for line in p.read_text().splitlines()] for p in files}


def test_resources(tmp_path: Path) -> None:
    """Every value stands at its path, text is escaped, and nothing is null, blank or infinite."""
    found = written(tmp_path)
    assert found["person/part-00000.Patient.ndjson"] == [
        {"resourceType": "Patient", "id": "a", "active": True, "name": [{"family": 'O"Neill\\', "use": "official"}],
         "gender": "female", "birthDate": "1990-01-02"},
        {"resourceType": "Patient", "id": "b", "active": True, "name": [{"family": "naïve\nx", "use": "official"}],
         "gender": "male", "multipleBirthInteger": 2},
        {"resourceType": "Patient", "id": "c", "active": True, "birthDate": "2000-12-31"},
    ]  # fmt: skip
    coded = {"coding": [{"system": "http://snomed.info/sct", "code": "49727002"}]}
    assert found["visit/part-00000.Encounter.ndjson"] == [
        {"resourceType": "Encounter", "id": "v1", "status": "cancelled", "subject": {"reference": "Patient/c"},
         "period": {"start": "2024-07-01T14:30:00+02:00", "end": "2024-07-01T15:00:00Z"},
         "reasonCode": [{"text": "cough"}, coded], "length": {"value": 12.5, "unit": "min"},
         "identifier": [{"value": "1"}]},
        {"resourceType": "Encounter", "id": "v2", "status": "finished", "subject": {"reference": "Patient/a"},
         "period": {"start": "2024-07-01T14:30:00+02:00"}, "reasonCode": [coded], "identifier": [{"value": "2"}]},
        {"resourceType": "Encounter", "id": "v3", "status": "finished", "subject": {"reference": "Patient/a"},
         "period": {"end": "2024-07-01T15:00:00Z"}},
        {"resourceType": "Encounter", "id": "v4", "status": "cancelled", "length": {"value": 3, "unit": "min"},
         "identifier": [{"value": "4"}]},
    ]  # fmt: skip
    assert found["place/part-00000.jsonl"] == [{"name": "here"}]


def test_mark(tmp_path: Path) -> None:
    """Resources say that they are test data, unless the mapping says something there itself."""
    marked = written(tmp_path / "a", mark=True)["person/part-00000.Patient.ndjson"]
    assert [r["meta"]["security"][0]["code"] for r in marked] == ["HTEST"] * 3
    own = {**PATIENT, "fields": {**PATIENT["fields"], "meta.security.0.code": {"value": "R"}}}  # type: ignore[dict-item]
    said = written(tmp_path / "b", mark=True, resources={"Patient": own})["person/part-00000.Patient.ndjson"]
    assert [r["meta"]["security"] for r in said] == [[{"code": "R"}]] * 3


def test_one_table_may_be_several_types(tmp_path: Path) -> None:
    """Each type has a file of its own; several mappings of one type for one table go into one file."""
    role = {"table": "person", "fields": {"id": "id", "patient.reference": {"column": "id", "reference": "Patient"}}}
    found = written(tmp_path, resources={"Patient": PATIENT, "Basic": [role, role]})
    assert [len(found[f"person/part-00000.{kind}.ndjson"]) for kind in ("Patient", "Basic")] == [3, 6]
    assert found["visit/part-00000.jsonl"][0]["id"] == "v1"


def test_batches_and_parts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are written at a time, the lines are the same."""
    whole = written(tmp_path / "a", bundle="Patient")
    monkeypatch.setattr(fhir, "_BATCH", 1)
    monkeypatch.setattr(fhir, "_BLOCKS", 1)
    monkeypatch.setattr(fhir_bundles, "BLOCK", 1)
    monkeypatch.setattr(Fhir, "rows", 2)
    parts = written(tmp_path / "b", bundle="Patient")
    for start in ("person/", "visit/", "Patient-bundles/"):
        one, other = ([r for name in sorted(found) if name.startswith(start) for r in found[name]]
                      for found in (whole, parts))  # fmt: skip
        assert one == other
    assert len(parts) > len(whole)


def test_bundles(tmp_path: Path) -> None:
    """There is one transaction for each patient, with what points there; what points nowhere comes before."""
    found = written(tmp_path, bundle="Patient")["Patient-bundles/part-00000.ndjson"]
    said = [[entry["request"]["url"] for entry in bundle["entry"]] for bundle in found]
    assert said == [["Encounter/v4"], ["Patient/a", "Encounter/v2", "Encounter/v3"], ["Patient/b"],
                    ["Patient/c", "Encounter/v1"]]  # fmt: skip
    assert {(b["resourceType"], b["type"]) for b in found} == {("Bundle", "transaction")}
    assert {e["request"]["method"] for b in found for e in b["entry"]} == {"PUT"}
    alone = written(tmp_path / "again")["visit/part-00000.Encounter.ndjson"]
    assert sorted((e["resource"] for b in found for e in b["entry"] if e["resource"]["resourceType"] == "Encounter"),
                  key=lambda r: r["id"]) == alone  # fmt: skip


def test_an_empty_table_is_an_empty_file(tmp_path: Path) -> None:
    """Nothing is written, and no bundle is."""
    sink = Fhir.model_validate({"resources": {"Patient": PATIENT}, "bundle": "Patient"})
    (path, *_) = sink.write(_empty(), tmp_path, MARK)
    assert path.name == "part-00000.Patient.ndjson"
    assert path.read_bytes() == b""


def _empty() -> Dataset:
    held = dataset()
    return Dataset(held.schema, {name: table.slice(0, 0) for name, table in held.tables.items()})


def test_ids_are_what_fhir_allows(tmp_path: Path) -> None:
    """A key that is no id is refused, and nothing is said of its value."""
    held = dataset()
    table = held.tables["person"]
    wrong = table.set_column(table.column_names.index("id"), "id", pa.array(["a b", "b", "c"], pa.large_string()))
    sink = Fhir.model_validate({"resources": {"Patient": PATIENT}})
    with pytest.raises(InputError, match=r"the id of Patient.*in 1 rows") as told:
        sink.write(Dataset(held.schema, {**held.tables, "person": wrong}), tmp_path, MARK)
    assert "a b" not in str(told.value)


@pytest.mark.parametrize(("resources", "message"), [
    ({"patient": PATIENT}, "a resource type such as Patient"),
    ({"Patient": []}, "wanted a mapping"),
    ({"Patient": {"table": "person", "fields": {}}}, "at least 1 item"),
    ({"Patient": {"table": "person", "fields": {"name..family": "name"}}}, "names and positions with dots"),
    ({"Patient": {"table": "person", "fields": {"resourceType": "name"}}}, "leave 'resourceType' out"),
    ({"Patient": {"table": "person", "fields": {"name": "name", "name.0.family": "name"}}}, "where another path ends"),
    ({"Patient": {"table": "person", "fields": {"name.0.family": "name", "name": "name"}}}, "where another path ends"),
    ({"Patient": {"table": "person", "fields": {"name.1.family": "name"}}}, "positions of a list from 0 on"),
    ({"Patient": {"table": "person", "fields": {"name.0.a": "name", "name.b": "sex"}}}, "positions of a list from 0"),
    ({"Patient": {"table": "person", "fields": {"id": {"column": "id", "value": 1}}}}, "a column or a value"),
    ({"Patient": {"table": "person", "fields": {"id": {"value": 1, "text": True}}}}, "go with 'column'"),
    ({"Patient": {"table": "person", "fields": {"id": {"column": "id", "reference": "a b"}}}}, "pattern"),
])  # fmt: skip
def test_mappings_without_sense(resources: dict[str, Any], message: str) -> None:
    """What no data could mend is refused with the parameters."""
    with pytest.raises(ValidationError, match=message):
        Fhir.model_validate({"resources": resources})


def test_faults_of_a_mapping(tmp_path: Path) -> None:
    """Unknown tables and columns are all told, and nothing is written."""
    visit = {"table": "vist", "fields": {"id": "id"}}
    person = {"table": "person", "fields": {"gender": "sexe", "name.0.family": "name"}}
    sink = Fhir.model_validate({"resources": {"Patient": person, "Encounter": visit}, "bundle": "Group"})
    said = sink.faults(dataset().schema)
    assert said[0] == "Patient.gender: table 'person' has no column 'sexe': did you mean 'sex'?"
    assert said[1] == "Encounter: no table is called 'vist': did you mean 'visit'?"
    assert "bundle: wanted a type that has one mapping, got 'Group'" in said
    assert "Patient: in a bundle a resource has an 'id', from a column" in said
    with pytest.raises(InputError, match=r"did you mean 'sex'.*did you mean 'visit'"):
        sink.write(dataset(), tmp_path, MARK)
    assert not list(tmp_path.iterdir())


def test_a_library_takes_the_resources(tmp_path: Path) -> None:
    """What is written is valid R4B."""
    library = pytest.importorskip("fhir.resources.R4B", reason="fhir.resources is not installed")
    for records in written(tmp_path, mark=True, bundle="Patient").values():
        for record in records:
            if "resourceType" in record:
                library.get_fhir_model_class(record["resourceType"]).model_validate(record | _required(record))


def _required(record: dict[str, Any]) -> dict[str, Any]:
    """Return what FHIR asks of a visit and the little mapping above does not say."""
    if record["resourceType"] == "Bundle":
        return {"entry": [{**e, "resource": e["resource"] | _required(e["resource"])} for e in record["entry"]]}
    return {"class": {"code": "AMB"}} if record["resourceType"] == "Encounter" else {}
