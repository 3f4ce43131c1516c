"""The command that shows a ledger: whom it protects, what was spent and by which bound, what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthwright.commands.ledgers import show_ledger
from synthwright.commands.saying import Say
from synthwright.core.errors import StoreError
from synthwright.core.spend import Spend, rho_at
from synthwright.store.ledger import Ledger


def filled(at: Path, *spends: Spend) -> None:
    """Write a ledger of these measurements, the last of them not ended."""
    with Ledger.open(at) as ledger:
        ledger.allow(Spend(9.0, 1e-6))
        for i, spend in enumerate(spends):
            ledger.reserve(f"{i}", spend, f"part {i}")
            if i + 1 < len(spends):
                ledger.fail(f"{i}")


def shown(at: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command prints, on one line."""
    show_ledger(at, Say())
    return " ".join(capsys.readouterr().out.split())


def test_sums_where_one_is_no_gaussian(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said by the source's name too; nothing is made or locked for it."""
    filled(tmp_path / "x.csv.privacy", Spend(1.0, 1e-9, rho=0.01), Spend(2.0))
    said = shown(tmp_path / "x.csv", capsys)
    assert "neighbours differ by adding or removing one row" in said
    assert "spent epsilon 3 at delta 1e-09, by the sum of all" in said
    assert "part 0 epsilon 1, delta 1e-09, rho 0.01 failed part 1 epsilon 2, delta 0 begun" in said
    assert "allowed epsilon 9 and delta 1e-06; epsilon 6 left" in said
    with pytest.raises(StoreError, match=r"people\.csv\.privacy"):
        show_ledger(tmp_path / "y.csv", Say())
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv.privacy"]


def test_rho_where_all_have_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two of epsilon 1 are less than 2; units of several rows are told with how many count."""
    one = Spend(1.0, 1e-9, "visits.who", 3, rho_at(epsilon=1.0, delta=1e-9))
    filled(tmp_path, one, one)
    show_ledger(tmp_path, Say(json=True))
    found = json.loads(capsys.readouterr().out)
    assert 1.0 < found["spent"]["epsilon"] < 1.5
    assert "zero-concentrated" in found["spent"]["by"]
    assert found["left"] > 9 - found["spent"]["epsilon"]
    with Ledger.open(tmp_path):  # a run that measures does not keep anybody from looking
        assert "at most 3 of them counted" in shown(tmp_path, capsys)
