"""The example `payments`, small: references, balances, patterns as they are described."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

import synthwright as sw

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "payments" / "payments.yaml"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """Return the tables of a run with six branches, and ten times as much fraud."""
    folder = tmp_path_factory.mktemp("payments")
    text = EXAMPLE.read_text(encoding="utf-8")
    small = text.replace("branch: 64, merchant: 2000", "branch: 6, merchant: 300").replace("0.0006", "0.006")
    assert small.count("0.006") == 5
    (folder / "payments.yaml").write_text(small, encoding="utf-8")
    assert sw.run(folder / "payments.yaml", folder / "out").passed
    data = folder / "out" / "data"
    return {p.name: pl.DataFrame(pq.read_table(p)) for p in data.iterdir()}


def test_everything_leads_somewhere_and_adds_up(held: dict[str, pl.DataFrame]) -> None:
    """Every reference is a row; balances are what was there and everything booked since, in the order of time."""
    paid, cards = held["payment"], held["card"]
    assert len(cards) == 300
    for column, table in (("card", "card"), ("merchant", "merchant"), ("counterparty", "card")):
        assert paid.drop_nulls(column).join(held[table], left_on=column, right_on="id", how="anti").is_empty()
    assert paid.filter(pl.col("counterparty") == pl.col("card")).is_empty()
    ordered = paid.sort("card", "at", "id").join(cards.select(pl.col("id").alias("card"), "opening"), on="card",
                                                 how="left", maintain_order="left")  # fmt: skip
    total = ordered.select(pl.col("opening") + pl.col("booked").cum_sum().over("card")).to_series()
    assert (total == ordered["balance"]).all()


def test_patterns_are_what_they_are_called(held: dict[str, pl.DataFrame]) -> None:
    """Each pattern has its share, and its rows look as the readme says."""
    paid = held["payment"].join(held["merchant"].select(pl.col("id").alias("merchant"), "online"), on="merchant",
                                how="left")  # fmt: skip
    by = {p: paid.filter(pl.col("fraud") == p) for p in paid["fraud"].unique()}
    assert set(by) == {"none", "card testing", "account takeover", "structuring", "mule chain", "refund abuse"}
    for name, rows in by.items():
        if name != "none":
            assert 0.004 < len(rows) / len(paid) < 0.008, name
    tested = by["card testing"]
    assert tested["online"].all()
    assert (tested["amount"] <= 5).all()
    assert (tested.group_by("card", "merchant").len()["len"] >= 4).all()
    assert (by["structuring"]["amount"] < 10_000).all()
    assert (by["structuring"]["kind"] == "cash in").all()
    assert (by["refund abuse"]["kind"] == "refund").all()
    chain = by["mule chain"].join(held["card"].select(pl.col("id").alias("card"), "branch"), on="card", how="left")
    chain = chain.join(held["card"].select(pl.col("id").alias("counterparty"), pl.col("branch").alias("theirs")),
                       on="counterparty", how="left")  # fmt: skip
    assert (chain["branch"] == chain["theirs"]).all()
    ring = chain.join(held["branch"].select(pl.col("id").alias("branch"), "ring_from"), on="branch", how="left")
    assert ring["ring_from"].null_count() == 0
    assert ((ring["at"] - ring["ring_from"]).dt.total_hours() <= 75).all()
