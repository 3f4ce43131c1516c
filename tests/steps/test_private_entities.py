"""Budgets whose unit is a person with several rows: in a run, in two tables, in the ledger and on the card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import PrivacyError, SpecError
from synthwright.core.loading import load_spec
from synthwright.core.private import PrivateGenerator
from synthwright.core.spend import Release
from synthwright.line import check, run
from synthwright.report.report import Report
from synthwright.steps.source import source
from synthwright.store.folder import FolderStore

tally = pytest.importorskip("orchard.tally", reason="the plug-in of the tests is installed by `make test`")
WAIVED = """evaluate: {metrics: [rows], waive: {privacy: nothing is to be shown here,
  fidelity: nothing is to be shown here, utility: nothing is to be shown here, diversity: nothing is to be shown here}}
"""
SPEC = """synthwright: 1
name: visits
schema: {tables: {visits: {fields: {who: {kind: text}, ill: {kind: boolean}, n: {kind: integer}}}}}
source: {use: parquet, with: {path: visits.parquet}}
start: {rows: {visits: 60}}
parts:
  - {make: [visits.who, visits.ill], use: tally, budget: {epsilon: 1, unit: visits.who, rows: 2}}
  - {make: [visits.n], use: distribution, with: {uniform: {low: 0, high: 9}}}
"""
TWO = """synthwright: 1
name: clinic
schema: {tables: {people: {fields: {id: {kind: key}, old: {kind: boolean}}},
  visits: {fields: {of: {kind: reference, to: people.id}, ill: {kind: boolean}}}}}
source: {use: parquet, with: {path: clinic}, budget: {epsilon: 3, delta: 1.0e-8, unit: people.id, rows: 3}}
start: {rows: {people: 40, visits: 80}}
parts: [{make: [people.*], use: tally, budget: {epsilon: 1}}, {make: [visits.*], use: tally, budget: {epsilon: 1}}]
"""
SEEN: list[dict[str, list[object]]] = []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a source of which some people have many rows; what is measured is kept in `SEEN`."""
    dice = np.random.default_rng(0)
    who = [f"p{i}" for i in dice.integers(0, 60, 200)] + ["often"] * 100
    held = {"who": who, "ill": dice.random(300) < 0.3, "n": np.arange(300)}
    pq.write_table(pa.table(held), tmp_path / "visits.parquet")
    (tmp_path / "visits.yaml").write_text(SPEC + WAIVED)
    (tmp_path / "clinic").mkdir()
    pq.write_table(pa.table({"id": range(50), "old": dice.random(50) < 0.5}), tmp_path / "clinic" / "people.parquet")
    visits = {"of": np.minimum(dice.integers(0, 100, 400), 49), "ill": dice.random(400) < 0.5}
    pq.write_table(pa.table(visits), tmp_path / "clinic" / "visits.parquet")
    (tmp_path / "two.yaml").write_text(TWO + WAIVED)
    SEEN.clear()
    usual = tally.Tally.measure

    def seeing(self: PrivateGenerator, data: Dataset, part: Part, **more: Any) -> Release:
        SEEN.append(data.tables[data.schema.split(part.produce[0])[0]].to_pydict())
        found: Release = usual(self, data, part, **more)
        return found

    monkeypatch.setattr(tally.Tally, "measure", seeing)
    return tmp_path


def ran(home: Path, out: str, spec: str = "visits.yaml") -> Report:
    """Run a specification into a folder."""
    return run(load_spec(home / spec, home), home / out)


def lines(at: Path) -> list[dict[str, object]]:
    """Return the lines of a ledger."""
    return [json.loads(x) for x in (at / "ledger.jsonl").read_text().splitlines()]


def counts(values: list[object]) -> dict[object, int]:
    """Return how often each value is there."""
    return {v: values.count(v) for v in set(values)}


