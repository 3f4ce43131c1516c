"""Balances add up to the last digit, stocks do not fall below their floor, and what makes no sense is told."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError, SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.generators.running import Running
from synthwright.kit.events.balances import LACK, Walk, walked
from synthwright.line import check
from synthwright.steps import generate

KEY = {"kind": "key", "type": "int64", "nulls": False}
MONEY = {"kind": "number", "type": "decimal128(12, 2)"}
CENTS = {"kind": "number", "step": 0.01}
SCHEMA = Schema.model_validate({"tables": {
    "account": {"key": "id", "fields": {"id": KEY, "opening": MONEY, "limit": MONEY}},
    "entry": {"fields": {
        "account": {"kind": "reference", "to": "account.id", "type": "int64"}, "at": {"kind": "datetime"},
        "amount": MONEY, "balance": MONEY, "before": MONEY, "filled": MONEY,
        "cents": CENTS, "cents_left": CENTS, "dozens": {"kind": "integer", "step": 12}, "left": {"kind": "integer"},
        "pieces": {"kind": "integer"}, "raw": {"kind": "number"}, "total": {"kind": "number"}, "note": {"kind": "text"},
    }},
}})  # fmt: skip
ACCOUNTS = 30


def entries(rows: int, seed: int = 1) -> Dataset:
    """Return entries of accounts in any order, some at the same instant, some without account, instant or amount."""
    rng = np.random.default_rng(seed)
    cents = np.rint(rng.normal(-50, 9_000, rows)).astype(int)

    def money(v: Any, every: int = 0) -> pa.Array:
        said = [None if every and i % every == 3 else Decimal(int(c)).scaleb(-2) for i, c in enumerate(v)]
        return pa.array(said, pa.decimal128(12, 2))

    begun = Dataset.blank(SCHEMA, {"entry": rows}).with_columns("entry", {
        "account": pa.array(rng.integers(0, ACCOUNTS, rows), mask=np.arange(rows) % 50 == 7),
        "at": pa.array(rng.integers(0, rows // 3, rows) * 10**9, pa.timestamp("us"), mask=np.arange(rows) % 40 == 9),
        "amount": money(cents, 30), "cents": pa.array(cents / 100), "dozens": pa.array(cents // 400 * 12),
        "pieces": pa.array(cents // 100), "raw": pa.array(rng.normal(0, 1, rows)),
    })  # fmt: skip
    accounts = pa.table({"id": pa.array(np.arange(ACCOUNTS)), "opening": money(rng.integers(0, 40_000, ACCOUNTS)),
                         "limit": money(rng.integers(0, 9_000, ACCOUNTS))})  # fmt: skip
    return Dataset(SCHEMA, {**begun.tables, "account": accounts})


def made(given: Dataset, make: str, **how: Any) -> list[dict[str, Any]]:
    """Return the entries with what the rule makes and changes, as rows."""
    rule, names = Running.model_validate(how), tuple(make.split())
    assert rule.misused(SCHEMA, "entry", names) == []
    part = Part(tuple(f"entry.{c}" for c in names), (), "replace", "table")
    model = rule.fit(Dataset.empty(SCHEMA), part, Context(seed=1))
    return model.sample(given, Context(seed=1).at("shard", 0)).data.tables["entry"].to_pylist()


def plain(  # noqa: PLR0913  what the rule takes
    rows: list[dict[str, Any]], amount: str, opening: Any, floor: Any = None, *, lack: str = "cut", to: Any = 0,
    grain: Any = 0,
) -> list[tuple[Any, Any, Any, Any]]:  # fmt: skip
    """Return before, amount, filled and after for each row, by a loop over the accounts' entries in their order."""
    out: list[Any] = [(None, r[amount], None, None) for r in rows]
    end = dt.datetime(9999, 1, 1)
    order = sorted(range(len(rows)), key=lambda i: (rows[i]["at"] or end, i))
    for account in {r["account"] for r in rows} - {None}:
        balance = opening(account)
        for i in (i for i in order if rows[i]["account"] == account):
            change, filled, before = rows[i][amount] or 0, 0, balance
            if floor is not None and change < 0 and balance + change < floor(account):
                if lack == "refill":
                    filled = max(to, floor(account) - change) - balance
                elif lack == "refuse":
                    change = 0
                else:
                    room = balance - floor(account)
                    change = -(room - room % grain if grain else room)
            balance += filled + change
            out[i] = (before, change if rows[i][amount] is not None else None, filled, balance)
    return out


