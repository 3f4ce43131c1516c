"""Rulings as one, and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from synthwright.core.contracts import Verdict
from synthwright.kit.verdicts import load_verdicts, merged, save_verdicts


def test_the_first_reason_counts() -> None:
    """A row goes if anybody says so, for the reason that was said first; tables are apart."""
    one = Verdict.of("t", np.array([True, False, False]), "first")
    two = Verdict.of("t", np.array([True, True, False]), "second")
    other = Verdict.of("u", np.array([True]), "third")
    found = {v.table: v for v in merged([one, two, other])}
    assert found["t"].keep.tolist() == [False, False, True]
    assert found["t"].reason.to_pylist() == ["first", "second", None]
    assert found["u"].reason.to_pylist() == ["third"]


def test_files_give_the_same_back(tmp_path: Path) -> None:
    """What was saved is loaded, empty tables too."""
    said = [
        Verdict.of("t", np.array([True, False]), "x"),
        Verdict("e", np.ones(0, dtype=bool), pa.nulls(0, pa.string())),
    ]
    save_verdicts(said, tmp_path / "v")
    again = load_verdicts(tmp_path / "v")
    assert [v.table for v in again] == ["t", "e"]
    assert again[0].keep.tolist() == [False, True]
    assert again[0].reason.to_pylist() == ["x", None]
    assert len(again[1].keep) == 0
