"""Real rows that have the shares of rows whose columns were set: what rebalanced rows can be held against.

Rows of a start that sets columns are not meant to have the shares of real rows. They are meant to be like those real
rows that have what was set: a balanced table like real rows drawn so that they are balanced. As many are drawn as there
are, without replacement, so that every score keeps its meaning: the second real sample is drawn in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.part_order import parents_first
from synthwright.core.schema import DISCRETE, ORDERED
from synthwright.core.values import labels, numbers
from synthwright.kit.measuring.stats import quantiles
from synthwright.kit.rows import rank_in_group

BINS = (10, 5, 3)
"""Ranges of an ordered column that are tried, the most first."""
MATERIAL = 0.005
"""The share of synthetic rows from which on what they have in common must occur among real rows."""
LEFT_OUT = 0.05
"""The share of synthetic rows that may go unmeasured because real rows have too few like them."""
FEWEST = 20
"""Real rows of a side, at least: fewer prove nothing."""
_COST = 0.5
"""More ranges are taken where they keep at least so many of the real rows that fewer would keep, as a share."""
_SPARSE = 0.5
"""Cells of few rows are left out where they would leave less than this of the real rows that the others allow."""
NOTHING_COMPARED = "nothing was compared"
"""How a problem ends that leaves every likeness unmeasured."""
_SIDES = ("training", "held-out")


class Matched(NamedTuple):
    """A case whose real rows have the shares of the synthetic ones."""

    case: Case
    notes: tuple[str, ...] = ()
    """What was matched, for people; no value of any row."""
    problem: str = ""
    """Why nothing can be matched: the columns for which real rows lack what was set."""


def matched(case: Case, ctx: Context) -> Matched:
    """Return the case with the most real rows that have the joint shares of its synthetic rows in what was set.

    Discrete columns count by value, ordered ones by at most ten ranges that hold equally many synthetic rows, fewer
    where they would leave too few real rows; null is a value. Where columns of real rows are kept beside those that
    are set, they count too: what is kept and what is set was put together by choice. Ordered columns of more than ten
    values stand, on all sides, as the ends of their ranges: how they lie within is chosen, not learned. Rows that refer
    to rows which were left out are left out too. A table for which real rows lack what was set has no real rows in the
    end; it is a problem where it is the only one.
    """
    if not case.chosen or case.train is None:
        return Matched(case)
    whole = [case.synthetic, case.train, *([case.holdout] if case.holdout is not None else [])]
    sides, notes, lacking, touched = whole, [], [], set[str]()
    for table in parents_first(case.schema):
        before = sides
        sides = [followed(s, w, table, touched) for s, w in zip(sides, whole, strict=True)]
        if any(s.rows(table) < b.rows(table) for s, b in zip(sides, before, strict=True)):
            touched.add(table)
            notes.append(f"rows of {table!r} were left out with the rows that they refer to")
        columns = _columns(case, table, sides)
        if not columns or not all(s.rows(table) for s in sides[:2]):
            continue
        named, chosen = ", ".join(f"{table}.{c}" for c in columns), _chosen(case, table, columns)
        stay, coarse = _matched([s.tables[table] for s in sides], columns, ctx.at(table))
        if stay is None:
            some = any((c >= 0).any() for c in _cells([s.tables[table] for s in sides], columns, BINS[-1])[0][1:])
            few = "too few real rows meet" if some else "no real row meets"
            lacking.append(f"{few} what was asked for ({named} {chosen}): {NOTHING_COMPARED}")
            sides = [sides[0], *(s.filter(table, np.zeros(s.rows(table), dtype=bool)) for s in sides[1:])]
            continue
        sides = [s.with_columns(table, {c: v[i] for c, v in coarse.items()}).filter(table, k)
                 for i, (s, k) in enumerate(zip(sides, stay, strict=True))]  # fmt: skip
        touched.add(table)
        rows = [(s.rows(table), w.rows(table)) for s, w in zip(sides, whole, strict=True)]
        notes += _notes(table, named, chosen, rows, [f"{table}.{c}" for c in coarse])
    if lacking and not sides[1].rows():
        return Matched(case, (lacking[0],), lacking[0])
    train, holdout = sides[1], sides[2] if len(sides) > 2 else None
    return Matched(case._replace(synthetic=sides[0], train=train, holdout=holdout), (*lacking, *notes))


def _chosen(case: Case, table: str, columns: Sequence[str]) -> str:
    """Return what was done to columns."""
    kept = any(f"{table}.{c}" not in case.chosen for c in columns)
    return f"{'was' if len(columns) == 1 else 'were'} set{' or kept' if kept else ''}"


def _notes(table: str, named: str, chosen: str, rows: Sequence[tuple[int, int]], coarse: Sequence[str]) -> list[str]:
    """Say how many rows of each side are compared, of how many."""
    real = [f"{now:,} of {every:,} {side} rows" for side, (now, every) in zip(_SIDES, rows[1:], strict=False) if every]
    against = f"likeness was held against {' and '.join(reversed(real))} of {table!r}"
    out = [f"{named} {chosen}: {against} with the shares that were asked for"]
    if coarse:
        out.append(f"likeness of {', '.join(coarse)} was measured by ranges: how values lie within them was set")
    now, every = rows[0]
    if now < every:
        out.append(f"{every - now:,} of {every:,} synthetic rows of {table!r} are left out of what measures likeness: "
                   f"too few real rows have the same in {named}")  # fmt: skip
    return out


def _columns(case: Case, table: str, sides: Sequence[Dataset]) -> tuple[str, ...]:
    """Return the modelled columns of a table that were set, with those that were kept beside them."""
    fields = case.schema.tables[table].fields
    known = [c for c, f in fields.items() if f.kind in ORDERED | DISCRETE and not f.anew and _shared(sides, table, c)]
    if not any(f"{table}.{c}" in case.chosen for c in known):
        return ()
    kept = {c for c in known if case.produced and f"{table}.{c}" not in case.produced}
    return tuple(c for c in known if c in kept or f"{table}.{c}" in case.chosen)


def _shared(sides: Sequence[Dataset], table: str, column: str) -> bool:
    """Return whether all sides have a column, in one type."""
    held = [s.tables[table].schema for s in sides]
    return all(column in h.names for h in held) and len({h.field(column).type for h in held}) == 1


def _matched(
    tables: Sequence[pa.Table], columns: Sequence[str], ctx: Context
) -> tuple[list[np.ndarray] | None, dict[str, list[pa.ChunkedArray]]]:
    """Return which rows of each table stay (None where they cannot be matched), and columns in ranges."""
    tried: list[tuple[list[np.ndarray], dict[str, list[pa.ChunkedArray]]]] = []
    for bins in BINS:
        cells, coarse = _cells(tables, columns, bins)
        stay = staying(cells, ctx.at(bins))
        tried += [(stay, coarse)] if stay is not None else []
        if not coarse:
            break
    kept = [min(float(s.mean()) for s in stay[1:] if len(s)) for stay, _ in tried]
    return next((t for t, k in zip(tried, kept, strict=True) if k >= _COST * max(kept)), (None, {}))


def _cells(
    tables: Sequence[pa.Table], columns: Sequence[str], bins: int
) -> tuple[list[np.ndarray], dict[str, list[pa.ChunkedArray]]]:
    """Return the cell of every row of every table, -1 where no synthetic row has its values, and coarse columns.

    Synthetic rows are the first table.
    """
    ends = np.cumsum([t.num_rows for t in tables])[:-1]
    joint = np.zeros(sum(t.num_rows for t in tables), dtype=np.int64)
    coarse: dict[str, list[pa.ChunkedArray]] = {}
    for name in columns:
        held = [t.column(name) for t in tables]
        codes, whole = _coded(held, bins)
        if whole is not None:
            coarse[name] = [whole.slice(begin, len(h)) for begin, h in zip((0, *ends.tolist()), held, strict=True)]
        strange = (codes < 0) | (joint < 0)
        _, joint = np.unique(joint * (codes.max(initial=0) + 1) + codes, return_inverse=True)
        joint[strange] = -1
    mine = np.unique(joint[: tables[0].num_rows])
    place = np.searchsorted(mine, joint)
    place[~np.isin(joint, mine)] = -1
    return list(np.split(place, ends)), coarse


def _coded(held: Sequence[pa.ChunkedArray], bins: int) -> tuple[np.ndarray, pa.ChunkedArray | None]:
    """Return columns end to end as codes, -1 for what synthetic values (the first) do not reach; and coarse values."""
    whole = pa.chunked_array([k for c in held for k in c.chunks], held[0].type)
    kind, mine = whole.type, len(held[0])
    if pa.types.is_boolean(kind) or pa.types.is_large_string(kind):
        codes, distinct = labels(whole)
        codes = np.where(codes < 0, len(distinct), codes)
        return np.where(np.isin(codes, codes[:mine]), codes, -1), None
    values = numbers(whole)
    missing = np.isnan(values)
    present = np.unique(values[:mine][~missing[:mine]])
    few = len(present) <= BINS[0]
    ends = present if few else quantiles(values[:mine], np.arange(1, bins + 1) / bins)
    codes = np.searchsorted(ends, values, side="left").astype(np.int64)
    inside = np.isin(values, ends) if few else (values >= present[0]) & (values <= present[-1])
    codes[~inside] = -1
    if missing[:mine].any():
        codes[missing] = len(ends)
    if few:
        return codes, None
    holds = np.array([int(np.argmax(values[:mine] == e)) for e in ends])  # a row that has the end of each range
    taken = whole.take(pa.array(holds[np.clip(codes, 0, len(ends) - 1)]))
    return codes, pc.if_else(pa.array(missing), pa.scalar(None, kind), taken)


def staying(cells: Sequence[np.ndarray], ctx: Context) -> list[np.ndarray] | None:
    """Return which rows of each side stay, synthetic rows first; None where too few real rows are like these."""
    size = int(cells[0].max(initial=0)) + 1
    counts = [np.bincount(c[c >= 0], minlength=size) for c in cells]
    asked, real = counts[0], [(n, len(c)) for n, c in zip(counts[1:], cells[1:], strict=True) if len(c)]
    share = asked / asked.sum()
    found = np.min([n / rows for n, rows in real], axis=0) / share  # how much of the real rows each cell allows
    left = _left_out(found, share)
    if left is None:
        return None
    wanted = np.where(left, 0, asked)
    stay = [~left[cells[0]]]
    for i, (side, have) in enumerate(zip(cells[1:], counts[1:], strict=True)):
        quota = _quota(wanted, have) if len(side) else wanted
        rank = rank_in_group(side.astype(np.uint64), ctx.at(_SIDES[i]).rng.permutation(len(side)))
        stay.append((side >= 0) & (rank < np.where(side >= 0, quota[side], 0)))
    return None if any(len(s) and s.sum() < FEWEST for s in stay[1:]) else stay


def _left_out(found: np.ndarray, share: np.ndarray) -> np.ndarray | None:
    """Return which cells are left out: few rows each, few in all, and hardly a real row; None where that is too much.

    Args:
        found: for each cell the share of real rows that can be drawn if no cell has fewer.
        share: the share of synthetic rows in it.
    """
    material = share > MATERIAL
    sparse = np.flatnonzero(~material & (found < _SPARSE * found[material].min(initial=np.inf)))
    sparse = sparse[np.argsort(found[sparse], kind="stable")]
    left = np.zeros(len(share), dtype=bool)
    left[sparse[np.cumsum(share[sparse]) <= LEFT_OUT]] = True
    return None if (found[~left] == 0).any() else left


def _quota(wanted: np.ndarray, have: np.ndarray) -> np.ndarray:
    """Return how many rows of each cell to draw: the most that keep the wanted shares, but for the rest of a row."""
    some, total = wanted > 0, int(wanted.sum())
    most = int((have[some] * total // wanted[some]).min())
    quota, rest = np.divmod(wanted * most, total)
    quota[np.argsort(-rest, kind="stable")[: most - int(quota.sum())]] += 1
    return quota


def followed(side: Dataset, whole: Dataset, table: str, touched: set[str]) -> Dataset:
    """Return a side without the rows of a table that refer to rows which were left out of other tables."""
    stay = np.ones(side.rows(table), dtype=bool)
    for name, field in side.schema.tables[table].fields.items():
        parent, key = side.schema.split(field.to) if field.to else ("", "")
        if parent not in touched or not side.has(f"{table}.{name}") or not whole.has(f"{parent}.{key}"):
            continue
        mine = side.tables[table].column(name)
        before, now = (d.tables[parent].column(key).combine_chunks().cast(mine.type) for d in (whole, side))
        gone = pc.and_(pc.is_in(mine, value_set=before), pc.invert(pc.is_in(mine, value_set=now)))
        stay &= ~np.asarray(gone.to_numpy())
    return side if stay.all() else side.filter(table, stay)
