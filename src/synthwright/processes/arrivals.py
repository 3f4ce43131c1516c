"""Events over time for each row of another table: payments of a card, visits of a patient, readings of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator, model_validator

from synthwright.core.contracts import Place
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Rows
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.events.points import ascending, in_order, offspring, owners, ranks, renewals
from synthwright.kit.events.rhythm import ends
from synthwright.kit.events.rhythm_timed import Length, Timed, Window
from synthwright.kit.events.rhythm_words import DAY, is_moment, length
from synthwright.kit.events.unfolding import Unfolding
from synthwright.kit.formula.amounts import Amount, amount, named, steady
from synthwright.kit.formula.stated import wrong_amount
from synthwright.kit.ruled import Ask, Column

MOST_ROWS = 2**29
"""Events that are drawn at once, at most."""
_INSTANT = Field(kind=Kind.DATETIME)
_NEEDS = {"excites": "hawkes", "decay": "hawkes", "regularity": "renewal"}


class Events(NamedTuple):
    """Events of all parents: whose each is, and when; in the order of parents, and then of time."""

    whose: np.ndarray
    at: np.ndarray


class Arrivals(Timed, Unfolding):
    """Makes the events of each row of the other table: as many a day as a formula says, with a rhythm, in a span.

    ::

        start:
          children:
            payment:
              of: payment.card
              use: arrivals
              with:
                at: at
                per_day: rate                       # a column of the card: heavy-tailed, if you like
                between: [opened_at, closed_at]
                rhythm: {hours: {8-18: 5, 18-23: 2}, holidays: {country: DE, factor: 0.5}}
                kind: hawkes

    Events stand in the order of time. Their number is random: its mean is the rate times the length of the span, each
    hour of it weighted by the rhythm, whose mean over an ordinary week and year is 1. A parent whose rate has no value,
    or in whose span nothing can happen, gets none.
    """

    name: ClassVar[str] = "arrivals"

    at: str | None = None
    """The column of dates or instants that the process fills. Nothing: only rows come to be."""
    position: str | None = None
    """The column of whole numbers that counts the events of each parent: 1, 2, 3 …"""
    per_day: Amount = 0.1
    """How many come on a mean day: a number, or a formula of the parent's columns. Below 0 counts as 0. Of a Hawkes
    process, how many come by themselves."""
    kind: Literal["poisson", "hawkes", "renewal"] = "poisson"
    """How events keep to each other. poisson: not at all. hawkes: each may set off others soon after, and these too, so
    that they come in bursts. renewal: gaps are more even than by chance (`regularity` above 1), or less (below)."""
    excites: float = Setting(default=0.5, ge=0, lt=1)
    """How many others an event of a Hawkes process sets off itself, on average; in all there are 1 / (1 - excites)
    times as many as come by themselves, less those after the span or while it is closed: these never come."""
    decay: Length = Setting(default="1h", examples=["15min"])
    """How long after an event those that it sets off come, on average: exponential, by the clock."""
    regularity: float = Setting(default=4.0, ge=0.05, le=10_000)
    """The shape of the gamma distribution of the gaps of a renewal process, 1 / regularity the variance of a gap with
    mean 1: 1 is a Poisson process, 100 nearly a metronome, 0.2 comes in clumps. Gaps are as long as the rhythm makes
    them: short when much happens."""
    least: int = Setting(default=0, ge=0, le=10**6)
    """How many events each parent has at least: more come where the rhythm has them."""
    most: int | None = Setting(default=None, ge=1, le=10**9, examples=[3])
    """How many events each parent has at most: the first ones."""

    @field_validator("per_day")
    @classmethod
    def _a_rate(cls, said: float | str) -> float | str:
        if not isinstance(said, str) and not 0 <= said <= 10**9:
            raise ValueError("wanted a number of events a day, 0 or more")
        return said

    @model_validator(mode="after")
    def _bounded(self) -> Arrivals:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"wanted 'most' from 'least' on, got {self.most} below {self.least}")
        if self.at is not None and self.at == self.position:
            raise ValueError(f"{self.at!r} cannot be both 'at' and 'position'")
        return self

    def makes(self) -> tuple[str, ...]:
        return tuple(c for c in (self.at, self.position) if c is not None)

    def paths(self) -> Sequence[str]:
        return (*self.spanned(), *named([self.per_day]))

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        fields = schema.tables[table].fields
        found: list[tuple[Place, str]] = [(("per_day",), s) for s in wrong_amount(self.per_day, schema, parent, ())]
        for word, column, kinds in (("at", self.at, (Kind.DATE, Kind.DATETIME)),
                                    ("position", self.position, (Kind.INTEGER,))):  # fmt: skip
            if column in fields and fields[column].kind not in kinds:
                wanted = " or ".join(repr(k.value) for k in kinds)
                found.append(((word,), f"column {column!r} is of kind {fields[column].kind.value!r}, wanted {wanted}"))
        found += [((word,), f"it says nothing of kind {self.kind!r}: it is for {kind!r}")
                  for word, kind in _NEEDS.items()
                  if kind != self.kind and getattr(self, word) != type(self).model_fields[word].default]  # fmt: skip
        if self.rhythm.growth and self.rhythm.since is None and not is_moment(self.span[0]):
            found.append((("rhythm", "growth"), "say 'since' when it counts from: spans begin at different times"))
        field = fields.get(self.at or "", _INSTANT)
        if field.kind in (Kind.DATE, Kind.DATETIME):
            found += self.misfits(field, schema, parent, ())
        return found

    def arising(self, parents: Rows) -> Rows:
        most = None if parents.most is None or self.most is None else parents.most * self.most
        rate, about = steady(self.per_day), None
        if rate is not None and parents.about is not None and all(map(is_moment, self.span)):
            low, high = ends(*self.span, None)
            about = parents.about * rate * (high - low) / DAY / (1 - self.excites if self.kind == "hawkes" else 1)
            about = min(max(about, parents.about * self.least), parents.about * (self.most or np.inf))
        return Rows(parents.least * self.least if about else 0, most, about)

    def arise(self, ask: Ask, fields: Mapping[str, Field]) -> tuple[np.ndarray, Mapping[str, Column]]:
        field = _INSTANT if self.at is None else fields[self.at]
        whose, at = self._events(ask, self.window(ask, field))
        columns: dict[str, Column] = {} if self.at is None else {self.at: self.told(at, field)}
        if self.position is not None:
            columns[self.position] = ranks(np.bincount(whose, minlength=ask.rows)) + 1
        return whose, columns

    def _events(self, ask: Ask, window: Window) -> Events:
        """Return all events of the parents that are asked for."""
        said = np.broadcast_to(amount(ask, self.per_day), ask.rows)
        mass = np.broadcast_to(window.mass, ask.rows)
        alive = np.isfinite(said) & (mass > 0)
        expected = np.where(alive, np.maximum(np.nan_to_num(said), 0) * mass, 0.0)
        there = expected.sum() / (1 - self.excites if self.kind == "hawkes" else 1)
        if max(there, self.least * len(mass)) > MOST_ROWS:
            raise SampleError(self.name, "per_day", wanted=f"at most {MOST_ROWS:,} rows for {ask.rows:,} parents",
                              got=f"about {there:,.0f}", remedy="name a lower rate, or a shorter span")  # fmt: skip
        found = self._drawn(ask.rng, expected, window)
        counts = np.bincount(found.whose, minlength=ask.rows)
        lacking = np.where(alive, np.maximum(self.least - counts, 0), 0)
        if lacking.any():
            more = _even(ask.ctx.at("least").rng, lacking, window)
            found = Events(*in_order(*(np.concatenate(both) for both in zip(found, more, strict=True))))
            counts = counts + lacking
        if self.most is not None and (counts > self.most).any():
            first = ranks(counts) < self.most
            found = Events(found.whose[first], found.at[first])
        return found

    def _drawn(self, rng: np.random.Generator, expected: np.ndarray, window: Window) -> Events:
        """Return events, from how many are expected of each parent."""
        if self.kind == "renewal":
            whose, places = renewals(rng, expected, self.regularity)
            return Events(whose, window.at(places / expected.take(whose), whose))
        found = _even(rng, rng.poisson(expected), window)
        if self.kind == "poisson":
            return found
        high = np.broadcast_to(window.high, len(expected))

        def stays(whose: np.ndarray, at: np.ndarray) -> np.ndarray:
            return (at < high.take(whose)) & window.intensity.open(at)

        return Events(*offspring(rng, *found, branching=self.excites, delay=length(self.decay), stays=stays))


def _even(rng: np.random.Generator, counts: np.ndarray, window: Window) -> Events:
    """Return so many events of each parent, as the rhythm has them, each by itself."""
    whose = owners(counts)
    return Events(whose, window.at(ascending(rng, counts), whose))
