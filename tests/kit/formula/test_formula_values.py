"""What formulas give for numbers, conditions and texts, against plain Python row by row."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit.formula.formulas_for_tests import ASK, BERLIN, FIELDS, NAMES, ROWS, Expected, agrees

from synthwright.kit.formula.formulas import read, value


def near(number: Any, digits: int = 0) -> Decimal:
    """Return a decimal rounded halves away from zero."""
    return Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@pytest.mark.parametrize(("text", "expected"), [
    ("q * r + 2", lambda w: w.q * w.r + 2),
    ("q - r - 1", lambda w: w.q - w.r - 1),
    ("-q", lambda w: -w.q),
    ("q * 0.1", lambda w: float(Fraction(w.q, 10))),
    ("q / r", lambda w: w.q / w.r if w.r else None),
    ("q % r", lambda w: w.q % w.r if w.r else None),
    ("x % 7", lambda w: w.x % 7),
    ("net * 1.19", lambda w: w.net * Decimal("1.19")),
    ("net + q", lambda w: w.net + w.q),
    ("net / 4", lambda w: float(w.net) / 4),
    ("net % 3", lambda w: w.net - 3 * math.floor(w.net / 3)),
    ("x * net", lambda w: w.x * float(w.net)),
    ("q ^ 2", lambda w: w.q**2),
    ("-q ^ 2", lambda w: -(w.q**2)),
    ("2 ^ r ^ 2", lambda w: 2.0 ** (w.r**2)),
    ("y ^ 0.5", lambda w: math.sqrt(w.y)),
    ("x ^ 0.5", lambda w: math.sqrt(w.x) if w.x >= 0 else None),
    ("round(x)", lambda w: float(near(w.x))),
    ("round(x, 2)", lambda w: float(near(w.x, 2))),
    ("round(x, -1)", lambda w: float(near(w.x / 10)) * 10),
    ("round(net, 1)", lambda w: near(w.net, 1)),
    ("round(net)", lambda w: int(near(w.net))),
    ("round(q, -1)", lambda w: int(near(Decimal(w.q) / 10)) * 10),
    ("round(q * 0.5)", lambda w: int(near(Decimal(w.q) / 2))),
    ("floor(x)", lambda w: float(math.floor(w.x))),
    ("ceil(x)", lambda w: float(math.ceil(w.x))),
    ("floor(net)", lambda w: math.floor(w.net)),
    ("ceil(net)", lambda w: math.ceil(w.net)),
    ("abs(net)", lambda w: abs(w.net)),
    ("abs(x)", lambda w: abs(w.x)),
    ("sqrt(x)", lambda w: math.sqrt(w.x) if w.x >= 0 else None),
    ("log(x)", lambda w: math.log(w.x) if w.x > 0 else None),
    ("exp(y)", lambda w: math.exp(w.y)),
    ("sin(x) + cos(y)", lambda w: math.sin(w.x) + math.cos(w.y)),
    ("min(q, r)", lambda w: min(w.q, w.r)),
    ("max(x, y, 2)", lambda w: max(w.x, w.y, 2.0)),
    ("flag + 1", lambda w: w.flag + 1),
])  # fmt: skip
def test_numbers(text: str, expected: Expected) -> None:
    """Arithmetic and functions of numbers give what Python gives, exactly where the numbers are exact."""
    agrees(text, expected)


@pytest.mark.parametrize("by", ["10", "3", "0.7", "100"])
def test_quotients_are_those_of_floats(by: str) -> None:
    """A division by a number is one, to the last digit: no multiplication with the number's reciprocal."""
    for name, text in (("q", f"q / {by}"), ("x", f"x / {by}"), ("q", f"q * {by} / 100")):
        wanted = [None if (v := getattr(w, name)) is None else float(Fraction(v) * Fraction(by) / 100)
                  if "*" in text else v / float(by) for w in ROWS]  # fmt: skip
        assert value(read(text), ASK).to_pylist() == wanted


