"""Templates are read exactly; what a grammar can never make is told before any text is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from synthwright.kit.texts.grammar import Grammar, Option, Piece, Root, Slot, parse


def grammar(rules: Mapping[str, Sequence[str | Option]], start: str = "s", depth: int = 8) -> Grammar:
    """Return a grammar of texts; a text alone has weight 1."""
    held = {r: tuple(o if isinstance(o, Option) else Option(parse(o)) for o in said) for r, said in rules.items()}
    return Grammar(held, start, depth)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("a {{b}} c", ("a {b} c",)),
        ("{{{x}}}", ("{", Slot("x", 3), "}")),
        ("{x}{y}", (Slot("x", 1), Slot("y", 4))),
        ("hi { first name }!", ("hi ", Slot("first name", 4), "!")),
        ("{a.b.c:PER}", (Slot("a.b.c", 1, label="PER"),)),
        ("{x@1|upper|a:B-2.c}", (Slot("x", 1, "1", ("upper", "a"), "B-2.c"),)),
        ("{at|%H:%M}", (Slot("at", 1, filters=("%H:%M",)),)),
        ("{at|%-d %B %Y, %H:%M:WHEN}", (Slot("at", 1, filters=("%-d %B %Y, %H:%M",), label="WHEN"),)),
        ("{`a: b|c`:X}", (Slot("a: b|c", 1, label="X"),)),
        ("ö{ñ:Ä}", ("ö", Slot("ñ", 2, label="Ä"))),
    ],
)
def test_texts_are_read(text: str, pieces: tuple[Piece, ...]) -> None:
    """Slots, marks, filters, labels and doubled braces are what they are written as."""
    assert parse(text) == pieces


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab {x", "the '{' at character 4 is not closed: write '{{'"),
        ("ab {x {y}", "the '{' at character 4 is not closed"),
        ("x} y", "the '}' at character 2 closes nothing: write '}}'"),
        ("a {} b", "the slot {} at character 3 says no name"),
        ("{:PERSON}", "the slot {:PERSON} at character 1 says no name"),
        ("{x@}", "the slot {x@} at character 1 says no name"),
        ("{x|uper}", "no filter is called 'uper': did you mean 'upper'?"),
        ("{x|%d.%Q}", "'%Q' is no code of a date"),
    ],
)
def test_what_is_no_text_is_told_with_its_place(text: str, said: str) -> None:
    """A brace alone and a slot without sense are named, with the character where they begin."""
    with pytest.raises(ValueError, match="character") as caught:
        parse(text)
    assert said in str(caught.value)


def test_heights() -> None:
    """How deep a rule must go is the least that its alternatives allow; conditions are not relied on."""
    held = grammar({
        "s": ["{list}"], "list": ["{item}", "{item}, {list}"], "item": ["x"],
        "maybe": [Option(("x",), when="a"), Option(parse("{item}"), when="b")],
        "sure": [Option(("x",), when="a"), Option(parse("{list}"))], "never": ["{never}"],
        "dead": [Option(("x",), weight=0.0), Option(parse("{item}"))],
        "marked": ["{list@1}"],
    })  # fmt: skip
    assert held.heights == {"s": 3, "list": 2, "item": 1, "maybe": 2, "sure": 3, "never": 10**9, "dead": 2, "marked": 1}


@pytest.mark.parametrize(
    ("rules", "rule", "said"),
    [
        ({"t": ["x"]}, "", "no rule is called 's': there are 't'"),
        ({"ss": ["x"]}, "", "did you mean 'ss'?"),
        ({"s": ["a {s}", "b {s}"]}, "s", "rule 's' never ends: give it an alternative without {s}"),
        ({"s": [Option(("x",), when="a"), Option(parse("{s}"), when="b")]}, "s", "that is always allowed"),
        ({"s": ["{t}"], "t": ["{u}", "{s}"], "u": ["{t}"]}, "t", "without {s} and {u}"),
        ({"s": [Option(("x",), weight=0.0)]}, "s", "no alternative with a weight above 0"),
        ({"s": ["{a@1}"], "a": ["{b}"], "b": ["x {a@1}"]}, "a", "cannot need itself: {a@1} → {a@1}"),
        ({"s": ["{a}"], "a": ["{b}"], "b": ["x"]}, "s", "3 rules stand inside each other in 's': `depth` is 2"),
    ],
)
def test_what_never_ends_is_told(rules: dict[str, list[str | Option]], rule: str, said: str) -> None:
    """Rules without end, without a weight, and rules that need themselves are named, each with a remedy."""
    found = list(grammar(rules, depth=2).faults())
    assert any(where == rule and said in sentence for where, sentence in found), found


def test_texts_that_explode_are_refused() -> None:
    """How many choices one text may take is counted, and has a limit."""
    wide = grammar({"s": ["x", "{s}{s}{s}{s}"]}, depth=9)
    assert next(said for _, said in wide.faults()).startswith("a text of 's' may take 87,381 choices, and 10,000 are")
    assert wide.choices("s") == sum(4**i for i in range(9))
    assert not list(grammar({"s": ["x", "{s}{s}{s}{s}"]}, depth=6).faults())


def test_order_of_marks() -> None:
    """Rules with a mark are derived after all that name them; labels are those that can be reached."""
    held = grammar({"s": ["{a@1} {b@1}"], "a": ["{b@1:B}"], "b": ["{c:C}"], "c": ["x"], "unused": ["{c:NO}"]})
    assert held.roots == (Root("s"), Root("a", "1"), Root("b", "1"))
    assert held.labels == ("B", "C")
