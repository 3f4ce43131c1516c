"""The generator `formula`: columns that follow from others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.generators.formula import Formula
from synthwright.kit.ruled import RuledModel

MONEY = Field(kind=Kind.NUMBER, type="decimal128(12, 2)")
SCHEMA = Schema(tables={
    "customer": Table(fields={"id": Field(kind=Kind.KEY, type="int64"), "country": Field(kind=Kind.CATEGORY),
                              "spent": MONEY}, key="id"),
    "order": Table(fields={
        "customer": Field(kind=Kind.REFERENCE, to="customer.id", type="int64"),
        "price": MONEY, "quantity": Field(kind=Kind.INTEGER), "net": MONEY, "total": MONEY,
        "label": Field(kind=Kind.TEXT), "big": Field(kind=Kind.BOOLEAN),
    }),
})  # fmt: skip
TOTALS = {"total": 'round(net * if(customer.country == "DE", 1.19, 1.2), 2)', "net": "price * quantity"}


def given() -> Dataset:
    """Return what is made before: customers, and orders with price and quantity."""
    money = pa.decimal128(12, 2)
    customer = pa.table({"id": [1, 2], "country": pa.array(["DE", "FR"], pa.large_string())})
    order = pa.table({
        "customer": [1, 2, 1], "price": pa.array([Decimal("9.99"), Decimal("0.05"), None], money),
        "quantity": pa.array([3, 7, 1], pa.int64()),
    })  # fmt: skip
    return Dataset(SCHEMA, {"customer": customer, "order": order})


def sampled(recipe: Formula, *produce: str, data: Dataset | None = None, mode: Any = "make") -> Dataset:
    """Return what a recipe makes of the given columns."""
    data = given() if data is None else data
    model = recipe.fit(Dataset.empty(SCHEMA), Part(produce, (), mode), Context(seed=1))
    return model.sample(data, Context(seed=1)).data


def test_columns_follow_from_others_in_any_order() -> None:
    """Several formulas need each other, references and the columns made before; results are as the columns declare."""
    out = sampled(Formula(formulas=TOTALS), "order.net", "order.total").tables["order"]
    assert out.column("net").to_pylist() == [Decimal("29.97"), Decimal("0.35"), None]
    assert out.column("total").to_pylist() == [Decimal("35.66"), Decimal("0.42"), None]


def test_one_formula_makes_one_column() -> None:
    """One column needs no name; constants may be written as YAML reads them."""
    out = sampled(Formula(formula='"no. " + pad(quantity, 3, "0")'), "order.label").tables["order"]
    assert out.column("label").to_pylist() == ["no. 003", "no. 007", "no. 001"]
    for said, wanted in ((9.5, Decimal("9.50")), (2, Decimal("2.00")), (None, None)):
        recipe = Formula.model_validate({"formula": said})
        assert sampled(recipe, "order.net").tables["order"].column("net").to_pylist() == [wanted] * 3
    truth = Formula.model_validate({"formulas": {"big": True}})
    assert sampled(truth, "order.big").tables["order"].column("big").to_pylist() == [True] * 3


def test_rows_that_point_here_are_summed_up() -> None:
    """A customer's column may sum up its orders, once these are made."""
    recipe = Formula(formula="sum(order.total)")
    assert recipe.looks_at(SCHEMA, "customer") == ("order.customer", "customer.id", "order.total")
    data = sampled(Formula(formulas=TOTALS), "order.net", "order.total")
    out = sampled(recipe, "customer.spent", data=data).tables["customer"]
    assert out.column("spent").to_pylist() == [Decimal("35.66"), Decimal("0.42")]
    with pytest.raises(SampleError, match="made before"):
        sampled(recipe, "customer.spent")


def test_what_it_looks_at_is_known() -> None:
    """Columns that formulas name, and the keys of the references they follow, need not be listed."""
    looked = Formula(formulas=TOTALS).looks_at(SCHEMA, "order")
    assert {"order.price", "order.quantity", "order.customer", "customer.country", "customer.id"} <= set(looked)


