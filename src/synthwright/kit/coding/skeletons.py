"""Text that is built alike but not equally long: `3.4.12`, `120x80 cm`, `{"id": 52, "tag": "x"}`; and more of it.

What stands between numbers and words is kept where enough rows share it; words too, where they are few; of numbers
only how many digits they have and which of them are usual at each place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.patterns import AGREE, ROOMY, Layout, characters, laid_out, narrow_digits, pick
from synthwright.kit.sampling.dice import Dice

LONGEST = 400
"""Longer text is free text."""
SKELETONS = 24
"""How many skeletons text that is built alike has, at most."""
WORDS = 50
"""How many words may stand in one place, at most."""
REPEATED, CROWDED = 1.1, 8
"""Rows to a distinct text, and texts that there may be to one that was seen: where there are more of the former and
fewer of the latter, texts are what one comes by, not whom they belong to."""
_LOOK = 20_000
_LETTERS, _DIGITS = r"\pL+", "[0-9]+"


@dataclass(frozen=True)
class Slot:
    """What stands in one place, each with its share: words as they are, or numbers by their layout."""

    words: tuple[str, ...]
    layouts: tuple[Layout, ...]
    """Numbers, one layout for each length; nothing where there are words."""
    shares: tuple[float, ...]

    @property
    def size(self) -> float:
        """How many different texts may stand here."""
        return float(len(self.words) or sum(one.size for one in self.layouts))

    def draw(self, dice: Dice) -> np.ndarray:
        """Return what stands here in each row."""
        which = pick(self.shares, dice)
        if self.words:
            return np.asarray(self.words, dtype=np.str_)[which]
        return laid_out(self.layouts, which, dice)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same slot from."""
        layouts = [one.to_json() for one in self.layouts]
        return {"words": list(self.words), "layouts": layouts, "shares": list(self.shares)}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Slot:
        """Rebuild a slot."""
        layouts = tuple(map(Layout.of_json, said["layouts"]))
        return Slot(tuple(said["words"]), layouts, tuple(said["shares"]))


@dataclass(frozen=True)
class Skeletons:
    """Text that is built in one of a few ways, from slots."""

    built: tuple[tuple[Slot, ...], ...]
    shares: tuple[float, ...]

    @staticmethod
    def of(values: pa.Array, counts: np.ndarray, protect: int, *, crowded: bool = False) -> Skeletons | None:
        """Return how distinct texts are built, or None where they are not built alike, or have no room for others.

        Args:
            values: the distinct texts, none of them null.
            counts: how many rows hold each.
            protect: how many rows must share a way to build texts, a word or a length before it may be kept.
            crowded: whether texts may need no room for others where they repeat, are put together of several parts,
                and a good part of all that there may be was seen: `3.4.12` then says nothing about anybody.
        """
        if not len(values) or pc.max(pc.utf8_length(values)).as_py() > LONGEST:
            return None
        look = np.unique(np.linspace(0, len(values) - 1, min(len(values), _LOOK)).astype(np.int64))
        texts, weights = values.take(pa.array(look)), counts[look].astype(np.float64)
        ways = built_alike(texts, weights, protect)
        if ways is None:
            return None
        built = []
        for bare, mine in ways:
            slots = _slots(texts.filter(pa.array(mine)), weights[mine], bare, protect)
            if slots is None:
                return None
            built.append(slots)
        sizes = [float(np.prod([slot.size for slot in slots])) for slots in built]
        together = all(sum(slot.size > 1 for slot in slots) > 1 for slots in built)
        repeated = counts.sum() >= REPEATED * len(values) and sum(sizes) < CROWDED * len(values)
        with_numbers = any("0" in bare for bare, _ in ways)
        room = 1 if crowded and together and repeated else ROOMY
        if not with_numbers or sum(sizes) < room * len(values):
            return None
        rows = np.array([weights[mine].sum() for _, mine in ways])
        return Skeletons(tuple(built), tuple((rows / rows.sum()).tolist()))

    def draw(self, dice: Dice) -> np.ndarray:
        """Return a text for each row."""
        which = pick(self.shares, dice)
        out = np.empty(len(which), dtype=object)
        for i, slots in enumerate(self.built):
            rows = np.flatnonzero(which == i)
            own = dice.some(rows)
            said = np.full(len(rows), "", dtype=np.str_)
            for slot in slots:
                said = np.char.add(said, slot.draw(own))
            out[rows] = said
        return out.astype(np.str_)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        return {"built": [[s.to_json() for s in slots] for slots in self.built], "shares": list(self.shares)}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Skeletons:
        """Rebuild it."""
        built = tuple(tuple(map(Slot.of_json, slots)) for slots in said["built"])
        return Skeletons(built, tuple(said["shares"]))


