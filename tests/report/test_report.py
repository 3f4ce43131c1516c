"""The report: a contract in JSON, a table on the terminal, a cell in a notebook."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rich.console import Console

from synthwright.core.contracts import Score
from synthwright.core.errors import StoreError
from synthwright.core.spend import Spend
from synthwright.report.report import Report
from synthwright.report.verdict import settle

MakeReport = Callable[..., Report]


def shown(report: Report, width: int = 100) -> str:
    """Return what the report prints."""
    out = io.StringIO()
    report.show(Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_json_is_the_contract(make_report: MakeReport) -> None:
    """`report.json` has exactly the agreed words, and warnings, notes and whether it was only judged beside."""
    said = make_report().to_json()
    assert set(said) == {"synthwright", "verdict", "rows", "scores", "gates", "dropped", "seconds", "spend",
                         "fingerprint", "judged", "warnings", "notes", "waived", "went", "costs", "cells",
                         "diversity", "generation"}  # fmt: skip
    assert set(said["scores"][0]) == {
        "metric",
        "about",
        "value",
        "reference",
        "low",
        "high",
        "goal",
        "status",
        "problem",
        "chance",
    }
    assert set(said["gates"][0]) == {"gate", "value", "bound", "passed", "why"}
    assert said["verdict"] == "released"
    assert said["rows"] == {"person": 1000}
    assert said["scores"][0]["goal"] == "lower"
    assert said["spend"] == {"epsilon": None, "delta": 0.0, "unit": "row"}
    assert said["seconds"] == {"fit": 1.235}


def test_is_written_and_read_again(make_report: MakeReport, tmp_path: Path) -> None:
    """What is read is what was written, and it is plain JSON without NaN."""
    report = make_report(notes=["größe: 大きさ"], spend=Spend(1.5, 1e-6, "person"))
    report.write(tmp_path / "deep" / "report.json")
    text = (tmp_path / "deep" / "report.json").read_text(encoding="utf-8")
    assert Report.read(tmp_path / "deep" / "report.json") == report
    assert "größe: 大きさ" in text
    assert json.loads(text, parse_constant=pytest.fail) == report.to_json()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["report.json"]  # nothing half-written is left


def test_numbers_that_are_none_are_failures(make_report: MakeReport) -> None:
    """A score that claims to be ok and is NaN or infinite is a failure; NaN elsewhere is nothing."""
    report = make_report([Score("shape", "", math.nan), Score("trend", "", 0.1, math.inf, -math.inf, math.nan)], [])
    assert [s.status for s in report.scores] == ["failed", "ok"]
    assert report.scores[0].problem == "the metric gave no number"
    assert (report.scores[1].reference, report.scores[1].low, report.scores[1].high) == (None, None, None)
    json.dumps(report.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    "edit",
    [
        {"verdict": "refused"},
        {"gates": [{"gate": "rules >= 1", "value": 0.5, "bound": 1.0, "passed": False, "why": ""}]},
        {"scores": [{"metric": "shape", "value": "good"}]},
        {"surprise": 1},
    ],
)
def test_an_altered_report_is_refused(make_report: MakeReport, tmp_path: Path, edit: dict[str, Any]) -> None:
    """A report whose verdict does not follow from its gates, or with strange words, is not read."""
    path = tmp_path / "report.json"
    path.write_text(json.dumps(make_report().to_json() | edit), encoding="utf-8")
    with pytest.raises(StoreError, match="what Synthwright wrote"):
        Report.read(path)


def test_a_missing_or_broken_report_is_told(tmp_path: Path) -> None:
    """No file and no JSON are messages, not tracebacks."""
    with pytest.raises(StoreError, match="no such file"):
        Report.read(tmp_path / "report.json")
    (tmp_path / "report.json").write_bytes(b"\xff{")
    with pytest.raises(StoreError, match="the report"):
        Report.read(tmp_path / "report.json")


def test_is_frozen(make_report: MakeReport) -> None:
    """A report cannot be changed."""
    with pytest.raises(ValidationError):
        make_report().verdict = "refused"  # type: ignore[misc]


def test_verdict_in_a_sentence(make_report: MakeReport, good: tuple[Score, ...]) -> None:
    """The summary says what was released, or which gate failed and by how much, and how many more did."""
    assert make_report().summary == "Released: 1,000 rows; 3 of 4 gates apply, and all of these are met."
    assert make_report(gates=["rules >= 1", "shape <= 1"]).summary == "Released: 1,000 rows; all 2 gates are met."
    assert make_report(gates=["rules >= 1"], rows={"a": 1, "b": 2}).summary == (
        "Released: 3 rows in 2 tables; the gate is met."
    )
    assert "no gate was set" in make_report(gates=[]).summary
    refused = make_report(gates=["shape <= 0.001", "trend <= 0", "rules >= 1"])
    assert refused.summary == "Refused: shape is 0.013, over the bound 0.001 by 0.012 (and 1 more)."
    assert not refused.passed


def test_shows_scores_gates_and_warnings(make_report: MakeReport, good: tuple[Score, ...]) -> None:
    """The terminal shows values beside references and intervals, marks of gates, warnings and dropped rows."""
    bad = Score("shape", "", 0.2, 0.012, 0.19, 0.21), Score("tstr", status="failed", problem="[red]it raised")
    single = Score("shape", "person.age", 0.3, 0.01), Score("coverage", "person.sex", 0.9, 1.0)
    scores = [*good[1:], *bad, *single]
    text = shown(make_report(scores, ["rules >= 1", "keys >= 1", "shape[person.age] <= 0.1"]))
    assert text.startswith("Refused: shape[person.age] is 0.3")
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert "falls short" in lines["shape"]
    assert "0.19 to 0.21" in lines["shape"]
    assert "NOT MET" in lines["shape[person.age]"]
    assert "met" in lines["rules"]
    assert next(line for line in text.splitlines() if line.startswith("not applicable")).split()[2] == "keys:"
    assert "keys" not in lines  # a table of what was measured
    assert "person.sex" not in text  # single columns only where a gate names them
    assert "[red]it raised" in text  # what looks like markup is text
    assert "duplicate 3" in text


def test_of_two_gates_on_a_score_the_failing_one_is_shown(make_report: MakeReport) -> None:
    """A score that meets one gate and misses another is not marked as met."""
    text = shown(make_report(gates=["shape <= 0.001", "shape <= 1"]))
    assert next(line for line in text.splitlines() if line.startswith("shape ")).rstrip().endswith("NOT MET")


def test_fits_a_narrow_terminal(make_report: MakeReport) -> None:
    """At 80 characters no line is longer, and no number is cut."""
    text = shown(make_report(), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "0.01 to 0.016" in text


def test_displays_in_a_notebook(make_report: MakeReport) -> None:
    """The cell shows the verdict and escapes whatever names there are."""
    scores = [Score("shape", "", 0.1), Score("trend", status="failed", problem="<script>alert(1)</script>")]
    html = make_report(scores, ["shape[t.<b>] <= 1"])._repr_html_()
    assert "Refused" in html
    assert "<script>" not in html
    assert "<b>]" not in html


def test_asks_registered_metrics_for_their_goals() -> None:
    """Without being told, goals come from the metrics; unknown metrics have none."""
    scores = [Score("shape", "", 0.1), Score("tstr", "", 0.9), Score("unheard-of", "", 0.9)]
    report = Report.of(scores, settle(scores, []), rows={"t": 1}, fingerprint="x")
    assert [s.goal for s in report.scores] == ["lower", "higher", None]
