"""Patterns are read as what they say, refused where they cannot be drawn, and numbered without a code coming twice."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.kit.entities.code_parser import LAYOUTS, PatternError, overlap, parse
from synthwright.kit.entities.codes import Codes

SMALL = [
    "[ab]{1,3}c?",
    "(x|yz|[01])-?",
    "a{2}(b|cc){2}",
    "(?:p|q)r|s",
    r"\.[a-c]\-",
    "",
    "[é0]{2}|zz",
    "aaaaaaaaa[ab]c?",
]


def every(pattern: str, letters: str, longest: int) -> set[str]:
    """Return every text of these letters that a pattern fits, the slow way."""
    texts = ("".join(t) for n in range(longest + 1) for t in product(letters, repeat=n))
    return {t for t in texts if re.fullmatch(pattern, t)}


@pytest.mark.parametrize("pattern", SMALL)
def test_every_code_once(pattern: str) -> None:
    """The numbers below the size are all the codes that the expression fits, each once."""
    letters = "".join(sorted({c for layout in parse(pattern) for p in layout.positions for c in p})) or "x"
    found = Codes(pattern)
    made = found.number(np.arange(found.size), Context().rng).to_pylist()
    assert len(made) == len(set(made))
    assert set(made) == every(pattern, letters, max(len(x.positions) for x in parse(pattern)))


def test_shares() -> None:
    """The layouts of a pattern share the chance as its alternatives and lengths do."""
    shares = {"".join(x.positions): x.share for x in parse("(a|bb|c(d|e{1,2}))")}
    assert shares == pytest.approx({"a": 1 / 3, "bb": 1 / 3, "cd": 1 / 6, "ce": 1 / 12, "cee": 1 / 12})
    assert sum(x.share for x in parse("(a|b?c){0,3}")) == pytest.approx(1)
    assert [x.positions for x in parse("(a|b|[c])")] == [("abc",)]


@pytest.mark.parametrize(("pattern", "position", "said"), [
    ("x{0}", 2, "leave it out"), ("(a|b){0,0}", 6, "leave it out"),
    ("[A-Z", 1, "not closed"), ("a*", 2, "without an end"), ("ab+", 3, "without an end"), ("(ab", 1, "not closed"),
    ("ab)", 3, "closes nothing"), ("[^a]", 2, "say which"), ("a{3", 2, "wanted"), ("a{3,}", 2, "at most"),
    ("a{3,1}", 2, "3 is more than 1"), ("a.", 2, "any character"), ("(?=a)", 2, "plain"),
    (r"a\s", 2, "cannot be drawn"),
    ("x{2}{3}", 5, "nothing to repeat"), ("x??", 3, "behind another"), ("a^b", 2, "beginning"), ("a$b", 2, "end"),
    ("[z-a]", 2, "lower to a higher"), ("x{2000}", 2, "more than 1,000 characters"), ("a|*", 3, "nothing to repeat"),
    ("{check}{check}", 14, "second"), ("({check}){2}", 1, "not repeated"), ("ab\\", 3, "cannot be drawn"),
    ("(a|b|cd){12}", 12, "more than 1,000 layouts"), ("[]", 1, "not closed"), ("a]", 2, "closes nothing"),
])  # fmt: skip
def test_what_cannot_be_drawn(pattern: str, position: int, said: str) -> None:
    """It is said at which position, and why."""
    with pytest.raises(PatternError, match=rf"position {position} of the pattern .*{re.escape(said)}"):
        parse(pattern)
    assert LAYOUTS == 1000


def test_overlap() -> None:
    """Two ways to the same code are found."""
    for pattern, twice in (("(a|[ab])", True), ("a?a?", True), ("(a|b)", False), ("[ab]{1,3}", False),
                           ("x?[0-9]", False), ("(ab|a)(c|bc)", True)):  # fmt: skip
        assert overlap(parse(pattern)) == twice


def test_what_check_digits_cannot_read() -> None:
    """An algorithm that cannot read a pattern refuses it."""
    for pattern, check, said in (("[A-F]{3}", "luhn", "cannot read 'A'"), ("[a-z]", "mod97", "cannot read 'a'"),
                                 ("[0-9-]{4}", "luhn", "cannot read '-'"), ("--", "luhn", "needs digits"),
                                 (r"\d{12}", "isbn13", "begins with 978 or 979"),
                                 (r"\d{11}", "ean13", "12 digits")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            Codes(pattern, check)
