"""What faults are built with, and ten faults kept apart: what practitioners meet, at full strength only.

A fault takes a `Split`, a strength (0 weak, 1 middle, 2 full; here it changes nothing) and a stream of randomness, and
returns the second sample with the fault in it, or nothing where such a table cannot have it. The ten here are no part
of `faults.FAULTS`, so that gates set with those can be proved with these. No fault knows how it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Rng = np.random.Generator


class Split(NamedTuple):
    """One table in three: what a generator learned from, what it never saw, and an honest stand-in for its rows."""

    train: pa.Table
    holdout: pa.Table
    second: pa.Table
    """A second real sample of the size of `train`."""
    target: str | None
    kinds: Mapping[str, str]
    """Of each column: `number`, `time` (days, instants), `label`, or `other` (nearly unique text, constants)."""

    @staticmethod
    def of(table: pa.Table, target: str | None, rng: Rng, rows: int = 4_000) -> Split:
        """Draw rows: two fifths to learn from, a fifth held out, two fifths as second sample."""
        drawn = table.take(rng.permutation(table.num_rows)[:rows]).combine_chunks()
        fifth = drawn.num_rows // 5
        parts = (drawn.slice(0, 2 * fifth), drawn.slice(2 * fifth, fifth), drawn.slice(3 * fifth, 2 * fifth))
        return Split(*parts, target, {name: kind_of(drawn[name]) for name in drawn.column_names})

    def named(self, *kinds: str) -> list[str]:
        """Return the columns of these kinds."""
        return [name for name, kind in self.kinds.items() if kind in kinds]

    @property
    def rows(self) -> int:
        """How many rows the second sample has."""
        return self.second.num_rows

    @property
    def wide(self) -> list[str]:
        """The numbers with at least 20 values, none of them in half of the rows."""
        counts = {c: pc.value_counts(self.second[c].drop_null()).field("counts") for c in self.named("number")}
        return [c for c, n in counts.items() if len(n) >= 20 and pc.max(n).as_py() < self.rows / 2]


class Fault(NamedTuple):
    """One fault."""

    what: str
    """What it does, in a sentence."""
    make: Callable[[Split, int, Rng], pa.Table | None]


# ---------------------------------------------------------------------------------------------------------- columns
def kind_of(column: pa.ChunkedArray) -> str:
    """Return what a column's values are, by their type; text is labels where a value has ten rows on average."""
    differ = len(column.drop_null().unique()) if len(column) else 0
    if differ < 2 or pa.types.is_nested(column.type):
        return "other"
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return "number"
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return "time"
    return "label" if differ <= max(2, len(column) / 10) else "other"


def replaced(table: pa.Table, name: str, column: Any) -> pa.Table:
    """Return a table with another column of this name."""
    return table.set_column(table.column_names.index(name), name, column)


def values(table: pa.Table, name: str) -> np.ndarray:
    """Return numbers, days or ticks as floats; missing ones are not a number."""
    column = table[name].combine_chunks()
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).copy()


def step_of(known: np.ndarray) -> float | None:
    """Return the largest step on which all numbers lie: their greatest common divisor, or a power of ten below one."""
    seen = np.unique(known[np.isfinite(known)])
    if not (seen % 1).any():
        return float(max(1, np.gcd.reduce(seen.astype(np.int64)))) if seen.size else None
    return next((10.0**-d for d in range(1, 7) if (np.rint(seen * 10**d) / 10**d == seen).all()), None)


def put(table: pa.Table, name: str, new: np.ndarray, *, exact: bool = False) -> pa.Table:
    """Return a table with other numbers in a column, of the same type and, unless `exact`, on the same step."""
    old, column = values(table, name), table[name].combine_chunks()
    step = None if exact else step_of(old)
    if step:
        new = np.round(np.rint(new / step) * step, 6)
    missing, same = np.isnan(new), (new == old) | (np.isnan(new) & np.isnan(old))
    made: Any = np.where(missing, 0, new)
    if pa.types.is_integer(column.type) or pa.types.is_temporal(column.type):
        size = np.dtype(f"int{column.type.bit_width}") if pa.types.is_temporal(column.type) else None
        size = size or np.dtype(column.type.to_pandas_dtype())
        made = np.clip(np.rint(made), np.iinfo(size).min, np.iinfo(size).max).astype(size)
    made = pa.array(made, mask=missing).cast(column.type, safe=False)
    return replaced(table, name, pc.if_else(pa.array(same), column, made))


