"""YAML is data only, and every value knows where it stands."""

from __future__ import annotations

import time
import tracemalloc

import pytest
import yaml

from synthwright.core import safe_yaml
from synthwright.core.errors import SpecError


def test_values_and_places() -> None:
    """Values are read as plain data, and each knows its line and column."""
    found = safe_yaml.load("a: 1\nb:\n  - x\n  - {c: 2.5}\n", "f.yaml")
    assert found.data == {"a": 1, "b": ["x", {"c": 2.5}]}
    assert found.marks["a",] == (1, 4)
    assert found.marks["b", 0] == (3, 5)
    assert found.marks["b", 1, "c"] == (4, 9)


def test_words_stay_words() -> None:
    """Keys are text, and `no`, dates, hexadecimal and sexagesimal numbers are not turned into something else."""
    found = safe_yaml.load("no: yes\n1999: 2020-01-01\nx: 0x10\ny: 1:30\nz: on\nu: '1'\nv: ~\n", "f")
    assert found.data == {"no": "yes", "1999": "2020-01-01", "x": "0x10", "y": "1:30", "z": "on", "u": "1", "v": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x", "2:4: this is no YAML: aliases"),
        ("a: 1\na: 2", "2:1: 'a' is said twice"),
        ("!!python/object:os.system x", "1:1: tags"),
        ("a: !secret x", "1:4: tags"),
        ("[" * 100, "nested deeper"),
        ("a: [", "this is no YAML"),
        ("a: 1\n---\nb: 2\n", "2:1: this is no YAML: a second document"),
        ("!secret a: 1", "1:1: tags"),
        ("? [a, b]\n: c", "a key must be a plain word"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    """Aliases, duplicate keys, tags, deep nesting and broken text are faults with a place."""
    with pytest.raises(SpecError, match=r"f:\d+:\d+: ") as caught:
        safe_yaml.load(text, "f")
    assert said in str(caught.value)


def test_two_faults_are_told_together() -> None:
    """A second duplicate does not wait behind the first."""
    with pytest.raises(SpecError) as caught:
        safe_yaml.load("a: 1\na: 2\nb: 1\nb: 2\n", "f")
    assert len(caught.value.faults) == 2


def test_a_bomb_is_refused_quickly() -> None:
    """A document that would expand to billions of items costs less than a second and 100 MB."""
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [f"{c}: &{c} [{', '.join(['*' + b] * 9)}]" for b, c in zip("abcdefgh", "bcdefghi", strict=True)]
    tracemalloc.start()
    begun = time.perf_counter()
    with pytest.raises(SpecError, match="aliases"):
        safe_yaml.load("\n".join(levels), "f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - begun < 1
    assert peak < 100_000_000


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i}: [1, 2]\n" for i in range(150_000)),
        f"[{'1, ' * 100_000}1]",
        f"{{{', '.join(f'k{i}: 1' for i in range(50_000))}}}",
        f"a: {'[' * 30}{'[], ' * 200_000}{']' * 30}",
        "[" * 500_000,
    ],
)
def test_many_values_are_refused_quickly(text: str) -> None:
    """A document with more values than anyone writes costs less than a second and 100 MB."""
    begun = time.perf_counter()
    with pytest.raises(SpecError, match=r"more than 120,000 values|nested deeper"):
        safe_yaml.load(text, "f")
    assert time.perf_counter() - begun < 1
    tracemalloc.start()
    with pytest.raises(SpecError):
        safe_yaml.load(text, "f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize(("text", "column", "said"), [
    ("with: {formula: max(a, b)}", 17, "the comma ends 'max(a': put the formula in quotes, formula: 'max(a, …'"),
    ("x: {f: if(a == 1, 1, 2), nulls: 0.1}", 8, "put the formula in quotes, f: 'if(a == 1, …'"),
    ("x: {f: if(a == 'b', 1, 2)}", 8, "put the formula in quotes, f: \"if(a == 'b', …\""),
    ("x: [max(a, b), c]", 5, "put the formula in quotes, 'max(a, …'"),
    ('x: {f: if(a == 1, "x", "y")}', 27, "put the formula behind `f:` in quotes"),
    ('x: {where: s in ["a", "b"]}', 17, "put the text behind `where:` in quotes"),
    ("pattern: [A-Z]{3}", 15, "put the text behind `pattern:` in quotes"),
    ('formula: "a" + b', 14, "put the whole in the other kind of quotes"),
    ("high: >= 5", 8, "put the formula behind `high:` in quotes"),
    ("rule: a: b", 8, "put the text behind `rule:` in quotes"),
    ("\tx: 1", 1, "indent by blanks, not by tabs"),
])  # fmt: skip
def test_formulas_without_quotes(text: str, column: int, said: str) -> None:
    """What YAML takes a formula or a pattern apart for is told as one fault, where it stands, with the remedy."""
    with pytest.raises(SpecError) as caught:
        safe_yaml.load(text, "f")
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (1, column), fault
    assert said in fault.message


def test_what_looks_like_a_torn_formula_and_is_none() -> None:
    """Texts in quotes, brackets that nothing follows, and keys without a value are what they are."""
    text = "a: {f: 'max(a, b)', g}\nb: {c: (d, e: 1}\nf: [(g, h]\n"
    assert safe_yaml.load(text, "f").data == {
        "a": {"f": "max(a, b)", "g": None},
        "b": {"c": "(d", "e": 1},
        "f": ["(g", "h"],
    }
    assert safe_yaml.load("a: max(b, c)\nd: [max, min]\n", "f").data == {"a": "max(b, c)", "d": ["max", "min"]}


def test_wide_schemas_are_read_quickly() -> None:
    """A schema of 10,000 commented columns is no bomb."""
    column = "{kind: number, type: double, step: 0.01, nulls: false}  # guessed from the values: correct it if wrong"
    text = "tables:\n  t:\n    fields:\n" + "".join(f"      column_number_{i}: {column}\n" for i in range(10_000))
    begun = time.perf_counter()
    found = safe_yaml.load(text, "f")
    assert time.perf_counter() - begun < 3
    assert found.marks["tables", "t", "fields", "column_number_9999", "step"] == (10_003, 62)


def test_both_parsers_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML has no parser in C, values and places are the same."""
    text = "a: 'x'\nb:\n- |\n  y\n- {ü: 1, c: ~, d: 7}\n- !!str 5\n\"e\": [1.5, true, 'true']\n"
    fast = safe_yaml.load(text, "f")
    monkeypatch.setattr(safe_yaml, "_PARSER", yaml.SafeLoader)
    assert safe_yaml.load(text, "f") == fast
    assert fast.data == {"a": "x", "b": ["y\n", {"ü": 1, "c": None, "d": 7}, 5], "e": [1.5, True, "true"]}


def test_a_huge_file_is_refused() -> None:
    """A file over the limit is not parsed at all."""
    with pytest.raises(SpecError, match="larger than"):
        safe_yaml.load(b"#" * (safe_yaml.MOST_BYTES + 1), "f")


def test_not_utf8() -> None:
    """Bytes that are no UTF-8 are said to be so."""
    with pytest.raises(SpecError, match="not UTF-8"):
        safe_yaml.load("name: café".encode("latin-1"), "f")
