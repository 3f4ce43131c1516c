"""Rows as FHIR's JSON, column by column: no object is ever built for a row.

A resource is put together from pieces of text: constants, and columns of values that are JSON already. FHIR knows no
nulls: what has no value is left out, with the name before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError
from synthwright.kit.fhir.fhir_mapping import Branch, Constant, Element

WIDE = pa.large_string()
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_FORBIDDEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F]"
"""Characters that FHIR's strings may not hold."""
_ID = r"^[A-Za-z0-9\-.]{1,64}$"
Columns: TypeAlias = Callable[[str], pa.Array]
"""A table's columns by their names: without dictionaries, NaN as nulls."""
Piece: TypeAlias = str | pa.Array


class Said(NamedTuple):
    """What stands at one place, for all rows."""

    pieces: tuple[Piece, ...]
    there: pa.Array | None
    """Where anything stands there; None: everywhere."""
    own: bool
    """Whether a column is in it: constants alone do not keep an object."""


def joined(pieces: list[Piece], rows: int) -> pa.Array:
    """Return texts put together, row by row."""
    if not any(isinstance(p, pa.Array) for p in pieces):
        return pa.repeat(pa.scalar("".join(map(str, pieces)), WIDE), rows)
    parts = [p if isinstance(p, pa.Array) else pa.scalar(p, WIDE) for p in pieces]
    return pc.binary_join_element_wise(*parts, pa.scalar("", WIDE)) if len(parts) > 1 else parts[0]


def bytes_of(texts: pa.Array) -> memoryview:
    """Return texts that have no nulls, one after the other."""
    ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(texts.buffers()[2] or b"")[int(ends[0]) : int(ends[-1])]


def lines(kind: str, tree: Branch, columns: Columns, rows: int) -> pa.Array:
    """Return the resources of rows, each as one JSON text.

    Args:
        kind: the resource type.
        tree: what stands where.
        columns: the table's columns.
        rows: how many.

    Raises:
        InputError: an `id` that FHIR does not allow.
    """
    head = Said((json.dumps(kind),), None, own=False)
    inner = {word: _said(child, columns, rows) for word, child in tree.members.items()}
    identity = tree.members.get("id")
    if isinstance(identity, Element) and identity.column is not None:
        inner["id"] = Said((identities(columns(identity.column), kind),), None, own=True)
    return joined(list(_object({"resourceType": head, **inner}, rows)), rows)


def identities(column: pa.Array, kind: str) -> pa.Array:
    """Return a column's values as ids in JSON; an InputError where they are none."""
    found = _as_text(column)
    wrong = int(pc.sum(pc.invert(pc.fill_null(pc.match_substring_regex(found, _ID), False))).as_py() or 0)
    if wrong:
        raise InputError("fhir", f"the id of {kind}", wanted="up to 64 letters, digits, hyphens and points",
                         got=f"something else in {wrong:,} rows",
                         remedy="make the key by `uuid` or `counter`")  # fmt: skip
    return joined(['"', found, '"'], len(found))


# ------------------------------------------------------------------------------------------------ objects and lists
def _said(node: Branch | Element, columns: Columns, rows: int) -> Said:
    if isinstance(node, Element):
        return _leaf(node, columns)
    inner = {word: _said(child, columns, rows) for word, child in node.members.items()}
    held = [one for one in inner.values() if one.own]
    there = None
    if held and all(one.there is not None for one in held):
        there = held[0].there
        for one in held[1:]:
            there = pc.or_(there, one.there)
    pieces = _list(list(inner.values()), rows) if node.listed else _object(inner, rows)
    return Said(tuple(pieces), there, own=bool(held))


def _leaf(element: Element, columns: Columns) -> Said:
    if element.column is None:
        return Said((_constant(element.value),), None, own=False)
    values = cells(columns(element.column), element)
    return Said((values,), None if values.null_count == 0 else values.is_valid(), own=True)