@pytest.mark.parametrize(("text", "expected"), [
    ("q < r", lambda w: w.q < w.r),
    ("q / r > 1", lambda w: w.q / w.r > 1 if w.r else None),
    ("q == 3 or r != 1", lambda w: w.q == 3 or w.r != 1),
    ("0 < q <= 5", lambda w: 0 < w.q <= 5),
    ("not flag and q > 0", lambda w: not w.flag and w.q > 0),
    ("net >= 12.5", lambda w: w.net >= Decimal("12.5")),
    ("net > x", lambda w: float(w.net) > w.x),
    ("q between -2 and r", lambda w: -2 <= w.q <= w.r),
    ("q not between -2 and 2", lambda w: not -2 <= w.q <= 2),
    ("q in [1, -3, 5.0]", lambda w: w.q in (1, -3, 5)),
    ("y in [0.1, 2.5]", lambda w: w.y in (0.1, 2.5)),
    ("net not in [1.5]", lambda w: w.net != Decimal("1.5")),
    ('country in ["DE", "AT"]', lambda w: w.country in ("DE", "AT")),
    ('country < "E"', lambda w: w.country < "E"),
    ('day < "2000-06-30"', lambda w: w.day < date(2000, 6, 30)),
    ('day in ["1999-12-31", "2000-01-01"] or flag', lambda w: w.flag),
    ('at >= "2021-01-01 12:00"', lambda w: w.at >= datetime(2021, 1, 1, 12)),
    ('seen < "2021-07-01 12:00"', lambda w: w.seen < datetime(2021, 7, 1, 12, tzinfo=BERLIN)),
    ('clock >= "09:30"', lambda w: w.clock >= time(9, 30)),
    ("at > day", lambda w: w.at > datetime.combine(w.day, time())),
    ("took > 1", lambda w: w.took > timedelta(days=1)),
    ("flag == (q > 0)", lambda w: w.flag == (w.q > 0)),
])  # fmt: skip
def test_conditions(text: str, expected: Expected) -> None:
    """Conditions hold where Python's do."""
    if " and " in text or " or " in text:  # three-valued: only rows without nulls are compared
        got = value(read(text), ASK).to_pylist()
        whole = [i for i, w in enumerate(ROWS) if all(getattr(w, p) is not None for p in read(text).paths)]
        assert [got[i] for i in whole] == [expected(ROWS[i]) for i in whole]
    else:
        agrees(text, expected)


def _three(one: Any, other: Any, *, both: bool) -> bool | None:
    """Return `and` or `or` of conditions that may be unknown."""
    if one is (not both) or other is (not both):
        return not both
    return None if one is None or other is None else both


@pytest.mark.parametrize(("text", "expected"), [
    ("flag and q > 0", lambda w: _three(w.flag, None if w.q is None else w.q > 0, both=True)),
    ("flag or q > 0", lambda w: _three(w.flag, None if w.q is None else w.q > 0, both=False)),
    ("q is null", lambda w: w.q is None),
    ("q is not null", lambda w: w.q is not None),
    ("if(q > 0, r, -1)", lambda w: w.r if w.q is not None and w.q > 0 else -1),
    ('if(country == "DE", 1.19, 1.2)', lambda w: 1.19 if w.country == "DE" else 1.2),
    ("if(flag, day, null)", lambda w: w.day if w.flag else None),
    ('if(flag, "2020-05-17", day)', lambda w: date(2020, 5, 17) if w.flag else w.day),
    ("if(flag, q, net)", lambda w: w.net if not w.flag else None if w.q is None else Decimal(w.q)),
    ('case(q > 3, "a", q > 0, "b", "c")',
     lambda w: "c" if w.q is None else "a" if w.q > 3 else "b" if w.q > 0 else "c"),
    ("coalesce(q, r, 0)", lambda w: w.q if w.q is not None else w.r if w.r is not None else 0),
    ('coalesce(name, country, "?")', lambda w: w.name if w.name is not None else w.country or "?"),
    ("coalesce(null, q)", lambda w: w.q),
])  # fmt: skip
def test_choices_and_nulls(text: str, expected: Expected) -> None:
    """What chooses looks at nulls: unknown conditions are false, `and` and `or` are three-valued."""
    agrees(text, expected, nulls=True)


