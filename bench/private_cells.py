"""Runs of `bench/private.py`: kept line by line, so that they may take several days, and told as a page."""

from __future__ import annotations

import json
import os
import platform
import resource
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
DELTA = 1e-9
LIMIT = 1_800
"""Processor seconds that another program may take; by the clock four times as many, for a machine that is shared."""
PEERS = ("dpmm-mst", "dpmm-aim", "dpmm-privbayes", "opendp-aim", "smartnoise-mst", "smartnoise-aim")
PACKAGES = {"dpmm": "dpmm", "opendp": "opendp", "smartnoise": "smartnoise-synth"}
OVER = "over {minutes:.0f} minutes"
ABSENT = "not installed here"
YARDSTICK = "independent columns, noisy"
ORDER = (YARDSTICK, "mst", "aim", "dp-network", *PEERS)
COLUMNS = ("eight", "all fifteen")
HEAD = """# Rows with a formal guarantee, beside other programs

Written by `python bench/private.py`, from runs that `private.jsonl` keeps. {machine}. Real rows: the training part of
the census table (39,074), delta {delta:g}; one thread each. As many rows are made, and for every two (three) columns
the total variation between the shares of all combinations is taken, on average: 0 is the same, 1 has nothing in common.
Numbers are compared in 32 equally wide bins. Domains are those of the census codebook; ours cut bins finer within their
budget, other programs get the cells themselves. *Independent columns, noisy* is the yardstick: every column by itself
at the same privacy. Figures are means over so many runs. Other programs get {minutes:.0f} minutes of processor time for
a run, and one that is over on eight columns is not tried on more.

"""
WAITING = """
**Other programs that have not been run to their end yet**: {which}. `python bench/private.py --peers FOLDER` runs them.
"""


class Cell(NamedTuple):
    """One run: the errors and what they cost."""

    columns: str
    epsilon: float
    what: str
    seed: int
    pairs: float | None
    triples: float | None
    seconds: float
    why: str = ""
    version: str = ""

    @property
    def key(self) -> tuple[str, float, str, int]:
        """Which run it is."""
        return self.columns, self.epsilon, self.what, self.seed


class Cache:
    """The runs there were: a file of JSON lines, to which each is added as it ends."""

    def __init__(self, at: Path) -> None:
        self.at = at
        lines = at.read_text(encoding="utf-8").splitlines() if at.exists() else []
        every = [Cell(**json.loads(line)) for line in lines if line]
        self.held = {c.key: c for c in every}  # of two, the later one

    def add(self, cell: Cell) -> None:
        """Keep a run."""
        self.held[cell.key] = cell
        with self.at.open("a", encoding="utf-8") as out:
            out.write(json.dumps(cell._asdict()) + "\n")

    def hopeless(self, columns: str, epsilon: float, program: str) -> str:
        """Return why a program need not be tried: it was over its time on fewer columns, or at less noise on these."""
        small = [c for c in self.held.values() if c.what == program and c.why.startswith("over")]
        if any(c.columns == "eight" and c.epsilon <= epsilon for c in small) and columns != "eight":
            return "over on eight columns, not tried"
        if any(c.columns == columns and c.epsilon < epsilon for c in small):
            return "over at less noise, not tried" if columns != "eight" else "over at epsilon 1, not tried"
        return ""


def other(
    program: str, folder: Path, real: np.ndarray, sizes: list[int], epsilon: float, limit: int
) -> tuple[np.ndarray | str, float, str]:
    """Return what another program makes, or why it makes nothing; its processor seconds; and its version."""
    package, _, _ = program.partition("-")
    python = folder / package / "bin" / "python"
    if not python.exists():
        return ABSENT, 0.0, ""
    asked = f"from importlib.metadata import version; print(version({PACKAGES[package]!r}))"
    found = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=False).stdout.strip()
    if not found:
        return ABSENT, 0.0, ""
    with tempfile.TemporaryDirectory() as temporary:
        into, out, said = (Path(temporary, n) for n in ("real.npz", "made.npy", "said.txt"))
        np.savez(into, rows=real, sizes=np.array(sizes))
        given = [program, str(epsilon), str(DELTA), str(into), str(out)]
        why, seconds = _watched([str(python), str(HERE / "private_peers.py"), *given], said, limit)
        if out.exists() and not why:
            return np.load(out), seconds, found
        last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"]
        return why or last[-1][:60], seconds, found


def _watched(command: list[str], said: Path, limit: int) -> tuple[str, float]:
    """Run a command on so many processor seconds; return why it was stopped, and what it took."""

    def held_back() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))  # all threads of a process together

    before, began = os.times(), time.monotonic()
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    with said.open("w", encoding="utf-8") as errors:
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, **quiet},
                                   preexec_fn=held_back)  # noqa: PLW1509  no threads here  # fmt: skip
        try:
            code = running.wait(timeout=4 * limit)
        except subprocess.TimeoutExpired:
            running.kill()
            code = running.wait()
    after = os.times()
    took = after.children_user + after.children_system - before.children_user - before.children_system
    long = took >= limit - 1 or code == -signal.SIGXCPU or time.monotonic() - began >= 4 * limit
    killed = f"killed by signal {-code}" if code < 0 else ""  # 9: by the system, for memory
    return OVER.format(minutes=limit / 60) if long else killed, took


def page(cells: list[Cell]) -> str:
    """Return the page."""
    runs: dict[tuple[str, float, str], list[Cell]] = {}
    for c in sorted(cells, key=lambda c: (COLUMNS.index(c.columns), c.epsilon, ORDER.index(c.what), c.seed)):
        runs.setdefault((c.columns, c.epsilon, c.what), []).append(c)
    lines = [
        "| columns | epsilon | made by | two columns | three columns | CPU seconds | runs |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for (columns, epsilon, what), found in runs.items():
        told = [found[0].why, "-"]
        if found[0].pairs is not None:
            told = [f"{np.mean([getattr(c, n) for c in found]):.4f}" for n in ("pairs", "triples")]
        seconds = np.mean([c.seconds for c in found])
        called = f"{what} ({found[-1].version})" if what in PEERS and found[-1].version else what
        lines.append(f"| {columns} | {epsilon:g} | {called} | {told[0]} | {told[1]} | {seconds:.1f} | "
                     f"{len(found)} |")  # fmt: skip
    machine = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    waiting = ", ".join(f"`{p}`" for p in PEERS if p not in {c.what for c in cells})
    head = HEAD.format(machine=machine, delta=DELTA, minutes=LIMIT / 60)
    return head + "\n".join(lines) + "\n" + (WAITING.format(which=waiting) if waiting else "")
