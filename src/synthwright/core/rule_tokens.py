"""The words and signs of a rule, and what to write instead of those that are none."""

from __future__ import annotations

import re
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


PLAIN = re.compile(r"[^\W\d]\w*")
"""A name that needs no backticks, unless it is one of the keywords."""
_TOKENS = re.compile(r"""
    (?P<space>\s+)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>`(?:[^`]|``)*`)
  | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>->|==|!=|<=|>=|<|>|\+|-|\*(?!\*)|/(?!/)|\(|\)|\[|\]|,)
""", re.VERBOSE | re.DOTALL)  # fmt: skip
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


def tokens(text: str) -> list[Token]:
    """Return the words and signs of a rule; a ValueError that says what to write for what is neither."""
    if len(text) > LONGEST:
        raise ValueError(f"a rule of {len(text):,} characters is too long: write at most {LONGEST:,}")
    out, at = [], 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            wrong = next((w for w in sorted(_WRONG, key=len, reverse=True) if text.startswith(w, at)), None)
            said = f"write {_WRONG[wrong]}" if wrong else f"write a rule such as {EXAMPLES}"
            raise ValueError(_not_understood(text, wrong or text[at], at, said))
        kind = str(found.lastgroup)
        if kind == "sign" and found[0] in ("<", ">", "!") and text.startswith((">", "<"), found.end()):
            raise ValueError(_not_understood(text, text[at : at + 2], at, "write `!=`"))
        if kind != "space":
            out.append(Token(kind, found[0], at))
        at = found.end()
    return out


def _not_understood(text: str, wrong: str, at: int, said: str) -> str:
    return f"rule {shown(text)}: {wrong!r} at character {at + 1} is not understood: {said}"


def shown(text: str) -> str:
    """Return text between quotes, cut to a line."""
    return repr(text if len(text) <= 80 else text[:77] + "…")


def unquoted(token: Token) -> str:
    """Return the column that a token names."""
    return token.said[1:-1].replace("``", "`") if token.kind == "name" else token.said
