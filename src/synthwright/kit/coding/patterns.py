"""Regular text: how codes such as `AB-1234` look, position by position, and other codes that look alike.

Only characters that at least 95 % of the values (and at least `protect` rows) have in common are kept as they are.
Other positions hold what enough rows share where that is clearly less than their class (the letters that plates of one
town begin with, `AB`, `CD` and `XZ` before a number), else their whole class: digits, capitals, small letters. Check
digits as on books and goods come out right.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.check_digits import check_of, with_check
from synthwright.kit.sampling.dice import Dice, permuted

AGREE = 0.95
"""The share of values that must agree before something counts as regular."""
LAYOUTS = 8
"""How many layouts regular text has at most."""
LONGEST = 64
"""Longer text is never regular."""
ROOMY = 20
"""A layout must have so many times more codes than were seen, or it is made longer so that none comes back."""
TIGHT = 3
"""What is enough where codes may repeat, or are nobody's: as many others twice over."""
DENSE = 1.2
"""What is enough of codes with digits that name things: so many of all that may be are there that one says nothing."""
_LOOK = 20_000
_FEW = 30
_USUAL = 3
"""Rows that must have something before it is usual, at least."""
_WORDS = 62
"""How many words may stand at a place, at most."""
_WORD = 2**62
_CLASSES = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
_HEXADECIMAL = (string.digits + "abcdef", string.digits + "ABCDEF")


Choice = str | tuple[str, ...]
"""What may stand somewhere: one of the characters of a string, or one of a few words of one length."""


@dataclass(frozen=True)
class Layout:
    """What may stand at each place: one character where all agree, one of a few words, or one of many characters."""

    positions: tuple[Choice, ...]
    check: str = ""
    """How the last digit follows from the others (see `core.check_digits`); nothing: it does not."""

    @property
    def size(self) -> int:
        """How many codes there are, at most 2**62."""
        size = 1
        for chars in self.positions:
            size *= len(chars)
        return min(size, _WORD)

    def write(self, numbers: np.ndarray, dice: Dice) -> np.ndarray:
        """Return a code for each number below `size`: different numbers, different codes; dice fill what is beyond."""
        widths = [len(c[0]) for c in self.positions]
        ends = np.cumsum(widths)
        out = np.empty((len(numbers), int(ends[-1]) if widths else 0), dtype=np.uint32)
        rest, room = numbers.astype(np.int64), _WORD
        for chosen, width, end in zip(self.positions[::-1], widths[::-1], ends[::-1], strict=True):
            words = np.array([[ord(c) for c in word] for word in chosen], dtype=np.uint32)
            if len(words) == 1:
                out[:, end - width : end] = words[0]
            elif room >= len(words):
                rest, digit = np.divmod(rest, len(words))
                out[:, end - width : end], room = words[digit], room // len(words)
            else:
                out[:, end - width : end] = words[dice.integers(0, len(words))]
        return text_of(with_check(out, self.check) if self.check else out)

    def opened(self, least: int) -> Layout:
        """Return a layout of the same length in which digits that all codes share may vary, the last of them first.

        No more of them than it takes to have so many codes; where that is not enough, the layout as it was.
        """
        found, checked = self, bool(self.check)
        for i in range(len(self.positions) - 1, -1, -1):
            if found.size >= least:
                break
            if self.positions[i] in tuple(string.digits):
                if not checked:
                    wider = (*found.positions[:i], string.digits, *found.positions[i + 1 :])
                    found = replace(found, positions=wider)
                checked = False  # the last digit is the check digit
        return found if found.size >= least else self

    def longer(self, least: int) -> Layout:
        """Return a layout with more digits after its last digit or letter, so that there are at least so many codes."""
        end = max((i + 1 for i, c in enumerate(self.positions) if len(c) > 1), default=len(self.positions))
        found = Layout(self.positions)
        while found.size < least:
            new = string.digits[1:] if found.size == self.size else string.digits
            found = Layout((*found.positions[:end], new, *found.positions[end:]))
            end += 1
        return found

    def to_json(self) -> list[Any] | dict[str, Any]:
        """Return what `of_json` makes the same layout from."""
        places = [c if isinstance(c, str) else list(c) for c in self.positions]
        return {"positions": places, "check": self.check} if self.check else places

    @staticmethod
    def of_json(said: list[Any] | dict[str, Any]) -> Layout:
        """Rebuild a layout."""
        places, check = (said["positions"], said["check"]) if isinstance(said, dict) else (said, "")
        return Layout(tuple(c if isinstance(c, str) else tuple(c) for c in places), check)


def laid_out(layouts: Sequence[Layout], which: np.ndarray, dice: Dice) -> np.ndarray:
    """Return a code for each row, in the layout that is chosen for it."""
    numbers = dice.uniform()
    out = np.empty(len(which), dtype=object)
    for i, layout in enumerate(layouts):
        rows = np.flatnonzero(which == i)
        out[rows] = layout.write((numbers[rows] * layout.size).astype(np.int64), dice.some(rows))
    return out.astype(np.str_)


