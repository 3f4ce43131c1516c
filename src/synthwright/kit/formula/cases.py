"""What holds in which case: mappings inside each other, one level for each column that decides.

    F: {0-17: …, 18-64: …, 65+: …}
    M: {0-17: …, 18+: …}

A key is a value of its column; of a column with an order also a band: `18-64` (or `18..64`, with both ends),
`65+`, `..17`, `<18`, `<=17`, `>64`, `>=65`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.contracts import Place
from synthwright.core.foresight import Foreseen, stranger
from synthwright.core.schema import ORDERED, Field, Kind
from synthwright.core.values import numbers
from synthwright.kit.formula.stated import TEMPORAL, lattice, stated, unit_of

MOST = 4_000_000
"""Combinations of keys and stretches of all columns, at most."""
_LOOKED_UP = 100_000
_PLAIN = re.compile(r"([0-9.]+)\s*[-–]\s*([0-9.]+)")
_SPAN = re.compile(r"(.*?)\s*[.][.]\s*(.*)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?")
_SIGNED = re.compile(r"(>=|<=|>|<)\s*(.+)")


class Column(NamedTuple):
    """A column that decides."""

    path: str
    field: Field


class Band(NamedTuple):
    """A stretch of numbers: from the lower end on, up to but not at the upper."""

    low: float
    high: float


class Leaf(NamedTuple):
    """What holds in one case, and the keys that lead there."""

    keys: tuple[str, ...]
    value: Any


def leaves(tree: Any, depth: int, keys: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield what stands at a depth of mappings inside each other; a ValueError where there are fewer levels."""
    if len(keys) == depth:
        yield Leaf(keys, tree)
        return
    if not isinstance(tree, Mapping) or not tree:
        where = " → ".join(keys) or "the table"
        raise ValueError(f"{where}: wanted a mapping of values of column {len(keys) + 1} of `by`")
    for key, below in tree.items():
        yield from leaves(below, depth, (*keys, str(key)))


def _end(said: str, field: Field) -> float:
    """Return the number that an end of a band is, in the column's own unit; a ValueError for what is none."""
    if field.kind in (Kind.INTEGER, Kind.NUMBER) and _NUMBER.fullmatch(said):
        return float(said)
    found = stated([said], field)
    if found.null_count:
        raise ValueError(f"{said!r} is no value of kind {field.kind.value!r}")
    return float(numbers(found)[0])


def band(key: str, field: Field) -> Band:
    """Return the stretch that a key of a column with an order means; a ValueError for what is none."""
    said = key.strip()
    signed, plain, span = _SIGNED.fullmatch(said), _PLAIN.fullmatch(said), _SPAN.fullmatch(said)
    if signed is not None:
        end = _end(signed[2], field)
        after = float(np.nextafter(end, np.inf))
        return {">=": Band(end, np.inf), ">": Band(after, np.inf), "<": Band(-np.inf, end),
                "<=": Band(-np.inf, after)}[signed[1]]  # fmt: skip
    if said.endswith("+"):
        return Band(_end(said[:-1].strip(), field), np.inf)
    if plain is not None and field.kind not in TEMPORAL:
        low, high = plain[1], plain[2]
    elif span is not None:
        low, high = span[1], span[2]
    else:
        low = high = said
    least, most = (_end(low, field) if low else -np.inf), (_end(high, field) if high else np.inf)
    if least > most:
        raise ValueError(f"{key!r}: the first end is above the second")
    return Band(least, float(np.nextafter(most, np.inf)))


def wrong_cases(tree: Any, by: Sequence[Column], *, closed: bool) -> list[tuple[Place, str]]:
    """Return what a table of cases cannot mean: where in it, and a sentence.

    Args:
        tree: the mappings.
        by: the columns that decide, from the outside in.
        closed: whether every case needs an entry, because nothing is said for the others.
    """
    try:
        list(leaves(tree, len(by)))
    except ValueError as error:
        return [((), str(error))]
    return list(_wrong(tree, by, (), closed=closed))


def _wrong(tree: Mapping[str, Any], by: Sequence[Column], place: Place, *, closed: bool) -> Iterator[tuple[Place, str]]:
    column = by[0]
    if column.field.kind in ORDERED:
        yield from _wrong_bands(list(map(str, tree)), column, place, closed=closed)
    else:
        yield from _wrong_labels(list(map(str, tree)), column, place, closed=closed)
    if len(by) > 1:
        for key, below in tree.items():
            yield from _wrong(below, by[1:], (*place, key), closed=closed)


def _wrong_labels(keys: Sequence[str], column: Column, place: Place, *, closed: bool) -> Iterator[tuple[Place, str]]:
    known: Sequence[str] = ("false", "true") if column.field.kind is Kind.BOOLEAN else column.field.labels
    for key in keys:
        if known and _label(key, column.field) not in known:
            yield (*place, key), f"{key!r} is no value of {column.path!r}: there are {', '.join(map(repr, known))}"
    missing = [k for k in known if k not in {_label(key, column.field) for key in keys}]
    if closed and missing:
        yield place, f"no entry for {column.path!r} {', '.join(map(repr, missing))}, and no `otherwise`"


def _label(key: str, field: Field) -> str:
    return key.lower() if field.kind is Kind.BOOLEAN else key


