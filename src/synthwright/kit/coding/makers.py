"""Makers: what makes one column anew, row by row, from row numbers and dice; learned from the look of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ORDERED, Field, Kind, canonical
from synthwright.core.types import parse_type
from synthwright.kit.coding.bits import put_bits, shared_bits
from synthwright.kit.coding.codecs import Observed, OrderedCodec, settle
from synthwright.kit.coding.composed import Composed
from synthwright.kit.coding.keys import Coded, Keys, fitting, keys_of_json, keys_to_json, learn_keys, swap
from synthwright.kit.coding.pools import Pool, repeats
from synthwright.kit.coding.rulers import Ruler
from synthwright.kit.coding.shapes import Shape, knots
from synthwright.kit.entities.fakes import Fake, Options, marks
from synthwright.kit.sampling.dice import Dice, secret

DIGITS = frozenset({"phone", "card", "national-number", "identifier"})
"""Marks whose values can be numbers outside."""
MANY = 200
"""More different bytes are values of their own, not marks."""
NUMERIC = (Kind.INTEGER, Kind.NUMBER)


class Rows(NamedTuple):
    """What a column is made for."""

    numbers: np.ndarray
    """The number of each row; none occurs twice."""
    dice: Dice
    given: Dataset | None
    """The start, with the tables that references are drawn from; None: each value stands for a real one."""
    beside: pa.Table | None = None
    """The same rows with the columns that texts may say."""
    look: pa.Array | None = None
    """The label of the way in which each row's text is built or spelled; nothing: any."""
    hidden: Mapping[str, pa.Array] = MappingProxyType({})
    """What parts of texts say, by the name of the part."""


class Maker(Protocol):
    """Makes a column."""

    def make(self, rows: Rows) -> pa.Array:
        """Return a value for each row, in the canonical type of the field."""

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""


@dataclass(frozen=True)
class KeyMaker:
    """Keys, each its own; references to keys, drawn from those that there are."""

    kind: ClassVar[str] = "key"
    field: Field
    keys: Keys
    parents: int
    """Of references: how many parents there were."""
    secret: str
    """What random parts of keys follow from, beside their number."""
    inside: bool = False
    """Whether references point to other rows of their own table: then to an earlier one, so that there are no circles,
    and none in the first row, or, where there must be one, to itself."""

    def make(self, rows: Rows) -> pa.Array:
        """Return the key of each row, or of a parent."""
        if self.field.kind is not Kind.REFERENCE:
            return self._of(rows.numbers, rows.look)
        held = self._held(rows.given)
        if held is not None:
            if not len(held):
                raise SampleError("anew", f"a reference to {self.field.to}", wanted="keys to draw from",
                                  got="a table without rows", remedy="make the other table first")  # fmt: skip
            return held.take(pa.array(rows.dice.integers(0, len(held)))).cast(canonical(self.field))
        if self.inside:
            above = np.floor(rows.dice.uniform() * rows.numbers).astype(np.int64)
            first = pa.array((rows.numbers == 0) & self.field.nulls)
            return pc.if_else(first, pa.scalar(None, canonical(self.field)), self._of(above))
        return self._of(rows.dice.integers(0, max(self.parents, 1)))

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, **keys_to_json(self.keys), "parents": self.parents, "secret_": self.secret,
                "inside": self.inside}  # fmt: skip

    def _of(self, numbers: np.ndarray, look: pa.Array | None = None) -> pa.Array:
        """Return the keys of row numbers: the same ones wherever they are asked for."""
        dice = Dice(numbers.astype(np.uint64), int(self.secret))
        made = self.keys.make(numbers, dice, look) if isinstance(self.keys, Coded) else self.keys.make(numbers, dice)
        return fitting(made, self.field, "anew")

    def _held(self, given: Dataset | None) -> pa.Array | None:
        if given is None or self.field.to is None or not given.has(self.field.to):
            return None
        column = given.column(self.field.to)
        return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)


