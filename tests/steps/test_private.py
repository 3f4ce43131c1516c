"""Budgets of privacy in a run: paid once for a source, kept beside it, carried in the lock; never for free."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.errors import PrivacyError, SpecError, SynthwrightError
from synthwright.core.loading import load_spec
from synthwright.line import check, run
from synthwright.report.manifest import verify
from synthwright.report.report import Report

pytest.importorskip("orchard", reason="the plug-in of the tests is installed by `make test`")
SCHEMA = "tables: {people: {fields: {a: {kind: boolean}, b: {kind: boolean, nulls: false}, n: {kind: text}}}}\n"
SPEC = """synthwright: 1
name: people
schema: people.schema.yaml
source: {use: parquet, with: {path: people.parquet}}
start: {rows: {people: 300}}
parts: [{make: [people.*], use: tally, budget: {epsilon: 1}}]
evaluate: {metrics: [shape], waive: {privacy: nothing is to be shown here, fidelity: nothing is to be shown here,
  utility: nothing is to be shown here, diversity: nothing is to be shown here}}
"""
KILLS = 4
"""How many runs are killed while they measure; bench/private_killed.md has thirty."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a source, its schema and a specification."""
    dice = np.random.default_rng(0)
    n = pa.array([f"word {i} and more of it" for i in range(400)])
    held = {"a": dice.random(400) < 0.3, "b": dice.random(400) < 0.6, "n": n}
    pq.write_table(pa.table(held), tmp_path / "people.parquet")
    (tmp_path / "people.schema.yaml").write_text(SCHEMA)
    (tmp_path / "people.yaml").write_text(SPEC)
    return tmp_path


def ran(home: Path, out: str, *, seed: int = 0, spec: str = "people.yaml") -> Report:
    """Return the report of a run."""
    return run(load_spec(home / spec, home), home / out, seed=seed)


def rows(home: Path, out: str) -> bytes:
    """Return the bytes of the rows that a run released."""
    return (home / out / "data" / "people" / "part-00000.parquet").read_bytes()


def ledger(home: Path) -> list[dict[str, object]]:
    """Return the lines of the source's ledger."""
    return [json.loads(x) for x in (home / "people.parquet.privacy" / "ledger.jsonl").read_text().splitlines()]


def test_a_source_is_measured_once(home: Path) -> None:
    """Another folder and another seed use the stored release: other rows, nothing spent, the noise as it was."""
    report = ran(home, "one")
    assert report.passed
    assert (report.spend.epsilon, report.spend.delta) == (1.0, 1e-9)
    assert [x["entry"] for x in ledger(home)] == ["lot", "source", "budget", "reserved", "settled"]
    ran(home, "again")
    ran(home, "other", seed=5)
    assert len(ledger(home)) == 5
    assert rows(home, "again") == rows(home, "one") != rows(home, "other")
    shutil.rmtree(home / "people.parquet.privacy")
    ran(home, "fresh")
    assert rows(home, "fresh") != rows(home, "one")  # the same seed, another ledger: other noise


def test_another_budget_is_another_measurement(home: Path) -> None:
    """It is refused until somebody allows more for the source, which is written down."""
    ran(home, "one")
    dearer = SPEC.replace("epsilon: 1}", "epsilon: 2}")
    (home / "people.yaml").write_text(dearer)
    with pytest.raises(PrivacyError, match="epsilon 2 of 1, got 1 spent"):
        ran(home, "two")
    assert not (home / "two" / "data").exists()
    assert len(ledger(home)) == 5
    allowed = dearer.replace("people.parquet}}", "people.parquet}, budget: {epsilon: 3, delta: 1.0e-8}}")
    (home / "people.yaml").write_text(allowed)
    assert ran(home, "two").spend.epsilon == 2
    assert [x["epsilon"] for x in ledger(home) if x["entry"] == "reserved"] == [1, 2]


def test_the_lock_makes_the_rows_again_without_real_ones(home: Path) -> None:
    """The noisy release is in the lock: source and ledger may be gone."""
    ran(home, "one")
    shutil.copy(home / "one" / "spec.lock.yaml", home / "lock.yaml")
    for gone in ("people.parquet.privacy", "one/.store"):
        shutil.rmtree(home / gone)
    (home / "people.parquet").unlink()
    ran(home, "two", spec="lock.yaml")
    assert rows(home, "two") == rows(home, "one")
    assert not (home / "people.parquet.privacy").exists()


def test_a_release_tells_no_hash_of_real_rows(home: Path) -> None:
    """Whoever knows all rows but one could try what the one is, by the hash of all."""
    import hashlib

    ran(home, "one")
    told = hashlib.sha256((home / "people.parquet").read_bytes()).hexdigest()
    leaving = [p for p in (home / "one").rglob("*") if p.is_file() and not {".store", "internal"} & set(p.parts)]
    assert len(leaving) >= 5
    assert not any(told.encode() in p.read_bytes() for p in leaving)
    assert verify(home / "one") == []
    before = json.loads((home / "one" / "manifest.json").read_text())["fingerprint"]
    held = pq.read_table(home / "people.parquet")
    pq.write_table(held.slice(1), home / "people.parquet")
    shutil.rmtree(home / "people.parquet.privacy")
    ran(home, "two")
    assert json.loads((home / "two" / "manifest.json").read_text())["fingerprint"] == before


