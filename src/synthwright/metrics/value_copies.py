"""Whether synthetic rows hold values that belong to one training person: an e-mail, a name, a note."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import Column
from synthwright.kit.measuring.natural import NOTHING, PAIRED, Seen, Verdict, beyond, judged, strongest, told
from synthwright.kit.measuring.stats import wilson
from synthwright.kit.texts.passages import Passages, Repeated, Texts, is_text, read
from synthwright.metrics.comparing import Finding, badness, label, scores, unmade, without

FEW = (1, 10)
"""A value is somebody's where no more training rows than these have it: those of one person, in the second case."""
LETTERS = 6
"""Letters and digits below which a value is not looked at: too short to be somebody's."""
REPEATED = 0.25
"""The share of a long text's words that stand in passages of one training text, from which it is a copy of that."""
LEVELS = (0.001, 0.01, 0.1)
"""Shares of real texts above the thresholds that are tried; none is below `REPEATED`."""
_BYTES = 32_000_000
"""Bytes of each column that are read, at most: more are sampled."""
_INNOCENT = 0.001
"""How likely it must be that values of held-out people are met as often as those of training people …"""
_MORE = 0.05
"""… and how unlikely that they are met no oftener than training rows meet them."""


class ValueCopies(Metric):
    """Share of a column's synthetic texts that repeat what one training person alone has: an e-mail, a name, a note.

    Every column of text that was produced is looked at by itself, those made anew too. A value is a copy where it
    equals one that one training row has, or up to ten have, as those of one person; spaces, marks and capitals
    do not count, and a value counts no oftener than training rows would have it in a table of that size. A text of
    twelve words or more is a copy where a quarter of its words stand in passages of at least four words that one
    training text has and no other (see Broder, On the resemblance and containment of documents, 1997): so phrases that
    many write are nobody's, and a third of the words may be changed. The reference is the share of real rows that
    count: held-out rows, and training rows left out, not at all where the two contradict each other. Chance is Fisher's
    exact test, its level shared among columns. Values that were made from what is known of everybody meet held-out
    people as often as training people: then these are no copies. The whole is the worst column. The interval is
    Wilson's.
    """

    name: ClassVar[str] = "value-copies"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Keys, references and numbers are not looked at, nor a name inside a longer text, a text told in other words, "
        "or a value of fewer than six letters and digits."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if failed := unmade(self, case):
            return failed
        sides = {"synthetic": case.synthetic, "training": case.train, "held-out": case.holdout}
        seen = []
        for table in case.schema.tables:
            held = {s: d.tables[table] for s, d in sides.items() if d is not None and d.rows(table)}
            seen += [_Seen.of(label(table, c), {s: t.column(c) for s, t in held.items()}, ctx.at(table, c))
                     for c in looked_at(case, table)]  # fmt: skip
        parts = sum(s.ways for s in seen) * (1 if case.holdout is None else 2)  # left-out rows or not: both may err
        found, rows = [], 0
        for each in seen:
            if verdicts := [*_equal(each, parts), *_long(each, parts)]:
                verdict = strongest(verdicts)
                rows = max(rows, verdict.rows)
                found.append(Finding(each.about, wilson(verdict.counted, verdict.rows), verdict.reference,
                                     each.note(verdict), verdict.chance))  # fmt: skip
        if not found:
            return without(self, "no column of texts was produced that both real and synthetic rows have")
        worst = max(found, key=lambda f: badness(f, lower=True))
        return scores(self, {"": worst._replace(about="")}, found, rows, share=True)


def looked_at(case: Case, table: str) -> tuple[str, ...]:
    """Return the columns of text that were generated and that all sides have: made anew too, no keys or references."""
    fields: Mapping[str, Field] = case.schema.tables[table].fields
    sides = [d.tables[table] for d in (case.train, case.holdout, case.synthetic) if d is not None]
    wanted = set(case.produced)
    return tuple(
        c for c, f in fields.items()
        if f.kind not in (Kind.KEY, Kind.REFERENCE) and canonical(f) == pa.large_string()
        and (not wanted or f"{table}.{c}" in wanted)
        and all(c in s.column_names and is_text(s.schema.field(c).type) for s in sides)
    )  # fmt: skip