def built_alike(texts: pa.Array, weights: np.ndarray, protect: int) -> list[tuple[str, np.ndarray]] | None:
    """Return the few ways in which most texts are built, the commonest first, and booleans: which texts are built so.

    A way is what is left of a text with `a` for each run of letters and `0` for each run of digits. Nothing where
    texts are built in many ways.
    """
    bare = pc.replace_substring_regex(pc.replace_substring_regex(texts, _LETTERS, "a"), _DIGITS, "0")
    coded = bare.dictionary_encode()
    of = coded.indices.to_numpy(zero_copy_only=False)
    rows = np.bincount(of, weights)
    order = np.argsort(-rows, kind="stable")[:SKELETONS]
    order = order[rows[order] >= protect]
    if not len(order) or rows[order].sum() < AGREE * rows.sum():
        return None
    return [(coded.dictionary[which].as_py(), of == which) for which in order.tolist()]


def cut(texts: pa.Array, bare: str) -> list[str | pa.Array] | None:
    """Return the parts of texts that are built in one way: what all have, and runs of letters or digits, text by text.

    Nothing where what one engine takes for letters is more than the other does.
    """
    parts = re.findall(r"[a0]|[^a0]+", bare)
    spelled = [{"a": f"(?P<s{i}>{_LETTERS})", "0": f"(?P<s{i}>{_DIGITS})"}.get(p) or re.escape(p)
               for i, p in enumerate(parts)]  # fmt: skip
    if not any(p in ("a", "0") for p in parts):
        return list(parts)
    found = pc.extract_regex(texts, "^" + "".join(spelled) + "$")
    runs = [p if p not in ("a", "0") else pc.struct_field(found, f"s{i}") for i, p in enumerate(parts)]
    return None if any(not isinstance(run, str) and run.null_count for run in runs) else runs


def _slots(texts: pa.Array, weights: np.ndarray, bare: str, protect: int) -> tuple[Slot, ...] | None:
    """Return the slots of texts of one skeleton; None where words are free."""
    runs, slots = cut(texts, bare), []
    for run, part in zip(runs or (), re.findall(r"[a0]|[^a0]+", bare), strict=runs is not None):
        if isinstance(run, str):
            slots.append(Slot((run,), (), (1.0,)))
            continue
        slot = worded(run, weights, protect) or (numbered(run, weights, protect) if part == "0" else None)
        if slot is None:
            return None
        slots.append(slot)
    return None if runs is None else tuple(slots)


def worded(said: pa.Array, weights: np.ndarray, protect: int) -> Slot | None:
    """Return the few words that stand in a place, each in enough rows; None where they are many."""
    coded = said.dictionary_encode()
    rows = np.bincount(coded.indices.to_numpy(zero_copy_only=False), weights)
    kept = rows >= protect
    if not 0 < kept.sum() <= WORDS or rows[kept].sum() < AGREE * rows.sum():
        return None
    words = coded.dictionary.filter(pa.array(kept)).to_pylist()
    order = np.argsort(np.asarray(words, dtype=np.str_), kind="stable")
    shares = (rows[kept] / rows[kept].sum())[order]
    return Slot(tuple(words[i] for i in order), (), tuple(shares.tolist()))


def numbered(said: pa.Array, weights: np.ndarray, protect: int) -> Slot | None:
    """Return the layouts of the numbers in a place, one for each length that enough rows have."""
    length = pc.utf8_length(said).to_numpy(zero_copy_only=False)
    layouts, shares = [], []
    for digits in np.unique(length).tolist():
        mine = length == digits
        if digits > 18 or weights[mine].sum() < protect:
            continue
        points = characters(np.asarray(said.filter(pa.array(mine)).to_pylist(), dtype=np.str_))
        layouts.append(narrow_digits(points, weights[mine], protect))
        shares.append(float(weights[mine].sum()))
    if not layouts or sum(shares) < AGREE * weights.sum():
        return None
    return Slot((), tuple(layouts), tuple(s / sum(shares) for s in shares))
