"""What formulas take from the rows of other tables, against plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.kit.formula.formulas import children, condition, faults, read, value
from synthwright.kit.ruled import Ask

INTEGER = Field(kind=Kind.INTEGER)
FIELDS = {
    "account": {"id": Field(kind=Kind.KEY, type="int64"), "opening": Field(kind=Kind.NUMBER)},
    "payment": {
        "payer": Field(kind=Kind.REFERENCE, to="account.id", type="int64"),
        "payee": Field(kind=Kind.REFERENCE, to="account.id", type="int64"),
        "shop": Field(kind=Kind.REFERENCE, to="shop.name"),
        "amount": Field(kind=Kind.NUMBER),
        "units": INTEGER,
        "fee": Field(kind=Kind.NUMBER, type="decimal128(10, 2)"),
        "state": Field(kind=Kind.CATEGORY),
        "at": Field(kind=Kind.DATETIME),
        "took": Field(kind=Kind.DURATION),
        "ok": Field(kind=Kind.BOOLEAN),
    },
    "shop": {"name": Field(kind=Kind.KEY), "rate": Field(kind=Kind.NUMBER)},
    "person": {"id": Field(kind=Kind.KEY, type="int64"), "boss": Field(kind=Kind.REFERENCE, to="person.id",
                                                                     type="int64")},
}  # fmt: skip
SCHEMA = Schema(tables={t: Table(fields=f, key=next((c for c in f if f[c].kind is Kind.KEY), None))
                        for t, f in FIELDS.items()})  # fmt: skip


def _columns() -> dict[str, dict[str, list[Any]]]:
    rng = Context(seed=5, place=("children",)).rng
    size = 200
    start = datetime(2024, 1, 1)
    payment: dict[str, list[Any]] = {
        "payer": [int(n) for n in rng.integers(0, 12, size)],  # 10 and 11 are nobody's
        "payee": [int(n) for n in rng.integers(0, 5, size)],
        "shop": [["a", "b", "z"][int(n)] for n in rng.integers(0, 3, size)],
        "amount": [float(n) for n in rng.integers(-500, 500, size) / 4],
        "units": [int(n) for n in rng.integers(0, 9, size)],
        "fee": [Decimal(int(n)).scaleb(-2) for n in rng.integers(0, 99, size)],
        "state": [["paid", "open"][int(n)] for n in rng.integers(0, 2, size)],
        "at": [start + timedelta(minutes=int(n)) for n in rng.integers(0, 10**5, size)],
        "took": [timedelta(seconds=int(n)) for n in rng.integers(0, 10**5, size)],
        "ok": [bool(n) for n in rng.integers(0, 2, size)],
    }
    payment = {c: [None if i % (13 + k) == 3 else v for i, v in enumerate(values)]
               for k, (c, values) in enumerate(payment.items())}  # fmt: skip
    account: dict[str, list[Any]] = {"id": list(range(10)), "opening": [float(n) for n in range(10)]}
    return {"account": account, "payment": payment, "shop": {"name": list(RATES), "rate": list(RATES.values())},
            "person": {"id": [1, 2, 3, 4], "boss": [None, 1, 1, 3]}}  # fmt: skip


RATES = {"a": 2.0, "b": 0.5}
Expected = Callable[..., Any]
COLUMNS = _columns()
DATA = Dataset(SCHEMA, {t: pa.table({c: pa.array(v, canonical(FIELDS[t][c])) for c, v in held.items()})
                        for t, held in COLUMNS.items()})  # fmt: skip
PAYMENTS = [SimpleNamespace(**dict(zip(COLUMNS["payment"], values, strict=True)))
            for values in zip(*COLUMNS["payment"].values(), strict=True)]  # fmt: skip


def ask(table: str = "account", data: Dataset = DATA) -> Ask:
    """Return what a rule is asked for: a table's rows."""
    return Ask(data, table, (), Context(seed=1))


def _of(name: str) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [getattr(p, name) for p in rows if getattr(p, name) is not None]


def _mean(values: list[Any]) -> Any:
    return sum(values) / len(values) if values else None


@pytest.mark.parametrize(("text", "values", "expected"), [
    ("sum(payment.amount by payer)", _of("amount"), sum),
    ("sum(payment.units by payer)", _of("units"), sum),
    ("sum(payment.fee by payer)", _of("fee"), sum),
    ("sum(payment.ok by payer)", _of("ok"), sum),
    ("sum(payment.took by payer)", _of("took"), lambda v: sum(v, timedelta())),
    ("mean(payment.amount by payer)", _of("amount"), _mean),
    ("mean(payment.fee by payer)", _of("fee"), lambda v: _mean([float(f) for f in v])),
    ("min(payment.amount by payer)", _of("amount"), lambda v: min(v, default=None)),
    ("max(payment.at by payer)", _of("at"), lambda v: max(v, default=None)),
    ("max(payment.state by payer)", _of("state"), lambda v: max(v, default=None)),
    ("first(payment.state by payer)", _of("state"), lambda v: v[0] if v else None),
    ("last(payment.at by payer)", _of("at"), lambda v: v[-1] if v else None),
    ("count(payment by payer)", lambda rows: rows, len),
    ("count(payment.amount by payer)", _of("amount"), len),
    ('sum(payment.amount by payer where state == "paid" and units > 2)',
     lambda rows: _of("amount")([p for p in rows if p.state == "paid" and (p.units or 0) > 2]), sum),
    ("count(payment by payer where shop.rate > 1)", lambda rows: [p for p in rows if p.shop == "a"], len),
    ("sum(payment.shop.rate by payer)", lambda rows: [RATES[p.shop] for p in rows if p.shop in RATES], sum),
])  # fmt: skip
def test_rows_that_point_here(
    text: str, values: Callable[[list[Any]], list[Any]], expected: Callable[..., Any]
) -> None:
    """Each function gives what Python gives of the values of the rows that point to a row."""
    formula = read(text)
    assert faults(formula, SCHEMA, "account") == []
    got = value(formula, ask()).to_pylist()
    wanted = [expected(values([p for p in PAYMENTS if p.payer == i])) for i in COLUMNS["account"]["id"]]
    assert got == [pytest.approx(w) if isinstance(w, float) else w for w in wanted]
    assert any(wanted)