def _drawn(column: Column, ctx: Context) -> Column:
    """Return the texts of a column, without nulls; random ones of them, in their order, where there are many."""
    held = column.cast(pa.large_string()).drop_null()
    size = pc.sum(pc.binary_length(held)).as_py() or 0
    if size <= _BYTES:
        return held
    rows = max(1, int(len(held) * _BYTES / size))
    return held.take(pa.array(np.sort(ctx.rng.choice(len(held), size=rows, replace=False))))


class _Values(NamedTuple):
    """The values of a column."""

    values: np.ndarray
    """Their hashes, rising."""
    times: np.ndarray
    """How many rows have each."""

    @staticmethod
    def of(texts: Texts) -> _Values:
        """Return those that are long enough to be somebody's."""
        return _Values(*np.unique(texts.hashes[texts.letters >= LETTERS], return_counts=True))

    @property
    def rows(self) -> int:
        """How many rows have one."""
        return int(self.times.sum())

    def among(self, others: _Values) -> np.ndarray:
        """Return how many of the others' rows have each of these values."""
        if not len(others.values):
            return np.zeros(len(self.values), dtype=np.int64)
        place = np.minimum(np.searchsorted(others.values, self.values), len(others.values) - 1)
        return np.where(others.values[place] == self.values, others.times[place], 0)


class _Seen(NamedTuple):
    """What is looked at of one column."""

    about: str
    synthetic: Texts
    train: Texts
    held: Texts
    sampled: str
    """Which texts were looked at, for people; empty where all were."""
    share: float
    """The share of the training texts that were looked at."""
    values: tuple[_Values, _Values, _Values]
    """The values of all three."""

    @staticmethod
    def of(about: str, held: Mapping[str, Column], ctx: Context) -> _Seen:
        """Read one column of some sides."""
        drawn = {side: _drawn(column, ctx.at(side)) for side, column in held.items()}
        full = {side: len(column) - column.null_count for side, column in held.items()}
        said = [f"{len(drawn[s]):,} of {n:,} {s} texts" for s, n in full.items() if n > len(drawn[s])]
        sides = [read(drawn.get(s, pa.array([], pa.large_string()))) for s in ("synthetic", "training", "held-out")]
        share = len(drawn["training"]) / max(full["training"], 1) if "training" in held else 1.0
        mine, train, unseen = (_Values.of(t) for t in sides)
        return _Seen(about, sides[0], sides[1], sides[2], ", ".join(said), share, (mine, train, unseen))

    @property
    def counts(self) -> tuple[int, ...]:
        """Up to how many training rows may have a value: those of `FEW` that differ here."""
        times = self.values[1].times
        known = [bool(((times > low) & (times <= few)).any()) for low, few in zip((0, *FEW), FEW, strict=False)]
        return tuple(few for few, some in zip(FEW, known, strict=True) if some)

    @property
    def ways(self) -> int:
        """How many verdicts there are, whatever the synthetic rows are."""
        return len(self.counts) + bool(self.train.long.any())

    def note(self, found: Verdict) -> str:
        """Return what the reader must know of a verdict; nothing where all texts were looked at."""
        least = min(1.0, found.visible / max(self.share, 1e-9))
        seen = f"copies of less than {least:.1%} of the texts would not be seen"
        return f"measured on {self.sampled}: {seen}" if self.sampled else ""


