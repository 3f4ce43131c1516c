"""What recipes that make instants share: a span, a rhythm, and the step that instants are rounded down to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, field_validator
from pydantic import Field as Setting

from synthwright.core.contracts import Place, Recipe
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema, canonical
from synthwright.kit.events.rhythm import MOST_CELLS, Rhythm, ends
from synthwright.kit.events.rhythm_clock import even, when
from synthwright.kit.events.rhythm_intensity import Intensity
from synthwright.kit.events.rhythm_words import DAY, MINUTE, is_moment, length, moment, time_of_day, year_of
from synthwright.kit.formula.formula_compiled import NAMED
from synthwright.kit.formula.formulas import faults, numbers, read, type_of
from synthwright.kit.formula.stated import lost
from synthwright.kit.ruled import Ask

HOUR = 60 * MINUTE
USUAL = ("2024-01-01", "2024-12-31")
"""The span where none is said."""
NANOSECONDS = "the years 1678 to 2261"
_LAST = 2**63 // 1000 - DAY
"""Microseconds that still count in nanoseconds."""


def _bound(said: str) -> str:
    if is_moment(said):
        moment(said)
    elif time_of_day(said) is None:
        read(said)
    return said


def _length(said: str) -> str:
    length(said)
    return said


Bound = Annotated[str, AfterValidator(_bound)]
"""An end of a span: a date, an instant, a time of day, or a formula that gives one, such as `card.opened_at`."""
Length = Annotated[str, AfterValidator(_length)]
"""A length of time: `1s`, `15min`, `2h`, `1d`, or `PT15M`."""


@dataclass(frozen=True, eq=False)
class Window:
    """The spans of rows and how much there is in them. Arrays are of one number for all rows, or of one for each."""

    intensity: Intensity
    begin: np.ndarray
    """How much there is before each span."""
    end: np.ndarray
    """How much there is up to its end."""
    high: np.ndarray
    """The instant before which it ends."""

    @property
    def mass(self) -> np.ndarray:
        """How much there is in each span, in mean days; 0: nothing can happen, or it has no ends."""
        return np.maximum(self.end - self.begin, 0.0)

    def at(self, shares: np.ndarray, whose: np.ndarray | None = None) -> np.ndarray:
        """Return the instants at shares of what there is: of each row's span, or of the spans of these rows."""
        begin, end = self.begin, self.end
        if len(begin) > 1 and whose is not None:
            begin, end = begin.take(whose), end.take(whose)
        return self.intensity.between(begin, end, shares)


