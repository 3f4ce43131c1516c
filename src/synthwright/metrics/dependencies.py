"""Whether what holds in nearly every real row, although nobody declared it, holds in synthetic rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.relations import find
from synthwright.core.rule_nodes import Compare, Missing, Parsed, walk
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Schema, Table
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import excess
from synthwright.kit.measuring.stats import binned, quantiles, shared_codes, wilson
from synthwright.metrics.comparing import Finding, Trio, badness, draw, label, numeric, scores, trios, unmade, without

NATURAL = 0.005
"""The share of rows that may break a relation which is believed all the same."""
UNLIKE = 0.1
"""Rows that break a relation, at most, as a share of those that would if its columns were independent."""
EXPECTED = 30.0
"""Rows that would break a relation by chance, at least."""
_FEWEST = 20
"""Rows of every sample below which nothing is believed."""
_SEEN = 3
"""Rows that must share a value before it says anything of another column."""
_SHARED = 100
"""Rows that must share it where not every value of its column says something."""
_BITS = 20.0
"""How much such a value must say: by chance it would be met in one of so many powers of two tables."""
_COLUMNS = 64
"""Columns that are held against each other, at most."""
_DISTINCT = 200
"""Different values up to which an ordered column is taken as it is; beyond, as common values and ranges."""
_RANGES = 16
_MASS = 0.01
"""The share of rows that makes a value common."""
_DENSE = 1_000_000
_LEARN = 20_000
"""Training rows in which relations are looked for, at most."""
_TRIES = 12
"""Small samples in which relations are looked for, so that a few exceptions in the table hide none."""
_TRIED = 600
"""Columns of all of these samples together, at most: fewer are drawn from wide tables, but three at least."""
_FEW = 300
"""Rows of each of them."""


class Dependencies(Metric):
    """Share of synthetic rows that break no relation which holds in nearly every training row: 1 all rows.

    Relations are found, not declared; those that are declared as rules are left out. A column follows from another: the
    country from the city, and in part: a husband is a man, where one column is null or 0 another is too. Numbers add
    up, multiply, equal or never exceed each other. A relation may be broken by one training row in 200, and counts only
    where ten times as many would break it if its columns were independent. Values that fewer than three training rows
    share say nothing. The reference is the same share of held-out rows: new real rows are exceptions too. The interval
    is Wilson's, and the allowance for chance Fisher's exact test. The parts are the relations that are broken most,
    named by their columns. Reference for what follows only in part: Bohannon et al., Conditional functional
    dependencies for data cleaning, ICDE 2007.
    """

    name: ClassVar[str] = "dependencies"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "What holds in most rows only, and what takes three columns to say, is not seen."

    listed: int = Setting(default=20, ge=0, le=1_000)
    """Relations that get a score of their own, at most: those that are broken most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        found = trios(case, ctx)
        if lacking := [label(t.table, c) for t in found for c in t.missing]:
            said = f"the synthetic table lacks {len(lacking)} columns, or holds them in another type"
            return without(self, f"{said}, first {lacking[0]}", "failed")
        ready = [t for t in found if t.smallest >= _FEWEST]
        if not ready:
            return without(self, f"too few rows: each side needs at least {_FEWEST}")
        tables: dict[str, Finding] = {}
        parts: list[Finding] = []
        for trio in ready:
            declared = [rule.rule for table, rule in case.rules if table == trio.table]
            broken = _broken(trio, _learned(case, trio, ctx), declared, ctx.at(trio.table))
            tables[trio.table] = _whole(trio, broken)
            parts += [_finding(about, lost, len(broken)) for about, lost in broken.items()]
        parts.sort(key=partial(badness, lower=False), reverse=True)
        return scores(self, tables, parts[: self.listed], max(t.smallest for t in ready), share=True)


class _Lost(NamedTuple):
    """Which rows break a relation."""

    real: np.ndarray
    """Booleans, one per held-out row."""
    synthetic: np.ndarray


class _Coded(NamedTuple):
    """A column as codes, the same ones in each sample: training rows, held-out rows, synthetic rows."""

    codes: list[np.ndarray]
    size: int


def _learned(case: Case, trio: Trio, ctx: Context) -> pa.Table:
    """Return the training rows in which relations are looked for: without held-out rows, those not in their place."""
    if case.train is None or case.holdout is None or not case.holdout.rows(trio.table):
        return trio.second
    return draw(case.train.tables[trio.table].select(list(trio.fields)), _LEARN, ctx.at(trio.table, "learn"))


