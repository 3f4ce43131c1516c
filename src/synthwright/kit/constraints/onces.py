"""Days, instants and whole numbers that occur once: rows that repeat one move to the nearest that is free.

They move to one at the same time of day, or on the same day of the week, while there are such; where there are more
rows than days, the days go on after the last, though not for ever: rows beyond repeat some.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.core.values import nulls
from synthwright.kit.coding.calendars import Calendar, calendar_of
from synthwright.kit.constraints.repairs import Codec
from synthwright.kit.room import outside, room_of
from synthwright.kit.rows import rank_in_group

MOST = 2**22
"""Places between the first and the last, at most: where there are more, rows hardly repeat."""
LONGER = 3
"""How many times as long as what is there days may go on after the last."""
_WEEK = 7


def once(held: pa.Table, name: str, free: Mapping[str, np.ndarray], spec: Table) -> pa.Table:
    """Return a table in which rows that repeat a day, an instant or a number have another, near to it.

    Args:
        held: the rows.
        name: the column.
        free: where each column may be changed; one that is not named may not.
        spec: the table.
    """
    field = spec.fields[name]
    if field.kind not in (Kind.DATE, Kind.DATETIME, Kind.INTEGER) or name not in free:
        return held
    codec, missing = Codec(field), nulls(held.column(name))
    there = np.flatnonzero(~missing)
    values = codec.read(held.column(name))[there]
    distinct = np.unique(values)
    if len(distinct) < 2:
        return held
    calendar = calendar_of(field, distinct)
    first, step = int(distinct[0]), int(np.gcd.reduce(np.diff(distinct)))
    numbers = (values - first) // step if calendar is None else calendar.count(values)[0]
    if np.ptp(numbers) > MOST:
        return held
    again = rank_in_group(numbers.view(np.uint64), free[name][there]) > 0  # those that may not move stay first
    again &= free[name][there]
    if not again.any():
        return held
    numbers = _apart(numbers, again, _period(codec, step, calendar), _most(numbers, field, first, step, calendar))
    moved = codec.read(held.column(name)).copy()
    moved[there[again]] = (first + step * numbers if calendar is None else calendar.moment(numbers))[again]
    at = held.column_names.index(name)
    return held.set_column(at, name, codec.write(moved, missing, field))


def _most(numbers: np.ndarray, field: Field, first: int, step: int, calendar: Calendar | None) -> int:
    """Return the last place that a row may move to: not ever so far off, nor out of type."""
    most = int(numbers.max()) + LONGER * (int(np.ptp(numbers)) + 1)
    if calendar is not None:
        return most
    room = room_of(outside(field)) if field.kind is Kind.INTEGER else None
    return min(most, ((2**62 if room is None else int(room[1])) - first) // step)


def _period(codec: Codec, step: int, calendar: Calendar | None) -> int:
    """Return how many places a day has, or a week where there is one a day."""
    field = codec.spec
    if calendar is not None:
        a_day = sum(calendar.closes) - sum(calendar.opens)
        return a_day if a_day > 1 else max(len(calendar.days), 1) if not calendar.monthly else 1
    if field.kind is Kind.INTEGER:
        return 1
    if field.kind is Kind.DATE:
        return _WEEK if step == 1 else 1
    day = 86_400 * (10**9 if canonical(field).unit == "ns" else 10**6)
    return day // step if step < day else _WEEK


def _apart(numbers: np.ndarray, again: np.ndarray, period: int, most: int) -> np.ndarray:
    """Return numbers none of which occurs twice, those moved that are there `again`; beyond `most` they stay."""
    out = numbers.copy()
    low, high = int(numbers.min()), int(numbers.max())
    open_ = np.ones(high - low + 1, dtype=bool)
    open_[numbers - low] = False
    rows = np.flatnonzero(again)
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    waiting = np.ones(len(rows), dtype=bool)
    for place in np.unique(numbers[rows] % period):
        mine = np.flatnonzero(numbers[rows] % period == place)
        places = low + np.flatnonzero(open_)
        places = places[places % period == place]
        mine = mine[np.unique(np.linspace(0, len(mine) - 1, min(len(mine), len(places))).round().astype(np.int64))]
        out[rows[mine]] = _nearest(numbers[rows[mine]], places)
        open_[out[rows[mine]] - low] = False
        waiting[mine] = False
    left = rows[waiting]
    places = low + np.flatnonzero(open_)
    places = np.append(places, high + 1 + np.arange(max(min(len(left) - len(places), most - high), 0)))
    left = left[np.unique(np.linspace(0, len(left) - 1, min(len(left), len(places))).round().astype(np.int64))]
    out[left] = _nearest(numbers[left], places)
    return out


def _nearest(numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return for ascending numbers places near to them, each its own; there are as many places at least."""
    rank = np.arange(len(numbers))
    at = np.maximum.accumulate(np.searchsorted(places, numbers) - rank) + rank if len(rank) else rank
    found: np.ndarray = places[np.minimum(at, len(places) - len(rank) + rank)]
    return found
