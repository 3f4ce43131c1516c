"""How every metric compares: synthetic rows, and beside them a second real sample, with the same never-seen rows.

The value of a score is the comparison of the held-out rows with synthetic rows; its reference is the same comparison
of the held-out rows with real training rows: a real sample of the same size that the held-out rows never met. Both are
cut to the smaller of the two (at random, by the seed), so that neither is better for being larger. Where there are no
held-out rows, a random half of the training rows takes their place, and the other half is the second real sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import DISCRETE, ORDERED, Field
from synthwright.kit.measuring.chance import allowance, difference
from synthwright.kit.measuring.replicas import Replicas, dealt, nothing, told
from synthwright.kit.measuring.stats import Estimate, decimals, mean

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


class Trio(NamedTuple):
    """Three samples of one table."""

    table: str
    real: pa.Table
    """Rows that were not trained on."""
    synthetic: pa.Table
    """The rows that are judged."""
    second: pa.Table
    """A second real sample, of as many rows where there are as many."""
    fields: Mapping[str, Field]
    """The columns to compare, in the schema's order; all have them, in the same type."""
    note: str
    """What was sampled, for people; empty where all rows were looked at."""
    missing: tuple[str, ...]
    """Columns that the synthetic table lacks or holds in another type."""

    @property
    def sides(self) -> tuple[Sides, Sides]:
        """What gives the value, and what gives the reference."""
        return (Sides(self.table, self.real, self.synthetic, self.fields),
                Sides(self.table, self.real, self.second, self.fields))  # fmt: skip

    @property
    def smallest(self) -> int:
        """Rows of the smallest sample."""
        return int(min(t.num_rows for t in (self.real, self.synthetic, self.second)))

    def column(self, name: str) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Return a column of the held-out rows, and of the others: synthetic rows first, then the second sample."""
        others = self.synthetic.column(name).chunks + self.second.column(name).chunks
        return self.real.column(name), pa.chunked_array(others, self.real.schema.field(name).type)

    def dealt(self, rng: np.random.Generator) -> Replicas:
        """Deal the rows into groups."""
        return dealt(self.real.num_rows, self.synthetic.num_rows, self.second.num_rows, rng)


class Recounted(NamedTuple):
    """What a comparison of three samples came to."""

    parts: Mapping[str, np.ndarray]
    """The replicates of each part's distance, by what it is about; the whole is their mean."""
    note: str = ""


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
    chance: float | None = None
    """See `Score.chance`."""


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
    return divided(table, rows, ctx)[0]


def divided(table: pa.Table, rows: int, ctx: Context) -> tuple[pa.Table, pa.Table]:
    """Return so many random rows of a table, all of them where it has no more, and the others, both in their order."""
    if table.num_rows <= rows:
        return table, table.slice(0, 0)
    mine = np.zeros(table.num_rows, dtype=bool)
    mine[ctx.rng.choice(table.num_rows, size=rows, replace=False)] = True
    return table.filter(pa.array(mine)), table.filter(pa.array(~mine))


def trios(case: Case, ctx: Context) -> list[Trio]:
    """Return what is to be compared, for every table that has real rows and modelled columns."""
    found = (_trio(case, ctx.at(t), t, modelled(spec.fields)) for t, spec in case.schema.tables.items())
    return [trio for trio in found if trio is not None]