@dataclass(frozen=True)
class Pattern:
    """The layouts of regular text, and the share of each."""

    layouts: tuple[Layout, ...]
    shares: tuple[float, ...]

    def draw(self, dice: Dice, told: pa.Array | None = None) -> np.ndarray:
        """Return a code for each row, in the layout that is told by its number, where one is."""
        return laid_out(self.layouts, self._which(dice, told), dice)

    def told(self, texts: pa.Array) -> pa.Array | None:
        """Return the number of each text's layout, as text, null where there is no text; nothing where few have one."""
        found = pa.nulls(len(texts), pa.large_string())
        for i, layout in reversed([*enumerate(self.layouts)]):
            words = (f"(?:{'|'.join(map(re.escape, chosen))})" for chosen in layout.positions)
            mine = pc.fill_null(pc.match_substring_regex(texts, f"^{''.join(words)}$"), False)
            found = pc.if_else(mine, pa.scalar(str(i), pa.large_string()), found)
        return found if found.null_count - texts.null_count <= (1 - AGREE) * len(texts) else None

    def number(self, numbers: np.ndarray, key: int, dice: Dice, told: pa.Array | None = None) -> np.ndarray:
        """Return codes: different numbers, different codes, longer ones when a layout is used up."""
        which = self._which(dice, told)
        out = np.empty(len(numbers), dtype=object)
        for i, layout in enumerate(self.layouts):
            rows, size = np.flatnonzero(which == i), layout.size
            round_ = numbers[rows] // size
            codes = layout.write(permuted(numbers[rows] % size, size, key), dice.some(rows))
            out[rows] = np.where(round_ > 0, np.char.add(codes, round_.astype(np.str_)), codes)
        return out.astype(np.str_)

    def _which(self, dice: Dice, told: pa.Array | None) -> np.ndarray:
        which = dice.integers(0, 1) if len(self.layouts) == 1 else pick(self.shares, dice)
        return which if told is None else np.where(told.is_valid(), pc.fill_null(told.cast(pa.int64()), 0), which)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same pattern from."""
        return {"layouts": [one.to_json() for one in self.layouts], "shares": list(self.shares)}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Pattern:
        """Rebuild a pattern."""
        return Pattern(tuple(map(Layout.of_json, said["layouts"])), tuple(said["shares"]))


def recognise(
    values: pa.Array, counts: np.ndarray, protect: int, *, room: float = ROOMY, stretch: bool = True
) -> Pattern | None:
    """Return the pattern of distinct texts and their counts, or None where they are not regular.

    Args:
        values: the distinct texts, none of them null.
        counts: how many rows hold each.
        protect: how many rows must share a layout, or a character, before it may be kept.
        room: how many times more codes than were seen a layout must have; where that is less than `ROOMY`, a layout
            that has not is made no longer than it takes.
        stretch: whether layouts without room for other codes are made longer; else there is no pattern then.
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
    wanted = room * shares
    steps = [m for m in (ROOMY, TIGHT, room) if m >= room]  # as roomy as their length allows
    roomy = [
        _with_room(*both, [m * share * distinct for m in steps]) for both, share in zip(layouts, shares, strict=True)
    ]
    if any(one.size < least * distinct for one, least in zip(roomy, wanted, strict=True)) and not stretch:
        return None
    more = np.full(len(shares), 1000.0) if room >= ROOMY else wanted
    roomy = [one if one.size >= least * distinct else one.longer(int(most * distinct) + 1)
             for one, least, most in zip(roomy, wanted, more, strict=True)]  # fmt: skip
    return Pattern(tuple(roomy), tuple(float(s) for s in shares))


def _with_room(narrow: Layout, wide: Layout, wanted: Sequence[float]) -> Layout:
    """Return the narrower of two layouts that has room for so many codes, the wider one opened where neither has.

    Where both have too little, for fewer: what is wanted is tried one after the other.
    """
    for least in wanted:
        found = narrow if narrow.size >= least else wide.opened(int(least) + 1)
        if found.size >= least:
            return found
    return wide


def narrow_digits(points: np.ndarray, weights: np.ndarray, protect: int) -> Layout:
    """Return the layout of numbers of one length: what is usual at each place; no leading zero where none was seen."""
    held = [string.digits] * points.shape[1]
    if len(held) > 1 and not np.any(points[:, 0] == ord("0")):
        held[0] = string.digits[1:]
    return Layout(tuple(_narrow(points[:, i], weights, chars, protect) for i, chars in enumerate(held)))


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


