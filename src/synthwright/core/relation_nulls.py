"""Which values are missing together, one instead of the other, or where another column has certain values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.relation_lookup import determined
from synthwright.core.relation_order import reduced
from synthwright.core.rule_tokens import LONGEST
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import labels, nulls

BITS = 20.0
"""How much a pattern must say: by chance it would be met in one of so many powers of two tables."""
FEWEST = 5
"""Rows that are there at least on each side of what a rule tells apart."""
PATTERNS = 500
"""Different patterns of missing values that are compared with each other."""
IMPLICATIONS = 50
"""Rules about values that are missing only where others are, at most."""
LABELS = 20
"""Different values of a column that decides where another is missing, at most."""
DECIDING = 500
"""Columns that may decide where others are missing."""
BEYOND = 100
"""Numbers beyond which others may be missing."""
PAIRS = 2_000
"""Pairs that are looked at in all rows."""
SHARED = 3
"""Rows that must share a value before it is written into a rule."""
_LONGEST = 60


class Pattern(NamedTuple):
    """Where the values of one or several columns are missing."""

    name: str
    """The first column that has the pattern."""
    missing: np.ndarray
    holes: int


def missing_together(columns: Columns, gone: set[str]) -> list[Relation]:
    """Return which values are missing exactly or only where others are, or where another column has certain values.

    Args:
        columns: the table.
        gone: columns that follow from others as they are, missing values included.
    """
    out, patterns = _alike(columns, gone)
    decided = _decided(columns, patterns, gone)
    decided += _beyond(columns, [p for p in patterns if p.name not in {r.column for r in decided}], gone)
    bound = {r.column for r in decided}
    within = [r for r in _implications(columns, patterns) if not {r.column, *r.others} <= bound]
    return [r for r in (*out, *decided, *within[:IMPLICATIONS]) if len(r.rule) <= LONGEST]


def _able(columns: Columns, gone: set[str]) -> list[str]:
    present = set(columns.held.column_names) - gone
    return [n for n, f in columns.spec.fields.items()
            if n in present and not f.anew and not f.unique and f.kind is not Kind.REFERENCE]  # fmt: skip


def _alike(columns: Columns, gone: set[str]) -> tuple[list[Relation], list[Pattern]]:
    """Return the columns with an earlier one's pattern or its opposite, and the patterns that differ."""
    rows = columns.rows
    seen: dict[bytes, Pattern] = {}
    out: list[Relation] = []
    for name in _able(columns, gone):
        column = columns.held.column(name)
        if not column.null_count and not pa.types.is_floating(column.type):
            continue
        missing = nulls(column)
        count = int(missing.sum())
        if min(count, rows - count) < SHARED or ways(rows, count) < enough(columns):
            continue
        first = seen.get(np.packbits(missing).tobytes())
        other = seen.get(np.packbits(~missing).tobytes())
        if first is not None:
            said = f"({quoted(name)} is null) == ({quoted(first.name)} is null)"
            out.append(Relation(said, name, (first.name,), rows))
        elif other is not None:
            said = f"({quoted(name)} is null) == ({quoted(other.name)} is not null)"
            out.append(Relation(said, name, (other.name,), rows))
        elif len(seen) < PATTERNS:
            seen[np.packbits(missing).tobytes()] = Pattern(name, missing, count)
    return out, list(seen.values())


def enough(columns: Columns) -> float:
    """Return how many bits make a pattern more than one of the accidents that so many pairs of columns have."""
    return BITS + 2 * float(np.log2(max(2, columns.held.num_columns)))


def ways(rows: int | np.ndarray, count: int | np.ndarray) -> np.ndarray:
    """Return how many bits say which `count` of `rows` are chosen."""
    left = np.subtract(rows, count)
    said = _log_factorial(rows) - _log_factorial(count) - _log_factorial(left)
    return np.asarray(said / np.log(2))


