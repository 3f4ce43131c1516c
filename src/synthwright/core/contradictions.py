"""Rules that no row can keep together: found in what they say, before anything is made.

Looked at are the conditions that rules join by `and` and that compare a column with a value, with a list, or with
another column. What is more entangled is found out when rows are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from synthwright.core.rule_nodes import Among, Compare, Every, Literal, Name, Node, Parsed
from synthwright.core.schema import Field, Kind

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_Value = Decimal | str | bool


class Contradiction(NamedTuple):
    """A rule that does not go with those before it, or not with itself."""

    rule: int
    """Its place among the rules."""
    why: str


@dataclass
class _Bounds:
    """What rules leave of the values of a column."""

    whole: bool
    low: tuple[_Value, bool, str] | None = None
    """The least value, whether it is left out, and the condition that says so."""
    high: tuple[_Value, bool, str] | None = None
    only: tuple[frozenset[_Value], str] | None = None
    never: dict[_Value, str] = field(default_factory=dict)

    def take(self, sign: str, value: _Value, said: str) -> None:
        """Take a condition in: the nearer bound stays."""
        if sign in (">", ">="):
            if self.low is None or (_alike(value, self.low[0]) and (value, sign == ">") > self.low[:2]):
                self.low = (value, sign == ">", said)
        elif sign in ("<", "<="):
            high = self.high
            if high is None or (_alike(value, high[0]) and (value, sign == "<=") < (high[0], not high[1])):
                self.high = (value, sign == "<", said)
        elif sign == "==":
            self.among(frozenset({value}), said)
        else:
            self.never[value] = said

    def among(self, values: frozenset[_Value], said: str) -> None:
        """Take in that only these values may be."""
        self.only = (values, said) if self.only is None else (self.only[0] & values, f"{self.only[1]} and {said}")

    def empty(self) -> str | None:
        """Return the conditions that leave no value, None where some is left."""
        if self.only is not None:
            left = [v for v in self.only[0] if v not in self.never and self._inside(v)]
            if left:
                return None
            others = [self.never[v] for v in self.only[0] if v in self.never]
            others += [b[2] for b in (self.low, self.high) if b is not None]
            return " and ".join(dict.fromkeys([self.only[1], *others]))
        if self.low is None or self.high is None or not _alike(self.low[0], self.high[0]):
            return None
        (low, above, one), (high, below, two) = self.low, self.high
        if self.whole and isinstance(low, Decimal) and isinstance(high, Decimal):
            least = low.__floor__() + 1 if above or low != low.to_integral_value() else int(low)
            most = high.__ceil__() - 1 if below or high != high.to_integral_value() else int(high)
            return f"{one} and {two}" if least > most else None
        return f"{one} and {two}" if low > high or (low == high and (above or below)) else None  # type: ignore[operator]  # of one type

    def _inside(self, value: _Value) -> bool:
        low, high = self.low, self.high
        if low is not None and _alike(value, low[0]) and (value < low[0] or (low[1] and value == low[0])):  # type: ignore[operator]  # of one type
            return False
        return not (high is not None and _alike(value, high[0])
                    and (value > high[0] or (high[1] and value == high[0])))  # type: ignore[operator]  # fmt: skip


def contradictions(rules: Sequence[tuple[int, Parsed]], fields: Mapping[str, Field]) -> list[Contradiction]:
    """Return the rules of a table that no row with values can keep, each with the conditions that exclude each other.

    Args:
        rules: place and rule; those that are no conditions on a row count for nothing.
        fields: the columns of the table.
    """
    bounds: dict[str, _Bounds] = {}
    below: dict[str, dict[str, tuple[bool, str]]] = {}
    found: list[Contradiction] = []
    for place, parsed in rules:
        for node in _conditions(parsed):
            why = _taken(node, bounds, below, fields)
            if why is not None:
                found.append(Contradiction(place, f"no row can keep {why}"))
                return found
    return found


def _taken(
    node: Node, bounds: dict[str, _Bounds], below: dict[str, dict[str, tuple[bool, str]]], fields: Mapping[str, Field]
) -> str | None:
    """Take a condition in; return which conditions exclude each other, if any do now."""
    match node:
        case Compare(sign, Name(column), Literal(value)) if column in fields:
            one = _of(bounds, column, fields)
            one.take(sign, value, f"`{column} {sign} {_said(value)}`")
            return one.empty()
        case Compare(sign, Literal(value), Name(column)) if column in fields:
            return _taken(Compare(_MIRRORED[sign], Name(column), Literal(value)), bounds, below, fields)
        case Compare(sign, Name(left), Name(right)) if sign in ("<", "<=", ">", ">="):
            low, high = (left, right) if sign in ("<", "<=") else (right, left)
            strict = sign in ("<", ">")
            said = f"`{left} {sign} {right}`"
            back = [] if low == high else _path(high, low, below)
            if low == high and strict:
                return said
            if back and (strict or any(s for s, _ in back)):
                return " and ".join(dict.fromkeys([said, *(t for _, t in back)]))
            below.setdefault(low, {})[high] = (strict or below.get(low, {}).get(high, (False, ""))[0], said)
        case Among(Name(column), values) if column in fields:
            one = _of(bounds, column, fields)
            one.among(
                frozenset(v.value for v in values), f"`{column} in [{', '.join(_said(v.value) for v in values)}]`"
            )
            return one.empty()
        case _:
            pass
    return None


def _of(bounds: dict[str, _Bounds], column: str, fields: Mapping[str, Field]) -> _Bounds:
    return bounds.setdefault(column, _Bounds(fields[column].kind is Kind.INTEGER))


def _path(
    start: str, end: str, below: Mapping[str, Mapping[str, tuple[bool, str]]], seen: frozenset[str] = frozenset()
) -> list[tuple[bool, str]]:
    """Return the conditions that lead from a column up to another, none where none do."""
    for then, step in below.get(start, {}).items():
        if then == end:
            return [step]
        if then not in seen and (rest := _path(then, end, below, seen | {start})):
            return [step, *rest]
    return []


def _conditions(parsed: Parsed) -> Iterator[Node]:
    """Yield the conditions that a rule joins by `and`."""
    waiting = [parsed.tree] if parsed.form == "row" and parsed.tree is not None else []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Every):
            waiting[:0] = node.parts
        else:
            yield node


def _alike(one: _Value, two: _Value) -> bool:
    return type(one) is type(two)


def _said(value: _Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, Decimal) else repr(value)