def _equal(each: _Seen, parts: int) -> list[Verdict]:
    """Return verdicts on values as a whole, one for each of `FEW`."""
    synthetic, known, unseen = each.values
    if not synthetic.rows or not known.rows:
        return []
    met, real = known.among(synthetic), known.among(unseen)
    often = math.ceil(synthetic.rows / known.rows)
    out = []
    for few in each.counts or FEW[:1]:
        rare = known.times <= few
        copies = int(np.minimum(met, known.times * often)[rare].sum())
        natural = Seen(float(real[rare].sum()), float(unseen.rows)) if unseen.rows else NOTHING
        found = judged(copies, synthetic.rows, told(natural, _left_out(known, few)), parts)
        if found.counted > found.most:
            theirs = unseen.times <= few
            hits = [unseen.among(side)[theirs] for side in (synthetic, known)]
            more = _more((int(hits[0].sum()), synthetic.rows), (int(hits[1].sum()), known.rows))
            mine, others = (met > 0)[rare & (real == 0)], (hits[0] > 0)[hits[1] == 0]
            found = _excused(found, (int(mine.sum()), len(mine)), (int(others.sum()), len(others)), more=more)
        out.append(found)
    return out


def _left_out(known: _Values, few: int) -> Seen:
    """Return how many training rows have a value that some, but no more than so many, of the others have.

    They are weighed by how much they tell, as `natural.repeated` does.
    """
    some = (known.times > 1) & (known.times <= few + 1)
    rows, met = known.rows, float(known.times[some].sum())
    spread = met * (1 - met / rows)
    spoiled = max(1 / PAIRED, 1 + 2 * float((known.times == 2).sum()) / spread if spread else 0.0)
    return Seen(met / spoiled, rows / spoiled)


def _long(each: _Seen, parts: int) -> list[Verdict]:
    """Return the verdict on long texts, if there are any."""
    mine, train, held = each.synthetic, each.train, each.held
    if not mine.long.any() or not train.long.any():
        return []
    known = Passages(train)
    copied = known.repeated_by(mine)
    real = [_copying(r) for r in (known.repeated_by(held), known.repeated_within(train))]
    found = beyond(_copying(copied), real[0], real[1], LEVELS, parts)
    if found.counted > found.most and held.long.any():
        theirs = Passages(held)
        sides = [(theirs.repeated_by(t), int(t.long.sum())) for t in (mine, train)]
        more = _more(*((int((_copying(r) > 0).sum()), rows) for r, rows in sides))
        people = [(_people(r), int(t.long.sum())) for r, t in ((copied, train), (sides[0][0], held))]
        found = _excused(found, *people, more=more)
    rows = each.values[0].rows  # a share of all values, as other verdicts are
    part = found.rows / rows
    return [found._replace(rows=rows, reference=found.reference * part, visible=found.visible * part)]


def _copying(found: Repeated) -> np.ndarray:
    """Return how much of each text is repeated; 0 where it is too little to be a copy."""
    return np.where(found.share >= REPEATED, found.share, 0.0)


def _people(found: Repeated) -> int:
    """Return how many people's texts are repeated."""
    return len(np.unique(found.whose[found.share >= REPEATED]))


def _more(mine: tuple[int, int], real: tuple[int, int]) -> bool:
    """Return whether synthetic rows meet held-out people oftener than training rows do: hits, of how many rows."""
    from scipy.stats import hypergeom

    hits = min(mine[0], mine[1])
    return bool(hypergeom.sf(hits - 1, mine[1] + real[1], hits + min(real), mine[1]) < _MORE)


def _excused(found: Verdict, trained: tuple[int, int], unseen: tuple[int, int], *, more: bool) -> Verdict:
    """Return a verdict that nothing was copied, where the rows meet held-out people as often as training people.

    Rows that know nothing of which people were trained on meet both alike, and where they meet more of the ones than
    real rows do, more of the others: codes that are nearly all in use, names from a list.

    Args:
        found: the verdict.
        trained: how many training people are met, of how many.
        unseen: the same of held-out people.
        more: whether rows meet more held-out people than real rows do.
    """
    from scipy.stats import hypergeom

    if not more or not unseen[0]:
        return found
    odd = hypergeom.sf(trained[0] - 1, trained[1] + unseen[1], trained[1], trained[0] + unseen[0])
    if odd <= _INNOCENT:
        return found
    return found._replace(reference=max(found.reference, found.counted / found.rows), most=found.counted)