def test_rows_that_point_here_are_computed_with() -> None:
    """Sums are numbers like any other; sums and counts of nothing are 0, everything else of nothing is null."""
    got = value(read("opening + sum(payment.amount by payee) - sum(payment.amount by payer)"), ask()).to_pylist()
    for i, found in enumerate(got):
        came = sum(p.amount for p in PAYMENTS if p.payee == i and p.amount is not None)
        went = sum(p.amount for p in PAYMENTS if p.payer == i and p.amount is not None)
        assert found == pytest.approx(i + came - went)
    nobody = {t: h.slice(0, 0) if t == "payment" else h for t, h in DATA.tables.items()}
    empty = ask(data=Dataset(SCHEMA, nobody))
    for text in ("sum(payment.amount by payer)", "count(payment by payer)", "sum(payment.fee by payer)"):
        assert value(read(text), empty).to_pylist() == [0] * 10
    for text in ("mean(payment.amount by payer)", "first(payment.at by payer)", "max(payment.state by payer)"):
        assert value(read(text), empty).null_count == 10
    assert condition(read("count(payment by payer) > 15"), ask()).dtype == bool


def test_rows_of_the_same_table() -> None:
    """A table may point to itself."""
    assert value(read("count(person)"), ask("person")).to_pylist() == [2, 0, 1, 0]
    assert value(read("max(person.id)"), ask("person")).to_pylist() == [3, None, 4, None]


def test_what_is_needed_is_known() -> None:
    """`children` names the values, the references, the key, and what conditions look at."""
    formula = read('sum(payment.amount by payer where shop.rate > 1 and state == "paid") + opening')
    assert formula.paths == ("opening",)
    assert set(children(formula, SCHEMA, "account")) == {
        "payment.payer", "account.id", "payment.amount", "payment.shop", "shop.rate", "shop.name", "payment.state",
    }  # fmt: skip
    assert children(read("opening"), SCHEMA, "account") == ()


def test_order_of_rows_counts_for_first_and_last_only() -> None:
    """Whole numbers, decimals and extremes are the same whatever order rows have."""
    turned = DATA.take("payment", Context(seed=2).rng.permutation(len(PAYMENTS)))
    for text in ("sum(payment.units by payer)", "sum(payment.fee by payer)", "max(payment.at by payer)",
                 "count(payment by payee)"):  # fmt: skip
        assert value(read(text), ask()).equals(value(read(text), ask(data=turned)))


def test_large_whole_numbers_add_up_exactly() -> None:
    """Sums beyond what floats hold exactly are exact."""
    big = [2**60 + i for i in range(3)]
    held = pa.table({"boss": pa.array([1, 1, 1], pa.int64()), "id": pa.array(big, pa.int64())})
    schema = Schema(tables={"p": Table(fields={"id": FIELDS["person"]["id"]}, key="id"),
                            "c": Table(fields={"boss": Field(kind=Kind.REFERENCE, to="p.id", type="int64"),
                                               "id": INTEGER})})  # fmt: skip
    data = Dataset(schema, {"p": pa.table({"id": pa.array([1, 2])}), "c": held})
    assert value(read("sum(c.id)"), ask("p", data)).to_pylist() == [sum(big), 0]


@pytest.mark.parametrize(("text", "said"), [
    ("sum(payment.amount)", "write `sum(payment.amount by payer)` or `sum(payment.amount by payee)`"),
    ("sum(payment.amount by shop)", "`payment.shop` does not point to `account`"),
    ("sum(payment.amout by payer)", "did you mean 'amount'?"),
    ("sum(payments.amount by payer)", "no table is called `payments`: write `payment`"),
    ("count(shop)", "no column of `shop` points to `account`: write one of the tables that point to `account`"),
    ("sum(payment.state by payer)", "which is no number"),
    ("count(payment by payer where opening > 1)", "`opening` is no column of table 'payment'"),
    ("count(payment by payer where units)", "`units` behind `where` is a number"),
])  # fmt: skip
def test_what_cannot_be_summed_up_is_told(text: str, said: str) -> None:
    """Rows that do not point here, in several ways, or hold something else, are told before anything runs."""
    found = faults(read(text), SCHEMA, "account")
    assert len(found) == 1
    assert said in found[0]


def test_rows_that_are_not_made_yet_are_told() -> None:
    """Where the other table's columns are not there, the error names them."""
    for gone in ("payer", "amount", "state"):
        left = DATA.select("payment", [c for c in FIELDS["payment"] if c != gone])
        with pytest.raises(SampleError, match=f"{gone}.*made before"):
            value(read('sum(payment.amount by payer where state == "paid")'), ask(data=left))
