"""Run one method on one table in this interpreter, within a budget of processor time; write the rows it made.

    python bench/methods_cell.py NAME --table FOLDER --out FILE [--seconds 300] [--seed 0]

`bench/methods.py` calls this once a cell, with the interpreter of an environment of the method's own; what peers are
asked is as in `bench/forest_peers.py`. Methods that learn in passes end by the budget: ours are told how many batches
fit into it, after a short trial that counts; SDV's stop after the pass that still fits; TabularARGN is lent a clock
that shows processor time. Imports and reading the table do not count. Beside FILE a JSON says what it took.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from forest_peers import PACKAGES, PEERS, Job, Ready, _typed, peak, seeded, spent

OURS = ("marginals", "copula", "bayes-net", "forest", "boosted", "smote", "perturb", "tvae", "ctgan", "diffusion")
NEURAL = {"tvae": 10_000, "ctgan": 2_000, "diffusion": 6_000}
"""Ours that learn batch by batch, and at most how many."""
ENVIRONMENTS = {"sdv-copula": "sdv", "tabular-argn": "mostlyai", "sdv-tvae": "sdv", "sdv-ctgan": "sdv"}
"""The environment of each peer, cheapest peer first."""
AIM = 0.9
"""The share of the budget at which methods that can be told to end do."""
TRIALS = (100, 400)
"""Batches of the two trainings that say how long one takes; fewer than these hide what a second network takes."""
TASTE = 2_000
"""Rows that are made to see how long that takes."""
EPOCHS = 300
"""Passes of SDV's networks where there is time."""
MOST = 10_000
"""Passes that TabularARGN may take; it ends earlier by itself."""


@dataclass
class Clock:
    """The processor time of this process and what it waited for."""

    seconds: float
    begun: float = field(default_factory=lambda: sum(os.times()[:4]))

    def gone(self) -> float:
        """Return the seconds that are spent."""
        return sum(os.times()[:4]) - self.begun

    def left(self) -> float:
        """Return the seconds that a method which ends by itself still has."""
        return AIM * self.seconds - self.gone()


def ours(name: str, job: Job, clock: Clock) -> Ready:
    """Return one of our generators, by the public face."""
    import synthwright as sw

    if name == "perturb":
        return perturbed(job)
    note = ""

    def fit() -> Any:
        nonlocal note
        if name not in NEURAL:
            return sw.fit(job.train, generator=name, seed=job.seed)
        steps = affordable(name, job, clock)
        note = f"{steps:,} of {NEURAL[name]:,} batches at most"
        return sw.fit(job.train, generator=name, seed=job.seed, steps=steps)

    return Ready(fit, lambda model: model.sample(job.rows, seed=job.seed), lambda _: note)


def affordable(name: str, job: Job, clock: Clock) -> int:
    """Return how many batches fit into what is left, after two short trainings."""
    import synthwright as sw

    took = []
    sw.fit(job.train, generator=name, seed=job.seed, steps=1)  # what is loaded late would count as batches
    for steps in TRIALS:
        begun = clock.gone()
        model = sw.fit(job.train, generator=name, seed=job.seed, steps=steps)
        took.append(clock.gone() - begun)
    begun = clock.gone()
    model.sample(min(TASTE, job.rows), seed=job.seed)
    making = (clock.gone() - begun) * max(1.0, job.rows / TASTE)
    each = max((took[1] - took[0]) / (TRIALS[1] - TRIALS[0]), 1e-4)
    fixed = max(took[0] - TRIALS[0] * each, 0.0)
    return int(min(NEURAL[name], max(TRIALS[1], (clock.left() - fixed - making) / each)))


