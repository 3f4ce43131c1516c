"""Every row gets the value that was said, as its column holds it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.generators.ruled_for_tests import made, refused, start, wrong

from synthwright.generators.constant import Constant


@pytest.mark.parametrize(("column", "said", "meant"), [
    ("number", 2.5, 2.5), ("number", "2.5", 2.5), ("whole", 7, 7), ("money", "12.50", Decimal("12.50")),
    ("label", "new", "new"), ("label", 3, "3"), ("label", True, "true"), ("flag", False, False), ("flag", "true", True),
    ("day", "2024-02-29", date(2024, 2, 29)), ("moment", "2024-02-29T12:30:00", datetime(2024, 2, 29, 12, 30)),
    ("clock", "09:30", time(9, 30)), ("spell", "PT90S", timedelta(seconds=90)), ("text", "a b", "a b"),
    ("raw", "xyz", b"xyz"), ("number", None, None),
])  # fmt: skip
def test_values(column: str, said: Any, meant: Any) -> None:
    """A value is understood as its column's kind writes it."""
    assert made(Constant(value=said), column, start(3)).column(column).to_pylist() == [meant] * 3


def test_by_column() -> None:
    """Columns may have values of their own; the zone of an instant is kept."""
    rule = Constant(value="rest", values={"whole": 1, "zoned": "2024-07-01T10:00:00Z"})
    table = made(rule, ["whole", "zoned", "label"], start(2))
    assert table.column("whole").to_pylist() == [1, 1]
    assert table.column("zoned")[0].as_py() == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert table.column("label").to_pylist() == ["rest", "rest"]


def test_misused(tmp_path: Path) -> None:
    """A value that a column cannot hold, none where there must be one, and columns it does not make are told."""
    assert wrong(Constant(value="x"), "whole") == ["value: column 'whole' cannot hold 'x': it is of kind 'integer'"]
    assert wrong(Constant(value=2.5), "whole")[0].startswith("value: column 'whole' cannot hold 2.5")
    assert "no value" in wrong(Constant(), "full")[0]
    assert "did you mean 'label'" in wrong(Constant(values={"lable": 1}), "label")[0]
    part = "make: [t.day]\nuse: constant\nwith:\n  values: {day: 2024-02-30}"
    assert refused(tmp_path, part)[0].startswith("2024-02-30} ← constant: column 'day' cannot hold '2024-02-30'")
