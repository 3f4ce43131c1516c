"""The line, end to end: the same bytes again, whatever stopped it; and what falls short does not leave."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import InputError, StoreError
from synthwright.report.manifest import verify


def people(rows: int = 400) -> pa.Table:
    """Make a table with a key, an e-mail, a rule, a dependency, nulls and a target."""
    rng = np.random.default_rng(5)
    age = rng.integers(18, 90, rows)
    school = rng.choice(["none", "basic", "high", "degree"], rows, p=[0.1, 0.3, 0.4, 0.2])
    years = np.array([{"none": 0, "basic": 9, "high": 12, "degree": 16}[s] for s in school])
    start = rng.integers(0, 5000, rows)
    income = np.where(age + years * 2 + rng.normal(0, 15, rows) > 75, ">50K", "<=50K")
    return pa.table({
        "id": np.arange(1, rows + 1),
        "email": [f"person{i}@corp{i % 7}.example" for i in range(rows)],
        "age": age,
        "school": school,
        "years": years,
        "start": pa.array(start, pa.int32()).cast(pa.date32()),
        "end": pa.array(start + rng.integers(1, 400, rows), pa.int32()).cast(pa.date32()),
        "bonus": pa.array(np.round(rng.gamma(2, 500, rows), 2), mask=rng.random(rows) < 0.2),
        "income": income,
    })  # fmt: skip


SPEC = """\
synthwright: 1
name: people
seed: 7
source: {use: parquet, with: {path: people.parquet}}
evaluate: {target: people.income, metrics: [integrity, shape, exact-copies]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a table and a specification."""
    pq.write_table(people(), tmp_path / "people.parquet")
    (tmp_path / "people.yaml").write_text(SPEC)
    return tmp_path


def bytes_of(out: Path) -> dict[str, str]:
    """Return the hash of every file that leaves, the manifest apart: it vouches for a report that holds seconds."""
    names = [
        p for p in sorted(out.rglob("*")) if p.is_file() and not {".store", "internal"} & set(p.relative_to(out).parts)
    ]
    kept = [p for p in names if not p.name.startswith(".") and p.name != "manifest.json"]
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def test_a_run_leaves_what_it_promises(project: Path) -> None:
    """Data, card, croissant, lock and manifest leave; report and quarantine stay inside; everything verifies."""
    report = sw.run(project / "people.yaml", project / "out")
    assert report.passed, report.summary
    names = {p.name for p in (project / "out").iterdir() if not p.name.startswith(".")}
    assert names == {"data", "README.md", "croissant.json", "spec.lock.yaml", "manifest.json", "internal"}
    inside = {"report.json", "report.html", "report.md", "officer.html", "officer.md", "quarantine"}
    assert {p.name for p in (project / "out" / "internal").iterdir()} == inside
    assert verify(project / "out") == []
    fake = pq.read_table(project / "out" / "data" / "people")
    real = people()
    assert fake.num_rows == 320
    assert fake.schema.remove_metadata().equals(real.schema)
    assert not set(fake["email"].to_pylist()) & set(real["email"].to_pylist())
    assert all(s <= e for s, e in zip(fake["start"].to_pylist(), fake["end"].to_pylist(), strict=True))
    assert len(set(zip(fake["school"].to_pylist(), fake["years"].to_pylist(), strict=True))) == 4
    said = json.loads((project / "out" / "internal" / "report.json").read_text())
    assert {
        "synthwright",
        "verdict",
        "rows",
        "scores",
        "gates",
        "dropped",
        "seconds",
        "spend",
        "fingerprint",
    } <= said.keys()
    assert said["rows"] == {"people": 320}


def test_workers_do_not_change_a_byte(project: Path) -> None:
    """One, two and four processes, each from an empty store, release the same bytes."""
    found = []
    for workers in (1, 2, 4):
        sw.run(project / "people.yaml", project / f"out{workers}", workers=workers)
        found.append(bytes_of(project / f"out{workers}"))
    assert "data/people/part-00000.parquet" in found[0]
    assert found[0] == found[1] == found[2]


def test_several_shards_and_workers(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a shard holds come out alike from one process and from two."""
    text = SPEC + "start: {rows: {people: 70000}}\ncurate: [{use: rules}]\n"
    (project / "people.yaml").write_text(text.replace("[integrity, shape, exact-copies]", "[rows, keys]"))
    for workers in (1, 2):
        sw.run(project / "people.yaml", project / f"out{workers}", workers=workers)
    one, two = bytes_of(project / "out1"), bytes_of(project / "out2")
    assert one == two
    ids = pq.read_table(project / "out1" / "data" / "people", columns=["id"])["id"].to_numpy()
    assert len(ids) == len(set(ids.tolist())) == 70_000


def test_a_second_run_does_nothing_again(project: Path) -> None:
    """Finished steps are kept: the second run gives the same bytes without fitting or generating."""
    sw.run(project / "people.yaml", project / "out")
    first = bytes_of(project / "out")
    store = project / "out" / ".store"
    before = {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()}
    sw.run(project / "people.yaml", project / "out")
    assert bytes_of(project / "out") == first
    assert {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()} == before


def test_a_lock_rebuilds_the_release(project: Path) -> None:
    """The lock file alone, with the same source, gives the same data; with another source it is refused."""
    sw.run(project / "people.yaml", project / "out")
    lock = project / "out" / "spec.lock.yaml"
    sw.run(lock, project / "again", root=project)
    mine, again = bytes_of(project / "out"), bytes_of(project / "again")
    assert {k: v for k, v in mine.items() if k.startswith("data/")} == {
        k: v for k, v in again.items() if k.startswith("data/")
    }
    pq.write_table(people(399), project / "people.parquet")
    with pytest.raises(InputError, match="files with other contents"):
        sw.run(lock, project / "third", root=project)


def test_killed_and_run_again(project: Path) -> None:
    """Killed at random moments, each time further on, a run ends with the same bytes as one that was left alone."""
    sw.run(project / "people.yaml", project / "whole")
    code = "import sys, synthwright as sw\nsw.run(sys.argv[1], sys.argv[2], workers=2)"
    command = [sys.executable, "-c", code, str(project / "people.yaml"), str(project / "out")]
    for moment in range(4):
        running = subprocess.Popen(command, start_new_session=True)
        time.sleep(0.4 + random.Random(moment).random() * 2.5)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    subprocess.run(command, check=True)
    assert bytes_of(project / "out") == bytes_of(project / "whole")
    assert verify(project / "out") == []


def test_what_falls_short_does_not_leave(project: Path) -> None:
    """A gate that is not met leaves the report and nothing else, even where an earlier run had released."""
    sw.run(project / "people.yaml", project / "out")
    (project / "people.yaml").write_text(SPEC.replace("evaluate: {", 'evaluate: {gates: ["shape <= 0.0001"], '))
    with pytest.raises(StoreError, match="another run's release"):
        sw.run(project / "people.yaml", project / "out")
    report = sw.run(project / "people.yaml", project / "out", force=True)
    assert not report.passed
    assert "shape" in report.summary
    assert {p.name for p in (project / "out").iterdir() if not p.name.startswith(".")} == {"internal"}
    assert json.loads((project / "out" / "internal" / "report.json").read_text())["verdict"] == "refused"


def test_set_is_exact(project: Path) -> None:
    """Chosen values are exactly as asked, after refills too, and their columns are not made by anybody else."""
    text = (
        SPEC
        + "start: {rows: {people: 300}, set: {people.income: balanced, "
        + "people.school: {shares: {high: 1, degree: 2}}}}\n"
    )
    (project / "people.yaml").write_text(text)
    sw.run(project / "people.yaml", project / "out")
    fake = pq.read_table(project / "out" / "data" / "people")
    assert fake["income"].to_pylist().count(">50K") == 150
    assert fake["school"].to_pylist().count("degree") == 200


def test_kept_columns_are_the_real_ones(project: Path) -> None:
    """Partial synthesis keeps the named columns of the training rows and makes the others; the report says so."""
    (project / "people.yaml").write_text(SPEC + "keep: [people.age, people.school, people.years]\n")
    report = sw.run(project / "people.yaml", project / "out")
    fake = pq.read_table(project / "out" / "data" / "people")
    real = people()
    pairs = set(zip(real["age"].to_pylist(), real["school"].to_pylist(), strict=True))
    assert set(zip(fake["age"].to_pylist(), fake["school"].to_pylist(), strict=True)) <= pairs
    assert not set(fake["email"].to_pylist()) & set(real["email"].to_pylist())
    assert any("real values" in note for note in report.notes)


def test_ignored_columns_are_gone(project: Path) -> None:
    """An ignored column is neither learned from nor released."""
    (project / "people.yaml").write_text(SPEC + "ignore: [people.bonus, people.id]\n")
    sw.run(project / "people.yaml", project / "out")
    names = pq.read_schema(project / "out" / "data" / "people" / "part-00000.parquet").names
    assert names == ["email", "age", "school", "years", "start", "end", "income"]


def test_synthetic_data_is_no_source(project: Path) -> None:
    """A release says that it is synthetic, and is refused as a source unless that is wanted."""
    sw.run(project / "people.yaml", project / "out")
    (project / "out" / "data" / "people" / "part-00000.parquet").rename(project / "people.parquet")
    with pytest.raises(InputError, match="accept_synthetic"):
        sw.run(project / "people.yaml", project / "second")
    (project / "people.yaml").write_text(SPEC + "accept_synthetic: true\n")
    assert sw.run(project / "people.yaml", project / "second").rows["people"] == 256


@pytest.mark.parametrize("rows", [0, 9])
def test_too_few_rows_are_refused(project: Path, rows: int) -> None:
    """Fewer than ten rows cannot be hidden among."""
    pq.write_table(people().slice(0, rows), project / "people.parquet")
    with pytest.raises(InputError, match="rows, got"):
        sw.run(project / "people.yaml", project / "out")
    assert not (project / "out" / "data").exists()


def test_rows_that_are_all_alike_are_refused(project: Path) -> None:
    """A table of one row repeated would be that row again."""
    pq.write_table(people().select(["school", "years"]).take([3] * 50), project / "people.parquet")
    (project / "people.yaml").write_text(SPEC.replace("target: people.income, ", ""))
    with pytest.raises(InputError, match="all alike"):
        sw.run(project / "people.yaml", project / "out")


@pytest.mark.parametrize(
    ("holdout", "said"),
    [
        ("{after: 2031-01-01, column: people.start}", "rows with a date after"),
        ("{after: notadate, column: people.start}", "ISO form"),
        ("{after: 2001-01-01, column: people.age}", "a date or datetime"),
        ("{by: people.nope, share: 0.3}", "people.nope"),
        ("{path: people.parquet}", "not learned from"),
    ],
)
def test_a_holdout_that_holds_nothing_out_is_refused(project: Path, holdout: str, said: str) -> None:
    """A holdout that is empty, unknown or the training file itself would prove nothing."""
    (project / "people.yaml").write_text(
        SPEC.replace("path: people.parquet}", f"path: people.parquet}}, holdout: {holdout}")
    )
    with pytest.raises(sw.SynthwrightError, match=said):
        sw.run(project / "people.yaml", project / "out")


def test_a_table_of_one_column(project: Path) -> None:
    """The values of a lone column repeat by nature, and are released."""
    pq.write_table(people(2000).select(["bonus"]), project / "people.parquet")
    (project / "people.yaml").write_text(SPEC.replace("target: people.income, ", ""))
    assert sw.run(project / "people.yaml", project / "out").passed
