"""Whether synthetic values lie where real values lie: on their steps, round numbers, common values and forms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import LEVEL, excess
from synthwright.kit.measuring.cycles import Overlap, cycles, overlap
from synthwright.kit.measuring.stats import Estimate, shared_codes, wilson
from synthwright.metrics.comparing import MOST_ROWS, Finding, Trio, draw, label, numeric, scores, trios, unmade, without

NEARLY = 0.98
"""The share of training values that lie on a lattice, or occur more than once, before others are expected to."""
MARKED = 0.1
"""The share of training values beyond what an even spread would give before round numbers count as usual."""
COMMON = 0.005
"""The share of training values that makes one value common."""
_FEWEST = 20
"""Values of every sample below which nothing is expected."""
_WIDTH = 5
"""How often the values' span holds a cycle of last digits, at least."""
_CELLS = 1e7
"""Steps that the values' span holds at most: finer ones are no more than how floats are written."""
_ROUGH = 1e4
"""The same for round numbers that only some values are."""
_CLOSE = 1e-6
_FLOAT = 4e-16
_WHOLE = 2.0**53
_MOST = 20_000
"""Texts of each sample that are looked at, and values of which the different ones are counted."""
_DIFFERENT = 50
"""Different values that a column must have before synthetic rows are expected to have half as many."""
_EXCHANGES = 20
"""How often values change samples, to learn what chance does."""
_SECONDS = (86_400, 43_200, 21_600, 3_600, 1_800, 900, 600, 300, 60, 30, 15, 10, 5, 1, 0.5, 0.1, 0.01, 0.001)
"""Steps of time that people use, the longest first."""
_DAY, _HOUR = 86_400, 3_600
_TIMES = (Kind.TIME, Kind.DATETIME, Kind.DURATION)


class Lattices(Metric):
    """Share of synthetic values that lie where real ones lie, in the column that falls behind real rows the most.

    What is usual is learned from training rows, column by column: the step that nearly all values are multiples of
    (cents, tens, whole hours), the last digits, week days or hours that values prefer, the values that many rows
    share, and, where nearly every value occurs more than once, the values (or labels) that occur at all. The reference
    is the same share of held-out values. Numbers that are rounded too much are told by another share: how many
    different values there are, of half as many as equally many training values have. Dates and instants are held to
    how often training rows lie on each week day, day of the month, month, hour and minute: the share is that which two
    samples have in common (1 less their total variation), and chance is told by rows that change samples. The whole is
    the column in which synthetic values fall behind by more than chance the most, the allowance being Fisher's exact
    test otherwise, shared among all that is looked at. Zero lies on every step and is left out there; null is no value.
    Columns made anew have a part where the way they are spelled (letters, digits and marks in their order) is regular,
    and do not count for the whole. Intervals are Wilson's.
    """

    name: ClassVar[str] = "lattices"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It sees that values are possible ones, not that each is as frequent as it should be, but for days and hours, "
        "which are those of coordinated universal time."
    )

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
        seen: dict[str, list[_Usual]] = {}
        for trio in ready:
            learn = _learned(case, trio, ctx)
            seen |= {label(trio.table, c): _seen(trio, learn, c, ctx.at(trio.table, c).rng) for c in trio.fields}
        told = _told({about: places for about, places in seen.items() if places})
        texts = {label(t.table, c): p for t in ready for c, p in _spelled(case, t.table, ctx.at(t.table)).items()}
        rows = max(t.smallest for t in ready)
        notes = "; ".join(dict.fromkeys(t.note for t in ready if t.note))
        whole = Finding("", wilson(rows, rows), 1.0, "no column has values that are usual", 0.0)
        if told:
            worst = max(told, key=_behind)
            whole = worst._replace(about="", note="; ".join(n for n in (f"{worst.about}: {worst.note}", notes) if n))
        return scores(self, {"": whole}, [*told, *_told(texts)], rows, share=True)


