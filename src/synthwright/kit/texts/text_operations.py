"""Changes of texts that keep what they are about: other words for words, and their order.

An operation draws what it changes, and applies it: the one is chance, the other is not. Both look at whole columns.
How letters are changed is in `text_slips`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.texts.synonyms import Synonyms, cased_as
from synthwright.kit.texts.text_pieces import TEXT, Pieces, deleted, firsts, inserted, matching, replaced, taken

SURE = 1.0
"""The chance of a word that is to be changed, whatever the rate."""


class Operation(ABC):
    """One way to change texts."""

    name: ClassVar[str]

    @abstractmethod
    def able(self, held: Pieces) -> np.ndarray:
        """Return booleans: the words that it can change."""

    @abstractmethod
    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Any:
        """Return what is changed: each word that can be, with its chance."""

    @abstractmethod
    def apply(self, held: Pieces, drawn: Any) -> Pieces:
        """Return the texts with what was drawn."""


def picked(able: np.ndarray, chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the places of words that can be changed and are, each with its chance."""
    return np.flatnonzero(able & (rng.random(len(able)) < chance))


class Words(NamedTuple):
    """Words for some places, which rise."""

    at: np.ndarray
    new: pa.Array


class Synonym(Operation):
    """Puts synonyms in place of words."""

    name = "synonym"

    def __init__(self, synonyms: Synonyms) -> None:
        self.synonyms = synonyms

    def able(self, held: Pieces) -> np.ndarray:
        return held.free & (self.synonyms.find(held.text) >= 0)

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Words:
        place = self.synonyms.find(held.text)
        at = picked(held.free & (place >= 0), chance, rng)
        return Words(at, self.synonyms.draw(place[at], rng))

    def apply(self, held: Pieces, drawn: Words) -> Pieces:
        return replaced(held, drawn.at, cased_as(drawn.new, taken(held.text, drawn.at)))


class Insertion(Synonym):
    """Puts a synonym of a word somewhere else into its text."""

    name = "insertion"

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Words:
        drawn = super().draw(held, chance, rng)
        open_ = np.flatnonzero(held.apart)
        row = held.row[drawn.at]
        low, high = (np.searchsorted(held.row[open_], row, side=side) for side in ("left", "right"))
        at = open_[low + (rng.random(len(row)) * (high - low)).astype(np.int64)]
        at, which = np.unique(at, return_index=True)
        return Words(at, taken(drawn.new, which))

    def apply(self, held: Pieces, drawn: Words) -> Pieces:
        return inserted(held, drawn.at, drawn.new)


class Deletion(Operation):
    """Leaves words out; never all of a text."""

    name = "deletion"

    def able(self, held: Pieces) -> np.ndarray:
        return held.free & held.apart & (held.counts[held.row] > 1)

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        at = picked(self.able(held), chance, rng)
        gone = np.bincount(held.row[at], minlength=len(held.tail))
        bare = np.flatnonzero((gone == held.counts) & (gone > 0))
        spared = np.searchsorted(held.row, bare) + (rng.random(len(bare)) * gone[bare]).astype(np.int64)
        return np.setdiff1d(at, spared)

    def apply(self, held: Pieces, drawn: np.ndarray) -> Pieces:
        gone = np.zeros(len(held.row), dtype=bool)
        gone[drawn] = True
        return deleted(held, gone)


class Pairs(NamedTuple):
    """Places of words that change places; no place occurs twice."""

    one: np.ndarray
    other: np.ndarray


class Swap(Operation):
    """Lets two words of a text change places."""

    name = "swap"

    def able(self, held: Pieces) -> np.ndarray:
        several = np.bincount(held.row[held.free], minlength=len(held.tail)) > 1
        return held.free & several[held.row]

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Pairs:
        at = np.flatnonzero(self.able(held))
        key = rng.random(len(at)) - (chance[at] >= SURE)  # what is to be changed is paired first
        at = at[np.lexsort((key, held.row[at]))]
        head = np.flatnonzero(firsts(held.row[at]))
        rank = np.arange(len(at)) - np.repeat(head, np.diff(np.append(head, len(at))))
        one = np.flatnonzero((rank[:-1] % 2 == 0) & (rank[1:] % 2 == 1)) if len(at) else at
        likely = np.maximum(chance[at[one]], chance[at[one + 1]]) if len(at) else np.zeros(0)
        one = one[rng.random(len(one)) < likely]
        return Pairs(at[one], at[one + 1]) if len(at) else Pairs(at, at)

    def apply(self, held: Pieces, drawn: Pairs) -> Pieces:
        which = np.arange(len(held.row))
        which[drawn.one], which[drawn.other] = drawn.other, drawn.one
        return held._replace(text=taken(held.text, which))


class Casing(Operation):
    """Writes words in small letters, in capitals, or with a capital."""

    name = "casing"

    def able(self, held: Pieces) -> np.ndarray:
        return held.free & matching(held.text, r"[\p{Lu}\p{Ll}]")

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Words:
        at = picked(self.able(held), chance, rng)
        old = taken(held.text, at)
        forms = [f(old) for f in (pc.utf8_lower, pc.utf8_upper, pc.utf8_capitalize)]
        other = np.array([np.asarray(pc.not_equal(form, old)) for form in forms], dtype=bool).reshape(3, len(at))
        key = np.where(other, rng.random((3, len(at))), -1.0)
        form = key.argmax(axis=0)
        new = pc.choose(pa.array(form), *forms)
        keep = np.flatnonzero(other.any(axis=0))
        return Words(at[keep], taken(new, keep))

    def apply(self, held: Pieces, drawn: Words) -> Pieces:
        return replaced(held, drawn.at, drawn.new)


