"""Rules on data."""

from __future__ import annotations

import operator
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.errors import InputError
from synthwright.core.rule_nodes import (
    Among,
    Call,
    Compare,
    Either,
    Every,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Product,
    Sum,
)  # fmt: skip
from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.expressions import holds

ROWS = 12
TABLE = Table(
    fields={
        "i": Field(kind=Kind.INTEGER),
        "j": Field(kind=Kind.INTEGER),
        "d": Field(kind=Kind.NUMBER, type="decimal128(12, 2)"),
        "e": Field(kind=Kind.NUMBER, type="decimal128(9, 1)"),
        "b": Field(kind=Kind.BOOLEAN),
        "s": Field(kind=Kind.CATEGORY),
    }
)


def tables() -> st.SearchStrategy[pa.Table]:
    """Small tables of whole numbers, decimals, truth values and labels, with nulls."""
    whole, text = st.integers(-4, 4), st.sampled_from("xyz")
    makers: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
        "i": (whole, pa.int64()),
        "j": (st.one_of(whole, st.sampled_from([2**63 - 1, -(2**63)])), pa.int64()),
        "d": (st.decimals(-4, 4, places=2), pa.decimal128(12, 2)),
        "e": (st.decimals(-4, 4, places=1), pa.decimal128(9, 1)),
        "b": (st.booleans(), pa.bool_()),
        "s": (text, pa.large_string()),
    }
    columns = {n: st.lists(st.none() | v, min_size=ROWS, max_size=ROWS) for n, (v, _) in makers.items()}
    return st.fixed_dictionaries(columns).map(
        lambda found: pa.table({n: pa.array(found[n], makers[n][1]) for n in makers})
    )


NUMBERS = st.recursive(
    st.sampled_from([Name("i"), Name("j"), Name("d"), Name("e"), Literal(Decimal("0.5")), Literal(Decimal(2))]),
    lambda inner: st.one_of(
        st.lists(st.tuples(st.sampled_from([1, -1]), inner), min_size=2, max_size=3).map(lambda t: Sum(tuple(t))),
        st.lists(st.tuples(st.just("*"), inner), min_size=2, max_size=2).map(lambda f: Product(tuple(f))),
        inner.map(lambda n: Call("abs", n)),
    ),
    max_leaves=4,
)
SIGNS = ("==", "!=", "<", "<=", ">", ">=")
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(Compare, st.sampled_from(SIGNS), NUMBERS, NUMBERS),
        st.builds(Compare, st.sampled_from(SIGNS), st.just(Name("s")), st.sampled_from("xyz").map(Literal)),
        st.builds(Among, st.just(Name("s")), st.lists(st.sampled_from("xyz").map(Literal), min_size=1).map(tuple)),
        st.builds(Missing, st.sampled_from([Name(c) for c in TABLE.fields])),
        st.just(Name("b")),
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: Every(tuple(p))),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: Either(tuple(p))),
    ),
    max_leaves=4,
)
_SAME = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
_OPERATORS = dict(zip(SIGNS, _SAME, strict=True))