@dataclass(frozen=True)
class FakeMaker:
    """Personal data of a mark."""

    kind: ClassVar[str] = "fake"
    field: Field
    fake: Fake

    def make(self, rows: Rows) -> pa.Array:
        """Return a value of the mark for each row; digits only where the column is a number outside."""
        made = pa.array(self.fake.make(rows.numbers, rows.dice, rows.look), pa.large_string())
        kind, outside = canonical(self.field), _outside(self.field)
        if _numeric(outside):
            most = 18 if not pa.types.is_integer(outside) else len(str(2 ** (outside.bit_width - 1))) - 1
            most = min(most, outside.precision) if pa.types.is_decimal(outside) else most
            digits = pc.replace_substring_regex(made, "[^0-9]", "")
            made = pc.utf8_slice_codeunits(digits, 0, most)
        return made if made.type == kind else made.cast(pa.int64()).cast(kind)

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, **self.fake.to_json()}


@dataclass(frozen=True)
class PoolMaker:
    """Values that repeat: drawn from a pool of pseudonyms that another maker made."""

    kind: ClassVar[str] = "pool"
    field: Field
    maker: Maker
    pool: Pool

    def make(self, rows: Rows) -> pa.Array:
        """Return a pseudonym for each row."""
        if rows.given is None:
            return self.maker.make(rows)
        return self.pool.draw(rows.numbers, rows.dice)

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, "of": self.maker.to_json(), **self.pool.to_json()}


@dataclass(frozen=True)
class TextMaker:
    """Text by its look: codes of the same layouts, or neutral words of the same lengths."""

    kind: ClassVar[str] = "text"
    field: Field
    shape: Shape
    keys: Keys | None
    """Where no text may occur twice: what makes each its own."""

    def make(self, rows: Rows) -> pa.Array:
        """Return a text for each row."""
        if isinstance(self.keys, Coded):
            return self.keys.make(rows.numbers, rows.dice, rows.look)
        if self.keys is not None:
            return self.keys.make(rows.numbers, rows.dice)
        if self.field.kind is Kind.CATEGORY and rows.given is not None:
            return self.shape.draw(rows.dice.uniform())  # about as many labels as there were
        return self.shape.text(rows.dice, rows.look)

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        keys = None if self.keys is None else keys_to_json(self.keys)
        return {"maker": self.kind, "shape": self.shape.to_json(), "keys": keys}


@dataclass(frozen=True)
class ComposedMaker:
    """Text put together of what other columns say, of parts that are learned, and of parts that are made anew."""

    kind: ClassVar[str] = "composed"
    field: Field
    composed: Composed

    def make(self, rows: Rows) -> pa.Array:
        """Return a text for each row."""
        return self.composed.make(rows.look, rows.numbers, rows.dice, rows.beside, rows.hidden)

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, **self.composed.to_json()}


@dataclass(frozen=True)
class BytesMaker:
    """Random bytes of the same lengths, but for the bits that all share."""

    kind: ClassVar[str] = "bytes"
    field: Field
    lengths: tuple[float, ...]
    """Means of groups of rows, ascending."""
    mask: bytes = b""
    bits: bytes = b""

    def make(self, rows: Rows) -> pa.Array:
        """Return bytes for each row."""
        at = rows.dice.uniform() * len(self.lengths) - 0.5
        length = np.rint(np.interp(at, np.arange(len(self.lengths)), self.lengths)).astype(np.int64)
        offsets = np.append(0, np.cumsum(length)).astype(np.int64)
        inside = np.arange(int(offsets[-1]), dtype=np.uint64) - np.repeat(offsets[:-1], length).astype(np.uint64)
        first = np.repeat(rows.dice.words(), length)
        data = (Dice(first + inside, 1).words() & np.uint64(255)).astype(np.uint8)
        put_bits(data, offsets, self.mask, self.bits)
        buffers = (pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes()))
        return pa.Array.from_buffers(pa.large_binary(), len(length), [None, *buffers])

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, "lengths": list(self.lengths), "mask": self.mask.hex(), "bits": self.bits.hex()}


