"""Score our generator and its peers on six public tables: one script, one run, the same measures for all.

    python bench/forest.py --data DIR --out bench/forest.md                # everything: hours, most of them the peers'
    python bench/forest.py --data DIR --tables adult --peers none          # ours alone
    python bench/forest.py --data DIR --peers cached                       # ours, beside peers that already ran
    python bench/forest.py --data DIR --curve --dial leaf --values 30,100,300 --tables adult,magic

DIR holds one folder a table: `train.parquet`, `test.parquet`, `meta.json`. Every generator runs in a process of its
own (`forest_peers.py`), a peer in an environment that is made for it from `forest_requirements/`, once, under
`--cache`; a peer's rows stay there, ours are made anew. Each makes as many rows as it learned from.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forest_report import curve, machine, report
from forest_scores import Table, floor, score

HERE = Path(__file__).resolve().parent
TABLES = ("adult", "default", "shoppers", "magic", "beijing", "news_part")
ENVIRONMENTS = {
    "sdv-copula": "sdv",
    "smote": "smote",
    "arf": "arf",
    "tabular-argn": "mostlyai",
    "sdv-tvae": "sdv",
    "sdv-ctgan": "sdv",
}
"""The environment of each peer, cheapest peer first."""
LIMIT = 15 * 60
"""Seconds after which a peer is stopped and counts as not run."""


class Run(NamedTuple):
    """What is asked for."""

    data: Path
    cache: Path
    tables: tuple[str, ...]
    peers: tuple[str, ...]
    make: bool
    """Whether a peer that has not run yet is run."""
    seeds: int
    settings: tuple[str, ...]


def executed(name: str, asked: Run, table: str, seed: int, settings: Sequence[str] = ()) -> Path:
    """Run a generator on a table in a process of its own; return the Parquet file, its JSON beside it."""
    mark = "-".join([table, *(s.replace("=", "-") for s in settings), *([str(seed)] if name == "synthwright" else [])])
    out = asked.cache / "out" / name / f"{mark}.parquet"
    python = sys.executable
    if name in ENVIRONMENTS:
        if out.exists() and out.with_suffix(".json").exists():
            return out
        python = environment(ENVIRONMENTS[name], asked.cache)
    order = [python, str(HERE / "forest_peers.py"), name, "--table", str(asked.data / table), "--out", str(out),
             "--seed", str(seed), *(part for s in settings for part in ("--set", s))]  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    log = out.with_suffix(".log")
    try:
        with log.open("w", encoding="utf-8") as said:
            subprocess.run(order, check=True, stdout=said, stderr=subprocess.STDOUT, timeout=LIMIT)
    except subprocess.CalledProcessError:
        print(log.read_text(encoding="utf-8")[-2_000:], file=sys.stderr, flush=True)
        raise
    return out


def environment(name: str, cache: Path) -> str:
    """Return the interpreter of a peer's environment, which is made where there is none."""
    home = cache / "env" / name
    python = home / "bin" / "python"
    if not python.exists():
        print(f"making the environment {name} …", flush=True)
        venv.create(home, with_pip=True)
        wanted = HERE / "forest_requirements" / f"{name}.txt"
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(wanted)], check=True)
    return str(python)


def measured(name: str, asked: Run, table: Table, seed: int, settings: Sequence[str] = ()) -> dict[str, Any]:
    """Return the scores of one generator on one table with what it took; where it failed, why."""
    try:
        out = executed(name, asked, table.name, seed, settings)
    except subprocess.TimeoutExpired:
        return {"problem": f"not finished after {LIMIT // 60} minutes"}
    except subprocess.CalledProcessError as error:
        if name not in ENVIRONMENTS:
            raise
        return {"problem": f"failed with status {error.returncode}"}
    took = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    return {**took, **score(table, table.read(out), seed)}


def first_fit(asked: Run, table: str) -> float:
    """Return the processor seconds of a fit whose kernels nobody compiled before."""
    with tempfile.TemporaryDirectory() as empty:
        before = os.environ.get("NUMBA_CACHE_DIR")
        os.environ["NUMBA_CACHE_DIR"] = empty
        try:
            out = executed("synthwright", asked, table, 0, asked.settings)
        finally:
            del os.environ["NUMBA_CACHE_DIR"]
            if before is not None:
                os.environ["NUMBA_CACHE_DIR"] = before
    return float(json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["fit_cpu_s"])


