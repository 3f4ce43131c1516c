"""Texts made by a grammar, for all rows at once, with the spans of the slots that have a label.

A derivation goes down level by level: all places where one rule stands on one level, in whatever rows and texts, choose
their alternatives together. Then texts are put together from the deepest level up, all that chose one alternative at
once. So the work grows with rules and levels, and no row is looked at by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import SampleError
from synthwright.kit.texts.grammar import Grammar, Option, Root, Slot
from synthwright.kit.texts.spans import Spans

_TEXT = pa.large_string()
_AN = "^[aeioAEIO]|^[uU](?:[^knstr]|[nstr][^iaeou])|^(?:[hH](?:our|onest|onou?r|eir)|8|11|18)"
_NO_AN = "^(?:[eE]u|[oO]ne|[oO]nce)"
Needed: TypeAlias = tuple[str, str, tuple[str, ...]]
"""A value that slots ask for: its name, its mark, and the formats of dates behind it."""


class Source(Protocol):
    """Where a derivation finds what is known of the rows."""

    def rng(self, *place: str) -> np.random.Generator:
        """Return a stream of randomness."""

    def holds(self, when: str) -> np.ndarray:
        """Return in which of all rows a condition holds."""

    def values(self, needed: Mapping[Needed, np.ndarray]) -> Mapping[Needed, pa.Array]:
        """Return texts of values for some rows each: ascending positions; null where there is no value."""


class Made(NamedTuple):
    """Texts, and the spans in them."""

    text: pa.Array
    spans: Spans


class _Below(NamedTuple):
    """Where a slot's texts come from: a batch of the next level, from one of its places on."""

    rule: str
    first: int


@dataclass
class _Group:
    """The places of a batch that chose one alternative."""

    at: np.ndarray
    option: Option
    below: list[_Below | None]


@dataclass
class _Batch:
    """All places where a rule stands on a level."""

    rule: str
    rows: np.ndarray
    chosen: np.ndarray
    groups: list[_Group]


