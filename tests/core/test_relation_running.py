"""Running totals, balances and numbers within groups are seen, and made as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.commands.making import init_project
from synthwright.commands.saying import Say
from synthwright.core.dataset import Dataset
from synthwright.core.relation_running import Running, running

ROWS = 300
RNG = np.random.default_rng(3)
DAY = np.sort(pd.Timestamp("2023-01-01") + pd.to_timedelta(RNG.integers(0, 500, ROWS), "D"))
WHO = np.array([f"C{i}" for i in RNG.integers(0, 12, ROWS)])
AMOUNT = RNG.gamma(2, 40, ROWS).round(2)
MOVED = RNG.normal(10, 80, ROWS).round(2)


def _accounts() -> pd.DataFrame:
    table = pd.DataFrame({"who": WHO, "day": DAY, "amount": AMOUNT})
    by = table.groupby("who")
    return table.assign(number=by.cumcount() + 1, total=by["amount"].cumsum().round(2))


def _statement() -> pd.DataFrame:
    balance = (1234.5 + np.cumsum(MOVED)).round(2)
    return pd.DataFrame({"day": DAY, "moved": MOVED, "before": (balance - MOVED).round(2), "balance": balance})


def _found(table: pd.DataFrame) -> list[Running]:
    return running(Dataset.of(table)).get("data", [])


def test_they_are_seen() -> None:
    """Within groups and in all rows, in the order of a date or as they stand; what was at first is nobody's number."""
    assert _found(_accounts()) == [Running("total", "amount", "who", "day", rising=True),
                                   Running("number", None, "who", "day")]  # fmt: skip
    assert _found(_statement()) == [Running("balance", "moved", None, "day", 1000.0, "before")]
    assert _found(_statement()[["moved", "balance"]]) == [Running("balance", "moved", None, None, 1000.0)]
    shuffled = _accounts().drop(columns="day").sample(frac=1, random_state=1)
    assert _found(shuffled) == [Running("total", "amount", "who", "number", rising=True)]
    assert _found(shuffled.drop(columns="number")) == []


def test_what_only_looks_so_is_none() -> None:
    """One row that does not add up, accounts that open with something, few rows, or chance."""
    off = _accounts()
    off["total"] += 0.5 * (np.arange(ROWS) == 70)
    opened = _accounts()
    opened["total"] += opened["who"].str[1:].astype(int)
    assert _found(off) == []
    assert _found(opened) == []
    assert _found(_accounts().head(30)) == []
    weeks = pd.DataFrame([(s, w) for s in range(1, 11) for w in range(1, 31)], columns=["store", "week"])
    assert _found(weeks.assign(sales=AMOUNT)) == []
    assert _found(pd.DataFrame({"a": RNG.integers(0, 3, ROWS), "b": RNG.integers(0, 3, ROWS)})) == []


def test_numbers_that_tell_something_are_learned() -> None:
    """Where others depend on the number of a visit, it is a column like others: counting alone would lose that."""
    visits = _accounts()[["who", "number"]]
    grown = visits.assign(weight=(3 + 0.4 * visits["number"] + RNG.normal(0, 1, ROWS)).round(1))
    named = visits.assign(kind=np.where(visits["number"] == 1, "first", "later"))
    assert [r.column for r in _found(visits.assign(x=RNG.normal(0, 1, ROWS)))] == ["number"]
    assert _found(grown) == []
    assert _found(named) == []


def test_made_rows_add_up(tmp_path: Path) -> None:
    """Made totals are the sums of made amounts, and numbers go from one on; also from a model that was saved."""
    model = sw.fit(_accounts(), seed=1)
    model.save(tmp_path / "m")
    made = sw.load(tmp_path / "m").sample(400, seed=2)
    pd.testing.assert_frame_equal(made, model.sample(400, seed=2))
    ordered = made.sort_values(["who", "day"], kind="stable")
    by = ordered.groupby("who")
    assert (by.cumcount() + 1 == ordered["number"]).all()
    assert np.allclose(by["amount"].cumsum(), ordered["total"], atol=1e-6)
    assert set(made["who"]) <= set(WHO)


def test_sums_are_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces rows are made in, and whichever are tried again, sums are of those that are there."""
    from synthwright import synthesizer
    from synthwright.core.contracts import Verdict
    from synthwright.core.dataset import Dataset
    from synthwright.steps import complete as step

    def strict(fitted: Any, given: Any, table: str, ctx: Any) -> Any:
        found = step.complete(fitted, given, table, ctx)
        again = np.arange(given.rows(table)) % 3 == 0
        return found if "whole" in ctx.place else found._replace(problems=[Verdict.of(table, again, "strict")])

    model = sw.fit(_accounts()[["who", "day", "amount", "total"]], seed=1)
    monkeypatch.setattr(synthesizer, "complete", strict)
    monkeypatch.setattr(Dataset.shards, "__defaults__", (100,))
    made = model.sample(300, seed=2).sort_values(["who", "day"], kind="stable")
    assert np.allclose(made.groupby("who")["amount"].cumsum(), made["total"], atol=1e-6)


def test_balances_go_on() -> None:
    """A made balance is the one before and what moved, from the first row to the last."""
    made = sw.fit(_statement(), seed=1).sample(400, seed=2).sort_values("day", kind="stable")
    assert np.allclose(made["before"] + made["moved"], made["balance"], atol=1e-6)
    assert np.allclose(made["balance"].iloc[:-1], made["before"].iloc[1:], atol=1e-6)
    assert made["before"].iloc[0] == 1000


def test_init_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The specification holds the part as a comment, and a note tells why."""
    monkeypatch.chdir(tmp_path)
    _accounts().to_csv("accounts.csv", index=False)
    init_project(Path("accounts.csv"), force=False, say=Say())
    assert "accounts.total adds up the rows before" in " ".join(capsys.readouterr().out.split())
    said = Path("accounts.yaml").read_text(encoding="utf-8")
    assert "# - {make: [accounts.total], use: running, with: {of: amount, per: who, order: day}}" in said