class _Place(NamedTuple):
    """Something usual, and which values keep to it."""

    said: str
    """What it is, for people."""
    real: np.ndarray
    """Booleans, one for every held-out value that it is about."""
    synthetic: np.ndarray

    def finding(self, about: str, parts: int) -> Finding:
        """Return the share of synthetic values that keep to it, with what chance does to the worst of some parts."""
        lost, trials, among = int((~self.real).sum()), len(self.real), len(self.synthetic)
        kept = int(self.synthetic.sum())
        return Finding(about, wilson(kept, among), 1 - lost / trials, self.said, excess(lost, trials, among, parts))


class _Variety(NamedTuple):
    """How many different values two samples of as many rows have."""

    synthetic: int
    second: int
    variance: float
    """Of the difference, if rows changed samples at random."""

    def finding(self, about: str, parts: int) -> Finding:
        """Return the number of different values, as a share of half those that the second sample has.

        Where few values are rare the difference is none or one, and a normal distribution would be wrong: the allowance
        is Bernstein's bound.
        """
        size = math.log(parts / LEVEL)
        chance = size / 3 + math.sqrt(size**2 / 9 + 2 * size * self.variance)
        half, error = self.second / 2, math.sqrt(self.variance / 2)
        share, about_ = self.synthetic / half, "half as many different values as training rows have"
        estimate = Estimate(share, share - 1.96 * error / half, share + 1.96 * error / half)
        return Finding(about, estimate.within((0.0, 1.0)), 1.0, about_, chance / half)


class _Times(NamedTuple):
    """How much of what is held out, and of what is synthetic, keeps to the days and hours of training rows."""

    said: str
    shared: Overlap
    rows: int
    """How many synthetic values there are."""

    def finding(self, about: str, parts: int) -> Finding:
        """Return the share that keeps to them, with what chance does to the worst of some parts."""
        real, synthetic = self.shared.real, self.shared.synthetic
        return Finding(about, wilson(synthetic * self.rows, self.rows), real, self.said, self.shared.allowed(parts))


_Usual: TypeAlias = _Place | _Variety | _Times


def _told(seen: dict[str, list[_Usual]]) -> list[Finding]:
    """Return for each column what its values keep to least, by what it is about."""
    many = sum(len(found) for found in seen.values())
    return [max((f.finding(about, many) for f in found), key=_behind) for about, found in seen.items()]


def _behind(finding: Finding) -> tuple[float, float]:
    """Return by how much a share is below its reference, if by more than chance, and by how much it is below at all."""
    behind = (finding.reference or 0.0) - finding.estimate.value
    return behind if behind > (finding.chance or 0.0) else 0.0, behind


# ------------------------------------------------------------------------------------------------ what is usual
def _learned(case: Case, trio: Trio, ctx: Context) -> pa.Table:
    """Return the training rows that say what is usual: where there are no held-out rows, those not in their place."""
    if case.train is None or case.holdout is None or not case.holdout.rows(trio.table):
        return trio.second
    return draw(case.train.tables[trio.table].select(list(trio.fields)), MOST_ROWS, ctx.at(trio.table, "learn"))


def _seen(trio: Trio, learn: pa.Table, column: str, rng: np.random.Generator) -> list[_Usual]:
    """Return what is usual for a column, and which values keep to it."""
    field = trio.fields[column]
    held = [t.column(column) for t in (learn, trio.real, trio.synthetic)]
    if not numeric(field):
        codes, size = shared_codes(held)
        known = _known(*(c[c < size - 1].astype(np.float64) for c in codes))
        return [known] if known is not None else []
    values = [numbers(column) for column in held]
    present = [v[np.isfinite(v)] for v in values]
    if min(map(len, present)) < _FEWEST:
        return []
    known = _known(*present)
    found = [known if known is not None else _common(*present), *_grids([v[v != 0] for v in present], field),
             _variety(present[0], present[2], rng), *_times(present, field, rng)]  # fmt: skip
    return [place for place in found if place is not None]


