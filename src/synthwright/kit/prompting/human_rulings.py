"""What people ruled on rows: read from a file, matched with rows, and held against the rulings of a judge."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Kind, Schema, Table
from synthwright.kit.lookups import flat
from synthwright.kit.measuring.stats import Estimate
from synthwright.kit.prompting.agreement import alpha_estimate, best_threshold, cross_fitted, kappa_estimate
from synthwright.kit.texts.text_sets import source_of

FEWEST = 10
"""Rulings from which agreement can be told, and a threshold fitted."""
_KEEP = {"keep": True, "kept": True, "yes": True, "true": True, "drop": False, "dropped": False, "no": False,
         "false": False}  # fmt: skip


class File(NamedTuple):
    """A file that says what people ruled on rows of one table."""

    path: str
    """Relative to the project folder."""
    ruling: str
    """The column that holds what they said."""
    scale: tuple[int, int] | None
    """The worst and the best score; nothing: only keep and drop."""


class People(NamedTuple):
    """What people ruled on rows."""

    number: np.ndarray
    """A score, or 1 for keep and 0 for drop."""
    scored: bool
    rows: Dataset | None = None
    """The rows, where the file holds what the judge looks at."""
    at: np.ndarray | None = None
    """The places of the rows in the data, otherwise; -1 for those that are not there."""


class Cut(NamedTuple):
    """From which score rows stay."""

    stated: float
    """The least score to stay, as it was stated."""
    by: Literal["stated", "kappa", "youden"]
    candidates: np.ndarray
    """The scores that may be chosen instead."""
    least: float
    """The agreement below which readers are warned."""


class Agreed(NamedTuple):
    """From which score rows stay, and how far judge and people agree."""

    threshold: float
    notes: tuple[str, ...]


# ------------------------------------------------------------------------------------------------------------ the file
def people(file: File, needed: tuple[str, ...], data: Dataset, table: str, ctx: Context) -> People:
    """Return what people ruled.

    Args:
        file: where they said it.
        needed: the columns that the judge looks at: where the file has them all, its own rows are judged.
        data: the rows; those of a file without these columns are found by the table's key, or by `#row`.
        table: the table.
        ctx: says which paths may be read.

    Raises:
        InputError: the file cannot be read, or does not say what was ruled on which row.
        PathError: it leaves the project folder.
    """
    path, ruling, scale = file
    where = ctx.open_path(path)
    if not where.is_file():
        raise InputError(path, "rulings of people", wanted="a file of CSV, JSON Lines or Parquet", got="no such file")
    source = source_of(path, where)
    held = next(iter(source.tables(ctx).values()))
    if ruling not in held.column_names:
        near = get_close_matches(ruling, held.column_names, n=1)
        raise InputError(path, f"column {ruling!r}", wanted="what people ruled: keep, drop or a score", got="none",
                         remedy=f"did you mean {near[0]!r}?" if near else "say `ruling: COLUMN`")  # fmt: skip
    held = held.filter(held.column(ruling).is_valid())
    number, scored = _numbers(path, flat(held.column(ruling)), scale)
    fields = data.schema.tables[table].fields
    own = {c: fields[c] for c in needed if c in fields and fields[c].kind is not Kind.REFERENCE}
    if set(needed) == set(own) and set(needed) <= set(held.column_names):
        small = Schema(tables={table: Table(fields=own)})
        rows = Dataset.of({table: held.select(list(own))}, small, text=source.text)
        return People(number, scored, rows=rows)
    return People(number, scored, at=_found(path, held, data, table, needed))


def _numbers(path: str, said: pa.Array, scale: tuple[int, int] | None) -> tuple[np.ndarray, bool]:
    """Return rulings as numbers, and whether they are scores."""
    words = [str(v).strip().casefold() for v in said.to_pylist()]
    if all(w in _KEEP for w in words):
        return np.array([_KEEP[w] for w in words], dtype=np.float64), False
    wanted = f"keep, drop or a score from {scale[0]} to {scale[1]}" if scale else "keep or drop"
    try:
        found = np.array([float(w) for w in words])
        fits = scale is not None and bool(((found >= scale[0]) & (found <= scale[1])).all())
    except ValueError:
        fits = False
    if not fits:
        raise InputError(path, "rulings of people", wanted=f"in each row {wanted}", got="something else")
    return found, True


def _found(path: str, held: pa.Table, data: Dataset, table: str, needed: tuple[str, ...]) -> np.ndarray:
    """Return where in the data the rows of a file are."""
    key = data.schema.tables[table].key
    names = [c for c in (key, ROW) if c is not None and c in held.column_names]
    if not names:
        either = f"the key {key!r}" if key is not None else f"row numbers, {ROW!r}"
        raise InputError(path, "rulings of people", wanted=f"the columns {', '.join(needed)}, or {either}",
                         got=f"columns {', '.join(held.column_names[:10])}")  # fmt: skip
    numbers = pa.array(data.row_numbers(table))
    known = numbers if names[0] == ROW else flat(data.tables[table].column(names[0]))
    try:
        mine = flat(held.column(names[0])).cast(known.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(path, f"column {names[0]!r}", wanted=f"values of type {known.type}",
                         got="others") from None  # fmt: skip
    if pc.count_distinct(mine, mode="all").as_py() != len(mine):
        raise InputError(path, f"column {names[0]!r}", wanted="each row once", got="some twice")
    return np.asarray(pc.fill_null(pc.index_in(mine, value_set=known), -1).to_numpy(zero_copy_only=False))


# ------------------------------------------------------------------------------------------------------------ agreeing
def agreed(scores: np.ndarray, ruled: np.ndarray, cut: Cut, who: str, ctx: Context, *, scored: bool) -> Agreed:
    """Return how far scores agree with what people ruled, and from which score rows stay.

    Args:
        scores: what the judge gave each row; NaN where it did not answer: such a row goes.
        ruled: what people said of the same rows.
        cut: where the threshold is, or how it is found.
        who: the judge, for people.
        ctx: the randomness.
        scored: whether people gave scores.
    """
    keep = ruled >= cut.stated if scored else ruled > 0
    few = min(int(keep.sum()), int((~keep).sum()))
    if len(scores) < FEWEST or not few:
        why = f"only {len(scores)}" if len(scores) < FEWEST else f"all {len(scores)} alike"
        return Agreed(cut.stated, (f"how far {who} agrees with people cannot be told: their rulings are {why}",))
    if cut.by == "stated":
        threshold, stays = cut.stated, scores >= cut.stated
        told = ""
    else:
        threshold = best_threshold(scores, keep, cut.candidates, cut.by, cut.stated)
        stays = cross_fitted(scores, keep, cut.candidates, cut.by, cut.stated, ctx.at("folds").rng)
        told = (f"; rows stay from a score of {threshold:g}, where it agrees best with people, and the agreement is "
                "that of thresholds fitted on other rows")  # fmt: skip
    kappa = kappa_estimate(stays, keep, ctx.at("kappa").rng)
    alpha = alpha_estimate(np.column_stack([stays, keep]), ctx.at("alpha").rng)
    both = f"kappa {_said(kappa)}, Krippendorff's alpha {_said(alpha)}"
    notes = [f"{who} and people on {len(scores):,} rows, whether they stay: {both}{told}"]
    if scored:
        notes += _of_scores(scores, ruled, who, ctx)
    if not kappa.low >= cut.least:
        notes.append(f"{who} may not agree with people: kappa could be as low as {kappa.low:.2f}, below "
                     f"{cut.least:g}; sharpen the rubric, take another model, or have more rows ruled on")  # fmt: skip
    return Agreed(threshold, tuple(notes))


def _of_scores(scores: np.ndarray, ruled: np.ndarray, who: str, ctx: Context) -> list[str]:
    """Return how far scores agree, of the rows that the judge answered on."""
    there = ~np.isnan(scores)
    one, other = scores[there], ruled[there]
    kappa = kappa_estimate(one, other, ctx.at("scores", "kappa").rng, weights="quadratic")
    alpha = alpha_estimate(np.column_stack([one, other]), ctx.at("scores", "alpha").rng, level="interval")
    both = f"quadratic kappa {_said(kappa)}, Krippendorff's alpha {_said(alpha)}"
    return [f"{who} and people on {int(there.sum()):,} rows, their scores: {both}"]


def _said(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return "unknown, as all are alike"
    return f"{estimate.value:.2f} (95 %: {estimate.low:.2f} to {estimate.high:.2f})"
