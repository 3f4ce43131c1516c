"""Text put together of parts that say something: `155/102` beside a column that is 155, `L231204-013` beside a date.

A text is built in one of a few ways. Of its parts some are what another column says, and are copied from it; some
repeat from row to row, and are hidden columns that follow from the others; the rest is made anew, by its look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.forms import spell
from synthwright.core.numerals import parse_numerals, spell_numerals
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.coding.patterns import padded, pick
from synthwright.kit.coding.skeletons import Slot
from synthwright.kit.coding.spelled import Said, spelled
from synthwright.kit.sampling.dice import Dice, permuted

MOMENTS = (Kind.DATE, Kind.TIME, Kind.DATETIME)
"""What is no number, but counts as one."""
_WORD = 2**62
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Amount:
    """A number in a text."""

    form: str
    """How it is spelled."""
    step: float
    """What it is a multiple of."""
    knots: tuple[float, ...]
    """Means of groups of rows, ascending: what it is where nothing says so."""
    base: int = -1
    """The part of the text that it is counted from, as it is never on the other side of it; -1: from zero."""
    sign: int = 1
    """Whether it is above that part (1) or below it (-1)."""
    kind: Kind = Kind.NUMBER
    """What it is: a number, or a moment: days, or microseconds, that count as such."""

    def make(self, dice: Dice, known: pa.Array | None, base: np.ndarray | None) -> np.ndarray:
        """Return the number of each row, or how far it is from the part that it is counted from, if that is given.

        Args:
            dice: the randomness of each row.
            known: what is learned of it; null, or nothing: it is drawn by itself.
            base: the numbers that it is counted from.
        """
        own = np.interp(dice.uniform() * (len(self.knots) - 1), np.arange(len(self.knots)), self.knots)
        if known is not None:
            learned = np.asarray(_counted(known).cast(pa.float64()).fill_null(np.nan))
            own = np.where(np.isnan(learned), own, learned)
        if base is None:
            return np.rint(own / self.step) * self.step
        at = (base + self.sign * np.maximum(own, 0.0)) / self.step
        return (np.ceil(at - 1e-6) if self.sign > 0 else np.floor(at + 1e-6)) * self.step

    def spell(self, values: np.ndarray) -> pa.Array:
        """Return numbers as they are spelled; times of day not beyond the day."""
        if self.kind not in MOMENTS:
            return spell_numerals(pa.array(values), self.form)
        held = canonical(Field(kind=self.kind))
        values = np.clip(values, 0, _DAY - self.step) if self.kind is Kind.TIME else values
        counts = pa.array(np.rint(values).astype(np.int32 if self.kind is Kind.DATE else np.int64))
        return spell(counts.cast(held), self.form, self.kind)

    def to_json(self) -> dict[str, Any]:
        """Return what `Amount(**…)` makes the same from."""
        return {"form": self.form, "step": self.step, "knots": list(self.knots), "base": self.base, "sign": self.sign,
                "kind": self.kind.value}  # fmt: skip

    @staticmethod
    def of_json(said: dict[str, Any]) -> Amount:
        """Rebuild it."""
        return Amount(**{**said, "knots": tuple(said["knots"]), "kind": Kind(said.get("kind", Kind.NUMBER))})


@dataclass(frozen=True)
class Piece:
    """One part of a text."""

    slot: Slot
    """What stands there where nothing else says so."""
    copied: Said | None = None
    """What it is copied from."""
    hidden: str = ""
    """The hidden column that says it; nothing: none does."""
    width: int = 0
    """How many digits it has at least, where that column is of numbers."""
    amount: Amount | None = None
    """Where it is a number: how it is spelled, and what it is counted from."""

    @property
    def anew(self) -> bool:
        """Whether it is made anew, not copied or learned."""
        return bool(self.slot.layouts) and self.copied is None and not self.hidden

    def make(self, dice: Dice, beside: pa.Table | None, hidden: Mapping[str, pa.Array]) -> np.ndarray:
        """Return what stands there in each row."""
        said = self.slot.draw(dice)
        if self.copied is not None and beside is not None:
            known = spelled(beside, self.copied)
        elif self.hidden in hidden:
            known = hidden[self.hidden]
            if pa.types.is_integer(known.type):
                there = known.fill_null(0).to_numpy(zero_copy_only=False)
                known = pc.if_else(known.is_valid(), pa.array(padded(there, self.width), pa.large_string()), None)
        else:
            return said
        return _texts(pc.coalesce(known.cast(pa.large_string()), pa.array(said, pa.large_string())))

    def count(
        self, amount: Amount, dice: Dice, beside: pa.Table | None, hidden: Mapping[str, pa.Array],
        base: np.ndarray | None,
    ) -> np.ndarray:  # fmt: skip
        """Return the number that stands there in each row."""
        made = amount.make(dice, hidden.get(self.hidden), base)
        if self.copied is None or beside is None:
            return made
        known = np.asarray(parse_numerals(spelled(beside, self.copied), amount.form, Kind.NUMBER).fill_null(np.nan))
        return np.where(np.isnan(known), made, known)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        copied = None if self.copied is None else list(self.copied)
        amount = None if self.amount is None else self.amount.to_json()
        return {"slot": self.slot.to_json(), "copied": copied, "hidden": self.hidden, "width": self.width,
                "amount": amount}  # fmt: skip

    @staticmethod
    def of_json(said: dict[str, Any]) -> Piece:
        """Rebuild a part."""
        copied = None if said["copied"] is None else Said(*said["copied"])
        amount = None if said["amount"] is None else Amount.of_json(said["amount"])
        return Piece(Slot.of_json(said["slot"]), copied, said["hidden"], said["width"], amount)


@dataclass(frozen=True)
class Composed:
    """The ways in which the texts of a column are built, and the share of each."""

    built: tuple[tuple[Piece, ...], ...]
    shares: tuple[float, ...]
    unique: str = ""
    """Where no text may occur twice: what decides in which order parts that are made anew come; nothing: they may."""

    def make(
        self, which: pa.Array | None, numbers: np.ndarray, dice: Dice, beside: pa.Table | None,
        hidden: Mapping[str, pa.Array],
    ) -> pa.Array:  # fmt: skip
        """Return a text for each row.

        Args:
            which: the label of the way in which each is built; nothing, or another label: any.
            numbers: the number of each row; where texts are unique, other numbers give other texts.
            dice: the randomness of each row.
            beside: what parts are copied from; nothing: they are made as others are.
            hidden: the hidden columns, each as long as the dice.
        """
        chosen = pick(self.shares, dice)
        if which is not None:
            asked = pc.index_in(which, value_set=pa.array([str(i) for i in range(len(self.built))], which.type))
            chosen = pc.coalesce(asked.cast(pa.int64()), pa.array(chosen)).to_numpy(zero_copy_only=False)
        out = np.empty(len(chosen), dtype=object)
        for i, pieces in enumerate(self.built):
            rows = np.flatnonzero(chosen == i)
            at, own, said = pa.array(rows), dice.some(rows), np.full(len(rows), "", dtype=np.str_)
            held, parts = None if beside is None else beside.take(at), {n: a.take(at) for n, a in hidden.items()}
            fresh = self._numbered(pieces, numbers[rows], own) if self.unique else {}
            counts = _counts(pieces, own, held, parts)
            for j, piece in enumerate(pieces):
                if piece.amount is not None:
                    said = np.char.add(said, _texts(piece.amount.spell(counts[j])))
                    continue
                said = np.char.add(said, fresh[j] if j in fresh else piece.make(own, held, parts))
            out[rows] = said if len(pieces) not in fresh else np.char.add(said, fresh[len(pieces)])
        return pa.array(out.astype(np.str_), pa.large_string())

    def _numbered(self, pieces: tuple[Piece, ...], numbers: np.ndarray, dice: Dice) -> dict[int, np.ndarray]:
        """Return the parts that are made anew, by their place: together other ones for every number.

        When they are used up, more digits follow the last part.
        """
        size, found = 1, {}
        layouts = {j: p.slot.layouts[int(np.argmax(p.slot.shares))] for j, p in enumerate(pieces) if p.anew}
        kept = {j: one for j, one in layouts.items() if (size := size * one.size) <= _WORD}
        size = math.prod(one.size for one in kept.values())
        rounds, rest = np.divmod(numbers.astype(np.int64), size)
        rest = permuted(rest, size, int(self.unique))
        for j, layout in kept.items():
            rest, own = np.divmod(rest, layout.size)
            found[j] = layout.write(own, dice)
        if rounds.any():
            found[len(pieces)] = np.where(rounds > 0, rounds.astype(np.str_), "")
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        built = [[p.to_json() for p in pieces] for pieces in self.built]
        return {"built": built, "shares": list(self.shares), "unique": self.unique}

    @staticmethod
    def of_json(said: dict[str, Any]) -> Composed:
        """Rebuild it."""
        built = tuple(tuple(map(Piece.of_json, pieces)) for pieces in said["built"])
        return Composed(built, tuple(said["shares"]), said["unique"])


def _counts(
    pieces: tuple[Piece, ...], dice: Dice, beside: pa.Table | None, hidden: Mapping[str, pa.Array]
) -> dict[int, np.ndarray]:
    """Return the numbers of texts that are built in one way, by their place; those first that others count from."""
    waiting = [j for j, p in enumerate(pieces) if p.amount is not None]
    found: dict[int, np.ndarray] = {}
    while waiting:
        ready = [j for j in waiting if (a := pieces[j].amount) and (a.base < 0 or a.base in found)]
        for j in ready:
            amount = pieces[j].amount
            assert amount is not None  # noqa: S101  none else waits
            found[j] = pieces[j].count(amount, dice, beside, hidden, found.get(amount.base))
        waiting = [j for j in waiting if j not in ready]
    return found


def _texts(values: pa.Array) -> np.ndarray:
    found = values.to_numpy(zero_copy_only=False)
    return found.astype(np.str_) if len(found) else np.empty(0, dtype="U1")


def _counted(known: pa.Array) -> pa.Array:
    """Return moments as the counts that they are."""
    if pa.types.is_date32(known.type):
        return known.cast(pa.int32())
    return known.cast(pa.int64()) if pa.types.is_temporal(known.type) else known
