"""How well nulls are filled: a fifth of the values of a table are taken away, and filled again.

Beside the forest stand the median (or the most frequent label) and scikit-learn's iterative imputer, which runs in an
environment of its own. An error is that of one value: for numbers the distance to the true one in ranks (0 to 1), for
labels 1 where it is another. What the forest draws is a distribution; its best guess is the median, or the most
frequent label, of several draws. Beside it stands the shape error of the filled columns: filling all with a best guess
makes columns narrow.

    python bench/imputation.py --data DIR --sklearn PYTHON [--out bench/imputation.md]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TABLES = ("adult", "default", "shoppers", "magic", "beijing", "news_part")
ROWS, SHARE, DRAWS = 2_000, 0.2, 5

PEER = """
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from sklearn.experimental import enable_iterative_imputer
from sklearn.impute import IterativeImputer
held = np.load(sys.argv[1])
np.save(sys.argv[2], IterativeImputer(random_state=0, max_iter=10).fit_transform(held))
"""


def coded(table: pa.Table, labels: set[str]) -> np.ndarray:
    """Return a table as numbers: labels by code."""
    columns = []
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name in labels:
            column = column.cast(pa.string()).dictionary_encode().indices
        columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return np.column_stack(columns)


def with_holes(held: np.ndarray, holes: np.ndarray, labels: list[bool]) -> pa.Table:
    """Return the numbers as a table with nulls; labels as text."""
    columns = {}
    for i, label in enumerate(labels):
        values = [f"l{int(v)}" for v in held[:, i]] if label else held[:, i]
        columns[f"c{i}"] = pa.array(values, mask=holes[:, i])
    return pa.table(columns)


def forest(table: pa.Table, labels: list[bool]) -> tuple[list[np.ndarray], float]:
    """Return several fillings, as numbers, and the processor seconds of fit and all draws."""
    from synthwright.core.context import Context
    from synthwright.core.contracts import Part
    from synthwright.core.dataset import Dataset
    from synthwright.generators.forest import Forest

    data = Dataset.of(table)
    name = data.schema.only
    begun = time.process_time()
    model = Forest().fit(data, Part(data.schema.columns, mode="fill"), Context(seed=1))
    made = [model.sample(data, Context(seed=2).at(i)).data.tables[name] for i in range(DRAWS)]
    took = time.process_time() - begun
    found = []
    for filled in made:
        columns = [filled.column(f"c{i}").combine_chunks() for i in range(len(labels))]
        found.append(np.column_stack([
            np.array([float(v[1:]) for v in c.to_pylist()]) if label else c.cast(pa.float64()).to_numpy()
            for c, label in zip(columns, labels, strict=True)
        ]))  # fmt: skip
    return found, took


def guess(draws: list[np.ndarray], labels: list[bool]) -> np.ndarray:
    """Return the median, or the most frequent label, of several fillings."""
    stack = np.stack(draws)
    best = np.median(stack, axis=0)
    for i in np.flatnonzero(labels):
        kinds = np.unique(stack[:, :, i])
        votes = np.stack([(stack[:, :, i] == k).sum(axis=0) for k in kinds])
        best[:, i] = kinds[votes.argmax(axis=0)]
    return best


def usual(held: np.ndarray, holes: np.ndarray, labels: list[bool]) -> np.ndarray:
    """Return the median, or the most frequent label, of each column."""
    best = held.copy()
    for i, label in enumerate(labels):
        there = held[~holes[:, i], i]
        kinds, counts = np.unique(there, return_counts=True)
        best[holes[:, i], i] = kinds[counts.argmax()] if label else np.median(there)
    return best


def errors(filled: np.ndarray, held: np.ndarray, holes: np.ndarray, labels: list[bool]) -> tuple[float, float]:
    """Return the mean error of a filled value, and how far the filled values of a column are from the true ones."""
    wrong, shape = [], []
    for i, label in enumerate(labels):
        here = holes[:, i]
        one, true = filled[here, i], held[here, i]
        if label:
            one = np.rint(one)
            wrong.append(float((one != true).mean()))
            kinds = np.union1d(one, true)
            shape.append(float(sum(abs((one == k).mean() - (true == k).mean()) for k in kinds)) / 2)
            continue
        scale = np.sort(held[:, i])
        ranks = [(np.searchsorted(scale, v, "left") + np.searchsorted(scale, v, "right")) / 2 / len(scale)
                 for v in (one, true)]  # fmt: skip
        wrong.append(float(np.abs(ranks[0] - ranks[1]).mean()))
        at = np.concatenate([one, true])
        sides = [np.searchsorted(np.sort(v), at, "right") / len(v) for v in (one, true)]
        shape.append(float(np.abs(sides[0] - sides[1]).max()))
    return float(np.mean(wrong)), float(np.mean(shape))


def measured(folder: Path, python: str) -> dict[str, tuple[float, float]]:
    """Return the errors of every filling of one table."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    names = set(meta["categorical"]) | ({meta["target"]} if meta["task"] != "regression" else set())
    table = pq.read_table(folder / "train.parquet")
    rng = np.random.default_rng(0)
    table = table.take(pa.array(rng.permutation(table.num_rows)[:ROWS]))
    held, labels = coded(table, names), [c in names for c in table.column_names]
    holes = rng.random(held.shape) < SHARE
    draws, took = forest(with_holes(held, holes, labels), labels)
    with tempfile.TemporaryDirectory() as place:
        np.save(Path(place, "in.npy"), np.where(holes, np.nan, held))
        subprocess.run([python, "-c", PEER, f"{place}/in.npy", f"{place}/out.npy"], check=True)
        peer = np.load(Path(place, "out.npy"))
    found = {"forest, best guess": guess(draws, labels), "forest, one draw": draws[0],
             "median or most frequent": usual(held, holes, labels), "iterative imputer": peer}  # fmt: skip
    print(folder.name, f"forest: {took:.0f} s", flush=True)
    return {name: errors(filled, held, holes, labels) for name, filled in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sklearn", default=sys.executable, help="a Python that has scikit-learn")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = {t: measured(asked.data / t, asked.sklearn) for t in TABLES}
    names = list(next(iter(found.values())))
    how = (
        f"{ROWS:,} training rows of each table, {SHARE:.0%} of all values taken away at random and filled again "
        "(`bench/imputation.py`). Each cell: the mean error of a filled value (in ranks for numbers, the share that is "
        "wrong for labels) / the shape error of what was filled."
    )
    lines = ["# Nulls filled again", "", how, "", "| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for table, row in found.items():
        lines.append(f"| {table} | " + " | ".join(f"{row[n][0]:.3f} / {row[n][1]:.3f}" for n in names) + " |")
    best = sum(row[names[0]][0] < min(row[n][0] for n in names[2:]) for row in found.values())
    last = f"The forest's best guess ({DRAWS} draws) has the least error on {best} of {len(found)} tables; "
    lines += ["", last + "asked for are four.", ""]
    said = "\n".join(lines)
    print(said)
    if asked.out:
        asked.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
