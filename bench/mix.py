"""What synthetic rows of a rare class do for a model: every way of `synthwright mix` on real test rows, over splits.

    python bench/mix.py --mammography FILE --data ../shared/data/benchmark --work FOLDER [--peer PYTHON] [--out FILE]

Each seed splits a table anew: 80 % learn and 20 % test, in the proportions of the class; cover_rare is dealt into ten
parts, a third of each learns and the rest tests. Every way learns with the same seed, by the same code as the
command's. PYTHON is an interpreter that has imbalanced-learn, whose SMOTE is one more way. *Recall* is read off the
curve at the precision that real rows alone have at a threshold of a half. Differences are paired by split; their 95 %
intervals are Student's, for splits that share rows with the variance that these need (Nadeau and Bengio, Inference
for the generalization error, Machine Learning 52, 2003). With --plain the model is LightGBM as it comes. What was
measured is kept in FOLDER, and not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.special import stdtrit

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.kit.learning.boosting import encode
from synthwright.kit.tables import save_dataset
from synthwright.studies import mix_work
from synthwright.studies.mix_data import Aim, Dose
from synthwright.studies.mix_score import Curve, Truth, at_threshold, precision, tuned, usual
from synthwright.studies.mix_work import Job, Lesson, predict, predictions

LABEL = "rare"
SHARE = 0.05
AIM = Aim(table="t", target=LABEL, task="two classes", positive=True)
ADDED, EVEN, NOTHING = Dose("positives", SHARE), Dose("positives", 0.5), Dose("nothing")
WAYS: dict[str, tuple[str, Dose]] = {
    "real rows alone": ("real", NOTHING),
    "duplication": ("duplicate", ADDED),
    "class weights": ("weights", ADDED),
    "class weights, balanced": ("weights", EVEN),
    "`smote`": ("smote", ADDED),
    "`copula`": ("copula", ADDED),
    "`bayes-net`": ("bayes-net", ADDED),
    "`forest`": ("forest", ADDED),
}
ALONE, TUNED, PEER_NAME = "real rows alone", "real rows alone, threshold tuned", "SMOTE of imbalanced-learn"
SLOW = ("`bayes-net`", "`forest`")
FEW = {("fraud_ulb_part", "`forest`"): 2, ("fraud_ulb_part", "`bayes-net`"): 2}
"""Ways that are measured on so many splits only: together they take a minute on each."""
PLAIN: dict[str, float] = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
"""LightGBM as it comes: a hundred rounds of 31 leaves at a rate of 0.1."""
PEER = """
import json, sys
import pandas as pd
from imblearn.over_sampling import SMOTE
said = json.loads(sys.argv[1])
frame = pd.read_parquet(said["train"])
label = frame.pop("rare")
maker = SMOTE(sampling_strategy={True: int(label.sum()) + said["rows"]}, random_state=said["seed"])
made = maker.fit_resample(frame, label)[0].iloc[len(frame):].reset_index(drop=True)
made.to_parquet(said["out"])
"""


def tables(said: argparse.Namespace) -> dict[str, pa.Table]:
    """Return the tables, each with its class as booleans."""
    fraud = pq.read_table(said.data / "fraud_ulb_part" / "all.parquet")
    columns = [c for c in fraud.column_names if c != "label" and not c.startswith("Unnamed")]
    found = {"fraud_ulb_part": fraud.select(columns).append_column(LABEL, pc.equal(fraud.column("label"), 1))}
    with np.load(said.data / "cover_rare" / "10_cover.npz", allow_pickle=False) as held:
        values, truth = held["X"], held["y"].ravel() == 1
    found["cover_rare"] = pa.table({**{f"x{i}": values[:, i] for i in range(values.shape[1])}, LABEL: truth})
    if said.mammography:
        held = pq.read_table(said.mammography)
        found["mammography_imbalanced"] = held.drop(["class"]).append_column(LABEL, pc.equal(held.column("class"), 1))
    return {n: t.replace_schema_metadata(None) for n, t in found.items() if said.only in (None, n)}


def split(
    truth: np.ndarray, learned: float, tested: float, seed: int, skipped: int = 0
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return rows that learn and rows that test, in the proportions of the class, after so many shares that learn."""
    rng = np.random.default_rng(seed)
    sides: list[list[np.ndarray]] = [[], []]
    for one in (True, False):
        mine = rng.permutation(np.flatnonzero(truth == one))
        begin = round(learned * skipped * len(mine))
        first, last = round(learned * (skipped + 1) * len(mine)), round((learned * (skipped + 1) + tested) * len(mine))
        sides[0].append(mine[begin:first])
        sides[1].append(mine[first:last])
    return np.sort(np.concatenate(sides[0])), np.sort(np.concatenate(sides[1]))


