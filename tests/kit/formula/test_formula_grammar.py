"""The language of formulas: what is understood, and what is answered where something is not."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.kit.formula.formulas_for_tests import ASK, FIELDS, ROWS, SCHEMA

from synthwright.core.errors import SampleError
from synthwright.core.rule_nodes import Aggregate, Apply, Compare, Literal, Name, Node, Not, Nothing, Product, Sum
from synthwright.kit.formula.formula_parser import FUNCTIONS
from synthwright.kit.formula.formulas import Formula, column, faults, read, type_of, value
from synthwright.kit.ruled import as_field

A, B, ONE, TWO = Name("a"), Name("b"), Literal(Decimal(1)), Literal(Decimal(2))


@pytest.mark.parametrize(("text", "tree"), [
    ("a", A),
    ("`net price`", Name("net price")),
    ("card.customer.`birth date`", Name("card.customer.birth date")),
    ("a + 1 * b", Sum(((1, A), (1, Product((("*", ONE), ("*", B))))))),
    ("a % b", Product((("*", A), ("%", B)))),
    ("-a ^ 2", Sum(((-1, Apply("^", (A, TWO))),))),
    ("a ^ b ^ 2", Apply("^", (A, Apply("^", (B, TWO))))),
    ("a ^ -1", Apply("^", (A, Literal(Decimal(-1))))),
    ("a between 1 and b", Apply("between", (A, ONE, B))),
    ("a not between 1 and 2", Not(Apply("between", (A, ONE, TWO)))),
    ('if(a > 1, "x", null)', Apply("if", (Compare(">", A, ONE), Literal("x"), Nothing()))),
    ("min(a, b)", Apply("min", (A, B))),
    ("min", Name("min")),
    ("min(order.a)", Aggregate("min", "order", "a")),
    ("count(order)", Aggregate("count", "order", "")),
    ("sum(order.card.limit by payer where a > 1)",
     Aggregate("sum", "order", "card.limit", "payer", Compare(">", A, ONE))),
    ("'it' + \"\\\"s\"", Sum(((1, Literal("it")), (1, Literal('"s'))))),
])  # fmt: skip
def test_what_is_written_is_understood(text: str, tree: Node) -> None:
    """Every form gives the nodes that it means."""
    assert read(text).tree == tree


def test_what_a_formula_names_is_known() -> None:
    """Paths come once, in order; columns of other tables are told apart."""
    formula = read("a.b + c + a.b + sum(order.total by d where e.f > 1) + count(visit)")
    assert formula.paths == ("a.b", "c")
    assert formula.children == ("order.total", "visit")
    assert read("1 + 1").paths == ()
    assert read("a + 1") is read("a + 1")


@pytest.mark.parametrize(("text", "said"), [
    ("", "an empty formula"),
    ("a +", "at character 4: it ends where a value was wanted"),
    ("a b", "'b' at character 3 after what was understood"),
    ("(a", "the end inside brackets"),
    ("a = 1", "write `==`"),
    ("a == null", "at character 6: a comparison with null: write `a is null`"),
    ("null != a", "write `a is null`"),
    ("a ? b : c", "'?' at character 3 is not understood: write `if(condition, a, b)`"),
    ("a ** 2", "write `a ^ 2`"),
    ("a // 2", "write `floor(a / b)`"),
    ("a && b", "write `and`"),
    ("{a} b", "joined by `+`"),
    ("2 * roud(a)", "at character 5: no function is called 'roud': write `round`"),
    ("IF(a, b, c)", "no function is called 'IF': write `if`"),
    ("exec(a)", "no function is called 'exec'"),
    ("round()", "at character 1: no value in `round()`: write it like `round(price, 2)`"),
    ("round(a, 2, 3)", "3 values in `round()`"),
    ("if(a > 1, b)", 'like `if(country == "DE", 1.19, 1.2)`'),
    ("case(a > 1, b, a > 2, 3)", "an even number of values in `case()`"),
    ("round(a, 2", "the end in `round()`"),
    ("a.", "where a column's name was wanted"),
    ("a..b", "'.' at character 3 where a column's name was wanted"),
    ("sum(a)", "one name in `sum()`: write one column of a table that points here"),
    ("min(a)", "of values of one row `min(a, b)`"),
    ("sum(order.a * 2)", "compute with it outside"),
    ("sum(order.a by)", "where a column's name was wanted"),
    ("sum(order.a where b > 1", "the end in `sum()`"),
    ("count()", "')' at character 7 in `count()`"),
    ("a between 1", "write both ends"),
    ("a in [1, null]", "a list holds something else"),
    ("a in 1", "write a list"),
    ("(" * 41 + "a" + ")" * 41, "more than 40 brackets"),
    ("not " * 41 + "a", "more than 40 brackets"),
    ("2 ^ " * 41 + "a", "more than 40 brackets"),
    ("x" * 10_001, "10,001 characters is too long"),
    ("1" * 50, "too large, small or long"),
    ("(a < " * 16 + "b" + " < c)" * 16, "too many comparisons"),
])  # fmt: skip
def test_what_is_not_understood_is_answered(text: str, said: str) -> None:
    """Every wrong form is refused, and the message shows where, and what would be right."""
    with pytest.raises(ValueError, match="write") as error:
        read(text)
    assert said in str(error.value)


@pytest.mark.parametrize(("text", "said"), [
    ("prize * 2", "at character 1: `prize` is no column of table 't'"),
    ("x + q.limit", "at character 5: `q.limit` is no column of table 't': did you mean 'q'?"),
    ("nett", "did you mean 'net'?"),
    ("x * name", "`name` after `*` is text: write a number there"),
    ("name - 1", "`name` in a sum is text"),
    ("if(q, 1, 2)", "`q` in `if()` is a number: write a condition"),
    ("q and flag", "`q` beside `and` is a number"),
    ('2 * if(q > 1, 1, "a")', "at character 5: '1', a number, and 'a', text, are results"),
    ("coalesce(name, 2)", "are alternatives"),
    ("name > 3", "`name`, text, and '3', a number, are compared: write text in quotes"),
    ('born > "31.12.2020"', "'31.12.2020' is no date: write it like \"2024-12-31\""),
    ("born + day", "these dates cannot be added"),
    ("3 - born", "these dates cannot be added"),
    ("q + months(2)", "months are added to no date"),
    ("months(2)", "it gives months"),
    ("hours(1) * hours(2)", "lengths of time are multiplied"),
    ("round(x, q)", "write a whole number from -15 to 15"),
    ("round(name)", "`name` in `round()` is text"),
    ("year(name)", "write `year()` of a date"),
    ("hour(born)", "write `hour()` of an instant"),
    ("date(2024, 2)", "two values in `date()`"),
    ('pad(name, 5, "xx")', "write one character"),
    ("pad(name, 5000)", "from 0 to 1000"),
    ('replace(name, country, "x")', "write a text in quotes"),
    ('slug(name, "ab")', "write one sign in quotes"),
    ("lower(flag)", "is true or false: write text"),
    ("sum(other.x)", "no table is called `other`"),
    ("sum(t.x)", "no column of `t` points to `t`"),
])  # fmt: skip
def test_what_does_not_fit_is_said_before_anything_runs(text: str, said: str) -> None:
    """A formula that means nothing for the columns at hand is answered with what would, and where."""
    found = faults(read(text), SCHEMA, "t")
    assert len(found) == 1
    assert said in found[0]
    assert type_of(read(text), SCHEMA, "t") is None


def test_every_unknown_column_is_told() -> None:
    """Two unknown columns are two faults."""
    assert len(faults(read("prize * quant + q"), SCHEMA, "t")) == 2


@pytest.mark.parametrize(("text", "column", "said"), [
    ("name", "q", "`name` is text, and the column is of kind integer: write a number"),
    ("q", "flag", "a condition, like"),
    ("q", "born", "a date, like"),
    ("took", "born", "a date, like"),
    ("born", "took", "a length of time"),
    ("q > 1", "at", "an instant, like"),
])  # fmt: skip
def test_results_that_fit_no_column_are_told(text: str, column: str, said: str) -> None:
    """A result of another kind than its column's is a fault."""
    found = faults(read(text), SCHEMA, "t", FIELDS[column])
    assert len(found) == 1
    assert said in found[0]