@dataclass(frozen=True)
class MarksMaker:
    """Bytes that mark a kind of row: the few that enough rows share, as often as they come."""

    kind: ClassVar[str] = "marks"
    field: Field
    marks: tuple[bytes, ...]
    shares: tuple[float, ...]

    @staticmethod
    def of(field: Field, seen: Observed, protect: int) -> MarksMaker | None:
        """Return the maker, or None where bytes are many, or where many rows have some of their own."""
        shared = seen.counts >= protect
        total = seen.counts[shared].sum()
        if not total or shared.sum() > MANY or total < 0.9 * seen.counts.sum():
            return None
        kept = seen.values.filter(pa.array(shared)).to_pylist()
        return MarksMaker(field, tuple(kept), tuple((seen.counts[shared] / total).tolist()))

    def make(self, rows: Rows) -> pa.Array:
        """Return a mark for each row."""
        edges = np.cumsum(self.shares)
        which = np.minimum(np.searchsorted(edges, rows.dice.uniform(), side="right"), len(edges) - 1)
        return pa.array(self.marks, pa.large_binary()).take(pa.array(which))

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, "marks": [m.hex() for m in self.marks], "shares": list(self.shares)}


@dataclass(frozen=True)
class RangeMaker:
    """Ordered values, evenly between blurred ends, whatever their distribution was."""

    kind: ClassVar[str] = "range"
    field: Field
    ruler: Ruler
    low: float
    high: float

    def make(self, rows: Rows) -> pa.Array:
        """Return a value for each row."""
        return self.ruler.values(self.low + rows.dice.uniform() * (self.high - self.low))

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, "ruler": self.ruler.to_json(), "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ChoiceMaker:
    """One of a few values that are no secret: true and false, or the one value that all rows share."""

    kind: ClassVar[str] = "choice"
    field: Field
    values: tuple[bool | str, ...]

    def make(self, rows: Rows) -> pa.Array:
        """Return a value for each row."""
        held = pa.array(self.values, canonical(self.field))
        if not len(held):
            return pa.nulls(len(rows.dice), held.type)
        return held.take(pa.array(rows.dice.integers(0, len(held))))

    def to_json(self) -> dict[str, Any]:
        """Return what `maker_of_json` makes the same maker from."""
        return {"maker": self.kind, "values": list(self.values)}


def swaps(maker: Maker) -> bool:
    """Return whether pseudonyms of a column must differ where the real values do: keys, identifiers, what is unique."""
    if isinstance(maker, FakeMaker | PoolMaker):
        return maker.field.sensitive == "identifier"
    return isinstance(maker, KeyMaker) or (isinstance(maker, TextMaker) and maker.keys is not None)


def swapped(distinct: pa.Array, field: Field, key: int) -> pa.Array:
    """Return other values for distinct ones, one to one; numbers for those that are numbers outside."""
    outside = _outside(field)
    whole = pa.types.is_integer(outside) or pa.types.is_floating(outside)
    if whole and pa.types.is_large_string(distinct.type):
        return swap(distinct.cast(pa.int64()), key).cast(distinct.type)
    return swap(distinct, key)


def learn_maker(field: Field, seen: Observed, options: Options, rng: np.random.Generator) -> Maker:
    """Return what makes a column anew that looks like what was seen of it, and repeats like it if it is personal."""
    maker = _learned(field, seen, options, rng)
    worded = isinstance(maker, FakeMaker) or (isinstance(maker, TextMaker) and field.kind is Kind.TEXT)
    if field.sensitive is None or field.unique or not worded or not repeats(seen):
        return maker
    key = secret("pool", options.key)

    def make(numbers: np.ndarray) -> pa.Array:
        return _plain(maker.make(Rows(numbers, Dice(numbers.astype(np.uint64), key), None)), field)

    return PoolMaker(field, maker, Pool.of(seen, make, key, protect=options.protect))


