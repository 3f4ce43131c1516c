# size: waived until 2027-01-31: one library; sections may become files of their own when it is taken over
"""A library of faults: what goes wrong with synthetic tables, planted in a second real sample, at three strengths.

Each takes a `Split`, a strength (0 weak, 1 middle, 2 full) and a stream of randomness, and returns the second sample
with the fault in it, or nothing where such a table cannot have it. The docstring describes it, with the figures of the
three strengths. All else stays: columns, types, decimals, spikes; rows that go are not made up for. Which column is hit
is drawn. "A number" and "every number" are those with 20 values or more, none of them in half of the rows.
No fault knows how it is looked for.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from faults_other import (
    Fault,
    Rng,
    Split,
    any_of,
    coded,
    codes,
    correlated,
    design,
    features,
    group,
    has,
    jittered,
    linked,
    links,
    logistic,
    mixed,
    nearest,
    numbers,
    put,
    ranks,
    relabelled,
    replaced,
    shuffled,
    some,
    step_of,
    values,
    without,
)

FEW, PART, MANY = (0.01, 0.05, 0.2), (0.2, 0.5, 1.0), (0.05, 0.2, 1.0)
SIZE = (0.1, 0.3, 1.0)
"""In standard deviations."""
Made: TypeAlias = "pa.Table | None"


def chosen(split: Split, share: float, rng: Rng) -> np.ndarray:
    """Return a share of the rows as booleans."""
    return np.isin(np.arange(split.rows), some(split.rows, share, rng))


# ------------------------------------------------------------------------------------------------ relations destroyed
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
    """The target is drawn anew in 20, 50 or 100 % of the rows from a model that adds up what each column says of it."""
    target, rows = split.target, some(split.rows, PART[strength], rng)
    if target is None or split.kinds[target] == "other":
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


# ------------------------------------------------------------------------------------------------ rows and groups lost
def rare_category_dropped(split: Split, strength: int, rng: Rng) -> Made:
    """A label of about 1, 2 or 5 % of the rows never occurs."""
    found = group(split, (0.01, 0.02, 0.05)[strength], rng)
    return found and without(split.second, has(split.second, *found))


def common_category_dropped(split: Split, strength: int, rng: Rng) -> Made:
    """A label of about 10, 20 or 35 % of the rows never occurs."""
    found = group(split, (0.1, 0.2, 0.35)[strength], rng)
    return found and without(split.second, has(split.second, *found))


def rare_class_lost(split: Split, strength: int, rng: Rng) -> Made:
    """The target's rarest class loses 50, 80 or 100 % of its rows."""
    if split.target not in split.named("label"):
        return None
    now, labels = coded(split.second, split.target)
    return without(split.second, some(np.flatnonzero(now == len(labels) - 1), (0.5, 0.8, 1)[strength], rng))


def group_thinned(split: Split, strength: int, rng: Rng) -> Made:
    """A group of about a tenth of the rows loses 50, 80 or 95 % of them."""
    found = group(split, 0.1, rng, [n for n in split.named("label") if n != split.target])
    rows = np.flatnonzero(has(split.second, *found)) if found else None
    return rows if rows is None else without(split.second, some(rows, (0.5, 0.8, 0.95)[strength], rng))


def imbalance_changed(split: Split, strength: int, rng: Rng) -> Made:
    """The target's most common class (or upper half) has a share 5, 15 or 40 points lower; higher if it is small."""
    if split.target is None:
        return None
    label, by = split.kinds[split.target] == "label", (0.05, 0.15, 0.4)[strength]
    now = coded(split.second, split.target)[0] if label else values(split.second, split.target)
    most = now == 0 if label else now > np.nanmedian(now)
    aim = most.mean() - by if most.mean() > by + 0.05 else min(most.mean() + by, 0.97)
    gone, odds = (most, aim / (1 - aim)) if aim < most.mean() else (~most, (1 - aim) / aim)
    return without(split.second, some(np.flatnonzero(gone), 1 - odds * (~gone).sum() / gone.sum(), rng))


def old_data(split: Split, strength: int, rng: Rng) -> Made:
    """The rows are of the lower 90, 70 or 50 % of a date or, without dates, of a number."""
    name = any_of(split.named("time") or split.wide, rng)
    if name is None:
        return None
    up = np.lexsort((rng.random(split.rows), values(split.second, name)))
    return without(split.second, up[int(split.rows * (0.9, 0.7, 0.5)[strength]) :])


def cluster_missing(split: Split, strength: int, rng: Rng) -> Made:
    """The 3, 10 or 30 % of the rows that are nearest to one row are missing."""
    points = features(split, split.second)
    far = ((points - points[rng.integers(split.rows)]) ** 2).sum(1)
    return without(split.second, np.argsort(far)[: int(split.rows * (0.03, 0.1, 0.3)[strength])])


