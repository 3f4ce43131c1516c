"""Regular text: how codes such as `AB-1234` look, position by position, and other codes that look alike.

Only characters that at least 95 % of the values (and at least `protect` rows) have in common are kept as they are;
every other position is known by its class alone: digits, capitals, small letters.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.sampling.dice import Dice, permuted

AGREE = 0.95
"""The share of values that must agree before something counts as regular."""
LAYOUTS = 8
"""How many layouts regular text has at most."""
LONGEST = 64
"""Longer text is never regular."""
ROOMY = 20
"""A layout must have so many times more codes than were seen, or it is made longer so that none comes back."""
_TIGHT = 3
_LOOK = 20_000
_FEW = 30
_WORD = 2**62
_CLASSES = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
_HEXADECIMAL = (string.digits + "abcdef", string.digits + "ABCDEF")


@dataclass(frozen=True)
class Layout:
    """What may stand at each position: one character where all agree, else every character of its classes."""

    positions: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many codes there are, at most 2**62."""
        size = 1
        for chars in self.positions:
            size *= len(chars)
        return min(size, _WORD)

    def write(self, numbers: np.ndarray, dice: Dice) -> np.ndarray:
        """Return a code for each number below `size`: different numbers, different codes; dice fill what is beyond."""
        out = np.empty((len(numbers), len(self.positions)), dtype=np.uint32)
        rest, room = numbers.astype(np.int64), _WORD
        for i in range(len(self.positions) - 1, -1, -1):
            chars = np.array([ord(c) for c in self.positions[i]], dtype=np.uint32)
            if len(chars) == 1:
                out[:, i] = chars[0]
            elif room >= len(chars):
                rest, digit = np.divmod(rest, len(chars))
                out[:, i], room = chars[digit], room // len(chars)
            else:
                out[:, i] = chars[dice.integers(0, len(chars))]
        return text_of(out)

    def opened(self, least: int) -> Layout:
        """Return a layout of the same length in which digits that all codes share may vary, the last of them first.

        No more of them than it takes to have so many codes; where that is not enough, the layout as it was.
        """
        found = self
        for i in range(len(self.positions) - 1, -1, -1):
            if found.size >= least:
                break
            if self.positions[i] in string.digits:
                found = Layout((*found.positions[:i], string.digits, *found.positions[i + 1 :]))
        return found if found.size >= least else self

    def longer(self, least: int) -> Layout:
        """Return a layout with more digits after its last digit or letter, so that there are at least so many codes."""
        end = max((i + 1 for i, c in enumerate(self.positions) if len(c) > 1), default=len(self.positions))
        found = self
        while found.size < least:
            new = string.digits[1:] if found.size == self.size else string.digits
            found = Layout((*found.positions[:end], new, *found.positions[end:]))
            end += 1
        return found


