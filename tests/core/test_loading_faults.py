"""Faults of specification and schema files are said plainly, quickly, and where they stand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from synthwright.core.errors import SpecError
from synthwright.core.loading import load_schema, load_spec
from synthwright.line import check

SPEC = "synthwright: 1\nname: x\nsource: {use: parquet, with: {path: x.parquet}}\n"
FIELDS = """\
tables:
  t:
    fields:
      a: {kind: date, form: '%d.%m.%Z'}
      b: {kind: integer, type: intt32}
      c: {kind: boolean, form: yes}
      d: {kind: date, form: '%d.%m.%Y', type: string}
      e: {kind: text, form: '%d'}
      f: {kind: text, type: 'dictionary<values=string, indices=uint7, ordered=0>'}
      g: {kind: number, type: 'decimal128(99, 2)'}
      h: {kind: bytes, type: 'fixed_size_binary[99999999999999999999]'}
"""
WRONG = [
    (4, "form", "'%d.%m.%Z'"),
    (5, "type", "intt32"),
    (6, "form", "yes"),
    (8, "form", "'%d'"),
    (9, "type", "'dictionary"),
    (10, "type", "'decimal"),
    (11, "type", "'fixed"),
]


def _said(folder: Path, spec: str) -> list[str]:
    (folder / "x.yaml").write_text(spec)
    with pytest.raises(SpecError) as caught:
        load_spec(folder / "x.yaml")
    return [f"{f.line}:{f.column}: {f.message}" for f in caught.value.faults]


def test_forms_and_types_that_are_none(tmp_path: Path) -> None:
    """A form that nothing can be spelled by, and a type that no column can have, are faults where they stand."""
    (tmp_path / "x.schema.yaml").write_text(FIELDS)
    with pytest.raises(SpecError) as caught:
        load_schema(tmp_path / "x.schema.yaml")
    found = [f"{f.line}:{f.column}: {f.message}" for f in caught.value.faults]
    assert len(found) == len(WRONG)
    for (line, word, value), message in zip(WRONG, found, strict=True):
        written = FIELDS.splitlines()[line - 1]
        place = f"tables.t.fields.{written.strip()[0]}.{word}"
        assert message.startswith(f"{line}:{written.index(value) + 1}: {place}: ")


def test_forms_and_types_of_a_schema_inside(tmp_path: Path) -> None:
    """A schema that stands in the specification is held to the same, also where other words are wrong."""
    inside = "".join(f"  {line}\n" for line in FIELDS.splitlines())
    found = _said(tmp_path, f"{SPEC}schema:\n{inside}colour: blue\n")
    assert any(f.startswith("8:31: schema.tables.t.fields.a.form: ") for f in found), found
    assert any("colour: nobody knows this word" in f for f in found)
    assert not any(f.startswith("5:1: schema: wanted text") for f in found), found


def test_sentences(tmp_path: Path) -> None:
    """What pydantic finds wrong is said in plain words, with what was wanted and what was got."""
    spec = """\
synthwright: 2
name: "no good"
seed: -1
source: {use: parquet, colour: blue, holdout: {share: much}}
start: {rows: {t: 1.5}, from: nowhere}
parts: [{make: [], use: [x]}]
ignore: t.a
evaluate: nothing
accept_synthetic: perhaps
"""
    found = _said(tmp_path, spec)
    for said in (
        "1:14: synthwright: wanted 1, got 2",
        "2:7: name: wanted letters, digits, '.', '_' and '-', at most 100, no mark first, got 'no good'",
        "3:7: seed: wanted at least 0, got -1",
        "4:24: source.colour: nobody knows this word here: did you mean 'column'?",
        "4:55: source.holdout.share: wanted a number, got 'much'",
        "5:19: start.rows.t: wanted a whole number, got 1.5",
        "5:31: start.from: wanted 'blank' or 'source', got 'nowhere'",
        "6:10: parts.0.make: wanted at least 1 of them, got a list",
        "6:20: parts.0.use: wanted text, got a list",
        "7:9: ignore: wanted a list, got 't.a'",
        "8:11: evaluate: wanted a mapping (word: value), got 'nothing'",
        "9:19: accept_synthetic: wanted true or false, got 'perhaps'",
    ):
        assert said in found, (said, found)
    assert not any("nput" in f for f in found)


def test_a_file_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    """A fault of the whole file is told without a place in it."""
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "nope.yaml")
    assert str(caught.value) == f"{tmp_path / 'nope.yaml'}: there is no such file"


def test_a_schema_is_no_specification(tmp_path: Path) -> None:
    """A schema where a specification was wanted is said to be one, with the specification beside it where it is."""
    (tmp_path / "orders.schema.yaml").write_text("tables: {t: {fields: {a: {kind: integer}}}}\n")
    with pytest.raises(SpecError, match=r"1:1: this is a schema, not a specification: .*schema: orders.schema.yaml"):
        load_spec(tmp_path / "orders.schema.yaml")
    (tmp_path / "orders.yaml").write_text(SPEC)
    with pytest.raises(SpecError, match=r"name the specification, orders\.yaml$"):
        load_spec(tmp_path / "orders.schema.yaml")


@pytest.mark.parametrize(
    "more",
    [
        "".join(f"unknown_key_{i}: 1\n" for i in range(10_000)),
        f"parts: [{'1, ' * 20_000}1]\n",
        f"parts: [{'{q: 1}, ' * 10_000}{{q: 1}}]\n",
        "start:\n  set:\n" + "".join(f"    k{i}: [1]\n" for i in range(10_000)),
    ],
)
def test_thousands_of_faults(tmp_path: Path, more: str) -> None:
    """Thousands of faults are found in a moment; a hundred are shown, and how many more there are at least."""
    begun = time.process_time()
    (tmp_path / "x.yaml").write_text(SPEC + more)
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "x.yaml")
    said = str(caught.value).splitlines()
    assert time.process_time() - begun < 2
    assert len(said) == 101
    assert said[-1].startswith("… and at least ")


def test_long_words_are_cut(tmp_path: Path) -> None:
    """A word of a million letters is not repeated in full."""
    assert len("".join(_said(tmp_path, f"{SPEC}{'k' * 1000}: 1\nseed: '{'x' * 1_000_000}'\n"))) < 1000


def test_wide_schemas_are_checked_quickly(tmp_path: Path) -> None:
    """A schema of 2,000 columns with comments is checked in less than three seconds."""
    column = "{kind: number, type: double, form: '1,234.5', step: 0.01}  # guessed: correct it if it is wrong"
    fields = "".join(f"      column_number_{i}: {column}\n" for i in range(2000))
    (tmp_path / "x.schema.yaml").write_text(f"tables:\n  t:\n    fields:\n{fields}")
    (tmp_path / "x.yaml").write_text(f"{SPEC}schema: x.schema.yaml\n")
    begun = time.perf_counter()
    assert check(load_spec(tmp_path / "x.yaml")) is not None
    assert time.perf_counter() - begun < 3
