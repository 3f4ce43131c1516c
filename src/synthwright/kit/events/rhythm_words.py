"""How rhythms are written: hours of the day, days of the week, months, opening hours, lengths, instants.

Hours go from the full hour to the next: `8-18` are the ten hours from eight to six. Days and months are said by their
names, both ends count: `mon-fri`, `jun-aug`. Ranges may go over the end: `22-6`, `sat-mon`, `nov-feb`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

DAY = 86_400 * 10**6
"""Microseconds of a day."""
MINUTE = 60 * 10**6
A_DAY = 24 * 60
"""Minutes of a day."""
ELSE = "else"
_EPOCH = datetime(1970, 1, 1)
_LENGTH = re.compile(r"([0-9]+(?:[.][0-9]+)?) ?(us|ms|s|min|h|d)")
_ISO_LENGTH = re.compile(
    r"P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:[.][0-9]+)?)S)?)?(?<=[0-9][DHMS])"
)
_UNITS = {"us": 1, "ms": 10**3, "s": 10**6, "min": MINUTE, "h": 60 * MINUTE, "d": DAY}
_TIME = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?")


# ------------------------------------------------------------------------------------- hours, days of the week, months
@dataclass(frozen=True)
class Cycle:
    """What comes round again, and how it is called."""

    what: str
    names: tuple[str, ...]
    example: str
    through: bool
    """Whether the end of a range counts, as it does for days; `8-18` ends as the clock strikes eighteen."""

    def place(self, said: str) -> int:
        """Return which one a name means, from 0; a ValueError where it means none."""
        word = said.strip().lower()
        if not self.through:
            if word.isdecimal() and int(word) <= len(self.names):
                return int(word)
        elif len(word) >= 3:
            found = [i for i, name in enumerate(self.names) if name.startswith(word)]
            if found:
                return found[0]
        raise ValueError(f"{said!r} is no {self.what}: wanted {self.example}")

    def places(self, said: str) -> list[int]:
        """Return which ones a name or a range means, in order; a ValueError where it means none."""
        first, dash, last = said.partition("-")
        size, begin = len(self.names), self.place(first)
        if not dash:
            if begin == size:
                raise ValueError(f"{said!r} is no {self.what}: wanted {self.example}")
            return [begin]
        end = self.place(last) + (1 if self.through else 0)
        if begin % size == end % size and abs(begin - end) != size:
            raise ValueError(f"{said!r} is no range of {self.what}s: it ends where it begins")
        return [i % size for i in range(begin, end if end > begin else end + size)]


HOURS = Cycle("hour", tuple(map(str, range(24))), "an hour from 0 to 23, or a range such as 8-18", through=False)
WEEKDAYS = Cycle(
    "day of the week",
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "mon … sun, or a range such as mon-fri",
    through=True,
)
MONTHS = Cycle(
    "month",
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"),
    "jan … dec, or a range such as jun-aug",
    through=True,
)  # fmt: skip


def weights(said: Any, cycle: Cycle) -> Any:
    """Return a weight for each of a cycle from a mapping of names and ranges; what is no mapping stays what it is.

    Raises:
        ValueError: a name that means nothing, one that is meant twice, or no weight.
    """
    if not isinstance(said, Mapping):
        return said
    found: list[Any] = [None] * len(cycle.names)
    for key, weight in said.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < np.inf:
            raise ValueError(f"wanted a weight for {str(key)!r}, 0 or more, got {weight!r}")
        for i in () if str(key) == ELSE else cycle.places(str(key)):
            if found[i] is not None:
                raise ValueError(f"{cycle.what} {cycle.names[i]} is said twice, the second time in {key!r}")
            found[i] = weight
    return [said.get(ELSE, 1.0) if one is None else one for one in found]


def weighed(said: tuple[float, ...], cycle: Cycle) -> tuple[float, ...]:
    """Return weights that may be; a ValueError for others."""
    if len(said) != len(cycle.names):
        raise ValueError(f"wanted a weight for each of {len(cycle.names)} {_several(cycle)}, got {len(said)}")
    if not sum(said) > 0:
        raise ValueError("wanted a weight above 0, got none")
    return said


def _several(cycle: Cycle) -> str:
    return cycle.what.replace("day", "days") if " " in cycle.what else f"{cycle.what}s"


# ------------------------------------------------------------------------------------------------------- opening hours
def times(said: str) -> tuple[int, int]:
    """Return when a range such as `09:00-18:00` begins and ends, in minutes; what ends the next day ends after 1,440.

    Raises:
        ValueError: it is none.
    """
    first, dash, last = said.partition("-")
    ends = [_minute(first), _minute(last)]
    if not dash or None in ends or ends[0] == A_DAY:
        raise ValueError(f"{said!r} are no opening hours: wanted such as 09:00-18:00")
    begin, end = (e or 0 for e in ends)
    if begin == end:
        raise ValueError(f"{said!r} ends where it begins: a whole day is 00:00-24:00")
    return begin, end if end > begin else end + A_DAY


def _minute(said: str) -> int | None:
    found = _TIME.fullmatch(said.strip())
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else A_DAY + 1
    return minute if minute <= A_DAY and int((found and found[2]) or 0) < 60 else None


def opened(said: Any) -> Any:
    """Return opening hours by day from a mapping of days and ranges of days; what is no mapping stays what it is.

    Raises:
        ValueError: a name that means nothing, or one that is meant twice.
    """
    if not isinstance(said, Mapping):
        return said
    found: dict[str, Any] = {}
    for key, hours in said.items():
        for i in WEEKDAYS.places(str(key)):
            name = WEEKDAYS.names[i][:3]
            if name in found:
                raise ValueError(f"{WEEKDAYS.names[i]} is said twice, the second time in {key!r}")
            found[name] = [h.strip() for h in hours.split(",")] if isinstance(hours, str) else hours
    return {n[:3]: found[n[:3]] for n in WEEKDAYS.names if n[:3] in found}


def minutes_open(opening: Mapping[str, tuple[str, ...]]) -> list[list[tuple[int, int]]]:
    """Return when it is open on each day of the week, in minutes; what goes over midnight is the next day's.

    Raises:
        ValueError: hours that are none.
    """
    found: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS.names]
    for name, ranges in opening.items():
        day = WEEKDAYS.place(name)
        for begin, end in map(times, ranges):
            found[day].append((begin, min(end, A_DAY)))
            if end > A_DAY:
                found[(day + 1) % len(found)].append((0, end - A_DAY))
    return found


# ----------------------------------------------------------------------------------------------- lengths and instants
def length(said: str) -> int:
    """Return how many microseconds a length such as `15min`, `1s`, `1d` or `PT15M` has; a ValueError where it is none.

    It is at least one microsecond.
    """
    found, iso = _LENGTH.fullmatch(said.strip()), _ISO_LENGTH.fullmatch(said.strip())
    if found is not None:
        ticks = float(found[1]) * _UNITS[found[2]]
    elif iso is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in iso.groups())
        ticks = days * DAY + hours * 60 * MINUTE + minutes * MINUTE + seconds * 10**6
    else:
        raise ValueError(f"{said!r} is no length of time: wanted such as 1s, 15min, 2h, 1d, or PT15M")
    if not 1 <= ticks <= 2**62:
        raise ValueError(f"wanted a length from a microsecond on, got {said!r}")
    return round(ticks)


class Moment(NamedTuple):
    """An instant as a specification writes it."""

    at: int
    """Microseconds since 1970: as the clock shows it, unless it is `absolute`."""
    day: bool
    """Whether it is a whole day: it was written without a time."""
    absolute: bool
    """Whether it was written with an offset, and counts from 1970 in UTC."""


def is_moment(said: str) -> bool:
    """Return whether a text is written like a date or an instant."""
    return _MOMENT.fullmatch(said) is not None


def moment(said: str) -> Moment:
    """Return the instant that a text says, `2024-12-31`, `2024-12-31 18:00`; a ValueError where there is none."""
    try:
        if len(said) == len("2024-12-31"):
            begin = datetime.combine(date.fromisoformat(said), datetime.min.time())
            return Moment(ticks(begin), day=True, absolute=False)
        found = datetime.fromisoformat(said)
    except ValueError as error:
        raise ValueError(f"{said!r} is no date or instant: {error}") from None
    if found.tzinfo is None:
        return Moment(ticks(found), day=False, absolute=False)
    return Moment(ticks(found.astimezone(UTC).replace(tzinfo=None)), day=False, absolute=True)


def ticks(shown: datetime) -> int:
    """Return the microseconds from 1970 to what a clock shows."""
    return (shown - _EPOCH) // timedelta(microseconds=1)


def year_of(at: int | np.integer[Any]) -> int:
    """Return the year in which an instant lies."""
    return int(np.datetime64(int(at), "us").astype("datetime64[Y]").astype(np.int64)) + 1970


def time_of_day(said: str) -> int | None:
    """Return the microseconds since midnight that a text such as `18:00` says, up to `24:00`; None where it is none."""
    minute = _minute(said) if ":" in said else None
    if minute is not None:
        return minute * MINUTE
    try:
        found = datetime.strptime(said, "%H:%M:%S.%f" if "." in said else "%H:%M:%S")
    except ValueError:
        return None
    return ticks(found) - ticks(found.replace(hour=0, minute=0, second=0, microsecond=0))
