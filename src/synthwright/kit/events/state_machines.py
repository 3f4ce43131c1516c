"""State machines as a specification writes them: states, ways from one to the next, and when they begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, field_validator, model_validator
from pydantic import Field as Setting

from synthwright.core.contracts import Place
from synthwright.core.schema import Frozen
from synthwright.kit.events.state_delays import After
from synthwright.kit.formula.amounts import Amount, Readable
from synthwright.kit.formula.formulas import read
from synthwright.kit.formula.stated import Said, is_iso


def in_order(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping in the order of its names: a specification is the same in whatever order it is written."""
    return dict(sorted(said.items(), key=lambda item: str(item[0])))


def _when(said: str) -> str:
    if not is_iso(said):
        read(said)
    return said


Moment = Annotated[str, AfterValidator(_when)]
"""An ISO date or instant, or a formula that gives one."""


class Way(Frozen):
    """A transition from one state to another."""

    to: str
    """The state that is entered."""
    weight: Amount = 1.0
    """How likely it is, in proportion to the other ways from here: a number, or a formula."""
    when: Readable | None = None
    """A condition: where it does not hold, or cannot be told, this way is closed."""
    after: After | None = None
    """How long it takes, where that is another delay than the state's own."""

    @field_validator("weight")
    @classmethod
    def _some(cls, said: float | str) -> float | str:
        if not isinstance(said, str) and not 0 <= said < float("inf"):
            raise ValueError("a weight is at least 0")
        return said

    @property
    def open(self) -> bool:
        """Whether it can be taken at all."""
        return self.weight != 0

    @property
    def sure(self) -> bool:
        """Whether it can always be taken, whatever formulas give."""
        return self.open and self.when is None and not isinstance(self.weight, str)

    @property
    def formulas(self) -> tuple[tuple[str, str], ...]:
        """Its weight and its condition where they are formulas, each behind its word."""
        weight = (("weight", self.weight),) if isinstance(self.weight, str) else ()
        return (*weight, *((("when", self.when),) if self.when is not None else ()))


def _ways(said: Any) -> Any:
    """Read the forms of transitions: one state, weights by state, a list of ways."""
    if isinstance(said, str):
        return {said: {"to": said}}
    if isinstance(said, list | tuple):
        return {i: {"to": one} if isinstance(one, str) else one for i, one in enumerate(said)}
    if isinstance(said, Mapping) and isinstance(said.get("to"), str) and set(said) <= set(Way.model_fields):
        return {0: said}
    if isinstance(said, Mapping):
        return {to: _way(to, one) for to, one in in_order(said).items()}
    return said


def _way(to: Any, said: Any) -> Any:
    if isinstance(said, Mapping):
        if said.get("to", to) != to:
            raise ValueError(f"the way to {to!r} says 'to: {said['to']}': wanted one of the two")
        return {"to": to, **said}
    return said if isinstance(said, Way) else {"to": to, "weight": said}


def _saved(said: dict[str | int, Way]) -> Any:
    """Return ways as they are saved, so that they are read as the same: a list as a list."""
    return list(said.values()) if 0 in said else said


Ways = Annotated[
    dict[str | int, Way],
    BeforeValidator(_ways, json_schema_input_type=str | dict[str, Any] | list[Any]),
    PlainSerializer(_saved),
]
"""Ways by what they are written under: the state they lead to, or their place in a list."""


def _chosen(said: dict[str | int, Way]) -> dict[str | int, Way]:
    if said and not any(way.open for way in said.values()):
        raise ValueError("wanted a weight above 0, got none")
    return said


class State(Frozen):
    """One state: what follows it, when, and what is written down when it is entered."""

    then: Annotated[Ways, AfterValidator(_chosen)] = Setting(default={}, examples=["a"])
    """The states that may follow, with weights: `{ill: 0.2, well: 0.8}`, `well`, or a list of ways with conditions,
    `[{to: ill, weight: 0.2, when: "age > 60"}, well]`. Nothing: the machine ends here."""
    after: After | None = None
    """How long the state lasts: `30` (days), `PT8H`, `{exponential: 30}`, `{uniform: [1, 14]}`, `{normal: [90, 10]}`,
    `{gamma: [2, 5], unit: hours}`. Nothing: the next state is entered at once."""
    race: bool = False
    """Whether the ways compete: each has a delay of its own, and the first to be over wins."""
    silent: bool = False
    """Whether no row is written when it is entered."""
    writes: dict[str, Said] = Setting(default={}, examples=[{"a": "b"}])
    """Columns of the row that is written, and their values: `{code: E11, kind: encounter}`."""

    @model_validator(mode="after")
    def _fits_together(self) -> State:
        if not self.then and (self.after is not None or self.race):
            raise ValueError(f"{'after' if self.after is not None else 'race'!r} goes with 'then': nothing follows")
        if self.silent and self.writes:
            raise ValueError("a silent state writes nothing: leave 'silent' or 'writes' out")
        if self.race:
            self._race()
        return self

    def _race(self) -> None:
        if self.after is not None:
            raise ValueError("in a race each way has its own 'after': leave the state's out")
        for way in self.then.values():
            if way.after is None:
                raise ValueError(f"in a race each way has its own 'after': the way to {way.to!r} has none")
            if way.weight != 1:
                raise ValueError(f"in a race the first way wins: leave the weight of {way.to!r} out")

    def delay(self, way: Way) -> After | None:
        """Return how long it takes until the state that a way leads to is entered."""
        return way.after if way.after is not None else self.after

    @property
    def formulas(self) -> Iterator[tuple[Place, str]]:
        """Every formula in it, and where: of weights, conditions and delays."""
        for key, way in self.then.items():
            for word, formula in way.formulas:
                yield ("then", key, word), formula
            for formula in way.after.formulas if way.after is not None else ():
                yield ("then", key, "after"), formula
        for formula in self.after.formulas if self.after is not None else ():
            yield ("after",), formula


def _written(said: Any) -> Any:
    return {} if said is None else said


class Machine(Frozen):
    """A state machine: when it begins, in which state, and its states."""

    begins: Moment
    """When its first state is entered: an ISO date or instant, or a formula of the parent such as
    `birth_date + 365 * onset_age`. Where it has no value, the machine does not run."""
    when: Readable | None = None
    """A condition on the parent: where it does not hold, or cannot be told, the machine does not run."""
    first: Annotated[Ways, AfterValidator(_chosen), Setting(min_length=1, examples=["a"])]
    """The state that is entered first, or several with weights: `{mild: 0.7, severe: 0.3}`."""
    states: Annotated[
        dict[str, Annotated[State, BeforeValidator(_written, json_schema_input_type=State | None)]],
        AfterValidator(in_order),
        Setting(min_length=1, examples=[{"a": {}}]),
    ]
    """The states by name."""

    @property
    def start(self) -> State:
        """What is before the first state: a state that is left at once, and of which no row is written."""
        return State(then=self.first, silent=True)

    @property
    def formulas(self) -> Iterator[tuple[Place, str]]:
        """Every formula of its states and of the first ones, and where."""
        for place, formula in self.start.formulas:
            yield ("first", *place[1:]), formula
        for name, state in self.states.items():
            for place, formula in state.formulas:
                yield ("states", name, *place), formula
