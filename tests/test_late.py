"""Columns that follow from tables made after their own: totals, counts, shares of a total."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SampleError, SpecError

SHOP = """
synthwright: 1
name: shop
seed: 3
schema:
  tables:
    customer:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        spent: {kind: number, type: "decimal128(12, 2)", nulls: false}
        orders: {kind: integer, nulls: false}
    order:
      key: id
      rules: ["total >= 0"]
      fields:
        id: {kind: key, type: int64, nulls: false}
        customer: {kind: reference, to: customer.id, type: int64, nulls: false}
        total: {kind: number, type: "decimal128(12, 2)", nulls: false}
    line:
      key: id
      rules: ["price < 90"]
      fields:
        id: {kind: key, type: int64, nulls: false}
        order: {kind: reference, to: order.id, type: int64, nulls: false}
        price: {kind: number, type: "decimal128(10, 2)", nulls: false}
        share: {kind: number, nulls: true}
start:
  rows: {customer: 150}
  children:
    order: {of: order.customer, count: 3}
    line: {of: line.order, count: 4}
parts:
  - {make: [customer.id, order.id, line.id], use: counter}
  - make: [customer.spent, customer.orders]
    use: formula
    with: {formulas: {spent: sum(order.total), orders: count(order)}}
  - {make: [order.total], use: formula, with: {formula: sum(line.price)}}
  - {make: [line.price], use: distribution, with: {uniform: {low: 1, high: 100}}}
  - {make: [line.share], use: formula, with: {formula: price / order.total}}
curate: CURATE
evaluate: {metrics: [integrity]}
"""


@pytest.mark.parametrize("curate", ["[]", "[{use: rules}]", "[{use: rules, with: {rules: {line: ['price > 20']}}}]"])
def test_what_is_released_adds_up(tmp_path: Path, curate: str) -> None:
    """Also where rows were dropped and made again, over three tables and down again."""
    text = SHOP.replace("CURATE", curate)
    (tmp_path / "shop.yaml").write_text(text.replace('rules: ["price < 90"]', "") if curate == "[]" else text)
    report = sw.run(tmp_path / "shop.yaml", tmp_path / "out")
    assert report.passed
    customers, orders, lines = (
        pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("customer", "order", "line")
    )
    assert (len(customers), len(orders), len(lines)) == (150, 450, 1800)
    total: dict[int, object] = defaultdict(int)
    for line in lines:
        total[line["order"]] += line["price"]
    assert [o["total"] for o in orders] == [total[o["id"]] for o in orders]
    spent: dict[int, object] = defaultdict(int)
    for order in orders:
        spent[order["customer"]] += order["total"]
    assert [c["spent"] for c in customers] == [spent[c["id"]] for c in customers]
    assert {c["orders"] for c in customers} == {3}
    for line in lines[:200]:
        assert line["share"] == pytest.approx(float(line["price"] / total[line["order"]]))


def test_rows_cannot_come_to_be_by_what_is_known_later(tmp_path: Path) -> None:
    """A count that follows from the rows that it counts is told before anything runs."""
    text = SHOP.replace("CURATE", "[]").replace("count: 3}", "count: customer.orders}")
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as found:
        sw.check(tmp_path / "shop.yaml")
    assert any("known only when all tables are made" in str(f) for f in found.value.faults)


BANK = """
synthwright: 1
name: bank
seed: 4
schema:
  tables:
    account: {key: id, fields: {id: {kind: key, type: int64, nulls: false}, opening: {kind: integer, nulls: false}}}
    entry:
      key: id
      rules: ["amount > -80"]
      fields:
        id: {kind: key, type: int64, nulls: false}
        account: {kind: reference, to: account.id, type: int64, nulls: false}
        amount: {kind: integer, nulls: false}
        balance: {kind: integer, nulls: false}
        debt: {kind: boolean, nulls: false}
start:
  rows: {account: 40}
  children: {entry: {of: entry.account, count: 30}}
parts:
  - {make: [account.id, entry.id], use: counter}
  - {make: [account.opening], use: distribution, with: {uniform: {low: 0, high: 500}}}
  - {make: [entry.amount], use: distribution, with: {uniform: {low: -100, high: 100}}}
  - {make: [entry.balance], use: running, with: {of: amount, per: account, from: account.opening}}
  - {make: [entry.debt], use: formula, with: {formula: balance < 0}}
curate: [{use: rules, with: {rules: {entry: ["amount != 7", "amount < 90"]}}}]
evaluate: {metrics: [integrity]}
"""


def test_balances_add_up_where_rows_went(tmp_path: Path) -> None:
    """Totals over rows, and what follows from them, are computed anew from the rows that stayed."""
    (tmp_path / "bank.yaml").write_text(BANK, encoding="utf-8")
    assert sw.run(tmp_path / "bank.yaml", tmp_path / "out").passed
    accounts, entries = (pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("account", "entry"))
    assert len(entries) == 1200
    held = {a["id"]: a["opening"] for a in accounts}
    for entry in entries:
        held[entry["account"]] += entry["amount"]
        assert entry["balance"] == held[entry["account"]]
        assert entry["debt"] == (entry["balance"] < 0)
    assert any(e["debt"] for e in entries)


@pytest.mark.parametrize(("kind", "formula", "outcome"), [
    ("int8", "id - 1 + 28", "fits"), ("int8", "id + 28", "told"), ("decimal128(5, 2)", "899 + id", "fits"),
    ("decimal128(5, 2)", "900 + id", "told"), ("uint8", "id - 2", "told"),
    ("int64", "9223372036854775800 + id", "told"),
])  # fmt: skip
def test_numbers_that_do_not_fit_are_told(tmp_path: Path, kind: str, formula: str, outcome: str) -> None:
    """No number is cut to what its type has room for."""
    text = f"""
synthwright: 1
name: t
schema:
  tables:
    t: {{key: id, fields: {{id: {{kind: key, type: int64}}, n: {{kind: number, type: "{kind}"}}}}}}
start: {{rows: {{t: 100}}}}
parts: [{{make: [t.id], use: counter}}, {{make: [t.n], use: formula, with: {{formula: "{formula}"}}}}]
evaluate: {{metrics: [integrity]}}
"""
    (tmp_path / "t.yaml").write_text(text.replace("kind: number", "kind: integer") if "int" in kind else text)
    if outcome == "fits":
        assert sw.run(tmp_path / "t.yaml", tmp_path / "out").passed
        return
    with pytest.raises(SampleError, match="has room for"):
        sw.run(tmp_path / "t.yaml", tmp_path / "out")


def test_balances_with_a_floor_add_up_where_rows_went(tmp_path: Path) -> None:
    """Amounts that were cut, balances before and after: each row begins where the one before it ended."""
    made = "make: [entry.balance, entry.before], change: [entry.amount]"
    text = BANK.replace("make: [entry.balance]", made).replace("{of: amount,", "{of: amount, floor: 0, before: before,")
    field = "        balance: {kind: integer"
    text = text.replace(field, f"        before: {{kind: integer, nulls: false}}\n{field}")
    (tmp_path / "bank.yaml").write_text(text, encoding="utf-8")
    assert sw.run(tmp_path / "bank.yaml", tmp_path / "out").passed
    accounts, entries = (pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("account", "entry"))
    held = {a["id"]: a["opening"] for a in accounts}
    for entry in entries:
        assert entry["before"] == held[entry["account"]]
        held[entry["account"]] += entry["amount"]
        assert entry["balance"] == held[entry["account"]] >= 0
