"""Why rows went is said by table, and by the rule or column that it is about."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

import synthwright as sw
from synthwright.core.loading import load_spec
from synthwright.line import check

SPEC = """\
synthwright: 1
name: drop
schema:
  tables:
    customer:
      key: id
      rules: [age >= 18]
      fields:
        id: {kind: key, type: int64, nulls: false}
        age: {kind: integer, nulls: false}
    order:
      key: id
      rules: [paid >= 0, low <= high]
      fields:
        id: {kind: key, type: int64, nulls: false}
        customer: {kind: reference, to: customer.id, type: int64}
        total: {kind: number}
        paid: {kind: number}
        low: {kind: number}
        high: {kind: number}
        day: {kind: integer}
        state: {kind: category}
        note: {kind: category, nulls: false}
start: {rows: {customer: 100, order: 500}}
parts:
  - {make: [customer.id, order.id], use: counter}
  - {make: [customer.age], use: distribution, with: {uniform: {low: 10, high: 90}}}
  - {make: [order.customer], use: reference}
  - {make: [order.total], use: distribution, with: {normal: {mean: 4, sd: 3}}}
  - {make: [order.paid], use: formula, with: {formula: total - 3}}
  - {make: [order.low, order.high], use: distribution, with: {uniform: {low: 0, high: 9}}}
  - {make: [order.day], use: distribution, with: {uniform: {low: 1, high: 200}}}
  - {make: [order.state], use: choice, with: {values: [new, old]}}
  - {make: [order.note], use: formula, with: {formula: "if(state == 'nwe', 'a', if(total > 9, null, 'b'))"}}
curate: [{use: rules, with: {rules: {order: ["day > 20"]}}}]
evaluate: {metrics: [integrity]}
"""


def test_the_rule_and_the_column_are_named(tmp_path: Path) -> None:
    """Terminal and report say for each table how many rows went, and by which rule; the sums are those by reason."""
    (tmp_path / "drop.yaml").write_text(SPEC)
    report = sw.run(tmp_path / "drop.yaml", tmp_path / "out")
    counted = {(w.table, w.about or w.reason): w.rows for w in report.went}
    gone = counted["order", 'rule "day > 20"']
    assert gone > 20
    assert counted["order", 'no value in "note"'] > 0
    assert ("customer", 'rule "age >= 18"') not in counted  # drawn again
    by_reason: dict[str, int] = {}
    for w in report.went:
        by_reason[w.reason] = by_reason.get(w.reason, 0) + w.rows
    assert by_reason == report.dropped
    out = io.StringIO()
    report.show(Console(file=out, width=200, highlight=False))
    said = out.getvalue()
    assert f'order: {gone:,} rows dropped, rule "day > 20"' in said
    assert "customer: " in said
    assert "rows broke a rule when first drawn and were drawn again" in said
    assert "rows still broke a rule after several draws and were moved to its edge" in said
    assert "no row has 'nwe' in `state`: did you mean 'new'?" in said
    page = (tmp_path / "out" / "internal" / "report.html").read_text()
    assert "Dropped rows by table and reason" in page
    assert "day &gt; 20" in page
    assert json.loads((tmp_path / "out" / "internal" / "report.json").read_text())["went"][0]["table"]
    assert check(load_spec(tmp_path / "drop.yaml")).doubts[0].line == 34  # type: ignore[union-attr]
