"""SMOTE for mixed columns: new rows between a real row and one of the nearest of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Place, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import DISCRETE, ORDERED, Schema
from synthwright.kit.coding.rulers import INFINITE
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, looked_at, names_of, refuse_unfit, table_of

if TYPE_CHECKING:
    from synthwright.kit.learning.held import Held, Labels
    from synthwright.kit.learning.nearby import Groups, Sites

KINDS = frozenset({*ORDERED, *DISCRETE})
HOLDS = "real rows: keep it where the data may be kept that it was learned from"
"""What a saved model says of itself."""
_TIE = 1e-3
"""Ranks by which equally near rows are told apart at random."""


class Dials(NamedTuple):
    """The parameters of a model that count when rows are made."""

    neighbours: int
    kind: str
    labels: str
    masses: float
    among: int


class Found(NamedTuple):
    """What values are made of: for each row the two ends, how far from the first, and the neighbours."""

    one: list[np.ndarray]
    """Of each column, the positions or places of the row itself."""
    other: np.ndarray
    """Positions of the chosen neighbours."""
    near: np.ndarray
    """Positions of all neighbours, -1 where there are fewer."""
    way: np.ndarray
    """From 0 to 1."""


@dataclass(frozen=True)
class SmoteModel(Model):
    """Real rows, by column, and how new ones are made between them."""

    table: str
    mode: str
    produce: tuple[str, ...]
    columns: tuple[Held, ...]
    """What it may look at, then what it makes."""
    same: tuple[str, ...]
    dials: Dials

    # ------------------------------------------------------------------------------------------------------------ rows
    @property
    def size(self) -> int:
        """How many real rows there are."""
        return len(self.columns[0].held)

    @cached_property
    def _sites(self) -> Sites:
        """The real rows as coordinates."""
        from synthwright.kit.learning.nearby import sites

        return sites(self.columns, [c.held for c in self.columns], self.size)

    @cached_property
    def _masses(self) -> dict[int, np.ndarray]:
        """Of each column of numbers, the values that many rows have, or many rows of a label."""
        from synthwright.kit.learning.held import Line

        apart = self._labels({c.name for c in self.columns} - {*self.produce})
        groups = [np.zeros(self.size, np.int64), *(c.held for _, c in apart[:1])]
        lines = [(i, c) for i, c in enumerate(self.columns) if isinstance(c, Line)]
        return {i: np.concatenate([c.masses(self.dials.masses, g) for g in groups]) for i, c in lines}

    def _labels(self, names: set[str]) -> list[tuple[int, Labels]]:
        """Return the columns of labels among some, those of `same` alone where it says any."""
        from synthwright.kit.learning.held import Labels

        found = [(i, c) for i, c in enumerate(self.columns) if isinstance(c, Labels)]
        if self.same:
            return sorted(((i, c) for i, c in found if c.name in self.same), key=lambda p: self.same.index(p[1].name))
        return [(i, c) for i, c in found if c.name in names]

    # ------------------------------------------------------------------------------------------------------------ make
    def sample(self, given: Dataset, ctx: Context) -> Sample:
        held = given.tables[self.table]
        present = {*held.column_names}
        wanted = [n for n in self.produce if self.mode != "make" or n not in present]
        there = [c.name in present for c in self.columns]
        known = [c.read(held.column(c.name)) if t else None for c, t in zip(self.columns, there, strict=True)]
        if self.mode == "fill":
            made = {n: self._filled(n, known, held.num_rows, ctx.at(n)) for n in wanted}
            return Sample(completed(given, self.table, made, self.mode))
        if self.mode == "replace" and all(there) and self.dials.kind == "plain":
            found = self._varied([k for k in known if k is not None], held.num_rows, ctx)
        else:
            own = {*self.produce} - {*self.same} if self.mode == "replace" else set()
            found = self._anew([None if c.name in own else k for c, k in zip(self.columns, known, strict=True)],
                               held.num_rows, ctx)  # fmt: skip
        made = {c.name: self._between(i, c, found) for i, c in enumerate(self.columns) if c.name in wanted}
        return Sample(completed(given, self.table, made, self.mode))

    def _varied(self, known: list[np.ndarray], rows: int, ctx: Context) -> Found:
        """Return the ends where the rows themselves are one of them."""
        from synthwright.kit.learning.nearby import ITSELF, agreeing, nearby, sites

        apart = self._labels({c.name for c in self.columns} - {*self.produce})
        groups, _ = agreeing([c.held for _, c in apart], [known[i] for i, _ in apart], rows, self.size, self._enough)
        near = nearby(sites(self.columns, known, rows), self._sites, self._few(groups, ctx), self.dials.neighbours,
                      np.full(rows, ITSELF))  # fmt: skip
        return self._chosen(known, near, ctx)

    def _anew(self, known: list[np.ndarray | None], rows: int, ctx: Context) -> Found:
        """Return the ends where one is a real row that has what is known."""
        from synthwright.kit.learning.nearby import agreeing, nearby

        apart = self._labels({c.name for c, k in zip(self.columns, known, strict=True) if k is not None})
        base = self._based(known, rows, ctx.at("base"))
        groups, _ = agreeing([c.held for _, c in apart], [c.held[base] for _, c in apart], rows, self.size,
                             self._enough)  # fmt: skip
        both = base * (len(groups.members) + 1) + groups.begin  # a real row that is taken often is looked at once
        _, first, again = np.unique(both, return_index=True, return_inverse=True)
        near = nearby(self._sites.take(base[first]), self._sites, self._few(groups, ctx).take(first),
                      self.dials.neighbours, base[first])[again]  # fmt: skip
        return self._chosen([c.held[base] for c in self.columns], near, ctx)

    def _based(self, known: list[np.ndarray | None], rows: int, ctx: Context) -> np.ndarray:
        """Return a real row for each row: one that agrees in the labels that are known, and is near in the rest."""
        from synthwright.kit.learning.nearby import NOBODY, agreeing, nearby, sites

        labels = [(c, k) for i, c in self._labels({c.name for c in self.columns}) if (k := known[i]) is not None]
        groups, agree = agreeing([c.held for c, _ in labels], [k for _, k in labels], rows, self.size, self._enough)
        many = sum(k is not None for k in known)
        if many == len(labels) and (agree == many).all():
            return self._drawn(groups, agree, [c for c, _ in labels], ctx)
        rng = ctx.rng
        seek, real = sites(self.columns, known, rows), self._sites
        seek, real = seek.beside(_TIE * rng.random(rows)), real.beside(_TIE * rng.random(self.size))
        near = nearby(seek, real, self._few(groups, ctx), self.dials.neighbours, np.full(rows, NOBODY))
        return _one_of(near, rng)

    def _drawn(self, groups: Groups, agree: np.ndarray, labels: list[Labels], ctx: Context) -> np.ndarray:
        """Return a real row of each row's group, by the weights of `kind`."""
        weights = np.ones(len(groups.members))
        if self.dials.kind != "plain":
            for many in np.unique(agree[agree > 0]).tolist():
                mine = np.unique(np.stack([groups.begin, groups.end], axis=1)[agree == many], axis=0)
                at = np.concatenate([np.arange(b, e) for b, e in mine.tolist()])
                weights[at] = self._weights(groups.members[at], labels[:many])
        total = np.append(0.0, np.cumsum(weights))
        none = total[groups.end] <= total[groups.begin]  # no row of the group is wanted more than another
        even = np.arange(len(total), dtype=np.float64)
        where = ctx.rng.random(len(agree))
        out = np.empty(len(agree), dtype=np.int64)
        for rows, sums in ((none, even), (~none, total)):
            low, high = sums[groups.begin[rows]], sums[groups.end[rows]]
            at = np.searchsorted(sums, low + where[rows] * (high - low), side="right") - 1
            out[rows] = np.clip(at, groups.begin[rows], groups.end[rows] - 1)
        return groups.members[out]

    def _weights(self, rows: np.ndarray, labels: list[Labels]) -> np.ndarray:
        """Return how much each real row is wanted, by how many of its neighbours have another label."""
        from synthwright.kit.learning.nearby import grouped, nearby, sites

        every = grouped([], [], len(rows), self.size)
        told = {c.name for c in labels}  # which keep nobody apart here
        asked = [None if c.name in told else c.held[rows] for c in self.columns]
        near = nearby(sites(self.columns, asked, len(rows)), self._sites, every, self.dials.neighbours, rows)
        unlike = np.zeros(near.shape, dtype=bool)
        for held in (c.held for c in labels):
            unlike |= held[near] != held[rows][:, None]
        share = (unlike & (near >= 0)).sum(axis=1) / np.maximum((near >= 0).sum(axis=1), 1)
        return share if self.dials.kind == "adasyn" else ((share >= 0.5) & (share < 1)).astype(np.float64)

    def _few(self, groups: Groups, ctx: Context) -> Groups:
        """Return groups of which as many rows are looked at as the parameters say."""
        if (groups.sizes <= self.dials.among).all():
            return groups
        mixed = ctx.at("among").rng.permutation(len(groups.members))
        ends = np.unique(np.append(groups.begin, groups.end))
        whose = np.searchsorted(ends, np.arange(len(groups.members)), side="right")
        return groups._replace(members=groups.members[np.lexsort((mixed, whose))]).at_most(self.dials.among)

    @property
    def _enough(self) -> int:
        return self.dials.neighbours + 1

    # ---------------------------------------------------------------------------------------------------------- values
    def _chosen(self, one: list[np.ndarray], near: np.ndarray, ctx: Context) -> Found:
        rng = ctx.at("between").rng
        return Found(one, _one_of(near, rng), near, rng.random(len(near)))

    def _between(self, i: int, column: Held, found: Found) -> pa.Array:
        """Return the values of a column between two ends, or those of the nearer end where there is no between."""
        from synthwright.kit.learning.held import Line

        one, other = found.one[i], column.held[found.other]
        nearer = np.where(found.way < 0.5, one, other)
        if isinstance(column, Line):
            apart = np.isin(one, self._masses[i]) | np.isin(other, self._masses[i])
            with np.errstate(invalid="ignore", over="ignore"):
                between = one + found.way * (other - one)
            apart |= ~np.isfinite(between) | (np.maximum(np.abs(one), np.abs(other)) >= INFINITE)
            return column.made(np.where(apart, nearer, between))
        return column.made(nearer if self.dials.labels == "nearer" else _most(column.held, found.near))

    def _filled(self, name: str, known: list[np.ndarray | None], rows: int, ctx: Context) -> pa.Array:
        """Return a column whose nulls are filled between two of the nearest real rows that have a value there."""
        from synthwright.kit.learning.held import Line
        from synthwright.kit.learning.nearby import ABSENT, NOBODY, OPEN, Groups, nearby, sites

        i = next(i for i, c in enumerate(self.columns) if c.name == name)
        column, values = self.columns[i], known[i]
        absent = np.isnan if isinstance(column, Line) else lambda held: held >= column.size
        values = np.full(rows, np.nan if isinstance(column, Line) else column.size) if values is None else values.copy()
        has, holes = np.flatnonzero(~absent(column.held)), np.flatnonzero(absent(values))
        if not len(has) or not len(holes):
            return column.made(values)
        seek = sites(self.columns, [None if k is None else k[holes] for k in known], len(holes))
        nothing = [c.size for c in self.columns if not isinstance(c, Line)]
        line = np.where(seek.ordered == ABSENT, np.nan, seek.ordered)  # what is missing too says nothing of who is near
        place = np.where(seek.discrete == np.array(nothing, dtype=np.int32), OPEN, seek.discrete)
        seek = seek._replace(ordered=line.astype(np.float32), discrete=place.astype(np.int32).reshape(len(holes), -1))
        groups = Groups(has, np.zeros(len(holes), np.int64), np.full(len(holes), len(has)))
        near = nearby(seek, self._sites, self._few(groups, ctx), self.dials.neighbours, np.full(len(holes), NOBODY))
        one = [c.held[_one_of(near, ctx.at("one").rng)] if c is column else np.empty(0) for c in self.columns]
        made = self._between(i, column, self._chosen(one, near, ctx))
        values[holes] = column.read(made)
        return column.made(values)

    # ----------------------------------------------------------------------------------------------------------- files
    def save(self, folder: Path) -> None:
        heads, arrays = [], {}
        for i, column in enumerate(self.columns):
            head, held = column.to_json()
            heads.append(head)
            arrays[str(i)] = held
        head = {"holds": HOLDS, "table": self.table, "mode": self.mode, "produce": self.produce, "columns": heads,
                "same": self.same, "dials": self.dials._asdict()}  # fmt: skip
        artefacts.save(folder, head, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        from synthwright.kit.learning.held import held_from

        head, arrays = artefacts.load(folder)
        try:
            columns = tuple(held_from(said, arrays[str(i)]) for i, said in enumerate(head["columns"]))
            model = cls(head["table"], head["mode"], tuple(head["produce"]), columns, tuple(head["same"]),
                        Dials(**head["dials"]))  # fmt: skip
            sound = len({len(c.held) for c in columns}) == 1 and {*model.produce} <= {c.name for c in columns}
        except (KeyError, ValueError, TypeError, IndexError):
            sound = False
        if not sound or not 1 <= model.dials.neighbours <= MOST_NEIGHBOURS:
            raise StoreError(folder.name, "the real rows", wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again")  # fmt: skip
        return model


MOST_NEIGHBOURS = 100


class Smote(Generator):
    """Makes rows between a real row and one of its nearest neighbours of the same label: SMOTE, for mixed columns.

    ::

        start: {from: source, where: {payment: "fraud == true"}, keep: [payment.fraud], repeat: 20}
        parts: [{make: [payment.*], use: smote}]

    From real rows, each row is one end, and a neighbour drawn among the nearest ones the other. From nothing, the first
    end is a real row that has the labels that are set or given, and is near in what else is. Numbers and dates are
    drawn along the line between the two, labels are those of the nearer end. Where one end has no value, or one that
    many rows have, the value is that of the nearer end too.

    Its model is the real rows, and what it makes lies near them: no one is hidden, and default gates of privacy refuse
    it. How near rows are is the mean over columns of the difference in rank, and of 0 or 1 for labels.

    References: Chawla et al., SMOTE: synthetic minority over-sampling technique, JAIR 16 (2002); Han, Wang and Mao,
    Borderline-SMOTE, ICIC 2005; He et al., ADASYN, IJCNN 2008.
    """

    name: ClassVar[str] = "smote"
    version: ClassVar[int] = 2
    abilities: ClassVar[Abilities] = Abilities(kinds=KINDS, given="any", keeps_rows=True)
    model: ClassVar[type[Model]] = SmoteModel

    neighbours: int = Setting(default=5, ge=1, le=MOST_NEIGHBOURS)
    """How many nearest rows the other end is drawn from; more spread wider."""
    kind: Literal["plain", "borderline", "adasyn"] = "plain"
    """Which real rows new ones begin at. `plain`: all equally; `borderline`: those of whose neighbours half or more
    have another label, but not all; `adasyn`: the more, the more neighbours have another label. The last two choose
    the rows they begin at themselves, whatever row is replaced."""
    same: tuple[str, ...] = Setting(default=(), examples=[["label"]])
    """Columns of labels in which both ends agree, the most important first. Nothing: labels that are kept, given or
    set; further ones as far as more rows than `neighbours` agree."""
    labels: Literal["nearer", "majority"] = "nearer"
    """Which label a row gets: that of the nearer end, or the most frequent one among all neighbours, as in SMOTE-NC."""
    masses: float = Setting(default=0.05, gt=0, le=1)
    """The share of rows, of all or of one label, from which on a number is no point of a line but a label: the 0 of
    those who earn nothing. With 1 all are points of a line, as in SMOTE."""
    among: int = Setting(default=50_000, ge=2, le=10_000_000)
    """Rows of one label among which neighbours are looked for, at most: chosen at random where there are more."""

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        fields, found = schema.tables[table].fields, list[tuple[Place, str]]()
        for i, column in enumerate(self.same):
            if column not in fields:
                from difflib import get_close_matches

                near = get_close_matches(column, fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, fields))}"
                found.append((("same", i), f"table {table!r} has no column {column!r}: {hint}"))
            elif fields[column].kind not in DISCRETE:
                found.append((("same", i), f"{column!r} is of kind {fields[column].kind.value!r}, wanted labels"))
        return found

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        said = f"its model holds the real rows of {table!r}, and what it makes lies near them"
        return [*super().foreseen(schema, table, produce, known), Foreseen((), said, sure=False)]

    def fit(self, data: Dataset, part: Part, ctx: Context) -> SmoteModel:
        """Hold the real rows.

        Raises:
            FitError: fewer than ten rows, rows that are all alike, or no labels to tell whose neighbours differ.
        """
        from synthwright.kit.learning.held import held_of

        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        fields, held = data.schema.tables[table].fields, data.tables[table]
        seen = looked_at(data, part, table, KINDS)
        names = [*seen, *produce]
        told = [n for n in self.same or seen if n in names and fields[n].kind in DISCRETE]
        if self.kind != "plain" and not told:
            raise FitError(self.name, f"kind {self.kind!r}", wanted="labels by which neighbours differ", got="none",
                           remedy="keep or set the label, or name it in `same`")  # fmt: skip
        absent = [n for n in self.same if n not in names]
        if absent:
            raise FitError(self.name, f"same {absent[0]!r}", wanted="a column that it makes or is given", got="another",
                           remedy=f"keep, set or make '{table}.{absent[0]}', or name it in `given`")  # fmt: skip
        columns = tuple(held_of(n, fields[n], held.column(n)) for n in names)
        dials = Dials(self.neighbours, self.kind, self.labels, self.masses, self.among)
        return SmoteModel(table, part.mode, tuple(produce), columns, self.same, dials)


def _one_of(near: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one of each row's neighbours, all equally likely."""
    many = np.maximum((near >= 0).sum(axis=1), 1)
    return near[np.arange(len(near)), (rng.random(len(near)) * many).astype(np.int64)]


def _most(held: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return the most frequent label of each row's neighbours, of several that of the nearest."""
    codes = np.where(near >= 0, held[near], -1 - np.arange(near.shape[1]))
    often = (codes[:, :, None] == codes[:, None, :]).sum(axis=2)
    often[near < 0] = 0
    return codes[np.arange(len(near)), often.argmax(axis=1)]