def _whole(trio: Trio, broken: Mapping[str, _Lost]) -> Finding:
    if not broken:
        note = "no relation that nobody declared holds in nearly every training row"
        return Finding(trio.table, wilson(trio.synthetic.num_rows, trio.synthetic.num_rows), 1.0, note, 0.0)
    whole = _Lost(*(np.any([lost[i] for lost in broken.values()], axis=0) for i in range(2)))
    many = f"{len(broken):,} relation{'s' if len(broken) > 1 else ''} hold in nearly every training row"
    return _finding(trio.table, whole, 1)._replace(note="; ".join(n for n in (many, trio.note) if n))


def _finding(about: str, lost: _Lost, parts: int) -> Finding:
    hits, trials, among = int(lost.real.sum()), len(lost.real), len(lost.synthetic)
    kept = among - int(lost.synthetic.sum())
    return Finding(about, wilson(kept, among), 1 - hits / trials, chance=excess(hits, trials, among, parts))


def _broken(trio: Trio, learn: pa.Table, declared: Sequence[str], ctx: Context) -> dict[str, _Lost]:
    """Return for every relation the rows that break it, by what it is about."""
    known = [parsed for parsed in map(_parsed, declared) if parsed is not None]
    samples = [learn, trio.real, trio.synthetic]
    out = _decided(samples, trio, known)
    for about, lost in _ruled(samples, trio, known, ctx).items():
        out[about] = lost if about not in out else _Lost(*(a | b for a, b in zip(out[about], lost, strict=True)))
    return out


def _parsed(text: str) -> Parsed | None:
    try:
        return parse(text)
    except ValueError:  # the metric `rules` says so
        return None


# --------------------------------------------------------------------------------------- columns that follow from one
def _decided(samples: list[pa.Table], trio: Trio, known: Sequence[Parsed]) -> dict[str, _Lost]:
    """Return the rows whose value is not the one that another column's value brings with it among training rows."""
    names = list(trio.fields)[:_COLUMNS]
    coded = {c: _coded([t.column(c) for t in samples], trio.fields[c]) for c in names}  # the coarsest last
    said = {(p.left[0], r) for p in known if p.form == "dependency" and len(p.left) == 1 for r in p.right}
    said |= {(a, b) for p in known for a in p.columns for b in p.columns if _settles(p)}
    out = {}
    for one in names:
        for other in names:
            if one == other or (one, other) in said:
                continue
            lost = [f for left in coded[one] if (f := _follows(left, coded[other][-1])) is not None]
            if lost:
                whole = _Lost(*(np.any(rows, axis=0) for rows in zip(*lost, strict=True)))
                out[f"{label(trio.table, one)} -> {label(trio.table, other)}"] = whole
    return out


def _settles(parsed: Parsed) -> bool:
    """Return whether a rule says what each of its columns tells of the others: it is about nulls, or an equality."""
    tree = parsed.tree
    if isinstance(tree, Compare) and tree.sign == "==":
        return True
    return tree is not None and any(isinstance(node, Missing) for node in walk(tree))


def _coded(columns: list[pa.ChunkedArray], field: Field) -> list[_Coded]:
    """Return a column as codes of its labels, or of its values or ranges, and then of its common values alone.

    Null is a code like any other, and so, where only common values have codes, are all the other values together.
    """
    if not numeric(field):
        codes, size = shared_codes(columns)
        return [_Coded(codes, size)]
    ends = np.cumsum([len(c) for c in columns])[:-1]
    values = np.concatenate([numbers(c) for c in columns])
    first = values[: ends[0]]
    distinct, counts = np.unique(first[~np.isnan(first)], return_counts=True)
    masses = distinct[counts >= max(_FEWEST, _MASS * len(first))]
    known = distinct if len(distinct) <= _DISTINCT else masses
    edges = quantiles(first[~_among(first, known)[1]], np.arange(1, _RANGES) / _RANGES)
    out = []
    for held, cuts in ((known, edges), (masses, np.zeros(0))):
        places, common = _among(values, held)
        found = np.where(common, places, len(held) + binned(values, cuts))  # nulls have the last bin
        out.append(_Coded(np.split(found, ends), len(held) + len(cuts) + 2))
    return out


