"""What `perturb` learns of columns, and how it changes their values: noise, ranks, shares, groups, coarser values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.core.values import Column, from_numbers, numbers, on_lattice
from synthwright.kit.coding.rulers import INFINITE
from synthwright.kit.learning.disclosure import correlated, groups_of, middles, modes, spread
from synthwright.kit.learning.held import Held, Labels, Line, held_from, held_of

OTHER = "other"
"""What labels become that few rows have."""
_BLOCK = 2_000_000
"""Distances that are computed at once."""
_NOTHING = -1.7e308
"""Stands for no value where rows are told apart."""


class Bands(NamedTuple):
    """Groups of near rows."""

    columns: tuple[int, ...]
    raw: np.ndarray
    """float64, different rows × columns: what these rows have."""
    group: np.ndarray
    """The group of each of them."""
    values: np.ndarray
    """float64, groups × columns: what the rows of a group become."""


@dataclass(frozen=True)
class Mask:
    """How the columns of a table are changed."""

    columns: tuple[Held, ...]
    """What the real rows have, each column sorted by itself."""
    coarse: tuple[tuple[Labels, np.ndarray] | None, ...]
    """Of columns of labels, those that are left, and which one each becomes."""
    how: tuple[Mapping[str, Any], ...]
    root: np.ndarray
    """What gives the columns with noise their correlations."""
    bands: tuple[Bands, ...]
    protect: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(c.name for c in self.columns)

    @cached_property
    def _noisy(self) -> list[int]:
        return [i for i, how in enumerate(self.how) if "noise" in how]

    def applied(
        self, names: Sequence[str], there: Mapping[str, Column], rows: int, ctx: Context, *, fill: bool
    ) -> dict[str, pa.Array]:
        """Return columns with changed values: those that are there, else values of real rows.

        Args:
            names: the columns.
            there: those that are there.
            rows: how many rows there are.
            ctx: the randomness.
            fill: whether it is enough to give values where there are none.
        """
        said = [self._start(c, there.get(c.name), rows, ctx.at(c.name), fill=fill) for c in self.columns]
        noise = ctx.at("noise").rng.normal(size=(rows, len(self._noisy))) @ self.root.T
        for bands in self.bands:
            found = self._banded(bands, said, rows)
            for i, values in zip(bands.columns, found.T, strict=True):
                said[i] = values if isinstance(self.columns[i], Line) else values.astype(np.int64)
        made = {}
        for i, column in enumerate(self.columns):
            if column.name not in names:
                continue
            rng = ctx.at(column.name, "change").rng
            if isinstance(column, Line):
                own = noise[:, self._noisy.index(i)] if i in self._noisy else None
                made[column.name] = _rounded(column.made(self._moved(i, column, said[i], own, rng)), column.ruler.field,
                                             self.how[i].get("round"))  # fmt: skip
            else:
                made[column.name] = self._relabelled(i, said[i], rng, fill=fill)
        return made

    def _start(self, column: Held, there: Column | None, rows: int, ctx: Context, *, fill: bool) -> np.ndarray:
        """Return what is there, as positions or places; where nothing is, values of real rows in their shares."""
        rng = ctx.rng
        held = column.held if len(column.held) else np.full(1, np.nan if isinstance(column, Line) else 0)
        if there is None:
            return held[rng.integers(0, len(held), rows)]
        found = column.read(there)
        if not fill:
            return found
        absent = np.isnan(found) if isinstance(column, Line) else found == column.size
        known = column.known if isinstance(column, Line) else column.held[column.held < column.size]
        return np.where(absent, known[rng.integers(0, len(known), rows)], found) if len(known) else found

    # --------------------------------------------------------------------------------------------------------- numbers
    def _moved(
        self, i: int, column: Line, at: np.ndarray, noise: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Return other positions."""
        how, known = self.how[i], column.known
        if not len(known):
            return at
        if noise is not None:
            at = _noised(at, known, noise * how["noise"], how["noise"], self.protect)
        if "swap" in how:
            at = _swapped(at, column, how["swap"], self.protect, rng)
        if "pram" in how:
            drawn = known[rng.integers(0, len(known), len(at))]
            at = np.where((rng.random(len(at)) < how["pram"]) & ~np.isnan(at), drawn, at)
        low = known[min(int(np.ceil(how.get("bottom", 0) * len(known))), len(known) - 1)]
        high = known[max(len(known) - 1 - int(np.ceil(how.get("top", 0) * len(known))), 0)]
        if "bottom" in how or "top" in how:
            at = np.clip(at, low if "bottom" in how else -np.inf, high if "top" in how else np.inf)
        return at

    # ---------------------------------------------------------------------------------------------------------- labels
    def _relabelled(self, i: int, places: np.ndarray, rng: np.random.Generator, *, fill: bool) -> pa.Array:
        """Return other labels; of those that are to fill, none is missing."""
        kept = self.coarse[i]
        assert kept is not None  # noqa: S101  every column of labels has them
        coarse, turn = kept
        strange = places >= len(turn)  # a label that no training row has
        at = turn[np.where(strange, 0, places)]
        if "microaggregate" not in self.how[i]:
            counts = coarse.counts
            often = (counts >= self.protect) | (np.arange(len(counts)) == coarse.size)
            chance = self.how[i].get("pram", 0.0)
            again = strange | ((rng.random(len(at)) < chance) | ~often[at] if chance else False)
            often[-1] &= not fill
            pool = np.cumsum(np.where(often, counts, 0))
            if pool[-1]:
                drawn = np.searchsorted(pool, rng.random(len(at)) * pool[-1], side="right")
                at = np.where(again, drawn, at)
        return coarse.made(at)

    # ---------------------------------------------------------------------------------------------------------- groups
    def _banded(self, bands: Bands, said: Sequence[np.ndarray], rows: int) -> np.ndarray:
        """Return what rows become in the columns that are grouped together; what is missing stays missing."""
        raw = np.stack([said[i].astype(np.float64) for i in bands.columns], axis=1)
        both = np.concatenate([bands.raw, np.nan_to_num(raw, nan=_NOTHING)])
        _, code = np.unique(both, axis=0, return_inverse=True)
        code = code.reshape(-1)
        group = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int64)
        group[code[: len(bands.raw)]] = bands.group
        found = group[code[len(bands.raw) :]]
        strange = np.flatnonzero(found < 0)
        if len(strange):  # rows that were not among those that were grouped: as the nearest of them
            real, other = (self._coordinates(bands.columns, r) for r in (bands.raw, both[len(bands.raw) :][strange]))
            found[strange] = bands.group[_nearest(other, real)]
        out = bands.values[found]
        for j, i in enumerate(bands.columns):
            column = self.columns[i]
            absent = np.isnan(raw[:, j]) if isinstance(column, Line) else raw[:, j] >= column.size
            out[absent, j] = np.nan if isinstance(column, Line) else column.size
        return out.reshape(rows, len(bands.columns))

    def _coordinates(self, columns: Sequence[int], raw: np.ndarray) -> np.ndarray:
        return coordinates([self.columns[i] for i in columns], raw)

    # ----------------------------------------------------------------------------------------------------------- files
    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        arrays, heads, coarse = {"root": self.root}, [], []
        for i, (column, kept) in enumerate(zip(self.columns, self.coarse, strict=True)):
            head, arrays[f"{i}.held"] = column.to_json()
            heads.append(head)
            coarse.append(kept[0].to_json()[0] if kept else None)
            if kept:
                arrays[f"{i}.coarse"], arrays[f"{i}.turn"] = kept[0].held, kept[1]
        for i, bands in enumerate(self.bands):
            arrays |= {f"bands.{i}.{n}": getattr(bands, n) for n in ("raw", "group", "values")}
        head = {"columns": heads, "coarse": coarse, "how": [dict(h) for h in self.how], "protect": self.protect,
                "bands": [list(b.columns) for b in self.bands]}  # fmt: skip
        return head, arrays

    @staticmethod
    def of_json(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Mask:
        """Rebuild a mask; a ValueError where it is not sound."""
        columns = tuple(held_from(said, arrays[f"{i}.held"]) for i, said in enumerate(head["columns"]))
        coarse = tuple(None if said is None else (cast(Labels, held_from(said, arrays[f"{i}.coarse"])),
                                                  arrays[f"{i}.turn"].astype(np.int64))
                       for i, said in enumerate(head["coarse"]))  # fmt: skip
        bands = tuple(Bands(tuple(int(c) for c in of), *(arrays[f"bands.{i}.{n}"] for n in ("raw", "group", "values")))
                      for i, of in enumerate(head["bands"]))  # fmt: skip
        mask = Mask(columns, coarse, tuple(head["how"]), arrays["root"], bands, int(head["protect"]))
        turned = (t.max(initial=0) <= c.size and t.min(initial=0) >= 0 for c, t in (k for k in coarse if k))
        sound = len(mask.how) == len(columns) == len(coarse) and mask.root.shape == (len(mask._noisy),) * 2
        if not (sound and all(turned) and all(b.group.max(initial=0) < len(b.values) for b in bands)):
            raise ValueError("parts that do not fit each other")
        return mask


def masked(held: Mapping[str, tuple[Field, Column]], how: Mapping[str, Mapping[str, Any]], protect: int) -> Mask:
    """Return how columns of real rows are changed.

    Raises:
        ValueError: of three texts: the column, what was wanted, and a remedy.
    """
    columns = [held_of(n, field, column) for n, (field, column) in held.items()]
    coarse = [_coarsened(c, how[c.name], protect) if isinstance(c, Labels) else None for c in columns]
    noisy = [c for c in columns if "noise" in how[c.name]]
    finite = np.stack([np.where(np.abs(c.held) < INFINITE, c.held, np.nan) for c in noisy], axis=1) if noisy else None
    root = np.zeros((0, 0)) if finite is None else correlated(finite)
    together: dict[int, list[int]] = {}
    for i, column in enumerate(columns):
        if "microaggregate" in how[column.name]:
            together.setdefault(how[column.name]["microaggregate"], []).append(i)
    bands = [_bands(columns, mine, least) for least, mine in sorted(together.items())]
    sorted_alone = tuple(replace(c, held=np.sort(c.held)) for c in columns)
    alone = tuple(k and (replace(k[0], held=np.sort(k[0].held)), k[1]) for k in coarse)
    return Mask(sorted_alone, alone, tuple(how[c.name] for c in columns), root, tuple(bands), protect)


def _coarsened(column: Labels, how: Mapping[str, Any], protect: int) -> tuple[Labels, np.ndarray]:
    """Return the labels that are left, and which of them each becomes; the last is no value."""
    said = column.labels.to_pylist()
    for old in how.get("recode", {}):
        if old not in said:
            raise ValueError(column.name, f"rows with the label {old!r} that is to be recoded", "see how it is spelled")
    new = [how.get("recode", {}).get(label, label) for label in said]
    if "others" in how:
        counts: dict[Any, int] = {}
        for label, many in zip(new, column.counts.tolist(), strict=False):
            counts[label] = counts.get(label, 0) + many
        new = [label if counts[label] >= how["others"] else OTHER for label in new]
    left = sorted(set(new), key=str)
    at = {label: i for i, label in enumerate(left)}
    turn = np.array([*(at[label] for label in new), len(left)], dtype=np.int64)
    coarse = Labels(column.name, column.field, pa.array(left, column.labels.type), turn[column.held])
    shared = coarse.counts[: coarse.size] >= protect
    if "pram" in how and coarse.size and not shared.any() and not column.field.nulls:
        raise ValueError(column.name, f"a label that {protect} rows share", "lower `protect`, or give `others`")
    return coarse, turn


def _bands(columns: Sequence[Held], mine: Sequence[int], least: int) -> Bands:
    raw = np.stack([columns[i].held.astype(np.float64) for i in mine], axis=1)
    rows, code, many = np.unique(np.nan_to_num(raw, nan=_NOTHING), axis=0, return_inverse=True, return_counts=True)
    group = groups_of(coordinates([columns[i] for i in mine], rows), many.astype(np.float64), least)
    whose = group[code.reshape(-1)]
    values = [middles(raw[:, j], whose) if isinstance(columns[i], Line) else modes(raw[:, j].astype(np.int64), whose)
              for j, i in enumerate(mine)]  # fmt: skip
    return Bands(tuple(mine), rows, group, np.stack(values, axis=1).astype(np.float64))


def coordinates(columns: Sequence[Held], raw: np.ndarray) -> np.ndarray:
    """Return rows as points: numbers in standard deviations, labels a half of the squared distance of one each."""
    out = []
    for j, column in enumerate(columns):
        values = raw[:, j]
        if isinstance(column, Line):
            size = float(spread(column.known[np.abs(column.known) < INFINITE][:, None])[0])
            middle = float(np.mean(np.clip(column.known, -INFINITE, INFINITE))) if len(column.known) else 0.0
            out.append(np.where(values == _NOTHING, 0.0, (values - middle) / (size or 1.0))[:, None])
        else:
            often = np.argsort(-column.counts, kind="stable")[:50]
            out.append((values[:, None] == often[None, :]) * np.sqrt(0.5))
    return np.nan_to_num(np.clip(np.concatenate(out, axis=1), -1e6, 1e6))


def _nearest(points: np.ndarray, among: np.ndarray) -> np.ndarray:
    step = max(1, _BLOCK // max(len(among), 1))
    sizes = (among**2).sum(axis=1)
    return np.concatenate([np.argmin(sizes - 2 * points[i : i + step] @ among.T, axis=1)
                           for i in range(0, len(points), step)])  # fmt: skip


def _noised(at: np.ndarray, known: np.ndarray, noise: np.ndarray, size: float, protect: int) -> np.ndarray:
    """Return positions with noise, drawn together so that mean and spread stay, between ends that several rows reach.

    Reference: Kim, A method for limiting disclosure in microdata based on random noise and transformation, 1986.
    """
    some = known[np.abs(known) < INFINITE]
    if not len(some):
        return at
    middle, wide = float(some.mean()), float(spread(some[:, None])[0])
    moved = middle + (at - middle + noise * wide) / np.sqrt(1 + size**2)
    last = min(protect, len(some)) - 1
    bounded = np.clip(moved, min(some[last], some[-1 - last]), max(some[last], some[-1 - last]))
    return np.where(np.abs(at) < INFINITE, bounded, at)


def _swapped(at: np.ndarray, column: Line, share: float, protect: int, rng: np.random.Generator) -> np.ndarray:
    """Return for each position that of a row near in rank; among equal values the rank is drawn.

    At the ends ranks are reflected, so that all stay as likely as they were. A value that few rows have is not given
    to another, which would show that somebody has it: what lies between it and the next is.
    """
    known, size = column.known, len(column.known)
    low, high = (np.searchsorted(known, at, side=side) for side in ("left", "right"))
    rank = low + rng.random(len(at)) * (high - low) + rng.uniform(-1, 1, len(at)) * share * size
    rank = np.abs(rank)
    rank = np.clip(np.where(rank > size, 2 * size - rank, rank), 0, np.nextafter(size, 0))
    place = rank.astype(np.int64)
    found, after = known[place], known[np.minimum(place + 1, size - 1)]
    values, counts = column.counted
    rare = counts[np.searchsorted(values, found)] < protect
    with np.errstate(invalid="ignore", over="ignore"):
        between = found + (rank - place) * (after - found)
    blurred = np.where(rare & (np.abs(after) < INFINITE) & (np.abs(found) < INFINITE), between, found)
    return np.where(np.isnan(at), np.nan, blurred)


def _rounded(made: pa.Array, field: Field, to: float | str | None) -> pa.Array:
    """Return values of a field as multiples of a number, or where a unit of the calendar begins."""
    if to is None:
        return made
    if isinstance(to, str):
        unit = cast(Literal["hour", "day", "week", "month", "quarter", "year"], to)
        return pc.floor_temporal(made, unit=unit).cast(made.type)
    second = {"us": 1e6, "ns": 1e9}.get(getattr(made.type, "unit", ""), 1.0)
    step = to * (second if field.kind in (Kind.DATETIME, Kind.TIME, Kind.DURATION) else 1.0)
    values = on_lattice(numbers(made), step)
    return from_numbers(values, np.isnan(values), field.model_copy(update={"step": None}))
