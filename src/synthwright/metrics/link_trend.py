"""How close the dependence between rows and the rows that they refer to is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.measuring.dependence import Coded, code, distance
from synthwright.kit.measuring.kindred import (
    Drawn,
    Kindred,
    children_drawn,
    in_short,
    parents_drawn,
    related,
    siblings,
    weighed,
)
from synthwright.metrics import comparing
from synthwright.metrics.comparing import Finding, badness, label, modelled, scores, without

_COUNT = Field(kind=Kind.INTEGER)
"""How many children a row has, as a column of it."""


class LinkTrend(Metric):
    """Distance between how children depend on their parents, in held-out and synthetic rows: 0 alike, 1 opposite.

    For every link, a column of a table that holds keys of another or of its own: each column of the parents beside
    each of their children, and beside how many children they have (`order.customer ~ customer.age`); and each column
    of a child beside the same of another child of its parent (`order.customer ~ order.amount`). The distance is half
    the difference of rank correlations for two columns with an order; else the total variation distance of contingency
    tables, each less what independent columns would give. The whole is the mean over pairs. Columns made anew are left
    out. The reference compares held-out rows with training rows; chance is told by families, as rows that hang
    together are held out together.
    """

    name: ClassVar[str] = "link-trend"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "In which order rows of one parent come, and what rows two links away decide, is not seen."
    )

    pairs: int = Setting(default=2_000, ge=1, le=1_000_000)
    """Pairs of columns that are measured; where there are more, that many are drawn at random."""
    listed: int = Setting(default=500, ge=0, le=1_000_000)
    """Pairs that get a score of their own: the worst ones."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = related(case, ctx)
        if found.problem:
            return without(self, found.problem)
        failed = [Score(self.name, about, status="failed", problem=why) for about, why in found.faults]
        looked = [_columns(case, kin) for kin in found.kindred]
        lacking = dict.fromkeys(c for each in looked for c in each.lacking)
        problem = "the synthetic table lacks this column, or holds it in another type"
        failed += [Score(self.name, c, status="failed", problem=problem) for c in lacking]
        pairs = [(i, p, c) for i, each in enumerate(looked) for p, c in each.pairs]
        chosen, notes = self._choose(pairs, ctx)
        replicates: dict[str, np.ndarray] = {}
        for i, kin in enumerate(found.kindred):
            mine = [(p, c) for j, p, c in chosen if j == i]
            measured, said = _measured(case, kin, mine, looked[i].name, ctx.at("rows", kin.link.about))
            replicates |= measured
            notes += said
        if not replicates:
            why = "no link joins columns that are modelled from real rows"
            return [*without(self, failed[0].problem or "", "failed"), *failed] if failed else without(self, why)
        return self._scores(replicates, notes, min(k.smallest for k in found.kindred), failed)

    def _choose(self, pairs: list[tuple[int, str, str]], ctx: Context) -> tuple[list[tuple[int, str, str]], list[str]]:
        """Return the pairs to measure, all or a random sample, and a note that says so."""
        if len(pairs) <= self.pairs:
            return pairs, []
        drawn = np.sort(ctx.at("pairs").rng.choice(len(pairs), size=self.pairs, replace=False))
        return [pairs[i] for i in drawn], [f"measured on {self.pairs:,} of {len(pairs):,} pairs, drawn at random"]

    def _scores(self, replicates: dict[str, np.ndarray], notes: list[str], rows: int, failed: list[Score]
                ) -> list[Score]:  # fmt: skip
        every = ((a, weighed(r, len(replicates))) for a, r in replicates.items())
        parts = [Finding(a, w.estimate, w.reference, chance=w.chance) for a, w in every]
        whole = weighed(np.mean(list(replicates.values()), axis=0))
        finding = Finding("", whole.estimate, whole.reference, in_short(notes), whole.chance)
        told = scores(self, {"": finding}, parts, rows, incomplete=failed)
        parts.sort(key=partial(badness, lower=True), reverse=True)
        shown = {"", "worst", *(p.about for p in parts[: self.listed])}
        return [s for s in told if s.about in shown] + failed


class _Looked(NamedTuple):
    """What is compared of a link."""

    parents: Sequence[str]
    """Columns of the rows that are referred to."""
    children: Sequence[str]
    """Columns of those that refer to them."""
    lacking: Sequence[str]
    """Columns that the synthetic data lacks or holds in another type."""
    name: str
    """What is said before a pair so that it is not taken for that of another link; mostly nothing."""

    itself: bool
    """Whether the rows refer to rows of their own table."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs: a column of each; nothing for the parents' number of children, or for a child's siblings."""
        beside = [] if self.itself else [("", c) for c in self.children]
        return beside + [(p, c) for p in self.parents for c in ("", *self.children)]