@dataclass
class Texts:
    """Makes the texts of a grammar for some rows.

    Args:
        grammar: one without faults.
        source: what is known of the rows.
        rows: how many.
        nested: whether spans inside spans are kept.
    """

    grammar: Grammar
    source: Source
    rows: int
    nested: bool = False
    _asked: dict[Root, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    _needed: dict[Needed, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    _values: dict[Needed, tuple[np.ndarray, pa.Array]] = field(default_factory=dict)
    _marked: dict[Root, tuple[np.ndarray, Made]] = field(default_factory=dict)

    def make(self) -> Made:
        """Return a text for every row, null where a value that it names is missing, and the spans of its labels."""
        first = Root(self.grammar.start)
        self._asked[first].append(np.arange(self.rows))
        derived: dict[Root, tuple[np.ndarray, list[dict[str, _Batch]]]] = {}
        for root in self.grammar.roots:
            if self._asked[root]:
                rows = distinct(self._asked[root], self.rows)
                derived[root] = rows, self._down(root, rows)
        needed = {n: distinct(rows, self.rows) for n, rows in self._needed.items()}
        made = self.source.values(needed)
        self._values = {n: (rows, made[n]) for n, rows in needed.items()}
        for root in reversed(self.grammar.roots):
            if root in derived:
                rows, levels = derived[root]
                self._marked[root] = rows, self._up(root.rule, levels)
        text, spans = self._marked[first][1]
        there = np.asarray(text.is_valid())
        return Made(text, spans.some(there[spans.row]))

    # ---------------------------------------------------------------------------------------------------------- down
    def _down(self, root: Root, rows: np.ndarray) -> list[dict[str, _Batch]]:
        """Choose alternatives, level by level, until no slot is a rule's."""
        levels: list[dict[str, _Batch]] = []
        waiting: dict[str, list[np.ndarray]] = {root.rule: [rows]}
        while waiting:
            left = self.grammar.depth - len(levels)
            place = (*root, str(len(levels)))
            level: dict[str, _Batch] = {}
            below: dict[str, list[np.ndarray]] = defaultdict(list)
            for rule, parts in waiting.items():
                where = np.concatenate(parts)
                chosen = self._choose(rule, where, left, (*place, rule))
                level[rule] = _Batch(rule, where, chosen, self._groups(rule, where, chosen, below))
            levels.append(level)
            waiting = dict(below)
        return levels

    def _groups(
        self, rule: str, rows: np.ndarray, chosen: np.ndarray, below: dict[str, list[np.ndarray]]
    ) -> list[_Group]:
        """Return who chose which alternative with slots, and ask for what these need."""
        groups = []
        for i, option in enumerate(self.grammar.rules[rule]):
            if not option.slots:
                continue
            at = np.flatnonzero(chosen == i)
            if len(at):
                groups.append(_Group(at, option, [self._ask(slot, rows[at], below) for slot in option.slots]))
        return groups

    def _ask(self, slot: Slot, rows: np.ndarray, below: dict[str, list[np.ndarray]]) -> _Below | None:
        """Ask for what a slot needs in some rows."""
        if slot.name not in self.grammar.rules:
            self._needed[_needed(slot)].append(rows)
        elif slot.mark:
            self._asked[Root(slot.name, slot.mark)].append(rows)
        else:
            first = sum(map(len, below[slot.name]))
            below[slot.name].append(rows)
            return _Below(slot.name, first)
        return None

    def _choose(self, rule: str, rows: np.ndarray, left: int, place: Sequence[str]) -> np.ndarray:
        """Return an alternative for each place, of those that end in time and whose condition holds."""
        options = self.grammar.rules[rule]
        weights = np.array([o.weight if self.grammar.height(o) <= left else 0.0 for o in options])
        asking = [i for i, o in enumerate(options) if o.when is not None and weights[i] > 0]
        if not asking:
            if (weights > 0).sum() == 1:
                return np.full(len(rows), int(np.argmax(weights)), dtype=np.int64)
            return _drawn(weights[None, :], np.zeros(len(rows), dtype=np.int64), self.source.rng(*place))
        holds = np.column_stack([self.source.holds(str(options[i].when))[rows] for i in asking])
        _, seen, which = np.unique(np.packbits(holds, axis=1), axis=0, return_index=True, return_inverse=True)
        laws = np.tile(weights, (len(seen), 1))
        laws[:, asking] *= holds[seen]
        which = which.ravel()
        none = int((laws.sum(axis=1) <= 0)[which].sum())
        if none:
            raise SampleError("template", f"rule {rule!r}", wanted="an alternative whose condition holds",
                              got=f"none in {none:,} of {len(rows):,} rows",
                              remedy="give it one without `when`")  # fmt: skip
        return _drawn(laws, which, self.source.rng(*place))

    # ------------------------------------------------------------------------------------------------------------ up
    def _up(self, rule: str, levels: list[dict[str, _Batch]]) -> Made:
        """Put texts together, from the deepest level on."""
        under: dict[str, Made] = {}
        for level in reversed(levels):
            under = {name: self._together(batch, under) for name, batch in level.items()}
        return under[rule]

    def _together(self, batch: _Batch, under: Mapping[str, Made]) -> Made:
        """Return the texts of a batch: alternatives without slots are looked up, others put together."""
        options = self.grammar.rules[batch.rule]
        plain = pa.array(["".join(map(str, o.pieces)) if not o.slots else "" for o in options], _TEXT)
        if not batch.groups:
            return Made(plain.take(pa.array(batch.chosen)), Spans.none())
        slotted = np.array([bool(o.slots) for o in options])[batch.chosen]
        rest = np.flatnonzero(~slotted)
        texts, places, spans = [plain.take(pa.array(batch.chosen[rest]))], [rest], []
        for group in batch.groups:
            made = self._joined(batch, group, under)
            texts.append(made.text)
            places.append(group.at)
            if len(made.spans.row):
                spans.append(made.spans._replace(row=group.at[made.spans.row]))
        back = np.empty(len(batch.rows), dtype=np.int64)
        back[np.concatenate(places)] = np.arange(len(batch.rows))
        every = Spans.joined(spans)
        return Made(pa.concat_arrays(texts).take(pa.array(back)), every.some(np.argsort(every.row, kind="stable")))

    def _joined(self, batch: _Batch, group: _Group, under: Mapping[str, Made]) -> Made:
        """Return the texts of the places that chose one alternative."""
        rows, below = batch.rows[group.at], iter(group.below)
        parts: list[pa.Array | pa.Scalar] = []
        spans: list[tuple[int, Spans]] = []  # behind which part each stands
        for piece in group.option.pieces:
            if isinstance(piece, str):
                parts.append(pa.scalar(piece, _TEXT))
                continue
            made = self._filled(piece, next(below), rows, under)
            if "a" in piece.filters:
                parts.append(_article(made.text))
            inner = self._labelled(piece, made)
            if len(inner.row):
                spans.append((len(parts), inner))
            parts.append(made.text)
        text = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))
        if not spans:
            return Made(text, Spans.none())
        before = np.zeros(len(rows), dtype=np.int64)
        moved, done = [], 0
        for count, inner in spans:
            for part in parts[done:count]:
                before = before + _lengths(part)
            done = count
            moved.append(inner._replace(start=inner.start + before[inner.row], end=inner.end + before[inner.row]))
        return Made(text, Spans.joined(moved))

    def _filled(self, slot: Slot, below: _Below | None, rows: np.ndarray, under: Mapping[str, Made]) -> Made:
        """Return what stands in a slot in some rows."""
        if below is not None:
            text, spans = under[below.rule]
            low, high = np.searchsorted(spans.row, [below.first, below.first + len(rows)])
            inner = spans.some(np.arange(low, high))
            made = Made(text.slice(below.first, len(rows)), inner._replace(row=inner.row - below.first))
        elif slot.name in self.grammar.rules:
            held, made = self._marked[Root(slot.name, slot.mark)]
            made = _taken(made, np.searchsorted(held, rows))
        else:
            held, values = self._values[_needed(slot)]
            made = Made(values.take(pa.array(np.searchsorted(held, rows))), Spans.none())
        return Made(_filtered(made.text, slot.filters), made.spans)

    def _labelled(self, slot: Slot, made: Made) -> Spans:
        """Return the spans of a slot's text: its own where it has a label, and those inside it where they are kept."""
        if not slot.label:
            return made.spans
        lengths = _lengths(made.text)
        row = np.flatnonzero(lengths)
        code = np.full(len(row), self.grammar.labels.index(slot.label), dtype=np.int32)
        own = Spans(row, np.zeros(len(row), dtype=np.int64), lengths[row], code)
        return Spans.joined([own, made.spans]) if self.nested else own


