"""How text looks, without what it says: lengths, spacing, capitals, or the layouts of codes; and text that looks so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.patterns import AGREE, DENSE, ROOMY, Pattern, recognise
from synthwright.kit.coding.skeletons import Skeletons
from synthwright.kit.sampling.dice import Dice

KNOTS = 32
"""How many means of neighbouring lengths are kept."""
_CHUNK = 2**22
_LATIN = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et "
    "dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea "
    "commodo consequat duis aute irure in reprehenderit voluptate velit esse cillum fugiat nulla pariatur "
    "excepteur sint occaecat cupidatat non proident sunt culpa qui officia deserunt mollit anim id est laborum "
    "perspiciatis unde omnis iste natus error voluptatem accusantium doloremque laudantium totam rem aperiam "
    "eaque ipsa quae ab illo inventore veritatis quasi architecto beatae vitae dicta explicabo nemo ipsam quia "
    "voluptas aspernatur aut odit fugit consequuntur magni dolores eos ratione sequi nesciunt neque porro "
    "quisquam dolorem adipisci numquam eius modi tempora incidunt magnam quaerat minima nostrum exercitationem "
    "ullam corporis suscipit laboriosam aliquid commodi consequatur autem vel eum iure quam nihil molestiae "
    "illum quo"
)
"""Pseudo-Latin that printers have used for centuries: it says nothing."""


@dataclass(frozen=True)
class Prose:
    """Free text by its lengths (characters: means of groups of rows) and habits (shares of rows)."""

    lengths: tuple[float, ...]
    spaced: float
    """With a space inside."""
    capital: float
    """Beginning with a capital."""
    loud: float
    """In capitals throughout."""
    stopped: float
    """Ending in a full stop."""

    @staticmethod
    def of(values: pa.Array, counts: np.ndarray, protect: int) -> Prose:
        """Learn lengths and habits from distinct texts and their counts."""
        length = pc.utf8_length(values).to_numpy(zero_copy_only=False)
        total = max(float(counts.sum()), 1.0)

        def share(of: pa.Array) -> float:
            said = float(counts[pc.fill_null(of, False).to_numpy(zero_copy_only=False)].sum())
            return round(said / total, 2) if min(said, total - said) >= protect else float(round(said / total))

        loud = pc.and_(pc.equal(values, pc.utf8_upper(values)), pc.not_equal(values, pc.utf8_lower(values)))
        return Prose(tuple(knots(length, counts, protect).tolist()), share(pc.match_substring(values, " ")),
                     share(pc.match_substring_regex(values, r"^\p{Lu}")), share(loud),
                     share(pc.ends_with(values, ".")))  # fmt: skip

    def draw(self, dice: Dice) -> pa.Array:
        """Return a text of neutral words for each row."""
        at = dice.uniform() * len(self.lengths) - 0.5
        length = np.rint(np.interp(at, np.arange(len(self.lengths)), self.lengths)).astype(np.int64)
        habits = [dice.uniform() < share for share in (self.spaced, self.capital, self.loud, self.stopped)]
        start = dice.uniform()
        if not len(length):
            return pa.array([], pa.large_string())
        pieces, begin = [], 0
        ends = np.cumsum(length)
        while begin < len(length):
            used = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, used + _CHUNK, "right")))
            pieces.append(_written(length[begin:end], [h[begin:end] for h in habits], start[begin:end]))
            begin = end
        return pa.concat_arrays(pieces)


@dataclass(frozen=True)
class Shape:
    """How text looks: the layouts of codes where it is regular, how it is built, or lengths and habits of prose."""

    look: Pattern | Skeletons | Prose
    distinct: int
    """About how many different texts there were."""
    key: int
    """What makes the texts of this shape differ from those of another of the same look."""

    @staticmethod
    def of(
        values: pa.Array, counts: np.ndarray, rng: np.random.Generator, *, protect: int, crowded: bool = False
    ) -> Shape:
        """Learn how distinct texts (none null) look, given how many rows hold each; `crowded`: see `Skeletons.of`."""
        key = int(rng.integers(0, 2**63))
        return Shape(_look(values, counts, protect, crowded=crowded), max(1, len(values)), key)

    def draw(self, within: np.ndarray) -> pa.Array:
        """Return a text for each row, about as many different ones as there were; `within` (0 to 1) chooses which."""
        return self.text(Dice(np.floor(within * self.distinct).astype(np.uint64), self.key))

    def text(self, dice: Dice, told: pa.Array | None = None) -> pa.Array:
        """Return a text for each row that follows from its dice, in the layout whose number is told, where one is."""
        if isinstance(self.look, Prose):
            return self.look.draw(dice)
        if isinstance(self.look, Pattern):
            return pa.array(self.look.draw(dice, told), pa.large_string())
        return pa.array(self.look.draw(dice), pa.large_string())

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same shape from."""
        if isinstance(self.look, Pattern):
            said = {"pattern": self.look.to_json()}
        elif isinstance(self.look, Skeletons):
            said = {"skeletons": self.look.to_json()}
        else:
            prose = self.look
            said = {"prose": {"lengths": list(prose.lengths), "spaced": prose.spaced, "capital": prose.capital,
                              "loud": prose.loud, "stopped": prose.stopped}}  # fmt: skip
        return {**said, "distinct": self.distinct, "key": str(self.key)}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Shape:
        """Rebuild a shape."""
        if "pattern" in said:
            look: Pattern | Skeletons | Prose = Pattern.of_json(said["pattern"])
        elif "skeletons" in said:
            look = Skeletons.of_json(said["skeletons"])
        else:
            look = Prose(**{**said["prose"], "lengths": tuple(said["prose"]["lengths"])})
        return Shape(look, int(said["distinct"]), int(said["key"]))


