"""Numbers beyond what their column has room for are told, never cut in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind
from synthwright.kit.room import at_an_end, beyond, refuse, refuse_rows

SPEC = """\
synthwright: 1
name: far
schema:
  tables:
    t:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        n: {kind: integer, type: int8, nulls: false}
start: {rows: {t: 2000}}
parts:
  - {make: [t.id], use: counter}
  - {make: [t.n], use: distribution, with: {normal: {mean: 100, sd: 20}}}
evaluate: {metrics: [integrity]}
"""


@pytest.mark.parametrize(("kind", "kinded", "values", "wrong"), [
    ("int8", Kind.INTEGER, [127.4, 127.6, -128.4, -128.6, np.nan, np.inf], [0, 1, 0, 1, 0, 1]),
    ("uint8", Kind.INTEGER, [-0.4, -0.6, 255.4, 255.6], [0, 1, 0, 1]),
    ("int64", Kind.INTEGER, [2.0**63, -(2.0**63), 2.0**62], [1, 0, 0]),
    ("uint64", Kind.INTEGER, [2.0**64, 2.0**63, -1.0], [1, 0, 1]),
    ("decimal128(5, 2)", Kind.NUMBER, [999.994, 999.996, -999.994, -1e9], [0, 1, 0, 1]),
    ("float", Kind.NUMBER, [1e300, 1.0, np.inf], [1, 0, 0]),
    (None, Kind.NUMBER, [1e300, np.inf], [0, 0]),
    (None, Kind.DATE, [0.0, 4e6, -8e5], [0, 1, 1]),
    (None, Kind.TIME, [0.0, 86_400e6, -5.0], [0, 1, 1]),
])  # fmt: skip
def test_which_numbers_are_beyond(kind: str | None, kinded: Kind, values: list[float], wrong: list[int]) -> None:
    """Numbers are held against the type outside, rounded; infinities fit into floats."""
    found = beyond(np.array(values), Field(kind=kinded, type=kind))
    assert (np.zeros(len(values)) if found is None else found).tolist() == wrong


@pytest.mark.parametrize("values", [np.array([1, 300]), pa.array([1, 300]), np.array([1.0, 300.0])])
def test_what_is_computed_is_refused(values: Any) -> None:
    """Where no row can go, a number too large is a fault with its ends."""
    with pytest.raises(SampleError, match="numbers that type uint8 has room for, got 1 to 300"):
        refuse(values, Field(kind=Kind.INTEGER, type="uint8"), "x", "c")
    refuse(values[:1], Field(kind=Kind.INTEGER, type="uint8"), "x", "c")


def test_rows_that_cannot_go() -> None:
    """Where rows belong to something larger, their rulings are a fault."""
    from synthwright.core.contracts import Verdict

    refuse_rows([Verdict.of("t", np.zeros(3, dtype=bool), "beyond-type")], "x", "c")
    with pytest.raises(SampleError, match="others in 2 rows"):
        refuse_rows([Verdict.of("t", np.array([True, False, True]), "beyond-type")], "x", "c")


def test_where_a_column_ends() -> None:
    """The ends of a narrow type are found again."""
    column = pa.chunked_array([pa.array([127, 5, -128])])
    assert at_an_end(column, Field(kind=Kind.INTEGER, type="int8")).tolist() == [True, False, True]


def test_rows_go_and_come_again(tmp_path: Path) -> None:
    """Drawn numbers that do not fit make no pile at the end of the type: their rows go, and the report says why."""
    (tmp_path / "far.yaml").write_text(SPEC)
    report = sw.run(tmp_path / "far.yaml", tmp_path / "out")
    assert report.passed
    assert report.dropped["beyond-type"] > 100
    assert any(w.sentence.endswith('more than the type of "n" has room for') for w in report.went)
    values = pq.read_table(tmp_path / "out" / "data" / "t")["n"].to_numpy()
    expected = 2000 * 0.0080 / 0.9154  # the density of 127 beside what fits
    assert np.count_nonzero(values == 127) < expected + 6 * expected**0.5