def _wrong_bands(keys: Sequence[str], column: Column, place: Place, *, closed: bool) -> Iterator[tuple[Place, str]]:
    held: list[tuple[Band, str]] = []
    for key in keys:
        try:
            held.append((band(key, column.field), key))
        except ValueError as error:
            yield (*place, key), f"{error}; write 18, 18-64, 65+ or <18"
    held.sort()
    step = (lattice(column.field) or 0) * unit_of(column.field)
    for (one, first), (other, second) in pairwise(held):
        if one.high > other.low:
            yield (*place, second), f"{first!r} and {second!r} overlap"
        elif closed and (np.ceil(one.high / step) * step < other.low if step else one.high < other.low):
            yield (*place, second), f"nothing is said between {first!r} and {second!r}, and no `otherwise`"


def beside(
    tree: Mapping[str, Any], depth: int, column: Column, values: Sequence[str | None], *, closed: bool
) -> Iterator[Foreseen]:
    """Yield values that a column may have and that no entry is for, and entries that no row comes to.

    Args:
        tree: the mappings.
        depth: the level whose keys are of the column.
        column: the column that decides there.
        values: what it may hold; None: no value.
        closed: whether every case needs an entry, because nothing is said for the others.
    """
    places = [(*place, str(key)) for place, branch in _branches(tree, depth) for key in branch]
    keys = list(dict.fromkeys(place[-1] for place in places))
    there = [v for v in values if v is not None]
    lacking = [v for v in there if not any(_meant(key, v, column.field) for key in keys)]
    strange = [k for k in keys if not any(_meant(k, v, column.field) for v in there)]
    if closed and lacking:
        near = get_close_matches(lacking[0], strange, n=1)
        hint = f": is {near[0]!r} meant to be {lacking[0]!r}?" if near else ""
        yield Foreseen((), f"no entry for {column.path!r} {', '.join(map(repr, lacking))}, and no `otherwise`{hint}")
    if closed and None in values:
        yield Foreseen((), f"no entry for rows where {column.path!r} has no value: say `otherwise`")
    for key in strange if column.field.kind not in ORDERED else ():
        said = stranger(column.path, (key,), tuple(values))
        yield Foreseen(next(p for p in places if p[-1] == key), said or f"no row comes to {key!r}", sure=False)


def _branches(
    tree: Any, depth: int, place: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield the mappings at a depth, and the keys that lead there."""
    if depth == 0:
        yield place, tree
        return
    for key, below in tree.items():
        yield from _branches(below, depth - 1, (*place, str(key)))


def _meant(key: str, value: str, field: Field) -> bool:
    """Return whether a key means a value."""
    if field.kind not in ORDERED:
        return _label(key, field) == _label(value, field)
    try:
        low, high = band(key, field)
        return low <= _end(value, field) < high
    except ValueError:
        return False


class Cases:
    """A table of cases, ready to be looked up for whole columns.

    Args:
        tree: mappings inside each other.
        by: the columns that decide, from the outside in.

    Raises:
        ValueError: it is no such table.
    """

    def __init__(self, tree: Any, by: Sequence[Column]) -> None:
        found = sorted(leaves(tree, len(by)), key=lambda leaf: leaf.keys)  # in whatever order it was saved
        self.by = by
        self.values = [leaf.value for leaf in found]
        self._marks = [self._marked([leaf.keys[i] for leaf in found], column) for i, column in enumerate(by)]
        sizes = [len(marks) + 1 + (c.field.kind in ORDERED) for marks, c in zip(self._marks, by, strict=True)]
        if np.prod(sizes, dtype=np.float64) > MOST:
            raise ValueError(f"the table has more than {MOST:,} combinations of keys")
        self._cells = np.full(sizes, -1, dtype=np.int32)
        for i, leaf in enumerate(found):
            self._cells[tuple(self._slice(key, at) for at, key in enumerate(leaf.keys))] = i

    def _marked(self, keys: Sequence[str], column: Column) -> np.ndarray:
        """Return the labels of a column, or where its stretches begin and end, sorted."""
        if column.field.kind in ORDERED:
            return np.unique([end for key in dict.fromkeys(keys) for end in band(key, column.field)])
        return np.unique(np.asarray([_label(key, column.field) for key in keys], dtype=np.str_))

    def _slice(self, key: str, at: int) -> slice:
        """Return which cells of a column a key means: behind the first one come stretches, or labels."""
        column, marks = self.by[at], self._marks[at]
        if column.field.kind in ORDERED:
            low, high = (int(np.searchsorted(marks, end)) for end in band(key, column.field))
            return slice(low + 2, high + 2)
        place = int(np.searchsorted(marks, _label(key, column.field)))
        return slice(place + 1, place + 2)

    def which(self, columns: Sequence[pa.ChunkedArray]) -> np.ndarray:
        """Return for each row which of `values` holds; -1: none."""
        at = tuple(self._coded(values, i) for i, values in enumerate(columns))
        return self._cells[at]

    def _coded(self, values: pa.ChunkedArray, at: int) -> np.ndarray:
        marks = self._marks[at]
        if self.by[at].field.kind in ORDERED:  # cell 0: no value; 1: below every stretch
            if pa.types.is_int64(values.type) and not values.null_count and len(values):
                least, most = pc.min_max(values).as_py().values()
                if most - least < _LOOKED_UP:  # few different numbers: a table is faster than a search
                    table = np.searchsorted(marks, np.arange(least, most + 1), side="right") + 1
                    return table.take(values.to_numpy() - least)
            held = numbers(values)
            return np.where(np.isnan(held), 0, np.searchsorted(marks, held, side="right") + 1)
        texts = values.cast(pa.large_string())
        found = pc.index_in(texts, value_set=pa.array(marks.tolist(), pa.large_string()))
        return np.asarray(pc.fill_null(found, -1)).astype(np.int64) + 1
