"""Every dialect of Arrow comes in as one canonical type, and goes out as it came."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.door import admit_table, leave_table, spell_table
from synthwright.core.errors import InputError, SampleError
from synthwright.core.infer import infer
from synthwright.core.schema import ROW, Field, Kind, Table, canonical

WHOLE = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
DECIMALS = (pa.decimal32(5, 2), pa.decimal64(10, 2), pa.decimal128(20, 2), pa.decimal256(60, 2))
ZONES = (None, "UTC", "Europe/Berlin", "+05:30")
UNITS = ("s", "ms", "us", "ns")


def _bits(kind: pa.DataType) -> st.SearchStrategy[Any]:
    ends = np.iinfo(kind.to_pandas_dtype())
    return st.integers(int(ends.min), int(ends.max))


def _values(kind: pa.DataType) -> st.SearchStrategy[Any]:  # noqa: C901  one line for each type
    """Return what a column of a type may hold."""
    if pa.types.is_integer(kind):
        return _bits(kind)
    if pa.types.is_floating(kind):
        return st.floats(width=kind.bit_width, allow_nan=False)
    if pa.types.is_boolean(kind):
        return st.booleans()
    if pa.types.is_decimal(kind):
        return st.decimals(-999, 999, places=2)
    if pa.types.is_date(kind):
        return st.dates()
    if pa.types.is_time(kind):
        per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        return st.integers(0, 86_400 * per - 1)
    if pa.types.is_timestamp(kind):
        return st.integers(-(10**10), 10**10)
    if pa.types.is_duration(kind):
        return st.integers(-(10**12), 10**12)
    if pa.types.is_fixed_size_binary(kind):
        return st.binary(min_size=kind.byte_width, max_size=kind.byte_width)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return st.binary(max_size=6)
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def _column(kind: pa.DataType, values: list[Any]) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return _column(kind.value_type, values).dictionary_encode().cast(kind)
    if pa.types.is_time(kind):
        return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    if pa.types.is_float16(kind):
        return pa.array([None if v is None else np.float16(v) for v in values], kind)
    return pa.array(values, kind)


def _pairs() -> list[tuple[pa.DataType, Kind]]:
    """Return types outside and kinds that they may have."""
    found = [(t, k) for t in WHOLE for k in (Kind.INTEGER, Kind.CATEGORY)]
    found += [(t, Kind.NUMBER) for t in (pa.float16(), pa.float32(), pa.float64())]
    found += [(pa.float64(), Kind.CATEGORY), (pa.bool_(), Kind.BOOLEAN), (pa.bool_(), Kind.CATEGORY)]
    found += [(t, k) for t in DECIMALS for k in (Kind.NUMBER, Kind.CATEGORY)]
    found += [(t, k) for t in (pa.date32(), pa.date64()) for k in (Kind.DATE, Kind.CATEGORY)]
    found += [(pa.timestamp(u, z), k) for u in UNITS for z in ZONES for k in (Kind.DATETIME, Kind.CATEGORY)]
    times = (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
    found += [(t, k) for t in times for k in (Kind.TIME, Kind.CATEGORY)]
    found += [(pa.duration(u), k) for u in UNITS for k in (Kind.DURATION, Kind.CATEGORY)]
    texts = (pa.string(), pa.large_string(), pa.string_view())
    found += [(t, k) for t in texts for k in (Kind.TEXT, Kind.CATEGORY, Kind.KEY)]
    found += [(t, Kind.BYTES) for t in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3))]
    found += [(pa.dictionary(pa.int8(), t), Kind.CATEGORY) for t in (pa.string(), pa.int64(), pa.bool_(), pa.date32())]
    found += [(pa.dictionary(pa.int32(), pa.large_string(), ordered=True), Kind.CATEGORY)]
    return found


def _through(column: pa.Array | pa.ChunkedArray, field: Field, *, text: bool = False) -> tuple[pa.ChunkedArray, Any]:
    spec = Table(fields={"c": field})
    inside = admit_table(pa.table({"c": column}), "t", spec, text=text)
    assert inside.column("c").type == canonical(field)
    return inside.column("c"), leave_table(inside, "t", spec).column("c")


@pytest.mark.parametrize(("kind", "meaning"), _pairs(), ids=str)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_what_comes_in_goes_out_as_it_was(kind: pa.DataType, meaning: Kind, data: st.DataObject) -> None:
    """Type, values and nulls of every supported type survive the way in and out."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    values = data.draw(st.lists(st.none() | _values(inner), min_size=1, max_size=8))
    column = _column(kind, values)
    _, out = _through(column, Field(kind=meaning, type=str(kind), ordered=getattr(kind, "ordered", False)))
    assert out.type == kind
    assert out.to_pylist() == column.to_pylist()


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.nulls(3), Kind.CATEGORY),
        (pa.DictionaryArray.from_arrays(pa.nulls(2, pa.int8()), pa.nulls(0)), Kind.CATEGORY),
        (pa.array([b"0" * 16, None], pa.binary(16)).cast(pa.uuid()), Kind.BYTES),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8())), Kind.BOOLEAN),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", None])), Kind.TEXT),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1", None])), Kind.CATEGORY),
        (pa.array([1.0, 2.0, None]), Kind.KEY),
        (pa.array(["é", None, "b"], pa.string_view()).dictionary_encode(), Kind.CATEGORY),
        (pa.array([Decimal("1.5E+5")], pa.decimal128(5, -3)), Kind.NUMBER),
        (pa.chunked_array([pa.array(["b"]).dictionary_encode(), pa.array(["a"]).dictionary_encode()]), Kind.CATEGORY),
        (pa.chunked_array([], pa.int32()), Kind.INTEGER),
    ],
)
def test_unusual_columns_survive(column: Any, kind: Kind) -> None:
    """Null types, extension types, empty and differently encoded chunks come back too."""
    _, out = _through(column, Field(kind=kind, type=str(column.type)))
    assert out.type == column.type
    assert out.to_pylist() == column.to_pylist()


