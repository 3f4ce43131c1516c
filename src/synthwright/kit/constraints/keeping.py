"""How every generator's output keeps the rules.

Columns that follow from others are left out of what the generator makes, and computed. Columns that stand close above
others are made as their distance. Rows that break an order all the same exchange values with other rows, so that no
column changes; rows that break another rule are drawn again; what is left is mended value by value, or ruled out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Part, Sample, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.rules import parse
from synthwright.core.schema import Schema, Table
from synthwright.core.values import nulls
from synthwright.kit.constraints.derived import Formula, Step, choose, step_of_json, step_to_json
from synthwright.kit.constraints.gaps import find_gaps, gap_of, hide, schema_with, show
from synthwright.kit.constraints.grains import Grain, learn_grains
from synthwright.kit.constraints.keeping_rows import (
    TableRules,
    apart,
    broken,
    exchanged,
    mended,
    restored,
    shortened,
    spliced,
    wanting,
)
from synthwright.kit.constraints.missing import Need, needs, released, settled, unmet, valued
from synthwright.kit.constraints.ranges import Range, learn_ranges
from synthwright.kit.constraints.rhythms import Rhythm, find_rhythms, joined, parted, rhythm_of, schema_in_parts
from synthwright.kit.learning import artefacts
from synthwright.kit.rows import row_hashes

UNREACHABLE = "rule-unreachable"
"""The reason code of a row that nothing brought to hold every rule."""
ROUNDS = 8
"""How often rows that break a rule are drawn again."""


class Kept(NamedTuple):
    """A sample that keeps the rules, and what that took."""

    sample: Sample
    redrawn: int = 0
    """Rows that were drawn again and then held."""
    repaired: int = 0
    """Rows that got another row's value, or a moved one, and then held."""