def test_the_card_says_what_is_guaranteed_and_what_is_not(home: Path) -> None:
    """Neighbours, unit and size; what is taken as public; scores outside; curators that compared outside."""
    ran(home, "one")
    card = (home / "one" / "README.md").read_text()
    for said in ("Guaranteed: differential privacy of every row", "adding or removing one", "Taken as public",
                 "Not covered by the guarantee: the scores and gates"):  # fmt: skip
        assert said in card
    assert "compared them with real ones" not in card  # curators that do are not there by default
    (home / "people.yaml").write_text(SPEC + "curate: [{use: copies}]\n")
    ran(home, "two")
    assert "because copies compared them with real ones" in (home / "two" / "README.md").read_text()
    mixed = SPEC.replace("{make: [people.*]", "{make: [people.b]").replace("parts: [", "parts: [{make: [people.*]}, ")
    (home / "people.yaml").write_text(mixed)
    shutil.rmtree(home / "people.parquet.privacy")
    report = ran(home, "three")
    assert report.spend.epsilon is None
    assert "No formal guarantee holds for whole rows: forest learned" in (home / "three" / "README.md").read_text()


def test_texts_tell_nothing_of_their_shape(home: Path) -> None:
    """What is made anew learns shapes of real texts: where rows are paid for, not even those."""
    ran(home, "one")
    model = next((home / "one" / ".store" / "fit").glob("*/model/*.json"), None)
    kept = b"".join(p.read_bytes() for p in (home / "one" / ".store" / "fit").rglob("*") if p.is_file())
    assert model is not None
    assert b"word" not in kept
    assert b"more of it" not in kept
    before = rows(home, "one")
    held = pq.read_table(home / "people.parquet")
    longer = pa.array(["x" * 300] * held.num_rows)
    pq.write_table(held.set_column(2, "n", longer), home / "people.parquet")
    shutil.rmtree(home / "people.parquet.privacy")
    ran(home, "two")
    one, two = (pq.read_table(pa.BufferReader(b)).column("n") for b in (before, rows(home, "two")))
    assert one.equals(two)


def test_a_failure_is_spent_and_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sees that measuring failed has seen something of the rows."""
    monkeypatch.setenv("ORCHARD_FAIL", "1")
    with pytest.raises(RuntimeError):
        ran(home, "one")
    monkeypatch.delenv("ORCHARD_FAIL")
    assert [x["entry"] for x in ledger(home)] == ["lot", "source", "budget", "reserved", "failed"]
    with pytest.raises(PrivacyError, match="0 are left"):
        ran(home, "one")


def test_a_stop_by_hand_shows_nothing_and_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reservation stands, as of a run that is killed, and the ledger tells one from the other."""
    from orchard.tally import Tally

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    usual = Tally.measure
    monkeypatch.setattr(Tally, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        ran(home, "one")
    monkeypatch.setattr(Tally, "measure", usual)
    assert ran(home, "one").passed
    assert [x["entry"] for x in ledger(home)] == ["lot", "source", "budget", "reserved", "stopped", "settled"]


def test_kills_while_measuring_spend_once(home: Path) -> None:
    """Killed at random moments, then run to its end: one reservation, one release."""
    dice = random.Random(7)
    command = [sys.executable, "-m", "synthwright", "run", "people.yaml", "-q"]
    for _ in range(KILLS):
        slow = subprocess.Popen(command, cwd=home, env={**os.environ, "ORCHARD_WAIT": "30"}, stderr=subprocess.DEVNULL)
        log = home / "people.parquet.privacy" / "ledger.jsonl"
        until = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size) and slow.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(dice.random() * 0.1)
        slow.kill()
        slow.wait()
    assert ran(home, "out/people").passed
    assert [x["entry"] for x in ledger(home)] == ["lot", "source", "budget", "reserved", "settled"]


def test_frames_have_no_ledger(home: Path) -> None:
    """`sw.fit` measures nothing under a budget: nobody would count what repeated calls spend."""
    import synthwright as sw

    with pytest.raises(SynthwrightError, match="whose source has a ledger"):
        sw.fit(pq.read_table(home / "people.parquet").select(["a", "b"]), "tally")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema: people.schema.yaml\n", "", "needs a schema that somebody wrote"),
        ("start: {rows: {people: 300}}", "start: {from: source}", "makes new rows"),
        ("start: {rows: {people: 300}}\n", "", "say how many rows to make"),
        ("use: tally", "use: forest", "forest keeps no privacy budget; generators that do: .*tally"),
        (", budget: {epsilon: 1}", "", "tally spends privacy: say how much it may"),
        ("epsilon: 1}", "epsilon: 0}", "wanted more than 0"),
        ("epsilon: 1}", "epsilon: true}", "parts.0.budget.epsilon"),
        ("people.parquet}}", "people.parquet}, holdout: {by: people.a}}", "may not depend on others"),
        ("use: tally, budget: {epsilon: 1}}]", "use: forest}]", "XX"),
    ],
)
def test_what_a_specification_cannot_mean(home: Path, old: str, new: str, said: str) -> None:
    """Every fault is told before anything is read or spent."""
    assert old in SPEC
    (home / "people.yaml").write_text(SPEC.replace(old, new))
    if said == "XX":  # a specification without budgets is as free as it was
        check(load_spec(home / "people.yaml", home))
        return
    with pytest.raises((SpecError, SynthwrightError), match=said):
        check(load_spec(home / "people.yaml", home))
    assert not (home / "people.parquet.privacy").exists()
