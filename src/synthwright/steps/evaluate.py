"""Step 6: metrics measure the rows that stayed, against real rows that no generator saw."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.jobs import beside_only, fills
from synthwright.core.schema import fingerprint
from synthwright.engine.deadline import within
from synthwright.kit.measuring.completed import completed
from synthwright.kit.measuring.matching import Matched, matched
from synthwright.kit.measuring.meeting import met
from synthwright.kit.tables import load_dataset, save_dataset, write_json
from synthwright.steps.cells import celled_shares
from synthwright.steps.late import settled_late
from synthwright.steps.orders import Bench, opened
from synthwright.steps.waves import Wave, joined

WORK = "synthwright.steps.evaluate:measure_one"
LONGEST_FIRST = ("detection", "tstr", "attribute-inference", "augmentation", "importance", "lattices", "linkability",
                 "membership", "calibration", "model-ranking", "dcr-share", "trend")  # fmt: skip
"""So that no process waits at the end for one that has just begun."""
FEW = 50_000
"""Rows from rules alone that are measured in this process."""
_LIKENESS = ("fidelity", "utility", "diversity", "bias")
"""Groups of metrics that ask for rows like the real ones: like those that have what was set, or meet a condition."""
_BESIDE = ("augmentation",)
"""Metrics that put rows beside all real ones, whatever real rows they were made from."""


def gather(bench: Bench, fits: Mapping[str, str], waves: list[Wave]) -> str:
    """Put into the store which waves the rows that stayed are in; return their key.

    Where rows went, columns that follow from other tables' rows are computed anew, and all rows are put there.
    """
    keys = [w.key for w in waves]
    late = [fits[name] for name in bench.plan.again]
    key = f"kept/{fingerprint([__version__, keys, late])}"
    if bench.store.get(key) is None:
        anew = bool(late) and any(w.lost() for w in waves)

        def write(folder: Path) -> None:
            write_json(folder / "waves.json", keys)
            if anew:
                save_dataset(settled_late(bench, fits, _stayed(bench, keys)), folder / "data")

        bench.store.put(key, write)
    return key


def gathered(bench: Bench, kept: str) -> Dataset:
    """Return the rows that stayed, of all waves."""
    at = bench.store.at / kept
    if (at / "data").is_dir():
        return load_dataset(at / "data")
    return _stayed(bench, json.loads((at / "waves.json").read_bytes()))


def _stayed(bench: Bench, keys: list[str]) -> Dataset:
    return joined([Wave.of(bench, k).kept() for k in keys])


def case_of(bench: Bench, kept: str, asked: dict[str, int] | None) -> Case:
    """Return what metrics look at."""
    spec = bench.plan.spec
    real = bench.source is not None and not beside_only(spec)  # new rows have no real ones to be held against
    at = bench.store.get(str(bench.source)) if real else None
    rules = tuple((t, r) for t, table in bench.plan.schema.tables.items() for r in table.rules)
    filled = any(p.part.mode == "fill" for p in bench.plan.parts)
    return Case(
        train=load_dataset(at / "train") if at else None,
        holdout=load_dataset(at / "holdout") if at and (at / "holdout").is_dir() else None,
        synthetic=gathered(bench, kept),
        target=spec.evaluate.target,
        sensitive=spec.evaluate.sensitive,
        rules=rules,
        produced=bench.plan.produced if spec.begin.keep or filled else (),
        asked=asked,
        chosen={**spec.begin.set_, **celled_shares(bench)},
    )


def likened(bench: Bench, kept: str, asked: dict[str, int] | None) -> Matched:
    """Return the case that likeness is measured on: real rows like those that were asked for; the same every time."""
    if not fills(bench.plan.spec):
        return _like(bench, case_of(bench, kept, asked))
    return _completed(json.dumps(bench.order(kept=kept, asked=asked), sort_keys=True))


@lru_cache(maxsize=1)
def _completed(said: str) -> Matched:
    """Return what `likened` does: of filled tables models are trained for it, which one process does once."""
    order = json.loads(said)
    bench = opened(order)
    return _like(bench, case_of(bench, order["kept"], order["asked"]))


def _like(bench: Bench, case: Case) -> Matched:
    found = met(case, bench.plan.spec.begin.where)
    if found.problem:
        return found
    if fills(bench.plan.spec):
        like = completed(found.case, bench.ctx.at("evaluate", "completed"))
    else:
        like = matched(found.case, bench.ctx.at("evaluate", "matching"))
    return like._replace(notes=(*found.notes, *like.notes))


def evaluate(bench: Bench, kept: str, asked: dict[str, int]) -> list[Score]:
    """Measure everything that is not measured yet; return the scores."""
    metrics = sorted(bench.plan.metrics, key=lambda m: (*LONGEST_FIRST, m.name).index(m.name))
    keys = {m.name: _key(bench, m, kept, asked) for m in metrics}
    waiting = [bench.order(kept=kept, asked=asked, metric=m.name, key=keys[m.name])
               for m in metrics if bench.store.get(keys[m.name]) is None]  # fmt: skip
    bench.ctx.progress(0, max(len(waiting), 1), "metrics")
    ruled = bench.source is None or beside_only(bench.plan.spec)
    if ruled and sum(asked.values()) <= FEW:  # most do not apply, and a process costs more than they do
        for order in waiting:
            measure_one(order)
    elif waiting and bench.ctx.engine is not None:
        bench.ctx.engine.map(WORK, waiting, lambda n: bench.ctx.progress(n, len(waiting), "metrics"))
    files = [bench.store.at / keys[m.name] / "scores.json" for m in bench.plan.metrics]
    return [Score(**said) for file in files for said in json.loads(file.read_bytes())]


def _key(bench: Bench, metric: Metric, kept: str, asked: dict[str, int]) -> str:
    spec = bench.plan.spec.evaluate
    identity = [
        __version__,
        bench.source,
        kept,
        metric.fingerprint(),
        spec.target,
        spec.sensitive,
        asked,
        spec.seconds,
        bench.ctx.seed,
        bench.plan.schema.fingerprint(),
        list(bench.plan.produced),
        bench.plan.spec.begin.model_dump(mode="json", by_alias=True),
    ]
    return f"scores/{fingerprint(identity)}"


def measure_one(order: dict[str, Any]) -> None:
    """Measure one metric and put its scores into the store."""
    bench = opened(order)
    metric = next(m for m in bench.plan.metrics if m.name == order["metric"])
    all_real = metric.name in _BESIDE and bool(bench.plan.spec.begin.where)
    if metric.group in _LIKENESS and not all_real:
        found = likened(bench, order["kept"], order["asked"])
    else:
        found = Matched(case_of(bench, order["kept"], order["asked"]))
    ctx = bench.ctx.at("evaluate", metric.name)
    silent = [Score(metric.name, status="not-applicable", problem=found.problem)]
    scores = silent if found.problem else scores_of(metric, found.case, ctx, bench.plan.spec.evaluate.seconds)
    said = [s._asdict() for s in scores]
    bench.store.put(order["key"], lambda folder: write_json(folder / "scores.json", said))


def scores_of(metric: Metric, case: Case, ctx: Context, seconds: int) -> list[Score]:
    """Return a metric's scores; one that fails, takes too long, or gives no finite number is a score that says so."""
    try:
        scores = [_finite(s) for s in within(seconds, lambda: metric.measure(case, ctx))]
    except TimeoutError as error:
        return [Score(metric.name, status="failed", problem=f"the metric was stopped: {error}")]
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a metric raises is told, and fails its gates
        return [Score(metric.name, status="failed", problem=f"the metric raised {type(error).__name__}")]
    if not scores:
        return [Score(metric.name, status="failed", problem="the metric gave no score")]
    return scores


def _finite(score: Score) -> Score:
    plain = [None if n is None or not math.isfinite(n) else float(n)
             for n in (score.value, score.reference, score.low, score.high, score.chance)]  # fmt: skip
    score = score._replace(value=plain[0], reference=plain[1], low=plain[2], high=plain[3], chance=plain[4])
    if score.status == "ok" and score.value is None:
        return score._replace(status="failed", problem=score.problem or "the value is not a finite number")
    return score
