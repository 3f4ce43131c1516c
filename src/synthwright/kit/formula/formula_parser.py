"""The grammar of formulas: that of rules, with more functions, paths, conditionals and the rows of other tables."""

from __future__ import annotations

from difflib import get_close_matches
from typing import ClassVar, NamedTuple, NoReturn

from synthwright.core.rule_nodes import Aggregate, Apply, Name, Node, Not, Nothing, Product, size
from synthwright.core.rule_parser import LARGEST, Parser
from synthwright.core.rule_tokens import FORMULAS, KEYWORDS, Language, Token, shown

MANY = 10_000
_COMPARED = ("==", "!=", "<=", ">=", "<", ">")
_AGGREGATED = 'one column of a table that points here, like `sum(order.total)` or `count(order where state == "paid")`'


class Signature(NamedTuple):
    """How a function is written."""

    least: int
    most: int
    form: str


FUNCTIONS: dict[str, Signature] = {
    "if": Signature(3, 3, 'if(country == "DE", 1.19, 1.2)'),
    "case": Signature(3, MANY, 'case(age < 18, "child", age < 65, "adult", "senior")'),
    "coalesce": Signature(2, MANY, "coalesce(nickname, name)"),
    "min": Signature(2, MANY, "min(a, b)"),
    "max": Signature(2, MANY, "max(a, b)"),
    "round": Signature(1, 2, "round(price, 2)"),
    "floor": Signature(1, 1, "floor(a)"),
    "ceil": Signature(1, 1, "ceil(a)"),
    "abs": Signature(1, 1, "abs(a)"),
    "sqrt": Signature(1, 1, "sqrt(a)"),
    "exp": Signature(1, 1, "exp(a)"),
    "log": Signature(1, 1, "log(a)"),
    "sin": Signature(1, 1, "sin(a)"),
    "cos": Signature(1, 1, "cos(a)"),
    "number": Signature(1, 1, "number(code)"),
    "format": Signature(1, 2, "format(price, 2)"),
    "concat": Signature(1, MANY, 'concat(first, " ", last)'),
    "lower": Signature(1, 1, "lower(name)"),
    "upper": Signature(1, 1, "upper(name)"),
    "title": Signature(1, 1, "title(name)"),
    "trim": Signature(1, 1, "trim(name)"),
    "slug": Signature(1, 2, 'slug(name, "-")'),
    "length": Signature(1, 1, "length(name)"),
    "left": Signature(2, 2, "left(code, 2)"),
    "right": Signature(2, 2, "right(code, 2)"),
    "substring": Signature(2, 3, "substring(code, 3, 2)"),
    "replace": Signature(3, 3, 'replace(phone, " ", "")'),
    "pad": Signature(2, 3, 'pad(line, 4, "0")'),
    "year": Signature(1, 1, "year(born)"),
    "month": Signature(1, 1, "month(born)"),
    "day": Signature(1, 1, "day(born)"),
    "weekday": Signature(1, 1, "weekday(born)"),
    "hour": Signature(1, 1, "hour(paid_at)"),
    "minute": Signature(1, 1, "minute(paid_at)"),
    "second": Signature(1, 1, "second(paid_at)"),
    "date": Signature(1, 3, "date(2024, 12, 31)"),
    "datetime": Signature(1, 1, 'datetime("2024-12-31 23:59:59")'),
    "days": Signature(1, 1, "days(30)"),
    "hours": Signature(1, 1, "hours(2)"),
    "minutes": Signature(1, 1, "minutes(90)"),
    "seconds": Signature(1, 1, "seconds(30)"),
    "months": Signature(1, 1, "months(3)"),
    "age": Signature(2, 2, "age(birth_date, opened_on)"),
}
"""Every function of a row's values: the fewest and the most arguments, and an example."""
AGGREGATES = ("sum", "count", "mean", "min", "max", "first", "last")
"""Functions of the rows of another table that point to the row at hand; min and max where they have one argument."""