def mode_collapse(split: Split, strength: int, rng: Rng) -> Made:
    """All rows are near copies (0.02 standard deviations) of half as many, a tenth as many, or ten rows."""
    few = rng.choice(split.rows, (split.rows // 2, split.rows // 10, 10)[strength], replace=False)
    return jittered(split, split.second.take(pa.array(rng.choice(few, split.rows))), 0.02, rng)


def rows_repeated(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 95 % of the rows repeats others, each about twenty times."""
    rows = some(split.rows, (0.05, 0.2, 0.95)[strength], rng)
    return mixed(split.second, rows, split.second, rng.choice(rows[: -(-len(rows) // 20)], len(rows)))


# -------------------------------------------------------------------------------------------------------- rows leaked
def train_copied(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 1, 5 or 20 % of the rows are training rows."""
    rows = some(min(split.rows, split.train.num_rows), FEW[strength], rng)
    return mixed(split.second, rows, split.train, rng.permutation(split.train.num_rows)[: len(rows)])


def train_copied_with_noise(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows are training rows with noise of 0.02 standard deviations in the numbers."""
    rows, blurred = (
        some(min(split.rows, split.train.num_rows), MANY[strength], rng),
        jittered(split, split.train, 0.02, rng),
    )
    return mixed(split.second, rows, blurred, rng.permutation(split.train.num_rows)[: len(rows)])


def near_copies(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows are training rows in which one column, any, has another row's value."""
    which, near = rng.integers(len(split.kinds), size=split.train.num_rows), split.train
    for i, name in enumerate(split.kinds):
        order = np.where(which == i, rng.permutation(near.num_rows), np.arange(near.num_rows))
        near = replaced(near, name, split.train[name].take(pa.array(order)))
    rows = some(min(split.rows, near.num_rows), MANY[strength], rng)
    return mixed(split.second, rows, near, rng.permutation(near.num_rows)[: len(rows)])


def neighbours_mixed(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows have each value from a training row or from the row nearest to it."""
    who, blend = nearest(features(split, split.train))[0], split.train
    for name in split.kinds:
        order = np.where(rng.random(len(who)) < 0.5, who, np.arange(len(who)))
        blend = replaced(blend, name, split.train[name].take(pa.array(order)))
    rows = some(min(split.rows, len(who)), MANY[strength], rng)
    return mixed(split.second, rows, blend, rng.permutation(len(who))[: len(rows)])


def isolated_leaked(split: Split, strength: int, rng: Rng) -> Made:
    """The 10, 20 or 40 training rows that are furthest from any other are among the rows."""
    people = np.argsort(-nearest(features(split, split.train))[1])[: (10, 20, 40)[strength]]
    return mixed(split.second, rng.permutation(split.rows)[: len(people)], split.train, people)


def minority_memorised(split: Split, strength: int, rng: Rng) -> Made:
    """All rows with a label of about 2, 5 or 10 % of the rows are the training rows with that label."""
    found = group(split, (0.02, 0.05, 0.1)[strength], rng)
    if found is None:
        return None
    rest, kept = split.second.filter(pa.array(~has(split.second, *found))), split.train.filter(has(split.train, *found))
    return pa.concat_tables([rest, kept]).take(rng.permutation(rest.num_rows + kept.num_rows)).combine_chunks()


# --------------------------------------------------------------------------------------------------- values that moved
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


# --------------------------------------------------------------------------------------------------------- form, rules
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


def exchanged(split: Split, pairs: list[tuple[str, str]], share: float, rng: Rng) -> Made:
    """Return the second sample with two columns of one type exchanged in a share of the rows where they differ."""
    pair = any_of([p for p in pairs if split.second[p[0]].type == split.second[p[1]].type], rng)
    if pair is None:
        return None
    one, other = (split.second[n] for n in pair)
    differ = np.flatnonzero(values(split.second, pair[0]) != values(split.second, pair[1]))
    rows = pa.array(np.isin(np.arange(split.rows), some(differ, share, rng)))
    return replaced(
        replaced(split.second, pair[0], pc.if_else(rows, other, one)), pair[1], pc.if_else(rows, one, other)
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


def spelled(split: Split) -> list[str]:
    """Return the columns whose labels are text."""
    return [n for n in split.named("label") if isinstance(coded(split.second, n)[1][0], str)]


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


# ------------------------------------------------------------------------------------------------- nulls and generators
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


def from_generator(split: Split, generator: str, share: float, rng: Rng) -> Made:
    """Return the second sample with a share of its rows from one of Synthwright's generators, fitted on `train`."""
    import synthwright as sw

    model = sw.fit(split.train, generator=generator, seed=int(rng.integers(2**31)))
    made = model.sample(split.rows, seed=int(rng.integers(2**31))).cast(split.second.schema)
    return mixed(split.second, some(split.rows, share, rng), made, np.arange(split.rows)[: round(share * split.rows)])


def from_copula(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 20, 50 or 100 % of the rows comes from a Gaussian copula."""
    return from_generator(split, "copula", PART[strength], rng)


def from_marginals(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 20, 50 or 100 % of the rows comes from a generator that draws every column by itself."""
    return from_generator(split, "marginals", PART[strength], rng)


FAULTS = {
    f.__name__.replace("_", "-"): Fault((f.__doc__ or "").strip(), f)
    for f in (columns_permuted, pair_permuted, column_permuted, target_shuffled, label_noise, correlation_removed,
              correlation_reversed, interactions_removed, rare_category_dropped, common_category_dropped,
              rare_class_lost, group_thinned, imbalance_changed, old_data, cluster_missing, mode_collapse,
              rows_repeated, train_copied, train_copied_with_noise, near_copies, neighbours_mixed, isolated_leaked,
              minority_memorised, tails_cut, tails_exaggerated, noise_added, column_shifted, column_scaled,
              units_changed, outliers_inserted, dates_shifted, clock_zeroed, weekday_lost, column_constant,
              shrunk_to_mean, off_lattice, fractions_in_whole_numbers, rounded_coarsely, dependency_broken,
              inequality_broken, similar_swapped, labels_mistyped, label_renamed, nulls_removed, nulls_at_random,
              nulls_added, from_copula, from_marginals)
}  # fmt: skip
"""Every fault by name."""
