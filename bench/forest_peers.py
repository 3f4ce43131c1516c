"""Run one generator on one table in this interpreter: fit, sample as many rows, write them, say what it took.

    python bench/forest_peers.py NAME --table FOLDER --out FILE [--seed 0] [--set leaf=30]

FOLDER holds `train.parquet` and `meta.json`. `bench/forest.py` calls this once for each generator, table and seed,
with the interpreter of an environment of that generator's own (`bench/forest_requirements/`): nothing here but
`synthwright` needs Synthwright. Beside FILE a JSON says the processor seconds of fitting and of sampling (all child
processes counted; neither imports nor reading the table), the peak memory of the largest process, and what was cut.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MINUTES = 12
"""Training is cut after so many minutes by the clock where the peer can be told."""
BINS = 10
"""Classes that a target is cut into where it is a number and the peer needs classes."""


class Job(NamedTuple):
    """One table and how to make rows like it."""

    train: pa.Table
    meta: dict[str, Any]
    seed: int
    settings: dict[str, Any]

    @property
    def rows(self) -> int:
        """How many rows to make."""
        return self.train.num_rows

    @property
    def labels(self) -> list[str]:
        """The columns of labels, in the table's order."""
        return [c for c in self.train.column_names if c in self.meta["categorical"]]


class Ready(NamedTuple):
    """What a generator does, once it is imported: neither import nor reading counts."""

    fit: Callable[[], Any]
    sample: Callable[[Any], Any]
    """Takes what `fit` returned; returns a frame."""
    note: Callable[[Any], str] = lambda _: ""
    """What was cut or chosen, for people."""


def synthwright(job: Job) -> Ready:
    """Ours, by its public face: `generator` names which; other settings are its parameters."""
    import synthwright as sw

    settings = dict(job.settings)
    name = settings.pop("generator", "forest")
    said = ", ".join(f"{k} {v}" for k, v in settings.items())
    return Ready(
        fit=lambda: sw.fit(job.train, generator=name, seed=job.seed, **settings),
        sample=lambda model: model.sample(job.rows, seed=job.seed),
        note=lambda _: said,
    )


def _sdv(job: Job, kind: str, **settings: Any) -> Ready:
    import sdv.single_table
    from sdv.metadata import Metadata

    frame = _frame(job)
    labels = set(job.labels)
    columns = {c: {"sdtype": "categorical" if c in labels else "numerical"} for c in frame.columns}
    metadata = Metadata.load_from_dict({"tables": {"rows": {"columns": columns}}})
    whole = 300
    epochs = settings.get("epochs", whole)

    def fit() -> Any:
        model = getattr(sdv.single_table, kind)(metadata, **settings)
        model.fit({"rows": frame})
        return model

    note = f"{epochs} of {whole} epochs" if epochs < whole else ""
    return Ready(fit, lambda model: model.sample(num_rows=job.rows)["rows"], lambda _: note)


def sdv_copula(job: Job) -> Ready:
    """SDV's Gaussian copula."""
    return _sdv(job, "GaussianCopulaSynthesizer")


def sdv_ctgan(job: Job) -> Ready:
    """SDV's CTGAN, few epochs: all of them take an hour a table here."""
    return _sdv(job, "CTGANSynthesizer", epochs=int(job.settings.get("epochs", 10)), enable_gpu=False)


def sdv_tvae(job: Job) -> Ready:
    """SDV's variational autoencoder, few epochs."""
    return _sdv(job, "TVAESynthesizer", epochs=int(job.settings.get("epochs", 30)), enable_gpu=False)


