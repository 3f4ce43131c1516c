"""Synonyms of common English words: an extract of Open English WordNet, and what a specification adds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.texts.text_pieces import TEXT, matching, taken


class Synonyms(NamedTuple):
    """Words in small letters, and for each a run of others."""

    words: pa.Array
    bounds: np.ndarray
    """Where the synonyms of each word begin, and behind the last."""
    others: pa.Array

    @staticmethod
    def of(found: Mapping[str, tuple[str, ...]]) -> Synonyms:
        """Return a mapping of words to their synonyms in this form."""
        kept = {word: others for word, others in found.items() if others}
        bounds = np.cumsum([0, *map(len, kept.values())]).astype(np.int64)
        every = [other for others in kept.values() for other in others]
        return Synonyms(pa.array(list(kept), TEXT), bounds, pa.array(every, TEXT))

    def find(self, texts: pa.Array) -> np.ndarray:
        """Return the place of each text among the words, whatever its letters; -1 where it is none."""
        found = pc.index_in(pc.utf8_lower(texts), value_set=self.words)
        return np.asarray(pc.fill_null(found, -1), dtype=np.int64)

    def draw(self, place: np.ndarray, rng: np.random.Generator) -> pa.Array:
        """Return a synonym of each of some words."""
        low = self.bounds[place]
        return taken(self.others, low + (rng.random(len(place)) * (self.bounds[place + 1] - low)).astype(np.int64))


def read() -> dict[str, tuple[str, ...]]:
    """Return the synonyms that come with the package."""
    text = files("synthwright.kit.texts").joinpath("synonyms.csv").read_text(encoding="utf-8")
    parts = (line.split(";") for line in text.splitlines() if not line.startswith("#"))
    return {word: tuple(others.split(",")) for word, others in parts}


@cache
def synonyms(added: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> Synonyms:
    """Return the synonyms of the package; what is added stands in their place, and without any a word has none."""
    return Synonyms.of(read() | {word.lower(): others for word, others in added})


def cased_as(new: pa.Array, old: pa.Array) -> pa.Array:
    """Return texts in capitals where others are, and with a capital where others begin with one."""
    first, rest = pc.utf8_slice_codeunits(new, 0, 1), pc.utf8_slice_codeunits(new, 1)
    capital = pc.binary_join_element_wise(pc.utf8_upper(first), rest, pa.scalar("", TEXT))
    made = pc.if_else(pa.array(matching(old, r"^\p{Lu}")), capital, new)
    return pc.if_else(pa.array(matching(old, r"^\p{Lu}{2,}$")), pc.utf8_upper(new), made)