class Entity(Operation):
    """Puts the value of another text in place of a marked stretch, one with the same label."""

    name = "entity"

    def able(self, held: Pieces) -> np.ndarray:
        return held.whole

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Words:
        able = self.able(held)
        label = np.zeros(len(held.row), dtype=np.int64)
        label[held.marks.piece] = held.marks.label
        coded = held.text.dictionary_encode()
        code = np.asarray(coded.indices, dtype=np.int64)
        wide = np.int64(len(coded.dictionary) + 1)
        values = np.unique((label * wide + code)[able])  # every value once, those of one label together
        at = picked(able, chance, rng)
        own = np.searchsorted(values, label[at] * wide + code[at])
        low, high = (np.searchsorted(values // wide, label[at], side=side) for side in ("left", "right"))
        other = low + (rng.random(len(at)) * (high - low - 1)).astype(np.int64)
        other += other >= own
        keep = np.flatnonzero(high - low > 1)
        return Words(at[keep], taken(coded.dictionary, values[other[keep]] % wide))

    def apply(self, held: Pieces, drawn: Words) -> Pieces:
        return replaced(held, drawn.at, drawn.new)


class Contracted(NamedTuple):
    """Places where two words become one, and where one becomes two; no place occurs twice."""

    short: Words
    """The first of two words, and what both become."""
    long: Words
    """What the first of two words is."""
    second: pa.Array
    """What follows behind each of `long`."""


_NOT = "is are was were do does did have has had could would should must need"
_VERBS = (("am", "'m", "i"), ("are", "'re", "you we they"), ("will", "'ll", "i you he she it we they"),
          ("have", "'ve", "i you we they"), ("is", "'s", "he she it that there what where who how"))  # fmt: skip
_LONG = {f"{verb} not": f"{verb}n't" for verb in _NOT.split()}
_LONG |= {"can not": "can't", "will not": "won't", "let us": "let's"}
_LONG |= {f"{who} {verb}": f"{who}{short}" for verb, short, whose in _VERBS for who in whose.split()}
_SHORT = {short: said for said, short in _LONG.items()}
_ASKED = r"^(?i:i|you|he|she|it|we|they|this|that|these|those|the|my|your|there)$"


class Contraction(Operation):
    """Writes two words as one, and one as two: `do not` and `don't`."""

    name = "contraction"

    def able(self, held: Pieces) -> np.ndarray:
        return (self._longer(held) >= 0) | (self._shorter(held) >= 0)

    def _shorter(self, held: Pieces) -> np.ndarray:
        """Return what each word and the one behind it become as one: its place in the list, or -1."""
        tied = held.free & _shifted(held.free & ~firsts(held.row)) & _shifted(matching(held.before, r"^ $"))
        both = pc.binary_join_element_wise(held.text, _next(held.text), pa.scalar(" ", TEXT))
        found = _find(both, list(_LONG))
        # "that is what it is": what ends a clause stays
        follows = _shifted(_shifted(matching(held.before, r"^\s+$") & ~firsts(held.row)))
        negated = np.array([said.endswith(("not", "us")) for said in _LONG])
        return np.where(tied & (follows | negated[found]), found, -1)

    def _longer(self, held: Pieces) -> np.ndarray:
        """Return what each word becomes as two: its place in the list, or -1."""
        found = _find(pc.replace_substring(held.text, "’", "'"), list(_SHORT))
        # "don't you" is no "do not you", and "it's" before a word may mean what no list knows: it is taken as "it is"
        asked = _shifted(matching(held.text, _ASKED) & ~firsts(held.row))
        negated = np.array([short.endswith("n't") for short in _SHORT])
        return np.where(held.free & ~(asked & negated[found]), found, -1)

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Contracted:
        shorter, longer = self._shorter(held), self._longer(held)
        taken_ = np.zeros(len(held.row), dtype=bool)
        taken_[picked((shorter >= 0) | (longer >= 0), chance, rng)] = True
        pair = taken_ & (shorter >= 0)
        behind = np.append(False, pair[:-1])[: len(pair)]  # "it is not": one of two that share a word
        pair &= ~behind
        one, two = np.flatnonzero(pair), np.flatnonzero(taken_ & (longer >= 0))
        short = cased_as(taken(pa.array(list(_LONG.values()), TEXT), shorter[one]), taken(held.text, one))
        said = [long.split(" ") for long in _SHORT.values()]
        old = taken(held.text, two)
        first = cased_as(taken(pa.array([s[0] for s in said], TEXT), longer[two]), old)
        second = taken(pa.array([s[1] for s in said], TEXT), longer[two])
        loud = pa.array(matching(old, r"^[\p{Lu}'’]{3,}$"))
        second = pc.if_else(loud, pc.utf8_upper(second), second)
        first = pc.if_else(loud, pc.utf8_upper(first), first)
        return Contracted(Words(one, short), Words(two, first), second)

    def apply(self, held: Pieces, drawn: Contracted) -> Pieces:
        held = replaced(replaced(held, *drawn.short), *drawn.long)
        held = inserted(held, drawn.long.at, drawn.second, behind=True)
        at = drawn.short.at + 1
        gone = np.zeros(len(held.row), dtype=bool)
        gone[at + np.searchsorted(drawn.long.at, at)] = True
        return deleted(held, gone)


def _find(texts: pa.Array, known: list[str]) -> np.ndarray:
    found = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(known, TEXT))
    return np.asarray(pc.fill_null(found, -1), dtype=np.int64)


def _shifted(which: np.ndarray) -> np.ndarray:
    """Return for each word what is true of the one behind it."""
    return np.append(which[1:], False)[: len(which)]


def _next(texts: pa.Array) -> pa.Array:
    """Return for each word the one behind it."""
    return pa.concat_arrays([texts[1:], pa.array([""], TEXT)])[: len(texts)]
