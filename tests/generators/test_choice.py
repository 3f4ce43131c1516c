"""Values are chosen as often as their weights say, in each case; what cannot be is told with its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, made, refused, seen, start, wrong

from synthwright.core.errors import SampleError
from synthwright.generators.choice import Choice
from synthwright.kit.ruled import RuledModel

ROWS = 30_000
TABLE = {"F": {"0-17": {"none": 1}, "18-64": {"part": 4, "full": 5, "none": 1}, "65+": {"none": 9, "part": 1}},
         "M": {"0-17": ["none"], "18+": {"part": 1, "full": 8}}}  # fmt: skip


def shares(values: Any, weights: dict[Any, float]) -> float:
    """Return the chance of counts as far from weights; values that have none must not occur."""
    counts = Counter(values)
    assert set(counts) <= {k for k, w in weights.items() if w}
    held = {k: w for k, w in weights.items() if w}
    if len(held) == 1:
        return 1.0
    total = sum(held.values())
    expected = [w / total * len(values) for w in held.values()]
    return float(stats.chisquare([counts[k] for k in held], expected).pvalue)


@pytest.mark.parametrize(("column", "values", "meant"), [
    ("label", {"basic": 6, "plus": 3, "never": 0, "pro": 1}, {"basic": 6, "plus": 3, "pro": 1}),
    ("whole", {"1": 6, "20": 3}, {1: 6, 20: 3}), ("flag", {"true": 1, "false": 4}, {True: 1, False: 4}),
    ("number", [0.5, 1, 2], {0.5: 1, 1.0: 1, 2.0: 1}), ("label", ["a", "b"], {"a": 1, "b": 1}),
    ("label", {f"v{i}": 1 + i % 7 for i in range(300)}, {f"v{i}": 1 + i % 7 for i in range(300)}),
])  # fmt: skip
def test_weights(column: str, values: Any, meant: dict[Any, float]) -> None:
    """Each value comes as often as its weight says, in columns of its kind."""
    found = made(Choice(values=values), column, start(ROWS)).column(column).to_pylist()
    assert shares(found, meant) > LEVEL


def test_cases() -> None:
    """In each case of sex and age band the weights of that case hold, whole bands included."""
    table = made(Choice(by=("sex", "age"), table=TABLE), "label", start(ROWS, seen(ROWS)))
    sex, age, label = (np.array(table.column(c).to_pylist()) for c in ("sex", "age", "label"))
    bands = {"0-17": (0, 17), "18-64": (18, 64), "65+": (65, 200), "18+": (18, 200)}
    for who, cases in TABLE.items():
        for band, weights in cases.items():  # type: ignore[attr-defined]
            rows = (sex == who) & (age >= bands[band][0]) & (age <= bands[band][1])
            held = weights if isinstance(weights, dict) else dict.fromkeys(weights, 1)
            assert rows.sum() > 1000
            assert shares(label[rows].tolist(), held) > LEVEL


def test_otherwise_and_paths() -> None:
    """Rows without an entry take the other values; the columns that decide may be of rows that are referred to."""
    rule = Choice(by=("shop.region",), table={"N": {"cold": 1}}, otherwise={"warm": 3, "hot": 1})
    assert rule.looks_at(start(1).schema, "t") == ("t.shop", "shop.region", "shop.id")
    table = made(rule, "label", start(ROWS, seen(ROWS)))
    north = np.array(table.column("shop")) == 1
    label = np.array(table.column("label").to_pylist())
    assert set(label[north]) == {"cold"}
    assert shares(label[~north].tolist(), {"warm": 3, "hot": 1}) > LEVEL
    bare = Choice(by=("well",), table={"true": ["a"], "false": ["b"]})
    table = made(bare, "label", start(50, seen(50)))
    assert [{True: "a", False: "b"}[w] for w in table.column("well").to_pylist()] == table.column("label").to_pylist()


def test_no_entry() -> None:
    """Where neither an entry nor other values are there, the number of rows is said."""
    rule = Choice(by=("sex",), table={"F": ["a"]})
    with pytest.raises(SampleError, match=r"none for .* of 100 rows.*otherwise"):
        made(rule, "label", start(100, seen(100)))


def test_saved_in_any_order(tmp_path: Path) -> None:
    """The order of weights and cases survives being saved, which sorts names."""
    for rule in (
        Choice(values={"z": 1, "a": 2, "m": 3}),
        Choice(by=("sex", "age"), table=dict(reversed(TABLE.items()))),
    ):
        model = RuledModel(rule, "t", ("label",), "make")
        folder = tmp_path / str(len(rule.by))
        folder.mkdir()
        model.save(folder)
        given = start(500, seen(500))
        from synthwright.core.context import Context

        one, two = (m.sample(given, Context(seed=3)).data for m in (model, RuledModel.load(folder)))
        assert one.tables["t"].equals(two.tables["t"])


def test_impossible() -> None:
    """Weights below zero, or none above it, and lists that are none are refused at once."""
    bads: list[tuple[Any, str]] = [
        ({"a": -1}, "greater than or equal to 0"), ({"a": 0}, "above 0"), (["a", "a"], "twice"), ({"a": "b"}, "number"),
        (5, "dictionary"), ([["a"]], "a list of values"),
    ]  # fmt: skip
    for values, said in bads:
        with pytest.raises(ValidationError, match=said):
            Choice(values=values)


def test_misused() -> None:
    """What the columns make impossible is told, with its place."""

    def told(column: str = "label", **how: Any) -> str:
        return " ".join(wrong(Choice.model_validate(how), column))

    assert "say `values`" in told()
    assert told("whole", values={"1": 1, "x": 1}).startswith("values.x: column 'whole' cannot hold 'x'")
    assert told(by="sex").startswith("by: 'by' and 'table' go together")
    assert told(table={"F": ["a"]}).startswith("table: 'by'")
    assert told(by=["sxe"], table={"F": ["a"]}).startswith("by.0")
    assert told(by="sex", table={"F": {"a": -1}, "M": {"b": 0}}) == (
        "table.F.a: a weight is at least 0, got -1 table.M: wanted a weight above 0, got none")  # fmt: skip
    assert told("whole", by="sex", table={"F": {"x": 1}}).startswith("table.F.x")
    assert told(by=["sex", "age"], table={"F": {"0-17": {"a": 1}, "10-20": {"b": 1}}}).startswith("table.F.10-20")
    assert "0-17" in told(by="age", table={"0-17": ["a"], "19+": ["b"]})
    assert told(by="age", table={"0-17": ["a"], "19+": ["b"]}, otherwise=["c"]) == ""
    assert "write 18, 18-64" in told(by="age", table={"young": ["a"]})
    assert "'true'" in told(by="well", table={"false": ["a"]})
    assert told(by="well", table={"perhaps": ["a"]}, otherwise=["b"]).startswith("table.perhaps")
    assert told(by=["sex", "age"], table={"F": ["a"]}).startswith("table: F: wanted a mapping")
    assert told("whole", by="sex", table={"F": ["1"]}, otherwise={"x": 1}).startswith("otherwise.x")


def test_faults_have_their_place(tmp_path: Path) -> None:
    """In a specification a negative weight is shown where it is written, inside a table of cases too."""
    part = "make: [t.label]\nuse: choice\nwith:\n  values: {a: 3, b: -2}"
    assert refused(tmp_path, part)[0].startswith("-2} ← choice.values.b: wanted at least 0")
    part = "make: [t.label]\nuse: choice\nwith:\n  by: sex\n  table:\n    F: {a: 3, b: -2}\n  otherwise: [a]"
    assert refused(tmp_path, part)[0] == "-2} ← choice: a weight is at least 0, got -2"
