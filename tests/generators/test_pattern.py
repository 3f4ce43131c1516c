"""Codes have their pattern, differ where asked, and carry the check digits that a reference accepts."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError
from scipy import stats
from stdnum import ean, isbn, luhn, verhoeff
from stdnum.iso7064 import mod_97_10
from tests.generators.ruled_for_tests import LEVEL, made, refused, start, wrong

from synthwright.core.errors import SampleError
from synthwright.generators.pattern import Pattern

Check = Literal["luhn", "ean13", "isbn13", "verhoeff", "mod97"]


@pytest.mark.parametrize("pattern", [
    "[A-Z]{3}-[0-9]{4}", r"\d{2}\.\w{3,5}(/X)?", "(A|BC|[0-9]{2}){2}", "(?:north|south)-[a-f]", r"\[[\]^a-]{3}\]",
    "[äöß]{2}x", "^[1-9][0-9]{2}$", "a|b|"])  # fmt: skip
def test_codes_have_their_pattern(pattern: str) -> None:
    """Whatever is drawn is what Python's own expressions match, at random and each one different."""
    for rule in (Pattern(pattern=pattern), Pattern(pattern=pattern, unique=True)):
        rows = min(2000, len({*made(Pattern(pattern=pattern), "text", start(3000)).column("text").to_pylist()}))
        found = made(rule, "text", start(rows)).column("text").to_pylist()
        assert all(re.fullmatch(pattern, code) for code in found)


def test_as_likely() -> None:
    """Each alternative, each length and each character of a class is as likely as the others of its kind."""
    rows = 30_000
    found = made(Pattern(pattern="(X|Y(Z|ZZ))[abc]{1,3}"), "text", start(rows)).column("text").to_pylist()
    first = Counter(code.rstrip("abc") for code in found)
    assert stats.chisquare([first["X"], first["YZ"], first["YZZ"]], [rows / 2, rows / 4, rows / 4]).pvalue > LEVEL
    tails = Counter(code.lstrip("XYZ") for code in found)
    expected = [rows / 3 / 3 ** len(t) for t in sorted(tails)]
    assert stats.chisquare([tails[t] for t in sorted(tails)], expected).pvalue > LEVEL


def test_unique_walks_every_code() -> None:
    """As many rows as there are codes get every one of them, over shards; one row more is refused."""
    rule = Pattern(pattern="(A|BB)[0-9]{2}", unique=True)
    found = [c for first in (0, 80, 160) for c in made(rule, "code", start(40 if first == 160 else 80, first=first))
             .column("code").to_pylist()]  # fmt: skip
    assert len(found) == len(set(found)) == 200
    assert found != sorted(found)
    with pytest.raises(SampleError, match=r"wanted at least 201 different codes, got 200"):
        made(rule, "code", start(1, first=200))


def test_unique_beyond_what_numbers_can_tell() -> None:
    """Patterns with more codes than 62 bits can number give different codes too."""
    found = made(Pattern(pattern="[A-Z0-9]{30}", unique=True), "code", start(5000)).column("code").to_pylist()
    assert len(set(found)) == 5000
    assert all(len({code[i] for code in found}) == 36 for i in range(30))


@pytest.mark.parametrize(("check", "pattern", "valid"), [
    ("luhn", "4[0-9]{14}", luhn.is_valid), ("luhn", "[0-9]{3}-{check}-[0-9]{1,4}", None),
    ("ean13", "40[0-9]{10}", ean.is_valid), ("isbn13", "97[89]-[0-9]{9}", isbn.is_valid),
    ("verhoeff", "[0-9]{1,11}", verhoeff.is_valid), ("mod97", "[A-Z0-9]{5,18}", mod_97_10.is_valid),
])  # fmt: skip
@pytest.mark.parametrize("unique", [False, True])
def test_check_digits(check: Check, pattern: str, valid: Any, unique: bool) -> None:  # noqa: FBT001
    """Every code is valid by a reference; where the digit stands inside, it is the one that would stand behind."""
    if unique and check in ("verhoeff", "mod97"):
        pattern = pattern.replace("1,", "").replace("5,", "")
    found = made(Pattern(pattern=pattern, check=check, unique=unique), "code" if unique else "text", start(1000))
    for code in found.column("code" if unique else "text").to_pylist():
        if valid is None:
            head, digit, rest = code.split("-")
            assert digit == luhn.calc_check_digit(head + rest)
        else:
            assert valid(code)


def test_whole_numbers() -> None:
    """Codes of digits make whole numbers too."""
    found = made(Pattern(pattern="[1-9][0-9]{3}", unique=True), "id", start(50)).column("id").to_pylist()
    assert len(set(found)) == 50
    assert all(1000 <= v <= 9999 for v in found)


def test_misused() -> None:
    """Codes that could come twice in a key, and letters in a column of whole numbers, are told."""
    assert wrong(Pattern(), "code")[0].startswith("unique: column 'code' must differ in every row")
    assert wrong(Pattern(pattern="[A-Z]{3}"), "whole")[0].startswith("pattern: column 'whole' holds whole numbers")
    for how, said in (({"pattern": "[0-9]{2}x*"}, "position 10"), ({"pattern": "(a|[ab])", "unique": True}, "twice"),
                      ({"pattern": "[A-Z]", "check": "luhn"}, "luhn cannot read"),
                      ({"pattern": "{check}1"}, "check: luhn"),
                      ({"pattern": "1{2}", "check": "ean13"}, "wants 12 digits")):  # fmt: skip
        with pytest.raises(ValidationError, match=said):
            Pattern.model_validate(how)


def test_faults_have_their_place(tmp_path: Path) -> None:
    """What cannot be drawn is shown where it is written, with the position in the pattern."""
    part = 'make: [t.text]\nuse: pattern\nwith: {pattern: "[A-Z]+", check: luhn}'
    assert refused(tmp_path, part)[0].startswith(
        "\"[A-Z]+\", check: luhn} ← pattern.pattern: position 6 of the pattern ('+')"
    )
    part = 'make: [t.text]\nuse: pattern\nwith: {pattern: "[A-Z]", check: luhn}'
    assert refused(tmp_path, part)[0].startswith("luhn} ← pattern.check: luhn cannot read 'A'")
