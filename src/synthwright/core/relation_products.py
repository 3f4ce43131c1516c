"""Columns that are products or quotients of others: quantity times price, net and a rate of tax, clicks per view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, islice
from typing import NamedTuple

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.relation_equal import plain as written
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

MOST = 30
"""Columns among which products are looked for."""
MOST_OF_THREE = 12
"""Columns among which products of three are looked for."""
SAMPLE = 64
"""Rows on which all products are tried."""
DIGITS = 4
"""Significant digits of a number that a product is multiplied by."""
WIDE = 20
"""How far whole numbers go, at least, before they may be rounded ones."""
LEAST = 20
"""Rows that would break the product, at least, if a factor had another row's value."""

Values = Mapping[str, np.ndarray]
"""Columns by name, as floats."""


class Term(NamedTuple):
    """A product or quotient of columns."""

    said: str
    """As rules write it."""
    used: frozenset[str]
    make: Callable[[Values], np.ndarray]

    def times(self, other: Term) -> Term:
        """Return the product of both."""
        return Term(f"{self.said} * {other.said}", self.used | other.used, lambda v: self.make(v) * other.make(v))


def products(columns: Columns, names: list[str], made: list[str]) -> list[Relation]:
    """Return the columns that are made of others by one multiplication or division, in every row.

    A factor may be a rate: `net * (1 + rate)`, `price * (1 - discount / 100)`, and a number may stand before it all:
    `kwh == kw * minutes / 60`, `bmi == 10000 * weight / (height * height)`, `rate == 100 * won / (won + lost)`.

    Args:
        columns: the table.
        names: columns none of which is a line of another.
        made: columns that follow from others: they may be factors only.
    """
    names = names + made
    able = (n for n in names if columns.family(n) == "number" and columns.exact(n) and _varies(columns.sampled(n)))
    names = list(islice(able, MOST))
    if len(names) < 3:
        return []
    at = columns.at[:: max(1, len(columns.at) // SAMPLE)][:SAMPLE]
    whole = {n: columns.numbers_at(n, at) for n in names}
    targets = np.stack([whole[n] for n in names])
    room = np.stack([room_of(columns, n, whole[n]) for n in names])
    found: dict[frozenset[str], list[tuple[float, str, Term]]] = {}
    for plain in _terms(whole):
        for i, term in _matches(plain, whole, targets, room):
            name = names[i]
            off = targets[i] - term.make(whole)
            if name not in {*term.used, *made} and _lands(columns, name, term, off):
                said = (_slack(targets[i], off, room[i]), name, term)
                found.setdefault(term.used | {name}, []).append(said)
    return _chosen(columns, list(found.values()))


def _chosen(columns: Columns, able: list[list[tuple[float, str, Term]]]) -> list[Relation]:
    """Return of the terms of the same columns one that holds, and of each column one at most."""
    out: dict[str, Relation] = {}
    for alike in able:
        for _, name, term in sorted(alike, key=lambda one: one[0]):
            rows = 0 if name in out else _proved(columns, term, name)
            if rows:
                out[name] = Relation(f"{quoted(name)} == {term.said}", name, tuple(sorted(term.used)), rows)
                break
    return list(out.values())


def _slack(values: np.ndarray, off: np.ndarray, room: np.ndarray) -> float:
    """Return how roughly a term gives a column, beside its values; 0: exactly.

    Of an area, its price and the price of a square metre it is the one of the finest steps that was computed.
    """
    if not np.nanmax(np.abs(off)) > min(1e-3 * float(np.nanmax(room)), 1e-9 * float(np.nanmax(np.abs(values)))):
        return 0.0
    return float(np.nanmedian(room / np.maximum(np.abs(values), 1e-300)))


def _matches(term: Term, whole: Values, targets: np.ndarray, room: np.ndarray) -> Iterator[tuple[int, Term]]:
    """Yield the targets that a term gives, or gives when it is multiplied by a number; by position."""
    with np.errstate(all="ignore"):
        values = term.make(whole)
        there = ~np.isnan(targets) & np.isfinite(values)
        enough = there.sum(axis=1) >= min(LEAST, targets.shape[1])
        off = np.abs(targets - values) > room + 1e-9 * np.abs(values)
        for i in np.flatnonzero(~off.any(axis=1) & enough):
            yield int(i), term
        filled = np.where(there, values, 0.0)
        times = np.where(there, targets * filled, 0.0).sum(axis=1) / (filled * filled).sum(axis=1)
        off = np.abs(targets - times[:, None] * values) > 2 * room + 1e-5 * np.abs(targets)
        for i in np.flatnonzero(~off.any(axis=1) & enough):
            for scaled in _scaled(term, float(times[i])):
                made = scaled.make(whole)
                if not np.any(np.abs(targets[i] - made) > room[i] + 1e-9 * np.abs(made)):
                    yield int(i), scaled
                    break


def _scaled(term: Term, times: float) -> Iterator[Term]:
    """Yield the term times the roundest numbers near to one, or divided by such."""
    for digits in range(1, DIGITS + 1):
        for number, over in ((times, False), (1 / times if times else 0.0, True)):
            near = float(f"{number:.{digits - 1}e}")
            if near and near != 1 and np.isfinite(near):
                said = f"{term.said} / {written(near)}" if over else f"{written(near)} * {term.said}"
                yield Term(said, term.used, _times(term, 1 / near if over else near))


def _times(term: Term, number: float) -> Callable[[Values], np.ndarray]:
    return lambda v: term.make(v) * number


def _lands(columns: Columns, name: str, term: Term, off: np.ndarray) -> bool:
    """Return whether other factors also give such values: not where a lattice was met exactly by what is on none.

    Then the column is a factor itself: of `speed == way / hours`, both are whole numbers, and `way` is not made.
    """

    def steps(column: str) -> bool:
        spec = columns.spec.fields[column]
        return spec.kind is not Kind.NUMBER or columns.rounding(column) > 0

    off = np.abs(off[~np.isnan(off)])
    if columns.spec.fields[name].kind is Kind.INTEGER and np.any(off > 1e-6):  # what was rounded may be a factor
        return all(columns.spec.fields[c].kind is Kind.INTEGER for c in term.used)
    rounded = off > 1e-6 * columns.rounding(name)
    return not steps(name) or all(map(steps, term.used)) or (columns.rounding(name) > 0 and bool(np.any(rounded)))


def _varies(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    return bool(len(present) and np.ptp(present))


def _span(values: np.ndarray) -> float:
    return float(np.nanmax(values) - np.nanmin(values))


def room_of(columns: Columns, name: str, values: np.ndarray) -> np.ndarray:
    """Return how far a product may be from each value: half a step where it was rounded, else floats' own error.

    Whole numbers may have been rounded where they go far enough for that to be seen.
    """
    rounding = columns.rounding(name)
    if columns.spec.fields[name].kind is Kind.INTEGER and _span(columns.sampled(name)) >= WIDE:
        rounding = 0.5
    size = np.nan_to_num(np.abs(values))
    return rounding * (1 + 1e-9) + 1e-15 * size if rounding else 1e-9 * size


def _terms(whole: Values) -> Iterator[Term]:
    """Yield products of two columns, then of three, then quotients; the simplest first."""
    plain = [_column(n) for n in whole]
    rates = [r for n in whole for r in _rates(n, whole[n])]
    yield from (one.times(other) for one, other in combinations(plain, 2))
    yield from (one.times(rate) for one in plain for rate in rates if not one.used & rate.used)
    for pair in combinations(plain if len(plain) <= MOST_OF_THREE else [], 2):
        both = pair[0].times(pair[1])
        yield from (both.times(third) for third in (*plain, *rates) if not both.used & third.used)
    for over in plain:
        if not np.any(over.make(whole) == 0):
            for one in plain:
                yield from _quotients(one, over) if one is not over else ()
    for pair in combinations(plain if len(plain) <= MOST_OF_THREE else [], 2):
        both = _together(*pair)
        if not np.any(both.make(whole) == 0):
            yield from (_share(one, both) for one in plain)
    for one, other in combinations(plain, 2):
        further = one.make(whole) - other.make(whole)
        if np.any(further < 0) and np.any(further > 0):  # else it is a sum
            yield _apart(one, other)
            yield _beyond(one, other)
            yield _beyond(other, one)


def _column(name: str) -> Term:
    return Term(quoted(name), frozenset((name,)), lambda v: v[name])


def _quotients(one: Term, over: Term) -> Iterator[Term]:
    used = one.used | over.used
    yield Term(f"{one.said} / {over.said}", used, lambda v: one.make(v) / over.make(v))
    yield Term(f"100 * {one.said} / {over.said}", used, lambda v: 100 * one.make(v) / over.make(v))
    yield Term(f"{one.said} / ({over.said} * {over.said})", used, lambda v: one.make(v) / over.make(v) ** 2)
    grown = f"({one.said} - {over.said}) / {over.said}"
    yield Term(grown, used, lambda v: (one.make(v) - over.make(v)) / over.make(v))
    yield Term(f"100 * {grown}", used, lambda v: 100 * (one.make(v) - over.make(v)) / over.make(v))


def _together(one: Term, other: Term) -> Term:
    """Return the sum of two columns."""
    said, used = f"({one.said} + {other.said})", one.used | other.used
    return Term(said, used, lambda v: one.make(v) + other.make(v))


def _share(one: Term, both: Term) -> Term:
    """Return a column over a sum that it may be part of: those who won of all who played, a wage over its band."""
    return Term(f"{one.said} / {both.said}", one.used | both.used, lambda v: one.make(v) / both.make(v))


def _apart(one: Term, other: Term) -> Term:
    """Return how far two columns are from each other."""
    said, used = f"abs({one.said} - {other.said})", one.used | other.used
    return Term(said, used, lambda v: np.abs(one.make(v) - other.make(v)))


def _beyond(one: Term, other: Term) -> Term:
    """Return by how much a column exceeds another, 0 where it does not."""
    said = f"({one.said} - {other.said}) * ({one.said} > {other.said})"

    def further(values: Values) -> np.ndarray:
        more = one.make(values) - other.make(values)
        return np.where(more < 0, 0.0, more)  # nothing where one of them is missing

    return Term(said, one.used | other.used, further)


def _rates(name: str, values: np.ndarray) -> list[Term]:
    """Return what a column may stand for if it is a rate: a share, or a percentage."""
    present = values[~np.isnan(values)]
    if not len(present) or present.min() < 0 or present.max() > 100:
        return []
    said, used = quoted(name), frozenset((name,))
    if present.max() <= 1:
        return [Term(f"(1 + {said})", used, lambda v: 1 + v[name]), Term(f"(1 - {said})", used, lambda v: 1 - v[name])]
    return [Term(f"{said} / 100", used, lambda v: v[name] / 100),
            Term(f"(1 + {said} / 100)", used, lambda v: 1 + v[name] / 100),
            Term(f"(1 - {said} / 100)", used, lambda v: 1 - v[name] / 100)]  # fmt: skip


def _proved(columns: Columns, term: Term, target: str) -> int:
    """Return in how many rows a product holds, if in all, and if each factor must be its own row's; else 0."""
    whole = {n: columns.numbers(n) for n in (target, *term.used)}
    there = ~np.any([np.isnan(v) for v in whole.values()], axis=0)
    whole = {n: v[there] for n, v in whole.items()}
    wanted, room = whole[target], room_of(columns, target, whole[target])

    def broken(values: Values) -> int:
        with np.errstate(all="ignore"):
            made = term.make(values)
            return int(np.sum(~(np.abs(wanted - made) <= room + 1e-9 * np.abs(made))))

    if not len(wanted) or broken(whole):
        return 0
    other = np.roll(np.arange(len(wanted)), 1 + len(wanted) // 3)
    enough = all(broken({**whole, n: whole[n][other]}) >= LEAST for n in term.used)
    return len(wanted) if enough else 0
