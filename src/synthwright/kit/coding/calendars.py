"""Calendars: which days, and which hours of them, the values of a column stand on, and counting only those.

Business days, the first or the last of each month, opening hours, the midnights of a place whose clocks change: such
columns are measured by counting the days and times that there may be, so that no others are ever made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb, gcd, log2
from typing import Any

import numpy as np

from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.events.rhythm_clock import Unit, shown, when

EVIDENCE = 20.0
"""Bits: a calendar is believed where days off it would have been met by chance but once in a million columns."""
STRAY = 0.1
"""Days of the week with less than this part of their due are exceptions: the calendar goes without them."""
EXCEPTIONS = 0.02
"""The share of values that may be exceptions."""
SEVERAL = 7
"""Days without which no hours are believed: a column of one afternoon says nothing about others."""
CLOSED = 1_800
"""Seconds: a shorter time without values is no closing time."""
PAUSES = 6
"""Closing times of a day, at most."""
NEAR = 8.0
"""Hours open and close on a round time that is not farther away than so many usual distances between values."""
_ROUND = (3_600, 1_800, 900, 600, 300)
_WEEK, _MONTH = 7, 31
_MONDAY = 3
"""The first of January 1970 was a Thursday: so many days after a Monday."""


@dataclass(frozen=True)
class Calendar:
    """The days and times of a column. Integers are days, or units of time since 1970."""

    unit: int
    """How many integers make a day; 1: they are days."""
    zone: str | None
    """The place whose clocks count; nothing: the integers are what clocks show."""
    monthly: bool
    days: tuple[int, ...]
    """Days of the week (0: Monday) or of the month (0: the last), in their order; none: every day."""
    grain: int = 1
    """Integers from one time of day to the next possible one."""
    past: int = 0
    """The first possible time of day."""
    opens: tuple[int, ...] = (0,)
    """Where possible times begin, in grains; ascending."""
    closes: tuple[int, ...] = (1,)
    """Where they end; this time itself is no more possible."""

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.append(0, np.cumsum(np.array(self.closes) - np.array(self.opens)))

    def count(self, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each instant among those that there may be, and whether it is one of them.

        Of others, how many there may be before it.
        """
        day, time = np.divmod(shown(instants, self.zone, _unit(self.unit)), self.unit)
        number, good = self._day_number(day)
        slot, rest = np.divmod(time - self.past, self.grain)
        at = np.maximum(np.searchsorted(self.opens, slot, side="right") - 1, 0)
        begin, size = np.array(self.opens)[at], np.diff(self._sizes)[at]
        inside = slot - begin
        open_ = (inside >= 0) & (inside < size) & (rest == 0)
        before = self._sizes[at] + np.clip(inside + (rest > 0), 0, size)
        whole = int(self._sizes[-1])
        return number * whole + np.where(good, before, 0), good & open_

    def moment(self, numbers: np.ndarray) -> np.ndarray:
        """Return the instants of these numbers: the way back of `count`."""
        number, inside = np.divmod(numbers, int(self._sizes[-1]))
        at = np.searchsorted(self._sizes, inside, side="right") - 1
        slot = np.array(self.opens)[at] + inside - self._sizes[at]
        clock = self._day(number) * self.unit + self.past + slot * self.grain
        return when(clock, self.zone, _unit(self.unit))

    def next(self, instants: np.ndarray) -> np.ndarray:
        """Return each instant, or the next possible one where it is none."""
        number, good = self.count(instants)
        return np.where(good, instants, self.moment(number))

    def _day_number(self, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.days:
            return day, np.ones(len(day), dtype=bool)
        if not self.monthly:
            week, label = np.divmod(day + _MONDAY, _WEEK)
            rank = np.searchsorted(self.days, label)
            return week * len(self.days) + rank, np.isin(label, self.days)
        month, label, last = _in_month(day)
        fixed = [d for d in self.days if d]
        rank, good = np.searchsorted(fixed, label), np.isin(label, fixed)
        if len(fixed) < len(self.days):
            rank, good = np.where(last, len(fixed), rank), good | last
        return month * len(self.days) + rank, good

    def _day(self, number: np.ndarray) -> np.ndarray:
        if not self.days:
            return number
        whole, rank = np.divmod(number, len(self.days))
        label = np.array(self.days)[rank]
        if not self.monthly:
            return whole * _WEEK + label - _MONDAY
        return np.where(label > 0, _first(whole) + label - 1, _first(whole + 1) - 1)

    @staticmethod
    def of_json(said: dict[str, Any]) -> Calendar:
        """Rebuild a calendar from what `dataclasses.asdict` made of it."""
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in said.items()}
        return Calendar(**plain)


