"""The language of rules."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synthwright.core.rule_nodes import Compare, Every, Literal, Missing, Name, Not, Product, Sum, walk
from synthwright.core.rules import faults, parse, quoted, unknown_columns
from synthwright.core.schema import Field, Kind, Table

A, B, C = Name("a"), Name("b"), Name("c")
KINDS = {
    "a": Kind.INTEGER,
    "b": Kind.NUMBER,
    "sex": Kind.CATEGORY,
    "flag": Kind.BOOLEAN,
    "start": Kind.DATE,
    "end": Kind.DATE,
    "at": Kind.DATETIME,
    "clock": Kind.TIME,
    "lasted": Kind.DURATION,
    "raw": Kind.BYTES,
    "text": Kind.TEXT,
}
TABLE = Table(fields={n: Field(kind=k) for n, k in KINDS.items()})


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a <= b", Compare("<=", A, B)),
        ("a == b + c", Compare("==", A, Sum(((1, B), (1, C))))),
        ("a - b * c > 0", Compare(">", Sum(((1, A), (-1, Product((("*", B), ("*", C)))))), Literal(Decimal(0)))),
        ("a <= b < c", Every((Compare("<=", A, B), Compare("<", B, C)))),
        ("a >= -1.5e3", Compare(">=", A, Literal(Decimal(-1500)))),
        ("`net ``price``` == 1", Compare("==", Name("net `price`"), Literal(Decimal(1)))),
        ('a == "it\\"s"', Compare("==", A, Literal('it"s'))),
        ("a is NOT null", Not(Missing(A))),
        ("not a is null", Not(Missing(A))),
        ("größe == 'ö'", Compare("==", Name("größe"), Literal("ö"))),
    ],
)
def test_conditions_are_understood(text: str, tree: object) -> None:
    """A condition becomes the nodes it means."""
    parsed = parse(text)
    assert (parsed.form, parsed.tree) == ("row", tree)


def test_precedence_is_or_and_not_comparison() -> None:
    """`or` binds loosest, then `and`, `not`, comparisons; brackets override."""
    assert parse("not a == 1 and b == 2 or c == 3").tree == parse("((not (a == 1)) and (b == 2)) or (c == 3)").tree
    assert parse("a in (1, 2) or b not in [-1]").tree == parse("(a in [1, 2]) or not b in [-1]").tree


def test_dependencies_and_unique() -> None:
    """Dependencies and `unique` name their columns."""
    one = parse("education -> education_num")
    assert (one.form, one.left, one.right) == ("dependency", ("education",), ("education_num",))
    many = parse("(a, `b c`) -> (d, e)")
    assert (many.left, many.right, many.columns) == (("a", "b c"), ("d", "e"), ("a", "b c", "d", "e"))
    together = parse("unique(a, b)")
    assert (together.form, together.left) == ("unique", ("a", "b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = b", "`==`"),
        ("a => b", "`>=`"),
        ("a =< b", "`<=`"),
        ("a <> b", "`!=`"),
        ("a && b == 1", "`and`"),
        ("a || b == 1", "`or`"),
        ("!a", "`not`"),
        ("a ≤ b", "`<=`"),
        ("9**9**9 > a", "`a * a`"),
        ("a == null", "`a is null`"),
        ("a == None", "`a is null`"),
        ("a is 3", "`a is null`"),
        ("a in 3", "a list"),
        ("a in [b]", "numbers or texts"),
        ("a in [1, null]", "`a is null`"),
        ("a in [1", "closed by `]`"),
        ("t.a > 1", "backticks"),
        ("__import__('os') == 1", "`abs()`"),
        ("abs(a, b) > 1", "one value"),
        ("abs(a > 1", "one value"),
        ("a +", "a whole rule"),
        ("(a > 1", "as many `)`"),
        ("a > 1 b", "one rule"),
        ("a + b", "a comparison"),
        ("3 > 2", "about columns"),
        ("a and b + 1", "a condition on each side"),
        ("not a + 1", "a condition on each side"),
        ("", "start <= end"),
        ("a -> ", "a rule such as"),
        (" -> a", "a rule such as"),
        ("a -> a", "different columns"),
        ("(a, b -> c", "closed by `)`"),
        ("a -> b <= c", "one rule"),
        ("unique()", "a rule such as"),
        ("unique(a, a)", "each column once"),
        ("a > 1 and unique(b)", "only stands alone"),
        ("in > 3", "backticks"),
        ("'a > 1", "text between two quotes"),
        ("`a > 1", "backticks"),
        ("a > 1e99", "at most 30 digits"),
        ("a > 1" + "0" * 50, "at most 30 digits"),
        ("(" * 41 + "a" + ")" * 41 + " > 1", "flatter"),
        ("not " * 41 + "a", "flatter"),
        ("-" * 41 + "a > 1", "flatter"),
        ("a > " + "1 + " * 600 + "1", "at most 2,000"),
        ("a ? b", "start <= end"),
    ],
)
def test_what_is_no_rule_is_answered_with_the_right_form(text: str, said: str) -> None:
    """Every wrong form is refused, and the message shows a right one."""
    with pytest.raises(ValueError, match="write") as error:
        parse(text)
    assert said in str(error.value)


@given(st.text(alphabet="ab1 .<>=!-+*/()[],'\"`\\andorinul$é\n", max_size=40))
@example("a" + "\\" * 3)
def test_any_text_is_a_rule_or_a_value_error(text: str) -> None:
    """No text makes the parser fail in another way."""
    with contextlib.suppress(ValueError):
        assert parse(text).columns


@given(st.text(min_size=1, max_size=20))
def test_any_name_can_be_written(name: str) -> None:
    """`quoted` writes every name so that it is read back."""
    assert parse(f"{quoted(name)} >= 0").columns == (name,)
    assert parse(f"{quoted(name)} -> {quoted(name + 'x')}").right == (name + "x",)


def test_long_sums_are_understood() -> None:
    """As many terms as fit into a rule add up."""
    parsed = parse("a == " + " + ".join(f"x{i}" for i in range(250)))
    assert parsed.tree is not None
    assert len(parsed.columns) == 251
    assert sum(1 for _ in walk(parsed.tree)) == 253


def test_chains_inside_chains_are_bounded() -> None:
    """Comparisons of comparisons double with every level: a few are understood, many are refused at once."""
    assert parse("(a < " * 4 + "b" + " < c)" * 4).columns == ("a", "b", "c")
    with pytest.raises(ValueError, match="a flatter rule"):
        parse("(a < " * 39 + "b" + " < c)" * 39)


def test_unknown_columns_come_with_the_nearest_name() -> None:
    """A column the table lacks is named with the nearest that it has."""
    assert unknown_columns(parse("strat <= end and zzz > 1"), TABLE) == [("strat", "start"), ("zzz", None)]
    assert unknown_columns(parse("start <= end"), TABLE) == []


@pytest.mark.parametrize(
    "text",
    [
        "a <= b", "a + flag > 1", "flag", "not flag", "flag == true", "flag == 1", "sex in ['F', 'M']", "text > sex",
        "start <= end", "start >= '2020-01-01'", "start + 30 >= end", "end - start <= 365", "at >= start", "lasted > 1",
        "at - start == lasted", "at >= '2020-01-01 10:00'", "clock < '09:30'", "year(start) == a", "length(text) < 9",
        "1440 * (clock - clock) == a", "raw == raw", "raw is null",
        "abs(a - b) <= 1", "end - start + 1 > a", "-a < 0", "length(raw) > 1",
    ],
)  # fmt: skip
def test_what_fits_the_kinds_has_no_faults(text: str) -> None:
    """Rules that mean something for the kinds of their columns pass."""
    assert faults(parse(text), TABLE) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a == 'x'", "`a` is a number"),
        ("sex == 1", "text in quotes"),
        ("sex in [1, 2]", "text in quotes"),
        ("start <= a", "`start` is a date"),
        ("start >= '31.12.2020'", "2024-12-31"),
        ("clock > 'noon'", "23:59:59"),
        ("start + end > 1", "one date less another"),
        ("a - start > 1", "one date less another"),
        ("clock + 0.5 > clock", "one time of day less another"),
        ("at - clock > 1", "one date less another"),
        ("sex + 1 == 2", "`sex` is text"),
        ("a * sex == 2", "between numbers"),
        ("abs(sex) == 2", "`abs()` of a number"),
        ("length(a) == 2", "`length()` of a text"),
        ("year(a) == 2", "of a date"),
        ("a", "a comparison"),
        ("not a", "`a > 0`"),
        ("sex and a > 1", "`a > 0`"),
        ("raw < raw", "`!=`"),
        ("(a > 1) + 1 > 1 or sex == 1", "text in quotes"),
    ],
)
def test_what_does_not_fit_the_kinds_is_said(text: str, said: str) -> None:
    """A rule that means nothing for the kinds of its columns is answered with what would."""
    assert said in faults(parse(text), TABLE)[0]


def test_faults_leave_unknown_columns_to_others() -> None:
    """A rule about a column the table lacks has no faults of kind: `unknown_columns` reports it."""
    assert faults(parse("nope == 'x'"), TABLE) == []
