"""What the values of a rule are: numbers, text, days, instants …, and what may be compared with what."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal as OneOf

import pyarrow as pa

from synthwright.core.rule_nodes import (
    CONDITIONS,
    Among,
    Apply,
    Call,
    Compare,
    Literal,
    Missing,
    Name,
    Node,
    Parsed,
    Product,
    Sum,
    parts_of,
)
from synthwright.core.rule_tokens import shown
from synthwright.core.schema import Field, Kind, Table, canonical

Type = OneOf["number", "text", "boolean", "date", "datetime", "time", "bytes", "months"]

_KINDS: dict[Kind, Type] = {
    Kind.INTEGER: "number",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.DATETIME: "datetime",
    Kind.DURATION: "number",
    Kind.BYTES: "bytes",
}
_SPELLED: dict[str, tuple[type[date | time], str]] = {
    "date": (date, "2024-12-31"),
    "datetime": (datetime, "2024-12-31 23:59:59"),
    "time": (time, "23:59:59"),
}


def type_of_field(field: Field) -> Type:
    """Return what a column's values are in a rule; lengths of time are numbers of days."""
    if field.kind in _KINDS:
        return _KINDS[field.kind]
    return "number" if pa.types.is_integer(canonical(field)) else "text"


def instant(text: str, kind: str) -> date | datetime | time:
    """Return the date, instant or time of day that a text in a rule spells; a ValueError if it spells none."""
    if kind == "time":
        return time.fromisoformat(text)
    if kind == "date":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)


def faults(parsed: Parsed, table: Table) -> list[str]:
    """Return what a rule cannot mean in this table, one message each; columns the table lacks are passed over."""
    if not set(parsed.columns) <= set(table.fields):
        return []
    checker = _Checker(parsed.text, table)
    if parsed.part:
        checker.call(Call(parsed.part, Name(parsed.left[0])))
    if parsed.tree is None:
        return checker.found
    if checker.type_of(parsed.tree) != "boolean":
        checker.say("it is no condition", "a comparison, like `a > 0`")
    return list(dict.fromkeys(checker.found))


def type_of(node: Node, table: Table) -> Type:
    """Return what a node's values are, in a table that has its columns."""
    return _Checker("", table).type_of(node)


