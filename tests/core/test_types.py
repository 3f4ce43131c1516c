"""Arrow types come back from the words they are written as."""

from __future__ import annotations

import pyarrow as pa
import pytest

from synthwright.core.types import parse_type

TYPES = (
    *(
        pa.null(),
        pa.bool_(),
        pa.int8(),
        pa.uint64(),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.date32(),
        pa.date64(),
    ),
    *(
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.binary(16),
    ),
    *(pa.decimal32(5, 2), pa.decimal64(12, 3), pa.decimal128(38, 0), pa.decimal128(5, -3), pa.decimal256(60, 20)),
    *(pa.timestamp("s"), pa.timestamp("ns", "UTC"), pa.timestamp("us", "America/Argentina/Buenos_Aires")),
    *(pa.timestamp("ms", "+05:30"), pa.time32("ms"), pa.time64("ns"), pa.duration("s"), pa.duration("ns")),
    *(pa.uuid(), pa.bool8(), pa.json_(), pa.dictionary(pa.int8(), pa.string())),
    *(
        pa.dictionary(pa.uint16(), pa.timestamp("us", "UTC"), ordered=True),
        pa.dictionary(pa.int32(), pa.decimal128(9, 2)),
    ),
)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_types_come_back(kind: pa.DataType) -> None:
    """What `str` prints of a type is read as that type."""
    assert parse_type(str(kind)) == kind


def test_time_zones_that_there_are_none_of_are_refused() -> None:
    """A misspelled zone is a fault of the schema, not of the first row that is written."""
    for zone in ("Nope", "Europe/Warschau", "../etc/passwd", "+25:00"):
        with pytest.raises(ValueError, match="no time zone"):
            parse_type(f"timestamp[us, tz={zone}]")


@pytest.mark.parametrize(
    "said", ["", "int", "list<item: int64>", "timestamp[h]", "decimal128(10)", "dictionary<values=string>"]
)
def test_other_words_are_refused(said: str) -> None:
    """Words that no column's type is written as are answered with an example."""
    with pytest.raises(ValueError, match="int32"):
        parse_type(said)