def test_so_many_rows_of_each_count_and_others_never(home: Path) -> None:
    """The ledger says the unit, the rows, and by what neighbours differ; another unit is not added to it."""
    report = ran(home, "one")
    assert (report.spend.epsilon, report.spend.unit) == (1.0, "visits.who")
    seen = counts(SEEN[0]["who"])
    assert seen.get("often", 0) <= 2  # unless it is held out
    assert max(seen.values()) == 2
    reserved = next(x for x in lines(home / "visits.parquet.privacy") if x["entry"] == "reserved")
    assert (reserved["unit"], reserved["rows"]) == ("visits.who", 2)
    assert reserved["neighbours"] == "adding or removing all rows of one visits.who, at most 2 of them counted"
    card = (home / "one" / "README.md").read_text().replace("\\", "")
    assert "differential privacy of all rows of one visits.who together" in card
    assert "at most 2 of them counted" in card
    assert "how many were left out, and rows without a visits.who with them, is not told" in card
    other = (SPEC + WAIVED).replace(", unit: visits.who, rows: 2", "").replace("visits.parquet}}", "visits.parquet}, "
                                                                               "budget: {epsilon: 9}}")  # fmt: skip
    (home / "visits.yaml").write_text(other)
    with pytest.raises(PrivacyError, match=r"wanted visits\.who, got row"):
        ran(home, "two")


def test_whole_people_are_held_out(home: Path) -> None:
    """Else a model would be tried on people whom it knows; each by a coin of its own, so that no other moves."""
    loaded = load_spec(home / "visits.yaml", home)
    found = source(loaded.spec, FolderStore.open(home / "store"), loaded.ctx)
    assert found is not None
    rest = found.holdout()
    train, held = (set(d.column("visits.who").to_pylist()) for d in (found.train(), rest) if d is not None)
    assert not train & held
    assert 2 <= len(held) <= 30


def test_rows_of_people_in_two_tables(home: Path) -> None:
    """One that refers to people is bounded by that reference, in their own each has one row; both costs add up."""
    report = ran(home, "one", "two.yaml")
    assert (report.spend.epsilon, report.spend.unit) == (2.0, "people.id")
    assert max(counts(SEEN[1]["of"]).values()) == 3
    reserved = [x for x in lines(home / "clinic.privacy") if x["entry"] == "reserved"]
    assert [x["rows"] for x in reserved] == [1, 3]
    shutil.copy(home / "one" / "spec.lock.yaml", home / "lock.yaml")
    ran(home, "two", "lock.yaml")
    assert len(SEEN) == 2


@pytest.mark.parametrize(
    ("spec", "old", "new", "said"),
    [
        ("visits", ", rows: 2", "", "say how many rows of one visits.who count"),
        ("visits", "unit: visits.who", "unit: visits.hwo", "did you mean 'visits.who'"),
        ("visits", ", unit: visits.who", "", "'rows' goes with a unit"),
        ("visits", "kind: text", "kind: boolean", "must be made anew, not learned"),
        ("visits", "rows: 2", "rows: 0", "rows"),
        ("visits", "visits.parquet}}", "visits.parquet}, budget: {epsilon: 9, unit: visits.n}}", "protect one unit"),
        ("visits", "visits.parquet}}", "visits.parquet}, holdout: {by: visits.n}}", "may not depend on others"),
        ("two", ", to: people.id", ", to: visits.of", "table 'visits' does not say whose its rows are"),
        ("two", "unit: people.id, rows: 3}", "unit: visits.of, rows: 3}", "table 'people' does not say whose"),
    ],
)
def test_what_a_unit_cannot_mean(home: Path, spec: str, old: str, new: str, said: str) -> None:
    """Every fault is told before anything is read or spent."""
    text = {"visits": SPEC, "two": TWO}[spec]
    assert old in text
    (home / "wrong.yaml").write_text(text.replace(old, new) + WAIVED)
    with pytest.raises(SpecError, match=said):
        check(load_spec(home / "wrong.yaml", home))


def test_a_generator_that_protects_rows_alone_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one that says that its noise covers several rows is asked to."""
    monkeypatch.setattr(tally.Tally, "entities", False)
    with pytest.raises(SpecError, match=r"tally protects single rows, not all rows of one visits\.who"):
        check(load_spec(home / "visits.yaml", home))
