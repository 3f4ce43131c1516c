"""What the clocks of a place show, and when they are put forward or back."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.constraints.compiled import ahead_of
from synthwright.kit.events.rhythm_words import DAY, MINUTE

_PROBE = DAY
"""Microseconds: nowhere are clocks changed forth and back within a day."""
_SECOND = 10**6
Unit = Literal["us", "ns"]
"""What instants are counted in."""
_MINUTE: dict[Unit, int] = {"us": MINUTE, "ns": 1000 * MINUTE}


def known_zone(said: str) -> str:
    """Return the name of a time zone, or an offset such as `+02:00`; a ValueError where there is none of that name."""
    if ahead_of(said) is not None:
        return said
    try:
        ZoneInfo(said)
    except (KeyError, ValueError, OSError):
        names = {n.lower(): n for n in available_timezones()}
        ends = {n.rpartition("/")[2].lower(): n for n in sorted(available_timezones())}
        near = get_close_matches(said.lower(), [*names, *ends], n=1)
        hint = f"did you mean {(names | ends)[near[0]]!r}?" if near else "wanted such as Europe/Berlin"
        raise ValueError(f"no time zone is called {said!r}: {hint}") from None
    return said


def ahead(instants: np.ndarray, zone: str | None, unit: Unit = "us") -> np.ndarray:
    """Return by how much the clocks of a place are ahead of UTC at instants, in the unit that these are counted in."""
    fixed = 0 if zone is None else ahead_of(zone)
    if fixed is not None:
        return np.full(len(instants), fixed * _MINUTE[unit], dtype=np.int64)
    held = pa.array(instants).view(pa.timestamp(unit, zone))
    return np.asarray(pc.local_timestamp(held).cast(pa.int64())) - instants


def shown(instants: np.ndarray, zone: str | None, unit: Unit = "us") -> np.ndarray:
    """Return what the clocks of a place show at instants."""
    return instants + ahead(instants, zone, unit) if zone is not None else instants


def when(clock: np.ndarray, zone: str | None, unit: Unit = "us") -> np.ndarray:
    """Return the instants at which the clocks of a place show this: the first of two, the next where there is none."""
    fixed = 0 if zone is None else ahead_of(zone)
    if fixed is not None:
        return clock - fixed * _MINUTE[unit]
    held = pa.array(clock).view(pa.timestamp(unit))
    found = pc.assume_timezone(held, zone, ambiguous="earliest", nonexistent="latest")
    return np.asarray(found.cast(pa.int64()))


def even(instants: np.ndarray, grain: int, zone: str | None, *, up: bool = False) -> np.ndarray:
    """Return instants moved back to the last multiple of a grain that the clock showed, or on to the next one."""
    if grain == 1:
        return instants
    if zone is None or (15 * MINUTE) % grain == 0:  # nowhere are clocks ahead by parts of a quarter of an hour
        return -(-instants // grain) * grain if up else instants // grain * grain
    before = ahead(instants, zone)
    clock = instants + before
    moved = -(-clock // grain) * grain if up else clock // grain * grain
    return moved - ahead(moved - before, zone)  # the clocks may have changed in between


def pieces(low: int, high: int, zone: str | None) -> list[tuple[int, int, int]]:
    """Return the spans from one change of the clocks to the next: first, last, and by how much they are ahead of UTC.

    Args:
        low: the first instant, in microseconds since 1970.
        high: the end; no instant of a span itself.
        zone: the place.
    """
    if zone is None or ahead_of(zone) is not None:
        return [(low, high, int(ahead(np.zeros(1, dtype=np.int64), zone)[0]))]
    probes = np.append(np.arange(low, high, _PROBE), high)
    found = ahead(probes, zone)
    changed = np.flatnonzero(found[1:] != found[:-1])
    before, after = probes[changed], probes[changed + 1]
    while len(changed) and (after - before).max() > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        middle = np.where(middle > before, middle, before + (after - before + 1) // 2)
        still = ahead(middle, zone) == found[changed]
        before, after = np.where(still, middle, before), np.where(still, after, middle)
    change = after // _SECOND * _SECOND  # the clocks change on a full second
    ends = [low, *(int(c) for c in change), high]
    return [(b, e, int(a)) for b, e, a in zip(ends, ends[1:], [found[0], *found[changed + 1]], strict=False) if b < e]
