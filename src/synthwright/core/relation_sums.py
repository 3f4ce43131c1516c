"""Columns that add up: totals of others, shares of a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import permutations

import numpy as np

from synthwright.core.relation_columns import Columns, turned
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.rules import quoted

BLOCK = 2_500
"""Columns among which sums are looked for at once; blocks overlap by half."""
SPARE = 10
"""Rows that are looked at beyond the number of columns, at least."""
SURE, LEAST = 60, 15
"""So many rows beyond it contradict whatever is an accident; where there are fewer, so many must contradict each term
that is another row's."""
TERMS = 120
"""Columns that a sum may have."""
FAMILY = 16
"""Multiples of one column among which small sums are looked for."""
PATTERNS, BESIDE = 20, 200
"""Where there are no more ways to be missing, and columns, a total may have parts that are there more often."""
_ROUNDS = 4
_FACTORS = 1_000.0
_DECIMALS = 4
_TINY = 3e-9
_WILD, _MOST = 1e5, 0.9
"""A number is wild that is so many times what this share of those that are not zero do not exceed; sums are looked for
in rows without: beside one of them floats show nothing of the others."""
_TELLING = 1e-8
"""How far a term varies, at least, beside what adds up; a sum is compared to a tenth of it."""


def sums(columns: Columns, names: list[str], made: Collection[Relation] = ()) -> list[Relation]:
    """Return the sums of columns that hold in every row, with few terms and round factors.

    Args:
        columns: the table.
        names: columns of numbers none of which is a line of another.
        made: what else is known: a sum makes no column that others of its columns are made of.
    """
    groups: dict[bytes, list[str]] = {}
    for name in names:
        if columns.family(name) == "number" and columns.exact(name) and _varies(columns, name):
            groups.setdefault(np.isnan(columns.sampled(name)).tobytes(), []).append(name)
    out: dict[str, Relation] = {}
    for own in groups.values():
        there = ~np.isnan(columns.sampled(own[0]))
        group = _beside(columns, groups, own, there)
        keep = columns.at[there & ~wild(columns.sampled(n) for n in group)]
        size = min(BLOCK, len(keep) - SPARE)
        for start in range(0, max(1, len(group) - size // 2), max(size // 2, 1)) if size > 2 else ():
            block = group[start : start + size]
            if len(block) > 2:
                found = _in_block(columns, block, keep[: max(2 * len(block), len(block) + 400)], made)
                out |= {r.rule: r for r in found if {r.column, *r.others} & set(own)}
    return list(out.values())


def _beside(columns: Columns, groups: dict[bytes, list[str]], own: list[str], there: np.ndarray) -> list[str]:
    """Return columns that are missing together, after others that are never missing where they are there."""
    if there.all() or len(groups) > PATTERNS or sum(map(len, groups.values())) > BESIDE:
        return own
    others = [
        n for g in groups.values() if g is not own and not np.isnan(columns.sampled(g[0])[there]).any() for n in g
    ]
    return others + own


def wild(several: Iterable[np.ndarray]) -> np.ndarray:
    """Return in which rows one of some columns is beyond all measure of the others in it."""
    found: list[np.ndarray] = []
    for values in several:
        sizes = np.abs(values)
        some = sizes[(sizes > 0) & np.isfinite(sizes)]
        found.append(sizes / _WILD > (np.quantile(some, _MOST) if len(some) else np.inf))
    return np.asarray(np.any(found, axis=0), dtype=bool)


def dependent(matrix: np.ndarray, sample: np.ndarray, least: int) -> list[np.ndarray]:
    """Return the simplest sums of columns that hold in all rows, as factors and the constant: together they give 0.

    Args:
        matrix: rows by columns, none missing.
        sample: rows that are looked at first.
        least: rows that say enough, at least.
    """
    some = matrix[sample]
    if len(some) < least + SPARE:
        return []
    good = []
    for vector in _dependencies(some):
        terms = matrix * vector[:-1]
        sizes = np.abs(terms).sum(axis=1) + abs(vector[-1])
        holds = np.all(np.abs(terms.sum(axis=1) + vector[-1]) <= 1e-9 * sizes)
        several = [t for t in terms[sample].T if t.any()]
        room = _TELLING * sizes[sample]
        if holds and all(np.ptp(t) > room.max() and np.sum(np.abs(t - turned(t)) > room) >= LEAST for t in several):
            good.append(vector)
    return _simplest(good)


def small_sums(columns: Columns, rough: list[Relation], known: list[Relation]) -> list[Relation]:
    """Return sums of three columns that are multiples of one of them but for rounding, and not known yet.

    Where numbers are large, what rounding leaves between such columns is too small for `sums` to see: it is compared
    with their steps instead.
    """
    out: list[Relation] = []
    seen = {frozenset((r.column, *r.others)) for r in known}
    for family in _families(rough):
        for total, one, other in permutations(family[:FAMILY], 3):
            trio = frozenset((total, one, other))
            if family.index(one) < family.index(other) and trio not in seen and _adds_up(columns, total, one, other):
                seen.add(trio)
                rows = int(np.sum(~np.isnan(columns.numbers(total))))
                rule = f"{quoted(total)} == {quoted(one)} + {quoted(other)}"
                out.append(Relation(rule, total, (one, other), rows))
    return out


def superfluous(rough: list[Relation], totals: list[Relation]) -> list[Relation]:
    """Return the rounded lines that sums make superfluous: one of each sum whose columns follow from one another."""
    left = list(rough)
    for relation in totals:
        lines = {r.column: r for r in left}
        columns = (relation.column, *relation.others)
        sources = {c for r in lines.values() for c in r.others}
        if all(c in lines or c in sources for c in columns):
            line = next((lines[c] for c in (relation.column, *reversed(relation.others)) if c in lines), None)
            left = [r for r in left if r is not line]
    return [r for r in rough if r not in left]


def _families(rough: list[Relation]) -> list[list[str]]:
    """Return columns that are rounded multiples of the same column, after it."""
    found: dict[str, list[str]] = {}
    for relation in rough:
        found.setdefault(relation.others[0], [relation.others[0]]).append(relation.column)
    return [family for family in found.values() if len(family) > 2]


def _adds_up(columns: Columns, total: str, one: str, other: str) -> bool:
    """Return whether two columns make a third in every row, far more closely than its step."""
    close = 0.1 * columns.rounding(total)
    for part in (columns.sampled, columns.numbers):
        wrong = np.abs(part(total) - part(one) - part(other))
        if not close or np.any(wrong > close + 1e-15 * np.abs(part(total))):
            return False
    return True


def _varies(columns: Columns, name: str) -> bool:
    values = columns.sampled(name)
    present = values[~np.isnan(values)]
    if len(present) and not np.ptp(present):  # rare values may have escaped the sample
        present = columns.numbers(name)
        present = present[~np.isnan(present)]
    return bool(len(present) and np.ptp(present))


def _in_block(columns: Columns, names: list[str], sample: np.ndarray, made: Collection[Relation]) -> list[Relation]:
    """Find sums on a sample; rows that contradict one join the sample, until none does."""
    good: list[np.ndarray] = []
    told = len(sample) - len(names) < SURE
    for _ in range(_ROUNDS):
        matrix = np.stack([columns.numbers_at(n, sample) for n in names], axis=1)
        good, wrong = [], [np.zeros(0, dtype=np.int64)]
        for vector in _dependencies(matrix):
            against = _against(columns, names, vector)
            wrong.append(against[:20])
            if not len(against) and _every_term_tells(columns, names, vector, told=told):
                good.append(vector)
        more = np.unique(np.concatenate(wrong))
        if not len(more):
            break
        sample = np.unique(np.concatenate([sample, more]))
    return [r for v in _simplest(good) for r in _said(columns, names, v, made)]


def _dependencies(matrix: np.ndarray) -> Iterator[np.ndarray]:
    """Yield for each column that follows from those before it the factors, the constant last, of what adds up to 0."""
    rows, count = matrix.shape
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    scaled = np.concatenate([np.ones((rows, 1)), matrix / scale], axis=1)
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r"))) / np.maximum(np.linalg.norm(scaled, axis=0), 1e-300)
    follows, pivots = np.flatnonzero(left <= _TINY), np.flatnonzero(left > _TINY)
    if not len(follows):
        return
    basis, triangle = np.linalg.qr(scaled[:, pivots])
    factors = np.linalg.solve(triangle, basis.T @ scaled[:, follows])
    scale = np.append(1.0, scale)
    for j, found in zip(follows, factors.T, strict=True):
        whole = np.zeros(count + 1)
        whole[pivots] = found / scale[pivots] * scale[j]
        whole[j] = -1.0
        rounded = _round(np.append(whole[1:], whole[0]), matrix)
        if rounded is not None:
            yield rounded


def _round(vector: np.ndarray, matrix: np.ndarray) -> np.ndarray | None:
    """Return factors as the round numbers that they are nearly; nothing where they are not."""
    weight = np.abs(matrix).max(axis=0)
    for scale in (1, 2, 3, 4, 5, 6, 7, 8, 9):
        factors = np.round(vector[:-1] * scale, _DECIMALS) + 0.0
        largest = max(float(np.max(weight * np.abs(factors))), 1e-300)
        if np.any(np.abs(factors - vector[:-1] * scale) * weight > 1e-7 * largest) or np.abs(factors).max() > _FACTORS:
            continue
        if not 2 < np.count_nonzero(factors) <= TERMS:
            return None
        constant = float(f"{-np.median(matrix @ factors):.9g}")
        return np.append(factors, 0.0 if abs(constant) <= 1e-9 * largest else constant)
    return None


def _every_term_tells(columns: Columns, names: list[str], vector: np.ndarray, *, told: bool) -> bool:
    """Return whether the sum would not hold without one of its terms: a small one beside large ones is chance.

    With `told`, nor with another row's: a flag that is seldom up adds up with others by accident.
    """
    terms = [f * columns.numbers(n) for n, f in zip(names, vector[:-1], strict=True) if f]
    tame = ~wild(terms)
    if not tame.any():
        return False
    terms = [t[tame] for t in terms]
    sizes = np.sum(np.abs(terms), axis=0) + abs(vector[-1])
    if any(np.nanmax(t) - np.nanmin(t) <= _TELLING * np.nanmax(sizes) for t in terms):
        return False
    return not told or all(np.sum(np.abs(t - turned(t)) > 1e-9 * sizes) >= LEAST for t in terms)


def _against(columns: Columns, names: list[str], vector: np.ndarray) -> np.ndarray:
    """Return the positions of rows in which the terms do not add up to 0."""
    total = np.full(columns.rows, vector[-1])
    size = np.full(columns.rows, abs(vector[-1]))
    for name, factor in zip(names, vector[:-1], strict=True):
        if factor:
            term = factor * columns.numbers(name)
            total += term
            size += np.abs(term)
    return np.flatnonzero(~(np.abs(total) <= 1e-9 * size) & ~np.isnan(total))


def _simplest(found: list[np.ndarray]) -> list[np.ndarray]:
    """Return as many equations with fewer terms: one less another where that leaves less."""
    out = list(found)
    better = True
    while better:
        better = False
        for i, j in permutations(range(len(out)), 2):
            both = np.flatnonzero((out[i][:-1] != 0) & (out[j][:-1] != 0))
            for k in both[:TERMS]:
                trial = np.round(out[i] - out[j] * (out[i][k] / out[j][k]), _DECIMALS + 2) + 0.0
                if 2 < np.count_nonzero(trial[:-1]) < np.count_nonzero(out[i][:-1]):
                    out[i], better = trial, True
                    break
    return out


def _said(columns: Columns, names: list[str], vector: np.ndarray, made: Collection[Relation]) -> list[Relation]:
    """Return an equation as a rule: a total on the left where one column stands alone against the others."""
    if len(_against(columns, names, vector)):
        return []
    terms = {n: float(f) for n, f in zip(names, vector[:-1], strict=True) if f}
    constant = float(vector[-1])
    plus, minus = ({n: abs(f) for n, f in terms.items() if (f > 0) is positive} for positive in (True, False))
    left, right, constant = (plus, minus, -constant) if _stands_alone(plus, minus) else (minus, plus, constant)
    if len(left) == 1 and (other := _otherwise(terms, next(iter(left)), made)) not in left:
        return [_solved(columns, terms, float(vector[-1]), other)]
    if not right:
        rule, target = f"{_added(left)} == {plain(constant)}", max(left, key=names.index)
    elif not left:
        rule, target = f"{_added(right)} == {plain(-constant)}", max(right, key=names.index)
    else:
        said = f"{_added(left)} == {_added(right)}"
        rule = said if not constant else f"{said} {'+' if constant > 0 else '-'} {plain(abs(constant))}"
        target = next(iter(left)) if len(left) == 1 else max(terms, key=names.index)
    rows = int(np.sum(~np.isnan(columns.numbers(target))))
    return [Relation(rule, target, tuple(n for n in terms if n != target), rows)]


def _otherwise(terms: dict[str, float], target: str, made: Collection[Relation]) -> str:
    """Return which column a sum makes: none that is made of others and others are made of, if there is such a one."""
    made = [r for r in made if r.column in terms]
    sources = {c for r in made for c in r.others}
    closed = {r.column for r in made}
    if target not in sources & closed:
        return target
    able = [n for n, f in terms.items() if abs(f) == 1 and n not in sources]
    return next((n for n in reversed(able) if n not in closed), able[-1] if able else target)


def _solved(columns: Columns, terms: dict[str, float], constant: float, target: str) -> Relation:
    """Return an equation as a rule with one column alone on the left."""
    turn = -terms[target]
    rest = {n: f * turn for n, f in terms.items() if n != target}
    said = _added({n: f for n, f in rest.items() if f > 0})
    less = [f" - {_added({n: -f})}" for n, f in rest.items() if f < 0]
    said = said + "".join(less) if said else "0" + "".join(less)
    constant *= turn
    said += f" {'+' if constant > 0 else '-'} {plain(abs(constant))}" if constant else ""
    rows = int(np.sum(~np.isnan(columns.numbers(target))))
    return Relation(f"{quoted(target)} == {said}", target, tuple(rest), rows)


def _stands_alone(one: dict[str, float], other: dict[str, float]) -> bool:
    alone = [side for side in (one, other) if len(side) == 1 and set(side.values()) == {1.0}]
    return one in alone or (other not in alone and len(one) <= len(other))


def _added(terms: dict[str, float]) -> str:
    return " + ".join(quoted(n) if f == 1 else f"{plain(f)} * {quoted(n)}" for n, f in terms.items())
