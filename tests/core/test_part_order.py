"""In which order parts run, those that change what others made among them."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from synthwright.core.contracts import Part
from synthwright.core.part_order import in_order


def test_who_changes_comes_between() -> None:
    """What a changing part needs sees columns as they were made; everybody else sees them changed."""
    parts = [
        ("0-tax", Part(("t.tax",), ("t.amount",))),
        ("1-fraud", Part(("t.fraud", "t.amount", "t.at"), ("t.card", "t.size"), "replace")),
        ("2-amount", Part(("t.amount",), ("t.at",))),
        ("3-size", Part(("t.size",), ("t.amount",))),
        ("4-late", Part(("t.late",), ("t.at",))),
    ]
    order = in_order(parts, [(), ("t.amount", "t.at"), (), (), ()], {"t.at", "t.card"})
    assert order.index("2-amount") < order.index("3-size") < order.index("1-fraud")
    assert order.index("1-fraud") < min(order.index("0-tax"), order.index("4-late"))


def test_several_change_in_the_order_they_are_written() -> None:
    """Two parts that change one column are not swapped; a circle is told."""
    parts = [("0-b", Part(("t.x",), (), "replace")), ("1-a", Part(("t.x",), (), "replace")), ("2-x", Part(("t.x",)))]
    assert in_order(parts, [("t.x",), ("t.x",), ()], ()) == ("2-x", "0-b", "1-a")
    circle = [("0-a", Part(("t.a",), ("t.b",))), ("1-b", Part(("t.b",), ("t.a",)))]
    with pytest.raises(CycleError):
        in_order(circle, [(), ()], ())
