"""One source under several names has one ledger; a ledger that was cut is missed by the run folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.errors import PrivacyError, StoreError
from synthwright.core.loading import load_spec
from synthwright.steps.private import opened_ledger
from synthwright.steps.source import source
from synthwright.store.folder import FolderStore

pytest.importorskip("orchard", reason="the plug-in of the tests is installed by `make test`")
SPEC = """synthwright: 1
name: people
schema: {tables: {people: {fields: {a: {kind: boolean}}}}}
source: {use: parquet, with: {path: data/people.parquet}}
start: {rows: {people: 60}}
parts: [{make: [people.a], use: tally, budget: {epsilon: 1}}]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a source in a folder of its own."""
    dice = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"a": dice.random(300) < 0.3}), tmp_path / "data" / "people.parquet")
    (tmp_path / "one.yaml").write_text(SPEC)
    return tmp_path


def read(home: Path, path: str, ledger: str = "") -> None:
    """Read a source, which draws who is held out and so opens its ledger."""
    said = SPEC.replace("data/people.parquet}", f"{path}}}" + (f", ledger: {ledger}" if ledger else ""))
    (home / "two.yaml").write_text(said)
    loaded = load_spec(home / "two.yaml", home)
    source(loaded.spec, FolderStore.open(home / "store"), loaded.ctx)


@pytest.mark.parametrize(
    "path", ["data", "'data/*.parquet'", "hard.parquet", "data/copy.parquet", "other/copy.parquet"]
)
def test_another_name_has_no_ledger_of_its_own(home: Path, path: str) -> None:
    """A folder, a pattern, a hard link, a copy: the ledger is named, and with it they are counted together."""
    read(home, "data/people.parquet")
    (home / "other").mkdir()
    here = home / "data" / "people.parquet"
    if "copy" in path:
        shutil.copy(here, home / path)
    if "hard" in path:
        os.link(here, home / path)
    before = sorted(home.rglob("*.privacy"))
    with pytest.raises(PrivacyError, match=r"ledger: data/people\.parquet\.privacy"):
        read(home, path)
    assert sorted(home.rglob("*.privacy")) == before
    read(home, path, "data/people.parquet.privacy")
    lines = (home / "data" / "people.parquet.privacy" / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(x)["entry"] for x in lines] == ["lot", "source"]


def test_other_rows_have_their_own(home: Path) -> None:
    """A file of other rows beside it, and the file that is held out, are no other names."""
    read(home, "data/people.parquet")
    held = pq.read_table(home / "data" / "people.parquet")
    pq.write_table(held.slice(1), home / "data" / "others.parquet")
    read(home, "data/others.parquet")
    assert (home / "data" / "others.parquet.privacy").is_dir()
    with pytest.raises(PrivacyError, match=r"another that counts them"):
        read(home, "data")
    pq.write_table(held.slice(0, 290), home / "most.parquet")
    loaded = load_spec(home / "one.yaml", home)
    spec = loaded.spec.model_copy(update={"source": loaded.spec.source})
    with opened_ledger(spec, loaded.ctx, {"data/people.parquet": "new contents", "most.parquet": "x"}) as ledger:
        assert len([x for x in ledger.lines if x["entry"] == "source"]) == 2


def test_a_ledger_that_was_cut_is_missed_by_the_run_folder(home: Path) -> None:
    """What it kept names the line that it was paid by: another measurement is refused, with the remedy."""
    from synthwright.line import run

    waive = dict.fromkeys(("privacy", "fidelity", "utility", "diversity"), "nothing is to be shown here")
    (home / "one.yaml").write_text(SPEC + f"evaluate: {json.dumps({'metrics': ['rows'], 'waive': waive})}\n")
    run(load_spec(home / "one.yaml", home), home / "out")
    at = home / "data" / "people.parquet.privacy"
    lines = (at / "ledger.jsonl").read_text().splitlines(keepends=True)
    assert [json.loads(x)["entry"] for x in lines] == ["lot", "source", "budget", "reserved", "settled"]
    (at / "ledger.jsonl").write_text("".join(lines[:3]))
    (at / "last").unlink()
    for kept in (at / "releases").iterdir():
        kept.unlink()
    with pytest.raises(StoreError, match=r"a release of this run folder was paid.*restore it from a backup"):
        run(load_spec(home / "one.yaml", home), home / "two", seed=5, store=home / "out" / ".store")
