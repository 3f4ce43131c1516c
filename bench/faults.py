"""A library of faults: what goes wrong with synthetic tables, planted in a second real sample, at three strengths.

Each takes a `Split`, a strength (0 weak, 1 middle, 2 full) and a stream of randomness, and returns the second sample
with the fault in it, or nothing where such a table cannot have it. The docstring describes it, with the figures of the
three strengths. All else stays: columns, types, decimals, spikes; rows that go are not made up for. Which column is hit
is drawn. "A number" and "every number" are those with 20 values or more, none of them in half of the rows.
No fault knows how it is looked for. Those of whole rows are in `faults_rows.py`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from faults_ground import MANY, PART, SIZE, Made, chosen, exchanged, spelled
from faults_other import (
    Fault,
    Rng,
    Split,
    any_of,
    coded,
    codes,
    correlated,
    design,
    group,
    jittered,
    linked,
    links,
    logistic,
    logistic_of,
    numbers,
    put,
    ranks,
    relabelled,
    replaced,
    shuffled,
    some,
    step_of,
    values,
)
from faults_rows import GENERATED, LEAKED, LOST


def interaction(split: Split, target: str) -> float:
    """Return by how much trees tell the target better than a model that adds up what each column says."""
    import lightgbm

    both, size = pa.concat_tables([split.train, split.second]), split.train.num_rows
    names = [n for n in split.named("number", "time", "label") if n != target]
    if not names:
        return 0.0
    now = coded(both, target)[0] if split.kinds[target] == "label" else values(both, target)
    yes = now == 0 if split.kinds[target] == "label" else now > np.nanmedian(now)
    hot, plain = design(both, names), np.stack([codes(both, n, 32) for n in names], axis=1)
    beta = logistic_of(hot[:size], yes[:size])
    learn = lightgbm.Dataset(plain[:size].astype(np.float64), yes[:size].astype(np.float64))
    how = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "num_threads": 1, "verbose": -1}
    trees = lightgbm.train(how, learn, num_boost_round=100)
    said = np.asarray(trees.predict(plain[size:].astype(np.float64))), hot[size:] @ beta
    return area(said[0], yes[size:]) - area(said[1], yes[size:])


def area(said: np.ndarray, yes: np.ndarray) -> float:
    """Return the area under the curve of what a model said."""
    many = int(yes.sum())
    return float((len(said) * ranks(said)[yes].sum() - many**2 / 2) / (many * (len(said) - many)))


# -------------------------------------------------------------------------------------------------- relations destroyed
def columns_permuted(split: Split, strength: int, rng: Rng) -> Made:
    """Every column is shuffled by itself among 20, 50 or 100 % of the rows."""
    return shuffled(split.second, split.second.column_names, some(split.rows, PART[strength], rng), rng)


def pair_permuted(split: Split, strength: int, rng: Rng) -> Made:
    """The two columns that say most about each other are moved together to other rows, in 20, 50 or 100 % of them."""
    names = split.named("number", "time", "label")
    if len(names) < 3:
        return None
    said = links(split.second, names)
    pair = [names[i] for i in np.unravel_index(said.argmax(), said.shape)]
    return shuffled(split.second, pair, some(split.rows, PART[strength], rng), rng, together=True)


def column_permuted(split: Split, strength: int, rng: Rng) -> Made:
    """One column that says something about another is shuffled among 20, 50 or 100 % of the rows."""
    names = linked(split, "number", "time", "label")
    name = any_of(names[: -(-len(names) // 2)], rng)
    return name and shuffled(split.second, [name], some(split.rows, PART[strength], rng), rng)


def target_shuffled(split: Split, strength: int, rng: Rng) -> Made:
    """The target is shuffled among 20, 50 or 100 % of the rows."""
    return split.target and shuffled(split.second, [split.target], some(split.rows, PART[strength], rng), rng)


def label_noise(split: Split, strength: int, rng: Rng) -> Made:
    """The target is another class, or a number that is a standard deviation off, in 3, 10 or 30 % of the rows."""
    rows = chosen(split, (0.03, 0.1, 0.3)[strength], rng)
    if split.target is None or split.kinds[split.target] == "other":
        return None
    if split.kinds[split.target] == "label":
        now, labels = coded(split.second, split.target)
        other = (now + rng.integers(1, max(2, len(labels)), split.rows)) % len(labels)
        return relabelled(split.second, split.target, np.where(rows & (now >= 0), other, now), labels)
    now = values(split.second, split.target)
    return put(split.second, split.target, now + rows * rng.choice([-1, 1], split.rows) * np.nanstd(now))


def correlation_removed(split: Split, strength: int, rng: Rng) -> Made:
    """The correlation of two numbers is lost in 20, 50 or 100 % of the rows; both keep to the target as they did."""
    pair, target = correlated(split, rng), split.target
    if pair is None:
        return None
    within = None if target is None or target in pair else codes(split.second, target)
    one = any_of([n for n in pair if n != target], rng)
    return shuffled(split.second, [one], some(split.rows, PART[strength], rng), rng, within=within)


def correlation_reversed(split: Split, strength: int, rng: Rng) -> Made:
    """One of two correlated numbers is turned round, largest for least, in 20, 50 or 100 % of the rows."""
    pair = correlated(split, rng)
    if pair is None:
        return None
    rows, order = some(split.rows, PART[strength], rng), np.arange(split.rows)
    up = rows[np.argsort(values(split.second, pair[0])[rows], kind="stable")]
    order[up] = up[::-1]
    return replaced(split.second, pair[0], split.second[pair[0]].take(pa.array(order)))


def interactions_removed(split: Split, strength: int, rng: Rng) -> Made:
    """The target is drawn anew in 20, 50 or 100 % of the rows from a model that adds up what each column says of it.

    A table has this fault where there is something to lose: where trees that learned from training rows tell whether
    the target is its first label, or in its upper half, better than such a model does: by 0.05 of area under the curve
    on rows that neither saw.
    """
    target, rows = split.target, some(split.rows, PART[strength], rng)
    if target is None or split.kinds[target] == "other" or interaction(split, target) < 0.05:
        return None
    both, size = pa.concat_tables([split.train, split.second]), split.train.num_rows
    hot = design(both, [n for n in split.named("number", "time", "label") if n != target])
    if split.kinds[target] == "label":
        now, labels = coded(both, target)
        odds = np.cumsum([logistic(hot, now == label)[size:][rows] for label in range(len(labels))], 0)
        now[size:][rows] = (rng.random(len(rows)) * odds[-1] > odds).sum(0)
        return relabelled(split.second, target, now[size:], labels)
    rank = np.argsort(np.argsort(values(both, target), kind="stable")) / both.num_rows
    fit = hot @ np.linalg.solve(hot.T @ hot + 2 * np.eye(hot.shape[1]), hot.T @ rank)
    up, order = rows[np.argsort(fit[size:][rows] + rng.permutation(rank - fit)[: len(rows)])], np.arange(split.rows)
    order[up] = rows[np.argsort(values(split.second, target)[rows], kind="stable")]
    return replaced(split.second, target, split.second[target].take(pa.array(order)))


# ---------------------------------------------------------------------------------------------------- values that moved
def tails_cut(split: Split, strength: int, _rng: Rng) -> Made:
    """Every number is drawn in so that the outer 1, 3 or 10 % of either side are lost, without a spike."""

    def change(now: np.ndarray) -> np.ndarray:
        cut, known, moved = (0.01, 0.03, 0.1)[strength], ~np.isnan(now), now.copy()
        moved[known] = np.quantile(now[known], cut + (1 - 2 * cut) * ranks(now[known]), method="nearest")
        return moved

    return numbers(split, change)


def tails_exaggerated(split: Split, strength: int, _rng: Rng) -> Made:
    """What lies beyond the outer 5 % of a number, on either side, lies 1.25, 1.6 or 3 times as far beyond."""

    def change(now: np.ndarray) -> np.ndarray:
        inside = np.clip(now, *np.nanquantile(now, [0.05, 0.95]))
        return inside + (1.25, 1.6, 3)[strength] * (now - inside)

    return numbers(split, change)


def noise_added(split: Split, strength: int, rng: Rng) -> Made:
    """Every number has noise of 0.1, 0.3 or 1 standard deviation, within its range; spikes stay."""
    return jittered(split, split.second, SIZE[strength], rng) if split.named("number", "time") else None


def column_shifted(split: Split, strength: int, rng: Rng) -> Made:
    """A number is 0.1, 0.3 or 1 standard deviation (at least a step) higher or lower in every row."""
    sign = rng.choice([-1, 1])
    return numbers(split, lambda now: now + sign * max(SIZE[strength] * np.nanstd(now), step_of(now) or 0), rng)


def column_scaled(split: Split, strength: int, rng: Rng) -> Made:
    """A number is 1.1, 1.3 or 2 times as large in every row; one with negative values, as far from its mean."""
    by = (0.1, 0.3, 1)[strength]
    return numbers(split, lambda now: now + by * (now - (np.nanmean(now) if np.nanmin(now) < 0 else 0)), rng)


def units_changed(split: Split, strength: int, rng: Rng) -> Made:
    """A number is in another unit, 2.2 times as large, in 2, 10 or 40 % of the rows."""
    rows = chosen(split, (0.02, 0.1, 0.4)[strength], rng)
    return numbers(split, lambda now: np.where(rows, now * 2.2046, now), rng)


def outliers_inserted(split: Split, strength: int, rng: Rng) -> Made:
    """A number is three to ten times its range beyond its largest value in 0.2, 1 or 5 % of the rows."""
    rows, far = chosen(split, (0.002, 0.01, 0.05)[strength], rng), rng.uniform(3, 10, split.rows)
    return numbers(split, lambda now: np.where(rows, np.nanmax(now) + far * np.nanmax(now - np.nanmin(now)), now), rng)


def dates_shifted(split: Split, strength: int, _rng: Rng) -> Made:
    """All dates and instants are 0.1, 0.3 or 1 standard deviation later."""
    table = split.second
    for name in split.named("time"):
        now = values(table, name)
        table = put(table, name, now + SIZE[strength] * np.nanstd(now))
    return table if split.named("time") else None


def clock_zeroed(split: Split, strength: int, rng: Rng) -> Made:
    """The time of day is midnight in 20, 50 or 100 % of the rows."""
    table, rows = split.second, pa.array(chosen(split, PART[strength], rng))
    for name in [n for n in split.named("time") if pa.types.is_timestamp(table[n].type)]:
        table = replaced(table, name, pc.if_else(rows, pc.floor_temporal(table[name], unit="day"), table[name]))
    return None if table.equals(split.second) else table


def weekday_lost(split: Split, strength: int, rng: Rng) -> Made:
    """Dates are up to three days earlier or later, by chance, in 20, 50 or 100 % of the rows."""
    table, days = split.second, chosen(split, PART[strength], rng) * rng.integers(-3, 4, split.rows)
    for name in split.named("time"):
        kind = table[name].type
        finer = kind if pa.types.is_timestamp(kind) else pa.timestamp("us")
        by = pa.array(days * 86_400, pa.duration("s")).cast(pa.duration(finer.unit))
        table = replaced(table, name, pc.add(table[name].cast(finer), by).cast(kind))
    return table if split.named("time") else None


def column_constant(split: Split, strength: int, rng: Rng) -> Made:
    """A column has one and the same value, the middle or most common one, in 20, 50 or 100 % of the rows."""
    names, order = linked(split, "number", "label"), np.arange(split.rows)
    name = any_of(names[: -(-len(names) // 2)], rng)
    if name is None:
        return None
    label = split.kinds[name] == "label"
    now = coded(split.second, name)[0] if label else values(split.second, name)
    order[some(split.rows, PART[strength], rng)] = np.nanargmin(abs(now - (0 if label else np.nanmedian(now))))
    return replaced(split.second, name, split.second[name].take(pa.array(order)))


def shrunk_to_mean(split: Split, strength: int, _rng: Rng) -> Made:
    """Every number is moved 10, 40 or 90 % of the way to what the other columns predict: regression to the mean."""
    table = split.second
    parts = {n: design(table, [n]) for n in split.named("number", "time", "label")}
    for name in split.wide if len(parts) > 1 else []:
        now, hot = values(split.second, name), np.hstack([part for n, part in parts.items() if n != name])
        known = hot[~np.isnan(now)]
        beta = np.linalg.solve(known.T @ known + 5 * np.eye(hot.shape[1]), known.T @ now[~np.isnan(now)])
        table = put(table, name, now + (0.1, 0.4, 0.9)[strength] * (hot @ beta - now))
    return None if table.equals(split.second) else table


# ---------------------------------------------------------------------------------------------------------- form, rules
def off_lattice(split: Split, strength: int, rng: Rng) -> Made:
    """Numbers that keep to steps (cents, tenths, thousands) lie between them in 5, 30 or 100 % of the rows."""
    table, rows = split.second, chosen(split, (0.05, 0.3, 1.0)[strength], rng)
    for name in split.named("number"):
        now = values(table, name)
        step = step_of(now)
        if step and (step > 1 or not pa.types.is_integer(table[name].type)):
            table = put(table, name, now + rows * step * rng.uniform(-0.4, 0.4, split.rows), exact=True)
    return None if table.equals(split.second) else table


def fractions_in_whole_numbers(split: Split, strength: int, rng: Rng) -> Made:
    """Whole numbers have a fraction in 5, 30 or 100 % of the rows, and so another type."""
    table, rows = split.second, chosen(split, (0.05, 0.3, 1.0)[strength], rng)
    for name in [n for n in split.named("number") if pa.types.is_integer(table[n].type)]:
        now = values(table, name) + rows * rng.uniform(-0.4, 0.4, split.rows)
        table = replaced(table, name, pa.array(now, mask=np.isnan(now)))
    return None if table.schema.equals(split.second.schema) else table


def rounded_coarsely(split: Split, strength: int, _rng: Rng) -> Made:
    """Every number is rounded to multiples of 0.1, 0.3 or 1 standard deviation."""

    def change(now: np.ndarray) -> np.ndarray:
        step = step_of(now) or 1e-9
        coarse = step * max(2, round(SIZE[strength] * np.nanstd(now) / step))
        return np.rint(now / coarse) * coarse

    return numbers(split, change)


def dependency_broken(split: Split, strength: int, rng: Rng) -> Made:
    """A column that another decides in every real row is shuffled among 1, 10 or 50 % of the rows."""
    real = {n: coded(split.train, n)[0] for n in split.named("number", "label")}
    real = {n: c for n, c in real.items() if 1 < c.max() + 1 <= len(c) / 10 and (c == 0).mean() < 0.9}
    held = [b for a in real for b in real if a != b and len(np.unique(real[a] * 2**20 + real[b])) == real[a].max() + 1]
    return (name := any_of(held, rng)) and shuffled(
        split.second, [name], some(split.rows, (0.01, 0.1, 0.5)[strength], rng), rng
    )


def inequality_broken(split: Split, strength: int, rng: Rng) -> Made:
    """A number that is never above another, though it could be, changes places with it in 1, 10 or 50 % of the rows."""
    real = {n: values(split.train, n) for n in split.named("number", "time")}
    mixed_up = {n: rng.permutation(v) for n, v in real.items()}
    held = [(a, b) for a in real for b in real if (real[a] < real[b]).mean() > 0.5 and not (real[a] > real[b]).any()]
    could = [(a, b) for a, b in held if (mixed_up[a] > real[b]).mean() > 0.05]
    return exchanged(split, could, (0.01, 0.1, 0.5)[strength], rng)


def similar_swapped(split: Split, strength: int, rng: Rng) -> Made:
    """Two numbers of one type and much the same range change places in 5, 20 or 100 % of the rows."""
    reach = {n: np.nanquantile(values(split.second, n), [0.1, 0.9]) for n in split.wide}
    over = {(a, b): (np.minimum(x, y)[1] - np.maximum(x, y)[0]) / (np.maximum(x, y)[1] - np.minimum(x, y)[0])
            for a, x in reach.items() for b, y in reach.items() if a < b}  # fmt: skip
    return exchanged(split, [pair for pair, share in over.items() if share > 0.5], MANY[strength], rng)


def labels_mistyped(split: Split, strength: int, rng: Rng) -> Made:
    """A column's labels have another case or a space too many in 2, 10 or 50 % of the rows."""
    name = any_of(spelled(split), rng)
    if name is None:
        return None
    now, labels = coded(split.second, name)
    forms = [*labels, *(x + " " for x in labels), *(" " + x for x in labels), *(x.swapcase() + "  " for x in labels)]
    wrong = chosen(split, (0.02, 0.1, 0.5)[strength], rng) & (now >= 0)
    return relabelled(split.second, name, now + wrong * len(labels) * rng.integers(1, 4, split.rows), forms)


