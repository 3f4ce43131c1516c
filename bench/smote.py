"""Rows of a rare class: `smote` beside imbalanced-learn's, by what they do for a model that looks for the class.

    python bench/smote.py --mammography FILE --data ../shared/data/benchmark --peer PYTHON [--out bench/smote.md]

Two thirds of the rows of each table are learned from, one third tests; LightGBM learns from the training rows and as
many rows of the rare class beside them as there are others, at most 19 for each rare one. *Average precision* is on the
test rows, the mean over seeds with its standard error. PYTHON is an interpreter that has imbalanced-learn: SMOTE-NC
where there are labels, else SMOTE; its Borderline-SMOTE and ADASYN know numbers alone. Of Adult and shoppers 250 rows
of the rarer class stand beside 8,000 others; of the card payments all 179 frauds beside 20,000 others.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.generators.forest import Forest
from synthwright.generators.smote import Smote

LABEL = "rare"
PEER = """
import json, sys, warnings
import pandas as pd
warnings.simplefilter("ignore")
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC, BorderlineSMOTE
said = json.loads(sys.argv[1])
frame = pd.read_parquet(said["train"])
label = frame.pop("rare")
asked = {"sampling_strategy": {True: int(label.sum()) + said["rows"]}, "random_state": said["seed"]}
kind = {"borderline": BorderlineSMOTE, "adasyn": ADASYN, "plain": SMOTE}[said["kind"]]
if said["labels"]:
    frame[said["labels"]] = frame[said["labels"]].astype("category")
    maker = SMOTENC(said["labels"], **asked)
else:
    maker = kind(**asked)
made = maker.fit_resample(frame, label)[0].iloc[len(frame):].reset_index(drop=True)
for column in said["labels"]:
    made[column] = made[column].astype(str)
