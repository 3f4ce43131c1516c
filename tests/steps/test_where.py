"""A start that takes the real rows that meet a condition, and what its rows are held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.meeting import meeting, met
from synthwright.testing import toys

SPEC = """\
synthwright: 1
name: cards
seed: 5
source: {{use: parquet, with: {{path: cards.parquet}}}}
start: {{from: source, where: {{cards: {where}}}, keep: [cards.fraud], repeat: 3}}
parts: [{{make: [cards.*], use: smote}}]
evaluate:
  target: cards.fraud
  metrics: [integrity, shape, tstr, augmentation]
  waive: {{privacy: "the rows are for us alone", fidelity: "seen elsewhere", utility: "seen elsewhere",
          diversity: "seen elsewhere"}}
"""


def cards(rows: int, seed: int) -> pa.Table:
    """Return payments of which one in ten is a fraud, larger and at night."""
    rng = Context(seed=seed, place=("cards",)).rng
    fraud = rng.random(rows) < 0.1
    amount = np.round(np.where(fraud, rng.normal(400, 50, rows), rng.normal(40, 10, rows)), 2)
    hour = np.where(fraud, rng.integers(0, 6, rows), rng.integers(6, 24, rows))
    return pa.table({"fraud": fraud, "amount": amount, "hour": hour,
                     "shop": rng.choice(["web", "store"], rows)})  # fmt: skip


def run(folder: Path, where: str = '"fraud == true"', out: str = "out") -> sw.Report:
    """Run a specification that multiplies the frauds."""
    if not (folder / "cards.parquet").exists():
        pq.write_table(cards(2_000, 1), folder / "cards.parquet")
    (folder / "cards.yaml").write_text(SPEC.format(where=where))
    return sw.run(folder / "cards.yaml", folder / out, store=folder / "store")


def test_frauds_are_multiplied_and_held_against_frauds(tmp_path: Path) -> None:
    """Three rows for each real fraud of the training rows, likeness beside real frauds, and a note that says so."""
    report = run(tmp_path)
    assert report.passed, report.summary
    made = pq.read_table(tmp_path / "out" / "data" / "cards").to_pandas()
    real = cards(2_000, 1).to_pandas()
    frauds = real[real.fraud]
    assert made.fraud.all()
    assert len(made) == 3 * round(0.8 * len(frauds))
    assert made.amount.min() >= frauds.amount.min()
    assert made.amount.max() <= frauds.amount.max()
    assert set(made.hour) <= set(range(6))
    scores = {s.metric: s for s in report.scores if not s.about}
    assert scores["shape"].value is not None
    assert scores["shape"].value < 0.3  # beside frauds; beside all rows it is 0.7
    assert scores["tstr"].status == "not-applicable"
    assert scores["augmentation"].status == "ok"  # beside all real rows, of both labels
    share = f"{len(made) // 3} of 1,599 training and"
    told = f"likeness was held against the rows of 'cards' that meet 'fraud == true': {share}"
    assert any(n.startswith(told) for n in report.notes)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "These columns hold the real values of real rows, as the specification asks: `cards.fraud`" in card
    assert "`smote` keeps real rows" in card
    assert any("its model holds the real rows of 'cards'" in n for n in report.notes)


def test_a_condition_that_no_row_meets(tmp_path: Path) -> None:
    """It is an error that says how many rows were looked at."""
    with pytest.raises(InputError, match="training rows of 'cards' that meet it, got none of 1,599"):
        run(tmp_path, '"amount > 100000"')


def test_a_missing_value_meets_nothing() -> None:
    """Neither a condition nor its contrary: it cannot be told."""
    data = toys.dataset({"t": {"a": (Field(kind=Kind.NUMBER), [1.0, 5.0, None])}})
    assert meeting(data, {"t": "a > 2"}).column("t.a").to_pylist() == [5.0]
    assert meeting(data, {"t": "not a > 2"}).column("t.a").to_pylist() == [1.0]
    assert meeting(data, {}) is data


def test_rows_that_refer_to_rows_not_taken_are_not_taken() -> None:
    """Children go with their parents, and grandchildren with these."""
    data = toys.diamond()
    found = meeting(data, {"top": "id < 5"})
    assert found.rows("top") == 5
    for table, link in (("left", "top_id"), ("right", "top_id")):
        assert set(found.tables[table].column(link).to_pylist()) <= set(range(5))
        assert 0 < found.rows(table) < data.rows(table)
    assert set(found.tables["bottom"].column("left_id").to_pylist()) <= set(found.column("left.id").to_pylist())


def test_too_few_real_rows_prove_nothing() -> None:
    """Where fewer than twenty held-out rows meet the condition, nothing is compared, and the problem says why."""
    schema = Dataset.of({"cards": cards(10, 3)}).schema
    train, held = (Dataset.of({"cards": cards(n, s)}, schema) for n, s in ((1_000, 1), (50, 2)))
    found = met(Case(train, held, train), {"cards": "fraud"})
    assert "too few held-out rows of 'cards' meet 'fraud'" in found.problem
    assert not met(Case(train, None, train), {"cards": "fraud"}).problem
