"""How every metric compares: synthetic rows, and beside them a second real sample, with the same never-seen rows.

The value of a score is the comparison of the held-out rows with synthetic rows; its reference is the same comparison
of the held-out rows with real training rows: a real sample of the same size that the held-out rows never met. Both are
cut to the smaller of the two (at random, by the seed), so that neither is better for being larger. Where there are no
held-out rows, synthetic rows are compared with the training rows, and the reference is one random half of these
against the other: noisier, so a little lenient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import DISCRETE, ORDERED, Field
from synthwright.kit.stats import Estimate, decimals, mean

Silent = Literal["not-applicable", "failed"]
"""Why a score has no number."""
MOST_ROWS = 50_000
"""Rows of each sample that are looked at."""
MOST_CELLS = 20_000_000
"""Rows × columns of each sample that are looked at: wide tables are sampled sooner."""
FEWEST_ROWS = 2
"""Real rows of a table below which nothing is compared."""


class Sides(NamedTuple):
    """Two samples of one table, side by side."""

    table: str

    real: pa.Table
    """Rows that were not trained on (training rows where there are no others)."""
    other: pa.Table
    """The rows that are judged: synthetic, or a second real sample."""
    fields: Mapping[str, Field]
    """The columns to compare, in the schema's order; both sides have them, in the same type."""


class Pair(NamedTuple):
    """What is compared of one table."""

    table: str
    synthetic: Sides
    """Gives the value."""
    second: Sides
    """Gives the reference."""
    note: str
    """What was sampled, for people; empty where all rows were looked at."""
    missing: tuple[str, ...]
    """Columns that the synthetic table lacks or holds in another type."""


class Measured(NamedTuple):
    """What a comparison of two samples came to."""

    whole: Estimate
    parts: Mapping[str, Estimate] = {}
    """By what they are about: a column, a pair."""
    note: str = ""


class Finding(NamedTuple):
    """One score to be: an estimate with its reference, rounded when it becomes a score."""

    about: str
    estimate: Estimate
    reference: float | None
    note: str = ""


def modelled(fields: Mapping[str, Field]) -> dict[str, Field]:
    """Return the fields whose values are modelled: not made anew, and no references."""
    return {c: f for c, f in fields.items() if f.kind in ORDERED | DISCRETE and not f.anew}


def produced(case: Case, table: str) -> tuple[str, ...]:
    """Return the modelled columns of a table that were generated and that both sides have, in one type."""
    if case.train is None:
        return ()
    train, synthetic = case.train.tables[table], case.synthetic.tables[table]
    shared, wanted = _shared(modelled(case.schema.tables[table].fields), train, synthetic), set(case.produced)
    return tuple(c for c in shared if not wanted or f"{table}.{c}" in wanted)


def _shared(fields: Mapping[str, Field], train: pa.Table, synthetic: pa.Table) -> dict[str, Field]:
    """Return the fields that both tables have, in one type."""
    types = [{f.name: f.type for f in held.schema} for held in (train, synthetic)]
    return {c: f for c, f in fields.items() if c in types[0] and types[1].get(c) == types[0][c]}


def unmade(metric: Metric, case: Case) -> list[Score]:
    """Return a failure where a table that has real rows has no synthetic ones, else nothing."""
    for table in case.schema.tables:
        if case.train is not None and case.train.rows(table) >= FEWEST_ROWS and not case.synthetic.rows(table):
            return without(metric, f"the synthetic table {table!r} has no rows", "failed")
    return []


def numeric(field: Field) -> bool:
    """Return whether a field's values have an order and distances."""
    return field.kind in ORDERED


def without(metric: Metric, problem: str, status: Silent = "not-applicable") -> list[Score]:
    """Return the one score that says why there is no number."""
    return [Score(type(metric).name, status=status, problem=problem)]


def draw(table: pa.Table, rows: int, ctx: Context) -> pa.Table:
    """Return so many random rows of a table, in their order; all of them where it has no more."""
    if table.num_rows <= rows:
        return table
    chosen = ctx.rng.choice(table.num_rows, size=rows, replace=False)
    chosen.sort()
    return table.take(pa.array(chosen))


def pairs(case: Case, ctx: Context) -> list[Pair]:
    """Return what is to be compared, for every table that has real rows and modelled columns."""
    found = (_pair(case, ctx.at(t), t, modelled(spec.fields)) for t, spec in case.schema.tables.items())
    return [pair for pair in found if pair is not None]