def plain(node: Node, row: dict[str, Any]) -> Any:
    """Evaluate a node on one row in plain Python, with exact fractions; None is unknown."""
    match node:
        case Name():
            value = row[node.name]
            return Fraction(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
        case Literal():
            return Fraction(node.value) if isinstance(node.value, Decimal) else node.value
        case Missing():
            return plain(node.argument, row) is None
        case Every() | Either():
            return _joined([plain(p, row) for p in node.parts], stops=isinstance(node, Either))
        case Among():
            value = plain(node.argument, row)
            return None if value is None else value in [plain(v, row) for v in node.values]
        case Sum():
            terms = [(s, plain(t, row)) for s, t in node.terms]
            return None if any(t is None for _, t in terms) else sum(s * t for s, t in terms)
        case Product():
            one, other = (plain(f, row) for _, f in node.factors)
            return None if one is None or other is None else one * other
        case Call() | Not():
            value = plain(node.argument, row)
            return None if value is None else abs(value) if isinstance(node, Call) else not value
        case Compare():
            return _compared(node, plain(node.left, row), plain(node.right, row))


def _joined(parts: list[Any], *, stops: bool) -> Any:
    if stops in parts:
        return stops
    return None if None in parts else not stops


def _compared(node: Compare, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    names = {"d": 2, "e": 1}
    column = [names[n.name] for n in (node.left, node.right) if isinstance(n, Name) and n.name in names]
    bare = all(isinstance(n, Name | Literal) for n in (node.left, node.right))
    if column and not bare and node.sign in ("==", "!="):  # decimals are equal to what rounds to them
        scale = min(column)
        finest = max(_scale(node.left), _scale(node.right))
        if scale < finest:
            same = abs(left - right) * 2 <= Fraction(1, 10**scale)
            return same if node.sign == "==" else not same
    return _OPERATORS[node.sign](left, right)


def _scale(node: Node) -> int:
    match node:
        case Name():
            return {"d": 2, "e": 1}.get(node.name, 0)
        case Literal():
            return max(0, -int(node.value.as_tuple().exponent)) if isinstance(node.value, Decimal) else 0
        case Sum():
            return max(_scale(t) for _, t in node.terms)
        case Product():
            return sum(_scale(f) for _, f in node.factors)
        case Call():
            return _scale(node.argument)
    return 0


def digits(node: Node) -> int:
    """Return an upper bound on the digits that a number may need."""
    match node:
        case Name():
            return 20
        case Sum():
            return max(digits(t) for _, t in node.terms) + 5
        case Product():
            return sum(digits(f) for _, f in node.factors)
        case Call() | Not() | Missing() | Among():
            return digits(node.argument)
        case Compare():
            return max(digits(node.left), digits(node.right)) + 4
        case Every() | Either():
            return max(digits(p) for p in node.parts)
    return 1


@given(tables(), CONDITIONS.filter(lambda n: digits(n) <= 37))
@settings(max_examples=300, deadline=None)
def test_exact_conditions_agree_with_plain_python(held: pa.Table, tree: Node) -> None:
    """A condition over whole numbers, decimals and labels holds exactly where plain Python does not find it false."""
    from synthwright.core.rule_nodes import Parsed, names_in

    columns = names_in(tree)
    if not columns:
        return
    found = holds(held, Parsed("…", "row", columns, tree=tree), TABLE)
    assert found.tolist() == [plain(tree, row) is not False for row in held.to_pylist()]


def check(columns: dict[str, Any], fields: dict[str, Field], rule: str) -> list[bool]:
    """Return which rows hold a rule."""
    table = Table(fields=fields)
    assert faults(parse(rule), table) == []
    return holds(pa.table(columns), rule, table).tolist()


def floats(**columns: Any) -> tuple[dict[str, Any], dict[str, Field]]:
    """Return columns of floats and their fields."""
    return {n: pa.array(v, pa.float64()) for n, v in columns.items()}, {n: Field(kind=Kind.NUMBER) for n in columns}


def test_floats_are_equal_up_to_their_rounding() -> None:
    """0.1 + 0.2 is 0.3; a relative error of 1e-6 is not; NaN is missing; infinities are themselves."""
    inf, nan = float("inf"), float("nan")
    columns, fields = floats(a=[0.1, 1.0, 1e9, nan, inf, inf], b=[0.2, 1.0, 1.0, 1.0, 1.0, 1.0],
                             c=[0.3, 2.000002, 1e9 + 1.1, 7.0, inf, 5.0])  # fmt: skip
    assert check(columns, fields, "a + b == c") == [True, False, True, True, True, False]
    assert check(columns, fields, "a + b != c") == [False, True, False, True, False, True]
    assert check(columns, fields, "a + b <= c") == [True, True, True, True, True, False]
    assert check(columns, fields, "a + b < c") == [False, True, False, True, False, False]
    assert check(columns, fields, "a + b >= c") == [True, False, True, True, True, True]


def test_bare_columns_are_compared_exactly() -> None:
    """Without a computation there is no rounding to forgive."""
    columns, fields = floats(a=[1.0], c=[1.0 + 1e-12])
    assert check(columns, fields, "a == c") == [False]
    assert check(columns, fields, "a < c") == [True]


def test_a_cancelled_sum_is_judged_by_the_size_of_its_terms() -> None:
    """What large numbers leave of a small one when they cancel is not held against it."""
    columns, fields = floats(a=[1e12 + 0.1], b=[1e12], c=[0.1])
    assert check(columns, fields, "a - b == c") == [True]


def test_a_lattice_decides_what_is_equal() -> None:
    """On cents, a tax of 19 % is right if it rounds to the cent; and a cent is never lost in a large sum."""
    cents = Field(kind=Kind.NUMBER, step=0.01)
    fields = {"net": cents, "tax": cents}
    columns = {"net": [10.07, 10.07, 1e8], "tax": [1.91, 1.92, 19_000_000.01]}
    assert check(columns, fields, "tax == 0.19 * net") == [True, False, False]
    large = {"net": [123_456_789.01, 123_456_789.01], "tax": [123_456_790.01, 123_456_790.02]}
    assert check(large, fields, "tax == net + 1") == [True, False]
    assert check(large, fields, "tax <= net + 1") == [True, False]


def test_decimals_are_exact() -> None:
    """Decimals of 38 digits are told apart by their last; a finer product is equal if it rounds to the column."""
    wide = Field(kind=Kind.NUMBER, type="decimal128(38, 2)")
    values = [Decimal("123456789012345678901234567890123456.78"), Decimal("123456789012345678901234567890123456.79")]
    columns = {"a": pa.array(values, pa.decimal128(38, 2)), "b": pa.array(values[:1] * 2, pa.decimal128(38, 2))}
    assert check(columns, {"a": wide, "b": wide}, "a == b") == [True, False]
    narrow = Field(kind=Kind.NUMBER, type="decimal128(10, 2)")
    money = {"net": pa.array([Decimal("10.07")] * 2, pa.decimal128(10, 2)),
             "tax": pa.array([Decimal("1.91"), Decimal("1.92")], pa.decimal128(10, 2))}  # fmt: skip
    assert check(money, {"net": narrow, "tax": narrow}, "tax == net * 0.19") == [True, False]
    very = {"a": pa.array([Decimal("1.5"), Decimal("2.5")], pa.decimal256(60, 1))}
    assert check(very, {"a": Field(kind=Kind.NUMBER, type="decimal256(60, 1)")}, "a <= 1.5") == [True, False]


def test_large_whole_numbers_are_exact() -> None:
    """Integers of 64 bits, signed and not, are compared and added without loss."""
    fields = {"a": Field(kind=Kind.INTEGER), "u": Field(kind=Kind.INTEGER, type="uint64")}
    columns = {"a": [2**63 - 1, -1], "u": pa.array([2**63, 2**64 - 1], pa.uint64())}
    assert check(columns, fields, "a + 1 == u") == [True, False]
    assert check(columns, fields, "a < u") == [True, True]


def test_division_by_zero_is_unknown() -> None:
    """A quotient by zero is missing, so a comparison with it holds."""
    columns, fields = floats(a=[1.0, 0.0, 6.0, 6.0], b=[0.0, 0.0, 3.0, 4.0])
    assert check(columns, fields, "a / b == 2") == [True, True, True, False]


def test_days_instants_and_times() -> None:
    """Dates and instants compare with texts and one another; differences count days."""
    fields = {"d": Field(kind=Kind.DATE), "t": Field(kind=Kind.DATETIME), "z": Field(kind=Kind.DATETIME),
              "c": Field(kind=Kind.TIME), "l": Field(kind=Kind.DURATION)}  # fmt: skip
    zone = "Europe/Berlin"
    columns = {
        "d": pa.array([date(2020, 1, 1), date(2020, 2, 1), None]),
        "t": pa.array([datetime(2020, 1, 1, 12), datetime(2020, 1, 31), datetime(2020, 1, 1)], pa.timestamp("us")),
        "z": pa.array([datetime(2019, 12, 31, 23), datetime(2020, 1, 1), None], pa.timestamp("us", zone)),
        "c": pa.array([time(9), time(10), None], pa.time64("us")),
        "l": pa.array([timedelta(hours=12), timedelta(days=-1), None], pa.duration("us")),
    }
    assert check(columns, fields, "d >= '2020-01-02'") == [False, True, True]
    assert check(columns, fields, "d <= t") == [True, False, True]
    assert check(columns, fields, "t - d == l") == [True, True, True]
    assert check(columns, fields, "t - 0.5 == d") == [True, False, True]
    assert check(columns, fields, "d + 1 == '2020-02-02'") == [False, True, True]
    assert check(columns, fields, "l > 0.25") == [True, False, True]
    assert check(columns, fields, "z >= '2020-01-01'") == [True, True, True]
    assert check(columns, fields, "z >= '2020-01-01 00:30+01:00'") == [False, True, True]
    assert check(columns, fields, "year(z) == 2020 and month(d) == 1") == [True, False, True]
    assert check(columns, fields, "z == d") == [True, False, True]
    assert check(columns, fields, "c < '09:30'") == [True, False, True]
    assert check(columns, fields, "day(d) in [1, 2]") == [True, True, True]


def test_texts_bytes_and_keys() -> None:
    """Texts have a length and an order; bytes only equality; integer keys are numbers."""
    fields = {"s": Field(kind=Kind.TEXT), "r": Field(kind=Kind.BYTES), "k": Field(kind=Kind.KEY, type="int64")}
    raw = pa.array([b"\x00", b"", None], pa.large_binary())
    columns = {"s": pa.array(["äb", "c", None], pa.large_string()), "r": raw, "k": [1, 2, 3]}
    assert check(columns, fields, "length(s) == 2") == [True, False, True]
    assert check(columns, fields, "s < 'd'") == [False, True, True]
    assert check(columns, fields, "length(r) > 0") == [True, False, True]
    assert check(columns, fields, "r == r") == [True, True, True]
    assert check(columns, fields, "k > 1") == [False, True, True]


def test_names_that_mean_something_to_polars_are_only_names() -> None:
    """A column called `^.*$` or `*` is that column."""
    fields = {"^.*$": Field(kind=Kind.INTEGER), "*": Field(kind=Kind.INTEGER)}
    assert check({"^.*$": [1, 3], "*": [2, 2]}, fields, "`^.*$` <= `*`") == [True, False]


Pairs = list[tuple[str | None, int | None]]


def pairs(rows: Pairs) -> tuple[pa.Table, Table]:
    """Return a table of labels `a` and whole numbers `b`."""
    labels, numbers = pa.array([r[0] for r in rows], pa.large_string()), pa.array([r[1] for r in rows], pa.int64())
    table = Table(fields={"a": Field(kind=Kind.CATEGORY), "b": Field(kind=Kind.INTEGER)})
    return pa.table({"a": labels, "b": numbers}), table


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, 3, None])), max_size=25))
@settings(max_examples=100, deadline=None)
def test_dependencies_break_where_a_value_is_not_its_groups_commonest(rows: Pairs) -> None:
    """A row breaks `a -> b` where another value of b is more common in its group, or as common and first."""
    held, table = pairs(rows)
    counts = {a: Counter(y for x, y in rows if x == a and y is not None) for a, _ in rows}
    twin = [a is None or b is None or b == counts[a].most_common(1)[0][0] for a, b in rows]
    assert holds(held, "a -> b", table).tolist() == twin


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None])), max_size=25))
@settings(max_examples=50, deadline=None)
def test_unique_breaks_at_the_second_row(rows: Pairs) -> None:
    """The first row with some values stays, later ones break `unique`; rows with nulls never do."""
    held, table = pairs(rows)
    twin = [None in row or row not in rows[:i] for i, row in enumerate(rows)]
    assert holds(held, "unique(a, b)", table).tolist() == twin


def test_many_columns_can_be_determined_together() -> None:
    """`(a, b) -> (c, d)` holds where both c and d follow."""
    fields = {n: Field(kind=Kind.INTEGER) for n in "abcd"}
    columns = {"a": [1, 1, 1, 2], "b": [1, 1, 1, 1], "c": [5, 5, 6, 7], "d": [1, 2, 1, 3]}
    assert check(columns, fields, "(a, b) -> (c, d)") == [True, False, False, True]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ii <= j", "did you mean 'i'"),
        ("i == 's'", "numbers without quotes"),
        ("i = j", "`==`"),
        ("i <= gone", "'gone'"),
    ],
)
def test_rules_that_do_not_fit_the_data_are_refused(rule: str, said: str) -> None:
    """A rule that names what is not there, or means nothing, is an input error that says what to do."""
    table = Table(fields={n: Field(kind=Kind.INTEGER) for n in ("i", "j", "gone")})
    with pytest.raises(InputError) as error:
        holds(pa.table({"i": [1], "j": [2]}), rule, table)
    assert said in str(error.value)
