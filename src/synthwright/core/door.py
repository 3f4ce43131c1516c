"""The door: every dialect of Arrow comes in as one canonical type per kind, and goes out as it came."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.casting import as_text, cast_values, from_text, is_text, narrowed
from synthwright.core.errors import InputError, SampleError
from synthwright.core.forms import check, means_null, parse, spell
from synthwright.core.numerals import TEXT
from synthwright.core.schema import ROW, Field, Kind, Table, canonical
from synthwright.core.types import parse_type

_FOREIGN = ("pandas.period", "pandas.interval", "arrow.opaque")
"""Extension types whose storage alone would lose what they mean."""
_SHOWN = 5


class Place(NamedTuple):
    """A column, for messages."""

    table: str
    column: str

    def refusal(self, wanted: str, got: str, remedy: str) -> InputError:
        """Return the error that says what is wrong with the column."""
        return InputError(f"table {self.table!r}", f"column {self.column!r}", wanted=wanted, got=got, remedy=remedy)


def admit_table(table: pa.Table, name: str, spec: Table, *, text: bool) -> pa.Table:
    """Bring a table in: every column of the schema in its canonical type and in the schema's order, row numbers last.

    Args:
        table: a table in any dialect of Arrow.
        name: what to call it in messages.
        spec: what it should hold; columns that it does not name stay outside.
        text: whether the cells were spelled as text in a file, where a few words mean null.

    Raises:
        InputError: a column is missing or nested, or cells do not fit its field; names the column and the rows.
    """
    columns, present = {}, set(table.column_names)
    for column, field in spec.fields.items():
        if column not in present:
            raise Place(name, column).refusal("a column of that name", f"{table.num_columns} others",
                                              "correct the schema, or add the column to the data")  # fmt: skip
        whole = flat(table.column(column), name, column, nan=field.nan)
        columns[column] = _admit(whole, field, Place(name, column), text=text)
    if ROW in present:
        columns[ROW] = table.column(ROW).cast(pa.int64())
    return pa.table(columns)


def flat(column: pa.ChunkedArray, table: str, name: str, *, nan: bool = False) -> pa.Array:
    """Return a column without dialect: no dictionaries, views, runs, extensions or half floats.

    NaN becomes null, unless `nan`.

    Raises:
        InputError: the column is nested, or of a type that rows of a table cannot be made of.
    """
    held, place = column, Place(table, name)
    while True:
        kind = held.type
        if isinstance(kind, pa.BaseExtensionType):
            if kind.extension_name in _FOREIGN:
                raise place.refusal(
                    "a plain column", f"type {kind.extension_name}", "convert it to instants, numbers or text"
                )
            held = pa.chunked_array([c.storage for c in held.chunks], kind.storage_type)
        elif pa.types.is_dictionary(kind):
            wide = _widened(kind.value_type)
            held = pa.chunked_array([c.dictionary.cast(wide).take(c.indices) for c in held.chunks], wide)
        elif pa.types.is_run_end_encoded(kind):
            held = pc.run_end_decode(held)
        else:
            break
    if pa.types.is_nested(kind):
        raise place.refusal("a flat column", f"type {_shape(kind)}, which holds several values in one cell",
                            "give every inner value a column or table of its own, or leave it out")  # fmt: skip
    try:
        parse_type(str(kind))
    except ValueError:
        raise place.refusal(
            "numbers, text, dates, times or bytes", f"type {kind}", "convert it, or leave it out"
        ) from None
    held = _wide(held)
    whole = held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held
    return whole if nan else without_nan(whole)


def without_nan(whole: pa.Array) -> pa.Array:
    """Return a column with nulls in place of what is no number."""
    if pa.types.is_floating(whole.type):
        absent = pc.is_nan(whole)
        if pc.any(absent).as_py():
            return pc.if_else(absent, pa.scalar(None, whole.type), whole)
    return whole


def _shape(kind: pa.DataType) -> str:
    return str(kind).partition("<")[0]


def _wide(held: Any) -> Any:
    """Return a column in the plain type of its values: 0.2 in four bytes as 0.2, not as 0.20000000298."""
    wide = _widened(held.type)
    if pa.types.is_float32(held.type):
        held = held.cast(TEXT)
    return held if wide == held.type else held.cast(wide)


def _widened(kind: pa.DataType) -> pa.DataType:
    """Return the plain type that holds the same values and that every Arrow function knows."""
    if is_text(kind):
        return TEXT
    if pa.types.is_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.large_binary()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return pa.decimal128(kind.precision, kind.scale)
    return pa.date32() if pa.types.is_date64(kind) else kind


def _admit(column: pa.Array, field: Field, place: Place, *, text: bool) -> pa.Array:
    target, outside = canonical(field), _plain(outside_type(field))
    spelled = is_text(column.type) and not (is_text(target) and is_text(outside))
    if column.type == target and not spelled:
        return column
    _check_form(field, place)
    if spelled and text:
        column = pc.if_else(means_null(column), pa.scalar(None, TEXT), column)
    if spelled and field.form and pa.types.is_temporal(target) and pa.types.is_floating(outside):
        column, spelled = from_text(column, outside), False  # 20240131.0: floats only because some are missing
    if spelled:
        inside = as_text(from_text(column, outside)) if is_text(target) else _read(column, field, target)
    elif is_text(target):
        inside = as_text(column) if not pa.types.is_null(column.type) else pa.nulls(len(column), TEXT)
    elif field.form and pa.types.is_temporal(target) and (whole := as_codes(column)) is not None:
        inside = _read(as_text(whole), field, target)
    else:
        inside = cast_values(column, target)
    _check_fit(column, inside, field, place)
    return inside


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values of a dictionary or an extension; text where nothing is known of them."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    return TEXT if pa.types.is_null(kind) else kind


def _read(column: pa.Array, field: Field, target: pa.DataType) -> pa.Array:
    """Read text by the field's form, and where that fails, or there is none, as it is plainly spelled."""
    if field.form is None:
        return from_text(column, target)
    inside = cast_values(parse(column, field.form, field.kind), target)
    unread = pc.and_not(column.is_valid(), inside.is_valid())
    if not pc.any(unread).as_py():
        return inside
    return pc.coalesce(inside, from_text(pc.if_else(unread, column, pa.scalar(None, TEXT)), target))


