"""The rows that state machines write: order, columns of time, what states write, randomness, and whole runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.processes.states_for_tests import SCHEMA, found, machine, patients

import synthwright as sw
from synthwright.core.context import Context
from synthwright.processes.states import States
from synthwright.testing import check_process
from synthwright.testing.processes import patients as toys_of_processes


def twin(rows: int) -> list[dict[str, Any]]:
    """Return what `test_rows_beside_a_plain_twin` declares, parent by parent and step by step."""
    out = []
    for who in range(rows):
        events, age = [], who % 90
        at, state, seen = 0.0, "visit", 0
        while True:  # the machine `care`
            seen += state == "visit"
            if state != "rest":
                events.append((at, 0, state))
            if state == "end":
                break
            if state == "visit":
                at, state = at + 7, "rest" if seen < age % 4 else "end"
            else:
                at, state = at + age % 2, "visit"
        events += [(7.0 * k, 1, "alarm") for k in range(3) if who % 2 == 0]  # the machine `alarms`
        for i, (when, which, name) in enumerate(sorted(events, key=lambda e: (e[0], -e[1]))):  # stable within a machine
            instant = np.datetime64("2024-01-01", "us") + np.timedelta64(round(when * 86_400e6), "us")
            out.append({"patient": who, "state": name, "at": instant.item(), "module": ("care", "alarms")[which],
                        "position": i + 1, "code": {"visit": "V1", "alarm": "A1"}.get(name),
                        "level": 3 if name == "alarm" else None})  # fmt: skip
    return out


def test_rows_beside_a_plain_twin() -> None:
    """Rows are in order of parent, time and machine, with what their states write; silent states leave none."""
    care = {"visit": {"then": [{"to": "rest", "when": "visits < age % 4"}, {"to": "end", "when": "visits >= age % 4"}],
                      "after": 7, "writes": {"code": "V1"}},
            "rest": {"then": "visit", "after": "age % 2", "silent": True}, "end": None}  # fmt: skip
    alarms = {"alarm": {"then": [{"to": "alarm", "when": "entered < 3"}], "after": "P7D",
                        "writes": {"code": "A1", "level": 3}}}  # fmt: skip
    how = {"module": "module", "position": "position",
           "machines": {"care": machine(care), "alarms": machine(alarms, when="sex == 'F'")}}  # fmt: skip
    assert found(how, 360).select(["patient", "state", "at", "module", "position", "code", "level"]).to_pylist() == [
        dict(row) for row in twin(360)
    ]


def test_columns_of_time() -> None:
    """Dates, lattices and zones: the last day, minute or instant that is not later; formulas see what is written."""
    states: dict[str, Any] = {"a": {"then": [{"to": "b", "when": "at == '2024-01-01'"}], "after": 0.9999}, "b": {}}
    day = found({"at": "day", "until": "2024-01-01", "machines": {"m": machine(states)}}, 2)
    assert [str(d) for d in day.column("day").to_pylist()] == ["2024-01-01"] * 4
    minute = found({"at": "minute", "machines": {"m": machine(states)}}, 1).column("minute")
    assert str(minute[1].as_py()) == "2024-01-01 23:59:00"
    ways = [{"to": "b", "when": "at == '2024-01-01T01:00:00'"}]  # on the clock of the column's zone
    paris = found({"at": "paris", "machines": {"m": machine({"a": {"then": ways, "after": 0.9999}, "b": {}})}}, 1)
    assert [str(v) for v in paris.column("paris").cast(pa.timestamp("us", tz="UTC")).to_pylist()] == [
        "2024-01-01 00:00:00+00:00",
        "2024-01-01 23:59:51.360000+00:00",
    ]
    paris = found({"at": "paris", "until": "seen", "machines": {"m": machine({"a": {}}, begins="born")}}, 20_001)
    assert paris.column("patient").to_pylist() == [0, 20_000]
    local = found({"at": "day", "machines": {"m": machine({"a": {}}, begins="seen")}}, 24).column("day").to_pylist()
    assert [d.day for d in local] == [1] * 23 + [2]  # the clock in Paris was an hour ahead


# ------------------------------------------------------------------------------------------------------- randomness
def test_contract() -> None:
    """All that holds for every process holds, with machines of every sort too; what was saved is read as it was."""
    check_process(States)
    states = {"a": {"then": {"a": 3, "b": "clinic.beds", "c": {"when": "age > 9"}}, "after": {"normal": [9, 5]}},
              "b": {"then": [{"to": "c", "when": "visits < 3", "after": "rate"}, "a"], "after": {"lognormal": [2, 1]},
                    "silent": True},
              "c": {"then": {"a": {"after": 5}, "b": {"after": {"exponential": 90, "unit": "hours"}}}, "race": True,
                    "writes": {"label": "x", "amount": 2}}}  # fmt: skip
    how = {"at": "zoned", "module": "module", "position": "position", "until": ["2021-01-01", "closed_at + 50"],
           "machines": {"m": {"begins": "opened_at", "when": "age < 80", "first": "a", "states": states},
                        "n": {"begins": "born", "first": {"a": 1, "b": 2}, "states": {"a": {}, "b": {}}}}}  # fmt: skip
    process = States.model_validate(how)
    assert process.misused((data := toys_of_processes()).schema, "visit", "patient") == []
    assert "deterministic" in check_process(process)
    assert data.rows("visit") == 0
    assert States.model_validate_json(process.model_dump_json(by_alias=True)).fingerprint() == process.fingerprint()


def test_nothing_but_seed_and_place_counts() -> None:
    """The same parents get the same rows; another seed others; another machine or order changes nothing."""
    states = {"a": {"then": {"a": 3, "b": 1}, "after": {"exponential": 3}}, "b": {}}
    how = {"machines": {"m": machine(states)}}
    one, two, other = found(how, 500), found(how, 500), found(how, 500, seed=1)
    assert one.equals(two)
    assert not one.equals(other)
    again = {"b": {}, "a": {"then": {"b": 1, "a": 3}, "after": {"exponential": 3}}}
    assert one.equals(found({"machines": {"m": machine(again, first="a")}}, 500))
    both = found({"module": "module", "machines": {"n": machine(states), "m": machine(states)}}, 500)
    kept = both.filter(pa.compute.equal(both.column("module"), "m")).drop_columns(["module"])
    assert kept.equals(one)
    beside = both.filter(pa.compute.equal(both.column("module"), "n")).drop_columns(["module"])
    assert not beside.equals(one)


def test_what_it_looks_at() -> None:
    """Every column that a formula names is there before it runs, with the keys of references; its own words are not."""
    states = {"a": {"then": {"b": "age * entered"}, "after": {"exponential": "clinic.pace + since"}}, "b": {}}
    how = {"until": ["died", "2030-01-01"], "machines": {"m": machine(states, begins="born", when="sex == 'F'")}}
    seen = States.model_validate(how).looks_at(SCHEMA, "patient")
    assert sorted(seen) == sorted(["patient.died", "patient.born", "patient.sex", "patient.age", "patient.clinic",
                                   "clinic.pace", "clinic.id"])  # fmt: skip


def test_many_at_once() -> None:
    """A shard of parents through ten states each is a matter of less than a second or two."""
    import time

    states = {"a": {"then": [{"to": "a", "when": "visits < 10"}, {"to": "b", "when": "visits >= 10"}],
                    "after": {"exponential": 30}}, "b": {}}  # fmt: skip
    process = States.model_validate({"machines": {"m": machine(states)}})
    given = patients(65_536)
    begun = time.process_time()
    made = process.unfold(given, "event", "patient", Context())
    assert time.process_time() - begun < 10
    assert len(made.whose) == 11 * 65_536


def test_in_a_specification(tmp_path: Path) -> None:
    """The pathway of the documentation runs: events of patients, and of these events encounters and medications."""
    page = (Path(__file__).parents[2] / "docs" / "processes.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```\n")[0]
    (tmp_path / "care.yaml").write_text(text.replace("patient: 1000", "patient: 300"), encoding="utf-8")
    assert sw.run(tmp_path / "care.yaml", tmp_path / "out").passed
    names = ("patient", "event", "encounter", "medication")
    tables = {t: pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in names}
    of = {e["id"]: e for e in tables["event"]}
    assert {e["module"] for e in of.values()} == {"diabetes", "injuries"}
    assert [m["event"] for m in tables["encounter"]] == [i for i, e in of.items() if e["kind"] == "encounter"]
    assert [m["event"] for m in tables["medication"]] == [i for i, e in of.items() if e["state"] == "medication"]
    assert all((m["ends"] - of[m["event"]]["on"]).days == 28 for m in tables["medication"])
    for patient in tables["patient"]:
        mine = [e for e in of.values() if e["patient"] == patient["id"]]
        days = [e["on"] for e in mine]
        assert [e["position"] for e in mine] == list(range(1, len(mine) + 1))
        assert days == sorted(days)
        assert not days or days[-1] <= min(patient["death_date"] or date.max, date(2025, 1, 1))
        assert patient["onset_age"] >= 30 or {e["module"] for e in mine} <= {"injuries"}
