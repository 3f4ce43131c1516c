"""The grammar of rules: from text to nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar, NoReturn

from synthwright.core.rule_nodes import (
    CONDITIONS,
    Among,
    Apply,
    Call,
    Compare,
    Either,
    Every,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Parsed,
    Product,
    Sum,
    names_in,
    size,
)  # fmt: skip
from synthwright.core.rule_tokens import KEYWORDS, RULES, Language, Token, shown, tokens, unquoted

DEEPEST = 40
"""Brackets, functions and negations inside one another."""
LARGEST = 20_000
"""Nodes of a rule, counting those twice that stand in two comparisons of a chain (`a < b < c`)."""
PARTS = ("year", "quarter", "month", "week", "day", "weekday", "hour", "minute")
CURVES = ("sqrt", "exp", "log", "log10")
CLOCK = ("date", "time")
"""What of an instant may stand for itself: its day, and its time of that day."""
MONTHS = "months"
"""So many months, which are added to a date: the same day of another month, or its last one."""
STARTS = ("week_start", "month_start", "quarter_start")
"""The first day of the week (a Monday), month or quarter that a date is in."""
EXTREMES = ("max", "min")
ROUNDED = ("floor", "ceil")
"""The whole number below or above."""
FUNCTIONS = ("abs", *ROUNDED, "length", *CURVES, *PARTS, *CLOCK, MONTHS, *STARTS, *EXTREMES)
_ESCAPES = {"n": "\n", "t": "\t"}
_SIGNS = ("==", "!=", "<=", ">=", "<", ">")


class Parser:
    """Recursive descent over the tokens of one rule; the methods follow precedence, loosest first."""

    language: ClassVar[Language] = RULES

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text, self.language)
        self.such = f"{self.language.name} such as {self.language.examples}"
        self.next = 0
        self.depth = 0

    def rule(self) -> Parsed:
        if not self.tokens:
            raise ValueError(f"an empty rule: write one such as {self.language.examples}")
        if any(t.said == "->" for t in self.tokens):
            return self.dependency()
        if len(self.tokens) > 1 and self.tokens[0].said == "unique" and self.tokens[1].said == "(":
            self.next = 1
            together = self.names()
            self.end()
            return Parsed(self.text, "unique", together, left=together)
        tree = self.either()
        self.end()
        if size(tree) > LARGEST:
            self.fail("too many comparisons inside one another", "a flatter rule, or several rules")
        if not isinstance(tree, (*CONDITIONS, Name)):
            self.fail("it is a value, not a condition", "a comparison, like `a + b >= 0`")
        if not names_in(tree):
            self.fail("it names no column", f"a rule about columns such as {self.language.examples}")
        return Parsed(self.text, "row", names_in(tree), tree=tree)

    def dependency(self) -> Parsed:
        part = self.part()
        left = self.names()
        if part and (len(left) > 1 or not self.take(")")):
            self.fail(f"{self.here()} in `{part}()`", f"one column, like `{part}(a) -> b`")
        if not self.take("->"):
            self.fail(f"{self.here()} before `->`", "one column or several in brackets, like `(a, b) -> c`")
        right = self.names()
        self.end()
        if again := set(left) & set(right):
            self.fail(f"`{min(again)}` determines itself", "different columns on both sides: `city -> country`")
        return Parsed(self.text, "dependency", tuple(dict.fromkeys((*left, *right))), left=left, right=right,
                      part=part)  # fmt: skip

    def part(self) -> str:
        """Take `month(` where a dependency begins with it."""
        said = [t.said for t in self.tokens[:2]]
        if len(said) < 2 or said[0] not in PARTS or said[1] != "(" or self.tokens[0].kind != "word":
            return ""
        self.next = 2
        return said[0]

    def names(self) -> tuple[str, ...]:
        many = self.take("(")
        out = [self.name()]
        while self.take(","):
            out.append(self.name())
        if many and not self.take(")"):
            self.fail(f"{self.here()} in a list of columns", "the list closed by `)`, like `(a, b) -> c`")
        if len(set(out)) != len(out):
            self.fail("a column is named twice", "each column once")
        return tuple(out)

    def name(self) -> str:
        token = self.peek()
        plain = token is not None and token.kind == "word" and token.said.lower() not in KEYWORDS
        if token is None or not (plain or token.kind == "name"):
            self.fail(f"{self.here()} where a column's name was wanted", f"a {self.such}")
        self.next += 1
        return unquoted(token)

    def either(self) -> Node:
        return self.joined("or", self.every, Either)

    def every(self) -> Node:
        return self.joined("and", self.negated, Every)

    def joined(self, word: str, inner: Callable[[], Node], kind: type[Either | Every]) -> Node:
        parts = [inner()]
        while self.take_word(word):
            parts.append(inner())
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            self.must_be_condition(part, word)
        return kind(tuple(parts))

    def must_be_condition(self, node: Node, word: str) -> None:
        valued = isinstance(node, Literal) and not isinstance(node.value, bool)
        if valued or isinstance(node, Sum | Product | Call | Apply):
            self.fail(f"a value beside `{word}`", f"a condition on each side, like `a > 0 {word} b > 0`")

    def negated(self) -> Node:
        if not self.take_word("not"):
            return self.comparison()
        with_depth = self.deeper(self.negated)
        self.must_be_condition(with_depth, "not")
        return Not(with_depth)

    def comparison(self) -> Node:
        left = self.sum()
        token = self.peek()
        if token is None:
            return left
        if token.kind == "word" and token.said.lower() in ("is", "in", "not"):
            return self.worded(left)
        parts: list[Node] = []
        while (token := self.peek()) is not None and token.said in _SIGNS and token.kind == "sign":
            self.next += 1
            right = self.sum()
            parts.append(Compare(token.said, left, right))
            left = right
        if not parts:
            return left
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def worded(self, left: Node) -> Node:
        if self.take_word("is"):
            negated = self.take_word("not")
            if not (self.take_word("null") or self.take_word("none")):
                self.fail(f"{self.here()} after `is`", "`a is null` or `a is not null`; for values `a == 1`")
            return Not(Missing(left)) if negated else Missing(left)
        negated = self.take_word("not")
        if not self.take_word("in"):
            self.fail(f"{self.here()} after a value", '`a in ["x", "y"]` or `a not in ["x", "y"]`')
        among = Among(left, self.values())
        return Not(among) if negated else among

    def values(self) -> tuple[Literal, ...]:
        closing = "]" if self.take("[") else ")" if self.take("(") else None
        if closing is None:
            self.fail(f"{self.here()} after `in`", 'a list, like `sex in ["F", "M"]`')
        out = [self.value()]
        while self.take(","):
            out.append(self.value())
        if not self.take(closing):
            self.fail(f"{self.here()} in a list", f'the list closed by `{closing}`, like `sex in ["F", "M"]`')
        return tuple(out)

    def value(self) -> Literal:
        negative = self.take("-")
        node = self.atom()
        if negative and isinstance(node, Literal) and isinstance(node.value, Decimal):
            return Literal(-node.value)
        if negative or not isinstance(node, Literal):
            self.fail("a list holds something else than values", 'numbers or texts, like `sex in ["F", "M"]`')
        return node

    def sum(self) -> Node:
        terms = [(1, self.product())]
        while (token := self.peek()) is not None and token.said in ("+", "-") and token.kind == "sign":
            self.next += 1
            terms.append((1 if token.said == "+" else -1, self.product()))
        return terms[0][1] if len(terms) == 1 else Sum(tuple(terms))

    def product(self) -> Node:
        factors = [("*", self.signed())]
        while (token := self.peek()) is not None and token.said in ("*", "/") and token.kind == "sign":
            self.next += 1
            factors.append((token.said, self.signed()))
        return factors[0][1] if len(factors) == 1 else Product(tuple(factors))

    def signed(self) -> Node:
        if self.take("+"):
            return self.deeper(self.signed)
        if not self.take("-"):
            return self.atom()
        node = self.deeper(self.signed)
        if isinstance(node, Literal) and isinstance(node.value, Decimal):
            return Literal(-node.value)
        return Sum(((-1, node),))

    def atom(self) -> Node:
        token = self.peek()
        if token is None:
            self.fail("it ends where a value was wanted", f"a whole {self.such}")
        self.next += 1
        if token.kind == "number":
            return Literal(self.number(token))
        if token.kind == "text":
            return Literal(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token.said[1:-1], flags=re.DOTALL))
        if token.kind == "name":
            return Name(unquoted(token))
        if token.kind == "word":
            return self.word(token)
        if token.said != "(":
            self.next -= 1
            self.fail(f"{self.here()} where a value was wanted", f"a {self.such}")
        node = self.deeper(self.either)
        if not self.take(")"):
            self.fail(f"{self.here()} inside brackets", "as many `)` as `(`")
        return node

    def word(self, token: Token) -> Node:
        low = token.said.lower()
        if low in ("true", "false"):
            return Literal(low == "true")
        if low in ("null", "none"):
            self.fail("a comparison with null", "`a is null` or `a is not null`")
        if low in KEYWORDS:
            self.fail(f"`{token.said}` where a value was wanted", "backticks around a column of that name")
        following = self.peek()
        if following is None or following.said != "(" or following.kind != "sign":
            return Name(token.said)
        if token.said not in FUNCTIONS:
            known = ", ".join(f"`{f}()`" for f in FUNCTIONS)
            self.fail(f"no function is called {token.said!r}", f"one of {known}; `unique(a, b)` only stands alone")
        self.next += 1
        arguments = [self.deeper(self.sum)]
        while token.said in EXTREMES and self.take(","):
            arguments.append(self.deeper(self.sum))
        several = token.said in EXTREMES
        if not self.take(")") or (several and len(arguments) < 2):
            right = f"several values, like `{token.said}(a, b)`" if several else f"one value, like `{token.said}(a)`"
            self.fail(f"{self.here()} in `{token.said}()`", right)
        return Apply(token.said, tuple(arguments)) if several else Call(token.said, arguments[0])

    def number(self, token: Token) -> Decimal:
        value = Decimal(token.said)
        if (value and not -30 <= value.adjusted() <= 30) or len(token.said) > DEEPEST:
            self.fail(f"number {shown(token.said)} is too large, small or long", "a number of at most 30 digits")
        return value

    def deeper(self, inner: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            name = self.language.name
            self.fail(f"more than {DEEPEST} brackets inside one another", f"a flatter {name}, or several {name}s")
        node = inner()
        self.depth -= 1
        return node

    def peek(self) -> Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def take(self, sign: str) -> bool:
        token = self.peek()
        found = token is not None and token.kind == "sign" and token.said == sign
        self.next += found
        return found

    def take_word(self, word: str) -> bool:
        token = self.peek()
        found = token is not None and token.kind == "word" and token.said.lower() == word
        self.next += found
        return found

    def end(self) -> None:
        token = self.peek()
        if token is not None:
            between = token.kind == "word" and token.said.lower() == "between"
            right = "`1 <= a <= 9` for a between 1 and 9" if between else f"one {self.such}"
            self.fail(f"{self.here()} after what was understood", right)

    def here(self) -> str:
        token = self.peek()
        return "the end" if token is None else f"{shown(token.said)} at character {token.at + 1}"

    def fail(self, wrong: str, right: str) -> NoReturn:
        raise ValueError(f"{self.language.name} {shown(self.text)}: {wrong}: write {right}")
