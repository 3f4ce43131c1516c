"""What state machines cannot mean: states nobody knows or reaches, circles without an end, formulas that do not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from synthwright.core.contracts import Place
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.events.state_clock import Clock
from synthwright.kit.events.state_machines import Machine, State
from synthwright.kit.events.state_parents import KNOWN, widened
from synthwright.kit.formula.formulas import Formula, faults, read
from synthwright.kit.formula.stated import Said, is_iso, unfit, wrong_amount

Found = Iterator[tuple[Place, str]]


# ------------------------------------------------------------------------------------------------------------ states
def wrong_states(machine: Machine, *, endless: bool) -> Found:
    """Yield what the states of a machine cannot mean together.

    Args:
        machine: the machine.
        endless: whether nothing else would ever stop it.
    """
    unknown = list(_unknown(machine))
    yield from unknown
    if unknown:
        return  # what is reached cannot be told
    ways = {name: {way.to for way in state.then.values() if way.open} for name, state in machine.states.items()}
    reached = _behind({way.to for way in machine.start.then.values() if way.open}, ways)
    for name in machine.states:
        if name not in reached:
            yield ("states", name), f"no way leads to the state {name!r}: name it in `first` or in a `then`"
    states = {name: state for name, state in machine.states.items() if name in reached}
    hurried = _lost(states, {name for name, state in states.items() if _may_stop(state) or _may_last(state)})
    if hurried:
        yield ("states", hurried[0]), (f"{_named(hurried)} in a circle without a delay, and no way leads out: say "
                                       "`after`, or a way to another state")  # fmt: skip
    caught = _lost(states, {name for name, state in states.items() if _may_stop(state)}) if endless else []
    if caught and not hurried:
        yield ("states", caught[0]), (f"{_named(caught)} in a circle that no way leads out of: say `until` or `most`, "
                                      "or a way to a state without `then`")  # fmt: skip


def _unknown(machine: Machine) -> Found:
    for place, state in ((("first",), machine.start), *((("states", n, "then"), s) for n, s in machine.states.items())):
        for key, way in state.then.items():
            if way.to not in machine.states:
                yield (*place, key), f"no state is called {way.to!r}: {_near(way.to, machine.states)}"


def _near(said: str, known: Collection[str]) -> str:
    near = get_close_matches(said, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, known))}"


def _behind(begin: Collection[str], ways: Mapping[str, Collection[str]]) -> set[str]:
    """Return what ways lead to from some states, these among them."""
    found, waiting = set(begin), list(begin)
    while waiting:
        new = set(ways[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def _lost(states: Mapping[str, State], safe: Collection[str]) -> list[str]:
    """Return the states from which no way leads to a safe one."""
    back: dict[str, set[str]] = {name: set() for name in states}
    for name, state in states.items():
        for way in state.then.values():
            if way.open:
                back[way.to].add(name)
    saved = _behind(safe, back)
    return [name for name in states if name not in saved]


def _may_stop(state: State) -> bool:
    """Return whether a machine may end in a state: it has no way, or formulas may close every one."""
    ways = [way for way in state.then.values() if way.open]
    waiting = [state.delay(way) for way in ways]
    return not any(way.sure for way in ways) or any(delay is not None and delay.formulas for delay in waiting)


def _may_last(state: State) -> bool:
    delays = [state.delay(way) for way in state.then.values() if way.open]
    return any(delay is not None and delay.lasts for delay in delays)


def _named(states: list[str]) -> str:
    if len(states) == 1:
        return f"the state {states[0]!r} is"
    return f"the states {', '.join(map(repr, states[:5]))}{' …' if len(states) > 5 else ''} are"


# ---------------------------------------------------------------------------------------------------------- formulas
def wrong_formulas(machine: Machine, schema: Schema, parent: str, at: Field) -> Found:
    """Yield what the formulas and numbers of a machine's states cannot mean for the rows of the parent."""
    wider, own = widened(schema, parent, at), schema.tables[parent].fields
    for place, formula in machine.formulas:
        found = read(formula)
        taken = [p for p in found.paths if p in KNOWN and p in own]
        if taken:
            yield place, (f"`{taken[0]}` is a column of {parent!r}, and what the machine knows: give the column "
                          "another name")  # fmt: skip
        elif found.aggregates:
            yield place, _aggregated(found, parent)
        elif place[-1] == "when":
            yield from ((place, said) for said in faults(found, wider, parent, wanted="boolean"))
        elif place[-1] == "weight":
            yield from ((place, said) for said in wrong_amount(formula, wider, parent, ()))
    for place, state in ((("first",), machine.start), *((("states", n), s) for n, s in machine.states.items())):
        delays = [((*place, *(("then",) if len(place) > 1 else ()), key, "after"), way.after)
                  for key, way in state.then.items()]  # fmt: skip
        for where, delay in (((*place, "after"), state.after), *delays):
            clean = delay is not None and not any(_refused(f, own) for f in delay.formulas)
            if delay is not None and clean:
                yield from (((*where, *inside), said) for inside, said in delay.wrong(wider, parent))


