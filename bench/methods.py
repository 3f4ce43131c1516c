"""Compare every method by name, ours and peers, on six public tables, each within the same processor time.

    python bench/methods.py --data DIR                          # everything: hours; goes on where it was stopped
    python bench/methods.py --data DIR --methods tvae --tables magic
    python bench/methods.py --merge bench/methods.jsonl --render   # no run: lines of another day beside those here
    python bench/methods.py --render --out bench/methods.md

DIR holds one folder a table: `train.parquet`, `test.parquet`, `meta.json`. Each cell, a method and a table, is a
process of its own (`methods_cell.py`) on one thread. A method that can be told ends by the budget; another that runs
over it by a tenth is killed, which counts as *over*. What a cell scored is a line of `cells.jsonl` in the folder
`--cache`: cells that are there are not run again, unless they failed or our method's version changed since.
`methods.jsonl` beside this file holds what was run so far. Environments of peers, and one with PyTorch for ours, are
made under `--cache` where they are absent.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from forest import TABLES, environment, listed
from forest_peers import tree_seconds
from forest_report import machine
from forest_scores import Table, score
from methods_cell import ENVIRONMENTS, NEURAL, OURS
from methods_report import report

from synthwright.core.registry import find, names

HERE = Path(__file__).resolve().parent
CHEAP = ("marginals", "copula", "bayes-net", "forest", "smote", "perturb", "boosted", "sdv-copula")
METHODS = (*CHEAP, *(m for m in (*OURS, *ENVIRONMENTS) if m not in CHEAP))
"""All methods, cheap ones first."""
BUDGET = 300
"""Processor seconds of a cell."""
GRACE = 1.1
"""Over how many times the budget a cell is killed: what ends by the budget only guesses how long rows take to make."""
WALL = 6
"""How many times the budget a cell may take by the clock: the machine may be busy with other things."""
LOOK = 1.0
"""Seconds between two looks at what a cell has spent."""
ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1",
         "LOKY_MAX_CPU_COUNT": "1", "CUDA_VISIBLE_DEVICES": ""}  # fmt: skip


class Asked(NamedTuple):
    """What is asked for."""

    data: Path
    cache: Path
    methods: tuple[str, ...]
    tables: tuple[str, ...]
    budget: int
    seed: int
    pythons: Mapping[str, str]
    """Interpreters of environments that are there already."""


def interpreter(method: str, asked: Asked) -> str:
    """Return the interpreter that runs a method."""
    name = ENVIRONMENTS.get(method, "neural" if method in NEURAL else "")
    if name in asked.pythons:
        return asked.pythons[name]
    if name in ENVIRONMENTS.values():
        return environment(name, asked.cache)
    return neural(asked.cache) if name else sys.executable


def neural(cache: Path) -> str:
    """Return the interpreter of an environment with Synthwright and PyTorch, which is made where there is none."""
    home, root = cache / "env" / "neural", HERE.parent
    python = home / "bin" / "python"
    if not python.exists():
        print("making the environment neural …", flush=True)
        venv.create(home, with_pip=True)
        order = [str(python), "-m", "pip", "install", "-q", "-c", str(root / "constraints" / "neural.txt")]
        subprocess.run([*order, "-e", f"{root}[neural]"], check=True)
    return str(python)


def ran(method: str, name: str, asked: Asked, out: Path) -> dict[str, Any]:
    """Run a cell in a process of its own; return what it took, or why there are no rows."""
    order = [interpreter(method, asked), str(HERE / "methods_cell.py"), method, "--table", str(asked.data / name),
             "--out", str(out), "--seconds", str(asked.budget), "--seed", str(asked.seed)]  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    for ending in (".parquet", ".json", ".begun"):
        out.with_suffix(ending).unlink(missing_ok=True)
    began = time.monotonic()
    with out.with_suffix(".log").open("w", encoding="utf-8") as said:
        cell = subprocess.Popen(order, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **ALONE},
                                start_new_session=True)  # fmt: skip
        while cell.poll() is None:
            time.sleep(LOOK)
            used = tree_seconds(cell.pid) - float(_read(out.with_suffix(".begun")) or asked.budget)
            if used > GRACE * asked.budget or time.monotonic() - began > WALL * asked.budget:
                os.killpg(cell.pid, signal.SIGKILL)
                cell.wait()
                return {"problem": "over"}
    if cell.returncode or not out.with_suffix(".json").exists():
        return {"problem": f"failed with status {cell.returncode}"}
    return {**json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def mark(method: str, name: str, budget: int, seed: int) -> tuple[Any, ...]:
    """Return what makes a cell the same cell."""
    ours = method in OURS and method in names("generators")
    return method, name, budget, seed, find("generators", method).version if ours else 0


def marked(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes the cell of a line the same cell."""
    return tuple(line[k] for k in ("method", "table", "budget", "seed", "version"))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what is kept; a line that was cut short by a kill is left out."""
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            yield json.loads(text)
        except json.JSONDecodeError:
            continue


def filled(asked: Asked) -> None:
    """Run and score the cells that are not there, table by table; keep each as soon as it is known."""
    kept = asked.cache / "cells.jsonl"
    done = {marked(line) for line in lines(kept) if not str(line.get("problem")).startswith("failed")}
    for name in asked.tables:
        table = None
        for method in asked.methods:
            here = mark(method, name, asked.budget, asked.seed)
            if here in done:
                continue
            out = asked.cache / "out" / method / f"{name}-{asked.seed}.parquet"
            found = ran(method, name, asked, out)
            if "problem" not in found:
                table = table or Table.load(asked.data / name)
                found |= score(table, table.read(out), asked.seed)
            table = table or Table.load(asked.data / name)
            line = {"method": method, "table": name, "budget": asked.budget, "seed": asked.seed, "version": here[-1],
                    "about": table.about, "machine": machine(), **found}  # fmt: skip
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            said = {k: round(v, 3) for k, v in found.items() if isinstance(v, float)}
            print(name, method, said or found["problem"], flush=True)


def pair(text: str) -> tuple[str, str]:
    """Return `sdv=PATH` as a name and an interpreter."""
    name, _, path = text.partition("=")
    return name, path


def options() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the tables")
    parser.add_argument("--tables", type=listed, default=TABLES, help=f"of {', '.join(TABLES)}")
    parser.add_argument("--methods", type=listed, default=METHODS, help=f"of {', '.join(METHODS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=BUDGET, help="processor seconds of a cell")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "synthwright-methods"),
                        help="where environments, rows and lines are kept")  # fmt: skip
    parser.add_argument("--python", type=pair, action="append", default=[], metavar="ENVIRONMENT=PATH",
                        help="an interpreter that is there already: sdv, mostlyai or neural")  # fmt: skip
    parser.add_argument("--merge", type=Path, action="append", default=[], help="lines of other runs to add")
    parser.add_argument("--render", action="store_true", help="run nothing")
    parser.add_argument("--out", type=Path, help="the Markdown file to write; nothing: only printed")
    return parser


def main() -> None:
    """Run, score, keep, print."""
    parser = options()
    given = parser.parse_args()
    unknown = [*{*given.methods} - {*METHODS}, *{*given.tables} - {*TABLES}]
    if unknown or not (given.data or given.render):
        parser.error(f"no such table or method: {unknown[0]}" if unknown else "say --data, or --render")
    given.cache.mkdir(parents=True, exist_ok=True)
    kept = given.cache / "cells.jsonl"
    known = {marked(line) for line in lines(kept)}
    more = [line for path in given.merge for line in lines(path) if marked(line) not in known]
    with kept.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in more)
    if not given.render:
        filled(Asked(given.data, given.cache, given.methods, given.tables, given.seconds, given.seed,
                     dict(given.python)))  # fmt: skip
    now = {m: mark(m, "", 0, 0)[-1] for m in METHODS}
    shown = [{**line, "earlier": line["version"] != now[line["method"]]} for line in lines(kept)
             if line["method"] in now and line["budget"] == given.seconds]  # fmt: skip
    said = report(shown, METHODS, TABLES, given.seconds)
    print(said)
    if given.out:
        given.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
