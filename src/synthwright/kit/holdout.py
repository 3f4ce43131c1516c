"""Holding real rows out: by share, by entity, by date; rows of child tables go with their parents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.part_order import parents_first
from synthwright.core.schema import DISCRETE, Kind
from synthwright.core.spec import Holdout
from synthwright.core.values import labels, numbers

MOST_STRATA = 50
"""A target with more values is not stratified by."""


def split(
    data: Dataset, how: Holdout, target: str | None, ctx: Context, least: int, *, by_number: bool = False
) -> tuple[Dataset, Dataset | None, list[str]]:
    """Split data into training rows, held-out rows and what there is to say about it.

    Args:
        data: the real rows.
        how: by share, by entity or by date.
        target: the column whose proportions both sides keep.
        ctx: the randomness.
        least: the fewest rows that a training table may be left with; where there are too few, fewer are held out.
        by_number: whether a row's number alone decides, each for itself: one row more or less moves no other. Of
            entities it is that of their first row among those of other entities.
    """
    chosen: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for table in parents_first(data.schema):
        rows = data.rows(table)
        link = _parent_link(data, table, chosen)
        if link is not None:
            held = link
        elif how.after is not None:
            held = _after(data, table, how)
        elif how.by is not None and data.schema.split(how.by)[0] == table:
            held = _by_entity(data, how, ctx.at(table), by_number=by_number)
        else:
            held = _by_share(data, table, how.share or 0.2, target, ctx.at(table), by_number=by_number)
        if rows - int(held.sum()) < min(least, rows):
            if how.after is not None or how.by is not None:
                raise InputError(table, "the holdout", wanted=f"at least {least} rows left to learn from",
                                 got=f"{rows - int(held.sum())}", remedy="hold fewer rows out")  # fmt: skip
            held = np.zeros(rows, dtype=bool)
            notes.append(f"{table}: no rows were held out, because only {rows} are there")
        chosen[table] = held
    if how.after is not None and not any(h.any() for h in chosen.values()):
        raise InputError("the source", "the holdout", wanted=f"rows with a date after {how.after}", got="none",
                         remedy="choose an earlier date, name its column, or hold out a share")  # fmt: skip
    if not any(h.any() for h in chosen.values()):
        return data, None, notes or ["no rows were held out"]
    train, rest = data, data
    for table, held in chosen.items():
        train, rest = train.filter(table, ~held), rest.filter(table, held)
    return train, rest, notes


def _parent_link(data: Dataset, table: str, chosen: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return which rows belong to held-out parents, by the first reference to a table already split."""
    for name, field in data.schema.tables[table].fields.items():
        if field.to is None:
            continue
        parent, key = data.schema.split(field.to)
        if parent == table or parent not in chosen:
            continue
        keys = data.tables[parent].column(key).filter(pa.array(chosen[parent]))
        mine = data.tables[table].column(name)
        return np.asarray(pc.is_in(mine, value_set=keys.combine_chunks().cast(mine.type)).to_numpy())
    return None


def _by_share(
    data: Dataset, table: str, share: float, target: str | None, ctx: Context, *, by_number: bool
) -> np.ndarray:  # fmt: skip
    """Hold out a share of every stratum of the target, the odd row by chance; or each row by its number alone."""
    rows = data.rows(table)
    if by_number:
        return np.asarray(ctx.rng.random(rows) < share)
    strata = np.zeros(rows, dtype=np.int64)
    if target is not None and data.schema.split(target)[0] == table:
        field, column = data.schema.field(target), data.column(target)
        if field.kind in DISCRETE or pc.count_distinct(column).as_py() <= MOST_STRATA:
            strata = labels(column)[0] + 1
    held = np.zeros(rows, dtype=bool)
    shuffled = ctx.rng.permutation(rows)
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    sizes = np.bincount(strata[by_stratum] if rows else strata)
    starts = np.cumsum(sizes) - sizes
    whole = np.floor(sizes * share + ctx.at("odd").rng.random(len(sizes))).astype(np.int64)
    for start, count in zip(starts, whole, strict=True):
        held[by_stratum[start : start + count]] = True
    return held


def _by_entity(data: Dataset, how: Holdout, ctx: Context, *, by_number: bool) -> np.ndarray:
    assert how.by is not None  # noqa: S101  the caller looked
    codes, entities = labels(data.column(how.by))
    if by_number:
        held = ctx.rng.random(len(entities)) < (how.share or 0.2)
        return np.asarray(np.append(held, False)[codes])  # rows of nobody stay
    chosen = ctx.rng.permutation(len(entities))[: max(1, round(len(entities) * (how.share or 0.2)))]
    return np.asarray(np.isin(codes, chosen))


def _after(data: Dataset, table: str, how: Holdout) -> np.ndarray:
    """Hold out the rows after a date; rows without one stay."""
    fields = data.schema.tables[table].fields
    dated = [c for c, f in fields.items() if f.kind in (Kind.DATE, Kind.DATETIME)]
    if how.column is not None:
        named, column = data.schema.split(how.column)
        if named == table and data.schema.field(how.column).kind not in (Kind.DATE, Kind.DATETIME):
            raise InputError(table, f"column {column!r}", wanted="a date or datetime for the holdout",
                             got=f"kind {data.schema.field(how.column).kind.value}")  # fmt: skip
        dated = [column] if named == table else []
    if not dated:
        return np.zeros(data.rows(table), dtype=bool)
    if len(dated) > 1:
        raise InputError(table, "the holdout", wanted="the column that 'after' looks at", got=f"{len(dated)} dates",
                         remedy=f"say 'column: {table}.{dated[0]}' beside 'after'")  # fmt: skip
    column = data.tables[table].column(dated[0])
    try:
        edge = pa.scalar(how.after).cast(column.type)
    except pa.ArrowInvalid:
        raise InputError(table, "the holdout", wanted="'after' in ISO form (2024-01-31)", got=repr(how.after)) from None
    return np.asarray(numbers(column) > numbers(pa.array([edge.as_py()], column.type))[0])