def tabular_argn(job: Job) -> Ready:
    """MOSTLY AI's autoregressive network, its default size; it stops early by itself."""
    from mostlyai.engine import TabularARGN

    frame = _frame(job)
    labels = set(job.labels)
    kinds = {c: "TABULAR_CATEGORICAL" if c in labels else "TABULAR_NUMERIC_AUTO" for c in frame.columns}

    def fit() -> Any:
        model = TabularARGN(
            max_training_time=float(job.settings.get("minutes", MINUTES)),
            max_epochs=float(job.settings.get("epochs", 100)),
            tgt_encoding_types=kinds,
            device="cpu",
            random_state=job.seed,
        )
        return model.fit(frame)

    return Ready(fit, lambda model: model.sample(n_samples=job.rows), _epochs_run)


def _epochs_run(model: Any) -> str:
    import pandas as pd

    found = sorted(Path(model.workspace_path_).rglob("progress-messages.csv"))
    if not found:
        return ""
    said = pd.read_csv(found[0])
    stopped = said["total_time"].max() > 0.97 * 60 * MINUTES  # the last epoch that fitted in
    cut = f", cut after {MINUTES} minutes" if stopped else ""
    return f"{int(said['epoch'].max())} epochs{cut}"


def arf(job: Job) -> Ready:
    """Adversarial random forests, two of ten rounds, 10,000 rows at most: arfpy takes minutes for a round."""
    import pandas as pd
    from arfpy import arf as forests

    frame = _frame(job)
    for column in job.labels:
        frame[column] = pd.Categorical(frame[column])
    cap, rounds = int(job.settings.get("rows", 10_000)), int(job.settings.get("rounds", 2))
    learned = frame.sample(min(cap, len(frame)), random_state=job.seed).reset_index(drop=True)

    def fit() -> Any:
        model = forests.arf(x=learned, verbose=False, random_state=job.seed, max_iters=rounds)
        model.forde()
        return model

    notes = [f"{rounds} of 10 rounds"] if rounds < 10 else []
    notes += [f"learned from {len(learned):,} of {len(frame):,} rows"] if len(learned) < len(frame) else []
    return Ready(fit, lambda model: model.forge(n=job.rows), lambda _: ", ".join(notes))


def smote(job: Job) -> Ready:
    """Rows between neighbours of one class, standardised; a number to predict is cut into ten classes of equal size."""
    import pandas as pd
    from imblearn.over_sampling import SMOTE, SMOTENC

    frame = _frame(job)
    target = job.meta["target"]
    binned = job.meta["task"] == "regression"
    classes = pd.qcut(frame[target], BINS, labels=False, duplicates="drop") if binned else frame[target]
    known = frame if binned else frame.drop(columns=target)
    labels = [c for c in job.labels if c in known.columns]
    others = [c for c in known.columns if c not in labels]
    twice = {c: 2 * n for c, n in classes.value_counts().items()}
    settings = {"sampling_strategy": twice, "random_state": job.seed}

    def fit() -> Any:
        mean, spread = known[others].mean(), known[others].std().replace(0.0, 1.0)
        scaled = known.copy()
        scaled[others] = (known[others] - mean) / spread
        return scaled, mean, spread

    def sample(fitted: Any) -> Any:
        scaled, mean, spread = fitted
        maker = SMOTENC(categorical_features=labels, **settings) if labels else SMOTE(**settings)
        rows, answer = maker.fit_resample(scaled, classes)
        made = rows.iloc[len(scaled) :].reset_index(drop=True)
        made[others] = made[others] * spread + mean
        if not binned:
            made[target] = answer.iloc[len(scaled) :].to_numpy()
        return made

    return Ready(fit, sample, lambda _: f"target cut into {BINS} classes" if binned else "")


PEERS: dict[str, Callable[[Job], Ready]] = {
    "synthwright": synthwright,
    "sdv-copula": sdv_copula,
    "smote": smote,
    "arf": arf,
    "tabular-argn": tabular_argn,
    "sdv-tvae": sdv_tvae,
    "sdv-ctgan": sdv_ctgan,
}
PACKAGES = {
    "synthwright": ("synthwright", "numba"),
    "sdv-copula": ("sdv", "copulas"),
    "smote": ("imbalanced-learn", "scikit-learn"),
    "arf": ("arfpy", "scikit-learn"),
    "tabular-argn": ("mostlyai-engine", "torch"),
    "sdv-tvae": ("sdv", "ctgan", "torch"),
    "sdv-ctgan": ("sdv", "ctgan", "torch"),
}