def _check_form(field: Field, place: Place) -> None:
    if field.form is None:
        return
    try:
        check(field.form, field.kind)
    except ValueError as error:
        raise place.refusal("a form of its kind", f"a wrong one: {error}", "correct the form in the schema") from None


def _check_fit(column: pa.Array, inside: pa.Array, field: Field, place: Place) -> None:
    if inside.null_count == column.null_count:
        return
    rows = np.flatnonzero(pc.and_not(column.is_valid(), inside.is_valid()).to_numpy(zero_copy_only=False)) + 1
    shown = ", ".join(str(r) for r in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    like = f" spelled like {field.form!r}" if field.form else ""
    raise place.refusal(f"values of kind {field.kind.value!r} ({field.type or canonical(field)}){like}",
                        f"something else in row{'s' if len(rows) > 1 else ''} {shown}{more} (counted from 1)",
                        "correct the cells, or the field in the schema")  # fmt: skip


def leave_table(held: pa.Table, name: str, spec: Table) -> pa.Table:
    """Give a table back as it looks outside: types, spellings and order of the columns; no row numbers.

    Columns that are absent stay absent. What the type outside cannot hold becomes the nearest value that it can.
    """
    columns, present = {}, set(held.column_names)
    for column, field in spec.fields.items():
        if column in present:
            values = held.column(column)
            if values.type != outside_type(field):
                values = _leave(values.combine_chunks(), field, Place(name, column))
            columns[column] = values
    return pa.table(columns)


def spell_table(table: pa.Table, name: str, spec: Table, kinds: frozenset[Kind] = frozenset(Kind)) -> pa.Table:
    """Return a table that left through the door with columns of these kinds spelled by their form, for text files."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for column, field in spec.fields.items():
        if field.form is None or field.kind not in kinds or column not in columns or is_text(columns[column].type):
            continue
        if _is_code(canonical(field), columns[column].type):  # it is spelled by digits anyhow, and stays a number
            continue
        inside = _admit(flat(columns[column], name, column), field, Place(name, column), text=False)
        columns[column] = spell(inside, field.form, field.kind)
    return pa.table(columns)


def outside_type(field: Field) -> pa.DataType:
    """Return the type that a field's column has outside: what the schema says, text where it has only a form."""
    if field.type:
        return parse_type(field.type)
    return TEXT if field.form else canonical(field)


def _leave(column: pa.Array, field: Field, place: Place) -> pa.Array:
    outside = outside_type(field)
    if column.type == outside:
        return column
    encoded = pa.types.is_dictionary(outside)
    wanted = outside.value_type if encoded else outside
    if field.form and not is_text(column.type) and (is_text(wanted) or _is_code(column.type, wanted)):
        column = spell(column, field.form, field.kind)
    out = narrowed(column, wanted)
    if out.null_count > column.null_count and not pa.types.is_null(wanted):
        lost = out.null_count - column.null_count
        raise SampleError(f"table {place.table!r}", f"column {place.column!r}", got=f"{lost:,} that it cannot",
                          wanted=f"values that type {wanted} can hold", remedy="correct the field's type")  # fmt: skip
    return _encoded(out, outside, field) if encoded else out


def _is_code(inside: pa.DataType, outside: pa.DataType) -> bool:
    """Return whether dates or times are whole numbers outside: 20240131; floats where some are missing."""
    return pa.types.is_temporal(inside) and (pa.types.is_integer(outside) or pa.types.is_floating(outside))


def as_codes(column: pa.Array) -> pa.Array | None:
    """Return whole numbers, floats too, as integers; null where one is not whole. None for other columns."""
    if not pa.types.is_floating(column.type):
        return column if pa.types.is_integer(column.type) else None
    whole = pc.and_(pc.equal(column, pc.round(column)), pc.less(pc.abs(column), 2.0**53))
    return pc.if_else(whole, column, pa.scalar(None, column.type)).cast(pa.int64())


def _encoded(values: pa.Array, outside: pa.DataType, field: Field) -> pa.Array:
    """Return values as a dictionary: labels in their own order where they have one, else sorted."""
    final = outside.value_type
    values = values.cast(_widened(values.type))
    distinct = pc.unique(values.drop_null()) if not pa.types.is_null(values.type) else values.slice(0, 0)
    if len(distinct):
        distinct = distinct.take(pc.sort_indices(distinct))
    if field.labels:
        known = narrowed(pa.array(field.labels, TEXT), values.type)
        distinct = pa.concat_arrays([known, distinct.filter(pc.invert(pc.is_in(distinct, known)))])
    codes = pc.index_in(values, distinct) if len(distinct) else pa.nulls(len(values), pa.int32())
    index = outside.index_type
    if len(distinct) > np.iinfo(index.to_pandas_dtype()).max:
        index = pa.int32()
    return pa.DictionaryArray.from_arrays(codes.cast(index), distinct.cast(final), ordered=outside.ordered)
