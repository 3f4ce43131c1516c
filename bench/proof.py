"""Measure what the default gates refuse: planted faults, at three strengths, and honest second samples.

    python bench/proof.py --data ../shared/data/benchmark faults --out bench/faults.md
    python bench/proof.py --data ../shared/data/benchmark honest --splits 300 --out bench/honest.md

A table of 4,000 rows is drawn from the real ones: 1,600 to learn from, 800 held out, and 1,600 that stand for synthetic
rows, honest or with a fault in them (`faults.py`, and `faults_other.py`, whose author had not read the metrics).
Everything is judged as `synthwright evaluate` judges it, by the default gates. Gates were set on adult, magic and
shoppers alone; the other tables prove them, of which five stand beside the benchmark: bank transfers and a log of
events, which have dates and nulls, abalones, mushrooms and wines. Results are kept line by line in `--cache`, so that a
run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
SET_ON = ("adult", "magic", "shoppers")
PROVED_ON = ("default", "beijing", "news_part", "berka-trans", "receipt", "abalone", "mushrooms", "wine")
BESIDE = {
    "berka-trans": ("relational/berka/trans.csv", "operation", ("trans_id", "account_id", "account")),
    "receipt": ("sequence/receipt_event_log/data.parquet", "case_channel",
                ("case_concept_name", "case_deadline", "concept_instance", "lifecycle_transition")),
    "abalone": ("tabular/abalone/data.parquet", "rings", ()),
    "mushrooms": ("tabular/mushrooms/data.parquet", "class", ()),
    "wine": ("tabular/wine_quality/data.parquet", "quality", ()),
}  # fmt: skip
"""Tables beside the benchmark's, two of which have dates and nulls, which none of its six has: file, target, keys left
out."""
STRENGTHS = ("weak", "middle", "full")
HONEST = "honest"
HOW = " ".join(str(__doc__).split("\n\n")[2].split())
"""How splits are made and judged."""


@cache
def load(data: Path, name: str) -> tuple[pa.Table, str]:
    """Return a whole table and its target."""
    if name in BESIDE:
        return beside(data.parent, name), BESIDE[name][1]
    folder = data / name
    parts = [pq.read_table(folder / f"{part}.parquet") for part in ("train", "test")]
    target = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["target"]
    return pa.concat_tables(parts, promote_options="default"), target


def beside(data: Path, name: str) -> pa.Table:
    """Return a table that is beside the benchmark's: an empty text is a null, as it is when such a file is read."""
    import pyarrow.csv as pc_csv

    file, _, left_out = BESIDE[name]
    read = pc_csv.ConvertOptions(strings_can_be_null=True, null_values=["", " "])
    held = pc_csv.read_csv(data / file, convert_options=read) if file.endswith("csv") else pq.read_table(data / file)
    return held.drop_columns(list(left_out))


def faults(which: str) -> dict[str, Any]:
    """Return the faults of a library by name."""
    from faults import FAULTS
    from faults_other import FAULTS as OTHERS

    return {"own": FAULTS, "other": OTHERS}[which]


def work(order: dict[str, Any]) -> dict[str, Any]:
    """Plant one fault in one split, judge it, and return what was refused."""
    from faults_other import Split

    from synthwright.core.errors import SynthwrightError
    from synthwright.face import case_of, judge

    table, target = load(Path(order["data"]), order["table"])
    split = Split.of(table, target, np.random.default_rng([order["seed"], 1]), order["rows"])
    made = split.second
    if order["fault"] != HONEST:
        rng = np.random.default_rng([order["seed"], 2, order["strength"]])
        made = faults(order["library"])[order["fault"]].make(split, order["strength"], rng)
    kept = {k: order[k] for k in ("table", "fault", "strength", "seed", "library")}
    if made is None:
        return kept | {"applies": False}
    honest = partial(case_of, split.train, split.second, split.holdout, None, target, ())  # the case, and what is left
    begun = time.process_time()
    try:
        case, _ = case_of(split.train, made, split.holdout, None, target, ())
        report = judge(case, tuple(order["metrics"]), (), order["seed"], guessed=True)[0]
    except SynthwrightError as error:
        return kept | {"applies": True, "refused": ["door"], "problem": type(error).__name__}
    planted = order["fault"] != HONEST and report.passed
    if planted and case.synthetic.fingerprint() == honest()[0].synthetic.fingerprint():
        return kept | {"applies": False}  # what was planted is repaired when rows are read: nothing is left to refuse
    ratios = {
        s.name: [s.value, s.reference, s.chance] for s in report.scores if s.about in ("", "worst") or "fpr" in s.about
    }
    return kept | {"applies": True, "refused": [g.gate.split()[0] for g in report.gates if not g.passed],
                   "problem": [g.why for g in report.gates if not g.passed and g.value is None],
                   "scores": ratios, "seconds": time.process_time() - begun}  # fmt: skip


def done(cache: Path, orders: list[dict[str, Any]], workers: int) -> list[dict[str, Any]]:
    """Return the results of all orders; those that the cache holds are not worked again."""

    def name(one: dict[str, Any]) -> str:
        return "/".join(str(one[k]) for k in ("library", "table", "fault", "strength", "seed"))

    known: dict[str, dict[str, Any]] = {}
    if cache.exists():
        known = {name(one): one for one in map(json.loads, cache.read_text(encoding="utf-8").splitlines())}
    waiting = [o for o in orders if name(o) not in known]
    with cache.open("a", encoding="utf-8") as out, ProcessPoolExecutor(workers) as pool:
        for i, result in enumerate(pool.map(work, waiting)):
            known[name(result)] = result
            out.write(json.dumps(result) + "\n")
            out.flush()
            if i % 20 == 0:
                print(f"{i + 1} of {len(waiting)}", flush=True)
    return [known[name(o)] for o in orders]


