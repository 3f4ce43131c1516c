"""Numbers that a workbook keeps as text: codes, amounts, columns of both, cells that say there is none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa

import synthwright as sw
from synthwright.core.context import Context
from synthwright.sinks.excel import Excel as ExcelSink
from synthwright.sources.excel import Excel

RNG = np.random.default_rng(4)
ROWS = 200
DAYS = np.datetime64("2021-01-01") + RNG.integers(0, 700, ROWS)


def _book(path: Path, columns: dict[str, list[Any]]) -> None:
    made = openpyxl.Workbook()
    made.active.append([*columns])
    for row in zip(*columns.values(), strict=True):
        made.active.append(row)
    made.save(path)


def _cells(path: Path) -> dict[str, set[type]]:
    rows = [*openpyxl.load_workbook(path).active.values]
    return {str(c): {type(r[i]) for r in rows[1:]} - {type(None)} for i, c in enumerate(rows[0])}


def test_cells_stay_what_they_are(tmp_path: Path) -> None:
    """Codes, amounts and truth as text are text again in the workbook that is made; numbers and days are not."""
    columns: dict[str, list[Any]] = {
        "zip": [f"{z:05d}" for z in RNG.integers(1, 30, ROWS) * 37],
        "amount": [f"{x:.2f}" for x in RNG.gamma(3, 50, ROWS)],
        "count": [str(x) for x in RNG.integers(1, 400, ROWS)],
        "number": RNG.integers(1, 400, ROWS).tolist(),
        "serial": (44_000 + RNG.integers(0, 900, ROWS)).tolist(),
        "day": [dt.datetime.fromisoformat(str(d)) for d in DAYS],
        "said": [".".join(reversed(str(d).split("-"))) for d in DAYS],
        "truth": RNG.choice(["true", "false"], ROWS).tolist(),
    }
    _book(tmp_path / "in.xlsx", columns)
    data = sw.read(str(tmp_path / "in.xlsx"))
    made = sw.fit(data, generator="marginals", seed=1).sample(100, seed=2)
    table = made.to_arrow(next(iter(made.schema.tables)))
    ExcelSink().write_file(table, tmp_path / "out.xlsx", {})
    assert _cells(tmp_path / "out.xlsx") == _cells(tmp_path / "in.xlsx")
    assert set(table["zip"].to_pylist()) <= set(columns["zip"])


def test_numbers_some_of_which_are_text(tmp_path: Path) -> None:
    """A column of numbers is one although some cells are text, or say that there is none; one with codes is text."""
    _book(tmp_path / "x.xlsx", {"some": [1, "2", 3.5, "n/a"], "zip": [12345, "01234", 99, 1], "word": [1, "two", 3, 4]})
    table = Excel(path="x.xlsx").tables(Context(root=tmp_path))["x"]
    assert table["some"].to_pylist() == [1.0, 2.0, 3.5, None]
    assert table["some"].type == pa.float64()
    assert table["zip"].to_pylist() == ["12345", "01234", "99", "1"]
    assert table["word"].to_pylist() == ["1", "two", "3", "4"]