@pytest.mark.parametrize(("text", "expected"), [
    ('country + "-" + q', lambda w: f"{w.country}-{w.q}"),
    ('concat(net, "|", day, "|", at, "|", flag, "|", clock)',
     lambda w: f"{w.net:.2f}|{w.day}|{w.at}|{str(w.flag).lower()}|{w.clock}"),
    ("concat(y)", lambda w: f"{w.y:g}"),
    ('concat(q * 0.5, " ", 0.50)', lambda w: f"{w.q / 2:g} 0.50"),
    ("concat(seen)", lambda w: w.seen.strftime("%Y-%m-%d %H:%M:%S")),
    ("lower(name)", lambda w: w.name.lower()),
    ("upper(country)", lambda w: w.country.upper()),
    ("trim(name)", lambda w: w.name.strip()),
    ("title(lower(country))", lambda w: w.country.title()),
    ("length(name)", lambda w: len(w.name)),
    ("left(name, 2)", lambda w: w.name[:2]),
    ("left(name, r)", lambda w: w.name[: w.r]),
    ("right(name, 3)", lambda w: w.name[-3:]),
    ("substring(name, 2, 3)", lambda w: w.name[1:4]),
    ("substring(name, r + 1)", lambda w: w.name[w.r:]),
    ('replace(name, "a", "[$1]")', lambda w: w.name.replace("a", "[$1]")),
    ("replace(name, \"o'\", country)", lambda w: w.name.replace("o'", w.country)),
    ('pad(r, 4, "0")', lambda w: str(w.r).rjust(4, "0")),
    ("pad(name, r)", lambda w: w.name.rjust(w.r)),
    ("format(net)", lambda w: f"{near(w.net):f}".replace("-0", "0") if near(w.net) == 0 else str(int(near(w.net)))),
    ("format(q, 2)", lambda w: f"{w.q}.00"),
    ("format(y, 3)", lambda w: f"{w.y:.3f}"),
    ('number(concat(q, ".5"))', lambda w: float(f"{w.q}.5")),
    ("number(country)", lambda w: None if w.country else 0.0),
])  # fmt: skip
def test_texts(text: str, expected: Expected) -> None:
    """Functions of texts give what Python's methods give."""
    if text == "number(country)":
        assert value(read(text), ASK).null_count == len(ROWS)
    else:
        agrees(text, expected)


def test_slugs_are_plain() -> None:
    """Slugs hold small letters, digits and one sign; letters of other scripts are written in Latin, or null."""
    wanted = dict(zip(NAMES, ["lukasz-muller", "oneil", "ivan-petrov", "zoe-ann-3", None, None, "mac-donald", None],
                      strict=True))  # fmt: skip
    agrees("slug(name)", lambda w: wanted[w.name])
    agrees('slug(name, ".")', lambda w: (wanted[w.name] or "").replace("-", ".") or None)
    agrees('slug("Straße Ægir Øst Ђорђе Ψυχή $x")', lambda _: "strasse-aegir-ost-djordje-psychi-x")


Node = tuple[str, Callable[[Any], Fraction | None]]


def _joined(sign: str, one: Node, other: Node) -> Node:
    def of(row: Any) -> Fraction | None:
        a, b = one[1](row), other[1](row)
        if a is None or b is None:
            return None
        return {"+": a + b, "-": a - b, "*": a * b}[sign]

    return f"({one[0]} {sign} {other[0]})", of


def _leaf(said: str) -> Node:
    if said in FIELDS:
        return said, lambda row: None if getattr(row, said) is None else Fraction(getattr(row, said))
    return said, lambda _: Fraction(said)


EXACT: st.SearchStrategy[Node] = st.recursive(
    st.sampled_from(["q", "r", "net", "3", "0.07", "1.5", "250"]).map(_leaf),
    lambda inner: st.builds(_joined, st.sampled_from("+-*"), inner, inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(EXACT)
def test_whole_numbers_and_decimals_are_exact(node: Node) -> None:
    """Sums and products of whole numbers, decimals and written numbers lose nothing."""
    text, expected = node
    got = value(read(text), ASK)
    wanted = [expected(row) for row in ROWS]
    if pa.types.is_floating(got.type):
        assert got.to_pylist() == [None if w is None else float(w) for w in wanted]
    else:
        assert [None if g is None else Fraction(g) for g in got.to_pylist()] == wanted
