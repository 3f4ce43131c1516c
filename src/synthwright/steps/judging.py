"""Metrics measure rows that any tool made, one after the other or spread over processes: the same scores either way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Rule
from synthwright.engine.local import Local
from synthwright.kit.tables import load_dataset, save_dataset
from synthwright.steps.evaluate import LONGEST_FIRST, scores_of

WORK = "synthwright.steps.judging:measure_one"
FEW = 20_000
"""Rows, real and synthetic, below which starting processes takes longer than they save."""

Told = Callable[[int, str], None]
"""Is told how many metrics are done, and which is next."""


class Judging(NamedTuple):
    """What a case was measured to be."""

    scores: list[Score]
    seconds: dict[str, float]
    """How long each metric took."""


def measured(case: Case, metrics: Sequence[Metric], seed: int, limit: int, *, workers: int = 1,
             told: Told | None = None) -> Judging:  # fmt: skip
    """Measure a case; return the scores in the order of the metrics, whatever the number of processes.

    Args:
        case: what is measured; it has no starts that were set, and cannot be fitted again.
        metrics: by which.
        seed: of the samples that they draw.
        limit: seconds that one may take.
        workers: processes; where there are few rows, this one alone.
        told: is told how far it is.
    """
    say = told or (lambda _done, _name: None)
    held = {"train": case.train, "holdout": case.holdout, "synthetic": case.synthetic}
    rows = sum(d.rows() for d in held.values() if d is not None)
    if workers <= 1 or rows < FEW or len(metrics) < 2:
        return _here(case, metrics, seed, limit, say)
    with tempfile.TemporaryDirectory(prefix="synthwright-") as folder, Local(workers) as engine:
        for name, data in held.items():
            if data is not None:
                save_dataset(data, Path(folder, name))
        common = {"folder": folder, "seed": seed, "limit": limit, "target": case.target, "asked": case.asked,
                  "sensitive": list(case.sensitive), "produced": list(case.produced),
                  "rules": [[t, r.model_dump(mode="json")] for t, r in case.rules]}  # fmt: skip
        first = sorted(metrics, key=lambda m: (*LONGEST_FIRST, m.name).index(m.name))
        orders = [common | {"metric": m.name, "with": m.model_dump(mode="json", by_alias=True)} for m in first]
        answers = engine.map(WORK, orders, lambda n: say(n, "metrics"))
    found = dict(zip((m.name for m in first), answers, strict=True))
    scores = [Score(**said) for m in metrics for said in found[m.name]["scores"]]
    return Judging(scores, {m.name: float(found[m.name]["seconds"]) for m in metrics})


def _here(case: Case, metrics: Sequence[Metric], seed: int, limit: int, say: Told) -> Judging:
    from threadpoolctl import threadpool_limits

    scores, seconds = [], {}
    for i, metric in enumerate(metrics):
        say(i, metric.name)
        begun = time.monotonic()
        with threadpool_limits(limits=1):
            scores += scores_of(metric, case, Context(seed=seed).at("evaluate", metric.name), limit)
        seconds[metric.name] = time.monotonic() - begun
    return Judging(scores, seconds)


def measure_one(order: dict[str, Any]) -> dict[str, Any]:
    """Measure one metric in a worker; return its scores and how long it took."""
    folder = Path(order["folder"])
    train, holdout = (load_dataset(folder / n) if (folder / n).is_dir() else None for n in ("train", "holdout"))
    rules = tuple((t, Rule.model_validate(r)) for t, r in order["rules"])
    case = Case(train, holdout, load_dataset(folder / "synthetic"), order["target"], tuple(order["sensitive"]), rules,
                tuple(order["produced"]), order["asked"])  # fmt: skip
    metric = cast(Metric, registry.find("metrics", order["metric"]).model_validate(order["with"]))
    begun = time.monotonic()
    scores = scores_of(metric, case, Context(seed=order["seed"]).at("evaluate", metric.name), order["limit"])
    return {"scores": [s._asdict() for s in scores], "seconds": time.monotonic() - begun}
