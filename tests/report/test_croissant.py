"""The release as Croissant, read by the reference implementation."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthwright.core.plan import Plan
from synthwright.core.schema import Field, Kind
from synthwright.report.croissant import data_type
from synthwright.testing import toys

MakePlan = Callable[..., Plan]
MakeRelease = Callable[..., Path]


def opened(folder: Path) -> Any:
    """Return the release as the reference implementation reads it; skip where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference implementation's own
        reference = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
        return reference.Dataset(str(folder / "croissant.json"))


@pytest.mark.parametrize("toy", sorted(toys.TOYS))
@pytest.mark.parametrize("parts", [1, 3])
def test_every_toy_is_valid(toy: str, parts: int, make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Awkward tables, in one file or several, are valid Croissant with a field for each column."""
    data = toys.TOYS[toy]()
    held = opened(make_release(data, make_plan(data), parts=parts))
    assert not held.metadata.ctx.issues.errors
    assert [len(r.fields) for r in held.metadata.record_sets] == [len(t.fields) for t in data.schema.tables.values()]


@pytest.mark.parametrize("parts", [1, 2])
def test_rows_are_read(parts: int, make_plan: MakePlan, make_release: MakeRelease) -> None:
    """The reference implementation reads the rows of every part, checking hashes."""
    data = toys.two_tables()
    held = opened(make_release(data, make_plan(data), parts=parts))
    for table in data.schema.tables:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = list(held.records(table))
        assert len(rows) == data.rows(table)
        assert set(rows[0]) == {f"{table}/{c}" for c in data.schema.tables[table].fields}


def test_says_keys_references_and_hashes(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Keys, references, sizes and hashes are those of the data."""
    data = toys.two_tables()
    folder = make_release(data, make_plan(data))
    said = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    for part in said["distribution"]:
        raw = (folder / part["contentUrl"]).read_bytes()
        assert part["sha256"] == hashlib.sha256(raw).hexdigest()
        assert part["contentSize"] == f"{len(raw)} B"
        assert part["encodingFormat"] == "application/x-parquet"
    for table, records in zip(data.schema.tables.items(), said["recordSet"], strict=True):
        name, spec = table
        assert records.get("key") == ({"@id": f"{name}/{spec.key}"} if spec.key else None)
        for field in records["field"]:
            to = spec.fields[field["name"]].to
            assert field.get("references") == ({"field": {"@id": to.replace(".", "/")}} if to else None)


def test_the_same_release_gives_the_same_bytes(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """There is no time stamp."""
    data = toys.plain()
    files = [make_release(data, make_plan(data), name=n) / "croissant.json" for n in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (Field(kind=Kind.INTEGER, type="int32"), "sc:Integer"),
        (Field(kind=Kind.NUMBER, type="decimal128(10, 2)"), "sc:Float"),
        (Field(kind=Kind.BOOLEAN), "sc:Boolean"),
        (Field(kind=Kind.BOOLEAN, type="string", form="yes|no"), "sc:Text"),
        (Field(kind=Kind.DATE), "sc:Date"),
        (Field(kind=Kind.DATE, type="string", form="%d/%m/%Y"), "sc:Text"),
        (Field(kind=Kind.DATE, form="%d/%m/%Y"), "sc:Text"),
        (Field(kind=Kind.TIME), "sc:Time"),
        (Field(kind=Kind.DATETIME, type="timestamp[us, tz=UTC]"), "sc:DateTime"),
        (Field(kind=Kind.KEY, type="int64"), "sc:Integer"),
        (Field(kind=Kind.KEY, type="string"), "sc:Text"),
        (Field(kind=Kind.CATEGORY, type="dictionary<values=string, indices=int8, ordered=0>"), "sc:Text"),
        (Field(kind=Kind.TEXT), "sc:Text"),
        (Field(kind=Kind.DURATION, type="duration[us]"), "sc:Text"),
    ],
)
def test_data_types_are_those_outside(field: Field, said: str) -> None:
    """A field's data type is that of its values as they are spelled in the files."""
    assert data_type(field) == said