def everything(asked: Run) -> dict[str, Any]:
    """Run and score all that was asked for; return it by table and generator."""
    found: dict[str, Any] = {}
    cold = first_fit(asked, asked.tables[0])
    executed("synthwright", asked, asked.tables[0], 0, asked.settings)  # from here on kernels are compiled
    for name in asked.tables:
        table = Table.load(asked.data / name)
        rows: dict[str, list[dict[str, Any]]] = {"floor": [floor(table, seed) for seed in range(asked.seeds)]}
        rows["synthwright"] = [measured("synthwright", asked, table, s, asked.settings) for s in range(asked.seeds)]
        say(name, "synthwright", rows["synthwright"][-1])
        for peer in asked.peers:
            ran = (asked.cache / "out" / peer / f"{name}.json").exists()
            rows[peer] = [measured(peer, asked, table, 0) if asked.make or ran else {"problem": "not run"}]
            say(name, peer, rows[peer][0])
        found[name] = {"about": table.about, "rows": rows}
    return {"first_fit": {"table": asked.tables[0], "seconds": cold}, "seeds": asked.seeds, "tables": found}


def say(table: str, name: str, scores: dict[str, Any]) -> None:
    """Tell how far it is."""
    told = {k: round(v, 4) for k, v in scores.items() if isinstance(v, float)} or scores.get("problem")
    print(table, name, told, flush=True)


def dialled(asked: Run, dial: str, values: Sequence[str]) -> dict[str, Any]:
    """Score ours at each value of a dial."""
    found: dict[str, Any] = {}
    executed("synthwright", asked, asked.tables[0], 0, asked.settings)
    for name in asked.tables:
        table = Table.load(asked.data / name)
        rows = {}
        for value in values:
            settings = (*asked.settings, f"{dial}={value}")
            rows[value] = [measured("synthwright", asked, table, s, settings) for s in range(asked.seeds)]
            say(name, settings[-1], rows[value][-1])
        found[name] = {"about": table.about, "rows": rows}
    return {"dial": dial, "seeds": asked.seeds, "tables": found}


def listed(text: str) -> tuple[str, ...]:
    """Return `a,b` as names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def options() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables")
    parser.add_argument("--tables", type=listed, default=TABLES, help=f"of {', '.join(TABLES)}")
    parser.add_argument("--seeds", type=int, default=5, help="runs of ours; peers run once")
    parser.add_argument("--ours", default="forest", help="our generator")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of ours")
    parser.add_argument("--peers", type=listed, default=("all",),
                        help=f"all, none, cached, or of {', '.join(ENVIRONMENTS)}")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "synthwright-forest"),
                        help="where environments and synthetic rows are kept")  # fmt: skip
    parser.add_argument("--out", type=Path, help="the Markdown file to write; nothing: only printed")
    parser.add_argument("--curve", action="store_true", help="fidelity and memorisation over a dial, ours alone")
    parser.add_argument("--dial", default="leaf", help="the parameter that --curve turns")
    parser.add_argument("--values", type=listed, default=("30", "100", "300"), help="what --curve sets it to")
    return parser


def main() -> None:
    """Run, score, print."""
    parser = options()
    given = parser.parse_args()
    groups = {("all",): tuple(ENVIRONMENTS), ("cached",): tuple(ENVIRONMENTS), ("none",): ()}
    peers = groups.get(given.peers, given.peers)
    unknown = [p for p in peers if p not in ENVIRONMENTS] + [t for t in given.tables if t not in TABLES]
    if unknown or given.seeds < 1 or not given.tables:
        parser.error(f"no such table or peer: {unknown[0]}" if unknown else "nothing to run")
    settings = (f"generator={given.ours}", *given.set)
    make = given.peers != ("cached",)
    asked = Run(given.data, given.cache, given.tables, peers, make, given.seeds, settings)
    found = dialled(asked, given.dial, given.values) if given.curve else everything(asked)
    found |= {"ours": given.ours, "machine": machine()}
    kept = given.cache / ("curve.json" if given.curve else "scores.json")
    kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
    said = curve(found) if given.curve else report(found)
    print(said)
    if given.out:
        given.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