def _pair(case: Case, ctx: Context, table: str, fields: Mapping[str, Field]) -> Pair | None:
    if case.train is None:
        return None
    train, synthetic = case.train.tables[table], case.synthetic.tables[table]
    unseen = case.holdout.tables[table] if case.holdout is not None else train.slice(0, 0)
    present = set(train.column_names)
    known = {c: f for c, f in fields.items() if c in present}
    kept = _shared(known, train, synthetic)
    if not known or train.num_rows < FEWEST_ROWS:
        return None
    limit = min(MOST_ROWS, max(1_000, MOST_CELLS // len(known)))
    names = list(kept)
    rows = {"training": train.num_rows, "held-out": unseen.num_rows, "synthetic": synthetic.num_rows}
    sampled = [f"{limit:,} of {n:,} {side} rows" for side, n in rows.items() if n > limit]
    note = f"measured on a random sample: {', '.join(sampled)}" if sampled else ""
    train = draw(train.select(names), limit, ctx.at("train"))
    if unseen.num_rows:
        unseen = draw(unseen.select(names), limit, ctx.at("holdout"))
        same = max(min(train.num_rows, synthetic.num_rows), 1)
        second = Sides(table, unseen, draw(train, same, ctx.at("second")), kept)
    else:
        unseen, same = train, train.num_rows
        shuffled = train.take(pa.array(ctx.at("halves").rng.permutation(train.num_rows)))
        half = train.num_rows // 2
        second = Sides(table, shuffled.slice(0, half), shuffled.slice(half), kept)
    first = Sides(table, unseen, draw(synthetic.select(names), same, ctx.at("synthetic")), kept)
    return Pair(table, first, second, note, tuple(c for c in known if c not in kept))


def compared(metric: Metric, case: Case, ctx: Context, compare: Callable[[Sides, Context], Measured],
             *, fewest: int = 1, listed: int | None = None) -> list[Score]:  # fmt: skip
    """Measure every table by comparing two samples twice: held-out with synthetic rows, and with training rows.

    Returns scores about the whole (the mean over tables), each table where there are several, the worst part, and each
    part. A table without synthetic rows, or a column that the synthetic table lacks, is a failure, and so is the whole.

    Args:
        metric: whose scores they are.
        case: what is measured.
        ctx: where random numbers come from; both comparisons of a table get the same.
        compare: gives the distance, or the likeness, of two samples.
        fewest: rows that each side must have for the table to be measured.
        listed: parts that get a score of their own, the worst ones; None: all.
    """
    if case.train is None:
        return without(metric, "there are no real rows to compare with")
    found = pairs(case, ctx)
    if not found:
        return without(metric, "no table has real rows and a column that is modelled from them")
    failed = [s for pair in found for s in _faults(metric, pair)]
    ready = [p for p in found if p.synthetic.fields and p.synthetic.other.num_rows and _smallest(p) >= fewest]
    if failed and not ready:
        return [*without(metric, failed[0].problem or "", "failed"), *failed]
    if not ready:
        return without(metric, f"too few rows: each side needs at least {fewest}")
    tables: dict[str, Finding] = {}
    parts: list[Finding] = []
    for pair in ready:
        value = compare(pair.synthetic, ctx.at(pair.table, "compare"))
        second = compare(pair.second, ctx.at(pair.table, "compare"))
        note = "; ".join(n for n in (pair.note, value.note) if n)
        tables[pair.table] = Finding(pair.table, value.whole, second.whole.value, note)
        parts += [Finding(about, e, second.parts[about].value if about in second.parts else None)
                  for about, e in value.parts.items()]  # fmt: skip
    rows = min(_smallest(p) for p in ready)
    found_scores = scores(metric, tables, parts, rows, incomplete=failed)
    if listed is not None and len(parts) > listed:
        head, tail = found_scores[: -len(parts)], found_scores[-len(parts) :]
        tail.sort(key=lambda s: s.value or 0.0, reverse=type(metric).goal == "lower")
        found_scores = head + tail[:listed]
    return [*found_scores, *failed]


def _smallest(pair: Pair) -> int:
    return int(min(t.num_rows for s in (pair.synthetic, pair.second) for t in (s.real, s.other)))


def _faults(metric: Metric, pair: Pair) -> list[Score]:
    name = type(metric).name
    if not pair.synthetic.other.num_rows:
        return [Score(name, pair.table, status="failed", problem="the synthetic table has no rows")]
    problem = "the synthetic table lacks this column, or holds it in another type"
    return [Score(name, f"{pair.table}.{c}", status="failed", problem=problem) for c in pair.missing]


def scores(metric: Metric, tables: Mapping[str, Finding], parts: Sequence[Finding], rows: int, *,
           incomplete: Sequence[Score] = (), share: bool = False) -> list[Score]:  # fmt: skip
    """Return the scores about the whole, the tables (where there are several), the worst part and each part.

    Args:
        metric: whose scores they are.
        tables: one finding for each table; the whole is their mean.
        parts: findings about columns, pairs, rules.
        rows: of the smallest sample; decides how many decimals are told.
        incomplete: failures; the whole fails with the first of them.
        share: whether the numbers are shares of rows, where a single row must show.
    """
    cls = type(metric)
    digits = decimals(rows * len(tables) if share else rows, share=share)

    def score(f: Finding) -> Score:
        value, low, high = f.estimate.within(cls.bounds).rounded(digits)
        reference = f.reference
        if reference is not None:
            reference = round(float(min(max(reference, cls.bounds[0]), cls.bounds[1])), digits)
        return Score(cls.name, f.about, value, reference, low, high, problem=f.note or None)

    findings = list(tables.values())
    references = [f.reference for f in findings if f.reference is not None]
    second = sum(references) / len(references) if len(references) == len(findings) else None
    notes = [f"{f.note}" if len(findings) == 1 else f"{t}: {f.note}" for t, f in tables.items() if f.note]
    out = [score(Finding("", mean([f.estimate for f in findings]), second, "; ".join(notes)))]
    if incomplete:
        what = f"incomplete: {len(incomplete)} could not be measured, first {incomplete[0].about}"
        out = without(metric, what, "failed")
    out += [score(f) for f in findings] if len(findings) > 1 else []
    if parts:
        worst = max if cls.goal == "lower" else min
        known = [f.reference for f in parts if f.reference is not None]
        out.append(score(Finding("worst", worst((f.estimate for f in parts), key=lambda e: e.value),
                                 worst(known) if known else None)))  # fmt: skip
    return out + [score(f) for f in parts]


def label(table: str, *columns: str) -> str:
    """Return how a score names columns: `table.column`, `table.a ~ table.b`."""
    return " ~ ".join(f"{table}.{c}" for c in columns)