def _log_factorial(count: int | np.ndarray) -> np.ndarray:
    """Return the natural logarithm of count! by Stirling's series, to a thousandth."""
    at = np.add(count, 1.0)
    return np.asarray((at - 0.5) * np.log(at) - at + 0.5 * np.log(2 * np.pi) + 1 / (12 * at) - 1 / (360 * at**3))


def _implications(columns: Columns, patterns: list[Pattern]) -> list[Relation]:
    """Return which values are missing wherever others are, and which are never missing, or there, together."""
    rows = columns.rows
    if len(patterns) < 2:
        return []
    count = np.array([p.holes for p in patterns])
    sample = np.stack([p.missing[columns.at] for p in patterns]).astype(np.float32)
    both = np.rint(sample @ sample.T).astype(np.int64)
    some, few = np.rint(sample.sum(axis=1)).astype(np.int64), sample.shape[1]
    edges: dict[tuple[str, str], int] = {}
    weight: dict[tuple[str, str], float] = {}
    out: list[tuple[float, Relation]] = []
    for form, found in (("within", both == some[:, None]), ("missing", both == 0),
                        ("there", some[:, None] + some[None, :] - both == few)):  # fmt: skip
        size = rows - count if form == "there" else count
        room = count if form == "within" else rows - size
        where = found & (size[:, None] >= FEWEST) & (size[:, None] + FEWEST <= room[None, :])
        one, other = np.nonzero(where if form == "within" else np.triu(where, 1))
        said = ways(rows, size[one]) - ways(room[other], size[one])
        order = np.argsort(-said, kind="stable")
        for i in order[said[order] >= enough(columns)][:PAIRS]:
            left, right = patterns[one[i]], patterns[other[i]]
            if not _implied(form, left.missing, right.missing):
                continue
            if form == "within":
                edges[left.name, right.name] = rows
                weight[left.name, right.name] = float(said[i])
            else:
                out.append((float(said[i]), _exclusive(form, left.name, right.name, rows)))
    for low, high in reduced(edges):
        rule = f"{quoted(high)} is null or {quoted(low)} is not null"
        out.append((weight[low, high], Relation(rule, high, (low,), rows)))
    return [r for _, r in sorted(out, key=lambda pair: -pair[0])]


def _implied(form: str, left: np.ndarray, right: np.ndarray) -> bool:
    if form == "within":
        return not np.any(left & ~right)
    return not np.any(left & right if form == "missing" else ~(left | right))


def _exclusive(form: str, left: str, right: str, rows: int) -> Relation:
    word = "is not null" if form == "missing" else "is null"
    return Relation(f"{quoted(right)} {word} or {quoted(left)} {word}", right, (left,), rows)


def _decided(columns: Columns, patterns: list[Pattern], gone: set[str]) -> list[Relation]:
    """Return the columns whose values are missing exactly where another column has one of a few values."""
    deciding = []
    for name in columns.discrete():
        if name not in gone and columns.spec.fields[name].kind in (Kind.BOOLEAN, Kind.CATEGORY, Kind.INTEGER):
            distinct = len(np.unique(columns.sampled_codes(name)))
            if 2 <= distinct <= LABELS + 1:
                deciding.append(name)
    deciding = deciding[:DECIDING]
    if not patterns or not deciding:
        return []
    sampled = [columns.sampled_codes(n) for n in deciding] + [p.missing[columns.at] for p in patterns]
    pairs = determined(np.stack(sampled, axis=1).astype(np.int32), len(deciding))
    out: dict[str, Relation] = {}
    for left, right in pairs[:PAIRS]:
        pattern, name = patterns[right - len(deciding)], deciding[left]
        if pattern.name != name and pattern.name not in out:
            rule = _deciding(columns, name, pattern)
            if rule is not None:
                out[pattern.name] = Relation(rule, pattern.name, (name,), columns.rows)
    return list(out.values())


