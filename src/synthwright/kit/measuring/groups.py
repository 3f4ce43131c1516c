"""Groups of rows whose data should be equally good: by sensitive columns, each alone and all together.

Groups are settled on the training rows and named only where at least `FEWEST` of them are in it: by the label, by the
quarter for values with an order (never by a value), or as missing. All other rows are one pooled group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.schema import DISCRETE, ORDERED, Field
from synthwright.core.values import labels, numbers
from synthwright.kit.learning.boosting import boost, encode
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.stats import Estimate, binned, quantiles

FEWEST = 20
"""Training rows that a group must have to be named."""
MOST = 60
"""Groups of one way to sort rows; of more, the smallest are pooled."""
HOW = "(a specification says `evaluate: {sensitive: [table.column]}`, `synthwright.evaluate` takes `sensitive=`)"
"""How sensitive columns are named, for whoever has named none."""
_QUARTERS = np.array([0.25, 0.5, 0.75])
_LONGEST = 60
"""Characters of a label that are shown."""
_LEARN_ROWS = 20_000
"""Rows that trees learn from, and held-out rows that they answer for."""
RETRAINED = 1.5
"""Other rows to learn from stray a difference too: its error for other held-out rows, times this, is the whole error,
where trees answer for no more rows than they learned from (it was measured as 0.8 to 1.35 times)."""
_DRAWS = 1_000
"""How often the rows of a group are drawn anew."""
_TOO_FEW = 20
"""Rows to learn from, or to answer for, below which nothing is asked."""


class Way(NamedTuple):
    """One way to sort the rows of a table into groups."""

    about: str
    """The columns: `table.column`, or `table.a ~ table.b`."""
    columns: tuple[str, ...]
    names: tuple[str, ...]
    """The groups that have training rows enough, the largest first; the last code is everybody else."""
    codes: tuple[np.ndarray, ...]
    """For each table that was sorted, the group of every row, 0 … len(names); int64."""

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.names) + 1


NO_REAL = "there are no real rows to compare with"


class Silence(NamedTuple):
    """Why nothing can be measured."""

    problem: str
    status: Literal["not-applicable", "failed"] = "not-applicable"


def sensitive(case: Case) -> dict[str, tuple[str, ...]] | Silence:
    """Return the sensitive columns of each table that has some, or why there is none that could be compared."""
    if case.train is None:
        return Silence(NO_REAL)
    if not case.sensitive:
        return Silence(f"no sensitive column is named {HOW}")
    known = set(case.schema.columns)
    if strange := [c for c in case.sensitive if c not in known]:
        return Silence(f"{len(strange)} sensitive columns are none of the schema's, first {strange[0]!r}", "failed")
    found: dict[str, tuple[str, ...]] = {}
    for table, column in map(case.schema.split, dict.fromkeys(case.sensitive)):
        field = case.schema.tables[table].fields[column]
        if field.kind not in ORDERED | DISCRETE or field.anew or column not in case.train.columns(table):
            continue
        held = [d.tables[table].schema for d in (case.train, case.synthetic)]
        if column not in held[1].names or held[0].field(column).type != held[1].field(column).type:
            return Silence(f"the synthetic table lacks the sensitive column {table}.{column}", "failed")
        if case.train.rows(table) >= FEWEST:
            found[table] = (*found.get(table, ()), column)
    if not found:
        return Silence(
            f"no sensitive column is modelled from at least {FEWEST} real rows: what is made anew has no groups"
        )
    if empty := [t for t in found if not case.synthetic.rows(t)]:
        return Silence(f"the synthetic table {empty[0]!r} has no rows", "failed")
    return found


def ways(case: Case, table: str, columns: Sequence[str], tables: Sequence[pa.Table]) -> list[Way]:
    """Return how rows are sorted: by each column and, where there are several, by all of them at once.

    Args:
        case: its training rows, all of them, settle the groups.
        table: its name.
        columns: the sensitive ones.
        tables: whose rows are sorted.
    """
    if case.train is None:
        return []
    every = [case.train.tables[table], *tables]
    rows = [t.num_rows for t in every]
    fields = case.schema.tables[table].fields
    found = [_sorted(f"{table}.{c}", c, fields[c], every) for c in columns]
    if len(found) > 1:
        found.append(_crossed(found, rows[0]))
    return [w._replace(codes=tuple(np.split(w.codes[0], np.cumsum(rows)[:-1])[1:])) for w in found]


def _sorted(about: str, column: str, field: Field, tables: Sequence[pa.Table]) -> Way:
    """Sort the rows of several tables, laid end to end, by one column."""
    chunks = [c for t in tables for c in t.column(column).chunks]
    whole = pa.chunked_array(chunks, tables[0].schema.field(column).type)
    if field.kind in ORDERED:
        values = numbers(whole)
        known = values[: tables[0].num_rows]
        edges = quantiles(known, _QUARTERS)
        edges = edges[edges < np.nanmax(known)] if len(edges) else edges
        codes, parts = binned(values, edges), len(edges) + 1
        word = "quarter" if parts == len(_QUARTERS) + 1 else "part"  # values that repeat leave fewer than four
        said = [f"{about} ({word} {i + 1} of {parts})" for i in range(parts)]
    else:
        codes, distinct = labels(whole)
        codes = np.where(codes < 0, len(distinct), codes)
        said = [f"{about}={_shown(v)}" for v in distinct.to_pylist()]
    return _settled(about, (column,), codes, [*said, f"{about} (missing)"], tables[0].num_rows)


def _crossed(found: Sequence[Way], rows: int) -> Way:
    """Sort rows by all columns at once; the first so many rows are training rows."""
    codes = np.zeros(len(found[0].codes[0]), dtype=np.int64)
    said = [""]
    for way in found:
        names = (*way.names, f"{way.about} (others)")
        distinct, codes = np.unique(codes * way.size + way.codes[0], return_inverse=True)
        said = [" & ".join(p for p in (said[d // way.size], names[d % way.size]) if p) for d in distinct.tolist()]
    columns = tuple(c for way in found for c in way.columns)
    return _settled(" ~ ".join(w.about for w in found), columns, codes, said, rows)


def _settled(about: str, columns: tuple[str, ...], codes: np.ndarray, said: Sequence[str], rows: int) -> Way:
    """Keep the groups that have training rows enough, the largest first, and pool the others."""
    counts = np.bincount(codes[:rows], minlength=len(said))
    kept = [int(c) for c in np.argsort(-counts, kind="stable")[:MOST] if counts[c] >= FEWEST]
    place = np.full(len(said), len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    names = [said[c] for c in kept]
    twice = [f"{n} #{i + 1}" if names.index(n) < i else n for i, n in enumerate(names)]  # labels that were cut short
    return Way(about, columns, tuple(twice), (place[codes],))


def _shown(label: object) -> str:
    """Return a label on one line, not too long; true and false in small letters."""
    text = str(label).lower() if isinstance(label, bool) else str(label)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


class Answers(NamedTuple):
    """A question of yes or no about held-out rows, answered by trees that learned it elsewhere."""

    table: str
    test: pa.Table
    """The rows that are asked about."""
    truth: np.ndarray
    """Booleans: what is right."""
    synthetic: np.ndarray
    """How likely a yes is to trees that learned from synthetic rows."""
    real: np.ndarray
    """How likely it is to trees that learned from as many training rows."""
    share: float
    """How often training rows say yes."""
    note: str
    """What is asked and what was sampled, for people."""


def ask(case: Case, ctx: Context) -> Answers | Silence:
    """Let trees learn the target from synthetic rows, and others from real ones, and ask both about held-out rows.

    Yes is the rarer of two labels, the most frequent of more, or, for values with an order, the upper half. Both learn
    from equally many rows, and answer for no more: what chance does to the trees is then no larger than what it does to
    the held-out rows. Without held-out rows a random half of the training rows is asked about, and trees learn from as
    many rows as the other half has.
    """
    found = _columns(case)
    if isinstance(found, Silence) or case.train is None:
        return found if isinstance(found, Silence) else Silence("there are no real rows to compare with")
    table, target, fields = found
    names = list(fields)
    synthetic, train = (_with(d.tables[table].select(names), target) for d in (case.synthetic, case.train))
    unseen = train.slice(0, 0) if case.holdout is None else _with(case.holdout.tables[table].select(names), target)
    if not unseen.num_rows:
        mixed = train.take(pa.array(ctx.at("halves").rng.permutation(train.num_rows)))
        unseen, train = mixed.slice(0, train.num_rows // 2), mixed.slice(train.num_rows // 2)
    same = min(_LEARN_ROWS, train.num_rows, synthetic.num_rows)
    if min(same, unseen.num_rows) < _TOO_FEW:
        return Silence(f"too few rows with a target: at least {_TOO_FEW} are needed of each kind")
    held = {"synthetic": synthetic, "train": train, "test": unseen}
    drawn = [_draw(t, same, ctx.at(name)) for name, t in held.items()]
    yes, said = _question([t.column(target) for t in drawn], fields[target])
    if any(y.all() or not y.any() for y in yes[1:]):
        return Silence("the target does not vary among the training rows, or among those that are asked about")
    known = encode(drawn, {c: f for c, f in fields.items() if c != target})
    told = []
    for i in range(2):
        trees = boost(known.values[i], yes[i].astype(np.float64), ctx.at("boost"), discrete=known.discrete, classes=2,
                      rounds=100)  # fmt: skip
        told.append(trees.predict(known.values[2]).astype(np.float64))
    if max(t.num_rows for t in held.values()) > same:
        said += f"; trees learned from {same:,} random rows and answered for {drawn[2].num_rows:,}"
    return Answers(table, drawn[2], yes[2], told[0], told[1], float(yes[1].mean()), said)


def target_of(case: Case) -> tuple[str, str] | Silence:
    """Return table and name of the target of a case with real rows, or why there is none."""
    if case.train is None:
        return Silence(NO_REAL)
    if case.target is None:
        return Silence("no target is named (a specification says `evaluate: {target: …}`, the command line `--target`)")
    if case.target not in case.schema.columns:
        return Silence("the target is no column of the schema", "failed")
    return case.schema.split(case.target)


def _columns(case: Case) -> tuple[str, str, dict[str, Field]] | Silence:
    """Return the target's table, the target, and the columns that trees look at and learn."""
    named = target_of(case)
    if isinstance(named, Silence) or case.train is None:
        return named if isinstance(named, Silence) else Silence(NO_REAL)
    table, target = named
    fields = {c: f for c, f in case.schema.tables[table].fields.items()
              if f.kind in ORDERED | DISCRETE and not f.anew and c in case.train.columns(table)}  # fmt: skip
    if target not in fields:
        return Silence("the target is made anew, not modelled from real values")
    made = case.synthetic.tables[table].schema
    real = case.train.tables[table].schema
    if lacking := [c for c in fields if c not in made.names or made.field(c).type != real.field(c).type]:
        return Silence(f"the synthetic table lacks {len(lacking)} columns, first {lacking[0]!r}", "failed")
    if len(fields) < 2:
        return Silence("no other modelled column could predict the target")
    return table, target, fields