def _layouts(
    texts: np.ndarray, weights: np.ndarray, protect: int
) -> tuple[list[tuple[Layout, Layout]], np.ndarray] | None:
    """Return the layouts of codes, each as narrow as the rows are and with whole classes, and their shares.

    First digits, capitals and small letters are told apart; where that makes too many layouts, they are taken as one.
    """
    points = characters(texts)
    kind = classes(points)
    fine = np.array([ord("0"), ord("A"), ord("a"), 0], dtype=np.uint32)
    for marks in (np.where(kind == 3, points, fine[kind]), np.where(kind == 3, points, np.uint32(ord("x")))):
        signature, of = np.unique(text_of(marks), return_inverse=True)
        rows = np.bincount(of, weights, minlength=len(signature))
        order = np.argsort(-rows, kind="stable")[:LAYOUTS]
        order = order[rows[order] >= protect]
        if not len(order) or rows[order].sum() < AGREE * rows.sum():
            continue
        made = []
        for which in order:
            mine = of == which
            made.append(_layout(points[mine], kind[mine], weights[mine], len(signature[which]), protect))
        wide = [one for _, one in made]
        told = len(wide) == 1 or any(map(_numbered, wide)) or all(map(_telling, made))
        if all(map(_coded, wide)) and told:
            return made, rows[order] / rows[order].sum()
    return None


def _layout(
    points: np.ndarray, kind: np.ndarray, weights: np.ndarray, length: int, protect: int
) -> tuple[Layout, Layout]:
    """Return the layout of codes of one signature: with what is usual at each place, and with whole classes."""
    total = weights.sum()
    held: list[str] = []
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
    held = _hexadecimal(points, kind, held)
    check = check_of(points[:, :length], weights)
    if check:
        last = max(i for i, c in enumerate(held) if c[0] in string.digits)
        held[last] = "0"
    places = _usual(points, weights, held, protect)
    return Layout(tuple(places), check), Layout(tuple(held), check)


def _usual(points: np.ndarray, weights: np.ndarray, held: list[str], protect: int) -> list[Choice]:
    """Return what enough rows share at each place, where that is clearly less than its class."""
    narrow = [_narrow(points[:, i], weights, chars, protect) for i, chars in enumerate(held)]
    places: list[Choice] = []
    i = 0
    while i < len(held):
        run = i + 1  # places of one class
        while run < len(held) and len(held[i]) > 1 and held[run][-1] in held[i] and len(held[run]) > 1:
            run += 1
        few = i  # those of them that have less than their class
        while few < run and len(narrow[few]) < len(held[few]):
            few += 1
        for end in dict.fromkeys((run, few)):
            words = _words(points[:, i:end], weights, narrow[i:end], protect) if end > i + 1 else None
            if words:
                break
        places.append(words or narrow[i])
        i = end if words else i + 1
    return places


def _words(points: np.ndarray, weights: np.ndarray, narrow: list[str], protect: int) -> Choice | None:
    """Return the few words that a run of places holds, each in enough rows; None where they are many."""
    words, of = np.unique(text_of(points), return_inverse=True)
    rows = np.bincount(of, weights)
    kept = rows >= max(protect, _USUAL)
    each = float(np.prod([float(len(chars)) for chars in narrow]))
    if not 1 < kept.sum() <= min(_WORDS, each - 1) or rows[kept].sum() < AGREE * rows.sum():
        return None
    return tuple(words[kept].tolist())


def _narrow(points: np.ndarray, weights: np.ndarray, held: str, protect: int) -> str:
    """Return the characters of a class that enough rows have at a place, if it is no accident that others are rare."""
    if len(held) == 1:
        return held
    chars, of = np.unique(points, return_inverse=True)
    rows = np.bincount(of, weights)
    kept = rows >= max(protect, _USUAL)
    said = "".join(c for c in held if ord(c) in set(chars[kept].tolist()))
    by_chance = len(held) * (1 - 1 / len(held)) ** len(points)
    clear = len(held) - len(said) > 2 + 3 * by_chance and rows[kept].sum() >= AGREE * rows.sum()
    return said if said and clear else held


def _hexadecimal(points: np.ndarray, kind: np.ndarray, held: list[str]) -> list[str]:
    """Narrow positions that mix digits and letters where no letter beyond f occurs."""
    letters = np.unique(points[(kind == 1) | (kind == 2)])
    said = "".join(chr(p) for p in letters.tolist())
    mixed = any(len(set(c) & set(string.digits)) > 1 and len(c) > len(string.digits) for c in held)
    fits = next((h for h in _HEXADECIMAL if set(said) <= set(h)), None)
    if not mixed or fits is None:
        return held
    return [c if len(c) == 1 else "".join(x for x in c if x in fits) for c in held]


def _coded(layout: Layout) -> bool:
    """Return whether a layout is that of a code: digits, or capitals only, rather than words."""
    open_ = [c for c in layout.positions if len(c) > 1]
    words = any(set(c) <= set(string.ascii_lowercase) for c in open_)
    return not open_ or _numbered(layout) or not words


def _telling(both: tuple[Layout, Layout]) -> bool:
    """Return whether at two places, or at one that holds few words, a code has less than its class: no word does."""
    narrow = [c for c in both[0].positions if len(c[0]) > 1 or len(c) <= 2]
    return 2 <= len(narrow) < len(both[0].positions)


def _numbered(layout: Layout) -> bool:
    return any(set(c) & set(string.digits) for c in layout.positions)


def pick(shares: Sequence[float], dice: Dice) -> np.ndarray:
    """Return for each row the place of one of these shares, as often as they say."""
    ends = np.cumsum(shares)
    return np.minimum(np.searchsorted(ends, dice.uniform() * ends[-1], "right"), len(shares) - 1)
