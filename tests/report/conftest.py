"""Canned scores and reports: metrics have their own tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Score, Sink
from synthwright.core.dataset import Dataset
from synthwright.core.plan import Plan, PlannedPart
from synthwright.core.spec import Spec
from synthwright.kit.files import folder_names
from synthwright.report.card import write_card
from synthwright.report.croissant import write_croissant
from synthwright.report.manifest import write_manifest
from synthwright.report.report import Report
from synthwright.report.verdict import settle

GOALS = {
    "shape": "lower", "trend": "lower", "detection": "lower", "dcr-share": "lower", "exact-copies": "lower",
    "membership": "lower", "singling-out": "lower", "linkability": "lower", "attribute-inference": "lower",
    "tstr": "higher", "coverage": "higher", "rules": "higher", "keys": "higher", "rows": "higher",
    "dependencies": "higher",
}  # fmt: skip
GOOD = (
    Score("shape", "", 0.013, 0.012, 0.01, 0.016),
    Score("shape", "worst", 0.03, 0.02, 0.02, 0.04),
    Score("trend", "", 0.02, 0.02, 0.01, 0.03),
    Score("detection", "", 0.52, 0.5, 0.5, 0.54),
    Score("tstr", "", 0.91, 0.92, 0.9, 0.92),
    Score("dcr-share", "", 0.5, 0.5, 0.48, 0.52),
    Score("coverage", "", 0.99, 0.99, 0.98, 1.0),
    Score("exact-copies", "", 0.001, 0.001, 0.0, 0.002),
    Score("membership", "", 0.51, 0.5, 0.47, 0.55),
    Score("singling-out", "", 0.0, 0.0, 0.0, 0.02),
    Score("linkability", "", 0.0, 0.0, 0.0, 0.02),
    Score("attribute-inference", "", 0.01, 0.0, 0.0, 0.03),
    Score("rules", "", 1.0, 1.0, 0.99, 1.0),
    Score("keys", status="not-applicable", problem="no table has a key"),
    Score("rows", "", 1.0, 1.0, 1.0, 1.0),
)
"""Scores of a good run."""

FOUR = ("rules >= 1", "keys >= 1", "rows >= 1", "exact-copies <= 1.1 * reference + 0.01")
"""The gates of a small run."""
MakeReport = Callable[..., Report]


@pytest.fixture
def make_report() -> MakeReport:
    """Return a maker of reports from scores, gates and what else they are told."""

    def make(
        scores: Sequence[Score] = GOOD,
        gates: Sequence[str] = FOUR,
        data: Dataset | None = None,
        **told: object,
    ) -> Report:
        rows = {"person": 1000} if data is None else {t: data.rows(t) for t in data.schema.tables}
        known = {"rows": rows, "fingerprint": "abc123", "seconds": {"fit": 1.23456}, "dropped": {"duplicate": 3}} | told
        return Report.of(scores, settle(scores, gates), goals=GOALS, **known)  # type: ignore[arg-type]

    return make


@pytest.fixture
def good() -> tuple[Score, ...]:
    """Return the scores of a good run."""
    return GOOD


class Lathe(Generator):
    """Stands for a generator: a card names it and nothing more."""

    name: ClassVar[str] = "lathe"
    abilities: ClassVar[Abilities] = Abilities(frozenset())

    def fit(self, data: Dataset, part: Part, ctx: Context) -> Model:
        """Learn nothing."""
        raise NotImplementedError


class Press(Sink):
    """Stands for a sink."""

    name: ClassVar[str] = "press"

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        """Write nothing."""
        raise NotImplementedError

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        """Write nothing."""
        raise NotImplementedError


MakePlan = Callable[..., Plan]


@pytest.fixture
def make_plan() -> MakePlan:
    """Return a maker of plans: one generator makes all columns of a dataset but those that are kept."""

    def make(data: Dataset, *, keep: Sequence[str] = (), **said: object) -> Plan:
        made = tuple(c for c in data.schema.columns if c not in keep)
        words = {"synthwright": 1, "name": "things", "seed": 7, "schema": data.schema} | said
        words |= {"start": {"from": "source", "keep": list(keep)}} if keep else {}
        parts = tuple(PlannedPart(t, Lathe(), Part(tuple(c for c in made if data.schema.split(c)[0] == t)), t)
                      for t in data.schema.tables)  # fmt: skip
        return Plan(Spec.model_validate(words), data.schema, parts, (), (), (), Press())

    return make


@pytest.fixture
def make_release(tmp_path: Path, make_report: MakeReport) -> Callable[..., Path]:
    """Return a maker of release folders: data in so many files a table, card, croissant, lock, report, manifest."""

    def make(data: Dataset, plan: Plan, *, parts: int = 1, name: str = "release") -> Path:
        folder = tmp_path / name
        report = make_report(data=data)
        for table, place in folder_names(data.schema.tables).items():
            (folder / "data" / place).mkdir(parents=True)
            held, each = data.to_arrow(table), -(-data.rows(table) // parts)
            for i in range(parts):
                pq.write_table(held.slice(i * each, each), folder / "data" / place / f"part-{i:05}.parquet")
        report.write(folder / "internal" / "report.json")
        for page in ("report.html", "report.md", "officer.html", "officer.md"):
            (folder / "internal" / page).write_text("<!doctype html>", encoding="utf-8")
        (folder / "internal" / "quarantine").mkdir()
        first = next(iter(folder_names(data.schema.tables).values()))
        (folder / "internal" / "quarantine" / f"{first}.parquet").write_bytes(b"rows that went")
        (folder / "spec.lock.yaml").write_text("synthwright: 1\n", encoding="utf-8")
        write_card(folder, report, plan)
        write_croissant(folder, data.schema, name="things", description="Synthetic things.")
        write_manifest(folder, report, inputs={"things.csv": "0" * 64}, seed=7, notes=["cells were defused"])
        return folder

    return make
