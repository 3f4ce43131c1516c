"""How long generators take for a million rows: Adult resampled with jitter, 1,000,000 × 15, fitted and sampled.

Beside it stands the limit: the time to read, sort and write the same table with numpy and pyarrow.

    python bench/million.py                      # prints a Markdown table
    python bench/million.py --write              # and keeps it in bench/million.md
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ADULT = HERE.parent / "examples" / "adult" / "adult.parquet"
ROWS = 1_000_000
JITTERED = ("age", "fnlwgt", "capital_gain", "capital_loss", "hours_per_week")
BOUND_GIB = 4
BOUNDS = {"copula": "fit and sample within 60 s", "forest": "fit within 120 s, and 500,000 rows/s sampled"}
PACKAGES = ("synthwright", "numpy", "scipy", "pyarrow", "numba", "lightgbm")


def million(source: Path, rows: int) -> pa.Table:
    """Return so many rows drawn from a table with replacement, its amounts moved by up to three."""
    rng = np.random.default_rng(0)
    real = pq.read_table(source)
    drawn = real.take(pa.array(rng.integers(0, real.num_rows, rows)))
    for name in JITTERED:
        values = drawn.column(name).to_numpy()
        moved = values + (values > 0) * rng.integers(-3, 4, rows)
        drawn = drawn.set_column(drawn.column_names.index(name), name, pa.array(moved))
    return drawn


def limit(table: Path, out: Path) -> dict[str, float]:
    """Read, sort every column, write."""
    begun = time.perf_counter()
    held = pq.read_table(table)
    read = time.perf_counter()
    columns = {}
    for name in held.column_names:
        column = held.column(name)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            coded = column.combine_chunks().dictionary_encode()
            columns[name] = coded.dictionary.take(pa.array(np.sort(coded.indices.to_numpy(zero_copy_only=False))))
        else:
            columns[name] = pa.array(np.sort(column.to_numpy()))
    ordered = time.perf_counter()
    pq.write_table(pa.table(columns), out)
    return {"read": read - begun, "work": ordered - read, "write": time.perf_counter() - ordered}


def generated(table: Path, out: Path, use: str) -> dict[str, float]:
    """Read, fit, sample as many rows shard by shard, write; kernels are compiled beforehand."""
    from synthwright.core import registry
    from synthwright.core.context import Context
    from synthwright.core.contracts import Generator, Part
    from synthwright.core.dataset import Dataset

    recipe = registry.find("generators", use)()
    assert isinstance(recipe, Generator)
    few = Dataset.of(pq.read_table(table).slice(0, 2_000))
    recipe.fit(few, Part(few.schema.columns), Context(seed=0)).sample(few, Context(seed=0))
    begun = time.perf_counter()
    data = Dataset.of(pq.read_table(table))
    read = time.perf_counter()
    model = recipe.fit(data, Part(data.schema.columns), Context(seed=0).at("fit"))
    fitted = time.perf_counter()
    name = data.schema.only
    start = Dataset.blank(data.schema, {name: data.rows(name)})
    shards = [model.sample(shard, Context(seed=0).at("sample", i)).data for i, shard in enumerate(start.shards())]
    sampled = time.perf_counter()
    whole = shards[0].joined(*shards[1:]).to_arrow()
    assert whole.num_rows == data.rows(name)
    pq.write_table(whole, out)
    return {"read": read - begun, "fit": fitted - read, "sample": sampled - fitted,
            "work": sampled - read, "write": time.perf_counter() - sampled}  # fmt: skip


JOBS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "forest": partial(generated, use="forest"),
    "copula": partial(generated, use="copula"),
    "limit": limit,
}


def measured(job: str, table: Path, out: Path) -> dict[str, float]:
    """Run one job in a process of its own; return its seconds, its processor seconds and its peak memory."""
    order = [sys.executable, __file__, "--job", job, "--table", str(table), "--out", str(out)]
    said = subprocess.run(order, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found


def run_job(job: str, table: Path, out: Path) -> None:
    """Run one job here and print what it took as JSON."""
    took = JOBS[job](table, out)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({**took, "cpu": usage.ru_utime + usage.ru_stime, "gib": usage.ru_maxrss / 2**20}))


def machine() -> str:
    """Return what this ran on."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        cores = sum(line.startswith("processor") for line in lines)
    except (OSError, StopIteration):
        cores = 0
    packages = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return f"{model}, {cores or 'some'} cores; {platform.system()}, Python {platform.python_version()}, {packages}"


def report(rows: int, columns: int, took: dict[str, dict[str, float]]) -> str:
    """Return the figures as Markdown."""
    lines = [f"# Generators on {rows:,} × {columns} rows", "",
             "Adult, resampled with jitter (`bench/million.py`); seconds by the clock, one process each, kernels",
             "compiled beforehand. The limit is to read, sort every column and write.", "",
             "| | read and infer | fit | sample | rows/s sampled | write | processor | peak memory |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for job, one in took.items():
        fit, sample = (f"{one[k]:.1f} s" if k in one else "–" for k in ("fit", "sample"))
        speed = f"{rows / one['sample']:,.0f}" if "sample" in one else "–"
        read, write, cpu = (f"{one[k]:.1f} s" for k in ("read", "write", "cpu"))
        lines.append(f"| {job} | {read} | {fit} | {sample} | {speed} | {write} | {cpu} | {one['gib']:.2f} GiB |")
    asked = "; ".join(f"`{job}`: {what}" for job, what in BOUNDS.items())
    return "\n".join(
        [*lines, "", f"Asked for, on 2 cores and within {BOUND_GIB} GiB: {asked}.", "", f"{machine()}.", ""]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=ADULT, help="the Adult table as Parquet")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/million.md")
    parser.add_argument("--job", choices=sorted(JOBS), help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        run_job(asked.job, asked.table, asked.out)
        return
    with tempfile.TemporaryDirectory() as temporary:
        table = Path(temporary, "million.parquet")
        drawn = million(asked.source, asked.rows)
        columns = drawn.num_columns
        pq.write_table(drawn, table)
        del drawn
        took = {job: measured(job, table, Path(temporary, f"{job}.parquet")) for job in JOBS}
    said = report(asked.rows, columns, took)
    print(said)
    if asked.write:
        (HERE / "million.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