def test_runs_come_in_as_values() -> None:
    """A run-end encoded column is decoded."""
    runs = pa.compute.run_end_encode(pa.array([1, 1, 2]))
    inside, _ = _through(runs, Field(kind=Kind.INTEGER))
    assert inside.to_pylist() == [1, 1, 2]


def test_nan_is_null_and_infinity_is_not() -> None:
    """NaN has no value; infinities, the smallest numbers and the sign of zero stay."""
    values = [float("nan"), float("inf"), -0.0, 5e-324]
    inside, out = _through(pa.array(values), Field(kind=Kind.NUMBER))
    assert inside.null_count == 1
    assert str(out.to_pylist()) == "[None, inf, -0.0, 5e-324]"


def test_order_of_columns_and_row_numbers() -> None:
    """Columns take the schema's order, others stay outside, and row numbers come in but do not leave."""
    spec = Table(fields={"b": Field(kind=Kind.INTEGER), "a": Field(kind=Kind.INTEGER)})
    table = pa.table({"a": [1], "x": [0], ROW: pa.array([7], pa.int32()), "b": [2]})
    inside = admit_table(table, "t", spec, text=False)
    assert inside.column_names == ["b", "a", ROW]
    assert inside.column(ROW).type == pa.int64()
    assert leave_table(inside, "t", spec).column_names == ["b", "a"]


def test_absent_columns_stay_absent() -> None:
    """A table that lacks columns leaves without them."""
    spec = Table(fields={"b": Field(kind=Kind.INTEGER), "a": Field(kind=Kind.INTEGER, type="int8")})
    assert leave_table(pa.table({"a": [300]}), "t", spec).to_pydict() == {"a": [127]}


@pytest.mark.parametrize(
    ("column", "word"),
    [
        (pa.array([[1]]), "list"),
        (pa.array([{"x": 1}]), "struct"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "map"),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "month_day_nano_interval"),
    ],
)
def test_nested_columns_are_refused(column: pa.Array, word: str) -> None:
    """A column that rows cannot be made of is named, with its type and what to do."""
    with pytest.raises(InputError) as caught:
        _through(column, Field(kind=Kind.TEXT))
    assert "'c'" in str(caught.value)
    assert word in caught.value.got
    assert caught.value.remedy


