"""Rebalance Adult, prove it, and see what models that learn from the balanced rows do.

    python bench/balanced.py --data ../shared/data/benchmark --out bench/balanced.md

The first 12,000 training rows are the source; the benchmark's test rows, which no run sees, ask the models. For each
start a whole run of the line is made with `forest`, one worker, all default gates, and `sex` as the sensitive column.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import synthwright as sw
from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.kit.learning.boosting import boost, encode
from synthwright.kit.measuring.stats import auc
from synthwright.metrics.comparing import modelled

ROWS = 12_000
SEED = 7
STARTS = {
    "nothing set": "{}",
    "`income: balanced`": "{adult.income: balanced}",
    "`sex: balanced`": "{adult.sex: balanced}",
    "both balanced": "{adult.income: balanced, adult.sex: balanced}",
}
SPEC = """\
synthwright: 1
name: adult
seed: {seed}
source: {{use: parquet, with: {{path: adult.parquet}}, holdout: {{share: 0.2}}}}
start: {{set: {asked}}}
parts: [{{make: [adult.*], use: forest}}]
evaluate:
  target: adult.income
  sensitive: [adult.sex]
  metrics: [integrity, fidelity, utility, privacy, diversity, bias]
"""


class Judged(NamedTuple):
    """What a model does on rows that nobody saw."""

    auc: float
    found: float
    """The share of rows above 50K that it finds."""
    parity: float
    """How much more often it says above 50K of men than of women."""
    opportunity: float
    """How much more often it finds men above 50K than women above 50K."""

    @property
    def cells(self) -> str:
        """The numbers as cells of a table."""
        return f"{self.auc:.3f} | {self.found:.3f} | {self.parity:+.3f} | {self.opportunity:+.3f}"


def judged(learn: Dataset, test: Dataset) -> Judged:
    """Let boosted trees learn the income, and ask them about rows that nobody saw; above one half is a yes."""
    fields = {c: f for c, f in modelled(learn.schema.tables["adult"].fields).items() if c != "income"}
    sides = [d.tables["adult"] for d in (learn, test)]
    features = encode(sides, fields)
    rich = [np.asarray(pc.equal(t.column("income"), ">50K").to_numpy()) for t in sides]
    trees = boost(features.values[0], rich[0].astype(np.float64), Context(seed=SEED).at("boost"),
                  discrete=features.discrete, classes=2)  # fmt: skip
    likely = trees.predict(features.values[1]).astype(np.float64)
    says, men = likely > 0.5, np.asarray(pc.equal(sides[1].column("sex"), "Male").to_numpy())

    def gap(among: np.ndarray) -> float:
        return float(says[men & among].mean() - says[~men & among].mean())

    return Judged(auc(likely, rich[1])[0], float(says[rich[1]].mean()), gap(np.ones(len(men), dtype=bool)),
                  gap(rich[1]))  # fmt: skip


def shares(table: pa.Table) -> str:
    """Return how many rows are above 50K, how many are women, and how many of these are above 50K."""
    rich, women = pc.equal(table.column("income"), ">50K"), pc.equal(table.column("sex"), "Female")
    both = pc.sum(pc.and_(rich, women)).as_py() / max(pc.sum(women).as_py(), 1)
    return f"{pc.mean(rich).as_py():.1%} | {pc.mean(women).as_py():.1%} | {both:.1%}"


def cpu() -> float:
    """Return the processor seconds of this process and those that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def run(asked: str, folder: Path) -> tuple[sw.Report, float]:
    """Run one specification; return the report and its processor seconds."""
    (folder / "adult.yaml").write_text(SPEC.format(seed=SEED, asked=asked), encoding="utf-8")
    before = cpu()
    report = sw.run(folder / "adult.yaml", folder / "out", store=folder / "store", force=True)
    return report, cpu() - before


def main() -> None:
    """Make every start, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds adult/")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    asked = parser.parse_args()
    source = pq.read_table(asked.data / "adult" / "train.parquet").slice(0, ROWS)
    known = Dataset.of({"adult": source})
    test = Dataset.of({"adult": pq.read_table(asked.data / "adult" / "test.parquet")}, known.schema)
    made, gates, models, notes = [f"| real rows | {shares(source)} |"], [], [], []
    models.append(f"| real rows | {judged(known, test).cells} |")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pq.write_table(source, folder / "adult.parquet")
        for name, how in STARTS.items():
            report, seconds = run(how, folder)
            print(f"{name}: {report.summary}", flush=True)
            fake = folder / "out" / "data" / "adult"
            missed = [f"`{g.gate}` ({g.why})" for g in report.gates if not g.passed]
            silent = [f"`{g.gate.split()[0]}`" for g in report.gates if g.passed and g.value is None]
            met = len(report.gates) - len(missed) - len(silent)
            gates.append(f"| {name} | {met} | {', '.join(silent) or 'none'} | {'; '.join(missed) or 'none'} | "
                         f"{seconds:.0f} |")  # fmt: skip
            notes += [f"- {name}: {n}" for n in report.notes if "set:" in n or "left out" in n]
            if report.passed:
                rows = pq.read_table(fake)
                made.append(f"| {name} | {shares(rows)} |")
                models.append(f"| {name} | {judged(Dataset.of({'adult': rows}, known.schema), test).cells} |")
    asked.out.write_text(page(made, gates, notes, models), encoding="utf-8")


def page(made: list[str], gates: list[str], notes: list[str], models: list[str]) -> str:
    """Return the tables as Markdown."""
    intro = (f"Adult, the first {ROWS:,} training rows of the benchmark, of which a fifth is held out; `forest`, seed "
             f"{SEED}. Written by `python bench/balanced.py --data DIR --out bench/balanced.md`.")  # fmt: skip
    machine = (f"Synthwright {__version__}, Python {platform.python_version()}, pyarrow {pa.__version__}, "
               f"{platform.machine()}, {os.cpu_count()} cores, one worker.")  # fmt: skip
    how = ("Boosted trees learn the income, and are asked about the 9,768 test rows of the benchmark; a likelihood "
           "above one half is a yes. Parity: how much more often they say so of men than of women; opportunity: the "
           "same among rows that are above 50K (0 is equal).")  # fmt: skip
    return "\n".join([
        "# Rebalanced rows", "", intro, "", "## Shares", "",
        "| rows | above 50K | women | women above 50K |", "|---|---:|---:|---:|", *made, "", "## Proof", "",
        "| start | default gates met | not applicable | not met | CPU s |", "|---|---:|---|---|---:|", *gates, "",
        *notes, "", "## Models", "", how, "",
        "| learned from | AUC | rows above 50K found | parity | opportunity |", "|---|---:|---:|---:|---:|", *models,
        "", machine, "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
