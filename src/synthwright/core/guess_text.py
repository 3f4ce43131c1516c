"""What text columns are: something spelled as text, personal data, labels, codes, or words."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.casting import as_text, cast_values, from_text, is_binary, is_text
from synthwright.core.check_digits import checked
from synthwright.core.compounds import ways_of
from synthwright.core.forms import Recognised, means_null, parse, recognise
from synthwright.core.guess import (
    NAMES_ROWS,
    NUMBERS_ROWS,
    SHARED,
    SOME,
    Column,
    Guess,
    empty,
    field_of,
    guess_column,
    marked,
    stepped,
)
from synthwright.core.native import Native, native
from synthwright.core.numerals import TEXT
from synthwright.core.schema import Kind

_FEW = 20
_FEW_DIGITS = 40
"""Fewer different numbers in text are labels, where a frame holds them as text."""
_UUID = r"^\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$"
_CODE = r"^[^\s@]{1,64}$"
_KEPT = 0.98
"""Numbers in text are labels where so many rows share theirs."""
_PUT_TOGETHER = "all are put together of numbers in one of a few ways"
_DIGITS = "1234"
"""The form of numbers that are nothing but digits."""


class Labels(NamedTuple):
    """The distinct values of a text column and how many rows hold each."""

    words: Any
    counts: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows hold a value."""
        return int(self.counts.sum())

    @property
    def repeated(self) -> float:
        """Which share of the rows holds a value that enough rows share."""
        return float(self.counts[self.counts >= SHARED].sum() / max(self.rows, 1))

    def some(self) -> list[str]:
        """Return some of the values, from everywhere."""
        step = max(1, len(self.words) // SOME)
        return self.words.take(pa.array(np.arange(0, len(self.words), step)[:SOME])).to_pylist()


def labels_of(values: Any) -> Labels:
    """Return the distinct values of a text column, without nulls, and their counts."""
    counted = pc.value_counts(values.drop_null())
    return Labels(counted.field(0), np.asarray(counted.field(1)))


def guess_labels(column: Column) -> Guess:
    """Guess what a dictionary column is: a category, unless its labels hardly repeat."""
    values, ordered = column.values, column.outside.ordered
    if values.null_count == len(values):
        return empty(column)._replace(field=field_of(column, Kind.CATEGORY, nulls=True, ordered=ordered))
    if is_binary(values.type):
        return Guess(field_of(column, Kind.BYTES), "bytes", "made anew, for what they mean is not known")
    labels = labels_of(as_text(values))
    words = is_text(values.type)
    if not ordered and (words or pa.types.is_integer(values.type)):
        mark = marked(column, labels.some(), labels.rows, len(labels.words), digits=not words)
        if mark is not None:
            return mark
    if ordered or labels.repeated >= 0.3 or len(labels.words) <= 50:
        shared = set(labels.words.filter(pa.array(labels.counts >= SHARED)).to_pylist())
        kept = tuple(label for label in column.order if label in shared)
        return Guess(field_of(column, Kind.CATEGORY, ordered=ordered, labels=kept))
    if is_text(values.type):
        return _words(column, labels)
    guess = guess_column(column._replace(outside=column.outside.value_type))
    return guess._replace(field=guess.field.model_copy(update={"type": str(column.outside)}))


def guess_text(column: Column) -> Guess:
    """Guess what strings are."""
    if column.values.null_count == len(column.values):
        return empty(column)
    if column.text:
        kept = _without_nulls(column)
        labels = labels_of(kept.values)
        found = native(labels.words)
        if found is not None and (not column.typed or pa.types.is_temporal(found.type)):
            return _remark(_as_native(kept, found), column, kept)
        guess = _recognised(kept, labels)
        if guess is not None:
            return _remark(guess, column, kept)
    labels = labels_of(column.values)
    guess = None if column.text else _recognised(column, labels)
    return guess or _words(column, labels)


def _without_nulls(column: Column) -> Column:
    """Return a column of a text file with nulls where a cell says that there is no value."""
    return column._replace(values=pc.if_else(means_null(column.values), pa.scalar(None, TEXT), column.values))


def _remark(guess: Guess, before: Column, after: Column) -> Guess:
    """Say how many cells were taken for nulls."""
    gone = after.values.null_count - before.values.null_count
    if not gone:
        return guess
    cells = "1 cell that says" if gone == 1 else f"{gone:,} cells that say"
    said = f"{guess.said + ', ' if guess.said else ''}nulls for {cells} there is no value"
    return guess._replace(said=said, why=guess.why or "all other cells are no text")


def _as_native(column: Column, found: Native) -> Guess:
    """Guess what cells are that every reader takes for numbers, dates or booleans."""
    if found.form and pa.types.is_timestamp(found.type):
        values = cast_values(parse(column.values, found.form, Kind.DATETIME), found.type)
    else:
        values = from_text(column.values, found.type)
    guess = guess_column(column._replace(outside=found.type, values=values, text=False))
    if found.form and guess.field.form is None and guess.field.sensitive is None and not guess.identity:
        return guess._replace(field=guess.field.model_copy(update={"form": found.form}))
    return guess


def _recognised(column: Column, labels: Labels) -> Guess | None:
    """Guess what strings are that are spelled in a form, or None."""
    found = recognise(labels.words)
    if found is None:
        return None
    if found.form == _DIGITS:
        rows, distinct = labels.rows, len(labels.words)
        mark = marked(column, labels.some(), rows, distinct, digits=False)
        if mark is not None:
            return mark
        if NAMES_ROWS.fullmatch(column.plain) or (distinct <= _FEW_DIGITS and labels.repeated >= 0.9):
            return None  # identifiers, and labels that happen to be digits
        if checked(labels.words):
            return None  # numbers of books and goods
    values = parse(labels.words, found.form, found.kind)
    if found.kind is Kind.BOOLEAN:
        guess = Guess(field_of(column, found.kind, form=found.form))
    else:
        guess = stepped(Column(column.name, values.type, values), found.kind, form=found.form)
        guess = guess._replace(
            field=guess.field.model_copy(update={"type": str(column.outside), "nulls": bool(column.values.null_count)})
        )
    return guess._replace(said=_spelling(found, guess.said), why=found.why or "every value is spelled so")


def _spelling(found: Recognised, steps: str) -> str:
    what = (
        "percentages" if "%" in found.form and found.kind in (Kind.INTEGER, Kind.NUMBER) else f"kind {found.kind.value}"
    )
    return f"{what} in text, spelled like {found.form}" + (f", {steps}" if steps else "")


def _words(column: Column, labels: Labels) -> Guess:
    """Guess what strings are that spell nothing else."""
    rows, distinct = labels.rows, len(labels.words)
    mark = marked(column, labels.some(), rows, distinct, digits=False)
    if mark is not None:
        return mark
    identity = _identity(column, labels)
    if identity:
        return Guess(field_of(column, Kind.TEXT, unique=True), identity=identity)
    share = labels.repeated
    if distinct > _FEW and share < _KEPT and ways_of(labels.words, labels.counts, SHARED) is not None:
        return Guess(field_of(column, Kind.TEXT), "numbers in text, each learned as a number", _PUT_TOGETHER)
    foreign = distinct > _FEW and _share(labels.words, _UUID) >= 0.95
    if not foreign and (distinct == 1 or share >= 0.5 or (share >= 0.3 and _short(labels))):
        return _category(column, labels)
    if foreign:
        return Guess(field_of(column, Kind.TEXT), "identifiers, made anew", "they name something outside of this table")
    return _free(column, labels)


def _category(column: Column, labels: Labels) -> Guess:
    field = field_of(column, Kind.CATEGORY)
    if len(labels.words) == 1:
        return Guess(field, "a constant", "every value is the same")
    if _zeros(labels):
        return Guess(field, "labels, not numbers", "digits with leading zeros are codes")
    if len(labels.words) > _FEW:
        return Guess(
            field,
            f"a category of {len(labels.words):,} labels",
            f"{labels.repeated:.0%} of the rows share theirs with at least two others",
        )
    return Guess(field)


def _free(column: Column, labels: Labels) -> Guess:
    field = field_of(column, Kind.TEXT)
    if _zeros(labels):
        return Guess(field, "codes, made anew", "digits with leading zeros are codes, and few repeat")
    numbers = pc.sum(pc.is_valid(from_text(labels.words, pa.float64()))).as_py() or 0
    if numbers >= 0.8 * len(labels.words):
        rest = int(labels.counts[~np.asarray(from_text(labels.words, pa.float64()).is_valid())].sum())
        return Guess(field, "text, made anew", f"{rest:,} cells are no plain number: correct them if they should be")
    return Guess(
        field, "text, made anew", f"only {labels.repeated:.0%} of the rows share their words with at least two others"
    )


def _zeros(labels: Labels) -> bool:
    return _share(labels.words, r"^[0-9]+$") == 1 and _share(labels.words, r"^0[0-9]") > 0


def _short(labels: Labels) -> bool:
    """Return whether values are as short as labels are."""
    return bool(pc.mean(pc.utf8_length(labels.words)).as_py() <= 40)


def _share(words: Any, pattern: str) -> float:
    return float(pc.mean(pc.match_substring_regex(words, pattern).cast(pa.int8())).as_py())


def _identity(column: Column, labels: Labels) -> int:
    """Return how surely texts name the rows (see `Guess.identity`)."""
    rows = len(column.values)
    if column.values.null_count or len(labels.words) < rows or rows < 2 or _share(labels.words, _CODE) < 1:
        return 0
    if NAMES_ROWS.fullmatch(column.plain) or _share(labels.words, _UUID) >= 0.95:
        return 3
    if rows < 10 or _share(labels.words, "[0-9]") < 1:
        return 0
    if NUMBERS_ROWS.fullmatch(column.plain):
        return 2
    if len({_skeleton(w) for w in labels.some()}) > 1 or _share(labels.words, r"^[0-9.,+-]+$"):
        return 0
    return 0 if ways_of(labels.words, labels.counts, SHARED) is not None else 2


def _skeleton(word: str) -> str:
    """Return how a code is built: letters, then digits, then …: `INV-0012` is `A-9`."""
    return re.sub(r"[0-9]+", "9", re.sub(r"[^\W\d_]+", "A", word))
