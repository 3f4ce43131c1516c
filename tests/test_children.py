"""Data from rules alone: tables whose rows belong to rows of others, whole shards for each parent, and what is told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SpecError
from synthwright.steps import generate
from synthwright.steps.generate import shard_ends

SHOP = """
synthwright: 1
name: shop
seed: 5
schema:
  tables:
    customer:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        segment: {kind: category, nulls: false}
        orders: {kind: integer, nulls: false}
    order:
      key: id
      rules: ["amount > 0", "vat <= amount", "unique(customer, position)"]
      fields:
        id: {kind: key, type: int64, nulls: false}
        customer: {kind: reference, to: customer.id, type: int64, nulls: false}
        friend: {kind: reference, to: customer.id, type: int64, nulls: false}
        position: {kind: integer, nulls: false}
        amount: {kind: number, step: 0.01, nulls: false}
        vat: {kind: number, step: 0.01, nulls: false}
        segment: {kind: category, nulls: false}
start:
  rows: {customer: ROWS}
  children: {order: {of: order.customer, count: customer.orders}}
parts:
  - {make: [customer.id, order.id], use: counter}
  - {make: [customer.segment], use: choice, with: {values: {gold: 1, silver: 3}}}
  - {make: [customer.orders], use: distribution, with: {poisson: {mean: "if(segment == 'gold', 9, 2)"}}}
  - {make: [order.friend], use: reference, with: {degrees: zipf}}
  - {make: [order.position], use: counter, with: {per: customer}}
  - {make: [order.amount], use: distribution, with: {lognormal: {median: 30, sigma: 1}, between: [0.01, 10000]}}
  - {make: [order.vat], use: formula, with: {formula: "round(amount * 0.19, 2)"}}
  - {make: [order.segment], use: formula, with: {formula: "customer.segment"}}
curate: [{use: rules}]
evaluate: {metrics: [integrity]}
"""


def ran(folder: Path, rows: int, *, workers: int = 1, text: str = SHOP) -> tuple[pa.Table, pa.Table]:
    """Run the shop; return customers and orders."""
    folder.mkdir()
    (folder / "shop.yaml").write_text(text.replace("ROWS", str(rows)), encoding="utf-8")
    report = sw.run(folder / "shop.yaml", folder / "out", workers=workers)
    assert report.passed, report.summary
    one, two = (pq.read_table(folder / "out" / "data" / name) for name in ("customer", "order"))
    return one, two


def test_children_are_as_many_as_their_parents_say(tmp_path: Path) -> None:
    """Every count is met, every reference leads somewhere, columns of the parent are looked up, positions count."""
    customers, orders = ran(tmp_path / "a", 400)
    counts = dict(zip(customers["id"].to_pylist(), customers["orders"].to_pylist(), strict=True))
    whose = orders["customer"].to_pylist()
    assert [whose.count(k) for k in counts] == list(counts.values())
    assert whose == sorted(whose)
    assert set(orders["friend"].to_pylist()) <= set(counts)
    segment = dict(zip(customers["id"].to_pylist(), customers["segment"].to_pylist(), strict=True))
    assert orders["segment"].to_pylist() == [segment[k] for k in whose]
    places = [i + 1 for n in counts.values() for i in range(n)]
    assert orders["position"].to_pylist() == places
    gold = [n for k, n in counts.items() if segment[k] == "gold"]
    silver = [n for k, n in counts.items() if segment[k] == "silver"]
    assert abs(np.mean(gold) - 9) < 5.3 * 3 / np.sqrt(len(gold))  # one false alarm in ten million
    assert abs(np.mean(silver) - 2) < 5.3 * np.sqrt(2 / len(silver))
    report = json.loads((tmp_path / "a" / "out" / "internal" / "report.json").read_text())
    assert {s["metric"]: s["status"] for s in report["scores"] if not s["about"]}["rows"] == "ok"


def test_shards_do_not_depend_on_how_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first shard has the same bytes where more follow; workers change none; a parent's rows are in one shard."""
    monkeypatch.setattr(generate, "RULED", 256)
    few, many = ran(tmp_path / "few", 300), ran(tmp_path / "many", 900)
    assert many[0].slice(0, 256).equals(few[0].slice(0, 256))
    same = 0
    for a, b in zip(few[1]["customer"].to_pylist(), many[1]["customer"].to_pylist(), strict=False):
        if a != b:
            break
        same += 1
    assert same > 500
    assert few[1].drop(["friend"]).slice(0, 500).equals(many[1].drop(["friend"]).slice(0, 500))  # friends: of all there


def test_workers_change_no_byte(tmp_path: Path) -> None:
    """One process and two make the same files."""
    for workers in (1, 2):
        ran(tmp_path / str(workers), 300, workers=workers)
    made = [sorted((tmp_path / w / "out" / "data").rglob("*.parquet")) for w in ("1", "2")]
    digests = [[hashlib.sha256(p.read_bytes()).hexdigest() for p in files] for files in made]
    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


def test_shards_end_between_parents() -> None:
    """Rows of one parent are never cut apart, however many they are; other tables are cut at the same length."""
    whose = pa.table({"of": pa.array(np.repeat([3, 1, 4, 5], [4, 8, 30, 2]))})
    assert shard_ends(whose, "of", 10) == [12, 42, 44]
    assert shard_ends(whose, None, 10) == [10, 20, 30, 40, 44]
    assert shard_ends(whose.slice(0, 0), "of", 10) == []
    assert shard_ends(whose.slice(0, 10), None, 10) == [10]


@pytest.mark.parametrize(("old", "new", "message"), [
    ("of: order.customer", "of: order.custmer", "did you mean 'order.customer'"),
    ("of: order.customer", "of: order.position", "is no reference of 'order' to another table"),
    ("count: customer.orders", "count: customer.segment", "no column of whole numbers"),
    ("count: customer.orders", "count: 0", "at least one row for each parent"),
    ("{customer: ROWS}", "{customer: ROWS, order: 5}", "say one of them"),
    ("children: {order:", "children: {ordr:", "no table is called 'ordr'"),
    ('formula: "customer.segment"', 'formula: "customer.segmnt"', "did you mean 'segment'"),
    ('formula: "round(amount * 0.19, 2)"', 'formula: "vat + 1"', "vat"),
])  # fmt: skip
def test_faults_are_told_before_anything_runs(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each with its line, and nothing is written."""
    assert old in SHOP
    (tmp_path / "shop.yaml").write_text(SHOP.replace("ROWS", "9").replace(old, new.replace("ROWS", "9"))
                                        if "ROWS" not in old else SHOP.replace(old, new).replace("ROWS", "9"),
                                        encoding="utf-8")  # fmt: skip
    with pytest.raises(SpecError) as told:
        sw.run(tmp_path / "shop.yaml", tmp_path / "out")
    assert message in str(told.value)
    assert all(f.line > 0 for f in told.value.faults)
    assert not (tmp_path / "out").exists()