def label_renamed(split: Split, strength: int, rng: Rng) -> Made:
    """A label of about 2, 10 or 40 % of the rows has another name throughout."""
    found = group(split, (0.02, 0.1, 0.4)[strength], rng, spelled(split))
    if found is None:
        return None
    now, labels = coded(split.second, found[0])
    return relabelled(split.second, found[0], now, [f"{x}_1" if x == found[1] else x for x in labels])


# ---------------------------------------------------------------------------------------------------------------- nulls
def nulls_removed(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 20, 50 or 100 % of the nulls is filled with values of the column."""
    table = split.second
    for name in [n for n in table.column_names if 0 < table[n].null_count < split.rows]:
        null, order = np.asarray(table[name].is_null()), np.arange(split.rows)
        rows = some(np.flatnonzero(null), PART[strength], rng)
        order[rows] = rng.choice(np.flatnonzero(~null), len(rows))
        table = replaced(table, name, table[name].take(pa.array(order)))
    return None if table.equals(split.second) else table


def nulls_at_random(split: Split, strength: int, rng: Rng) -> Made:
    """Nulls that depend on other columns fall on any rows, among 20, 50 or 100 % of them."""
    table, rows = split.second, some(split.rows, PART[strength], rng)
    for name in [n for n in table.column_names if 0 < table[n].null_count < split.rows]:
        null, order = np.asarray(table[name].is_null()), np.arange(split.rows)
        flags = replaced(table, name, pa.array(np.where(null, "null", "value")))
        if links(flags, [name, *(n for n in split.named("number", "time", "label") if n != name)])[0].max() < 0.03:
            continue
        after = null.copy()
        after[rows] = rng.permutation(null[rows])
        order[null] = rng.choice(np.flatnonzero(~null), null.sum())
        table = replaced(table, name, table[name].take(pa.array(order, mask=after)))
    return None if table.equals(split.second) else table


def nulls_added(split: Split, strength: int, rng: Rng) -> Made:
    """Half of the columns (not the target) have nulls in 2, 10 or 30 % of the rows."""
    table, names = split.second, [n for n in split.kinds if n != split.target]
    for name in rng.permutation(names)[: -(-len(names) // 2)]:
        gone = pa.array(chosen(split, (0.02, 0.1, 0.3)[strength], rng))
        table = replaced(table, name, pc.if_else(gone, pa.scalar(None, table[name].type), table[name]))
    return table


FAULTS = {
    f.__name__.replace("_", "-"): Fault((f.__doc__ or "").strip(), f)
    for f in (columns_permuted, pair_permuted, column_permuted, target_shuffled, label_noise, correlation_removed,
              correlation_reversed, interactions_removed, *LOST, *LEAKED, tails_cut, tails_exaggerated, noise_added,
              column_shifted, column_scaled, units_changed, outliers_inserted, dates_shifted, clock_zeroed,
              weekday_lost, column_constant, shrunk_to_mean, off_lattice, fractions_in_whole_numbers,
              rounded_coarsely, dependency_broken, inequality_broken, similar_swapped, labels_mistyped, label_renamed,
              nulls_removed, nulls_at_random, nulls_added, *GENERATED)
}  # fmt: skip
"""Every fault by name."""