def _with(held: pa.Table, target: str) -> pa.Table:
    """Return the rows that have a target."""
    empty = held.column(target).is_null(nan_is_null=True)
    return held.filter(pa.compute.invert(empty))


def _draw(held: pa.Table, rows: int, ctx: Context) -> pa.Table:
    if held.num_rows <= rows:
        return held
    return held.take(pa.array(np.sort(ctx.rng.choice(held.num_rows, size=rows, replace=False))))


def _question(columns: Sequence[pa.ChunkedArray], field: Field) -> tuple[list[np.ndarray], str]:
    """Return which rows say yes, table by table, and what was asked; training rows, the second, settle it."""
    ends = np.cumsum([len(c) for c in columns])[:-1]
    whole = pa.chunked_array([k for c in columns for k in c.chunks], columns[0].type)
    train = slice(int(ends[0]), int(ends[1]))
    if field.kind in ORDERED:
        values = numbers(whole)
        middle = np.sort(values[train])[(train.stop - train.start) // 2]
        upper = [values > middle, values >= middle]
        yes = min(upper, key=lambda u: abs(float(u[train].mean()) - 0.5))
        return np.split(yes, ends), "asked: whether the target is in its upper half"
    codes = labels(whole)[0]
    counts = np.bincount(codes[train], minlength=1)
    present = np.flatnonzero(counts)
    pick = present[np.argmin(counts[present])] if len(present) == 2 else int(np.argmax(counts))
    word = "rarer of its two labels" if len(present) == 2 else "most frequent of its labels"
    return np.split(codes == pick, ends), f"asked: whether the target is the {word}"


class Gap(NamedTuple):
    """How far apart the groups of one way to sort rows are in how often trees say yes."""

    about: str
    estimate: Estimate
    """Of trees that learned from synthetic rows."""
    reference: float
    """Of trees that learned from real rows."""
    note: str
    """Which groups are farthest apart."""
    chance: float
    """How much larger than the reference it is by chance alone, as the worst of all ways."""


class Gaps(NamedTuple):
    """How far apart groups are, by every way to sort rows."""

    found: tuple[Gap, ...]
    """The worst, compared with its reference and with chance, comes first."""
    rows: int
    """Held-out rows that count."""
    note: str
    """What was asked."""


def gaps(case: Case, ctx: Context, fewest: int, *, among_yes: bool) -> Gaps | Silence:
    """Return how much more often trees say yes for one group than for another.

    Trees say yes to as many held-out rows as training rows would have it, those they are surest of. What chance does is
    told by drawing the rows of each group anew, with the answers of both sides (the bootstrap).

    Args:
        case: what is measured.
        ctx: the randomness.
        fewest: held-out rows that a group must have to count.
        among_yes: whether only rows count for which yes is right.
    """
    known = sensitive(case)
    if isinstance(known, Silence):
        return known
    said = ask(case, ctx)
    if isinstance(said, Silence):
        return said
    if said.table not in known:
        return Silence("no sensitive column is in the table of the target")
    every = ways(case, said.table, known[said.table], [said.test])
    among = said.truth if among_yes else np.ones(len(said.truth), dtype=bool)
    both = _surest(said.synthetic, said.share) * 2 + _surest(said.real, said.share)
    counts = [np.bincount(w.codes[0][among] * 4 + both[among], minlength=4 * w.size).reshape(w.size, 4) for w in every]
    enough = [np.flatnonzero(c[:-1].sum(axis=1) >= fewest) for c in counts]
    ready = [(w, c[e], e) for w, c, e in zip(every, counts, enough, strict=True) if len(e) >= 2]
    if not ready:
        return Silence(f"fewer than two groups have {fewest} held-out rows to compare")
    found = [_gap(w, c, [w.names[int(i)] for i in e], len(ready), ctx.at(w.about)) for w, c, e in ready]
    found.sort(key=lambda g: g.reference + g.chance - g.estimate.value)
    return Gaps(tuple(found), int(among.sum()), said.note)


def _gap(way: Way, counts: np.ndarray, names: list[str], ways_compared: int, ctx: Context) -> Gap:
    """Return the gap of one way, from how often each group gets no and no, no and yes, yes and no, yes and yes."""
    sums = counts.sum(axis=1)
    drawn = [ctx.rng.multinomial(int(n), c / n, size=_DRAWS) for n, c in zip(sums, counts, strict=True)]
    rates = [(c[..., 3] + c[..., k]) / sums for c in (counts, np.stack(drawn, axis=1)) for k in (2, 1)]
    value, second, values, seconds = (r.max(axis=-1) - r.min(axis=-1) for r in rates)
    spread = 1.96 * float(np.std(values))
    note = f"highest for {names[int(np.argmax(rates[0]))]}, lowest for {names[int(np.argmin(rates[0]))]}"
    estimate = Estimate(float(value), float(value) - spread, float(value) + spread)
    return Gap(
        way.about, estimate, float(second), note, allowance(RETRAINED * float(np.std(values - seconds)), ways_compared)
    )


def _surest(likely: np.ndarray, share: float) -> np.ndarray:
    """Return which rows are the likeliest, so many of them or, where rows are equally likely, fewer."""
    count = min(max(int(np.ceil(share * len(likely))), 1), len(likely) - 1)
    return np.asarray(likely > np.sort(likely)[len(likely) - count - 1], dtype=np.int64)