def test_results_of_another_type_are_told() -> None:
    """Whoever needs a condition or a number is told that a formula gives something else."""
    assert faults(read("q > 1"), SCHEMA, "t", wanted="boolean") == []
    assert "it gives a number: write a formula that gives true or false" in \
        faults(read("q"), SCHEMA, "t", wanted="boolean")[0]  # fmt: skip


@settings(max_examples=300)
@given(st.text(alphabet="ab1 .<>=!-+*/%^()[],'\"`\\andorinulbetwhf$é\n", max_size=40))
@example("a" + "\\" * 3)
@example("min(a by")
@example("if(")
def test_any_text_is_a_formula_or_a_value_error(text: str) -> None:
    """No text makes the parser fail in another way."""
    with contextlib.suppress(ValueError):
        assert read(text).tree is not None


LEAVES = st.sampled_from([
    *FIELDS, "null", "true", "0", "2", "3.5", "-7", "0.07", "1e20", '"x"', '"2024-01-31"', '"12:30"', '""',
])  # fmt: skip


def _called(name: str, inner: list[str]) -> str:
    least, most, _ = FUNCTIONS[name]
    count = least if len(inner) % 2 else min(most, least + 1 + (name == "case"))
    return f"{name}({', '.join((inner * 5)[:count])})"