def test_a_missing_column_is_named() -> None:
    """A column that the schema names must be there."""
    with pytest.raises(InputError, match="'b'"):
        admit_table(pa.table({"a": [1]}), "t", Table(fields={"b": Field(kind=Kind.INTEGER)}), text=False)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        (pa.array(["1", "secret", "2", "secret"]), Field(kind=Kind.INTEGER, type="int64")),
        (pa.array([1.0, 987.5, 2.0, 987.5]), Field(kind=Kind.INTEGER)),
        (pa.array([1, 98765, 0, 98765]), Field(kind=Kind.BOOLEAN)),
        (pa.array(["01.02.2020", "secret", "02.02.2020", "secret"]), Field(kind=Kind.DATE, form="%d.%m.%Y")),
        (pa.array([0, 987654321, 0, 987654321], pa.timestamp("s")), Field(kind=Kind.DATE)),
        (pa.array([1, 2**64 - 98765, 2, 2**64 - 98765], pa.uint64()), Field(kind=Kind.INTEGER)),
        (pa.array([1, 98765, 2, 98765]), Field(kind=Kind.NUMBER, type="decimal128(4, 1)")),
        (pa.array(["x", "y", None, "z"]), Field(kind=Kind.DATE)),
    ],
)
def test_cells_that_do_not_fit_are_counted_not_shown(column: pa.Array, field: Field) -> None:
    """A cell of the wrong sort is named by column and row, and its value is not repeated."""
    with pytest.raises(InputError) as caught:
        _through(column, field)
    assert "'c'" in str(caught.value)
    assert "2" in caught.value.got
    assert "4" in caught.value.got
    assert not any(word in str(caught.value) for word in ("secret", "987", "18446744073709452851"))


def test_wrong_forms_are_refused() -> None:
    """A form that is none of its kind says what one looks like."""
    with pytest.raises(InputError, match=r"%d/%m/%Y"):
        _through(pa.array(["2020"]), Field(kind=Kind.DATE, form="year"))


def test_words_for_nothing_are_nulls_in_files_only() -> None:
    """`NA` in a column of numbers means no value in a file, and is a fault in a frame; among words it is a word."""
    numbers = pa.array(["1", " N/A ", "-", "3", None])
    inside, _ = _through(numbers, Field(kind=Kind.INTEGER, type="int64"), text=True)
    assert inside.to_pylist() == [1, None, None, 3, None]
    with pytest.raises(InputError):
        _through(numbers, Field(kind=Kind.INTEGER, type="int64"))
    words, _ = _through(pa.array(["NA", "EU"]), Field(kind=Kind.CATEGORY), text=True)
    assert words.to_pylist() == ["NA", "EU"]


def test_labels_of_numbers_come_in_alike_from_files() -> None:
    """A category of whole numbers has the same labels, and nulls, whether they were numbers or cells."""
    field = Field(kind=Kind.CATEGORY, type="int64")
    cells, out = _through(pa.array(["7", " 12", "NA", "7.0", None]), field, text=True)
    assert cells.to_pylist() == ["7", "12", None, "7", None]
    assert out.to_pylist() == [7, 12, None, 7, None]
    assert _through(pa.array([7, 12]), field)[0].to_pylist() == ["7", "12"]


@pytest.mark.parametrize(
    ("kind", "values", "nearest"),
    [
        ("int8", [300, -300], [127, -128]),
        ("uint8", [300, -300], [255, 0]),
        ("float", [1e300, float("inf")], [3.4028234663852886e38, float("inf")]),
        ("halffloat", [1e6], [65504.0]),
        ("fixed_size_binary[2]", [b"abc", b"a"], [b"ab", b"a\0"]),
    ],
)
def test_made_values_beyond_the_type_are_clipped(kind: str, values: list[Any], nearest: list[Any]) -> None:
    """What a generator made and the type outside cannot hold becomes the nearest value that it can."""
    meanings = {int: Kind.INTEGER, float: Kind.NUMBER, bytes: Kind.BYTES}
    field = Field(kind=meanings[type(values[0])], type=kind)
    held = pa.table({"c": pa.array(values, canonical(field))})
    assert leave_table(held, "t", Table(fields={"c": field})).column("c").to_pylist() == nearest