def calendar_of(field: Field, instants: np.ndarray) -> Calendar | None:
    """Return the calendar that these distinct values of a field keep to, ascending; nothing where they keep to none."""
    if field.kind not in (Kind.DATE, Kind.DATETIME) or len(instants) < 2:
        return None
    kind = canonical(field)
    unit = 1 if field.kind is Kind.DATE else 86_400 * (10**9 if kind.unit == "ns" else 10**6)
    zone = getattr(kind, "tz", None)
    zone = None if zone in (None, "UTC") else zone
    days, times = np.divmod(shown(instants, zone, _unit(unit)), unit)
    monthly, kept = _days(np.unique(days))
    common, often = np.unique(times, return_counts=True)
    if often.max() >= (1 - EXCEPTIONS) * len(times):  # one time of day, but for days that lack it
        times = common[[np.argmax(often)]].repeat(len(times))
    grain = gcd(int(np.gcd.reduce(times - times[0])), unit)
    past = int(times[0]) % grain
    several = len(np.unique(days)) >= SEVERAL
    opens, closes = _hours(times, unit, grain, past) if several else ((0,), (unit // grain,))
    rounder = zone is not None and grain > gcd(int(np.gcd.reduce(np.diff(instants))), unit)
    if not kept and (opens, closes) == ((0,), (unit // grain,)) and not rounder:
        return None
    if rounder and len(instants) < EVIDENCE:
        return None
    found = Calendar(unit, zone, monthly, kept, grain, past, opens, closes)
    return found if _fits(found, instants) else None


def _fits(calendar: Calendar, instants: np.ndarray) -> bool:
    """Return whether nearly all instants are numbered by the calendar, in their order, and found again."""
    number, good = calendar.count(instants)
    number = number[good]
    again = bool((calendar.moment(number) == instants[good]).all() and (np.diff(number) > 0).all())
    return again and float(good.mean()) >= 1 - 2 * EXCEPTIONS


def _days(days: np.ndarray) -> tuple[bool, tuple[int, ...]]:
    """Return whether days are told by the month, and which there may be; none: all."""
    weekly = _labels((days + _MONDAY) % _WEEK, _WEEK)
    _, label, last = _in_month(days)
    monthly = _labels(label, _MONTH)
    if not monthly or max(monthly) > 28:
        found = _labels(np.where(last, 0, label), _MONTH)
        monthly = (*found[1:], 0) if found[:1] == (0,) and max(found) <= 28 else ()
    if monthly and (not weekly or len(monthly) / _MONTH < len(weekly) / _WEEK):
        return True, monthly
    return False, weekly


def _labels(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Return which labels occur, where too many others would be expected by chance; none where that may be chance."""
    counts = np.bincount(labels, minlength=size)
    kept = np.flatnonzero(counts > STRAY * len(labels) / size)
    if not len(kept) or counts[kept].sum() < (1 - EXCEPTIONS) * len(labels) or len(kept) >= size:
        return ()
    bits = len(labels) * log2(size / len(kept)) - log2(comb(size, len(kept)))
    return tuple(kept.tolist()) if bits >= EVIDENCE else ()


def _hours(times: np.ndarray, unit: int, grain: int, past: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return between which times of the day values stand, in grains; all of it where they stand anywhere."""
    whole = unit // grain
    slots = np.unique((times - past) // grain)
    missing = np.append(np.diff(slots), slots[0] + whole - slots[-1]) - 1
    second = unit / 86_400
    left = whole
    shut = []
    for i in np.argsort(-missing, kind="stable")[:PAUSES].tolist():
        share = missing[i] / left
        bits = -len(times) * np.log2(max(1 - share, 1e-12)) - log2(len(slots) + 1)
        if (missing[i] + 1) * grain < CLOSED * second or bits < EVIDENCE:
            break
        left -= int(missing[i])
        shut.append(i)
    if not shut:
        return (0,), (whole,)
    usual = NEAR * left / len(slots) * grain
    ends, begins = [], []
    for i in sorted(shut):
        last = i == len(slots) - 1
        ends.append(_edge(slots[max(0, i - 2) : i + 1], second / grain, usual / second, past / second, after=True))
        after = slots[:3] if last else slots[i + 1 : i + 4]
        begins.append(_edge(after, second / grain, usual / second, past / second, after=False))
    if len(slots) - 1 in shut:
        begins = [begins[-1], *begins[:-1]]
    else:  # it is open at midnight
        begins, ends = [0, *begins], [*ends, whole]
    both = [(max(o, 0), min(c, whole)) for o, c in zip(begins, ends, strict=True) if o < c]
    return tuple(o for o, _ in both), tuple(c for _, c in both)


def _edge(slots: np.ndarray, second: float, near: float, past: float, *, after: bool) -> int:
    """Return where possible times begin or end: on a round time near the outermost values, else inside them.

    Args:
        slots: the outermost times that occur, in grains.
        second: grains in a second.
        near: how far a round time may be, in seconds.
        past: the first possible time of day, in seconds.
        after: whether it is the end.
    """
    outer = slots[-1] if after else slots[0]
    at = outer / second + past
    if 1 / second >= _ROUND[-1]:  # the grain is round enough
        return int(outer) + after
    for size in _ROUND:
        edge = (np.ceil(at / size - 1e-12) if after else np.floor(at / size + 1e-12)) * size
        if abs(edge - at) <= near:
            return int(np.ceil((edge - past) * second - 1e-9)) + int(after and abs(edge - at) < 1e-9)
    mean = float(np.mean(slots))
    return int(np.floor(mean)) + 1 if after else int(np.ceil(mean))


def _in_month(day: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the month since 1970 of each day, the day of the month, and whether it is the last."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month, day - _first(month) + 1, day == _first(month + 1) - 1


def _first(month: np.ndarray) -> np.ndarray:
    """Return the first day of months since 1970."""
    found: np.ndarray = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return found


def _unit(unit: int) -> Unit:
    return "ns" if unit > 86_400 * 10**6 else "us"