@pytest.mark.parametrize("seed", range(3))
def test_balances_are_exact_in_any_order(seed: int) -> None:
    """Decimals and numbers on a lattice add up to the last digit, from what the account opened with."""
    given = entries(700, seed)
    opening = given.tables["account"]["opening"].to_pylist()
    rows = given.tables["entry"].to_pylist()
    wanted = plain(rows, "amount", opening.__getitem__)
    got = made(given, "balance before", of="amount", per="account", order="at", before="before",
               **{"from": "account.opening"})  # fmt: skip
    assert [(r["before"], r["balance"]) for r in got] == [(w[0], w[3]) for w in wanted]
    cents = [r | {"cents": Decimal(repr(r["cents"]))} for r in rows]
    got = made(given, "cents_left", of="cents", per="account", order="at", **{"from": 0.1})
    assert [r["cents_left"] for r in got] == [None if w[3] is None else float(w[3])
                                              for w in plain(cents, "cents", lambda _: Decimal("0.1"))]  # fmt: skip
    got = made(given, "total", of="raw", per="account", order="at")
    for r, w in zip(got, plain(rows, "raw", lambda _: 0.0), strict=True):
        assert r["total"] == (None if w[3] is None else pytest.approx(w[3], abs=1e-12))


def test_rows_are_counted_where_nothing_is_said() -> None:
    """The number of a row among those of its account, or of the table; amounts may be conditions."""
    rows = made(entries(300), "left", per="account")
    seen: dict[Any, int] = {}
    for r in rows:
        seen[r["account"]] = seen.get(r["account"], 0) + 1
        assert r["left"] == (None if r["account"] is None else seen[r["account"]])
    assert [r["left"] for r in made(entries(9), "left")] == list(range(1, 10))
    up = made(entries(9), "left", of="pieces > 0", **{"from": 5})
    assert [r["left"] for r in up] == list(5 + np.cumsum([r["pieces"] > 0 for r in up]))


@pytest.mark.parametrize("lack", ["cut", "refuse"])
def test_no_balance_is_below_its_floor(lack: str) -> None:
    """Amounts are cut, or refused, as a loop would do it; whoever has a limit may go below nothing by it."""
    given = entries(900)
    opening, limit = (given.tables["account"][c].to_pylist() for c in ("opening", "limit"))
    rows = given.tables["entry"].to_pylist()
    wanted = plain(rows, "amount", opening.__getitem__, lambda a: -limit[a], lack=lack)
    got = made(given, "balance amount", of="amount", per="account", order="at", floor="0 - account.limit", lack=lack,
               **{"from": "account.opening"})  # fmt: skip
    assert [(r["amount"], r["balance"]) for r in got] == [(w[1], w[3]) for w in wanted]
    assert sum(r["amount"] != w["amount"] for r, w in zip(got, rows, strict=True)) > 50
    assert all(r["balance"] >= -limit[r["account"]] for r in got if r["account"] is not None)


def test_what_goes_may_be_positive_and_comes_in_dozens() -> None:
    """A column of what is taken out is changed as it is written; what is left of it is a multiple of its step."""
    given = entries(400)
    rows = [r | {"dozens": -r["dozens"]} for r in given.tables["entry"].to_pylist()]
    wanted = plain(rows, "dozens", lambda _: 101, lambda _: 1, grain=12)
    got = made(given, "left dozens", of="-dozens", per="account", order="at", floor=1, **{"from": 101})
    assert [(r["dozens"], r["left"]) for r in got] == [(-w[1], w[3]) for w in wanted]
    assert {r["dozens"] % 12 for r in got} == {0}
    with pytest.raises(SampleError, match="or the negative of it"):
        made(given, "left dozens", of="dozens * 2", floor=0)


def test_stock_is_filled_up() -> None:
    """Before an amount that is more than there is, up to a level or as far as it needs; no amount is changed."""
    given = entries(900)
    opening = given.tables["account"]["opening"].to_pylist()
    rows = given.tables["entry"].to_pylist()
    wanted = plain(rows, "amount", opening.__getitem__, lambda _: 0, lack="refill", to=Decimal("123.45"))
    got = made(given, "balance filled before", of="amount", per="account", order="at", floor=0, lack="refill",
               to=123.45, refilled="filled", before="before", **{"from": "account.opening"})  # fmt: skip
    assert [(r["before"], r["filled"], r["balance"]) for r in got] == [(w[0], w[2], w[3]) for w in wanted]
    assert sum(r["filled"] not in (None, 0) for r in got) > 50
    assert all(r["before"] + r["filled"] + (r["amount"] or 0) == r["balance"] >= 0
               for r in got if r["account"] is not None)  # fmt: skip


