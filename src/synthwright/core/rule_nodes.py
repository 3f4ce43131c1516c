"""What rules and formulas are made of once they were understood: see `core.rules` and `kit.formula.formulas`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text or a truth value written in the rule."""

    value: Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Call:
    """One of the functions, applied to a value."""

    function: str
    argument: Node


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms with their signs (1 or -1)."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors with `*` or `/` before each; in formulas also `%`."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values and one of == != < <= > >= between them."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a value is one of a list."""

    argument: Node
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether there is no value."""

    argument: Node


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    argument: Node


@dataclass(frozen=True, slots=True)
class Every:
    """Conditions joined by `and`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by `or`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The missing value, written in a formula as `null`."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One of the functions of formulas, or `^`, applied to values."""

    function: str
    arguments: tuple[Node, ...]
    at: int = field(default=0, compare=False)
    """Where it begins in the text."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value from those rows of another table that point to the row at hand."""

    function: str
    table: str
    column: str
    """A column of that table, or a path from it; empty: its rows are counted."""
    by: str | None = None
    """The reference by which they point; nothing: the only one."""
    where: Node | None = None
    """Which of them count, in terms of their own columns; nothing: all."""
    at: int = field(default=0, compare=False)
    """Where it begins in the text."""


Node = (
    Name | Literal | Call | Sum | Product | Compare | Among | Missing | Not | Every | Either
    | Nothing | Apply | Aggregate
)  # fmt: skip
"""The last three stand in formulas only."""
CONDITIONS = (Compare, Among, Missing, Not, Every, Either)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A rule that was understood."""

    text: str
    form: OneOf["row", "dependency", "unique"]
    columns: tuple[str, ...]
    """Every column it names, in order of appearance."""
    tree: Node | None = None
    """The condition; for form `row` alone."""
    left: tuple[str, ...] = ()
    """What determines (dependency), or what is unique together (unique)."""
    right: tuple[str, ...] = ()
    """What is determined; for form `dependency` alone."""
    part: str = ""
    """What of the one date on the left determines: its month, its weekday, its hour; nothing: all of it."""


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and every node inside it, from left to right."""
    yield node
    for inner in parts_of(node):
        yield from walk(inner)


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly inside a node."""
    match node:
        case Call() | Missing() | Not():
            return (node.argument,)
        case Among():
            return (node.argument, *node.values)
        case Sum():
            return tuple(inner for _, inner in node.terms)
        case Product():
            return tuple(inner for _, inner in node.factors)
        case Compare():
            return (node.left, node.right)
        case Every() | Either():
            return node.parts
        case Apply():
            return node.arguments
        case _:
            return ()


def size(node: Node) -> int:
    """Return how many nodes `walk` would yield, in time that does not grow with those that stand in several places."""
    known: dict[int, int] = {}

    def count(inner: Node) -> int:
        if id(inner) not in known:
            known[id(inner)] = 1 + sum(map(count, parts_of(inner)))
        return known[id(inner)]

    return count(node)


def names_in(node: Node) -> tuple[str, ...]:
    """Return the columns a node names, each once, in order of appearance."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Name)))
