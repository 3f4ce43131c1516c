"""Named patterns injected into otherwise normal rows, with the truth as a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities, Place, Scope
from synthwright.core.errors import SampleError
from synthwright.core.schema import ORDERED, Field, Kind, Schema, canonical
from synthwright.kit.events.episode_patterns import Change, Pattern, Wrong
from synthwright.kit.events.episode_rows import Acted, Scene, behind, real, replaced, seen, worded
from synthwright.kit.events.episodes import Ground, May, Wish, lay
from synthwright.kit.formula.formulas import column, condition, read
from synthwright.kit.formula.stated import Said, spelled, stated, unfit
from synthwright.kit.lookups import flat
from synthwright.kit.room import refuse_rows
from synthwright.kit.ruled import Ask, Column, Ruled, RuledModel, as_field

_NAMES = frozenset({Kind.CATEGORY, Kind.TEXT})
_TRUTHS = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER})
_NUMBERED = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.CATEGORY, Kind.TEXT})
_EVEN = 1 + 1e-9
"""What rates may add up to: that of floats which are meant to be 1."""


class Scenario(Ruled):
    """Injects named patterns at a rate into rows that other parts made, and labels the rows that belong to them.

    Each pattern is a number of episodes: consecutive rows of one entity, or single rows. Their columns are computed
    from what the rows had before, which all other rows keep; rows belong to one pattern at most::

        parts:
          - make: [payment.fraud]
            change: [payment.amount, payment.at, payment.merchant]
            use: scenario
            with:
              label: fraud
              by: card
              order: at
              patterns:
                card-testing:
                  rate: 0.0008
                  where: card.active
                  rows: {between: [6, 20]}
                  set:
                    amount: 0.5 + 1.5 * row.u
                    at: episode.start + seconds(20 * episode.step + 10 * row.u)
                    merchant: {use: reference, with: {weight: "if(online, 1, 0)"}, once: true}

    `docs/scenarios.md` has the words that formulas know here, and what a rate means.
    """

    name: ClassVar[str] = "scenario"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset(Kind) - {Kind.KEY}, given="declared", learns=False, changes=True
    )

    label: str | None = Setting(default=None, examples=["a"])
    """The column that says which pattern a row belongs to: its name, or true (1) in columns of truth values and
    numbers. Nothing: the one column that no pattern sets. Where it was there before, other rows keep what they had."""
    episode: str | None = Setting(default=None, examples=["a"])
    """The column that numbers the episodes, without a value outside: the number of the row that each begins with."""
    none: Said = Setting(default=None, examples=["normal"])
    """What the label is where there is no pattern. Nothing: no value; false (0) in columns of truth values and
    numbers."""
    by: str | None = Setting(default=None, examples=["a"])
    """The reference to the entity whose rows an episode takes. Nothing: every row is by itself."""
    order: str | None = Setting(default=None, examples=["a"])
    """The column by which the rows of an entity follow one another. Nothing: as they stand."""
    patterns: dict[str, Pattern] = Setting(default={}, examples=[{"a": {"rate": 0.1}}])
    """The patterns by name: `rate`, `where`, `rows`, `least`, `set`."""

    @field_validator("patterns")
    @classmethod
    def _with_room(cls, said: dict[str, Pattern]) -> dict[str, Pattern]:
        whole = sum(p.rate for p in said.values())
        if whole > _EVEN:
            raise ValueError(f"wanted rates that add up to 1 at most, got {whole:g}")
        return said

    # ------------------------------------------------------------------------------------------ before anything runs
    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Rows are never drawn again one by one, even without entities: that would take patterns apart."""
        return "entity"

    def paths(self) -> Sequence[str]:
        return [p for p in (self.by, self.order) if p is not None]

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        words = worded(schema, table, self.order)
        wheres = [p for one in self.patterns.values() if one.where for p in read(one.where).paths]
        changes = [c for one in self.patterns.values() for c in one.set_.values()]
        found = behind(schema, table, self.order, [*self.paths(), *wheres, *(p for c in changes for p in c.paths)])
        found += real(schema, table, self.order, (one for c in changes for one in c.looks_at(words, table)))
        return tuple(dict.fromkeys(found))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [*self._wrong_columns(schema, table, produce), *self._wrong_label(schema, table, produce),
                 *self._wrong_entity(schema, table, produce)]  # fmt: skip
        words = worded(schema, table, self.order)
        for name, pattern in self.patterns.items():
            here: Place = ("patterns", name)
            found += [((*here, *place), said) for place, said in pattern.wrong(schema, table)]
            if self.by is None and not pattern.single:
                found.append(((*here, "rows"), "without `by` every row is by itself: say whose rows an episode takes"))
            for made, change in pattern.set_.items():
                wrong = change.wrong(words, table, made) if made in produce else []
                found += [((*here, "set", made, *place), said) for place, said in wrong]
        return found

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        label = (
            self.label is None and all(column not in p.set_ for p in self.patterns.values()) and self.episode != column
        )
        if schema.tables[table].fields[column].kind not in _NAMES or not (label or column == self.label):
            return None
        return (spelled(self.none), *self.patterns)

    def _wrong_columns(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Wrong:
        """Return columns that are set and not made or changed, and those that nothing is said of."""
        found: Wrong = [] if self.patterns else [((), "say `patterns`: {name: {rate: 0.001, set: {…}}}")]
        if self.nulls != 0:
            found.append((("nulls",), "write `set: {column: null}` in a pattern"))
        for name, pattern in self.patterns.items():
            for made in pattern.set_:
                if made in (self.label, self.episode):
                    found.append((("patterns", name, "set", made), f"{made!r} says which rows belong to it"))
                elif made not in produce:
                    found.append((("patterns", name, "set", made), _unknown(made, table, produce)))
        for word, said in (("label", self.label), ("episode", self.episode)):
            if said is not None and said not in produce:
                found.append(((word,), _unknown(said, table, produce)))
        left = [c for c in self._left(produce) if c != self.label]
        if not found and (len(left) > 1 or (left and self.label is not None)):
            which = ": say which column is the `label`" if self.label is None else ""
            found.append(((), f"no pattern sets {', '.join(map(repr, left))}{which}"))
        return found

    def _wrong_label(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Wrong:
        """Return why columns cannot hold the label and the number of an episode."""
        found: Wrong = []
        fields = schema.tables[table].fields
        for c in self._labels(produce):
            field, place = fields[c], (("label",) if self.label is not None else ())
            if field.kind not in _NAMES | _TRUTHS:
                found.append((place, f"column {c!r} cannot hold a label: it is of kind {field.kind.value!r}"))
            elif self.none is not None and unfit([self.none], field):
                found.append((("none",), f"column {c!r} cannot hold {self.none!r}: it is of kind {field.kind.value!r}"))
            elif self.none is None and not field.nulls and field.kind in _NAMES:
                found.append((("none",), f"column {c!r} must have a value in every row: say what `none` is there"))
            elif self.none is not None and (held := self._said(field).to_pylist())[0] in held[1:]:
                found.append((("none",), f"{self.none!r} is the label of rows that belong to a pattern"))
        if self.episode is not None and self.episode in produce:
            field = fields[self.episode]
            if self.episode == self.label:
                found.append((("episode",), "the label and the number of an episode are two columns"))
            if field.kind not in _NUMBERED or not field.nulls:
                found.append((("episode",), f"column {self.episode!r} cannot hold numbers, and nothing in other rows"))
        return found

    def _wrong_entity(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Wrong:
        """Return why rows cannot belong together, or have no order."""
        found: Wrong = []
        fields = schema.tables[table].fields
        for word, said in (("by", self.by), ("order", self.order)):
            if said is not None and said not in fields:
                near = get_close_matches(said, fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, fields))}"
                found.append(((word,), f"table {table!r} has no column {said!r}: {hint}"))
        if self.by in fields and fields[str(self.by)].kind is not Kind.REFERENCE:
            found.append((("by",), f"{self.by!r} is no reference: it says of no row which other row it belongs to"))
        if self.by in fields and self.by in produce:
            found.append((("by",), f"rows belong together by {self.by!r}: it cannot be changed or made here"))
        if self.order in fields and fields[str(self.order)].kind not in ORDERED:
            kind = fields[str(self.order)].kind.value
            found.append((("order",), f"{self.order!r} is of kind {kind!r}, which has no order"))
        return found

    # ----------------------------------------------------------------------------------------------------- the rows
    def draw(self, ask: Ask) -> Mapping[str, Column]:
        ordered = None if self.order is None else ask.column(self.order)
        ground = Ground.of(ask.rows, None if self.by is None else ask.column(self.by), ordered)
        taken = np.zeros(ask.rows, dtype=bool)
        acted = []
        for name, pattern in self._every().items():
            wish = Wish(pattern.rate * ask.rows, pattern.rows.draws(ask), pattern.least, _may(pattern, ground, ask))
            laid = lay(ground, wish, taken, ask.ctx.at(name, "episodes").rng)
            acted.append(Acted.of(name, ground, laid))
        scene = Scene(ask, self.order, acted)
        labels = self._labels(ask.produce)
        made: dict[str, Column] = {c: self._labelled(scene, c) for c in ask.produce if c in labels}
        for c in ask.produce:
            if c == self.episode:
                numbers = pa.array(ask.numbers[np.concatenate([a.first for a in acted])]).cast(canonical(ask.field(c)))
                made[c] = replaced(_before(ask, c), scene.rows, numbers)
            elif c not in labels:
                made[c] = self._changed(scene, c)
        return made

    def _every(self) -> dict[str, Pattern]:
        """Return the patterns in an order that does not depend on how they were saved.

        Without any there is one: what is made by defaults follows the seed, as for every generator that uses it.
        """
        return dict(sorted(self.patterns.items())) or {"pattern": Pattern(rate=0.5)}

    def _left(self, produce: Sequence[str]) -> list[str]:
        """Return the columns that no pattern sets and that number no episodes."""
        known = {self.episode, *(c for p in self.patterns.values() for c in p.set_)}
        return [c for c in produce if c not in known]

    def _labels(self, produce: Sequence[str]) -> list[str]:
        """Return the column that is the label; without a word, whatever no pattern sets."""
        return self._left(produce) if self.label is None else [c for c in produce if c == self.label]

    def _said(self, field: Field) -> pa.Array:
        """Return what the label says in rows without a pattern, and in those of each."""
        if field.kind in _NAMES:
            return stated([self.none, *self._every()], field)
        ones: list[Said] = ["1"] * len(self._every())
        if field.kind in _TRUTHS:
            return stated(["0" if self.none is None else self.none, *ones], field)
        truths = ["0", *ones]
        return as_field(pa.array(truths) if field.kind is Kind.BYTES else np.array(truths).astype(np.int8),
                        field, self.name, "label")  # fmt: skip

    def _labelled(self, scene: Scene, name: str) -> pa.Array:
        said = self._said(scene.ask.field(name))
        which = np.repeat(np.arange(1, len(scene.acted) + 1), [len(a.rows) for a in scene.acted])
        if name in scene.ask.given.tables[scene.ask.table].column_names:
            return replaced(flat(scene.ask.column(name)), scene.rows, said.take(pa.array(which)))
        codes = np.zeros(scene.ask.rows, dtype=np.int32)
        codes[scene.rows] = which
        return said.take(pa.array(codes))

    def _changed(self, scene: Scene, name: str) -> pa.Array:
        """Return a column with what the patterns set in it."""
        before = _before(scene.ask, name)
        rows, values = [], [pa.array([], before.type)]
        for i, acted in enumerate(scene.acted):
            change = self._every()[acted.pattern].set_.get(name)
            if change is not None and len(acted.rows):
                found = _made(scene, i, change, name)
                values.append(found.take(pa.array(acted.whose)) if change.once else found)
                rows.append(acted.rows)
        return replaced(before, np.concatenate([np.zeros(0, dtype=np.int64), *rows]), pa.concat_arrays(values))


def _unknown(name: str, table: str, produce: tuple[str, ...]) -> str:
    near = get_close_matches(name, produce, n=1)
    right = f"did you mean {near[0]!r}?" if near else f"name it in `make` or `change` as '{table}.{name}'"
    return f"the part neither makes nor changes a column {name!r} of table {table!r}: {right}"


def _may(pattern: Pattern, ground: Ground, ask: Ask) -> May | None:
    """Return what says at which places an episode of a pattern may begin."""
    if pattern.where is None:
        return None
    formula = read(pattern.where)

    def may(places: np.ndarray) -> np.ndarray:
        return condition(formula, seen(ask, ground.rows(places), formula.paths))

    return may


def _before(ask: Ask, name: str) -> pa.Array:
    """Return what a column was, or nothing in every row where it is new.

    Raises:
        SampleError: it is new, and must have a value in every row.
    """
    if name in ask.given.tables[ask.table].column_names:
        return flat(ask.column(name))
    if not ask.field(name).nulls:
        raise SampleError("scenario", f"column {name!r}", wanted="a value in every row",
                          got="a new column, which has values in rows of patterns only",
                          remedy="let another part make it, and name it in `change`")  # fmt: skip
    return pa.nulls(ask.rows, canonical(ask.field(name)))


def _made(scene: Scene, which: int, change: Change, name: str) -> pa.Array:
    """Return what a change makes of a column in the rows of a pattern; once: in the first row of each episode."""
    field = scene.ask.field(name)
    paths = [*change.paths, *_own(scene, change, name)]
    ask = scene.asked(which, paths, once=change.once)
    if change.formula is not None:
        return as_field(column(read(change.formula), ask, field), field, "scenario", name)
    model = RuledModel(change.rule, ask.table, (name,), "replace")
    there = ask.ctx.at(scene.acted[which].pattern, "make", name)
    made, problems = model.sample(ask.given, there)
    refuse_rows(problems, "scenario", name)
    return flat(made.tables[ask.table].column(name))


def _own(scene: Scene, change: Change, name: str) -> list[str]:
    """Return the columns of the table that a generator looks at besides those it names, and the one it makes."""
    if change.use is None:
        return []
    table = scene.ask.table
    held = {f"{table}.{c}": c for c in scene.ask.given.tables[table].column_names}
    return [held[c] for c in (f"{table}.{name}", *change.looks_at(scene.schema, table)) if c in held]