def _refused(formula: str, own: Collection[str]) -> bool:
    """Return whether something else was said of a formula before."""
    found = read(formula)
    return bool(found.aggregates) or any(p in KNOWN and p in own for p in found.paths)


def _aggregated(formula: Formula, parent: str) -> str:
    return (f"formula {formula.text!r} takes values from rows of other tables: make them a column of {parent!r} first, "
            "and name that")  # fmt: skip


def wrong_moment(said: str, clock: Clock, schema: Schema, parent: str) -> list[str]:
    """Return why a text or formula of the parent gives no instant, a sentence each."""
    if is_iso(said):
        return [] if clock.fixed(said) is not None else [f"{said!r} is no date or instant: write 2024-12-31"]
    formula = read(said)
    return [_aggregated(formula, parent)] if formula.aggregates else faults(formula, schema, parent, clock.instant)


def wrong_condition(said: str, schema: Schema, parent: str) -> list[str]:
    """Return why a text is no condition on the parent, a sentence each."""
    formula = read(said)
    return [_aggregated(formula, parent)] if formula.aggregates else faults(formula, schema, parent, wanted="boolean")


# ----------------------------------------------------------------------------------------------------------- columns
def wrong_labels(names: Collection[str], column: str, field: Field | None) -> list[str]:
    """Return why a column cannot hold the names of states or machines, a sentence each."""
    if field is None:
        return []  # the plan says so
    if field.kind in (Kind.KEY, Kind.REFERENCE):
        return [f"column {column!r} is of kind {field.kind.value!r}: names go into a category or text"]
    said = list(names)
    bad = [said[i] for i in unfit(said, field)]
    return [f"column {column!r} cannot hold {bad[0]!r}: it is of kind {field.kind.value!r}"] if bad else []


def wrong_writes(machine: Machine, fields: Mapping[str, Field], taken: Collection[str]) -> Found:
    """Yield what a machine's states cannot write.

    Args:
        machine: the machine.
        fields: the columns of the rows that it makes.
        taken: those that it fills with something else.
    """
    for name, state in machine.states.items():
        for column, value in state.writes.items():
            said = _unwritable(column, value, fields, taken)
            if said:
                yield ("states", name, "writes", column), said


def _unwritable(column: str, value: Said, fields: Mapping[str, Field], taken: Collection[str]) -> str:
    if column not in fields:
        return f"no column of the table is called {column!r}: {_near(column, fields)}"
    field = fields[column]
    if column in taken:
        return f"column {column!r} is filled already: by `state`, `at`, `module` or `position`"
    if field.kind in (Kind.KEY, Kind.REFERENCE):
        return f"column {column!r} is of kind {field.kind.value!r}: a state cannot write it"
    return f"column {column!r} cannot hold {value!r}: it is of kind {field.kind.value!r}" if unfit([value], field) \
        else ""  # fmt: skip


def not_written(machine: Machine, columns: Collection[str], fields: Mapping[str, Field]) -> Found:
    """Yield the states that leave a column without a value which must have one in every row."""
    full = [c for c in columns if c in fields and not fields[c].nulls]
    for name, state in machine.states.items():
        for column in full if not state.silent else ():
            if column not in state.writes:
                yield ("states", name), (f"column {column!r} must have a value in every row (`nulls: false` in the "
                                         f"schema), and the state {name!r} writes none")  # fmt: skip
