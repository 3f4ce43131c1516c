"""From a specification to a plan: names become recipes, columns are shared out among parts, parts are put in order.

Nothing here touches data. Every fault is collected and raised together, each with its place in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from graphlib import CycleError
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from synthwright.core import registry, rules
from synthwright.core.chat import Provider
from synthwright.core.conditions import misnamed
from synthwright.core.contracts import Curator, Generator, Metric, Part, Process, Recipe, Scope, Sink, Source
from synthwright.core.contradictions import contradictions
from synthwright.core.errors import Fault, SpecError, UnknownNameError
from synthwright.core.gate_parts import strange_gates
from synthwright.core.gates import Gate
from synthwright.core.jobs import MADE_ANEW, curated, kept_by_name, selected
from synthwright.core.leaving_out import without
from synthwright.core.part_order import in_order
from synthwright.core.plan_anew import followed, made_anew
from synthwright.core.plan_children import late_parts, processes_of
from synthwright.core.plan_foresight import told_ahead
from synthwright.core.plan_models import models_of, unnamed
from synthwright.core.plan_private import budgeted, wrong_budgets, wrong_units
from synthwright.core.plan_words import NOTHING_THERE, circle, idle, parameter_faults
from synthwright.core.ruling import Ruling, Waived, ruling
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Schema
from synthwright.core.spec import PartUse, Spec, Start

Say = Callable[[Place, str], Fault]
NONE: Mapping[str, Process] = MappingProxyType({})
NO_MODELS: Mapping[str, Provider] = MappingProxyType({})


class PlannedPart(NamedTuple):
    """A generator and what it is to make."""

    name: str
    generator: Generator
    part: Part
    table: str


class Plan(NamedTuple):
    """Everything a run needs to know before it touches data; made from specification and schema alone."""

    spec: Spec
    schema: Schema
    parts: tuple[PlannedPart, ...]
    curators: tuple[Curator, ...]
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    sink: Sink
    waived: tuple[Waived, ...] = ()
    processes: Mapping[str, Process] = NONE
    """How rows of a table come to be for rows of another, by table: those in `start: {children: …}`."""
    late: tuple[str, ...] = ()
    """The parts that wait for tables made after their own, by name."""
    again: tuple[str, ...] = ()
    """The parts that are computed anew from the rows that stayed: late ones, and running totals."""
    models: Mapping[str, Provider] = NO_MODELS
    """The language models that parts and curators ask, by name."""
    doubts: tuple[Fault, ...] = ()
    """What can be made, and is hardly meant."""

    @property
    def produced(self) -> tuple[str, ...]:
        """The columns that are generated."""
        return tuple(c for p in self.parts for c in p.part.produce)

    def to_json(self) -> dict[str, Any]:
        """Return what `Plan.of_json` makes the same plan from."""
        return self.spec.model_copy(update={"schema_": self.schema}).to_json()

    @staticmethod
    def of_json(said: dict[str, Any]) -> Plan:
        """Rebuild a plan."""
        spec = Spec.model_validate(said)
        assert isinstance(spec.schema_, Schema)  # noqa: S101  to_json puts it there
        return plan(spec, spec.schema_)


def unplaced(place: Place, message: str) -> Fault:
    """Return a fault of a specification that is no file."""
    return Fault("specification", 0, 0, f"{'.'.join(map(str, place))}: {message}")


def plan(spec: Spec, schema: Schema, say: Say = unplaced, *, guessed: bool = False) -> Plan:
    """Return the plan; a SpecError with every fault. Where the schema was guessed, gates are lenient with its rules."""
    return _Planner(spec, say, guessed=guessed).plan(schema)


def check_names(spec: Spec, say: Say = unplaced) -> None:
    """Check everything that can be checked without a schema; a SpecError with every fault."""
    planner = _Planner(spec, say)
    planner.recipes()
    planner.gates(None)
    planner.finish()


def source_of(spec: Spec, say: Say = unplaced) -> Source | None:
    """Return the source that a specification names."""
    if spec.source is None:
        return None
    planner = _Planner(spec, say)
    found = planner.recipe("sources", spec.source.use, spec.source.settings, ("source",))
    planner.finish()
    return cast(Source, found)


class _Planner:
    """Collects faults while it turns a specification into recipes and parts."""

    def __init__(self, spec: Spec, say: Say, *, guessed: bool = False) -> None:
        self.spec, self.say, self.guessed = spec, say, guessed
        self.processes: dict[str, Process] = {}
        self.models = NO_MODELS
        self.unclear: set[str] = set()
        self.faults: list[Fault] = []

    def tell(self, place: Place, message: str) -> None:
        """Note a fault."""
        self.faults.append(self.say(place, message))

    def finish(self) -> None:
        if self.faults:
            raise SpecError(self.faults)

    def plan(self, schema: Schema) -> Plan:
        spec = self.spec
        for i, column in enumerate(spec.ignore):
            if column.removesuffix(".*") not in schema.tables:
                self.known(column, schema, ("ignore", i))
        if not self.faults:
            schema = self._smaller(schema)
        curators, metrics, sink, gates = self.recipes()
        for i, curator in enumerate(curators):
            self.faults += [self.say(("curate", i, "with"), message) for message in curator.faults(schema)]
        self.faults += [self.say(("release", "with"), message) for message in (sink.faults(schema) if sink else ())]
        self.gates(schema)
        self._rules(schema)
        spec = self.spec = kept_by_name(spec, schema, self.tell)
        self._columns(schema)
        parts = self._parts(schema)
        wrong_units(spec, schema, parts, self)
        late, again, wrong = late_parts(parts, spec, schema, self.processes)
        self.faults += [self.say(place, message) for place, message in wrong]
        doubts = [self.say(*d) for d in told_ahead(spec, schema, parts, self.processes, self.tell)]
        self.finish()
        return Plan(spec, schema, parts, curators, metrics, gates.gates, sink, gates.waived, self.processes, late,
                    again, self.models, tuple(doubts))  # fmt: skip

    def gates(self, schema: Schema | None) -> None:
        """Note gates on scores that no metric gives."""
        for place, message in strange_gates(self.spec, schema):
            self.tell(place, message)

    def _smaller(self, schema: Schema) -> Schema:
        try:
            return without(schema, self.spec.ignore)
        except ValueError as error:  # a rule without sense, or no column left
            self.faults.append(self.say(("ignore",), str(error).splitlines()[-1]))
            return schema

    def recipes(self) -> tuple[tuple[Curator, ...], tuple[Metric, ...], Sink, Ruling]:
        """Resolve every name that needs no schema."""
        spec = self.spec
        if spec.source is not None:
            self.recipe("sources", spec.source.use, spec.source.settings, ("source",))
        curators = [self.recipe("curators", u.use, u.settings, ("curate", i)) for i, u in enumerate(curated(spec))]
        makers = [self.recipe("generators", u.use, u.settings, ("parts", i)) for i, u in enumerate(spec.parts)]
        self.models = models_of(spec, self)
        wrong_budgets(spec, self.tell)
        asking = {"curate": curators, "parts": makers}
        unnamed(spec, [((w, i), r) for w, found in asking.items() for i, r in enumerate(found) if r], self.tell)
        sink = self.recipe("sinks", spec.release.use, spec.release.settings, ("release",))
        gates = selected(ruling(spec, self.tell, guessed=self.guessed), spec)
        metrics = self._metrics({g.metric for g in gates.gates})
        return (
            tuple(cast(Curator, c) for c in curators if c), metrics, cast(Sink, sink), gates,
        )  # fmt: skip

    def recipe(self, group: registry.Group, name: str, settings: dict[str, Any], place: Place) -> Recipe | None:
        """Return a recipe with its settings, or note why there is none."""
        try:
            return registry.find(group, name).model_validate(settings)
        except UnknownNameError as error:
            self.faults.append(self.say((*place, "use"), str(error)))
        except ValidationError as error:
            for where, message in parameter_faults(error, name, registry.find(group, name), settings, place):
                self.tell(where, message)
        return None

    def _metrics(self, gated: set[str]) -> tuple[Metric, ...]:
        """Return the metrics that the specification names, by group or by name, and those that gates need."""
        known = {n: cast(type[Metric], registry.find("metrics", n)) for n in registry.names("metrics")}
        groups = {m.group for m in known.values()}
        wanted: set[str] = gated & set(known)
        for i, word in enumerate(self.spec.evaluate.metrics):
            if word in groups:
                wanted |= {n for n, m in known.items() if m.group == word}
            elif word in known:
                wanted.add(word)
            else:
                near = get_close_matches(word, [*groups, *known], n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"groups are {', '.join(sorted(groups))}"
                self.tell(("evaluate", "metrics", i), f"no metric or group is called {word!r}: {hint}")
        return tuple(known[n]() for n in sorted(wanted))

    def known(self, column: str, schema: Schema, place: Place) -> bool:
        if column in schema.columns:
            return True
        near = get_close_matches(column, schema.columns, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ": columns are said as table.column"
        self.faults.append(self.say(place, f"no column is called {column!r}{hint}"))
        return False

    def _rules(self, schema: Schema) -> None:
        for name, table in schema.tables.items():
            understood: list[tuple[int, rules.Parsed]] = []
            for i, rule in enumerate(table.rules):
                place: Place = ("schema", "tables", name, "rules", i)
                try:
                    parsed = rules.parse(rule.rule)
                except ValueError as error:
                    self.tell(place, str(error))
                    continue
                for column, near in rules.unknown_columns(parsed, table):
                    hint = f": did you mean {near!r}?" if near else ""
                    self.tell(place, f"rule {rule.rule!r}: table {name!r} has no column {column!r}{hint}")
                wrong = rules.faults(parsed, table)
                self.faults += [self.say(place, message) for message in wrong]
                understood += [] if wrong else [(i, parsed)]
            for one in contradictions(understood, table.fields):
                self.tell(("schema", "tables", name, "rules", one.rule), one.why)

    def _columns(self, schema: Schema) -> None:
        spec = self.spec
        named: list[tuple[str, Place]] = [(c, ("keep", i)) for i, c in enumerate(spec.keep)]
        named += [(c, ("start", "keep", i)) for i, c in enumerate(spec.start.keep)]
        named += [(c, ("start", "set", c, "#key")) for c in spec.start.set_]
        named += [(c, ("evaluate", "sensitive", i)) for i, c in enumerate(spec.evaluate.sensitive)]
        for column, place in named:
            self.known(column, schema, place)
        for table in spec.start.rows:
            if table not in schema.tables and not (table == "*" and len(schema.tables) == 1):
                self.faults.append(self.say(("start", "rows", table, "#key"), f"no table is called {table!r}: "
                                            f"there are {', '.join(map(repr, schema.tables))}"))  # fmt: skip
        for place, message in misnamed(spec, schema):
            self.tell(place, message)
        self.processes, self.unclear = processes_of(spec, schema, self)
        if spec.evaluate.target is not None:
            self.known(spec.evaluate.target, schema, ("evaluate", "target"))
        self._holdout(schema)
        if spec.begin.origin == "source" and spec.source is None:
            self.faults.append(self.say(("start", "from"), "there is no 'source' to start from"))

    def _holdout(self, schema: Schema) -> None:
        held = self.spec.source.holdout if self.spec.source is not None else None
        for word in ("by", "column"):
            column = getattr(held, word, None)
            if column is not None:
                self.known(column, schema, ("source", "holdout", word))

    def _parts(self, schema: Schema) -> tuple[PlannedPart, ...]:
        spec, begin = self.spec, self.spec.begin
        there = {*begin.keep, *begin.chosen, *(c.of for c in begin.children.values())}
        there |= {f"{t}.{c}" for t, process in self.processes.items() for c in process.makes()}
        uses = spec.parts or (PartUse(make=tuple(f"{t}.*" for t in schema.tables)),)
        made = self._shared_out(uses, schema, there)
        changed = [self._changed(i, use, schema) for i, use in enumerate(uses)]
        parts: list[PlannedPart] = []
        for i, (use, fresh) in enumerate(zip(uses, made, strict=True)):
            columns = [c for c in schema.columns if c in fresh or c in changed[i]]
            generator = self.recipe("generators", use.use, use.settings, ("parts", i))
            for given in use.given:
                self.known(given, schema, ("parts", i, "given"))
            if isinstance(generator, Generator):
                parts += self._split(i, use, generator, columns, schema)
        missing = set(schema.columns) - there - {c for columns in made for c in columns}
        for column in sorted(c for c in missing if schema.split(c)[0] not in self.unclear):
            keep = f", keep it ('{schema.split(column)[0]}.*' keeps all)" if begin.origin == "source" else ""
            self.tell(("parts",), f"no part makes {column!r}: name it in a part{keep}, or ignore it")
        return self._ordered(parts, there)

    def _changed(self, i: int, use: PartUse, schema: Schema) -> list[str]:
        """Return the columns that a part changes after another part made them."""
        known = [c for j, c in enumerate(use.change) if self.known(c, schema, ("parts", i, "change", j))]
        if not known or use.use not in registry.names("generators"):
            return known
        able = cast(type[Generator], registry.find("generators", use.use)).abilities
        if not able.changes:
            self.tell(("parts", i, "change"), f"{use.use} cannot change columns that others made")
        for column in (c for c in known if able.changes and schema.field(c).kind not in able.kinds):
            kind = schema.field(column).kind.value
            self.tell(("parts", i, "change"), f"{use.use} cannot change {column!r}, which is of kind {kind!r}")
        return known

    def _shared_out(self, uses: tuple[PartUse, ...], schema: Schema, there: set[str]) -> list[list[str]]:
        """Return for each part the columns it makes: named ones first, then `table.*` takes what is left."""
        owner: dict[str, int] = {}
        for i, use in enumerate(uses):
            for j, column in enumerate(use.make):
                if column.endswith(".*") and column[:-2] in schema.tables:
                    continue
                if not self.known(column, schema, ("parts", i, "make", j)):
                    continue
                if column in owner or column in there:
                    by = "another part makes it" if column in owner else "it is kept, set or made in 'start'"
                    self.faults.append(self.say(("parts", i, "make", j), f"{column!r}: {by}"))
                    continue
                owner[column] = i
        for i, use in enumerate(uses):
            for table in (c[:-2] for c in use.make if c.endswith(".*") and c[:-2] in schema.tables):
                for name in schema.tables[table].fields:
                    if f"{table}.{name}" not in there:
                        owner.setdefault(f"{table}.{name}", i)
        return [[c for c in schema.columns if owner.get(c) == i] for i in range(len(uses))]

    def _split(
        self, i: int, use: PartUse, generator: Generator, columns: list[str], schema: Schema
    ) -> list[PlannedPart]:
        """Cut a part by table, and hand what must not be modelled to the generator that looks at no value."""
        begin = self.spec.begin
        found = []
        for table in schema.tables:
            real = begin.origin == "source" and table not in begin.beside
            mode = use.mode or ("replace" if real or use.change else "make")
            mine = [c for c in columns if schema.split(c)[0] == table]
            anew = [c for c in mine if made_anew(schema.field(c), generator)]
            rest = [c for c in mine if c not in anew]
            given = self._given(use, begin, table, schema, rest, generator)
            names = tuple(schema.split(c)[1] for c in rest)
            for where, message in generator.misused(schema, table, names) if rest else ():
                self.faults.append(self.say(("parts", i, "with", *where), f"{use.use}: {message}"))
            for column in rest:
                if schema.field(column).kind not in generator.abilities.kinds:
                    able = ", ".join(sorted(generator.abilities.kinds))
                    kind = schema.field(column).kind
                    self.faults.append(self.say(("parts", i, "use"), f"{use.use} cannot make {column!r}, which is of "
                                                f"kind {kind!r}; it can make {able}"))  # fmt: skip
            if generator.abilities.replaces and idle(rest, mode, use, begin):
                self.tell(("parts", i, "use"), NOTHING_THERE.format(use.use))
            if rest:
                paid = budgeted(self.spec, use, schema, table)
                part = Part(tuple(rest), given, mode, self._scope(generator, table, names, schema), paid)
                found.append(PlannedPart(f"{i}-{generator.name}-{table}", generator, part, table))
            if anew:
                maker = cast(Generator, registry.find("generators", MADE_ANEW)())
                seen = followed(self.spec, use, Part(tuple(rest), given), schema)
                found.append(PlannedPart(f"{i}-{MADE_ANEW}-{table}", maker, Part(tuple(anew), seen, mode), table))
        return found

    def _scope(self, generator: Generator, table: str, names: tuple[str, ...], schema: Schema) -> Scope:
        """Return which rows must be made together; those that stand together by `start: children` may be enough."""
        scope, by = generator.scope(schema, table, names), generator.entity(schema, table, names)
        how = self.spec.start.children.get(table)
        return "entity" if scope == "table" and by and how is not None and how.of == f"{table}.{by}" else scope

    def _given(
        self, use: PartUse, begin: Start, table: str, schema: Schema, rest: list[str], generator: Generator
    ) -> tuple[str, ...]:
        """Return what a part may look at: what it names, and what the start holds of its table."""
        if generator.abilities.given == "none":
            if use.given:
                self.faults.append(self.say(("parts",), f"{use.use} cannot be given columns"))
            return ()
        there = (*use.given, *begin.keep, *begin.chosen)
        able = [c for c in dict.fromkeys(there) if c in schema.columns and schema.split(c)[0] == table]
        able = [c for c in able if schema.field(c).kind in generator.abilities.kinds]
        return tuple(c for c in dict.fromkeys((*able, *generator.looks_at(schema, table))) if c not in rest)

    def _ordered(self, parts: list[PlannedPart], there: set[str]) -> tuple[PlannedPart, ...]:
        changes = [set(u.change) for u in self.spec.parts]
        try:
            order = in_order([(p.name, p.part) for p in parts], changes, there)
        except CycleError as error:
            self.tell(*circle({p.name: p.part for p in parts}, error.args[1], changes))
            return tuple(parts)
        named = {p.name: p for p in parts}
        return tuple(named[n] for n in order)
