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
from synthwright.core.relation_running import Running, rising, running

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
    assert _found(_statement()) == [Running("balance", "moved", None, "day", 1000.0, "before", alone=False)]
    assert _found(_statement()[["moved", "balance"]]) == [Running("balance", "moved", None, None, 1000.0, alone=False)]
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


def test_balances_are_made_beside_others() -> None:
    """What rises and falls is not made last: it stays in its range, what goes by it still does, and rules hold."""
    table, rng = _statement(), np.random.default_rng(2)
    table["score"] = (table["balance"] / 50 + rng.normal(0, 2, ROWS)).round(1)
    table["stock"] = np.abs((np.cumsum(rng.integers(-9, 10, ROWS)) + 20) % 120 - 60)
    table["came"] = np.diff(table["stock"], prepend=0)
    made = sw.fit(table, seed=1).sample(400, seed=2)
    assert np.allclose(made["before"] + made["moved"], made["balance"], atol=1e-6)
    assert abs(made["balance"].corr(made["score"]) - table["balance"].corr(table["score"])) < 0.15
    assert made["stock"].between(0, 60).all()
    assert made["balance"].between(table["balance"].min() - 300, table["balance"].max() + 300).all()


def test_totals_that_others_go_by_are_learned() -> None:
    """A total that tells another column, or that a rule bounds, is a column like others."""
    table = _accounts()[["who", "day", "amount", "total"]]
    told = table.assign(score=(table["total"] / 10 + np.random.default_rng(2).normal(0, 9, ROWS)).round(1))
    bound = table.assign(budget=table.groupby("who")["total"].transform("max") + 100)
    assert [(r.column, r.alone) for r in _found(told)] == [("total", False)]
    made = sw.fit(bound, seed=1).sample(300, seed=2)
    assert (made["total"] <= made["budget"]).all()


@pytest.mark.parametrize("name", ["paid in", "2023", "in-out", "Umsatz (€)"])
def test_names_are_no_formulas(name: str) -> None:
    """Whatever a column is called, its name is not computed."""
    made = sw.fit(_accounts()[["who", "day", "amount", "total"]].rename(columns={"amount": name}), seed=1).sample(50)
    assert made["total"].nunique() > 20


def test_types_have_room() -> None:
    """Sums of more rows than there were do not leave a narrow type."""
    table = pd.DataFrame({"day": DAY, "came": RNG.integers(0, 2, ROWS)})
    table["total"] = table["came"].cumsum().astype("int16")
    assert len(sw.fit(table, seed=1).sample(100_000, seed=2)) == 100_000
    numbered = pd.DataFrame({"who": RNG.choice(list("abc"), ROWS), "x": RNG.normal(size=ROWS)})
    for kind, alone in ((np.int16, True), (np.uint8, False)):
        rows = numbered.assign(nr=np.asarray(numbered.groupby("who").cumcount() + 1).astype(kind))
        assert [r.alone for r in _found(rows)] == [alone]
        assert len(sw.fit(rows, seed=1).sample(3_000, seed=2)) == 3_000


def test_init_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The specification holds the part as a comment, and a note tells why."""
    monkeypatch.chdir(tmp_path)
    _accounts().to_csv("accounts.csv", index=False)
    init_project(Path("accounts.csv"), force=False, say=Say())
    assert "accounts.total adds up the rows before" in " ".join(capsys.readouterr().out.split())
    said = Path("accounts.yaml").read_text(encoding="utf-8")
    assert "# - {make: [accounts.total], use: running, with: {of: amount, per: who, order: day}}" in said


def test_what_never_falls_is_told() -> None:
    """A meter that only grows in time is found, for each of several too; what a rule says of the time is not."""
    at = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    meter = RNG.gamma(2, 1, ROWS).cumsum().round(2)
    two = pd.DataFrame({"who": ["a"] * 120 + ["b"] * 180, "at": [*at[:120], *at[:180]], "temp": RNG.normal(size=ROWS)})
    two["meter"] = [*meter[:120], *meter[:180] + 3]
    assert rising(Dataset.of(two, name="t")) == [("t.meter", "at")]
    one = pd.DataFrame({"at": at, "meter": meter, "hours": np.arange(ROWS) * 2.0 + 5, "temp": RNG.normal(size=ROWS)})
    assert rising(Dataset.of(one.assign(at=RNG.permutation(at)), name="t")) == []
    assert ("t.meter", "at") in rising(Dataset.of(one.sample(frac=1, random_state=1), name="t"))


def test_nothing_rises_by_chance() -> None:
    """A hundred tables of unrelated columns beside a time have none."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(40, 120))
        held = {
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9_000, rows), "h"),
            "who": rng.choice(list("abcdefgh"), rows),
            "n": rng.poisson(2, rows),
            "x": rng.normal(size=rows),
        }
        assert rising(Dataset.of(pd.DataFrame(held), name="t")) == []
