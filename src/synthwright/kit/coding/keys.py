"""Keys made anew: each follows from its row number one to one, so that keys are unique over all shards.

Numbers that ran on run on; others are scattered by a keyed permutation over numbers of the same length that begin as
all do. Text keys keep their layout. `swap` replaces real keys by others, one to one, the same in every table that
holds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, canonical
from synthwright.core.types import parse_type
from synthwright.kit.coding.codecs import Observed
from synthwright.kit.coding.patterns import TIGHT, Layout, Pattern, characters, classes, padded, recognise, text_of
from synthwright.kit.sampling.dice import Dice, identities, permuted, secret

RUNNING = 1.5
"""Numbers run on where they span at most so many times as many numbers as there are."""
_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_SERIAL = re.compile(r"(.*?)(\d{1,15})(\D*)", re.DOTALL)
_WORD = 2**62
_LOOK, _MAKERS = 20_000, 32
_HEXADECIMAL = np.array([ord(c) for c in "0123456789abcdef"], dtype=np.uint32)


@dataclass(frozen=True)
class Serial:
    """Keys that run on: `start`, `start` + 1 …, as numbers or as text with a prefix, a suffix and leading zeros."""

    kind: ClassVar[str] = "serial"
    start: int
    text: bool = False
    prefix: str = ""
    suffix: str = ""
    width: int = 0

    def make(self, rows: np.ndarray, dice: Dice) -> pa.Array:
        """Return the keys of these row numbers."""
        del dice
        numbers = rows.astype(np.int64) + self.start
        if not self.text:
            return pa.array(numbers)
        said = padded(numbers, self.width)
        return pa.array(np.char.add(np.char.add(self.prefix, said), self.suffix), pa.large_string())


@dataclass(frozen=True)
class Scattered:
    """Numbers of one length in no order; when they are used up, larger ones."""

    kind: ClassVar[str] = "scattered"
    low: int
    size: int
    secret: str

    def make(self, rows: np.ndarray, dice: Dice) -> pa.Array:
        """Return the keys of these row numbers."""
        del dice
        inside = rows < self.size
        moved = permuted(np.where(inside, rows, 0), self.size, int(self.secret))
        return pa.array(self.low + np.where(inside, moved, rows))


@dataclass(frozen=True)
class Coded:
    """Text of one layout in no order; when the codes are used up, longer ones."""

    kind: ClassVar[str] = "coded"
    pattern: Pattern
    secret: str

    def make(self, rows: np.ndarray, dice: Dice, told: pa.Array | None = None) -> pa.Array:
        """Return the keys of these row numbers, in the layouts whose numbers are told, where some are."""
        return pa.array(self.pattern.number(rows.astype(np.int64), int(self.secret), dice, told), pa.large_string())


@dataclass(frozen=True)
class Uuids:
    """Random identifiers in the form of RFC 9562, version 4."""

    kind: ClassVar[str] = "uuid"
    upper: bool

    def make(self, rows: np.ndarray, dice: Dice) -> pa.Array:
        """Return the keys of these row numbers."""
        del rows
        return pa.array(_uuids(dice, upper=self.upper), pa.large_string())


Keys = Serial | Scattered | Coded | Uuids


def learn_keys(field: Field, seen: Observed, key: int, protect: int) -> Keys:
    """Return a maker of keys that look like those that were seen.

    Args:
        field: the key's field; its canonical type is an integer or text.
        seen: the real keys and their counts.
        key: what decides the order of keys that are in none.
        protect: how many rows must share a character before it may be kept.
    """
    if pa.types.is_integer(canonical(field)):
        return _learn_numbers(field, seen, key)
    values = seen.values.cast(pa.large_string())
    if len(values) and _share(pc.match_substring_regex(values, _UUID)) >= 1:
        return Uuids(bool(_share(pc.equal(values, pc.utf8_upper(values))) >= 1))
    serial = _learn_serial(values)
    if serial is not None:
        return serial
    pattern = recognise(values, seen.counts, protect, room=TIGHT)
    if pattern is None:
        pattern = Pattern.of_json({"layouts": [[*["ABCDEFGHJKLMNPQRSTUVWXYZ23456789"] * 10]], "shares": [1.0]})
    apart = _apart(pattern, TIGHT * len(values))
    return _clear(lambda key: Coded(apart, str(key)), values, key)


def _apart(pattern: Pattern, least: float) -> Pattern:
    """Return the pattern of the first layout, and of others that have so many codes, none of which is one of two."""
    kept = [0]
    for i in range(1, len(pattern.layouts)):
        one = pattern.layouts[i]
        if one.size >= least and not any(_meet(one, pattern.layouts[k]) for k in kept):
            kept.append(i)
    return Pattern(tuple(pattern.layouts[k] for k in kept), tuple(pattern.shares[k] for k in kept))


def _meet(one: Layout, other: Layout) -> bool:
    """Return whether a code may be one of both layouts."""
    if sum(len(c[0]) for c in one.positions) != sum(len(c[0]) for c in other.positions):
        return False
    plain = all(isinstance(c, str) for c in (*one.positions, *other.positions))
    return not plain or all(set(a) & set(b) for a, b in zip(one.positions, other.positions, strict=True))


def keys_to_json(keys: Keys) -> dict[str, Any]:
    """Return what `keys_of_json` makes the same maker from."""
    said = {"pattern": keys.pattern.to_json(), "secret": keys.secret} if isinstance(keys, Coded) else asdict(keys)
    return {"keys": keys.kind, **said}


def keys_of_json(said: dict[str, Any]) -> Keys:
    """Rebuild a maker of keys."""
    rest = {k: v for k, v in said.items() if k != "keys"}
    if said["keys"] == Coded.kind:
        return Coded(Pattern.of_json(rest["pattern"]), rest["secret"])
    makers: dict[str, Callable[..., Keys]] = {c.kind: c for c in (Serial, Scattered, Uuids)}
    return makers[said["keys"]](**rest)


def fitting(keys: pa.Array, field: Field, owner: str) -> pa.Array:
    """Return keys in the field's canonical type; a SampleError where the type outside cannot hold them."""
    kind = canonical(field)
    outside = parse_type(field.type) if field.type and field.form is None else kind
    if pa.types.is_integer(outside) and pa.types.is_integer(keys.type) and len(keys):
        most = 2 ** (outside.bit_width - int(pa.types.is_signed_integer(outside))) - 1
        if pc.max(keys).as_py() > most:
            raise SampleError(owner, "keys", wanted=f"at most {most:,} for type {outside}", got="more rows than that",
                              remedy="give the key a wider type in the schema, or ask for fewer rows")  # fmt: skip
    return keys.cast(kind)