def _outside(field: Field) -> pa.DataType:
    """Return the type of a field's values outside."""
    kind = parse_type(field.type) if field.type else canonical(field)
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _plain(made: pa.Array, field: Field) -> pa.Array:
    """Return numbers as text without leading zeros, so that those that differ also differ outside."""
    if not _numeric(_outside(field)) or not pa.types.is_large_string(made.type):
        return made
    return made.cast(pa.int64()).cast(made.type)


def _learned(field: Field, seen: Observed, options: Options, rng: np.random.Generator) -> Maker:
    if field.kind in (Kind.KEY, Kind.REFERENCE):
        keys = learn_keys(field, seen, options.key, options.protect)
        return KeyMaker(field, keys, len(seen.values), str(options.key))
    if field.kind is Kind.BYTES:
        return MarksMaker.of(field, seen, options.protect) or BytesMaker(
            field, _lengths(seen, options.protect), *shared_bits(seen.values)
        )
    texts = pa.types.is_large_string(seen.values.type)
    if field.sensitive in marks() and (texts or (field.sensitive in DIGITS and field.kind in NUMERIC)):
        said = seen.values if texts else seen.values.cast(pa.string()).cast(pa.large_string())
        return FakeMaker(field, Fake.of(str(field.sensitive), said, seen.counts, options))
    if field.kind in ORDERED:
        return _range(field, seen, options, rng)
    shared = len(seen.values) == 1 and seen.counts[0] >= options.protect and field.sensitive is None
    if shared or not len(seen.values) or field.kind is Kind.BOOLEAN:
        kept = seen.values.to_pylist() if shared or not len(seen.values) else [False, True]
        return ChoiceMaker(field, tuple(kept))
    keys_ = learn_keys(field, seen, options.key, options.protect) if field.unique else None
    crowded = field.kind is Kind.TEXT and field.sensitive is None
    shape = Shape.of(seen.values, seen.counts, rng, protect=options.protect, crowded=crowded)
    return TextMaker(field, shape, keys_)


def maker_of_json(said: dict[str, Any], field: Field) -> Maker:
    """Rebuild a maker."""
    match said["maker"]:
        case KeyMaker.kind:
            rest = {k: v for k, v in said.items() if k not in ("maker", "parents", "secret_", "inside")}
            return KeyMaker(field, keys_of_json(rest), said["parents"], said["secret_"], said["inside"])
        case PoolMaker.kind:
            return PoolMaker(field, maker_of_json(said["of"], field), Pool.of_json(said, canonical(field)))
        case FakeMaker.kind:
            return FakeMaker(field, Fake.of_json(said))
        case TextMaker.kind:
            keys = None if said["keys"] is None else keys_of_json(said["keys"])
            return TextMaker(field, Shape.of_json(said["shape"]), keys)
        case ComposedMaker.kind:
            return ComposedMaker(field, Composed.of_json(said))
        case BytesMaker.kind:
            return BytesMaker(field, tuple(said["lengths"]), *(bytes.fromhex(said[n]) for n in ("mask", "bits")))
        case MarksMaker.kind:
            return MarksMaker(field, tuple(map(bytes.fromhex, said["marks"])), tuple(said["shares"]))
        case RangeMaker.kind:
            return RangeMaker(field, Ruler.of_json(said["ruler"]), said["low"], said["high"])
        case _:
            return ChoiceMaker(field, tuple(said["values"]))


def _lengths(seen: Observed, protect: int) -> tuple[float, ...]:
    length = pc.binary_length(seen.values).to_numpy(zero_copy_only=False)
    return tuple(knots(length, seen.counts, protect).tolist())


def _range(field: Field, seen: Observed, options: Options, rng: np.random.Generator) -> Maker:
    codec = settle(field, seen, rng, protect=options.protect)
    where = codec.numbers()
    if not isinstance(codec, OrderedCodec) or where is None or not codec.size:
        return ChoiceMaker(field, ())
    return RangeMaker(field, codec.ruler, float(where[0]), float(where[-1]))
