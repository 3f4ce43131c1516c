"""One method in a process of its own: it makes rows from those that learn, models learn, and predict the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.plan import plan
from synthwright.core.schema import Frozen
from synthwright.core.spec import Spec
from synthwright.engine.apart import allow
from synthwright.kit.learning.boosting import encode
from synthwright.kit.tables import load_dataset
from synthwright.studies.method import why
from synthwright.studies.mix_data import Aim, Dose, dealt, said
from synthwright.synthesizer import Frame, learn

REAL, DUPLICATE, WEIGHTS = "real", "duplicate", "weights"
"""Real rows alone; the rare class repeated; the rare class weighed more: what every generator has to beat."""
TRAIN, TEST = "train", "test"
ROUNDS = 200
SETTINGS: dict[str, float] = {
    "learning_rate": 0.05, "num_leaves": 15, "lambda_l2": 1.0, "feature_fraction": 0.7, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip
"""Small, shrunken trees: larger ones fall apart where one row in a thousand is positive, and then anything helps."""


class Job(Frozen):
    """What a process is to do."""

    method: str
    at: str
    """The folder that holds the real rows."""
    out: str
    """The file for what models say."""
    aim: Aim
    doses: tuple[Dose, ...]
    seed: int
    seconds: float
    folds: int
    """Folds of the training rows; 0: learn from all of them and predict the held-out rows."""
    repeats: int
    """Seeds: each makes rows of its own and learns a model of its own."""


def run_mix(order: dict[str, Any]) -> dict[str, Any]:
    """Do a job: predictions (doses × seeds × rows) go into its file; return why not, where that failed."""
    job = Job.model_validate(order)
    allow(job.seconds)
    try:
        found = predictions(job)
    except Exception as error:  # noqa: BLE001  whatever a method raises is told, and the others go on
        allow(None)
        return {"reason": why(error)}
    allow(None)
    np.savez(job.out, said=found)
    return {"reason": ""}


def predictions(job: Job) -> np.ndarray:
    """Return what the models of a job say, doses × seeds × rows (× classes), float32."""
    train = load_dataset(Path(job.at) / TRAIN)
    truth, ctx = job.aim.coded(train), Context(seed=job.seed).at("mix")
    every = np.arange(len(truth))
    if not job.folds:
        return _one(job, train, load_dataset(Path(job.at) / TEST), truth, ctx.at("whole"))
    fold = folds(truth, job.aim, job.folds, job.seed)
    out: np.ndarray | None = None
    for k in range(job.folds):
        learned, tested = every[fold != k], every[fold == k]
        one = _one(job, train.take(job.aim.table, learned), train.take(job.aim.table, tested), truth[learned],
                   ctx.at("fold", k))  # fmt: skip
        if out is None:
            out = np.zeros((*one.shape[:2], len(truth), *one.shape[3:]), dtype=np.float32)
        out[:, :, tested] = one
    assert out is not None  # noqa: S101  there are folds
    return out


def folds(truth: np.ndarray, aim: Aim, many: int, seed: int) -> np.ndarray:
    """Return the fold of each training row: the same for every method of a study."""
    return dealt(truth, aim.many, many, Context(seed=seed).at("mix", "folds"))


def _one(job: Job, train: Dataset, test: Dataset, truth: np.ndarray, ctx: Context) -> np.ndarray:
    """Return what models say of test rows that learned from training rows and what a method adds."""
    positives = int((truth == 1).sum())
    wanted = [d.rows(positives, len(truth)) for d in job.doses]
    pools = {of: _pools(job, train, truth, Dose(of), max(n for d, n in zip(job.doses, wanted, strict=True)
             if d.of == of), ctx.at(of)) for of in dict.fromkeys(d.of for d in job.doses)}  # fmt: skip
    fields = job.aim.predictors(train.schema)
    tables = [d.tables[job.aim.table] for d in (train, test)]
    more = [(of, r, pool) for of, made in pools.items() for r, pool in enumerate(made)]
    features = encode([*(t.select(list(fields)) for t in tables),
                       *(p.tables[job.aim.table].select(list(fields)) for _, _, p in more)], fields)  # fmt: skip
    real, asked, *rest = features.values
    added = {(of, r): (x, job.aim.coded(p)) for (of, r, p), x in zip(more, rest, strict=True)}
    out = []
    for dose, many in zip(job.doses, wanted, strict=True):
        rows = []
        for r in range(job.repeats):
            x, y, w = real, truth, np.ones(len(truth))
            if job.method == WEIGHTS:
                w = _weighed(dose, truth, job.aim, many)
            elif (dose.of, r) in added:
                values, codes = (part[:many] for part in added[dose.of, r])
                known = ~np.isnan(codes)  # a class that no real row has teaches nothing
                x, y = np.concatenate([x, values[known]]), np.append(y, codes[known])
                w = np.ones(len(y))
            rows.append(predict(Lesson(x, y, w, features.discrete), asked, job.aim, ctx.at("learn", r)))
        out.append(rows)
    return np.asarray(out, dtype=np.float32)


def _weighed(dose: Dose, truth: np.ndarray, aim: Aim, more: int) -> np.ndarray:
    """Return the weight of each row: positives as if more of them were there; or all classes alike."""
    if dose.of == "positives":
        positives = truth == 1
        return np.where(positives, 1 + more / positives.sum(), 1.0)
    counts = np.bincount(truth.astype(np.int64), minlength=aim.many)
    return np.asarray(len(truth) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[truth.astype(np.int64)]


def _pools(job: Job, train: Dataset, truth: np.ndarray, dose: Dose, rows: int, ctx: Context) -> list[Dataset]:
    """Return the rows that a method adds, for each seed; smaller doses take the first of them."""
    table = job.aim.table
    if dose.of == "nothing" or job.method == WEIGHTS:
        return []
    if job.method == DUPLICATE:
        rare = np.flatnonzero(truth == 1)
        mixed = [ctx.at("again", r).rng.permutation(rare) for r in range(job.repeats)]
        return [train.take(table, np.resize(m, rows)) for m in mixed]
    how = dict(said(job.aim, job.method, dose, rows))
    spec = Spec.model_validate({"synthwright": 1, "name": "mix", "schema": train.schema, **how})
    made = learn(plan(spec, train.schema), train, Frame.of(train), _seed(ctx.at("fit")))
    chosen = how["start"].get("set", {})
    return [made.sample_dataset(rows, chosen, _seed(ctx.at("sample", r))) for r in range(job.repeats)]


def _seed(ctx: Context) -> int:
    return int(ctx.rng.integers(2**31))


class Lesson(NamedTuple):
    """What a model learns from."""

    values: np.ndarray
    truth: np.ndarray
    weights: np.ndarray
    discrete: tuple[int, ...]
    """The columns that hold labels."""


def predict(lesson: Lesson, asked: np.ndarray, aim: Aim, ctx: Context) -> np.ndarray:
    """Return what boosted trees say of rows: a number, or how likely the positive class is, or each class."""
    import lightgbm

    objective: dict[str, Any] = {"objective": "binary"} if aim.many == 2 else {"objective": "regression"}
    rounds = ROUNDS
    if aim.many > 2:  # each round grows a tree for each class
        objective, rounds = {"objective": "multiclass", "num_class": aim.many}, max(40, 2 * ROUNDS // aim.many)
    small = max(1, min(10, len(lesson.truth) // 20))
    settings = {**SETTINGS, **objective, "seed": _seed(ctx), "min_data_in_leaf": small, "min_data_per_group": small,
                "min_data_in_bin": min(3, small), "feature_pre_filter": False}  # fmt: skip
    learned = lightgbm.Dataset(lesson.values, lesson.truth, weight=lesson.weights, params=settings,
                               categorical_feature=list(lesson.discrete))  # fmt: skip
    trees = lightgbm.train(settings, learned, num_boost_round=rounds)
    return np.asarray(trees.predict(asked, num_threads=1), dtype=np.float32)


def added(train: Dataset, aim: Aim, dose: Dose) -> int:
    """Return how many rows a dose is beside these."""
    return dose.rows(int((aim.coded(train) == 1).sum()), train.rows(aim.table))
