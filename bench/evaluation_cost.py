"""Measure what evaluation costs: CPU seconds and memory of every metric, each in a process of its own.

    python bench/evaluation_cost.py [NAME …]

Two tables: Adult as it ships in `examples/adult` (80 % training rows, 20 % held out), and one of 15 columns made up
with 50,000 training, held-out and synthetic rows. Synthetic rows are training
rows with every column shuffled: as many, of the same values, and easy to tell, so that trees have something to grow on.
Writes `evaluation_cost.md` beside this file. One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Rule
from synthwright.metrics import REGISTERED

HERE = Path(__file__).resolve().parent
ADULT = HERE.parent / "examples" / "adult" / "adult.parquet"
LIMITS = {"adult": (120, 2_048), "made": (120, 2_048)}
"""CPU seconds of all metrics together (a minute on two cores), and megabytes of the largest."""
METRICS = tuple(REGISTERED)


def shuffled(table: pa.Table, ctx: Context) -> pa.Table:
    """Return a table with every column shuffled by itself."""
    order = ctx.at("shuffle").rng.permutation
    return pa.table({c: table.column(c).take(pa.array(order(table.num_rows))) for c in table.column_names})


def adult(ctx: Context) -> Case:
    """Return Adult: the income is the target."""
    whole = pq.read_table(ADULT)
    order = pa.array(ctx.at("split").rng.permutation(whole.num_rows))
    held = Dataset.of(whole.take(order), name="person")
    train, unseen = (
        held.take("person", part) for part in np.split(np.arange(whole.num_rows), [whole.num_rows * 4 // 5])
    )
    fake = Dataset(held.schema, {"person": shuffled(train.tables["person"], ctx)})
    rules = (("person", Rule(rule="age >= 0")), ("person", Rule(rule="hours_per_week <= 168")))
    return Case(train, unseen, fake, target="person.income", rules=rules, asked={"person": train.rows()})


def made(ctx: Context, rows: int = 50_000) -> Case:
    """Return a table of eight columns of numbers and seven of sixteen labels, all of which follow one hidden number."""

    def part(name: str) -> pa.Table:
        rng = ctx.at(name).rng
        hidden = rng.normal(size=rows)
        labels = np.array([f"label {i}" for i in range(16)])
        columns = {f"number {i}": pa.array(hidden + rng.normal(size=rows)) for i in range(8)}
        for i in range(7):
            codes = np.clip((hidden + rng.normal(size=rows)) * 3 + 8, 0, 15).astype(np.int64)
            columns[f"label {i}"] = pa.array(labels[codes])
        return pa.table(columns)

    train = Dataset.of(part("train"), name="thing")
    fake = Dataset.of(shuffled(part("synthetic"), ctx), train.schema)
    rules = (("thing", Rule(rule="`number 1` < 100")),)
    target = "thing.label 0"
    return Case(train, Dataset.of(part("holdout"), train.schema), fake, target, rules=rules, asked={"thing": rows})


CASES = {"adult": adult, "made": made}


def measure(case: str, name: str) -> None:
    """Measure one metric in this process and print what it took as JSON."""
    ctx = Context(seed=1)
    given = CASES[case](ctx)
    metric = registry.find("metrics", name)()
    assert isinstance(metric, Metric)
    before = time.process_time()
    scores = metric.measure(given, ctx.at(name))
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # kilobytes, on Linux
    whole = next(s for s in scores if not s.about)
    assert whole.status != "failed", whole
    print(json.dumps({"seconds": seconds, "megabytes": peak, "value": whole.value, "reference": whole.reference}))


def table(case: str) -> str:
    """Measure every metric on one case and return a table."""
    lines = ["| metric | CPU s | peak MB | value | reference |", "|---|---:|---:|---:|---:|"]
    total, most = 0.0, 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    for name in METRICS:
        done = subprocess.run([sys.executable, __file__, "--one", case, name], env=environment, check=True,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
        found = json.loads(done.stdout)
        total, most = total + found["seconds"], max(most, found["megabytes"])
        numbers = [f"{found[w]:.3f}" if found[w] is not None else "–" for w in ("value", "reference")]
        lines.append(f"| {name} | {found['seconds']:.2f} | {found['megabytes']} | {' | '.join(numbers)} |")
        print(f"{case} {lines[-1]}", flush=True)
    seconds, megabytes = LIMITS[case]
    lines.append(f"| **all** | **{total:.2f}** | **{most}** | | |")
    verdict = "kept" if total <= seconds and most <= megabytes else "NOT KEPT"
    return "\n".join([*lines, "", f"Limit: {seconds} CPU s, {megabytes} MB in any one process: {verdict}.", ""])


def main() -> None:
    """Measure both cases, or those that were named, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "METRIC"), help="measure one metric in this process")
    asked = parser.parse_args()
    if asked.one:
        measure(*asked.one)
        return
    titles = {"adult": "Adult: 39,073 training, 9,769 held-out and 39,073 synthetic rows, 15 columns",
              "made": "Made up: 50,000 rows each of training, held-out and synthetic, 15 columns"}  # fmt: skip
    parts = [f"## {titles[case]}\n\n{table(case)}" for case in asked.cases]
    machine = f"{platform.machine()}, Python {platform.python_version()}, one thread"
    intro = ("# What evaluation costs\n\nWritten by `python bench/evaluation_cost.py`. Every metric has a process of "
             "its own; memory includes Python, its libraries and the three tables, time does not count loading "
             "them. Synthetic rows are real rows with "
             f"every column shuffled. Machine: {machine}.\n")  # fmt: skip
    (HERE / "evaluation_cost.md").write_text("\n".join([intro, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
