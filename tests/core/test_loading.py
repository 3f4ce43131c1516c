"""A wrong specification is answered with every fault, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.line import check

SCHEMA = """\
tables:
  t:
    fields:
      a: {kind: integer}
      b: {kind: category}
      c: {kind: integer}
    rules: ["a <= c"]
"""
SPEC = """\
synthwright: 1
name: x
schema: x.schema.yaml
source: {use: parquet, with: {path: x.parquet}}
parts: [{make: [t.*], use: marginals}]
"""


def _faults(folder: Path, spec: str, schema: str = SCHEMA) -> list[str]:
    (folder / "x.yaml").write_text(spec)
    (folder / "x.schema.yaml").write_text(schema)
    with pytest.raises(SpecError) as caught:
        check(load_spec(folder / "x.yaml"))
    return [f"{f.line}:{f.column}: {f.message}" for f in caught.value.faults]


def test_a_sound_one_gives_a_plan(tmp_path: Path) -> None:
    """A specification without fault is a plan that names every column."""
    (tmp_path / "x.yaml").write_text(SPEC)
    (tmp_path / "x.schema.yaml").write_text(SCHEMA)
    loaded = load_spec(tmp_path / "x.yaml")
    assert isinstance(loaded.spec.schema_, Schema)
    plan = check(loaded)
    assert plan is not None
    assert sorted(plan.produced) == ["t.a", "t.b", "t.c"]


def test_five_faults_at_once(tmp_path: Path) -> None:
    """Faults of form, of names, of parameters, of gates and of words come together."""
    spec = """\
synthwright: 1
name: "no good"
source: {use: parquett, with: {path: x.parquet}}
colour: blue
parts:
  - {make: [t.*], use: marginals, with: {protect: -1}}
evaluate:
  metrics: [fidelitty]
  gates: ["shapes <= 3", "shape < = 3"]
"""
    found = _faults(tmp_path, spec)
    for part in ("2:7: name", "3:15: source", "4:1: colour", "6:51: marginals.protect",
                 "8:13: no metric or group", "9:11: no metric is called 'shapes'", "9:26: "):  # fmt: skip
        assert any(f.startswith(part) for f in found), (part, found)


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    """Unknown columns in rules, targets, starts and parts are told with the nearest name, in the right file."""
    schema = SCHEMA.replace("a <= c", "a <= cc")
    assert any(f.startswith("7:") and "'cc'" in f for f in _faults(tmp_path, SPEC, schema))
    spec = SPEC + "start: {set: {t.z: 1}}\nevaluate: {target: t.bb}\nignore: [q]\n"
    found = _faults(tmp_path, spec, schema)
    assert any(f.startswith("7:") and "'cc'" in f and "'c'" in f for f in found), found
    assert any("'t.z'" in f for f in found)
    assert any("'t.bb'" in f and "'t.b'" in f for f in found)
    assert any("'q'" in f for f in found)


def test_a_rule_that_means_nothing(tmp_path: Path) -> None:
    """A rule that compares what cannot be compared is a fault before anything runs."""
    assert any(f.startswith("7:") for f in _faults(tmp_path, SPEC, SCHEMA.replace("a <= c", "a <= 'x'")))


def test_no_fault_waits_behind_another(tmp_path: Path) -> None:
    """Unknown columns in starts, targets, parts and a curator's rules are told together."""
    spec = """\
synthwright: 1
name: x
schema: x.schema.yaml
source: {use: parquet, with: {path: x.parquet}, holdout: {by: t.nope}}
start: {set: {t.z: 1}}
parts: [{make: [t.*, t.zzz], use: marginals}]
curate: [{use: rules, with: {rules: ["qqq <= c"]}}]
evaluate: {target: t.bb}
"""
    found = _faults(tmp_path, spec)
    for line, name in ((4, "t.nope"), (5, "t.z"), (6, "t.zzz"), (7, "qqq"), (8, "t.bb")):
        assert any(f.startswith(f"{line}:") and f"'{name}'" in f for f in found), (name, found)


def test_the_file_of_a_fault_is_named(tmp_path: Path) -> None:
    """A fault of the schema is told with the schema's file."""
    (tmp_path / "x.yaml").write_text(SPEC)
    (tmp_path / "x.schema.yaml").write_text(SCHEMA.replace("kind: category", "kind: categry"))
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "x.yaml")
    assert "x.schema.yaml:5:17" in str(caught.value)
    assert "'categry'" in str(caught.value)


def test_parts_that_wait_for_each_other(tmp_path: Path) -> None:
    """A circle of parts is a fault, not a hang."""
    spec = SPEC.replace(
        "[{make: [t.*], use: marginals}]",
        "[{make: [t.a, t.c], use: copula, given: [t.b]}, {make: [t.b], use: copula, given: [t.a]}]",
    )
    assert any("wait for each other" in f for f in _faults(tmp_path, spec))


def test_a_column_that_two_parts_make(tmp_path: Path) -> None:
    """Two parts cannot make the same column, and every column needs one."""
    spec = SPEC.replace(
        "[{make: [t.*], use: marginals}]", "[{make: [t.a], use: marginals}, {make: [t.a], use: marginals}]"
    )
    found = _faults(tmp_path, spec)
    assert any("another part makes it" in f for f in found)


def test_a_path_that_leaves_the_project(tmp_path: Path) -> None:
    """A schema outside the project folder is refused before it is opened."""
    (tmp_path / "p").mkdir()
    (tmp_path / "x.schema.yaml").write_text(SCHEMA)
    (tmp_path / "p" / "x.yaml").write_text(SPEC.replace("x.schema.yaml", "../x.schema.yaml"))
    with pytest.raises(SpecError, match="leaves it"):
        load_spec(tmp_path / "p" / "x.yaml")
    (tmp_path / "p" / "link.yaml").symlink_to(tmp_path / "x.schema.yaml")
    (tmp_path / "p" / "x.yaml").write_text(SPEC.replace("x.schema.yaml", "link.yaml"))
    with pytest.raises(SpecError, match="leaves it"):
        load_spec(tmp_path / "p" / "x.yaml")
    assert load_spec(tmp_path / "p" / "x.yaml", root=tmp_path).spec.name == "x"


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    """A missing file and a folder are said to be that."""
    with pytest.raises(SpecError, match="no such file"):
        load_spec(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="this is a folder"):
        load_spec(tmp_path)
