"""Data set folders for Hugging Face `datasets`: a header that says what the files hold, in types that it knows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet
from pydantic import ValidationError
from tests.sinks.test_round_trip import COLUMNS
from tests.sinks.test_sinks import dataset

from synthwright.core.dataset import Dataset
from synthwright.sinks.huggingface import CARD, Huggingface, known
from synthwright.testing import check_sink

MARK = {"synthwright.synthetic": "true", "synthwright.name": "shop: a 'test'"}
CALLED = {"float16": "halffloat", "float32": "float", "float64": "double", "date32": "date32[day]"}


def header(folder: Path) -> dict[str, Any]:
    """Return the header of a card."""
    text = (folder / CARD).read_text(encoding="utf-8")
    assert text.startswith("---\n")
    said = yaml.safe_load(text.split("\n---\n")[0].removeprefix("---\n"))
    assert isinstance(said, dict)
    return said


def agrees(folder: Path) -> None:
    """Hold a card to its files: each configuration finds its own, with the columns and types that the card names."""
    said = header(folder)
    features = {info["config_name"]: info["features"] for info in said["dataset_info"]}
    found: set[Path] = set()
    for config in said["configs"]:
        (files,) = config["data_files"]
        assert files["split"] == "train"
        held = sorted(folder.glob(files["path"]))
        assert held
        assert not found & set(held)
        found |= set(held)
        for path in held:
            types = {f.name: str(f.type) for f in parquet.read_schema(path)}
            shown = {f["name"]: CALLED.get(f["dtype"], f["dtype"]) for f in features[config["config_name"]]}
            assert list(types.items()) == list(shown.items())
    assert found == set(folder.rglob("*.parquet"))


def test_contract() -> None:
    """All that holds for every sink holds, with a card and without one."""
    check_sink(Huggingface(card=True))


def test_card(tmp_path: Path) -> None:
    """The header names license, size, mark, and a configuration for each table, the first by default."""
    data = dataset(3, "people", "a [b]", "a  b")
    files = Huggingface(card=True).write(data, tmp_path, MARK)
    assert sorted(files) == sorted(p for p in tmp_path.rglob("*") if p.is_file())
    said = header(tmp_path)
    assert said["license"] == "other"
    assert said["tags"] == ["synthetic", "synthwright"]
    assert said["size_categories"] == ["n<1K"]
    assert said["pretty_name"] == "shop: a 'test'"
    assert [c["config_name"] for c in said["configs"]] == ["people", "a-b", "a-b-2"]
    assert [c.get("default") for c in said["configs"]] == [True, None, None]
    assert [f["name"] for f in said["dataset_info"][0]["features"]] == ["id", "name", "gain"]
    agrees(tmp_path)


def test_license_and_mark(tmp_path: Path) -> None:
    """Another license is named; what is not marked as synthetic is not called so; the size counts all tables."""
    Huggingface(card=True, license="cc-by-4.0").write(dataset(600, "a", "b"), tmp_path, {})
    said = header(tmp_path)
    assert (said["license"], said["tags"]) == ("cc-by-4.0", ["synthwright"])
    assert said["size_categories"] == ["1K<n<10K"]
    assert "pretty_name" not in said
    assert "ynthetic" not in (tmp_path / CARD).read_text()
    with pytest.raises(ValidationError):
        Huggingface(license="CC BY: 4")


def test_no_card(tmp_path: Path) -> None:
    """Where no card is asked for there is none: a release has its own above the tables."""
    (path,) = Huggingface().write(dataset(), tmp_path, MARK)
    assert path == tmp_path / "people" / "part-00000.parquet"
    assert parquet.read_schema(path).metadata[b"synthwright.synthetic"] == b"true"


def test_types(tmp_path: Path) -> None:
    """Every type comes back as the card names it, with its values; labels are text."""
    extra = {
        "uuid": pa.array([b"a" * 16, None, b"b" * 16], pa.uuid()),
        "bool8": pa.array([1, None, 0], pa.bool8()),
        "json": pa.array(["{}", None, "1"], pa.json_()),
        "date64": pa.array([dt.date(2024, 2, 29)] * 3, pa.date64()),
        "small": pa.array([Decimal("1.20"), None, Decimal(0)], pa.decimal32(5, 2)),
    }
    held = pa.table(COLUMNS | extra)
    sink = Huggingface(card=True)
    path = tmp_path / "t" / "part-00000.parquet"
    sink.write_file(held, path, MARK)
    back = parquet.read_table(path)
    (tmp_path / CARD).write_text(sink.described({"t": known(held)}, MARK), encoding="utf-8")
    agrees(tmp_path)
    unlike = {"infinite", "uuid", "json", "fine_time", "fine", "for_ns", "at_ns"}  # what Python's own values cannot be
    for column in set(held.column_names) - unlike:
        assert back.column(column).to_pylist() == held.column(column).to_pylist(), column
    shown = {f["name"]: f["dtype"] for f in header(tmp_path)["dataset_info"][0]["features"]}
    assert (shown["label"], shown["number"], shown["zone"]) == ("string", "int64", "timestamp[us, tz=Europe/Berlin]")
    unknown = ("dictionary", "extension", "decimal32", "string_view", "binary_view", "fixed_size")
    assert [n for n, said in shown.items() if said.startswith(unknown)] == []


def test_awkward_text(tmp_path: Path) -> None:
    """Text of any language, quotes and line ends come back; so do tables without rows."""
    texts = ['Größe "x"\\\n\u2028 日本 \U0001f642', "", None]
    data = Dataset.of({"notes": pa.table({'te"xt:\n': texts, "n": [1, None, 3]})})
    Huggingface(card=True).write(data, tmp_path / "a", MARK)
    back = parquet.read_table(tmp_path / "a" / "notes" / "part-00000.parquet")
    assert back.column(0).to_pylist() == texts
    agrees(tmp_path / "a")
    Huggingface(card=True).write(dataset(0), tmp_path / "b", MARK)
    agrees(tmp_path / "b")


def test_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table is several parts of one configuration."""
    monkeypatch.setattr(Huggingface, "rows", 2)
    files = Huggingface(card=True).write(dataset(5), tmp_path, MARK)
    assert [f.name for f in files] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet", CARD]
    assert sum(parquet.read_metadata(f).num_rows for f in files[:3]) == 5
    agrees(tmp_path)