class FormulaParser(Parser):
    """Recursive descent over the tokens of one formula; what rules have too is `core.rule_parser`'s."""

    language: ClassVar[Language] = FORMULAS

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.named: list[tuple[str, int]] = []
        self.aggregates: list[Aggregate] = []

    def formula(self) -> Node:
        if not self.tokens:
            raise ValueError(f"an empty formula: write one such as {self.language.examples}")
        tree = self.either()
        self.end()
        self.bounded(tree)
        return tree

    def bounded(self, tree: Node) -> None:
        if size(tree) > LARGEST:
            self.fail("too many comparisons inside one another", "a flatter formula, or several formulas")

    def must_be_condition(self, node: Node, word: str) -> None:
        """Say nothing yet: what a function gives is known when the columns' kinds are."""

    def worded(self, left: Node) -> Node:
        back = self.next
        negated = self.take_word("not")
        if not self.take_word("between"):
            self.next = back
            return super().worded(left)
        at = self.at()
        low = self.sum()
        if not self.take_word("and"):
            self.fail(f"{self.here()} after `between`", "both ends, like `a between 1 and 9`")
        within = Apply("between", (left, low, self.sum()), at)
        return Not(within) if negated else within

    def comparison(self) -> Node:
        left = super().comparison()
        token = self.peek()
        if token is not None and token.kind == "word" and token.said.lower() == "between":
            return self.worded(left)
        return left

    def product(self) -> Node:
        factors = [("*", self.signed())]
        while (token := self.peek()) is not None and token.said in ("*", "/", "%") and token.kind == "sign":
            self.next += 1
            factors.append((token.said, self.signed()))
        return factors[0][1] if len(factors) == 1 else Product(tuple(factors))

    def atom(self) -> Node:
        """Return a value and what it is raised to: `-a ^ 2` is `-(a ^ 2)`, `2 ^ 3 ^ 2` is `2 ^ (3 ^ 2)`."""
        token = self.peek()
        if token is not None and token.kind == "name":
            base: Node = self.path()
        else:
            base = super().atom()
        at = self.at()
        return Apply("^", (base, self.deeper(self.signed)), at) if self.take("^") else base

    def word(self, token: Token) -> Node:
        low, following = token.said.lower(), self.peek()
        if low in ("null", "none"):
            before = self.tokens[self.next - 2] if self.next > 1 else None
            if any(t is not None and t.kind == "sign" and t.said in _COMPARED for t in (before, following)):
                self.fail("a comparison with null", "`a is null` or `a is not null`", token)
            return Nothing()
        if low in KEYWORDS:
            return super().word(token)
        if following is not None and following.kind == "sign" and following.said == "(":
            return self.called(token)
        self.next -= 1
        return self.path()

    def path(self) -> Name:
        at = self.at()
        name = ".".join(self.pieces())
        self.named.append((name, at))
        return Name(name)

    def pieces(self) -> list[str]:
        """Return the names of a path, as far as dots join them."""
        out = [self.name()]
        while self.take("."):
            out.append(self.name())
        return out

    def called(self, token: Token) -> Node:
        name = token.said
        self.next += 1
        if name in AGGREGATES and (name not in FUNCTIONS or self.alone()):
            return self.aggregate(token)
        if name not in FUNCTIONS:
            near = get_close_matches(name.lower(), [*FUNCTIONS, *AGGREGATES], n=1)
            known = ", ".join(f"`{f}`" for f in dict.fromkeys((*FUNCTIONS, *AGGREGATES)))
            self.fail(f"no function is called {name!r}", f"`{near[0]}`" if near else f"one of {known}", token)
        least, most, form = FUNCTIONS[name]
        found: list[Node] = []
        if not self.take(")"):
            found.append(self.deeper(self.either))
            while self.take(","):
                found.append(self.deeper(self.either))
            if not self.take(")"):
                self.fail(f"{self.here()} in `{name}()`", f"values with commas between them and `)`, like `{form}`")
        if not least <= len(found) <= most or (name == "case" and len(found) % 2 == 0):
            got = "an even number of values" if name == "case" and len(found) >= least else _many(len(found))
            self.fail(f"{got} in `{name}()`", f"it like `{form}`", token)
        return Apply(name, tuple(found), token.at)

    def alone(self) -> bool:
        """Return whether a path, and at most which rows count, is all that stands between the brackets."""
        at = self.next
        while at + 1 < len(self.tokens) and self.tokens[at].kind in ("word", "name"):
            after = self.tokens[at + 1]
            if after.kind == "sign" and after.said == ".":
                at += 2
                continue
            return self.closing(at + 1)
        return False

    def closing(self, at: int) -> bool:
        """Return whether a token ends what an aggregate is of."""
        if at >= len(self.tokens):
            return False
        kind, said, _ = self.tokens[at]
        return (kind, said) == ("sign", ")") or (kind == "word" and said.lower() in ("by", "where"))

    def aggregate(self, token: Token) -> Aggregate:
        following = self.peek()
        if following is None or following.kind not in ("word", "name"):
            self.fail(f"{self.here()} in `{token.said}()`", _AGGREGATED)
        pieces = self.pieces()
        if not self.closing(self.next):
            self.fail(f"{self.here()} in `{token.said}()`", f"{_AGGREGATED}, and compute with it outside")
        if len(pieces) == 1 and token.said != "count":
            also = f"; of values of one row `{FUNCTIONS[token.said].form}`" if token.said in FUNCTIONS else ""
            self.fail(f"one name in `{token.said}()`", _AGGREGATED + also, token)
        by = self.name() if self.take_word("by") else None
        where = None
        if self.take_word("where"):
            before = self.named, self.aggregates
            self.named, self.aggregates = [], []  # those are of the other table
            where = self.deeper(self.either)
            self.bounded(where)
            self.named, self.aggregates = before
        if not self.take(")"):
            self.fail(f"{self.here()} in `{token.said}()`", f"`)` after it, like {_AGGREGATED}")
        made = Aggregate(token.said, pieces[0], ".".join(pieces[1:]), by, where, token.at)
        self.aggregates.append(made)
        return made

    def at(self) -> int:
        """Return where the next token begins."""
        token = self.peek()
        return len(self.text) if token is None else token.at

    def fail(self, wrong: str, right: str, token: Token | None = None) -> NoReturn:
        """Raise a ValueError that says where: at a token, or else before the one that comes next."""
        if "at character" in wrong:
            super().fail(wrong, right)
        place = (self.at() if token is None else token.at) + 1
        raise ValueError(f"formula {shown(self.text)} at character {place}: {wrong}: write {right}")


def _many(count: int) -> str:
    return {0: "no value", 1: "one value"}.get(count, f"{count} values")
