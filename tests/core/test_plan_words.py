"""Faults of parameters and circles of columns are said as they are written in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.line import check

SPEC = """\
synthwright: 1
name: circle
schema:
  tables:
    customer:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        rank: {kind: number}
        twice: {kind: number}
        other: {kind: number}
    order:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        customer: {kind: reference, to: customer.id, type: int64}
        total: {kind: number}
start:
  rows: {customer: 10}
  children:
    order: {of: order.customer, use: each, with: {count: 2}}
parts:
  - {make: [customer.id, order.id], use: counter}
  - {make: [customer.twice, customer.other], use: formula, with: {formulas: {twice: rank * 2, other: 1}}}
  - {make: [customer.rank], use: formula, with: {formula: sum(order.total)}}
  - {make: [order.total], use: formula, with: {formula: "1"}}
"""


def faults(folder: Path, old: str, new: str) -> list[str]:
    """Return the faults of the specification with a change, each with its line."""
    assert SPEC.count(old) == 1
    (folder / "x.yaml").write_text(SPEC.replace(old, new))
    with pytest.raises(SpecError) as caught:
        check(load_spec(folder / "x.yaml"))
    return [f"{f.line}: {f.message}" for f in caught.value.faults]


def test_a_circle_over_tables(tmp_path: Path) -> None:
    """Columns that wait for each other are told with their tables, where the first of their parts stands."""
    (said,) = faults(tmp_path, 'formula: "1"', "formula: customer.twice")
    assert said[:4] in ("23: ", "24: ", "25: ")
    assert "these columns wait for each other: " in said
    for needs in ("customer.rank needs order.total", "order.total needs customer.twice;",
                  "customer.other need customer.rank"):  # fmt: skip
        assert needs in said


@pytest.mark.parametrize(("new", "said"), [
    ("count: -2", "start.children.order.with.count: wanted a number of rows, 0 or more, got -2"),
    ("count: [1]", "start.children.order.with.count: wanted a number or text, got a list"),
    ("cuont: 2", "start.children.order.with.cuont: it has no such parameter: did you mean 'count'?"),
    ("count: nope", "start.children.order.with.count: formula 'nope' at character 1: `nope` is no column"),
    ("count: 'a +'", "start.children.order.with.count: formula 'a +' at character 4: it ends where"),
])  # fmt: skip
def test_parameters_of_processes(tmp_path: Path, new: str, said: str) -> None:
    """A parameter of a process is named by its whole path, once, with what was wanted."""
    (found,) = faults(tmp_path, "count: 2", new)
    assert found.startswith(f"21: {said}"), found


def test_a_message_does_not_repeat_what_it_shows(tmp_path: Path) -> None:
    """A formula is shown once."""
    (found,) = faults(tmp_path, "twice: rank * 2", "twice: rank * + 2 )")
    assert found.count("rank * + 2 )") == 1
