"""What a run with a budget of privacy must not learn for free, nor lose for nothing, nor say of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.errors import FitError, SpecError, StoreError
from synthwright.core.loading import load_spec
from synthwright.line import run
from synthwright.steps.source import source
from synthwright.store.folder import FolderStore

pytest.importorskip("orchard", reason="the plug-in of the tests is installed by `make test`")
SPEC = """synthwright: 1
name: people
schema: {tables: {people: {fields: {a: {kind: boolean}, low: {kind: integer}, high: {kind: integer}},
  rules: ["low <= high"]}}}
source: {use: parquet, with: {path: people.parquet}}
start: {rows: {people: 60}}
parts:
  - {make: [people.a], use: tally, budget: {epsilon: 1}}
  - {make: [people.low, people.high], use: distribution, with: {uniform: {low: 0, high: 9}}}
evaluate: {metrics: [rows], waive: {privacy: nothing is to be shown here, fidelity: nothing is to be shown here,
  utility: nothing is to be shown here, diversity: nothing is to be shown here}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a source and a specification."""
    filled(tmp_path, 1_000)
    (tmp_path / "people.yaml").write_text(SPEC)
    return tmp_path


def filled(home: Path, apart: int) -> None:
    """Write a source whose two numbers are so far apart."""
    dice = np.random.default_rng(0)
    low = dice.integers(0, 50, 300)
    pq.write_table(pa.table({"a": dice.random(300) < 0.3, "low": low, "high": low + apart + dice.integers(0, 9, 300)}),
                   home / "people.parquet")  # fmt: skip


def ran(home: Path, out: str, spec: str = "people.yaml") -> None:
    """Run a specification into a folder."""
    run(load_spec(home / spec, home), home / out)


def entries(home: Path) -> list[str]:
    """Return the kinds of entry in the ledger."""
    return [json.loads(x)["entry"] for x in (home / "people.parquet.privacy" / "ledger.jsonl").read_text().splitlines()]


def learned_from(home: Path, store: str) -> list[dict[str, object]]:
    """Return the rows that a run learns from."""
    loaded = load_spec(home / "people.yaml", home)
    found = source(loaded.spec, FolderStore.open(home / store), loaded.ctx)
    assert found is not None
    return found.train().tables["people"].to_pylist()


def test_nobody_knows_who_is_held_out(home: Path) -> None:
    """Else a row less, after which all others have another number, would be told by who was learned from."""
    one, again = learned_from(home, "one"), learned_from(home, "again")
    assert len(one) > 200
    assert one == again
    secret = json.loads((home / "people.parquet.privacy" / "ledger.jsonl").read_text().splitlines()[0])["secret"]
    assert not any(secret.encode() in p.read_bytes() for p in (home / "one").rglob("*") if p.is_file())
    shutil.rmtree(home / "people.parquet.privacy")
    assert learned_from(home, "two") != one
    held = pq.read_table(home / "people.parquet")
    pq.write_table(held.slice(1), home / "people.parquet")
    fewer = [tuple(r.values()) for r in learned_from(home, "three")]
    assert len({tuple(r.values()) for r in one} - set(fewer)) > 10  # with other files, other rows


def test_parts_without_a_budget_see_no_distances(home: Path) -> None:
    """How far columns of a rule are apart is learned of real rows: not where these are paid for."""
    ran(home, "one")
    shutil.rmtree(home / "people.parquet.privacy")
    filled(home, 2_000)
    ran(home, "two")
    fits = [f for out in ("one", "two") for f in (home / out / ".store" / "fit").iterdir()
            if not (f / "release.txt").exists()]  # fmt: skip
    assert len(fits) == 2
    one, two = ({p.name: p.read_bytes() for p in (f / "keeper").iterdir()} for f in fits)
    assert one == two


def test_what_cannot_be_measured_costs_nothing(home: Path) -> None:
    """A budget without delta is refused before anything is read or set aside; the right one is then still there."""
    pytest.importorskip("opendp")
    spec = SPEC.replace("use: tally, budget: {epsilon: 1}", "use: mst, budget: {epsilon: 1, delta: 0}")
    (home / "people.yaml").write_text(spec)
    with pytest.raises(SpecError, match="mst needs a delta above 0"):
        ran(home, "one")
    assert not (home / "people.parquet.privacy").exists()
    (home / "people.yaml").write_text(spec.replace("delta: 0", "delta: 1.0e-9"))
    ran(home, "one")
    assert entries(home) == ["lot", "source", "budget", "reserved", "settled"]


def test_a_lock_cannot_say_that_less_was_spent(home: Path) -> None:
    """The card says what the budget of the part is: it must be no less than what the release cost."""
    ran(home, "one")
    lock = (home / "one" / "spec.lock.yaml").read_text()
    assert "epsilon: 1.0" in lock
    (home / "lock.yaml").write_text(lock.replace("epsilon: 1.0", "epsilon: 0.1"))
    with pytest.raises(FitError, match=r"at most 0\.1"):
        ran(home, "two", "lock.yaml")


def test_another_spelling_of_the_path_is_the_same_source(home: Path) -> None:
    """Real rows are not measured twice because a path has a dot more, or a link stands in its place."""
    ran(home, "one")
    (home / "link.parquet").symlink_to("people.parquet")
    for path in ("./people.parquet", "link.parquet"):
        (home / "people.yaml").write_text(SPEC.replace("path: people.parquet", f"path: {path}"))
        ran(home, f"other-{len(path)}")
    assert len(entries(home)) == 5


def test_a_ledger_that_cannot_be_there_is_told(home: Path) -> None:
    """The remedy names the setting of the source, not another folder for the release."""
    held = "people.parquet}, ledger: people.yaml}"
    (home / "people.yaml").write_text(SPEC.replace("people.parquet}}", held))
    with pytest.raises(StoreError, match=r"source: \{ledger: folder\}"):
        ran(home, "one")


def test_a_huge_epsilon_is_said(home: Path) -> None:
    """Its factor is beyond what a float can be."""
    (home / "people.yaml").write_text(SPEC.replace("epsilon: 1}", "epsilon: 1000}"))
    ran(home, "one")
    assert "more than 1e+434 times" in (home / "one" / "README.md").read_text().replace("\\", "")
