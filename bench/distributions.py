"""Every distribution against what was declared, over many seeds: p-values must be uniform, and small errors be found.

Each case is drawn with many seeds through the rule that a specification would use, and each draw is tested against a
reference (Kolmogorov-Smirnov, chi-square, normal scores). Were a distribution off, its p-values would heap up near 0;
were the draws too even, near 1: so the p-values of all seeds are themselves tested for being uniform, two-sided. A case
fails below 0.001 divided by the number of cases: a right implementation fails anywhere in one run of 1,000. Beside it
stands in how many seeds an error would have shown: the same draws held against shares that are tilted by a tenth.

    python bench/distributions.py [--seeds 200] [--out bench/distributions.md]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from distributions_cases import ROWS, SCHEMA, Case, distributions, others
from scipy import stats

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset

LEVEL, TILT, SHOWN = 1e-3, 0.1, 1e-3


def given() -> Dataset:
    """Return the rows of every draw, with what rules look at."""
    rng = np.random.default_rng(0)
    sex = pa.array(np.array(["F", "M"])[rng.integers(0, 2, ROWS)]).cast(pa.large_string())
    return Dataset.blank(SCHEMA, {"t": ROWS}).with_columns(
        "t", {"age": pa.array(rng.integers(0, 90, ROWS)), "sex": sex}
    )


def measured(case: Case, start: Dataset, seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-value of each seed, against what was declared and against what is tilted."""
    use, columns, how, test = case
    rule: Any = registry.find("generators", use).model_validate(how)
    model = rule.fit(start, Part(tuple(f"t.{c}" for c in columns.split())), Context())
    tables = [model.sample(start, Context(seed=seed)).data.tables["t"] for seed in seeds]
    right, off = (np.array([test(table, tilt) for table in tables]) for tilt in (0.0, TILT))
    return right, off


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    begun, start, every = time.process_time(), given(), distributions() | others()
    lines, failed = [], []
    for i, (name, case) in enumerate(every.items()):
        right, off = measured(case, start, range(i * asked.seeds, (i + 1) * asked.seeds))
        uniform = float(stats.kstest(right, "uniform").pvalue)
        failed += [name] if uniform < LEVEL / len(every) else []
        shares = [f"{np.mean(right < p):.1%}" for p in (0.01, 0.05)]
        shown = f"{np.mean(off < SHOWN):.0%}"
        lines.append(f"| {name} | {shares[0]} | {shares[1]} | {right.min():.1g} | {uniform:.2g} | {shown} |")
    head = f"""Each case drawn with {asked.seeds} seeds, {ROWS:,} rows each (`bench/distributions.py`), each draw tested
against a reference. A case fails where its p-values are not uniform at {LEVEL:g} / {len(every)}: right ones fail in
one run of {1 / LEVEL:,.0f}.
Last column: in how many seeds the same draws, held against shares tilted by {TILT:g}, have p < {SHOWN:g}.

| case | p < 0.01 | p < 0.05 | smallest p | p-values uniform | error shown |
|---|---|---|---|---|---|"""
    last = f"{len(every) - len(failed)} of {len(every)} cases are what was declared"
    last += f"; not: {', '.join(failed)}." if failed else "."
    said = "\n".join(["# Distributions against what was declared", "", head, *lines, "", last, ""])
    print(said, f"{time.process_time() - begun:.0f} CPU seconds")
    if asked.out:
        asked.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