def test_cut_amounts_are_a_reflected_walk() -> None:
    """The loop and the identity of reflection agree."""
    rng = np.random.default_rng(5)
    amounts = rng.integers(-10, 10, 5_000)
    begins = np.zeros(5_000, dtype=bool)
    begins[0] = True
    same = [np.full(5_000, v) for v in (7, -3, 0)]
    found = walked(Walk(amounts, begins, *same), LACK["cut"], 0)
    sums = np.cumsum(amounts)
    assert (found.after == sums + np.maximum(7, np.maximum.accumulate(-3 - sums))).all()


def test_what_cannot_be_is_told_with_the_rows() -> None:
    """Accounts that open with less than the floor, amounts nobody made, numbers that have no room."""
    with pytest.raises(SampleError, match="accounts that open with at least the floor"):
        made(entries(90), "balance amount", of="amount", per="account", floor="account.opening + 1")
    rule, part = Running(of="amount", floor=0.0), Part(("entry.balance", "entry.amount"))
    bare = Dataset.blank(SCHEMA, {"entry": 9})
    with pytest.raises(SampleError, match="under `change`"):
        rule.fit(Dataset.empty(SCHEMA), part, Context()).sample(bare, Context())
    with pytest.raises(SampleError, match="as many digits as its column has room for"):
        made(entries(9), "balance", of=1, **{"from": 10**11})
    with pytest.raises(SampleError, match="at most 18 digits"):
        made(entries(400), "left", of="pieces * 1000000000000000")


@pytest.mark.parametrize(("make", "how", "place", "said"), [
    ("balance", {"of": "amuont"}, "of", "did you mean 'amount'"),
    ("balance", {"of": "note"}, "of", "wanted a number"),
    ("balance", {"of": "balance"}, "of", "without `floor` no amount is changed"),
    ("balance", {"from": "account.openin"}, "from", "did you mean 'opening'"),
    ("balance", {"per": "acount"}, "per", "did you mean 'account'"),
    ("balance", {"order": "balance"}, "order", "makes itself"),
    ("balance", {"order": "note"}, "order", "wanted numbers, dates or instants"),
    ("balance", {"before": "befor"}, "before", "name it in `make` as 'entry.befor'"),
    ("balance filled", {}, "", "wanted one column for the balance, got 'balance', 'filled'"),
    ("before", {"before": "before"}, "", "got none"),
    ("balance", {"of": "amount", "floor": 0}, "floor", "`change: [entry.amount]`"),
    ("balance amount", {"of": "amount"}, "of", "leave 'amount' out"),
    ("balance amount", {"of": "amount", "floor": 1}, "floor", "1 is more than `from: 0`"),
    ("balance", {"lack": "refuse"}, "lack", "it goes with `floor`"),
    ("balance", {"to": 3}, "to", "it goes with `floor`"),
    ("balance amount", {"of": "amount", "floor": 0, "to": 9}, "to", "it goes with `lack: refill`"),
    ("balance", {"of": "amount", "floor": 0, "lack": "refill", "to": 9}, "refilled", "needs it"),
    ("balance amount filled", {"of": "amount", "floor": 0, "lack": "refill", "to": 9, "refilled": "filled"}, "of",
     "amounts stay as they are"),
    ("balance filled", {"of": "amount", "floor": 5, "from": 9, "lack": "refill", "to": 4, "refilled": "filled"},
     "floor", "5 is more than `to: 4`"),
    ("left", {"of": "amount"}, "of", "they cannot add up"),
    ("balance", {"nulls": 0.1}, "nulls", "a balance is in every row"),
])  # fmt: skip
def test_what_makes_no_sense_is_told(make: str, how: dict[str, Any], place: str, said: str) -> None:
    """Each fault with its place among the parameters, before anything runs."""
    found = Running.model_validate(how).misused(SCHEMA, "entry", tuple(make.split()))
    assert any(".".join(map(str, p)) == place and said in s for p, s in found), found