def test_a_saved_model_is_the_rule() -> None:
    """The rule, saved and loaded, is the same."""
    model = Formula(formulas=TOTALS).fit(Dataset.empty(SCHEMA), Part(("order.net", "order.total")), Context(seed=1))
    assert isinstance(model, RuledModel)
    assert Formula.model_validate(model.rule.model_dump(mode="json", by_alias=True)) == model.rule


@pytest.mark.parametrize(("settings", "produce", "place", "said"), [
    ({}, ("net",), (), "it says nothing to compute: write `formula: price * quantity`"),
    ({"formula": "price"}, ("net", "total"), ("formula",), "it makes 2 columns: write `formulas: {net: …}`"),
    ({"formula": "price", "formulas": {"net": "price"}}, ("net",), ("formula",), "not by both"),
    ({"formulas": {"nett": "price", "net": "price"}}, ("net",), ("formulas", "nett"), "did you mean 'net'?"),
    ({"formulas": {"label": '"x"', "net": "price"}}, ("net",), ("formulas", "label"), "as 'order.label'"),
    ({"formulas": {"net": "price"}}, ("net", "total"), ("formulas",), "column 'total' has no formula"),
    ({"formula": "prise * 2"}, ("net",), ("formula",), "at character 1: `prise` is no column of table 'order'"),
    ({"formulas": {"net": "price", "total": "label * 2"}}, ("net", "total"), ("formulas", "total"), "is text"),
    ({"formula": "customer.contry"}, ("label",), ("formula",), "did you mean 'country'?"),
    ({"formula": "label"}, ("net",), ("formula",), "`label` is text, and the column is of kind number"),
    ({"formula": "net + 1"}, ("net",), ("formula",), "need each other: net → net"),
    ({"formulas": {"net": "total / 1.19", "total": "net * 1.19"}}, ("net", "total"), ("formulas", "net"),
     "need each other: net → total → net"),
])  # fmt: skip
def test_what_makes_no_sense_is_told_with_its_place(
    settings: dict[str, Any], produce: tuple[str, ...], place: tuple[str, ...], said: str
) -> None:
    """Everything that can be known before anything runs is, at its place among the parameters."""
    found = Formula.model_validate(settings).misused(SCHEMA, "order", produce)
    assert [p for p, _ in found] == [place]
    assert said in found[0][1]


def test_what_makes_sense_is_not_told() -> None:
    """Formulas that fit their columns have no faults."""
    assert Formula(formulas=TOTALS).misused(SCHEMA, "order", ("net", "total")) == []
    assert Formula(formula="sum(order.total)").misused(SCHEMA, "customer", ("spent",)) == []


def test_what_is_no_formula_is_refused_at_its_place() -> None:
    """Text that is no formula is told as such, where it stands."""
    with pytest.raises(ValidationError, match="at character 8") as error:
        Formula.model_validate({"formulas": {"net": "price *", "total": "net"}})
    assert error.value.errors()[0]["loc"] == ("formulas", "net")


def test_a_circle_stops_a_run() -> None:
    """Without the check, columns that need each other are an error that names them."""
    with pytest.raises(SampleError, match=r"a circle: (net → total → net|total → net → total)"):
        sampled(Formula(formulas={"net": "total", "total": "net"}), "order.net", "order.total")


def test_only_missing_columns_are_computed() -> None:
    """A column that is there already stays, and others are computed from it."""
    net = pa.array([Decimal("1.00")] * 3, pa.decimal128(12, 2))
    data = given().with_columns("order", {"net": net})
    out = sampled(Formula(formulas=TOTALS), "order.net", "order.total", data=data).tables["order"]
    assert out.column("net").to_pylist() == [Decimal("1.00")] * 3
    assert out.column("total").to_pylist() == [Decimal("1.19"), Decimal("1.20"), Decimal("1.19")]