def _object(inner: Mapping[str, Said], rows: int) -> Iterator[Piece]:
    """Yield the pieces of an object: first what every row has, then what some have."""
    named = [(f"{json.dumps(word)}:", one) for word, one in inner.items()]
    sure = [(word, one) for word, one in named if one.there is None]
    some = [[word, *one.pieces] for word, one in named if one.there is not None]
    there = [one.there for _, one in named if one.there is not None]
    yield "{"
    for i, (word, one) in enumerate(sure):
        yield f",{word}" if i else word
        yield from one.pieces
    yield from _optional(some, there, rows, first=not sure)
    yield "}"


def _list(inner: list[Said], rows: int) -> Iterator[Piece]:
    """Yield the pieces of a list: what is not there leaves no gap."""
    yield "["
    if all(one.there is None for one in inner):
        for i, one in enumerate(inner):
            yield from (",", *one.pieces) if i else one.pieces
    else:
        yield from _optional([list(one.pieces) for one in inner], [one.there for one in inner], rows, first=True)
    yield "]"


def _optional(several: list[list[Piece]], there: list[pa.Array | None], rows: int, *, first: bool) -> Iterator[Piece]:
    """Yield members that not every row has, each with the comma before it; `first` where nothing stands before them."""
    nothing = pa.scalar("", WIDE)
    texts = [joined([",", *pieces], rows) for pieces in several]
    kept: list[Piece] = [t if w is None else pc.if_else(w, t, nothing) for t, w in zip(texts, there, strict=True)]
    if first and kept:
        kept = [pc.utf8_slice_codeunits(joined(kept, rows), 1, None)]
    yield from kept


# --------------------------------------------------------------------------------------------------------- values
def cells(column: pa.Array, element: Element) -> pa.Array:
    """Return a column's values as JSON, null where there are none."""
    if element.values or element.otherwise is not None:
        return _called(column, element)
    texts = _as_text(column)
    if element.reference is not None:
        return joined([f'"{element.reference}/', texts, '"'], len(texts))
    bare = _bare(column.type) and not element.text
    return texts if bare else _quoted(texts, plain=not _texts(column.type))


def _called(column: pa.Array, element: Element) -> pa.Array:
    """Return what a column's values are called; `otherwise` where they are not."""
    texts, known = _as_text(column), [*element.values]
    if not known:
        found = cells(column, element.model_copy(update={"otherwise": None}))
    else:
        codes = pc.index_in(texts, value_set=pa.array(known, WIDE), skip_nulls=True)
        found = pa.array([_constant(v) for v in element.values.values()], WIDE).take(codes)
    if element.otherwise is None:
        return found
    return pc.fill_null(found, pa.scalar(_constant(element.otherwise), WIDE))


def _constant(value: Constant | None) -> str:
    return json.dumps(value, ensure_ascii=False)


def _texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _bare(kind: pa.DataType) -> bool:
    """Return whether JSON writes values of a type without quotation marks."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def _as_text(column: pa.Array) -> pa.Array:
    """Return values as FHIR spells them; null where it has no word for them: infinities, and text that is blank."""
    kind = column.type
    if _texts(kind):
        return pc.if_else(pc.match_substring_regex(column, r"[^\s\p{Z}]"), column, pa.scalar(None, kind)).cast(WIDE)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_timestamp(kind):
        return _instants(column)
    return column.cast(WIDE)


def _instants(column: pa.Array) -> pa.Array:
    """Spell instants as FHIR does: with a T, and with a zone, which is UTC where none is said."""
    texts = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
    if column.type.tz is None:
        return joined([texts.cast(WIDE), "Z"], len(texts))
    return pc.replace_substring_regex(texts, r"([+-]\d\d)(\d\d)$", r"\1:\2").cast(WIDE)


def _quoted(texts: pa.Array, *, plain: bool) -> pa.Array:
    """Return texts as JSON strings; `plain` where there is nothing to escape."""
    if not plain and pc.any(pc.match_substring_regex(texts, r'[\x00-\x1F"\\]')).as_py():
        texts = pc.replace_substring_regex(texts, _FORBIDDEN, "")
        for sign, escaped in _ESCAPED.items():
            texts = pc.replace_substring(texts, sign, escaped)
    return joined(['"', texts, '"'], len(texts))
