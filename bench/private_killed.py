"""Runs that are killed while they measure real rows under a privacy budget: each source is paid for once.

    python bench/private_killed.py [--kills 30] [--out bench/private_killed.md]

A table of 20,000 rows, a part with `use: mst` (extra `privacy`). Each run is killed by SIGKILL at a random moment
between its start and the end that an undisturbed run comes to, with a source and a ledger of its own, and is started
again. The ledger must then say that what the budget allows was reserved once and settled once, and the rows must be
those of another run from the same ledger.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SPEC = """synthwright: 1
name: people
schema: {tables: {people: {fields: {age: {kind: integer, nulls: false}, sex: {kind: category, nulls: false},
  pay: {kind: number, nulls: false}}}}}
source: {use: parquet, with: {path: people.parquet}}
start: {rows: {people: 5000}}
parts:
  - make: [people.*]
    use: mst
    with: {domain: {age: {between: [0, 100]}, sex: {values: [a, b]}, pay: {between: [0, 1000]}}}
    budget: {epsilon: 1}
evaluate: {metrics: [rules], waive: {fidelity: only the ledger is looked at, utility: only the ledger is looked at,
  privacy: only the ledger is looked at, diversity: only the ledger is looked at}}
"""
COMMAND = [sys.executable, "-m", "synthwright", "run", "people.yaml", "-q", "--workers", "1"]
FILE = Path("data/people/part-00000.parquet")


def made(home: Path) -> None:
    """Write source and specification into a folder."""
    dice = np.random.default_rng(0)
    table = {"age": dice.integers(18, 90, 20_000), "sex": np.array(["a", "b"])[dice.integers(0, 2, 20_000)],
             "pay": dice.gamma(2, 60, 20_000)}  # fmt: skip
    pq.write_table(pa.table(table), home / "people.parquet")
    (home / "people.yaml").write_text(SPEC, encoding="utf-8")


def ended(home: Path, out: str, after: float | None) -> bool:
    """Run, and kill after so many seconds; say whether it came to its end."""
    running = subprocess.Popen([*COMMAND, "--out", out], cwd=home, stderr=subprocess.DEVNULL)
    try:
        return running.wait(after) == 0
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        return False


def main() -> None:
    """Kill, run again, and write what the ledgers say."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=30)
    asked.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    said = asked.parse_args()
    dice, rows = np.random.default_rng(5), []
    with TemporaryDirectory() as folder:
        home = Path(folder, "whole")
        home.mkdir()
        made(home)
        begun = time.monotonic()
        assert ended(home, "out", None)
        whole = time.monotonic() - begun
        for i in range(said.kills):
            home = Path(folder, str(i))
            home.mkdir()
            made(home)
            at = dice.uniform(0.05, 1.0) * whole
            killed = not ended(home, "out", at)
            ledger = home / "people.parquet.privacy" / "ledger.jsonl"
            before = [json.loads(x)["entry"] for x in ledger.read_text().split("\n")[:-1]] if ledger.exists() else []
            assert ended(home, "out", None)
            entries = Counter(json.loads(x)["entry"] for x in ledger.read_text().splitlines())
            assert ended(home, "again", None)
            same = (home / "out" / FILE).read_bytes() == (home / "again" / FILE).read_bytes()
            rows.append((at, killed, before[-1] if before else "nothing yet", dict(entries), same))
            shutil.rmtree(home)
    once = sum(r[3].get("reserved") == r[3].get("settled") == 1 for r in rows)
    about = (
        f"{len(rows)} runs, each killed by SIGKILL at a random moment of the {whole:.1f} s that one takes, with a "
        "ledger of its own, and started again. Script: `bench/private_killed.py`."
    )
    lines = [
        "# Killed while real rows are measured under a budget", "", about, "",
        f"- **paid once: {once} of {len(rows)}** (one `reserved`, one `settled`)",
        f"- the same rows from the same ledger in another folder: {sum(r[4] for r in rows)} of {len(rows)}", "",
        "| killed after | was running | the ledger's last entry then | entries in the end |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {at:.2f} s | {'yes' if killed else 'no, it had ended'} | {last} | {entries} |"
              for at, killed, last, entries, _ in sorted(rows)]  # fmt: skip
    said.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"paid once: {once} of {len(rows)}\n")


if __name__ == "__main__":
    main()