def coded(table: pa.Table, name: str) -> tuple[np.ndarray, list[Any]]:
    """Return a column as codes, −1 for missing values, and the values they stand for, most frequent first."""
    column = table[name].combine_chunks()
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    made = column.dictionary_encode()
    found = made.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    order = np.argsort(-np.bincount(found[found >= 0], minlength=len(made.dictionary)), kind="stable")
    return np.append(np.argsort(order), -1)[found], made.dictionary.take(order).to_pylist()


def relabelled(table: pa.Table, name: str, found: np.ndarray, labels: list[Any]) -> pa.Table:
    """Return a table with a column of labels written anew."""
    kind = table.schema.field(name).type
    flat = kind.value_type if pa.types.is_dictionary(kind) else kind
    made = pa.array(labels, flat).take(pa.array(found, mask=found < 0))
    return replaced(table, name, made.dictionary_encode().cast(kind) if kind != flat else made)


def codes(table: pa.Table, name: str, bins: int = 8) -> np.ndarray:
    """Return a column as few codes from 0: quantiles (spikes by themselves), or the most frequent values and a rest."""
    if kind_of(table[name]) in ("number", "time"):
        known = values(table, name)
        edges = np.unique(np.nanquantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
        found = np.searchsorted(edges, known) + np.searchsorted(edges, known, side="right")
    else:
        found = np.minimum(coded(table, name)[0], 2 * bins)
    return np.unique(found, return_inverse=True)[1]


def links(table: pa.Table, names: list[str]) -> np.ndarray:
    """Return how much each two columns say about each other, from 0 to 1; 0 for a column and itself."""
    found = [codes(table, n) for n in names]
    begins, size = np.cumsum([0, *(c.max() + 1 for c in found)]), table.num_rows
    hot = np.hstack([np.eye(c.max() + 1, dtype=np.float32)[c] for c in found])
    joint, alone = (hot.T @ hot).astype(np.float64) / size, hot.mean(0, dtype=np.float64)
    gained = joint * np.log(np.maximum(joint, 1e-12) / np.outer(alone, alone))
    said = np.add.reduceat(np.add.reduceat(gained, begins[:-1], 0), begins[:-1], 1)
    most, free = said.diagonal(), np.diff(begins) - 1
    said = (said - np.outer(free, free) / 2 / size) / (np.minimum.outer(most, most) + 1e-9)
    np.fill_diagonal(said, 0)
    return np.clip(said, 0, 1)


# ------------------------------------------------------------------------------------------------------------- rows
def some(rows: int | np.ndarray, share: float, rng: Rng) -> np.ndarray:
    """Return a share of the rows, at least one, drawn without replacement."""
    drawn = rng.permutation(rows)
    return drawn[: max(1, round(share * len(drawn)))]


def mixed(table: pa.Table, rows: np.ndarray, other: pa.Table, taken: np.ndarray) -> pa.Table:
    """Return a table with rows of another in the place of some of its own."""
    order = np.arange(table.num_rows)
    order[rows] = table.num_rows + taken
    return pa.concat_tables([table, other]).take(order).combine_chunks()


def without(table: pa.Table, rows: np.ndarray) -> pa.Table | None:
    """Return a table without some rows, by number or as booleans; nothing where that takes none, or nearly all."""
    keep = np.full(table.num_rows, True)
    keep[rows] = False
    return table.filter(pa.array(keep)) if 20 <= keep.sum() < len(keep) else None


def shuffled(
    table: pa.Table, names: list[str], rows: np.ndarray, rng: Rng, *, within: Any = None, together: bool = False
) -> pa.Table:
    """Return a table whose columns are shuffled among rows, each by itself or `together`, `within` strata if given."""
    strata = (np.zeros(table.num_rows) if within is None else within)[rows]
    order = np.arange(table.num_rows)
    for i, name in enumerate(names):
        if i == 0 or not together:
            order[rows[np.lexsort((rng.random(len(rows)), strata))]] = rows[np.lexsort((rng.random(len(rows)), strata))]
        table = replaced(table, name, table[name].take(pa.array(order)))
    return table


def jittered(split: Split, table: pa.Table, size: float, rng: Rng) -> pa.Table:
    """Return a table with noise in all numbers and times, in standard deviations; spikes and ranges stay."""
    for name in split.named("number", "time"):
        known, now = values(split.second, name), values(table, name)
        seen, counts = np.unique(known[~np.isnan(known)], return_counts=True)
        if len(seen) < 2:
            continue
        low, high = min(seen[0], np.nanmin(now)), max(seen[-1], np.nanmax(now))
        moved = np.clip(now + size * np.nanstd(known) * rng.normal(size=len(now)), low, high)
        table = put(table, name, np.where(np.isin(now, seen[counts > 0.05 * len(known)]), now, moved))
    return table


def features(split: Split, table: pa.Table) -> np.ndarray:
    """Return rows as points: numbers in standard deviations, different labels at distance one."""
    parts = [np.zeros((table.num_rows, 1))]
    for name in split.named("number", "time"):
        known = values(table, name)
        far = np.nan_to_num((known - np.nanmean(known)) / (np.nanstd(known) or 1))
        parts.append(np.clip(far, -4, 4)[:, None])
    parts += [np.eye(c.max() + 1)[c] * 0.5**0.5 for c in (codes(table, n, 25) for n in split.named("label"))]
    return np.hstack(parts).astype(np.float32)


def nearest(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return of every row its nearest other row and the distance to it, in blocks."""
    who, far, length = np.empty(len(points), np.int64), np.empty(len(points)), (points**2).sum(1)
    for begin in range(0, len(points), 500):
        block = slice(begin, min(begin + 500, len(points)))
        apart = length[block, None] + length - 2 * points[block] @ points.T
        apart[np.arange(block.stop - begin), np.arange(begin, block.stop)] = np.inf
        who[block], far[block] = apart.argmin(1), apart.min(1)
    return who, far


def group(split: Split, share: float, rng: Rng, among: list[str] | None = None) -> tuple[str, Any] | None:
    """Return a column and a label that about such a share of the rows has: one of the three nearest, if any."""
    found = []
    for name in split.named("label") if among is None else among:
        now, labels = coded(split.second, name)
        counts = np.bincount(now[now >= 0], minlength=len(labels))
        found += [(abs(np.log(n / split.rows / share)), name, x) for n, x in zip(counts, labels, strict=True) if n > 4]
    found = sorted((f for f in found if f[0] < np.log(1.7)), key=lambda f: f[0])[:3]
    return found[rng.integers(len(found))][1:] if found else None


def has(table: pa.Table, name: str, label: Any) -> np.ndarray:
    """Return which rows have a label."""
    now, labels = coded(table, name)
    return now == (labels.index(label) if label in labels else -2)


def any_of(things: list[Any], rng: Rng) -> Any:
    """Return one of several things, nothing of none."""
    return things[rng.integers(len(things))] if things else None


def linked(split: Split, *kinds: str) -> list[str]:
    """Return the columns of these kinds that say something about another column, the most first."""
    names = split.named("number", "time", "label")
    if len(names) < 2:
        return []
    most = links(split.second, names).max(1, initial=0)
    return [names[i] for i in np.argsort(-most, kind="stable") if most[i] > 0.08 and split.kinds[names[i]] in kinds]


def ranks(known: np.ndarray) -> np.ndarray:
    """Return the place of every number among all, from 0 to 1; equal numbers share theirs, missing ones are last."""
    up = np.sort(known)
    return (np.searchsorted(up, known) + np.searchsorted(up, known, side="right")) / 2 / max(1, len(up))


def correlated(split: Split, rng: Rng) -> Any:
    """Return two numbers with a rank correlation of at least 0.15, of the five most correlated pairs, if there are."""
    known = {n: ranks(values(split.second, n)) for n in split.named("number", "time")}
    names = [n for n, v in known.items() if v.std() > 0]
    pairs = [(abs(np.corrcoef(known[a], known[b])[0, 1]), a, b) for i, a in enumerate(names) for b in names[:i]]
    pair = any_of(sorted((p for p in pairs if p[0] >= 0.15), reverse=True)[:5], rng)
    return pair and pair[1:]


def numbers(split: Split, change: Callable[[np.ndarray], np.ndarray], one: Rng | None = None) -> pa.Table | None:
    """Return the second sample with all wide numbers changed, or with one of them."""
    table = split.second
    for name in split.wide if one is None else [any_of(split.wide, one)][: len(split.wide)]:
        table = put(table, name, change(values(table, name)))
    return None if table.equals(split.second) else table


def design(table: pa.Table, names: list[str]) -> np.ndarray:
    """Return columns as zeros and ones, and a column of ones, for a model that adds up what each says."""
    hot = [np.eye(c.max() + 1)[c] for c in (codes(table, n, 4) for n in names)]
    return np.hstack([*hot, np.ones((table.num_rows, 1))])


def logistic(hot: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """Return the probability of `yes` in every row by a ridge-penalised logistic regression."""
    return 1 / (1 + np.exp(-np.clip(hot @ logistic_of(hot, yes), -15, 15)))


def logistic_of(hot: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """Return the weights of a ridge-penalised logistic regression."""
    beta, p = np.zeros(hot.shape[1]), np.full(len(hot), 0.5)
    for _ in range(8):
        slope = (hot * (p * (1 - p))[:, None]).T @ hot + 2 * np.eye(len(beta))
        beta += np.linalg.solve(slope, hot.T @ (yes - p) - 2 * beta)
        p = 1 / (1 + np.exp(-np.clip(hot @ beta, -15, 15)))
    return beta


# -------------------------------------------------------------------------------------------------------- ten faults
def join_fan_out(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """Rows were joined to a table with one to four rows for each, by a column's value, and come as often."""
    found = codes(split.second, any_of(split.named("number", "time", "label"), rng), 4)
    return split.second.take(rng.permutation(np.repeat(np.arange(split.rows), 1 + found % 4))[: split.rows])


def joined_on_shared_key(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """Two halves of the columns were joined on a label that many rows share: the second half is of another row."""
    key = any_of(split.named("label"), rng)
    if key is None:
        return None
    half = [n for n in split.second.column_names if n != key][len(split.kinds) // 2 :]
    return shuffled(split.second, half, np.arange(split.rows), rng, within=codes(split.second, key), together=True)


def export_stopped(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """The export was sorted by a column and stopped after 60 % of the rows."""
    name = any_of(linked(split, "number", "time", "label"), rng)
    return name and split.second.take(pc.sort_indices(split.second[name])[: split.rows * 3 // 5])


def codes_off_by_one(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """A column's codes were decoded with a list that begins one later: every label is the next in the alphabet."""
    name = any_of(linked(split, "label")[:3], rng)
    if name is None:
        return None
    now, labels = coded(split.second, name)
    after = sorted(labels)
    return relabelled(split.second, name, now, [after[(after.index(x) + 1) % len(after)] for x in labels])


def holdout_leaked(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """A fifth of the rows are held-out rows, as if the generator had learned from those too."""
    rows = some(split.rows, 0.2, rng)[: split.holdout.num_rows]
    return mixed(split.second, rows, split.holdout, rng.permutation(split.holdout.num_rows)[: len(rows)])


def filter_forgotten(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """Test records were not filtered out: in 8 % of the rows every number is least, every label commonest."""
    rows, table = some(split.rows, 0.08, rng), split.second
    for name in split.named("number", "label"):
        number = split.kinds[name] == "number"
        order = np.arange(split.rows)
        order[rows] = np.nanargmin(values(table, name)) if number else np.argmax(coded(table, name)[0] == 0)
        table = replaced(table, name, table[name].take(pa.array(order)))
    return table


def stale_snapshot(split: Split, _strength: int, _rng: Rng) -> pa.Table | None:
    """The rows are of years ago: amounts are 15 % lower, and labels below 3 % are not known yet."""
    table = split.second
    for name in split.wide:
        now = values(table, name)
        table = put(table, name, now * 0.85) if np.nanmin(now) >= 0 else table
    for name in split.named("label"):
        now, labels = coded(table, name)
        rare = np.bincount(now[now >= 0], minlength=len(labels)) < 0.03 * split.rows
        table = relabelled(table, name, np.where((now >= 0) & rare[now], 0, now), labels)
    return None if table.equals(split.second) else table


def signs_flipped(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """A number has the other sign in 30 % of the rows."""
    rows = np.isin(np.arange(split.rows), some(split.rows, 0.3, rng))
    return numbers(split, lambda now: np.where(rows, -now, now), rng)


def sentinels_for_nulls(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """Missing numbers are -999; where none is missing, 3 % of the values in a third of the columns of numbers."""
    table, names = split.second, split.named("number")
    if not any(table[n].null_count for n in names):
        for name in rng.permutation(names)[: -(-len(names) // 3)]:
            table = put(table, name, np.where(rng.random(split.rows) < 0.03, np.nan, values(table, name)))
    for name in names:
        table = put(table, name, np.nan_to_num(values(table, name), nan=-999))
    return None if table.equals(split.second) else table


def column_offset(split: Split, _strength: int, rng: Rng) -> pa.Table | None:
    """The table was sorted by a number, and another column then pasted one row too low."""
    name = any_of(linked(split, "number", "label")[:4], rng)
    by = any_of([n for n in split.wide if n != name], rng)
    if name is None or by is None:
        return None
    down, order = np.argsort(values(split.second, by), kind="stable"), np.empty(split.rows, np.int64)
    order[down] = np.roll(down, 1)
    return replaced(split.second, name, split.second[name].take(pa.array(order)))


FAULTS = {
    f.__name__.replace("_", "-"): Fault((f.__doc__ or "").strip(), f)
    for f in (join_fan_out, joined_on_shared_key, export_stopped, codes_off_by_one, holdout_leaked, filter_forgotten,
              stale_snapshot, signs_flipped, sentinels_for_nulls, column_offset)
}  # fmt: skip
"""The ten by name."""
