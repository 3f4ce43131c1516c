"""What columns made anew look at: modelled ones of their part, where that makes nobody wait and costs no privacy."""

from __future__ import annotations

from synthwright.core.contracts import Part
from synthwright.core.plan import Plan, plan
from synthwright.core.plan_anew import followed
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import PartUse, PrivacyBudget, Spec

SCHEMA = Schema(tables={"person": Table(fields={
    "id": Field(kind=Kind.KEY), "email": Field(kind=Kind.TEXT, sensitive="email"), "age": Field(kind=Kind.INTEGER),
    "city": Field(kind=Kind.CATEGORY), "ward": Field(kind=Kind.CATEGORY, sensitive="ward"),
}, key="id")})  # fmt: skip


def _plan(*parts: PartUse) -> Plan:
    return plan(Spec(synthwright=1, name="people", schema_=SCHEMA, parts=parts), SCHEMA)


def _given(found: Plan) -> tuple[str, ...]:
    return next(p.part.given for p in found.parts if p.generator.name == "anew")


def test_what_is_modelled_comes_first_and_is_looked_at() -> None:
    """Personal data is not looked at, and the part that makes the others comes before."""
    found = _plan(PartUse(make=("person.*",), use="forest"))
    assert _given(found) == ("person.age", "person.city")
    assert [p.generator.name for p in found.parts] == ["forest", "anew"]


def test_columns_that_are_chosen_later_are_looked_at_too() -> None:
    """A column that such a generator makes first, so that it can be set, is one of those beside."""
    first = PartUse(make=("person.city",), use="forest")
    found = _plan(first, PartUse(make=("person.*",), use="forest", given=("person.city",)))
    assert set(_given(found)) == {"person.age", "person.city"}


def test_keys_wait_for_nobody_else() -> None:
    """Where the modelled columns wait for another generator, those made anew look at nothing."""
    first = PartUse(make=("person.city",), use="choice", settings={"values": {"Rome": 1.0, "Oslo": 1.0}})
    found = _plan(first, PartUse(make=("person.*",), use="forest", given=("person.city",)))
    assert _given(found) == ()


def test_nothing_is_looked_at_where_privacy_is_paid_for() -> None:
    """A budget pays for modelled columns; what others have to do with them would be told for free."""
    made = Part(("person.age", "person.city"))
    for budget, wanted in ((None, made.produce), (PrivacyBudget(epsilon=1.0, delta=1e-6), ())):
        use = PartUse(make=("person.*",), use="mst", budget=budget)
        spec = Spec(synthwright=1, name="people", schema_=SCHEMA, parts=(use,))
        assert followed(spec, use, made, SCHEMA) == wanted