def swap(values: pa.Array, key: int) -> pa.Array:
    """Return other keys for distinct real ones, one to one: equal keys get equal ones in every table.

    Every digit becomes a digit, every capital a capital, every small letter a small letter; other characters stay.
    """
    if pa.types.is_integer(values.type):
        return _swapped_numbers(values, key)
    texts = np.asarray(values.to_pylist(), dtype=np.str_) if len(values) else np.empty(0, dtype="U1")
    dice = Dice(identities([t.encode() for t in texts.tolist()], key), key)
    random = _random_text(texts, dice)
    if len(values) and _share(pc.match_substring_regex(values, _UUID)) >= 1:
        return pa.array(_uuids(dice, upper=False), values.type)
    points = characters(texts)
    kind = classes(points)
    base = np.choose(kind, [10, 26, 26, 1])
    room = np.log2(base).sum(axis=1)
    small = np.flatnonzero(room < np.log2(_WORD) - 1)
    out = random.astype(np.dtype((np.str_, max(points.shape[1], 1))))
    signature, of = np.unique(kind[small], axis=0, return_inverse=True) if len(small) else (kind[:0], small)
    order = np.argsort(of, kind="stable")
    for rows in np.split(small[order], np.flatnonzero(np.diff(of[order])) + 1) if len(small) else ():
        out[rows] = _ranked(points[rows], kind[rows[0]], key)
    del signature
    return pa.array(out, values.type)