def _trio(case: Case, ctx: Context, table: str, fields: Mapping[str, Field]) -> Trio | None:
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
    else:
        shuffled = train.take(pa.array(ctx.at("halves").rng.permutation(train.num_rows)))
        unseen, train = shuffled.slice(0, train.num_rows // 2), shuffled.slice(train.num_rows // 2)
    same = max(min(train.num_rows, synthetic.num_rows), 1)
    return Trio(table, unseen, draw(synthetic.select(names), same, ctx.at("synthetic")),
                draw(train, same, ctx.at("second")), kept, note, tuple(c for c in known if c not in kept))  # fmt: skip


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
    ready, failed, silent = _ready(metric, case, ctx, fewest)
    if silent:
        return silent
    tables: dict[str, Finding] = {}
    parts: list[Finding] = []
    for trio in ready:
        value, second = (compare(sides, ctx.at(trio.table, "compare")) for sides in trio.sides)
        note = "; ".join(n for n in (trio.note, value.note) if n)
        chance = difference((value.whole.error, second.whole.error))
        tables[trio.table] = Finding(trio.table, value.whole, second.whole.value, note, chance)
        parts += [Finding(about, e, second.parts[about].value if about in second.parts else None)
                  for about, e in value.parts.items()]  # fmt: skip
    return _listed(metric, scores(metric, tables, parts, min(t.smallest for t in ready), incomplete=failed),
                   len(parts), listed) + failed  # fmt: skip


def recounted(metric: Metric, case: Case, ctx: Context, compare: Callable[[Trio, Context], Recounted],
              *, fewest: int = 1, listed: int | None = None) -> list[Score]:  # fmt: skip
    """Measure every table by distances that are sums over groups of rows: interval and chance come from recounting.

    The same scores as `compared` gives, for the same arguments; the chance of a part is what the farthest of all parts
    may stray.
    """
    ready, failed, silent = _ready(metric, case, ctx, fewest)
    if silent:
        return silent
    found = {trio.table: compare(trio, ctx.at(trio.table, "compare")) for trio in ready}
    count = sum(len(f.parts) for f in found.values())
    tables: dict[str, Finding] = {}
    parts: list[Finding] = []
    for trio in ready:
        each = found[trio.table]
        note = "; ".join(n for n in (trio.note, each.note) if n)
        whole = np.mean(list(each.parts.values()), axis=0) if each.parts else nothing()
        tables[trio.table] = _finding(trio.table, whole, 1)._replace(note=note)
        parts += [_finding(about, replicates, count) for about, replicates in each.parts.items()]
    known = scores(metric, tables, parts, min(t.smallest for t in ready), incomplete=failed)
    if not parts:  # gates that ask for the worst part find the whole
        known += [s._replace(about="worst") for s in known if not s.about]
    return _listed(metric, known, len(parts), listed) + failed


def _finding(about: str, replicates: np.ndarray, parts: int) -> Finding:
    said = told(replicates)
    return Finding(about, said.estimate, said.reference, chance=allowance(said.error, parts))


def _ready(metric: Metric, case: Case, ctx: Context, fewest: int) -> tuple[list[Trio], list[Score], list[Score]]:
    """Return the tables to compare, what failed of them, and all there is to say where nothing can be compared."""
    if case.train is None:
        return [], [], without(metric, "there are no real rows to compare with")
    found = trios(case, ctx)
    if not found:
        return [], [], without(metric, "no table has real rows and a column that is modelled from them")
    failed = [s for trio in found for s in _faults(metric, trio)]
    ready = [t for t in found if t.fields and t.synthetic.num_rows and t.smallest >= fewest]
    if failed and not ready:
        return [], [], [*without(metric, failed[0].problem or "", "failed"), *failed]
    if not ready:
        return [], [], without(metric, f"too few rows: each side needs at least {fewest}")
    return ready, failed, []


def _listed(metric: Metric, found: list[Score], parts: int, listed: int | None) -> list[Score]:
    """Return the scores with no more than so many parts, the worst."""
    if listed is None or parts <= listed:
        return found
    head, tail = found[:-parts], found[-parts:]
    tail.sort(key=lambda s: s.value or 0.0, reverse=type(metric).goal == "lower")
    return head + tail[:listed]


def _faults(metric: Metric, trio: Trio) -> list[Score]:
    name = type(metric).name
    if not trio.synthetic.num_rows:
        return [Score(name, trio.table, status="failed", problem="the synthetic table has no rows")]
    problem = "the synthetic table lacks this column, or holds it in another type"
    return [Score(name, f"{trio.table}.{c}", status="failed", problem=problem) for c in trio.missing]


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
        return Score(
            cls.name, f.about, value, reference, low, high, problem=f.note or None, chance=_up(f.chance, digits)
        )

    findings = list(tables.values())
    references = [f.reference for f in findings if f.reference is not None]
    second = sum(references) / len(references) if len(references) == len(findings) else None
    chances = [f.chance for f in findings if f.chance is not None]
    chance = math.hypot(*chances) / len(chances) if chances and len(chances) == len(findings) else None
    notes = [f"{f.note}" if len(findings) == 1 else f"{t}: {f.note}" for t, f in tables.items() if f.note]
    out = [score(Finding("", mean([f.estimate for f in findings]), second, "; ".join(notes), chance))]
    if incomplete:
        what = f"incomplete: {len(incomplete)} could not be measured, first {incomplete[0].about}"
        out = without(metric, what, "failed")
    out += [score(f) for f in findings] if len(findings) > 1 else []
    if parts:
        worst = max(parts, key=partial(badness, lower=cls.goal == "lower"))
        out.append(score(worst._replace(about="worst", note="; ".join(n for n in (worst.about, worst.note) if n))))
    return out + [score(f) for f in parts]


def badness(part: Finding, *, lower: bool) -> tuple[float, float]:
    """Return by how much a part is worse than its reference, if by more than chance; if none is, the value decides.

    So a part that exceeds both chance and a tolerance is never hidden by another.
    """
    sign = 1.0 if lower else -1.0
    worse = sign * (part.estimate.value - (0.0 if part.reference is None else part.reference))
    return worse if part.chance is not None and worse > part.chance else 0.0, sign * part.estimate.value


def _up(chance: float | None, digits: int) -> float | None:
    """Return an allowance with so many decimals, never less than it was."""
    return None if chance is None else math.ceil(chance * 10**digits) / 10**digits


def label(table: str, *columns: str) -> str:
    """Return how a score names columns: `table.column`, `table.a ~ table.b`."""
    return " ~ ".join(f"{table}.{c}" for c in columns)