class _Checker:
    def __init__(self, text: str, table: Table) -> None:
        self.text = text
        self.table = table
        self.found: list[str] = []

    def say(self, wrong: str, right: str) -> None:
        self.found.append(f"rule {shown(self.text)}: {wrong}: write {right}")

    def type_of(self, node: Node) -> Type:
        match node:
            case Name():
                return type_of_field(self.table.fields[node.name])
            case Literal():
                return literal_type(node)
            case Call():
                return self.call(node)
            case Apply():
                for argument in node.arguments:
                    self.must(argument, ("number",), f"`{node.function}()` of numbers")
                return "number"
            case Sum():
                return self.sum(node)
            case Product():
                return self.product(node)
        self.condition(node)
        return "boolean"

    def condition(self, node: Node) -> None:
        match node:
            case Compare():
                self.compare(node.left, node.right, node.sign)
            case Among():
                for value in node.values:
                    self.compare(node.argument, value, "==")
            case Missing():
                self.type_of(node.argument)
            case _:
                for part in parts_of(node):
                    self.must(part, ("boolean",), "conditions beside `and`, `or`, `not`, like `a > 0`")

    def must(self, node: Node, wanted: tuple[Type, ...], right: str) -> None:
        got = self.type_of(node)
        if got not in wanted:
            self.say(f"{_named(node)} is {_a(got)}", right)

    def call(self, node: Call) -> Type:
        match node.function:
            case "abs" | "floor" | "ceil" | "sqrt" | "exp" | "log" | "log10":
                self.must(node.argument, ("number",), f"`{node.function}()` of a number")
            case "length":
                self.must(node.argument, ("text", "bytes"), "`length()` of a text")
            case "months":
                self.must(node.argument, ("number",), "`months()` of a number, added to a date")
                return "months"
            case "date" | "time":
                self.must(node.argument, ("datetime",), f"`{node.function}()` of a date with a time")
                return "date" if node.function == "date" else "time"
            case "week_start" | "month_start" | "quarter_start":
                self.must(node.argument, ("date", "datetime"), f"`{node.function}()` of a date")
                return "date"
            case "hour" | "minute":
                self.must(node.argument, ("datetime",), f"`{node.function}()` of a date with a time")
            case _:
                self.must(node.argument, ("date", "datetime"), f"`{node.function}()` of a date")
        return "number"

    def product(self, node: Product) -> Type:
        for _, factor in node.factors:
            self.must(factor, ("number", "boolean"), "`*` and `/` between numbers")
        return "number"

    def sum(self, node: Sum) -> Type:
        """Numbers add up; a day and a number is a day; the difference of two days, or two times of day, is a number."""
        total: Type = "number"
        for i, (sign, term) in enumerate(node.terms):
            got = self.type_of(term)
            if got in ("date", "datetime", "time"):
                if sign == 1 and total == "number":
                    total = got
                elif sign == -1 and total != "number" and (got == "time") == (total == "time"):
                    total = "number"
                else:
                    self.say(f"{_named(term)} cannot be {'added' if sign == 1 else 'taken away'} here",
                             "one date less another, or a date and a number of days")  # fmt: skip
            elif got == "months":
                if not any(self.type_of(t) in ("date", "datetime") for s, t in node.terms if s == 1):
                    self.say("months are added to no date", "a date and months, like `start + months(12)`")
            elif got not in ("number", "boolean"):
                self.say(f"{_named(term)} is {_a(got)}", f"`{'-' if sign < 0 and not i else '+'}` between numbers")
        if total == "time":
            self.say("a time of day has no other beside it", "one time of day less another, like `closes - opens`")
        return total

    def compare(self, left: Node, right: Node, sign: str) -> None:
        one, other = self.type_of(left), self.type_of(right)
        for value, wanted in ((right, one), (left, other)):
            if wanted in _SPELLED and isinstance(value, Literal) and isinstance(value.value, str):
                self.spelled(value.value, wanted)
                return
        if not alike(one, other):
            right_form = _RIGHT.get(one, "values of one kind")
            self.say(f"{_named(left)} is {_a(one)} and {_named(right)} is {_a(other)}", right_form)
        elif one == "bytes" and sign not in ("==", "!="):
            self.say(f"{_named(left)} has no order", "`==` or `!=`")

    def spelled(self, text: str, kind: str) -> None:
        try:
            instant(text, kind)
        except ValueError:
            self.say(f"{shown(text)} is no {kind}", f'it as year-month-day, like "{_SPELLED[kind][1]}"'
                     if kind != "time" else 'it like "23:59:59"')  # fmt: skip


_RIGHT: dict[str, str] = {
    "number": "numbers without quotes, like `age >= 18`",
    "text": 'text in quotes, like `sex == "F"`',
}


def literal_type(node: Literal) -> Type:
    """Return what a value written in a rule is."""
    if isinstance(node.value, bool):
        return "boolean"
    return "number" if isinstance(node.value, Decimal) else "text"


def alike(one: Type, other: Type) -> bool:
    """Return whether values of two types can be compared."""
    return one == other or {one, other} in ({"number", "boolean"}, {"date", "datetime"})


def _named(node: Node) -> str:
    match node:
        case Name():
            return f"`{node.name}`"
        case Literal():
            return shown(str(node.value))
        case _ if isinstance(node, CONDITIONS):
            return "a condition"
        case _:
            return "a computed value"


def _a(kind: Type) -> str:
    return {"number": "a number", "text": "text", "boolean": "true or false", "date": "a date", "bytes": "bytes",
            "datetime": "an instant", "time": "a time of day", "months": "a number of months"}[kind]  # fmt: skip