def _deciding(columns: Columns, name: str, pattern: Pattern) -> str | None:
    """Return the rule by which a column decides where another is missing; nothing where it does not."""
    codes, distinct = labels(columns.held.column(name))
    size = len(distinct)
    if size > LABELS * 5:
        return None
    known = codes >= 0
    total = np.bincount(codes[known], minlength=size)
    absent = np.bincount(codes[known], pattern.missing[known], minlength=size)
    shared = total >= SHARED
    if np.any(shared & (absent > 0) & (absent < total)) or np.count_nonzero(shared) > LABELS:
        return None
    inside, outside = shared & (absent == total), shared & (absent == 0)
    count = int(absent.sum())
    if min(count, int(known.sum()) - count) < FEWEST or ways(int(known.sum()), count) - size < enough(columns):
        return None
    among = np.append(inside, False)[codes], np.append(outside, False)[codes]
    wording = [(inside, "is null", pattern.missing), (outside, "is not null", ~pattern.missing)]
    able = [(int(which.sum()), verb, which, happens) for i, (which, verb, happens) in enumerate(wording)
            if which.any() and np.array_equal(among[i][known], happens[known])]  # fmt: skip
    if not able:
        return None
    _, verb, which, happens = min(able, key=lambda a: a[0])
    values = [v for v, chosen in zip(distinct.to_pylist(), which, strict=True) if chosen]
    return _said(name, f"{quoted(pattern.name)} {verb}", values, happens[~known])


def _beyond(columns: Columns, patterns: list[Pattern], gone: set[str]) -> list[Relation]:
    """Return the columns whose values are missing exactly where a number has one value, or is beyond one."""
    kinds = {n: columns.spec.fields[n].kind for n in columns.ordered() if n not in gone}
    able = [n for n, kind in kinds.items() if kind in (Kind.INTEGER, Kind.NUMBER) and columns.exact(n)][:BEYOND]
    able = [n for n in able if not np.isnan(columns.numbers(n)).any()]
    out: list[Relation] = []
    for pattern in patterns:
        count = int(pattern.missing.sum())
        if min(count, columns.rows - count) < FEWEST or float(ways(columns.rows, count)) < enough(columns):
            continue
        for name in able:
            values = columns.numbers(name)
            where = _where(values[pattern.missing], values[~pattern.missing])
            if where is not None:
                sign, at = where
                rule = f"({quoted(pattern.name)} is null) == ({quoted(name)} {sign} {plain(at)})"
                out.append(Relation(rule, pattern.name, (name,), columns.rows))
                break
    return out


def _where(inside: np.ndarray, outside: np.ndarray) -> tuple[str, float] | None:
    """Return the comparison that some numbers fulfil and others do not, with a number that enough rows share."""
    for sign, one, other in (("==", inside, outside), ("!=", outside, inside)):
        if one.min() == one.max() and not np.any(other == one[0]):
            return sign, float(one[0])
    for signs, one, other in ((("<=", "<"), inside, outside), ((">", ">="), outside, inside)):
        if one.max() < other.min():
            for sign, side, at in zip(signs, (one, other), (one.max(), other.min()), strict=True):
                if np.sum(side == at) >= SHARED:
                    return sign, float(at)
    return None


def _said(name: str, happens: str, values: list[object], unknown: np.ndarray) -> str | None:
    """Return a rule, with what holds where the deciding column itself is missing if that is one thing."""
    one = quoted(name)
    sure = len(unknown) >= SHARED and bool(unknown.all() or not unknown.any())
    spelled = [literal(v) for v in values]
    if any(s is None for s in spelled):
        return None
    condition = f"{one} == {spelled[0]}" if len(spelled) == 1 else f"{one} in [{', '.join(map(str, spelled))}]"
    if sure:
        condition = f"{one} is null or {condition}" if unknown.all() else f"{one} is not null and {condition}"
    return f"({happens}) == ({condition})"


def literal(value: object) -> str | None:
    """Return a value as rules write it; nothing for long texts and those that cannot be printed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if len(text) > _LONGEST or not text.isprintable():
        return None
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