BANK = """
synthwright: 1
name: bank
seed: 3
schema:
  tables:
    account:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        opening: {kind: number, type: "decimal128(12, 2)", nulls: false}
        entries: {kind: integer, nulls: false}
    entry:
      fields:
        account: {kind: reference, to: account.id, type: int64, nulls: false}
        at: {kind: integer, nulls: false}
        amount: {kind: number, type: "decimal128(12, 2)", nulls: false}
        fee: {kind: number, type: "decimal128(12, 2)", nulls: false}
        balance: {kind: number, type: "decimal128(12, 2)", nulls: false}
start:
  rows: {account: 60}
  children: {entry: {of: entry.account, count: account.entries}}
parts:
  - {make: [account.id], use: counter}
  - {make: [account.opening], use: distribution, with: {uniform: {low: 0, high: 90}}}
  - {make: [account.entries], use: distribution, with: {poisson: {mean: 9}}}
  - {make: [entry.at], use: distribution, with: {uniform: {low: 0, high: 50}}}
  - {make: [entry.amount], use: distribution, with: {normal: {mean: 0, sd: 50}}}
  - {make: [entry.fee], use: formula, with: {formula: "abs(amount) * 0.01"}}
  - make: [entry.balance]
    change: [entry.amount]
    use: running
    with: {of: amount, per: account, from: account.opening, order: at, floor: 0}
curate: []
evaluate: {metrics: [integrity]}
"""


def test_balances_hold_over_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a shard is; whoever looks at a changed amount sees it changed."""
    monkeypatch.setattr(generate, "RULED", 100)
    (tmp_path / "bank.yaml").write_text(BANK, encoding="utf-8")
    report = sw.run(tmp_path / "bank.yaml", tmp_path / "out")
    assert report.passed, report.summary
    accounts, rows = (pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("account", "entry"))
    assert len(rows) > 400
    opening = {a["id"]: a["opening"] for a in accounts}
    got = plain([r | {"at": dt.datetime(2000, 1, 1) + dt.timedelta(r["at"])} for r in rows], "amount", opening.get)
    assert [r["balance"] for r in rows] == [w[3] for w in got]
    assert min(r["balance"] for r in rows) == 0
    assert all(r["fee"] == round(abs(r["amount"]) * Decimal("0.01"), 2) for r in rows if r["amount"] % 1 == 0)


def test_accounts_that_stand_together_are_made_shard_by_shard(tmp_path: Path) -> None:
    """Where rows are children of what they are added up by; in other tables all rows are made at once."""
    found = []
    for text in (BANK, BANK.replace("  children: {entry: {of: entry.account, count: account.entries}}", "")
                 .replace("{account: 60}", "{account: 60, entry: 500}").replace("parts:", "parts:\n"
                 "  - {make: [entry.account], use: reference}"), BANK.replace("per: account, ", "")):  # fmt: skip
        (tmp_path / "bank.yaml").write_text(text, encoding="utf-8")
        planned = check(load_spec(tmp_path / "bank.yaml"))
        assert planned is not None
        found.append({p.generator.name: p.part.scope for p in planned.parts}["running"])
    assert found == ["entity", "table", "table"]


def test_a_specification_is_refused_at_its_line(tmp_path: Path) -> None:
    """A floor that changes nothing is told where it stands."""
    text = BANK.replace("    change: [entry.amount]\n", "")
    (tmp_path / "bank.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as told:
        sw.check(tmp_path / "bank.yaml")
    line = next(i for i, said in enumerate(text.splitlines(), 1) if "floor: 0" in said)
    assert [(f.line, "`change: [entry.amount]`" in f.message) for f in told.value.faults] == [(line, True)]


def test_what_the_documentation_shows_runs(tmp_path: Path) -> None:
    """Stocks go on from row to row, and no order has a product twice; the page's other specifications are as above."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "relations.md").read_text(encoding="utf-8")
    for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        name = re.findall("name: (.*)", text)[0]
        if name not in ("shop", "stock"):
            continue
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        report = sw.run(tmp_path / f"{name}.yaml", tmp_path / name)
        assert report.passed, report.summary
    stock = pq.read_table(tmp_path / "stock" / "data" / "sale").to_pylist()
    assert len(stock) == 3_000
    left: dict[int, int] = {}
    for sale in sorted(stock, key=lambda s: s["day"]):
        assert sale["had"] == left.get(sale["item"], 40)
        left[sale["item"]] = sale["left"]
    assert min(left.values()) >= 0
    lines = pq.read_table(tmp_path / "shop" / "data" / "line").to_pylist()
    assert len({(line["order"], line["product"]) for line in lines}) == len(lines) > 0
