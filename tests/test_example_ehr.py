"""The example `ehr`: what it makes fits together, people have what figures say, and its FHIR leads nowhere wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import synthwright as sw

EXAMPLE = Path(__file__).parents[1] / "examples" / "ehr" / "ehr.yaml"
SMALL = 400
MODULES = ("hypertension", "diabetes", "asthma", "copd", "heart", "fibrillation", "depression", "kidney", "arthritis",
           "obesity")  # fmt: skip
CODES = {"59621000": "hypertension", "44054006": "diabetes", "195967001": "asthma", "13645005": "copd",
         "53741008": "heart", "49436004": "fibrillation", "370143000": "depression", "709044004": "kidney",
         "3723001": "arthritis", "162864005": "obesity"}  # fmt: skip


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Run the example with few patients; return its resources by type."""
    folder = tmp_path_factory.mktemp("ehr")
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "patient: 1000}" in text
    (folder / "ehr.yaml").write_text(text.replace("patient: 1000}", f"patient: {SMALL}}}"), encoding="utf-8")
    report = sw.run(folder / "ehr.yaml", folder / "out", workers=1)
    assert report.passed, report.summary
    files = (folder / "out" / "data").rglob("*.ndjson")
    return {p.name.split(".")[1]: [json.loads(line) for line in p.read_text(encoding="utf-8").splitlines()]
            for p in files}  # fmt: skip


def references(said: Any) -> list[str]:
    """Return every reference in a resource."""
    if isinstance(said, dict):
        own = [said["reference"]] if isinstance(said.get("reference"), str) else []
        return own + [r for inner in said.values() for r in references(inner)]
    return [r for inner in said for r in references(inner)] if isinstance(said, list) else []


def coded(resource: dict[str, Any], element: str = "code") -> str:
    """Return the first code of an element."""
    return str(resource[element]["coding"][0]["code"])


def test_every_reference_leads_somewhere(resources: dict[str, list[dict[str, Any]]]) -> None:
    """There are eleven types of resources, no id twice, and what is pointed to is there."""
    assert len(resources) == 11
    ids = [f"{kind}/{r['id']}" for kind, several in resources.items() for r in several]
    assert len(set(ids)) == len(ids)
    pointed = {r for several in resources.values() for one in several for r in references(one)}
    assert pointed <= set(ids)
    assert len(resources["Patient"]) == SMALL
    assert {r["meta"]["security"][0]["code"] for several in resources.values() for r in several} == {"HTEST"}


def test_a_record_is_one_story(resources: dict[str, list[dict[str, Any]]]) -> None:
    """Nothing happens before birth or after death; a disease begins once, at a visit, and before all that it causes."""
    born = {p["id"]: p["birthDate"] for p in resources["Patient"]}
    died = {p["id"]: p.get("deceasedDateTime", "2024-12-31") for p in resources["Patient"]}
    visits = {e["id"]: e for e in resources["Encounter"]}
    for visit in visits.values():
        whose = visit["subject"]["reference"].removeprefix("Patient/")
        assert born[whose] <= visit["period"]["start"][:10] <= died[whose]
    begun: dict[tuple[str, str], str] = {}
    for condition in resources["Condition"]:
        visit = visits[condition["encounter"]["reference"].removeprefix("Encounter/")]
        assert visit["subject"] == condition["subject"]
        assert visit["period"]["start"][:10] == condition["onsetDateTime"]
        assert (condition["clinicalStatus"]["coding"][0]["code"] == "resolved") == ("abatementDateTime" in condition)
        if coded(condition) in CODES:
            key = (condition["subject"]["reference"], coded(condition))
            assert key not in begun
            begun[key] = condition["onsetDateTime"]
    for visit in visits.values():
        for reason in visit.get("reasonCode", ()):
            if (code := coded({"code": reason})) in CODES:
                assert begun[visit["subject"]["reference"], code] <= visit["period"]["start"][:10]
    for request in resources["MedicationRequest"]:
        visit = visits[request["encounter"]["reference"].removeprefix("Encounter/")]
        assert request["reasonCode"] == visit["reasonCode"]


def test_what_is_measured_follows_from_what_people_have(resources: dict[str, list[dict[str, Any]]]) -> None:
    """Weight, height and body mass index go together; who has diabetes has more sugar, who is obese weighs more."""
    assert {coded(c) for c in resources["Condition"]} >= set(CODES)
    obese = {c["subject"]["reference"]: c["onsetDateTime"] for c in resources["Condition"] if coded(c) == "162864005"}
    sick = {c["subject"]["reference"]: c["onsetDateTime"] for c in resources["Condition"] if coded(c) == "44054006"}
    panels: dict[str, dict[str, float]] = {}
    sugar: dict[bool, list[float]] = {True: [], False: []}
    for one in resources["Observation"]:
        panels.setdefault(one["encounter"]["reference"], {})[coded(one)] = one.get("valueQuantity", {}).get("value")
        if coded(one) == "2339-0":
            since = sick.get(one["subject"]["reference"], "9999")
            sugar[since <= one["effectiveDateTime"][:10]].append(one["valueQuantity"]["value"])
        if coded(one) == "39156-5" and obese.get(one["subject"]["reference"], "9999") <= one["effectiveDateTime"][:10]:
            assert one["valueQuantity"]["value"] > 28
        assert ("valueQuantity" in one) != ("valueCodeableConcept" in one)
    whole = [p for p in panels.values() if {"8302-2", "29463-7", "39156-5"} <= set(p)]
    assert len(whole) > SMALL
    assert all(abs(p["29463-7"] / (p["8302-2"] / 100) ** 2 - p["39156-5"]) < 4 for p in whole)
    assert sum(sugar[True]) / len(sugar[True]) > sum(sugar[False]) / len(sugar[False]) + 40


def test_prevalence(resources: dict[str, list[dict[str, Any]]]) -> None:
    """About as many have a disease as figures say: one false alarm in a million for each, were they exact."""
    alive = {f"Patient/{p['id']}": 2024 - int(p["birthDate"][:4]) for p in resources["Patient"]
             if "deceasedDateTime" not in p}  # fmt: skip
    has = Counter(CODES[coded(c)] for c in resources["Condition"]
                  if coded(c) in CODES and alive.get(c["subject"]["reference"], 0) >= 60)  # fmt: skip
    old = sum(age >= 60 for age in alive.values())
    for module, share in {"hypertension": 0.716, "diabetes": 0.30, "obesity": 0.389, "arthritis": 0.45}.items():
        assert abs(has[module] / old - share) < 4.9 * (share * (1 - share) / old) ** 0.5 + 0.03, module
    young = [p for p, age in alive.items() if age < 11]
    assert not {c["subject"]["reference"] for c in resources["Condition"]
                if coded(c) in CODES and CODES[coded(c)] != "asthma"} & set(young)  # fmt: skip


def test_it_is_valid_fhir(resources: dict[str, list[dict[str, Any]]]) -> None:
    """A FHIR library takes some resources of each type."""
    library = pytest.importorskip("fhir.resources.R4B", reason="fhir.resources is not installed")
    for kind, several in resources.items():
        model = library.get_fhir_model_class(kind)
        for one in several[:: max(len(several) // 200, 1)]:
            model.model_validate(one)