def _among(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where values stand among known ones in their order, and which of them are known."""
    places = np.searchsorted(known, values)
    return places, np.append(known, np.nan)[places] == values


def _follows(left: _Coded, right: _Coded) -> list[np.ndarray] | None:
    """Return the held-out and the synthetic rows that break what a column says of another; None if it says nothing."""
    wanted = _wanted(left.codes[0], right.codes[0], left.size, right.size)
    if wanted is None:
        return None
    return [(wanted[a] >= 0) & (wanted[a] != b) for a, b in zip(left.codes[1:], right.codes[1:], strict=True)]


def _wanted(left: np.ndarray, right: np.ndarray, lefts: int, rights: int) -> np.ndarray | None:
    """Return for each code of one column the other's code that goes with it, -1 for none; nothing where none does."""
    rows, best, most = _tops(left, right, lefts, rights)
    shares = np.bincount(right, minlength=rights) / max(len(right), 1)
    lost = rows - most
    seen = rows >= _SEEN
    if seen.sum() > 1 and lost[seen].sum() <= NATURAL * rows[seen].sum():
        by_chance = float((rows[seen] - 1).sum() * (1 - np.sum(shares**2)))
        if by_chance >= EXPECTED and lost[seen].sum() <= UNLIKE * by_chance:
            return np.where(seen, best, -1)
    share = shares[best]
    said = -rows * np.log2(np.maximum(share, 1e-300))
    sure = (rows >= _SHARED) & (lost <= NATURAL * rows) & (said >= _BITS) & (lost <= UNLIKE * rows * (1 - share))
    if (rows * (1 - share))[sure].sum() < EXPECTED:
        return None
    return np.where(sure, best, -1)


def _tops(left: np.ndarray, right: np.ndarray, lefts: int, rights: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each code of one column its rows, the other's most frequent code among them, and the rows of that."""
    rows = np.bincount(left, minlength=lefts)
    pairs = left * rights + right
    if lefts * rights <= _DENSE:
        counts = np.bincount(pairs, minlength=lefts * rights).reshape(lefts, rights)
        return rows, counts.argmax(axis=1), counts.max(axis=1)
    distinct, counts = np.unique(pairs, return_counts=True)
    order = np.argsort(counts, kind="stable")
    best, most = np.zeros(lefts, dtype=np.int64), np.zeros(lefts, dtype=np.int64)
    of, value = distinct[order] // rights, distinct[order] % rights
    best[of], most[of] = value, counts[order]  # the most frequent is written last
    return rows, best, most


# ---------------------------------------------------------------------------------------------- what numbers keep to
def _ruled(samples: list[pa.Table], trio: Trio, known: Sequence[Parsed], ctx: Context) -> dict[str, _Lost]:
    """Return the rows that break a rule which nearly all training rows keep."""
    spec = Table(fields=dict(trio.fields))
    said = {frozenset(p.columns) for p in known if p.form == "row"}
    out: dict[str, _Lost] = {}
    for parsed in _candidates(samples[0], trio.table, spec, ctx):
        if frozenset(parsed.columns) in said:
            continue
        try:
            lost = [~_holds(t, parsed, spec) for t in samples]
            if not _believed(lost[0], samples[0], parsed, spec):
                continue
        except InputError:
            continue
        about = label(trio.table, *parsed.columns)
        before = out.get(about)
        out[about] = _Lost(*lost[1:]) if before is None else _Lost(before.real | lost[1], before.synthetic | lost[2])
    return out


def _candidates(train: pa.Table, table: str, spec: Table, ctx: Context) -> list[Parsed]:
    """Return rules about single rows that hold in the training rows, or in one of several small samples of them."""
    schema = Schema(tables={table: spec})
    tries = max(3, min(_TRIES, _TRIED // len(spec.fields))) if train.num_rows > _FEW else 0
    few = [draw(train, _FEW, ctx.at("few", i)) for i in range(tries)]
    texts = [rule.rule for held in (train, *few) for rule in find(Dataset(schema, {table: held}))[table]]
    parsed = (_parsed(text) for text in dict.fromkeys(texts))
    return [p for p in parsed if p is not None and p.form == "row"]


def _holds(held: pa.Table, parsed: Parsed, spec: Table) -> np.ndarray:
    from synthwright.kit.constraints.expressions import holds  # late: it brings polars

    return holds(held, parsed, spec)


def _believed(lost: np.ndarray, train: pa.Table, parsed: Parsed, spec: Table) -> bool:
    """Return whether few rows break a rule, and many would if its first column were another row's."""
    if lost.sum() > NATURAL * len(lost):
        return False
    first = parsed.columns[0]
    other = np.roll(np.arange(len(lost)), 1 + len(lost) // 3)
    mixed = train.set_column(train.column_names.index(first), first, train.column(first).take(pa.array(other)))
    by_chance = int((~_holds(mixed, parsed, spec)).sum())
    return by_chance >= EXPECTED and bool(lost.sum() <= UNLIKE * by_chance)
