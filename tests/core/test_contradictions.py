"""Rules that no row can keep together are told before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthwright as sw
from synthwright.core.contradictions import contradictions
from synthwright.core.errors import SpecError
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Kind

FIELDS = {"age": Field(kind=Kind.INTEGER), "x": Field(kind=Kind.NUMBER), "y": Field(kind=Kind.NUMBER),
          "z": Field(kind=Kind.NUMBER), "c": Field(kind=Kind.CATEGORY), "day": Field(kind=Kind.DATE)}  # fmt: skip


@pytest.mark.parametrize("rules", [
    ["age < 0 and age > 5"], ["age < 0", "age > 5"], ["age < age"], ["age > 5 and age < 6"], ["x < y", "y < x"],
    ["x < y", "y <= z", "z <= x"], ["x == 5", "x != 5"], ["c == 'A' and c == 'B'"], ["c in ['X', 'Y']", "c == 'Z'"],
    ["x >= 10 and x < 10"], ["x == 3", "4 < x"], ["5 < x", "x < 3"], ["x < 3", "x < 9", "x > 4"],
    ["day > '2024-05-01'", "day < '2024-01-01'"],
])  # fmt: skip
def test_found(rules: list[str]) -> None:
    """The last rule does not go with the others, and the conditions are named."""
    found = contradictions([(i, parse(t)) for i, t in enumerate(rules)], FIELDS)
    assert [f.rule for f in found] == [len(rules) - 1]
    assert found[0].why.startswith("no row can keep `")


@pytest.mark.parametrize("rules", [
    ["x > 5 and x < 6"], ["x <= y", "y <= x"], ["0 < age <= 10"], ["age >= 10 and age <= 10"], ["age > 4", "age < 6"],
    ["c in ['X', 'Y']", "c != 'X'"], ["age >= 0 or age < -5"], ["not age > 5", "age > 7"], ["x != 3", "x != 4"],
    ["x < y", "y < z", "x < z"], ["unique(c, x)"],
])  # fmt: skip
def test_none(rules: list[str]) -> None:
    """What some row can keep is no contradiction."""
    assert contradictions([(i, parse(t)) for i, t in enumerate(rules)], FIELDS) == []


SPEC = """synthwright: 1
name: t
schema:
  tables:
    a: {key: id, fields: {id: {kind: key}, b: {kind: reference, to: b.id}, n: {kind: integer}}, rules: RULES}
    b: {key: id, fields: {id: {kind: key}, a: {kind: reference, to: a.id}}}
start: {rows: {b: 3}, children: CHILDREN}
parts:
  - {make: [a.id], use: counter}
  - {make: [a.n], use: distribution, with: {uniform: {low: 0, high: 9}}}
  - {make: [b.id, "a.*", "b.*"], use: anew}
"""


def test_told_with_their_line(tmp_path: Path) -> None:
    """Rules that contradict, and tables that wait for each other."""
    path = tmp_path / "t.yaml"
    path.write_text(SPEC.replace("RULES", "['n < 0', 'n > 5']").replace("CHILDREN", "{a: {of: a.b}}"))
    with pytest.raises(SpecError) as found:
        sw.check(path)
    assert [(f.line, "`n > 5` and `n < 0`" in f.message) for f in found.value.faults] == [(5, True)]
    both = "{a: {of: a.b}, b: {of: b.a}}"
    path.write_text(SPEC.replace("RULES", "[]").replace("CHILDREN", both).replace("rows: {b: 3}, ", ""))
    with pytest.raises(SpecError) as found:
        sw.check(path)
    assert any("wait for each other: a → b → a" in f.message and f.line == 7 for f in found.value.faults)