MEANT = st.recursive(LEAVES, lambda inner: st.one_of(
    st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", "and", "or"]), inner)
    .map(lambda p: f"({' '.join(p)})"),
    st.builds(_called, st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, min_size=2, max_size=3)),
    st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} between {p[1]} and {p[2]})"),
    inner.map(lambda p: f"({p} is not null)"),
), max_leaves=5)  # fmt: skip


def _held(formula: Formula, name: str) -> object:
    """Return the column that a formula makes; nothing where its type says that it has no room for the numbers."""
    try:
        return as_field(column(formula, ASK, FIELDS[name]), FIELDS[name], "test", name)
    except SampleError as error:
        if "has room for" not in str(error):
            raise
        return None


@settings(max_examples=100, deadline=None)
@example("1e20")
@given(MEANT)
def test_what_has_no_faults_can_be_computed(text: str) -> None:
    """What passes the check gives a value for every row, of one type, and a column of each kind with room for it."""
    try:
        formula = read(text)
    except ValueError:  # a comparison with null
        return
    if faults(formula, SCHEMA, "t"):
        return
    got = value(formula, ASK)
    got.validate(full=True)
    assert len(got) == len(ROWS)
    for name in ("q", "net", "x", "flag", "name", "born", "seen", "clock", "took"):
        field = FIELDS[name]
        if not faults(formula, SCHEMA, "t", field):
            made = _held(formula, name)
            assert made is None or (isinstance(made, pa.Array) and len(made) == len(ROWS))


@pytest.mark.parametrize("text", [
    "+".join(["q"] * 400), "*".join(["x"] * 300), " and ".join(["flag"] * 900), "+".join(["country"] * 1_000),
    "(1/" * 38 + "x" + ")" * 38, "(" * 38 + "x" + " between 1 and 2)" * 38, "min(" * 38 + "x" + ", q)" * 38,
    "round(" * 38 + "net" + ", 1)" * 38, "if(q > 1, " * 38 + "q" + ", 2)" * 38,
    f"case({', '.join(f'q == {i}, {i}' for i in range(200))}, 0)", f"q in [{', '.join(map(str, range(1_500)))}]",
], ids=lambda t: t[:12])  # fmt: skip
def test_long_and_deep_formulas_are_computed(text: str) -> None:
    """What is long or deep takes time in proportion to its length."""
    assert faults(read(text), SCHEMA, "t") == []
    assert len(value(read(text), ASK)) == len(ROWS)
