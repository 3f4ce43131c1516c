"""`mst` and `aim` on the census table, beside independent noisy marginals and other programs, at the same privacy.

`python bench/private.py` writes `bench/private.md`. `--peers FOLDER` runs other programs too, each in an environment of
its own in that folder (`dpmm`, `smartnoise`, `opendp`), for at most half an hour.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spend import Spend
from synthwright.generators.aim import Aim
from synthwright.generators.mst import Mst
from synthwright.kit.private.accounting import rho_for

HERE = Path(__file__).resolve().parent
ADULT = HERE.parents[1] / "shared" / "data" / "benchmark" / "adult" / "train.parquet"
DELTA = 1e-9
EPSILONS = (1.0, 10.0)
LIMIT = 1_800
"""Seconds that another program may take."""
PEERS = ("dpmm-mst", "dpmm-aim", "dpmm-privbayes", "opendp-aim", "smartnoise-mst", "smartnoise-aim")
HEAD = """# Rows with a formal guarantee, beside other programs

Written by `python bench/private.py`. {machine}; {versions}. Real rows: the training part of the census table (39,074),
delta {delta:g}; one thread each. As many rows are made, and for every two (three) columns the total variation between
the shares of all combinations is taken, on average: 0 is the same, 1 has nothing in common. Numbers are compared in 32
equally wide bins. Domains are those of the census codebook; `mst` and `aim` cut bins finer within their budget, other
programs get the cells themselves. *Independent columns, noisy* is the yardstick: every column by itself at the same
privacy. Ours and it are means over runs: {runs}.

"""
BINS = 32
"""Bins of a column of numbers, in which errors are measured; equally wide between its ends."""
EIGHT = ("age", "workclass", "education", "marital_status", "occupation", "sex", "hours_per_week", "income")
ENDS = {"age": (17, 90), "fnlwgt": (0, 1_500_000), "education_num": (1, 16), "capital_gain": (0, 99_999),
        "capital_loss": (0, 4_500), "hours_per_week": (1, 99)}  # fmt: skip
"""What the census codebook says of numbers: ends that nobody's row was looked at for."""
VALUES = {
    "workclass": "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov Without-pay Never-worked",
    "education": "Bachelors Some-college 11th HS-grad Prof-school Assoc-acdm Assoc-voc 9th 7th-8th 12th Masters "
                 "1st-4th 10th Doctorate 5th-6th Preschool",
    "marital_status": "Married-civ-spouse Divorced Never-married Separated Widowed Married-spouse-absent "
                      "Married-AF-spouse",
    "occupation": "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty Handlers-cleaners "
                  "Machine-op-inspct Adm-clerical Farming-fishing Transport-moving Priv-house-serv Protective-serv "
                  "Armed-Forces",
    "relationship": "Wife Own-child Husband Not-in-family Other-relative Unmarried",
    "race": "White Asian-Pac-Islander Amer-Indian-Eskimo Other Black",
    "sex": "Female Male",
    "native_country": "United-States Cambodia England Puerto-Rico Canada Germany Outlying-US(Guam-USVI-etc) India "
                      "Japan Greece South China Cuba Iran Honduras Philippines Italy Poland Jamaica Vietnam Mexico "
                      "Portugal Ireland France Dominican-Republic Laos Ecuador Taiwan Haiti Columbia Hungary Guatemala "
                      "Nicaragua Scotland Thailand Yugoslavia El-Salvador Trinadad&Tobago Peru Hong Holand-Netherlands",
    "income": "<=50K >50K",
}  # fmt: skip
"""The labels that the codebook lists; here `Unknown` stands beside them."""


class Cell(NamedTuple):
    """One run: the errors and what they cost."""

    columns: str
    epsilon: float
    what: str
    pairs: float | None
    triples: float | None
    seconds: float
    why: str = ""


def labels(name: str) -> list[str]:
    """Return the labels of a column."""
    return [*VALUES[name].split(), *([] if name in ("sex", "income") else ["Unknown"])]


def domain(names: tuple[str, ...]) -> dict[str, dict[str, list[object]]]:
    """Return the codebook as a parameter of ours."""
    return {n: {"between": list(ENDS[n])} if n in ENDS else {"values": list(labels(n))} for n in names}


def data(names: tuple[str, ...]) -> Dataset:
    """Return the real rows."""
    fields = {n: Field(kind=Kind.INTEGER if n in ENDS else Kind.CATEGORY, nulls=False) for n in names}
    return Dataset.of(pq.read_table(ADULT).select(list(names)), Schema(tables={"people": Table(fields=fields)}))