def _needed(slot: Slot) -> Needed:
    return slot.name, slot.mark, tuple(f for f in slot.filters if "%" in f)


def distinct(parts: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Return the positions that are in any of several lists, ascending, of so many rows."""
    there = np.zeros(rows, dtype=bool)
    for part in parts:
        there[part] = True
    return np.flatnonzero(there)


def _drawn(laws: np.ndarray, which: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an alternative for each place, by the law of each."""
    many, size = laws.shape
    ends = np.cumsum(laws, axis=1)
    ends /= ends[:, -1:]
    last = size - 1 - np.argmax(laws[:, ::-1] > 0, axis=1)
    flat = (ends + np.arange(many)[:, None]).ravel()
    found = np.searchsorted(flat, which + rng.random(len(which)), side="right") - which * size
    return np.minimum(found, last[which])


def _lengths(part: pa.Array | pa.Scalar) -> np.ndarray:
    """Return characters, as many as there are rows, or one number for all."""
    if isinstance(part, pa.Scalar):
        return np.array([len(part.as_py())], dtype=np.int64)
    return np.asarray(pc.fill_null(pc.utf8_length(part), 0), dtype=np.int64)


def _taken(made: Made, places: np.ndarray) -> Made:
    """Return texts at some places, ascending or not, each maybe several times, with their spans."""
    text, spans = made
    low, high = np.searchsorted(spans.row, places), np.searchsorted(spans.row, places, side="right")
    counts = high - low
    row = np.repeat(np.arange(len(places)), counts)
    at = np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(len(row))
    return Made(text.take(pa.array(places)), spans.some(at)._replace(row=row))


def _filtered(text: pa.Array, filters: tuple[str, ...]) -> pa.Array:
    """Return texts as filters change them; none of these changes how many characters there are."""
    for one in filters:
        if one in CASES:
            text = cased(text, one)
        elif one == "capital":
            head = pc.utf8_upper(pc.utf8_slice_codeunits(text, 0, 1))
            text = pc.binary_join_element_wise(head, pc.utf8_slice_codeunits(text, 1), pa.scalar("", _TEXT))
    return text


CASES = {"upper": "utf8_upper", "lower": "utf8_lower", "title": "utf8_title"}
"""How texts may be written, and what Arrow calls it; each letter becomes one letter."""


def cased(text: pa.Array, case: str) -> pa.Array:
    """Return texts in capitals, in small letters, or with a capital at the beginning of each word."""
    return pc.call_function(CASES[case], [text])


def _article(text: pa.Array) -> pa.Array:
    """Return `a ` or `an `, as the first letters of texts want it in English."""
    an = pc.and_(pc.match_substring_regex(text, _AN), pc.invert(pc.match_substring_regex(text, _NO_AN)))
    return pc.if_else(an, pa.scalar("an ", _TEXT), pa.scalar("a ", _TEXT))
