"""Cells: so many rows of each combination of values that stay, and a word on those that cannot be filled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SpecError

TICKETS = """
synthwright: 1
name: tickets
seed: 5
schema:
  tables:
    ticket:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        intent: {kind: category, nulls: false, labels: [refund, login, cancel]}
        tone: {kind: category, nulls: false}
        level: {kind: integer, nulls: false}
        edge: {kind: category, nulls: false}
        score: {kind: number, nulls: false}
start:
  cells:
    ticket:
CELLS
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.score], MAKER}
curate: [{use: rules, with: {rules: {ticket: ['score < 0.5']}}}]
evaluate: {metrics: [integrity]}
"""
UNIFORM = "use: distribution, with: {uniform: {low: 0, high: 1}}"
PLAIN = """
      by: {intent: [], tone: [calm, angry], level: [1, 2]}
      rows: 10
      quotas: [{where: {intent: refund}, rows: 3}, {where: {intent: refund, tone: angry}, rows: 7}]
      cases: {shouting: {where: {tone: angry}, rows: 8}}
      case: edge
"""


def made(tmp_path: Path, cells: str, maker: str = UNIFORM) -> tuple[Any, Path]:
    """Run the tickets."""
    spec = tmp_path / "tickets.yaml"
    lines = "\n".join("  " + line for line in cells.strip("\n").splitlines())
    spec.write_text(TICKETS.replace("CELLS", lines).replace("MAKER", maker), encoding="utf-8")
    return sw.run(spec, tmp_path / "out"), tmp_path / "out"


def test_every_cell_has_its_rows_of_those_that_stayed(tmp_path: Path) -> None:
    """Quotas hold after half of the rows went; the last quota that fits counts; edge cases come on top."""
    report, out = made(tmp_path, PLAIN)
    assert report.passed
    rows = pq.read_table(out / "data" / "ticket").to_pylist()
    found = Counter((r["intent"], r["tone"], r["level"], r["edge"]) for r in rows)
    for intent in ("refund", "login", "cancel"):
        for tone in ("calm", "angry"):
            for level in (1, 2):
                wanted = {("refund", "calm"): 3, ("refund", "angry"): 7}.get((intent, tone), 10)
                assert found[intent, tone, level, ""] == wanted
    edge = {k: n for k, n in found.items() if k[3]}
    assert {k[3] for k in edge} == {"shouting"}
    assert {k[1] for k in edge} == {"angry"}
    assert sorted(edge.values()) == [1, 1, 1, 1, 2, 2]
    assert all(r["score"] < 0.5 for r in rows)


def test_a_cell_that_cannot_be_filled_is_given_up_and_named(tmp_path: Path) -> None:
    """One cell never gets a row: the others are full, no more rows are made for it, and the report says why."""
    maker = "use: formula, with: {formula: \"if(tone == 'angry' and level == 2, 1, 0)\"}"
    report, _ = made(tmp_path, "      by: {intent: [refund], tone: [calm, angry], level: [1, 2]}\n      rows: 6\n"
                     "      cases: {x: {rows: 0}}\n      case: edge", maker)  # fmt: skip
    assert not report.passed
    (note,) = [n for n in report.notes if n.startswith("ticket, cell")]
    assert "intent=refund, tone=angry, level=2: 0 of 6 rows stayed" in note
    assert "rule-broken" in note
    assert "no more were made for it" in note
    assert report.dropped["rule-broken"] < 60


@pytest.mark.parametrize(("cells", "words"), [
    ("      by: [intent, tone]", "no labels for 'tone'"),
    ("      by: {intent: [refnud], tone: [a]}", "'refnud' is no label"),
    ("      by: {tonne: [a]}", "did you mean 'tone'?"),
    ("      by: {tone: [a, a]}", "said twice"),
    ("      by: {tone: [a]}\n      quotas: [{where: {tone: b}, rows: 2}]", "no cell has tone 'b'"),
    ("      by: {tone: [a]}\n      quotas: [{where: {intent: b}, rows: 2}]", "not among the columns of 'by'"),
    ("      by: {tone: [a]}\n      cases: {x: {rows: 1}}", "say with 'case'"),
])  # fmt: skip
def test_cells_without_sense(tmp_path: Path, cells: str, words: str) -> None:
    """What cells cannot mean is told before anything runs."""
    with pytest.raises(SpecError, match=words.replace("?", r"\?")):
        made(tmp_path, cells)


def test_the_grid_shows_how_cells_stand() -> None:
    """Full cells by their rows, others as so many of so many; columns that have no room are added up."""
    from io import StringIO

    from rich.console import Console

    from synthwright.commands.grid import grid, summary
    from synthwright.core.cells import Cell
    from synthwright.steps.cells import Tally

    filled = [Tally("t", Cell({"a": a, "b": b}, 4), 4 if b else 1, {} if b else {"off-label": 30 * (a == "y")})
              for a in "xy" for b in range(3)]  # fmt: skip
    filled.append(Tally("t", Cell({"a": "y", "b": 2}, 5, "edge"), 0, {"off-label": 24}))
    assert summary(filled) == "4 of 7 cells are full, 11 rows are missing, 1 cell cannot be filled"
    console = Console(width=80, record=True, file=StringIO())
    console.print(grid(filled, 80))
    lines = [line.split() for line in console.export_text().splitlines()]
    assert ["x", "1/4", "4", "4"] in lines
    assert ["y", "1/4", "4", "4"] in lines
    assert ["y", "(edge)", "0/5"] in lines
    narrow = Console(width=30, record=True, file=StringIO())
    narrow.print(grid(filled, 30))
    assert ["x", "9/12"] in [line.split() for line in narrow.export_text().splitlines()]