def coded(table: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    """Return rows as cells, columns × rows: bins of numbers, places of labels."""
    out = []
    for n in names:
        values = table.column(n).to_pylist()
        if n in ENDS:
            low, high = ENDS[n]
            many = min(BINS, high - low + 1)
            out.append(np.clip((np.array(values) - low) * many // (high - low + 1), 0, many - 1))
        else:
            place = {label: i for i, label in enumerate(labels(n))}
            out.append(np.array([place[v] for v in values]))
    return np.stack(out).astype(np.int64)


def error(real: np.ndarray, made: np.ndarray, degree: int) -> float:
    """Return the total variation between all marginals of so many columns, on average."""
    sizes = np.maximum(real.max(axis=1), made.max(axis=1)) + 1
    found = []
    for clique in combinations(range(len(real)), degree):
        shares = []
        for rows in (real, made):
            at = np.zeros(rows.shape[1], dtype=np.int64)
            for v in clique:
                at = at * sizes[v] + rows[v]
            shares.append(np.bincount(at, minlength=math.prod(int(sizes[v]) for v in clique)) / rows.shape[1])
        found.append(0.5 * float(np.abs(shares[0] - shares[1]).sum()))
    return float(np.mean(found))


def alone(real: np.ndarray, sizes: list[int], epsilon: float, seed: int) -> np.ndarray:
    """Return rows of independent noisy marginals at the same privacy: the yardstick."""
    rng = np.random.default_rng(seed)
    sigma = math.sqrt(len(real) / (2 * rho_for(epsilon=epsilon, delta=DELTA)))
    made = []
    for rows, size in zip(real, sizes, strict=True):
        noisy = np.maximum(np.bincount(rows, minlength=size) + rng.normal(0, sigma, size), 0)
        made.append(rng.choice(size, real.shape[1], p=noisy / noisy.sum()))
    return np.stack(made)


def ours(names: tuple[str, ...], epsilon: float, seed: int) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield what ours make, and the processor seconds."""
    held = data(names)
    part = Part(tuple(f"people.{n}" for n in names))
    for kind in (Mst, Aim):
        began = time.process_time()
        maker = kind.model_validate({"domain": domain(names)})
        release = maker.measure(held, part, budget=Spend(epsilon, DELTA), ctx=Context())
        model = maker.learned(release, part, held.schema, Context())
        given = Dataset.blank(held.schema, {"people": held.rows()})
        out = model.sample(given, Context(seed=seed)).data.tables["people"]
        yield kind.name, coded(out, names), time.process_time() - began


def others(
    folder: Path, real: np.ndarray, sizes: list[int], epsilon: float
) -> Iterator[tuple[str, np.ndarray | str, float]]:
    """Yield what other programs make, or why they make nothing, and the processor seconds."""
    for program in PEERS:
        python = folder / program.partition("-")[0] / "bin" / "python"
        if not python.exists():
            yield program, "not installed here", 0.0
            continue
        with tempfile.TemporaryDirectory() as temporary:
            into, out = Path(temporary, "real.npz"), Path(temporary, "made.npy")
            np.savez(into, rows=real, sizes=np.array(sizes))
            before = os.times()
            try:
                done = subprocess.run(
                    [
                        str(python),
                        str(HERE / "private_peers.py"),
                        program,
                        str(epsilon),
                        str(DELTA),
                        str(into),
                        str(out),
                    ],
                    capture_output=True,
                    text=True,
                    timeout=LIMIT,
                    check=False,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )
                why = "" if out.exists() else (done.stderr.strip().splitlines() or ["nothing"])[-1][:60]
            except subprocess.TimeoutExpired:
                why = "over 30 minutes"
            after = os.times()
            seconds = after.children_user + after.children_system - before.children_user - before.children_system
            yield program, why or np.load(out), seconds


def cells_of(called: str, names: tuple[str, ...], args: argparse.Namespace) -> Iterator[Cell]:
    """Yield every run on some columns."""
    real = coded(data(names).tables["people"], names)
    sizes = [min(BINS, ENDS[n][1] - ENDS[n][0] + 1) if n in ENDS else len(labels(n)) for n in names]

    def cell(epsilon: float, what: str, made: np.ndarray | str, seconds: float) -> Cell:
        if isinstance(made, str):
            return Cell(called, epsilon, what, None, None, seconds, made)
        return Cell(called, epsilon, what, error(real, made, 2), error(real, made, 3), seconds)

    for epsilon in EPSILONS:
        for seed in range(args.seeds):
            yield cell(epsilon, "independent columns, noisy", alone(real, sizes, epsilon, seed), 0.0)
            for what, made, seconds in ours(names, epsilon, seed):
                yield cell(epsilon, what, made, seconds)
        if args.peers:
            for what, made, seconds in others(Path(args.peers), real, sizes, epsilon):
                yield cell(epsilon, what, made, seconds)


def page(cells: list[Cell]) -> str:
    """Return the page."""
    runs: dict[tuple[str, float, str], list[Cell]] = {}
    for c in cells:
        runs.setdefault((c.columns, c.epsilon, c.what), []).append(c)
    lines = [
        "| columns | epsilon | made by | two columns | three columns | CPU seconds |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for (columns, epsilon, what), found in runs.items():
        pairs, triples = ([getattr(c, n) for c in found if getattr(c, n) is not None] for n in ("pairs", "triples"))
        told = [f"{np.mean(pairs):.4f}", f"{np.mean(triples):.4f}"] if pairs else [found[0].why, "-"]
        seconds = np.mean([c.seconds for c in found])
        lines.append(f"| {columns} | {epsilon:g} | {what} | {told[0]} | {told[1]} | {seconds:.1f} |")
    machine = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    versions = ", ".join(f"{p} {version(p)}" for p in ("synthwright", "numpy", "opendp"))
    return (
        HEAD.format(machine=machine, versions=versions, delta=DELTA, runs=max(len(f) for f in runs.values()))
        + "\n".join(lines)
        + "\n"
    )


def main() -> None:
    """Run everything, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="runs of ours; other programs run once")
    parser.add_argument("--peers", default="", help="a folder of environments: dpmm, smartnoise, opendp")
    parser.add_argument("--out", default=str(HERE / "private.md"))
    args = parser.parse_args()
    every = tuple(pq.read_schema(ADULT).names)
    cells: list[Cell] = []
    for called, names in (("eight", EIGHT), ("all fifteen", every)):
        for cell in cells_of(called, names, args):
            print(cell, flush=True)
            cells.append(cell)
            Path(args.out).write_text(page(cells), encoding="utf-8")


if __name__ == "__main__":
    main()
