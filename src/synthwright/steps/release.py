"""Step 7: gates are held against the scores; what meets them leaves, with its card, lock and manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from synthwright import __version__
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.jobs import varied
from synthwright.core.plan_models import remarks
from synthwright.core.plan_private import guarantee, spent
from synthwright.core.spec import Lock
from synthwright.core.writing import document
from synthwright.kit.files import GENERATION, folder_names
from synthwright.report.card import write_card
from synthwright.report.croissant import write_croissant
from synthwright.report.diversity import DiversityRow
from synthwright.report.effort import CellRow, CostRow
from synthwright.report.formats import write_report
from synthwright.report.manifest import write_manifest
from synthwright.report.report import Report
from synthwright.report.verdict import settle
from synthwright.steps.cells import Tally, in_vain, tallies, unfilled
from synthwright.steps.evaluate import case_of, likened
from synthwright.steps.models import costs
from synthwright.steps.orders import Bench
from synthwright.steps.private import shown
from synthwright.steps.reasons import went
from synthwright.steps.source import Sourced
from synthwright.steps.waves import Wave
from synthwright.store.out import INTERNAL, Out

REASON = "#reason"
"""The column of a quarantined row that says why it went."""


class Ended(NamedTuple):
    """What a run has come to before it is released."""

    bench: Bench
    sourced: Sourced | None
    waves: list[Wave]
    kept: str
    asked: dict[str, int]
    """How many rows of each table were wanted."""
    scores: list[Score]
    seconds: dict[str, float]
    fingerprint: str
    diversity: tuple[DiversityRow, ...] = ()
    """How varied written texts were, wave by wave."""
    releases: Mapping[str, str] = MappingProxyType({})
    """What parts with a privacy budget were learned from, by the part's name."""


def release(ended: Ended, place: Out) -> Report:
    """Settle the gates, write report and quarantine, and the data if every gate is met; return the report."""
    plan = ended.bench.plan
    gates = settle(ended.scores, [g.text for g in plan.gates])
    case = case_of(ended.bench, ended.kept, ended.asked)
    rows = {t: case.synthetic.rows(t) for t in plan.schema.tables}
    filled = tallies(ended.bench, ended.waves)
    report = Report.of(ended.scores, gates, rows=rows, fingerprint=ended.fingerprint, dropped=_dropped(ended.waves),
                       went=went(ended.waves, plan), seconds=ended.seconds, notes=_notes(ended, filled),
                       waived=plan.waived, diversity=ended.diversity, spend=spent(plan.spec, plan.parts),
                       generation=_generation(ended), **_effort(ended, rows, filled))  # fmt: skip
    staged = place.stage()
    _quarantine(ended.waves, staged / INTERNAL / "quarantine")
    ended.bench.ctx.progress(1, 3, "report and data")
    with ThreadPoolExecutor(1) as beside:  # data is compressed while charts are drawn
        data = beside.submit(_write_data, ended, case, staged) if report.passed else None
        write_report(report, case, staged / INTERNAL)
    if data is not None:
        data.result()
        ended.bench.ctx.progress(2, 3, "card")
        _write_release(ended, report, staged)
    place.settle(staged)
    return report


def _effort(ended: Ended, rows: dict[str, int], filled: list[Tally]) -> dict[str, Any]:
    """Return what language models cost, and how the cells were filled: what a cell's row cost follows from both."""
    spent = costs(ended.bench, ended.waves, rows)
    found = [CostRow(part=c.part, recipe=c.recipe, model=c.model, calls=c.calls, asked=c.asked, wrote=c.wrote,
                     usd=c.usd, rows=c.rows) for c in spent]  # fmt: skip
    made = Counter[str]()
    for one in filled:
        made[one.table] += one.made
    cells = []
    for one in filled:
        mine = [c.usd for c in spent if c.table == one.table]
        known = [usd for usd in mine if usd is not None]
        each = sum(known) / made[one.table] if mine and len(known) == len(mine) and made[one.table] else None
        cells.append(CellRow(table=one.table, cell=str(one.cell), wanted=one.cell.rows, kept=one.kept, gone=one.gone,
                             usd=each * one.made / one.kept if each is not None and one.kept else None))  # fmt: skip
    return {"costs": found, "cells": cells}


def _generation(ended: Ended) -> int:
    """Return how many generations of made rows lie between what is released and real rows, this one included."""
    return 1 + (ended.sourced.generation if ended.sourced else 0)


def _write_data(ended: Ended, case: Case, folder: Path) -> None:
    plan, spec = ended.bench.plan, ended.bench.plan.spec
    metadata = {
        "synthwright.synthetic": "true",
        "synthwright.version": __version__,
        "synthwright.name": spec.name,
        "synthwright.seed": str(spec.seed),
        "synthwright.fingerprint": ended.fingerprint,
        **({GENERATION: str(_generation(ended))} if _generation(ended) > 1 else {}),
    }
    plan.sink.write(case.synthetic, folder / "data", metadata)


