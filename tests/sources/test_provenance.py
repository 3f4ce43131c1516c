"""Whether rows are synthetic: by a file's own word, or by that of the release it lies in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from synthwright.sinks.choose import for_path
from synthwright.sources.provenance import synthetic_origin

TABLE = pa.table({"a": [1, 2]})
MARK = {"synthwright.synthetic": "true", "synthwright.seed": "7"}


@pytest.mark.parametrize("ending", ["parquet", "arrow", "xlsx", "sqlite"])
def test_files_that_say_so(tmp_path: Path, ending: str) -> None:
    """Formats with metadata carry the mark wherever they are copied; without the mark they say nothing."""
    made, plain = tmp_path / f"made.{ending}", tmp_path / f"plain.{ending}"
    for_path(made).write_file(TABLE, made, MARK)
    for_path(plain).write_file(TABLE, plain, {})
    shutil.copy(made, tmp_path / f"copy.{ending}")
    assert synthetic_origin([plain, tmp_path / f"copy.{ending}"]) == tmp_path / f"copy.{ending}"
    assert synthetic_origin([plain]) is None


@pytest.mark.parametrize("place", ["data/people/part-00000.csv", "data/x.jsonl", "x.csv"])
def test_files_of_a_release(tmp_path: Path, place: str) -> None:
    """A file without metadata is known by the manifest of the release around it."""
    path, other = tmp_path / place, (tmp_path / place).with_name("other.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    for file in (path, other):
        file.write_text("a\n1\n")
    assert synthetic_origin([path]) is None
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"synthwright": "0.1.0", "files": {place: "0" * 64}, "inputs": {other.name: ""}}))
    assert synthetic_origin([other, path]) == path
    assert synthetic_origin([other]) is None, "what a release was made from is no part of it"
    manifest.write_text(json.dumps({"files": {place: ""}}))
    assert synthetic_origin([path]) is None, "somebody else's manifest"
    for broken in ("{", "[]", "[" * 100_000):
        manifest.write_text(broken)
        assert synthetic_origin([path]) is None
