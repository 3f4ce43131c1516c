"""Ours on the census table, beside independent noisy marginals and other programs, at the same privacy.

`python bench/private.py` keeps each run as a line of `bench/private.jsonl`, does not repeat those that are there, and
writes `bench/private.md` of all (`--render` does nothing else). `--peers FOLDER` runs other programs too, each in an
environment of its own in that folder (`dpmm`, `smartnoise`, `opendp`), on at most half an hour of processor time.
"""

from __future__ import annotations

import argparse
import math
import time
from importlib.metadata import version
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from private_cells import ABSENT, COLUMNS, DELTA, HERE, LIMIT, PEERS, YARDSTICK, Cache, Cell, other, page

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spend import Spend
from synthwright.generators.aim import Aim
from synthwright.generators.dp_network import DpNetwork
from synthwright.generators.mst import Mst
from synthwright.kit.private.accounting import rho_for
from synthwright.kit.private.recipe import Marginal

ADULT = HERE.parents[1] / "shared" / "data" / "benchmark" / "adult" / "train.parquet"
EPSILONS = (1.0, 10.0)
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


def ours() -> tuple[type[Marginal], ...]:
    """Return ours; networks only where their extra is."""
    return Mst, Aim, *([DpNetwork] if find_spec("opacus") else [])


def made_by(kind: type[Marginal], names: tuple[str, ...], epsilon: float, seed: int) -> tuple[np.ndarray, float]:
    """Return what one of ours makes, and the processor seconds."""
    held = data(names)
    part = Part(tuple(f"people.{n}" for n in names))
    began = time.process_time()
    maker = kind.model_validate({"domain": domain(names)})
    release = maker.measure(held, part, budget=Spend(epsilon, DELTA), ctx=Context())
    model = maker.learned(release, part, held.schema, Context())
    given = Dataset.blank(held.schema, {"people": held.rows()})
    out = model.sample(given, Context(seed=seed)).data.tables["people"]
    return coded(out, names), time.process_time() - began


def cells_of(called: str, names: tuple[str, ...], epsilon: float, args: argparse.Namespace, cache: Cache) -> None:
    """Run what has not been run yet on some columns."""
    real = coded(data(names).tables["people"], names)
    sizes = [min(BINS, ENDS[n][1] - ENDS[n][0] + 1) if n in ENDS else len(labels(n)) for n in names]

    def keep(what: str, seed: int, made: np.ndarray | str, seconds: float, version: str = "") -> None:
        errors: tuple[float | None, float | None] = None, None
        why = made if isinstance(made, str) else ""
        if not isinstance(made, str):
            errors = error(real, made, 2), error(real, made, 3)
        cell = Cell(called, epsilon, what, seed, *errors, round(seconds, 1), why, version)
        print(cell, flush=True)
        cache.add(cell)

    for seed in range(args.seeds):
        if (called, epsilon, YARDSTICK, seed) not in cache.held:
            keep(YARDSTICK, seed, alone(real, sizes, epsilon, seed), 0.0)
        for kind in ours():
            if (called, epsilon, kind.name, seed) not in cache.held:
                keep(kind.name, seed, *made_by(kind, names, epsilon, seed), version("synthwright"))
    for program in PEERS if args.peers else ():
        if program.startswith(args.only) and (called, epsilon, program, 0) not in cache.held:
            why = cache.hopeless(called, epsilon, program)
            told = (why, 0.0, "") if why else other(program, Path(args.peers), real, sizes, epsilon, args.limit)
            if not (isinstance(told[0], str) and told[0] == ABSENT):
                keep(program, 0, *told)


def main() -> None:
    """Run what has not been run yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="runs of ours; other programs run once")
    parser.add_argument("--peers", default="", help="a folder of environments: dpmm, smartnoise, opendp")
    parser.add_argument("--only", default="", help="programs whose name begins so")
    parser.add_argument("--columns", nargs="*", default=list(COLUMNS), choices=COLUMNS)
    parser.add_argument("--epsilon", nargs="*", type=float, default=list(EPSILONS))
    parser.add_argument("--limit", type=int, default=LIMIT, help="processor seconds of another program's run")
    parser.add_argument("--cache", type=Path, default=HERE / "private.jsonl")
    parser.add_argument("--out", type=Path, default=HERE / "private.md")
    parser.add_argument("--render", action="store_true", help="run nothing")
    args = parser.parse_args()
    names = {"eight": EIGHT, "all fifteen": tuple(pq.read_schema(ADULT).names)}
    cache = Cache(args.cache)
    for called in () if args.render else args.columns:
        for epsilon in args.epsilon:
            cells_of(called, names[called], epsilon, args, cache)
    args.out.write_text(page(list(Cache(args.cache).held.values())), encoding="utf-8")


if __name__ == "__main__":
    main()