def machine() -> str:
    """Return what it was measured with."""
    import lightgbm

    from synthwright import __version__

    return (f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, synthwright "
            f"{__version__}, numpy {np.__version__}, lightgbm {lightgbm.__version__}.")  # fmt: skip


def table_of_faults(results: list[dict[str, Any]], tables: list[str], library: str) -> str:
    """Return how often each fault is refused, at each strength, and by which gates."""
    by: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for one in results:
        if one["library"] == library and one["table"] in tables and one["applies"]:
            by[one["fault"], one["strength"]].append(one)
    strengths = (2,) if library == "other" else (0, 1, 2)
    lines = ["| fault | " + " | ".join(STRENGTHS[s] for s in strengths) + " | gates that refuse it at full strength |",
             "|---|" + "---:|" * len(strengths) + "---|"]  # fmt: skip
    for fault in faults(library):
        cells = [by[fault, s] for s in strengths]
        said = [f"{sum(bool(o['refused']) for o in c)} of {len(c)}" if c else "–" for c in cells]
        counts: dict[str, int] = defaultdict(int)
        for one in cells[-1]:
            for gate in one["refused"]:
                counts[gate] += 1
        gates = ", ".join(f"{g} {n}" for g, n in sorted(counts.items(), key=lambda p: (-p[1], p[0])))
        missed = sorted({o["table"] for o in cells[-1] if not o["refused"]})
        gap = f" **missed: {', '.join(missed)}**" if missed else ""
        lines.append(f"| {fault} | {' | '.join(said)} | {gates or '–'}{gap} |")
    full = [o for c in (by[f, 2] for f in faults(library)) for o in c]
    refused = sum(bool(o["refused"]) for o in full)
    return "\n".join([*lines, "", f"At full strength {refused} of {len(full)} are refused.", ""])


def report_faults(results: list[dict[str, Any]], tables: list[str]) -> str:
    """Return the page of faults."""
    about = f"{machine()} Of each fault so many plantings are refused; behind it, by which gates, and how often."
    parts = ["# Planted faults and the default gates", "", HOW, "", about, ""]
    for title, some in (("the gates were set on", SET_ON), ("nobody set a gate on", PROVED_ON)):
        used = [t for t in tables if t in some]
        for library, whose in (("own", "Faults"), ("other", "Ten other faults")):
            if used and any(r["library"] == library for r in results):
                parts += [
                    f"## {whose}, on tables {title}: {', '.join(used)}",
                    "",
                    table_of_faults(results, used, library),
                ]
    return "\n".join(parts)


def report_honest(results: list[dict[str, Any]], tables: list[str]) -> str:
    """Return the page of honest samples."""
    head = ["| table | splits | refused | by | nearest to its bound |", "|---|---:|---:|---|---|"]
    lines = ["# Honest second samples and the default gates", "", HOW, "", machine(), "", *head]
    for table in tables:
        mine = [r for r in results if r["table"] == table]
        refused = [r for r in mine if r["refused"]]
        gates = ", ".join(sorted({g for r in refused for g in r["refused"]}))
        near: dict[str, float] = {}
        for r in mine:
            for name, (value, reference, chance) in r.get("scores", {}).items():
                if None not in (value, reference, chance) and chance > 0:
                    near[name] = max(near.get(name, 0.0), abs(value - reference) / chance)
        top = ", ".join(f"{n} {v:.2f}" for n, v in sorted(near.items(), key=lambda p: -p[1])[:4])
        lines.append(f"| {table} | {len(mine)} | {len(refused)} | {gates or '–'} | {top} |")
    note = (
        "Nearest to its bound: the farthest that a score strayed from its reference, as a multiple of what chance is "
    )
    lines += ["", f"{note}allowed, tolerances not counted.", ""]
    return "\n".join(lines)


def main() -> None:
    """Work what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("faults", "honest"))
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables")
    parser.add_argument("--tables", default=",".join((*SET_ON, *PROVED_ON)))
    parser.add_argument("--splits", type=int, default=1, help="splits of each table")
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--only", default="", help="faults, with commas; nothing: all")
    parser.add_argument("--strengths", default="0,1,2")
    parser.add_argument("--metrics", default="integrity", help="measured beside those the gates need")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "synthwright-proof.jsonl"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    tables, common = asked.tables.split(","), {"data": str(asked.data), "rows": asked.rows}
    common["metrics"] = asked.metrics.split(",")
    orders = []
    for seed in range(asked.splits):
        for table in tables:
            if asked.what == "honest":
                orders.append(
                    common | {"table": table, "fault": HONEST, "strength": 0, "seed": seed, "library": HONEST}
                )
                continue
            for library in ("own", "other"):
                strengths = [2] if library == "other" else [int(s) for s in asked.strengths.split(",")]
                wanted = [f for f in faults(library) if not asked.only or f in asked.only.split(",")]
                orders += [common | {"table": table, "fault": f, "strength": s, "seed": seed, "library": library}
                           for f in wanted for s in strengths]  # fmt: skip
    results = done(asked.cache, orders, asked.workers)
    page = report_faults(results, tables) if asked.what == "faults" else report_honest(results, tables)
    print(page)
    if asked.out:
        asked.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
