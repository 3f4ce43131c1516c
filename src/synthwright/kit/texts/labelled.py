"""Labelled texts of a case: synthetic, training and held-out rows of one table, with their labels as codes.

What metrics of labelled text share. The text columns of the target's table are read as one text; other columns are not
looked at. Classes are those of the real rows, as many as a column of labels may have: trees tell twenty apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.schema import DISCRETE, Kind, Schema
from synthwright.core.values import numbers
from synthwright.kit.measuring.groups import Silence, target_of
from synthwright.kit.measuring.stats import shared_codes
from synthwright.kit.texts.text_vectors import counted, joined

FEWEST = 10
"""Labelled texts of each sample below which nothing is measured."""
CLASSES = 100
"""Labels that are told apart, the most frequent of the real rows; the rarer are one."""
_NUMBERS = 20
"""Distinct whole numbers up to which a target is labels."""
_CELLS = 100_000
"""Rows × labels that are learned from: the more labels, the fewer rows."""
_ROWS = (1_500, 8_000)
"""Rows that are looked at, at least and at most, where there are more."""


class Labelled(NamedTuple):
    """The labelled texts of a case: all rows in one matrix, and positions in it."""

    table: str
    counts: Any
    """What `counted` returns: a row for a text."""
    label: np.ndarray
    """int64 codes; the last is for labels that are rare, or that no real row has."""
    classes: int
    places: tuple[int, ...]
    """The place of each class among all by how many real rows have it, from 1."""
    synthetic: np.ndarray
    train: np.ndarray
    second: np.ndarray
    """As many training rows as there are synthetic ones, at most."""
    holdout: np.ndarray
    strange: int
    """Synthetic rows whose label no real row has."""
    note: str

    @property
    def rows(self) -> int:
        """How many rows the smallest sample has."""
        return min(len(p) for p in (self.synthetic, self.second, self.holdout) if len(p))

    def name(self, kind: int) -> str:
        """Return how a score calls a class: by its place, never by its label."""
        return f"class {self.places[kind]}"

    def by_frequency(self) -> list[int]:
        """Return the classes by how many real rows have them."""
        return sorted(range(self.classes), key=lambda c: self.places[c])


def labelled(case: Case, ctx: Context, columns: tuple[str, ...] = ()) -> Labelled | Silence:
    """Return the labelled texts of a case, or why there are none.

    Args:
        case: what is measured; its target is the label.
        ctx: decides which rows are drawn of more than are looked at.
        columns: the columns of text, as `table.column`; nothing: every one of the target's table.
    """
    found = _columns(case, columns)
    if isinstance(found, Silence):
        return found
    table, target, texts = found
    held = [d.tables[table] for d in (case.synthetic, case.train, case.holdout) if d is not None]
    coded = _coded([t.column(target) for t in held], case.schema.tables[table].fields[target].kind)
    if coded is None:
        return Silence("the target is no label: a category, a boolean, or whole numbers with few values")
    limit = int(np.clip(_CELLS // coded.classes, *_ROWS))
    said, label, sampled = [], [], False
    for i, (rows, codes) in enumerate(zip(held, coded.codes, strict=True)):
        whole = joined(rows, texts)
        at = np.flatnonzero(np.asarray(whole.is_valid().to_numpy(zero_copy_only=False)) & (codes >= 0))
        sampled |= len(at) > limit
        if len(at) > limit:
            at = np.sort(ctx.at("rows", i).rng.choice(at, size=limit, replace=False))
        said.append(whole.take(pa.array(at, pa.int64())))
        label.append(codes[at])
    if not len(label[0]):
        return Silence("no synthetic row has a text and a label", "failed")
    if min(map(len, label)) < FEWEST:
        return Silence(
            f"too few rows with text and label: {min(map(len, label))}, of at least {FEWEST} that are needed"
        )
    if any((codes == codes[0]).all() for codes in label[1:]):
        return Silence("the label does not vary among the real rows")
    note = f"measured on a random sample: {limit:,} rows of larger tables" if sampled else ""
    return _laid_out(table, counted(pa.chunked_array(said, pa.large_string())), label, coded, ctx)._replace(note=note)


def _laid_out(table: str, counts: Any, label: list[np.ndarray], coded: _Coded, ctx: Context) -> Labelled:
    """Return the rows of all samples as one, and where each sample is."""
    every = np.concatenate(label)
    parts = np.split(np.arange(len(every)), np.cumsum([len(part) for part in label])[:-1])
    synthetic, train, holdout = [*parts, np.arange(0)][:3]
    second = train
    if len(synthetic) < len(train):
        second = np.sort(ctx.at("second").rng.choice(train, size=len(synthetic), replace=False))
    often = np.bincount(every[len(synthetic) :], minlength=coded.classes)
    places = tuple((np.argsort(np.argsort(-often, kind="stable")) + 1).tolist())
    return Labelled(table, counts, every, coded.classes, places, synthetic, train, second, holdout, coded.strange, "")


def text_faults(columns: tuple[str, ...], schema: Schema) -> list[str]:
    """Return a sentence for every name that is no column of text."""
    wrong = [c for c in columns if c not in schema.columns or schema.field(c).kind is not Kind.TEXT]
    return [f"columns: {c!r} is no column of text, named as `table.column`" for c in wrong]


def _columns(case: Case, columns: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]] | Silence:
    """Return table, target and columns of text, or why there are none."""
    named = target_of(case)
    if isinstance(named, Silence):
        return named
    table, target = named
    fields = case.schema.tables[table].fields
    sides = [d.tables[table] for d in (case.train, case.synthetic, case.holdout) if d is not None]
    texts = tuple(c for c, f in fields.items() if f.kind is Kind.TEXT and f.sensitive is None)
    if columns:
        texts = tuple(case.schema.split(c)[1] for c in columns if case.schema.split(c)[0] == table)
    texts = tuple(c for c in texts if c != target and c in sides[0].column_names)
    if not texts:
        return Silence("no column of text stands beside the target")
    if fields[target].anew or target not in sides[0].column_names:
        return Silence("the target is made anew, not modelled from real values")
    absent = [c for c in (*texts, target) for s in sides[1:] if c not in s.column_names]
    if absent or any(s.schema.field(target).type != sides[0].schema.field(target).type for s in sides[1:]):
        return Silence("the synthetic or the held-out table lacks the text or the target", "failed")
    return table, target, texts


class _Coded(NamedTuple):
    """The labels of several tables."""

    codes: list[np.ndarray]
    """int64, one array for each table; -1 where there is none."""
    classes: int
    strange: int
    """Rows of the first table whose label no other table has."""


def _coded(columns: list[pa.ChunkedArray], kind: Kind) -> _Coded | None:
    """Return labels as codes, or nothing where values are no labels; the first table is the synthetic one.

    Classes are the most frequent labels of real rows; all others are the last class.
    """
    codes, size = _distinct(columns, kind)
    real = np.bincount(np.concatenate(codes[1:]), minlength=size)[:-1] if codes else np.zeros(0, dtype=np.int64)
    held = int(np.count_nonzero(real))
    if not held:
        return None
    most = CLASSES - 1 if held > CLASSES else held
    kept = np.sort(np.argsort(-real, kind="stable")[:most])
    place = np.full(size, most, dtype=np.int64)
    place[kept], place[-1] = np.arange(most), -1
    made = [place[c] for c in codes]
    strange = int(np.count_nonzero(np.append(real == 0, False)[codes[0]]))
    return _Coded(made, most + int(any((m == most).any() for m in made)), strange)


def _distinct(columns: list[pa.ChunkedArray], kind: Kind) -> tuple[list[np.ndarray], int]:
    """Return equal codes where values are equal, the last code where there is none, and how many codes there are."""
    if kind in DISCRETE:
        return shared_codes(columns)
    values = [numbers(c) for c in columns] if kind is Kind.INTEGER else []
    if not values or len(np.unique(np.concatenate(values[1:]))) > _NUMBERS + 1:  # NaN is one of these
        return [], 0
    whole = np.concatenate(values)
    missing = np.isnan(whole)
    distinct, place = np.unique(np.where(missing, 0.0, whole), return_inverse=True)
    ends = np.cumsum([len(v) for v in values])[:-1]
    return list(np.split(np.where(missing, len(distinct), place), ends)), len(distinct) + 1