@dataclass(frozen=True)
class Keeper:
    """Keeps the rules of the schema for one part, whatever generator makes it."""

    full: Part
    """What is to be made."""
    tables: Mapping[str, TableRules]

    @property
    def part(self) -> Part:
        """What the generator is to make: the part without derived columns, and with the parts of others."""
        gone = {f"{t}.{c}" for t, rules in self.tables.items() for c in rules.left_out}
        more = tuple(f"{t}.{c}" for t, rules in self.tables.items() for c in rules.parts)
        return self.full._replace(produce=(*(c for c in self.full.produce if c not in gone), *more))

    @classmethod
    def learn(cls, data: Dataset, part: Part, ctx: Context) -> Self:
        """Learn from real rows how the rules of their schema are kept while a part is made.

        Only rules between columns that the part makes or is given are kept, and of these those that concern what it
        makes. Of a dependency only pairs that three rows share are learned. Rows that are made together with others
        are left as they are: curators rule on them.
        """
        made: dict[str, list[str]] = {}
        seen: dict[str, set[str]] = {}
        for column in (*part.produce, *part.given):
            table, name = data.schema.split(column)
            seen.setdefault(table, set()).add(name)
            if column in part.produce:
                made.setdefault(table, []).append(name)
        tables = {}
        for table, produce in made.items():
            spec, held = data.schema.tables[table], data.tables[table]
            said = spec.rules if part.scope == "row" else ()
            rules = tuple(p for p in (parse(r.rule) for r in said)
                          if set(p.columns) <= seen[table] and set(p.columns) & set(produce))  # fmt: skip
            steps, checks = choose(held, rules, spec, tuple(produce), fill=part.mode == "fill")
            steps = _one_is_made(released(steps, rules), produce, part)
            targets = {s.target for s in steps}
            able = {c for c in produce if not spec.fields[c].anew} if part.mode == "make" else set()
            apart = [p for p in rules if not targets & set(p.columns)]
            gaps = find_gaps(held, apart, spec, able - targets, ctx.at("gaps", table).rng)
            bound = (*(s.target for s in steps if isinstance(s, Formula)), *(g.target for g in gaps))
            ranges = learn_ranges(held, bound, spec)
            known = frozenset(r.rule for r in said if r.why)  # where it comes from is said of what was inferred
            grains = learn_grains(held, sorted(able - targets - {g.target for g in gaps}), sorted(seen[table]), spec)
            mine = TableRules(tuple(produce), rules, tuple(steps), tuple(checks), tuple(gaps), ranges, known, grains)
            tables[table] = replace(mine, rhythms=_rhythms(held, mine, data.schema, table, able))
        return cls(part, tables)

    def reduce(self, data: Dataset) -> Dataset:
        """Return what the generator is to learn from: no derived columns, distances in place of some columns."""
        for table, rules in self.tables.items():
            if rules.left_out and table in data.tables:
                data = data.select(table, [c for c in data.columns(table) if c not in rules.left_out])
        gaps = {t: rules.gaps for t, rules in self.tables.items() if rules.gaps and t in data.tables}
        if gaps:
            hidden = {t: hide(data.tables[t], mine, data.schema.tables[t]) for t, mine in gaps.items()}
            data = Dataset(schema_with(data.schema, gaps), {**data.tables, **hidden})
        rhythms = {t: rules.rhythms for t, rules in self.tables.items() if rules.rhythms and t in data.tables}
        if rhythms:
            apart = {t: parted(data.tables[t], mine, data.schema.tables[t]) for t, mine in rhythms.items()}
            data = Dataset(schema_in_parts(data.schema, rhythms), {**data.tables, **apart})
        return data

    def sample(self, model: Model, given: Dataset, ctx: Context) -> Kept:
        """Complete given rows with a model, so that every row keeps the rules.

        What still breaks a rule is ruled out as `rule-unreachable`. Given values are never changed.
        """
        made, problems = self._drawn(model, given, ctx)
        redrawn = repaired = 0
        for table, rules in self.tables.items():
            spec = made.schema.tables[table]
            if not rules.rules or not wanting(made.tables[table], rules, spec).any():
                continue
            free = {c: self._free(given, table, c) for c in rules.produce}
            rules = rules.with_fixed(free)  # noqa: PLW2901  the same rules, for the rows at hand
            before = made.tables[table]
            made = _with(made, table, exchanged(before, rules, spec, free, ctx.at("exchange", table).rng))
            moved = _changed(before, made.tables[table], rules.produce)
            if self.full.scope == "row" and len(self.tables) == 1:
                made, again = self._redrawn(model, given, made, rules, ctx)
                redrawn += int(again.sum())
                moved &= ~again
            if rules.across:
                before = made.tables[table]
                made = _with(made, table, apart(before, rules, spec, free, ctx.at("apart", table).rng))
                moved |= _changed(before, made.tables[table], rules.produce)
            made, changed, still = _mended(made, table, rules, free)
            repaired += int(((moved | changed) & ~still).sum())
            if still.any():
                problems = (*problems, Verdict.of(table, still, UNREACHABLE))
        return Kept(Sample(made, problems), redrawn, repaired)

    def _drawn(self, model: Model, given: Dataset, ctx: Context) -> tuple[Dataset, tuple[Verdict, ...]]:
        """Return what the model makes, with the derived columns computed and distances turned back."""
        found, problems = model.sample(self.reduce(given), ctx)
        whole = {t: joined(found.tables[t], r.rhythms, given.schema.tables[t]) for t, r in self.tables.items()}
        made = Dataset(given.schema, {**found.tables, **whole})
        for table, rules in self.tables.items():
            wanted = self._needs(given, table)
            if not (rules.steps or rules.gaps or wanted or rules.grains):
                continue
            spec, free = given.schema.tables[table], partial(self._free, given, table)
            loose = {s.target: free(s.target) for s in rules.steps}
            apart = schema_with(given.schema, {table: rules.gaps}).tables[table]
            early = [n for n in wanted if not {g.target for g in rules.gaps} & valued(n)]
            here = ctx.at("missing", table)
            held = settled(made.tables[table], early, apart, free, here.at("early").rng)
            round_ = {g.target: free(g.target) for g in rules.grains}
            held = shortened(show(held, rules.gaps, spec), rules.grains, spec, round_)
            held = restored(held, rules.steps, spec, loose)
            if any(wrong.any() for wrong in unmet(held, wanted, spec).values()):
                held = settled(held, wanted, spec, free, here.at("late").rng)
                held = restored(held, rules.steps, spec, loose)
            targets = dict.fromkeys(s.target for s in (*rules.gaps, *rules.steps, *rules.grains, *wanted))
            made = made.with_columns(table, {c: held.column(c) for c in targets})
        return made, tuple(problems)

    def _needs(self, given: Dataset, table: str) -> list[Need]:
        """Return which columns must have values where; what was set before sampling stays."""
        rules, spec = self.tables[table], given.schema.tables[table]
        there = set(given.tables[table].column_names) if self.full.mode == "make" else set()
        return needs(rules.rules, spec, [c for c in rules.produce if c not in there], rules.steps)

    def _free(self, given: Dataset, table: str, column: str) -> np.ndarray:
        """Return booleans: in which rows the column may be changed."""
        held = given.tables[table]
        if self.full.mode == "fill" and column in held.column_names:
            return nulls(held.column(column))
        if self.full.mode == "make" and column in held.column_names:  # it was set before sampling
            return np.zeros(held.num_rows, dtype=bool)
        return np.ones(held.num_rows, dtype=bool)

    def _redrawn(
        self, model: Model, given: Dataset, made: Dataset, rules: TableRules, ctx: Context
    ) -> tuple[Dataset, np.ndarray]:
        """Draw rows that break a rule again, and take what holds; rows that only break an order are left for mending.

        A missing value breaks nothing, so what is missing stays missing: else redrawing would make more of it.
        """
        (table,) = self.tables
        spec = made.schema.tables[table]
        hard = rules.without_orders(spec)
        named = {c for p in rules.rules for c in p.columns}
        fresh = [c for c in rules.produce if not _stays(spec, c, named)]
        same = [c for c in fresh if c in named]
        wrong = wanting(made.tables[table], hard, spec)
        again = np.zeros(len(wrong), dtype=bool)
        for i in range(ROUNDS):
            rows = np.flatnonzero(wrong)
            if not len(rows):
                break
            before = made.take(table, rows).tables[table]
            drawn, problems = self._drawn(model, given.take(table, rows), ctx.at("redraw", i))
            trial = before
            for c in fresh:
                trial = trial.set_column(trial.column_names.index(c), c, drawn.tables[table].column(c))
            good = ~wanting(trial, rules, spec)
            for verdict in problems:
                good &= verdict.keep if verdict.table == table else True
            against = unmet(before, self._needs(given, table), spec)
            for c in same:
                good &= (nulls(before.column(c)) == nulls(trial.column(c))) | against.get(c, np.False_)
            made = _with(made, table, spliced(made.tables[table], fresh, trial, rows, good))
            again[rows[good]] = True
            wrong[rows[good]] = False
            if rules.across:
                wrong = wanting(made.tables[table], hard, spec)
        return made, again

    def save(self, folder: Path) -> None:
        """Write the keeper into an existing empty folder, byte for byte repeatable."""
        tables = []
        arrays: dict[str, np.ndarray] = {}
        for i, (table, rules) in enumerate(self.tables.items()):
            said: dict[str, Any] = {"table": table, "produce": rules.produce, "rules": [p.text for p in rules.rules],
                                    "gaps": [asdict(g) for g in rules.gaps],
                                    "ranges": [asdict(r) for r in rules.ranges],
                                    "grains": [g.to_json() for g in rules.grains],
                                    "rhythms": [asdict(r) for r in rules.rhythms],
                                    "seen": [p.text for p in rules.rules if p.text in rules.seen]}  # fmt: skip
            for group in ("steps", "checks"):
                heads = []
                for j, step in enumerate(getattr(rules, group)):
                    head, held = step_to_json(step, f"{i}.{group}.{j}")
                    heads.append(head)
                    arrays.update(held)
                said[group] = heads
            tables.append(said)
        artefacts.save(folder, {"part": self.full._asdict(), "tables": tables}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the keeper that `save` wrote."""
        head, arrays = artefacts.load(folder)
        said = head["part"]
        part = Part(tuple(said["produce"]), tuple(said["given"]), said["mode"], said["scope"])
        tables = {}
        for i, held in enumerate(head["tables"]):
            found: dict[str, tuple[Any, ...]] = {
                group: tuple(step_of_json(s, f"{i}.{group}.{j}", arrays) for j, s in enumerate(held[group]))
                for group in ("steps", "checks")
            }
            gaps = tuple(gap_of(g) for g in held["gaps"])
            rules = tuple(parse(text) for text in held["rules"])
            ranges = tuple(Range(r["target"], r["rule"]) for r in held["ranges"])
            tables[held["table"]] = TableRules(
                tuple(held["produce"]),
                rules,
                found["steps"],
                found["checks"],
                gaps,
                ranges,
                frozenset(held.get("seen", ())),
                tuple(map(Grain.of_json, held.get("grains", ()))),
                tuple(map(rhythm_of, held.get("rhythms", ()))),
            )
        return cls(part, tables)


def _rhythms(
    held: pa.Table, rules: TableRules, schema: Schema, table: str, able: set[str]
) -> tuple[Rhythm, ...]:  # fmt: skip
    """Return which columns that a generator makes are made in parts, as it is given the table."""
    spec, gone = schema.tables[table], rules.left_out
    apart = schema_with(schema, {table: rules.gaps}).tables[table]
    seen = held.select([c for c in held.column_names if c not in gone])
    free = sorted(able - {s.target for s in rules.steps} - {g.target for g in rules.gaps})
    return tuple(find_rhythms(hide(seen, rules.gaps, spec), apart, free)) if free else ()


def _one_is_made(steps: list[Step], produce: list[str], part: Part) -> list[Step]:
    """Return the steps, such that the generator is left with something to make."""
    if len(part.produce) > len(produce) or any(c not in {s.target for s in steps if s.whole} for c in produce):
        return steps
    return [replace(steps[0], whole=False), *steps[1:]]


def _stays(spec: Table, column: str, named: set[str]) -> bool:
    """Return whether a redrawn row keeps what it had: keys and pseudonyms belong to the row, not to the draw."""
    field = spec.fields[column]
    return field.unique or (field.anew and column not in named)


def _with(made: Dataset, table: str, held: pa.Table) -> Dataset:
    return Dataset(made.schema, {**made.tables, table: held})


def _changed(before: pa.Table, after: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    return row_hashes(before, columns) != row_hashes(after, columns)


def _mended(
    made: Dataset, table: str, rules: TableRules, free: Mapping[str, np.ndarray]
) -> tuple[Dataset, np.ndarray, np.ndarray]:
    """Return the data with rows that break a rule mended, which were, and which still break one.

    A row is mended too where only a computed column lies beyond its ends, but is not wrong where that fails.
    """
    spec, held = made.schema.tables[table], made.tables[table]
    wrong = wanting(held, rules, spec)
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return made, wrong, wrong
    before = held.take(pa.array(rows))
    hard = broken(before, rules, spec)
    trial = before
    for kept in (rules, replace(rules, ranges=())):  # where both cannot be had, the rules come before the ends
        left = np.flatnonzero(wanting(trial, kept, spec))
        if not len(left):
            break
        again = mended(before.take(pa.array(left)), kept, spec, {c: f[rows[left]] for c, f in free.items()})
        trial = spliced(trial, rules.produce, again, left, ~wanting(again, kept, spec))
    good = ~broken(trial, rules, spec) & (hard | ~wanting(trial, rules, spec))
    held = spliced(held, rules.produce, trial, rows, good)
    still = np.zeros(len(wrong), dtype=bool)
    still[rows[~good & hard]] = True
    if rules.across:
        still = broken(held, rules, spec)
    changed = np.zeros(len(wrong), dtype=bool)
    changed[rows[good]] = True
    return _with(made, table, held), changed & ~still, still