def theirs(at: Path, train: Dataset, test: Dataset, seed: int, peer: str) -> np.ndarray:
    """Return what models say that learned from rows of imbalanced-learn's SMOTE beside the real ones."""
    truth = AIM.coded(train)
    files = {"train": str(at / "train.parquet"), "out": str(at / "made.parquet")}
    pq.write_table(train.to_arrow(), files["train"])
    rows = ADDED.rows(int(truth.sum()), len(truth))
    subprocess.run([peer, "-c", PEER, json.dumps({**files, "rows": rows, "seed": seed})], check=True)
    made = pq.read_table(files["out"])
    fields = AIM.predictors(train.schema)
    sides = [d.tables["t"].select(list(fields)) for d in (train, test)]
    features = encode([*sides, made.select(list(fields)).cast(sides[0].schema, safe=False)], fields)
    real, asked, added = features.values
    lesson = Lesson(np.concatenate([real, added]), np.append(truth, np.ones(rows)), np.ones(len(truth) + rows),
                    features.discrete)  # fmt: skip
    return predict(lesson, asked, AIM, Context(seed=seed).at("mix", "whole", "learn", 0))[None, :]


def measured(name: str, held: pa.Table, seed: int, said: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what each way comes to on one split."""
    truth = np.asarray(held.column(LABEL).to_numpy())
    if name == "cover_rare":
        block = split(truth, 0.1, 0.0, 0, seed)[0]
        rows = tuple(block[r] for r in split(truth[block], 1 / 3, 2 / 3, seed))
    else:
        rows = split(truth, 0.8, 0.2, seed)
    at = said.work / f"{name}-{seed}"
    at.mkdir(exist_ok=True)
    whole = Dataset.of({"t": held})
    train, test = (whole.take("t", r) for r in rows)
    save_dataset(train, at / mix_work.TRAIN)
    save_dataset(test, at / mix_work.TEST)
    asked = Truth(AIM.coded(test), np.zeros(len(rows[1]), dtype=np.int64), 2)
    learned = AIM.coded(train)
    least = 0.0
    ways = {n: w for n, w in WAYS.items() if not said.plain or n not in SLOW}
    for way, (method, dose) in ways.items():
        if seed >= FEW.get((name, way), seed + 1):
            continue
        begun = time.process_time()
        job = Job(method=method, at=str(at), out="", aim=AIM, doses=(dose,), seed=seed, seconds=1e6, folds=0, repeats=1)
        found = predictions(job)[0]
        if way == ALONE:
            half = usual(found[0], asked)
            recall, least = at_threshold(found, asked, half)
            inner = predictions(job.model_copy(update={"folds": 3}))[0, 0]
            level = tuned(inner, Truth(learned, np.zeros(len(learned), dtype=np.int64), 2))
            better = at_threshold(found, asked, level)
            yield {"way": "thresholds", "half": [half, recall, least], "tuned": [level, *better]}
        yield result(way, found, asked, least) | {"seconds": time.process_time() - begun}
    if said.peer and not said.plain:
        yield result(PEER_NAME, theirs(at, train, test, seed, said.peer), asked, least)


def result(way: str, found: np.ndarray, asked: Truth, least: float) -> dict[str, Any]:
    """Return average precision, and recall at the precision of real rows alone."""
    once = np.ones((len(asked.values), 1), dtype=np.uint8)
    curve = Curve.of(found[0], asked.values == 1, once)
    recall = np.where(curve.precisions >= least, curve.hits, 0).max() / curve.hits[-1, 0]
    return {"way": way, "precision": float(precision(found[0], asked.values == 1, once)[0]), "recall": float(recall)}


def interval(differences: np.ndarray, share: float) -> str:
    """Return a mean difference with its interval; `share` is test rows over training rows of a split."""
    many = len(differences)
    error = np.sqrt(np.var(differences, ddof=1) * (1 / many + share))
    reach = float(stdtrit(many - 1, 0.975)) * error
    mean = float(np.mean(differences))
    star = " *" if abs(mean) > reach else ""
    return f"{mean:+.3f} ({mean - reach:+.3f} to {mean + reach:+.3f}){star}"


def page(found: list[dict[str, Any]], model: str) -> Iterator[str]:
    """Yield the lines of the tables of one model."""
    for table in dict.fromkeys(f["table"] for f in found):
        mine = [f for f in found if f["table"] == table and f["model"] == model]
        ways = [w for w in dict.fromkeys(f["way"] for f in mine) if w != "thresholds"]
        if not ways:
            continue
        share = 0.0 if table == "cover_rare" else 0.25
        of = {w: {f["seed"]: f for f in mine if f["way"] == w} for w in [*ways, "thresholds"]}
        yield f"\n### {table}, {len(of[ALONE])} splits\n"
        yield "| way | average precision | gain over real rows alone | over duplication | over class weights | recall |"
        yield "|---|---|---|---|---|---|"
        for way in ways:
            few = f" ({len(of[way])} splits)" if len(of[way]) < len(of[ALONE]) else ""
            cells = [way + few, f"{np.mean([f['precision'] for f in of[way].values()]):.3f}"]
            for other in (ALONE, "duplication", "class weights"):
                both = sorted(of[way].keys() & of[other].keys())
                apart = np.array([of[way][s]["precision"] - of[other][s]["precision"] for s in both])
                cells.append("" if way == other or len(both) < 2 else interval(apart, share))
            cells.append(f"{np.mean([f['recall'] for f in of[way].values()]):.3f}")
            yield f"| {' | '.join(cells)} |"
        half, level = (np.mean([f[k] for f in of["thresholds"].values()], axis=0) for k in ("half", "tuned"))
        yield f"\nReal rows alone find {half[1]:.3f} of the class at precision {half[2]:.3f} (threshold {half[0]:.2f});"
        yield f"with a threshold tuned on folds {level[1]:.3f} at {level[2]:.3f} ({level[0]:.2f})."


def main() -> None:
    """Measure every table and print the page's tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--mammography", type=Path)
    asked.add_argument("--peer")
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--plain", action="store_true")
    asked.add_argument("--only", help="one table")
    asked.add_argument("--out", type=Path)
    said = asked.parse_args()
    model = "plain" if said.plain else "shrunken"
    if said.plain:
        mix_work.SETTINGS, mix_work.ROUNDS = dict(PLAIN), 100
    kept = said.work / "found.jsonl"
    kept.touch()
    found = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    done = {(f["table"], f["model"], f["seed"]) for f in found}
    held = tables(said)
    for seed in range(said.seeds):
        for name, table in held.items():
            if (name, model, seed) in done:
                continue
            begun = time.process_time()
            where = {"table": name, "model": model, "seed": seed}
            fresh = [where | row for row in measured(name, table, seed, said)]
            found += fresh
            with kept.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fresh)
            print(name, seed, f"{time.process_time() - begun:.0f} s", flush=True)
    lines = [line for m in dict.fromkeys(f["model"] for f in found) for line in (f"\n## {m}", *page(found, m))]
    print("\n".join(lines))
    if said.out:
        said.out.write_text(f"# Mixing\n\nSynthwright {__version__}.\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