def _times(values: list[np.ndarray], field: Field, rng: np.random.Generator) -> Iterator[_Times]:
    """Yield how values keep to the days and hours of training rows."""
    for cycle in cycles(values, field, _per_second(field), _WIDTH):
        yield _Times(f"the usual {cycle.said}", overlap(cycle, rng), len(values[2]))


def _variety(second: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> _Variety | None:
    """Return how many different values there are in equally many rows of two samples; nothing where there are few."""
    rows = min(len(second), len(synthetic), _MOST)
    both = np.concatenate([rng.permutation(second)[:rows], rng.permutation(synthetic)[:rows]])
    codes = np.unique(both, return_inverse=True)[1]
    differ = np.empty((1 + _EXCHANGES, 2))
    for i in range(1 + _EXCHANGES):
        differ[i] = [np.count_nonzero(np.bincount(half)) for half in np.split(codes, 2)]
        codes = rng.permutation(codes)
    if differ[0, 0] < _DIFFERENT:
        return None
    return _Variety(int(differ[0, 1]), int(differ[0, 0]), float(np.mean((differ[1:, 0] - differ[1:, 1]) ** 2)))


def _known(train: np.ndarray, real: np.ndarray, synthetic: np.ndarray) -> _Place | None:
    """Return which values occur among training rows, where nearly every one of these occurs more than once."""
    if min(len(train), len(real), len(synthetic)) < _FEWEST:
        return None
    values, counts = np.unique(train, return_counts=True)
    if np.sum(counts == 1) > (1 - NEARLY) * len(train):  # what share of new values would be unknown: Good and Turing's
        return None
    return _Place("values that training rows have", np.isin(real, values), np.isin(synthetic, values))


def _common(train: np.ndarray, real: np.ndarray, synthetic: np.ndarray) -> _Place | None:
    """Return which values are among those that many training rows share."""
    values, counts = np.unique(train, return_counts=True)
    many = counts >= max(_FEWEST, COMMON * len(train))
    if counts[many].sum() < MARKED * len(train):
        return None
    return _Place("values that many training rows share", np.isin(real, values[many]), np.isin(synthetic, values[many]))


def _grids(values: list[np.ndarray], field: Field) -> Iterator[_Place]:
    """Yield which values other than 0 are multiples of the usual step, and have the usual last digits."""
    train = values[0]
    if min(map(len, values)) < _FEWEST or len(np.unique(train)) < 3:
        return
    per = _per_second(field)
    low, high = np.quantile(train, (0.05, 0.95))
    step, share = _step(train, _steps(train, field, per), high - low)
    if step is not None and not (per is None and step == 1 and field.kind is not Kind.NUMBER):
        yield _Place(f"multiples of {_named(step, per)}", *(_multiple(v, step) for v in values[1:]))
    if field.kind in (Kind.DATE, Kind.DATETIME):
        cycles = [("week day", _DAY * per if per else 1, 7)] + ([("hour", _HOUR * per, 24)] if per else [])
    elif step is not None and share >= NEARLY and per is None:
        cycles = [(f"last {'digits' if n > 10 else 'digit'}", step, n) for n in (10, 100, 1_000)]
    else:
        return
    usual = [_cycle(values, unit, size, said) for said, unit, size in cycles if high - low >= _WIDTH * size * unit]
    found = sorted((u for u in usual if u is not None), key=lambda u: -u[0])
    yield from (place for _, place in (found if field.kind in (Kind.DATE, Kind.DATETIME) else found[:1]))


def _per_second(field: Field) -> float | None:
    """Return how many units of a column of times a second has; nothing for other columns."""
    return (1e9 if canonical(field).unit == "ns" else 1e6) if field.kind in _TIMES else None


def _steps(train: np.ndarray, field: Field, per: float | None) -> list[float]:
    """Return the steps that a column may have, the largest first."""
    if per is not None:
        return [s * per for s in _SECONDS]
    own = [field.step] if field.step is not None else []
    if field.kind is Kind.DATE:
        return sorted({*own, 7.0, 1.0}, reverse=True)
    size = float(np.median(np.abs(train)))
    top = int(np.clip(np.ceil(np.log10(size)), -300, 300)) if size > 0 else 0
    round_ = [float(f"{f}e{k}") for k in range(top, top - 9, -1) for f in (5, 2.5, 2, 1)]
    return sorted({*own, *round_}, reverse=True)


def _step(train: np.ndarray, steps: Sequence[float], span: float) -> tuple[float | None, float]:
    """Return the largest step that nearly all values are multiples of, or that many are, and the share of these."""
    shares = [(step, float(_multiple(train, step).mean())) for step in steps if span <= _CELLS * step]
    for step, share in shares:
        if share >= NEARLY:
            return step, share
    rough = [(step, share) for step, share in shares if span <= _ROUGH * step]
    most = max((share for _, share in rough), default=0.0)
    if most < MARKED:
        return None, 0.0
    return next((step, share) for step, share in rough if share >= 0.8 * most)


def _multiple(values: np.ndarray, step: float) -> np.ndarray:
    """Return which values are multiples of a step, but for what floats cannot tell."""
    with np.errstate(over="ignore", invalid="ignore"):
        count = values / step
        return np.asarray(np.abs(count - np.rint(count)) <= np.minimum(_CLOSE + _FLOAT * np.abs(count), 0.01))


def _named(step: float, per: float | None) -> str:
    return f"{step:g}" if per is None else f"{step / per:g} seconds"


def _cycle(values: list[np.ndarray], unit: float, size: int, said: str) -> tuple[float, _Place] | None:
    """Return which values have a place in a cycle that more training values have than an even spread would give.

    And, before it, how many more. The cycle is the last digits, the week or the day.
    """
    with np.errstate(over="ignore"):
        counts = [np.floor(v / unit + 1e-3) for v in values]
    if np.abs(counts[0]).max() >= _WHOLE:
        return None
    places = [np.mod(np.clip(c, -_WHOLE, _WHOLE), size).astype(np.int64) for c in counts]
    rows = np.bincount(places[0], minlength=size)
    even = len(places[0]) / size
    usual = rows > even + 4 * np.sqrt(even)
    more = float((rows[usual] - even).sum()) / len(places[0])
    low, high = np.quantile(counts[0], (0.05, 0.95))
    if more < MARKED or (high - low) * usual.sum() > _ROUGH * size:
        return None
    return more, _Place(f"the usual {said.removesuffix('s')}s", *(usual[p] for p in places[1:]))


# ------------------------------------------------------------------------------------------------ how text is spelled
def _spelled(case: Case, table: str, ctx: Context) -> dict[str, list[_Usual]]:
    """Return for the columns of text that are spelled in a regular way which values are spelled so."""
    if case.train is None or case.holdout is None:
        return {}
    out: dict[str, list[_Usual]] = {}
    for name, field in case.schema.tables[table].fields.items():
        held = [d.tables[table] for d in (case.train, case.holdout, case.synthetic)]
        if not field.anew or not all(name in t.column_names and _text(t.column(name)) for t in held):
            continue
        drawn = [draw(t.select([name]), _MOST, ctx.at("text", name, i)) for i, t in enumerate(held)]
        codes, size = shared_codes([_marks(t.column(name)) for t in drawn])
        place = _known(*(c[c < size - 1].astype(np.float64) for c in codes))
        if place is not None:
            out[name] = [place._replace(said="spelled as training values are")]
    return out


def _text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _marks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts with every run of letters as one letter, and every run of digits as one digit."""
    letters = pc.replace_substring_regex(column.cast(pa.large_string()), r"\pL+", "a")
    return pc.replace_substring_regex(letters, r"\pN+", "0")
