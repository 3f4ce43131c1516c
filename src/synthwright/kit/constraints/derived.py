"""Columns that rules derive from others: by a formula, or by looking up what belongs to a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.bands import bands_of
from synthwright.core.rule_nodes import Compare, Name, Node, Parsed, Product, Sum, names_in, walk
from synthwright.core.rule_types import type_of
from synthwright.core.rules import parse
from synthwright.core.schema import ORDERED, Field, Kind, Table, canonical
from synthwright.core.values import from_numbers, nulls, numbers
from synthwright.kit.coding.rulers import from_integers, integers, is_whole
from synthwright.kit.constraints.conjuncts import conjuncts
from synthwright.kit.constraints.expressions import computed, present, with_part
from synthwright.kit.rows import mix, row_hashes, value_hashes

SHARED = 3
"""Rows that must share a value before it is kept."""
_COMPUTED = (("number", "boolean"), ("date", "datetime"))
"""What a formula gives and a column of another type can hold: a truth value, midnight."""
HEAVIER = 0.1
"""By how much a value's share of the rows exceeds those in other columns where another column is computed."""


@dataclass(frozen=True)
class Formula:
    """A column that is computed: `total` from `net + tax`."""

    target: str
    rule: str
    node: Node
    whole: bool
    """Whether the column is left to the formula altogether; else only values that are there are replaced."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is computed from."""
        return names_in(self.node)

    def values(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the column's values for the rows of a table."""
        return computed(held, self.node, spec, spec.fields[self.target])


@dataclass(frozen=True)
class Lookup:
    """A column that follows from others: `country` from `city`. Holds only pairs that enough rows share."""

    target: str
    rule: str
    sources: tuple[str, ...]
    whole: bool
    """Whether the column is left to the lookup altogether; else only values that are there are replaced."""
    known: np.ndarray
    """Row hashes of the source values, sorted, uint64."""
    code: np.ndarray
    """For each of them which label belongs to it; -1 is null."""
    field: Field
    """What the target is."""
    labels: pa.Array
    """The target's values, of its canonical type."""
    weights: np.ndarray
    """Rows that have each label."""
    places: np.ndarray
    """For one ordered source: its known values as numbers, in the order of `known`; else empty."""
    bands: bool = False
    """Whether labels stand for bands of the source, so that all its values are known. `places` are where they end."""
    part: str = ""
    """What of the one source counts: its month, its weekday; nothing: all of it."""

    def find(self, held: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Return for each row the code of the label that belongs to its sources, and whether they are known."""
        held = with_part(held, self.sources[0], self.part) if self.part else held
        hashes = row_hashes(held, self.sources)
        at = np.minimum(np.searchsorted(self.known, hashes), len(self.known) - 1)
        found = self.known[at] == hashes
        code = self.code[at]
        strange = ~found & present(held, self.sources)
        if self.bands:
            found = strange
        if strange.any():
            code = np.where(strange, self._guessed(held, hashes), code)
        return np.where(found | strange, code, -1), found

    def _guessed(self, held: pa.Table, hashes: np.ndarray) -> np.ndarray:
        """Return labels for unknown sources: of the nearest known number, or drawn from all by the value itself.

        Drawn by the value, so that the same source has the same label in every row and shard.
        """
        if len(self.places):
            order = np.argsort(self.places, kind="stable")
            places = self.places[order]
            wanted = np.nan_to_num(numbers(held.column(self.sources[0])))
            right = np.clip(np.searchsorted(places, wanted), 1, max(len(places) - 1, 1))
            right = np.minimum(right, len(places) - 1)
            left = np.maximum(right - 1, 0)
            nearer = np.where(wanted - places[left] <= places[right] - wanted, left, right)
            return self.code[order[nearer]]
        if not len(self.labels):
            return np.full(len(hashes), -1)
        shares = np.cumsum(self.weights) / self.weights.sum()
        within = mix(hashes) / 2.0**64
        return np.minimum(np.searchsorted(shares, within, side="right"), len(shares) - 1)

    def values(self, held: pa.Table, spec: Table) -> pa.Array:
        """Return the column's values for the rows of a table."""
        code, _ = self.find(held)
        return self.labels.take(pa.array(code, mask=code < 0))

    def broken(self, held: pa.Table) -> np.ndarray:
        """Return booleans: in which rows a known source stands beside another value than its own."""
        code, found = self.find(held)
        wanted = np.append(value_hashes(self.labels), np.uint64(0))[code]
        differs = value_hashes(held.column(self.target)) != wanted
        return np.asarray(found & (code >= 0) & differs & present(held, (*self.sources, self.target)))


Step = Formula | Lookup


def solved(compare: Compare, column: str) -> Node | None:
    """Return what a column must be for an equation to hold, if it stands in it once, added or taken away."""
    for one, other in ((compare.left, compare.right), (compare.right, compare.left)):
        if one == Name(column):
            return None if column in names_in(other) else other
    mine: list[int] = []
    rest: list[tuple[int, Node]] = []
    for side, outer in ((compare.left, 1), (compare.right, -1)):
        terms = side.terms if isinstance(side, Sum) else ((1, side),)
        for sign, term in terms:
            if term == Name(column):
                mine.append(sign * outer)
            else:
                rest.append((sign * outer, term))
    if len(mine) != 1 or column in {n for _, term in rest for n in names_in(term)}:
        return None
    terms = tuple((-mine[0] * sign, term) for sign, term in rest)
    return Sum(tuple(sorted(terms, key=lambda t: -t[0])))  # what is added first: a date less a number of days


def equations(parsed: Parsed, spec: Table) -> list[Formula]:
    """Return every column that a rule gives a formula for; the one that stands alone on a side first."""
    out: dict[str, tuple[bool, Formula]] = {}
    for node in conjuncts(parsed):
        if not isinstance(node, Compare) or node.sign != "==":
            continue
        for column in names_in(node):
            formula = solved(node, column)
            if column in out or formula is None or not names_in(formula):
                continue
            kinds = type_of(formula, spec), type_of(Name(column), spec)
            if kinds[0] == kinds[1] or kinds in _COMPUTED:  # what is left of one
                bare = Name(column) in (node.left, node.right)
                out[column] = (bare, Formula(column, parsed.text, formula, whole=False))
    return [formula for _, formula in sorted(out.values(), key=lambda pair: not pair[0])]


def always_alike(formula: Formula, held: pa.Table, spec: Table) -> bool:
    """Return whether the target is missing exactly where the formula gives nothing."""
    made = formula.values(held, spec)
    return bool(np.array_equal(nulls(made), nulls(held.column(formula.target))))


def learn_lookup(
    held: pa.Table, rule: str, sources: tuple[str, ...], target: str, spec: Table, part: str = ""
) -> Lookup | None:
    """Return what target belongs to which sources, where enough rows say so; nothing where none do."""
    if part:
        held = with_part(held, sources[0], part)
        spec = spec.model_copy(update={"fields": spec.fields | {sources[0]: Field(kind=Kind.INTEGER)}})
        found = learn_lookup(held, rule, sources, target, spec)
        return None if found is None else replace(found, part=part)
    there = present(held, (*sources, target))
    if len(sources) == 1 and spec.fields[sources[0]].kind in ORDERED and sources[0] != target:
        found = _banded(held, there, rule, (sources[0], target), spec)
        if found is not None:
            return found
    lookup = _learned(held, rule, sources, target, spec)
    if there.all() or (lookup is not None and lookup.whole):
        return lookup
    return _learned(held.filter(pa.array(there)), rule, sources, target, spec, whole=False)


def _learned(
    held: pa.Table, rule: str, sources: tuple[str, ...], target: str, spec: Table, *, whole: bool = True
) -> Lookup | None:
    left = row_hashes(held, sources)
    pairs = row_hashes(held, (*sources, target))
    distinct, first, count = np.unique(pairs, return_index=True, return_counts=True)
    known = left[first]
    order = np.lexsort((first, -count, known))  # source by source, the most common target first
    known, first, count = known[order], first[order], count[order]
    leads = np.unique(known, return_index=True)[1]
    constant = whole and len(leads) == len(distinct)
    kept = leads[count[leads] >= SHARED]
    if not len(kept):
        return None
    values = held.column(target).take(pa.array(first[kept])).combine_chunks()
    coded = values.dictionary_encode()
    code = np.where(nulls(values), -1, coded.indices.fill_null(0).to_numpy(zero_copy_only=False)).astype(np.int64)
    weights = np.bincount(code[code >= 0], count[kept][code >= 0], minlength=len(coded.dictionary))
    ordered = len(sources) == 1 and spec.fields[sources[0]].kind in ORDERED
    places = numbers(held.column(sources[0]).take(pa.array(first[kept]))) if ordered else np.zeros(0)
    usable = ~np.isnan(places) if ordered else np.ones(len(kept), dtype=bool)
    if ordered and not usable.all():
        places = np.zeros(0)  # null is one of the known values: numbers alone cannot stand for them
    return Lookup(target, rule, sources, constant, known[kept], code, spec.fields[target], coded.dictionary,
                  weights, places)  # fmt: skip


def _banded(held: pa.Table, there: np.ndarray, rule: str, both: tuple[str, str], spec: Table) -> Lookup | None:
    """Return which labels stand for which bands of an ordered column; nothing where they do not."""
    source, target = both
    coded = held.column(target).filter(pa.array(there)).combine_chunks().dictionary_encode()
    codes = coded.indices.to_numpy().astype(np.int64)
    values = numbers(held.column(source).filter(pa.array(there)))
    bands = bands_of(values, codes) if len(codes) else None
    if bands is None:
        return None
    code = np.repeat(bands.codes, 2)[1:-1]
    places = np.stack([np.nextafter(bands.begins, -np.inf), bands.begins], axis=1).ravel()
    whole = bool(np.array_equal(nulls(held.column(source)), nulls(held.column(target))))
    weights = np.bincount(codes, minlength=len(coded.dictionary))
    return Lookup(target, rule, (source,), whole, np.arange(len(code), dtype=np.uint64), code, spec.fields[target],
                  coded.dictionary, weights, places, bands=True)  # fmt: skip


class Chosen(NamedTuple):
    """How the rules of a table are kept while its columns are made."""

    steps: list[Step]
    """What derives columns, in the order to take them."""
    checks: list[Lookup]
    """Lookups that only say which rows break a rule."""


def choose(held: pa.Table, rules: Iterable[Parsed], spec: Table, produce: tuple[str, ...], *, fill: bool) -> Chosen:
    """Return how produced columns are derived.

    Args:
        held: the real rows.
        rules: the rules that concern them.
        spec: the table.
        produce: the columns that are made; the others are given.
        fill: whether only missing values are made, so that nothing can be left to a formula altogether.
    """
    formulas: list[Step] = []
    lookups: list[Lookup] = []
    for parsed in rules:
        formulas += _formulas(held, parsed, spec, set(produce), fill=fill)
        for target in parsed.right:
            if not any(spec.fields[c].anew for c in (*parsed.left, target)):
                lookup = learn_lookup(held, parsed.text, parsed.left, target, spec, parsed.part)
                if lookup is not None:
                    lookups.append(replace(lookup, whole=False) if fill else lookup)
    place = {c: i for i, c in enumerate(spec.fields)}
    lookups.sort(key=lambda s: (not s.whole, spec.fields[s.target].kind in ORDERED, -place[s.target]))
    steps: dict[str, Step] = {}
    for step in (*formulas, *(s for s in lookups if s.target in produce)):
        if step.target not in steps and not _reaches(step, steps):
            steps[step.target] = step
    return Chosen(_in_order(steps), [s for s in lookups if steps.get(s.target) is not s])


def _formulas(held: pa.Table, parsed: Parsed, spec: Table, produce: set[str], *, fill: bool) -> list[Step]:
    """Return the ways to derive a produced column from a rule, those that replace it altogether first.

    What is computed is as it comes: a column with one value in many rows (no credit) is better made by the generator.
    A product is made too, though it is replaced: what others of its columns have to do with it no generator would see
    in its factors.
    """
    able = [f for f in equations(parsed, spec) if f.target in produce]
    alone = {*parsed.columns} >= produce
    marked = [replace(f, whole=not fill and (alone or not _bent(f)) and always_alike(f, held, spec)) for f in able]
    heavy = {f.target: _heaviest(held.column(f.target)) for f in able} if len(able) > 1 else {}
    least = min(heavy.values(), default=0.0) + HEAVIER
    return sorted(marked, key=lambda f: (not f.whole, heavy.get(f.target, 0.0) > least))


def _bent(formula: Formula) -> bool:
    """Return whether columns are multiplied or divided in a formula."""
    products = (n for n in walk(formula.node) if isinstance(n, Product))
    return any(len({c for _, factor in n.factors for c in names_in(factor)}) > 1 for n in products)


def _heaviest(column: pa.ChunkedArray) -> float:
    """Return the share of rows that have a column's most frequent value."""
    counts = pa.compute.value_counts(column.drop_null()).field(1)
    return float(pa.compute.max(counts).as_py() or 0) / max(len(column), 1)


def _reaches(step: Step, steps: Mapping[str, Step]) -> bool:
    """Return whether the target would be needed for its own sources."""
    waiting, seen = list(step.sources), set()
    while waiting:
        column = waiting.pop()
        if column == step.target:
            return True
        if column in steps and column not in seen:
            seen.add(column)
            waiting += steps[column].sources
    return False


def _in_order(steps: Mapping[str, Step]) -> list[Step]:
    out: list[Step] = []
    left = dict(steps)
    while left:
        ready = [t for t, s in left.items() if not any(c in left for c in s.sources)]
        out += [left.pop(t) for t in ready]
    return out


def step_to_json(step: Step, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what `step_of_json` makes the same step from: words, and arrays under names that begin with `name`."""
    head: dict[str, Any] = {"target": step.target, "rule": step.rule, "whole": step.whole}
    if isinstance(step, Formula):
        return head, {}
    field = step.field
    head |= {"sources": list(step.sources), "field": field.model_dump(mode="json", exclude_defaults=True),
             "bands": step.bands, "part": step.part}  # fmt: skip
    arrays = {"known": step.known, "code": step.code, "weights": step.weights, "places": step.places}
    if is_whole(field):
        arrays["labels"] = integers(step.labels)
    elif pa.types.is_floating(step.labels.type):
        arrays["labels"] = numbers(step.labels)
    else:
        head["labels"] = [v if isinstance(v, bool) else str(v) for v in step.labels.to_pylist()]
    return head, {f"{name}.{n}": a for n, a in arrays.items()}


def step_of_json(head: dict[str, Any], name: str, arrays: Mapping[str, np.ndarray]) -> Step:
    """Rebuild a step."""
    if "sources" not in head:
        node = formula_of(head["rule"], head["target"])
        return Formula(head["target"], head["rule"], node, head["whole"])
    field = Field.model_validate(head["field"])
    kind = canonical(field)
    if "labels" not in head:
        held = arrays[f"{name}.labels"]
        labels = from_integers(held, field) if is_whole(field) else from_numbers(held, None, field)
    else:
        values = [Decimal(v) for v in head["labels"]] if pa.types.is_decimal(kind) else head["labels"]
        labels = pa.array(values, kind)
    known, code, weights, places = (arrays[f"{name}.{n}"] for n in ("known", "code", "weights", "places"))
    return Lookup(head["target"], head["rule"], tuple(head["sources"]), head["whole"], known, code, field, labels,
                  weights, places, bands=head["bands"], part=head.get("part", ""))  # fmt: skip


def formula_of(rule: str, target: str) -> Node:
    """Return the formula that a rule gives for a column; a ValueError where it gives none."""
    for node in conjuncts(parse(rule)):
        if isinstance(node, Compare) and node.sign == "==":
            found = solved(node, target)
            if found is not None and names_in(found):
                return found
    raise ValueError(f"rule {rule!r} gives no formula for {target!r}")
