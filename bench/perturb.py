"""The curve of risk against utility of `perturb` on Adult, with `forest` beside it: how much of each is left.

    python bench/perturb.py --data ../shared/data/benchmark [--out bench/perturb.md]

The first 4,000 training rows are perturbed, all columns alike, and the first 4,000 test rows are held out. *linked* is
the share of rows to which no real row is nearer, over all columns, than the one they were made from: what record
linkage finds by distance. The other risks and the likenesses are measures of `synthwright evaluate`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import synthwright as sw
from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Part
from synthwright.core.dataset import Dataset
from synthwright.generators.forest import Forest
from synthwright.generators.perturb import Perturb
from synthwright.kit.constraints.keeping import Keeper
from synthwright.kit.measuring.neighbours import nearest, points

ROWS, TABLE, TARGET = 4_000, "adult", "income"
RISKS = ("membership", "singling-out", "dcr-share", "attribute-inference")
USES = ("tstr", "shape", "trend", "detection")
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{f"swap {s}, pram {p}": ({"swap": s}, {"pram": p})
       for s, p in ((0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.4, 0.5), (0.7, 0.8), (1.0, 1.0))},
    **{f"noise {s}, pram {p}": ({"noise": s}, {"pram": p}) for s, p in ((0.1, 0.1), (0.3, 0.2), (1.0, 0.5))},
    **{f"microaggregate {k}": ({"microaggregate": k}, {"microaggregate": k}) for k in (3, 10, 30, 100)},
}  # fmt: skip


def linked(real: Dataset, made: Dataset) -> float:
    """Return the share of rows to which no real row is nearer than their own."""
    fields = real.schema.tables[TABLE].fields
    among, rows = points([real.tables[TABLE], made.tables[TABLE]], fields, [0])
    found, _ = nearest(rows, among)
    apart = np.minimum(np.abs(rows.ordered - among.ordered), 1).sum(axis=0)
    apart = (apart + (rows.discrete != among.discrete).sum(axis=0)) / rows.columns
    return float((apart <= found[:, 0] + 1e-6).mean())


def made(generator: Generator, real: Dataset, mode: str, seed: int) -> Dataset:
    """Return as many rows, made from the real ones, within the rules of the schema."""
    part = Part(real.schema.columns, (), mode)  # type: ignore[arg-type]
    ctx = Context(seed=seed)
    keeper = Keeper.learn(real, part, ctx.at("keeper"))
    model = generator.fit(keeper.reduce(real), keeper.part, ctx.at("fit"))
    start = Dataset.blank(real.schema, {TABLE: real.rows(TABLE)})
    given = start if mode == "make" else start.with_columns(TABLE, {c: real.tables[TABLE].column(c)
                                                                    for c in real.columns(TABLE)})  # fmt: skip
    return keeper.sample(model, given, ctx.at("sample")).sample.data


def measured(real: Dataset, held: Dataset, rows: Dataset) -> list[float]:
    """Return the scores of a table of rows."""
    waived = dict.fromkeys(("privacy", "fidelity", "utility", "diversity", "integrity"), "measured, not ruled on")
    report = sw.evaluate(real=real, synthetic=rows, holdout=held, target=f"{TABLE}.{TARGET}",
                         metrics=[*RISKS, *USES], waive=waived)  # fmt: skip
    found = {s.metric: s for s in report.scores if not s.about}
    return [float("nan") if found[m].value is None else float(found[m].value or 0) for m in (*RISKS, *USES)]


def main() -> None:
    """Measure every case and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--out", type=Path)
    said = asked.parse_args()
    train, test = (pq.read_table(said.data / TABLE / f"{n}.parquet").slice(0, ROWS) for n in ("train", "test"))
    real = Dataset.of({TABLE: train})
    held = Dataset.of({TABLE: test}, real.schema)
    lines = []
    for name, generator, mode in [*((n, Perturb(ordered=o, labels=p), "replace") for n, (o, p) in CASES.items()),
                                  ("forest", Forest(), "make")]:  # fmt: skip
        begun = time.process_time()
        rows = made(generator, real, mode, 7)
        took = time.process_time() - begun
        share = f"{linked(real, rows):.2f}" if mode == "replace" else ""
        cells = [name, share, *(f"{s:.3f}" for s in measured(real, held, rows))]
        lines.append(f"| {' | '.join(cells)} | {took:.1f} |")
        print(lines[-1], flush=True)
    head = ["", "linked", *RISKS, *USES, "seconds"]
    text = "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines])
    if said.out:
        said.out.write_text(f"# Risk against utility of perturbed rows\n\nSynthwright {__version__}.\n\n{text}\n")


if __name__ == "__main__":
    main()