def _columns(case: Case, kin: Kindred) -> _Looked:
    kept: list[list[str]] = []
    lacking: list[str] = []
    for table in (kin.link.parent, kin.link.child):
        real, made = kin.real.folk.tables[table], case.synthetic.tables[table]
        known = [c for c in modelled(case.schema.tables[table].fields) if c in real.column_names]
        types = {f.name: f.type for f in made.schema}
        kept.append([c for c in known if types.get(c) == real.schema.field(c).type])
        lacking += [label(table, c) for c in known if c not in kept[-1]]
    fields = case.schema.tables[kin.link.child].fields.values()
    twice = sum(f.to is not None and case.schema.split(f.to)[0] == kin.link.parent for f in fields) > 1
    alone = not twice and kin.link.parent != kin.link.child
    return _Looked(kept[0], kept[1], lacking, "" if alone else f"{kin.link.about} ~ ",
                   kin.link.parent == kin.link.child)  # fmt: skip


class _Codes:
    """Columns of the rows that were drawn of a link, coded when they are first asked for."""

    def __init__(self, kin: Kindred, drawn: Drawn, schema: Schema, *, joined: bool) -> None:
        """Code columns of parents, or (joined) of children with those of their parents."""
        self.kin, self.drawn, self.schema, self.joined = kin, drawn, schema, joined
        self.known: dict[tuple[str, str], Coded] = {}

    def of(self, table: str, column: str, *, above: bool) -> Coded:
        """Return a column of the children, or of the parents (above)."""
        if (column, str(above)) not in self.known:
            held = []
            for brood, rows in zip(self.kin.broods, self.drawn.rows, strict=True):
                up = brood.owner[rows] if self.joined else rows
                which = brood.parents[up] if above else brood.children[rows]
                held.append(brood.folk.tables[table].column(column).take(pa.array(which)))
            field = self.schema.tables[table].fields[column]
            self.known[column, str(above)] = _code(held, field)
        return self.known[column, str(above)]


def _code(held: Sequence[pa.ChunkedArray], field: Field) -> Coded:
    """Return a column of three samples: held-out, synthetic, second."""
    other = pa.chunked_array([*held[1].chunks, *held[2].chunks], held[0].type)
    return code(held[0], other, len(held[1]), field)


def _measured(case: Case, kin: Kindred, pairs: Sequence[tuple[str, str]], name: str, ctx: Context
              ) -> tuple[dict[str, np.ndarray], list[str]]:  # fmt: skip
    """Return the replicates of each pair, and what was sampled or left out."""
    link = kin.link
    most = comparing.MOST_CELLS // max(len({c for pair in pairs for c in pair}), 1)
    most = min(comparing.MOST_ROWS, max(1_000, most))
    above, below = parents_drawn(kin, most, ctx.at("parents")), children_drawn(kin, most, ctx.at("children"))
    counts = [pa.chunked_array([b.counts[r]]) for b, r in zip(kin.broods, above.rows, strict=True)]
    many, alone = _code(counts, _COUNT), _Codes(kin, above, case.schema, joined=False)
    joined = None if below is None else _Codes(kin, below, case.schema, joined=True)
    both = None if below is None else siblings(kin, below, ctx.at("siblings"))
    beside = None if both is None else [_Codes(kin, d, case.schema, joined=True) for d in both]
    found: dict[str, np.ndarray] = {}
    for parent, child in pairs:
        named = label(link.parent, parent)
        if not parent:
            about = f"{link.about} ~ {label(link.child, child)}"
            if beside is not None:
                one, two = (side.of(link.child, child, above=False) for side in beside)
                found[about] = beside[0].drawn.widened(distance(one, two, beside[0].drawn.replicas, beyond=True))
        elif not child:
            apart = distance(alone.of(link.parent, parent, above=True), many, above.replicas, beyond=True)
            found[f"{link.about} ~ {named}"] = above.widened(apart)
        elif joined is not None and below is not None:
            one, two = joined.of(link.parent, parent, above=True), joined.of(link.child, child, above=False)
            about = f"{name}{named} ~ {label(link.child, child)}"
            found[about] = below.widened(distance(one, two, below.replicas, beyond=True))
    said = (kin.note, (below or above).note)
    return found, [f"{link.about}: {n}" for n in said if n and found]