@dataclass(frozen=True)
class Pattern:
    """The layouts of regular text, and the share of each."""

    layouts: tuple[Layout, ...]
    shares: tuple[float, ...]

    def draw(self, dice: Dice) -> np.ndarray:
        """Return a code for each row."""
        which = dice.integers(0, 1) if len(self.layouts) == 1 else _pick(self.shares, dice)
        numbers = dice.uniform()
        out = np.empty(len(dice), dtype=object)
        for i, layout in enumerate(self.layouts):
            rows = np.flatnonzero(which == i)
            out[rows] = layout.write((numbers[rows] * layout.size).astype(np.int64), dice.some(rows))
        return out.astype(np.str_)

    def number(self, numbers: np.ndarray, key: int, dice: Dice) -> np.ndarray:
        """Return codes of the commonest layout: different numbers, different codes, longer ones when it is used up."""
        layout = self.layouts[0]
        size = layout.size
        round_ = numbers // size
        codes = layout.write(permuted(numbers % size, size, key), dice)
        return np.where(round_ > 0, np.char.add(codes, round_.astype(np.str_)), codes)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same pattern from."""
        return {"layouts": [list(one.positions) for one in self.layouts], "shares": list(self.shares)}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Pattern:
        """Rebuild a pattern."""
        return Pattern(tuple(Layout(tuple(p)) for p in said["layouts"]), tuple(said["shares"]))


def recognise(values: pa.Array, counts: np.ndarray, protect: int, *, tight: bool = False) -> Pattern | None:
    """Return the pattern of distinct texts and their counts, or None where they are not regular.

    Args:
        values: the distinct texts, none of them null.
        counts: how many rows hold each.
        protect: how many rows must share a layout, or a character, before it may be kept.
        tight: whether layouts only need room for as many other codes: then they are made no longer than that.
    """
    if not len(values) or pc.max(pc.utf8_length(values)).as_py() > LONGEST:
        return None
    distinct = len(values)
    look = np.unique(np.linspace(0, distinct - 1, min(distinct, _LOOK)).astype(np.int64))
    texts = np.asarray(values.take(pa.array(look)).to_pylist(), dtype=np.str_)
    weights = counts[look].astype(np.float64)
    if not texts.dtype.itemsize or (np.char.str_len(texts) == 0).any():
        return None
    found = _layouts(texts, weights, protect)
    if found is None:
        return None
    layouts, shares = found
    if not all(_coded(one) for one in layouts) or (len(layouts) > 1 and not any(map(_numbered, layouts))):
        return None
    room, longer = (_TIGHT * shares, _TIGHT * shares) if tight else (ROOMY * shares, np.full(len(shares), 1000.0))
    opened = [one.opened(int(least * distinct) + 1) for one, least in zip(layouts, room, strict=True)]
    roomy = tuple(one if one.size >= least * distinct else one.longer(int(most * distinct) + 1)
                  for one, least, most in zip(opened, room, longer, strict=True))  # fmt: skip
    return Pattern(roomy, tuple(float(s) for s in shares))


def characters(texts: np.ndarray) -> np.ndarray:
    """Return texts as a matrix of code points, one row each, 0 after the end."""
    width = max(texts.dtype.itemsize // 4, 1)
    return np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), width)


def text_of(points: np.ndarray) -> np.ndarray:
    """Return a matrix of code points as texts: the way back of `characters`."""
    if not points.shape[1]:
        return np.full(len(points), "", dtype=np.str_)
    flat = np.ascontiguousarray(points, dtype=np.uint32)
    return flat.view(np.dtype((np.str_, points.shape[1]))).reshape(len(points))


def padded(numbers: np.ndarray, width: int) -> np.ndarray:
    """Return integers as texts with leading zeros, at least `width` digits long."""
    said = numbers.astype(np.str_)
    return np.char.zfill(said, width) if len(said) else said.astype(np.dtype((np.str_, max(width, 1))))


def classes(points: np.ndarray) -> np.ndarray:
    """Return for code points whether they are digits (0), capitals (1), small or other letters (2), or none (3)."""
    out = np.full(points.shape, 3, dtype=np.int8)
    for i, chars in enumerate(_CLASSES):
        out[(points >= ord(chars[0])) & (points <= ord(chars[-1]))] = i
    beyond = points > ord("~")
    if beyond.any():
        letters = [p for p in np.unique(points[beyond]).tolist() if chr(p).isalpha()]
        out[beyond & np.isin(points, letters)] = 2
    return out


def _layouts(texts: np.ndarray, weights: np.ndarray, protect: int) -> tuple[list[Layout], np.ndarray] | None:
    points = characters(texts)
    kind = classes(points)
    marks = np.where(kind == 3, points, ord("x"))
    signature, of = np.unique(text_of(marks), return_inverse=True)
    rows = np.bincount(of, weights, minlength=len(signature))
    order = np.argsort(-rows, kind="stable")[:LAYOUTS]
    order = order[rows[order] >= protect]
    if not len(order) or rows[order].sum() < AGREE * rows.sum():
        return None
    made = []
    for which in order:
        mine = of == which
        made.append(_layout(points[mine], kind[mine], weights[mine], len(signature[which]), protect))
    return made, rows[order] / rows[order].sum()


def _layout(points: np.ndarray, kind: np.ndarray, weights: np.ndarray, length: int, protect: int) -> Layout:
    total = weights.sum()
    held: list[Sequence[str]] = []
    for i in range(length):
        chars, of = np.unique(points[:, i], return_inverse=True)
        rows = np.bincount(of, weights)
        top = int(np.argmax(rows))
        if rows[top] >= max(AGREE * total, protect):
            held.append(chr(chars[top]))
            continue
        shares = np.bincount(kind[:, i], weights, minlength=4)[:3] / total
        common = [c for c, share in zip(_CLASSES, shares, strict=True) if share > 1 - AGREE]
        said = "".join(common) or _CLASSES[int(np.argmax(shares))]
        if said.startswith(string.digits) and ord("0") not in chars and total >= _FEW:
            said = said[1:]
        held.append(said)
    return Layout(tuple(_hexadecimal(points, kind, held)))


def _hexadecimal(points: np.ndarray, kind: np.ndarray, held: list[Sequence[str]]) -> list[str]:
    """Narrow positions that mix digits and letters where no letter beyond f occurs."""
    letters = np.unique(points[(kind == 1) | (kind == 2)])
    said = "".join(chr(p) for p in letters.tolist())
    mixed = any(len(set(c) & set(string.digits)) > 1 and len(c) > len(string.digits) for c in held)
    fits = next((h for h in _HEXADECIMAL if set(said) <= set(h)), None)
    if not mixed or fits is None:
        return ["".join(c) for c in held]
    return ["".join(c) if len(c) == 1 else "".join(x for x in c if x in fits) for c in held]


def _coded(layout: Layout) -> bool:
    """Return whether a layout is that of a code: digits, or capitals only, rather than words."""
    open_ = [c for c in layout.positions if len(c) > 1]
    words = any(set(c) <= set(string.ascii_lowercase) for c in open_)
    return not open_ or _numbered(layout) or not words


def _numbered(layout: Layout) -> bool:
    return any(set(c) & set(string.digits) for c in layout.positions)


def _pick(shares: Sequence[float], dice: Dice) -> np.ndarray:
    ends = np.cumsum(shares)
    return np.minimum(np.searchsorted(ends, dice.uniform() * ends[-1], "right"), len(shares) - 1)