def _learn_numbers(field: Field, seen: Observed, key: int) -> Keys:
    if not len(seen.values):
        return Serial(1)
    low, high = pc.min(seen.values).as_py(), pc.max(seen.values).as_py()
    if high - low < RUNNING * len(seen.values):
        return Serial(0 if low == 0 else 1)
    outside = parse_type(field.type) if field.type and field.form is None else canonical(field)
    bits = outside.bit_width - int(pa.types.is_signed_integer(outside)) if pa.types.is_integer(outside) else 63
    most = 2 ** min(bits, 63) - 1
    span = 10 ** len(str(len(seen.values) * max(20, len(seen.values) // 2)))  # so wide that none need come back
    while low // span != high // span and span <= high:
        span *= 10
    first = low // span * span
    if span <= low and first + 2 * span <= most:  # all begin with the same digits
        return _clear(lambda key: Scattered(first, span, str(key)), seen.values, key)
    middle = int(abs(pc.quantile(seen.values.cast(pa.float64(), safe=False), 0.5)[0].as_py()))
    digits = min(max(len(str(middle)), len(str(len(seen.values) * 20))), 18)
    size = max(1, min(9 * 10 ** (digits - 1), most - 10 ** (digits - 1)))
    return _clear(lambda key: Scattered(10 ** (digits - 1), size, str(key)), seen.values, key)


def _clear(keys: Callable[[int], Keys], real: pa.Array, key: int) -> Keys:
    """Return the first of a few makers whose first keys are none of the real ones, else the one with the fewest."""
    rows = np.arange(min(2 * len(real), _LOOK))
    best, fewest = keys(key), len(rows) + 1
    for i in range(_MAKERS):
        tried = keys(secret(key, i))
        made = tried.make(rows, Dice(rows.astype(np.uint64), key)).cast(real.type)
        met = int(pc.sum(pc.is_in(made, real)).as_py() or 0)
        if met < fewest:
            best, fewest = tried, met
        if not met:
            break
    return best


def _learn_serial(values: pa.Array) -> Serial | None:
    """Return a maker of texts that differ in one number that runs on, or None."""
    if not len(values):
        return None
    first = _SERIAL.fullmatch(values[0].as_py())
    if first is None:
        return None
    prefix, suffix = first[1], first[3]
    texts = values.to_pylist()
    inner = [t[len(prefix) : len(t) - len(suffix)] for t in texts if t.startswith(prefix) and t.endswith(suffix)]
    if len(inner) < len(texts) or not all(t.isascii() and t.isdigit() and len(t) <= 15 for t in inner):
        return None
    numbers = np.array([int(t) for t in inner], dtype=np.int64)
    if numbers.max() - numbers.min() >= RUNNING * len(numbers):
        return None
    widths = {len(t) for t in inner}
    padded = any(t.startswith("0") and len(t) > 1 for t in inner) or len(widths) == 1
    width = max(widths) if padded else 0
    return Serial(_fresh(int(numbers.max()), width), text=True, prefix=prefix, suffix=suffix, width=width)


def _fresh(most: int, width: int) -> int:
    """Return a round start beyond every number seen, so that no real key comes back."""
    step = 10 ** max(len(str(most)) - 1, 1)
    start = (most // step + 1) * step + 1
    return start if not width or len(str(start)) <= width else 10**width + 1


def _swapped_numbers(values: pa.Array, key: int) -> pa.Array:
    """Permute the numbers of each length and sign among themselves."""
    held = values.to_numpy(zero_copy_only=False)
    out = held.copy()
    size = np.abs(held.astype(np.float64))
    for digits in range(1, 19):
        low = 0 if digits == 1 else 10 ** (digits - 1)
        span = 10**digits - low
        for sign in (1, -1):
            rows = (size >= low) & (size < 10**digits) & ((held < 0) == (sign < 0)) & (np.abs(size) < _WORD)
            if rows.any():
                moved = permuted(np.abs(held[rows].astype(np.int64)) - low, span, key + digits)
                out[rows] = (sign * (low + moved)).astype(held.dtype)
    return pa.array(out, values.type)


def _ranked(points: np.ndarray, kind: np.ndarray, key: int) -> np.ndarray:
    """Permute codes of one signature among all codes of that signature."""
    open_ = np.flatnonzero(kind < 3)
    zero = np.array([ord("0"), ord("A"), ord("a")])
    bases = [10 if kind[i] == 0 else 26 for i in open_]
    rank, size = np.zeros(len(points), dtype=np.int64), 1
    for i, base in zip(open_, bases, strict=True):
        rank = rank * base + np.mod(points[:, i].astype(np.int64) - zero[kind[i]], base)
        size *= base
    rank = permuted(rank, size, key)
    out = points.copy()
    for i, base in zip(open_[::-1], bases[::-1], strict=True):
        rank, digit = np.divmod(rank, base)
        out[:, i] = zero[kind[i]] + digit
    return text_of(out)


def _random_text(texts: np.ndarray, dice: Dice) -> np.ndarray:
    points = characters(texts).copy()
    kind = classes(points)
    zero, base = np.array([ord("0"), ord("A"), ord("a"), 0]), np.array([10, 26, 26, 1])
    for i in range(points.shape[1]):
        drawn = zero[kind[:, i]] + (dice.uniform() * base[kind[:, i]]).astype(np.int64)
        points[:, i] = np.where(kind[:, i] < 3, drawn, points[:, i])
    return text_of(points)


def _uuids(dice: Dice, *, upper: bool) -> np.ndarray:
    """Return random identifiers: the identity of the row decides 64 bits one to one, so no two are equal."""
    first, second = dice.words(), dice.words()
    nibbles = np.empty((len(dice), 32), dtype=np.int64)
    for i in range(16):
        nibbles[:, i] = ((first >> np.uint64(4 * i)) & np.uint64(15)).astype(np.int64)
        nibbles[:, 16 + i] = ((second >> np.uint64(4 * i)) & np.uint64(15)).astype(np.int64)
    nibbles[:, 12], nibbles[:, 16] = 4, 8 + (nibbles[:, 16] & 3)
    points = np.full((len(dice), 36), ord("-"), dtype=np.uint32)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    points[:, places] = _HEXADECIMAL[nibbles]
    said = text_of(points)
    return np.char.upper(said) if upper else said


def _share(of: pa.Array) -> float:
    return float(pc.mean(of.cast(pa.float64())).as_py())
