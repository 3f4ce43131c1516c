"""The one-line language of gates."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthwright.core.gates import CLOSE_GATES, DEFAULT_GATES, SOFT_GATES, parse


@pytest.mark.parametrize(
    ("text", "metric", "about", "op", "bound"),
    [
        ("rules >= 1", "rules", "", ">=", 1.0),
        ("shape <= 1 * reference + 0.02", "shape", "", "<=", 0.52),
        ("tstr >= 0.97 * reference", "tstr", "", ">=", 0.485),
        ("tstr>=reference", "tstr", "", ">=", 0.5),
        ("tstr >= reference - 0.02", "tstr", "", ">=", 0.48),
        ("dcr-share < reference + .1", "dcr-share", "", "<", 0.6),
        ("shape.worst <= 1e-1", "shape", "worst", "<=", 0.1),
        ("shape[person.age] == 0", "shape", "person.age", "==", 0.0),
        ("trend[person.age ~ person.income] > -1.5", "trend", "person.age ~ person.income", ">", -1.5),
        ("shape[t.a]b <= 3] <= 2", "shape", "t.a]b <= 3", "<=", 2.0),  # a column called "a]b <= 3"
        ("  shape[t. x ]<=2 ", "shape", "t. x ", "<=", 2.0),  # a column called " x "
    ],
)
def test_reads_every_form(text: str, metric: str, about: str, op: str, bound: float) -> None:
    """Each form of the grammar gives metric, what it is about, comparison and bound, and its text back."""
    gate = parse(text)
    assert (gate.metric, gate.about, gate.op) == (metric, about, op)
    assert gate.bound(0.5) == pytest.approx(bound)
    assert str(gate) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shape =< 1", "Write 'shape <= 1'"),
        ("shape = 1", "Write 'shape == 1'"),
        ("tstr ≥ 0.9", "Write 'tstr >= 0.9'"),
        ("tstr >= 0.9 reference", "Write 'tstr >= 0.9 * reference'"),
        ("tstr >= ref", "Write 'tstr >= reference'"),
        ("tstr >= reference * 0.9", "Write 'tstr >= 0.9 * reference'"),
        ("", "nothing is there"),
        ("shape", "NAME, one of <= >= < > =="),
        ("Shape <= 1", "small letters"),
        ("1 >= shape", "small letters"),
        ("shape <= 5%", "'5%' is no bound"),
        ("shape <= nan", "'nan' is no bound"),
        ("shape <= 1 <= 2", "is no bound"),
        ("shape <= reference + 1 + 1", "is no bound"),
        ("shape <= 1e999", "too large"),
        ("shape <= 0 * reference", "no reference"),
        ("shape.best <= 1", "NAME, one of"),
        ("shape[] <= 1", "NAME, one of"),
    ],
)
def test_shows_the_wrong_and_the_right_form(text: str, said: str) -> None:
    """What is no gate is answered with the text as it was written and a form that would do."""
    with pytest.raises(ValueError, match="Write") as caught:
        parse(text)
    assert repr(text) in str(caught.value)
    assert said in str(caught.value)


@given(st.text(alphabet="shape<>=.[]1 *reference+-worst~", max_size=40))
def test_any_text_is_a_gate_or_a_value_error(text: str) -> None:
    """No text makes the parser fail in another way, and what it reads it reads again the same."""
    try:
        gate = parse(text)
    except ValueError:
        return
    assert parse(str(gate)) == gate


@pytest.mark.parametrize("missing", [None, math.nan])
@pytest.mark.parametrize("op", ["<=", ">=", "<", ">", "=="])
def test_nothing_passes_without_a_number(op: str, missing: float | None) -> None:
    """A value or reference that is missing or not a number fails, whatever the comparison."""
    assert not parse(f"shape {op} 0").holds(missing, 0.5)
    assert not parse(f"shape {op} reference").holds(0.5, missing)


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [("<=", True, True, False), ("<", True, False, False), (">=", False, True, True), (">", False, False, True),
     ("==", False, True, False)],
)  # fmt: skip
def test_compares_as_written(op: str, below: bool, equal: bool, above: bool) -> None:  # noqa: FBT001
    """Each comparison holds where it says so."""
    gate = parse(f"shape {op} 0.3")
    assert [gate.holds(v, None) for v in (0.2, 0.3, 0.4)] == [below, equal, above]


def test_forgives_rounding_of_floats() -> None:
    """0.1 + 0.2 meets a bound of 0.3, which it exceeds by the error of a float."""
    assert parse("shape <= 0.3").holds(0.1 + 0.2, None)
    assert not parse("shape <= 0.3").holds(0.3 + 1e-9, None)


@pytest.mark.parametrize(("text", "bound"), [
    ("shape <= reference + 0.02 + chance", 0.62), ("tstr >= 0.9 * reference - chance", 0.35), ("shape <= chance", None),
    ("shape <= reference + max(0.02, chance)", 0.6), ("shape <= reference + max(0.2, chance)", 0.7),
    ("tstr >= 0.9 * reference - max( 0.2 ,chance )", 0.25), ("tstr >= reference - max(0.02, chance)", 0.4),
    ("shape <= reference + max(chance, 0.2)", None), ("shape <= max(0.2, chance)", None),
    ("shape <= reference + max(0.2, chance) + 1", None), ("shape <= reference + max(-0.2, chance)", None),
    ("shape <= 0.3 + chance", 0.4), ("shape <= reference +chance", 0.6), ("shape <= reference + chance + 1", None),
])  # fmt: skip
def test_chance_is_added_or_taken_off(text: str, bound: float | None) -> None:
    """`chance` comes last, and what it stands for must be known."""
    if bound is None:
        with pytest.raises(ValueError, match="gate"):
            parse(text)
        return
    gate = parse(text)
    assert gate.bound(0.5, 0.1) == pytest.approx(bound)
    assert str(gate) == text
    assert math.isnan(gate.bound(0.5))
    assert not gate.holds(0.5, 0.5)
    assert gate.holds(bound, 0.5, 0.1)


def test_every_gate_of_ours_is_in_the_form() -> None:
    """Default, soft and closeness gates all parse."""
    assert [str(parse(g)) for g in (*DEFAULT_GATES, *SOFT_GATES, *CLOSE_GATES)] == [
        *DEFAULT_GATES, *SOFT_GATES, *CLOSE_GATES,
    ]  # fmt: skip