class Timed(Recipe):
    """A recipe that makes instants in a span, as often as a rhythm says."""

    between: tuple[Bound, Bound] | None = Setting(default=None, examples=[["2020-01-01", "2020-06-30"]])
    """The span, from when to when: dates or instants (`2024-01-01`, `2024-12-31 18:00`), or formulas of the row's other
    columns (`card.opened_at`, `opened_at + days(30)`). Both ends count, and a day counts to its end. Nothing said: the
    year 2024."""
    rhythm: Rhythm = Setting(default=Rhythm(), examples=[{"hours": {"8-18": 5}}])
    """When much happens and when little: `hours`, `weekdays`, `months`, `opening`, `holidays`, `campaigns`, `growth`,
    `since`, `zone`; `docs/time.md` shows how each is written."""
    every: Length | None = Setting(default=None, examples=["15min"])
    """The step that instants are rounded down to, a part of a day: `1s`, `1min`, `15min`, `1d`. Nothing: as fine as the
    column is."""

    @field_validator("between")
    @classmethod
    def _in_order(cls, said: tuple[str, str] | None) -> tuple[str, str] | None:
        if said is None:
            return said
        if all(map(is_moment, said)):
            low, high = ends(*said, None)
            wrong = high < low and moment(said[0]).absolute == moment(said[1]).absolute
        else:
            first, last = map(time_of_day, said)
            wrong = first is not None and last is not None and last < first
        if wrong:
            raise ValueError(f"it ends before it begins: {said[0]} to {said[1]}")
        return said

    @field_validator("every")
    @classmethod
    def _divides_a_day(cls, said: str | None) -> str | None:
        if said is not None and DAY % length(said):
            raise ValueError(f"wanted a step that a day is a multiple of, such as 1s, 15min or 1d, got {said}")
        return said

    @property
    def span(self) -> tuple[str, str]:
        """The ends of the span as they were said, or the usual ones."""
        return self.between or USUAL

    def spanned(self) -> tuple[str, ...]:
        """Return the columns and paths that the ends of the span name."""
        said = [e for e in self.between or () if not is_moment(e) and time_of_day(e) is None]
        return tuple(dict.fromkeys(p for one in said for p in read(one).paths))

    def window(self, ask: Ask, field: Field) -> Window:
        """Return the span of each row for a column, and how much there is in it.

        Raises:
            SampleError: the spans are too long for the rhythm, or for the column.
        """
        zone, grain = zone_of(field, self.rhythm), self._grain(field)
        if field.kind is Kind.TIME:
            first, last = (time_of_day(e) or 0 for e in self.between or ("00:00", "24:00"))
            low, high, there = np.array([first]), np.array([min(last + 1, DAY)]), np.ones(1, dtype=bool)
        else:
            (low, one), (high, two) = (_instants(self.span[i], ask, field, zone, last=i == 1) for i in (0, 1))
            there = one & two
        low, high = even(low, grain, zone, up=True), even(high, grain, zone, up=True)
        there = there & (high > low)
        low, high = np.where(there, low, 0), np.where(there, high, 0)
        if not there.any():
            return Window(Intensity(np.array([0, 1]), np.ones(1)), np.zeros(1), np.zeros(1), high)
        wide = np.broadcast_to(there, max(len(low), len(high), len(there)))
        first, last = (int(np.broadcast_to(v, len(wide))[wide].min()) for v in (low, -high))
        last = -last
        if not _countable(first, last, field):
            raise SampleError(type(self).name, "between", wanted=f"{NANOSECONDS}, which nanoseconds can count",
                              got=f"the years {year_of(first)} to {year_of(last)}")  # fmt: skip
        found = self._intensity(field, first, last, zone)
        begin, end = found.before(low), found.before(high)
        return Window(found, np.where(there, begin, 0.0), np.where(there, end, 0.0), high)

    def _intensity(self, field: Field, low: int, high: int, zone: str | None) -> Intensity:
        if field.kind is Kind.TIME:
            return self.rhythm.daily()
        begin = self.span[0]
        said = ends(begin, begin, zone)[0] if is_moment(begin) else None
        return self.rhythm.intensity(low, high, zone, said)

    def _grain(self, field: Field) -> int:
        """Return the step of a column's values, in microseconds."""
        if field.kind is Kind.DATE:
            return DAY * int(field.step or 1)
        unit = 1000 if canonical(field).unit == "ns" else 1
        return length(self.every) if self.every is not None else max(int((field.step or 1) / unit), 1)

    def told(self, at: np.ndarray, field: Field, missing: np.ndarray | None = None) -> pa.Array:
        """Return instants as a column of a field, rounded down."""
        kind, zone, grain = canonical(field), zone_of(field, self.rhythm), self._grain(field)
        at = at if grain == DAY and field.kind is Kind.DATE else even(at, grain, zone)
        if field.kind is Kind.DATE:
            return pa.array((at // DAY).astype(np.int32), mask=missing).view(kind)
        return pa.array(at * 1000 if kind.unit == "ns" else at, mask=missing).view(kind)

    # ------------------------------------------------------------------------------------------ before anything runs
    def misfits(self, field: Field, schema: Schema, table: str, produce: Sequence[str]) -> Iterator[tuple[Place, str]]:
        """Yield what it cannot mean for a column: where among its parameters, and a sentence.

        Args:
            field: the column that it makes.
            schema: of all tables.
            table: whose rows the formulas of the span are about.
            produce: the columns of this table that it makes: formulas cannot look at them.
        """
        clean = True
        for place, said in [*_wrong_ends(self.between or (), field, schema, table, produce),
                            *self._without_meaning(field), *self._wrong_step(field)]:  # fmt: skip
            clean = False
            yield place, said
        if clean and field.kind is not Kind.TIME and all(map(is_moment, self.span)):
            yield from self._impossible(field)

    def _without_meaning(self, field: Field) -> Iterator[tuple[Place, str]]:
        said = {"zone", *(() if self.rhythm.opening else ("hours",))} if field.kind is Kind.DATE else set()
        if field.kind is Kind.TIME:
            said = {"weekdays", "months", "holidays", "campaigns", "growth", "zone"}
        for word in sorted(said):
            if getattr(self.rhythm, word):
                yield ("rhythm", word), f"a column of kind {field.kind.value!r} shows nothing of it: leave it out"

    def _wrong_step(self, field: Field) -> Iterator[tuple[Place, str]]:
        if self.every is None:
            return
        step = length(self.every)
        own = (field.step or 0) * (DAY if field.kind is Kind.DATE else 1)
        own = own / 1000 if getattr(canonical(field), "unit", "us") == "ns" else own
        if field.kind is Kind.DATE and step != DAY:
            yield ("every",), f"a column of days has no step of {self.every}: leave it out"
        elif own and step % own:
            yield ("every",), f"the column's own step is {own:g} microseconds, of which {self.every} is no multiple"
        elif self.rhythm.hours is not None and step > HOUR:
            yield ("every",), f"steps of {self.every} show nothing of the hours of the day"
        elif field.kind is not Kind.DATE:
            for edge in self.rhythm.edges:
                if edge * MINUTE % step:
                    shown = f"{edge // 60:02}:{edge % 60:02}"
                    yield ("every",), f"it opens or closes at {shown}, which is no multiple of {self.every}"
                    return

    def _impossible(self, field: Field) -> Iterator[tuple[Place, str]]:
        """Yield what a span that is the same for all rows shows: nothing can happen in it, holidays are not known."""
        zone = zone_of(field, self.rhythm)
        low, high = ends(*self.span, zone)
        if not _countable(low, high, field):
            yield ("between",), f"nanoseconds count {NANOSECONDS}: the span is longer"
            return
        if self.rhythm.cells(low, high) > MOST_CELLS:
            yield ("between",), f"the span is too long for a rhythm: it has more than {MOST_CELLS:,} cells of time"
            return
        if self.rhythm.holidays is not None:
            first, last = self.rhythm.holidays.years()
            if year_of(low) < first or year_of(high - 1) > last:
                country = self.rhythm.holidays.country
                yield ("rhythm", "holidays"), f"the holidays of {country} are known for the years {first} to {last}"
        if high > low and not self._intensity(field, low, high, zone).total > 0:
            yield ("rhythm",), f"nothing can happen from {self.span[0]} to {self.span[1]}"


def zone_of(field: Field, rhythm: Rhythm) -> str | None:
    """Return the place whose clocks count for a column; None: what the column shows."""
    if field.kind is not Kind.DATETIME:
        return None
    return rhythm.zone or canonical(field).tz


def _countable(low: int, high: int, field: Field) -> bool:
    """Return whether a column can count the instants of a span in its unit."""
    return getattr(canonical(field), "unit", "us") != "ns" or max(abs(low), abs(high)) <= _LAST


def _wrong_ends(
    said: Sequence[str], field: Field, schema: Schema, table: str, produce: Sequence[str]
) -> Iterator[tuple[Place, str]]:
    """Yield why ends of a span are none for a column."""
    for i, end in enumerate(said):
        place: Place = ("between", i)
        if field.kind is Kind.TIME:
            if time_of_day(end) is None:
                yield place, f"{end!r} is no time of day: wanted such as 09:30"
            continue
        if is_moment(end):
            continue
        if time_of_day(end) is not None:
            yield place, f"{end!r} is a time of day: wanted a date or an instant, and the hours under 'rhythm'"
            continue
        formula = read(end)
        found = faults(formula, schema, table) or [f for p in formula.paths for f in lost(p, schema, table, produce)]
        gives = None if found else type_of(formula, schema, table)
        if gives not in ("date", "datetime", None):
            found = [f"formula {end!r} gives {NAMED[gives]}, wanted a date or an instant"]
        yield from ((place, one) for one in found)


def _instants(said: str, ask: Ask, field: Field, zone: str | None, *, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return an end of a span, for all rows or for each, and whether there is one; the last is moved behind itself."""
    days = field.kind is Kind.DATE
    if is_moment(said):
        found = moment(said)
        if days or found.day:
            clock = np.array([found.at // DAY * DAY + (DAY if last else 0)])
            return when(clock, zone), np.ones(1, dtype=bool)
        at = np.array([found.at]) if found.absolute else when(np.array([found.at]), zone)
        return at + int(last), np.ones(1, dtype=bool)
    kind = type_of(read(said), ask.given.schema, ask.table)
    given = numbers(read(f"date({said})") if days and kind == "datetime" else read(said), ask)
    there = np.isfinite(given)
    whole = np.where(there, given, 0.0)
    if days or kind == "date":
        return when((np.rint(whole).astype(np.int64) + int(last)) * DAY, zone), there
    return np.rint(whole * DAY).astype(np.int64) + int(last), there
