"""State machines of all parents at once, step by step: in each step everybody still on the way enters a state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from synthwright.core.errors import SampleError
from synthwright.kit.events.state_clock import DAY, LAST, NEVER
from synthwright.kit.events.state_machines import Machine, State, Way
from synthwright.kit.events.state_parents import Moment, Parents
from synthwright.kit.formula.formulas import read

UNLESS_SAID = 1_000
"""States that one parent may enter in one machine where nothing else is said."""
_LONGEST = LAST / DAY * 2
"""Days that no delay has to be counted beyond."""


class Entered(NamedTuple):
    """The states that were entered, in the order of steps: whose, when (in microseconds), which."""

    who: np.ndarray
    at: np.ndarray
    state: np.ndarray


class Leaving:
    """How one state is left: where to, and after how long."""

    def __init__(self, state: State, codes: dict[str, int], parents: Parents) -> None:
        self.state, self.parents = state, parents
        self.ways: tuple[Way, ...] = tuple(way for way in state.then.values() if way.open)
        self.targets = np.array([codes[way.to] for way in self.ways], dtype=np.int32)
        self.sure = all(way.sure for way in self.ways)
        self.counts = any("visits" in read(f).paths for _, f in state.formulas)
        """Whether it matters how often the state was entered."""
        self._own = any(way.after is not None for way in self.ways)
        self._ends = np.cumsum([float(way.weight) for way in self.ways]) if self.sure else np.zeros(0)

    def leave(self, moment: Moment, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the next state of each parent, -1 where no way is open, and the days until it is entered (or NaN)."""
        if self.state.race:
            return self._raced(moment, rng)
        way = self._chosen(moment, rng)
        target = np.where(way >= 0, self.targets[way], -1)
        if not self._own:
            return target, self._days(self.ways[0], moment, rng)
        days = np.full(len(way), np.nan)
        for i, one in enumerate(self.ways):
            rows = np.flatnonzero(way == i)
            if len(rows):
                days[rows] = self._days(one, moment.some(rows), rng)
        return target, days

    def _chosen(self, moment: Moment, rng: np.random.Generator) -> np.ndarray:
        """Return the way that each parent takes, -1 where none is open."""
        point = rng.random(len(moment.who))
        if self.sure:
            return np.minimum(np.searchsorted(self._ends, point * self._ends[-1], side="right"), len(self.ways) - 1)
        weights = np.stack([self._weights(way, moment) for way in self.ways])
        ends = np.cumsum(weights, axis=0)
        last = len(weights) - 1 - np.argmax(weights[::-1] > 0, axis=0)
        way = np.minimum((point * ends[-1] >= ends).sum(axis=0), last)
        return np.where(ends[-1] > 0, way, -1)

    def _weights(self, way: Way, moment: Moment) -> np.ndarray:
        """Return how likely a way is for each parent; 0 where it is closed, or a formula has no value."""
        if isinstance(way.weight, str):
            found = np.maximum(np.nan_to_num(self.parents.numbers(way.weight, moment)), 0)
        else:
            found = np.full(len(moment.who), way.weight)
        return found if way.when is None else np.where(self.parents.holds(way.when, moment), found, 0.0)

    def _raced(self, moment: Moment, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the states whose delay is over first, and these delays."""
        delays = np.stack([self._days(way, moment, rng) for way in self.ways])
        for i, way in enumerate(self.ways):
            if way.when is not None:
                delays[i, ~self.parents.holds(way.when, moment)] = np.nan
        delays = np.where(np.isnan(delays), np.inf, delays)
        first = np.argmin(delays, axis=0)
        days = delays[first, np.arange(len(first))]
        return np.where(np.isfinite(days), self.targets[first], -1), days

    def _days(self, way: Way, moment: Moment, rng: np.random.Generator) -> np.ndarray:
        delay = self.state.delay(way)
        if delay is None:
            return np.zeros(len(moment.who))
        return delay.days(lambda said: self.parents.numbers(str(said), moment), len(moment.who), rng)


class Walk:
    """One machine, from its beginning to the end of time, for all parents.

    Args:
        name: of the machine, for messages.
        machine: what it is.
        parents: whose formulas it follows.
        most: how many states a parent may enter; None: so many as nobody should.
    """

    def __init__(self, name: str, machine: Machine, parents: Parents, most: int | None) -> None:
        self.name, self.most = name, most
        codes = {state: i for i, state in enumerate(machine.states)}
        every = [*machine.states.values(), machine.start]
        self.leaving = [Leaving(state, codes, parents) if state.then else None for state in every]
        self.loud = np.array([not state.silent for state in every])
        self.going = np.array([bool(state.then) for state in every])
        self._narrow = np.int16 if len(every) < 2**15 else np.int32  # short integers are sorted by radix

    def run(self, begin: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> Entered:
        """Return the states that were entered.

        Args:
            begin: when the machine begins for each parent, NEVER where it does not.
            end: the last moment of each parent.
            rng: the randomness.

        Raises:
            SampleError: some go on for longer than anybody should.
        """
        who = np.flatnonzero((begin != NEVER) & (begin <= end)).astype(np.int32)
        at = begin[who]
        state = np.full(len(who), len(self.going) - 1, dtype=self._narrow)
        visits = {i: np.zeros(len(begin), dtype=np.int32) for i, one in enumerate(self.leaving) if one and one.counts}
        found: list[Entered] = []
        for entered in range((self.most or UNLESS_SAID) + 1):
            if not len(who):
                break
            target, days = self._left(Moment(who, at, begin[who], entered), state, visits, rng)
            goes = (target >= 0) & (days < _LONGEST)
            later = at + np.rint(np.where(goes, days, 0) * DAY).astype(np.int64)
            goes &= later <= end[who]
            who, at, state = who[goes], later[goes], target[goes]
            if entered == (self.most or UNLESS_SAID):
                self._refuse_endless(len(who), len(begin))
                break
            loud = self.loud[state]
            found.append(Entered(who, at, state) if loud.all() else Entered(who[loud], at[loud], state[loud]))
            going = self.going[state]
            if not going.all():
                who, at, state = who[going], at[going], state[going]
        return _joined(found)

    def _left(
        self, moment: Moment, state: np.ndarray, visits: dict[int, np.ndarray], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the next states, and the days until they are entered, of parents in several states."""
        target, days = np.empty(len(state), dtype=self._narrow), np.empty(len(state))
        for code, rows in _groups(state):
            group = moment if rows is None else moment.some(rows)
            if code in visits:
                visits[code][group.who] += 1
                group = Moment(group.who, group.at, group.begun, group.entered, visits[code][group.who])
            leaving = self.leaving[code]
            assert leaving is not None  # noqa: S101  nobody stays on the way in a state without `then`
            to, took = leaving.leave(group, rng)
            target[slice(None) if rows is None else rows] = to
            days[slice(None) if rows is None else rows] = took
        return target, days

    def _refuse_endless(self, rows: int, parents: int) -> None:
        if rows and self.most is None:
            raise SampleError("states", f"machine {self.name!r}", wanted=f"an end after at most {UNLESS_SAID:,} states",
                              got=f"{rows:,} of {parents:,} that go on", remedy="say an `until`, a way to a state "
                              "without `then`, or how many states may be entered: `most: 10000`")  # fmt: skip


def _groups(state: np.ndarray) -> Iterator[tuple[int, np.ndarray | None]]:
    """Yield each state that is there, and the positions of those in it; None for all."""
    counts = np.bincount(state)
    there = np.flatnonzero(counts)
    if len(there) == 1:
        yield int(there[0]), None
        return
    order, ends = np.argsort(state, kind="stable"), np.cumsum(counts)
    for code in there:
        yield int(code), order[ends[code] - counts[code] : ends[code]]


def _joined(found: list[Entered]) -> Entered:
    if not found:
        return Entered(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int16))
    return Entered(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