made.to_parquet(said["out"])
"""


class Task(NamedTuple):
    """A table of which one part is learned from, and the other tests."""

    train: pa.Table
    test: pa.Table
    labels: list[str]
    rows: int
    """How many rows of the rare class are asked for."""


def task(table: pa.Table, rare: int, others: int, seed: int) -> Task:
    """Draw rows of both classes and split them."""
    rng = np.random.default_rng(seed)
    found = np.asarray(table.column(LABEL).to_numpy())
    sides: list[list[np.ndarray]] = [[], []]
    for kind, most in ((True, rare), (False, others)):
        mine = rng.permutation(np.flatnonzero(found == kind))[:most]
        sides[0].append(mine[: len(mine) * 2 // 3])
        sides[1].append(mine[len(mine) * 2 // 3 :])
    train, test = (table.take(pa.array(np.concatenate(s))) for s in sides)
    labels = [f.name for f in table.schema if pa.types.is_string(f.type)]
    many = len(sides[0][0])
    return Task(train, test, labels, min(len(sides[0][1]) - many, 19 * many))


def ours(at: Task, seed: int, **how: Any) -> pa.Table:
    """Return rows of the rare class as `smote` makes them: from the rare rows, or where it chooses them itself."""
    real = Dataset.of({"t": at.train})
    produce = tuple(c for c in real.schema.columns if c != f"t.{LABEL}")
    ctx = Context(seed=seed)
    part = Part(produce, (f"t.{LABEL}",), "replace")
    rare = np.flatnonzero(np.asarray(real.column(f"t.{LABEL}").to_numpy()))
    start = real.take("t", np.resize(rare, at.rows))
    model = Smote(**how).fit(real, part, ctx.at("fit"))
    return model.sample(start, ctx.at("sample")).data.to_arrow()


def forest(at: Task, seed: int) -> pa.Table:
    """Return rows of the rare class as the default generator makes them, which holds no real row."""
    real = Dataset.of({"t": at.train})
    ctx = Context(seed=seed)
    model = Forest().fit(real, Part(real.schema.columns), ctx.at("fit"))
    start = Dataset.blank(real.schema, {"t": at.rows}).with_columns("t", {LABEL: pa.array([True] * at.rows)})
    return model.sample(start, ctx.at("sample")).data.to_arrow()


def theirs(at: Task, seed: int, peer: str, kind: str) -> pa.Table:
    """Return what imbalanced-learn makes."""
    with tempfile.TemporaryDirectory() as folder:
        train, out = Path(folder, "train.parquet"), Path(folder, "out.parquet")
        pq.write_table(at.train, train)
        said = {"train": str(train), "out": str(out), "labels": at.labels, "rows": at.rows, "seed": seed, "kind": kind}
        subprocess.run([peer, "-c", PEER, json.dumps(said)], check=True)
        return pq.read_table(out)


def precision(at: Task, more: pa.Table | None, seed: int) -> float:
    """Return the average precision on the test rows of trees that learned from the training rows and these."""
    names = [c for c in at.train.column_names if c != LABEL]
    learned = at.train.select(names)
    if more is not None:
        same = {c: more.column(c).cast(learned.schema.field(c).type, safe=False) for c in names}
        learned = pa.concat_tables([learned, pa.table(same)])
    whole = pa.concat_tables([learned, at.test.select(names)])
    columns = []
    for name in names:
        column = whole.column(name).combine_chunks()
        column = column.dictionary_encode().indices if name in at.labels else column
        columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    values = np.column_stack(columns)
    truth = np.append(at.train.column(LABEL).to_numpy(), np.ones(learned.num_rows - at.train.num_rows, dtype=bool))
    settings = {"objective": "binary", "learning_rate": 0.05, "min_data_in_leaf": 10, "num_threads": 1, "seed": seed,
                "verbose": -1, "deterministic": True}  # fmt: skip
    data = lightgbm.Dataset(values[: len(truth)], truth, params={"verbose": -1},
                            categorical_feature=[i for i, n in enumerate(names) if n in at.labels])  # fmt: skip
    said = np.asarray(lightgbm.train(settings, data, 150).predict(values[len(truth) :]))
    order = np.argsort(-said, kind="stable")
    hits = np.asarray(at.test.column(LABEL).to_numpy())[order]
    ends = np.append(np.flatnonzero(np.diff(said[order])), len(hits) - 1)  # equal scores are taken together
    found = np.cumsum(hits)[ends]
    return float(np.sum(np.diff(found, prepend=0) * found / (ends + 1)) / hits.sum())


def tables(said: argparse.Namespace) -> dict[str, tuple[pa.Table, int, int]]:
    """Return the tables, and how many rows of each class are used."""
    found = {}
    if said.mammography:
        held = pq.read_table(said.mammography)
        found["mammography"] = (
            held.drop(["class"]).append_column(LABEL, pc.equal(held.column("class"), 1)),
            10**6,
            10**6,
        )
    held = pq.read_table(said.data / "fraud_ulb_part" / "all.parquet")
    columns = [c for c in held.column_names if c != "label" and not c.startswith("Unnamed")]
    found["fraud_ulb_part"] = (
        held.select(columns).append_column(LABEL, pc.equal(held.column("label"), 1)),
        10**6,
        20_000,
    )
    for name, target in (("adult", "income"), ("shoppers", "Revenue")):
        held = pq.read_table(said.data / name / "train.parquet")
        meta = json.loads((said.data / name / "meta.json").read_text())
        values = held.column(target).cast(pa.string())
        counts = {v["values"]: v["counts"] for v in values.value_counts().to_pylist()}
        columns = {c: held.column(c).cast(pa.string()) if c in meta["categorical"] else held.column(c)
                   for c in held.column_names if c != target}  # fmt: skip
        found[name] = (pa.table({**columns, LABEL: pc.equal(values, min(counts, key=counts.__getitem__))}), 250, 8_000)
    return {n: (t.replace_schema_metadata(None), rare, others) for n, (t, rare, others) in found.items()}


def main() -> None:
    """Measure every table and print the page's table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--mammography", type=Path)
    asked.add_argument("--peer", required=True)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--out", type=Path)
    said = asked.parse_args()
    makers: dict[str, Callable[[Task, int], pa.Table | None]] = {
        "nothing more": lambda _at, _seed: None,
        "`smote`": ours,
        "`smote`, majority": lambda at, seed: ours(at, seed, labels="majority") if at.labels else None,
        "`smote`, no masses": lambda at, seed: ours(at, seed, masses=1.0),
        "`smote`, borderline": lambda at, seed: ours(at, seed, kind="borderline"),
        "`smote`, adasyn": lambda at, seed: ours(at, seed, kind="adasyn"),
        "`forest`": forest,
        "SMOTE, SMOTE-NC": lambda at, seed: theirs(at, seed, said.peer, "plain"),
        "Borderline-SMOTE": lambda at, seed: None if at.labels else theirs(at, seed, said.peer, "borderline"),
        "ADASYN": lambda at, seed: None if at.labels else theirs(at, seed, said.peer, "adasyn"),
    }
    found = tables(said)
    cells: dict[str, list[str]] = {name: [] for name in makers}
    for table, (held, rare, others) in found.items():
        tasks = [task(held, rare, others, seed) for seed in range(said.seeds)]
        for name, make in makers.items():
            begun = time.process_time()
            made = [make(at, seed) for seed, at in enumerate(tasks)]
            took = (time.process_time() - begun) / said.seeds
            void = made[0] is None and name != "nothing more"
            values = [precision(at, more, seed) for seed, (at, more) in enumerate(zip(tasks, made, strict=True))]
            error = np.std(values, ddof=1) / np.sqrt(len(values))
            cells[name].append("" if void else f"{np.mean(values):.3f} ± {error:.3f}")
            print(table, name, cells[name][-1], f"{took:.1f} s", flush=True)
    head = ["average precision", *found]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join([name, *row])} |" for name, row in cells.items()]
    text = "\n".join(lines)
    print(text)
    if said.out:
        said.out.write_text(f"# Rows of a rare class\n\nSynthwright {__version__}, {said.seeds} seeds.\n\n{text}\n")


if __name__ == "__main__":
    main()
