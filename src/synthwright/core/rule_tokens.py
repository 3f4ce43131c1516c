"""The words and signs of rules and formulas, and what to write instead of those that are none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

LONGEST = 2_000
"""Characters of a rule."""
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "null", "none", "true", "false"})
EXAMPLES = "`start <= end`, `total == net + tax`, `city -> country` or `unique(order, line)`"


class Token(NamedTuple):
    """One word or sign, and where it begins."""

    kind: str
    said: str
    at: int


class Language(NamedTuple):
    """What a text is written in: rules, or formulas."""

    name: str
    """What a text in it is called."""
    longest: int
    """Characters of a text."""
    examples: str
    tokens: re.Pattern[str]
    wrong: Mapping[str, str]
    """What to write instead of signs that it does not know."""


PLAIN = re.compile(r"[^\W\d]\w*")
"""A name that needs no backticks, unless it is one of the keywords."""
_WORDS = r"""
    (?P<space>\s+)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>`(?:[^`]|``)*`)
  | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<word>[^\W\d]\w*)
"""
_SIGNS = r"""==|!=|<=|>=|<|>|\+|-|\*(?!\*)|/(?!/)|\(|\)|\[|\]|,"""
_FLAGS = re.VERBOSE | re.DOTALL
_WRONG = {
    "=": "`==` for equality",
    "=<": "`<=`",
    "=>": "`>=`, or `->` for a dependency",
    "<>": "`!=`",
    "&": "`and`",
    "&&": "`and`",
    "|": "`or`",
    "||": "`or`",
    "!": "`not`",
    "**": "`a * a` for a square",
    "//": "`/`",
    "≤": "`<=`",
    "≥": "`>=`",
    "≠": "`!=`",
    "→": "`->`",
    '"': 'text between two quotes, like "text"',
    "'": 'text between two quotes, like "text"',
    "`": "a name between two backticks, like `net price`",
    ".": "names with dots between backticks, like `net.price`",
    "#": "names with unusual signs between backticks, like `row #`",
}
RULES = Language("rule", LONGEST, EXAMPLES, re.compile(rf"{_WORDS} | (?P<sign>->|{_SIGNS})", _FLAGS), _WRONG)
FORMULAS = Language(
    "formula", 10_000, '`price * quantity`, `if(country == "DE", 1.19, 1.2)` or `age(birth_date, opened_on)`',
    re.compile(rf"{_WORDS} | (?P<sign>{_SIGNS}|%|\^|\.)", _FLAGS),
    {**{sign: instead for sign, instead in _WRONG.items() if sign != "."},
     "=>": "`>=`", "**": "`a ^ 2` for a square", "//": "`floor(a / b)`", "||": "`or`; between texts `+`",
     "?": "`if(condition, a, b)`", "≠": "`!=`", "→": "`if(condition, a, b)`", "×": "`*`", "÷": "`/`", "−": "`-`",
     "{": 'text and columns joined by `+`, like `first + " " + last`'},
)  # fmt: skip


def tokens(text: str, language: Language = RULES) -> list[Token]:
    """Return the words and signs of a text; a ValueError that says what to write for what is neither."""
    name, wrongs = language.name, language.wrong
    if len(text) > language.longest:
        raise ValueError(f"a {name} of {len(text):,} characters is too long: write at most {language.longest:,}")
    out, at = [], 0
    while at < len(text):
        found = language.tokens.match(text, at)
        if found is None:
            wrong = next((w for w in sorted(wrongs, key=len, reverse=True) if text.startswith(w, at)), None)
            said = f"write {wrongs[wrong]}" if wrong else f"write a {name} such as {language.examples}"
            raise ValueError(_not_understood(text, wrong or text[at], at, said, name))
        kind = str(found.lastgroup)
        if kind == "sign" and found[0] in ("<", ">", "!") and text.startswith((">", "<"), found.end()):
            raise ValueError(_not_understood(text, text[at : at + 2], at, "write `!=`", name))
        if kind != "space":
            out.append(Token(kind, found[0], at))
        at = found.end()
    return out


def _not_understood(text: str, wrong: str, at: int, said: str, name: str) -> str:
    return f"{name} {shown(text)}: {wrong!r} at character {at + 1} is not understood: {said}"


def shown(text: str) -> str:
    """Return text between quotes, cut to a line."""
    return repr(text if len(text) <= 80 else text[:77] + "…")


def unquoted(token: Token) -> str:
    """Return the column that a token names."""
    return token.said[1:-1].replace("``", "`") if token.kind == "name" else token.said