def test_more_labels_than_the_index_can_count() -> None:
    """A dictionary whose index is too narrow for the labels that were made gets a wider one."""
    field = Field(kind=Kind.CATEGORY, type="dictionary<values=string, indices=int8, ordered=0>")
    held = pa.table({"c": pa.array([f"label {i}" for i in range(300)], pa.large_string())})
    out = leave_table(held, "t", Table(fields={"c": field})).column("c")
    assert out.type == pa.dictionary(pa.int32(), pa.string())
    assert out.to_pylist()[299] == "label 299"


def test_labels_that_are_no_numbers_are_refused() -> None:
    """A label that the type outside cannot hold is a fault that is told, not a null."""
    field = Field(kind=Kind.CATEGORY, type="int64")
    with pytest.raises(SampleError, match="int64"):
        leave_table(pa.table({"c": pa.array(["1", "other"], pa.large_string())}), "t", Table(fields={"c": field}))


def test_ordered_labels_keep_their_order() -> None:
    """The labels of an ordered dictionary go out in their own order, and rare ones are not in the schema."""
    words = ["low", "high", "mid"] * 5 + ["once"]
    codes = pa.array([["low", "mid", "once", "high"].index(w) for w in words], pa.int8())
    column = pa.DictionaryArray.from_arrays(codes, ["low", "mid", "once", "high"], ordered=True)
    field = infer({"t": pa.table({"c": column})}).schema.tables["t"].fields["c"]
    assert field.labels == ("low", "mid", "high")
    _, out = _through(column, field)
    assert out.to_pylist() == words
    assert out.chunk(0).dictionary.to_pylist()[:3] == ["low", "mid", "high"]


def test_days_as_whole_numbers() -> None:
    """20240131 is a day inside and the same number outside."""
    field = Field(kind=Kind.DATE, type="int64", form="%Y%m%d")
    inside, out = _through(pa.array([20240131, None]), field)
    assert inside.to_pylist() == [dt.date(2024, 1, 31), None]
    assert out.to_pylist() == [20240131, None]


def test_forms_are_spelled_for_text_files() -> None:
    """Columns with a type of their own and a form are spelled by it where everything is text."""
    table = pa.table({"p": ["1.50", "2.00"] * 5, "t": ["2020-01-01T10:00:00Z", "2021-01-01T00:00:00Z"] * 5})
    schema = infer({"t": table}, text=True).schema.tables["t"]
    outside = leave_table(admit_table(table, "t", schema, text=True), "t", schema)
    assert outside.schema.types == [pa.float64(), pa.timestamp("s", "UTC")]
    assert spell_table(outside, "t", schema).to_pydict() == table.to_pydict()


def test_units_and_zones_are_converted() -> None:
    """Instants of another unit or zone than the schema's come in as the same instants."""
    column = pa.array([0, 1_700_000_000], pa.timestamp("s", "UTC"))
    inside, _ = _through(column, Field(kind=Kind.DATETIME, type="timestamp[ns, tz=Europe/Berlin]"))
    assert inside.cast(pa.int64()).to_pylist() == [0, 1_700_000_000 * 10**9]
    local, _ = _through(column, Field(kind=Kind.DATETIME, type="timestamp[us]"))
    assert local.to_pylist()[0] == dt.datetime(1970, 1, 1)


def test_four_bytes_mean_what_they_are_written_as() -> None:
    """0.2 in four bytes is 0.2 inside, as a column of eight bytes has it, and leaves as it came."""
    short = np.array([0.2, 1e-40, np.inf, 3.4e38, -0.0, 123456.78], dtype=np.float32)
    spec = Table(fields={"x": Field(kind=Kind.NUMBER, type="float")})
    inside = admit_table(pa.table({"x": pa.array(short)}), "t", spec, text=False)
    assert inside.column("x").to_pylist() == [0.2, 1e-40, float("inf"), 3.4e38, -0.0, 123456.78]
    outside = leave_table(inside, "t", spec).column("x")
    assert outside.type == pa.float32()
    assert np.array_equal(outside.to_numpy(), short)