MANY = 100
"""Codes with digits of which there are so many may be others' that are there, where hardly any others may be."""


def _look(values: pa.Array, counts: np.ndarray, protect: int, *, crowded: bool) -> Pattern | Skeletons | Prose:
    """Return how texts look: codes of one layout, else text that is built alike, else other codes, else prose."""
    pattern = recognise(values, counts, protect, stretch=False)
    if pattern is not None and len(pattern.layouts) == 1:
        return pattern
    skeletons = Skeletons.of(values, counts, protect, crowded=crowded)
    digits = pc.sum(pc.match_substring_regex(values, "[0-9]")).as_py() or 0
    room = DENSE if digits >= max(AGREE * len(values), MANY) else ROOMY
    return skeletons or pattern or recognise(values, counts, protect, room=room) or Prose.of(values, counts, protect)


def knots(lengths: np.ndarray, counts: np.ndarray, protect: int) -> np.ndarray:
    """Return what is kept of lengths: means of groups of at least `protect` rows, ascending, one at least."""
    order = np.argsort(lengths, kind="stable")
    rows = np.repeat(lengths[order].astype(np.float64), counts[order])
    if not len(rows):
        return np.zeros(1)
    groups = max(1, min(KNOTS, len(rows) // max(protect, 1)))
    edges = np.linspace(0, len(rows), groups + 1).astype(np.int64)
    found: np.ndarray = np.add.reduceat(rows, edges[:-1]) / np.diff(edges)
    return found


@cache
def _tape() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return neutral words as bytes with spaces, where words begin in it, and the same words without spaces."""
    words = _LATIN.split()
    order = np.random.Generator(np.random.Philox(key=20)).permutation(np.repeat(np.arange(len(words)), 20))
    said = " ".join(words[i] for i in order) + " "
    spaced = np.frombuffer(said.encode("ascii"), dtype=np.uint8)
    begins = np.append(0, np.flatnonzero(spaced == ord(" "))[:-1] + 1)
    return spaced, begins, spaced[spaced != ord(" ")]


def _written(length: np.ndarray, habits: list[np.ndarray], start: np.ndarray) -> pa.Array:
    """Cut texts from the tape: every row begins at a word and is exactly as long as asked."""
    tape, begins, dense = _tape()
    spaced, capital, loud, stopped = habits
    ends = np.cumsum(length)
    first = ends - length
    word = (start * len(begins)).astype(np.int64)
    begin = begins[word] - np.where(spaced, 0, word)
    at = np.arange(int(ends[-1])) + np.repeat(begin - first, length)
    wide = np.repeat(spaced, length)
    out = np.where(wide, tape[at % len(tape)], dense[at % len(dense)])
    some = length > 0
    last = ends[some] - 1
    out[last[out[last] == ord(" ")]] = ord("s")
    out[ends[(length > 1) & stopped] - 1] = ord(".")
    small = (out >= ord("a")) & (out <= ord("z"))
    raised = np.repeat(loud, length)
    raised[first[some & capital]] = True
    out = out - np.where(small & raised, np.uint8(32), np.uint8(0))
    offsets = np.append(0, ends).astype(np.int64)
    return pa.LargeStringArray.from_buffers(len(length), pa.py_buffer(offsets.tobytes()), pa.py_buffer(out.tobytes()))
