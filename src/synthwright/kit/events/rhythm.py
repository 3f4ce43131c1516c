"""A rhythm: when much happens and when little, by the hour, the week, the year, holidays, campaigns and growth.

A rhythm is parameters. `intensity` makes from it how much happens in each cell of a span (see `rhythm_intensity`).
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic import Field as Setting

from synthwright.core.errors import SampleError
from synthwright.core.schema import Frozen
from synthwright.kit.events.rhythm_clock import known_zone, pieces, when
from synthwright.kit.events.rhythm_days import Factor, Holidays, spelled
from synthwright.kit.events.rhythm_intensity import Intensity
from synthwright.kit.events.rhythm_words import (
    A_DAY,
    DAY,
    HOURS,
    MINUTE,
    MONTHS,
    WEEKDAYS,
    Cycle,
    Moment,
    is_moment,
    minutes_open,
    moment,
    opened,
    weighed,
    weights,
    year_of,
)

YEAR = 365.2425
"""Days of a mean year."""
MOST_CELLS = 5_000_000
"""Cells of an intensity: more than 500 years by the hour."""
_MONTH_DAYS = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_STEEPEST = 300.0
"""Growth over a span, as a natural logarithm, up to which floats hold it."""
_THURSDAY = 3
"""The first of January 1970, counted from Monday."""

_Weight = Annotated[float, Setting(ge=0, allow_inf_nan=False)]


def _cycle(cycle: Cycle) -> Any:
    """Return the type of weights for each of a cycle: a mapping of names and ranges, or a list."""
    return Annotated[
        tuple[_Weight, ...],
        BeforeValidator(lambda said: weights(said, cycle), json_schema_input_type=dict[str, float] | list[float]),
        AfterValidator(lambda said: weighed(said, cycle)),
    ]


def _moment(said: str) -> str:
    if not is_moment(said):
        raise ValueError(f"wanted a date or an instant such as 2024-12-31 or 2024-12-31 18:00, got {said!r}")
    moment(said)
    return said


def _hours(said: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if not any(begin < end for day in minutes_open(said) for begin, end in day):
        raise ValueError("it is never open: name a day, such as mon-fri: 09:00-18:00")
    return said


Day = Annotated[str, AfterValidator(_moment)]
"""A date or an instant in ISO form."""


class Campaign(Frozen):
    """A time in which more happens, or less."""

    begin: Day = Setting(alias="from")
    """The first day, or the instant, at which it begins."""
    end: Day = Setting(alias="to")
    """The last day, or the instant at which it ends."""
    factor: Factor
    """How many times as much there is."""

    @model_validator(mode="after")
    def _in_order(self) -> Campaign:
        if ends(self.begin, self.end, None)[1] <= ends(self.begin, self.end, None)[0]:
            raise ValueError(f"wanted an end after the beginning, got {self.begin} to {self.end}")
        return self


class Rhythm(Frozen):
    """When much happens and when little. What is not said does not count: each hour is like the next."""

    hours: _cycle(HOURS) | None = Setting(default=None, examples=[{"8-18": 5}])  # type: ignore[valid-type]
    """Weights for the hours of the day: `{8-18: 5, 18-23: 2}`, others 1 unless `else` says so; or 24 numbers."""
    weekdays: _cycle(WEEKDAYS) | None = Setting(default=None, examples=[{"sun": 0}])  # type: ignore[valid-type]
    """Weights for the days of the week: `{mon-fri: 1, sat: 0.5, sun: 0}`, or 7 numbers from Monday on."""
    months: _cycle(MONTHS) | None = Setting(default=None, examples=[{"dec": 2}])  # type: ignore[valid-type]
    """Weights for the months: `{nov-dec: 2, else: 1}`, or 12 numbers."""
    opening: Annotated[
        dict[str, tuple[str, ...]],
        BeforeValidator(opened, json_schema_input_type=dict[str, str | list[str]]),
        AfterValidator(_hours),
    ] | None = Setting(default=None, examples=[{"mon-fri": "09:00-18:00"}])  # fmt: skip
    """When it is open, `{mon-fri: "09:00-12:30, 14:00-18:00", sat: "10:00-14:00"}`; nothing happens otherwise."""
    holidays: Annotated[
        Holidays, BeforeValidator(spelled, json_schema_input_type=Holidays | str)
    ] | None = Setting(default=None, examples=["DE"])  # fmt: skip
    """Public holidays: a country (`DE`), with a region (`DE-BY`), or `{country: DE, region: BY, factor: 0}`."""
    campaigns: tuple[Campaign, ...] = Setting(
        default=(), examples=[[{"from": "2024-11-25", "to": "2024-12-02", "factor": 3}]]
    )
    """Times with a factor of their own: `[{from: 2024-11-25, to: 2024-12-02, factor: 3}]`; days count to their end."""
    growth: float = Setting(default=0.0, gt=-1, le=1000, allow_inf_nan=False)
    """How much more there is each year, steadily: 0.3 is 30 % more, -0.1 is 10 % less."""
    since: Day | None = None
    """When growth begins to count: what `per_day` says holds then. Nothing: at the beginning of the span."""
    zone: str | None = Setting(default=None, examples=["Europe/Berlin"])
    """Whose clocks count: Europe/Berlin. Nothing: those of the column's time zone; in a column without one, what it
    shows. Said for a column without a time zone, the column holds UTC."""

    @model_validator(mode="after")
    def _possible(self) -> Rhythm:
        if self.zone is not None:
            known_zone(self.zone)
        if self.since is not None and not self.growth:
            raise ValueError("'since' says when growth begins to count: say 'growth' too")
        if not self._week()[2] > 0:
            raise ValueError("nothing can ever happen: no hour has a weight on a day that has one while it is open")
        return self

    @property
    def plain(self) -> bool:
        """Whether nothing was said: every instant is like the next."""
        return not (self.hours or self.weekdays or self.months or self.opening or self.holidays or self.campaigns
                    or self.growth)  # fmt: skip

    @property
    def edges(self) -> tuple[int, ...]:
        """The minutes of the day at which it opens or closes."""
        every = [m for day in minutes_open(self.opening or {}) for span in day for m in span]
        return tuple(sorted({0, *every} - {A_DAY}))

    def _week(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return where the hours of a day are cut, in minutes; the weights between; and their mean over a week."""
        hours = np.ones(24) if self.hours is None else np.array(self.hours)
        changes = np.flatnonzero(np.diff(hours, prepend=hours[0])) * 60
        cuts = np.unique([*self.edges, *changes.tolist()])
        table = np.tile(hours[cuts // 60], (7, 1))
        if self.weekdays is not None:
            table *= np.array(self.weekdays)[:, None]
        if self.opening is not None:
            inside = np.zeros(table.shape, dtype=bool)
            for day, spans in enumerate(minutes_open(self.opening)):
                for begin, end in spans:
                    inside[day] |= (cuts >= begin) & (cuts < end)
            table = np.where(inside, table, 0.0)
        mean = float((table * np.diff(cuts, append=A_DAY)).sum() / (7 * A_DAY))
        return cuts, table, mean

    def cells(self, low: int, high: int) -> int:
        """Return about how many cells a span has."""
        return 1 if self.plain else int((high - low) // DAY + 2) * len(self._week()[0])

    def intensity(self, low: int, high: int, zone: str | None, since: int | None = None) -> Intensity:
        """Return how much happens from an instant to a later one.

        Args:
            low: the first instant, in microseconds since 1970; of a place with a time zone in UTC, otherwise as the
                clock shows it.
            high: the end.
            zone: the place whose clocks count.
            since: the instant from which growth counts; None: the one of the rhythm, or else the first one.

        Raises:
            SampleError: the span is too long to be cut into hours, or for its growth.
        """
        if self.cells(low, high) > MOST_CELLS:
            raise SampleError("rhythm", "the span", wanted="one of some hundred years at most",
                              got=f"the years {year_of(low)} to {year_of(high)}")  # fmt: skip
        if self.plain:
            return Intensity(np.array([low, high]), np.array([(high - low) / DAY]))
        first = _instant(moment(self.since), zone) if self.since is not None else low if since is None else since
        begins, rates = [], []
        if abs(np.log1p(self.growth)) * max(abs(low - first), abs(high - first)) / (YEAR * DAY) > _STEEPEST:
            raise SampleError("rhythm", "growth", wanted="numbers that can be reckoned with",
                              got=f"{self.growth:+.0%} a year up to {year_of(high)}", remedy="grow less")  # fmt: skip
        for begin, end, ahead in pieces(low, high, zone):
            clock, rate = self._cut(begin + ahead, end + ahead, ahead, zone)
            years = (clock - ahead - first) / (YEAR * DAY)
            begins.append(clock - ahead)
            rates.append(rate * np.exp(np.log1p(self.growth) * years) if self.growth else rate)
        edges = np.append(np.concatenate(begins), high)
        return Intensity(edges, np.concatenate(rates) * np.diff(edges) / DAY)

    def _cut(self, low: int, high: int, ahead: int, zone: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Return where cells begin between two times that a clock shows, and how much happens in each, per mean day."""
        cuts, table, mean = self._week()
        days = np.arange(low // DAY, -(-high // DAY))
        marks = (days[:, None] * DAY + cuts * MINUTE).ravel()
        spans = [ends(c.begin, c.end, zone) for c in self.campaigns]
        turns = np.array([e + ahead for span in spans for e in span], dtype=np.int64)
        marks = np.unique(np.concatenate([marks, turns])) if len(turns) else marks
        clock = np.append(low, marks[(marks > low) & (marks < high)])
        day, inside = np.divmod(clock, DAY)
        cell = np.searchsorted(cuts * MINUTE, inside, side="right") - 1
        rate = table[(day + _THURSDAY) % 7, cell] / mean * self._of_day(days)[day - days[0]]
        for campaign, (begin, end) in zip(self.campaigns, spans, strict=True):
            rate = np.where((clock - ahead >= begin) & (clock - ahead < end), rate * campaign.factor, rate)
        return clock, rate

    def _of_day(self, days: np.ndarray) -> np.ndarray:
        """Return how many times as much there is on days as on others of their week: of the season, of holidays."""
        factors = np.ones(len(days))
        if self.months is not None:
            season = np.array(self.months)
            season = season / (season @ _MONTH_DAYS / _MONTH_DAYS.sum())
            factors = season[days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12]
        if self.holidays is not None:
            free = self.holidays.days(year_of(days[0] * DAY), year_of(days[-1] * DAY))
            factors = np.where(np.isin(days, free), factors * self.holidays.factor, factors)
        return factors

    def daily(self) -> Intensity:
        """Return how much happens from midnight to midnight on the mean day of a week, counted from 1970."""
        cuts, table, mean = self._week()
        edges = np.append(cuts, A_DAY) * MINUTE
        return Intensity(edges, table.mean(axis=0) / mean * np.diff(edges) / DAY)


def ends(begin: str, end: str, zone: str | None) -> tuple[int, int]:
    """Return the instants at which a span begins and ends: with its last day, where that is a day."""
    last = moment(end)
    after = last._replace(at=last.at + DAY) if last.day else last
    return _instant(moment(begin), zone), _instant(after, zone)


def _instant(said: Moment, zone: str | None) -> int:
    return said.at if said.absolute else int(when(np.array([said.at]), zone)[0])
