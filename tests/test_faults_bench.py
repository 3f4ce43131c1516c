"""The faults that evaluation is tried with do what they say, and nothing else."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

GENERATORS = {"from-copula", "from-marginals"}
"""Slow, and Synthwright's own: tested elsewhere."""
RETYPES = "fractions-in-whole-numbers"


@pytest.fixture
def library(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the library of faults, which is a script's neighbour and not installed."""
    monkeypatch.syspath_prepend(str(checkout / "bench"))
    return importlib.import_module("faults")


def people(rng: np.random.Generator, rows: int = 2_000) -> pa.Table:
    """Return a table that every fault can be planted in."""
    age, town = (
        rng.integers(18, 90, rows),
        rng.choice(list("abcdefg"), rows, p=[0.4, 0.3, 0.15, 0.08, 0.04, 0.02, 0.01]),
    )
    pay = np.round(rng.lognormal(7, 0.5, rows) + 20 * age, 2)
    begun = np.datetime64("2020-01-01T08:30", "us") + rng.integers(0, 10**6, rows).astype("m8[m]")
    district = np.array(["west", "east"])[(town > "b").astype(int)]
    member = rng.random(rows) < 0.3
    minutes = age * 10 + rng.integers(0, 300, rows)
    return pa.table({
        "name": [f"person {i}" for i in range(rows)],
        "age": pa.array(age, pa.int16()),
        "hours": pa.array(minutes // 10 + 5, mask=rng.random(rows) < 0.3 * (town == "a")),
        "pay": pay,
        "pay_before": np.round(pay * rng.uniform(0.5, 1, rows), 2),
        "fee": pa.array(np.char.mod("%.2f", pay / 7), pa.string()).cast(pa.decimal128(10, 2)),
        "town": pa.array(town).dictionary_encode(),
        "district": pa.array(district, pa.large_string()),
        "member": pa.array(member),
        "begun": pa.array(begun),
        "born": pa.array(begun.astype("M8[D]") - age * 365),
        "class": pa.array(np.where((pay + rng.normal(0, 300, rows) > 2_600) ^ member, "high", "low")),
    })  # fmt: skip


def planted(library: ModuleType, split: Any, fault: Any, strength: int) -> pa.Table:
    """Return the second sample with a fault, drawn from the same stream every time."""
    return fault.make(split, strength, np.random.default_rng(3))


def test_every_fault_is_planted(library: ModuleType) -> None:
    """Every fault changes the rows, repeats itself, differs by strength, and leaves columns and types as they were."""
    split = library.Split.of(people(np.random.default_rng(0)), "class", np.random.default_rng(1), 1_500)
    other = importlib.import_module("faults_other").FAULTS
    assert len(other) == 10
    assert not set(other) & set(library.FAULTS)
    for name, fault in (library.FAULTS | other).items():
        if name in GENERATORS:
            continue
        made = [planted(library, split, fault, strength) for strength in range(3)]
        for table in made:
            assert table.column_names == split.second.column_names, name
            assert name == RETYPES or table.schema.types == split.second.schema.types, name
            assert not table.equals(split.second), name
            table.validate(full=True)
        assert made[2].equals(planted(library, split, fault, 2)), name
        assert name in other or not made[0].equals(made[2]), name
        assert fault.what.endswith("."), name


def test_copies_are_as_many_as_said(library: ModuleType) -> None:
    """As many training rows are among the rows as the description says, and no more."""
    split = library.Split.of(people(np.random.default_rng(0)), None, np.random.default_rng(1), 1_500)
    known = set(split.train["name"].to_pylist())
    for name, counts in {"train-copied": (6, 30, 120), "isolated-leaked": (10, 20, 40)}.items():
        for strength, count in enumerate(counts):
            table = planted(library, split, library.FAULTS[name], strength)
            assert len(known & set(table["name"].to_pylist())) == count


def test_poor_tables_have_few_faults(library: ModuleType) -> None:
    """A table that cannot have a fault gets none: none fails on one column, on constants or on nulls alone."""
    rows = np.arange(200)
    for table in (
        pa.table({"only": rows / 7}),
        pa.table({"only": pa.array(["a", "b"] * 100)}),
        pa.table(
            {"constant": pa.array([1] * 200), "null": pa.nulls(200, pa.float64()), "text": [str(r) for r in rows]}
        ),
        pa.table({"one": pa.array([True, None] * 100), "other": pa.array([None, "x"] * 100)}),
    ):
        for target in (None, table.column_names[0]):
            split = library.Split.of(table, target, np.random.default_rng(0))
            for name, fault in library.FAULTS.items():
                made = None if name in GENERATORS else planted(library, split, fault, 2)
                assert made is None or isinstance(made, pa.Table), name