def _write_release(ended: Ended, report: Report, folder: Path) -> None:
    """Write what stands beside the data: lock, card, description, manifest."""
    plan, spec = ended.bench.plan, ended.bench.plan.spec
    inputs = shown(spec, ended.sourced.inputs) if ended.sourced else {}
    locked = spec.model_copy(update={"lock": Lock(version=__version__, inputs=inputs, releases=dict(ended.releases))})
    head = (
        f"# What {spec.name!r} was made from: the same bytes come out of it again, with Synthwright {__version__}:\n"
        "#   synthwright run spec.lock.yaml --root FOLDER-OF-THE-SPECIFICATION --out ANOTHER-FOLDER\n"
    )
    said = _lean(locked.to_json() | {"schema": plan.schema.model_dump(mode="json", exclude_defaults=True)})
    (folder / "spec.lock.yaml").write_text(head + document(said), encoding="utf-8")
    write_card(folder, report, plan)
    write_croissant(
        folder, plan.schema, name=spec.name, description=f"Synthetic rows made by Synthwright {__version__}."
    )
    write_manifest(folder, report, inputs=inputs, seed=spec.seed, notes=plan.sink.notes())


def _lean(said: dict[str, Any]) -> dict[str, Any]:
    """Return a specification without what is null: a file people read says only what there is to say.

    What `set:` chooses may be null, and stays.
    """
    lean: dict[str, Any] = {}
    for word, value in said.items():
        if isinstance(value, dict):
            lean[word] = value if word == "set" else _lean(value)
        elif isinstance(value, list):
            lean[word] = [_lean(v) if isinstance(v, dict) else v for v in value]
        elif value is not None:
            lean[word] = value
    return lean


def _dropped(waves: list[Wave]) -> dict[str, int]:
    """Return how many rows went, by reason."""
    counted: Counter[str] = Counter()
    for wave in waves:
        for verdict in wave.dropped()[1]:
            counted.update(verdict.reason.to_pylist())
    return dict(counted)


def _notes(ended: Ended, filled: list[Tally]) -> list[str]:
    notes = list(ended.sourced.notes) if ended.sourced else []
    counts = [w.counts() for w in ended.waves]
    for table in ended.bench.plan.schema.tables:
        redrawn, repaired = (sum(c[word].get(table, 0) for c in counts) for word in ("redrawn", "repaired"))
        if redrawn:
            notes.append(f"{table}: {redrawn:,} rows broke a rule when first drawn and were drawn again")
        if repaired:
            notes.append(
                f"{table}: {repaired:,} rows still broke a rule after several draws and were moved to its edge"
            )
    notes += [doubt.message for doubt in ended.bench.plan.doubts]
    keep = ended.bench.plan.spec.begin.keep
    if keep:
        notes.append(f"these columns hold the real values of real rows, as the specification asks: {', '.join(keep)}")
    notes += _of_curators(ended)
    near = varied(ended.bench.plan.spec, ended.bench.plan.parts)
    if near:
        notes.append(f"these columns hold real values of real rows, varied a little, as the specification asks: "
                     f"{', '.join(near)}")  # fmt: skip
    notes += unfilled(filled)
    notes += [f"{table}: none of {made:,} rows stayed, so no more were made: see why they went"
              for table, made in in_vain(ended.bench, ended.waves).items()]  # fmt: skip
    notes += guarantee(ended.bench.plan.parts, ended.bench.plan.curators)
    return notes + list(likened(ended.bench, ended.kept, ended.asked).notes)


def _of_curators(ended: Ended) -> list[str]:
    """Return what curators want readers to know: of their rulings, and of the language models that they ask."""
    plan = ended.bench.plan
    said = remarks(plan.models, (p.generator for p in plan.parts), plan.curators)
    return list(dict.fromkeys([*(note for wave in ended.waves for note in wave.notes()), *said]))


def _quarantine(waves: list[Wave], folder: Path) -> None:
    """Write the rows that went, as they would look outside, each with its reason."""
    pieces: dict[str, list[pa.Table]] = {}
    for wave in waves:
        data, verdicts = wave.dropped()
        reasons = {v.table: v.reason for v in verdicts}
        for table in data.schema.tables:
            if data.rows(table):
                held = _whole(data, table).append_column(REASON, reasons[table])
                pieces.setdefault(table, []).append(held)
    folder.mkdir(parents=True)
    names = folder_names(pieces)
    for table, held in pieces.items():
        pq.write_table(pa.concat_tables(held), folder / f"{names[table]}.parquet", compression="zstd")


def _whole(data: Dataset, table: str) -> pa.Table:
    return data.to_arrow(table).replace_schema_metadata(None)
