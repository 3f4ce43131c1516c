"""Every sink's files say that their rows were made, or lie beside what says it, and which generation they are."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright import cli
from synthwright.core import registry
from synthwright.core.contracts import Sink
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.kit.files import GENERATION, SYNTHETIC
from synthwright.report.manifest import verify
from synthwright.report.report import descended
from synthwright.sinks.choose import for_path
from synthwright.sources.provenance import MARKER, generation_of, mark_beside, synthetic_origin

MARK = {SYNTHETIC: "true", GENERATION: "3"}
INSIDE = ("parquet", "arrow", "excel", "sqlite", "huggingface")
"""Sinks whose files say it themselves, wherever they are copied."""
SETTINGS: dict[str, dict[str, Any]] = {
    "fhir": {"resources": {"Patient": {"table": "data", "fields": {"id": "answer"}}}, "bundle": "Patient"},
    "huggingface": {"card": True},
}


def rows() -> pa.Table:
    """Return rows that every sink can write."""
    spans = json.dumps([{"start": 0, "end": 2, "label": "X"}])
    return pa.table({"prompt": ["an ask", "other"], "chosen": ["good", "fine"], "rejected": ["bad", "poor"],
                     "text": ["an ask", "other"], "spans": [spans, spans], "answer": ["one", "two"],
                     "instruction": ["do", "be"], "output": ["one", "two"]})  # fmt: skip


@pytest.mark.parametrize("name", registry.names("sinks"))
def test_a_release_of_every_sink(name: str, tmp_path: Path) -> None:
    """Each file of a release is known by its own mark or by the manifest, with its generation."""
    kind = registry.find("sinks", name)
    assert issubclass(kind, Sink)
    kinds = {c: {"kind": "text", "nulls": False} for c in rows().column_names}
    schema = sw.Schema.model_validate({"tables": {"data": {"fields": kinds}}})
    sink = kind.model_validate(SETTINGS.get(name, {}))
    written = sink.write(Dataset.of(rows(), schema), tmp_path / "data", MARK)
    files: dict[str, Any] = {p.relative_to(tmp_path).as_posix(): {} for p in written}
    (tmp_path / "manifest.json").write_text(json.dumps({"synthwright": "1", "generation": 3, "files": files}))
    data = [p for p in written if p.suffix != ".md"]
    assert data
    for path in data:
        assert generation_of([path]) == 3, path.name
        copied = Path(shutil.copy(path, tmp_path / f"copy{''.join(path.suffixes)}"))
        assert generation_of([copied]) == (3 if name in INSIDE else 0), "what has no metadata is known by the manifest"


@pytest.mark.parametrize("ending", ["parquet", "arrow", "xlsx", "sqlite"])
@pytest.mark.parametrize(("said", "wanted"), [("7", 7), (None, 1), ("many", 1), ("0", 1), ("9" * 30, 1)])
def test_a_mark_carries_its_generation(tmp_path: Path, ending: str, said: str | None, wanted: int) -> None:
    """A mark without a number, or with none that is one, is the first generation."""
    if ending == "sqlite" and said is not None and said != "7":
        pytest.skip("its head holds a number, whatever it is")
    path = tmp_path / f"made.{ending}"
    for_path(path).write_file(rows(), path, {SYNTHETIC: "true"} | ({} if said is None else {GENERATION: said}))
    assert generation_of([path]) == wanted


def test_the_newest_counts(tmp_path: Path) -> None:
    """Of several files the largest generation; real ones count none."""
    real, made = tmp_path / "real.parquet", tmp_path / "made.parquet"
    pq.write_table(rows(), real)
    for_path(made).write_file(rows(), made, MARK)
    assert generation_of([real]) == 0
    assert generation_of([real, made]) == 3
    assert generation_of([]) == 0


def test_a_marker_beside(tmp_path: Path) -> None:
    """It speaks for the file of its name alone, and where it is damaged it says nothing."""
    path, other = tmp_path / "fake.csv", tmp_path / "other.csv"
    for file in (path, other):
        file.write_text("a\n1\n2\n", encoding="utf-8")
    marker = mark_beside(path, 2)
    assert marker.name == f"fake.csv{MARKER}"
    assert synthetic_origin([other, path]) == path
    assert generation_of([path]) == 2
    assert sw.read(tmp_path).rows() == 4, "a folder that is read does not hold it as a table"
    for broken in ("{", "[]", '{"synthetic": "yes"}', "[" * 100_000):
        marker.write_text(broken, encoding="utf-8")
        assert synthetic_origin([path]) is None


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["synthwright", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_what_sample_writes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Formats without a place for the mark get a marker beside them; `fit` refuses both, with reason and remedy."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"age": [*range(20, 60)], "job": ["a", "b"] * 20}), "people.parquet")
    assert command(monkeypatch, "fit", "people.parquet", "-o", "model", "-g", "marginals") == 0
    for name in ("fake.csv", "fake.jsonl", "fake.parquet", "fake.tsv.gz"):
        assert command(monkeypatch, "sample", "model", "-n", "30", "-o", name) == 0
        assert Path(f"{name}{MARKER}").exists() == (name != "fake.parquet")
        assert generation_of([tmp_path / name]) == 1
        capsys.readouterr()
        assert command(monkeypatch, "fit", name, "-o", "other", "-g", "marginals") == 1
        said = " ".join(capsys.readouterr().err.split())
        assert "wanted real rows, got rows that say they are synthetic" in said
        assert "accept_synthetic: true" in said


def test_generations_are_counted_and_told(tmp_path: Path) -> None:
    """A run that accepts synthetic rows marks the next generation, and report, card and manifest say which it is."""
    people = tmp_path / "people.parquet"
    for_path(people).write_file(pa.table({"age": [*range(20, 60)], "job": ["a", "b"] * 20}), people, MARK)
    spec = ("synthwright: 1\nname: people\nsource: {use: parquet, with: {path: people.parquet}}\n"
            "start: {rows: {people: 30}}\nparts: [{make: [people.*], use: marginals}]\n"
            "evaluate: {metrics: [integrity]}\nrelease: {use: csv}\n")  # fmt: skip
    at, out = tmp_path / "people.yaml", tmp_path / "out"
    at.write_text(spec, encoding="utf-8")
    with pytest.raises(InputError, match=r"say they are synthetic.*accept_synthetic: true"):
        sw.run(at, out)
    at.write_text(spec + "accept_synthetic: true\n", encoding="utf-8")
    report = sw.run(at, out)
    assert report.generation == 4
    said = "These rows are generation 4"
    assert report.warnings[0].startswith(
        f"{said}: they were made from rows that are synthetic themselves (generation 3)"
    )
    assert said in (out / "README.md").read_text(encoding="utf-8")
    assert said in (out / "internal" / "report.md").read_text(encoding="utf-8")
    assert json.loads((out / "manifest.json").read_bytes())["generation"] == 4
    assert verify(out) == []
    assert generation_of([out / "data" / "people" / "part-00000.csv"]) == 4


def test_rows_made_from_real_ones_are_the_first(tmp_path: Path) -> None:
    """They say nothing of generations: only what is made from made rows does."""
    assert descended(1) == ()
    made = tmp_path / "made.sqlite"
    for_path(made).write_file(rows(), made, {SYNTHETIC: "true"})
    assert made.read_bytes()[60:64] == bytes(4)
    assert generation_of([made]) == 1
