"""Curating a run: why rows go, across tables and waves, and that each reason is counted and kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core import registry
from synthwright.kit.constraints.keeping import UNREACHABLE
from synthwright.kit.room import BEYOND
from synthwright.steps.curate import PARENT_DROPPED, SURPLUS

SPEC = """\
synthwright: 1
name: shop
seed: 3
source: {use: parquet, with: {path: tables}}
parts: [{make: [customer.*, order.*], use: marginals}]
curate: [{use: rules, with: {rules: {customer: ["age >= 40"]}}}]
evaluate: {metrics: [integrity], waive: {fidelity: the rule leaves out customers on purpose, diversity: as above here}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with two tables, one of which refers to the other, and a specification."""
    rng = np.random.default_rng(1)
    (tmp_path / "tables").mkdir()
    customers = pa.table({"customer_id": np.arange(200), "age": rng.integers(18, 80, 200)})
    orders = pa.table(
        {"order_id": np.arange(900), "customer_id": rng.integers(0, 200, 900), "n": rng.integers(1, 9, 900)}
    )
    pq.write_table(customers, tmp_path / "tables" / "customer.parquet")
    pq.write_table(orders, tmp_path / "tables" / "order.parquet")
    (tmp_path / "shop.yaml").write_text(SPEC)
    return tmp_path


def test_children_go_with_their_parents_and_come_again(shop: Path) -> None:
    """Dropped customers take their orders along; both are made again until none is missing, and all links hold."""
    report = sw.run(shop / "shop.yaml", shop / "out")
    assert report.passed, report.summary
    assert {"rule-broken", PARENT_DROPPED, SURPLUS} <= set(report.dropped)
    customers = pq.read_table(shop / "out" / "data" / "customer")
    orders = pq.read_table(shop / "out" / "data" / "order")
    assert min(customers["age"].to_pylist()) >= 40
    assert set(orders["customer_id"].to_pylist()) <= set(customers["customer_id"].to_pylist())
    assert len(set(customers["customer_id"].to_pylist())) == customers.num_rows


def test_what_went_is_kept_aside(shop: Path) -> None:
    """The quarantine holds every dropped row, as it would look outside, with its reason."""
    report = sw.run(shop / "shop.yaml", shop / "out")
    held = pq.read_table(shop / "out" / "internal" / "quarantine" / "customer.parquet")
    reasons = held["#reason"].to_pylist()
    assert reasons.count("rule-broken") == sum(a < 40 for a in held["age"].to_pylist())
    said = json.loads((shop / "out" / "internal" / "report.json").read_text())["dropped"]
    whole = reasons + pq.read_table(shop / "out" / "internal" / "quarantine" / "order.parquet")["#reason"].to_pylist()
    assert said == {r: whole.count(r) for r in sorted(set(whole))} == dict(report.dropped)


def test_rows_that_cannot_be_made_are_refused(shop: Path) -> None:
    """Where no row can stay the waves end, and the gate on rows refuses the release."""
    text = SPEC.replace("age >= 40", "age >= 400") + "waves: 3\n"
    (shop / "shop.yaml").write_text(text)
    report = sw.run(shop / "shop.yaml", shop / "out")
    assert not report.passed
    assert "rows >= 1" in [g.gate for g in report.gates if not g.passed]


def test_every_reason_is_documented(checkout: Path) -> None:
    """The page of reason codes names every code there is, and no other."""
    codes = {UNREACHABLE, BEYOND, PARENT_DROPPED, SURPLUS}
    groups: tuple[registry.Group, ...] = ("generators", "curators")
    for recipe in (registry.find(g, n) for g in groups for n in registry.names(g)):
        if recipe.__module__.startswith("synthwright."):
            codes |= set(getattr(recipe, "reasons", {}))
    page = (checkout / "docs" / "reasons.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)`", page, re.MULTILINE)) == codes