def _frame(job: Job) -> Any:
    """Return the table as a pandas frame whose labels are Python texts."""
    frame = job.train.to_pandas()
    for column in job.labels:
        frame[column] = frame[column].astype(object)
    return frame


def _typed(frame: Any, like: pa.Table) -> pa.Table:
    """Return a frame in the types of the training table: whole numbers are rounded, labels are texts."""
    columns = []
    for field in like.schema:
        values = frame[field.name] if not isinstance(frame, pa.Table) else frame.column(field.name)
        if isinstance(values, pa.ChunkedArray):
            columns.append(values.cast(field.type))
        elif pa.types.is_string(field.type):
            missing = values.isna().to_numpy()
            columns.append(pa.array(values.astype(str).to_numpy(dtype=object), field.type, mask=missing))
        else:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            numbers = np.rint(numbers) if pa.types.is_integer(field.type) else numbers
            columns.append(pa.array(numbers, mask=np.isnan(numbers)).cast(field.type))
    return pa.table(columns, schema=like.schema.remove_metadata())


def tree_seconds(root: int) -> float:
    """Return the processor seconds of a process and of all below it, so far.

    Whatever still runs counts too: pools of workers are never waited for.
    """
    ticks, found = os.sysconf("SC_CLK_TCK"), {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        found[int(stat.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / ticks)
    mine, seconds = {root}, found.get(root, (0, 0.0))[1]
    while more := {p for p, (parent, _) in found.items() if parent in mine and p not in mine}:
        seconds += sum(found[p][1] for p in more)
        mine |= more
    return seconds


def spent() -> float:
    """Return the processor seconds of this process and of all below it, so far."""
    return tree_seconds(os.getpid())


def peak() -> float:
    """Return the peak memory of this process or of its largest child, in MiB."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def seeded(seed: int) -> None:
    """Fix the global streams that peers draw from."""
    np.random.seed(seed)  # noqa: NPY002  peers draw from numpy's global stream
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").manual_seed(seed)


def run(name: str, job: Job, out: Path) -> dict[str, Any]:
    """Fit, sample, write; return what it took."""
    seeded(job.seed)
    ready = PEERS[name](job)
    begun, cpu = time.perf_counter(), spent()
    fitted = ready.fit()
    done, middle = time.perf_counter(), spent()
    made = ready.sample(fitted)
    ended, last = time.perf_counter(), spent()
    table = _typed(made, job.train)
    assert table.num_rows == job.rows, f"{name} made {table.num_rows} of {job.rows} rows"
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out)
    return {
        "generator": name, "table": job.meta["name"], "seed": job.seed, "settings": job.settings, "rows": job.rows,
        "fit_cpu_s": middle - cpu, "sample_cpu_s": last - middle, "fit_s": done - begun, "sample_s": ended - done,
        "peak_mib": peak(), "cores": len(os.sched_getaffinity(0)), "note": ready.note(fitted),
        "versions": {p: version(p) for p in PACKAGES[name]},
    }  # fmt: skip


def setting(text: str) -> tuple[str, Any]:
    """Return `leaf=30` as a name and a value: a number where it reads as one."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def main() -> None:
    """Run the generator that was named and keep what it took beside its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(PEERS))
    parser.add_argument("--table", type=Path, required=True, help="the folder of the table")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE", dest="settings")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    meta = json.loads((asked.table / "meta.json").read_text(encoding="utf-8"))
    job = Job(pq.read_table(asked.table / "train.parquet"), meta, asked.seed, dict(asked.settings))
    took = run(asked.name, job, asked.out)
    asked.out.with_suffix(".json").write_text(json.dumps(took, indent=1), encoding="utf-8")
    print(json.dumps(took))


if __name__ == "__main__":
    main()
