"""What generators of entities share: roles of columns, and what is said of those that cannot be."""

from __future__ import annotations

import pytest
from tests.generators.entities_for_tests import LABEL, NUMBER, TEXT, Columns, listed, made, wrong

from synthwright.core.schema import Field
from synthwright.generators.address import Address
from synthwright.generators.card import Card
from synthwright.generators.company import Company
from synthwright.generators.coordinates import Coordinates
from synthwright.generators.iban import Iban
from synthwright.generators.internet import Internet
from synthwright.generators.national_number import NationalNumber
from synthwright.generators.person import Person
from synthwright.generators.product import Product
from synthwright.kit.entities.roles import Roled

EVERY = (Address, Card, Company, Coordinates, Iban, Internet, NationalNumber, Person, Product)


@pytest.mark.parametrize("kind", EVERY)
def test_roles_are_documented(kind: type[Roled]) -> None:
    """The documentation names every role, and a column called as a role has it."""
    said = (kind.__doc__ or "").partition("Roles:")[2]
    assert all(f"`{role}`" in said for role in kind.roles)
    assert all(kind().role(role) == role for role in kind.roles)


@pytest.mark.parametrize("kind", EVERY)
def test_each_role_has_a_stream_of_its_own(kind: type[Roled]) -> None:
    """What else is made beside the first column does not change what a column gets."""
    roles = [r for r, role in kind.roles.items() if role.kinds]
    columns: Columns = {r: min(kind.roles[r].kinds, key=lambda k: (k != "text", k != "number", k)) for r in roles}
    whole = listed(kind(), columns, 40)
    for role in roles[1:]:
        assert listed(kind(), {roles[0]: columns[roles[0]], role: columns[role]}, 40)[role] == whole[role]


def test_shares_without_a_value() -> None:
    """A share of the rows has no value where it is asked; where it cannot be, it is told before anything runs."""
    held = listed(Person(nulls=0.5), {"email": TEXT, "name": TEXT}, 2_000)
    assert all(850 < column.count(None) < 1_150 for column in held.values())
    assert wrong(Person(nulls=0.1), {"name": Field(kind=TEXT, nulls=False)})[0].startswith("nulls: column 'name'")
    assert wrong(Person(nulls="agge * 2"), {"name": TEXT})[0].startswith("nulls: ")


def test_what_is_made_without_a_role_by_hand() -> None:
    """Asked for by hand, columns without a role get the first that there can be; a specification is refused."""
    assert made(Address(), {"latitude": NUMBER, "city": LABEL}, 3).num_rows == 3
    assert "has no role" in wrong(Address(), {"x": NUMBER})[0]