def perturbed(job: Job) -> Ready:
    """Return classical disclosure control of the real rows, its defaults; rows in an order of chance."""
    import numpy as np

    from synthwright.core.context import Context
    from synthwright.core.contracts import Part
    from synthwright.core.dataset import Dataset
    from synthwright.generators.perturb import Perturb
    from synthwright.kit.constraints.keeping import Keeper

    real = Dataset.of(job.train, name="rows")
    ctx = Context(seed=job.seed)

    def fit() -> Any:
        keeper = Keeper.learn(real, Part(real.schema.columns, (), "replace"), ctx.at("keeper"))
        return keeper, Perturb().fit(keeper.reduce(real), keeper.part, ctx.at("fit"))

    def sample(fitted: Any) -> Any:
        keeper, model = fitted
        there = {c: real.tables["rows"].column(c) for c in real.columns("rows")}
        given = Dataset.blank(real.schema, {"rows": job.rows}).with_columns("rows", there)
        made = keeper.sample(model, given, ctx.at("sample")).sample.data.tables["rows"].select(job.train.column_names)
        return made.take(np.random.default_rng(job.seed).permutation(job.rows))

    return Ready(fit, sample)


def sdv(name: str, job: Job, clock: Clock) -> Ready:
    """Return one of SDV's networks, which trains until the pass that still fits."""
    from ctgan.synthesizers import ctgan, tvae

    ran = 0

    def passes(epochs: Iterable[int], **_: Any) -> Iterator[int]:
        nonlocal ran
        longest = 0.0
        for epoch in epochs:
            begun = clock.gone()
            if clock.left() < 1.2 * longest:
                return
            yield epoch
            longest, ran = max(longest, clock.gone() - begun), ran + 1

    ctgan.tqdm = tvae.tqdm = passes
    ready = PEERS[name](job._replace(settings={"epochs": EPOCHS}))
    return ready._replace(note=lambda _: f"{ran} of {EPOCHS} epochs")


def argn(name: str, job: Job, clock: Clock) -> Ready:
    """Return TabularARGN; its training reads the processor time where it asks for the hour."""
    from mostlyai.engine._tabular import training

    class Watch:
        """Stands for the module `time`."""

        time = staticmethod(clock.gone)

    training.time = Watch
    minutes = (clock.left() - 15) / 60  # what it does before and after training is left out
    return PEERS[name](job._replace(settings={"minutes": minutes, "epochs": MOST}))


def ready(name: str, job: Job, clock: Clock) -> Ready:
    """Return a method, imported."""
    if name in OURS:
        return ours(name, job, clock)
    others: dict[str, Callable[[str, Job, Clock], Ready]] = {"sdv-tvae": sdv, "sdv-ctgan": sdv, "tabular-argn": argn}
    return others[name](name, job, clock) if name in others else PEERS[name](job)


def run(name: str, job: Job, seconds: float, out: Path) -> dict[str, Any]:
    """Fit, sample, write; return what it took."""
    seeded(job.seed)
    clock = Clock(seconds)
    method = ready(name, job, clock)
    begun = spent()
    out.with_suffix(".begun").write_text(str(begun), encoding="ascii")
    clock.begun = sum(os.times()[:4])
    fitted = method.fit()
    middle = spent()
    made = method.sample(fitted)
    last = spent()
    table = _typed(made, job.train)
    assert table.num_rows == job.rows, f"{name} made {table.num_rows} of {job.rows} rows"
    pq.write_table(table, out)
    mine = ("synthwright", "torch") if name in NEURAL else PACKAGES["synthwright"]
    used = PACKAGES[name] if name in ENVIRONMENTS else mine
    return {"fit_cpu_s": middle - begun, "sample_cpu_s": last - middle, "peak_mib": peak(), "note": method.note(fitted),
            "versions": {p: version(p) for p in used}}  # fmt: skip


def main() -> None:
    """Run the method that was named and keep what it took beside its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=(*OURS, *ENVIRONMENTS))
    parser.add_argument("--table", type=Path, required=True, help="the folder of the table")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--seconds", type=float, default=300.0, help="the budget")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    meta = json.loads((asked.table / "meta.json").read_text(encoding="utf-8"))
    job = Job(pq.read_table(asked.table / "train.parquet"), meta, asked.seed, {})
    took = run(asked.name, job, asked.seconds, asked.out)
    asked.out.with_suffix(".json").write_text(json.dumps(took, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
