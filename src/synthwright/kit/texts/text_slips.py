"""Letters that are typed or read wrongly: slips on a QWERTY keyboard, and what recognition of print mixes up."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.texts.text_operations import Operation, picked
from synthwright.kit.texts.text_pieces import TEXT, Pieces, bytes_of, cut_at, firsts, matching, replaced, taken

_KEYS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
"""Rows of keys, and how far each is set to the right."""
SUBSTITUTE, OMIT, DOUBLE, TRANSPOSE = range(4)
CONFUSED = (
    ("m", "rn"), ("rn", "m"), ("l", "1"), ("I", "l"), ("O", "0"), ("o", "0"), ("S", "5"), ("B", "8"), ("G", "6"),
    ("Z", "2"), ("e", "c"), ("cl", "d"), ("d", "cl"), ("w", "vv"), ("vv", "w"), ("h", "b"), ("i", "l"), ("t", "f"),
    ("u", "ii"), ("li", "h"), ("nn", "m"), ("g", "q"),
)  # fmt: skip
"""What is read as what."""


class Edits(NamedTuple):
    """Changes of letters, one in a word each."""

    at: np.ndarray
    """The places of the words, which rise."""
    place: np.ndarray
    """How many bytes of the word stand before the change."""
    size: np.ndarray
    """How many bytes go."""
    new: pa.Array
    """What comes instead."""


class _Slips(Operation):
    """Changes letters of words."""

    def apply(self, held: Pieces, drawn: Edits) -> Pieces:
        bounds, data = bytes_of(taken(held.text, drawn.at))
        borders = np.zeros(3 * len(drawn.at) + 1, dtype=np.int64)
        borders[1::3] = bounds[:-1] + drawn.place
        borders[2::3] = bounds[:-1] + drawn.place + drawn.size
        borders[3::3] = bounds[1:]
        parts = cut_at(borders, data)
        which = 3 * np.arange(len(drawn.at))
        new = pc.binary_join_element_wise(taken(parts, which), drawn.new, taken(parts, which + 2), pa.scalar("", TEXT))
        return replaced(held, drawn.at, new)


class Typo(_Slips):
    """Lets a finger slip: a key beside the right one, a letter left out, doubled, or before the one before it."""

    name = "typo"

    def able(self, held: Pieces) -> np.ndarray:
        return held.free & matching(held.text, r"^[^A-Za-z]*(?:[A-Za-z][^A-Za-z]*){3}")

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Edits:
        at = picked(self.able(held), chance, rng)
        bounds, data = bytes_of(taken(held.text, at))
        letters = np.flatnonzero(_is_letter(data))
        low, high = np.searchsorted(letters, bounds[:-1]), np.searchsorted(letters, bounds[1:])
        where = letters[low + (rng.random(len(at)) * (high - low)).astype(np.int64)]
        slip = rng.integers(0, 4, len(at))
        here = data[where]
        follow = data[np.minimum(where + 1, max(len(data) - 1, 0))] if len(at) else here
        last = (where + 1 >= bounds[1:]) | ~_is_letter(follow) | (follow == here)
        slip[(slip == TRANSPOSE) & last] = SUBSTITUTE
        table, count = _neighbours()
        near = table[here, (rng.random(len(at)) * count[here]).astype(np.int64)]
        signs = np.stack([np.select([slip == SUBSTITUTE, slip == TRANSPOSE], [near, follow], here), here], axis=1)
        many = np.select([slip == SUBSTITUTE, slip == OMIT], [1, 0], 2)
        new = cut_at(np.append(0, np.cumsum(many)), signs[np.arange(2) < many[:, None]].astype(np.uint8))
        return Edits(at, where - bounds[:-1], np.where(slip == TRANSPOSE, 2, 1), new)


class Ocr(_Slips):
    """Reads print wrongly: `rn` for `m`, `0` for `O`, `1` for `l`."""

    name = "ocr"

    def able(self, held: Pieces) -> np.ndarray:
        return held.free & matching(held.text, "|".join(old for old, _ in CONFUSED))

    def draw(self, held: Pieces, chance: np.ndarray, rng: np.random.Generator) -> Edits:
        at = picked(self.able(held), chance, rng)
        bounds, data = bytes_of(taken(held.text, at))
        inner = np.ones(len(data), dtype=bool)  # the last byte of a word has none behind it
        inner[bounds[1:] - 1] = False
        behind = np.where(inner, np.append(data[1:], 0)[: len(data)], 0)
        places, kinds = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for i, (old, _) in enumerate(CONFUSED):
            found = data == ord(old[0])
            places.append(np.flatnonzero(found & (behind == ord(old[1])) if len(old) > 1 else found))
            kinds.append(np.full(len(places[-1]), i))
        place, kind = np.concatenate(places), np.concatenate(kinds)
        word = np.searchsorted(bounds, place, side="right") - 1
        order = np.lexsort((rng.random(len(place)), word))
        order = order[firsts(word[order])]  # one of each word
        place, kind = place[order], kind[order]
        size = np.array([len(old) for old, _ in CONFUSED])[kind]
        return Edits(at, place - bounds[:-1], size, taken(pa.array([new for _, new in CONFUSED], TEXT), kind))


def _is_letter(data: np.ndarray) -> np.ndarray:
    low = data | 0x20
    return np.asarray((low >= ord("a")) & (low <= ord("z")))


@cache
def _neighbours() -> tuple[np.ndarray, np.ndarray]:
    """Return for each letter the letters on the keys beside its own, with its size, and how many there are."""
    at = {key: (i + shift, row) for row, (keys, shift) in enumerate(_KEYS) for i, key in enumerate(keys)}
    table, count = np.zeros((256, 8), dtype=np.uint8), np.zeros(256, dtype=np.int64)
    for key, (x, y) in at.items():
        near = [k for k, (u, v) in at.items() if k != key and abs(u - x) <= 1 and abs(v - y) <= 1]
        for one, others in ((key, near), (key.upper(), [k.upper() for k in near])):
            table[ord(one), : len(others)] = [ord(k) for k in others]
            count[ord(one)] = len(others)
    return table, count
